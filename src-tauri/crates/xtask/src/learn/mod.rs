//! What the weights of the detection come from: records that are not part of the repository, one JSON object a line
//! (`source`, `kind`, `label`, `text`, `license`, `json`), and texts of our own. `fit` weighs the marks of the concepts,
//! `train` the features of the local score; both are judged on families of sources that were left out. Deterministic.

pub mod fit;
pub mod left_out;
pub mod own;
pub mod train;

use anyhow::{Context, Result, ensure};
use portcullis_detect::fitting::ConceptKind;
use serde::Deserialize;
use serde_json::Value;
use std::io::BufRead;

/// What is learnt, by the names that records use.
pub const KINDS: [(ConceptKind, &str); 3] = [
    (ConceptKind::Definition, "tool_definition"),
    (ConceptKind::Content, "tool_result"),
    (ConceptKind::Prompt, "prompt"),
];
/// Sources that show no orders: secrets, look-alikes and other scripts.
const SKIPPED: &[&str] = &["gitleaks_generated", "secret_lookalikes", "benign_unicode"];

#[derive(Deserialize)]
struct Line {
    source: String,
    kind: String,
    label: String,
    text: String,
    #[serde(default)]
    license: String,
    #[serde(default)]
    json: Value,
}

pub struct Record {
    pub source: String,
    pub licence: String,
    /// Its place in `KINDS`.
    pub kind: usize,
    pub is_attack: bool,
    /// The texts of the record, which are scored one by one.
    pub texts: Vec<String>,
}

/// The family of our own texts.
pub const OWN: &str = "own";

/// The records that something can be learnt from, our own among them.
pub fn read(input: impl BufRead) -> Result<Vec<Record>> {
    let mut records = own::records()?;
    let own = records.len();
    for line in input.lines() {
        let line: Line = serde_json::from_str(&line?).context("a line is no record")?;
        let kind = KINDS.iter().position(|(_, name)| *name == line.kind);
        let Some(kind) = kind.filter(|_| !SKIPPED.contains(&line.source.as_str())) else { continue };
        let texts = texts(&line);
        let is_attack = line.label == "attack";
        records.push(Record { source: line.source, licence: line.license, kind, is_attack, texts });
    }
    ensure!(records.len() > own, "no records came in");
    Ok(records)
}

/// Of a definition everything that reaches the model but its name.
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

/// Sources of one project share wording, so they are left out together.
pub fn family(source: &str) -> &str {
    source.split('_').next().unwrap_or(source)
}

/// Every family that records are of.
pub fn families(records: &[Record]) -> Vec<&str> {
    let mut all: Vec<&str> = records.iter().map(|record| family(&record.source)).collect();
    all.sort_unstable();
    all.dedup();
    all
}
