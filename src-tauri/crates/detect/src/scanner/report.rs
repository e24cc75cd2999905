//! From matches to Findings: where in the Message they lie, what is quoted of them, and how many there may be.

use super::floor_char;
use crate::file::SignatureFile;
use crate::predicate::Match;
use crate::role::Role;
use portcullis_domain::json::{self, NodeRef};
use portcullis_domain::{Decoded, Finding, Span, Verdict};
use std::borrow::Cow;
use std::ops::Range;

const MAX_FINDINGS: usize = 50;
const MAX_PER_SIGNATURE: u8 = 6;
/// What stands further apart in a long text is no sign of one and the same thing.
const SIGNS_WITHIN_BYTES: usize = 4096;
const MAX_MATCHED_CHARS: usize = 200;
const MAX_DECODED_CHARS: usize = 400;

/// Where a text comes from, as far as Findings tell it.
pub(super) struct Origin<'d> {
    pub node: Option<NodeRef<'d>>,
    pub role: Role,
    /// The raw JSON string, when the text had to be decoded from it; None: offsets are equal.
    pub raw: Option<&'d [u8]>,
    pub start: usize,
}

/// A text under a Finding's eyes: the original or one decoded from it.
pub(super) struct View<'v> {
    pub text: Cow<'v, str>,
    /// Decoding steps, outermost first; empty: the original.
    pub steps: Vec<&'static str>,
    /// For decoded text: the range of the original it came from.
    pub source: Option<Range<usize>>,
}

/// What hits of Signatures are counted as, by `Report::several`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Of any Signature that scores a text as a whole.
    Score,
    /// Of any Signature of the family with this number.
    Family(usize),
    /// Of the active Signature with this number.
    Own(usize),
}

/// What one Signature found: in the whole Message, in the current text.
#[derive(Clone, Copy, Default)]
struct Tally {
    total: u8,
    here: u8,
}

/// The Findings of a Message so far.
pub(super) struct Report {
    findings: Vec<Finding>,
    /// Per active Signature.
    tally: Vec<Tally>,
    /// Those with a Finding in the current text, and where in it.
    found_here: Vec<(usize, Range<usize>)>,
}

impl Report {
    pub fn of(signatures: usize) -> Self {
        Self { findings: Vec::new(), tally: vec![Tally::default(); signatures], found_here: Vec::new() }
    }

    /// Another text begins.
    pub fn next_text(&mut self) {
        for (index, _) in self.found_here.drain(..) {
            self.tally[index].here = 0;
        }
    }

    /// Whether the active Signature `index` may find more in this text: `many` hits, or one. One that has all its Findings
    /// is asked on, because hits also count as signs.
    pub fn has_room(&self, index: usize, many: bool) -> bool {
        self.tally[index].here < (if many { MAX_PER_SIGNATURE } else { 1 })
    }

    /// Notes that the Signature of `file`, by its number among the active ones, matched a part of `view`.
    pub fn add(
        &mut self,
        file: &SignatureFile,
        index: usize,
        origin: &Origin<'_>,
        original: &str,
        view: &View<'_>,
        found: Match,
    ) {
        let Match { range, reading } = found;
        let in_original = view.source.clone().unwrap_or_else(|| range.clone());
        let inner = match origin.raw {
            Some(raw) => json::raw_range(raw, in_original.clone()),
            None => in_original.clone(),
        };
        let span = Span { start: origin.start + inner.start, end: origin.start + inner.end };
        let known = |finding: &Finding| finding.signature == file.id && finding.span == Some(span);
        if self.tally[index].here > 0 && self.findings.iter().any(known) {
            return;
        }
        self.tally[index].here += 1;
        self.found_here.push((index, in_original.clone()));
        if self.tally[index].total >= MAX_PER_SIGNATURE {
            return;
        }
        self.tally[index].total += 1;
        let decoded = match (view.steps.is_empty(), reading) {
            (true, None) => None,
            (true, Some(reading)) => {
                Some(Decoded { from: vec!["parsed".into()], text: excerpt(&reading, MAX_DECODED_CHARS) })
            }
            (false, _) => Some(Decoded {
                from: view.steps.iter().map(|step| (*step).to_owned()).collect(),
                text: excerpt(around(&view.text, &range), MAX_DECODED_CHARS),
            }),
        };
        self.findings.push(Finding {
            signature: file.id.clone(),
            version: file.version,
            category: file.category.clone(),
            severity: file.severity,
            confidence: file.confidence,
            verdict: file.verdict,
            title: file.title.clone(),
            json_path: origin.node.map(|node| node.pointer()).unwrap_or_default(),
            span: Some(span),
            matched: excerpt(original.get(in_original).unwrap_or(""), MAX_MATCHED_CHARS),
            decoded,
        });
    }

    /// The part of the current text in which at least so many signs stand close together, each in words of its own. `sign`
    /// says which sign a hit of an active Signature is, if any; what looks at a text as a whole shares its words with others.
    pub fn several(&self, at_least: usize, sign: impl Fn(usize) -> Option<Sign>) -> Option<Range<usize>> {
        let found = self.found_here.iter().filter_map(|(index, range)| Some((sign(*index)?, range.clone())));
        let mut found: Vec<(Sign, Range<usize>)> = found.collect();
        if found.len() < at_least {
            return None;
        }
        found.sort_by_key(|(_, range)| range.end);
        found.iter().find_map(|(_, Range { start, .. })| {
            let near = |range: &Range<usize>| range.start >= *start && range.end <= start + SIGNS_WITHIN_BYTES;
            let mut signs: Vec<Sign> = Vec::new();
            let (mut free_from, mut end) = (0, *start);
            for (sign, range) in found.iter().filter(|(_, range)| near(range)) {
                end = range.end;
                if signs.contains(sign) || *sign != Sign::Score && range.start < free_from {
                    continue;
                }
                if *sign != Sign::Score {
                    free_from = range.end;
                }
                signs.push(*sign);
            }
            (signs.len() >= at_least).then_some(*start..end)
        })
    }

    /// The gravest first, at most `MAX_FINDINGS`.
    pub fn finish(mut self) -> Vec<Finding> {
        let rank = |finding: &Finding| (finding.verdict, finding.severity, finding.confidence);
        self.findings.sort_by_key(|finding| std::cmp::Reverse(rank(finding)));
        debug_assert!(self.findings.iter().all(|finding| finding.verdict >= Verdict::Flag));
        self.findings.truncate(MAX_FINDINGS);
        self.findings
    }
}

/// Some text before and after a match, for reading.
fn around<'t>(text: &'t str, range: &Range<usize>) -> &'t str {
    let start = floor_char(text, range.start.saturating_sub(80));
    let end = floor_char(text, (start + 1600).max(range.end));
    text.get(start..end).unwrap_or("")
}

/// At most `max` characters, secrets masked.
fn excerpt(text: &str, max: usize) -> String {
    // Cut first (a match can be megabytes), but leave enough that a secret on the border is still known as one.
    let text = &text[..floor_char(text, max * 4 + 4096)];
    let masked = crate::mask::mask(text);
    if masked.chars().count() <= max {
        return masked;
    }
    masked.chars().take(max - 1).chain(['…']).collect()
}
