//! What a judgement is given and what it says: the types around `Judge`.

use crate::Question;
use crate::beside::Mirror;
use crate::edit::list_key;
use portcullis_domain::json::{Kind, NodeRef};
use portcullis_domain::{
    Confidence, Direction, Envelope, Finding, MessageKind, Modes, SessionId, Severity, Transport, UnixMs, Upstream,
    UpstreamId, Verdict,
};
use std::collections::BTreeMap;
use std::ops::Range;

/// The person's settings as far as they change a Verdict's effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Findings are recorded and nothing is blocked before this time (a pause). `i64::MAX`: until resumed.
    pub paused_until: Option<UnixMs>,
    /// What a server defines when it is first seen is kept from the app until the person has looked at it.
    pub hold_new_servers: bool,
    pub modes: Modes,
    /// Servers that get nothing and give nothing until then. `i64::MAX`: until released.
    pub quarantined: BTreeMap<UpstreamId, UnixMs>,
}

impl Rules {
    pub fn is_quarantined(&self, upstream: &UpstreamId, now: UnixMs) -> bool {
        self.quarantined.get(upstream).is_some_and(|until| now < *until)
    }
}

/// Who talks to whom, and when.
pub struct Context<'a> {
    pub upstream: &'a Upstream,
    pub transport: Transport,
    pub now: UnixMs,
    /// The other Upstreams of the same ClientApp (asked for only when definitions are scanned).
    pub siblings: &'a dyn Fn() -> Vec<UpstreamId>,
    /// The `Mcp-*` headers that came with the Message (HTTP only).
    pub mirrors: &'a [Mirror],
    /// None where Decisions for one Session cannot be told apart.
    pub session: Option<&'a SessionId>,
}

/// What is remembered of a request until its response comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairedRequest {
    pub method: String,
    pub target: Option<String>,
    /// 2026-07-28: minted results need `resultType`.
    pub modern: bool,
    /// Task-augmented (2025-11-25): a plain tool result would not be understood.
    pub task: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The original bytes go on.
    Forward,
    /// These go on instead, in the same direction.
    Replace(Vec<u8>),
    /// Nothing goes on; these go back to the sender.
    Answer(Vec<u8>),
    /// Nothing goes on: the Message cannot be read safely or crosses a limit. These go back (HTTP: status 400).
    Refuse(Vec<u8>),
    /// Of a batch that holds requests and responses: `on` goes on instead, `back` goes back to the sender.
    Split { on: Vec<u8>, back: Vec<u8> },
    /// Nothing goes on and nothing goes back.
    Drop,
}

/// One Message (or batch item) as far as others need to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageSummary {
    pub kind: MessageKind,
    /// Raw id token.
    pub id: Option<String>,
    pub method: Option<String>,
    pub target: Option<String>,
    pub modern: bool,
    pub task: bool,
    /// Of a response: the request it answers.
    pub answers: Option<PairedRequest>,
    /// Where the Message lies in the bytes that were judged: all of them, or one item of a batch.
    pub span: Range<usize>,
}

impl MessageSummary {
    /// To be remembered until the response comes; None when it is no request.
    pub fn as_request(&self) -> Option<PairedRequest> {
        (self.kind == MessageKind::Request).then(|| PairedRequest {
            method: self.method.clone().unwrap_or_default(),
            target: self.target.clone(),
            modern: self.modern,
            task: self.task,
        })
    }
}

#[derive(Debug)]
pub struct Judged {
    pub action: Action,
    pub verdict: Verdict,
    pub findings: Vec<Finding>,
    /// One element; more for a batch; none when the bytes are no JSON.
    pub messages: Vec<MessageSummary>,
    /// The Message is doubtful (Verdict::Ask): a person may let it go on. Until then, and for whoever cannot ask, `action`
    /// denies it.
    pub ask: Option<Box<Question>>,
}

/// Ids of the built-in checks (those that are no Signature files).
pub mod check {
    pub const UNREADABLE: &str = "unreadable-message";
    pub const AMBIGUOUS: &str = "ambiguous-message";
    pub const NOT_A_MESSAGE: &str = "not-a-message";
    pub const CHECK_FAILED: &str = "check-failed";
    pub const HEADER_MISMATCH: &str = "header-mismatch";
    pub const WITHHELD_TOOL: &str = "withheld-tool";
    pub const DEFINITION_CHANGED: &str = "definition-changed";
    /// A definition of a server that is held until reviewed.
    pub const NEW_DEFINITION: &str = "new-definition";
    /// A definition, or the use of one, that waits for the person.
    pub const QUARANTINED: &str = "quarantined-definition";
    /// A tool that passes for another server's.
    pub const LOOK_ALIKE_TOOL: &str = "look-alike-tool";
    pub const DIFFERS_BETWEEN_APPS: &str = "differs-between-apps";
    /// A whole server that the person put into quarantine.
    pub const SERVER_QUARANTINED: &str = "quarantined-server";
    pub const TOO_MANY_DEFINITIONS: &str = "too-many-definitions";
}

pub(crate) fn summarise(
    root: NodeRef<'_>,
    envelope: &Envelope<'_>,
    direction: Direction,
    paired: &dyn Fn(&str) -> Option<PairedRequest>,
) -> MessageSummary {
    let id = envelope.id_text();
    // Some apps read a result beside a `method` that is no text, too.
    let answers = match envelope.kind {
        MessageKind::Response | MessageKind::Error => true,
        MessageKind::Ambiguous => envelope.result.is_some() || envelope.error.is_some(),
        _ => false,
    };
    let paired = id.as_deref().filter(|_| answers).and_then(paired);
    let by_shape = || envelope.result.filter(|_| answers && direction == Direction::ToClient).and_then(by_shape);
    MessageSummary {
        kind: envelope.kind,
        method: envelope.method.as_ref().map(|m| m.to_string()),
        target: envelope.target().map(|t| t.into_owned()),
        modern: envelope.is_modern(),
        task: envelope.params.is_some_and(|params| params.get("task").is_some()),
        answers: paired.or_else(by_shape),
        id,
        span: root.span(),
    }
}

/// What a result without a known request must be taken for. A server could otherwise keep its definitions from being
/// compared: by an id that only the app takes for its own (`"1"` for `1`), or by a first answer that the app ignores.
fn by_shape(result: NodeRef<'_>) -> Option<PairedRequest> {
    let is_list = |method: &&str| {
        let list = list_key(method).and_then(|key| result.get(key));
        list.is_some_and(|list| list.kind() == Kind::Array)
    };
    let lists = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"];
    let greets = result.get("instructions").is_some() || result.get("serverInfo").is_some();
    let method = lists.into_iter().find(is_list).or(greets.then_some("initialize"))?;
    let modern = result.get("resultType").is_some();
    Some(PairedRequest { method: method.into(), target: None, modern, task: false })
}

pub(crate) fn builtin(id: &str, severity: Severity, verdict: Verdict, title: &str, json_path: &str) -> Finding {
    Finding {
        signature: id.into(),
        version: 1,
        category: "protocol".into(),
        severity,
        confidence: Confidence::High,
        verdict,
        title: title.into(),
        json_path: json_path.into(),
        span: None,
        matched: String::new(),
        decoded: None,
    }
}
