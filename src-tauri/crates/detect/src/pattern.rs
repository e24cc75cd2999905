//! One regex of a Signature: byte mode, linear time, compiled the first time it is tried.

use crate::needs::{Grams, Needs};
use crate::work;
use regex::bytes::{Regex, RegexBuilder};
use std::ops::Range;
use std::sync::OnceLock;

/// A compiled pattern may take this much memory; beyond it the file is refused.
const MAX_COMPILED_BYTES: usize = 1 << 20;
/// What stands between two parts of one sentence …
const WITHIN_SENTENCE: &str = r"[^.\n]";
/// … may hold an address, a path or a number: a dot ends no sentence in the middle of a word.
const DOTS_IN_WORDS: &str = r"(?:[^.\n]|\.[\w/~-])";

pub(crate) struct Pattern {
    source: String,
    needs: OnceLock<Needs>,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub fn new(source: &str) -> Self {
        Self { source: source.to_owned(), needs: OnceLock::new(), compiled: OnceLock::new() }
    }

    /// Whether the pattern could match in a text, or a part of it, that holds these.
    pub fn may_match(&self, grams: &Grams) -> bool {
        self.needs.get_or_init(|| Needs::of(&expanded(&self.source))).may_be_met(grams)
    }

    /// First match that starts at or after `window.start` and ends by `window.end`.
    pub fn find(&self, text: &str, window: Range<usize>) -> Option<Range<usize>> {
        let regex = self.compiled.get_or_init(|| build(&self.source).ok()).as_ref()?;
        let haystack = text.as_bytes().get(..window.end)?;
        if window.start > haystack.len() {
            return None;
        }
        let found = regex.find_at(haystack, window.start).map(|found| found.range());
        work::read(found.as_ref().map_or(window.end, |found| found.end) - window.start);
        found
    }
}

/// The source as it is compiled.
fn expanded(source: &str) -> String {
    source.replace(WITHIN_SENTENCE, DOTS_IN_WORDS)
}

/// Compiles a pattern as the engine does; the error is one line.
pub(crate) fn build(source: &str) -> Result<Regex, String> {
    RegexBuilder::new(&expanded(source))
        .unicode(false)
        .multi_line(true)
        .size_limit(MAX_COMPILED_BYTES)
        .build()
        .map_err(|error| error.to_string().lines().last().unwrap_or("is no regex").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_inside_a_word_ends_no_sentence() {
        let pattern = Pattern::new(r"\bsend\b[^.\n]{0,20}\bto the\b");
        let is_in = |text: &str| pattern.find(text, 0..text.len()).is_some();
        assert!(is_in("send ~/.ssh/id_rsa 1.0 to the"));
        assert!(!is_in("send it. go to the") && !is_in("send it.\ngo to the"));
        assert!(!is_in(&format!("send {}to the", "a.b ".repeat(20))));
    }
}
