//! Characters a person does not see: tag characters, variation selectors used as bytes, zero-width runs, bidirectional
//! overrides. Ordinary writing uses some of them (emoji, Arabic, Hindi, Persian), so each kind has its own measure.

use super::Match;
use serde::Deserialize;
use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Tag characters (U+E0000–E007F) outside flag emoji.
    Tags,
    /// Runs of variation selectors, which carry bytes.
    VariationSelectors,
    /// Long runs of zero-width characters, or letters of a word kept apart by them.
    ZeroWidth,
    /// Overrides that show text in another order than it is read (U+202D, U+202E), closed or not.
    BidiOverride,
}

/// Whether any character of a kind this module or the decoder knows stands in the text. Most text beyond ASCII has none,
/// and its bytes say so: the first one of each such character is one of five.
pub(crate) fn is_in(text: &str) -> bool {
    if text.is_ascii() {
        return false;
    }
    let leads = |byte: &u8| matches!(byte, 0xe1 | 0xe2 | 0xef | 0xf3);
    if !text.as_bytes().iter().fold(false, |found, byte| found | leads(byte)) {
        return false;
    }
    text.as_bytes().windows(3).any(|three| {
        matches!(
            three,
            // U+180E, U+200B to 200D, U+202A to 202E, U+2060 to 2064, U+FE00 to FE0F, U+FEFF, U+E0000 and beyond
            [0xe1, 0xa0, 0x8e]
                | [0xe2, 0x80, 0x8b..=0x8d | 0xaa..=0xae]
                | [0xe2, 0x81, 0xa0..=0xa4]
                | [0xef, 0xb8, 0x80..=0x8f]
                | [0xef, 0xbb, 0xbf]
                | [0xf3, 0xa0, _]
        )
    })
}

/// Asked only where `is_in` says so.
pub fn find(text: &str, kinds: &[Kind]) -> Vec<Match> {
    let plain = |range| Match { range, reading: None };
    let mut out = Vec::new();
    for kind in kinds {
        match kind {
            Kind::Tags => {
                let runs = tag_runs(text);
                // A few single ones that stand in no word spell nothing: tables of characters hold them.
                let says_something =
                    runs.len() >= 8 || runs.iter().any(|(range, _)| is_longer(text, range) || is_in_word(text, range));
                let runs = runs.into_iter().take(if says_something { 8 } else { 0 });
                out.extend(runs.map(|(range, reading)| Match { range, reading: Some(reading) }));
            }
            Kind::VariationSelectors => {
                out.extend(
                    runs(text, 4, is_selector)
                        .into_iter()
                        .take(8)
                        .map(|range| Match { reading: Some(selector_bytes(&text[range.clone()])), range }),
                );
            }
            Kind::ZeroWidth => {
                out.extend(runs(text, 8, is_zero_width).into_iter().take(8).map(plain));
                out.extend(interleaved(text).map(plain));
            }
            Kind::BidiOverride => {
                let found = text.char_indices().find(|(_, c)| matches!(c, '\u{202d}' | '\u{202e}'));
                out.extend(found.map(|(at, c)| plain(at..at + c.len_utf8())));
            }
        }
    }
    out
}

fn is_longer(text: &str, run: &Range<usize>) -> bool {
    text[run.clone()].chars().nth(1).is_some()
}

fn is_in_word(text: &str, run: &Range<usize>) -> bool {
    let (before, after) = (text[..run.start].chars().next_back(), text[run.end..].chars().next());
    [before, after].iter().any(|c| c.is_some_and(char::is_alphanumeric))
}

/// Runs of tag characters that are not part of a flag emoji (U+1F3F4 … U+E007F), with what they spell.
pub(crate) fn tag_runs(text: &str) -> Vec<(Range<usize>, String)> {
    let is_tag = |c: char| ('\u{e0000}'..='\u{e007f}').contains(&c);
    runs(text, 1, is_tag)
        .into_iter()
        .filter_map(|range| {
            let spelled: String = text[range.clone()]
                .chars()
                .filter_map(|c| char::from_u32((c as u32).wrapping_sub(0xe0000)))
                .filter(|c| matches!(c, ' '..='~' | '\n' | '\t'))
                .collect();
            let is_flag = text[..range.start].ends_with('\u{1f3f4}') && spelled.len() <= 6;
            (!is_flag).then_some((range, spelled))
        })
        .collect()
}

pub(crate) fn is_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

pub(crate) fn is_zero_width(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{180e}')
}

/// The bytes that a run of variation selectors carries, as text.
pub(crate) fn selector_bytes(run: &str) -> String {
    let bytes: Vec<u8> = run
        .chars()
        .filter_map(|c| match c as u32 {
            code @ 0xfe00..=0xfe0f => u8::try_from(code - 0xfe00).ok(),
            code @ 0xe0100..=0xe01ef => u8::try_from(code - 0xe0100 + 16).ok(),
            _ => None,
        })
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Runs of at least `min` characters that `keep` accepts.
pub(crate) fn runs(text: &str, min: usize, keep: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let (mut start, mut count) = (0, 0);
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if at < text.len() && keep(c) {
            if count == 0 {
                start = at;
            }
            count += 1;
        } else {
            if count >= min {
                out.push(start..at);
            }
            count = 0;
        }
    }
    out
}

/// Latin letters kept apart by zero-width characters, at least 8 times: `i·g·n·o·r·e`.
fn interleaved(text: &str) -> Option<Range<usize>> {
    let (mut first, mut count) = (0, 0);
    let mut before: Option<(usize, char)> = None;
    let mut gap = false;
    for (at, c) in text.char_indices() {
        if is_zero_width(c) {
            gap = before.is_some();
            continue;
        }
        if gap && c.is_ascii_alphanumeric() && before.is_some_and(|(_, b)| b.is_ascii_alphanumeric()) {
            if count == 0 {
                first = before.map_or(at, |(start, _)| start);
            }
            count += 1;
            if count >= 8 {
                return Some(first..at + c.len_utf8());
            }
        }
        gap = false;
        before = Some((at, c));
    }
    None
}
