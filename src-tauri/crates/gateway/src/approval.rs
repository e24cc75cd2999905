//! Questions that wait for a person: who waits, until when, what was answered. A Message whose app gave up, or whose
//! connection is gone, voids its question; an answer that comes too late is remembered by the daemon for the retry, and
//! never sends the old Message. Knows neither a window nor a database: whoever shows questions is told through `Hooks`.

use crate::record::random;
use crate::session::same_id;
use portcullis_domain::api::AskState;
use portcullis_domain::{AskId, Direction, Finding, SessionId, Transport, UnixMs, Upstream};
use portcullis_policy::Question;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

/// Questions that wait at once; beyond it a Message is denied as if nobody were there.
const MAX_WAITING: usize = 256;
const MAX_RECENT: usize = 100;
/// How long a question that nobody answered can still be answered for the retry.
const LATE: Duration = Duration::from_secs(30 * 60);
/// Of the Message that is kept to be shown.
const MAX_SHOWN_BYTES: usize = 256 * 1024;

/// How the rest of the program takes part.
pub struct Hooks {
    /// Whether somebody could see a question now.
    pub attended: Box<dyn Fn() -> bool + Send + Sync>,
    pub patience: Box<dyn Fn(&Upstream) -> Patience + Send + Sync>,
    /// Must return at once.
    pub tell: Box<dyn Fn(AskEvent) + Send + Sync>,
}

/// How long one question may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    pub first: Duration,
    /// While the person is looking at it: as long as its app waits at all.
    pub most: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskEvent {
    Asked(AskId),
    Over(AskId, AskState),
}

/// What is asked about.
pub struct Asked {
    pub id: AskId,
    pub at: UnixMs,
    pub upstream: Arc<Upstream>,
    pub session: SessionId,
    pub transport: Transport,
    pub question: Question,
    pub findings: Vec<Finding>,
    /// The exact bytes, cut at 256 KiB.
    pub message: Vec<u8>,
    pub message_bytes: usize,
}

#[derive(Clone)]
pub struct AskView {
    pub asked: Arc<Asked>,
    pub state: AskState,
    pub deadline_at: UnixMs,
    /// How far the deadline can be moved, once; not after `deadline_at`: it cannot.
    pub most_at: UnixMs,
    pub extended: bool,
    pub held: usize,
}

/// What the person said, as far as a held Message needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Allow,
    Redact,
    Deny,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolution {
    Answered(Answer),
    TimedOut,
    Unattended,
    Stopping,
    /// The app took the call back.
    Cancelled,
}

/// Why an answer was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    Unknown,
    /// The app gave up: there is nothing to allow any more.
    Void,
    AlreadyAnswered,
}

pub struct Approvals {
    state: Mutex<State>,
    hooks: Hooks,
}

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    recent: VecDeque<(AskView, Instant)>,
    next_waiter: u64,
}

struct Waiting {
    view: AskView,
    key: String,
    waiters: Vec<Waiter>,
}

struct Waiter {
    number: u64,
    session: SessionId,
    /// Raw id token of the request.
    id: String,
    direction: Direction,
    answer: oneshot::Sender<Resolution>,
    deadline: watch::Sender<Instant>,
    most: Instant,
}

impl State {
    /// The question is over for everybody.
    fn retire(&mut self, at: usize, state: AskState) -> Waiting {
        let mut over = self.waiting.remove(at);
        over.view.state = state;
        over.view.held = 0;
        self.remember(over.view.clone());
        over
    }
    fn remember(&mut self, view: AskView) {
        self.recent.push_front((view, Instant::now()));
        self.recent.truncate(MAX_RECENT);
    }
}

impl Approvals {
    pub fn new(hooks: Hooks) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), hooks })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No step between lock and unlock can leave half an entry behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waiting ones by deadline, then those that are over, newest first.
    pub fn list(&self) -> (Vec<AskView>, Vec<AskView>) {
        let state = self.state();
        let mut waiting: Vec<AskView> = state.waiting.iter().map(|w| w.view.clone()).collect();
        waiting.sort_by_key(|view| view.deadline_at);
        (waiting, state.recent.iter().map(|(view, _)| view.clone()).collect())
    }

    pub fn find(&self, id: &AskId) -> Option<AskView> {
        let (waiting, recent) = self.list();
        waiting.into_iter().chain(recent).find(|view| view.asked.id == *id)
    }

    pub fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// Asks, or joins an equal question that waits already.
    pub(crate) fn ask(self: &Arc<Self>, about: Asked, request_id: String) -> Ticket {
        let patience = (self.hooks.patience)(&about.upstream);
        let after = |wait: Duration| about.at + i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2);
        let (deadline_at, most_at) = (after(patience.first), after(patience.most));
        let (now, (sender, receiver)) = (Instant::now(), oneshot::channel());
        let (deadline, until) = watch::channel(now + patience.first);
        let most = now + patience.most;
        let key = format!("{} {} {}", about.upstream.app, about.upstream.id, about.question.key());
        let attended = (self.hooks.attended)();
        let mut state = self.state();
        let number = state.next_waiter;
        state.next_waiter += 1;
        let (session, direction) = (about.session.clone(), about.question.direction);
        let waiter = Waiter { number, session, id: request_id, direction, answer: sender, deadline, most };
        let ticket = |id: AskId| Ticket { approvals: self.clone(), id, number, receiver, until, over: false };
        if let Some(equal) = state.waiting.iter_mut().find(|waiting| waiting.key == key) {
            equal.waiters.push(waiter);
            equal.view.held = equal.waiters.len();
            equal.view.deadline_at = equal.view.deadline_at.max(deadline_at);
            equal.view.most_at = equal.view.most_at.max(most_at);
            let id = equal.view.asked.id.clone();
            drop(state);
            (self.hooks.tell)(AskEvent::Asked(id.clone()));
            return ticket(id);
        }
        let id = about.id.clone();
        let mut view = AskView {
            asked: Arc::new(about),
            state: AskState::Waiting,
            deadline_at,
            most_at,
            extended: false,
            held: 1,
        };
        if attended && state.waiting.len() < MAX_WAITING {
            state.waiting.push(Waiting { view, key, waiters: vec![waiter] });
        } else {
            (view.state, view.held, view.deadline_at) = (AskState::Unattended, 0, view.asked.at);
            // Asked again by the retry of the same call: one entry, the newest.
            let same = |old: &AskView| {
                old.state == AskState::Unattended
                    && old.asked.upstream.id == view.asked.upstream.id
                    && old.asked.question.key() == view.asked.question.key()
            };
            state.recent.retain(|(old, _)| !same(old));
            state.remember(view);
            let _ = waiter.answer.send(Resolution::Unattended);
        }
        drop(state);
        (self.hooks.tell)(AskEvent::Asked(id.clone()));
        ticket(id)
    }

    /// The person is looking at it: the deadline moves to what the app can bear, once.
    pub fn extend(&self, id: &AskId) -> Result<AskView, NotTaken> {
        let mut state = self.state();
        let Some(waiting) = state.waiting.iter_mut().find(|waiting| waiting.view.asked.id == *id) else {
            let known = state.recent.iter().any(|(view, _)| view.asked.id == *id);
            return Err(if known { NotTaken::Void } else { NotTaken::Unknown });
        };
        if !waiting.view.extended && waiting.view.most_at > waiting.view.deadline_at {
            waiting.view.extended = true;
            waiting.view.deadline_at = waiting.view.most_at;
            for waiter in &waiting.waiters {
                // Whoever has just gone does not wait any longer.
                waiter.deadline.send_if_modified(|until| {
                    let later = waiter.most > *until;
                    *until = waiter.most.max(*until);
                    later
                });
            }
        }
        let view = waiting.view.clone();
        drop(state);
        (self.hooks.tell)(AskEvent::Asked(id.clone()));
        Ok(view)
    }

    /// Answers everybody who waits. True: too late, the call is gone; the caller remembers the answer for the retry.
    pub fn answer(&self, id: &AskId, answer: Answer) -> Result<bool, NotTaken> {
        let over = match answer {
            Answer::Allow => AskState::Allowed,
            Answer::Redact => AskState::Redacted,
            Answer::Deny => AskState::Denied,
        };
        let mut state = self.state();
        let late = match state.waiting.iter().position(|waiting| waiting.view.asked.id == *id) {
            Some(at) => {
                let waiting = state.retire(at, over);
                for waiter in waiting.waiters {
                    // Whoever is gone meanwhile sends nothing.
                    let _ = waiter.answer.send(Resolution::Answered(answer));
                }
                false
            }
            None => {
                let recent = state.recent.iter_mut().find(|(view, _)| view.asked.id == *id);
                let (view, since) = recent.ok_or(NotTaken::Unknown)?;
                match view.state {
                    AskState::TimedOut | AskState::Unattended | AskState::Stopped if since.elapsed() < LATE => {}
                    AskState::TimedOut | AskState::Unattended | AskState::Stopped => return Err(NotTaken::Unknown),
                    AskState::Cancelled | AskState::Disconnected => return Err(NotTaken::Void),
                    _ => return Err(NotTaken::AlreadyAnswered),
                }
                view.state = over;
                true
            }
        };
        drop(state);
        (self.hooks.tell)(AskEvent::Over(id.clone(), over));
        Ok(late)
    }

    /// The app took a request back. True: it was held and never reached the server.
    pub(crate) fn cancel(&self, session: &SessionId, request_id: &str) -> bool {
        let mut state = self.state();
        let mut unsent = false;
        let mut over = Vec::new();
        for at in (0..state.waiting.len()).rev() {
            let waiters = &mut state.waiting[at].waiters;
            while let Some(gone) = waiters.iter().position(|w| w.session == *session && same_id(&w.id, request_id)) {
                let waiter = waiters.remove(gone);
                unsent |= waiter.direction == Direction::ToUpstream;
                let _ = waiter.answer.send(Resolution::Cancelled);
            }
            if waiters.is_empty() {
                over.push(state.retire(at, AskState::Cancelled).view.asked.id.clone());
            } else {
                state.waiting[at].view.held = state.waiting[at].waiters.len();
            }
        }
        drop(state);
        over.into_iter().for_each(|id| (self.hooks.tell)(AskEvent::Over(id, AskState::Cancelled)));
        unsent
    }

    /// One of those who wait goes. False: it was answered just before.
    fn leave(&self, id: &AskId, number: u64, why: AskState) -> bool {
        let mut state = self.state();
        let Some(at) = state.waiting.iter().position(|waiting| waiting.view.asked.id == *id) else { return false };
        let waiters = &mut state.waiting[at].waiters;
        let Some(mine) = waiters.iter().position(|waiter| waiter.number == number) else { return false };
        waiters.remove(mine);
        let last = waiters.is_empty();
        if last {
            state.retire(at, why);
        } else {
            state.waiting[at].view.held = state.waiting[at].waiters.len();
        }
        drop(state);
        if last {
            (self.hooks.tell)(AskEvent::Over(id.clone(), why));
        }
        true
    }
}

impl Asked {
    pub(crate) fn new(
        at: UnixMs,
        session: &crate::session::Session,
        question: Question,
        findings: Vec<Finding>,
        message: &[u8],
    ) -> Self {
        Self {
            id: AskId::from_random(random()),
            at,
            upstream: session.upstream.clone(),
            session: session.id.clone(),
            transport: session.transport,
            question,
            findings,
            message: message[..message.len().min(MAX_SHOWN_BYTES)].to_vec(),
            message_bytes: message.len(),
        }
    }
}

/// One held Message's place. Dropping it before it is over voids the question: the app or the server is gone.
pub(crate) struct Ticket {
    approvals: Arc<Approvals>,
    id: AskId,
    number: u64,
    receiver: oneshot::Receiver<Resolution>,
    until: watch::Receiver<Instant>,
    over: bool,
}

impl Ticket {
    pub async fn wait(&mut self, stopping: impl Future<Output = ()>) -> Resolution {
        let given_up = tokio::select! {
            biased;
            answer = &mut self.receiver => {
                self.over = true;
                return answer.unwrap_or(Resolution::Stopping);
            }
            () = stopping => (AskState::Stopped, Resolution::Stopping),
            () = passed(&mut self.until) => (AskState::TimedOut, Resolution::TimedOut),
        };
        self.over = true;
        if self.approvals.leave(&self.id, self.number, given_up.0) {
            return given_up.1;
        }
        // Answered in the same instant: the answer is on its way.
        self.receiver.try_recv().unwrap_or(given_up.1)
    }
}

/// Ends when the deadline has passed, wherever it was moved meanwhile.
async fn passed(until: &mut watch::Receiver<Instant>) {
    loop {
        let deadline = *until.borrow_and_update();
        tokio::select! {
            () = tokio::time::sleep_until(deadline) => return,
            moved = until.changed() => if moved.is_err() {
                // Nobody can move it any more.
                return tokio::time::sleep_until(deadline).await;
            },
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.over {
            self.approvals.leave(&self.id, self.number, AskState::Disconnected);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_ends_at_the_deadline_as_it_was_moved_last() {
        let far = Duration::from_secs(3600);
        let (deadline, mut until) = watch::channel(Instant::now() + far);
        let mut waits = Box::pin(passed(&mut until));
        tokio::select! {
            biased;
            () = &mut waits => panic!("an hour has not passed"),
            () = std::future::ready(()) => {}
        }
        deadline.send_replace(Instant::now());
        waits.await;
        let (deadline, mut until) = watch::channel(Instant::now());
        drop(deadline);
        passed(&mut until).await;
    }
}
