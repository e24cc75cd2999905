//! One file per Transport; each frames bytes into Messages, asks `inspect`, and writes what the Action says.

pub(crate) mod carried;
mod coding;
#[cfg(test)]
mod framing_property;
mod headers;
mod held;
pub(crate) mod http;
mod json_frames;
pub(crate) mod legacy;
mod relay;
mod sse_frames;
pub(crate) mod stdio;
