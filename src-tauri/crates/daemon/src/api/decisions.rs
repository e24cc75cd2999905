//! Decisions, exceptions, modes, and what a change would have done.

use super::Shared;
use super::extract::{Body, Query};
use super::failure::{Answer, Failure};
use crate::asks::{Made, acknowledged};
use crate::clock;
use crate::presence::Sender;
use crate::replay;
use axum::Json;
use axum::extract::{Path, State};
use portcullis_domain::api::{DecisionRow, ModeRequest, NewDecision, Replay, ReplayRequest};
use portcullis_domain::{ChangeKind, Decision, DecisionId, DecisionState, Effect, Mode, Modes};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    state: Which,
    #[serde(default)]
    q: String,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Which {
    #[default]
    Active,
    Ended,
    All,
}

pub(super) async fn list(State(shared): State<Shared>, Query(query): Query<ListQuery>) -> Answer<Vec<DecisionRow>> {
    let words: Vec<String> = query.q.split_whitespace().map(str::to_lowercase).collect();
    let rows = shared.blocking(move |core| {
        let mut rows = core.decisions.all();
        let wanted = |row: &DecisionRow| match query.state {
            Which::All => true,
            Which::Active => row.state == DecisionState::Active,
            Which::Ended => row.state != DecisionState::Active,
        };
        rows.retain(|row| wanted(row) && words.iter().all(|word| text(row).contains(word)));
        rows.sort_by_key(|row| std::cmp::Reverse(row.decision.at));
        Ok(rows)
    });
    rows.await.map(Json)
}

/// What a search looks at.
fn text(row: &DecisionRow) -> String {
    let json = serde_json::to_string(row).unwrap_or_default();
    json.to_lowercase()
}

/// An exception, or a block, from a row of the log.
pub(super) async fn make(
    State(shared): State<Shared>,
    sender: Sender,
    Body(request): Body<NewDecision>,
) -> Answer<Decision> {
    let made = shared.blocking(move |core| {
        if request.effect != Effect::Deny {
            sender.is_person(core)?;
        }
        let past = replay::Past::of(core, &request.exchange)?;
        acknowledged(request.effect, past.question.severity, request.acknowledged)?;
        past.allows(&request.scope)?;
        let made =
            Made { effect: request.effect, scope: &request.scope, expires: request.expires, once: false, ask: None };
        let decision = core.store_decision(&past.question, &past.upstream, &past.session, &made)?;
        let word = match request.effect {
            Effect::Allow => "is allowed from now on",
            Effect::Redact => "goes on without what was found from now on",
            Effect::Deny => "is denied from now on",
        };
        let target = past.question.target.as_deref().unwrap_or(&past.question.method);
        let summary = format!("{}: `{target}` of `{}` {word}.", past.upstream.app_name, past.upstream.name);
        let app = Some(past.upstream.app.clone());
        match request.effect {
            Effect::Deny => core.change(ChangeKind::DecisionMade, app, summary),
            Effect::Allow | Effect::Redact => core.loosened(ChangeKind::DecisionMade, app, summary),
        }
        Ok(decision)
    });
    made.await.map(Json)
}

pub(super) async fn revoke(State(shared): State<Shared>, sender: Sender, Path(id): Path<String>) -> Answer<Value> {
    let revoked = shared.blocking(move |core| {
        let id = DecisionId::new(id);
        let all = core.decisions.all();
        // Taking a permission back tightens; taking a Deny back loosens.
        if all.iter().any(|row| row.decision.id == id && row.decision.effect == Effect::Deny) {
            sender.is_person(core)?;
        }
        core.revoke_decision(&id, clock::now())?;
        Ok(json!(null))
    });
    revoked.await.map(Json)
}

pub(super) async fn modes(State(shared): State<Shared>) -> Answer<Modes> {
    Ok(Json(shared.core.rules().modes))
}

fn strictness(mode: Mode) -> u8 {
    match mode {
        Mode::Monitor => 0,
        Mode::Ask => 1,
        Mode::Block => 2,
    }
}

pub(super) async fn set_mode(
    State(shared): State<Shared>,
    sender: Sender,
    Body(request): Body<ModeRequest>,
) -> Answer<Modes> {
    let set = shared.blocking(move |core| {
        let modes = core.rules().modes;
        let general = |app: Option<_>| app.and_then(|app| modes.apps.get(app)).copied().unwrap_or(modes.default);
        let (before, above) = match (&request.app, &request.upstream) {
            (_, Some(upstream)) => {
                let of = core.routes.load().get(upstream).map(|up| up.app.clone());
                let of = of.ok_or_else(|| Failure::not_found("There is no such protected server."))?;
                (modes.of(&of, upstream), general(Some(&of)))
            }
            (Some(app), None) => (general(Some(app)), modes.default),
            (None, None) => (modes.default, Mode::default()),
        };
        let milder = strictness(request.mode.unwrap_or(above)) < strictness(before);
        if milder {
            sender.is_person(core)?;
        }
        core.set_mode(&request, milder)?;
        Ok(core.rules().modes)
    });
    set.await.map(Json)
}

pub(super) async fn replay(State(shared): State<Shared>, Body(request): Body<ReplayRequest>) -> Answer<Replay> {
    shared.blocking(move |core| replay::run(core, &request)).await.map(Json)
}
