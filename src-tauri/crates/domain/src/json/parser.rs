//! The parser that fills a `Doc`: iterative, with a depth limit, strict or lenient (see the parent module).

use super::text::{decode, escape};
use super::{JsonError, JsonFault, Kind, Mode, NONE, Node};

const MAX_ANOMALIES: usize = 64;
/// Values of one document: each takes many times the bytes of the shortest value, here and in the scan.
const MAX_NODES: usize = 1_000_000;

/// Keys on the way from the root to a value, together. A Finding says where it was found: with one key of megabytes a few
/// of them would fill the memory.
const MAX_PATH_BYTES: usize = 16 * 1024;

pub(super) struct Parser<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
    pub mode: Mode,
    pub nodes: Vec<Node>,
    pub anomalies: Vec<JsonError>,
}

impl Parser<'_> {
    fn fail<T>(&self, fault: JsonFault) -> Result<T, JsonError> {
        let fault =
            if fault == JsonFault::Syntax && self.at >= self.bytes.len() { JsonFault::Truncated } else { fault };
        Err(JsonError { fault, offset: self.at })
    }
    pub fn tolerate(&mut self, fault: JsonFault, offset: usize) -> Result<(), JsonError> {
        let error = JsonError { fault, offset };
        if self.mode == Mode::Strict {
            return Err(error);
        }
        self.note(error);
        Ok(())
    }
    /// A document can hold millions: the first few say enough.
    fn note(&mut self, anomaly: JsonError) {
        if self.anomalies.len() < MAX_ANOMALIES {
            self.anomalies.push(anomaly);
        }
    }
    pub fn skip_space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }
    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.bytes.get(self.at).copied()
    }

    pub fn value_tree(&mut self, max_depth: usize) -> Result<(), JsonError> {
        // The chain of open containers: (node, last child), and how long the path to each is.
        let mut open: Vec<(u32, u32)> = Vec::new();
        let mut paths: Vec<usize> = Vec::new();
        if self.peek().is_none() {
            return self.fail(JsonFault::Empty);
        }
        loop {
            // One value, with its key when the innermost container is an object.
            let key = match open.last() {
                Some(&(parent, _)) if self.nodes[parent as usize].kind == Kind::Object => Some(self.member_key()?),
                _ => None,
            };
            let path = paths.last().copied().unwrap_or(0) + key.map_or(0, |(start, end)| (end - start) as usize);
            if path > MAX_PATH_BYTES {
                return self.fail(JsonFault::TooLarge);
            }
            let node = self.value_start(key, &mut open)?;
            let is_container = matches!(self.nodes[node as usize].kind, Kind::Array | Kind::Object);
            if is_container {
                if open.len() >= max_depth {
                    return self.fail(JsonFault::TooDeep);
                }
                open.push((node, NONE));
                paths.push(path);
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
                        paths.pop();
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
        if self.nodes.len() >= MAX_NODES {
            return self.fail(JsonFault::TooLarge);
        }
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
                        self.note(JsonError { fault: JsonFault::Syntax, offset: self.at });
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
