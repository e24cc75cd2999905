//! The drill, started from the dashboard or the command line.

use super::Shared;
use super::failure::Answer;
use crate::core::locked;
use crate::drill;
use axum::Json;
use axum::extract::State;
use portcullis_domain::api::DrillReport;

pub(super) async fn newest(State(shared): State<Shared>) -> Answer<Option<DrillReport>> {
    Ok(Json(locked(&shared.core.drill).clone()))
}

/// Starts one; while one runs, that one is the answer.
pub(super) async fn start(State(shared): State<Shared>) -> Answer<DrillReport> {
    Ok(Json(drill::start(&shared.core)))
}
