//! Hop 3: a Session pairs responses with requests by raw id token, in both directions (each side numbers on its own).

use crate::Inner;
use crate::noise::Noise;
use crate::record::{MAX_TARGET_BYTES, Recorder, micros};
use portcullis_domain::json::decode;
use portcullis_domain::{Direction, Exchange, Outcome, SessionId, Transport, Upstream, UpstreamId};
use portcullis_policy::PairedRequest;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const IDLE: Duration = Duration::from_secs(30 * 60);
/// Kept at once. A server or a program that makes up ids without end pushes out what was used longest ago.
const MAX_SESSIONS: usize = 4096;

pub(crate) struct Session {
    pub id: SessionId,
    pub upstream: Arc<Upstream>,
    pub transport: Transport,
    state: Mutex<State>,
    recorder: Recorder,
    /// Whole Messages for the app (stdio: the link connection towards it), while it is there.
    to_client: Mutex<Option<mpsc::UnboundedSender<Vec<u8>>>>,
}

/// Whoever held it last is gone, so nothing can answer any more: no request leaves without its row.
impl Drop for Session {
    fn drop(&mut self) {
        for open in self.close_all() {
            self.recorder.exchange(open.failed("the connection ended before an answer came"));
        }
        self.untold_noise().into_iter().for_each(|row| self.recorder.exchange(row));
    }
}

struct State {
    open: HashMap<(Direction, String), Open>,
    used: Instant,
    noise: Option<Noise>,
}

/// A request that was forwarded and not answered yet.
pub(crate) struct Open {
    pub paired: PairedRequest,
    pub exchange: Exchange,
    pub started: Instant,
    /// Already shown as waiting.
    pub reported: bool,
    /// A person is being asked about its answer.
    pub asked: bool,
    /// Another request under the same id waited when it came: which of them an answer is for cannot be told.
    pub unsure: bool,
}

impl Open {
    /// The row of a request that will get no answer.
    pub fn failed(self, why: &str) -> Exchange {
        let duration_us = Some(micros(self.started.elapsed()));
        Exchange { outcome: Outcome::Failed, error: Some(why.to_owned()), duration_us, ..self.exchange }
    }
}

impl State {
    /// The open request that an id token means. Apps take `"1"`, `1.0` and `"\u0031"` for their own `1`, so we must too.
    fn key(&self, direction: Direction, id: &str) -> Option<(Direction, String)> {
        let exact = (direction, id.to_owned());
        if self.open.contains_key(&exact) {
            return Some(exact);
        }
        self.open.keys().find(|(sent, open)| *sent == direction && same_id(open, id)).cloned()
    }
}

/// Whether two id tokens mean the same request.
pub(crate) fn same_id(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let (a, b) = (meaning(a), meaning(b));
    a == b || as_number(&a).is_some_and(|number| as_number(&b) == Some(number))
}

/// What an id token says, without the quotes and escapes of a string.
fn meaning(id: &str) -> Cow<'_, str> {
    let inside = id.strip_prefix('"').and_then(|id| id.strip_suffix('"'));
    inside.map_or(Cow::Borrowed(id), |inside| decode(inside.as_bytes()))
}

/// What JavaScript's `Number()` makes of an id.
fn as_number(id: &str) -> Option<f64> {
    let text = id.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

impl Session {
    pub fn new(id: SessionId, upstream: Arc<Upstream>, transport: Transport, recorder: &Recorder) -> Arc<Self> {
        let state = Mutex::new(State { open: HashMap::new(), used: Instant::now(), noise: None });
        Arc::new(Self { id, upstream, transport, state, recorder: recorder.clone(), to_client: Mutex::default() })
    }
    /// Traffic of this Session that opens and closes nothing here (stateless requests pair on their own).
    pub fn touch(&self) {
        self.state().used = Instant::now();
    }
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on `inject` reaches the app through this receiver.
    pub fn receive_injected(&self) -> mpsc::UnboundedReceiver<Vec<u8>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        *self.to_client.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        receiver
    }
    /// An extra Message for the app. Lost where nobody takes it: it is never one that is waited for.
    pub fn inject(&self, message: Vec<u8>) {
        let to_client = self.to_client.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = to_client.as_ref().map(|sender| sender.send(message));
    }

    /// The request with this id that went in `direction`.
    pub fn paired(&self, direction: Direction, id: &str) -> Option<PairedRequest> {
        let state = self.state();
        let key = state.key(direction, id)?;
        state.open.get(&key).filter(|open| !open.unsure).map(|open| open.paired.clone())
    }

    /// Whether the Upstream owes an answer: to one of these requests, or to any.
    pub fn owes(&self, ids: Option<&[String]>) -> bool {
        let state = self.state();
        match ids {
            Some(ids) => ids.iter().any(|id| state.key(Direction::ToUpstream, id).is_some()),
            None => state.open.keys().any(|(direction, _)| *direction == Direction::ToUpstream),
        }
    }

    /// Whether this is the first answer to a request that a person is asked about: a server that gives it many must not
    /// fill the list of questions.
    pub fn asks_once(&self, direction: Direction, id: &str) -> bool {
        let mut state = self.state();
        let key = state.key(direction.reverse(), id);
        let open = key.and_then(|key| state.open.get_mut(&key)).filter(|_| direction == Direction::ToClient);
        open.is_none_or(|open| !std::mem::replace(&mut open.asked, true))
    }

    /// Remembers a request. Returns what it pushed out: an older request under the same id, or the oldest of too many.
    pub fn open(&self, direction: Direction, id: String, mut open: Open, most: usize) -> Option<Open> {
        let mut state = self.state();
        state.used = Instant::now();
        // A server could fill the memory with addresses. None, and not its beginning: that could be another one's name.
        open.paired.target = open.paired.target.filter(|target| target.len() <= MAX_TARGET_BYTES);
        let key = (direction, id);
        // A server that gives two apps one session could have the one's answer read as the other's.
        let other = state.open.get(&key);
        open.unsure = other.is_some_and(|other| other.unsure || other.paired.method != open.paired.method);
        let lost = state.open.insert(key, open);
        if lost.is_some() || state.open.len() <= most {
            return lost;
        }
        let oldest = state.open.iter().min_by_key(|(_, open)| open.started).map(|(key, _)| key.clone())?;
        state.open.remove(&oldest)
    }

    pub fn close(&self, direction: Direction, id: &str) -> Option<Open> {
        let mut state = self.state();
        state.used = Instant::now();
        let key = state.key(direction, id)?;
        state.open.remove(&key)
    }

    /// Counts a line of text that is no Message; the first one of the Session comes back as the row to tell of.
    pub fn noise(&self, row: Exchange) -> Option<Exchange> {
        let mut state = self.state();
        state.used = Instant::now();
        if let Some(noise) = &mut state.noise {
            noise.count(row.request_bytes);
            return None;
        }
        state.noise = Some(Noise::new(row.clone()));
        Some(row)
    }

    fn untold_noise(&self) -> Option<Exchange> {
        self.state().noise.as_mut().and_then(Noise::row)
    }

    pub fn close_all(&self) -> Vec<Open> {
        self.state().open.drain().map(|(_, open)| open).collect()
    }

    /// Exchanges that wait longer than `patience` and were not reported yet.
    fn waiting(&self, patience: Duration) -> Vec<Exchange> {
        let mut state = self.state();
        let late = state.open.values_mut().filter(|open| !open.reported && open.started.elapsed() > patience);
        late.map(|open| {
            open.reported = true;
            open.exchange.clone()
        })
        .collect()
    }

    fn used(&self) -> Instant {
        self.state().used
    }
    fn is_idle(&self) -> bool {
        self.used().elapsed() > IDLE
    }
}

/// The Sessions that outlive one HTTP request or one link connection.
#[derive(Default)]
pub(crate) struct Sessions {
    by_key: Mutex<HashMap<Key, Arc<Session>>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// Upstream and its `Mcp-Session-Id`: never by session id alone.
    Http(UpstreamId, String),
    /// Stateless traffic of an Upstream shares an id; each POST pairs on its own.
    Stateless(UpstreamId),
    /// A shim's random session key.
    Link(UpstreamId, String),
}

impl Sessions {
    fn map(&self) -> MutexGuard<'_, HashMap<Key, Arc<Session>>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub fn get_or_insert(&self, key: Key, make: impl FnOnce() -> Arc<Session>) -> Arc<Session> {
        let mut sessions = self.map();
        if sessions.len() >= MAX_SESSIONS && !sessions.contains_key(&key) {
            let oldest = sessions.iter().min_by_key(|(_, session)| session.used()).map(|(key, _)| key.clone());
            oldest.into_iter().for_each(|oldest| drop(sessions.remove(&oldest)));
        }
        sessions.entry(key).or_insert_with(make).clone()
    }
    pub fn remove(&self, key: &Key) -> Option<Arc<Session>> {
        self.map().remove(key)
    }
}

impl Inner {
    pub(crate) fn sweep(&self) {
        let sessions: Vec<(Key, Arc<Session>)> =
            self.sessions.map().iter().map(|(key, session)| (key.clone(), session.clone())).collect();
        for (key, session) in sessions {
            for exchange in session.waiting(Duration::from_secs(1)) {
                self.recorder.exchange(exchange);
            }
            session.untold_noise().into_iter().for_each(|row| self.recorder.exchange(row));
            // Two owners: the map and this loop. A stream that is still open is a third.
            if session.is_idle() && Arc::strong_count(&session) <= 2 {
                self.sessions.remove(&key);
                self.abandon(&session, "no answer came within 30 minutes");
            }
        }
    }
}

#[cfg(test)]
mod tests;
