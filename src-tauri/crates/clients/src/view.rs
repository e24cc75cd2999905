//! What the apps look like right now, for the dashboard and the CLI. Observation is added from outside: this crate sees
//! files, never traffic.

use crate::clients::{Clients, Serving};
use crate::config::{Config, Entry};
use crate::coverage::{Past, runs_since_before};
use crate::descriptor::{Descriptor, Place};
use crate::entry::{self, Owner, Shape};
use crate::error::Error;
use crate::journal::{Original, Record, RecordState, State};
use crate::mask::{mask_command, mask_url};
use crate::plan::ORPHAN;
use portcullis_domain::api::{self, ConfigAction, Observed, PinCounts};
use portcullis_domain::{AppId, Transport, UnixMs, UpstreamId};
use std::path::{Path, PathBuf};

/// One ClientApp.
#[derive(Clone, Debug)]
pub struct AppView {
    pub id: AppId,
    pub name: String,
    pub installed: bool,
    pub running: bool,
    pub files: Vec<FileView>,
    /// True when every server that can be covered is protected, None when some are.
    pub protected: Option<bool>,
    /// What the person has to do for a written change to take effect.
    pub reload: String,
    /// Why none of its servers can be protected, and what to do instead.
    pub not_covered: Option<String>,
    /// Servers from places that are not written, found on this machine.
    pub elsewhere: Vec<api::Elsewhere>,
    pub also_read_by: Vec<String>,
    /// It takes a change up while it runs.
    pub reloads: bool,
    /// Since when it runs, as far as the process table tells.
    pub started: Option<UnixMs>,
}

#[derive(Clone, Debug)]
pub struct FileView {
    pub path: PathBuf,
    pub exists: bool,
    pub problem: Option<Problem>,
    pub queued: bool,
    pub servers: Vec<ServerView>,
    /// The folder that the person named, for a project's file.
    pub project: Option<PathBuf>,
    /// What to think of before it is written.
    pub warning: Option<String>,
}

/// Why a file cannot be read; the message holds file, line and reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub code: &'static str,
    pub message: String,
    pub line: Option<u32>,
}

#[derive(Clone, Debug)]
pub struct ServerView {
    /// Known once it was protected.
    pub id: Option<UpstreamId>,
    pub name: String,
    pub transport: Transport,
    /// The real command line or URL, secrets masked.
    pub original: String,
    pub protected: bool,
    /// The change that waits until the app has quit.
    pub queued: Option<ConfigAction>,
    /// It was protected, and somebody else changed it back.
    pub edited_outside: bool,
    /// Changed back to what it said before, by an app that writes its file from its memory.
    pub reverted: bool,
    /// Why it cannot be protected.
    pub not_covered: Option<String>,
    /// Protected in a way that cannot work, and why.
    pub broken: Option<String>,
    /// Since when it is protected.
    pub since: Option<UnixMs>,
    /// What it really starts.
    pub(crate) command: Words,
    /// A process that runs it, and not through the shim.
    pub past: Option<Past>,
}

/// A command line as it is, with its secrets.
#[derive(Clone, Default)]
pub(crate) struct Words(pub Vec<String>);

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} words", self.0.len())
    }
}

impl ServerView {
    pub(crate) fn named(name: &str, transport: Transport) -> Self {
        Self {
            id: None,
            name: name.into(),
            transport,
            original: String::new(),
            protected: false,
            queued: None,
            edited_outside: false,
            reverted: false,
            not_covered: None,
            broken: None,
            since: None,
            command: Words::default(),
            past: None,
        }
    }
}

/// What the gateway and the audit saw of one Upstream.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    pub last_seen: Option<UnixMs>,
    pub messages_24h: u64,
    pub pinned: u32,
    pub changed: u32,
    /// Since when it does not work, and why.
    pub failing: Option<(UnixMs, String)>,
    pub used_by: Vec<api::UsedBy>,
}

impl Traffic {
    /// The apps that use it, when this one is not among them and every user is known.
    fn only_others(&self, app: &AppId) -> Option<String> {
        let others = self.used_by.iter().map(|user| user.app.as_ref().filter(|user| *user != app).map(|_| &user.name));
        let names: Vec<&str> = others.map(|name| name.map(String::as_str)).collect::<Option<_>>()?;
        (!names.is_empty()).then(|| names.join(", "))
    }
}

impl AppView {
    /// A part of the path, for `GET /api/apps`, with what was observed.
    pub fn into_api(self, mut traffic: impl FnMut(&UpstreamId) -> Traffic) -> api::App {
        let about = self.about();
        let mut waiting = false;
        let any_queued = self.files.iter().any(|file| file.queued);
        let files = self.files.into_iter().map(|file| api::AppFile {
            path: file.path.display().to_string(),
            exists: file.exists,
            problem: file.problem.map(|problem| problem.message),
            queued: file.queued,
            project: file.project.map(|folder| folder.display().to_string()),
            warning: file.warning,
            servers: file
                .servers
                .into_iter()
                .map(|server| {
                    let seen = server.id.as_ref().map(&mut traffic).unwrap_or_default();
                    let observed = observed(&about, &server, &seen);
                    waiting |= matches!(observed, Observed::NotYetSeen { .. } | Observed::Waiting { .. });
                    api::Server {
                        id: server.id,
                        name: server.name,
                        transport: server.transport,
                        original: server.original,
                        protected: server.protected,
                        observed,
                        messages_24h: seen.messages_24h,
                        pins: PinCounts { pinned: seen.pinned, changed: seen.changed },
                        used_by: seen.used_by,
                    }
                })
                .collect(),
        });
        let files = files.collect();
        let hint = if any_queued {
            Some(format!("Quit {}: a change is written as soon as it has quit.", self.name))
        } else {
            (waiting && self.running).then_some(self.reload)
        };
        api::App {
            id: self.id,
            name: self.name,
            installed: self.installed,
            running: self.running,
            files,
            protected: self.protected,
            hint,
            not_covered: self.not_covered,
            elsewhere: self.elsewhere,
            also_read_by: self.also_read_by,
        }
    }

    /// Itself without its files.
    fn about(&self) -> Self {
        Self { files: Vec::new(), elsewhere: Vec::new(), ..self.clone() }
    }

    pub fn servers(&self) -> impl Iterator<Item = &ServerView> {
        self.files.iter().flat_map(|file| &file.servers)
    }
}

/// Exactly one state for each server, from what was seen and not from what was written.
fn observed(app: &AppView, server: &ServerView, seen: &Traffic) -> Observed {
    let since_then = |at: &UnixMs| server.since.is_none_or(|since| *at >= since);
    if server.queued.is_some() {
        return Observed::Queued { hint: format!("It is written as soon as {} has quit.", app.name) };
    }
    // Left out on purpose is no bypass; beside protected servers, what nobody decided about is.
    let unasked = server.protected || server.edited_outside || (server.id.is_none() && app.protected != Some(false));
    if let Some(past) = server.past.as_ref().filter(|_| unasked) {
        let then = if server.protected { "restart it" } else { "protect it and restart the app" };
        let Past { pid, app_name, .. } = past;
        let reason = format!("{app_name} runs it directly (process {pid}): its messages are not checked; {then}");
        return Observed::Bypassing { reason };
    }
    if let Some(reason) = server.broken.clone() {
        return Observed::Failing { reason, since: None };
    }
    if server.edited_outside && !server.protected {
        return Observed::EditedOutside;
    }
    if !server.protected {
        let reason = server.not_covered.clone().unwrap_or_else(|| "protection is off".into());
        return Observed::NotCovered { reason };
    }
    if let Some((since, reason)) = seen.failing.clone() {
        return Observed::Failing { reason, since: Some(since) };
    }
    if let Some(others) = seen.only_others(&app.id) {
        return Observed::NotYetSeen { hint: format!("So far only {others} used it.") };
    }
    match seen.last_seen.filter(since_then) {
        Some(at) => Observed::Seen { at },
        None if !app.running => Observed::NotYetSeen { hint: format!("Takes effect when {} starts.", app.name) },
        None if !app.reloads && server.since.is_some_and(|since| runs_since_before(app, since)) => {
            Observed::Waiting { hint: app.reload.clone() }
        }
        None => Observed::NotYetSeen { hint: app.reload.clone() },
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let line = if let Error::Unparseable { line, .. } = error { Some(*line) } else { None };
        Self { code: error.code(), message: error.to_string(), line }
    }
}

impl Clients {
    pub(crate) fn view(&self, app: &Descriptor, state: &State, running: bool) -> AppView {
        let files: Vec<FileView> =
            self.files_of(app, state).into_iter().filter_map(|place| self.file_view(app, state, place)).collect();
        let coverable = |server: &&ServerView| server.not_covered.is_none();
        let protected: Vec<bool> =
            files.iter().flat_map(|f| &f.servers).filter(coverable).map(|s| s.protected).collect();
        AppView {
            id: app.app_id(),
            name: app.name.clone(),
            installed: app.is_installed(&self.machine, &self.apps),
            running,
            protected: match (protected.contains(&true), protected.contains(&false)) {
                (true, true) => None,
                (some, _) => Some(some),
            },
            reload: app.reload.clone(),
            files,
            not_covered: app.not_covered.clone(),
            elsewhere: self.elsewhere_of(app),
            also_read_by: app.also_read_by.clone(),
            reloads: app.reloads,
            started: None,
        }
    }

    /// A config that leads to a shim that is gone, or to a port that is not ours.
    fn broken(&self, entry: &Entry<'_>) -> Option<String> {
        match (&entry.shape, &entry.owner) {
            (Shape::Stdio(line), Owner::Shim { .. }) => {
                let shim = line.words().into_iter().next()?;
                let gone = Path::new(&shim).is_absolute() && !Path::new(&shim).exists();
                gone.then(|| format!("{shim} does not exist, so the app cannot start it; protect it again"))
            }
            (Shape::Stdio(_), Owner::BrokenShim) => {
                Some("it starts the shim with arguments that were edited; restore it, then protect it again".into())
            }
            (Shape::Remote { url, .. }, Owner::Local { .. }) => {
                let ours = format!("://127.0.0.1:{}/", self.port);
                let other = self.serving == Serving::Yes && !url.node.text().unwrap_or_default().contains(&ours);
                other.then(|| format!("it leads to another port than {}; protect it again", self.port))
            }
            _ => None,
        }
    }
}

impl Clients {
    fn elsewhere_of(&self, app: &Descriptor) -> Vec<api::Elsewhere> {
        let here = |template: &String| self.machine.find(template).into_iter().find(|path| path.exists());
        let found = app.elsewhere.iter().filter_map(|other| {
            let path = other.files.on(self.machine.os).find_map(here)?;
            Some(api::Elsewhere {
                what: other.what.clone(),
                path: path.display().to_string(),
                reason: other.reason.clone(),
                instead: other.instead.clone(),
            })
        });
        found.collect()
    }
}

impl Clients {
    /// None: a file that is only read, and holds no server.
    fn file_view(&self, app: &Descriptor, state: &State, place: Place) -> Option<FileView> {
        let mut view = FileView {
            exists: false,
            problem: None,
            queued: state.queue.iter().any(|queued| queued.file == place.path),
            servers: Vec::new(),
            warning: place.project.as_deref().and_then(crate::project::warning),
            project: place.project.clone(),
            path: place.path.clone(),
        };
        match Config::load(&place, app) {
            Ok(None) => {}
            Ok(Some(config)) => {
                view.exists = true;
                view.servers = config
                    .entries(app)
                    .iter()
                    .map(|entry| ServerView {
                        broken: self.broken(entry),
                        ..server_view(app, state, &place, &config, entry)
                    })
                    .collect();
            }
            Err(error) => {
                view.exists = true;
                view.problem = Some(Problem::from(&error));
            }
        }
        (place.read_only.is_none() || !view.servers.is_empty()).then_some(view)
    }
}

fn server_view(app: &Descriptor, state: &State, place: &Place, config: &Config, entry: &Entry<'_>) -> ServerView {
    let path = &place.path;
    let lost = || {
        state.entries.iter().find(|(id, record)| {
            record.state == RecordState::Applied
                && record.file == *path
                && record.name == entry.name
                && !config.holds(app, id)
        })
    };
    let queued = state.queue.iter().find(|queued| queued.file == *path && queued.name == entry.name);
    let mut view = ServerView {
        id: entry.owner.id().cloned(),
        queued: queued.map(|queued| queued.action),
        ..ServerView::named(&entry.name, entry.transport())
    };
    match (&entry.shape, &entry.owner) {
        (Shape::Odd { reason, .. }, _) => view.not_covered = Some(reason.clone()),
        (Shape::Stdio(_), Owner::Shim { real, .. }) => {
            view.original = mask_command(real);
            view.command = Words(real.clone());
            view.protected = true;
        }
        (Shape::Stdio(_), Owner::BrokenShim) => {
            view.id = lost().map(|(id, _)| id.clone());
            view.edited_outside = true;
        }
        (Shape::Stdio(line), _) => {
            view.original = mask_command(&line.words());
            view.command = Words(line.words());
            view.not_covered = place.read_only.clone();
        }
        (Shape::Remote { .. }, Owner::Local { id }) => match state.entries.get(id).map(|record| &record.original) {
            Some(Original::Url { url, .. }) => {
                view.original = mask_url(url);
                view.protected = true;
            }
            _ => view.not_covered = Some(ORPHAN.into()),
        },
        (Shape::Remote { url, .. }, _) => {
            let url = url.node.text().unwrap_or_default();
            view.original = mask_url(url);
            view.not_covered = place.read_only.clone().or_else(|| entry::url_obstacle(url, app));
        }
    }
    if entry.owner == Owner::Theirs
        && let Some((id, record)) = lost()
    {
        view.id = Some(id.clone());
        view.edited_outside = true;
        let as_before = match (&record.original, &entry.shape) {
            (Original::Stdio { command, args, .. }, Shape::Stdio(line)) => {
                let words = std::iter::once(command).chain(args.iter().flatten());
                words.eq(line.words().iter())
            }
            (Original::List { words, .. }, Shape::Stdio(line)) => *words == line.words(),
            (Original::Url { url: old, .. }, Shape::Remote { url, .. }) => url.node.text() == Some(old.as_str()),
            _ => false,
        };
        view.reverted = as_before && (app.rewrites_while_running || app.rewrites_file);
    }
    view.since = view.id.as_ref().and_then(|id| state.entries.get(id)).map(|record| record.at);
    if view.id.is_none() {
        // protected before and given back: whoever switches it on again is not asked as for the first time
        let same_server = |record: &Record| match (&record.original, &entry.shape) {
            (Original::Stdio { .. } | Original::List { .. }, Shape::Stdio(_)) => true,
            (Original::Url { url: old, .. }, Shape::Remote { url, .. }) => url.node.text() == Some(old.as_str()),
            _ => false,
        };
        view.id = state
            .entries
            .iter()
            .filter(|(_, record)| record.file == *path && record.name == entry.name && same_server(record))
            .max_by_key(|(_, record)| record.at)
            .map(|(id, _)| id.clone());
    }
    view
}
