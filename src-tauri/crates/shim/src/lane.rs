//! One Direction: the Messages that were read and have no Verdict yet, in order, and whether a link takes new ones.
//! A Message leaves `pending` exactly once, by the thread in `verdicts`, at the moment its Verdict is carried out.

use crate::lines::Line;
use crate::link::Stream;
use crate::pairing::Note;
use portcullis_domain::Direction;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes kept without a Verdict; then the sender waits, as it would in front of a full pipe.
pub const MAX_PENDING_BYTES: usize = 64 * 1024 * 1024;

/// What a kept Message takes beside its bytes: a flood of tiny ones must meet the limit too.
const KEPT_BYTES: usize = 512;

fn cost(line: &Line) -> usize {
    line.raw().len() + KEPT_BYTES
}

pub struct Kept {
    pub seq: u64,
    pub line: Arc<Line>,
    /// None: no link was told of it yet.
    pub sent_at: Option<Instant>,
    /// A person is being asked.
    pub held: bool,
    /// None until the reader got to it.
    pub notes: Option<Vec<Note>>,
    pub read_at: Instant,
}

struct State {
    pending: VecDeque<Kept>,
    pending_bytes: usize,
    next_seq: u64,
    /// The link that the reader may write to. None: it only keeps, and `verdicts` takes over.
    link: Option<Arc<Stream>>,
    /// The link in use, published to the reader or not.
    in_use: Option<Arc<Stream>>,
    given_up: bool,
    /// The sender closed.
    ended: bool,
    /// The receiver is gone: nothing more can be delivered.
    closed: bool,
    finished: bool,
    moved_at: Instant,
}

pub struct Lane {
    pub direction: Direction,
    state: Mutex<State>,
    changed: Condvar,
}

/// What the reader does with the Message it just kept.
pub enum Next {
    Send(u64, Arc<Stream>),
    Kept(u64),
    Stop,
}

impl Lane {
    pub fn new(direction: Direction) -> Self {
        let state = State {
            pending: VecDeque::new(),
            pending_bytes: 0,
            next_seq: 0,
            link: None,
            in_use: None,
            given_up: false,
            ended: false,
            closed: false,
            finished: false,
            moved_at: Instant::now(),
        };
        Self { direction, state: Mutex::new(state), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a Message; waits while too much is kept already.
    pub fn keep(&self, line: &Arc<Line>) -> Next {
        let mut state = self.state();
        while !state.closed && state.pending_bytes > 0 && state.pending_bytes + cost(line) > MAX_PENDING_BYTES {
            state = self.wait(state);
        }
        if state.closed {
            return Next::Stop;
        }
        let (seq, now) = (state.next_seq, Instant::now());
        let link = state.link.clone();
        state.next_seq += 1;
        state.pending_bytes += cost(line);
        state.moved_at = now;
        let sent_at = link.is_some().then_some(now);
        state.pending.push_back(Kept { seq, line: line.clone(), sent_at, held: false, notes: None, read_at: now });
        match link {
            Some(stream) => Next::Send(seq, stream),
            None => {
                self.changed.notify_all();
                Next::Kept(seq)
            }
        }
    }

    pub fn set_notes(&self, seq: u64, notes: Vec<Note>) {
        if let Some(kept) = find(&mut self.state(), seq) {
            kept.notes = Some(notes);
        }
    }

    /// Takes a Message out for its Verdict.
    pub fn take(&self, seq: u64) -> Option<Kept> {
        let mut state = self.state();
        let at = state.pending.binary_search_by_key(&seq, |kept| kept.seq).ok()?;
        let kept = state.pending.remove(at)?;
        state.pending_bytes -= cost(&kept.line);
        state.moved_at = Instant::now();
        drop(state);
        self.changed.notify_all();
        Some(kept)
    }

    pub fn hold(&self, seq: u64) -> bool {
        find(&mut self.state(), seq).map(|kept| kept.held = true).is_some()
    }

    /// The first Message that no link was told of, now marked as told.
    pub fn next_to_send(&self) -> Option<(u64, Arc<Line>)> {
        let mut state = self.state();
        let kept = state.pending.iter_mut().find(|kept| kept.sent_at.is_none())?;
        kept.sent_at = Some(Instant::now());
        Some((kept.seq, kept.line.clone()))
    }

    /// Lets the reader write to the link itself, unless it has kept something meanwhile.
    pub fn publish(&self, stream: &Arc<Stream>) -> bool {
        let mut state = self.state();
        let nothing_unsent = state.pending.iter().all(|kept| kept.sent_at.is_some());
        if nothing_unsent {
            state.link = Some(stream.clone());
        }
        nothing_unsent
    }

    pub fn use_link(&self, stream: Option<&Arc<Stream>>) {
        let mut state = self.state();
        state.link = None;
        state.in_use = stream.cloned();
    }

    /// The oldest Message, waiting for one without a link; None when the Direction is over.
    pub fn wait_for_one(&self) -> Option<u64> {
        let mut state = self.state();
        loop {
            match state.pending.front() {
                Some(kept) => return Some(kept.seq),
                None if state.ended || state.closed => return None,
                None => state = self.wait(state),
            }
        }
    }

    /// The oldest Message that a link was told of: after the link broke it is judged again, before anything newer.
    pub fn first_sent(&self) -> Option<u64> {
        self.state().pending.iter().find(|kept| kept.sent_at.is_some()).map(|kept| kept.seq)
    }

    /// Waits until there is a Message to send (only where the link is not full duplex); false when it is over.
    pub fn wait_for_unsent(&self) -> bool {
        let mut state = self.state();
        loop {
            if state.pending.iter().any(|kept| kept.sent_at.is_none()) {
                return true;
            }
            if state.closed || (state.ended && state.pending.is_empty()) {
                return false;
            }
            state = self.wait(state);
        }
    }

    /// The sender closed; wakes whoever waits for its next Message.
    pub fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        if let (true, Some(link)) = (state.pending.is_empty(), &state.link) {
            crate::link::wake(link);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// The receiver is gone: what is pending cannot be delivered.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.pending.clear();
        state.pending_bytes = 0;
        drop(state);
        self.changed.notify_all();
    }

    pub fn is_over(&self) -> bool {
        let state = self.state();
        state.closed || (state.ended && state.pending.is_empty())
    }

    pub fn finish(&self) {
        self.state().finished = true;
        self.changed.notify_all();
    }

    /// Whether the Direction is finished, waiting at most `patience` for it.
    pub fn wait_finished(&self, patience: Duration) -> bool {
        let state = self.state();
        let wait = self.changed.wait_timeout_while(state, patience, |state| !state.finished);
        wait.map_or_else(|poisoned| poisoned.into_inner().0.finished, |(state, _)| state.finished)
    }

    /// Nothing is under way and nothing moved for so long.
    pub fn is_idle_since(&self, duration: Duration) -> bool {
        let state = self.state();
        state.pending.is_empty() && state.moved_at.elapsed() >= duration
    }

    /// How long the oldest Message has waited for the daemon's Verdict, those aside that a person is asked about.
    pub fn longest_wait(&self) -> Option<Duration> {
        let state = self.state();
        state.in_use.as_ref()?;
        state.pending.iter().filter(|kept| !kept.held).find_map(|kept| kept.sent_at).map(|sent| sent.elapsed())
    }

    /// The daemon gives no Verdicts: breaks the link in use, whoever reads or writes there.
    pub fn give_link_up(&self) {
        let mut state = self.state();
        if let Some(stream) = state.in_use.take() {
            crate::link::abandon(&stream);
            state.given_up = true;
        }
    }

    /// Whether the link that just ended was given up.
    pub fn take_given_up(&self) -> bool {
        std::mem::take(&mut self.state().given_up)
    }
}

fn find(state: &mut State, seq: u64) -> Option<&mut Kept> {
    let at = state.pending.binary_search_by_key(&seq, |kept| kept.seq).ok()?;
    state.pending.get_mut(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::{Input, Lines};

    #[test]
    fn a_flood_of_tiny_messages_meets_the_limit() {
        let lane = Arc::new(Lane::new(Direction::ToClient));
        let Ok(Some(Input::Line(line))) = Lines::new(&b"{}\n"[..], 100).next() else { panic!("a line") };
        let line = Arc::new(line);
        let fits = MAX_PENDING_BYTES / KEPT_BYTES;
        let keeping = std::thread::spawn({
            let lane = lane.clone();
            move || (0..fits + 1).all(|_| !matches!(lane.keep(&line), Next::Stop))
        });
        // Whoever keeps the last one waits until the lane closes, and then it is not kept.
        while lane.state().pending.len() < fits - fits / 100 {
            std::thread::yield_now();
        }
        lane.close();
        assert!(!keeping.join().unwrap());
    }
}
