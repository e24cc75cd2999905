//! `pause` and `resume`.

use super::args;
use super::exit::Failed;
use super::person_agrees;
use super::reach::Reached;
use super::terminal::{say, say_json};
use portcullis_domain::api::{PauseRequest, Status};
use serde_json::Value;
use std::process::ExitCode;

pub async fn pause(reached: &Reached, args: &args::Pause, as_json: bool) -> Result<ExitCode, Failed> {
    let how_long = args.minutes.map_or("until you resume".to_owned(), |minutes| format!("for {minutes} minutes"));
    person_agrees(reached, &format!("Block nothing {how_long}?"))?;
    let request = PauseRequest { minutes: args.minutes };
    let _: Value = reached.access.at_terminal().post("/api/pause", &request).await?;
    if as_json {
        return print(reached).await;
    }
    say(&format!("Paused {how_long}: calls are recorded, nothing is blocked. `portcullis resume` ends it."))?;
    Ok(ExitCode::SUCCESS)
}

pub async fn resume(reached: &Reached, as_json: bool) -> Result<ExitCode, Failed> {
    reached.handle().resume().await?;
    if as_json {
        return print(reached).await;
    }
    say("Resumed: what is not allowed is blocked again.")?;
    Ok(ExitCode::SUCCESS)
}

async fn print(reached: &Reached) -> Result<ExitCode, Failed> {
    let status: Status = reached.access.get("/api/status").await?;
    say_json(&status.protection)?;
    Ok(ExitCode::SUCCESS)
}
