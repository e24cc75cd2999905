//! Near what the patterns of a Signature are tried: the surroundings of its keywords.

use super::floor_char;
use crate::role::Role;
use crate::set::SignatureSet;
use std::ops::Range;

/// Patterns see this much text on both sides of a keyword.
const KEYWORD_MARGIN_BYTES: usize = 800;

/// Where the patterns of the Signatures whose keywords were seen are to be tried. Signatures whose keywords were not
/// seen cost nothing, however many there are.
#[derive(Default)]
pub(super) struct Near {
    /// By active Signature: its place in `seen`, plus one.
    places: Vec<u32>,
    seen: Vec<(usize, Vec<Range<usize>>)>,
    spare: Vec<Vec<Range<usize>>>,
}

impl Near {
    pub fn of(signatures: usize) -> Self {
        Self { places: vec![0; signatures], ..Self::default() }
    }

    /// Notes for each Signature that looks at `role` the surroundings of its keywords in `text`.
    pub fn find(&mut self, set: &SignatureSet, text: &str, role: Role) {
        let Some(automaton) = &set.keywords else { return };
        let bits = role.bits();
        for hit in automaton.find_overlapping_iter(text) {
            let start = floor_char(text, hit.start().saturating_sub(KEYWORD_MARGIN_BYTES));
            let end = floor_char(text, hit.end() + KEYWORD_MARGIN_BYTES);
            for &owner in &set.owners[hit.pattern().as_usize()] {
                if set.active[owner].roles & bits != 0 {
                    self.add(owner, start..end);
                }
            }
        }
    }

    fn add(&mut self, owner: usize, range: Range<usize>) {
        let place = self.places[owner] as usize;
        if place == 0 {
            let mut ranges = self.spare.pop().unwrap_or_default();
            ranges.push(range);
            self.seen.push((owner, ranges));
            self.places[owner] = self.seen.len() as u32;
            return;
        }
        let ranges = &mut self.seen[place - 1].1;
        match ranges.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => ranges.push(range),
        }
    }

    /// What was seen, in the order of the Signatures; hand it back to `recycle`.
    pub fn take(&mut self) -> Vec<(usize, Vec<Range<usize>>)> {
        for (owner, _) in &self.seen {
            self.places[*owner] = 0;
        }
        let mut seen = std::mem::take(&mut self.seen);
        seen.sort_unstable_by_key(|(owner, _)| *owner);
        seen
    }

    pub fn recycle(&mut self, mut seen: Vec<(usize, Vec<Range<usize>>)>) {
        self.spare.extend(seen.drain(..).map(|(_, mut ranges)| {
            ranges.clear();
            ranges
        }));
        self.seen = seen;
    }
}
