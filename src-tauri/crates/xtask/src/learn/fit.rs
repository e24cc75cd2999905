//! Fits what the marks of the concepts weigh: `zcat dev.jsonl.gz | cargo xtask fit`.
//!
//! A weight is how much more often (as a logarithm, in tenths) a mark stands in hostile than in ordinary text. Every
//! hostile source counts the same, whatever its size, and what no source shows counts as if a few had shown it a little:
//! so a mark that ordinary text never has keeps its weight, and no benchmark's wording earns one of its own. Never
//! negative.

use super::{KINDS, Record};
use anyhow::Result;
use portcullis_detect::fitting::{Cluster, ConceptKind, clusters_of, marks, score};
use std::collections::BTreeMap;
use std::path::Path;

const FILE: &str = "src-tauri/crates/detect/src/predicate/concept/weights.txt";
/// As many imagined sources show every mark this often.
const IMAGINED: f64 = 5.0;
const IMAGINED_RATE: f64 = 0.05;
/// What a record of another kind is worth, beside one of the kind that is fitted.
const OTHER_KIND: f64 = 0.3;
const MOST: f64 = 50.0;
/// What a person may well ask for: in a prompt these concepts and marks weigh nothing.
const ASKED: &[&str] = &[
    "act-elsewhere",
    "act-transfer",
    "admin-add",
    "delete-order",
    "exfil",
    "force-output.begin-with",
    "force-output.nothing-else",
    "has-address",
    "i-my",
    "must-first.call-tool",
    "must-first.use-tool",
    "new-task.also-act",
    "param-smuggle",
    "please-act",
    "secret-ask.about-person",
    "secret-ask.ask",
    "sensitive-object",
    "shell-order",
    "superlative",
];

/// A record as the fit sees it.
pub struct Marked<'r> {
    pub record: &'r Record,
    /// The texts of the record, each with its clusters and what its length takes off.
    texts: Vec<(Vec<Cluster>, u32)>,
    shown: Vec<bool>,
}

impl<'r> Marked<'r> {
    pub fn of(record: &'r Record, marks: usize) -> Self {
        let texts: Vec<_> = record.texts.iter().map(|text| clusters_of(text, KINDS[record.kind].0)).collect();
        let mut shown = vec![false; marks];
        for mark in texts.iter().flat_map(|text| &text.0).flat_map(|cluster| &cluster.marks) {
            shown[*mark] = true;
        }
        Self { record, texts, shown }
    }

    /// What it scores by `weights`.
    pub fn score(&self, weights: &[u32]) -> i64 {
        self.texts.iter().map(|text| score(text, weights)).max().unwrap_or(0)
    }
}

/// Writes the weights that `records` say.
pub fn write(root: &Path, records: &[Record]) -> Result<String> {
    let names = marks();
    let marked: Vec<Marked<'_>> = records.iter().map(|record| Marked::of(record, names.len())).collect();
    let fitted: Vec<Vec<u32>> = (0..KINDS.len()).map(|kind| fit(&marked, &|_| true, kind, &names)).collect();
    let mut out = String::from("# Fitted by `cargo xtask fit`: tenths in a definition, in content, in a prompt.\n");
    for (mark, name) in names.iter().enumerate() {
        out += &format!("{name} {} {} {}\n", fitted[0][mark], fitted[1][mark], fitted[2][mark]);
    }
    std::fs::write(root.join(FILE), out)?;
    Ok(format!("{} records, {} marks, written to {FILE}", records.len(), names.len()))
}

/// The weights of one kind, by the records that are kept.
pub fn fit(marked: &[Marked<'_>], keep: &dyn Fn(&Record) -> bool, kind: usize, names: &[String]) -> Vec<u32> {
    let marks = names.len();
    let is_asked = |name: &str| ASKED.iter().any(|one| *one == name || name.split('.').next() == Some(one));
    let mut sources: BTreeMap<(usize, bool, &str), (f64, Vec<f64>)> = BTreeMap::new();
    for Marked { record, shown: here, .. } in marked.iter().filter(|marked| keep(marked.record)) {
        let key = (record.kind, record.is_attack, record.source.as_str());
        let (count, shown) = sources.entry(key).or_insert_with(|| (0.0, vec![0.0; marks]));
        *count += 1.0;
        shown.iter_mut().zip(here).for_each(|(sum, shown)| *sum += f64::from(u8::from(*shown)));
    }
    let (mut hostile, mut rates, mut ordinary, mut counts) = (0.0, vec![0.0; marks], 0.0, vec![0.0; marks]);
    for ((of, is_attack, _), (count, shown)) in &sources {
        let worth = if *of == kind { 1.0 } else { OTHER_KIND };
        hostile += if *is_attack { worth } else { 0.0 };
        ordinary += if *is_attack { 0.0 } else { worth * count };
        for mark in 0..marks {
            if *is_attack { rates[mark] += worth * shown[mark] / count } else { counts[mark] += worth * shown[mark] }
        }
    }
    let weight = |mark: usize| {
        if KINDS[kind].0 == ConceptKind::Prompt && is_asked(&names[mark]) {
            return 0;
        }
        let there = (rates[mark] + IMAGINED * IMAGINED_RATE) / (hostile + IMAGINED);
        let elsewhere = (counts[mark] + 0.5) / (ordinary + 1.0);
        (10.0 * (there / elsewhere).ln()).clamp(0.0, MOST).round() as u32
    };
    (0..marks).map(weight).collect()
}
