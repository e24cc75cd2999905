//! New text: sentences that the approved definition did not hold, and what they say.

use super::{Found, quoted, subject};
use portcullis_domain::json::{Kind, NodeRef};
use portcullis_domain::{DriftCause, Scan};
use std::borrow::Cow;
use std::collections::HashSet;

/// New sentences looked at; a definition with more of them is a new one in all but name, and these say enough.
const MAX_SENTENCES: usize = 2000;
/// Old sentences compared with one new sentence that says something.
const MAX_COMPARED: usize = 500;
/// Share of common words from which a sentence counts as a rewording of another.
const REWORDING: f32 = 0.6;
/// What a description adds that has nothing in common with the approved one, or a sentence about something else.
const ANOTHER_WEIGHT: u32 = 100;
/// Sentences of another subject that are told; one is enough to weigh.
const MAX_SUBJECTS: usize = 3;

pub(super) fn compare(scan: &dyn Scan, old: NodeRef<'_>, new: NodeRef<'_>, found: &mut Found) {
    let before = texts(old);
    let old_sentences: Vec<&str> = before.iter().flat_map(|(_, text)| sentences(text)).collect();
    let known: HashSet<String> = old_sentences.iter().map(|sentence| plain(sentence)).collect();
    let after = texts(new);
    let fresh = after.iter().flat_map(|(node, text)| sentences(text).map(move |sentence| (*node, sentence)));
    let fresh = fresh.filter(|(_, sentence)| !known.contains(&plain(sentence)));
    let mut told: HashSet<&'static str> = HashSet::new();
    let names = keys(old);
    let mut told_subjects = 0;
    if is_another(old, new) {
        let text = "It describes itself in entirely other words.".to_owned();
        found.add(ANOTHER_WEIGHT, DriftCause::Order, "/description", text);
    }
    let subjects = subject::words(before.iter().map(|(_, text)| &**text).chain(names.iter().map(|name| &**name)));
    for (node, sentence) in fresh.take(MAX_SENTENCES) {
        if is_description(node)
            && told_subjects < MAX_SUBJECTS
            && subject::is_another(sentence, is_inner(node), &subjects)
        {
            let text = format!("It now says that it does something else: {}.", quoted(sentence));
            found.add(if told_subjects == 0 { ANOTHER_WEIGHT } else { 0 }, DriftCause::Order, &node.pointer(), text);
            told_subjects += 1;
        }
        let said = scan.concepts(sentence);
        if said.is_empty() {
            continue;
        }
        let before = said_before(scan, sentence, &old_sentences);
        for concept in said {
            let quote = sentence.get(concept.range.clone()).unwrap_or(sentence);
            let is_known = if is_place(concept.cause) {
                // Another destination or path is another, however much the sentence resembles an old one.
                old_sentences.iter().any(|old| old.contains(quote))
            } else {
                before.contains(&(concept.cause, concept.title))
            };
            if !is_known && told.insert(concept.title) {
                let text = format!("It now {}: {}.", concept.title, quoted(quote));
                found.add(concept.weight, concept.cause, &node.pointer(), text);
            }
        }
    }
}

/// Whether the description has next to nothing in common with the approved one.
fn is_another(old: NodeRef<'_>, new: NodeRef<'_>) -> bool {
    let text = |root: NodeRef<'_>| root.get("description").and_then(|node| node.as_str().map(|text| words(&text)));
    let (Some(old), Some(new)) = (text(old), text(new)) else { return false };
    let common = old.intersection(&new).filter(|word| word.len() > 3).count();
    old.len() >= 4 && new.len() >= 4 && common == 0
}

/// Where sentences say what a tool or a parameter does.
fn is_description(node: NodeRef<'_>) -> bool {
    node.parent().is_none() || node.key().is_some_and(|key| key == "description")
}

/// Whether it stands deeper than the description of the tool itself.
fn is_inner(node: NodeRef<'_>) -> bool {
    node.parent().is_some_and(|parent| parent.parent().is_some())
}

/// The names of everything below `root`.
fn keys(root: NodeRef<'_>) -> Vec<Cow<'_, str>> {
    let mut out = Vec::new();
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        out.extend(node.key());
        open.extend(node.children());
    }
    out
}

fn is_place(cause: DriftCause) -> bool {
    matches!(cause, DriftCause::Destination | DriftCause::SensitivePath)
}

/// What those old sentences say that the new one is a rewording of.
fn said_before(scan: &dyn Scan, sentence: &str, old: &[&str]) -> Vec<(DriftCause, &'static str)> {
    let words = words(sentence);
    let similar = old.iter().filter(|one| is_rewording(&words, one)).take(MAX_COMPARED);
    similar.flat_map(|one| scan.concepts(one)).map(|concept| (concept.cause, concept.title)).collect()
}

fn words(text: &str) -> HashSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

fn is_rewording(new: &HashSet<String>, old: &str) -> bool {
    let old = words(old);
    let common = new.intersection(&old).count();
    let all = new.len() + old.len() - common;
    all > 0 && common as f32 / all as f32 >= REWORDING
}

/// Every string and key below `root` but the words that JSON Schema fixes.
fn texts(root: NodeRef<'_>) -> Vec<(NodeRef<'_>, Cow<'_, str>)> {
    let mut out = Vec::new();
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        if let Some(key) = node.key().filter(|key| key.contains(' ') || key.len() > 40) {
            out.push((node, key));
        }
        let fixed = matches!(node.key().as_deref(), Some("type" | "$schema" | "$ref")) && node.parent().is_some();
        match node.kind() {
            Kind::String if !(fixed && is_fixed(&node)) => out.extend(node.as_str().map(|text| (node, text))),
            Kind::Object | Kind::Array => open.extend(node.children()),
            _ => {}
        }
    }
    out.reverse();
    out
}

fn is_fixed(node: &NodeRef<'_>) -> bool {
    let text = node.as_str().unwrap_or_default();
    matches!(&*text, "string" | "object" | "array" | "number" | "integer" | "boolean" | "null")
        || text.starts_with("#/")
        || text.starts_with("http://json-schema.org/")
        || text.starts_with("https://json-schema.org/")
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.split(['\n', '\r']);
    let parts =
        lines.flat_map(|line| line.split_inclusive(". ").flat_map(|part| part.split_inclusive(['!', '?', ';'])));
    parts.map(str::trim).filter(|part| part.len() > 1)
}

/// The same words in another notation are no new text. Only ASCII notation falls away: invisible and look-alike
/// characters make another sentence.
fn plain(sentence: &str) -> String {
    let mut out = String::with_capacity(sentence.len());
    for c in sentence.chars().filter(|c| !matches!(c, '`' | '*' | '"' | '\'' | '#')) {
        if c.is_ascii_whitespace() {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else {
            out.push(c.to_ascii_lowercase());
        }
    }
    out.trim_matches(|c: char| c.is_ascii_punctuation() && !matches!(c, '/' | '~') || c == ' ').to_owned()
}
