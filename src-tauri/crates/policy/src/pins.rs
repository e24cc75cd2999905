//! Definitions pinned on first sight and compared with what the **person** last approved, never with what was last seen:
//! many small changes cannot add up unnoticed. Every list response is compared whole, item by item. What changed gravely
//! is in quarantine until the person has looked at it; neither repetition nor another session nor a restart ends that.

use crate::canonical::{canonical, digest, placeholder};
use crate::drift::{classify, fitted};
use crate::edit::{item_name, list_key};
use crate::judged::{builtin, check};
use crate::neighbours::{Neighbours, Server, differs_from_twin};
use crate::roots::Roots;
use portcullis_domain::json::{Doc, Mode, NodeRef};
use portcullis_domain::{
    ApprovedBy, DriftCause, DriftGrade, Finding, Limits, Pin, PinKind, Quarantine, Scan, Severity, Span, UnixMs,
    Upstream, UpstreamId, Verdict,
};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Of one Upstream. Definitions beyond are not remembered, and that is flagged.
pub const MAX_PINS: usize = 10_000;
/// A larger definition is remembered by its digest.
const MAX_DEFINITION_BYTES: usize = 256 * 1024;
/// Of one Upstream, approved and changed definitions together.
const MAX_UPSTREAM_BYTES: usize = 64 * 1024 * 1024;

/// Names of withheld tools that are remembered of one Upstream, and how long one may be.
const MAX_WITHHELD: usize = 1000;
const MAX_WITHHELD_BYTES: usize = 256;
/// Stands for all that were withheld beyond: then no tool may be called that is not pinned.
const BEYOND: &str = "";

type Save = Box<dyn Fn(&Pin) + Send + Sync>;
pub(crate) type Key = (PinKind, String);

/// All pins, in memory; every change is handed to `save`. The tools taken out of a list are remembered beside them.
pub struct PinBook {
    state: Mutex<State>,
    save: Save,
    roots: Roots,
}

#[derive(Default)]
struct State {
    pins: HashMap<UpstreamId, HashMap<Key, Pin>>,
    bytes: HashMap<UpstreamId, usize>,
    schemas: HashMap<(UpstreamId, String), Arc<str>>,
    withheld: HashSet<(UpstreamId, String)>,
    /// Of every protected entry.
    servers: HashMap<UpstreamId, Server>,
}

/// What became of a person's act on a Pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reviewed {
    Done,
    /// There is no such Pin.
    Unknown,
    /// The definition the person looked at is not the one that is there now.
    Outdated,
}

/// What a list response defines, compared with the Pins, before it is known what of it goes on.
#[derive(Default)]
pub(crate) struct Compared {
    pub findings: Vec<Finding>,
    /// Seen for the first time: pinned by `keep` once the response goes on.
    pub fresh: HashMap<Key, Pin>,
    /// Names of the items that are in quarantine.
    pub quarantined: HashSet<String>,
}

/// How a response is compared.
pub(crate) struct Comparison<'c> {
    pub upstream: &'c UpstreamId,
    pub method: &'c str,
    pub result: NodeRef<'c>,
    pub now: UnixMs,
    pub scanner: &'c dyn Scan,
    /// New servers are held until reviewed.
    pub hold_new: bool,
    /// Whether the scanner already found the item at this pointer hostile: such a one is never pinned.
    pub is_hostile: &'c dyn Fn(&str) -> bool,
}

impl PinBook {
    pub fn new(pins: Vec<Pin>, save: Save) -> Self {
        let mut state = State::default();
        for pin in pins {
            remember_schema(&mut state, &pin);
            *state.bytes.entry(pin.upstream.clone()).or_default() += size(&pin);
            state.pins.entry(pin.upstream.clone()).or_default().insert((pin.kind, pin.name.clone()), pin);
        }
        Self { state: Mutex::new(state), save, roots: Roots::default() }
    }

    /// The folders that servers were given.
    pub(crate) fn roots(&self) -> &Roots {
        &self.roots
    }

    /// In memory only: drills, tests, the shim (whose snapshot is read-only).
    pub fn in_memory(pins: Vec<Pin>) -> Self {
        Self::new(pins, Box::new(|_| {}))
    }

    /// Which entries there are: definitions are compared with those of the same app's other servers, and with those
    /// that the same server gives to other apps.
    pub fn know<'u>(&self, upstreams: impl Iterator<Item = &'u Upstream>) {
        let servers = upstreams.map(|upstream| (upstream.id.clone(), Server::of(upstream))).collect();
        self.state().servers = servers;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while holding the lock leaves complete entries behind: each insert is one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn all(&self) -> Vec<Pin> {
        let mut pins: Vec<Pin> = self.state().pins.values().flat_map(|by_name| by_name.values().cloned()).collect();
        pins.sort_by(|a, b| (&a.upstream, a.kind, &a.name).cmp(&(&b.upstream, b.kind, &b.name)));
        pins
    }

    pub fn get(&self, upstream: &UpstreamId, kind: PinKind, name: &str) -> Option<Pin> {
        self.state().pins.get(upstream)?.get(&(kind, name.to_owned())).cloned()
    }

    /// `(pinned, of these changed)`.
    pub fn counts(&self, upstream: &UpstreamId) -> (u32, u32) {
        let state = self.state();
        let pins = state.pins.get(upstream).into_iter().flat_map(|by_name| by_name.values());
        pins.fold((0, 0), |(all, changed), pin| (all + 1, changed + u32::from(pin.changed.is_some())))
    }

    /// Raw JSON of the pinned tool's `inputSchema`.
    pub fn input_schema(&self, upstream: &UpstreamId, tool: &str) -> Option<Arc<str>> {
        self.state().schemas.get(&(upstream.clone(), tool.to_owned())).cloned()
    }

    pub fn tool_names(&self, upstreams: &[UpstreamId]) -> Vec<String> {
        let state = self.state();
        let pins = upstreams.iter().filter_map(|id| state.pins.get(id)).flat_map(|by_name| by_name.keys());
        pins.filter(|(kind, _)| *kind == PinKind::Tool).map(|(_, name)| name.clone()).collect()
    }

    pub fn withhold(&self, upstream: &UpstreamId, tools: &[String]) {
        let mut state = self.state();
        let mut room = MAX_WITHHELD.saturating_sub(state.withheld.iter().filter(|(of, _)| of == upstream).count());
        for tool in tools {
            let fits = room > 0 && tool.len() <= MAX_WITHHELD_BYTES;
            let name = if fits { tool.clone() } else { BEYOND.to_owned() };
            room -= usize::from(state.withheld.insert((upstream.clone(), name)) && fits);
        }
    }

    pub fn is_withheld(&self, upstream: &UpstreamId, tool: &str) -> bool {
        let state = self.state();
        let has = |name: &str| state.withheld.contains(&(upstream.clone(), name.to_owned()));
        let pinned =
            || state.pins.get(upstream).is_some_and(|pins| pins.contains_key(&(PinKind::Tool, tool.to_owned())));
        has(tool) || (has(BEYOND) && !pinned())
    }

    pub fn withheld(&self) -> Vec<(UpstreamId, String)> {
        self.state().withheld.iter().cloned().collect()
    }

    pub fn quarantine_of(&self, upstream: &UpstreamId, kind: PinKind, name: &str) -> Option<Quarantine> {
        self.state().pins.get(upstream)?.get(&(kind, name.to_owned()))?.quarantine
    }

    /// A person approved the definition whose digest this is: the one last seen, or the approved one while it is the one
    /// last seen. Anything else was not looked at.
    pub fn approve(&self, upstream: &UpstreamId, kind: PinKind, name: &str, seen: &str, now: UnixMs) -> Reviewed {
        self.review(upstream, kind, name, |pin| {
            if digest(pin.changed.as_ref().unwrap_or(&pin.approved)) != seen {
                return false;
            }
            if let Some(changed) = pin.changed.take() {
                pin.approved = changed;
            }
            (pin.approved_by, pin.approved_at) = (ApprovedBy::Person, now);
            (pin.drift, pin.quarantine) = (None, None);
            true
        })
    }

    /// A person wants the approved definition, whose digest this is, and not what was seen instead: only the approved one
    /// passes again, and the next change is judged anew.
    pub fn release(&self, upstream: &UpstreamId, kind: PinKind, name: &str, approved: &str, now: UnixMs) -> Reviewed {
        self.review(upstream, kind, name, |pin| {
            if digest(&pin.approved) != approved {
                return false;
            }
            (pin.approved_by, pin.approved_at) = (ApprovedBy::Person, now);
            (pin.changed, pin.drift, pin.quarantine) = (None, None, None);
            true
        })
    }

    /// A person keeps a definition from the app.
    pub fn quarantine(&self, upstream: &UpstreamId, kind: PinKind, name: &str) -> Reviewed {
        self.review(upstream, kind, name, |pin| {
            pin.quarantine.get_or_insert(Quarantine::Person);
            true
        })
    }

    fn review(&self, upstream: &UpstreamId, kind: PinKind, name: &str, act: impl FnOnce(&mut Pin) -> bool) -> Reviewed {
        let mut state = self.state();
        let key = (kind, name.to_owned());
        let Some(pin) = state.pins.get_mut(upstream).and_then(|by_name| by_name.get_mut(&key)) else {
            return Reviewed::Unknown;
        };
        let before = size(pin);
        if !act(pin) {
            return Reviewed::Outdated;
        }
        let pin = pin.clone();
        resize(&mut state, upstream, before, size(&pin));
        remember_schema(&mut state, &pin);
        // Saved under the lock: of two writers the later one is the last on disk, too.
        (self.save)(&pin);
        Reviewed::Done
    }

    /// Compares what a response defines with the Pins. Changes are recorded at once; what is new waits for `keep`.
    pub(crate) fn compare(&self, comparison: &Comparison<'_>) -> Compared {
        let mut compared = Compared::default();
        let mut seen: Vec<(Key, NodeRef<'_>, bool)> = Vec::new();
        // Names whose definition differed in this very list: a second, unchanged copy does not make that good.
        let mut differed = HashSet::new();
        let mut beyond = false;
        for (kind, name, node) in definitions(comparison.method, comparison.result) {
            let key = (kind, name);
            let is_hostile = (comparison.is_hostile)(&node.pointer());
            let fresh = compared.fresh.get(&key).cloned();
            let known = fresh.or_else(|| self.get(comparison.upstream, key.0, &key.1));
            let differs = match known {
                Some(pin) => self.compare_one(comparison, pin, node, is_hostile, &mut differed, &mut compared),
                None => {
                    if !is_hostile {
                        match self.first_sight(comparison, &key, node, compared.fresh.len()) {
                            Some(pin) => drop(compared.fresh.insert(key.clone(), pin)),
                            None => beyond = true,
                        }
                    }
                    false
                }
            };
            seen.push((key, node, differs));
        }
        let neighbours = if compared.fresh.is_empty() { Neighbours::default() } else { self.neighbours(comparison) };
        for (key, node, differs) in seen {
            if let Some(pin) = compared.fresh.get(&key) {
                let pointer = node.pointer();
                compared.findings.extend(neighbours.finding(comparison.scanner, pin, &pointer));
                if self.differs_from_twin(pin) {
                    compared.findings.push(differs_from_twin(pin, &pointer));
                }
            }
            let is_held = match compared.fresh.get(&key) {
                Some(pin) => pin.quarantine.is_some(),
                None => self.quarantine_of(comparison.upstream, key.0, &key.1).is_some(),
            };
            if !differs && !is_held {
                continue;
            }
            let fresh = compared.fresh.get(&key).cloned();
            if let Some(pin) = fresh.or_else(|| self.get(comparison.upstream, key.0, &key.1)) {
                compared.findings.push(finding(&pin, node));
            }
            if is_held {
                compared.quarantined.insert(key.1);
            }
        }
        if beyond {
            let title = "The server defines more than can be remembered, so changes there would go unnoticed";
            compared.findings.push(builtin(check::TOO_MANY_DEFINITIONS, Severity::Medium, Verdict::Flag, title, ""));
        }
        compared
    }

    /// Records a known definition as it is seen now. True: it differs from the approved one.
    fn compare_one(
        &self,
        comparison: &Comparison<'_>,
        pin: Pin,
        node: NodeRef<'_>,
        is_hostile: bool,
        differed: &mut HashSet<Key>,
        compared: &mut Compared,
    ) -> bool {
        let key = (pin.kind, pin.name.clone());
        let definition = canonical(node);
        let differs = pin.approved != definition && pin.approved != placeholder(&definition);
        if key.0 == PinKind::Tool && !is_hostile {
            self.state().withheld.remove(&(comparison.upstream.clone(), key.1.clone()));
        }
        if differs {
            differed.insert(key.clone());
        } else if pin.changed.is_none() || differed.contains(&key) {
            return false;
        }
        let changed = differs.then(|| fitted(definition, MAX_DEFINITION_BYTES.min(self.room(comparison.upstream))));
        // Classified outside the lock: it scans. The same change was classified before.
        let drift = match &changed {
            Some(changed) if pin.changed.as_ref() == Some(changed) => pin.drift.clone(),
            Some(changed) => Some(classify(comparison.scanner, pin.kind, &pin.approved, changed)),
            None => None,
        };
        let is_grave = is_hostile && differs || drift.as_ref().is_some_and(|drift| drift.grade == DriftGrade::Grave);
        let apply = |pin: &mut Pin| {
            let before = (pin.changed.clone(), pin.quarantine);
            if is_grave {
                pin.quarantine.get_or_insert(Quarantine::Changed);
            }
            // While it is held back the change stays to be looked at, even if the server takes it back.
            if changed.is_some() || pin.quarantine.is_none() {
                (pin.changed, pin.drift) = (changed.clone(), drift.clone());
            }
            if (&pin.changed, pin.quarantine) == (&before.0, before.1) {
                return false;
            }
            pin.seen_at = comparison.now;
            true
        };
        if let Some(fresh) = compared.fresh.get_mut(&key) {
            apply(fresh);
            return differs;
        }
        let mut state = self.state();
        let Some(stored) = state.pins.get_mut(comparison.upstream).and_then(|by_name| by_name.get_mut(&key)) else {
            return differs;
        };
        if stored.approved != pin.approved {
            // A person approved meanwhile: what was classified here compares with the past.
            return differs;
        }
        let before = size(stored);
        if apply(stored) {
            let stored = stored.clone();
            resize(&mut state, comparison.upstream, before, size(&stored));
            (self.save)(&stored);
        }
        differs
    }

    fn first_sight(&self, comparison: &Comparison<'_>, key: &Key, node: NodeRef<'_>, waiting: usize) -> Option<Pin> {
        let definition = canonical(node);
        let state = self.state();
        let pins = state.pins.get(comparison.upstream);
        let count = pins.map_or(0, HashMap::len) + waiting;
        let bytes = state.bytes.get(comparison.upstream).copied().unwrap_or(0);
        let approved = fitted(definition, MAX_DEFINITION_BYTES);
        if count >= MAX_PINS || bytes + approved.len() > MAX_UPSTREAM_BYTES {
            return None;
        }
        // New: nothing of this server was ever let through, or some of it still waits to be looked at.
        let is_held = |pin: &Pin| pin.quarantine == Some(Quarantine::New);
        let is_new = pins.is_none_or(|pins| pins.is_empty() || pins.values().any(is_held));
        Some(Pin {
            upstream: comparison.upstream.clone(),
            kind: key.0,
            name: key.1.clone(),
            approved,
            approved_at: comparison.now,
            approved_by: ApprovedBy::FirstSight,
            changed: None,
            drift: None,
            quarantine: (comparison.hold_new && is_new).then_some(Quarantine::New),
            seen_at: comparison.now,
        })
    }

    /// Pins what was seen for the first time, but for the items whose names were taken out as hostile.
    pub(crate) fn keep(&self, compared: Compared, dropped: &[String]) {
        let dropped: HashSet<&String> = dropped.iter().filter(|name| !compared.quarantined.contains(*name)).collect();
        let mut state = self.state();
        for (key, pin) in compared.fresh.into_iter().filter(|(_, pin)| !dropped.contains(&pin.name)) {
            let by_name = state.pins.entry(pin.upstream.clone()).or_default();
            // Another Session may have been quicker: then its sight was the first.
            if by_name.len() >= MAX_PINS || by_name.contains_key(&key) {
                continue;
            }
            by_name.insert(key, pin.clone());
            if pin.kind == PinKind::Tool {
                state.withheld.remove(&(pin.upstream.clone(), pin.name.clone()));
            }
            resize(&mut state, &pin.upstream, 0, size(&pin));
            remember_schema(&mut state, &pin);
            (self.save)(&pin);
        }
    }

    /// The tools of the same app's other servers, but for other entries of the same server.
    fn neighbours(&self, comparison: &Comparison<'_>) -> Neighbours {
        if comparison.method != "tools/list" {
            return Neighbours::default();
        }
        let state = self.state();
        let Some(own) = state.servers.get(comparison.upstream) else { return Neighbours::default() };
        let others = state.servers.iter().filter(|(_, server)| server.app == own.app && !server.is_same(own));
        let others = others.filter(|(id, _)| *id != comparison.upstream);
        let pins = others.filter_map(|(id, _)| state.pins.get(id)).flat_map(HashMap::values);
        Neighbours::new(comparison.scanner, pins)
    }

    /// Whether the same server said something else in another app, and that stands approved.
    fn differs_from_twin(&self, pin: &Pin) -> bool {
        let state = self.state();
        let Some(own) = state.servers.get(&pin.upstream) else { return false };
        let twins = state.servers.iter().filter(|(_, server)| server.is_twin(own));
        let key = (pin.kind, pin.name.clone());
        let mut theirs = twins.filter_map(|(id, _)| state.pins.get(id)?.get(&key));
        theirs.any(|twin| twin.approved != pin.approved && twin.changed.as_ref() != Some(&pin.approved))
    }

    fn room(&self, upstream: &UpstreamId) -> usize {
        MAX_UPSTREAM_BYTES.saturating_sub(self.state().bytes.get(upstream).copied().unwrap_or(0))
    }
}

fn size(pin: &Pin) -> usize {
    pin.name.len() + pin.approved.len() + pin.changed.as_ref().map_or(0, String::len)
}

fn resize(state: &mut State, upstream: &UpstreamId, before: usize, after: usize) {
    let bytes = state.bytes.entry(upstream.clone()).or_default();
    *bytes = bytes.saturating_sub(before) + after;
}

/// Argument types come from the approved schema only: a changed one may not relabel a path as free text.
fn remember_schema(state: &mut State, pin: &Pin) {
    if pin.kind != PinKind::Tool {
        return;
    }
    let doc = Doc::parse(pin.approved.as_bytes(), Mode::Lenient, &Limits::default());
    if let Some(schema) = doc.as_ref().ok().and_then(|doc| doc.root().get("inputSchema")) {
        let schema: Arc<str> = String::from_utf8_lossy(schema.raw()).into();
        state.schemas.insert((pin.upstream.clone(), pin.name.clone()), schema);
    }
}

fn definitions<'d>(method: &str, result: NodeRef<'d>) -> Vec<(PinKind, String, NodeRef<'d>)> {
    let kind = match method {
        "tools/list" => PinKind::Tool,
        "prompts/list" => PinKind::Prompt,
        "resources/list" => PinKind::Resource,
        "resources/templates/list" => PinKind::ResourceTemplate,
        "initialize" | "server/discover" => {
            let instructions = result.get("instructions");
            return instructions.map(|node| (PinKind::Instructions, String::new(), node)).into_iter().collect();
        }
        _ => return Vec::new(),
    };
    let Some(key) = list_key(method) else { return Vec::new() };
    let items = result.get(key).into_iter().flat_map(|list| list.children());
    items.filter_map(|item| Some((kind, item_name(key, item)?, item))).collect()
}

/// What a definition of a kind is called in titles.
pub(crate) fn what(kind: PinKind) -> &'static str {
    match kind {
        PinKind::Tool => "A tool",
        PinKind::Prompt => "A prompt",
        PinKind::Resource | PinKind::ResourceTemplate => "A resource",
        PinKind::Instructions => "The server's text of instructions",
    }
}

fn finding(pin: &Pin, node: NodeRef<'_>) -> Finding {
    let what = what(pin.kind);
    let grade = pin.drift.as_ref().map_or(DriftGrade::Quiet, |drift| drift.grade);
    let (id, severity, verdict, title) = match (pin.quarantine, grade) {
        (Some(Quarantine::New), _) => {
            (check::NEW_DEFINITION, Severity::Low, Verdict::Block, format!("{what} of a new server waits for review"))
        }
        (Some(Quarantine::Person), _) => {
            (check::QUARANTINED, Severity::Medium, Verdict::Block, format!("{what} that you put into quarantine"))
        }
        (Some(Quarantine::Changed), _) => {
            let title = format!("{what} changed after it was approved and waits for review{}", causes(pin));
            (check::DEFINITION_CHANGED, Severity::High, Verdict::Block, title)
        }
        (None, DriftGrade::Quiet) => {
            let title = format!("{what} was reworded after it was approved");
            (check::DEFINITION_CHANGED, Severity::Low, Verdict::Allow, title)
        }
        (None, _) => {
            let title = format!("{what} changed after it was approved{}", causes(pin));
            (check::DEFINITION_CHANGED, Severity::Medium, Verdict::Flag, title)
        }
    };
    let span = node.span();
    Finding {
        category: "drift".into(),
        span: Some(Span { start: span.start, end: span.end }),
        matched: pin.name.chars().take(200).collect(),
        ..builtin(id, severity, verdict, &title, &node.pointer())
    }
}

/// `: new orders, a new parameter`
fn causes(pin: &Pin) -> String {
    let causes: BTreeSet<DriftCause> = pin.drift.iter().flat_map(|drift| &drift.reasons).map(|r| r.cause).collect();
    let words: Vec<&str> = causes
        .into_iter()
        .map(|cause| match cause {
            DriftCause::Signature => "text that a signature knows",
            DriftCause::Order => "new orders",
            DriftCause::SensitivePath => "a sensitive path",
            DriftCause::Destination => "a new destination",
            DriftCause::Capability => "new abilities",
            DriftCause::Parameter => "a new parameter",
            DriftCause::Size => "more than can be compared",
        })
        .collect();
    if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) }
}
