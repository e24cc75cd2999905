//! The vocabulary of Portcullis: ids, messages, findings, verdicts, audit events, API shapes, the shim link's frames.
//! Everyone may import this crate. It does no I/O and knows no clock: times are given to it as Unix milliseconds.
//! Words are those of the README's table; nothing here may introduce a synonym.

pub mod api;
pub mod decision;
pub mod envelope;
pub mod event;
pub mod finding;
pub mod ids;
pub mod json;
pub mod link;
pub mod message;
pub mod pin;
pub mod scan;
pub mod upstream;
pub mod verdict;

pub use decision::{
    ArgumentScope, Binding, Decision, DecisionState, Effect, Mode, Modes, Scope, SignatureScope, SignatureVersion,
};
pub use envelope::{Envelope, MessageKind};
pub use event::{AuditRow, Change, ChangeKind, Exchange, Gap, Outcome};
pub use finding::{Confidence, Decoded, Finding, Severity, Span};
pub use ids::{AppId, AskId, DecisionId, ExchangeId, PrincipalId, SessionId, UpstreamId, slug};
pub use message::{Direction, Transport};
pub use pin::{ApprovedBy, Drift, DriftCause, DriftGrade, DriftReason, Pin, PinKind, Quarantine};
pub use scan::{Concept, Scan, ScanContext, ScanInput};
pub use upstream::Upstream;
pub use verdict::{FailureMode, Verdict};

/// Unix time in milliseconds.
pub type UnixMs = i64;

/// The limits of design.md §4, all configurable; crossing one refuses the Message with a clear error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// One Message (HTTP body, SSE event, stdio line), in bytes.
    pub max_message_bytes: usize,
    /// Nesting of JSON objects and arrays.
    pub max_depth: usize,
    /// Items of one batch: each costs a scan and a row.
    pub max_batch_items: usize,
    /// The id token and the method of one Message, in bytes: both are remembered while its answer is awaited.
    pub max_id_bytes: usize,
    /// Requests of one Session that wait for their response; the oldest is given up beyond it.
    pub max_open_requests: usize,
    /// Requests that the proxy carries at once, open streams among them.
    pub max_streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_bytes: 16 * 1024 * 1024,
            max_depth: 128,
            max_batch_items: 1000,
            max_id_bytes: 1024,
            max_open_requests: 4096,
            max_streams: 1024,
        }
    }
}
