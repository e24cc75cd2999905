//! Where a Message ends in a body that is no event stream: one JSON document, NDJSON (some servers stream it under
//! `application/json`), or no JSON at all (an HTML error page), which is one piece of text up to the end.

use bytes::{Bytes, BytesMut};
use memchr::memchr2;

pub(crate) struct JsonFrames {
    buffer: BytesMut,
    at: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The first byte that is no white space, of the current document.
    opened: bool,
    text: bool,
    max_bytes: usize,
}

impl JsonFrames {
    pub fn new(max_bytes: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            at: 0,
            depth: 0,
            in_string: false,
            escaped: false,
            opened: false,
            text: false,
            max_bytes,
        }
    }

    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next complete document with the white space before it. Err: larger than one Message may be.
    pub fn next_document(&mut self) -> Result<Option<Bytes>, super::sse_frames::TooLarge> {
        while !self.text && self.at < self.buffer.len() {
            if self.in_string {
                if std::mem::take(&mut self.escaped) {
                    self.at += 1;
                    continue;
                }
                let Some(skipped) = memchr2(b'"', b'\\', &self.buffer[self.at..]) else {
                    self.at = self.buffer.len();
                    break;
                };
                self.at += skipped + 1;
                self.escaped = self.buffer[self.at - 1] == b'\\';
                self.in_string = self.escaped;
                continue;
            }
            let byte = self.buffer[self.at];
            self.at += 1;
            match byte {
                b'{' | b'[' => {
                    self.depth += 1;
                    self.opened = true;
                }
                b'}' | b']' if self.opened => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        self.opened = false;
                        let end = std::mem::take(&mut self.at);
                        return Ok(Some(self.buffer.split_to(end).freeze()));
                    }
                }
                b'"' if self.opened => self.in_string = true,
                b' ' | b'\t' | b'\r' | b'\n' | 0xef | 0xbb | 0xbf => {}
                _ if !self.opened => self.text = true,
                _ => {}
            }
        }
        if self.buffer.len() > self.max_bytes { Err(super::sse_frames::TooLarge) } else { Ok(None) }
    }

    /// What is left at the end of the body: white space, text, or a document that was cut.
    pub fn rest(&mut self) -> Bytes {
        self.at = 0;
        self.buffer.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(chunks: &[&[u8]]) -> (Vec<Bytes>, Bytes) {
        let mut frames = JsonFrames::new(1000);
        let mut out = Vec::new();
        for chunk in chunks {
            frames.push(chunk);
            while let Some(document) = frames.next_document().unwrap() {
                out.push(document);
            }
        }
        let rest = frames.rest();
        (out, rest)
    }

    #[test]
    fn documents_end_where_they_end_however_they_are_split() {
        let text = br#" {"a":"}\"]","b":[{}]}
{"c":[1,2]} [3]
"#;
        for step in 1..text.len() {
            let chunks: Vec<&[u8]> = text.chunks(step).collect();
            let (documents, rest) = pieces(&chunks);
            assert_eq!(documents, [&b" {\"a\":\"}\\\"]\",\"b\":[{}]}"[..], b"\n{\"c\":[1,2]}", b" [3]"], "step {step}");
            assert_eq!(rest, "\n");
        }
    }

    #[test]
    fn text_and_cut_documents_come_out_at_the_end() {
        assert_eq!(pieces(&[b"<html>{}</html>"]), (vec![], "<html>{}</html>".into()));
        assert_eq!(pieces(&[b"{\"a\":"]), (vec![], "{\"a\":".into()));
        assert_eq!(pieces(&[b"\xef\xbb\xbf{}"]).0, [&b"\xef\xbb\xbf{}"[..]]);
    }

    #[test]
    fn a_document_larger_than_the_limit_is_an_error() {
        let mut frames = JsonFrames::new(10);
        frames.push(b"{\"a\":\"xxxxxxxxxxxxx");
        assert!(frames.next_document().is_err());
    }
}
