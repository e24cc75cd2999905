//! The table of concepts: `concepts.toml` (words that announce a concept, patterns that make sure) with `weights.txt`
//! (what each pattern weighs, by kind). Both are embedded; a test reads them strictly, so nothing is refused at run time.

use crate::normal::Normal;
use crate::pattern::Pattern;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::LazyLock;

pub(super) const CONCEPTS: &str = include_str!("concepts.toml");
pub(super) const WEIGHTS: &str = include_str!("weights.txt");

/// One pattern of a concept.
pub(crate) struct Mark {
    /// `concept.pattern`, as in `weights.txt`.
    pub id: String,
    /// Marks of one concept share it.
    pub concept: usize,
    pub pattern: Pattern,
    #[cfg(test)]
    pub source: String,
    /// Tenths, by `Kind`.
    pub weights: [u32; 3],
}

pub(crate) struct Table {
    pub concepts: Vec<String>,
    pub marks: Vec<Mark>,
    pub keywords: Option<AhoCorasick>,
    /// Marks that the same keywords announce.
    pub groups: Vec<Range<usize>>,
    /// The group of each keyword.
    pub owners: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    /// Lists that patterns name as `{name}`.
    words: BTreeMap<String, String>,
    concept: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    /// Each pattern counts as a concept of its own.
    #[serde(default)]
    apart: bool,
    keywords: Vec<String>,
    patterns: BTreeMap<String, String>,
}

pub(crate) static TABLE: LazyLock<Table> = LazyLock::new(|| read(CONCEPTS, WEIGHTS).unwrap_or_else(|_| Table::empty()));

impl Table {
    fn empty() -> Self {
        Self { concepts: Vec::new(), marks: Vec::new(), keywords: None, groups: Vec::new(), owners: Vec::new() }
    }
}

pub(super) fn read(concepts: &str, weights: &str) -> Result<Table, String> {
    let source: Source = toml::from_str(concepts).map_err(|error| error.message().to_owned())?;
    let mut table = Table::empty();
    let weights = weights_of(weights)?;
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut words = Vec::new();
    for entry in source.concept {
        let concept = *known.entry(entry.name.clone()).or_insert_with(|| {
            table.concepts.push(entry.name.clone());
            table.concepts.len() - 1
        });
        let first = table.marks.len();
        for (name, pattern) in entry.patterns {
            let id = format!("{}.{name}", entry.name);
            let weights = weights.get(&id).copied().unwrap_or_default();
            let concept = if entry.apart {
                table.concepts.push(entry.name.clone());
                table.concepts.len() - 1
            } else {
                concept
            };
            let expanded = expand(&pattern, &source.words);
            table.marks.push(Mark {
                id,
                concept,
                pattern: Pattern::new(&expanded),
                #[cfg(test)]
                source: expanded,
                weights,
            });
        }
        for keyword in entry.keywords {
            words.push(Normal::of(&keyword).text);
            table.owners.push(table.groups.len());
        }
        table.groups.push(first..table.marks.len());
    }
    let keywords = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(&words);
    table.keywords = Some(keywords.map_err(|error| error.to_string())?);
    Ok(table)
}

fn weights_of(text: &str) -> Result<HashMap<String, [u32; 3]>, String> {
    let mut weights = HashMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let id = words.next().unwrap_or("").to_owned();
        let numbers: Vec<u32> = words.filter_map(|word| word.parse().ok()).collect();
        let three = <[u32; 3]>::try_from(numbers).map_err(|_| format!("{id}: three weights are needed"))?;
        weights.insert(id, three);
    }
    Ok(weights)
}

/// Puts the lists in, and letters that are not ASCII into the form that normalised text has.
fn expand(pattern: &str, words: &BTreeMap<String, String>) -> String {
    let filled = words.iter().fold(pattern.to_owned(), |text, (name, list)| text.replace(&format!("{{{name}}}"), list));
    let mut out = String::with_capacity(filled.len());
    for c in filled.chars() {
        if c.is_ascii() { out.push(c) } else { out.push_str(&Normal::of(c.encode_utf8(&mut [0; 4])).text) }
    }
    out
}
