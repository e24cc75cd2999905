//! Notices when somebody else changes an app's config. Watches directories (editors and apps replace files by renaming),
//! waits until writing has calmed down, and compares content hashes, so our own writes and touches stay silent. Never
//! writes: what to do about a change is the daemon's decision.

use crate::clients::Clients;
use crate::error::Error;
use crate::file;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use portcullis_domain::AppId;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const CALM: Duration = Duration::from_millis(300);
/// Whoever never stops writing does not keep the others from being told.
const LONGEST: Duration = Duration::from_secs(2);
/// In case the system loses an event (network homes, overflowing queues).
const SWEEP: Duration = Duration::from_secs(30);
/// When the system cannot tell of any.
const POLL: Duration = Duration::from_secs(3);

/// One app's config changed, and not by us.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigChange {
    pub app: AppId,
    /// Servers that appeared in an app that is protected, and are not protected themselves.
    pub new_servers: Vec<String>,
    /// Servers that were protected and are not any more.
    pub edited_outside: Vec<String>,
    /// Of those, the ones that say exactly what they said before, in an app that is known to write its file back from its
    /// memory: nobody chose that.
    pub reverted: Vec<String>,
    /// The file cannot be read now (half-written, perhaps): wait, write nothing.
    pub problem: Option<String>,
}

/// Watches until it is dropped.
pub struct Watch {
    stop: Sender<Signal>,
    thread: Option<JoinHandle<()>>,
}

enum Signal {
    Touched(Vec<PathBuf>),
    Stop,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.stop.send(Signal::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Clients {
    /// Calls back, on a thread of its own, after each change of an app's config by somebody else.
    pub fn watch(self: &Arc<Self>, callback: impl Fn(ConfigChange) + Send + 'static) -> Result<Watch, Error> {
        let (stop, signals) = channel();
        let touched = stop.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| match event {
            Ok(event) if event.kind.is_access() => {}
            Ok(event) => drop(touched.send(Signal::Touched(event.paths))),
            Err(_) => drop(touched.send(Signal::Touched(Vec::new()))),
        })
        .inspect_err(
            |error| tracing::warn!(%error, "the system tells of no changes; configs are looked at every few seconds"),
        )
        .ok();
        let mut watching =
            Watching { clients: self.clone(), watcher, armed: HashSet::new(), unwatched: false, seen: BTreeMap::new() };
        watching.arm();
        watching.look(&|_| {});
        let thread = std::thread::Builder::new()
            .name("config-watch".into())
            .spawn(move || watching.run(&signals, &callback))
            .map_err(|error| Error::Watch(error.to_string()))?;
        Ok(Watch { stop, thread: Some(thread) })
    }

    /// Config files of the apps that are shown, with the hash of what we last wrote there.
    fn watched(&self) -> Vec<(AppId, PathBuf, Option<String>)> {
        let Ok(state) = self.journal.load() else { return Vec::new() };
        let apps = self.apps.iter().filter(|app| !app.hidden);
        apps.flat_map(|app| self.files_of(app, &state).into_iter().map(|place| (app.app_id(), place.path)))
            .map(|(app, path)| {
                let ours = state.files.get(&path).map(|file| file.hash_after.clone());
                (app, path, ours)
            })
            .collect()
    }
}

struct Watching {
    clients: Arc<Clients>,
    /// None: only looking now and then is left.
    watcher: Option<RecommendedWatcher>,
    armed: HashSet<PathBuf>,
    /// A directory could not be watched at the last attempt.
    unwatched: bool,
    seen: BTreeMap<PathBuf, Seen>,
}

#[derive(Clone, Default, PartialEq)]
struct Seen {
    hash: Option<String>,
    servers: BTreeSet<String>,
}

impl Watching {
    fn run(mut self, signals: &Receiver<Signal>, callback: &dyn Fn(ConfigChange)) {
        loop {
            let patience = if self.watcher.is_some() && !self.unwatched { SWEEP } else { POLL };
            match signals.recv_timeout(patience) {
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Signal::Touched(paths)) => {
                    self.disarm(&paths);
                    let last = Instant::now() + LONGEST;
                    loop {
                        match signals.recv_timeout(CALM.min(last.saturating_duration_since(Instant::now()))) {
                            Ok(Signal::Touched(paths)) => self.disarm(&paths),
                            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                            Err(RecvTimeoutError::Timeout) => break,
                        }
                    }
                }
            }
            self.arm();
            self.look(callback);
        }
    }

    /// A watched directory was itself removed, renamed or made anew: the old watch looks at nothing any more.
    fn disarm(&mut self, paths: &[PathBuf]) {
        paths.iter().for_each(|path| drop(self.armed.take(path)));
    }

    /// Watches each file's directory, or the nearest one above it that exists; and the directory a symlink leads to.
    fn arm(&mut self) {
        self.unwatched = false;
        for (_, path, _) in self.clients.watched() {
            let target = std::fs::canonicalize(&path).ok();
            for file in [Some(path.as_path()), target.as_deref()].into_iter().flatten() {
                let Some(directory) = file.ancestors().skip(1).find(|directory| directory.is_dir()) else { continue };
                self.arm_one(directory);
            }
        }
    }

    fn arm_one(&mut self, directory: &Path) {
        if self.armed.contains(directory) {
            return;
        }
        let Some(watcher) = &mut self.watcher else { return };
        match watcher.watch(directory, RecursiveMode::NonRecursive) {
            Ok(()) => drop(self.armed.insert(directory.into())),
            Err(error) => {
                tracing::debug!(%error, "a config directory cannot be watched; it is looked at every few seconds");
                self.unwatched = true;
            }
        }
    }

    fn look(&mut self, callback: &dyn Fn(ConfigChange)) {
        for (app, path, ours) in self.clients.watched() {
            // Unreadable counts as a state of its own, so that it is told once.
            let hash = match file::read(&path) {
                Ok(now) => now.map(|now| now.hash),
                Err(error) => Some(error.code().into()),
            };
            let before = self.seen.get(&path).cloned();
            if before.as_ref().is_some_and(|before| before.hash == hash) {
                continue;
            }
            // Most apps are not here: looking at one means listing every process, and until the first look is done a
            // change counts as the state that was found.
            if before.is_none() && hash.is_none() {
                self.seen.insert(path, Seen::default());
                continue;
            }
            let Ok(view) = self.clients.app(&app) else { continue };
            let Some(file) = view.files.iter().find(|file| file.path == path) else { continue };
            let servers = file.servers.iter().map(|server| server.name.clone()).collect();
            let by_us = hash.is_some() && hash == ours;
            self.seen.insert(path.clone(), Seen { hash, servers });
            let Some(before) = before.filter(|_| !by_us) else { continue };
            let is_protected = view.servers().any(|server| server.protected);
            let names = |wanted: &dyn Fn(&crate::ServerView) -> bool| {
                file.servers.iter().filter(|server| wanted(server)).map(|server| server.name.clone()).collect()
            };
            callback(ConfigChange {
                app,
                new_servers: names(&|server| {
                    let open = !server.protected && server.queued.is_none() && server.not_covered.is_none();
                    is_protected && open && !server.edited_outside && !before.servers.contains(&server.name)
                }),
                edited_outside: names(&|server| server.edited_outside),
                reverted: names(&|server| server.reverted),
                problem: file.problem.as_ref().map(|problem| problem.message.clone()),
            });
        }
    }
}
