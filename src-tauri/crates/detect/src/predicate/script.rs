//! Words that mix Latin letters with look-alikes of other scripts.

use super::Match;

/// Matches when at least `words` words mix scripts; the range is the first one.
pub fn find(text: &str, words: usize) -> Vec<Match> {
    if text.is_ascii() {
        return Vec::new();
    }
    let mut first = None;
    let mut count = 0;
    let mut start = None;
    let mut seen = (false, false, 0);
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if c.is_alphabetic() {
            start.get_or_insert(at);
            seen = (seen.0 || c.is_ascii_alphabetic(), seen.1 || is_look_alike(c), seen.2 + 1);
            continue;
        }
        if let Some(start) = start.take()
            && seen.0
            && seen.1
            && seen.2 >= 4
        {
            first.get_or_insert(start..at);
            count += 1;
        }
        seen = (false, false, 0);
    }
    if count < words {
        return Vec::new();
    }
    first.map(|range| Match { range, reading: None }).into_iter().collect()
}

/// Cyrillic and Greek letters that look like Latin ones (not µ, Ω, Δ, π, which science mixes in).
fn is_look_alike(c: char) -> bool {
    matches!(
        c,
        'а' | 'в'
            | 'е'
            | 'к'
            | 'м'
            | 'н'
            | 'о'
            | 'р'
            | 'с'
            | 'т'
            | 'у'
            | 'х'
            | 'і'
            | 'ј'
            | 'ѕ'
            | 'ԁ'
            | 'һ'
            | 'ӏ'
            | 'ԛ'
            | 'ԝ'
            | 'А'
            | 'В'
            | 'Е'
            | 'К'
            | 'М'
            | 'Н'
            | 'О'
            | 'Р'
            | 'С'
            | 'Т'
            | 'У'
            | 'Х'
            | 'І'
            | 'Ј'
            | 'Ѕ'
            | 'ο'
            | 'ν'
            | 'Ο'
            | 'Α'
            | 'Β'
            | 'Ε'
            | 'Η'
            | 'Ι'
            | 'Κ'
            | 'Μ'
            | 'Ν'
            | 'Ρ'
            | 'Τ'
            | 'Χ'
            | 'Υ'
            | 'Ζ'
    )
}
