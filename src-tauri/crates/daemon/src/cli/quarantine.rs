//! `quarantine`: put a server aside, see which are, let one go. Only letting go loosens, so only that asks for a person.

use super::args::Quarantine as Command;
use super::exit::Failed;
use super::person_agrees;
use super::reach::Reached;
use super::terminal::{say, say_json, table, time, visible};
use portcullis_domain::UpstreamId;
use portcullis_domain::api::{QuarantineRequest, QuarantinedServer};
use std::process::ExitCode;

pub async fn run(reached: &Reached, command: &Command, as_json: bool) -> Result<ExitCode, Failed> {
    let servers: Vec<QuarantinedServer> = match command {
        Command::List => reached.access.get("/api/quarantine").await?,
        Command::Add { server, minutes } => {
            let request = QuarantineRequest { upstream: UpstreamId::new(server.clone()), minutes: *minutes };
            reached.access.post("/api/quarantine", &request).await?
        }
        Command::Release { server } => {
            person_agrees(reached, "Let the app use this server again?")?;
            let id: String = url::form_urlencoded::byte_serialize(server.as_bytes()).collect();
            reached.access.at_terminal().delete(&format!("/api/quarantine/{id}")).await?
        }
    };
    if as_json {
        say_json(&servers)?;
        return Ok(ExitCode::SUCCESS);
    }
    if servers.is_empty() {
        say("No server is in quarantine.")?;
    }
    let row = |server: &QuarantinedServer| {
        let until = server.until.map_or("until released".into(), |at| format!("until {}", time(at)));
        vec![
            server.upstream.to_string(),
            format!("{} → {}", visible(&server.app_name), visible(&server.upstream_name)),
            until,
        ]
    };
    table(&servers.iter().map(row).collect::<Vec<_>>())?;
    Ok(ExitCode::SUCCESS)
}
