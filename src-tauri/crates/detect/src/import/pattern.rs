//! One text or regular expression of a foreign rule, as the engine's patterns want it: lower case over normalised text,
//! linear time, with words that every match must hold (the prefilter) and a sample that it matches.

use crate::normal::Normal;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Shorter prefilters would be tried on every text.
const MIN_WORD_BYTES: usize = 3;
const MAX_WORDS: usize = 32;
const MAX_SAMPLE_BYTES: usize = 400;

#[derive(Clone, Debug)]
pub struct Converted {
    pub regex: String,
    /// One of these is in every match; empty: none is known.
    pub words: Vec<String>,
    /// A text that it matches, as far as one could be made.
    pub sample: Option<String>,
}

/// How a foreign rule means its text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Means {
    pub any_case: bool,
    pub dot_all: bool,
    /// Not inside a longer word.
    pub full_word: bool,
}

pub fn of_text(text: &str, means: Means) -> Result<Converted, String> {
    let plain = Normal::of(text).text;
    if plain.trim().len() < 2 {
        return Err("nothing of it is left once invisible characters are taken away".into());
    }
    of_regex(&regex_syntax::escape(&plain), Means { any_case: true, ..means })
}

pub fn of_regex(source: &str, means: Means) -> Result<Converted, String> {
    if !means.any_case && wants_capitals(&parse(source, means.dot_all)?) {
        return Err("it depends on capital letters, and texts are checked in lower case".into());
    }
    let lower = in_lower_case(source);
    let hir = parse(&lower, means.dot_all)?;
    if wants_capitals(&hir) || wants_no_text(&hir) {
        return Err("it looks for bytes that no checked text holds".into());
    }
    if hir.properties().minimum_len().unwrap_or(0) == 0 {
        return Err("it matches the empty text".into());
    }
    let words = words(&hir).unwrap_or_default();
    let mut sample = Vec::new();
    let sample = draw(&hir, &mut sample).then_some(sample).and_then(|sample| String::from_utf8(sample).ok());
    let lower = if means.dot_all { format!("(?s:{lower})") } else { lower };
    let regex = if means.full_word { format!("(?:^|[^a-z0-9])(?:{lower})(?:$|[^a-z0-9])") } else { lower };
    Ok(Converted { regex, words, sample })
}

fn parse(source: &str, dot_all: bool) -> Result<Hir, String> {
    let mut parser = regex_syntax::ParserBuilder::new();
    parser.unicode(false).utf8(false).multi_line(true).dot_matches_new_line(dot_all);
    let fault = |error: regex_syntax::Error| error.to_string().lines().last().unwrap_or_default().trim().to_owned();
    parser.build().parse(source).map_err(|error| format!("its pattern is not one of ours: {}", fault(error)))
}

/// Letters become small, escapes (`\W`, `\B`, `\x4A`) stay what they are.
fn in_lower_case(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut chars = source.chars();
    while let Some(c) = chars.next() {
        out.extend(c.to_lowercase());
        if c == '\\' {
            out.extend(chars.next());
        }
    }
    out
}

/// A class of capital letters alone, which small letters would not satisfy.
fn wants_capitals(hir: &Hir) -> bool {
    any(hir, &|hir| match hir.kind() {
        HirKind::Class(class) => {
            let has = |range: std::ops::RangeInclusive<u8>| range.into_iter().any(|byte| holds(class, byte));
            has(b'A'..=b'Z') && !has(b'a'..=b'z')
        }
        _ => false,
    })
}

/// Control characters and bytes that are no ASCII, which classes name for binary files.
fn wants_no_text(hir: &Hir) -> bool {
    let is_text = |byte: u8| byte >= b' ' && byte != 0x7f || matches!(byte, b'\n' | b'\r' | b'\t');
    any(hir, &|hir| match hir.kind() {
        HirKind::Literal(literal) => {
            let bytes = &literal.0;
            std::str::from_utf8(bytes).is_err() || bytes.iter().any(|&byte| !is_text(byte) || byte.is_ascii_uppercase())
        }
        HirKind::Class(class) => !(0..=0x7f).any(|byte| is_text(byte) && holds(class, byte)),
        _ => false,
    })
}

fn any(hir: &Hir, is: &dyn Fn(&Hir) -> bool) -> bool {
    is(hir) || hir.kind().subs().iter().any(|sub| any(sub, is))
}

fn holds(class: &Class, byte: u8) -> bool {
    match class {
        Class::Bytes(class) => class.iter().any(|range| (range.start()..=range.end()).contains(&byte)),
        Class::Unicode(class) => class.iter().any(|range| (range.start()..=range.end()).contains(&char::from(byte))),
    }
}

/// Words of which every match holds one; None: there are none of use.
fn words(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let word = std::str::from_utf8(&literal.0).ok()?;
            (word.trim().len() >= MIN_WORD_BYTES && Normal::of(word).text == word).then(|| vec![word.to_owned()])
        }
        HirKind::Capture(capture) => words(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => words(&repetition.sub),
        HirKind::Concat(parts) => {
            let shortest = |words: &Vec<String>| words.iter().map(String::len).min().unwrap_or(0);
            parts.iter().filter_map(words).max_by_key(shortest)
        }
        HirKind::Alternation(ways) => {
            let mut all = Vec::new();
            for way in ways {
                all.extend(words(way)?);
            }
            all.sort();
            all.dedup();
            (all.len() <= MAX_WORDS).then_some(all)
        }
        _ => None,
    }
}

/// Appends a text that `hir` matches. False: it would get too long, or holds what no text does.
fn draw(hir: &Hir, out: &mut Vec<u8>) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => {
            out.extend_from_slice(&literal.0);
            out.len() <= MAX_SAMPLE_BYTES
        }
        HirKind::Class(class) => {
            // What reads best first.
            let printable = (b'a'..=b'z').chain(b'0'..=b'9').chain([b' ', b'-', b'/', b'.']).chain(b' '..=b'~');
            let first = printable.chain([b'\n', b'\t']).find(|byte| holds(class, *byte));
            out.extend(first);
            first.is_some()
        }
        HirKind::Repetition(repetition) => (0..repetition.min).all(|_| draw(&repetition.sub, out)),
        HirKind::Capture(capture) => draw(&capture.sub, out),
        HirKind::Concat(parts) => parts.iter().all(|part| draw(part, out)),
        HirKind::Alternation(ways) => ways.first().is_some_and(|way| draw(way, out)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: &str) -> Result<Converted, String> {
        of_regex(source, Means::default())
    }

    #[test]
    fn words_are_in_every_match_and_the_sample_is_matched() {
        for (source, words) in [
            (r"Ignore\s+(all|any)\s+previous", vec!["previous"]),
            ("(curl|wget) https?://", vec![" http"]),
            ("(alpha|beta)+", vec!["alpha", "beta"]),
            ("x{2,3}", vec![]),
            ("(long word)?", vec![]),
        ] {
            let Ok(converted) = of(source) else {
                assert!(source.ends_with('?'), "{source}");
                continue;
            };
            assert_eq!(converted.words, words, "{source}");
            let sample = converted.sample.unwrap();
            let found = crate::pattern::build(&converted.regex).unwrap().find(sample.as_bytes()).is_some();
            assert!(found, "{source}: {sample}");
        }
    }

    #[test]
    fn what_lower_case_text_cannot_satisfy_is_said() {
        assert!(of("AKIA[0-9A-Z]{16}").unwrap_err().contains("capital"));
        assert!(of_regex("akia[0-9A-Z]{16}", Means { any_case: true, ..Means::default() }).is_ok());
        assert!(of(r"\x00\x01MZ").unwrap_err().contains("no checked text"));
        assert!(of("(?=x)y").unwrap_err().contains("not one of ours"));
        assert!(of(r"\Bfoo\W").is_ok_and(|converted| converted.regex == r"\Bfoo\W"));
        assert!(of("a*").unwrap_err().contains("empty"));
    }

    #[test]
    fn a_full_word_is_no_part_of_a_longer_one() {
        let means = Means { full_word: true, ..Means::default() };
        let regex = crate::pattern::build(&of_text("Rm -RF", means).unwrap().regex).unwrap();
        assert!(regex.is_match(b"x; rm -rf /") && regex.is_match(b"rm -rf"));
        assert!(!regex.is_match(b"farm -rf") && !regex.is_match(b"rm -rfoo"));
    }
}
