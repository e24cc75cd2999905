//! Fits what the marks of the concepts weigh from records that are not part of the repository, and says what the fit is
//! worth on sources that were left out: `zcat dev.jsonl.gz | cargo xtask fit [--evaluate]`. Deterministic.
//!
//! A weight is how much more often (as a logarithm, in tenths) a mark stands in hostile than in ordinary text. Every
//! hostile source counts the same, whatever its size, and what no source shows counts as if a few had shown it a little:
//! so a mark that ordinary text never has keeps its weight, and no benchmark's wording earns one of its own. Never
//! negative. Left out are families of sources (those of one project), or the figures would be those of a template seen.

use anyhow::{Context, Result, ensure};
use portcullis_detect::fitting::{Cluster, ConceptKind, clusters_of, marks, score};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

const FILE: &str = "src-tauri/crates/detect/src/predicate/concept/weights.txt";
const KINDS: [(ConceptKind, &str); 3] = [
    (ConceptKind::Definition, "tool_definition"),
    (ConceptKind::Content, "tool_result"),
    (ConceptKind::Prompt, "prompt"),
];
/// Sources that show no orders: secrets and look-alikes.
const SKIPPED: &[&str] = &["gitleaks_generated", "secret_lookalikes", "benign_unicode"];
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
/// Shares of ordinary texts that may lie at or above the limits which `--evaluate` reports.
const RATES: [f64; 3] = [0.005, 0.002, 0.001];

#[derive(Deserialize)]
struct Line {
    source: String,
    kind: String,
    label: String,
    text: String,
    #[serde(default)]
    json: Value,
}

struct Record {
    source: String,
    kind: usize,
    is_attack: bool,
    /// The texts of the record, each with its clusters and what its length takes off.
    texts: Vec<(Vec<Cluster>, u32)>,
    shown: Vec<bool>,
}

/// Reads records from `input` and writes the weights; with `evaluate` writes nothing and prints the table of left-out
/// families.
pub fn run(root: &Path, input: impl BufRead, evaluate: bool) -> Result<Vec<String>> {
    let names = marks();
    let mut records = Vec::new();
    for line in input.lines() {
        let line: Line = serde_json::from_str(&line?).context("a line is no record")?;
        let kind = KINDS.iter().position(|(_, name)| *name == line.kind);
        let Some(kind) = kind.filter(|_| !SKIPPED.contains(&line.source.as_str())) else { continue };
        let texts: Vec<_> = texts(&line).iter().map(|text| clusters_of(text, KINDS[kind].0)).collect();
        let mut shown = vec![false; names.len()];
        for mark in texts.iter().flat_map(|text| &text.0).flat_map(|cluster| &cluster.marks) {
            shown[*mark] = true;
        }
        records.push(Record { source: line.source, kind, is_attack: line.label == "attack", texts, shown });
    }
    ensure!(!records.is_empty(), "no records came in");
    if evaluate {
        return Ok(left_out(&records, &names));
    }
    let all: Vec<&Record> = records.iter().collect();
    let fitted: Vec<Vec<u32>> = (0..KINDS.len()).map(|kind| fit(&all, kind, &names)).collect();
    let mut out = String::from("# Fitted by `cargo xtask fit`: tenths in a definition, in content, in a prompt.\n");
    for (mark, name) in names.iter().enumerate() {
        out += &format!("{name} {} {} {}\n", fitted[0][mark], fitted[1][mark], fitted[2][mark]);
    }
    std::fs::write(root.join(FILE), out)?;
    Ok(vec![format!("{} records, {} marks, written to {FILE}", records.len(), names.len())])
}

/// The texts of a record that are scored one by one: of a definition everything that reaches the model but its name.
fn texts(line: &Line) -> Vec<String> {
    let tool = line.json.get("new").filter(|new| new.is_object()).unwrap_or(&line.json);
    if line.kind != "tool_definition" || tool.get("name").is_none() {
        return vec![line.text.clone()];
    }
    let mut out = Vec::new();
    strings(tool, &mut out);
    out
}

fn strings(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() > 3 => out.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, out)),
        Value::Object(fields) => {
            let of_interest = fields.iter().filter(|(name, value)| *name != "name" || !value.is_string());
            of_interest.for_each(|(_, value)| strings(value, out));
        }
        _ => {}
    }
}

fn fit(records: &[&Record], kind: usize, names: &[String]) -> Vec<u32> {
    let marks = names.len();
    let is_asked = |name: &str| ASKED.iter().any(|one| *one == name || name.split('.').next() == Some(one));
    let mut sources: BTreeMap<(usize, bool, &str), (f64, Vec<f64>)> = BTreeMap::new();
    for record in records {
        let key = (record.kind, record.is_attack, record.source.as_str());
        let (count, shown) = sources.entry(key).or_insert_with(|| (0.0, vec![0.0; marks]));
        *count += 1.0;
        shown.iter_mut().zip(&record.shown).for_each(|(sum, shown)| *sum += f64::from(u8::from(*shown)));
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

/// Sources of one project share wording, so they are left out together.
fn family(source: &str) -> &str {
    source.split('_').next().unwrap_or(source)
}

fn of(record: &Record, weights: &[u32]) -> i64 {
    record.texts.iter().map(|text| score(text, weights)).max().unwrap_or(0)
}

fn left_out(records: &[Record], names: &[String]) -> Vec<String> {
    let mut families: Vec<&str> = records.iter().map(|record| family(&record.source)).collect();
    families.sort_unstable();
    families.dedup();
    let mut scores: Vec<(i64, &Record)> = Vec::new();
    for held in families {
        let kept: Vec<&Record> = records.iter().filter(|record| family(&record.source) != held).collect();
        for kind in 0..KINDS.len() {
            let weights = fit(&kept, kind, names);
            let held = records.iter().filter(|record| record.kind == kind && family(&record.source) == held);
            scores.extend(held.map(|record| (of(record, &weights), record)));
        }
    }
    let mut said = Vec::new();
    for (kind, (_, name)) in KINDS.iter().enumerate() {
        let mut ordinary: Vec<i64> =
            scores.iter().filter(|(_, r)| r.kind == kind && !r.is_attack).map(|(score, _)| *score).collect();
        ordinary.sort_unstable_by(|a, b| b.cmp(a));
        let limits = RATES.map(|rate| ordinary.get((ordinary.len() as f64 * rate) as usize).map_or(0, |at| at + 1));
        said.push(format!("{name}: at most {RATES:?} of {} ordinary texts reach {limits:?}", ordinary.len()));
        let mut sources: BTreeMap<(bool, &str), Vec<i64>> = BTreeMap::new();
        for (score, record) in scores.iter().filter(|(_, record)| record.kind == kind) {
            sources.entry((record.is_attack, &record.source)).or_default().push(*score);
        }
        for ((is_attack, source), list) in sources {
            let share = |at: i64| 100.0 * list.iter().filter(|score| **score >= at).count() as f64 / list.len() as f64;
            let shares: Vec<String> = limits.iter().map(|at| format!("{:5.1} %", share(*at))).collect();
            let label = if is_attack { "hostile" } else { "ordinary" };
            said.push(format!("  {label:8} {source:28} n={:4}  {}", list.len(), shares.join("  ")));
        }
    }
    said
}
