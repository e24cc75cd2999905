//! Scans messages from standard input (one JSON object a line: id, direction, message, request) and prints a verdict for
//! each: `{"id","verdict","findings"}`. For measuring signatures against a collection of messages.

use portcullis_detect::{Scanner, SignatureSet};
use portcullis_domain::json::{Doc, Mode};
use portcullis_domain::{Direction, Limits, Scan, ScanContext, ScanInput, Verdict};
use std::io::{BufRead, BufWriter, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scanner = Scanner::new(SignatureSet::bundled());
    let mut out = BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line: serde_json::Value = serde_json::from_str(&line?)?;
        let raw = line["message"].to_string();
        let direction = if line["direction"] == "to_upstream" { Direction::ToUpstream } else { Direction::ToClient };
        let doc = Doc::parse(raw.as_bytes(), Mode::Lenient, &Limits::default())?;
        let own = line["message"]["method"].as_str();
        let asked = line["request"]["method"].as_str();
        let target = line["message"]["params"]["name"].as_str().or(line["request"]["params"]["name"].as_str());
        let findings = scanner.scan(&ScanInput {
            direction,
            doc: &doc,
            root: doc.root(),
            method: own.or(asked),
            target,
            is_response: own.is_none(),
            context: ScanContext::default(),
        });
        let verdict = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Allow);
        let answer = serde_json::json!({ "id": line["id"], "verdict": verdict, "findings": findings });
        writeln!(out, "{answer}")?;
    }
    Ok(())
}
