//! Which happenings are worth a desktop notification, and what it says. Pure.
//! A Block is announced once per (server, Signature) and hour; Flag and Redact never are (the tray counts them).

use crate::words::plain;
use portcullis_domain::api::{Ask, AskState, ExchangeRow, Protection};
use portcullis_domain::{Change, ChangeKind, ExchangeId, UnixMs, UpstreamId, Verdict};
use std::collections::HashMap;

const QUIET_MS: UnixMs = 60 * 60 * 1000;
/// How long before its end a pause is announced.
const PAUSE_NOTICE_MS: UnixMs = 60 * 1000;

#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub title: String,
    pub body: String,
    pub opens: Option<Opens>,
}

/// What a click on a notification leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Opens {
    Alert(ExchangeId),
    Question,
}

impl Notice {
    /// Something the person asked for did not happen.
    pub fn failure(what: &str, why: &str) -> Self {
        Self { title: what.to_owned(), body: plain(why, 300), opens: None }
    }
}

/// Remembers what was announced during the last hour.
#[derive(Default)]
pub struct Announced {
    last: HashMap<(UpstreamId, String), UnixMs>,
    /// The end of the pause that was announced.
    pause: Option<UnixMs>,
}

impl Announced {
    /// The notification for this Exchange, if it deserves one now.
    pub fn notice(&mut self, row: &ExchangeRow) -> Option<Notice> {
        if row.verdict != Verdict::Block || row.reviewed {
            return None;
        }
        self.last.retain(|_, at| row.at - *at < QUIET_MS);
        let key = (row.upstream.clone(), row.signature.clone().unwrap_or_default());
        if self.last.contains_key(&key) {
            return None;
        }
        self.last.insert(key, row.at);
        let what = plain(row.target.as_deref().unwrap_or(&row.method), 40);
        let title = format!("Blocked: {what} of {}", plain(&row.upstream_name, 40));
        let why = row
            .title
            .as_deref()
            .map_or("It matched a Signature.".to_owned(), |title| format!("{}.", plain(title, 120)));
        Some(Notice {
            title,
            body: format!("{why} Open the Alert to see it."),
            opens: Some(Opens::Alert(row.id.clone())),
        })
    }

    /// The notification a minute before a pause ends, once.
    pub fn pause_notice(&mut self, protection: &Protection, now: UnixMs) -> Option<Notice> {
        let Protection::Paused { until: Some(until) } = *protection else { return None };
        if until - now > PAUSE_NOTICE_MS || self.pause == Some(until) {
            return None;
        }
        self.pause = Some(until);
        let body = "From then on calls are blocked again where a Signature says so.".to_owned();
        Some(Notice { title: "The pause ends in less than a minute".to_owned(), body, opens: None })
    }
}

/// The notification for a question that waits. It has no buttons: what is decided needs the facts before it.
pub fn ask_notice(ask: &Ask, now: UnixMs) -> Option<Notice> {
    if ask.state != AskState::Waiting {
        return None;
    }
    let found =
        ask.findings.first().map_or("A doubtful call.".to_owned(), |one| format!("{}.", plain(&one.title, 120)));
    let left = ((ask.deadline_at - now) / 1000).max(0);
    Some(Notice {
        title: format!("{} waits for your answer", plain(&ask.app_name, 40)),
        body: format!("{found} {left} s, then denied."),
        opens: Some(Opens::Question),
    })
}

/// The notification for something that was changed behind our back, or that lets something pass from now on: whoever did
/// it, the person hears of it. An answer to one call is not told again: its question was on the screen.
pub fn change_notice(change: &Change) -> Option<Notice> {
    let title = match change.kind {
        ChangeKind::ConfigEditedOutside => "A protected config was edited",
        ChangeKind::LooseningRefused => "An app tried to loosen its own protection",
        ChangeKind::StateTampered => "What Portcullis keeps was changed by something else",
        ChangeKind::AskAnswered => return None,
        _ if change.loosens => "Protection was loosened",
        _ => return None,
    };
    Some(Notice { title: title.to_owned(), body: plain(&change.summary, 300), opens: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(id: &str, at: UnixMs, upstream: &str, signature: &str, verdict: &str) -> ExchangeRow {
        serde_json::from_value(json!({"id": id, "at": at, "app": "cursor", "upstream": upstream,
            "upstream_name": "mail<i>er", "transport": "stdio", "direction": "to_upstream", "notification": false,
            "method": "tools/call", "target": "send_email", "verdict": verdict, "outcome": "rejected",
            "duration_us": null, "title": "Private key in an argument", "signature": signature, "reviewed": false}))
        .unwrap()
    }

    #[test]
    fn a_block_says_what_was_blocked_and_opens_its_alert() {
        let notice = Announced::default().notice(&row("e1", 5, "u1", "private-key", "block")).unwrap();
        assert_eq!(notice.title, "Blocked: send_email of mail‹i›er");
        assert_eq!(notice.body, "Private key in an argument. Open the Alert to see it.");
        assert_eq!(notice.opens, Some(Opens::Alert(ExchangeId::new("e1"))));
    }

    #[test]
    fn the_same_server_and_signature_are_announced_once_an_hour() {
        let mut announced = Announced::default();
        let mut at = |at, upstream, signature| announced.notice(&row("e", at, upstream, signature, "block")).is_some();
        assert!(at(0, "u1", "a"));
        assert!(!at(QUIET_MS - 1, "u1", "a"));
        assert!(at(1, "u1", "b") && at(1, "u2", "a"), "another Signature or server is news");
        assert!(at(QUIET_MS, "u1", "a"));
    }

    #[test]
    fn the_end_of_a_pause_is_announced_once_and_only_when_near() {
        let mut announced = Announced::default();
        let mut at = |until, now| announced.pause_notice(&Protection::Paused { until }, now).is_some();
        assert!(!at(None, 0), "a pause without end has none");
        assert!(!at(Some(61_000), 0));
        assert!(at(Some(61_000), 1_000));
        assert!(!at(Some(61_000), 2_000), "once");
        assert!(at(Some(90_000), 40_000), "another pause");
        assert_eq!(announced.pause_notice(&Protection::Watching, 0), None);
    }

    #[test]
    fn only_changes_behind_our_back_interrupt() {
        let change = |kind| {
            let summary = "Cursor's mcp.json <changed>.".into();
            Change { at: 0, kind, app: None, summary, loosens: false }
        };
        let notice = change_notice(&change(ChangeKind::ConfigEditedOutside)).unwrap();
        assert_eq!(notice.body, "Cursor's mcp.json ‹changed›.");
        assert_eq!(change_notice(&change(ChangeKind::ConfigProtected)), None);
        assert!(change_notice(&change(ChangeKind::LooseningRefused)).is_some());
        assert!(change_notice(&change(ChangeKind::StateTampered)).is_some());
    }

    #[test]
    fn whatever_loosens_is_told_and_its_opposite_is_not() {
        let change = |kind, loosens| Change { at: 0, kind, app: None, summary: "Now.".into(), loosens };
        for kind in [
            ChangeKind::Paused,
            ChangeKind::SignatureSwitched,
            ChangeKind::ModeChanged,
            ChangeKind::PinReviewed,
            ChangeKind::DecisionMade,
            ChangeKind::DecisionRevoked,
            ChangeKind::ServerReleased,
            ChangeKind::SettingChanged,
            ChangeKind::OriginalRevealed,
        ] {
            assert_eq!(change_notice(&change(kind, true)).unwrap().title, "Protection was loosened", "{kind:?}");
            assert_eq!(change_notice(&change(kind, false)), None, "{kind:?}");
        }
        assert_eq!(change_notice(&change(ChangeKind::AskAnswered, true)), None, "its question was on the screen");
    }

    #[test]
    fn a_question_is_announced_while_it_waits() {
        let ask = |state: &str| -> Ask {
            serde_json::from_value(json!({"id": "a1", "state": state, "at": 0, "deadline_at": 45_000, "app": "cursor",
                "app_name": "Cursor", "upstream": "u", "upstream_name": "mailer", "session": "s", "transport": "stdio",
                "direction": "to_upstream", "method": "tools/call", "target": "send", "severity": "critical",
                "findings": [{"signature": "key", "version": 1, "category": "secrets", "severity": "critical",
                    "confidence": "high", "verdict": "ask", "title": "A private <b>key</b>", "json_path": "", "span": null,
                    "matched": "", "decoded": null}],
                "explanations": [], "message": "{}", "message_bytes": 2, "definition": null,
                "history": {"server_first_seen": null, "server_calls": 0, "tool_calls": 0, "asked": 0, "allowed": 0},
                "held": 1, "redacted": null, "exact_only": true, "needs_acknowledgement": true, "destinations": [],
                "fields": [], "suggested": {"this_app": true, "this_server": true, "this_target": true,
                    "arguments": {"reach": "exact"}, "these_destinations": true, "these_signatures": true}}))
            .unwrap()
        };
        let notice = ask_notice(&ask("waiting"), 14_000).unwrap();
        assert_eq!(notice.title, "Cursor waits for your answer");
        assert_eq!(notice.body, "A private ‹b›key‹/b›. 31 s, then denied.");
        assert_eq!(notice.opens, Some(Opens::Question));
        assert_eq!(ask_notice(&ask("unattended"), 14_000), None);
    }

    #[test]
    fn nothing_below_block_interrupts() {
        for verdict in ["allow", "flag", "redact"] {
            assert_eq!(Announced::default().notice(&row("e", 0, "u", "s", verdict)), None, "{verdict}");
        }
    }
}
