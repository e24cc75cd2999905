//! Pins for people: rows with their server's name, two definitions side by side, and the acts. Every act that lets
//! something through leaves a Change row; what is compared and held back is decided in `portcullis_policy`.

use crate::clock;
use crate::core::Core;
use portcullis_domain::api::{DiffLine, DiffTag, PinAnswer, PinChoice, PinDetail, PinList, PinRefusal, PinRow};
use portcullis_domain::json::{Doc, Kind, Mode, NodeRef, quote};
use portcullis_domain::{AppId, ChangeKind, Limits, Pin, PinKind, Quarantine, UpstreamId};
use portcullis_policy::{Reviewed, digest};
use sha2::Digest as _;
use similar::{ChangeTag, TextDiff};

const CONTEXT_LINES: usize = 3;
const ID_CHARS: usize = 16;

/// What a person may do with a Pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Approve,
    Release,
    Quarantine,
}

/// Which Pins are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Which {
    /// Kept from their app until reviewed.
    Review,
    /// Those, and whatever else differs from what was approved.
    Changed,
    #[default]
    All,
}

/// Stands for upstream, kind and name: names of resources hold slashes, and some are long.
pub(crate) fn id(upstream: &UpstreamId, kind: PinKind, name: &str) -> String {
    let text = format!("{}\0{}\0{name}", upstream.as_str(), kind.as_str());
    let mut id = data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(text.as_bytes()));
    id.truncate(ID_CHARS);
    id
}

fn id_of(pin: &Pin) -> String {
    id(&pin.upstream, pin.kind, &pin.name)
}

pub(crate) fn list(core: &Core, upstream: Option<&UpstreamId>, which: Which) -> PinList {
    let pins: Vec<Pin> =
        core.pins.all().into_iter().filter(|pin| upstream.is_none_or(|id| pin.upstream == *id)).collect();
    let count = |test: fn(&Pin) -> bool| pins.iter().filter(|pin| test(pin)).count() as u32;
    let (held, changed, all) = (count(is_held), count(|pin| pin.changed.is_some()), count(|_| true));
    let wanted = |pin: &&Pin| match which {
        Which::Review => is_held(pin),
        Which::Changed => is_held(pin) || pin.changed.is_some(),
        Which::All => true,
    };
    let mut rows: Vec<PinRow> = pins.iter().filter(wanted).map(|pin| row(core, pin)).collect();
    let rank = |row: &PinRow| (row.quarantine.is_none(), row.drift.as_ref().map(|drift| drift.grade).is_none());
    rows.sort_by(|a, b| {
        let grade = |row: &PinRow| row.drift.as_ref().map(|drift| drift.grade);
        rank(a).cmp(&rank(b)).then_with(|| grade(b).cmp(&grade(a)))
    });
    PinList { pins: rows, held, changed, all }
}

fn is_held(pin: &Pin) -> bool {
    pin.quarantine.is_some()
}

fn row(core: &Core, pin: &Pin) -> PinRow {
    let routes = core.routes.load();
    let upstream = routes.get(&pin.upstream);
    PinRow {
        id: id_of(pin),
        upstream: pin.upstream.clone(),
        upstream_name: upstream.map(|upstream| upstream.name.clone()).unwrap_or_default(),
        app: upstream.map_or_else(|| AppId::new(""), |upstream| upstream.app.clone()),
        kind: pin.kind,
        name: pin.name.clone(),
        approved_by: pin.approved_by,
        approved_at: pin.approved_at,
        seen_at: pin.seen_at,
        approved: digest(&pin.approved),
        changed: pin.changed.as_deref().map(digest),
        drift: pin.drift.clone(),
        quarantine: pin.quarantine,
    }
}

fn find(core: &Core, id: &str) -> Option<Pin> {
    core.pins.all().into_iter().find(|pin| id_of(pin) == id)
}

pub(crate) fn detail(core: &Core, id: &str) -> Option<PinDetail> {
    let pin = find(core, id)?;
    let approved_text = readable(&pin.approved);
    let changed_text = pin.changed.as_deref().map(readable);
    let diff = changed_text.as_deref().map_or_else(Vec::new, |changed| diff(&approved_text, changed));
    Some(PinDetail { pin: row(core, &pin), approved_text, changed_text, diff })
}

pub(crate) fn act(core: &Core, act: Act, choices: &[PinChoice]) -> PinAnswer {
    let mut answer = PinAnswer { done: Vec::new(), refused: Vec::new(), hints: Vec::new() };
    for choice in choices {
        let refuse = |code: &str, message: &str| PinRefusal {
            id: choice.id.clone(),
            code: code.into(),
            message: message.into(),
        };
        let Some(pin) = find(core, &choice.id) else {
            answer.refused.push(refuse("not_found", "There is no such definition; `portcullis pins` lists them."));
            continue;
        };
        let (upstream, kind, name) = (&pin.upstream, pin.kind, pin.name.as_str());
        let reviewed = match act {
            Act::Approve => core.pins.approve(upstream, kind, name, &choice.digest, clock::now()),
            Act::Release => core.pins.release(upstream, kind, name, &choice.digest, clock::now()),
            Act::Quarantine => core.pins.quarantine(upstream, kind, name),
        };
        match reviewed {
            Reviewed::Unknown => answer.refused.push(refuse("not_found", "There is no such definition any more.")),
            Reviewed::Outdated => answer
                .refused
                .push(refuse("outdated", "It is not the definition that you looked at any more. Look at it again.")),
            Reviewed::Done => {
                tell(core, act, &pin);
                answer.done.extend(find(core, &choice.id).map(|pin| row(core, &pin)));
            }
        }
    }
    answer.hints = hints(&answer.done);
    core.stale(&["pins", "apps", "status"]);
    answer
}

fn tell(core: &Core, act: Act, pin: &Pin) {
    let routes = core.routes.load();
    let server = routes.get(&pin.upstream).map_or_else(|| "a server".to_owned(), |upstream| upstream.name.clone());
    let what = match pin.kind {
        PinKind::Instructions => format!("The instructions of {server}"),
        kind => format!("The {} {} of {server}", kind.as_str().replace('_', " "), quote(&pin.name)),
    };
    let did = match (act, pin.quarantine) {
        (Act::Approve, _) if pin.changed.is_some() => "were approved as changed",
        (Act::Approve, _) => "were approved",
        (Act::Release, _) => "were let through again, as approved before",
        (Act::Quarantine, _) => "were put into quarantine",
    };
    let did = if pin.kind == PinKind::Instructions { did.to_owned() } else { did.replacen("were", "was", 1) };
    let app = routes.get(&pin.upstream).map(|upstream| upstream.app.clone());
    let summary = format!("{what} {did}.");
    match act {
        Act::Approve | Act::Release => core.loosened(ChangeKind::PinReviewed, app, summary),
        Act::Quarantine => core.change(ChangeKind::PinReviewed, app, summary),
    }
}

/// Apps read lists when they like: some only at their start.
fn hints(done: &[PinRow]) -> Vec<String> {
    let names: std::collections::BTreeSet<&str> = done.iter().map(|row| row.upstream_name.as_str()).collect();
    let named = names.into_iter().filter(|name| !name.is_empty());
    named
        .map(|name| format!("If the app does not show it, restart the app or reload the server {name} there."))
        .collect()
}

/// A canonical definition laid out for reading and comparing: a member a line, texts broken where they break.
fn readable(definition: &str) -> String {
    let limits = Limits::default();
    let Ok(doc) = Doc::parse(definition.as_bytes(), Mode::Lenient, &limits) else { return definition.to_owned() };
    let mut out = String::new();
    write(doc.root(), 0, &mut out);
    out
}

fn write(node: NodeRef<'_>, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let label = node.key().map(|key| format!("{}: ", quote(&key))).unwrap_or_default();
    match node.kind() {
        Kind::Object | Kind::Array if node.children().next().is_some() => {
            if depth > 0 {
                out.push_str(&format!("{}{label}\n", "  ".repeat(depth - 1)));
            }
            node.children().for_each(|child| write(child, depth + 1, out));
        }
        Kind::String => {
            let text = node.as_str().unwrap_or_default();
            let outer = indent.get(2..).unwrap_or("");
            let mut lines = text.split('\n');
            out.push_str(&format!("{outer}{label}{}\n", lines.next().unwrap_or("").trim_end_matches('\r')));
            lines.for_each(|line| out.push_str(&format!("{indent}{}\n", line.trim_end_matches('\r'))));
        }
        _ => {
            let outer = indent.get(2..).unwrap_or("");
            out.push_str(&format!("{outer}{label}{}\n", String::from_utf8_lossy(node.raw())));
        }
    }
}

fn diff(before: &str, after: &str) -> Vec<DiffLine> {
    let diff = TextDiff::from_lines(before, after);
    let number = |index: Option<usize>| index.map(|index| index as u32 + 1);
    let ops = diff.grouped_ops(CONTEXT_LINES);
    let changes = ops.iter().flatten().flat_map(|op| diff.iter_changes(op));
    let line = |change: similar::Change<&str>| DiffLine {
        tag: match change.tag() {
            ChangeTag::Equal => DiffTag::Same,
            ChangeTag::Delete => DiffTag::Removed,
            ChangeTag::Insert => DiffTag::Added,
        },
        old_line: number(change.old_index()),
        new_line: number(change.new_index()),
        text: change.value().trim_end_matches(['\r', '\n']).into(),
    };
    changes.map(line).collect()
}

/// Why a definition is held, in a few words.
pub(crate) fn held_because(quarantine: Quarantine) -> &'static str {
    match quarantine {
        Quarantine::Changed => "held: it changed",
        Quarantine::New => "held: new server",
        Quarantine::Person => "held by you",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_laid_out_line_by_line_and_compared_so() {
        let old =
            r#"{"description":"Reads.\nFast.","inputSchema":{"properties":{"path":{"type":"string"}}},"name":"t"}"#;
        let new = r#"{"description":"Reads.\nSends.","inputSchema":{"properties":{"path":{"type":"string"},"to":{}}},"name":"t"}"#;
        let text = readable(old);
        assert!(text.lines().any(|line| line.trim() == "Fast."), "{text}");
        assert!(text.contains("\"type\": string"), "{text}");
        let lines = diff(&text, &readable(new));
        let shown = |tag| lines.iter().filter(|l| l.tag == tag).map(|l| l.text.trim().to_owned()).collect::<Vec<_>>();
        assert_eq!(shown(DiffTag::Removed), ["Fast."]);
        assert_eq!(shown(DiffTag::Added), ["Sends.", "\"to\": {}"]);
    }

    #[test]
    fn ids_tell_kinds_and_servers_apart() {
        let (a, b) = (UpstreamId::new("a"), UpstreamId::new("b"));
        let ids = [
            id(&a, PinKind::Tool, "x"),
            id(&a, PinKind::Prompt, "x"),
            id(&b, PinKind::Tool, "x"),
            id(&a, PinKind::Tool, "y"),
        ];
        assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 4);
    }
}
