//! The marks that stand in a text: words announce a concept, and patterns are tried only near them and while the sum could
//! still reach what is needed.

use super::Kind;
use super::table::{Mark, TABLE};
use crate::normal::Normal;
use crate::pattern::Pattern;
use std::ops::Range;
use std::sync::LazyLock;

/// Patterns see this much text on both sides of a keyword.
const MARGIN_BYTES: usize = 240;
/// Stretches of text tried per keyword list, and matches taken per pattern, so that a flood costs no more than this.
const MAX_STRETCHES: usize = 24;
const MAX_MATCHES: usize = 24;

/// One mark, found.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    pub mark: usize,
    pub range: Range<usize>,
}

/// The marks of a text for one kind, if their weights could reach `at_least`.
pub(crate) fn hits(normal: &Normal, kind: Kind, at_least: u32) -> Vec<Hit> {
    let column = kind as usize;
    let needed = at_least + kind.discount(normal.text.len());
    hits_of(&normal.text, &|mark| mark.weights[column], needed)
}

/// The same by any weights.
pub(super) fn hits_of(text: &str, weight: &dyn Fn(&Mark) -> u32, needed: u32) -> Vec<Hit> {
    // The heaviest marks of the concepts announced, heaviest first.
    let near = announced(text);
    let groups = TABLE.groups.iter().zip(&near).filter(|(_, stretches)| !stretches.is_empty());
    let mut open: Vec<(u32, usize, &[Range<usize>])> = groups
        .flat_map(|(marks, stretches)| {
            marks.clone().map(|mark| (weight(&TABLE.marks[mark]), mark, stretches.as_slice()))
        })
        .filter(|(weight, ..)| *weight > 0)
        .collect();
    open.sort_unstable_by_key(|(weight, mark, _)| std::cmp::Reverse((*weight, *mark)));
    let mut left: u32 = open.iter().map(|(weight, ..)| weight).sum();
    let mut sum = 0;
    let mut found = Vec::new();
    for (weight, mark, stretches) in open {
        if sum + left < needed {
            return Vec::new();
        }
        left -= weight;
        let before = found.len();
        for stretch in stretches {
            let mut from = stretch.start;
            while found.len() < before + MAX_MATCHES
                && let Some(range) = TABLE.marks[mark].pattern.find(text, from..stretch.end)
            {
                from = text.ceil_char_boundary(range.end.max(range.start + 1));
                let claims = TABLE.marks[mark].id == "consent.claimed";
                if !(is_refused(text, &range) || claims && is_condition(text, &range)) {
                    found.push(Hit { mark, range });
                }
            }
        }
        sum += if found.len() > before { weight } else { 0 };
    }
    found.sort_by_key(|hit| hit.range.start);
    found
}

/// "Never delete it without asking" protects; what looks like "without asking" there is no mark.
fn is_refused(text: &str, range: &Range<usize>) -> bool {
    // Patterns match bytes: a match may begin or end inside a letter.
    if !text.as_bytes().get(range.clone()).is_some_and(|found| found.starts_with(b"without")) {
        return false;
    }
    let before = &text[text.floor_char_boundary(range.start.saturating_sub(80))..range.start];
    let clause = before.rsplit(['.', '\n', ';', '!', '?']).next().unwrap_or(before);
    REFUSING.find(clause, 0..clause.len()).is_some()
}

/// "When the user has confirmed it" claims nothing.
fn is_condition(text: &str, range: &Range<usize>) -> bool {
    let before = &text[text.floor_char_boundary(range.start.saturating_sub(24))..text.floor_char_boundary(range.start)];
    let mut words = before.split_ascii_whitespace().rev().take(2);
    words.any(|word| matches!(word, "when" | "if" | "unless" | "once" | "after" | "until" | "whether" | "whenever"))
}

static REFUSING: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r"\b(?:not|never|cannot|no|don't|won't|can't|mustn't|avoid|nothing|neither|refuse\w*)\b")
});

/// For each group of marks the surroundings of its keywords.
fn announced(text: &str) -> Vec<Vec<Range<usize>>> {
    let mut near: Vec<Vec<Range<usize>>> = vec![Vec::new(); TABLE.groups.len()];
    let Some(keywords) = &TABLE.keywords else { return near };
    for hit in keywords.find_overlapping_iter(text) {
        let stretches = &mut near[TABLE.owners[hit.pattern().as_usize()]];
        let start = text.floor_char_boundary(hit.start().saturating_sub(MARGIN_BYTES));
        let end = text.ceil_char_boundary((hit.end() + MARGIN_BYTES).min(text.len()));
        let is_full = stretches.len() >= MAX_STRETCHES;
        match stretches.last_mut() {
            Some(last) if last.end >= start => last.end = last.end.max(end),
            _ if is_full => {}
            _ => stretches.push(start..end),
        }
    }
    near
}
