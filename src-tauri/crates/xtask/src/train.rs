//! Trains the local score from records that are not part of the repository, and says what it is worth on sources that
//! were left out: `zcat dev.jsonl.gz | cargo xtask train [--evaluate]`. Deterministic: the same records give the same file.
//!
//! Logistic regression on hashed features, every source weighing the same, the windows of an attack weighing by how
//! much they look like one (only some of a long text is hostile), the benign ones by how far they are wrong.

use anyhow::{Context, Result, ensure};
use portcullis_detect::model::{BUCKETS, Features, norm};
use serde::Deserialize;
use serde_json::json;
use sha2::Digest as _;
use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::PathBuf;

const FOLDER: &str = "src-tauri/crates/detect/model";
const EPOCHS: usize = 6;
const RATE: f32 = 0.5;
const DECAY: f32 = 2e-5;
/// Sources are left out in this many groups, so that every one is judged by a model that never saw it.
const FOLDS: usize = 10;
/// Not what the model is for: secrets and encodings are the business of other checks.
const SKIPPED: &[&str] = &["gitleaks_generated", "secret_lookalikes", "obfuscated_generated", "benign_unicode"];
const MAX_WINDOWS: usize = 40;

#[derive(Deserialize)]
struct Line {
    source: String,
    kind: String,
    label: String,
    text: String,
    license: String,
}

struct Record {
    source: String,
    kind: String,
    is_attack: bool,
    windows: Vec<Vec<u32>>,
}

struct Model {
    weights: Vec<f32>,
    bias: f32,
}

impl Model {
    fn margin(&self, ids: &[u32]) -> f32 {
        self.bias + ids.iter().map(|id| self.weights[*id as usize]).sum::<f32>() / norm(ids.len())
    }

    fn best<'r>(&self, record: &'r Record) -> Option<(f32, &'r [u32])> {
        let windows = record.windows.iter().map(|ids| (self.margin(ids), ids.as_slice()));
        windows.max_by(|a, b| a.0.total_cmp(&b.0))
    }
}

/// Reads records from `input`, trains, writes the files below `root`; with `evaluate` tells the table of left-out sources
/// first. Without a root it stops there.
pub fn run(root: Option<&PathBuf>, input: impl BufRead, evaluate: bool) -> Result<Vec<String>> {
    let mut licences = BTreeMap::new();
    let mut records = Vec::new();
    for line in input.lines() {
        let line: Line = serde_json::from_str(&line?).context("a line is no record")?;
        if line.kind == "tool_args" || SKIPPED.contains(&line.source.as_str()) {
            continue;
        }
        let counts = licences.entry(line.source.clone()).or_insert((line.license, 0usize));
        counts.1 += 1;
        let windows = Features::of(&line.text).windows().map(|(_, ids)| ids.to_vec()).take(MAX_WINDOWS).collect();
        let is_attack = line.label == "attack";
        records.push(Record { source: line.source, kind: line.kind, is_attack, windows });
    }
    ensure!(!records.is_empty(), "no records came in");
    let mut said = Vec::new();
    if evaluate {
        said = left_out(&records);
    }
    let Some(root) = root else { return Ok(said) };
    let model = train(&records, &|_| true);
    let largest = model.weights.iter().fold(0f32, |max, weight| max.max(weight.abs()));
    let scale = largest / 127.0;
    let bytes: Vec<u8> = model.weights.iter().map(|weight| (weight / scale).round() as i8 as u8).collect();
    let folder = root.join(FOLDER);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("weights.bin"), &bytes)?;
    std::fs::write(folder.join("parameters.txt"), format!("{} {}\n", model.bias, scale))?;
    let hex: String = sha2::Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let sources: Vec<_> = licences
        .iter()
        .map(|(source, (licence, count))| json!({"source": source, "licence": licence, "records": count}))
        .collect();
    let manifest = json!({
        "weights_sha256": hex, "bytes": bytes.len(), "bias": model.bias, "scale": scale,
        "epochs": EPOCHS, "rate": RATE, "decay": DECAY, "sources": sources,
    });
    std::fs::write(folder.join("manifest.json"), serde_json::to_string_pretty(&manifest)? + "\n")?;
    said.push(format!("{} records, {} bytes of weights, sha256 {hex}", records.len(), bytes.len()));
    Ok(said)
}

/// Sources of a fold, by name: attack and benign ones are spread alike.
fn fold(source: &str) -> usize {
    let sum: usize = sha2::Sha256::digest(source.as_bytes()).iter().take(4).map(|byte| usize::from(*byte)).sum();
    sum % FOLDS
}

fn train(records: &[Record], keep: &dyn Fn(&Record) -> bool) -> Model {
    let mut model = Model { weights: vec![0.0; BUCKETS], bias: -1.0 };
    let mut speed = vec![1e-3f32; BUCKETS];
    let mut counts: BTreeMap<(&str, bool, &str), usize> = BTreeMap::new();
    for record in records.iter().filter(|record| keep(record)) {
        *counts.entry((&record.source, record.is_attack, &record.kind)).or_default() += 1;
    }
    // Every source weighs alike, but for the root of its size; attacks and the rest weigh alike together.
    let worth = |record: &Record| {
        let count = counts.get(&(record.source.as_str(), record.is_attack, record.kind.as_str()));
        1.0 / (*count.unwrap_or(&1) as f32).sqrt()
    };
    let total = |is_attack: bool| {
        let kept = records.iter().filter(|record| keep(record) && record.is_attack == is_attack);
        kept.map(worth).sum::<f32>()
    };
    let (attacks, rest) = (total(true), total(false));
    let kept: Vec<&Record> = records.iter().filter(|record| keep(record)).collect();
    // A fixed stride through the records stands for shuffling: it is prime to their number and always the same.
    let stride = (0..).map(|n| kept.len() * 618 / 1000 + n).find(|n| gcd(*n, kept.len()) == 1).unwrap_or(1);
    for epoch in 0..EPOCHS {
        let rate = RATE / (1.0 + epoch as f32 * 0.5);
        for n in 0..kept.len() {
            let record = kept[n * stride % kept.len()];
            let side = if record.is_attack { attacks } else { rest };
            let weight = (worth(record) * kept.len() as f32 / (2.0 * side)).min(20.0);
            let target = f32::from(u8::from(record.is_attack));
            // Of an attack only its most hostile window after the first round; of the rest the worst one, too.
            let chosen: Vec<&[u32]> = if epoch == 0 {
                record.windows.iter().map(Vec::as_slice).take(4).collect()
            } else {
                model.best(record).map(|(_, ids)| ids).into_iter().collect()
            };
            for ids in chosen {
                let predicted = 1.0 / (1.0 + (-model.margin(ids)).exp());
                let step = (predicted - target) * weight;
                model.bias -= 0.02 * rate * step;
                let per_feature = step / norm(ids.len());
                for id in ids {
                    let at = *id as usize;
                    speed[at] += per_feature * per_feature;
                    model.weights[at] -= rate * (per_feature / speed[at].sqrt().max(0.05) + DECAY * model.weights[at]);
                }
            }
        }
    }
    model
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Scores of every source by a model that never saw it, and thresholds that so many benign texts stay below.
fn left_out(records: &[Record]) -> Vec<String> {
    let mut scores: Vec<(f32, &Record)> = Vec::new();
    for held in 0..FOLDS {
        let model = train(records, &|record| fold(&record.source) != held);
        for record in records.iter().filter(|record| fold(&record.source) == held) {
            let margin = model.best(record).map_or(f32::MIN, |(margin, _)| margin);
            scores.push((1.0 / (1.0 + (-margin).exp()), record));
        }
    }
    let mut said = Vec::new();
    for at in [0.9f32, 0.95, 0.98, 0.99, 0.995, 0.998] {
        for kind in ["tool_definition", "tool_result", "prompt"] {
            let share = |is_attack: bool| {
                let all: Vec<f32> = scores
                    .iter()
                    .filter(|(_, r)| r.is_attack == is_attack && r.kind == kind)
                    .map(|(s, _)| *s)
                    .collect();
                100.0 * all.iter().filter(|score| **score >= at).count() as f32 / all.len().max(1) as f32
            };
            said.push(format!("at {at}: {kind:16} caught {:5.1} %, false alarms {:5.2} %", share(true), share(false)));
        }
    }
    let mut by_source: BTreeMap<(&str, bool, &str), Vec<f32>> = BTreeMap::new();
    for (score, record) in &scores {
        by_source.entry((&record.kind, record.is_attack, &record.source)).or_default().push(*score);
    }
    for ((kind, is_attack, source), list) in by_source {
        let share = |at: f32| 100.0 * list.iter().filter(|score| **score >= at).count() as f32 / list.len() as f32;
        let label = if is_attack { "attack" } else { "benign" };
        said.push(format!(
            "{label} {kind:16} {source:28} n={:5}  0.9: {:5.1} %  0.98: {:5.1} %  0.99: {:5.1} %  0.998: {:5.1} %",
            list.len(),
            share(0.9),
            share(0.98),
            share(0.99),
            share(0.998)
        ));
    }
    said
}
