//! A scanner for tests of everything but detection: POISON is a Block, SUSPECT a certain Flag, DOUBT a Flag that may be
//! wrong (so it asks) with its span, PANIC panics, SECRET is masked.

use portcullis_domain::json::Leaf;
use portcullis_domain::{Confidence, Direction, Finding, Scan, ScanInput, Severity, Span, Verdict};

pub struct Words;

impl Words {
    fn findings(text: &str, path: &str) -> Vec<Finding> {
        let verdicts = [("POISON", Verdict::Block), ("SUSPECT", Verdict::Flag)];
        let found = verdicts.into_iter().filter(|(word, _)| text.contains(word));
        found
            .map(|(word, verdict)| Finding {
                signature: word.to_lowercase(),
                version: 1,
                category: "test".into(),
                severity: Severity::High,
                confidence: Confidence::High,
                verdict,
                title: "A forbidden word".into(),
                json_path: path.to_owned(),
                span: None,
                matched: word.into(),
                decoded: None,
            })
            .collect()
    }

    /// Each one in a string value, as a scanner of secrets would find it.
    fn doubts(leaf: &Leaf<'_>) -> Vec<Finding> {
        let at =
            leaf.text.match_indices("DOUBT").map(|(at, word)| leaf.span.start + at..leaf.span.start + at + word.len());
        at.map(|range| Finding {
            signature: "doubt".into(),
            category: "secrets".into(),
            confidence: Confidence::Medium,
            verdict: Verdict::Flag,
            title: "A doubtful word".into(),
            span: Some(Span { start: range.start, end: range.end }),
            matched: "DOUBT".into(),
            ..Self::findings("POISON", &leaf.node.pointer()).remove(0)
        })
        .collect()
    }
}

impl Scan for Words {
    fn scan(&self, input: &ScanInput<'_>) -> Vec<Finding> {
        assert!(!input.doc.leaves().any(|leaf| leaf.text.contains("PANIC")), "asked to panic");
        let root = input.root.span();
        let inside = input.doc.leaves().filter(|leaf| root.start <= leaf.span.start && leaf.span.end <= root.end);
        inside
            .flat_map(|leaf| [Self::findings(&leaf.text, &leaf.node.pointer()), Self::doubts(&leaf)].concat())
            .collect()
    }
    fn scan_text(&self, _: Direction, text: &str) -> Vec<Finding> {
        Self::findings(text, "")
    }
    fn mask(&self, text: &str) -> String {
        text.replace("SECRET", "••••")
    }
}
