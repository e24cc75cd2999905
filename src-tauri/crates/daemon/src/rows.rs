//! Hop 8: where audit rows arrive, are told to the dashboard and stored. Called from the gateway's recorder thread.

use crate::core::{Core, locked};
use portcullis_domain::api::{ExchangeRow, LiveEvent};
use portcullis_domain::{AuditRow, Exchange, Outcome};

/// Requests that still wait for their response. Beyond it the oldest knowledge is given up: an update then shows as new.
const MAX_WAITING: usize = 10_000;

impl Core {
    pub fn record(&self, row: AuditRow) {
        if let Some(tap) = &self.tap {
            tap(&row);
        }
        // Whatever judges add comes after the row itself.
        let doubtful = match &row {
            AuditRow::Exchange(exchange) => self.judges.wants(exchange, &**self.judge.load().scanner()),
            _ => None,
        };
        self.publish(match &row {
            AuditRow::Exchange(exchange) => self.live(exchange),
            AuditRow::Change(change) => LiveEvent::Change { change: change.clone() },
            AuditRow::Gap(gap) => LiveEvent::Gap { dropped: gap.dropped },
        });
        self.audit.record(row);
        doubtful.into_iter().for_each(|exchange| self.judges.offer(exchange));
    }

    /// More is known now of a row that was recorded before.
    pub fn amend(&self, exchange: Exchange) {
        self.publish(LiveEvent::ExchangeUpdated { row: ExchangeRow::of(&exchange, false) });
        self.audit.record(AuditRow::Exchange(Box::new(exchange)));
    }

    /// A request that takes long is reported while it waits and once more when it is answered.
    fn live(&self, exchange: &Exchange) -> LiveEvent {
        let row = ExchangeRow::of(exchange, false);
        let waits = !exchange.notification && exchange.duration_us.is_none() && exchange.outcome == Outcome::Forwarded;
        let mut waiting = locked(&self.waiting);
        if waits {
            if waiting.len() >= MAX_WAITING {
                waiting.clear();
            }
            let is_new = waiting.insert(exchange.id.clone());
            return if is_new { LiveEvent::Exchange { row } } else { LiveEvent::ExchangeUpdated { row } };
        }
        if waiting.remove(&exchange.id) { LiveEvent::ExchangeUpdated { row } } else { LiveEvent::Exchange { row } }
    }
}
