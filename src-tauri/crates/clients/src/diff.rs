//! Two versions of a config file as lines for the preview: what changes, with three lines around it. Text stays as it is,
//! hostile or not; showing it safely is the reader's job.

use portcullis_domain::api::{DiffLine, DiffTag};
use similar::{ChangeTag, TextDiff};

const CONTEXT_LINES: usize = 3;

pub(crate) fn lines(before: &[u8], after: &[u8]) -> Vec<DiffLine> {
    let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
    let diff = TextDiff::from_lines(&*before, &*after);
    let number = |index: Option<usize>| index.map(|index| index as u32 + 1);
    let mut out = Vec::new();
    for op in diff.grouped_ops(CONTEXT_LINES).iter().flatten() {
        out.extend(diff.iter_changes(op).map(|change| DiffLine {
            tag: match change.tag() {
                ChangeTag::Equal => DiffTag::Same,
                ChangeTag::Delete => DiffTag::Removed,
                ChangeTag::Insert => DiffTag::Added,
            },
            old_line: number(change.old_index()),
            new_line: number(change.new_index()),
            text: change.value().trim_end_matches(['\r', '\n']).into(),
        }));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_and_its_surroundings() {
        let old: String = (1..=20).map(|n| format!("line {n}\r\n")).collect();
        let new = old.replace("line 10\r\n", "line ten\r\n");
        let lines = lines(old.as_bytes(), new.as_bytes());
        let shown: Vec<_> = lines.iter().map(|l| (l.tag, l.old_line, l.new_line, l.text.as_str())).collect();
        assert_eq!(shown.len(), 8);
        assert_eq!(shown[0], (DiffTag::Same, Some(7), Some(7), "line 7"));
        assert_eq!(shown[3], (DiffTag::Removed, Some(10), None, "line 10"));
        assert_eq!(shown[4], (DiffTag::Added, None, Some(10), "line ten"));
    }
}
