//! The marks that stand in a text: words announce a concept, and patterns are tried only near them and while the sum could
//! still reach what is needed.

use super::table::{Mark, TABLE};
use super::{Kind, concept_weight};
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
    hits_of(normal, &|mark| mark.weights[column], needed)
}

/// The same by any weights.
pub(super) fn hits_of(normal: &Normal, weight: &dyn Fn(&Mark) -> u32, needed: u32) -> Vec<Hit> {
    let text = &normal.text;
    // The marks of the concepts announced, heaviest first.
    let near = announced(text);
    let groups = TABLE.groups.iter().zip(&near).filter(|(_, stretches)| !stretches.is_empty());
    let mut open: Vec<Open<'_>> = groups
        .flat_map(|(marks, stretches)| {
            marks.clone().map(|mark| (weight(&TABLE.marks[mark]), mark, stretches.as_slice()))
        })
        .filter(|(weight, ..)| *weight > 0)
        .collect();
    if open.is_empty() {
        return Vec::new();
    }
    open.sort_unstable_by_key(|(weight, mark, _)| std::cmp::Reverse((*weight, *mark)));
    // What cannot match here needs no try, and without it the rest may not be worth one.
    let mut most = Most::of(&open);
    let mut at = 0;
    open.retain(|(weight, mark, _)| {
        let stays = most.sum >= needed && TABLE.marks[*mark].pattern.may_match(normal.grams());
        most.tried(at, TABLE.marks[*mark].concept, *weight, stays);
        at += 1;
        stays
    });
    let mut most = Most::of(&open);
    let mut found = Vec::new();
    for (at, (weight, mark, stretches)) in open.iter().enumerate() {
        if most.sum < needed {
            return Vec::new();
        }
        let before = found.len();
        for stretch in *stretches {
            let mut from = stretch.start;
            while found.len() < before + MAX_MATCHES
                && let Some(range) = TABLE.marks[*mark].pattern.find(text, from..stretch.end)
            {
                from = text.ceil_char_boundary(range.end.max(range.start + 1));
                let claims = TABLE.marks[*mark].id == "consent.claimed";
                if !(is_refused(text, &range) || claims && is_condition(text, &range)) {
                    found.push(Hit { mark: *mark, range });
                }
            }
        }
        most.tried(at, TABLE.marks[*mark].concept, *weight, found.len() > before);
    }
    if most.sum < needed {
        return Vec::new();
    }
    found.sort_by_key(|hit| hit.range.start);
    found
}

/// Weight and number of a mark, and where it is to be tried.
type Open<'s> = (u32, usize, &'s [Range<usize>]);

/// The most that `weigh` can make of the marks that were found or not tried yet.
struct Most {
    sum: u32,
    concepts: Vec<Share>,
    /// By place among the marks to try: the weight of the next one of the same concept.
    next: Vec<u32>,
}

/// Of one concept: the heaviest mark, all of them, whether one was found.
#[derive(Clone, Copy, Default)]
struct Share {
    most: u32,
    all: u32,
    is_found: bool,
}

impl Most {
    /// `open`: heaviest first.
    fn of(open: &[Open<'_>]) -> Self {
        let mut concepts = vec![Share::default(); TABLE.concepts.len()];
        let mut next = vec![0; open.len()];
        for (next, (weight, mark, _)) in next.iter_mut().zip(open).rev() {
            let share = &mut concepts[TABLE.marks[*mark].concept];
            (*next, share.most) = (share.most, *weight);
            share.all += weight;
        }
        let sum = concepts.iter().map(|share| concept_weight(share.most, share.all)).sum();
        Self { sum, concepts, next }
    }

    /// Whether the mark at this place counts is known now.
    fn tried(&mut self, at: usize, concept: usize, weight: u32, is_found: bool) {
        let share = &mut self.concepts[concept];
        if is_found {
            share.is_found = true;
            return;
        }
        self.sum -= concept_weight(share.most, share.all);
        share.all -= weight;
        // The first that was found is the heaviest.
        if !share.is_found {
            share.most = self.next[at];
        }
        self.sum += concept_weight(share.most, share.all);
    }
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
