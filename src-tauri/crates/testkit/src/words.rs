//! A scanner for tests of everything but detection: POISON is a Block, SUSPECT a Flag, PANIC panics, SECRET is masked.

use portcullis_domain::{Confidence, Direction, Finding, Scan, ScanInput, Severity, Verdict};

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
}

impl Scan for Words {
    fn scan(&self, input: &ScanInput<'_>) -> Vec<Finding> {
        assert!(!input.doc.leaves().any(|leaf| leaf.text.contains("PANIC")), "asked to panic");
        let root = input.root.span();
        let inside = input.doc.leaves().filter(|leaf| root.start <= leaf.span.start && leaf.span.end <= root.end);
        inside.flat_map(|leaf| Self::findings(&leaf.text, &leaf.node.pointer())).collect()
    }
    fn scan_text(&self, _: Direction, text: &str) -> Vec<Finding> {
        Self::findings(text, "")
    }
    fn mask(&self, text: &str) -> String {
        text.replace("SECRET", "••••")
    }
}
