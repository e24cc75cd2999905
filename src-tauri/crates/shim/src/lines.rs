//! Splits a stream into Messages at `\n`, keeping every raw byte, and never holds more than the limit of one line.
//! A longer line is skipped to its end and reported with its id, so that whoever waits for it can be told.

use std::io::{self, BufRead, BufReader, Read};

/// Blank lines are carried in front of the next Message; more than this many bytes of them are dropped.
const MAX_BLANK_BYTES: usize = 4096;
const CHUNK_BYTES: usize = 64 * 1024;

/// One Message with its line end and the blank lines before it: `raw()` is what the sender wrote.
#[derive(Debug, PartialEq)]
pub struct Line {
    raw: Vec<u8>,
    start: usize,
    end: usize,
}

impl Line {
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }
    /// Without blank lines before it and without its line end.
    pub fn message(&self) -> &[u8] {
        &self.raw[self.start..self.end]
    }
    /// `\n`, `\r\n`, or nothing at the end of a stream that stops without one.
    pub fn line_end(&self) -> &[u8] {
        &self.raw[self.end..]
    }
}

#[derive(Debug, PartialEq)]
pub enum Input {
    Line(Line),
    /// Blank lines at the very end.
    Blank(Vec<u8>),
    TooLong(LongLine),
}

pub struct Lines<R> {
    source: BufReader<R>,
    limit: usize,
    blank: Vec<u8>,
}

impl<R: Read> Lines<R> {
    pub fn new(source: R, limit: usize) -> Self {
        Self { source: BufReader::with_capacity(CHUNK_BYTES, source), limit, blank: Vec::new() }
    }

    pub fn next(&mut self) -> io::Result<Option<Input>> {
        loop {
            let mut raw = std::mem::take(&mut self.blank);
            let start = raw.len();
            // Room for `\r\n` beyond the limit.
            (&mut self.source).take(self.limit as u64 + 2).read_until(b'\n', &mut raw)?;
            let line = &raw[start..];
            if line.is_empty() {
                return Ok((start > 0).then_some(Input::Blank(raw)));
            }
            let ended = line.ends_with(b"\n");
            let end_bytes = if line.ends_with(b"\r\n") { 2 } else { usize::from(ended) };
            let message_bytes = line.len() - end_bytes;
            if message_bytes > self.limit {
                let mut long = LongLine::default();
                long.feed(line);
                if !ended {
                    self.skip(&mut long)?;
                }
                return Ok(Some(Input::TooLong(long)));
            }
            if !line[..message_bytes].iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
                let end = start + message_bytes;
                // A Message holds no line end. Some readers take a CR for one and would find other Messages in it than
                // we judge; between JSON tokens a space is the same.
                raw[start..end].iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b' ');
                return Ok(Some(Input::Line(Line { raw, start, end })));
            }
            if raw.len() > MAX_BLANK_BYTES {
                raw.truncate(start);
            }
            self.blank = raw;
            if !ended {
                return Ok(Some(Input::Blank(std::mem::take(&mut self.blank))));
            }
        }
    }

    fn skip(&mut self, long: &mut LongLine) -> io::Result<()> {
        let mut part = Vec::with_capacity(CHUNK_BYTES);
        loop {
            part.clear();
            (&mut self.source).take(CHUNK_BYTES as u64).read_until(b'\n', &mut part)?;
            long.feed(&part);
            if part.is_empty() || part.ends_with(b"\n") {
                return Ok(());
            }
        }
    }
}

/// A line beyond the limit, of which only the size and the top-level `id` and `method` are kept.
#[derive(Debug, Default, PartialEq)]
pub struct LongLine {
    pub bytes: u64,
    /// Raw token, when there is one of sane size.
    id: Vec<u8>,
    pub has_method: bool,
    depth: u64,
    in_string: bool,
    escaped: bool,
    /// The string being read at depth 1, if short; then the key whose value follows.
    text: Vec<u8>,
    key: Vec<u8>,
    after_colon: bool,
}

impl LongLine {
    const MAX_TOKEN_BYTES: usize = 256;

    pub fn id(&self) -> Option<&str> {
        let id = std::str::from_utf8(&self.id).ok()?.trim();
        let is_token = id.parse::<f64>().is_ok() || (id.len() > 1 && id.starts_with('"') && id.ends_with('"'));
        (is_token && id.len() < Self::MAX_TOKEN_BYTES).then_some(id)
    }

    fn feed(&mut self, part: &[u8]) {
        self.bytes += part.len() as u64;
        for &byte in part {
            self.step(byte);
        }
    }

    fn step(&mut self, byte: u8) {
        if self.in_string {
            self.keep(byte);
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => {
                self.in_string = true;
                if !self.after_colon {
                    self.text.clear();
                }
                self.keep(byte);
            }
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            b':' if self.depth == 1 => {
                self.key = std::mem::take(&mut self.text);
                self.after_colon = true;
                self.has_method |= self.key == br#""method""#;
            }
            b',' if self.depth == 1 => {
                self.after_colon = false;
                self.text.clear();
            }
            b' ' | b'\t' | b'\r' => {}
            _ => self.keep(byte),
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.depth != 1 {
            return;
        }
        let token = match (self.after_colon, self.key == br#""id""#) {
            (true, true) => &mut self.id,
            (false, _) => &mut self.text,
            (true, false) => return,
        };
        if token.len() < Self::MAX_TOKEN_BYTES {
            token.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], limit: usize) -> Vec<Input> {
        let mut lines = Lines::new(bytes, limit);
        std::iter::from_fn(|| lines.next().unwrap()).collect()
    }

    #[test]
    fn every_raw_byte_is_kept() {
        let bytes = b"\n\r\n{\"a\":1}\r\n \n\xff\xfe\n{}\n\nlast";
        let inputs = all(bytes, 100);
        let raw: Vec<u8> = inputs
            .iter()
            .flat_map(|input| match input {
                Input::Line(line) => line.raw().to_vec(),
                Input::Blank(blank) => blank.clone(),
                Input::TooLong(_) => Vec::new(),
            })
            .collect();
        assert_eq!(raw, bytes);
        let messages: Vec<_> = inputs
            .iter()
            .filter_map(
                |input| if let Input::Line(line) = input { Some((line.message(), line.line_end())) } else { None },
            )
            .collect();
        let expected: [(&[u8], &[u8]); 4] =
            [(b"{\"a\":1}", b"\r\n"), (b"\xff\xfe", b"\n"), (b"{}", b"\n"), (b"last", b"")];
        assert_eq!(messages, expected);
    }

    #[test]
    fn a_carriage_return_inside_a_message_ends_no_line_for_anybody() {
        let inputs = all(b"{\"a\":\r{}}\r\n", 100);
        assert!(matches!(&inputs[..], [Input::Line(line)] if line.raw() == b"{\"a\": {}}\r\n"), "{inputs:?}");
    }

    #[test]
    fn a_line_at_the_limit_passes_and_one_byte_more_does_not() {
        assert!(matches!(&all(b"12345\r\n", 5)[..], [Input::Line(_)]));
        assert!(matches!(&all(b"12345", 5)[..], [Input::Line(_)]));
        assert!(matches!(&all(b"123456\n7\n", 5)[..], [Input::TooLong(long), Input::Line(_)] if long.bytes == 7));
    }

    #[test]
    fn a_long_line_still_tells_its_id() {
        let big = "x".repeat(300_000);
        for (line, id, has_method) in [
            (format!(r#"{{"jsonrpc":"2.0","id":7,"method":"a","params":{{"id":8,"t":"{big}"}}}}"#), Some("7"), true),
            (
                format!(r#"{{"result":{{"id":1,"t":"{big}\",\"id\":9"}},"jsonrpc":"2.0","id" : "k-1" }}"#),
                Some(r#""k-1""#),
                false,
            ),
            (format!(r#"{{"method":"m","params":["{big}"]}}"#), None, true),
            (format!("{big}{{}}"), None, false),
            (format!(r#"{{"id":{{"a":1}},"t":"{big}"}}"#), None, false),
        ] {
            let inputs = all(line.as_bytes(), 1000);
            let [Input::TooLong(long)] = &inputs[..] else { panic!("one long line expected") };
            assert_eq!((long.id(), long.has_method), (id, has_method), "{}", &line[..60]);
        }
    }

    #[test]
    fn a_flood_of_blank_lines_takes_no_memory() {
        let mut flood = vec![b'\n'; 1_000_000];
        flood.extend(b"{}\n");
        let inputs = all(&flood, 100);
        assert!(matches!(&inputs[..], [Input::Line(line)] if line.message() == b"{}" && line.raw().len() < 5000));
    }
}
