//! `status`: what is protected as observed, and what needs attention.

use super::exit::Failed;
use super::reach::Reached;
use super::terminal::{say, say_json, time, visible};
use portcullis_domain::api::{Protection, Status};
use serde_json::json;
use std::process::ExitCode;

fn watching(status: &Status) -> String {
    let (seen, total, past) = (status.servers_seen, status.servers_total, status.servers_bypassing);
    if past == 0 {
        return format!("Watching {seen} of {total} servers.");
    }
    format!("Watching {seen} of {total} servers, {past} bypassing: `portcullis apps` shows which.")
}

pub async fn run(reached: &Reached, as_json: bool) -> Result<ExitCode, Failed> {
    let status: Status = reached.access.get("/api/status").await?;
    let running = reached.access.is_remote();
    if as_json {
        let mut value = serde_json::to_value(&status).unwrap_or_default();
        value["running"] = json!(running);
        say_json(&value)?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&match (&status.protection, running) {
        (Protection::Off, _) => "No app is protected. `portcullis apps` shows what can be.".into(),
        (_, false) => "The daemon is not running: stdio servers are still checked by the shim, URL servers do not work. Start it with `portcullis serve`.".to_owned(),
        (Protection::Watching, true) => watching(&status),
        (Protection::Paused { until: Some(until) }, true) => {
            format!("Paused until {}: calls are recorded, nothing is blocked.", time(*until))
        }
        (Protection::Paused { until: None }, true) => "Paused: calls are recorded, nothing is blocked. `portcullis resume` ends it.".into(),
    })?;
    if running {
        say(&format!("Dashboard: {} (`portcullis pair` prints a code)", status.dashboard_address))?;
        say(&format!("Running since {}", time(status.started_at)))?;
    }
    let last = status.last_message_at.map_or("none yet".to_owned(), time);
    say(&format!(
        "{} messages today, last one: {last}. {} open alerts. {} signatures.",
        status.messages_today, status.open_alerts, status.signatures_active
    ))?;
    for problem in &status.problems {
        say(&format!("! {}", visible(problem)))?;
    }
    Ok(ExitCode::SUCCESS)
}
