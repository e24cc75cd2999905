//! The marks that stand in a text: words announce a concept, and patterns are tried only near them and while the sum could
//! still reach what is needed.

use super::table::{Mark, TABLE};
use super::{Asked, Kind, concept_weight};
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

/// The marks of a text that weigh something for a kind that is asked for, if those of any kind could reach what is asked
/// of it.
pub(crate) fn hits(normal: &Normal, asked: &Asked) -> Vec<Hit> {
    let bytes = normal.text.len();
    let columns = Kind::ALL.map(|kind| (move |mark: &Mark| mark.weights[kind as usize], kind));
    let needed = |kind: Kind| asked.of(kind).map(|sum| sum + kind.discount(bytes));
    let asked: Vec<(Weight<'_>, u32)> =
        columns.iter().filter_map(|(weight, kind)| Some((weight as Weight<'_>, needed(*kind)?))).collect();
    hits_of(normal, &asked)
}

/// What a mark weighs.
pub(super) type Weight<'w> = &'w dyn Fn(&Mark) -> u32;

/// The same by any weights: whoever asks does so by one of those in `asked`, and wants at least so much.
pub(super) fn hits_of(normal: &Normal, asked: &[(Weight<'_>, u32)]) -> Vec<Hit> {
    let text = &normal.text;
    // The marks of the concepts announced, heaviest first.
    let near = announced(text);
    if near.is_empty() {
        return Vec::new();
    }
    let weight = |mark: usize| asked.iter().map(|(weight, _)| weight(&TABLE.marks[mark])).max().unwrap_or(0);
    let groups = TABLE.groups.iter().zip(&near).filter(|(_, stretches)| !stretches.is_empty());
    let mut open: Vec<Open<'_>> = groups
        .flat_map(|(marks, stretches)| marks.clone().map(|mark| (weight(mark), mark, stretches.as_slice())))
        .filter(|(weight, ..)| *weight > 0)
        .collect();
    open.sort_unstable_by_key(|(weight, mark, _)| std::cmp::Reverse((*weight, *mark)));
    let mut bounds: Vec<Bound> = asked.iter().map(|(weight, needed)| Bound::of(&open, weight, *needed)).collect();
    if open.is_empty() || bounds.iter().all(Bound::is_too_low) {
        return Vec::new();
    }
    // Whether nothing asked for can be reached without the mark at this place.
    let mut is_hopeless_without = |at: usize| {
        bounds.iter_mut().for_each(|bound| bound.rule_out(at, TABLE.marks[open[at].1].concept));
        bounds.iter().all(Bound::is_too_low)
    };
    // What cannot match here needs no try, and without it the rest may not be worth one.
    let mut can_match = vec![true; open.len()];
    for (at, (_, mark, _)) in open.iter().enumerate() {
        can_match[at] = TABLE.marks[*mark].pattern.may_match(normal.grams());
        if !can_match[at] && is_hopeless_without(at) {
            return Vec::new();
        }
    }
    let mut found = Vec::new();
    for (at, (_, mark, stretches)) in open.iter().enumerate().filter(|(at, _)| can_match[*at]) {
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
        if found.len() == before && is_hopeless_without(at) {
            return Vec::new();
        }
    }
    found.sort_by_key(|hit| hit.range.start);
    found
}

/// Weight and number of a mark, and where it is to be tried.
type Open<'s> = (u32, usize, &'s [Range<usize>]);

/// The most that the marks which were not ruled out can weigh.
struct Bound {
    needed: u32,
    sum: u32,
    /// Of each mark: whether it still counts.
    counts: Vec<bool>,
    /// Concept, weight and place of each mark: by concept, the heaviest first.
    marks: Vec<(usize, u32, usize)>,
}

impl Bound {
    fn of(open: &[Open<'_>], weight: Weight<'_>, needed: u32) -> Self {
        let mark = |(at, (_, mark, _)): (usize, &Open<'_>)| {
            let mark = &TABLE.marks[*mark];
            (mark.concept, weight(mark), at)
        };
        let mut marks: Vec<_> = open.iter().enumerate().map(mark).collect();
        marks.sort_unstable_by_key(|(concept, weight, at)| (*concept, std::cmp::Reverse(*weight), *at));
        let mut bound = Self { needed, sum: 0, counts: vec![true; open.len()], marks };
        let concepts = bound.marks.chunk_by(|a, b| a.0 == b.0);
        bound.sum = concepts.map(|marks| bound.weigh(marks)).sum();
        bound
    }

    /// Marks of one concept.
    fn weigh(&self, marks: &[(usize, u32, usize)]) -> u32 {
        let weights = || marks.iter().filter(|(.., at)| self.counts[*at]).map(|(_, weight, _)| *weight);
        concept_weight(weights().next().unwrap_or(0), weights().sum())
    }

    /// The mark at this place, which is one of `concept`.
    fn rule_out(&mut self, at: usize, concept: usize) {
        let start = self.marks.partition_point(|mark| mark.0 < concept);
        let end = start + self.marks[start..].partition_point(|mark| mark.0 == concept);
        self.sum -= self.weigh(&self.marks[start..end]);
        self.counts[at] = false;
        self.sum += self.weigh(&self.marks[start..end]);
    }

    fn is_too_low(&self) -> bool {
        self.sum < self.needed
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

/// For each group of marks the surroundings of its keywords; nothing where none stands.
fn announced(text: &str) -> Vec<Vec<Range<usize>>> {
    let mut near: Vec<Vec<Range<usize>>> = Vec::new();
    let Some(keywords) = &TABLE.keywords else { return near };
    for hit in keywords.find_overlapping_iter(text) {
        if near.is_empty() {
            near.resize(TABLE.groups.len(), Vec::new());
        }
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
