//! Any bytes as an event stream in pieces: no panic, every byte comes out once and in order, the same events however split.
#![no_main]

#[allow(dead_code)]
#[path = "../../crates/gateway/src/transport/sse_frames.rs"]
mod sse_frames;

use sse_frames::SseFrames;

fn events(pieces: &[&[u8]]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut frames = SseFrames::new(1 << 20);
    let (mut raw, mut data) = (Vec::new(), Vec::new());
    for piece in pieces {
        frames.push(piece);
        while let Ok(Some(event)) = frames.next_event() {
            raw.extend_from_slice(&event.raw);
            data.extend(event.data.filter(|data| !data.is_empty()));
        }
    }
    let rest = frames.rest();
    raw.extend(rest.iter().flat_map(|event| event.raw.to_vec()));
    data.extend(rest.and_then(|event| event.data).filter(|data| !data.is_empty()));
    (raw, data)
}

libfuzzer_sys::fuzz_target!(|input: (usize, &[u8])| {
    let (at, bytes) = input;
    let whole = events(&[bytes]);
    assert_eq!(whole.0, bytes);
    let (head, tail) = bytes.split_at(at.checked_rem(bytes.len() + 1).unwrap_or(0));
    assert_eq!(events(&[head, tail]), whole);
});
