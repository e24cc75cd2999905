//! What the data path emits and the audit stores: one row per Exchange, Notification, Verdict, Decision, Change, Gap.
//! Bodies in here are already masked and capped; nothing downstream sees a secret.

use crate::{
    AppId, Direction, ExchangeId, Finding, PrincipalId, SessionId, Transport, UnixMs, Upstream, UpstreamId, Verdict,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What became of the Message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub enum Outcome {
    Forwarded,
    Redacted,
    Rejected,
    /// It was forwarded, and the Upstream or the connection failed.
    Failed,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forwarded => "forwarded",
            Self::Redacted => "redacted",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }
}

/// A request and its response (or a notification, which has none): one audit row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub struct Exchange {
    pub id: ExchangeId,
    /// When the request was seen.
    #[ts(type = "number")]
    pub at: UnixMs,
    pub principal: PrincipalId,
    pub app: AppId,
    pub upstream: UpstreamId,
    /// The server's name in the app's config: display only.
    pub upstream_name: String,
    pub session: SessionId,
    pub transport: Transport,
    /// Who asked: ToUpstream for the app's requests, ToClient for the server's own.
    pub direction: Direction,
    /// True for a notification: there is no response to wait for.
    pub notification: bool,
    /// "" when the Message had none that could be read.
    pub method: String,
    /// Tool name, prompt name or resource URI.
    pub target: Option<String>,
    /// The strictest Verdict of request and response.
    pub verdict: Verdict,
    pub outcome: Outcome,
    /// Findings of the request (paths below `/params`) and of the response (below `/result` or `/error`).
    pub findings: Vec<Finding>,
    /// Masked and capped text of the request Message.
    pub request: String,
    /// Masked and capped text of the response Message, None while there is none.
    pub response: Option<String>,
    #[ts(type = "number")]
    pub request_bytes: u64,
    #[ts(type = "number")]
    pub response_bytes: u64,
    /// Request seen to response forwarded, microseconds. None while there is no response.
    #[ts(type = "number | null")]
    pub duration_us: Option<u64>,
    /// Of that, what our checks took.
    #[ts(type = "number")]
    pub checked_us: u64,
    /// Why it failed, in one line.
    pub error: Option<String>,
    /// Judged by the shim while the daemon was away.
    pub judged_locally: bool,
}

impl Exchange {
    /// A row that says who talks to whom and when, and nothing else yet.
    pub fn new(
        id: ExchangeId,
        at: UnixMs,
        upstream: &Upstream,
        session: SessionId,
        transport: Transport,
        direction: Direction,
    ) -> Self {
        Self {
            id,
            at,
            principal: PrincipalId::local(),
            app: upstream.app.clone(),
            upstream: upstream.id.clone(),
            upstream_name: upstream.name.clone(),
            session,
            transport,
            direction,
            notification: false,
            method: String::new(),
            target: None,
            verdict: Verdict::Allow,
            outcome: Outcome::Forwarded,
            findings: Vec::new(),
            request: String::new(),
            response: None,
            request_bytes: 0,
            response_bytes: 0,
            duration_us: None,
            checked_us: 0,
            error: None,
            judged_locally: false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub enum ChangeKind {
    ConfigProtected,
    ConfigRestored,
    ConfigQueued,
    ConfigEditedOutside,
    SettingChanged,
    SignatureSwitched,
    /// The person approved, released or held back a definition.
    PinReviewed,
    Paused,
    Resumed,
    AlertReviewed,
    /// A question was answered; the sentence says how.
    AskAnswered,
    DecisionMade,
    DecisionRevoked,
    /// Monitor, Ask or Block, for an app, a server or all.
    ModeChanged,
    /// Something that a ClientApp started tried to loosen protection.
    LooseningRefused,
    /// A server was quarantined, or let go again.
    ServerQuarantined,
    ServerReleased,
    /// What had been replaced in a Message was shown to a person.
    OriginalRevealed,
    /// Stored Decisions, or rules, were changed or put back by something else.
    StateTampered,
    DaemonStarted,
    DaemonStopped,
    /// The audit database was damaged: it was moved aside and a new one begun.
    AuditMovedAside,
}

/// Somebody (or the daemon itself) changed something that matters for protection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub struct Change {
    #[ts(type = "number")]
    pub at: UnixMs,
    pub kind: ChangeKind,
    pub app: Option<AppId>,
    /// One plain sentence.
    pub summary: String,
    /// Something may pass from now on that did not before: the person is told, whoever did it.
    #[serde(default)]
    pub loosens: bool,
}

/// Plain rows that could not be kept: says how many, so that silence is never mistaken for calm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub struct Gap {
    #[ts(type = "number")]
    pub at: UnixMs,
    #[ts(type = "number")]
    pub dropped: u64,
}

/// (The tag is `row`: a Change has a `kind` of its own.) What travels on the bus to the audit, the dashboard and the shell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "row", rename_all = "snake_case")]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub enum AuditRow {
    Exchange(Box<Exchange>),
    Change(Change),
    Gap(Gap),
}

impl AuditRow {
    /// Rows that may never be dropped, however full the queue is.
    pub fn must_keep(&self) -> bool {
        match self {
            Self::Exchange(exchange) => exchange.verdict > Verdict::Allow,
            Self::Change(_) | Self::Gap(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_survives_the_round_trip() {
        let change = Change { at: 1, kind: ChangeKind::Paused, app: None, summary: "Paused.".into(), loosens: true };
        for row in [AuditRow::Change(change), AuditRow::Gap(Gap { at: 1, dropped: 2 })] {
            let text = serde_json::to_string(&row).unwrap();
            assert_eq!(serde_json::from_str::<AuditRow>(&text).unwrap(), row, "{text}");
        }
    }
}
