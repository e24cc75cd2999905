//! A JSON document as a flat list of nodes with byte spans: the scanner must see what the receiver sees, and edits must
//! leave every other byte alone, so nothing here ever re-serialises a value.
//!
//! `Mode::Strict` (client to upstream) refuses what receivers read differently: byte order marks, invalid UTF-8,
//! duplicate keys (compared decoded), NaN, raw control characters, trailing bytes. `Mode::Lenient` (upstream to client)
//! accepts all of these and says so in `anomalies`, because the bytes go to the client unchanged and must be scanned.
//! Iterative: depth is a limit, not a stack.

use crate::Limits;
use std::borrow::Cow;
use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Strict,
    Lenient,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    #[error("empty message")]
    Empty,
    #[error("starts with a byte order mark")]
    ByteOrderMark,
    #[error("is not valid UTF-8")]
    InvalidUtf8,
    #[error("is not valid JSON")]
    Syntax,
    #[error("ends in the middle of a value")]
    Truncated,
    #[error("has bytes after the end of the value")]
    TrailingBytes,
    #[error("has the same key twice in one object")]
    DuplicateKey,
    #[error("is nested deeper than the limit")]
    TooDeep,
    #[error("is larger than the limit")]
    TooLarge,
}

/// What is wrong and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message {fault} (byte {offset})")]
pub struct JsonError {
    pub fault: JsonFault,
    pub offset: usize,
}

#[derive(Clone, Debug)]
struct Node {
    kind: Kind,
    span: (u32, u32),
    key: Option<(u32, u32)>,
    parent: u32,
    next: u32,
    first: u32,
    index: u32,
}
const NONE: u32 = u32::MAX;

#[derive(Clone, Debug)]
pub struct Doc<'a> {
    bytes: &'a [u8],
    nodes: Vec<Node>,
    /// What a lenient parse let pass; always empty after a strict one.
    pub anomalies: Vec<JsonError>,
    /// Bytes after the value (lenient only): they reach the client too, so they must be scanned as text.
    pub trailing: Range<usize>,
}

/// A value inside a `Doc`.
#[derive(Clone, Copy)]
pub struct NodeRef<'d> {
    doc: &'d Doc<'d>,
    at: u32,
}

/// A string value or an object key.
pub struct Leaf<'d> {
    /// The value; for a key, the value it names.
    pub node: NodeRef<'d>,
    pub is_key: bool,
    pub text: Cow<'d, str>,
    /// Raw bytes between the quotes.
    pub span: Range<usize>,
}

impl<'a> Doc<'a> {
    pub fn parse(bytes: &'a [u8], mode: Mode, limits: &Limits) -> Result<Doc<'a>, JsonError> {
        let mut parser = Parser { bytes, at: 0, mode, nodes: Vec::new(), anomalies: Vec::new() };
        if bytes.len() > limits.max_message_bytes || bytes.len() >= NONE as usize {
            return Err(JsonError { fault: JsonFault::TooLarge, offset: limits.max_message_bytes });
        }
        if bytes.starts_with(b"\xef\xbb\xbf") {
            parser.tolerate(JsonFault::ByteOrderMark, 0)?;
            parser.at = 3;
        }
        if let Err(error) = std::str::from_utf8(bytes) {
            parser.tolerate(JsonFault::InvalidUtf8, error.valid_up_to())?;
        }
        parser.value_tree(limits.max_depth)?;
        parser.skip_space();
        let trailing = parser.at..bytes.len();
        if !trailing.is_empty() {
            parser.tolerate(JsonFault::TrailingBytes, trailing.start)?;
        }
        Ok(Doc { bytes, nodes: parser.nodes, anomalies: parser.anomalies, trailing })
    }

    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
    pub fn root(&self) -> NodeRef<'_> {
        NodeRef { doc: self, at: 0 }
    }
    /// Every value in document order.
    pub fn nodes(&self) -> impl Iterator<Item = NodeRef<'_>> {
        (0..self.nodes.len() as u32).map(|at| NodeRef { doc: self, at })
    }
    /// Every string value and every object key, in document order: together they are all text a receiver can read.
    pub fn leaves(&self) -> impl Iterator<Item = Leaf<'_>> {
        self.nodes().flat_map(|node| {
            let key = self.nodes[node.at as usize].key.map(|(start, end)| Leaf {
                node,
                is_key: true,
                text: decode(&self.bytes[start as usize..end as usize]),
                span: start as usize..end as usize,
            });
            let value = (node.kind() == Kind::String).then(|| {
                let span = node.span();
                let inner = span.start + 1..span.end - 1;
                Leaf { node, is_key: false, text: decode(&self.bytes[inner.clone()]), span: inner }
            });
            key.into_iter().chain(value)
        })
    }
}

impl<'d> NodeRef<'d> {
    fn node(&self) -> &'d Node {
        &self.doc.nodes[self.at as usize]
    }
    pub fn kind(&self) -> Kind {
        self.node().kind
    }
    /// The raw bytes of the value, quotes and brackets included.
    pub fn span(&self) -> Range<usize> {
        let (start, end) = self.node().span;
        start as usize..end as usize
    }
    pub fn raw(&self) -> &'d [u8] {
        &self.doc.bytes[self.span()]
    }
    pub fn parent(&self) -> Option<NodeRef<'d>> {
        let parent = self.node().parent;
        (parent != NONE).then_some(NodeRef { doc: self.doc, at: parent })
    }
    /// The decoded key under which this value sits in its object.
    pub fn key(&self) -> Option<Cow<'d, str>> {
        self.node().key.map(|(start, end)| decode(&self.doc.bytes[start as usize..end as usize]))
    }
    /// Raw bytes of that key, between its quotes.
    pub fn key_span(&self) -> Option<Range<usize>> {
        self.node().key.map(|(start, end)| start as usize..end as usize)
    }
    /// Position in the parent.
    pub fn index(&self) -> usize {
        self.node().index as usize
    }
    pub fn children(&self) -> impl Iterator<Item = NodeRef<'d>> + use<'d> {
        let doc = self.doc;
        let mut at = self.node().first;
        std::iter::from_fn(move || {
            (at != NONE).then(|| {
                let child = NodeRef { doc, at };
                at = child.node().next;
                child
            })
        })
    }
    /// The member named `key`. The last one wins, as in JavaScript and Python.
    pub fn get(&self, key: &str) -> Option<NodeRef<'d>> {
        self.children().filter(|child| child.key().as_deref() == Some(key)).last()
    }
    /// Every member named `key`, for scans of documents with duplicates.
    pub fn get_all<'k>(&self, key: &'k str) -> impl Iterator<Item = NodeRef<'d>> + use<'d, 'k> {
        self.children().filter(move |child| child.key().as_deref() == Some(key))
    }
    /// Descends by a path of keys.
    pub fn path(&self, keys: &[&str]) -> Option<NodeRef<'d>> {
        keys.iter().try_fold(*self, |node, key| node.get(key))
    }
    pub fn as_str(&self) -> Option<Cow<'d, str>> {
        (self.kind() == Kind::String).then(|| {
            let span = self.span();
            decode(&self.doc.bytes[span.start + 1..span.end - 1])
        })
    }
    /// JSON pointer from the root; "" for the root.
    pub fn pointer(&self) -> String {
        let mut parts = Vec::new();
        let mut node = *self;
        while let Some(parent) = node.parent() {
            parts.push(match node.key() {
                Some(key) => key.replace('~', "~0").replace('/', "~1"),
                None => node.index().to_string(),
            });
            node = parent;
        }
        parts.iter().rev().fold(String::new(), |out, part| out + "/" + part)
    }
    /// The raw container with only the children that `keep` accepts; every kept child keeps its bytes.
    pub fn retain(&self, mut keep: impl FnMut(&NodeRef<'d>) -> bool) -> Vec<u8> {
        let (open, close) = if self.kind() == Kind::Array { (b'[', b']') } else { (b'{', b'}') };
        let mut out = vec![open];
        for child in self.children().filter(|child| keep(child)) {
            if out.len() > 1 {
                out.push(b',');
            }
            if let Some((start, end)) = child.node().key {
                out.extend_from_slice(&self.doc.bytes[start as usize - 1..end as usize + 1]);
                out.push(b':');
            }
            out.extend_from_slice(child.raw());
        }
        out.push(close);
        out
    }
}

impl std::fmt::Debug for NodeRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.pointer(), String::from_utf8_lossy(self.raw()))
    }
}

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
        return String::from_utf8_lossy(raw);
    }
    let mut out = String::with_capacity(raw.len());
    decode_steps(raw, |_, text| out.push_str(text));
    Cow::Owned(out)
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
fn escape(raw: &[u8]) -> (usize, Option<char>) {
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

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    mode: Mode,
    nodes: Vec<Node>,
    anomalies: Vec<JsonError>,
}

impl Parser<'_> {
    fn fail<T>(&self, fault: JsonFault) -> Result<T, JsonError> {
        let fault =
            if fault == JsonFault::Syntax && self.at >= self.bytes.len() { JsonFault::Truncated } else { fault };
        Err(JsonError { fault, offset: self.at })
    }
    fn tolerate(&mut self, fault: JsonFault, offset: usize) -> Result<(), JsonError> {
        let error = JsonError { fault, offset };
        if self.mode == Mode::Strict {
            return Err(error);
        }
        self.anomalies.push(error);
        Ok(())
    }
    fn skip_space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }
    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.bytes.get(self.at).copied()
    }

    fn value_tree(&mut self, max_depth: usize) -> Result<(), JsonError> {
        // The chain of open containers: (node, last child).
        let mut open: Vec<(u32, u32)> = Vec::new();
        if self.peek().is_none() {
            return self.fail(JsonFault::Empty);
        }
        loop {
            // One value, with its key when the innermost container is an object.
            let key = match open.last() {
                Some(&(parent, _)) if self.nodes[parent as usize].kind == Kind::Object => Some(self.member_key()?),
                _ => None,
            };
            let node = self.value_start(key, &mut open)?;
            let is_container = matches!(self.nodes[node as usize].kind, Kind::Array | Kind::Object);
            if is_container {
                if open.len() >= max_depth {
                    return self.fail(JsonFault::TooDeep);
                }
                open.push((node, NONE));
                if !self.at_close(node) {
                    continue;
                }
            }
            // Close what ends here, then step over the comma to the next value.
            loop {
                let Some(&(container, _)) = open.last() else { return Ok(()) };
                match self.peek() {
                    Some(b',') if self.nodes[container as usize].first != NONE => {
                        self.at += 1;
                        break;
                    }
                    Some(b']' | b'}') if self.at_close(container) => {
                        self.at += 1;
                        self.nodes[container as usize].span.1 = self.at as u32;
                        self.check_duplicates(container)?;
                        open.pop();
                    }
                    _ => return self.fail(JsonFault::Syntax),
                }
            }
        }
    }

    fn at_close(&mut self, container: u32) -> bool {
        let close = if self.nodes[container as usize].kind == Kind::Array { b']' } else { b'}' };
        self.peek() == Some(close)
    }

    fn member_key(&mut self) -> Result<(u32, u32), JsonError> {
        if self.peek() != Some(b'"') {
            return self.fail(JsonFault::Syntax);
        }
        let (start, end) = self.string()?;
        if self.peek() != Some(b':') {
            return self.fail(JsonFault::Syntax);
        }
        self.at += 1;
        Ok((start + 1, end - 1))
    }

    fn value_start(&mut self, key: Option<(u32, u32)>, open: &mut [(u32, u32)]) -> Result<u32, JsonError> {
        let Some(first) = self.peek() else { return self.fail(JsonFault::Syntax) };
        let start = self.at;
        let kind = match first {
            b'{' | b'[' => {
                self.at += 1;
                if first == b'{' { Kind::Object } else { Kind::Array }
            }
            b'"' => {
                self.string()?;
                Kind::String
            }
            b't' => self.word(b"true", Kind::Bool)?,
            b'f' => self.word(b"false", Kind::Bool)?,
            b'n' => self.word(b"null", Kind::Null)?,
            b'-' | b'0'..=b'9' => self.number()?,
            b'N' | b'I' => self.not_finite()?,
            _ => return self.fail(JsonFault::Syntax),
        };
        let node = self.nodes.len() as u32;
        let (parent, index) = match open.last_mut() {
            Some((parent, last)) => {
                let index = if *last == NONE { 0 } else { self.nodes[*last as usize].index + 1 };
                let link = if *last == NONE {
                    &mut self.nodes[*parent as usize].first
                } else {
                    &mut self.nodes[*last as usize].next
                };
                *link = node;
                *last = node;
                (*parent, index)
            }
            None => (NONE, 0),
        };
        let span = (start as u32, self.at as u32);
        self.nodes.push(Node { kind, span, key, parent, next: NONE, first: NONE, index });
        Ok(node)
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<Kind, JsonError> {
        if !self.bytes[self.at..].starts_with(word) {
            return self.fail(JsonFault::Syntax);
        }
        self.at += word.len();
        Ok(kind)
    }

    /// `NaN` and `Infinity`: Python writes and reads them.
    fn not_finite(&mut self) -> Result<Kind, JsonError> {
        self.tolerate(JsonFault::Syntax, self.at)?;
        let word: &[u8] = if self.bytes[self.at] == b'N' { b"NaN" } else { b"Infinity" };
        self.word(word, Kind::Number)
    }

    fn number(&mut self) -> Result<Kind, JsonError> {
        let digits = |parser: &mut Self| {
            let start = parser.at;
            while parser.bytes.get(parser.at).is_some_and(u8::is_ascii_digit) {
                parser.at += 1;
            }
            parser.at - start
        };
        if self.bytes[self.at] == b'-' {
            self.at += 1;
            if self.bytes.get(self.at) == Some(&b'I') {
                return self.not_finite();
            }
        }
        let leading_zero = self.bytes.get(self.at) == Some(&b'0');
        let whole = digits(self);
        if whole == 0 || (leading_zero && whole > 1) {
            return self.fail(JsonFault::Syntax);
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if digits(self) == 0 {
                return self.fail(JsonFault::Syntax);
            }
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if digits(self) == 0 {
                return self.fail(JsonFault::Syntax);
            }
        }
        Ok(Kind::Number)
    }

    fn string(&mut self) -> Result<(u32, u32), JsonError> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok((start as u32, self.at as u32));
                }
                Some(b'\\') => {
                    let (length, meaning) = escape(&self.bytes[self.at..]);
                    if meaning.is_none() && (self.mode == Mode::Strict || self.at + 1 >= self.bytes.len()) {
                        return self.fail(JsonFault::Syntax);
                    }
                    if meaning.is_none() {
                        self.anomalies.push(JsonError { fault: JsonFault::Syntax, offset: self.at });
                    }
                    // A lone high surrogate must not swallow an escape that follows it, nor may an unknown escape
                    // swallow the closing quote.
                    self.at += length;
                }
                Some(0..=0x1f) => {
                    self.tolerate(JsonFault::Syntax, self.at)?;
                    self.at += 1;
                }
                Some(_) => self.at += 1,
                None => return self.fail(JsonFault::Truncated),
            }
        }
    }

    fn check_duplicates(&mut self, container: u32) -> Result<(), JsonError> {
        if self.nodes[container as usize].kind != Kind::Object {
            return Ok(());
        }
        let mut keys = Vec::new();
        let mut at = self.nodes[container as usize].first;
        while at != NONE {
            let node = &self.nodes[at as usize];
            if let Some((start, end)) = node.key {
                keys.push((decode(&self.bytes[start as usize..end as usize]), start));
            }
            at = node.next;
        }
        keys.sort_unstable();
        let twice = keys.windows(2).find(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1].1 as usize);
        match twice {
            Some(offset) => self.tolerate(JsonFault::DuplicateKey, offset),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn strict(text: &str) -> Result<(), JsonFault> {
        Doc::parse(text.as_bytes(), Mode::Strict, &Limits::default()).map(drop).map_err(|e| e.fault)
    }
    fn lenient(bytes: &[u8]) -> Vec<JsonFault> {
        let doc = Doc::parse(bytes, Mode::Lenient, &Limits::default()).unwrap();
        doc.anomalies.iter().map(|a| a.fault).collect()
    }

    #[test]
    fn strict_refuses_what_receivers_read_differently() {
        use JsonFault::*;
        for (text, fault) in [
            ("", Empty),
            ("\u{feff}{}", ByteOrderMark),
            (r#"{"a":1,"a":2}"#, DuplicateKey),
            (r#"{"method":1,"m\u0065thod":2}"#, DuplicateKey),
            (r#"[{"x":{"k":1,"k":1}}]"#, DuplicateKey),
            ("{} {}", TrailingBytes),
            ("{\"a\":NaN}", Syntax),
            ("{\"a\":-Infinity}", Syntax),
            ("\"a\nb\"", Syntax),
            ("[1,]", Syntax),
            ("{\"a\":1,}", Syntax),
            ("[01]", Syntax),
            ("[1 2]", Syntax),
            ("{\"a\" 1}", Syntax),
            ("[\"\\x\"]", Syntax),
            ("// c\n{}", Syntax),
            ("{\"a\":", Truncated),
            ("\"abc", Truncated),
        ] {
            assert_eq!(strict(text), Err(fault), "{text}");
        }
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert_eq!(strict(&deep), Err(TooDeep));
        for text in ["{}", "[]", " [1, -0.5e+3, \"\\ud83d\\ude00 \\ud800\", null, {\"a\":{\"b\":[]}}] ", "1e400"] {
            assert_eq!(strict(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn lenient_lets_pass_and_says_so() {
        use JsonFault::*;
        assert_eq!(lenient(b"\xef\xbb\xbf{}"), [ByteOrderMark]);
        assert_eq!(lenient(b"{\"a\":\"\xff\"}"), [InvalidUtf8]);
        assert_eq!(lenient(b"{\"a\":1,\"a\":NaN}"), [Syntax, DuplicateKey]);
        assert_eq!(lenient(b"{} tail"), [TrailingBytes]);
        assert_eq!(lenient(b"\"a\x01\""), [Syntax]);
    }

    #[test]
    fn a_lone_surrogate_hides_nothing_behind_it() {
        let doc = Doc::parse(br#"["\ud800\u0041","\ud83d\ude00"]"#, Mode::Strict, &Limits::default()).unwrap();
        let texts: Vec<_> = doc.leaves().map(|l| l.text.into_owned()).collect();
        assert_eq!(texts, ["\u{fffd}A", "😀"]);
    }

    #[test]
    fn pointers_spans_and_retain_keep_the_raw_bytes() {
        let raw = br#"{ "a/b" : [ 1.0 , {"n":"x","v":1e2} ], "c~":"d" }"#;
        let doc = Doc::parse(raw, Mode::Strict, &Limits::default()).unwrap();
        let list = doc.root().get("a/b").unwrap();
        let second = list.children().nth(1).unwrap();
        assert_eq!(second.get("n").unwrap().pointer(), "/a~1b/1/n");
        assert_eq!(list.retain(|n| n.index() == 1), br#"[{"n":"x","v":1e2}]"#);
        assert_eq!(doc.root().retain(|n| n.key().as_deref() != Some("c~")), br#"{"a/b":[ 1.0 , {"n":"x","v":1e2} ]}"#);
        assert_eq!(splice(raw, vec![(second.span(), b"2".to_vec())]), br#"{ "a/b" : [ 1.0 , 2 ], "c~":"d" }"#);
    }

    #[test]
    fn decoded_ranges_map_back_to_raw_ones() {
        let raw = br"ab\u00e9\ncd";
        let text = decode(raw);
        assert_eq!(text, "abé\ncd");
        assert_eq!(&raw[raw_range(raw, 0..2)], b"ab");
        assert_eq!(&raw[raw_range(raw, 2..4)], br"\u00e9");
        assert_eq!(&raw[raw_range(raw, 5..7)], b"cd");
        assert_eq!(&raw[raw_range(raw, 0..text.len())], raw);
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..6)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn collect(value: &serde_json::Value, out: &mut Vec<String>) {
        match value {
            serde_json::Value::String(s) => out.push(s.clone()),
            serde_json::Value::Array(items) => items.iter().for_each(|v| collect(v, out)),
            serde_json::Value::Object(map) => map.iter().for_each(|(k, v)| {
                out.push(k.clone());
                collect(v, out);
            }),
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn leaves_are_every_string_and_every_key(value in any_json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let doc = Doc::parse(text.as_bytes(), Mode::Strict, &Limits::default()).unwrap();
            let mut expected = Vec::new();
            collect(&value, &mut expected);
            let seen: Vec<_> = doc.leaves().map(|leaf| leaf.text.into_owned()).collect();
            prop_assert_eq!(seen, expected);
        }

        #[test]
        fn any_bytes_parse_or_fail_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for mode in [Mode::Strict, Mode::Lenient] {
                if let Ok(doc) = Doc::parse(&bytes, mode, &Limits::default()) {
                    doc.leaves().for_each(drop);
                }
            }
        }

        #[test]
        fn strict_accepts_only_what_serde_json_accepts(bytes in r#"[\[\]{}",:0-9a-z\\. eE+-]{0,24}"#) {
            if Doc::parse(bytes.as_bytes(), Mode::Strict, &Limits::default()).is_ok() {
                prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&bytes).is_ok(), "{}", bytes);
            }
        }
    }
}
