//! Settings and the pause.

use super::Shared;
use super::extract::Body;
use super::failure::{Answer, Failure};
use crate::config::{ASK_SECONDS, MINUTES, SettingsFile};
use crate::presence::Sender;
use axum::Json;
use axum::extract::State;
use portcullis_domain::api::{PauseRequest, Settings};
use serde_json::{Value, json};

/// A pause longer than a day is a pause until resumed, which says so.
const MAX_PAUSE_MINUTES: u32 = 24 * 60;

pub(super) async fn get(State(shared): State<Shared>) -> Answer<Settings> {
    Ok(Json(shared.core.settings().into()))
}

pub(super) async fn put(
    State(shared): State<Shared>,
    sender: Sender,
    Body(settings): Body<Settings>,
) -> Answer<Settings> {
    if !(1..=3650).contains(&settings.retention_days) || !(8..=1_048_576).contains(&settings.retention_mib) {
        let message = "Keep traffic for 1 to 3,650 days and in 8 to 1,048,576 MiB.";
        return Err(Failure::bad_request(message));
    }
    if !ASK_SECONDS.contains(&settings.ask_seconds) {
        return Err(Failure::bad_request("A question waits 5 to 290 seconds."));
    }
    if settings.quiet_hours.is_some_and(|quiet| quiet.from >= MINUTES || quiet.until >= MINUTES) {
        return Err(Failure::bad_request("Quiet hours are in minutes after midnight, from 0 to 1,439."));
    }
    let stored = shared.blocking(move |core| {
        let wanted = SettingsFile::from(&settings);
        if wanted.loosens(&core.settings()).is_some() {
            sender.is_person(core)?;
        }
        core.set_settings(wanted)?;
        Ok(core.settings().into())
    });
    stored.await.map(Json)
}

pub(super) async fn pause(
    State(shared): State<Shared>,
    sender: Sender,
    Body(request): Body<PauseRequest>,
) -> Answer<Value> {
    if request.minutes.is_some_and(|minutes| minutes == 0 || minutes > MAX_PAUSE_MINUTES) {
        return Err(Failure::bad_request("Pause for 1 to 1,440 minutes, or without a number until resumed."));
    }
    let paused = shared.blocking(move |core| {
        sender.is_person(core)?;
        Ok(core.pause(request.minutes)?)
    });
    paused.await?;
    Ok(Json(json!(null)))
}

pub(super) async fn resume(State(shared): State<Shared>) -> Answer<Value> {
    shared.blocking(|core| Ok(core.resume("Checking was resumed: what is not allowed is blocked again.")?)).await?;
    Ok(Json(json!(null)))
}
