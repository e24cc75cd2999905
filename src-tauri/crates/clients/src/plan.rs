//! What a protect or a restore would do to one file: planned bytes, journal changes and the lines for the preview. Pure:
//! reads the config and the journal's state it is given, writes nothing. The planned bytes are parsed again and compared
//! by meaning before anybody may write them.

use crate::clients::Serving;
use crate::config::{At, Config, Entry, part_mut};
use crate::descriptor::{Descriptor, Place};
use crate::entry::{self, Edit, Line, Owner, Shape, Site};
use crate::error::Error;
use crate::file::{Snapshot, hash};
use crate::format::{Format, Node, splice};
use crate::journal::{FileRecord, Original, Pending, Record, RecordState, State};
use portcullis_domain::api::{PlannedChange, ServerPlan};
use portcullis_domain::{Transport, UnixMs, UpstreamId};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(crate) struct Plan {
    pub snapshot: Snapshot,
    pub bytes: Vec<u8>,
    pub servers: Vec<ServerPlan>,
    pub pending: Pending,
}

impl Plan {
    /// Whether the file's bytes change.
    pub fn writes(&self) -> bool {
        self.bytes != self.snapshot.bytes
    }
    /// Names of the entries that change.
    pub fn changed(&self) -> impl Iterator<Item = &str> {
        self.servers.iter().filter(|server| server.change != PlannedChange::Nothing).map(|server| server.name.as_str())
    }
}

/// What planning needs to know besides the file.
pub(crate) struct Context<'c> {
    pub app: &'c Descriptor,
    pub place: &'c Place,
    pub state: &'c State,
    pub shim: &'c str,
    pub port: u16,
    pub serving: Serving,
    pub now: UnixMs,
    /// Names of the entries; None: all.
    pub only: Option<&'c [String]>,
    /// Other paths in the journal that lead to the same file.
    pub other_names: &'c [PathBuf],
}

impl Context<'_> {
    fn wants(&self, name: &str) -> bool {
        self.only.is_none_or(|only| only.iter().any(|wanted| wanted == name))
    }
}

/// One entry's part of a plan.
struct Step {
    change: PlannedChange,
    transport: Transport,
    reason: Option<String>,
    edit: Option<Edit>,
    put: Option<(UpstreamId, Record)>,
}

impl Step {
    fn nothing(transport: Transport, reason: impl Into<String>) -> Self {
        Self { change: PlannedChange::Nothing, transport, reason: Some(reason.into()), edit: None, put: None }
    }
}

pub(crate) fn protect(config: Config, cx: &Context<'_>) -> Result<Plan, Error> {
    let mut draft = Draft::default();
    for entry in config.entries(cx.app).into_iter().filter(|entry| cx.wants(&entry.name)) {
        let step = protect_entry(&config, &entry, cx, &draft.put)?;
        draft.add(entry, step);
    }
    draft.finish(config, cx, false)
}

fn protect_entry(
    config: &Config,
    entry: &Entry<'_>,
    cx: &Context<'_>,
    planned: &BTreeMap<UpstreamId, Record>,
) -> Result<Step, Error> {
    let snapshot = &config.snapshot;
    let format = config.format;
    let site = Site { bytes: &snapshot.bytes, format, body: entry.body };
    let raw = |node: &Node| String::from_utf8_lossy(&snapshot.bytes[node.range.clone()]).into_owned();
    let internal = || Error::VerificationFailed { file: snapshot.path.clone() };
    let record = |transport, original| Record {
        app: cx.app.app_id(),
        app_name: cx.app.name.clone(),
        file: snapshot.path.clone(),
        name: entry.name.clone(),
        transport,
        original,
        state: RecordState::Applied,
        at: cx.now,
        other: Default::default(),
    };
    if let (Some(reason), Owner::Theirs, Shape::Stdio(_) | Shape::Remote { .. }) =
        (&cx.place.read_only, &entry.owner, &entry.shape)
    {
        return Ok(Step::nothing(entry.transport(), reason.clone()));
    }
    let step = match (&entry.shape, &entry.owner) {
        (Shape::Odd { transport, reason }, _) => Step::nothing(*transport, reason.clone()),
        (Shape::Stdio(_), Owner::BrokenShim) => {
            Step::nothing(Transport::Stdio, "it starts the shim with arguments that were edited; restore it first")
        }
        (Shape::Stdio(line), Owner::Theirs) => {
            let original = match line {
                Line::Split { command, args } => Original::Stdio {
                    command: command.node.text().unwrap_or_default().into(),
                    raw_command: raw(&command.node),
                    args: args.and_then(|args| args.node.texts()),
                    raw_args: args.map(|args| raw(&args.node)),
                },
                Line::List(list) => Original::List { words: line.words(), raw: raw(&list.node) },
            };
            let id = known_or_new_id(config, entry, &original, cx, planned)?;
            let edit = site.wrap(*line, &cx.app.stdio.args, cx.shim, &id);
            let put = Some((id, record(Transport::Stdio, original)));
            Step {
                change: PlannedChange::Shim,
                transport: Transport::Stdio,
                reason: None,
                edit: Some(edit.ok_or_else(internal)?),
                put,
            }
        }
        (Shape::Stdio(line), Owner::Shim { id, real }) => {
            let known = cx.state.entries.get(id);
            let put = match known {
                Some(record) if record.state == RecordState::Applied => None,
                Some(old) => Some((id.clone(), record(Transport::Stdio, old.original.clone()))),
                // A backup or a sync brought it: its own words say what it starts.
                None => Some((id.clone(), record(Transport::Stdio, from_own_words(*line, real, format)))),
            };
            if line.words().first().map(String::as_str) == Some(cx.shim) {
                Step { put, ..Step::nothing(Transport::Stdio, "already protected") }
            } else {
                let edit = site.retarget_shim(*line, cx.shim).ok_or_else(internal)?;
                Step { change: PlannedChange::Shim, transport: Transport::Stdio, reason: None, edit: Some(edit), put }
            }
        }
        (Shape::Remote { url, transport }, Owner::Theirs) => {
            let address = url.node.text().unwrap_or_default();
            if let Some(reason) = entry::url_obstacle(address, cx.app) {
                return Ok(Step::nothing(*transport, reason));
            }
            if cx.serving == Serving::No {
                return Ok(Step::nothing(*transport, NOT_SERVED));
            }
            let original = Original::Url { url: address.into(), raw: raw(&url.node) };
            let id = known_or_new_id(config, entry, &original, cx, planned)?;
            let ours = entry::local_url(&cx.app.id, &entry.name, &id, *transport, cx.port);
            let edit = site.set_url(url, format.literal(&ours).as_bytes(), &ours);
            let put = Some((id, record(*transport, original)));
            Step { change: PlannedChange::LocalUrl, transport: *transport, reason: None, edit: Some(edit), put }
        }
        (Shape::Remote { url, transport }, Owner::Local { id }) => match cx.state.entries.get(id) {
            Some(old) if matches!(old.original, Original::Url { .. }) => {
                let revived = || (id.clone(), Record { state: RecordState::Applied, at: cx.now, ..old.clone() });
                let put = (old.state != RecordState::Applied).then(revived);
                // Of the app that protected it: another one may read the same file.
                let ours = entry::local_url(old.app.as_str(), &old.name, id, old.transport, cx.port);
                if url.node.text() == Some(ours.as_str()) {
                    Step { put, ..Step::nothing(old.transport, "already protected") }
                } else {
                    let edit = site.set_url(url, format.literal(&ours).as_bytes(), &ours);
                    let change = PlannedChange::LocalUrl;
                    Step { change, transport: old.transport, reason: None, edit: Some(edit), put }
                }
            }
            _ => Step::nothing(*transport, ORPHAN),
        },
        // A shape and an owner that cannot meet.
        (Shape::Stdio(_), _) | (Shape::Remote { .. }, _) => Step::nothing(entry.transport(), "already protected"),
    };
    Ok(step)
}

const NOT_SERVED: &str =
    "a server with a URL is protected only while Portcullis runs: start it with `portcullis serve`, then protect again";

/// What a wrapped entry says that no journal knows.
fn from_own_words(line: Line<'_>, real: &[String], format: Format) -> Original {
    let spelt = |words: &[String]| {
        let words: Vec<Vec<u8>> = words.iter().map(|word| format.literal(word).into_bytes()).collect();
        String::from_utf8_lossy(&format.list(&words)).into_owned()
    };
    match (line, real.split_first()) {
        (Line::Split { .. }, Some((command, args))) => Original::Stdio {
            command: command.clone(),
            raw_command: format.literal(command),
            args: Some(args.to_vec()),
            raw_args: None,
        },
        _ => Original::List { words: real.to_vec(), raw: spelt(real) },
    }
}

pub(crate) const ORPHAN: &str =
    "it points at Portcullis, but the journal does not know where it led before; set its URL by hand";

/// The same server protected again keeps its id, and with it its Pins; another one gets a new id.
fn known_or_new_id(
    config: &Config,
    entry: &Entry<'_>,
    original: &Original,
    cx: &Context<'_>,
    planned: &BTreeMap<UpstreamId, Record>,
) -> Result<UpstreamId, Error> {
    let same_server = |record: &Record| match (&record.original, original) {
        (Original::Stdio { .. } | Original::List { .. }, Original::Stdio { .. } | Original::List { .. }) => true,
        (Original::Url { url: old, .. }, Original::Url { url: new, .. }) => old == new,
        _ => false,
    };
    let known = cx.state.entries.iter().find(|(id, record)| {
        record.app.as_str() == cx.app.id
            && record.file == config.snapshot.path
            && record.name == entry.name
            && same_server(record)
            && !planned.contains_key(*id)
            && !config.holds(cx.app, id)
    });
    if let Some((id, _)) = known {
        return Ok(id.clone());
    }
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| Error::Io {
        action: "drawing a random id for",
        file: config.snapshot.path.clone(),
        source: std::io::Error::other(error.to_string()),
    })?;
    Ok(UpstreamId::from_random(random))
}

pub(crate) fn restore(config: Config, cx: &Context<'_>) -> Result<Plan, Error> {
    let mut draft = Draft::default();
    let mut all = true;
    for entry in config.entries(cx.app) {
        if cx.wants(&entry.name) {
            let step = restore_entry(&config, &entry, cx)?;
            draft.released.extend(step.edit.as_ref().and(entry.owner.id()).cloned());
            draft.add(entry, step);
        } else if entry.owner != Owner::Theirs {
            all = false;
        }
    }
    // The exact old bytes, when the file is exactly what we wrote and everything of ours goes.
    if all
        && let Some(known) = cx.state.files.get(&config.snapshot.path)
        && known.hash_after == config.snapshot.hash
    {
        draft.exact = Some(known.original.clone());
    }
    draft.finish(config, cx, true)
}

fn restore_entry(config: &Config, entry: &Entry<'_>, cx: &Context<'_>) -> Result<Step, Error> {
    let site = Site { bytes: &config.snapshot.bytes, format: config.format, body: entry.body };
    let internal = || Error::VerificationFailed { file: config.snapshot.path.clone() };
    let known = |id: &UpstreamId| cx.state.entries.get(id).map(|record| &record.original);
    let unwrapped = |edit| Step {
        change: PlannedChange::Unwrap,
        transport: entry.transport(),
        reason: None,
        edit: Some(edit),
        put: None,
    };
    let step = match (&entry.shape, &entry.owner) {
        (_, Owner::Theirs) => Step::nothing(entry.transport(), "not protected"),
        (Shape::Stdio(line), Owner::Shim { id, .. }) => unwrapped(site.unwrap(*line, known(id)).ok_or_else(internal)?),
        (Shape::Remote { url, .. }, Owner::Local { id }) => match known(id) {
            Some(Original::Url { url: original, raw }) => unwrapped(site.set_url(url, raw.as_bytes(), original)),
            _ => Step::nothing(entry.transport(), ORPHAN),
        },
        // Its own words do not tell any more; the journal does.
        (Shape::Stdio(line), _) => {
            let by_id = line.words().iter().find_map(|word| known(&UpstreamId::new(word)));
            let edit = by_id.or_else(|| by_name(config, entry, cx)).and_then(|original| {
                let own_words = site.unwrap_broken(*line, original);
                own_words.or_else(|| site.put_back(*line, &cx.app.stdio.args, original))
            });
            edit.map_or_else(
                || {
                    let reason = "it starts the shim with arguments that were edited, and the journal does not know it; correct it by hand";
                    Step::nothing(Transport::Stdio, reason)
                },
                unwrapped,
            )
        }
        (Shape::Odd { .. } | Shape::Remote { .. }, _) => Step::nothing(entry.transport(), "not protected"),
    };
    Ok(step)
}

fn by_name<'c>(config: &Config, entry: &Entry<'_>, cx: &'c Context<'_>) -> Option<&'c Original> {
    let fits = |record: &&Record| {
        record.state == RecordState::Applied && record.file == config.snapshot.path && record.name == entry.name
    };
    cx.state.entries.values().find(fits).map(|record| &record.original)
}

#[derive(Default)]
struct Draft {
    servers: Vec<ServerPlan>,
    edits: Vec<(Vec<At>, Edit)>,
    put: BTreeMap<UpstreamId, Record>,
    /// Ids whose entries are given back, under whatever name they stand now.
    released: Vec<UpstreamId>,
    exact: Option<Vec<u8>>,
}

impl Draft {
    fn add(&mut self, entry: Entry<'_>, step: Step) {
        self.put.extend(step.put);
        self.edits.extend(step.edit.map(|edit| (entry.path, edit)));
        self.servers.push(ServerPlan {
            name: entry.name,
            transport: step.transport,
            change: step.change,
            reason: step.reason,
        });
    }

    fn finish(self, config: Config, cx: &Context<'_>, restoring: bool) -> Result<Plan, Error> {
        let internal = || Error::VerificationFailed { file: config.snapshot.path.clone() };
        let before = &config.snapshot;
        let by_entry = splice(&before.bytes, self.edits.iter().flat_map(|(_, edit)| edit.splices.clone()).collect())
            .ok_or_else(internal)?;
        let bytes = self.exact.clone().unwrap_or(by_entry);
        let after_snapshot = Snapshot { hash: hash(&bytes), bytes: bytes.clone(), ..before.clone() };
        let after = Config::parse(after_snapshot, cx.place, cx.app).map_err(|_| internal())?;
        // The exact old bytes were verified when they were replaced; everything else is compared by meaning.
        if self.exact.is_none() && !self.means_the_same(&config, &after) {
            return Err(internal());
        }
        let restored = cx.state.entries.iter().filter(|(id, record)| {
            let here = record.file == before.path || cx.other_names.contains(&record.file);
            let gone = record.state == RecordState::Applied && here && !after.holds(cx.app, id);
            // A protect leaves the record of an entry that was changed behind our back: it shows as edited outside.
            gone && restoring && (cx.wants(&record.name) || self.released.contains(id))
        });
        let restored = restored.map(|(id, _)| id.clone()).collect();
        let file = after.entries(cx.app).iter().any(|entry| entry.owner != Owner::Theirs).then(|| FileRecord {
            target: before.target.clone(),
            hash_after: after.snapshot.hash.clone(),
            original: original_bytes(&config, cx),
        });
        let pending = Pending {
            path: before.path.clone(),
            target: before.target.clone(),
            hash_before: before.hash.clone(),
            hash_after: after.snapshot.hash.clone(),
            put: self.put,
            restored,
            file,
        };
        Ok(Plan { snapshot: config.snapshot, bytes, servers: self.servers, pending })
    }

    fn means_the_same(&self, before: &Config, after: &Config) -> bool {
        let Some(mut expected) = before.tree.clone() else { return after.tree.is_none() };
        for (path, edit) in &self.edits {
            let Some(body) = part_mut(&mut expected, path) else { return false };
            entry::impose(body, &edit.wanted);
        }
        after.tree.as_ref().is_some_and(|after| expected.same(after))
    }
}

/// The file as it would be with nothing of ours in it.
fn original_bytes(config: &Config, cx: &Context<'_>) -> Vec<u8> {
    if let Some(known) = cx.state.files.get(&config.snapshot.path)
        && known.hash_after == config.snapshot.hash
    {
        return known.original.clone();
    }
    let everything = Context { only: None, ..*cx };
    let splices = config
        .entries(cx.app)
        .into_iter()
        .filter_map(|entry| restore_entry(config, &entry, &everything).ok()?.edit)
        .flat_map(|edit| edit.splices)
        .collect();
    splice(&config.snapshot.bytes, splices).unwrap_or_else(|| config.snapshot.bytes.clone())
}
