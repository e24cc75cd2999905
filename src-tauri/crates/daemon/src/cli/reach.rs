//! Reaches the API: of the running daemon, or, when none runs, of this very process under the lock.

use super::exit::{BUSY, Failed, INTERNAL};
use crate::access::Access;
use crate::config::{ConfigFile, DASHBOARD_PORT, PROXY_PORT};
use crate::core::{Config, Core};
use crate::lock::{self, Holder, Lock};
use crate::presence;
use crate::{Error, Handle, api, secret, upkeep};
use portcullis_clients::Serving;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait for another command, or for a daemon that is just starting.
const PATIENCE: Duration = Duration::from_secs(5);

pub struct Reached {
    pub access: Access,
    /// When no daemon runs.
    local: Option<Local>,
}

struct Local {
    core: Arc<Core>,
    _lock: Lock,
}

impl Reached {
    pub fn handle(&self) -> Handle {
        Handle::new(self.access.clone(), None)
    }

    /// Without a daemon nobody else can tell who asks: nothing that a ClientApp started may loosen protection.
    pub fn is_no_app(&self) -> Result<(), Failed> {
        let Some(Local { core, .. }) = &self.local else { return Ok(()) };
        presence::own_process_is_no_app(core).map_err(|failure| failure.error.into())
    }

    /// Writes what the command left in memory.
    pub async fn finish(self) {
        if let Some(Local { core, .. }) = &self.local {
            core.stop.cancel();
            core.tasks.close();
            core.tasks.wait().await;
            if let Err(error) = core.refresh_snapshot() {
                tracing::error!(%error, "the snapshot for the shim could not be written");
            }
            core.audit.close();
        }
    }
}

pub async fn reach() -> Result<Reached, Failed> {
    let config = Config::from_environment()?;
    let opened = tokio::task::spawn_blocking(move || open(&config)).await;
    opened.map_err(|error| Failed::new(INTERNAL, error.to_string()))?
}

fn open(config: &Config) -> Result<Reached, Failed> {
    let home = &config.home;
    match lock::take_soon(home, PATIENCE)? {
        Holder::Daemon(running) => {
            let access = Access::remote(running.dashboard_port, secret::api_token(home)?);
            Ok(Reached { access, local: None })
        }
        Holder::Somebody => Err(Failed::new(BUSY, Error::Locked(home.lock_file()).to_string())),
        Holder::Nobody(lock) => {
            let file = ConfigFile::load(home)?;
            let ports = (file.ports.proxy.unwrap_or(PROXY_PORT), file.ports.dashboard.unwrap_or(DASHBOARD_PORT));
            let core = Core::open(config, file, ports, Serving::No)?;
            upkeep::import_spool(&core);
            let token = secret::api_token(home)?;
            let access = Access::local(api::router(core.clone(), token.clone()), ports.1, token);
            Ok(Reached { access, local: Some(Local { core, _lock: lock }) })
        }
    }
}
