//! New text: sentences that the approved definition did not hold, and what they say.

use super::ability::{self, Known};
use super::subject::Subjects;
use super::{Found, quoted};
use portcullis_domain::json::{Kind, NodeRef};
use portcullis_domain::{Concept, DriftCause, Scan};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

/// New sentences looked at; a definition with more of them is a new one in all but name, and these say enough.
const MAX_SENTENCES: usize = 2000;
/// Old sentences compared with one new sentence that says something.
const MAX_COMPARED: usize = 500;
/// Words looked up in all those comparisons, and places looked for among the old sentences. What is not looked for
/// counts as new.
const MAX_LOOKED_UP: usize = 2_000_000;
const MAX_PLACES: usize = 200;
/// Share of common words from which a sentence counts as a rewording of another.
const REWORDING: f32 = 0.6;
/// What a description adds that has nothing in common with the approved one, or a sentence about something else.
const ANOTHER_WEIGHT: u32 = 100;
/// New sentences in a row whose weights add up: what far apart ones say does not, however long the text is.
const TOGETHER: usize = 3;
/// New sentences of a description, up to which it is a small change.
const MAX_FEW: usize = 8;
/// Shorter descriptions share no words by chance.
const MIN_OLD_WORDS: usize = 4;
/// Shorter old sentences begin others by chance.
const MIN_CONTINUED: usize = 12;
/// Fewer words give no order: the values of a choice are names.
const MIN_ORDER_WORDS: usize = 3;
/// So many make a title or an example a text.
const MIN_REMARK_WORDS: usize = 3;

pub(super) fn compare(scan: &dyn Scan, old: NodeRef<'_>, new: NodeRef<'_>, found: &mut Found) {
    let before = texts(old);
    let old_sentences: Vec<&str> = before.iter().flat_map(|(_, text)| sentences(text)).collect();
    let known: HashSet<String> = old_sentences.iter().map(|sentence| plain(sentence)).collect();
    let after = texts(new);
    let fresh = after.iter().flat_map(|(node, text)| sentences(text).map(move |sentence| (*node, sentence)));
    let fresh = fresh.filter(|(_, sentence)| !known.contains(&plain(sentence)));
    let fresh = fresh.map(|(node, sentence)| (node, continued(sentence, &old_sentences)));
    let names = keys(old);
    let words = || before.iter().map(|(_, text)| &**text).chain(names.iter().map(|name| &**name));
    let mut approved = Approved {
        scan,
        old: Old::new(&old_sentences),
        subjects: Subjects::of(words(), &name_of(new)),
        abilities: Known::of(words()),
    };
    if is_another(old, new, &approved.subjects) {
        let text = "It describes itself in entirely other words.".to_owned();
        found.add(ANOTHER_WEIGHT, DriftCause::Order, "/description", text);
    }
    let fresh: Vec<(NodeRef<'_>, &str)> = fresh.take(MAX_SENTENCES).collect();
    beside(&fresh, &approved.subjects, found);
    let mut told = HashSet::new();
    let mut together: VecDeque<Vec<Said>> = VecDeque::new();
    let mut heaviest = 0;
    for (node, sentence) in fresh {
        let said = approved.new_in(node, sentence);
        for one in said.iter().filter(|one| told.insert(one.title)) {
            found.add(0, one.cause, &node.pointer(), one.text.clone());
        }
        together.push_back(said);
        if together.len() > TOGETHER {
            together.pop_front();
        }
        let mut counted = HashSet::new();
        let weights = together.iter().flatten().filter(|one| counted.insert(one.title)).map(|one| one.weight);
        heaviest = heaviest.max(weights.sum());
    }
    found.weigh(heaviest);
}

/// A sentence that has nothing to do with the rest. In a description that is rewritten altogether some are, by chance.
fn beside(fresh: &[(NodeRef<'_>, &str)], subjects: &Subjects, found: &mut Found) {
    let of_tool = || fresh.iter().filter(|(node, _)| is_description(*node) && !is_inner(*node));
    if let Some((node, sentence)) = of_tool().find(|(_, sentence)| subjects.is_beside(sentence)) {
        let text = format!("It now speaks of something else: {}.", quoted(sentence));
        if of_tool().count() <= MAX_FEW {
            found.add(ANOTHER_WEIGHT, DriftCause::Order, &node.pointer(), text);
        } else {
            found.note(DriftCause::Order, &node.pointer(), text);
        }
    }
}

/// What one new sentence says.
struct Said {
    title: &'static str,
    cause: DriftCause,
    weight: u32,
    text: String,
}

/// The approved definition, as new sentences are compared with it.
struct Approved<'a> {
    scan: &'a dyn Scan,
    old: Old<'a>,
    subjects: Subjects,
    abilities: Known,
}

impl Approved<'_> {
    fn new_in(&mut self, node: NodeRef<'_>, sentence: &str) -> Vec<Said> {
        let mut out = Vec::new();
        let mut tell = |title, weight, cause, words: &str| {
            let text = format!("It now {title}: {}.", quoted(words));
            out.push(Said { title, cause, weight, text });
        };
        if is_value(node) && self.subjects.is_odd_value(sentence) {
            tell("has text in place of a value", ANOTHER_WEIGHT, DriftCause::Order, sentence);
        }
        if is_title(node) && self.subjects.is_another_title(sentence) {
            tell("is called something else", ANOTHER_WEIGHT, DriftCause::Order, sentence);
        }
        if is_description(node) {
            if self.subjects.is_another(sentence, parameter(node).as_deref()) {
                tell("says that it does something else", ANOTHER_WEIGHT, DriftCause::Order, sentence);
            }
            for one in ability::new_in(&self.scan.plain(sentence), is_inner(node), &self.abilities) {
                // Of a parameter: what is done with its value, or when. Of a server: what its tools do.
                let is_weak = one.is_bare() || is_inner(node) && one.cause == DriftCause::Capability;
                let is_aside = is_inner(node) || node.parent().is_none();
                let weight = if is_aside && is_weak { ANOTHER_WEIGHT / 2 } else { ANOTHER_WEIGHT };
                tell(one.title, weight, one.cause, sentence);
            }
        }
        for (concept, weight) in self.new_concepts(node, sentence) {
            let words = sentence.get(concept.range.clone()).unwrap_or(sentence);
            tell(concept.title, weight, concept.cause, words);
        }
        out
    }

    /// The concepts in a sentence that the approved definition did not hold, each with what it adds.
    fn new_concepts(&mut self, node: NodeRef<'_>, sentence: &str) -> Vec<(Concept, u32)> {
        let concepts = self.scan.concepts(sentence);
        let before = if concepts.is_empty() { BTreeSet::new() } else { self.old.said_before(self.scan, sentence) };
        let is_word = sentence.split_whitespace().count() < MIN_ORDER_WORDS;
        let mut out: Vec<(Concept, u32)> = Vec::new();
        for concept in concepts.into_iter().filter(|concept| !(is_word && concept.cause == DriftCause::Order)) {
            let quote = sentence.get(concept.range.clone()).unwrap_or(sentence);
            let is_known = if is_place(concept.cause) {
                // Another destination or path is another, however much the sentence resembles an old one.
                self.old.holds(quote)
            } else {
                before.contains(&(concept.cause, concept.title))
            };
            if is_known {
                continue;
            }
            // A way out that the model is to choose or to leave as it is needs no words.
            let is_way_out = is_value(node) && concept.cause == DriftCause::Destination;
            let weight = if is_way_out { ANOTHER_WEIGHT } else { concept.weight };
            // What two of them see in the same words counts once.
            let same = out
                .iter()
                .filter(|(other, _)| other.range.start < concept.range.end && concept.range.start < other.range.end);
            let counted = same.map(|(other, _)| other.weight).max().unwrap_or(0);
            out.push((concept, weight.saturating_sub(counted)));
        }
        out
    }
}

/// What follows in a sentence after one that was there: added without a full stop between them.
fn continued<'s>(sentence: &'s str, old: &[&str]) -> &'s str {
    let ends = old.iter().take(MAX_COMPARED).filter(|old| old.len() >= MIN_CONTINUED);
    let rest = ends.filter_map(|old| sentence.strip_prefix(old.trim_end_matches(['.', ' ', ':'])));
    let rest = rest.min_by_key(|rest| rest.len()).map(|rest| rest.trim_start_matches([' ', '.', ':', ',', '-']));
    rest.filter(|rest| rest.starts_with(|c: char| c.is_uppercase())).unwrap_or(sentence)
}

/// Whether the description has nothing in common with the approved one, nor with the name of the tool.
fn is_another(old: NodeRef<'_>, new: NodeRef<'_>, subjects: &Subjects) -> bool {
    let (old, new) = (old.get("description"), new.get("description"));
    let (Some(old), Some(new)) = (old.and_then(|node| node.as_str()), new.and_then(|node| node.as_str())) else {
        return false;
    };
    words(&old).len() >= MIN_OLD_WORDS && subjects.is_another_description(&old, &new)
}

/// Where sentences say what a tool or a parameter does.
fn is_description(node: NodeRef<'_>) -> bool {
    (node.parent().is_none() || node.key().is_some_and(|key| key == "description") || is_remark(node))
        && !is_output(node)
}

/// A title of a parameter, a comment or an example that is a text: the model reads it as it reads descriptions.
fn is_remark(node: NodeRef<'_>) -> bool {
    let is_example = |node: NodeRef<'_>| node.key().is_some_and(|key| matches!(&*key, "example" | "examples"));
    let is_short = || {
        let text = node.as_str().unwrap_or_default();
        text.split_whitespace().nth(MIN_REMARK_WORDS - 1).is_none()
    };
    let stands =
        is_inner(node) && !is_title(node) && node.key().is_some_and(|key| matches!(&*key, "title" | "$comment"))
            || is_example(node)
            || node.parent().is_some_and(is_example);
    stands && !is_short()
}

/// Where a value stands that the model is to choose or to leave as it is.
fn is_value(node: NodeRef<'_>) -> bool {
    let is_choice = |node: NodeRef<'_>| node.key().is_some_and(|key| matches!(&*key, "enum" | "const" | "default"));
    is_choice(node) || node.parent().is_some_and(is_choice)
}

/// The title of the tool itself.
fn is_title(node: NodeRef<'_>) -> bool {
    let is_root = |node: NodeRef<'_>| node.parent().is_none();
    node.key().is_some_and(|key| key == "title")
        && node.parent().is_some_and(|parent| {
            is_root(parent)
                || parent.key().is_some_and(|key| key == "annotations") && parent.parent().is_some_and(is_root)
        })
}

/// Whether it describes what comes back.
fn is_output(node: NodeRef<'_>) -> bool {
    std::iter::successors(Some(node), |node| node.parent())
        .any(|node| node.key().is_some_and(|key| key == "outputSchema"))
}

fn name_of(root: NodeRef<'_>) -> String {
    root.get("name").and_then(|name| name.as_str()).unwrap_or_default().into_owned()
}

/// What a description that is not that of the tool itself describes.
fn parameter(node: NodeRef<'_>) -> Option<Cow<'_, str>> {
    is_inner(node).then(|| node.parent().and_then(|parent| parent.key()).unwrap_or_default())
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

/// The sentences of the approved definition. Each is cut into words and looked at once, when it is first asked for.
struct Old<'a> {
    sentences: &'a [&'a str],
    words: Option<Vec<HashSet<String>>>,
    /// What the sentence of that number says.
    said: HashMap<usize, Vec<(DriftCause, &'static str)>>,
    looked_up: usize,
    places: usize,
}

impl<'a> Old<'a> {
    fn new(sentences: &'a [&'a str]) -> Self {
        Self { sentences, words: None, said: HashMap::new(), looked_up: 0, places: 0 }
    }

    /// What those old sentences say that the new one is a rewording of.
    fn said_before(&mut self, scan: &dyn Scan, sentence: &str) -> BTreeSet<(DriftCause, &'static str)> {
        let new = words(sentence);
        let compared = self.sentences.iter().take(MAX_COMPARED);
        let old = self.words.get_or_insert_with(|| compared.clone().map(|one| words(one)).collect());
        let mut out = BTreeSet::new();
        for (at, (one, old)) in compared.zip(old.iter()).enumerate() {
            if !may_be_rewording(&new, old) {
                continue;
            }
            self.looked_up += new.len().min(old.len());
            if self.looked_up > MAX_LOOKED_UP {
                break;
            }
            if is_rewording(&new, old) {
                let concepts =
                    || scan.concepts(one).into_iter().map(|concept| (concept.cause, concept.title)).collect();
                out.extend(self.said.entry(at).or_insert_with(concepts).iter().copied());
            }
        }
        out
    }

    /// Whether a place is named in one of them.
    fn holds(&mut self, place: &str) -> bool {
        self.places += 1;
        self.places <= MAX_PLACES && self.sentences.iter().any(|old| old.contains(place))
    }
}

fn words(text: &str) -> HashSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// Whether they are of nearly the same length.
fn may_be_rewording(new: &HashSet<String>, old: &HashSet<String>) -> bool {
    let (few, many) = (new.len().min(old.len()), new.len().max(old.len()));
    many > 0 && few as f32 / many as f32 >= REWORDING
}

fn is_rewording(new: &HashSet<String>, old: &HashSet<String>) -> bool {
    let common = new.intersection(old).count();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_old_and_many_new_sentences_are_bounded_work() {
        let words = |n: usize| (0..40).map(|at| format!("w{} ", (n * 7 + at) % 61)).collect::<String>();
        let texts: Vec<String> = (0..2000).map(words).collect();
        let sentences: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut old = Old::new(&sentences);
        for text in &sentences {
            old.said_before(&portcullis_testkit::Words, text);
            old.holds(text);
        }
        assert!(old.words.is_some_and(|words| words.len() == MAX_COMPARED));
        assert!(old.looked_up < MAX_LOOKED_UP + sentences.len() * 61);
        assert!(!Old { places: MAX_PLACES, ..Old::new(&sentences) }.holds(sentences[0]), "then it counts as new");
    }
}
