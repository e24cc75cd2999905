//! Personal data that proves itself by a check digit: payment cards, bank accounts, identity numbers. Digits alone are
//! everywhere (hashes, times, orders), so a number counts only if its check digit holds *and* its form says what it is,
//! or a word beside it does. Well-known example numbers are nobody's data.

mod check;
mod countries;
mod iban;

use super::Match;
use crate::runs::{self, Class};
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use countries::{COUNTRIES, Country};
use serde::Deserialize;
use std::ops::Range;
use std::sync::LazyLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    PaymentCard,
    /// IBAN.
    BankAccount,
    /// Numbers that states give to people: identity, tax, social insurance, health.
    NationalId,
}

/// One number and what it is.
pub(crate) struct Personal {
    pub kind: Kind,
    pub range: Range<usize>,
    pub name: &'static str,
}

/// What numbers are written with, upper-case letters among them (`GB29 NWBK …`).
static NUMBERS: Class = {
    let mut class = runs::of(b"0123456789 -./()+<");
    let mut byte = b'A';
    while byte <= b'Z' {
        class[byte as usize] = true;
        byte += 1;
    }
    class
};
const MIN_RUN_BYTES: usize = 8;
const MIN_DIGITS: usize = 6;
/// Before a number, where a word may say what it is.
const MAX_WORD_DISTANCE: usize = 48;
const MAX_CHARS: usize = 34;

/// Those of `found` that are of one of `kinds`.
pub fn pick(found: &[Personal], kinds: &[Kind]) -> Vec<Match> {
    let found = found.iter().filter(|one| kinds.contains(&one.kind));
    found.take(16).map(|one| Match { range: one.range.clone(), reading: Some(one.name.into()) }).collect()
}

/// Every number in document order, overlaps removed.
pub(crate) fn all(text: &str) -> Vec<Personal> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(run) = runs::next(bytes, at, MIN_RUN_BYTES, &NUMBERS) {
        at = run.end;
        if bytes[run.clone()].iter().filter(|byte| byte.is_ascii_digit()).take(MIN_DIGITS).count() < MIN_DIGITS {
            continue;
        }
        by_form(bytes, run.clone(), &mut found);
        by_word(text, run, &mut found);
    }
    found.sort_by_key(|one: &Personal| (one.range.start, usize::MAX - one.range.end));
    let mut end = 0;
    found.retain(|one| {
        let keep = one.range.start >= end;
        end = end.max(one.range.end);
        keep
    });
    found
}

/// Numbers whose form is enough: each that begins a word.
fn by_form(bytes: &[u8], run: Range<usize>, found: &mut Vec<Personal>) {
    let mut at = run.start;
    while at < run.end {
        let begins = bytes[at].is_ascii_alphanumeric() && !touches(bytes, at);
        let end = if begins { form_at(bytes, at, found) } else { None };
        at = end.unwrap_or(at + 1);
    }
}

/// Whether a letter, digit or sign of a longer word stands before `at`.
fn touches(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|at| bytes[at]);
    before.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'+' | b'#'))
        || !before.is_none_or(|byte| byte.is_ascii())
}

fn form_at(bytes: &[u8], at: usize, found: &mut Vec<Personal>) -> Option<usize> {
    let number = Number::read(bytes, at);
    if let Some(end) = card(bytes, &number) {
        found.push(Personal { kind: Kind::PaymentCard, range: at..end, name: "payment card number" });
        return Some(end);
    }
    if let Some(end) = iban::find(&number) {
        found.push(Personal { kind: Kind::BankAccount, range: at..end, name: "IBAN" });
        return Some(end);
    }
    let country = COUNTRIES.iter().filter(|country| country.telling);
    let (end, country) = country.filter_map(|country| Some((number.fits(country)?, country))).next()?;
    found.push(Personal { kind: Kind::NationalId, range: at..end, name: country.name });
    Some(end)
}

/// Numbers that a word before them names.
fn by_word(text: &str, run: Range<usize>, found: &mut Vec<Personal>) {
    static WORDS: LazyLock<Option<(AhoCorasick, Vec<&'static Country>)>> = LazyLock::new(|| {
        let words = COUNTRIES.iter().flat_map(|country| country.words.iter().map(move |word| (*word, country)));
        let (words, owners): (Vec<&str>, Vec<&Country>) = words.unzip();
        let builder = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).ascii_case_insensitive(true).build(words);
        Some((builder.ok()?, owners))
    });
    let Some((words, owners)) = WORDS.as_ref() else { return };
    let bytes = text.as_bytes();
    let from = run.start.saturating_sub(MAX_WORD_DISTANCE);
    for hit in words.find_overlapping_iter(&bytes[from..run.end]) {
        let (start, end) = (from + hit.start(), from + hit.end());
        // Chinese, Japanese and Thai set no space between words.
        let goes_on = |c: char| c.is_alphabetic() && u32::from(c) < 0x0e00;
        if text[..start].ends_with(goes_on) || text[end..].starts_with(goes_on) {
            continue;
        }
        let country = owners[hit.pattern().as_usize()];
        let places = next_number(bytes, end);
        let place = places.into_iter().flatten().find_map(|at| Some((at, Number::read(bytes, at).fits(country)?)));
        if let Some((at, end)) = place {
            found.push(Personal { kind: Kind::NationalId, range: at..end, name: country.name });
        }
    }
}

/// Where the first number close behind `from` may begin: at its letters (`AB 12 34 56 C`), or at the word of its first digit.
fn next_number(bytes: &[u8], from: usize) -> [Option<usize>; 2] {
    let near = bytes.iter().skip(from).take(MAX_WORD_DISTANCE);
    let Some(digit) = near.take_while(|byte| **byte != b'\n').position(u8::is_ascii_digit).map(|n| from + n) else {
        return [None, None];
    };
    let letters_before = |at: usize| bytes[from..at].iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = digit - letters_before(digit);
    let apart =
        (word > from && bytes[word - 1] == b' ').then(|| letters_before(word - 1)).filter(|n| (1..=2).contains(n));
    [apart.map(|letters| word - 1 - letters), Some(word)]
}

/// Letters and digits of a number with single separators between them, and what lies between.
pub(super) struct Number {
    count: usize,
    /// Upper case.
    upper: [u8; MAX_CHARS],
    /// The offset behind each.
    ends: [usize; MAX_CHARS],
    /// Before each: the separator, or 0.
    gaps: [u8; MAX_CHARS],
    /// A letter or digit follows the last one.
    goes_on: bool,
}

impl Number {
    fn read(bytes: &[u8], start: usize) -> Self {
        let (upper, ends, gaps) = ([0; MAX_CHARS], [0; MAX_CHARS], [0; MAX_CHARS]);
        let mut number = Self { count: 0, upper, ends, gaps, goes_on: false };
        let (mut at, mut gap) = (start, 0);
        while let Some(&byte) = bytes.get(at) {
            let follows = bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric);
            if byte.is_ascii_alphanumeric() {
                let n = number.count;
                if n == MAX_CHARS {
                    number.goes_on = gap == 0;
                    break;
                }
                (number.upper[n], number.ends[n], number.gaps[n]) = (byte.to_ascii_uppercase(), at + 1, gap);
                number.count += 1;
                gap = 0;
            } else if matches!(byte, b' ' | b'-' | b'.' | b'/' | b'(' | b'+') && follows && gap == 0 {
                gap = byte;
            } else {
                number.goes_on = byte == b'_' || !byte.is_ascii();
                break;
            }
            at += 1;
        }
        number
    }

    /// The first `count` characters and the offset behind them, if the number may end there.
    fn first(&self, count: usize) -> Option<(&[u8], usize)> {
        let ends = match self.gaps().get(count) {
            Some(gap) => !matches!(gap, 0 | b'-' | b'.' | b'/'),
            None => !self.goes_on,
        };
        (ends && count > 0).then_some(())?;
        Some((self.chars().get(..count)?, *self.ends.get(count - 1)?))
    }

    fn chars(&self) -> &[u8] {
        &self.upper[..self.count]
    }

    fn gaps(&self) -> &[u8] {
        &self.gaps[..self.count]
    }

    /// Lengths of the groups of the first `count` characters, and whether one kind of separator parts them all.
    fn groups(&self, count: usize) -> (Vec<usize>, bool) {
        let mut groups = vec![0];
        let mut signs: Vec<u8> = Vec::new();
        for sign in self.gaps().iter().take(count) {
            if *sign != 0 {
                groups.push(0);
                signs.push(*sign);
            }
            if let Some(last) = groups.last_mut() {
                *last += 1;
            }
        }
        signs.dedup();
        (groups, signs.len() <= 1)
    }

    fn fits(&self, country: &Country) -> Option<usize> {
        country.lengths.iter().find_map(|length| {
            let (chars, end) = self.first(*length)?;
            let in_form = || country.forms.is_empty() || country.forms.contains(&self.groups(*length).0.as_slice());
            ((country.holds)(chars) && in_form() && !is_dull(chars)).then_some(end)
        })
    }
}

/// Made up: one digit over and over, or counting up.
fn is_dull(chars: &[u8]) -> bool {
    let digits: Vec<u8> = chars.iter().filter(|byte| byte.is_ascii_digit()).copied().collect();
    let counts = digits.windows(2).filter(|two| two[1] == two[0] + 1 || (two[0], two[1]) == (b'9', b'0')).count();
    let first = digits.first().copied();
    digits.iter().filter(|digit| Some(**digit) == first).count() + 2 > digits.len() || counts + 2 > digits.len()
}

/// A card number by issuer, length and check digit; in one piece only where a word beside it speaks of cards, because one
/// of fifty long numbers would pass.
fn card(bytes: &[u8], number: &Number) -> Option<usize> {
    let digits = number.chars().iter().take_while(|byte| byte.is_ascii_digit()).count();
    [16, 15, 14, 19].into_iter().filter(|length| *length <= digits).find_map(|length| {
        let (chars, end) = number.first(length)?;
        if !check::is_issued(chars) || !check::luhn(chars) || is_dull(chars) || check::is_test_card(chars) {
            return None;
        }
        // A fifth group of four makes it another number; an expiry date or a code does not.
        let after = number.chars().iter().zip(number.gaps()).skip(length);
        let fifth = after.enumerate().take_while(|(n, (byte, gap))| byte.is_ascii_digit() && (*n == 0 || **gap == 0));
        if fifth.count() == 4 {
            return None;
        }
        let (groups, even) = number.groups(length);
        let grouped = even && matches!(groups.as_slice(), [4, 4, 4, 4] | [4, 6, 5] | [4, 6, 4] | [4, 4, 4, 4, 3]);
        let start = end - (chars.len() + groups.len() - 1);
        let named = || speaks_of_cards(&bytes[start.saturating_sub(MAX_WORD_DISTANCE)..start]);
        (grouped && !counts_something(bytes, start) || groups.len() == 1 && named()).then_some(end)
    })
}

fn speaks_of_cards(before: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[
        b"card",
        b"visa",
        b"mastercard",
        b"amex",
        b"american express",
        b"credit",
        b"debit",
        b"pan\"",
        b"pan:",
        b"pan=",
        b"cc_num",
        b"ccnum",
        b"cc number",
        b"kreditkarte",
        b"carte bancaire",
        b"tarjeta",
        b"carta di credito",
        b"kaart",
    ];
    let before = before.to_ascii_lowercase();
    WORDS.iter().any(|word| memchr::memmem::find(&before, word).is_some())
}

/// The word right before a grouped number says that it is something else.
fn counts_something(bytes: &[u8], start: usize) -> bool {
    const WORDS: &[&[u8]] =
        &[b"order", b"tracking", b"serial", b"license", b"licence", b"invoice", b"ticket", b"version", b"part", b"key"];
    let before = bytes[start.saturating_sub(24)..start].to_ascii_lowercase();
    WORDS.iter().any(|word| memchr::memmem::find(&before, word).is_some())
}

#[cfg(test)]
mod tests;
