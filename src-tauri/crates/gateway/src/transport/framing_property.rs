//! What both framers promise for any bytes in any pieces, shared by the tests here and by `src-tauri/fuzz`: every byte comes
//! out once and in order, and what is given to the scan is what a reader of the whole stream would be given.

use super::json_frames::JsonFrames;
use super::sse_frames::SseFrames;

const LIMIT_BYTES: usize = 1 << 20;

/// `cut` says where the pieces end (each number is how many bytes the next one has).
fn pieces<'a>(bytes: &'a [u8], cut: &[usize]) -> Vec<&'a [u8]> {
    let (mut rest, mut out) = (bytes, Vec::new());
    for size in cut {
        let (piece, left) = rest.split_at((*size).min(rest.len()));
        out.push(piece);
        rest = left;
    }
    out.push(rest);
    out
}

/// Panics where the framer of event streams does not keep its promise.
pub(crate) fn holds_for_events(bytes: &[u8], cut: &[usize]) {
    let mut frames = SseFrames::new(LIMIT_BYTES);
    let (mut raw, mut data) = (Vec::new(), Vec::new());
    for piece in pieces(bytes, cut) {
        frames.push(piece);
        while let Some(event) = frames.next_event().expect("within the limit") {
            raw.extend_from_slice(&event.raw);
            data.extend(event.data);
        }
    }
    if let Some(event) = frames.rest() {
        raw.extend_from_slice(&event.raw);
        data.extend(event.data);
    }
    assert!(raw == bytes, "{:?}", String::from_utf8_lossy(bytes));
    let texts = |data: &[Vec<u8>]| data.iter().map(|d| String::from_utf8_lossy(d).into_owned()).collect::<Vec<_>>();
    assert_eq!(texts(&data), texts(&as_specified(bytes)), "{:?} in {cut:?}", String::from_utf8_lossy(bytes));
}

/// The specification's way, on the whole stream at once: the data of each event, the one without an end included.
fn as_specified(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let (mut out, mut data) = (Vec::new(), None::<Vec<u8>>);
    while !rest.is_empty() {
        let end = rest.iter().position(|b| matches!(b, b'\r' | b'\n')).unwrap_or(rest.len());
        let after = if rest[end..].starts_with(b"\r\n") { end + 2 } else { (end + 1).min(rest.len()) };
        let line = &rest[..end];
        rest = &rest[after..];
        if line.is_empty() {
            out.extend(data.take());
        } else if let Some(value) = line.strip_prefix(b"data").filter(|value| value.is_empty() || value[0] == b':') {
            let value = value.strip_prefix(b":").unwrap_or(value);
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match &mut data {
                Some(data) => data.extend([b"\n", value].concat()),
                none => *none = Some(value.to_vec()),
            }
        }
    }
    out.extend(data);
    out
}

/// Panics where the framer of JSON bodies does not keep its promise.
pub(crate) fn holds_for_documents(bytes: &[u8], cut: &[usize]) {
    let documents = |cut: &[usize]| {
        let mut frames = JsonFrames::new(LIMIT_BYTES);
        let mut out = Vec::new();
        for piece in pieces(bytes, cut) {
            frames.push(piece);
            while let Some(document) = frames.next_document().expect("within the limit") {
                out.push(document);
            }
        }
        out.push(frames.rest());
        out
    };
    let (whole, cut_up) = (documents(&[]), documents(cut));
    assert!(whole.concat() == bytes && whole == cut_up, "{:?} in {cut:?}", String::from_utf8_lossy(bytes));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bodies() -> impl Strategy<Value = Vec<u8>> {
        const WORDS: [&[u8]; 26] = [
            b"data:",
            b"data: ",
            b"data",
            b"data:\r",
            b"event: message",
            b"event: endpoint",
            b"id: 1",
            b"retry: 5",
            b":",
            b"\n",
            b"\n\n",
            b"\r",
            b"\r\n",
            b"\xef\xbb\xbf",
            b"{",
            b"}",
            b"[",
            b"]",
            b"\"",
            b"\\",
            b"{\"a\":\"b\"}",
            b" ",
            b"\xe2\x80\xa8",
            b"\xff",
            b"x",
            b",",
        ];
        let word = prop_oneof![
            8 => proptest::sample::select(&WORDS[..]).prop_map(<[u8]>::to_vec),
            1 => proptest::collection::vec(any::<u8>(), 1..4),
        ];
        proptest::collection::vec(word, 0..24).prop_map(|words| words.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn any_stream_in_any_pieces_is_given_whole_to_the_scan(
            bytes in bodies(),
            cut in proptest::collection::vec(0_usize..9, 0..30),
        ) {
            holds_for_events(&bytes, &[]);
            holds_for_events(&bytes, &cut);
            holds_for_documents(&bytes, &cut);
        }
    }
}
