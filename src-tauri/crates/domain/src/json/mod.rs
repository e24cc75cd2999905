//! A JSON document as a flat list of nodes with byte spans: the scanner must see what the receiver sees, and edits must
//! leave every other byte alone, so nothing here ever re-serialises a value.
//!
//! `Mode::Strict` (client to upstream) refuses what receivers read differently: byte order marks, invalid UTF-8,
//! duplicate keys (compared decoded), NaN, raw control characters, trailing bytes. `Mode::Lenient` (upstream to client)
//! accepts all of these and says so in `anomalies`, because the bytes go to the client unchanged and must be scanned.
//! Iterative: depth is a limit, not a stack.

mod parser;
mod text;

use crate::Limits;
use parser::Parser;
use std::borrow::Cow;
use std::ops::Range;
pub use text::{decode, lossy, quote, raw_range, splice};

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

#[cfg(test)]
mod tests;
