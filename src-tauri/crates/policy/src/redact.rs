//! What was found replaced in place: only bytes inside JSON strings change, ids, numbers and order stay. A value that a
//! schema holds to a form cannot be replaced, and neither can a key.

use crate::edit::{is_below, is_named};
use portcullis_domain::json::{Doc, Kind, NodeRef, quote, splice};
use portcullis_domain::{Direction, Finding};
use std::ops::Range;

/// Words in a schema that a replacement would break.
const HOLDS_TO_A_FORM: [&str; 6] = ["enum", "const", "pattern", "format", "maxLength", "contentEncoding"];

/// The Message with what `findings` matched replaced. None: one of them cannot be.
pub(crate) fn redacted(
    doc: &Doc<'_>,
    direction: Direction,
    findings: &[&Finding],
    schema: Option<NodeRef<'_>>,
) -> Option<Vec<u8>> {
    let mut edits: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
    for finding in findings {
        let (range, base) = place(doc, direction, finding)?;
        if base.is_some_and(|pointer| schema.is_some_and(|schema| is_held(schema, &pointer))) {
            return None;
        }
        let label = quote(&format!("[redacted: {}]", finding.title));
        let label = label.as_bytes().get(1..label.len() - 1)?.to_vec();
        match edits.iter_mut().find(|(other, _)| other.start < range.end && range.start < other.end) {
            Some((other, _)) => *other = other.start.min(range.start)..other.end.max(range.end),
            None => edits.push((range, label)),
        }
    }
    edits.sort_by_key(|(range, _)| range.start);
    let apart = edits.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start);
    (apart && !edits.is_empty()).then(|| splice(doc.bytes(), edits))
}

/// What was found is a value that nobody else should have; the text around it is as good as any.
pub(crate) fn is_private(finding: &Finding) -> bool {
    matches!(finding.category.as_str(), "secrets" | "personal-data")
}

/// The raw bytes to replace, and where they lie below the value that a schema describes.
fn place(doc: &Doc<'_>, direction: Direction, finding: &Finding) -> Option<(Range<usize>, Option<String>)> {
    let (top, described) = match direction {
        Direction::ToUpstream => ("/params", "/params/arguments"),
        Direction::ToClient => ("/result", "/result/structuredContent"),
    };
    // Not the tool's name, nor anything outside what the app or the server filled in.
    let replaceable =
        is_below(&finding.json_path, top) && !matches!(finding.json_path.as_str(), "/params/name" | "/params/uri");
    let leaf = doc.nodes().filter(|_| replaceable).find(|node| is_at(*node, finding))?.span();
    // Between its quotes.
    let leaf = leaf.start + 1..leaf.end - 1;
    // Of a secret or a person's number only itself; of anything else nothing of the text can be trusted, and a call without it means nothing.
    let private = is_private(finding);
    if !private && direction == Direction::ToUpstream {
        return None;
    }
    let inside = finding.span.filter(|_| private).map(|span| span.start..span.end);
    let inside = inside.filter(|span| leaf.start <= span.start && span.end <= leaf.end && !span.is_empty());
    let base = is_below(&finding.json_path, described).then(|| finding.json_path[described.len()..].to_owned());
    Some((inside.unwrap_or(leaf), base))
}

/// Whether the Finding is about this very text. What costs most is asked last: a Message may hold a million texts.
fn is_at(node: NodeRef<'_>, finding: &Finding) -> bool {
    let span = node.span();
    let holds = finding.span.is_none_or(|found| span.start <= found.start && found.end <= span.end);
    let last = finding.json_path.rsplit('/').next().unwrap_or_default();
    node.kind() == Kind::String && holds && is_named(node, last) && node.pointer() == finding.json_path
}

/// Whether a schema says more about the value at `pointer` than that it is a string.
fn is_held(schema: NodeRef<'_>, pointer: &str) -> bool {
    let mut at = schema;
    for part in pointer.split('/').skip(1) {
        let key = part.replace("~1", "/").replace("~0", "~");
        let next = at.get("properties").and_then(|all| all.get(&key)).or_else(|| at.get("items"));
        match next {
            Some(next) => at = next,
            // References and combinations are not followed: what they ask for is not known.
            None => return ["$ref", "anyOf", "oneOf", "allOf"].iter().any(|word| at.get(word).is_some()),
        }
    }
    HOLDS_TO_A_FORM.iter().chain(&["$ref", "anyOf", "oneOf", "allOf"]).any(|word| at.get(word).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::json::Mode;
    use portcullis_domain::{Confidence, Limits, Severity, Span, Verdict};

    #[test]
    fn of_a_person_s_number_only_itself_goes() {
        let account = "DE12500105170648489890";
        let raw = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"pay","arguments":{{"note":"to {account} today"}}}}}}"#
        );
        let doc = Doc::parse(raw.as_bytes(), Mode::Strict, &Limits::default()).unwrap();
        let start = raw.find(account).unwrap();
        let finding = |category: &str| Finding {
            signature: "bank-account-number".into(),
            version: 1,
            category: category.into(),
            severity: Severity::Low,
            confidence: Confidence::High,
            verdict: Verdict::Flag,
            title: "A bank account number (IBAN)".into(),
            json_path: "/params/arguments/note".into(),
            span: Some(Span { start, end: start + account.len() }),
            matched: "DE12••••".into(),
            decoded: None,
        };
        let edited = redacted(&doc, Direction::ToUpstream, &[&finding("personal-data")], None).unwrap();
        let wanted = raw.replace(account, "[redacted: A bank account number (IBAN)]");
        assert_eq!(String::from_utf8(edited).unwrap(), wanted);
        // Of an order nothing of the text can be trusted, and a call without it means nothing.
        assert_eq!(redacted(&doc, Direction::ToUpstream, &[&finding("injection")], None), None);
    }
}
