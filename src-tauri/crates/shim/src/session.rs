//! What the threads of one shim share.

use crate::args::Run;
use crate::home::Home;
use crate::lane::Lane;
use crate::lines::LongLine;
use crate::local::Local;
use crate::pairing::{Note, Outstanding};
use crate::sink::Sink;
use crate::starter::Starter;
use crate::watchdog::Watchdog;
use portcullis_domain::link::{self, Closed, Hello};
use portcullis_domain::{Direction, Limits, SessionId, UnixMs, UpstreamId};
use portcullis_policy::PairedRequest;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

pub struct Session {
    pub home: Home,
    pub upstream: UpstreamId,
    /// Joins the two connections of this shim.
    pub key: SessionId,
    pub limits: Limits,
    pub client: Sink,
    pub server: Sink,
    pub watchdog: Watchdog,
    argv_digest: String,
    lanes: [Lane; 2],
    outstanding: Mutex<Outstanding>,
    /// Built when the daemon is away, from the snapshot it left.
    local: Mutex<Option<Arc<Local>>>,
    away: AtomicBool,
    starter: Arc<Starter>,
}

pub fn now_ms() -> UnixMs {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as UnixMs)
}

pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() {
        // Ids must differ, they need not be secret: time and pid do for a kernel without random numbers.
        let seed = [&now_ms().to_le_bytes()[..], &std::process::id().to_le_bytes()].concat();
        bytes.iter_mut().zip(Sha256::digest(seed)).for_each(|(byte, random)| *byte = random);
    }
    bytes
}

pub fn hex_digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut digest = Sha256::new();
    parts.into_iter().for_each(|part| digest.update(part));
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn argv_digest(run: &Run) -> String {
    // Each argument ends with NUL, which no argument can hold, so ["a b"] and ["a", "b"] differ.
    hex_digest(run.argv.iter().flat_map(|arg| [arg.as_encoded_bytes(), b"\0"]))
}

fn first_hello(upstream: &UpstreamId, key: &SessionId, direction: Direction, argv_digest: String) -> Hello {
    Hello {
        version: link::VERSION,
        upstream: upstream.to_string(),
        session: key.to_string(),
        direction,
        pid: std::process::id(),
        ancestry: crate::ancestry::ancestry(),
        argv_digest,
        shim_version: env!("CARGO_PKG_VERSION").into(),
        pending: Vec::new(),
        at: now_ms(),
    }
}

/// There is no server, so there is no Session; the daemon is told why, if it is there.
pub fn tell_not_started(home: &Home, run: &Run, why: &str) {
    let (upstream, key) = (UpstreamId::new(run.id.clone()), SessionId::from_random(random()));
    let hello = first_hello(&upstream, &key, Direction::ToClient, argv_digest(run));
    let closed = Closed { reason: "the server was not started".into(), failure: Some(why.to_owned()) };
    // What is not told is on stderr.
    let _ = crate::link::tell(home, &hello, &closed);
}

impl Session {
    pub fn new(home: Home, run: &Run, client: File, server: File) -> Self {
        let limits = crate::local::limits(&home);
        Self {
            home,
            upstream: UpstreamId::new(run.id.clone()),
            key: SessionId::from_random(random()),
            limits,
            client: Sink::new(client),
            server: Sink::new(server),
            watchdog: Watchdog::default(),
            argv_digest: argv_digest(run),
            lanes: [Lane::new(Direction::ToUpstream), Lane::new(Direction::ToClient)],
            outstanding: Mutex::default(),
            local: Mutex::default(),
            away: AtomicBool::new(false),
            starter: Arc::default(),
        }
    }

    /// The daemon shows it, if it is there; the app sees the exit status as always. On a link of its own: the two others
    /// may be over before the daemon has said a word.
    pub fn tell_failure(&self, why: String) {
        let closed = Closed { reason: "the server ended".into(), failure: Some(why) };
        let _ = crate::link::tell(&self.home, &self.hello(Direction::ToClient), &closed);
    }

    pub fn lane(&self, direction: Direction) -> &Lane {
        &self.lanes[direction as usize]
    }

    /// Where Messages of this Direction are written.
    pub fn receiver(&self, direction: Direction) -> &Sink {
        match direction {
            Direction::ToUpstream => &self.server,
            Direction::ToClient => &self.client,
        }
    }

    /// Where Messages of this Direction come from: answers go back there.
    pub fn sender(&self, direction: Direction) -> &Sink {
        self.receiver(direction.reverse())
    }

    fn outstanding(&self) -> MutexGuard<'_, Outstanding> {
        self.outstanding.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub fn forwarded(&self, direction: Direction, notes: Vec<Note>) {
        self.outstanding().forwarded(direction, notes);
    }
    pub fn withheld(&self, direction: Direction, notes: Vec<Note>) {
        self.outstanding().withheld(direction, notes);
    }
    pub fn paired(&self, direction: Direction, id: &str) -> Option<PairedRequest> {
        self.outstanding().paired(direction, id)
    }

    pub fn hello(&self, direction: Direction) -> Hello {
        let pending = self.outstanding().list();
        Hello { pending, ..first_hello(&self.upstream, &self.key, direction, self.argv_digest.clone()) }
    }

    pub fn local(&self) -> Arc<Local> {
        let mut local = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        local.get_or_insert_with(|| Arc::new(Local::load(&self.home, &self.upstream, &self.key, self.limits))).clone()
    }

    fn local_if_any(&self) -> Option<Arc<Local>> {
        self.local.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells the person once, however often both Directions notice.
    pub fn daemon_is_away(&self, why: &str) {
        if !self.away.swap(true, Ordering::Relaxed) {
            crate::say(&format!("{why}; this process checks the messages until the daemon is back"));
        }
    }

    /// Nobody answers where the daemon should be.
    pub fn start_daemon(&self) {
        self.starter.daemon_is_away(&self.home);
    }

    pub fn daemon_is_back(&self) {
        if self.away.swap(false, Ordering::Relaxed) {
            crate::say("the daemon checks the messages again");
        }
        // The next time it is away its pins, pauses and switches may be others.
        let local = self.local.lock().unwrap_or_else(PoisonError::into_inner).take();
        local.iter().for_each(|local| local.close_records());
    }

    /// Writes down exchanges that were judged here and whose responses will not be.
    pub fn close_records(&self) {
        if let Some(local) = self.local_if_any() {
            local.close_records();
        }
    }

    /// A line beyond the limit is never passed on unscanned; who waits for it is told.
    pub fn refuse_long_line(&self, direction: Direction, long: &LongLine) {
        let limit = self.limits.max_message_bytes;
        let message = format!(
            "Portcullis refused a message of {} bytes; at most {limit} are checked (setting limits.max_message_bytes).",
            long.bytes
        );
        crate::say(&format!("{message} ({})", direction.as_str()));
        self.local().record_long_line(direction, long, &message);
        match (direction, long.has_method, long.id()) {
            // The answer that the client waits for; the request is answered with it.
            (Direction::ToClient, false, Some(id)) => {
                self.withheld(direction, vec![Note::Response { id: id.into() }]);
                self.client.answer(refusal(Some(id), &message));
            }
            (Direction::ToClient, false, None) => {}
            (_, true, Some(id)) => self.sender(direction).answer(refusal(Some(id), &message)),
            // No id that could be read: the client is told that something was refused, the server is not.
            (Direction::ToUpstream, _, None) => self.client.answer(refusal(None, &message)),
            (Direction::ToUpstream, false, Some(id)) => {
                self.withheld(direction, vec![Note::Response { id: id.into() }]);
                self.server.answer(refusal(Some(id), &message));
            }
            (Direction::ToClient, true, None) => {}
        }
    }
}

fn refusal(id: Option<&str>, message: &str) -> Vec<u8> {
    portcullis_policy::refusal(id, portcullis_policy::BLOCKED_CODE, message)
}
