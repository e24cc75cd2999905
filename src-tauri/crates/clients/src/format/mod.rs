//! Text of a config file to a tree with byte ranges, and edits back onto the bytes. A tree is only ever read: edits are
//! splices of the ranges we own, so comments, order, indentation and line ends stay as they are. One file per syntax, each
//! yielding the same `Node`s; `edit` knows how a value is put in or taken out where it stands.

mod edit;
mod json;
mod toml;
mod yaml;

use serde::Deserialize;
use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Strict: the app itself could not read comments.
    Json,
    /// Comments and trailing commas.
    Jsonc,
    Toml,
    Yaml,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub range: Range<usize>,
    pub value: Value,
    pub style: Style,
    /// What makes its meaning depend on another place of the file (YAML's anchors, aliases, merge keys, tags).
    pub odd: Option<&'static str>,
}

/// How the parts of an object or a list are set apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// By brackets and commas.
    Flow,
    /// By lines: a TOML table, YAML's indentation.
    Block,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Object(Vec<Member>),
    Array(Vec<Node>),
    Text(String),
    /// A text whose spelling cannot be moved to another place (YAML over several lines).
    Spread(String),
    /// Number, date, true, false, null, as written.
    Scalar(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub key: String,
    pub key_range: Range<usize>,
    pub node: Node,
}

/// What cannot be read, and at which byte.
#[derive(Debug, PartialEq)]
pub(crate) struct Fault {
    pub offset: usize,
    pub reason: String,
}

impl Node {
    pub fn new(range: Range<usize>, value: Value, style: Style) -> Self {
        Self { range, value, style, odd: None }
    }
    /// A value that stands nowhere, for trees that are only compared.
    pub fn imagined(value: Value) -> Self {
        Self::new(0..0, value, Style::Flow)
    }
    pub fn members(&self) -> Option<&[Member]> {
        if let Value::Object(members) = &self.value { Some(members) } else { None }
    }
    pub fn member(&self, key: &str) -> Option<&Member> {
        self.members()?.iter().find(|member| member.key == key)
    }
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.member(key).map(|member| &member.node)
    }
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }
    pub fn items(&self) -> Option<&[Node]> {
        if let Value::Array(items) = &self.value { Some(items) } else { None }
    }
    /// The elements of a list of texts; None if it is anything else.
    pub fn texts(&self) -> Option<Vec<String>> {
        self.items()?.iter().map(|item| item.text().map(str::to_string)).collect()
    }
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar == "null")
    }

    /// Equal in meaning: ranges and spelling of strings aside; order of members counts.
    pub fn same(&self, other: &Node) -> bool {
        match (&self.value, &other.value) {
            (Value::Object(a), Value::Object(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.key == b.key && a.node.same(&b.node))
            }
            (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Value::Text(a) | Value::Spread(a), Value::Text(b) | Value::Spread(b)) => a == b,
            (Value::Scalar(a), Value::Scalar(b)) => a == b,
            _ => false,
        }
    }
}

impl Format {
    /// None: a file without any value (empty, or only comments).
    pub(crate) fn parse(self, bytes: &[u8]) -> Result<Option<Node>, Fault> {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.iter().take(4).any(|b| *b == 0) {
            return Err(Fault { offset: 0, reason: "it is UTF-16, not UTF-8; save it as UTF-8".into() });
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| Fault { offset: error.valid_up_to(), reason: "it is not valid UTF-8".into() })?;
        let (skipped, text) = match text.strip_prefix('\u{feff}') {
            Some(rest) => (3, rest),
            None => (0, text),
        };
        match self {
            Self::Json => json::parse(text, skipped, false),
            Self::Jsonc => json::parse(text, skipped, true),
            Self::Toml => toml::parse(text, skipped),
            Self::Yaml => yaml::parse(text, skipped),
        }
    }

    /// A string value as this format writes it. JSON's escapes are valid in TOML's and YAML's double quotes too; control
    /// characters that JSON lets through are not.
    pub(crate) fn literal(self, text: &str) -> String {
        let mut out = String::new();
        for c in serde_json::Value::from(text).to_string().chars() {
            match c {
                '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                    out.push_str(&format!("\\u{:04x}", u32::from(c)));
                }
                _ => out.push(c),
            }
        }
        out
    }
}

/// One replacement of bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Splice {
    pub range: Range<usize>,
    pub text: Vec<u8>,
}

/// Ranges must not overlap (each belongs to another value); None if they do.
pub(crate) fn splice(bytes: &[u8], mut splices: Vec<Splice>) -> Option<Vec<u8>> {
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let mut out = Vec::with_capacity(bytes.len() + 256);
    let mut at = 0;
    for Splice { range, text } in splices {
        out.extend_from_slice(bytes.get(at..range.start)?);
        out.extend_from_slice(&text);
        at = range.end;
    }
    out.extend_from_slice(bytes.get(at..)?);
    Some(out)
}

/// 1-based line and column (in characters) of a byte.
pub(crate) fn line_and_column(bytes: &[u8], offset: usize) -> (u32, u32) {
    let before = &bytes[..offset.min(bytes.len())];
    let line = before.iter().filter(|b| **b == b'\n').count();
    let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&before[start..]).trim_start_matches('\u{feff}').chars().count();
    (line as u32 + 1, column as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_trailing_commas_are_read_only_where_the_app_reads_them() {
        let text = b"{ // why\n \"a\": [1, 2,], }";
        assert!(Format::Jsonc.parse(text).unwrap().unwrap().get("a").unwrap().items().is_some());
        assert_eq!(Format::Json.parse(text).unwrap_err().offset, 2);
        for bad in ["{'a':1}", "{a:1}", "{\"a\":+1}", "{\"a\":1 \"b\":2}", "{\"a\":", "{} {}"] {
            assert!(Format::Jsonc.parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn ranges_count_the_byte_order_mark() {
        let bytes = "\u{feff}{\"ключ\": \"v\"}".as_bytes();
        let tree = Format::Json.parse(bytes).unwrap().unwrap();
        let value = tree.get("ключ").unwrap();
        assert_eq!(&bytes[value.range.clone()], b"\"v\"");
    }

    #[test]
    fn other_encodings_are_refused_with_a_reason() {
        let utf16: Vec<u8> = "{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [[b"\xff\xfe".as_slice(), &utf16].concat(), utf16] {
            assert!(Format::Json.parse(&bytes).unwrap_err().reason.contains("UTF-16"));
        }
        assert_eq!(Format::Json.parse(b"{\"a\": \"\xff\"}").unwrap_err().offset, 7);
    }

    #[test]
    fn places_are_counted_as_editors_do() {
        assert_eq!(line_and_column("a\r\néb\nc".as_bytes(), 5), (2, 2));
        assert_eq!(line_and_column(b"", 0), (1, 1));
    }

    #[test]
    fn overlapping_splices_are_refused() {
        let s = |range| Splice { range, text: b"x".to_vec() };
        assert_eq!(splice(b"abcd", vec![s(2..3), s(0..1)]).unwrap(), b"xbxd");
        assert_eq!(splice(b"abcd", vec![s(0..3), s(2..4)]), None);
        assert_eq!(splice(b"abcd", vec![s(3..9)]), None);
    }
}
