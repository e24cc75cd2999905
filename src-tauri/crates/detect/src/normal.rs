//! Normalised text: what a pattern is matched against. Compatibility forms, accents, case, homoglyphs, invisible and
//! terminal control characters are taken away; every byte knows where it came from.

use std::ops::Range;
use unicode_normalization::UnicodeNormalization;

/// Lower-case, folded text with a map back to the text it was made of.
pub struct Normal {
    pub text: String,
    /// Source offset of the character each byte came from, plus the source's length; None: offsets are equal.
    map: Option<Vec<u32>>,
}

impl Normal {
    pub fn of(source: &str) -> Self {
        if source.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t' | b'\r')) {
            return Self { text: unescape(source.to_ascii_lowercase()), map: None };
        }
        let mut text = String::with_capacity(source.len());
        let mut map = Vec::with_capacity(source.len() + 1);
        let mut chars = source.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c == '\u{1b}' {
                let skip = escape_len(&source[at..]);
                while chars.peek().is_some_and(|(next, _)| *next < at + skip) {
                    chars.next();
                }
                continue;
            }
            if c.is_ascii() {
                if !c.is_ascii_control() || matches!(c, '\n' | '\t' | '\r') {
                    text.push(c.to_ascii_lowercase());
                    map.push(at as u32);
                }
                continue;
            }
            if is_invisible(c) {
                continue;
            }
            for c in std::iter::once(c).nfkd() {
                if matches!(c, '\u{300}'..='\u{36f}') {
                    continue;
                }
                for lower in c.to_lowercase() {
                    let before = text.len();
                    text.push(fold(lower));
                    map.extend(std::iter::repeat_n(at as u32, text.len() - before));
                }
            }
        }
        map.push(source.len() as u32);
        Self { text: unescape(text), map: Some(map) }
    }

    /// The range of the source that `range` of the normalised text came from.
    pub fn source_range(&self, range: Range<usize>) -> Range<usize> {
        match &self.map {
            None => range,
            Some(map) => {
                let at = |index: usize| map.get(index).or(map.last()).map_or(0, |offset| *offset as usize);
                let start = at(range.start);
                start..at(range.end).max(start)
            }
        }
    }
}

/// Text inside quoted text (JSON or YAML in a string) carries `\\n` and `\\"` spelled out; they would glue words together.
/// They become white space of the same length, so offsets stay.
fn unescape(text: String) -> String {
    if !text.contains('\\') {
        return text;
    }
    let mut bytes = text.into_bytes();
    for at in 0..bytes.len().saturating_sub(1) {
        if bytes[at] != b'\\' {
            continue;
        }
        match bytes[at + 1] {
            b'n' | b'r' => bytes[at..at + 2].copy_from_slice(b" \n"),
            b't' => bytes[at..at + 2].fill(b' '),
            b'"' | b'\'' | b'\\' | b'/' | b' ' | b'\n' => bytes[at] = b' ',
            _ => {}
        }
    }
    // Only ASCII bytes were replaced by ASCII bytes.
    String::from_utf8(bytes).unwrap_or_default()
}

/// Length in bytes of the terminal escape sequence at the start of `text` (which starts with ESC).
pub fn escape_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes.get(1) {
        Some(b'[') => {
            bytes[2..].iter().take(64).position(|byte| (0x40..=0x7e).contains(byte)).map_or(2, |n| n + 3).min(64)
        }
        Some(b']' | b'P' | b'_' | b'^' | b'X') => {
            let end = bytes[2..].iter().position(|&byte| byte == 0x07 || byte == 0x1b);
            end.map_or(2, |n| n + 3 + usize::from(bytes.get(n + 2) == Some(&0x1b))).min(bytes.len())
        }
        Some(byte) if byte.is_ascii() => 2,
        _ => 1,
    }
}

/// Characters that print nothing, bidirectional controls and variation selectors among them.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Letters of other scripts that look like Latin ones, and typographic punctuation.
fn fold(c: char) -> char {
    match c {
        'а' | 'α' | 'ɑ' => 'a',
        'в' | 'β' => 'b',
        'с' | 'ϲ' | 'ⅽ' => 'c',
        'ԁ' | 'ɗ' => 'd',
        'е' | 'ҽ' | 'ε' => 'e',
        'ɡ' | 'ց' => 'g',
        'һ' | 'н' | 'η' => 'h',
        'і' | 'ı' | 'ι' | 'ɩ' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' | 'ⅼ' => 'l',
        'м' | 'μ' => 'm',
        'ո' | 'п' => 'n',
        'о' | 'ο' | 'օ' | 'σ' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'г' | 'ɾ' => 'r',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' | 'ѡ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        'ʐ' => 'z',
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{201f}' | '\u{2033}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{2028}' | '\u{2029}' | '\u{85}' => '\n',
        '\u{2044}' | '\u{2215}' => '/',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disguises_fall_away() {
        for (disguised, plain) in [
            ("IGNORE", "ignore"),
            ("ｉｇｎｏｒｅ", "ignore"),
            ("𝐢𝐠𝐧𝐨𝐫𝐞", "ignore"),
            ("іgnоrе", "ignore"),
            ("i\u{200b}g\u{200d}n\u{2060}ore", "ignore"),
            ("ig\u{e0041}\u{e0042}nore", "ignore"),
            ("i\u{301}gno\u{308}re", "ignore"),
            ("ígnöre", "ignore"),
            ("ig\u{1b}[8mno\u{1b}[0mre", "ignore"),
            ("ig\u{1b}]8;;http://x\u{7}nore", "ignore"),
            ("ig\u{8}nore", "ignore"),
            ("a\u{a0}b\u{2003}c", "a b c"),
            ("don\u{2019}t", "don't"),
            ("a\\nIgnore\\\n  \\ all", "a \nignore \n    all"),
        ] {
            assert_eq!(Normal::of(disguised).text, plain, "{disguised:?}");
        }
    }

    #[test]
    fn ranges_lead_back() {
        let source = "xx ｉ\u{200b}gnore yy";
        let normal = Normal::of(source);
        let at = normal.text.find("ignore").unwrap();
        assert_eq!(&source[normal.source_range(at..at + 6)], "ｉ\u{200b}gnore");
    }
}
