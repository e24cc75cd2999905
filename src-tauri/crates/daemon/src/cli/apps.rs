//! `apps`, `protect`, `restore`: what stands in the apps' configs, and the change shown before it is written.

use super::args;
use super::confirm;
use super::exit::{Failed, IO};
use super::reach::Reached;
use super::terminal::{in_one_line, say, say_json, shortened, table, time, visible};
use crate::apps::Apps;
use crate::clock;
use crate::config::{ConfigFile, PROXY_PORT};
use crate::core::audit_limits;
use crate::home::Home;
use crate::lock::{self, Holder};
use portcullis_audit::{Audit, AuditLimits};
use portcullis_clients::{Report, Serving};
use portcullis_domain::api::{
    App, ApplyAnswer, ApplyRequest, ConfigAction, DiffTag, FilePreview, Observed, PlannedChange, Preview,
    PreviewRequest, Server, UsedBy,
};
use portcullis_domain::{AuditRow, Change, ChangeKind};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::Arc;

/// Unchanged lines shown around a change.
const CONTEXT: usize = 2;

pub async fn list(reached: &Reached, as_json: bool) -> Result<ExitCode, Failed> {
    let apps: Vec<App> = reached.access.get("/api/apps").await?;
    if as_json {
        say_json(&apps)?;
        return Ok(ExitCode::SUCCESS);
    }
    // Those that are not here need one line between them.
    let (here, absent): (Vec<&App>, Vec<&App>) = apps.iter().partition(|app| is_here(app));
    let absent: Vec<&str> = absent.iter().map(|app| app.id.as_str()).collect();
    let absent = (!absent.is_empty()).then(|| absent.join(", "));
    for app in here {
        say(&format!("{} ({}): {}", app.name, app.id, presence(app)))?;
        for file in &app.files {
            say(&format!("  {}{}", visible(&file.path), if file.exists { "" } else { " (does not exist)" }))?;
            if let Some(problem) = &file.problem {
                say(&format!("  ! {}", visible(problem)))?;
            }
            if let Some(warning) = &file.warning {
                say(&format!("  ! {}", visible(warning)))?;
            }
            let rows: Vec<Vec<String>> = file.servers.iter().map(server_row).collect();
            table(&rows)?;
        }
        if let Some(reason) = &app.not_covered {
            say(&format!("  not covered: {}", visible(reason)))?;
        }
        for other in &app.elsewhere {
            say(&format!("  {} ({})", other.what, visible(&other.path)))?;
            say(&format!("    not covered: {}; {}", other.reason, other.instead))?;
        }
        if let Some(hint) = &app.hint {
            say(&format!("  {}", visible(hint)))?;
        }
    }
    if let Some(absent) = absent {
        say(&format!("Not found on this machine: {absent}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn is_here(app: &App) -> bool {
    app.installed || app.running || app.files.iter().any(|file| file.exists)
}

/// Of an app that is here; its config may have outlived it, or come with a backup or a sync.
fn presence(app: &App) -> &'static str {
    match (app.installed, app.running) {
        (_, true) => "running",
        (true, false) => "installed",
        (false, false) => "config found, app not installed",
    }
}

fn server_row(server: &Server) -> Vec<String> {
    let observed = match &server.observed {
        Observed::Seen { at } => format!("seen {}", time(*at)),
        Observed::NotYetSeen { hint } => format!("not seen yet. {}", visible(hint)),
        Observed::Quarantined { until: None } => "in quarantine until you release it".into(),
        Observed::Quarantined { until: Some(at) } => format!("in quarantine until {}", time(*at)),
        Observed::Waiting { hint } => format!("waits for the app. {}", visible(hint)),
        Observed::Bypassing { reason } => format!("BYPASSING: {}", visible(reason)),
        Observed::Queued { hint } => format!("queued. {}", visible(hint)),
        Observed::NotCovered { reason } => format!("not covered: {}", visible(reason)),
        Observed::EditedOutside => "edited outside: its traffic is not checked".into(),
        Observed::Failing { reason, since: None } => format!("failing: {}", in_one_line(reason)),
        Observed::Failing { reason, since: Some(at) } => {
            format!("failing since {}: {}", time(*at), in_one_line(reason))
        }
    };
    let name = shortened(&server.name, 40);
    let by: Vec<String> = server.used_by.iter().map(used_by).collect();
    let observed = if by.is_empty() { observed } else { format!("{observed} (used by {})", by.join(", ")) };
    vec![format!("    {name}"), server.transport.as_str().into(), shortened(&server.original, 60), observed]
}

fn used_by(user: &UsedBy) -> String {
    let name = shortened(&user.name, 40);
    user.client.as_ref().map_or_else(|| name.clone(), |client| format!("{name} as {}", shortened(client, 40)))
}

pub async fn protect(reached: &Reached, args: &args::Protect, as_json: bool) -> Result<ExitCode, Failed> {
    let code =
        change(reached, ConfigAction::Protect, &args.app, &args.servers, args.yes, args.dry_run, as_json).await?;
    if !reached.access.is_remote() && !args.dry_run && !as_json {
        say(
            "The daemon is not running: the shim checks the servers meanwhile and keeps their rows until `portcullis serve` runs.",
        )?;
    }
    Ok(code)
}

pub async fn diff(reached: &Reached, args: &args::Diff, as_json: bool) -> Result<ExitCode, Failed> {
    let action = if args.restore { ConfigAction::Restore } else { ConfigAction::Protect };
    change(reached, action, &args.app, &args.servers, false, true, as_json).await
}

pub async fn restore(reached: &Reached, args: &args::Restore, as_json: bool) -> Result<ExitCode, Failed> {
    let app = args.app.as_deref().unwrap_or_default();
    change(reached, ConfigAction::Restore, app, &args.servers, args.yes, args.dry_run, as_json).await
}

async fn change(
    reached: &Reached,
    action: ConfigAction,
    app: &str,
    servers: &[String],
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> Result<ExitCode, Failed> {
    let app: String = url::form_urlencoded::byte_serialize(app.as_bytes()).collect();
    let request = PreviewRequest { action, servers: (!servers.is_empty()).then(|| servers.to_vec()) };
    let preview: Preview = reached.access.post(&format!("/api/apps/{app}/preview"), &request).await?;
    if !as_json {
        show(&preview)?;
    }
    // The lines of a refused file are for pasting.
    let written = preview.files.iter().filter(|file| file.refused.is_none());
    let changes = written.flat_map(|file| &file.diff).any(|line| line.tag != DiffTag::Same);
    let refused = preview.files.iter().find_map(|file| file.refused.clone());
    if dry_run || (!changes && refused.is_none()) {
        if as_json {
            say_json(&json!({ "preview": preview, "applied": Value::Null }))?;
        } else if !changes && refused.is_none() {
            say("Nothing to change.")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let (Some(reason), false) = (refused, changes) {
        return Err(Failed::new(super::exit::BAD_DATA, reason));
    }
    confirm("Write this?", yes)?;
    let request = ApplyRequest { token: preview.token.clone() };
    let answer: ApplyAnswer = reached.access.post(&format!("/api/apps/{app}/apply"), &request).await?;
    if as_json {
        say_json(&json!({ "preview": preview, "applied": answer }))?;
    } else {
        show_answer(&answer)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(preview: &Preview) -> Result<(), Failed> {
    for file in &preview.files {
        say(&visible(&file.path))?;
        if let Some(reason) = &file.refused {
            say(&format!("  ! {}", visible(reason)))?;
        }
        if let Some(warning) = &file.warning {
            say(&format!("  ! {}", visible(warning)))?;
        }
        show_diff(file)?;
        for server in file.servers.iter().filter(|server| server.change == PlannedChange::Nothing) {
            let reason = server.reason.as_deref().unwrap_or("nothing to do");
            say(&format!("  {}: stays as it is ({})", shortened(&server.name, 40), visible(reason)))?;
        }
        if file.queued {
            say("  (written only once the app has quit)")?;
        }
    }
    Ok(())
}

fn show_diff(file: &FilePreview) -> Result<(), Failed> {
    let changed = |at: usize| file.diff.get(at).is_some_and(|line| line.tag != DiffTag::Same);
    let mut gap = false;
    for (at, line) in file.diff.iter().enumerate() {
        let near = (at.saturating_sub(CONTEXT)..=at + CONTEXT).any(changed);
        if !near {
            gap = true;
            continue;
        }
        if std::mem::take(&mut gap) {
            say("  …")?;
        }
        let mark = match line.tag {
            DiffTag::Same => ' ',
            DiffTag::Removed => '-',
            DiffTag::Added => '+',
        };
        say(&format!("  {mark} {}", visible(&line.text.replace('\t', "    "))))?;
    }
    Ok(())
}

fn show_answer(answer: &ApplyAnswer) -> Result<(), Failed> {
    for path in &answer.written {
        say(&format!("Written: {}", visible(path)))?;
    }
    for path in &answer.queued {
        say(&format!("Queued until the app has quit: {}", visible(path)))?;
    }
    for hint in &answer.hints {
        say(&visible(hint))?;
    }
    if answer.written.is_empty() && answer.queued.is_empty() {
        say("Nothing to change.")?;
    }
    Ok(())
}

/// A person must always get the old configs back: without a daemon this needs neither the database nor anything else
/// that may be broken, only the journal.
pub fn restore_all(args: &args::Restore, as_json: bool) -> Result<ExitCode, Failed> {
    confirm("Give every app its own config back?", args.yes)?;
    let home = Home::from_environment()?;
    if lock::running(&home)?.is_some() {
        return super::with_api(async |reached| {
            let answer: ApplyAnswer = reached.access.post("/api/restore-all", &Value::Null).await?;
            if as_json {
                say_json(&answer)?
            } else {
                show_answer(&answer)?
            }
            Ok(ExitCode::SUCCESS)
        });
    }
    restore_everything(&home, as_json)?;
    Ok(ExitCode::SUCCESS)
}

/// Without a daemon; the files that wait for their app to quit.
pub fn restore_everything(home: &Home, as_json: bool) -> Result<Vec<String>, Failed> {
    let Holder::Nobody(_lock) = lock::take_soon(home, std::time::Duration::from_secs(5))? else {
        return Err(crate::Error::Locked(home.lock_file()).into());
    };
    // The port only names what we wrote; a config file that cannot be read must not stand in the way.
    let file = ConfigFile::load(home).ok();
    let port = file.as_ref().and_then(|file| file.ports.proxy).unwrap_or(PROXY_PORT);
    let apps = Apps::open(home, None, port, Serving::No)?;
    let report = apps.restore_all().map_err(|failure| Failed::from(failure.error))?;
    let mut hints: Vec<String> = report.written.iter().map(|one| one.reload.clone()).collect();
    hints.dedup();
    let by = apps.above(std::process::id()).map(|app| apps.name(&app));
    tell_the_audit(home, file.as_ref(), &report, by.as_deref());
    let answer = ApplyAnswer {
        written: report.written.iter().map(|one| one.path.display().to_string()).collect(),
        queued: report.queued.iter().map(|path| path.display().to_string()).collect(),
        hints,
    };
    if as_json {
        say_json(&answer)?
    } else {
        show_answer(&answer)?
    }
    match report.failed.into_iter().next() {
        Some((_, error)) => Err(Failed::new(IO, error.to_string())),
        None => Ok(answer.queued),
    }
}

/// What the person keeps, or, where their settings cannot be read, everything.
fn kept_limits(file: Option<&ConfigFile>) -> AuditLimits {
    let everything = AuditLimits { max_age_days: u32::MAX, max_bytes: u64::MAX, ..AuditLimits::default() };
    file.map_or(everything, |file| audit_limits(&file.settings))
}

/// As far as the audit log can be opened: the configs come first. `by`: the app that had it done.
fn tell_the_audit(home: &Home, file: Option<&ConfigFile>, report: &Report, by: Option<&str>) {
    let limits = kept_limits(file);
    let audit = match Audit::open(home.audit_file(), limits, Arc::new(clock::now)) {
        Ok(audit) => audit,
        Err(error) => return tracing::warn!(%error, "the restore could not be recorded"),
    };
    for one in &report.written {
        let by = by.map(|by| format!(" by {by}, or a program that it started")).unwrap_or_default();
        let summary = format!("{}: {} was given back{by}.", one.app_name, one.path.display());
        let (at, app, loosens) = (clock::now(), Some(one.app.clone()), !by.is_empty());
        audit.record(AuditRow::Change(Change { at, kind: ChangeKind::ConfigRestored, app, summary, loosens }));
    }
    audit.close();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The log begins to throw away what is too old as soon as it is opened.
    #[test]
    fn a_restore_without_a_daemon_keeps_the_log_as_long_as_the_person_set() {
        let file = ConfigFile::parse(std::path::Path::new("x"), "[settings]\nretention_days = 365\n").unwrap();
        assert_eq!(kept_limits(Some(&file)).max_age_days, 365);
        let unknown = kept_limits(None);
        assert_eq!((unknown.max_age_days, unknown.max_bytes), (u32::MAX, u64::MAX), "nothing is thrown away");
    }

    #[test]
    fn a_config_whose_app_is_not_installed_is_found() {
        let shown = |installed: bool, running: bool| {
            let file = json!({"path": "/home/eve/mcp.json", "exists": true, "problem": null, "queued": false,
                "servers": [], "project": null, "warning": null});
            let app = json!({"id": "cursor", "name": "Cursor", "installed": installed, "running": running,
                "files": [file], "protected": null, "hint": null, "elsewhere": [], "also_read_by": []});
            let app: App = serde_json::from_value(app).unwrap();
            assert!(is_here(&app));
            presence(&app)
        };
        assert_eq!(shown(false, false), "config found, app not installed");
        assert_eq!([shown(true, false), shown(true, true), shown(false, true)], ["installed", "running", "running"]);
    }
}
