//! What the tray menu says, computed from what the daemon knows. Pure: no window system, no clock, no daemon.
//! A tick is what the config file says now; the words in brackets are what was observed, so a tick never claims more
//! than was seen.

use crate::notices::went_through;
use crate::words::{count, plain};
use portcullis_domain::api::{App, ExchangeRow, Observed, Protection, Server, Status};
use portcullis_domain::{AppId, UnixMs, Verdict};

/// Everything the menu depends on. `status` is None while the daemon does not answer.
pub struct Facts {
    pub status: Option<Status>,
    pub apps: Vec<App>,
    pub newest_alert: Option<ExchangeRow>,
    /// Held calls that wait for the person.
    pub questions: usize,
    pub start_at_login: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    Text { id: String, label: String, enabled: bool },
    Check { id: String, label: String, ticked: bool, enabled: bool },
    Submenu { id: String, label: String, enabled: bool, entries: Vec<Entry> },
    Separator,
}

/// What a click asks for. Its id travels through the window system as text.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    OpenDashboard,
    OpenQuestion,
    OpenNewestAlert,
    Toggle(AppId),
    Pause(Option<u32>),
    Resume,
    Restore(Option<AppId>),
    StartAtLogin,
    HideIcon,
    RestoreAndQuit,
    Quit,
}

impl Act {
    pub fn id(&self) -> String {
        match self {
            Self::OpenDashboard => "open".into(),
            Self::OpenQuestion => "question".into(),
            Self::OpenNewestAlert => "newest-alert".into(),
            Self::Toggle(app) => format!("toggle:{}", app.as_str()),
            Self::Pause(Some(minutes)) => format!("pause:{minutes}"),
            Self::Pause(None) => "pause".into(),
            Self::Resume => "resume".into(),
            Self::Restore(Some(app)) => format!("restore:{}", app.as_str()),
            Self::Restore(None) => "restore".into(),
            Self::StartAtLogin => "start-at-login".into(),
            Self::HideIcon => "hide".into(),
            Self::RestoreAndQuit => "restore-and-quit".into(),
            Self::Quit => "quit".into(),
        }
    }

    pub fn from_id(id: &str) -> Option<Self> {
        Some(match id.split_once(':') {
            Some(("toggle", app)) => Self::Toggle(AppId::new(app)),
            Some(("restore", app)) => Self::Restore(Some(AppId::new(app))),
            Some(("pause", minutes)) => Self::Pause(Some(minutes.parse().ok()?)),
            Some(_) => return None,
            None => match id {
                "open" => Self::OpenDashboard,
                "question" => Self::OpenQuestion,
                "newest-alert" => Self::OpenNewestAlert,
                "pause" => Self::Pause(None),
                "resume" => Self::Resume,
                "restore" => Self::Restore(None),
                "start-at-login" => Self::StartAtLogin,
                "hide" => Self::HideIcon,
                "restore-and-quit" => Self::RestoreAndQuit,
                "quit" => Self::Quit,
                _ => return None,
            },
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    Off,
    Watching,
    Alert,
    Paused,
}

pub fn icon(facts: &Facts) -> Icon {
    let calls = facts.questions > 0 || facts.status.as_ref().is_some_and(|status| status.open_blocks > 0);
    match facts.status.as_ref().map(|status| &status.protection) {
        None | Some(Protection::Off) => Icon::Off,
        Some(Protection::Paused { .. }) => Icon::Paused,
        Some(Protection::Watching) if calls => Icon::Alert,
        Some(Protection::Watching) => Icon::Watching,
    }
}

/// The first line of the menu. `clock` writes a time of day the way the person's machine does.
pub fn sentence(facts: &Facts, clock: &dyn Fn(UnixMs) -> String) -> String {
    let Some(status) = &facts.status else { return "Engine not running, shim still checks".into() };
    match &status.protection {
        Protection::Off => "No app is protected".into(),
        Protection::Watching => {
            let past = match status.servers_bypassing {
                0 => String::new(),
                some => format!(", {some} bypassing"),
            };
            // what was seen is not known then, which is not the same as nothing
            if status.log_unreadable {
                return format!("Checking goes on{past}, but the log cannot be read. Restart Portcullis");
            }
            format!("Watching {} of {}{past}", status.servers_seen, count(status.servers_total as usize, "server"))
        }
        Protection::Paused { until: Some(until) } => format!("Paused until {}, nothing is blocked", clock(*until)),
        Protection::Paused { until: None } => "Paused until you resume, nothing is blocked".into(),
    }
}

/// The first two lines of the menu, the second only when something waits.
pub fn tooltip(facts: &Facts, clock: &dyn Fn(UnixMs) -> String) -> String {
    let first = format!("Portcullis: {}", sentence(facts, clock));
    if facts.questions == 0 { first } else { format!("{first}\n{} waiting", count(facts.questions, "question")) }
}

/// Items keep their place in every state, so that a hand finds them blindly.
pub fn entries(facts: &Facts, clock: &dyn Fn(UnixMs) -> String) -> Vec<Entry> {
    let running = facts.status.is_some();
    let unreadable = facts.status.as_ref().is_some_and(|status| status.log_unreadable);
    let apps: Vec<&App> = facts.apps.iter().filter(|app| detected(app)).collect();
    let mut menu = vec![
        note("sentence", sentence(facts, clock)),
        question(facts.questions),
        Entry::Separator,
        item(Act::OpenDashboard, "Open dashboard".into(), running),
        newest_alert(facts.newest_alert.as_ref(), unreadable),
        Entry::Separator,
        note("protected-apps", if apps.is_empty() { "No app was found".into() } else { "Protected apps".into() }),
    ];
    menu.extend(apps.iter().map(|app| app_entry(app, running, unreadable)));
    menu.extend([
        Entry::Separator,
        pause(facts.status.as_ref()),
        restore(&apps, running),
        Entry::Separator,
        Entry::Check {
            id: Act::StartAtLogin.id(),
            label: "Start at login".into(),
            ticked: facts.start_at_login,
            enabled: running,
        },
        quit(&apps),
    ]);
    menu
}

fn note(id: &str, label: String) -> Entry {
    Entry::Text { id: id.into(), label, enabled: false }
}

fn item(act: Act, label: String, enabled: bool) -> Entry {
    Entry::Text { id: act.id(), label, enabled }
}

fn question(waiting: usize) -> Entry {
    match waiting {
        0 => item(Act::OpenQuestion, "No question waiting".into(), false),
        _ => item(Act::OpenQuestion, format!("{} waiting…", count(waiting, "question")), true),
    }
}

fn newest_alert(row: Option<&ExchangeRow>, unreadable: bool) -> Entry {
    let Some(row) = row else {
        let none = if unreadable { "Alerts cannot be read" } else { "No Alerts" };
        return item(Act::OpenNewestAlert, none.into(), false);
    };
    let verdict = match row.verdict {
        Verdict::Allow => "Allow",
        Verdict::Flag => "Flag",
        Verdict::Redact => "Redact",
        Verdict::Ask => "Ask",
        Verdict::Block if went_through(row) => "Block that went through",
        Verdict::Block => "Block",
    };
    let what = plain(row.target.as_deref().unwrap_or(&row.method), 40);
    item(Act::OpenNewestAlert, format!("Newest Alert: {verdict}, {} / {what}", plain(&row.upstream_name, 40)), true)
}

fn detected(app: &App) -> bool {
    app.installed || app.files.iter().any(|file| file.exists)
}

fn servers(app: &App) -> impl Iterator<Item = &Server> {
    app.files.iter().flat_map(|file| &file.servers)
}

/// True when any of the app's servers is on.
pub fn is_on(app: &App) -> bool {
    servers(app).any(|server| server.protected)
}

/// The first protection shows its preview and is applied there; an app that has been on before is switched at once.
pub fn needs_preview(app: &App) -> bool {
    !is_on(app) && servers(app).all(|server| server.id.is_none())
}

fn app_entry(app: &App, running: bool, log_unreadable: bool) -> Entry {
    let seen =
        servers(app).filter(|server| server.protected && matches!(server.observed, Observed::Seen { .. })).count();
    let on = servers(app).filter(|server| server.protected).count();
    let past = servers(app).filter(|server| matches!(server.observed, Observed::Bypassing { .. })).count();
    let edited = servers(app).any(|server| matches!(server.observed, Observed::EditedOutside));
    let queued = app.files.iter().any(|file| file.queued);
    let unreadable = app.files.iter().any(|file| file.problem.is_some());
    let words = match (servers(app).count(), on) {
        _ if unreadable => "config cannot be read".into(),
        (0, _) => "no servers".into(),
        _ if past > 0 => format!("{past} bypassing"),
        _ if edited => "edited outside".into(),
        _ if queued => "waits until it quits".into(),
        (all, 0) => count(all, "server"),
        (_, on) if log_unreadable => format!("{on} on, not known if seen"),
        (_, on) if seen < on && app.running && app.hint.is_some() => "restart it".into(),
        (_, on) => format!("{seen} of {on} seen"),
    };
    let can_switch = running && !unreadable && servers(app).next().is_some();
    Entry::Check {
        id: Act::Toggle(app.id.clone()).id(),
        label: format!("{} ({words})", plain(&app.name, 40)),
        ticked: on > 0,
        enabled: can_switch,
    }
}

fn pause(status: Option<&Status>) -> Entry {
    let protection = status.map(|status| &status.protection);
    if matches!(protection, Some(Protection::Paused { .. })) {
        return item(Act::Resume, "Resume now".into(), true);
    }
    let entries = [(Some(15), "For 15 minutes"), (Some(60), "For 1 hour"), (None, "Until I resume")];
    Entry::Submenu {
        id: "pause-menu".into(),
        label: "Pause".into(),
        enabled: matches!(protection, Some(Protection::Watching)),
        entries: entries.into_iter().map(|(minutes, label)| item(Act::Pause(minutes), label.into(), true)).collect(),
    }
}

fn restore(apps: &[&App], running: bool) -> Entry {
    let one = |app: &&App| item(Act::Restore(Some(app.id.clone())), plain(&app.name, 40), is_on(app));
    let any = apps.iter().any(|app| is_on(app));
    let mut entries: Vec<Entry> = apps.iter().map(one).collect();
    entries.push(item(Act::Restore(None), "All apps".into(), any));
    Entry::Submenu {
        id: "restore-menu".into(),
        label: "Restore an app’s config".into(),
        enabled: running && any,
        entries,
    }
}

/// With a protected app, quitting is a choice: its URL servers do not work while nothing carries them.
fn quit(apps: &[&App]) -> Entry {
    if !apps.iter().any(|app| is_on(app)) {
        return item(Act::Quit, "Quit".into(), true);
    }
    Entry::Submenu {
        id: "quit-menu".into(),
        label: "Quit…".into(),
        enabled: true,
        entries: vec![
            item(Act::HideIcon, "Hide the icon, keep watching".into(), true),
            item(Act::RestoreAndQuit, "Stop and put the configs back".into(), true),
            item(Act::Quit, "Stop, leave the configs (URL servers wait for the next start)".into(), true),
        ],
    }
}

#[cfg(test)]
#[path = "menu_tests.rs"]
mod tests;
