//! Which happenings are worth a desktop notification, and what it says. Pure.
//! A Block is announced once per (server, Signature) and hour; Flag and Redact never are (the tray counts them).

use crate::words::plain;
use portcullis_domain::api::ExchangeRow;
use portcullis_domain::{ExchangeId, UnixMs, UpstreamId, Verdict};
use std::collections::HashMap;

const QUIET_MS: UnixMs = 60 * 60 * 1000;

#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub title: String,
    pub body: String,
    /// A click opens this Alert.
    pub exchange: Option<ExchangeId>,
}

impl Notice {
    /// Something the person asked for did not happen.
    pub fn failure(what: &str, why: &str) -> Self {
        Self { title: what.to_owned(), body: plain(why, 300), exchange: None }
    }
}

/// Remembers what was announced during the last hour.
#[derive(Default)]
pub struct Announced {
    last: HashMap<(UpstreamId, String), UnixMs>,
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
        Some(Notice { title, body: format!("{why} Open the Alert to see it."), exchange: Some(row.id.clone()) })
    }
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
        assert_eq!(notice.exchange, Some(ExchangeId::new("e1")));
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
    fn nothing_below_block_interrupts() {
        for verdict in ["allow", "flag", "redact"] {
            assert_eq!(Announced::default().notice(&row("e", 0, "u", "s", verdict)), None, "{verdict}");
        }
    }
}
