//! `signatures`: list, show, lint, test, import, on, off. Lint, test and import need no daemon: they work on files.

mod import;
mod show;

use super::args::Signatures as Args;
use super::exit::{FLAGGED, Failed, NO_INPUT, UNAVAILABLE};
use super::reach::Reached;
use super::terminal::{say, say_json, table, visible};
use super::{person_agrees, with_api};
use crate::home::Home;
use portcullis_detect::{SignatureFile, bundled_files, lint, load, test_examples};
use portcullis_domain::api::{SignatureFault, SignatureInfo, SignatureList, SignatureSwitch};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub fn run(command: Args, as_json: bool) -> Result<ExitCode, Failed> {
    match command {
        Args::List => with_api(async |api| list(api, as_json).await),
        Args::Show { id } => with_api(async |api| show::run(api, &id, as_json).await),
        Args::Import { file, dry_run } => import::run(&file, dry_run, as_json),
        Args::Lint { files } => lint_files(&files, as_json),
        Args::Test { files } => test_files(&files, as_json),
        Args::On { id } => with_api(async |api| switch(api, &id, true, as_json).await),
        Args::Off { id } => with_api(async |api| {
            person_agrees(api, &format!("Let through what {} finds?", visible(&id)))?;
            switch(api, &id, false, as_json).await
        }),
    }
}

async fn list(reached: &Reached, as_json: bool) -> Result<ExitCode, Failed> {
    let list: SignatureList = reached.access.get("/api/signatures").await?;
    if as_json {
        say_json(&list)?;
    } else {
        let row = |one: &SignatureInfo| {
            let on = if one.enabled { "on" } else { "off" };
            let whose = if one.bundled { "" } else { " (yours)" };
            vec![
                format!("{}{whose}", visible(&one.id)),
                visible(&one.category),
                format!("{:?}", one.severity).to_lowercase(),
                super::scan::word(one.verdict).into(),
                on.into(),
                visible(&one.title),
            ]
        };
        table(&list.signatures.iter().map(row).collect::<Vec<_>>())?;
        show_faults(&list.faults)?;
    }
    Ok(if list.faults.is_empty() { ExitCode::SUCCESS } else { FLAGGED.into() })
}

async fn switch(reached: &Reached, id: &str, enabled: bool, as_json: bool) -> Result<ExitCode, Failed> {
    let path: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    // To switch one off was confirmed before.
    let access = if enabled { reached.access.clone() } else { reached.access.at_terminal() };
    let info: SignatureInfo = access.put(&format!("/api/signatures/{path}"), &SignatureSwitch { enabled }).await?;
    if as_json {
        say_json(&info)?;
    } else {
        say(&format!("{} is {}.", visible(&info.id), if info.enabled { "on" } else { "off" }))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show_faults(faults: &[SignatureFault]) -> Result<(), Failed> {
    for fault in faults {
        let line = fault.line.map(|line| format!(":{line}")).unwrap_or_default();
        say(&format!("! {}{line}: {} ({})", visible(&fault.file), visible(&fault.message), fault.code))?;
    }
    Ok(())
}

/// The files given (folders: every TOML file below), else the bundled ones and the person's own.
fn read(files: &[PathBuf]) -> Result<(Vec<SignatureFile>, Vec<SignatureFault>), Failed> {
    let (mut good, mut faults) = (Vec::new(), Vec::new());
    let mut keep = |loaded: Result<SignatureFile, portcullis_detect::SignatureFault>| match loaded {
        Ok(file) => good.push(file),
        Err(fault) => faults.push(SignatureFault::from(fault)),
    };
    let mut paths = Vec::new();
    for file in files {
        collect(file, &mut paths)
            .map_err(|e| Failed::new(NO_INPUT, format!("{} cannot be read: {e}", file.display())))?;
    }
    if files.is_empty() {
        bundled_files().into_iter().for_each(&mut keep);
        let own = Home::from_environment()?.signatures();
        if own.is_dir() {
            collect(&own, &mut paths)?;
        }
    }
    for path in &paths {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failed::new(NO_INPUT, format!("{} cannot be read: {error}", path.display())))?;
        // Folder and name are what the checks look at (`injection/override-orders.toml`).
        let name: PathBuf = path.components().rev().take(2).collect::<Vec<_>>().into_iter().rev().collect();
        keep(load(&name.to_string_lossy().replace('\\', "/"), &text));
    }
    if good.is_empty() && faults.is_empty() {
        return Err(Failed::new(UNAVAILABLE, "there are no signature files there"));
    }
    Ok((good, faults))
}

fn collect(path: &Path, out: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !std::fs::metadata(path)?.is_dir() {
        out.push(path.to_path_buf());
        return Ok(());
    }
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            collect(&entry, out)?;
        } else if entry.extension().is_some_and(|extension| extension == "toml") {
            out.push(entry);
        }
    }
    Ok(())
}

fn lint_files(files: &[PathBuf], as_json: bool) -> Result<ExitCode, Failed> {
    let (good, mut faults) = read(files)?;
    faults.extend(lint(&good).into_iter().map(SignatureFault::from));
    if as_json {
        say_json(&json!({ "files": good.len(), "faults": faults }))?;
    } else {
        show_faults(&faults)?;
        say(&format!("{} signatures read, {} complaints.", good.len(), faults.len()))?;
    }
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { FLAGGED.into() })
}

fn test_files(files: &[PathBuf], as_json: bool) -> Result<ExitCode, Failed> {
    let (good, faults) = read(files)?;
    let mut failures = Vec::new();
    let mut examples = 0;
    for file in &good {
        examples += file.hits.len() + file.misses.len();
        failures.extend(test_examples(file).err().into_iter().flatten());
    }
    if as_json {
        let failed: Vec<_> = failures
            .iter()
            .map(|f| json!({ "file": f.file, "kind": f.kind, "number": f.number, "message": f.message }))
            .collect();
        say_json(&json!({ "signatures": good.len(), "examples": examples, "failed": failed, "faults": faults }))?;
    } else {
        show_faults(&faults)?;
        failures.iter().try_for_each(|failure| say(&format!("! {}", visible(&failure.to_string()))))?;
        let wrong = failures.len();
        say(&format!("{} signatures, {examples} examples, {wrong} do not behave as they say.", good.len()))?;
    }
    Ok(if failures.is_empty() && faults.is_empty() { ExitCode::SUCCESS } else { FLAGGED.into() })
}
