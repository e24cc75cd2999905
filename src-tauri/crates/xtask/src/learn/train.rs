//! Trains the local score: `zcat dev.jsonl.gz | cargo xtask train`. The same records give the same file.
//!
//! Logistic regression on hashed features, every source weighing the same, the windows of an attack weighing by how
//! much they look like one (only some of a long text is hostile), the benign ones by how far they are wrong.

use super::Record;
use anyhow::Result;
use portcullis_detect::model::{BUCKETS, Features, norm};
use serde_json::json;
use sha2::Digest as _;
use std::collections::BTreeMap;
use std::path::Path;

const FOLDER: &str = "src-tauri/crates/detect/model";
const EPOCHS: usize = 6;
const RATE: f32 = 0.5;
const DECAY: f32 = 2e-5;
const MAX_WINDOWS: usize = 40;

/// A record as the training sees it.
pub struct Windowed<'r> {
    pub record: &'r Record,
    windows: Vec<Vec<u32>>,
}

impl<'r> Windowed<'r> {
    pub fn of(record: &'r Record) -> Self {
        let windows = |text: &String| Features::of(text).windows().map(|(_, ids)| ids.to_vec()).collect::<Vec<_>>();
        Self { record, windows: record.texts.iter().flat_map(windows).take(MAX_WINDOWS).collect() }
    }
}

pub struct Model {
    weights: Vec<f32>,
    bias: f32,
}

impl Model {
    fn margin(&self, ids: &[u32]) -> f32 {
        self.bias + ids.iter().map(|id| self.weights[*id as usize]).sum::<f32>() / norm(ids.len())
    }

    /// The highest window of a record, and its features.
    fn best<'r>(&self, one: &'r Windowed<'_>) -> Option<(f32, &'r [u32])> {
        let windows = one.windows.iter().map(|ids| (self.margin(ids), ids.as_slice()));
        windows.max_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// The score of a record, from 0 to 1.
    pub fn score(&self, one: &Windowed<'_>) -> f32 {
        self.best(one).map_or(0.0, |(margin, _)| 1.0 / (1.0 + (-margin).exp()))
    }
}

/// Trains on `records` and writes the files below `root`.
pub fn write(root: &Path, records: &[Record]) -> Result<String> {
    let mut licences = BTreeMap::new();
    for record in records {
        licences.entry(record.source.as_str()).or_insert((record.licence.as_str(), 0usize)).1 += 1;
    }
    let windowed: Vec<Windowed<'_>> = records.iter().map(Windowed::of).collect();
    let model = train(&windowed, &|_| true);
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
    Ok(format!("{} records, {} bytes of weights, sha256 {hex}", records.len(), bytes.len()))
}

/// The model that the records which are kept make.
pub fn train(windowed: &[Windowed<'_>], keep: &dyn Fn(&Record) -> bool) -> Model {
    let kept: Vec<&Windowed<'_>> = windowed.iter().filter(|one| keep(one.record)).collect();
    let mut model = Model { weights: vec![0.0; BUCKETS], bias: -1.0 };
    let mut speed = vec![1e-3f32; BUCKETS];
    let mut counts: BTreeMap<(&str, bool, usize), usize> = BTreeMap::new();
    for Windowed { record, .. } in &kept {
        *counts.entry((&record.source, record.is_attack, record.kind)).or_default() += 1;
    }
    // Every source weighs alike, but for the root of its size; attacks and the rest weigh alike together.
    let worth = |record: &Record| {
        let count = counts.get(&(record.source.as_str(), record.is_attack, record.kind));
        1.0 / (*count.unwrap_or(&1) as f32).sqrt()
    };
    let total = |is_attack: bool| {
        kept.iter().map(|one| one.record).filter(|record| record.is_attack == is_attack).map(worth).sum::<f32>()
    };
    let (attacks, rest) = (total(true), total(false));
    // A fixed stride through the records stands for shuffling: it is prime to their number and always the same.
    let stride = (0..).map(|n| kept.len() * 618 / 1000 + n).find(|n| gcd(*n, kept.len()) == 1).unwrap_or(1);
    for epoch in 0..EPOCHS {
        let rate = RATE / (1.0 + epoch as f32 * 0.5);
        for n in 0..kept.len() {
            let one = kept[n * stride % kept.len()];
            let record = one.record;
            let side = if record.is_attack { attacks } else { rest };
            let weight = (worth(record) * kept.len() as f32 / (2.0 * side)).min(20.0);
            let target = f32::from(u8::from(record.is_attack));
            // Of an attack only its most hostile window after the first round; of the rest the worst one, too.
            let chosen: Vec<&[u32]> = if epoch == 0 {
                one.windows.iter().map(Vec::as_slice).take(4).collect()
            } else {
                model.best(one).map(|(_, ids)| ids).into_iter().collect()
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
