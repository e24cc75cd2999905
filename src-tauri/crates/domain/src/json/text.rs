//! JSON strings: decoding the raw bytes between the quotes, mapping decoded ranges back, and splicing raw bytes.

use std::borrow::Cow;
use std::ops::Range;

/// Replaces the given raw spans (in any order, not overlapping) and leaves every other byte alone.
pub fn splice(bytes: &[u8], mut edits: Vec<(Range<usize>, Vec<u8>)>) -> Vec<u8> {
    edits.sort_by_key(|(span, _)| span.start);
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for (span, new) in edits {
        out.extend_from_slice(&bytes[at..span.start]);
        out.extend_from_slice(&new);
        at = span.end;
    }
    out.extend_from_slice(&bytes[at..]);
    out
}

/// `text` as a JSON string with its quotes.
pub fn quote(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

/// Decodes the inside of a JSON string. Lone surrogates, invalid UTF-8 and unknown escapes become U+FFFD or themselves.
pub fn decode(raw: &[u8]) -> Cow<'_, str> {
    if !raw.contains(&b'\\') {
        return lossy(raw);
    }
    let mut out = String::with_capacity(raw.len());
    decode_steps(raw, |_, text| out.push_str(text));
    Cow::Owned(out)
}

/// `String::from_utf8_lossy`, quick for text that is whole.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Maps a byte range of `decode(raw)` back to the byte range of `raw` it came from.
pub fn raw_range(raw: &[u8], decoded: Range<usize>) -> Range<usize> {
    let (mut at, mut start, mut end) = (0, None, raw.len());
    decode_steps(raw, |span, text| {
        let next = at + text.len();
        if start.is_none() && next > decoded.start {
            let inside = if text.len() == span.len() { decoded.start - at } else { 0 };
            start = Some(span.start + inside);
        }
        if at < decoded.end && decoded.end <= next {
            end = if text.len() == span.len() { span.start + (decoded.end - at) } else { span.end };
        }
        at = next;
    });
    let start = start.unwrap_or(raw.len());
    start..end.max(start)
}

/// Calls `emit(raw span, decoded text)` for each run of plain text and each escape.
fn decode_steps(raw: &[u8], mut emit: impl FnMut(Range<usize>, &str)) {
    let plain = |span: Range<usize>, emit: &mut dyn FnMut(Range<usize>, &str)| {
        let mut at = span.start;
        for chunk in raw[span].utf8_chunks() {
            let valid = chunk.valid();
            if !valid.is_empty() {
                emit(at..at + valid.len(), valid);
                at += valid.len();
            }
            if !chunk.invalid().is_empty() {
                emit(at..at + chunk.invalid().len(), "\u{fffd}");
                at += chunk.invalid().len();
            }
        }
    };
    let mut at = 0;
    while at < raw.len() {
        let run = raw[at..].iter().position(|&b| b == b'\\').map_or(raw.len(), |n| at + n);
        if run > at {
            plain(at..run, &mut emit);
            at = run;
            continue;
        }
        let (length, text) = escape(&raw[at..]);
        let mut buffer = [0; 4];
        match text {
            Some(c) => emit(at..at + length, c.encode_utf8(&mut buffer)),
            None => plain(at..at + length, &mut emit),
        }
        at += length;
    }
}

/// Length and meaning of the escape at the start of `raw`; None: not an escape, take the bytes as they are.
pub(super) fn escape(raw: &[u8]) -> (usize, Option<char>) {
    let simple = |c| (2, Some(c));
    match raw.get(1) {
        Some(b'n') => simple('\n'),
        Some(b't') => simple('\t'),
        Some(b'r') => simple('\r'),
        Some(b'b') => simple('\u{8}'),
        Some(b'f') => simple('\u{c}'),
        Some(b'"') => simple('"'),
        Some(b'\\') => simple('\\'),
        Some(b'/') => simple('/'),
        Some(b'u') => match hex4(raw, 2) {
            Some(high @ 0xd800..=0xdbff) => {
                let low = (raw.get(6..8) == Some(b"\\u")).then(|| hex4(raw, 8)).flatten();
                match low {
                    Some(low @ 0xdc00..=0xdfff) => {
                        (12, char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)))
                    }
                    _ => (6, Some('\u{fffd}')),
                }
            }
            Some(unit) => (6, Some(char::from_u32(unit).unwrap_or('\u{fffd}'))),
            None => (2, None),
        },
        Some(_) => (1, None),
        None => (1, None),
    }
}

fn hex4(raw: &[u8], at: usize) -> Option<u32> {
    let digits = raw.get(at..at + 4)?;
    digits.iter().try_fold(0, |n, &b| Some(n * 16 + (b as char).to_digit(16)?))
}
