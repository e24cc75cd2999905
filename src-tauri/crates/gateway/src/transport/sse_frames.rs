//! Server-Sent Events over raw bytes: where each event ends, what its data says, and the exact bytes to forward.
//! Lenient like every client: CR, LF and CRLF line ends, a BOM at the start, `data:` lines joined by a newline.
//! Comments pass at once (keep-alives must not wait for a blank line).

use bytes::{Bytes, BytesMut};

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Everything from the last event's end to this one's, blank line included.
    pub raw: Bytes,
    /// The joined `data:` lines; None when there was none (comments, `retry:` alone).
    pub data: Option<Vec<u8>>,
    pub name: Option<Vec<u8>>,
    /// The lines that are not data, ends included, to rebuild the event around other data.
    pub others: Vec<u8>,
    /// Something was left out of `others` that apps read differently (lines that some would cut in two, see
    /// `OTHER_LINE_ENDS`, fields that nobody knows, a byte order mark): never forward `raw`.
    pub odd: bool,
}

/// Python apps split an event stream at these, too: behind one of them a comment could carry a whole Message.
const OTHER_LINE_ENDS: [&[u8]; 8] =
    [b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9"];

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(crate) fn has_other_line_end(text: &[u8]) -> bool {
    // One look at each byte for the usual text, which holds none.
    let first = |b: &u8| matches!(b, 0x0b | 0x0c | 0x1c..=0x1e | 0xc2 | 0xe2);
    let mut rest = text;
    while let Some(at) = rest.iter().position(first) {
        if OTHER_LINE_ENDS.iter().any(|end| rest[at..].starts_with(end)) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

impl Event {
    /// What a hostile server could say outside the data: comments, event names, ids with words in them. None: nothing
    /// but what every server writes.
    pub fn aside(&self) -> Option<String> {
        let is_usual = |line: &[u8]| {
            let (field, value) = line.split_at(line.iter().position(|&b| b == b':').map_or(line.len(), |at| at + 1));
            let value = value.trim_ascii();
            match field {
                b"event:" => matches!(value, b"message" | b"endpoint"),
                b"id:" => value.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.:=+/~".contains(b)),
                b"retry:" | b"" => true,
                _ => value.len() < 4,
            }
        };
        let lines = self.others.split(|b| matches!(b, b'\n' | b'\r'));
        let unusual: Vec<&[u8]> = lines.filter(|line| !is_usual(line)).collect();
        (!unusual.is_empty()).then(|| String::from_utf8_lossy(&unusual.join(&b'\n')).into_owned())
    }

    /// Leaves only the data, however the event was written.
    pub fn drop_aside(&mut self) {
        self.others.clear();
        self.name = None;
        self.odd = true;
    }

    /// The same event (id, name, retry, place) with other data.
    pub fn with_data(&self, data: &[u8]) -> Bytes {
        let mut out = self.others.clone();
        for line in data.split(|&b| b == b'\n') {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        out.push(b'\n');
        out.into()
    }
    /// The event without its data: nothing is dispatched, but an `id:` still counts for resumption.
    pub fn without_data(&self) -> Bytes {
        let mut out = self.others.clone();
        if !out.is_empty() {
            out.push(b'\n');
        }
        out.into()
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

pub(crate) struct SseFrames {
    buffer: BytesMut,
    /// Bytes of the current event whose lines were already read.
    read: usize,
    /// Of those and what follows: how far no line end was found.
    searched: usize,
    data: Option<Vec<u8>>,
    name: Option<Vec<u8>>,
    others: Vec<u8>,
    odd: bool,
    fields: usize,
    skip_line_feed: bool,
    at_start: bool,
    max_bytes: usize,
}

impl SseFrames {
    pub fn new(max_bytes: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            read: 0,
            searched: 0,
            data: None,
            name: None,
            others: Vec::new(),
            odd: false,
            fields: 0,
            skip_line_feed: false,
            at_start: true,
            max_bytes,
        }
    }

    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next complete event, if the bytes so far hold one.
    pub fn next_event(&mut self) -> Result<Option<Event>, TooLarge> {
        if self.skip_line_feed && !self.buffer.is_empty() && self.read == 0 {
            self.skip_line_feed = false;
            if self.buffer[0] == b'\n' {
                // The LF of a CR LF that was split: it belongs to the end of the last event.
                let raw = self.buffer.split_to(1).freeze();
                self.searched = 0;
                return Ok(Some(Event { raw, data: None, name: None, others: Vec::new(), odd: false }));
            }
        }
        while let Some(end) = self.buffer[self.searched..].iter().position(|b| matches!(b, b'\n' | b'\r')) {
            let end = self.searched + end;
            let carriage = self.buffer[end] == b'\r';
            let mut after = end + 1;
            if carriage && self.buffer.get(after) == Some(&b'\n') {
                after += 1;
            }
            let split = carriage && after == self.buffer.len() && after == end + 1;
            let line = self.read..end;
            if line.is_empty() {
                self.at_start = false;
                self.skip_line_feed = split;
                return Ok(Some(self.take(after)));
            }
            if split {
                // The LF may still come; wait, unless this is a blank line (handled above).
                self.searched = end;
                return self.bounded().map(|()| None);
            }
            let comment = self.line(line, after);
            (self.read, self.searched) = (after, after);
            if comment && self.fields == 0 {
                return Ok(Some(self.take(after)));
            }
        }
        self.searched = self.buffer.len();
        self.bounded().map(|()| None)
    }

    /// What is left when the stream ends in the middle of an event.
    pub fn rest(&mut self) -> Option<Event> {
        if self.read < self.buffer.len() {
            // A CR that waited for its LF ends the line all the same.
            let end = self.buffer.len() - usize::from(self.buffer.ends_with(b"\r"));
            self.line(self.read..end, self.buffer.len());
        }
        let end = self.buffer.len();
        (end > 0).then(|| self.take(end))
    }

    fn bounded(&self) -> Result<(), TooLarge> {
        if self.buffer.len() > self.max_bytes { Err(TooLarge) } else { Ok(()) }
    }

    /// Reads one field; true for a comment.
    fn line(&mut self, mut line: std::ops::Range<usize>, after: usize) -> bool {
        if std::mem::take(&mut self.at_start) && self.buffer[line.clone()].starts_with(BYTE_ORDER_MARK) {
            // To some apps it makes the first line another field.
            line.start += BYTE_ORDER_MARK.len();
            self.odd = true;
        }
        let text = &self.buffer[line.clone()];
        let (field, value) = match text.iter().position(|&b| b == b':') {
            Some(0) => {
                self.keep_other(line.start..after);
                return true;
            }
            Some(colon) => (&text[..colon], &text[colon + 1..]),
            None => (text, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        self.fields += 1;
        if field == b"data" {
            match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                none => *none = Some(value.to_vec()),
            }
            return false;
        }
        match field {
            b"event" => self.name = Some(value.to_vec()),
            b"id" | b"retry" => {}
            // Some app's parser may take it for one of those above, once more without a mark in front of it, say.
            _ => {
                self.odd = true;
                return false;
            }
        }
        self.keep_other(line.start..after);
        false
    }

    fn keep_other(&mut self, line: std::ops::Range<usize>) {
        let line = &self.buffer[line];
        if has_other_line_end(line) {
            self.odd = true;
        } else {
            self.others.extend_from_slice(line);
        }
    }

    fn take(&mut self, end: usize) -> Event {
        let raw = self.buffer.split_to(end).freeze();
        (self.read, self.searched, self.fields) = (0, 0, 0);
        let (data, name, others) = (self.data.take(), self.name.take(), std::mem::take(&mut self.others));
        Event { raw, data, name, others, odd: std::mem::take(&mut self.odd) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(chunks: &[&[u8]]) -> Vec<(String, Option<String>)> {
        let mut frames = SseFrames::new(1000);
        let mut out = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        for chunk in chunks {
            frames.push(chunk);
            while let Some(event) = frames.next_event().unwrap() {
                out.push((text(&event.raw), event.data.as_deref().map(text)));
            }
        }
        if let Some(event) = frames.rest() {
            out.push((text(&event.raw), event.data.as_deref().map(text)));
        }
        out
    }

    const STREAM: &str =
        ": hi\nretry: 500\n\nid: 1\ndata: \n\nevent: message\r\ndata: {\"a\":1}\r\ndata:2\r\n\r\ndata: x\n\n";

    #[test]
    fn every_split_gives_the_same_data_and_exactly_the_same_bytes() {
        let whole = all(&[STREAM.as_bytes()]);
        let data: Vec<_> = whole.iter().filter_map(|(_, data)| data.as_deref()).collect();
        assert_eq!(data, ["", "{\"a\":1}\n2", "x"]);
        for at in 0..=STREAM.len() {
            for step in [1, 7] {
                let (head, tail) = STREAM.as_bytes().split_at(at);
                let mut chunks = vec![head];
                chunks.extend(tail.chunks(step));
                let events = all(&chunks);
                let raw: String = events.iter().map(|(raw, _)| raw.as_str()).collect();
                assert_eq!(raw, STREAM, "at {at}");
                let seen: Vec<_> = events.iter().filter_map(|(_, data)| data.as_deref()).collect();
                assert_eq!(seen, data, "at {at}");
            }
        }
    }

    #[test]
    fn a_comment_passes_before_the_blank_line() {
        let mut frames = SseFrames::new(100);
        frames.push(b": ping\n");
        assert_eq!(frames.next_event().unwrap().unwrap().raw, ": ping\n");
    }

    #[test]
    fn carriage_returns_alone_end_lines_and_a_byte_order_mark_is_no_part_of_the_field() {
        let data: Vec<_> = all(&[b"\xef\xbb\xbfdata: a\r\r", b"data: b\r\r"]).into_iter().filter_map(|e| e.1).collect();
        assert_eq!(data, ["a", "b"]);
        assert_eq!(all(&[b"\n\xef\xbb\xbfdata: c\n\n"])[1].1, None, "it is part of a field anywhere else");
    }

    #[test]
    fn an_unfinished_event_comes_out_at_the_end_and_a_huge_one_is_an_error() {
        assert_eq!(all(&[b"data: half"]), [("data: half".into(), Some("half".into()))]);
        assert_eq!(all(&[b"data: half\r"]), [("data: half\r".into(), Some("half".into()))]);
        let mut frames = SseFrames::new(10);
        frames.push(&[b'x'; 11]);
        assert_eq!(frames.next_event(), Err(TooLarge));
    }

    #[test]
    fn other_data_keeps_id_and_name() {
        let mut frames = SseFrames::new(100);
        frames.push(b"id: 7\nevent: message\ndata: old\n\n");
        let event = frames.next_event().unwrap().unwrap();
        assert_eq!(event.with_data(b"a\nb"), "id: 7\nevent: message\ndata: a\ndata: b\n\n");
        assert_eq!(event.without_data(), "id: 7\nevent: message\n\n");
    }
}
