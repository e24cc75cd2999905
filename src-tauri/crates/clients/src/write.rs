//! Previews, writes, the queue of running apps, and giving everything back. Order of every write: journal (planned) ->
//! config -> journal (applied); nothing else in this crate changes a config.

use crate::applock::Held;
use crate::clients::Clients;
use crate::config::Config;
use crate::descriptor::{AppLock, Descriptor, Place};
use crate::diff;
use crate::error::Error;
use crate::file::{self, Step};
use crate::journal::{Locked, Pending, Queued, Record, RecordState, State};
use crate::managed::managed_by;
use crate::plan::{self, Context, Plan};
use portcullis_domain::api::{ApplyAnswer, ConfigAction, FilePreview, PlannedChange, Preview};
use portcullis_domain::{AppId, UnixMs, UpstreamId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

/// Previews that can still be applied.
const KEPT_PREVIEWS: usize = 16;

/// By token, oldest first.
pub(crate) type Previews = VecDeque<(String, Planned)>;

/// A preview that waits for its `apply`.
pub(crate) struct Planned {
    app: AppId,
    action: ConfigAction,
    only: Option<Vec<String>>,
    plans: Vec<Plan>,
    /// The first file that was refused.
    refused: Option<Error>,
}

/// What `restore_all` and `apply_queued` did.
#[derive(Debug, Default)]
pub struct Report {
    pub written: Vec<Written>,
    pub queued: Vec<PathBuf>,
    pub failed: Vec<(PathBuf, Error)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    pub app: AppId,
    pub app_name: String,
    pub action: ConfigAction,
    pub path: PathBuf,
    pub reload: String,
}

impl Clients {
    pub(crate) fn plan_file(
        &self,
        app: &Descriptor,
        place: &Place,
        state: &State,
        action: ConfigAction,
        only: Option<&[String]>,
    ) -> Result<Option<Plan>, Error> {
        if action == ConfigAction::Protect && state.is_newer() {
            return Err(self.journal.newer());
        }
        let Some(config) = Config::load(place, app)? else { return Ok(None) };
        let shim = self.shim.to_string_lossy();
        let other_names = other_names(state, &config);
        let (port, serving, now) = (self.port, self.serving, now());
        let cx = Context { app, place, state, shim: &shim, port, serving, now, only, other_names: &other_names };
        let plan = match action {
            ConfigAction::Protect => plan::protect(config, &cx)?,
            ConfigAction::Restore => plan::restore(config, &cx)?,
        };
        if plan.writes() && plan.servers.iter().any(|server| server.change == PlannedChange::Shim) {
            self.check_shim()?;
        }
        Ok(Some(plan))
    }

    /// Why the planned bytes may not be written, when they may not. Never forced.
    fn obstacle(&self, plan: &Plan) -> Option<Error> {
        let file = || plan.snapshot.path.clone();
        if !plan.writes() {
            return None;
        }
        let managed = managed_by(&self.machine, &plan.snapshot);
        managed
            .map(|manager| Error::Managed { file: file(), manager })
            .or_else(|| file::check_writable(&plan.snapshot).err())
    }

    /// Lines of a refused file may be pasted by hand: the ids in them must be known then, and nothing else is changed.
    fn remember_offered(&self, offered: Vec<(UpstreamId, Record)>) -> Result<(), Error> {
        if offered.is_empty() {
            return Ok(());
        }
        let mut locked = self.journal.lock()?;
        for (id, record) in offered {
            locked.state.entries.entry(id).or_insert(Record { state: RecordState::Restored, ..record });
        }
        locked.save()
    }

    fn check_shim(&self) -> Result<(), Error> {
        let refuse = |reason| Err(Error::BadShimPath { path: self.shim.clone(), reason });
        match self.shim.to_str() {
            None => refuse("is not valid Unicode"),
            Some(path) if path.contains(char::is_whitespace) => refuse("contains a space"),
            Some(_) if !self.shim.is_absolute() => refuse("is not absolute"),
            Some(_) if !self.shim.is_file() => refuse("does not exist"),
            Some(_) => Ok(()),
        }
    }

    /// What protecting or restoring an app (or some of its servers, by name) would write. Writes nothing.
    pub fn preview(&self, app: &AppId, action: ConfigAction, servers: Option<&[String]>) -> Result<Preview, Error> {
        let app = self.descriptor(app)?;
        let state = self.journal.load()?;
        let waits = app.rewrites_while_running && self.is_running(app, &self.processes.list());
        let (mut files, mut plans, mut refused) = (Vec::new(), Vec::new(), None);
        let mut offered = Vec::new();
        for place in self.files_of(app, &state) {
            let (plan, refusal) = match self.plan_file(app, &place, &state, action, servers) {
                Ok(None) => continue,
                Ok(Some(plan)) => {
                    let refusal = self.obstacle(&plan);
                    (Some(plan), refusal)
                }
                Err(error) => (None, Some(error)),
            };
            files.push(FilePreview {
                path: place.path.display().to_string(),
                // Of a refused file too: these are the lines to paste.
                diff: plan.as_ref().map(|plan| diff::lines(&plan.snapshot.bytes, &plan.bytes)).unwrap_or_default(),
                servers: plan.as_ref().map(|plan| plan.servers.clone()).unwrap_or_default(),
                queued: refusal.is_none() && waits && plan.as_ref().is_some_and(Plan::writes),
                refused: refusal.as_ref().map(Error::to_string),
                warning: place.project.as_deref().and_then(crate::project::warning),
            });
            match (refusal, plan) {
                (None, Some(plan)) => plans.push(plan),
                (Some(error), plan) => {
                    offered.extend(plan.map(|plan| plan.pending.put).into_iter().flatten());
                    refused.get_or_insert(error);
                }
                (None, None) => {}
            }
        }
        self.remember_offered(offered)?;
        let found = |name: &&String| !files.iter().any(|f| f.servers.iter().any(|server| server.name == **name));
        if let Some(name) = servers.unwrap_or_default().iter().find(found) {
            let missing = Error::NotFound { app: app.name.clone(), server: name.clone() };
            return Err(refused.unwrap_or(missing));
        }
        let hints = self.hints(app, plans.iter().any(Plan::writes), waits);
        let token = token(app, action, &plans);
        let planned = Planned { app: app.app_id(), action, only: servers.map(<[String]>::to_vec), plans, refused };
        let mut previews = self.previews.lock().unwrap_or_else(PoisonError::into_inner);
        previews.retain(|(known, _)| *known != token);
        previews.push_back((token.clone(), planned));
        while previews.len() > KEPT_PREVIEWS {
            previews.pop_front();
        }
        Ok(Preview { token, app: app.app_id(), action, files, hints })
    }

    fn hints(&self, app: &Descriptor, writes: bool, waits: bool) -> Vec<String> {
        if !writes {
            return Vec::new();
        }
        if waits {
            let text = format!(
                "{0} is running and would overwrite the change. It is queued and written as soon as {0} has quit.",
                app.name
            );
            return vec![text];
        }
        if self.is_running(app, &self.processes.list()) { vec![app.reload.clone()] } else { Vec::new() }
    }

    /// Writes exactly what the preview showed, or refuses. A token works once.
    pub fn apply(&self, token: &str) -> Result<ApplyAnswer, Error> {
        let planned = {
            let mut previews = self.previews.lock().unwrap_or_else(PoisonError::into_inner);
            let at = previews.iter().position(|(known, _)| known == token).ok_or(Error::PreviewExpired)?;
            previews.remove(at).ok_or(Error::PreviewExpired)?.1
        };
        let app = self.descriptor(&planned.app)?;
        if let Some(error) = planned.refused
            && !planned.plans.iter().any(Plan::writes)
        {
            return Err(error);
        }
        let mut locked = self.journal.lock()?;
        for plan in &planned.plans {
            if file::read(&plan.snapshot.path)?.is_none_or(|now| now.hash != plan.snapshot.hash) {
                return Err(Error::Changed { file: plan.snapshot.path.clone() });
            }
        }
        let waits = app.rewrites_while_running && self.is_running(app, &self.processes.list());
        let writes = planned.plans.iter().any(Plan::writes);
        let mut answer = ApplyAnswer { written: vec![], queued: vec![], hints: self.hints(app, writes, waits) };
        for plan in planned.plans {
            let path = plan.snapshot.path.clone();
            let only = planned.only.as_deref();
            if self.carry_out(app, planned.action, only, plan, waits, &mut locked)? {
                let list = if waits { &mut answer.queued } else { &mut answer.written };
                list.push(path.display().to_string());
            }
        }
        Ok(answer)
    }

    /// Writes or queues one plan; false: the file stays as it is.
    fn carry_out(
        &self,
        app: &Descriptor,
        action: ConfigAction,
        only: Option<&[String]>,
        plan: Plan,
        waits: bool,
        locked: &mut Locked<'_>,
    ) -> Result<bool, Error> {
        let path = plan.snapshot.path.clone();
        let wanted = |queued: &Queued| queued.file == path && only.is_none_or(|only| only.contains(&queued.name));
        // The newest wish counts. It is done with once it is carried out, and not before.
        locked.state.queue.retain(|queued| !wanted(queued) || queued.action == action);
        if !plan.writes() {
            locked.state.queue.retain(|queued| !wanted(queued));
            // What the journal believes may still have to change.
            locked.state.settle(plan.pending);
            locked.save()?;
            return Ok(false);
        }
        if let Some(error) = self.obstacle(&plan) {
            return Err(error);
        }
        if waits {
            let queued = plan.changed().map(|name| Queued {
                app: app.app_id(),
                file: path.clone(),
                name: name.into(),
                action,
                at: now(),
            });
            let queued: Vec<_> = queued.collect();
            locked.state.queue.retain(|queued| !wanted(queued));
            locked.state.queue.extend(queued);
            locked.save()?;
        } else {
            commit(plan, app.lock, locked, &mut |_| {})?;
            let before = locked.state.queue.len();
            locked.state.queue.retain(|queued| !wanted(queued));
            if locked.state.queue.len() != before {
                locked.save()?;
            }
        }
        Ok(true)
    }

    /// Gives every app its own config back, as far as it was changed by us. Needs no daemon and no database.
    pub fn restore_all(&self) -> Result<Report, Error> {
        let mut locked = self.journal.lock()?;
        let processes = self.processes.list();
        let mut report = Report::default();
        for app in &self.apps {
            let waits = app.rewrites_while_running && self.is_running(app, &processes);
            for place in self.files_of(app, &locked.state) {
                let path = place.path.clone();
                match self.plan_file(app, &place, &locked.state, ConfigAction::Restore, None) {
                    Ok(Some(plan)) => {
                        match self.carry_out(app, ConfigAction::Restore, None, plan, waits, &mut locked) {
                            Ok(true) if waits => report.queued.push(place.path),
                            Ok(true) => report.written.push(written(app, ConfigAction::Restore, path)),
                            Ok(false) => {}
                            Err(error) => report.failed.push((path, error)),
                        }
                    }
                    // Never resurrected.
                    Ok(None) => forget_file(&mut locked, &path)?,
                    // A file that was never ours must not stand in the way of those that are.
                    Err(error) if holds_ours(&locked.state, &path) => report.failed.push((path, error)),
                    Err(error) => tracing::debug!(%error, "left alone: nothing in it is ours"),
                }
            }
        }
        for (path, record) in self.undescribed(&locked.state) {
            match give_back_whole(&path, &record, &mut locked) {
                Ok(true) => report.written.push(Written {
                    reload: format!("Restart {} to apply.", record.app_name),
                    app: record.app,
                    app_name: record.app_name,
                    action: ConfigAction::Restore,
                    path,
                }),
                Ok(false) => {}
                Err(error) => report.failed.push((path, error)),
            }
        }
        Ok(report)
    }

    /// Files that we wrote for an app which nobody describes any more (another version did, or the person): how to read
    /// them is not known.
    pub(crate) fn undescribed(&self, state: &State) -> BTreeMap<PathBuf, Record> {
        let known = |record: &Record| self.apps.iter().any(|app| app.id == record.app.as_str());
        let left = state.entries.values().filter(|record| record.state == RecordState::Applied && !known(record));
        left.map(|record| (record.file.clone(), record.clone())).collect()
    }

    /// Writes queued changes of apps that have quit. For a timer; cheap while nothing is queued.
    pub fn apply_queued(&self) -> Result<Report, Error> {
        let mut report = Report::default();
        if self.journal.load()?.queue.is_empty() {
            return Ok(report);
        }
        let processes = self.processes.list();
        let mut locked = self.journal.lock()?;
        for app in &self.apps {
            if self.is_running(app, &processes) {
                continue;
            }
            for action in [ConfigAction::Restore, ConfigAction::Protect] {
                let mut by_file: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
                for queued in locked.state.queue.iter().filter(|q| q.app.as_str() == app.id && q.action == action) {
                    by_file.entry(queued.file.clone()).or_default().push(queued.name.clone());
                }
                for (path, names) in by_file {
                    let places = self.files_of(app, &locked.state);
                    let place = places.into_iter().find(|place| place.path == path);
                    let place = place.unwrap_or_else(|| app.former_place(&path));
                    match self.plan_file(app, &place, &locked.state, action, Some(&names)) {
                        Ok(Some(plan)) => match self.carry_out(app, action, Some(&names), plan, false, &mut locked) {
                            Ok(true) => report.written.push(written(app, action, path)),
                            Ok(false) => {}
                            Err(error) => report.failed.push((path, error)),
                        },
                        Ok(None) => forget_file(&mut locked, &path)?,
                        // It stays queued.
                        Err(error) => report.failed.push((path, error)),
                    }
                }
            }
        }
        Ok(report)
    }
}

/// Paths in the journal that lead to the same file by another way.
fn other_names(state: &State, config: &Config) -> Vec<PathBuf> {
    let (path, target) = (&config.snapshot.path, &config.snapshot.target);
    let known: BTreeSet<&PathBuf> =
        state.entries.values().map(|record| &record.file).filter(|file| *file != path).collect();
    let same = known.into_iter().filter(|file| std::fs::canonicalize(file).is_ok_and(|real| real == *target));
    same.cloned().collect()
}

fn written(app: &Descriptor, action: ConfigAction, path: PathBuf) -> Written {
    Written { app: app.app_id(), app_name: app.name.clone(), action, path, reload: app.reload.clone() }
}

/// Whether a file that cannot be read as its app reads it may hold an entry of ours. Ids are random: finding one is proof.
fn holds_ours(state: &State, path: &Path) -> bool {
    let known = |record: &Record| record.state == RecordState::Applied && record.file == path;
    let Ok(Some(file)) = file::read(path) else { return state.entries.values().any(known) };
    let holds = |text: &str| !text.is_empty() && file.bytes.windows(text.len()).any(|window| window == text.as_bytes());
    holds("portcullis-shim") || state.entries.keys().any(|id| holds(id.as_str()))
}

/// The bytes from before, in a file that is exactly as we wrote it. False: nothing in it is ours any more.
fn give_back_whole(path: &Path, record: &Record, locked: &mut Locked<'_>) -> Result<bool, Error> {
    let Some(snapshot) = file::read(path)?.filter(|_| holds_ours(&locked.state, path)) else {
        forget_file(locked, path)?;
        return Ok(false);
    };
    let known = locked.state.files.get(path).filter(|known| known.hash_after == snapshot.hash);
    let undescribed = || Error::Undescribed { file: path.into(), app: record.app.to_string() };
    let bytes = known.map(|known| known.original.clone()).ok_or_else(undescribed)?;
    file::check_writable(&snapshot)?;
    let here = locked.state.entries.iter().filter(|(_, record)| record.file == path);
    let pending = Pending {
        path: path.into(),
        target: snapshot.target.clone(),
        hash_before: snapshot.hash.clone(),
        hash_after: file::hash(&bytes),
        put: BTreeMap::new(),
        restored: here.map(|(id, _)| id.clone()).collect(),
        file: None,
    };
    commit(Plan { snapshot, bytes, servers: Vec::new(), pending }, None, locked, &mut |_| {})?;
    Ok(true)
}

/// The file is gone: nothing to give back to, nothing to wait for.
fn forget_file(locked: &mut Locked<'_>, path: &Path) -> Result<(), Error> {
    let before = locked.state.clone();
    for record in locked.state.entries.values_mut().filter(|record| record.file == path) {
        record.state = RecordState::Restored;
    }
    locked.state.files.remove(path);
    locked.state.queue.retain(|queued| queued.file != path);
    if locked.state == before { Ok(()) } else { locked.save() }
}

/// Journal, config, journal. `step` lets tests die in between.
pub(crate) fn commit(
    plan: Plan,
    app_lock: Option<AppLock>,
    locked: &mut Locked<'_>,
    step: &mut dyn FnMut(Step),
) -> Result<(), Error> {
    locked.state.pending.push(plan.pending.clone());
    locked.save()?;
    step(Step::Journaled);
    // Taken and released while the write is journaled, so that the next start finds what a killed one left.
    let held = app_lock.map(|kind| Held::take(kind, &plan.snapshot.target)).transpose();
    let replaced = held.and_then(|_held| file::replace(&plan.snapshot, &plan.bytes, step));
    // An error does not say that nothing happened: a file system may fail after the swap, and somebody else may have
    // written the same. What the file says now counts; what cannot be read now is for the next start.
    let now =
        if replaced.is_err() { file::read(&plan.snapshot.path).map(|now| now.map(|now| now.hash)) } else { Ok(None) };
    let took_place = replaced.is_ok() || now.as_ref().is_ok_and(|now| now.as_ref() == Some(&plan.pending.hash_after));
    // Kept, too, where something was left beside the file: the next start removes it.
    if !matches!(replaced, Ok(false)) && (took_place || now.is_ok()) {
        locked.state.pending.retain(|pending| *pending != plan.pending);
    }
    if took_place {
        locked.state.settle(plan.pending);
    }
    locked.save()?;
    step(Step::Done);
    match replaced {
        Err(error) if took_place => {
            tracing::warn!(%error, "a config was written although the file system reported a failure");
            Ok(())
        }
        other => other.map(drop),
    }
}

fn token(app: &Descriptor, action: ConfigAction, plans: &[Plan]) -> String {
    let mut text = format!("{}\n{action:?}\n", app.id);
    for plan in plans {
        let (before, after) = (&plan.pending.hash_before, &plan.pending.hash_after);
        text.push_str(&format!("{}\n{before}\n{after}\n", plan.snapshot.path.display()));
    }
    file::hash(text.as_bytes())
}

fn now() -> UnixMs {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis() as UnixMs)
}
