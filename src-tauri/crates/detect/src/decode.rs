//! Encoded and disguised parts of a text, decoded. One step at a time: the Scanner looks at the result and asks again,
//! so encodings nest. What does not decode to readable text is dropped; the volume has a budget per Message.

use crate::normal::is_letter;
use crate::predicate::hidden;
use crate::work;
use std::collections::HashMap;
use std::ops::Range;

mod ciphers;
mod encoded;
pub(crate) use encoded::decode64;
pub(crate) use escapes::needless;
mod escapes;
mod joined;
mod mail;
mod numbers;
mod order;
mod spelled;

/// Parts of one kind that are looked at one by one.
const MAX_SINGLE_PARTS: usize = 24;

/// How much decoded text one Message may cost: four times its length and 4¼ MB. Most of it belongs to the text it stands
/// for, so that no text can use up what another needs.
#[derive(Default)]
pub(crate) struct Budget {
    /// Of the current text: thrice its length, and what short texts need beyond.
    own: usize,
    floor: usize,
    /// All floors together cost no more than this.
    floors: usize,
    /// What any text may take.
    shared: usize,
    refused: Option<Range<usize>>,
}

impl Budget {
    const FLOOR_BYTES: usize = 8 * 1024;

    pub fn for_message(bytes: usize) -> Self {
        Self { floors: 4 << 20, shared: bytes.saturating_add(256 * 1024), ..Self::default() }
    }

    /// Another text begins.
    pub fn next_text(&mut self, bytes: usize) {
        (self.own, self.floor, self.refused) = (bytes.saturating_mul(3), Self::FLOOR_BYTES, None);
    }

    /// Whether a part that was decoded from `source` of the current text may be looked at.
    pub fn take(&mut self, bytes: usize, source: Option<&Range<usize>>) -> bool {
        let own = bytes.min(self.own);
        let floor = (bytes - own).min(self.floor).min(self.floors);
        let shared = bytes - own - floor;
        if shared > self.shared {
            self.refused = self.refused.take().or(source.cloned());
            return false;
        }
        self.own -= own;
        self.floor -= floor;
        self.floors -= floor;
        self.shared -= shared;
        true
    }

    /// What the first part was decoded from that may not be looked at.
    pub fn refused(&self) -> Option<&Range<usize>> {
        self.refused.as_ref()
    }
}

/// A decoded part.
pub(crate) struct Part {
    /// What was undone: `base64`, `hidden-unicode` …
    pub step: &'static str,
    /// Where it stood.
    pub source: Range<usize>,
    pub text: String,
}

/// Everything in `text` that can be decoded by one step. `has_hidden`: characters that nobody sees stand in it.
pub(crate) fn parts(text: &str, has_hidden: bool) -> Vec<Part> {
    work::read(text.len());
    let mut parts = Vec::new();
    if is_short_word(text) {
        // Too short for anything but one word written backwards.
        order::find(text, &mut parts);
    } else {
        all(text, &mut parts);
    }
    if has_hidden {
        invisible(text, &mut parts);
    }
    if parts.len() > MAX_SINGLE_PARTS { gather(parts) } else { parts }
}

fn all(text: &str, parts: &mut Vec<Part>) {
    encoded::base64(text, parts);
    encoded::base85(text, parts);
    encoded::base58(text, parts);
    encoded::hex(text, parts);
    escapes::find(text, parts);
    mail::quoted_printable(text, parts);
    mail::utf7(text, parts);
    spelled::spaced(text, parts);
    spelled::leet(text, parts);
    numbers::codes(text, parts);
    numbers::base32(text, parts);
    numbers::spelled_codes(text, parts);
    numbers::morse(text, parts);
    numbers::lone_words(text, parts);
    numbers::terminal(text, parts);
    ciphers::shifted(text, parts);
    order::find(text, parts);
    ciphers::upside_down(text, parts);
    ciphers::braille(text, parts);
    ciphers::mixed_up(text, parts);
    joined::pieces(text, parts);
    joined::words(text, parts);
    joined::wide_gaps(text, parts);
    joined::markup(text, parts);
}

/// One word, as names in JSON are: nothing is written so that fits into it.
fn is_short_word(text: &str) -> bool {
    const SHORT_BYTES: usize = 16;
    text.len() < SHORT_BYTES && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Many parts of one kind would cost a look each: those beyond the first are joined, so a flood hides nothing.
fn gather(parts: Vec<Part>) -> Vec<Part> {
    let mut out: Vec<Part> = Vec::new();
    let mut counts: HashMap<&'static str, (usize, usize)> = HashMap::new();
    for part in parts {
        let (count, joined) = counts.entry(part.step).or_default();
        *count += 1;
        if *count <= MAX_SINGLE_PARTS {
            out.push(part);
        } else if *count == MAX_SINGLE_PARTS + 1 {
            *joined = out.len();
            out.push(part);
        } else if let Some(last) = out.get_mut(*joined) {
            last.source.end = part.source.end.max(last.source.end);
            last.text.push('\n');
            last.text.push_str(&part.text);
        }
    }
    out
}

/// Steps that undo what honest texts do for their own reasons: web pages, addresses, programs, lists and names.
const EVERYDAY: [&str; 9] = [
    "escapes",
    "percent",
    "html-entities",
    "mail-encoding",
    "lone-words",
    "joined-words",
    "wide-gaps",
    "joined-strings",
    "terminal-sequence",
];

/// Whether one of the steps undid a disguise.
pub(crate) fn is_disguise(steps: &[&str]) -> bool {
    steps.iter().any(|step| !EVERYDAY.contains(step))
}

/// Words that were spelled letter by letter, in numbers or in other letters, with what they say.
pub(crate) fn spelled_out(text: &str) -> Vec<(Range<usize>, String)> {
    let mut parts = Vec::new();
    encoded::hex(text, &mut parts);
    encoded::base85(text, &mut parts);
    spelled::spaced(text, &mut parts);
    numbers::base32(text, &mut parts);
    parts.into_iter().map(|part| (part.source, part.text)).collect()
}

/// `bytes` as text, if a person would call it text: almost no control characters, mostly letters.
fn readable(bytes: &[u8]) -> Option<String> {
    if bytes.len() < 6 {
        return None;
    }
    if is_wide(bytes) {
        let text = wide(bytes);
        return is_text(text.chars()).then_some(text);
    }
    is_text(lossy_chars(bytes)).then(|| String::from_utf8_lossy(bytes).into_owned())
}

/// Whether `readable` has an answer; allocates nothing but for UTF-16.
fn is_readable(bytes: &[u8]) -> bool {
    let is_text = if is_wide(bytes) { is_text(wide(bytes).chars()) } else { is_text(lossy_chars(bytes)) };
    bytes.len() >= 6 && is_text
}

/// UTF-16: every other byte is zero.
fn is_wide(bytes: &[u8]) -> bool {
    let odd_zeros = bytes.iter().skip(1).step_by(2).filter(|&&byte| byte == 0).count();
    odd_zeros * 5 >= bytes.len() * 2
}

fn wide(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}

fn lossy_chars(bytes: &[u8]) -> impl Iterator<Item = char> {
    let marks = |chunk: &std::str::Utf8Chunk<'_>| (!chunk.invalid().is_empty()).then_some('\u{fffd}');
    bytes.utf8_chunks().flat_map(move |chunk| chunk.valid().chars().chain(marks(&chunk)))
}

fn is_text(chars: impl Iterator<Item = char>) -> bool {
    let (mut count, mut bad, mut letters) = (0, 0, 0);
    for c in chars {
        count += 1;
        if c == '\u{fffd}' {
            bad += 1;
            continue;
        }
        if c.is_control() && !matches!(c, '\n' | '\t' | '\r') {
            bad += 1;
        }
        if c == ' ' || is_letter(c) {
            letters += 1;
        }
    }
    bad * 50 <= count && letters * 5 >= count * 3
}

/// Text carried by characters that print nothing, and text shown in another order than it is read.
fn invisible(text: &str, parts: &mut Vec<Part>) {
    for (source, spelled) in hidden::tag_runs(text) {
        parts.push(Part { step: "hidden-unicode", source, text: spelled });
    }
    for source in hidden::runs(text, 6, hidden::is_selector) {
        let spelled = hidden::selector_bytes(&text[source.clone()]);
        if let Some(spelled) = readable(spelled.as_bytes()) {
            parts.push(Part { step: "variation-selectors", source, text: spelled });
        }
    }
    for source in hidden::runs(text, 40, hidden::is_zero_width) {
        if let Some(spelled) = zero_width_bits(&text[source.clone()]) {
            parts.push(Part { step: "zero-width-bits", source, text: spelled });
        }
    }
    for (at, mark) in text.match_indices('\u{202e}') {
        let rest = &text[at + mark.len()..];
        let end = rest.find(['\u{202c}', '\n', '\u{202e}']).unwrap_or(rest.len());
        let turned = rest[..end].chars().rev().collect();
        parts.push(Part { step: "bidi-override", source: at..at + mark.len() + end, text: turned });
    }
}

/// Two zero-width characters used as the bits of bytes, either way round.
fn zero_width_bits(run: &str) -> Option<String> {
    let zero = run.chars().next()?;
    let one = run.chars().find(|c| *c != zero)?;
    let bits: Vec<u8> = run.chars().filter(|c| *c == zero || *c == one).map(|c| u8::from(c == one)).collect();
    [0, 1].into_iter().find_map(|flip| {
        let bytes: Vec<u8> =
            bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |value, bit| value << 1 | (bit ^ flip))).collect();
        readable(&bytes)
    })
}

/// The texts that one decoder makes of `text`.
#[cfg(test)]
fn texts(find: fn(&str, &mut Vec<Part>), text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    find(text, &mut parts);
    parts.into_iter().map(|part| part.text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn short_words_hold_nothing_that_is_not_looked_for(
            text in "[a-zA-Z0-9_]{0,15}|erongi[a-z]{0,6}|[0-9a-f]{15}|[01]{15}|([a-z]_){7}|[A-Z2-7]{15}|([A-Z][a-z]){7}",
        ) {
            prop_assert!(is_short_word(&text));
            let of = |parts: Vec<Part>| parts.into_iter().map(|part| (part.step, part.source, part.text)).collect::<Vec<_>>();
            let mut every = Vec::new();
            all(&text, &mut every);
            prop_assert_eq!(of(every), of(parts(&text, false)));
        }
    }
}
