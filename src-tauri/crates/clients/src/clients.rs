//! The front of this crate: the known apps on this machine, and repair of what a crash left. Previews and writes are in
//! `write`, what apps look like in `view`, the Upstreams in `upstreams`.

use crate::applock;
use crate::descriptor::{self, Descriptor, Place};
use crate::error::Error;
use crate::file::{self, Snapshot};
use crate::journal::{Journal, Pending, RecordState, State};
use crate::machine::Machine;
use crate::process::{ProcessInfo, Processes, is_interpreter, matches, runs_script};
use crate::view::AppView;
use crate::write::Previews;
use portcullis_domain::{AppId, UpstreamId};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

pub struct ClientsConfig {
    pub machine: Machine,
    /// Where the journal lives.
    pub state_dir: PathBuf,
    /// Where the person's own descriptors lie, one TOML file per app.
    pub own_apps: PathBuf,
    /// Absolute path of the installed `portcullis-shim`, without spaces.
    pub shim: PathBuf,
    pub proxy_port: u16,
    pub serving: Serving,
    pub processes: Arc<dyn Processes>,
}

/// Whether this process serves the proxy's port for good. Where it does not, no URL is led there: it would lead nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    Yes,
    No,
}

pub struct Clients {
    pub(crate) machine: Machine,
    pub(crate) apps: Vec<Descriptor>,
    pub(crate) journal: Journal,
    pub(crate) shim: PathBuf,
    pub(crate) port: u16,
    pub(crate) serving: Serving,
    pub(crate) processes: Arc<dyn Processes>,
    pub(crate) previews: Mutex<Previews>,
    problems: Vec<String>,
}

impl Clients {
    /// Reads the journal and repairs what a crash left. Touches a config only to remove temporary files beside it.
    pub fn open(config: ClientsConfig) -> Result<Self, Error> {
        let journal = Journal::new(&config.state_dir)?;
        let damaged = journal.set_aside_if_damaged();
        let mut apps = descriptor::bundled()?;
        let mut problems: Vec<String> =
            damaged.iter().map(|error| format!("{error}. It was set aside and a new one begun")).collect();
        problems.extend(descriptor::add_own(&config.own_apps, &mut apps));
        let mut clients = Self {
            machine: config.machine,
            apps,
            journal,
            shim: config.shim,
            port: config.proxy_port,
            serving: config.serving,
            processes: config.processes,
            previews: Mutex::default(),
            problems,
        };
        clients.repair()?;
        for (file, record) in clients.undescribed(&clients.journal.load()?) {
            clients.problems.push(Error::Undescribed { file, app: record.app.to_string() }.to_string());
        }
        Ok(clients)
    }

    /// What went wrong while opening, one sentence each.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The app that `pid` is, or that started it, however far up.
    pub fn app_above(&self, pid: u32) -> Option<AppId> {
        let list = self.processes.list();
        let mut next = Some(pid);
        let mut seen = HashSet::new();
        while let Some(process) = next.and_then(|pid| list.iter().find(|process| process.pid == pid)) {
            if !seen.insert(process.pid) {
                return None;
            }
            let one = std::slice::from_ref(process);
            if let Some(app) = self.apps.iter().find(|app| self.is_running(app, one)) {
                return Some(AppId::new(&*app.id));
            }
            next = process.parent;
        }
        None
    }

    pub fn app_name(&self, id: &AppId) -> String {
        self.name_of(id.as_str())
    }

    /// The app that stands nearest above a shim, by what the shim said of itself: a label, not a proof.
    pub fn app_in(&self, ancestry: &[(u32, String)]) -> Option<AppId> {
        ancestry.iter().find_map(|(pid, program)| {
            let exe = program.contains(['/', '\\']).then(|| PathBuf::from(program));
            let mut process = [ProcessInfo { pid: *pid, name: program.clone(), exe, ..ProcessInfo::default() }];
            // The shim names the program alone, and on some systems not even that.
            if let [seen] = &mut process
                && (program.is_empty() || is_interpreter(seen))
                && let Some(now) = self.processes.one(*pid).filter(|now| program.is_empty() || now.exe == seen.exe)
            {
                *seen = now;
            }
            self.apps.iter().find(|app| self.is_running(app, &process)).map(Descriptor::app_id)
        })
    }

    fn repair(&self) -> Result<(), Error> {
        let state = self.journal.load()?;
        let with_lock = self.apps.iter().filter(|app| app.lock.is_some());
        let locks =
            with_lock.flat_map(|app| self.files_of(app, &state)).filter_map(|place| place.path.canonicalize().ok());
        let locks: Vec<PathBuf> = locks.filter(|target| applock::is_left_over(target)).collect();
        if state.pending.is_empty() && locks.is_empty() {
            return Ok(());
        }
        let mut locked = self.journal.lock()?;
        locks.iter().for_each(|target| applock::remove_leftover(target));
        for pending in std::mem::take(&mut locked.state.pending) {
            match look_after_crash(&pending) {
                Ok(now) => {
                    file::remove_leftovers(&pending.target);
                    match now {
                        Some(now) if now.hash == pending.hash_after => locked.state.settle(pending),
                        Some(now) if now.hash == pending.hash_before => {}
                        now => reconcile(&mut locked.state, pending, now.map(|now| now.bytes).unwrap_or_default()),
                    }
                }
                // Unreadable now; the next start looks again.
                Err(error) => {
                    tracing::warn!(%error, "a config could not be checked after a crash");
                    locked.state.pending.push(pending);
                }
            }
        }
        locked.save()
    }

    pub(crate) fn descriptor(&self, app: &AppId) -> Result<&Descriptor, Error> {
        self.apps.iter().find(|known| known.id == app.as_str()).ok_or_else(|| Error::UnknownApp(app.to_string()))
    }

    /// The app's config files here, those of the named folders, and those we once wrote elsewhere and still have to give
    /// back.
    pub(crate) fn files_of(&self, app: &Descriptor, state: &State) -> Vec<Place> {
        let mut places = app.config_files(&self.machine);
        places.extend(state.folders.iter().flat_map(|folder| app.project_files(folder)));
        let ours = state.entries.values().filter(|r| r.state == RecordState::Applied && r.app.as_str() == app.id);
        for record in ours {
            if !places.iter().any(|place| place.path == record.file) {
                places.push(app.former_place(&record.file));
            }
        }
        places
    }

    pub(crate) fn is_running(&self, app: &Descriptor, processes: &[ProcessInfo]) -> bool {
        let os = self.machine.os;
        processes.iter().any(|process| {
            app.running.on(os).any(|pattern| matches(process, pattern, os)) || runs_script(process, &app.script, os)
        })
    }

    /// After how many seconds an app gives a call up, where that is known.
    pub fn patience(&self) -> impl Iterator<Item = (AppId, u32)> + '_ {
        self.apps.iter().filter_map(|app| Some((AppId::new(&*app.id), app.call_limit_seconds?)))
    }

    /// Every known app, those that are here first.
    pub fn apps(&self) -> Result<Vec<AppView>, Error> {
        let (state, processes) = (self.journal.load()?, self.processes.list());
        let listed = self.apps.iter().filter(|app| !app.hidden);
        let mut views: Vec<_> = listed.map(|app| self.view(app, &state, self.is_running(app, &processes))).collect();
        self.look_at_processes(&mut views, &processes);
        views.sort_by_key(|view| !(view.installed || view.running || view.files.iter().any(|file| file.exists)));
        Ok(views)
    }

    pub fn app(&self, app: &AppId) -> Result<AppView, Error> {
        let (app, processes) = (self.descriptor(app)?, self.processes.list());
        let mut views = [self.view(app, &self.journal.load()?, self.is_running(app, &processes))];
        self.look_at_processes(&mut views, &processes);
        let [view] = views;
        Ok(view)
    }
}

/// The file as it is after a write that may have been killed, with an edit given back that the kill left beside it.
fn look_after_crash(pending: &Pending) -> Result<Option<Snapshot>, Error> {
    let now = file::read(&pending.path)?;
    let ours = now.as_ref().filter(|now| now.hash == pending.hash_after);
    let given_back = ours.map(|ours| file::give_back_swapped_out(&pending.target, &pending.hash_before, &ours.bytes));
    match given_back.transpose().map_err(Error::io("giving back", &pending.target))? {
        Some(true) => file::read(&pending.path),
        _ => Ok(now),
    }
}

/// A crash, and then somebody changed the file: what it holds says what happened. Ids are 128 random bits, so finding the
/// text is proof, even in a file that does not parse.
fn reconcile(state: &mut State, pending: Pending, bytes: Vec<u8>) {
    let holds = |id: &UpstreamId| {
        let id = id.as_str().as_bytes();
        !id.is_empty() && bytes.windows(id.len()).any(|window| window == id)
    };
    for (id, mut record) in pending.put {
        if !holds(&id) {
            record.state = RecordState::Restored;
        }
        state.entries.insert(id, record);
    }
    for id in pending.restored.iter().filter(|id| !holds(id)) {
        if let Some(record) = state.entries.get_mut(id) {
            record.state = RecordState::Restored;
        }
    }
}
