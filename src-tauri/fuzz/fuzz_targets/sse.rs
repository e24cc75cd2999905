//! Any bytes as an event stream and as a JSON body, in pieces: no panic, every byte comes out once and in order, the scan is
//! given what a reader of the whole would be given.
#![no_main]

#[allow(dead_code)]
#[path = "../../crates/gateway/src/transport/framing_property.rs"]
mod framing_property;
#[allow(dead_code)]
#[path = "../../crates/gateway/src/transport/json_frames.rs"]
mod json_frames;
#[allow(dead_code)]
#[path = "../../crates/gateway/src/transport/sse_frames.rs"]
mod sse_frames;

libfuzzer_sys::fuzz_target!(|input: (Vec<u8>, &[u8])| {
    let (cut, bytes) = input;
    let cut: Vec<usize> = cut.into_iter().map(usize::from).collect();
    framing_property::holds_for_events(bytes, &cut);
    framing_property::holds_for_documents(bytes, &cut);
});
