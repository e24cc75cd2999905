//! Questions, Decisions, modes, replay: what the person is asked, what they answered, and what would follow.

use super::{ExchangeRow, Explanation};
use crate::{
    AppId, AskId, Decision, DecisionState, Direction, Effect, ExchangeId, Finding, Mode, SessionId, Severity,
    Transport, UnixMs, UpstreamId, Verdict,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

dto! {
    /// `GET /api/asks`: waiting ones by deadline, then the newest of those that are over.
    pub struct AskList {
        pub waiting: Vec<Ask>,
        pub recent: Vec<Ask>,
        /// Somebody could see a question right now (dashboard, window, `portcullis ask watch`). While nobody can, doubtful
        /// Messages are denied at once and the question is in `recent`.
        pub attended: bool,
        pub deadline_seconds: u32,
    }

    /// One question. `message` and the Findings' spans are exact: show them, never store them.
    pub struct Ask {
        pub id: AskId,
        pub state: AskState,
        #[ts(type = "number")]
        pub at: UnixMs,
        /// Denied then, unless answered before.
        #[ts(type = "number")]
        pub deadline_at: UnixMs,
        pub app: AppId,
        pub app_name: String,
        pub upstream: UpstreamId,
        /// Hostile text.
        pub upstream_name: String,
        pub session: SessionId,
        pub transport: Transport,
        /// ToUpstream: the app wants to send this. ToClient: the app is about to read it.
        pub direction: Direction,
        pub method: String,
        pub target: Option<String>,
        /// The strongest of the Findings that ask.
        pub severity: Severity,
        /// Those that ask first.
        pub findings: Vec<Finding>,
        pub explanations: Vec<Explanation>,
        /// The exact Message, at most 256 KiB of it.
        pub message: String,
        #[ts(type = "number")]
        pub message_bytes: u64,
        /// The tool's definition as pinned.
        pub definition: Option<AskDefinition>,
        pub history: AskHistory,
        /// Earlier results of the same app that hold values of it; empty: none was seen.
        #[serde(default)]
        pub origins: Vec<AskOrigin>,
        /// The deadline was moved because somebody was looking.
        #[serde(default)]
        pub extended: bool,
        /// Where the deadline can be moved, once: as long as the app waits.
        #[serde(default)]
        #[ts(type = "number | null")]
        pub extends_to: Option<UnixMs>,
        /// Equal calls that wait for this one answer.
        pub held: u32,
        /// The Message as it would go on after "redact"; None: it cannot be redacted.
        pub redacted: Option<String>,
        /// Only "allow once" and "exactly the same, for at most 24 hours" are offered (severity critical).
        pub exact_only: bool,
        /// Allow needs `acknowledged` (severity high or more).
        pub needs_acknowledgement: bool,
        /// Hosts that the arguments name.
        pub destinations: Vec<String>,
        /// JSON pointers below the arguments that a scope may fix.
        pub fields: Vec<String>,
        /// The narrowest sensible scope, to be preselected in the scope builder.
        pub suggested: ScopeChoice,
    }

    #[serde(rename_all = "snake_case")]
    #[derive(Copy, Eq)]
    pub enum AskState {
        Waiting,
        Allowed,
        Redacted,
        Denied,
        /// Nobody answered in time; an answer now is remembered for the retry.
        TimedOut,
        /// Nobody could see it, so it was denied at once; an answer now is remembered for the retry.
        Unattended,
        /// The app took the call back. Nothing was sent.
        Cancelled,
        /// The app or the server is gone. Nothing was sent.
        Disconnected,
        /// Portcullis stopped while it waited: denied.
        Stopped,
    }

    /// A result in which an argument's value, or a long part of it, was seen before.
    pub struct AskOrigin {
        /// JSON pointer below the arguments.
        pub argument: String,
        pub upstream: UpstreamId,
        /// Hostile text, as is `target`.
        pub upstream_name: String,
        pub method: String,
        pub target: Option<String>,
        #[ts(type = "number")]
        pub at: UnixMs,
        /// The whole value; else a part of it.
        pub whole: bool,
    }

    pub struct AskDefinition {
        /// Its description: hostile text.
        pub description: String,
        #[ts(type = "number")]
        pub pinned_at: UnixMs,
        /// By a person, not on first sight alone.
        pub approved_by_person: bool,
        /// It changed since.
        pub changed: bool,
    }

    /// What was seen of this server and tool before, in the kept history.
    pub struct AskHistory {
        #[ts(type = "number | null")]
        pub server_first_seen: Option<UnixMs>,
        #[ts(type = "number")]
        pub server_calls: u64,
        #[ts(type = "number")]
        pub tool_calls: u64,
        /// Questions about this tool, and how many of them were allowed.
        #[ts(type = "number")]
        pub asked: u64,
        #[ts(type = "number")]
        pub allowed: u64,
    }

    /// How far an answer reaches; the daemon fills in what the question was about.
    pub struct ScopeChoice {
        /// False: any app.
        pub this_app: bool,
        /// False: any server.
        pub this_server: bool,
        /// False: any tool (prompt, resource).
        pub this_target: bool,
        pub arguments: ArgumentChoice,
        /// False: any destination.
        pub these_destinations: bool,
        /// False: any Finding up to this severity.
        pub these_signatures: bool,
    }
    #[serde(rename_all = "snake_case", tag = "reach")]
    pub enum ArgumentChoice {
        Exact,
        /// The same names and types, with the values at these JSON pointers fixed.
        Shape { fixed: Vec<String> },
        Any,
    }
    #[serde(rename_all = "snake_case", tag = "ends")]
    #[derive(Copy, Eq)]
    pub enum Expiry {
        Session,
        After { minutes: u32 },
        /// Only from the Decisions page.
        Never,
    }

    /// `POST /api/asks/{id}/answer`
    pub struct AskAnswerRequest {
        pub answer: AskAnswer,
        /// The person ticked the sentence that names the harm.
        #[serde(default)]
        pub acknowledged: bool,
    }
    #[serde(rename_all = "snake_case", tag = "kind")]
    pub enum AskAnswer {
        AllowOnce,
        AllowSession,
        AllowAlways { scope: ScopeChoice, expires: Expiry },
        RedactOnce,
        RedactAlways { scope: ScopeChoice, expires: Expiry },
        Deny,
        DenyAlways { scope: ScopeChoice, expires: Expiry },
        /// Deny, and put a server into quarantine: the one that was called, or one that a value came from.
        DenyQuarantine {
            upstream: UpstreamId,
            /// None: until released.
            minutes: Option<u32>,
        },
    }
    pub struct AskAnswered {
        pub state: AskState,
        /// The call was gone already: the answer is remembered for its retry.
        pub late: bool,
        /// What was stored, if anything.
        pub decision: Option<Decision>,
    }

    /// `GET /api/decisions?state=active|ended|all&q=`, newest first; `DELETE /api/decisions/{id}` revokes one.
    pub struct DecisionRow {
        pub decision: Decision,
        pub state: DecisionState,
        #[ts(type = "number | null")]
        pub ended_at: Option<UnixMs>,
        #[ts(type = "number")]
        pub uses: u64,
        #[ts(type = "number | null")]
        pub last_used_at: Option<UnixMs>,
    }

    /// `POST /api/decisions`: an exception (or a block) made from an Exchange of the log.
    pub struct NewDecision {
        pub exchange: ExchangeId,
        pub effect: Effect,
        pub scope: ScopeChoice,
        pub expires: Expiry,
        #[serde(default)]
        pub acknowledged: bool,
    }

    /// `POST /api/quarantine` puts a server in (or changes for how long), `DELETE /api/quarantine/{upstream}` lets it go;
    /// `GET /api/quarantine` lists them.
    pub struct QuarantineRequest {
        pub upstream: UpstreamId,
        /// None: until released.
        pub minutes: Option<u32>,
    }
    pub struct QuarantinedServer {
        pub upstream: UpstreamId,
        pub app_name: String,
        /// Hostile text.
        pub upstream_name: String,
        /// None: until released.
        #[ts(type = "number | null")]
        pub until: Option<UnixMs>,
    }

    /// `PUT /api/modes`; `GET /api/modes` gives `Modes`. Both None: the default. `mode` None: as the app, or the default.
    pub struct ModeRequest {
        pub app: Option<AppId>,
        pub upstream: Option<UpstreamId>,
        pub mode: Option<Mode>,
    }

    /// `POST /api/replay`: what a change would have done to the kept history.
    pub struct ReplayRequest { pub days: u32, pub change: ReplayChange }
    #[serde(rename_all = "snake_case", tag = "kind")]
    pub enum ReplayChange {
        SignatureSwitched { id: String, enabled: bool },
        /// A Signature file's text, new or edited.
        SignatureText { text: String },
        Decision { exchange: ExchangeId, effect: Effect, scope: ScopeChoice },
        Mode { request: ModeRequest },
    }
    pub struct Replay {
        pub days: u32,
        #[ts(type = "number")]
        pub looked_at: u64,
        /// Of these, how many could not be judged again as they were (masked or cut).
        #[ts(type = "number")]
        pub not_covered: u64,
        /// Went on then, would be blocked now; of these, how many the person had approved.
        #[ts(type = "number")]
        pub newly_blocked: u64,
        #[ts(type = "number")]
        pub newly_blocked_approved: u64,
        /// Went on unasked then, would be asked about now.
        #[ts(type = "number")]
        pub newly_asked: u64,
        /// Blocked or asked then, would go on unasked now.
        #[ts(type = "number")]
        pub newly_allowed: u64,
        /// Of these, how many the person had allowed when asked.
        #[ts(type = "number")]
        pub newly_allowed_approved: u64,
        /// Newest first, at most 200.
        pub rows: Vec<ReplayRow>,
    }
    pub struct ReplayRow { pub row: ExchangeRow, pub then: Verdict, pub now: Verdict, pub approved: bool }

    /// `GET /api/asks/budget?days=30`
    pub struct AskBudget { pub days: Vec<BudgetDay>, pub signatures: Vec<BudgetSignature> }
    pub struct BudgetDay {
        #[ts(type = "number")]
        pub from: UnixMs,
        pub asked: u32,
    }
    /// Questions that this Signature's Findings asked, most first.
    pub struct BudgetSignature {
        pub signature: String,
        pub asked: u32,
        pub allowed: u32,
        /// The newest Exchange it asked about: what an exception can be made from.
        pub newest: ExchangeId,
        pub proposal: Option<BudgetProposal>,
    }
    #[serde(rename_all = "snake_case")]
    #[derive(Copy, Eq)]
    pub enum BudgetProposal {
        /// More than 3 questions a day and more than 80 % of them allowed: make an exception.
        Exception,
        /// More than 3 questions a day and hardly any allowed: block without asking.
        Stricter,
    }

    /// Local time, minutes after midnight; `from` after `until` spans midnight.
    #[derive(Copy, Eq)]
    pub struct QuietHours { pub from: u16, pub until: u16 }
}

impl QuietHours {
    /// `minute` after midnight, local time.
    pub fn contains(self, minute: u16) -> bool {
        if self.from <= self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_may_span_midnight() {
        let night = QuietHours { from: 22 * 60, until: 7 * 60 };
        assert!(night.contains(23 * 60) && night.contains(0) && night.contains(419));
        assert!(!night.contains(420) && !night.contains(1319));
        let noon = QuietHours { from: 720, until: 780 };
        assert!(noon.contains(720) && !noon.contains(780) && !noon.contains(0));
        assert!(!QuietHours { from: 60, until: 60 }.contains(60), "nothing lies between a time and itself");
    }
}
