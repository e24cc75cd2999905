//! One file per Transport; each frames bytes into Messages, asks `inspect`, and writes what the Action says.

mod answering;
mod call;
pub(crate) mod carried;
mod coding;
#[cfg(test)]
mod framing_property;
mod headers;
mod held;
pub(crate) mod http;
mod json_frames;
pub(crate) mod legacy;
mod minted;
mod outbound;
mod pieces;
mod relay;
mod request_body;
mod respond;
mod sessions;
mod sse_frames;
pub(crate) mod stdio;
