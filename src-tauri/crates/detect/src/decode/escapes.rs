//! Escapes in the middle of text: `%41`, `&#65;`, `&lt;`, `\u0041`, `\x41`. All kinds are undone in one pass, region by
//! region, so mixing them hides nothing.

use super::Part;
use memchr::memchr3;

/// Escapes closer together than this share a region; as much text around them comes along.
const REACH_BYTES: usize = 160;
/// Fewer escapes than this hide nothing.
const MIN_ESCAPES: usize = 2;

pub(super) fn find(text: &str, parts: &mut Vec<Part>) {
    let bytes = text.as_bytes();
    // (start, end after the last escape, count, kind)
    let mut open: Option<(usize, usize, usize, &'static str)> = None;
    let mut at = 0;
    while let Some(next) = next_mark(bytes, at) {
        at = next;
        let Some((length, _, kind)) = escape(&bytes[at..]) else {
            at += 1;
            continue;
        };
        open = match open {
            Some((start, end, count, kind)) if at <= end + REACH_BYTES => Some((start, at + length, count + 1, kind)),
            closed => {
                push(text, closed, parts);
                Some((at, at + length, 1, kind))
            }
        };
        at += length;
    }
    push(text, open, parts);
}

/// The next byte that an escape can begin with.
fn next_mark(bytes: &[u8], from: usize) -> Option<usize> {
    memchr3(b'%', b'\\', b'&', bytes.get(from..)?).map(|n| from + n)
}

fn push(text: &str, region: Option<(usize, usize, usize, &'static str)>, parts: &mut Vec<Part>) {
    let Some((start, end, count, step)) = region else { return };
    if count < MIN_ESCAPES {
        return;
    }
    let start = text.floor_char_boundary(start.saturating_sub(REACH_BYTES / 2));
    let end = text.ceil_char_boundary((end + REACH_BYTES / 2).min(text.len()));
    let bytes = &text.as_bytes()[start..end];
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match escape(&bytes[at..]) {
            Some((length, Value::Byte(byte), _)) => {
                out.push(byte);
                at += length;
            }
            Some((length, Value::Char(c), _)) => {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                at += length;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    let decoded = String::from_utf8_lossy(&out).into_owned();
    parts.push(Part { step, source: start..end, text: decoded });
}

enum Value {
    Byte(u8),
    Char(char),
}

/// Length, meaning and kind of the escape at the start of `bytes`.
fn escape(bytes: &[u8]) -> Option<(usize, Value, &'static str)> {
    let hex = |from: usize, count: usize| {
        let digits = bytes.get(from..from + count)?;
        digits.iter().try_fold(0u32, |value, byte| Some(value * 16 + (*byte as char).to_digit(16)?))
    };
    match bytes.first()? {
        b'%' => match hex(1, 2) {
            Some(value) => Some((3, Value::Byte(value as u8), "percent")),
            None if bytes.get(1) == Some(&b'u') => Some((6, Value::Char(char::from_u32(hex(2, 4)?)?), "percent")),
            None => None,
        },
        b'\\' => match bytes.get(1)? {
            b'x' => Some((4, Value::Byte(hex(2, 2)? as u8), "escapes")),
            b'u' if bytes.get(2) == Some(&b'{') => {
                let end = bytes.iter().take(12).position(|byte| *byte == b'}')?;
                Some((end + 1, Value::Char(char::from_u32(hex(3, end - 3)?)?), "escapes"))
            }
            b'0'..=b'3' => {
                let digits = bytes.get(1..4)?;
                let octal =
                    digits.iter().try_fold(0u32, |value, byte| Some(value * 8 + (*byte as char).to_digit(8)?))?;
                Some((4, Value::Byte(octal as u8), "escapes"))
            }
            b'u' => Some((6, Value::Char(char::from_u32(hex(2, 4)?)?), "escapes")),
            b'U' => Some((10, Value::Char(char::from_u32(hex(2, 8)?)?), "escapes")),
            _ => None,
        },
        b'&' => {
            // Browsers read numbers without the semicolon, too.
            let is_number = bytes.get(1) == Some(&b'#');
            let ends = |at: usize, byte: u8| byte == b';' || is_number && at > 3 && !byte.is_ascii_alphanumeric();
            let end = bytes.iter().take(12).enumerate().position(|(at, byte)| ends(at, *byte))?;
            let length = end + usize::from(bytes[end] == b';');
            let c = match &bytes[1..end] {
                [b'#', b'x' | b'X', digits @ ..] if !digits.is_empty() => char::from_u32(hex(3, digits.len())?)?,
                [b'#', digits @ ..] if !digits.is_empty() => {
                    let value = digits.iter().try_fold(0u32, |value, byte| {
                        value.checked_mul(10)?.checked_add((*byte as char).to_digit(10)?)
                    });
                    char::from_u32(value?)?
                }
                b"lt" => '<',
                b"gt" => '>',
                b"amp" => '&',
                b"quot" => '"',
                b"apos" => '\'',
                b"nbsp" => ' ',
                b"sol" => '/',
                b"colon" => ':',
                b"period" => '.',
                b"lowbar" => '_',
                b"Tab" => '\t',
                b"NewLine" => '\n',
                _ => return None,
            };
            Some((length, Value::Char(c), "html-entities"))
        }
        _ => None,
    }
}

/// Runs of at least `min` escapes in a row that stand for ASCII letters, digits and spaces, which nobody needs to escape.
pub(crate) fn needless(text: &str, min: usize) -> Vec<(std::ops::Range<usize>, String)> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(start) = next_mark(bytes, at) {
        let mut spelled = String::new();
        at = start;
        while let Some((length, value, _)) = bytes.get(at..).and_then(escape) {
            let c = match value {
                Value::Byte(byte) => char::from(byte),
                Value::Char(c) => c,
            };
            if !matches!(c, ' '..='~') {
                break;
            }
            spelled.push(c);
            at += length;
        }
        if spelled.chars().filter(char::is_ascii_alphanumeric).count() >= min {
            out.push((start..at, spelled));
        }
        at = at.max(start + 1);
    }
    out
}
