//! Which happenings are worth a desktop notification, and what it says. Pure.
//! A Block is announced once per (server, Signature) and hour; Flag and Redact never are (the tray counts them).

use crate::harm::{Harm, Part};
use crate::words::plain;
use portcullis_domain::api::{Ask, AskState, ExchangeRow, Protection};
use portcullis_domain::{
    Change, ChangeKind, Direction, Exchange, ExchangeId, Finding, Outcome, UnixMs, UpstreamId, Verdict,
};
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

/// What the person asked not to hear. Quiet hours silence everything; the setting only what is everyday business, never
/// what loosens protection: that is news whoever did it.
pub fn is_silenced(loosens: bool, notifications: bool, quiet: bool) -> bool {
    quiet || (!notifications && !loosens)
}

/// Remembers what was announced during the last hour.
#[derive(Default)]
pub struct Announced {
    last: HashMap<(UpstreamId, String, bool), UnixMs>,
    /// The end of the pause that was announced.
    pause: Option<UnixMs>,
}

impl Announced {
    /// Whether this Exchange deserves a notification now; it counts as announced from then on.
    pub fn is_news(&mut self, row: &ExchangeRow) -> bool {
        if row.verdict != Verdict::Block || row.reviewed {
            return false;
        }
        self.last.retain(|_, at| row.at - *at < QUIET_MS);
        // What goes through is news also after the same was stopped.
        let key = (row.upstream.clone(), row.signature.clone().unwrap_or_default(), went_through(row));
        if self.last.contains_key(&key) {
            return false;
        }
        self.last.insert(key, row.at);
        true
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

/// Not stopped although it is a Block: checking is paused, or the server is in Monitor.
pub fn went_through(row: &ExchangeRow) -> bool {
    row.verdict == Verdict::Block && row.outcome == Outcome::Forwarded
}

/// The notification for a Block. `exchange`: its Findings, where the log could say them.
pub fn block_notice(row: &ExchangeRow, exchange: Option<&Exchange>, app_name: &str) -> Notice {
    let place = place(&row.upstream_name, row.target.as_deref().unwrap_or(&row.method));
    let known = exchange.and_then(Harm::of_exchange).or_else(|| Some((Harm::of_row(row)?, None)));
    let title = known
        .as_ref()
        .map_or_else(|| format!("{} → {place}", plain(app_name, 40)), |(harm, _)| said(harm, app_name, true));
    let why = match &known {
        Some((harm, finding)) => title_beside(harm, *finding),
        None => row.title.as_deref().map(sentence).unwrap_or_default(),
    };
    let went_through = went_through(row);
    let end = match &known {
        _ if went_through => " Nothing was blocked: checking is paused, or the server is in Monitor.",
        Some(_) if row.outcome != Outcome::Rejected => "",
        Some((harm, _)) if harm.sends() && row.direction == Direction::ToUpstream => " The call did not run.",
        Some(_) => " It was kept back.",
        None => "",
    };
    let opens = Some(Opens::Alert(row.id.clone()));
    let title = format!("{}: {title}", if went_through { "Went through" } else { "Blocked" });
    Notice { title, body: format!("{why}{place}.{end}"), opens }
}

fn said(harm: &Harm, app_name: &str, over: bool) -> String {
    let words = harm.sentence(&plain(app_name, 40), over).into_iter().map(|part| match part {
        Part::Ours(words) => words,
        Part::Name(name) => plain(&name, 40),
    });
    words.collect()
}

fn title_beside(harm: &Harm, finding: Option<&Finding>) -> String {
    finding.filter(|_| harm.needs_title()).map(|finding| sentence(&finding.title)).unwrap_or_default()
}

fn sentence(title: &str) -> String {
    format!("{}. ", plain(title, 120))
}

fn place(server: &str, what: &str) -> String {
    format!("{} / {}", plain(server, 40), plain(what, 40))
}

/// The notification for a question that waits. It has no buttons: what is decided needs the facts before it.
pub fn ask_notice(ask: &Ask, now: UnixMs) -> Option<Notice> {
    if ask.state != AskState::Waiting {
        return None;
    }
    let place = place(&ask.upstream_name, ask.target.as_deref().unwrap_or(&ask.method));
    let (title, why) = match Harm::of_ask(ask) {
        Some((harm, finding)) => (said(&harm, &ask.app_name, false), title_beside(&harm, finding)),
        None => (format!("{} waits for your answer", plain(&ask.app_name, 40)), String::new()),
    };
    let left = ((ask.deadline_at - now) / 1000).max(0);
    let body = format!("{why}{place}. {left} s, then denied.");
    Some(Notice { title, body, opens: Some(Opens::Question) })
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

    fn exchange(row: &ExchangeRow, part: serde_json::Value) -> Exchange {
        let mut finding = json!({"signature": row.signature, "version": 1, "category": "secrets", "severity": "critical",
            "confidence": "high", "verdict": "block", "title": "A <b>title</b>", "json_path": "/params/arguments/path",
            "span": null, "matched": "", "decoded": null});
        finding.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        serde_json::from_value(json!({"id": row.id, "at": row.at, "principal": "p", "app": row.app,
            "upstream": row.upstream, "upstream_name": row.upstream_name, "session": "s", "transport": "stdio",
            "direction": row.direction, "notification": false, "method": row.method, "target": row.target,
            "verdict": row.verdict, "outcome": row.outcome, "findings": [finding], "request": "{}", "response": null,
            "request_bytes": 2, "response_bytes": 0, "duration_us": null, "checked_us": 1, "error": null,
            "judged_locally": false}))
        .unwrap()
    }

    #[test]
    fn a_block_names_the_harm_as_the_dashboard_does_and_opens_its_alert() {
        let row = row("e1", 5, "u1", "private-key-file", "block");
        let found = exchange(&row, json!({"matched": "/home/a/.ssh/<i>id_rsa"}));
        let notice = block_notice(&row, Some(&found), "Cursor");
        let harm = "Cursor wanted to open a private key, keychain or password store";
        assert_eq!(notice.title, format!("Blocked: {harm}: /home/a/.ssh/‹i›id_rsa"));
        assert_eq!(notice.body, "mail‹i›er / send_email. The call did not run.");
        assert_eq!(notice.opens, Some(Opens::Alert(ExchangeId::new("e1"))));

        let unread = block_notice(&row, None, "cursor");
        assert_eq!(unread.title, "Blocked: cursor wanted to open a private key, keychain or password store");
        assert_eq!(unread.body, notice.body, "a log that cannot be read takes away what matched, nothing else");
    }

    #[test]
    fn what_went_through_is_not_called_blocked() {
        let mut row = row("e1", 5, "u1", "private-key-file", "block");
        row.outcome = Outcome::Forwarded;
        let notice = block_notice(&row, Some(&exchange(&row, json!({}))), "Cursor");
        assert!(notice.title.starts_with("Went through: Cursor wanted to open a private key"), "{}", notice.title);
        let end = "Nothing was blocked: checking is paused, or the server is in Monitor.";
        assert_eq!(notice.body, format!("mail‹i›er / send_email. {end}"));
        let unread = block_notice(&row, None, "Cursor");
        assert!(unread.title.starts_with("Went through") && unread.body.ends_with(end), "{unread:?}");
    }

    #[test]
    fn a_blocked_answer_says_what_would_have_been_read() {
        let row = row("e1", 5, "u1", "conceal-from-person", "block");
        let found = exchange(&row, json!({"json_path": "/result/content/0/text", "category": "injection"}));
        let notice = block_notice(&row, Some(&found), "Cursor");
        let harm = "Cursor was about to read text that tells the model to keep something from you";
        assert_eq!(notice.title, format!("Blocked: {harm}"));
        assert_eq!(notice.body, "mail‹i›er / send_email. It was kept back.");
    }

    #[test]
    fn a_block_by_a_signature_of_ones_own_brings_its_title() {
        let mut row = row("e1", 5, "u1", "mine", "block");
        let found = exchange(&row, json!({"category": "network", "matched": "http://10.0.0.1/"}));
        let notice = block_notice(&row, Some(&found), "Cursor");
        assert_eq!(notice.title, "Blocked: Cursor wanted to reach an internal or disguised address: http://10.0.0.1/");
        assert_eq!(notice.body, "A ‹b›title‹/b›. mail‹i›er / send_email. The call did not run.");
        let unread = block_notice(&row, None, "Cursor");
        assert_eq!(unread.title, "Blocked: Cursor → mail‹i›er / send_email");
        assert_eq!(
            unread.body, "Private key in an argument. mail‹i›er / send_email.",
            "which way it went is not known"
        );

        (row.signature, row.title) = (None, None);
        assert_eq!(block_notice(&row, None, "Cursor").title, "Blocked: Cursor → mail‹i›er / send_email");
    }

    #[test]
    fn the_same_server_and_signature_are_announced_once_an_hour() {
        let mut announced = Announced::default();
        let mut at = |at, upstream, signature| announced.is_news(&row("e", at, upstream, signature, "block"));
        assert!(at(0, "u1", "a"));
        assert!(!at(QUIET_MS - 1, "u1", "a"));
        assert!(at(1, "u1", "b") && at(1, "u2", "a"), "another Signature or server is news");
        assert!(at(QUIET_MS, "u1", "a"));

        let mut through = row("e", QUIET_MS + 1, "u1", "a", "block");
        through.outcome = Outcome::Forwarded;
        assert!(announced.is_news(&through), "stopped before, now it went through");
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
    fn only_quiet_hours_silence_what_loosens() {
        assert!(is_silenced(false, false, false) && is_silenced(false, true, true) && is_silenced(true, true, true));
        assert!(!is_silenced(true, false, false) && !is_silenced(false, true, false));
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
        assert_eq!(notice.title, "Cursor wants to send a password, key or token to mailer");
        assert_eq!(notice.body, "A private ‹b›key‹/b›. mailer / send. 31 s, then denied.");
        assert_eq!(notice.opens, Some(Opens::Question));
        assert_eq!(ask_notice(&ask("unattended"), 14_000), None);
    }

    #[test]
    fn nothing_below_block_interrupts() {
        for verdict in ["allow", "flag", "redact"] {
            assert!(!Announced::default().is_news(&row("e", 0, "u", "s", verdict)), "{verdict}");
        }
    }
}
