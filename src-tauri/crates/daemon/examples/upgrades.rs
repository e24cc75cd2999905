//! Measures how changed definitions are graded: reads lines `{"id", "old": <tool>, "new": <tool>}` and prints
//! `{"id", "grade", "reasons"}`. Development only: `cargo run --profile start -p portcullis-daemon --example upgrades < pairs.jsonl`.
#![allow(clippy::print_stdout)]

use portcullis_detect::{Scanner, SignatureSet};
use portcullis_domain::{AppId, Direction, DriftGrade, Limits, PinKind, Transport, Upstream, UpstreamId};
use portcullis_policy::{Context, Judge, PairedRequest, PinBook, Rules};
use serde_json::{Value, json};
use std::io::BufRead as _;
use std::sync::Arc;

fn main() -> anyhow::Result<()> {
    for line in std::io::stdin().lock().lines() {
        let line: Value = serde_json::from_str(&line?)?;
        let pins = Arc::new(PinBook::in_memory(Vec::new()));
        let scanner = Arc::new(Scanner::new(SignatureSet::bundled()));
        let judge = Judge::new(scanner, pins.clone(), Rules::default(), Limits::default());
        let upstream = Upstream {
            id: UpstreamId::new("a"),
            app: AppId::new("a"),
            app_name: "a".into(),
            name: "a".into(),
            transport: Transport::Stdio,
            url: None,
            command: Vec::new(),
        };
        let siblings = Vec::new;
        let context = Context {
            upstream: &upstream,
            transport: Transport::Stdio,
            now: 0,
            siblings: &siblings,
            mirrors: &[],
            session: None,
        };
        let request = PairedRequest { method: "tools/list".into(), target: None, modern: false, task: false };
        for tool in [&line["old"], &line["new"]] {
            let message = json!({"jsonrpc":"2.0","id":1,"result":{"tools":[tool]}}).to_string();
            judge.judge(&context, Direction::ToClient, message.as_bytes(), &|_| Some(request.clone()));
        }
        let pin = pins.get(&upstream.id, PinKind::Tool, line["new"]["name"].as_str().unwrap_or_default());
        let drift = pin.and_then(|pin| pin.drift);
        let grade = drift.as_ref().map_or(DriftGrade::Quiet, |drift| drift.grade);
        println!("{}", json!({"id": line["id"], "grade": grade, "reasons": drift.map(|drift| drift.reasons)}));
    }
    Ok(())
}
