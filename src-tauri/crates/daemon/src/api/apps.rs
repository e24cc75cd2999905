//! Apps: what their configs say, what was observed, and the one way to change them: preview, then apply.

use super::Shared;
use super::extract::Body;
use super::failure::{Answer, Failure};
use crate::clock;
use crate::core::{Core, cause};
use crate::presence::Sender;
use axum::Json;
use axum::extract::{Path, State};
use portcullis_clients::{ConfigChange, Report, Traffic};
use portcullis_domain::api::{
    App, ApplyAnswer, ApplyRequest, ConfigAction, FolderRequest, Observed, Preview, PreviewRequest,
};
use portcullis_domain::{AppId, ChangeKind, UnixMs};
use std::sync::Arc;

const DAY_MS: i64 = 24 * 3_600_000;

/// Every app with what was observed of its servers.
pub(super) fn observed(core: &Core) -> Result<Vec<App>, Failure> {
    // Without the audit log the files can still be shown; the status says that the log is not readable.
    let activity = core.audit.upstream_activity(clock::now() - DAY_MS).unwrap_or_default();
    let quarantined = core.rules().quarantined;
    let mut apps = core.apps.list(|id| {
        let seen = activity.get(id);
        let (pinned, changed) = core.pins.counts(id);
        Traffic {
            last_seen: seen.map(|seen| seen.last_at),
            messages_24h: seen.map_or(0, |seen| seen.messages),
            pinned,
            changed,
            used_by: core.apps.used_by(core.callers.of(id)),
            failing: core.health.of(id).map(|failing| (failing.since, failing.reason)),
        }
    })?;
    for server in apps.iter_mut().flat_map(|app| &mut app.files).flat_map(|file| &mut file.servers) {
        let until = server.id.as_ref().and_then(|id| quarantined.get(id)).filter(|_| server.protected);
        if let Some(until) = until {
            server.observed = Observed::Quarantined { until: (*until != UnixMs::MAX).then_some(*until) };
        }
    }
    Ok(apps)
}

pub(super) async fn list(State(shared): State<Shared>) -> Answer<Vec<App>> {
    shared.blocking(|core| observed(core)).await.map(Json)
}

pub(super) async fn preview(
    State(shared): State<Shared>,
    Path(app): Path<String>,
    Body(request): Body<PreviewRequest>,
) -> Answer<Preview> {
    shared.blocking(move |core| core.apps.preview(&AppId::new(app), &request)).await.map(Json)
}

pub(super) async fn apply(
    State(shared): State<Shared>,
    sender: Sender,
    Path(app): Path<String>,
    Body(request): Body<ApplyRequest>,
) -> Answer<ApplyAnswer> {
    let applied = shared.blocking(move |core| {
        let by = sender.app(core);
        apply_preview(core, &AppId::new(app), &request.token, by.as_ref())
    });
    applied.await.map(Json)
}

fn apply_preview(core: &Core, app: &AppId, token: &str, by: Option<&AppId>) -> Result<ApplyAnswer, Failure> {
    let (action, answer) = core.apps.apply(app, token)?;
    for path in &answer.written {
        written(core, app, action, path, by);
    }
    for path in &answer.queued {
        let name = core.apps.name(app);
        core.change(
            ChangeKind::ConfigQueued,
            Some(app.clone()),
            format!("{path} is written as soon as {name} has quit."),
        );
    }
    after_write(core)?;
    Ok(answer)
}

/// `by`: the app that had it done. Everybody may give a config back, but what an app gives back is told the person.
fn written(core: &Core, app: &AppId, action: ConfigAction, path: &str, by: Option<&AppId>) {
    let (of, name) = (Some(app.clone()), core.apps.name(app));
    match (action, by) {
        (ConfigAction::Protect, _) => {
            core.change(ChangeKind::ConfigProtected, of, format!("{name}: {path} now leads through Portcullis."));
        }
        (ConfigAction::Restore, None) => {
            core.change(ChangeKind::ConfigRestored, of, format!("{name}: {path} was given back."));
        }
        (ConfigAction::Restore, Some(by)) => {
            let by = core.apps.name(by);
            let summary = format!("{name}: {path} was given back by {by}, or a program that it started.");
            core.loosened(ChangeKind::ConfigRestored, of, summary);
        }
    }
}

/// Routes first: an app may read its new config at once.
fn after_write(core: &Core) -> Result<(), Failure> {
    core.refresh_routes()?;
    core.refresh_snapshot()?;
    core.stale(&["apps", "status"]);
    Ok(())
}

pub(super) async fn restore_all(State(shared): State<Shared>, sender: Sender) -> Answer<ApplyAnswer> {
    let restored = shared.blocking(move |core| {
        let by = sender.app(core);
        let report = core.apps.restore_all()?;
        let answer = tell(core, &report, by.as_ref());
        after_write(core)?;
        match report.failed.into_iter().next() {
            Some((_, error)) => Err(error.into()),
            None => Ok(answer),
        }
    });
    restored.await.map(Json)
}

fn tell(core: &Core, report: &Report, by: Option<&AppId>) -> ApplyAnswer {
    for one in &report.written {
        written(core, &one.app, one.action, &one.path.display().to_string(), by);
    }
    let mut hints: Vec<String> = report.written.iter().map(|one| one.reload.clone()).collect();
    hints.dedup();
    ApplyAnswer {
        written: report.written.iter().map(|one| one.path.display().to_string()).collect(),
        queued: report.queued.iter().map(|path| path.display().to_string()).collect(),
        hints,
    }
}

/// The project folders that the person named.
pub(super) async fn folders(State(shared): State<Shared>) -> Answer<Vec<String>> {
    shared.blocking(shown_folders).await.map(Json)
}

pub(super) async fn add_folder(
    State(shared): State<Shared>,
    Body(request): Body<FolderRequest>,
) -> Answer<Vec<String>> {
    let added = shared.blocking(move |core| {
        core.apps.add_folder(std::path::Path::new(&request.path))?;
        core.stale(&["apps"]);
        shown_folders(core)
    });
    added.await.map(Json)
}

pub(super) async fn remove_folder(
    State(shared): State<Shared>,
    Body(request): Body<FolderRequest>,
) -> Answer<Vec<String>> {
    let removed = shared.blocking(move |core| {
        core.apps.remove_folder(std::path::Path::new(&request.path))?;
        core.stale(&["apps"]);
        shown_folders(core)
    });
    removed.await.map(Json)
}

fn shown_folders(core: &Arc<Core>) -> Result<Vec<String>, Failure> {
    Ok(core.apps.folders()?.iter().map(|folder| folder.display().to_string()).collect())
}

/// Writes what waits for an app that has quit since.
pub(crate) fn apply_queued(core: &Core) {
    match core.apps.apply_queued() {
        Ok(report) => {
            tell(core, &report, None);
            let failed: Vec<String> = report
                .failed
                .iter()
                .map(|(path, error)| {
                    let cause = format!("{}{}", cause::QUEUED, path.display());
                    let problem = format!("A queued change of {} could not be written: {error}.", path.display());
                    core.report_of(&cause, problem);
                    cause
                })
                .collect();
            core.settled_but(cause::QUEUED, &failed);
            core.settled(cause::QUEUE);
            if !report.written.is_empty()
                && let Err(failure) = after_write(core)
            {
                core.report_of(cause::ROUTES, failure.error.message);
            }
        }
        Err(failure) => core.report_of(cause::QUEUE, failure.error.message),
    }
}

/// Notices edits by others: says so, and takes new servers of a protected app in if the person wants that.
pub(crate) fn watch_apps(core: &Arc<Core>) {
    let watching = core.clone();
    let weak = Arc::downgrade(core);
    core.tasks.spawn(async move {
        let started = {
            let core = watching.clone();
            tokio::task::spawn_blocking(move || {
                core.apps.watch(move |change| {
                    if let Some(core) = weak.upgrade() {
                        changed_outside(&core, &change);
                    }
                })
            })
        };
        match started.await {
            Ok(Ok(watch)) => {
                watching.stop.cancelled().await;
                // Dropping waits for its thread.
                let _ = tokio::task::spawn_blocking(move || drop(watch)).await;
            }
            Ok(Err(error)) => watching.report(format!("Changes of apps' configs are not noticed: {error}.")),
            Err(error) => watching.report(format!("Changes of apps' configs are not noticed: {error}.")),
        }
    });
}

fn changed_outside(core: &Core, change: &ConfigChange) {
    let name = core.apps.name(&change.app);
    let tell = |text: String| core.change(ChangeKind::ConfigEditedOutside, Some(change.app.clone()), text);
    let again = !change.reverted.is_empty() && core.apps.may_reapply(&change.app, clock::now());
    if again {
        let request = PreviewRequest { action: ConfigAction::Protect, servers: Some(change.reverted.clone()) };
        let done = core
            .apps
            .preview(&change.app, &request)
            .and_then(|preview| apply_preview(core, &change.app, &preview.token, None));
        if let Err(failure) = done {
            tell(format!(
                "{name} wrote its servers back as they were, and they could not be protected again: {}",
                failure.error.message
            ));
        }
    }
    for server in change.edited_outside.iter().filter(|server| !again || !change.reverted.contains(server)) {
        tell(format!(
            "{name}: the server `{server}` was changed in the config and does not go through Portcullis any more."
        ));
    }
    if !change.new_servers.is_empty() {
        let list = change.new_servers.iter().map(|server| format!("`{server}`")).collect::<Vec<_>>().join(", ");
        if core.settings().protect_new_servers {
            let request = PreviewRequest { action: ConfigAction::Protect, servers: Some(change.new_servers.clone()) };
            let done = core
                .apps
                .preview(&change.app, &request)
                .and_then(|preview| apply_preview(core, &change.app, &preview.token, None));
            if let Err(failure) = done {
                tell(format!("{name} has new servers ({list}) that could not be protected: {}", failure.error.message));
            }
        } else {
            tell(format!("{name} has new servers that do not go through Portcullis: {list}."));
        }
    }
    if let Err(error) = core.refresh_routes() {
        core.report_of(cause::ROUTES, error.to_string());
    }
    core.stale(&["apps", "status"]);
}
