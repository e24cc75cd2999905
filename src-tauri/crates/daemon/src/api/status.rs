//! Status, counts, changes: what the Overview shows.

use super::extract::Query;
use super::failure::{Answer, Failure};
use super::{Shared, apps};
use crate::clock;
use crate::core::Core;
use axum::Json;
use axum::extract::State;
use portcullis_domain::api::{Observed, Protection, Stats, Status};
use portcullis_domain::{Change, UnixMs};
use serde::Deserialize;
use serde_json::{Value, json};

/// For programs that only want to know whether we answer. No secrets.
pub(super) async fn health() -> Json<Value> {
    Json(json!({ "name": "portcullis", "version": env!("CARGO_PKG_VERSION") }))
}

pub(super) async fn get(State(shared): State<Shared>) -> Answer<Status> {
    shared.blocking(|core| status(core)).await.map(Json)
}

fn status(core: &Core) -> Result<Status, Failure> {
    let apps = apps::observed(core)?;
    let servers: Vec<_> = apps.iter().flat_map(|app| &app.files).flat_map(|file| &file.servers).collect();
    let rules = core.rules();
    let protection = if rules.is_paused() {
        Protection::Paused { until: rules.paused_until.filter(|until| *until != UnixMs::MAX) }
    } else if servers.iter().any(|server| server.protected) {
        Protection::Watching
    } else {
        Protection::Off
    };
    let mut problems = core.problems();
    let bypassing = servers.iter().filter(|s| matches!(s.observed, Observed::Bypassing { .. })).count();
    let seen = servers.iter().filter(|s| matches!(s.observed, Observed::Seen { .. })).count();
    // A damaged audit log must not hide the rest: checking goes on without it.
    let mut log_unreadable = false;
    let mut or_zero = |answer: Result<u64, portcullis_audit::Error>| {
        answer.unwrap_or_else(|error| {
            problems.push(format!("The audit log could not be read ({}). Checking goes on.", error.code()));
            problems.dedup();
            log_unreadable = true;
            0
        })
    };
    let open_alerts = or_zero(core.audit.open_alerts());
    let open_blocks = or_zero(core.audit.open_blocks());
    let messages_today = or_zero(core.audit.messages_since(start_of_day()));
    Ok(Status {
        version: env!("CARGO_PKG_VERSION").into(),
        platform: std::env::consts::OS.into(),
        home: core.home.path().display().to_string(),
        started_at: core.started_at,
        proxy_address: format!("http://127.0.0.1:{}", core.proxy_port()),
        dashboard_address: format!("http://127.0.0.1:{}", core.dashboard_port()),
        protection,
        servers_seen: count(seen),
        servers_bypassing: count(bypassing),
        servers_total: count(servers.len()),
        last_message_at: core.audit.last_message_at().unwrap_or_default(),
        open_alerts: u32::try_from(open_alerts).unwrap_or(u32::MAX),
        open_blocks: u32::try_from(open_blocks).unwrap_or(u32::MAX),
        messages_today,
        signatures_active: count(core.with_signatures(crate::signatures::Signatures::active_count)),
        asks_waiting: count(core.asks.approvals.waiting()),
        quiet: core.settings().quiet_hours().is_some_and(|quiet| quiet.contains(minute_of_day())),
        log_unreadable,
        problems,
    })
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Of the person's day.
fn minute_of_day() -> u16 {
    let now = jiff::Zoned::now();
    u16::from(now.hour().unsigned_abs()) * 60 + u16::from(now.minute().unsigned_abs())
}

/// Midnight of the person's day.
fn start_of_day() -> UnixMs {
    let now = jiff::Zoned::now();
    now.start_of_day().map_or_else(|_| clock::now() - 24 * 3_600_000, |day| day.timestamp().as_millisecond())
}

#[derive(Deserialize)]
pub(super) struct Hours {
    #[serde(default = "a_day")]
    hours: u32,
}
fn a_day() -> u32 {
    24
}

pub(super) async fn stats(State(shared): State<Shared>, Query(query): Query<Hours>) -> Answer<Stats> {
    shared.blocking(move |core| Ok(core.audit.stats(query.hours, clock::now())?)).await.map(Json)
}

#[derive(Deserialize)]
pub(super) struct Newest {
    #[serde(default = "a_page")]
    limit: usize,
}
fn a_page() -> usize {
    100
}

pub(super) async fn changes(State(shared): State<Shared>, Query(query): Query<Newest>) -> Answer<Vec<Change>> {
    shared.blocking(move |core| Ok(core.audit.changes(query.limit)?)).await.map(Json)
}
