//! What travels beside a Message in HTTP headers (2026-07-28): `Mcp-Method` and `Mcp-Name` repeat what the body says,
//! `Mcp-Param-*` repeats arguments. The body decides; a header that says something else is told of, and what stands in a
//! header alone is scanned like an argument, because it leaves this machine like one.

use crate::judged::{MessageSummary, builtin, check};
use data_encoding::BASE64;
use portcullis_domain::json::Doc;
use portcullis_domain::{Direction, Finding, MessageKind, Scan, Severity, Verdict};

/// A header that mirrors the body: lower-case name, value as it came.
pub type Mirror = (String, String);

pub(crate) fn findings(
    mirrors: &[Mirror],
    doc: &Doc<'_>,
    summary: &MessageSummary,
    scan: &dyn Scan,
    direction: Direction,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, value) in mirrors {
        let value = plain_header(value);
        let said = match name.as_str() {
            "mcp-method" => Some(summary.method.as_deref()),
            "mcp-name" => Some(summary.target.as_deref()),
            _ => None,
        };
        let is_call = matches!(summary.kind, MessageKind::Request | MessageKind::Notification);
        if let Some(said) = said.filter(|said| is_call && *said != Some(&value)) {
            let said: String = said.unwrap_or("nothing").chars().take(200).collect();
            let title = format!("A header ({name}) that names something else than the message, which says {said:?}");
            findings.push(Finding {
                matched: value.chars().take(200).collect(),
                ..builtin(check::HEADER_MISMATCH, Severity::Medium, Verdict::Flag, &title, &path(name))
            });
        }
        // What the body says too was scanned there.
        if !doc.leaves().any(|leaf| leaf.text == value) {
            let found = scan.scan_text(direction, &value);
            findings.extend(found.into_iter().map(|finding| Finding { json_path: path(name), ..finding }));
        }
    }
    findings
}

fn path(name: &str) -> String {
    format!("header {name}")
}

/// Values that are no plain ASCII travel as `=?base64?…?=`.
pub fn plain_header(value: &str) -> String {
    let wrapped = value.trim().strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="));
    let decoded = wrapped.and_then(|wrapped| BASE64.decode(wrapped.as_bytes()).ok());
    decoded.map_or_else(|| value.trim().to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}
