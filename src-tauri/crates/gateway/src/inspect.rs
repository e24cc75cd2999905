//! Hops 3 to 7 for one Message, top to bottom: pair it, judge it, open or close its Exchange, hand the row over.
//! The caller does what `Action` says; nothing is written to the other side before this returns.

use crate::Inner;
use crate::hold::Held;
use crate::noise::Noise;
use crate::record::{Row, body_text, micros};
use crate::session::{Open, Session};
use portcullis_domain::json::{Doc, Mode};
use portcullis_domain::{Direction, Exchange, ExchangeId, Finding, MessageKind, Outcome, UnixMs, UpstreamId, Verdict};
use portcullis_policy::{Action, Context, Judged, MessageSummary, Mirror};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// From here on a Message takes milliseconds to read, and up to a hundred megabytes of memory.
const LARGE: usize = 128 * 1024;
/// Large ones read at once: a server that answers many calls with the worst there is must not fill the memory.
const AT_ONCE: usize = 2;

/// Where large Messages wait for each other.
#[derive(Default)]
pub(crate) struct Turns {
    next: AtomicUsize,
    places: [Mutex<()>; AT_ONCE],
}

impl Turns {
    fn wait(&self) -> MutexGuard<'_, ()> {
        let place = self.next.fetch_add(1, Ordering::Relaxed) % AT_ONCE;
        self.places[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the caller does now: as the Judgement says, or wait until it is settled.
pub(crate) enum Inspected {
    Done(Judged),
    Held(Box<Held>),
}

fn introduces(message: &MessageSummary) -> bool {
    message.method.as_deref() == Some("initialize")
}

impl Inner {
    /// Judges a Message. Large ones make way for other connections while they are read.
    pub(crate) fn inspect(
        self: &Arc<Self>,
        session: &Arc<Session>,
        direction: Direction,
        bytes: &[u8],
        mirrors: &[Mirror],
    ) -> Inspected {
        if bytes.len() < LARGE {
            return self.inspect_here(session, direction, bytes, mirrors);
        }
        tokio::task::block_in_place(|| {
            let _turn = self.turns.wait();
            self.inspect_here(session, direction, bytes, mirrors)
        })
    }

    /// Judges text around Messages: a response header, a comment of a stream. False: it must not arrive.
    pub(crate) fn passes(&self, session: &Session, direction: Direction, text: &str) -> bool {
        let started = Instant::now();
        let judge = self.judge.load();
        let judged = judge.judge_aside(direction, text, (self.clock)());
        if judged.verdict > Verdict::Allow {
            let (now, bytes) = ((self.clock)(), text.as_bytes());
            let (checked, outcome) = (started.elapsed(), outcome_of(&judged));
            let row = Row { session, direction, bytes, judged: &judged, now, checked, outcome };
            self.recorder.exchange(row.exchange(None, judged.findings.clone()));
        }
        judged.action == Action::Forward
    }

    /// Hops 4 and 5, without any trace.
    pub(crate) fn judge_now(
        &self,
        session: &Session,
        direction: Direction,
        bytes: &[u8],
        mirrors: &[Mirror],
    ) -> (Judged, UnixMs) {
        let judge = self.judge.load();
        let siblings = || self.siblings(session);
        let (upstream, transport, now) = (&*session.upstream, session.transport, (self.clock)());
        let context = Context { upstream, transport, now, siblings: &siblings, session: Some(&session.id), mirrors };
        let paired = |id: &str| session.paired(direction.reverse(), id);
        (judge.judge(&context, direction, bytes, &paired), now)
    }

    /// Whether an app can read this as JSON at all.
    pub(crate) fn is_json(&self, bytes: &[u8]) -> bool {
        Doc::parse(bytes, Mode::Lenient, self.judge.load().limits()).is_ok_and(|doc| doc.trailing.is_empty())
    }

    fn inspect_here(
        self: &Arc<Self>,
        session: &Arc<Session>,
        direction: Direction,
        bytes: &[u8],
        mirrors: &[Mirror],
    ) -> Inspected {
        let started = Instant::now();
        let (mut judged, now) = self.judge_now(session, direction, bytes, mirrors);
        if let Some(question) = judged.ask.take()
            && session.asks_once(direction, &question.id)
        {
            let held = Held::new(self, session, direction, (bytes, mirrors), judged, *question, (now, started));
            return Inspected::Held(held);
        }
        if direction == Direction::ToUpstream && self.takes_back(session, &judged, bytes) {
            judged.action = Action::Drop;
        }

        if direction == Direction::ToUpstream && judged.messages.iter().any(introduces) {
            self.note_client(session, bytes);
        }
        let outcome = outcome_of(&judged);
        let row = Row { session, direction, bytes, judged: &judged, now, checked: started.elapsed(), outcome };
        for (n, message) in judged.messages.iter().enumerate() {
            let findings = findings_of(&judged, n);
            match message.kind {
                MessageKind::Request => self.open_exchange(&row, message, findings, started),
                MessageKind::Response | MessageKind::Error => self.close_exchange(&row, message, findings, None),
                _ => self.recorder.exchange(row.exchange(Some(message), findings)),
            }
        }
        if judged.messages.is_empty() && judged.verdict > Verdict::Allow {
            let exchange = row.exchange(None, judged.findings.clone());
            let told = if Noise::is_all(&judged.findings) { session.noise(exchange) } else { Some(exchange) };
            told.into_iter().for_each(|exchange| self.recorder.exchange(exchange));
        }
        Inspected::Done(judged)
    }

    /// The name that a client gives itself.
    fn note_client(&self, session: &Session, bytes: &[u8]) {
        let Ok(doc) = Doc::parse(bytes, Mode::Lenient, self.judge.load().limits()) else { return };
        if let Some(name) = doc.root().path(&["params", "clientInfo", "name"]).and_then(|name| name.as_str()) {
            self.callers.named(&session.upstream.id, &session.id, &name);
        }
    }

    /// A cancellation voids what is held under its id. True: that is all the Message says; the server never saw the
    /// request, so it hears nothing of this.
    fn takes_back(&self, session: &Session, judged: &Judged, bytes: &[u8]) -> bool {
        let cancels = |m: &&MessageSummary| m.method.as_deref() == Some("notifications/cancelled");
        let cancelled = |message: &MessageSummary| {
            let doc = Doc::parse(bytes.get(message.span.clone())?, Mode::Lenient, self.judge.load().limits()).ok()?;
            let id = doc.root().path(&["params", "requestId"])?;
            Some(self.approvals.cancel(&session.id, &String::from_utf8_lossy(id.raw())))
        };
        let unsent = judged.messages.iter().filter(cancels).filter_map(cancelled).filter(|unsent| *unsent).count();
        unsent > 0 && unsent == judged.messages.len()
    }

    /// The other servers of the same app: a definition that gives orders about their tools is suspect.
    fn siblings(&self, session: &Session) -> Vec<UpstreamId> {
        let routes = self.routes.load();
        let of_same_app = routes.values().filter(|u| u.app == session.upstream.app && u.id != session.upstream.id);
        of_same_app.map(|u| u.id.clone()).collect()
    }

    pub(crate) fn open_exchange(
        &self,
        row: &Row<'_>,
        message: &MessageSummary,
        findings: Vec<Finding>,
        started: Instant,
    ) {
        let exchange = row.exchange(Some(message), findings);
        self.keep_original(row, &exchange.id);
        let forwarded = matches!(row.judged.action, Action::Forward | Action::Replace(_));
        if let (true, Some(paired)) = (forwarded, message.as_request()) {
            // What the person must hear of does not wait for an answer that may never come.
            let reported = exchange.verdict > Verdict::Allow;
            if reported {
                self.recorder.exchange(exchange.clone());
            }
            let open = Open { paired, exchange, started, reported, asked: false, unsure: false };
            let id = message.id.clone().unwrap_or_default();
            if let Some(lost) = row.session.open(row.direction, id, open, self.judge.load().limits().max_open_requests)
            {
                self.fail(lost, "another request under the same id followed, or too many were waiting");
            }
            return;
        }
        let answer = match &row.judged.action {
            Action::Answer(answer) | Action::Refuse(answer) | Action::Split { back: answer, .. } => Some(answer),
            _ => None,
        };
        self.recorder.exchange(Exchange {
            response: answer.map(|answer| body_text(answer)),
            response_bytes: answer.map_or(0, |answer| answer.len() as u64),
            duration_us: Some(micros(started.elapsed())),
            ..exchange
        });
    }

    pub(crate) fn close_exchange(
        &self,
        row: &Row<'_>,
        message: &MessageSummary,
        findings: Vec<Finding>,
        error: Option<String>,
    ) {
        let id = message.id.as_deref().unwrap_or("null");
        let Some(open) = row.session.close(row.direction.reverse(), id) else {
            return self.recorder.exchange(row.exchange(Some(message), findings));
        };
        let mut exchange = open.exchange;
        exchange.verdict = exchange.verdict.max(row.judged.verdict);
        exchange.findings.extend(findings);
        if row.outcome != Outcome::Forwarded {
            exchange.outcome = row.outcome;
        }
        self.keep_original(row, &exchange.id);
        exchange.error = error.or(exchange.error);
        let bytes = row.bytes_of(Some(message));
        exchange.response = Some(body_text(bytes));
        exchange.response_bytes = bytes.len() as u64;
        exchange.duration_us = Some(micros(open.started.elapsed()));
        exchange.checked_us += micros(row.checked);
        self.recorder.exchange(exchange);
    }

    /// What the other side does not get to see, for whoever may keep it.
    fn keep_original(&self, row: &Row<'_>, id: &ExchangeId) {
        if row.outcome == Outcome::Redacted
            && let Some(keep) = self.originals.get()
        {
            keep(id, row.direction, row.bytes);
        }
    }

    /// A request that will get no answer.
    pub(crate) fn fail(&self, open: Open, why: &str) {
        self.recorder.exchange(open.failed(why));
    }

    /// Reports what is still open in a Session as failed.
    pub(crate) fn abandon(&self, session: &Session, why: &str) {
        session.close_all().into_iter().for_each(|open| self.fail(open, why));
    }
}

fn outcome_of(judged: &Judged) -> Outcome {
    match judged.action {
        Action::Forward => Outcome::Forwarded,
        Action::Replace(_) if judged.verdict == Verdict::Redact => Outcome::Redacted,
        _ => Outcome::Rejected,
    }
}

/// In a batch each item keeps the findings below its own index.
fn findings_of(judged: &Judged, item: usize) -> Vec<Finding> {
    let index = item.to_string();
    let mine = |f: &&Finding| judged.messages.len() == 1 || f.json_path.split('/').nth(1) == Some(&index);
    judged.findings.iter().filter(mine).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_large_messages_than_that_are_read_at_once() {
        let (turns, now, most) = (Turns::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    for _ in 0..100 {
                        let _turn = turns.wait();
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.into_inner() <= AT_ONCE);
    }
}
