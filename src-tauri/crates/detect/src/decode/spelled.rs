//! Words spelled in a way that patterns miss and models read: `i g n o r e`, `1gn0r3`.

use super::Part;
use crate::normal::is_letter;
use crate::runs;

/// Single characters in a row that make spaced-out text.
const MIN_SPACED: usize = 10;
/// Disguised words in a line before it is read as leetspeak.
const MIN_LEET_WORDS: usize = 2;
const MAX_LINE_BYTES: usize = 4096;

/// `d e l e t e   a l l` → `delete all`: one separator joins, more make a space.
pub(super) fn spaced(text: &str, parts: &mut Vec<Part>) {
    if !may_be_spaced(text.as_bytes()) {
        return;
    }
    let is_separator = |c: char| matches!(c, ' ' | '-' | '.' | '_' | '*' | '|' | '/' | '\u{a0}' | '\t' | '\n' | '\r');
    let mut run: Option<(usize, usize, String, usize)> = None;
    let mut chars = text.char_indices().peekable();
    let mut before = ' ';
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map_or(' ', |(_, next)| *next);
        // Letters in quotes are characters in a program.
        let is_quoted = matches!(before, '\'' | '"') && next == before;
        let is_single = is_letter(c) && !is_letter(before) && !is_letter(next) && !is_quoted;
        before = c;
        if is_single {
            let (_, end, word, count) = run.get_or_insert_with(|| (at, at, String::new(), 0));
            word.push(c);
            *end = at + c.len_utf8();
            *count += 1;
            let mut gap = 0;
            let (mut breaks, mut signs) = (false, false);
            while let Some((_, separator)) = chars.next_if(|(_, next)| is_separator(*next)) {
                gap += 1;
                breaks |= separator == '\n';
                signs |= !separator.is_whitespace();
                before = separator;
            }
            // One letter on each line is spelled out; letters in a drawing are not.
            if breaks && (signs || gap > 3) {
                push(run.take(), parts);
                continue;
            }
            if gap > 1 {
                word.push(' ');
            }
            if gap > 0 {
                continue;
            }
        }
        // Commas and full stops between words do not end the run; a word of several letters does.
        if matches!(c, ',' | ':' | ';' | '\'' | '"' | '!' | '?') || is_separator(c) {
            if let Some((_, _, word, _)) = &mut run {
                word.push(c);
            }
            continue;
        }
        if !is_single {
            push(run.take(), parts);
        }
    }
    push(run, parts);
}

/// Whether somewhere enough letters and digits stand with none of them beside another.
fn may_be_spaced(bytes: &[u8]) -> bool {
    let is_letter = |at: usize| bytes[at].is_ascii_alphanumeric();
    let apart = |at: usize| !(is_letter(at) && at + 1 < bytes.len() && is_letter(at + 1));
    let mut at = 0;
    while let Some(run) = runs::next_by(bytes.len(), at, 2 * MIN_SPACED - 1, apart) {
        at = run.end;
        let singles = run.filter(|at| is_letter(*at) || !bytes[*at].is_ascii()).take(MIN_SPACED).count();
        if singles >= MIN_SPACED {
            return true;
        }
    }
    false
}

fn push(run: Option<(usize, usize, String, usize)>, parts: &mut Vec<Part>) {
    if let Some((start, end, text, count)) = run
        && count >= MIN_SPACED
    {
        parts.push(Part { step: "spaced-letters", source: start..end, text });
    }
}

/// Lines in which digits and signs stand for letters.
pub(super) fn leet(text: &str, parts: &mut Vec<Part>) {
    if marked(text) < MIN_LEET_WORDS {
        return;
    }
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if marked(line) < MIN_LEET_WORDS {
            start += line.len();
            continue;
        }
        let words = line.split_ascii_whitespace().filter(|word| is_leet(word)).take(MIN_LEET_WORDS).count();
        if words >= MIN_LEET_WORDS && line.len() <= MAX_LINE_BYTES {
            let text = line.chars().map(letter).collect();
            parts.push(Part { step: "leetspeak", source: start..start + line.len(), text });
        }
        start += line.len();
    }
}

/// How often a sign stands right before a letter. Counted in blocks without a branch, which compilers turn into vector
/// code: many times quicker than taking the text apart into words.
fn marked(text: &str) -> usize {
    const BLOCK: usize = 32;
    let bytes = text.as_bytes();
    let is_marked = |pair: (&u8, &u8)| is_sign(*pair.0) & pair.1.is_ascii_alphabetic();
    let letters = bytes.get(1..).unwrap_or_default();
    let (blocks, rest) = letters.as_chunks::<BLOCK>();
    let count = |signs: &[u8], letters: &[u8; BLOCK]| {
        usize::from(signs.iter().zip(letters).fold(0u8, |sum, pair| sum + u8::from(is_marked(pair))))
    };
    let whole: usize = bytes.chunks_exact(BLOCK).zip(blocks).map(|(signs, letters)| count(signs, letters)).sum();
    whole + bytes[blocks.len() * BLOCK..].iter().zip(rest).filter(|pair| is_marked(*pair)).count()
}

/// A digit or sign with letters on both sides, or at the start of a word of letters: `pr0mpt`, `1gnore`.
fn is_leet(word: &str) -> bool {
    let bytes = word.as_bytes();
    if !(3..=20).contains(&bytes.len())
        || !bytes.windows(2).any(|pair| is_sign(pair[0]) && pair[1].is_ascii_alphabetic())
    {
        return false;
    }
    // `$name` and `@name` are names in programs and of people.
    if matches!(bytes[0], b'$' | b'@') && !bytes[1..].iter().any(|byte| is_sign(*byte)) {
        return false;
    }
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let odd = bytes.iter().filter(|byte| !byte.is_ascii_alphabetic() && !is_sign(**byte)).count();
    letters >= 2 && odd <= 1
}

fn is_sign(byte: u8) -> bool {
    matches!(byte, b'0' | b'1' | b'3' | b'4' | b'5' | b'7' | b'@' | b'$' | b'!')
}

fn letter(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        c => c,
    }
}
