//! Definitions pinned on first sight and compared with what the **person** last approved, never with what was last seen:
//! many small changes cannot add up unnoticed. Every list response is compared whole, item by item.

use crate::edit::{item_name, list_key};
use portcullis_domain::json::{Kind, NodeRef, quote};
use portcullis_domain::{ApprovedBy, Confidence, Finding, Pin, PinKind, Severity, UnixMs, UpstreamId, Verdict};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Canonical JSON of a value: keys sorted, white space gone, strings re-quoted, numbers as written.
pub fn canonical(node: NodeRef<'_>) -> String {
    let mut out = String::new();
    write_canonical(node, &mut out);
    out
}

fn write_canonical(node: NodeRef<'_>, out: &mut String) {
    match node.kind() {
        Kind::Object => {
            let mut members: Vec<_> = node.children().map(|child| (child.key().unwrap_or_default(), child)).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            out.push('{');
            for (n, (key, child)) in members.into_iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                out.push_str(&quote(&key));
                out.push(':');
                write_canonical(child, out);
            }
            out.push('}');
        }
        Kind::Array => {
            out.push('[');
            for (n, child) in node.children().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write_canonical(child, out);
            }
            out.push(']');
        }
        Kind::String => out.push_str(&quote(&node.as_str().unwrap_or_default())),
        _ => out.push_str(&String::from_utf8_lossy(node.raw())),
    }
}

type Save = Box<dyn Fn(&Pin) + Send + Sync>;

/// All pins, in memory; every change is handed to `save`. The tools taken out of a list are remembered beside them.
pub struct PinBook {
    state: Mutex<State>,
    save: Save,
}

#[derive(Default)]
struct State {
    pins: HashMap<UpstreamId, HashMap<(PinKind, String), Pin>>,
    schemas: HashMap<(UpstreamId, String), Arc<str>>,
    withheld: HashSet<(UpstreamId, String)>,
}

impl PinBook {
    pub fn new(pins: Vec<Pin>, save: Save) -> Self {
        let mut state = State::default();
        for pin in pins {
            if pin.kind == PinKind::Tool {
                remember_schema(&mut state, &pin);
            }
            state.pins.entry(pin.upstream.clone()).or_default().insert((pin.kind, pin.name.clone()), pin);
        }
        Self { state: Mutex::new(state), save }
    }

    /// In memory only: drills, tests, the shim (whose snapshot is read-only).
    pub fn in_memory(pins: Vec<Pin>) -> Self {
        Self::new(pins, Box::new(|_| {}))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic while holding the lock leaves complete entries behind: each insert is one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn all(&self) -> Vec<Pin> {
        let mut pins: Vec<Pin> = self.state().pins.values().flat_map(|by_name| by_name.values().cloned()).collect();
        pins.sort_by(|a, b| (&a.upstream, a.kind, &a.name).cmp(&(&b.upstream, b.kind, &b.name)));
        pins
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
        state.withheld.extend(tools.iter().map(|tool| (upstream.clone(), tool.clone())));
    }

    pub fn is_withheld(&self, upstream: &UpstreamId, tool: &str) -> bool {
        self.state().withheld.contains(&(upstream.clone(), tool.to_owned()))
    }

    pub fn withheld(&self) -> Vec<(UpstreamId, String)> {
        self.state().withheld.iter().cloned().collect()
    }

    /// A person approved the definition last seen.
    pub fn approve(&self, upstream: &UpstreamId, kind: PinKind, name: &str, now: UnixMs) -> bool {
        let mut state = self.state();
        let key = (kind, name.to_owned());
        let Some(pin) = state.pins.get_mut(upstream).and_then(|by_name| by_name.get_mut(&key)) else { return false };
        if let Some(changed) = pin.changed.take() {
            pin.approved = changed;
        }
        (pin.approved_by, pin.approved_at) = (ApprovedBy::Person, now);
        let pin = pin.clone();
        remember_schema(&mut state, &pin);
        drop(state);
        (self.save)(&pin);
        true
    }

    /// Compares what a response defines with the pins, pins what is new, and returns a Finding for each change.
    /// `is_hostile` tells which items are taken out (by pointer and name): those are never pinned.
    pub(crate) fn compare(
        &self,
        upstream: &UpstreamId,
        method: &str,
        result: NodeRef<'_>,
        now: UnixMs,
        is_hostile: &dyn Fn(&str, &str) -> bool,
    ) -> Vec<Finding> {
        // Names whose definition differed in this very list: a second, unchanged copy does not make that good.
        let mut differed = HashSet::new();
        let mut findings = Vec::new();
        for (kind, name, node) in definitions(method, result) {
            if is_hostile(&node.pointer(), &name) {
                continue;
            }
            let finding = self.compare_one(upstream, kind, &name, node, now, differed.contains(&name));
            if finding.is_some() {
                differed.insert(name);
            }
            findings.extend(finding);
        }
        findings
    }

    fn compare_one(
        &self,
        upstream: &UpstreamId,
        kind: PinKind,
        name: &str,
        node: NodeRef<'_>,
        now: UnixMs,
        differed: bool,
    ) -> Option<Finding> {
        let definition = canonical(node);
        let mut state = self.state();
        if kind == PinKind::Tool {
            state.withheld.remove(&(upstream.clone(), name.to_owned()));
        }
        let by_name = state.pins.entry(upstream.clone()).or_default();
        let mut changed_pin = None;
        let mut finding = None;
        match by_name.get_mut(&(kind, name.to_owned())) {
            None => {
                let pin = Pin {
                    upstream: upstream.clone(),
                    kind,
                    name: name.to_owned(),
                    approved: definition,
                    approved_at: now,
                    approved_by: ApprovedBy::FirstSight,
                    changed: None,
                    seen_at: now,
                };
                by_name.insert((kind, name.to_owned()), pin.clone());
                changed_pin = Some(pin);
            }
            Some(pin) => {
                let differs = pin.approved != definition;
                if differs {
                    finding = Some(drift(kind, &pin.name, node));
                }
                let changed = differs.then_some(definition);
                if pin.changed != changed && (differs || !differed) {
                    (pin.changed, pin.seen_at) = (changed, now);
                    changed_pin = Some(pin.clone());
                }
            }
        }
        if let Some(pin) = &changed_pin {
            remember_schema(&mut state, pin);
        }
        drop(state);
        if let Some(pin) = &changed_pin {
            (self.save)(pin);
        }
        finding
    }
}

/// Argument types come from the approved schema only: a changed one may not relabel a path as free text.
fn remember_schema(state: &mut State, pin: &Pin) {
    if pin.kind != PinKind::Tool {
        return;
    }
    let limits = portcullis_domain::Limits::default();
    let doc =
        portcullis_domain::json::Doc::parse(pin.approved.as_bytes(), portcullis_domain::json::Mode::Lenient, &limits);
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

fn drift(kind: PinKind, name: &str, node: NodeRef<'_>) -> Finding {
    let title = match kind {
        PinKind::Tool => "A tool's definition changed after it was approved",
        PinKind::Prompt => "A prompt's definition changed after it was approved",
        PinKind::Resource | PinKind::ResourceTemplate => "A resource's definition changed after it was approved",
        PinKind::Instructions => "The server's instructions changed after they were approved",
    };
    let span = node.span();
    Finding {
        signature: "definition-changed".into(),
        version: 1,
        category: "drift".into(),
        severity: Severity::Medium,
        confidence: Confidence::High,
        verdict: Verdict::Flag,
        title: title.into(),
        json_path: node.pointer(),
        span: Some(portcullis_domain::Span { start: span.start, end: span.end }),
        matched: name.chars().take(200).collect(),
        decoded: None,
    }
}
