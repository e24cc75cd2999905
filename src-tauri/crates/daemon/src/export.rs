//! Exchanges of a filter as a file: JSON Lines (everything), CSV (one line per Exchange), SARIF 2.1.0 (one result per
//! Finding). Written piece by piece while the log is walked, so that a large log needs no memory. What is written is what
//! the log holds: bodies are masked and capped already.

use crate::Error;
use portcullis_audit::ExchangeFilter;
use portcullis_domain::api::Explanation;
use portcullis_domain::{Exchange, Finding, Severity, UnixMs, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::ControlFlow;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    Jsonl,
    Csv,
    Sarif,
}

impl Format {
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jsonl => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Sarif => "application/sarif+json",
        }
    }
    pub fn file_name(self, now: UnixMs) -> String {
        let end = match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Sarif => "sarif",
        };
        let day: String = time(now).chars().take(10).collect();
        format!("portcullis-{day}.{end}")
    }
}

/// `explain` knows a Signature by its id.
pub(crate) fn write(
    log: &portcullis_audit::Reader,
    filter: &ExchangeFilter,
    format: Format,
    explain: impl Fn(&str) -> Option<Explanation>,
    out: impl Write,
) -> Result<(), Error> {
    let audit = |error: portcullis_audit::Error| Error::Audit(error.to_string());
    match format {
        Format::Jsonl => {
            let mut out = out;
            log.write_json_lines(filter, None, &mut out).map_err(audit)?;
            out.flush().map_err(failed)
        }
        Format::Csv => {
            let mut table = csv::Writer::from_writer(out);
            table.write_record(COLUMNS).map_err(|error| failed(error.into()))?;
            each(log, filter, |exchange| Ok(table.write_record(record(exchange))?))?;
            table.flush().map_err(failed)
        }
        Format::Sarif => sarif(log, filter, explain, out),
    }
}

fn failed(error: io::Error) -> Error {
    Error::Audit(format!("the export could not be written: {error}"))
}

fn each(
    log: &portcullis_audit::Reader,
    filter: &ExchangeFilter,
    mut write: impl FnMut(&Exchange) -> io::Result<()>,
) -> Result<(), Error> {
    let mut stopped = None;
    let walked = log.for_each(filter, None, |exchange| match write(&exchange) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            stopped = Some(error);
            ControlFlow::Break(())
        }
    });
    walked.map_err(|error| Error::Audit(error.to_string()))?;
    stopped.map_or(Ok(()), |error| Err(failed(error)))
}

fn time(at: UnixMs) -> String {
    jiff::Timestamp::from_millisecond(at).map(|at| at.to_string()).unwrap_or_default()
}

const COLUMNS: [&str; 18] = [
    "time",
    "id",
    "app",
    "server",
    "server_id",
    "session",
    "transport",
    "direction",
    "method",
    "target",
    "verdict",
    "outcome",
    "signature",
    "found",
    "at_path",
    "duration_ms",
    "request_bytes",
    "response_bytes",
];

fn record(exchange: &Exchange) -> Vec<String> {
    let strongest = exchange.findings.iter().max_by_key(|finding| (finding.verdict, finding.severity));
    let of = |read: fn(&Finding) -> &str| strongest.map(read).unwrap_or_default().to_owned();
    let fields = [
        time(exchange.at),
        exchange.id.to_string(),
        exchange.app.to_string(),
        exchange.upstream_name.clone(),
        exchange.upstream.to_string(),
        exchange.session.to_string(),
        exchange.transport.as_str().to_owned(),
        exchange.direction.as_str().to_owned(),
        exchange.method.clone(),
        exchange.target.clone().unwrap_or_default(),
        exchange.verdict.as_str().to_owned(),
        exchange.outcome.as_str().to_owned(),
        of(|finding| &finding.signature),
        of(|finding| &finding.title),
        of(|finding| &finding.json_path),
        exchange.duration_us.map(|us| format!("{:.3}", us as f64 / 1000.0)).unwrap_or_default(),
        exchange.request_bytes.to_string(),
        exchange.response_bytes.to_string(),
    ];
    fields.into_iter().map(harmless).collect()
}

/// A spreadsheet runs a cell that begins like a formula, and a server may have named its tool so.
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

/// Results first: which rules they need is known only afterwards, and the order within an object is free.
fn sarif(
    log: &portcullis_audit::Reader,
    filter: &ExchangeFilter,
    explain: impl Fn(&str) -> Option<Explanation>,
    mut out: impl Write,
) -> Result<(), Error> {
    let mut rules: BTreeMap<String, Value> = BTreeMap::new();
    let mut first = true;
    out.write_all(
        br#"{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{"columnKind":"unicodeCodePoints","results":["#,
    )
    .map_err(failed)?;
    each(log, filter, |exchange| {
        for finding in &exchange.findings {
            out.write_all(if std::mem::take(&mut first) { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut out, &result(exchange, finding))?;
            if !rules.contains_key(&finding.signature) {
                rules.insert(finding.signature.clone(), rule(finding, explain(&finding.signature)));
            }
        }
        Ok(())
    })?;
    let rules: Vec<Value> = rules.into_values().collect();
    let driver = json!({ "name": "Portcullis", "version": env!("CARGO_PKG_VERSION"), "rules": rules });
    write!(out, "\n],\"tool\":{}}}]}}", json!({ "driver": driver })).and_then(|()| out.flush()).map_err(failed)
}

fn rule(finding: &Finding, explanation: Option<Explanation>) -> Value {
    let mut rule = json!({
        "id": finding.signature,
        "shortDescription": { "text": finding.title },
        "properties": { "category": finding.category, "tags": ["security", finding.category] },
    });
    if let Some(Explanation { description, advice, .. }) = explanation {
        rule["fullDescription"] = json!({ "text": description });
        rule["help"] = json!({ "text": advice });
    }
    rule
}

fn result(exchange: &Exchange, finding: &Finding) -> Value {
    let level = match (finding.verdict, finding.severity) {
        (Verdict::Block, _) => "error",
        (_, Severity::Low) => "note",
        _ => "warning",
    };
    let place = [Some(exchange.app.as_str()), Some(exchange.upstream_name.as_str()), exchange.target.as_deref()];
    let place: Vec<&str> = place.into_iter().flatten().collect();
    json!({
        "ruleId": finding.signature,
        "level": level,
        "message": { "text": finding.title },
        "locations": [{ "logicalLocations": [{
            "name": exchange.target.as_deref().unwrap_or(&exchange.method),
            "fullyQualifiedName": format!("{}#{}", place.join("/"), finding.json_path),
            "kind": "function",
        }] }],
        "partialFingerprints": {
            "portcullis/v1": format!("{}/{}/{}/{}", exchange.upstream, exchange.method, finding.signature, finding.json_path),
        },
        "properties": {
            "exchange": exchange.id,
            "time": time(exchange.at),
            "method": exchange.method,
            "verdict": finding.verdict,
            "outcome": exchange.outcome,
            "severity": finding.severity,
            "confidence": finding.confidence,
            "signatureVersion": finding.version,
            "matched": finding.matched,
            "decoded": finding.decoded.as_ref().map(|decoded| &decoded.text),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_audit::{Audit, AuditLimits};
    use portcullis_domain::{
        AppId, AuditRow, Confidence, Direction, ExchangeId, SessionId, Transport, Upstream, UpstreamId,
    };
    use std::sync::Arc;

    fn finding(signature: &str, verdict: Verdict) -> Finding {
        serde_json::from_value(
            json!({ "signature": signature, "version": 3, "category": "paths", "severity": Severity::High,
            "confidence": Confidence::High, "verdict": verdict, "title": "A path that climbs, \"out\"",
            "json_path": "/params/arguments/path", "span": null, "matched": "../../etc", "decoded": null }),
        )
        .unwrap()
    }

    /// Two Exchanges, one of them with two Findings and a tool named like a formula.
    fn log(dir: &std::path::Path) -> Audit {
        let audit = Audit::open(dir.join("audit.db"), AuditLimits::default(), Arc::new(|| 1_790_000_000_001)).unwrap();
        let upstream = Upstream {
            id: UpstreamId::new("u1"),
            app: AppId::new("cursor"),
            app_name: "Cursor".into(),
            name: "docs".into(),
            transport: Transport::Stdio,
            url: None,
            command: vec!["docs".into()],
        };
        let new = |id: &str, at| {
            Exchange::new(
                ExchangeId::new(id),
                at,
                &upstream,
                SessionId::new("s"),
                Transport::Stdio,
                Direction::ToUpstream,
            )
        };
        let bad = Exchange {
            method: "tools/call".into(),
            target: Some("=HYPERLINK(\"http://evil\")".into()),
            verdict: Verdict::Block,
            findings: vec![finding("path-traversal", Verdict::Block), finding("odd", Verdict::Flag)],
            request: "{\"a\":\"1,2\"}".into(),
            ..new("e2", 1_790_000_000_000)
        };
        for row in [new("e1", 1_789_000_000_000), bad] {
            audit.record(AuditRow::Exchange(Box::new(row)));
        }
        audit.flush().unwrap();
        audit
    }

    fn export(format: Format, filter: &ExchangeFilter) -> String {
        let dir = tempfile::tempdir().unwrap();
        let mut out = Vec::new();
        let explain = |id: &str| {
            (id == "odd").then(|| Explanation {
                signature: id.into(),
                description: "Why.".into(),
                advice: "What.".into(),
            })
        };
        write(&log(dir.path()), filter, format, explain, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_lines_hold_everything_and_follow_the_filter() {
        let all = export(Format::Jsonl, &ExchangeFilter::default());
        let rows: Vec<Exchange> = all.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["e2", "e1"]);
        assert_eq!(rows[0].findings.len(), 2);
        let blocked = ExchangeFilter { verdicts: vec![Verdict::Block], ..Default::default() };
        assert_eq!(export(Format::Jsonl, &blocked).lines().count(), 1);
    }

    #[test]
    fn a_spreadsheet_gets_cells_and_no_formula() {
        let text = export(Format::Csv, &ExchangeFilter::default());
        let mut table = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(table.headers().unwrap().iter().collect::<Vec<_>>(), COLUMNS);
        let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(&rows[0][0], "2026-09-21T14:13:20Z");
        assert_eq!(&rows[0][9], "'=HYPERLINK(\"http://evil\")");
        assert_eq!((&rows[0][12], &rows[0][13]), ("path-traversal", "A path that climbs, \"out\""));
    }

    #[test]
    fn sarif_has_a_result_per_finding_and_a_rule_per_signature() {
        let file: Value = serde_json::from_str(&export(Format::Sarif, &ExchangeFilter::default())).unwrap();
        assert_eq!(file["version"], "2.1.0");
        let run = &file["runs"][0];
        let results = run["results"].as_array().unwrap();
        let is_set = |one: &Value| one.as_object().unwrap().values().all(|value| !value.is_null());
        assert!(results.iter().all(is_set), "SARIF has no nulls: what is not known is left out");
        assert_eq!(results.iter().map(|one| &one["level"]).collect::<Vec<_>>(), ["error", "warning"]);
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.iter().map(|one| &one["id"]).collect::<Vec<_>>(), ["odd", "path-traversal"]);
        assert_eq!(rules[0]["help"]["text"], "What.");
        assert!(results.iter().all(|one| rules.iter().any(|rule| rule["id"] == one["ruleId"])));
        let none = ExchangeFilter { until: Some(5), ..Default::default() };
        let file: Value = serde_json::from_str(&export(Format::Sarif, &none)).unwrap();
        assert_eq!(file["runs"][0]["results"], json!([]));
    }
}
