//! Servers in quarantine. To put one in needs nobody's leave; to let one go is a person's act.

use super::Shared;
use super::extract::Body;
use super::failure::{Answer, Failure};
use crate::presence::Sender;
use axum::Json;
use axum::extract::{Path, State};
use portcullis_domain::UpstreamId;
use portcullis_domain::api::{QuarantineRequest, QuarantinedServer};

/// Longer is until released, which says so.
pub(super) const MAX_MINUTES: u32 = 90 * 24 * 60;

pub(super) async fn list(State(shared): State<Shared>) -> Answer<Vec<QuarantinedServer>> {
    shared.blocking(|core| Ok(core.quarantined())).await.map(Json)
}

pub(super) async fn add(
    State(shared): State<Shared>,
    sender: Sender,
    Body(request): Body<QuarantineRequest>,
) -> Answer<Vec<QuarantinedServer>> {
    if request.minutes.is_some_and(|minutes| minutes == 0 || minutes > MAX_MINUTES) {
        return Err(Failure::bad_request("Quarantine for 1 minute to 90 days, or without a number until released."));
    }
    let added = shared.blocking(move |core| {
        // A shorter time than before lets it go earlier.
        let until = core.rules().quarantined.get(&request.upstream).copied();
        let sooner = request.minutes.map(|minutes| crate::clock::now() + i64::from(minutes) * 60_000);
        if until.is_some_and(|until| sooner.is_some_and(|sooner| sooner < until)) {
            sender.is_person(core)?;
        }
        core.quarantine(&request.upstream, request.minutes)?;
        Ok(core.quarantined())
    });
    added.await.map(Json)
}

pub(super) async fn release(
    State(shared): State<Shared>,
    sender: Sender,
    Path(upstream): Path<String>,
) -> Answer<Vec<QuarantinedServer>> {
    let released = shared.blocking(move |core| {
        sender.is_person(core)?;
        core.release(&UpstreamId::new(upstream))?;
        Ok(core.quarantined())
    });
    released.await.map(Json)
}
