//! The regular expression literals of a JavaScript text, found without running or fully parsing it: comments, strings
//! and templates are stepped over, and a slash begins a pattern where no value stands before it.

/// A function with more patterns is none that a person reads.
const MAX_LITERALS: usize = 200;
/// After these words a slash begins a pattern.
const BEFORE_VALUE: [&str; 5] = ["return", "typeof", "case", "in", "of"];

#[derive(Debug, PartialEq, Eq)]
pub struct Literal {
    pub line: usize,
    pub source: String,
    pub flags: String,
}

pub fn patterns(code: &str) -> Vec<Literal> {
    let mut found = Vec::new();
    let bytes = code.as_bytes();
    let mut at = 0;
    // Whether what was read last ends a value, so that a slash would divide it.
    let mut after_value = false;
    while at < bytes.len() && found.len() < MAX_LITERALS {
        let rest = &bytes[at..];
        match rest[0] {
            b'/' if rest.starts_with(b"//") => at += length_until(rest, b"\n"),
            b'/' if rest.starts_with(b"/*") => at += 2 + length_until(&rest[2..], b"*/"),
            quote @ (b'"' | b'\'' | b'`') => {
                at += string_length(rest, quote);
                after_value = true;
            }
            b'/' if !after_value => {
                let Some(length) = pattern_length(rest) else { return found };
                let flags = rest[length..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
                let text =
                    |range: std::ops::Range<usize>| code.get(at + range.start..at + range.end).unwrap_or("").to_owned();
                let (source, flags) = (text(1..length - 1), text(length..length + flags));
                found.push(Literal { line: super::line_at(code, at), source, flags: flags.clone() });
                at += length + flags.len();
                after_value = true;
            }
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80 => {
                let is_word =
                    |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || **byte >= 0x80;
                let length = rest.iter().take_while(is_word).count();
                after_value = !BEFORE_VALUE.iter().any(|word| word.as_bytes() == &rest[..length]);
                at += length;
            }
            byte => {
                if !byte.is_ascii_whitespace() {
                    after_value = matches!(byte, b')' | b']' | b'}');
                }
                at += 1;
            }
        }
    }
    found
}

fn length_until(bytes: &[u8], end: &[u8]) -> usize {
    bytes.windows(end.len()).position(|window| window == end).map_or(bytes.len(), |at| at + end.len())
}

fn string_length(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// With both slashes. None: the line ends before it does, so it is none.
fn pattern_length(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut in_class) = (1, false);
    loop {
        match bytes.get(at)? {
            b'\n' => return None,
            b'\\' => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'/' if !in_class => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_told_from_divisions_comments_and_strings() {
        let code = r#"
// not /this/
const half = total / 2 / count; /* nor /this/ */
const words = ["/no/", `/nor ${x} /`, /curl\s+[/|]/i];
if (x) return /last\/one/gs.test(y);
"#;
        let found: Vec<_> = patterns(code).into_iter().map(|one| (one.line, one.source, one.flags)).collect();
        assert_eq!(found, [(4, r"curl\s+[/|]".into(), "i".into()), (5, r"last\/one".into(), "gs".into())]);
        assert!(patterns("/never closed\n/x/").is_empty());
        for cut in ["'", "`\\", "/*", "//", "/[", "/\\"] {
            assert!(patterns(cut).is_empty(), "{cut}");
        }
    }
}
