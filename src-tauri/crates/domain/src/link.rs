//! The shim link: framed verdict RPC between `portcullis-shim` and the daemon (Unix socket or named pipe).
//!
//! A frame is `u32 LE length` (of what follows) + `u8 kind` + payload. A shim opens one connection per Direction and
//! both carry the same session key, so a full pipe in one Direction never stops the other. Within one connection
//! Messages are judged and answered in order; the shim keeps each Message's bytes until its verdict arrives, so a daemon
//! that dies loses nothing: what is unanswered is judged again elsewhere, what is answered never is.

use crate::{Direction, UnixMs};
use serde::{Deserialize, Serialize};

/// Raised when a frame changes meaning. A daemon refuses a newer version, and the shim then judges in process.
pub const VERSION: u16 = 1;
/// Socket file below the state directory.
pub const SOCKET: &str = "run/verdict.sock";

/// First frame of a connection, shim to daemon, as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    pub version: u16,
    pub upstream: String,
    /// Joins the two connections of one shim; 128 random bits, base32.
    pub session: String,
    pub direction: Direction,
    pub pid: u32,
    /// Parent processes, nearest first: `(pid, executable or name)`.
    pub ancestry: Vec<(u32, String)>,
    /// SHA-256 of the real command and its arguments, hex.
    pub argv_digest: String,
    pub shim_version: String,
    /// Requests already forwarded and not answered yet (after a reconnect): raw id token -> method and target.
    pub pending: Vec<PendingRequest>,
    pub at: UnixMs,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingRequest {
    pub direction: Direction,
    pub id: String,
    pub method: String,
    pub target: Option<String>,
    /// 2026-07-28: a minted result needs `resultType`.
    #[serde(default)]
    pub modern: bool,
    /// Task-augmented (2025-11-25).
    #[serde(default)]
    pub task: bool,
}

/// Payload of `Closed`, as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    pub reason: String,
    /// How the server failed, if nobody asked it to end and it did not end well: "server exits with code 1", with its
    /// last lines on stderr behind a colon. Its own words, unmasked.
    #[serde(default)]
    pub failure: Option<String>,
}

/// Frame kinds. Shim to daemon: Hello, Message, Closed. Daemon to shim: the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    /// JSON `Hello`.
    Hello = 1,
    /// `u64 LE seq` + raw Message bytes (without the line end).
    Message = 2,
    /// Child or client closed: JSON `Closed`; ends the session in the audit.
    Closed = 3,
    /// JSON `{"version": …}`: the daemon accepts.
    Welcome = 16,
    /// UTF-8 reason: the daemon refuses this shim (unknown id, newer version); judge in process.
    Refused = 17,
    /// `u64 seq`: forward the kept bytes.
    Allow = 18,
    /// `u64 seq` + bytes: forward these instead.
    Replace = 19,
    /// `u64 seq` + bytes: do not forward; send these back to whoever sent the Message.
    Answer = 20,
    /// `u64 seq`: do not forward, say nothing.
    Drop = 21,
    /// `u64 seq`: a person is being asked; the verdict follows under the same seq.
    Hold = 22,
    /// `u64 0` + bytes: an extra Message in this connection's Direction (`list_changed` after a review).
    Inject = 23,
}

impl FrameKind {
    pub fn from_u8(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Hello,
            2 => Self::Message,
            3 => Self::Closed,
            16 => Self::Welcome,
            17 => Self::Refused,
            18 => Self::Allow,
            19 => Self::Replace,
            20 => Self::Answer,
            21 => Self::Drop,
            22 => Self::Hold,
            23 => Self::Inject,
            _ => return None,
        })
    }
}

/// Appends one frame to `out`. `seq` is present for every kind but Hello, Closed, Welcome and Refused.
pub fn encode(out: &mut Vec<u8>, kind: FrameKind, seq: Option<u64>, payload: &[u8]) {
    let length = 1 + seq.map_or(0, |_| 8) + payload.len();
    out.extend_from_slice(&(length as u32).to_le_bytes());
    out.push(kind as u8);
    if let Some(seq) = seq {
        out.extend_from_slice(&seq.to_le_bytes());
    }
    out.extend_from_slice(payload);
}

/// One decoded frame, borrowing from the buffer after the length prefix.
#[derive(Debug, PartialEq)]
pub struct Frame<'a> {
    pub kind: FrameKind,
    pub seq: u64,
    pub payload: &'a [u8],
}

/// Decodes the body of a frame (without its length prefix). None: not a frame of this version.
pub fn decode(body: &[u8]) -> Option<Frame<'_>> {
    let (&kind, rest) = body.split_first()?;
    let kind = FrameKind::from_u8(kind)?;
    match kind {
        FrameKind::Hello | FrameKind::Closed | FrameKind::Welcome | FrameKind::Refused => {
            Some(Frame { kind, seq: 0, payload: rest })
        }
        _ => {
            let (seq, payload) = rest.split_at_checked(8)?;
            Some(Frame { kind, seq: u64::from_le_bytes(seq.try_into().ok()?), payload })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_the_round_trip() {
        let mut out = Vec::new();
        encode(&mut out, FrameKind::Replace, Some(7), b"{}");
        assert_eq!(u32::from_le_bytes(out[..4].try_into().unwrap()) as usize, out.len() - 4);
        assert_eq!(decode(&out[4..]), Some(Frame { kind: FrameKind::Replace, seq: 7, payload: b"{}" }));
        assert_eq!(decode(&[18, 0, 0]), None, "a truncated seq is no frame");
        assert_eq!(decode(&[99]), None);
    }
}
