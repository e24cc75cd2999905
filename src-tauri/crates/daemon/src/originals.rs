//! What redacted Messages really said: kept only while the person wants it, sealed with a key of its own, gone after a
//! week, and shown to a person alone.

use crate::api::Failure;
use crate::core::Core;
use crate::seal::Seal;
use crate::{Error, clock};
use portcullis_domain::api::Original;
use portcullis_domain::{ChangeKind, Direction, ExchangeId};
use portcullis_gateway::Gateway;
use std::sync::Arc;

const PURPOSE: &str = "originals of redacted messages";
/// Of each Message. The rest of a larger one is not kept.
const MAX_BYTES: usize = 256 * 1024;

/// From now on the gateway's originals are kept, whenever the setting says so.
pub(crate) fn keep(core: &Arc<Core>, gateway: &Gateway) -> Result<(), Error> {
    let seal = Seal::new(core.key(), PURPOSE)?;
    // Weak, or the gateway and the core would keep each other alive for ever.
    let core = Arc::downgrade(core);
    gateway.keep_originals(Arc::new(move |id, direction, bytes| {
        let Some(core) = core.upgrade().filter(|core| core.settings().keep_originals) else { return };
        let kept = seal.seal(&bytes[..bytes.len().min(MAX_BYTES)]).map_err(|error| error.to_string());
        let stored = kept.and_then(|sealed| {
            core.audit.save_original(id, direction, clock::now(), sealed).map_err(|error| error.to_string())
        });
        if let Err(error) = stored {
            tracing::error!(error, "what was redacted could not be kept");
        }
    }));
    Ok(())
}

/// To be shown once. Leaves a Change row.
pub(crate) fn reveal(core: &Core, id: &ExchangeId) -> Result<Original, Failure> {
    let seal = Seal::new(core.key(), PURPOSE)?;
    let read = |direction| -> Result<Option<String>, Failure> {
        let Some(sealed) = core.audit.original(id, direction)? else { return Ok(None) };
        Ok(Some(String::from_utf8_lossy(&seal.open(&sealed)?).into_owned()))
    };
    let (to_upstream, to_client) = (read(Direction::ToUpstream)?, read(Direction::ToClient)?);
    if to_upstream.is_none() && to_client.is_none() {
        return Err(Failure::not_found("The original of this was not kept, or its week is over."));
    }
    let stored = core.audit.exchange(id)?.map(|stored| stored.exchange);
    let what = stored.as_ref().map_or("a message".to_owned(), |row| {
        format!("`{}` of `{}`", row.target.as_deref().unwrap_or(&row.method), row.upstream_name)
    });
    let app = stored.map(|row| row.app);
    core.loosened(ChangeKind::OriginalRevealed, app, format!("What was redacted in {what} was shown."));
    Ok(Original { to_upstream, to_client })
}

impl Core {
    /// Whether anything was kept of it.
    pub fn has_original(&self, id: &ExchangeId) -> bool {
        [Direction::ToUpstream, Direction::ToClient]
            .into_iter()
            .any(|direction| self.audit.original(id, direction).is_ok_and(|sealed| sealed.is_some()))
    }
}
