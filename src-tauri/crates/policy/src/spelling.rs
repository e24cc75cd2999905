//! Spellings that only some readers know: Go and .NET programs read `Method` as `method`, Kotlin ones need no quotes,
//! Ruby ones skip comments. What we judge must be what they act upon, so none of these goes on where it means something.

use crate::edit::list_key;
use crate::judged::{MessageSummary, builtin, check};
use portcullis_domain::json::{Kind, NodeRef};
use portcullis_domain::{Direction, Finding, MessageKind, Severity, Verdict};

const ENVELOPE: &[&str] = &["jsonrpc", "id", "method", "params", "result", "error"];
const ASKED: &[&str] = &["name", "arguments", "uri", "_meta"];
const GIVEN: &[&str] = &[
    "tools",
    "prompts",
    "resources",
    "resourceTemplates",
    "instructions",
    "serverInfo",
    "content",
    "contents",
    "messages",
    "structuredContent",
    "isError",
    "inputRequests",
    "resultType",
];
const DEFINED: &[&str] =
    &["name", "title", "description", "inputSchema", "outputSchema", "annotations", "arguments", "uri", "uriTemplate"];

/// Other methods' params and results are nobody's business.
fn is_known(method: &str) -> bool {
    list_key(method).is_some()
        || matches!(
            method,
            "initialize" | "server/discover" | "tools/call" | "prompts/get" | "resources/read" | "resources/subscribe"
        )
}

/// Told at once; what is left is told when the rest is read again.
const MAX_FINDINGS: usize = 32;

/// As Go compares names: the long s and the Kelvin sign are letters of theirs.
fn reads_as(key: &str, known: &str) -> bool {
    let folded = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    key != known && key.chars().map(folded).eq(known.chars().map(folded))
}

fn misspelt<'d>(object: NodeRef<'d>, known: &[&str]) -> Option<NodeRef<'d>> {
    let is_misspelt = |child: &NodeRef<'_>| {
        let key = child.key().unwrap_or_default();
        known.iter().any(|known| reads_as(&key, known))
    };
    object.children().filter(|_| object.kind() == Kind::Object).find(is_misspelt)
}

/// Whether text that is no JSON looks like a Message to readers that are not strict, or holds one on a line of its own:
/// Node's `readline` and Python's `splitlines` know more line ends than others.
pub(crate) fn is_loose_message(text: &str) -> bool {
    let ends_line = |c: char| {
        matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    begins_message(text) || text.split(ends_line).skip(1).any(|line| line.contains("jsonrpc") && begins_message(line))
}

fn begins_message(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if !["{", "/*", "//"].iter().any(|start| text.starts_with(start)) {
        return false;
    }
    let has = |word: &str| text.contains(word);
    has("jsonrpc") || has("\\u") || (has("id") && (has("method") || has("result") || has("error")))
}

pub(crate) fn findings(direction: Direction, root: NodeRef<'_>, summary: &MessageSummary) -> Vec<Finding> {
    // A server's other JSON (its log on stdout) is no Message to anybody.
    let is_message = |key: NodeRef<'_>| key.key().is_some_and(|key| key == "jsonrpc" || reads_as(&key, "jsonrpc"));
    let counts = direction == Direction::ToUpstream || root.children().any(is_message);
    let mut found: Vec<NodeRef<'_>> = misspelt(root, ENVELOPE).filter(|_| counts).into_iter().collect();
    let request = (summary.kind == MessageKind::Request || summary.kind == MessageKind::Notification)
        && summary.method.as_deref().is_some_and(is_known);
    if let Some(params) = root.get("params").filter(|_| request) {
        found.extend(misspelt(params, ASKED));
    }
    let method = summary.answers.as_ref().map(|answered| answered.method.as_str());
    if let Some(result) = root.get("result").filter(|_| method.is_none_or(is_known) && direction == Direction::ToClient)
    {
        found.extend(misspelt(result, GIVEN));
        let items =
            method.and_then(list_key).and_then(|key| result.get(key)).into_iter().flat_map(|list| list.children());
        found.extend(items.filter_map(|item| misspelt(item, DEFINED)));
    }
    let title = "A key that some programs read as another one, for its letters differ in case alone";
    let finding =
        |node: &NodeRef<'_>| builtin(check::AMBIGUOUS, Severity::High, Verdict::Block, title, &node.pointer());
    found.iter().take(MAX_FINDINGS).map(finding).collect()
}
