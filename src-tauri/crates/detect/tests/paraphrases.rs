//! Texts that no Signature was written for and that are nobody's example (`paraphrases/README.md`): what share of the
//! hostile ones is found, and how often ordinary ones that come close are taken for one. Floors, not goals.

use portcullis_detect::{Scanner, SignatureSet};
use portcullis_domain::json::{Doc, Mode};
use portcullis_domain::{Direction, Limits, Scan, ScanContext, ScanInput, Verdict};
use serde_json::{Value, json};

/// The verdict on each line that was not fitted on.
fn verdicts(lines: &str, method: &str, result: impl Fn(&str) -> Value) -> Vec<(Verdict, String)> {
    let scanner = Scanner::new(SignatureSet::bundled());
    let unfitted = lines.lines().enumerate().filter(|(n, _)| n % 2 == 1);
    let judged = unfitted.map(|(_, line)| {
        let text = line.replace("\\n", "\n");
        let raw = json!({"jsonrpc": "2.0", "id": 1, "result": result(&text)}).to_string();
        let doc = Doc::parse(raw.as_bytes(), Mode::Lenient, &Limits::default()).unwrap();
        let findings = scanner.scan(&ScanInput {
            direction: Direction::ToClient,
            doc: &doc,
            root: doc.root(),
            method: Some(method),
            target: None,
            is_response: true,
            context: ScanContext::default(),
        });
        (findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Allow), text)
    });
    judged.collect()
}

fn share(verdicts: &[(Verdict, String)], at_least: Verdict) -> usize {
    100 * verdicts.iter().filter(|(verdict, _)| *verdict >= at_least).count() / verdicts.len()
}

/// At least so many percent of the hostile texts are found and blocked, at most so many of the near misses found, and no
/// near miss is blocked.
fn check(what: &str, hostile: &[(Verdict, String)], ordinary: &[(Verdict, String)], floors: (usize, usize, usize)) {
    let found = (share(hostile, Verdict::Flag), share(hostile, Verdict::Block), share(ordinary, Verdict::Flag));
    assert!(found.0 >= floors.0 && found.1 >= floors.1 && found.2 <= floors.2, "{what}: {found:?}, floors {floors:?}");
    let blocked: Vec<&String> = ordinary.iter().filter(|one| one.0 == Verdict::Block).map(|one| &one.1).collect();
    assert!(blocked.is_empty(), "{what}: blocked {blocked:?}");
}

#[test]
fn poisoned_definitions() {
    let tool = |text: &str| json!({"tools": [{"name": "t", "description": text, "inputSchema": {"type": "object"}}]});
    let hostile = verdicts(include_str!("paraphrases/definitions-hostile.txt"), "tools/list", tool);
    let ordinary = verdicts(include_str!("paraphrases/definitions-ordinary.txt"), "tools/list", tool);
    check("definitions", &hostile, &ordinary, (92, 44, 4));
}

/// What people write to each other and put into documents: requests, orders and quotations that are meant for no model.
#[test]
fn letters_between_people() {
    let content = |text: &str| json!({"content": [{"type": "text", "text": text}]});
    let ordinary = verdicts(include_str!("paraphrases/results-letters.txt"), "tools/call", content);
    check("letters", &ordinary, &ordinary, (0, 0, 12));
}

#[test]
fn injected_results() {
    let content = |text: &str| json!({"content": [{"type": "text", "text": text}]});
    let hostile = verdicts(include_str!("paraphrases/results-hostile.txt"), "tools/call", content);
    let ordinary = verdicts(include_str!("paraphrases/results-ordinary.txt"), "tools/call", content);
    check("results", &hostile, &ordinary, (88, 0, 12));
}

#[test]
fn hostile_prompts() {
    let prompt = |text: &str| json!({"messages": [{"role": "user", "content": {"type": "text", "text": text}}]});
    let hostile = verdicts(include_str!("paraphrases/prompts-hostile.txt"), "prompts/get", prompt);
    let ordinary = verdicts(include_str!("paraphrases/prompts-ordinary.txt"), "prompts/get", prompt);
    check("prompts", &hostile, &ordinary, (80, 0, 5));
}
