//! Prose that was encoded for no reason but to be overlooked. Pictures, tokens, settings and mail addresses are encoded
//! for good reasons and are left alone; base64 is, too, because so much honest text travels in it.

use super::Match;
use crate::decode;

/// Escaped letters in a row before it counts.
const MIN_ESCAPED: usize = 16;
/// Words before text that was spelled out counts as prose.
const MIN_WORDS: usize = 4;

pub fn find(text: &str) -> Vec<Match> {
    let escaped = decode::needless(text, MIN_ESCAPED);
    let spelled = decode::spelled_out(text);
    let found = escaped.into_iter().chain(spelled).filter(|(_, reading)| is_prose(reading));
    found.take(4).map(|(range, reading)| Match { range, reading: Some(reading) }).collect()
}

fn is_prose(reading: &str) -> bool {
    let words =
        reading.split(|c: char| !c.is_ascii_alphabetic() && c != '\'').filter(|word| (2..=20).contains(&word.len()));
    words.count() >= MIN_WORDS && reading.matches(' ').count() >= MIN_WORDS - 1
}
