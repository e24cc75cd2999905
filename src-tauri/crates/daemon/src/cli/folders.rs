//! `folders`: the project folders whose config files are looked at.

use super::args::Folders;
use super::exit::Failed;
use super::reach::Reached;
use super::terminal::{say, say_json, visible};
use portcullis_domain::api::FolderRequest;
use std::path::Path;
use std::process::ExitCode;

pub async fn run(reached: &Reached, command: &Folders, as_json: bool) -> Result<ExitCode, Failed> {
    let folders: Vec<String> = match command {
        Folders::List => reached.access.get("/api/folders").await?,
        Folders::Add { folder } => reached.access.post("/api/folders", &request(folder)?).await?,
        Folders::Remove { folder } => reached.access.post("/api/folders/remove", &request(folder)?).await?,
    };
    if as_json {
        say_json(&folders)?;
        return Ok(ExitCode::SUCCESS);
    }
    for folder in &folders {
        say(&visible(folder))?;
    }
    if folders.is_empty() {
        say("No folder is named: project files are left alone.")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The daemon's current directory is not the caller's.
fn request(folder: &Path) -> Result<FolderRequest, Failed> {
    Ok(FolderRequest { path: std::path::absolute(folder)?.display().to_string() })
}
