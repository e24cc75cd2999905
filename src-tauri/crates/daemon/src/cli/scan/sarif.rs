//! Findings as a SARIF 2.1.0 log, which code hosts and editors read.

use portcullis_domain::api::ScanReport;
use portcullis_domain::{Finding, Severity};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(super) fn log(reports: &[(PathBuf, ScanReport)]) -> Value {
    let mut rules = BTreeMap::new();
    let mut results = Vec::new();
    for (file, report) in reports {
        for finding in &report.findings {
            rules.entry(finding.signature.clone()).or_insert_with(|| rule(finding));
            results.push(result(&file.display().to_string(), finding));
        }
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Portcullis",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.into_values().collect::<Vec<_>>(),
            } },
            "results": results,
        }],
    })
}

fn rule(finding: &Finding) -> Value {
    json!({
        "id": finding.signature,
        "shortDescription": { "text": finding.title },
        "defaultConfiguration": { "level": level(finding.severity) },
        "properties": { "category": finding.category, "tags": ["security", finding.category] },
    })
}

fn result(file: &str, finding: &Finding) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": file.replace('\\', "/") } });
    if let Some(span) = finding.span {
        physical["region"] = json!({ "byteOffset": span.start, "byteLength": span.end.saturating_sub(span.start) });
    }
    json!({
        "ruleId": finding.signature,
        "level": level(finding.severity),
        "message": { "text": finding.title },
        "locations": [{
            "physicalLocation": physical,
            "logicalLocations": [{ "fullyQualifiedName": finding.json_path }],
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "note",
        Severity::Medium => "warning",
        Severity::High | Severity::Critical => "error",
    }
}
