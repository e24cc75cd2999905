//! A doubtful Message between its Verdict and its fate: held, answered, judged once more, then sent or declined. Judged
//! once more because while it waited a definition may have changed, a Decision been made, or a Signature switched.

use crate::Inner;
use crate::approval::{Answer, Asked, Resolution, Ticket};
use crate::record::{Row, body_text, micros};
use crate::session::Session;
use portcullis_domain::{Direction, Exchange, Outcome, Verdict};
use portcullis_policy::{Action, Declined, Judged, Mirror, Question, declined};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) struct Held {
    inner: Arc<Inner>,
    session: Arc<Session>,
    direction: Direction,
    bytes: Vec<u8>,
    mirrors: Vec<Mirror>,
    judged: Option<Judged>,
    pub question: Question,
    ticket: Ticket,
    now: i64,
    started: Instant,
    checked: Duration,
}

impl Held {
    pub fn new(
        inner: &Arc<Inner>,
        session: &Arc<Session>,
        direction: Direction,
        (bytes, mirrors): (&[u8], &[Mirror]),
        judged: Judged,
        question: Question,
        (now, started): (i64, Instant),
    ) -> Box<Self> {
        let asked = Asked::new(now, session, question.clone(), judged.findings.clone(), bytes);
        let ticket = inner.approvals.ask(asked, question.id.clone());
        let (inner, session, bytes, mirrors) = (inner.clone(), session.clone(), bytes.to_vec(), mirrors.to_vec());
        let (judged, checked) = (Some(judged), started.elapsed());
        Box::new(Self { inner, session, direction, bytes, mirrors, judged, question, ticket, now, started, checked })
    }

    /// Waits for the person, then says what becomes of the Message; the row is handed over.
    pub async fn settled(mut self: Box<Self>) -> Judged {
        let stop = self.inner.stop.clone();
        let resolution = self.ticket.wait(stop.cancelled_owned()).await;
        let Some(mut judged) = self.judged.take() else { unreachable!("a held Message is settled once") };
        let decline = |why| declined(&self.question, why, &judged.findings);
        let (action, outcome, error) = match resolution {
            Resolution::Answered(answer @ (Answer::Allow | Answer::Redact)) => match self.again(answer) {
                Ok((action, outcome)) => (action, outcome, None),
                Err(why) => (decline(Declined::ByPerson), Outcome::Rejected, Some(why)),
            },
            Resolution::Answered(Answer::Deny) => {
                (decline(Declined::ByPerson), Outcome::Rejected, Some("the person denied it"))
            }
            Resolution::TimedOut => (decline(Declined::TimedOut), Outcome::Rejected, Some("nobody answered in time")),
            Resolution::Unattended => (
                decline(Declined::Unattended),
                Outcome::Rejected,
                Some("nobody could see the question, so it was denied at once"),
            ),
            Resolution::Stopping => {
                (decline(Declined::Stopping), Outcome::Rejected, Some("Portcullis stopped before it was answered"))
            }
            Resolution::Cancelled => (Action::Drop, Outcome::Rejected, Some("the app took it back while it waited")),
        };
        judged.action = action;
        judged.verdict = Verdict::Ask;
        self.record(&judged, outcome, error);
        judged
    }

    /// What is true now: the same question may go on as answered, anything else is judged by what it has become.
    fn again(&self, answer: Answer) -> Result<(Action, Outcome), &'static str> {
        let (judged, _) = self.inner.judge_now(&self.session, self.direction, &self.bytes, &self.mirrors);
        match (judged.ask, judged.action) {
            (Some(now), _) if now.key() == self.question.key() && now.definition == self.question.definition => {
                match answer {
                    Answer::Redact => {
                        let bytes = now.redacted.ok_or("what was found can no longer be replaced")?;
                        Ok((Action::Replace(bytes), Outcome::Redacted))
                    }
                    _ => Ok((Action::Forward, Outcome::Forwarded)),
                }
            }
            (Some(_), _) => Err("what was asked about changed while it waited"),
            // A Decision made with the answer, or a Monitor or pause since.
            (None, Action::Forward) if answer == Answer::Allow => Ok((Action::Forward, Outcome::Forwarded)),
            (None, Action::Replace(bytes)) if judged.verdict == Verdict::Redact => {
                Ok((Action::Replace(bytes), Outcome::Redacted))
            }
            (None, _) => Err("it was blocked by what changed while it waited"),
        }
    }

    fn record(&self, judged: &Judged, outcome: Outcome, error: Option<&str>) {
        let (session, direction) = (&self.session, self.direction);
        let row = Row { session, direction, bytes: &self.bytes, judged, now: self.now, checked: self.checked, outcome };
        self.inner.hand_over(&row, self.started, error);
    }
}

/// The app or the server went away while it waited: nothing is sent, and the log says so.
impl Drop for Held {
    fn drop(&mut self) {
        if let Some(mut judged) = self.judged.take() {
            judged.action = Action::Drop;
            self.record(&judged, Outcome::Rejected, Some("the connection closed while it waited"));
        }
    }
}

impl Inner {
    /// The row of a Message whose fate is known.
    pub(crate) fn hand_over(&self, row: &Row<'_>, started: Instant, error: Option<&str>) {
        let Some(message) = row.judged.messages.first() else { return };
        let findings = row.judged.findings.clone();
        let error = error.map(str::to_owned);
        if row.direction == Direction::ToClient {
            return self.close_exchange(row, message, findings, error);
        }
        if matches!(row.judged.action, Action::Forward | Action::Replace(_)) {
            return self.open_exchange(row, message, findings, started);
        }
        let answer = match &row.judged.action {
            Action::Answer(answer) => Some(answer),
            _ => None,
        };
        self.recorder.exchange(Exchange {
            response: answer.map(|answer| body_text(answer)),
            response_bytes: answer.map_or(0, |answer| answer.len() as u64),
            duration_us: Some(micros(started.elapsed())),
            error,
            ..row.exchange(Some(message), findings)
        });
    }
}
