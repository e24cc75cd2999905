//! How a definition differs from the one a person approved (or that was seen first). Only what is *new* is judged: text
//! that was not there, parameters, capabilities, destinations. Rewording, notation and plainly benign additions are quiet.

mod ability;
mod parameter;
mod subject;
mod text;

use crate::canonical::placeholder;
use portcullis_domain::json::{Doc, Kind, Mode, NodeRef, quote};
use portcullis_domain::{
    Direction, Drift, DriftCause, DriftGrade, DriftReason, Finding, Limits, PinKind, Scan, ScanContext, ScanInput,
    Severity, Verdict,
};
use std::collections::HashSet;

/// What one reason adds; together they make the grade.
const GRAVE_WEIGHT: u32 = 100;
const NOTABLE_WEIGHT: u32 = 50;
const MAX_REASONS: usize = 20;
const MAX_QUOTED_CHARS: usize = 160;

/// Reasons with their weights, as they are found.
#[derive(Default)]
pub(crate) struct Found {
    reasons: Vec<DriftReason>,
    weight: u32,
    /// Something that only the person can weigh, whatever else there is.
    is_notable: bool,
}

impl Found {
    fn add(&mut self, weight: u32, cause: DriftCause, json_path: &str, text: String) {
        self.weight = self.weight.saturating_add(weight);
        if self.reasons.len() < MAX_REASONS {
            self.reasons.push(DriftReason { cause, json_path: json_path.to_owned(), text });
        }
    }

    fn weigh(&mut self, weight: u32) {
        self.weight = self.weight.saturating_add(weight);
    }

    /// Worth a look, and never more than that: honest releases do such things.
    fn note(&mut self, cause: DriftCause, json_path: &str, text: String) {
        self.is_notable = true;
        self.add(0, cause, json_path, text);
    }

    fn drift(mut self) -> Drift {
        self.reasons.sort_by(|a, b| (a.cause, &a.json_path).cmp(&(b.cause, &b.json_path)));
        let grade = match self.weight {
            GRAVE_WEIGHT.. => DriftGrade::Grave,
            NOTABLE_WEIGHT.. => DriftGrade::Notable,
            _ if self.is_notable => DriftGrade::Notable,
            _ => DriftGrade::Quiet,
        };
        Drift { grade, reasons: self.reasons }
    }
}

/// Both definitions are canonical JSON. Bounded: each is scanned once, new text once more.
pub(crate) fn classify(scan: &dyn Scan, kind: PinKind, approved: &str, seen: &str) -> Drift {
    let limits = Limits::default();
    let (Ok(old), Ok(new)) =
        (Doc::parse(approved.as_bytes(), Mode::Lenient, &limits), Doc::parse(seen.as_bytes(), Mode::Lenient, &limits))
    else {
        return too_large();
    };
    if is_placeholder(old.root()) || is_placeholder(new.root()) {
        return too_large();
    }
    let mut found = Found::default();
    signatures(scan, kind, approved, seen, &mut found);
    text::compare(scan, old.root(), new.root(), &mut found);
    if matches!(kind, PinKind::Tool | PinKind::Prompt) {
        parameter::compare(old.root(), new.root(), &mut found);
        capabilities(old.root(), new.root(), &mut found);
    }
    found.drift()
}

fn is_placeholder(node: NodeRef<'_>) -> bool {
    node.children().count() == 2 && node.get("bytes").is_some() && node.get("sha256").is_some()
}

fn too_large() -> Drift {
    let text = "It is too large to be kept and compared.".to_owned();
    Drift {
        grade: DriftGrade::Grave,
        reasons: vec![DriftReason { cause: DriftCause::Size, json_path: String::new(), text }],
    }
}

/// A canonical definition, or what stands for it when it is too large to keep.
pub(crate) fn fitted(definition: String, room: usize) -> String {
    if definition.len() > room { placeholder(&definition) } else { definition }
}

/// Signatures that match the new definition and did not match the approved one.
fn signatures(scan: &dyn Scan, kind: PinKind, approved: &str, seen: &str, found: &mut Found) {
    let now = matches(scan, kind, seen);
    if now.is_empty() {
        return;
    }
    let before: HashSet<String> = matches(scan, kind, approved).into_iter().map(|one| one.signature).collect();
    let mut told = HashSet::new();
    for one in now {
        if !before.contains(&one.signature) && told.insert(one.signature.clone()) {
            // What only may be wrong counts with what else is new.
            let is_sure = one.verdict >= Verdict::Block || one.severity >= Severity::High;
            let weight = if is_sure { GRAVE_WEIGHT } else { NOTABLE_WEIGHT };
            found.add(weight, DriftCause::Signature, &one.json_path, format!("{}.", one.title));
        }
    }
}

/// Findings in the definition; their pointers begin inside it.
fn matches(scan: &dyn Scan, kind: PinKind, definition: &str) -> Vec<Finding> {
    let (method, before, after, prefix) = match kind {
        PinKind::Tool => ("tools/list", r#"{"tools":["#, "]}", "/result/tools/0"),
        PinKind::Prompt => ("prompts/list", r#"{"prompts":["#, "]}", "/result/prompts/0"),
        PinKind::Resource => ("resources/list", r#"{"resources":["#, "]}", "/result/resources/0"),
        PinKind::ResourceTemplate => {
            ("resources/templates/list", r#"{"resourceTemplates":["#, "]}", "/result/resourceTemplates/0")
        }
        PinKind::Instructions => ("initialize", r#"{"instructions":"#, "}", "/result/instructions"),
    };
    let message = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{before}{definition}{after}}}"#);
    let limits = Limits::default();
    let Ok(doc) = Doc::parse(message.as_bytes(), Mode::Lenient, &limits) else { return Vec::new() };
    let input = ScanInput {
        direction: Direction::ToClient,
        doc: &doc,
        root: doc.root(),
        method: Some(method),
        target: None,
        is_response: true,
        context: ScanContext::default(),
    };
    let findings = scan.scan(&input).into_iter().filter(|finding| finding.verdict > Verdict::Allow);
    let inside = |path: &str| path.strip_prefix(prefix).unwrap_or_default().to_owned();
    findings.map(|finding| Finding { json_path: inside(&finding.json_path), ..finding }).collect()
}

/// Hints that an approved tool gave about itself and takes back now.
fn capabilities(old: NodeRef<'_>, new: NodeRef<'_>, found: &mut Found) {
    let hint = |root: NodeRef<'_>, name| {
        let value = root.path(&["annotations", name])?;
        (value.kind() == Kind::Bool).then(|| value.raw() == b"true")
    };
    for (name, safe, text) in [
        ("readOnlyHint", true, "It no longer says that it only reads."),
        ("destructiveHint", false, "It no longer says that it destroys nothing."),
        ("openWorldHint", false, "It no longer says that it stays inside its own system."),
    ] {
        if hint(old, name) == Some(safe) && hint(new, name) == Some(!safe) {
            found.note(DriftCause::Capability, &format!("/annotations/{name}"), text.to_owned());
        }
    }
}

/// A hostile text on one line, quoted and short.
pub(crate) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(MAX_QUOTED_CHARS).collect();
    quote(&short)
}
