//! Runs of bytes of one kind, found without reading most of a text: a run of `min` bytes covers every `min`-th byte, so
//! where that byte is of another kind there is none. What makes decoders and secrets cost nothing on plain prose.

use std::ops::Range;

/// A kind of byte: true for those that belong to it.
pub(crate) type Class = [bool; 256];

/// Letters and digits, and `signs`.
pub(crate) const fn alphanumeric_and(signs: &[u8]) -> Class {
    let mut class = of(signs);
    let mut byte = 0;
    while byte < 128 {
        class[byte] |= (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    class
}

pub(crate) const fn of(bytes: &[u8]) -> Class {
    let mut class = [false; 256];
    let mut at = 0;
    while at < bytes.len() {
        class[bytes[at] as usize] = true;
        at += 1;
    }
    class
}

/// The next run of at least `min` bytes of `class` at or after `from`, as long as it goes.
pub(crate) fn next(bytes: &[u8], from: usize, min: usize, class: &Class) -> Option<Range<usize>> {
    next_by(bytes.len(), from, min, |at| class[usize::from(bytes[at])])
}

/// The same for any test of a position below `length`.
pub(crate) fn next_by(length: usize, from: usize, min: usize, holds: impl Fn(usize) -> bool) -> Option<Range<usize>> {
    let mut start = from;
    loop {
        let last = start + min.max(1) - 1;
        if last >= length {
            return None;
        }
        match (start..=last).rev().find(|at| !holds(*at)) {
            Some(other) => start = other + 1,
            None => {
                let end = (last + 1..length).find(|at| !holds(*at)).unwrap_or(length);
                return Some(start..end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8], min: usize, class: &Class) -> Vec<Range<usize>> {
        let mut out = Vec::new();
        let mut at = 0;
        while let Some(run) = next(bytes, at, min, class) {
            at = run.end;
            out.push(run);
        }
        out
    }

    proptest! {
        #[test]
        fn every_run_is_found(text in "[ab .]{0,200}", min in 1usize..20) {
            let class = of(b"ab");
            let mut want = Vec::new();
            let mut start = None;
            for (at, byte) in text.bytes().chain([b' ']).enumerate() {
                match (class[usize::from(byte)], start) {
                    (true, None) => start = Some(at),
                    (false, Some(begin)) => {
                        if at - begin >= min {
                            want.push(begin..at);
                        }
                        start = None;
                    }
                    _ => {}
                }
            }
            prop_assert_eq!(all(text.as_bytes(), min, &class), want);
        }
    }
}
