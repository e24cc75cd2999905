//! Pins: the list, one with its difference, and the person's acts. Approving and releasing name the digest of what the
//! person looked at, so what arrives meanwhile is never approved with it.

use super::Shared;
use super::extract::{Body, Query};
use super::failure::{Answer, Failure};
use crate::pins::{self, Act, Which};
use crate::presence::Sender;
use axum::Json;
use axum::extract::{Path, State};
use portcullis_domain::UpstreamId;
use portcullis_domain::api::{PinAnswer, PinDetail, PinList, PinRequest};
use serde::Deserialize;

/// More at once is no review.
const MAX_CHOICES: usize = 1000;

#[derive(Deserialize)]
pub(super) struct Filter {
    upstream: Option<String>,
    state: Option<String>,
}

pub(super) async fn list(State(shared): State<Shared>, Query(filter): Query<Filter>) -> Answer<PinList> {
    let which = match filter.state.as_deref() {
        None | Some("all") => Which::All,
        Some("changed") => Which::Changed,
        Some("review") => Which::Review,
        Some(_) => return Err(Failure::bad_request("`state` is review, changed or all.")),
    };
    let upstream = filter.upstream.map(UpstreamId::new);
    shared.blocking(move |core| Ok(pins::list(core, upstream.as_ref(), which))).await.map(Json)
}

pub(super) async fn detail(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<PinDetail> {
    let found = shared.blocking(move |core| {
        pins::detail(core, &id)
            .ok_or_else(|| Failure::not_found("There is no such definition; `portcullis pins` lists them."))
    });
    found.await.map(Json)
}

pub(super) async fn approve(shared: State<Shared>, sender: Sender, body: Body<PinRequest>) -> Answer<PinAnswer> {
    act(shared, sender, body, Act::Approve).await
}
pub(super) async fn release(shared: State<Shared>, sender: Sender, body: Body<PinRequest>) -> Answer<PinAnswer> {
    act(shared, sender, body, Act::Release).await
}
pub(super) async fn quarantine(shared: State<Shared>, sender: Sender, body: Body<PinRequest>) -> Answer<PinAnswer> {
    act(shared, sender, body, Act::Quarantine).await
}

async fn act(
    State(shared): State<Shared>,
    sender: Sender,
    Body(request): Body<PinRequest>,
    act: Act,
) -> Answer<PinAnswer> {
    if request.pins.is_empty() || request.pins.len() > MAX_CHOICES {
        return Err(Failure::bad_request(format!("Name 1 to {MAX_CHOICES} definitions.")));
    }
    let done = shared.blocking(move |core| {
        if act != Act::Quarantine {
            sender.is_person(core)?;
        }
        let answer = pins::act(core, act, &request.pins);
        // The shim must know at once, too.
        core.refresh_snapshot()?;
        Ok(answer)
    });
    done.await.map(Json)
}
