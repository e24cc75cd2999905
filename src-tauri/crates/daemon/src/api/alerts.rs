//! Alerts: Exchanges of Flag or more, equal ones grouped, and what the person said about them.

use super::Shared;
use super::extract::{Body, Query};
use super::failure::{Answer, Failure};
use crate::clock;
use crate::presence::Sender;
use axum::Json;
use axum::extract::{Path, State};
use portcullis_audit::AlertState;
use portcullis_domain::api::{AlertPage, ReviewRequest};
use portcullis_domain::{ChangeKind, ExchangeId};
use serde::Deserialize;
use serde_json::{Value, json};

const MAX_GROUPS: usize = 200;

#[derive(Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    state: State_,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State_ {
    #[default]
    Open,
    Reviewed,
    All,
}

pub(super) async fn list(State(shared): State<Shared>, Query(query): Query<ListQuery>) -> Answer<AlertPage> {
    let state = match query.state {
        State_::Open => AlertState::Open,
        State_::Reviewed => AlertState::Reviewed,
        State_::All => AlertState::All,
    };
    shared.blocking(move |core| Ok(core.audit.alerts(state, MAX_GROUPS)?)).await.map(Json)
}

pub(super) async fn review(
    State(shared): State<Shared>,
    sender: Sender,
    Path(id): Path<String>,
    Body(request): Body<ReviewRequest>,
) -> Answer<Value> {
    let reviewed = shared.blocking(move |core| {
        // Who caused an Alert does not put it away.
        sender.is_no_app(core)?;
        let touched = core.audit.review(&ExchangeId::new(&id), request.reason, clock::now())?;
        if touched == 0 {
            return Err(Failure::not_found("There is no such alert (any more): retention may have removed it."));
        }
        let what = match request.reason {
            Some(reason) => format!("{touched} alerts were reviewed: {reason:?}."),
            None => format!("The review of {touched} alerts was taken back."),
        };
        core.change(ChangeKind::AlertReviewed, None, what);
        core.stale(&["alerts", "status"]);
        Ok(json!({ "reviewed": touched }))
    });
    reviewed.await.map(Json)
}
