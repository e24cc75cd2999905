//! What a connection is doing, as its own task notes it and as whoever looks for a place reads it: one word, so that no
//! place is given up in the moment in which a request arrives on it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Acquire, Ordering::Release};
use tokio::sync::Notify;
use tokio::time::Instant;

pub(super) struct Connection {
    /// Milliseconds of `clock` when it began, and what: one of the four below. Or GIVEN_UP.
    doing: AtomicU64,
    /// The first bytes of a request are here, its head is not.
    hears: AtomicBool,
    /// Milliseconds of `clock`; 0: the other side takes what we send.
    untaken: AtomicU64,
    clock: Instant,
    told: Notify,
}

const NOTHING: u64 = 0;
/// The head of a request is here, its body is not.
const RECEIVES: u64 = 1;
const ANSWERS: u64 = 2;
/// The answer is over, its last bytes may not be written yet.
const FLUSHES: u64 = 3;
const KINDS: u64 = 3;
/// For good: somebody else has its place.
const GIVEN_UP: u64 = u64::MAX;

impl Connection {
    pub fn new(clock: Instant) -> Self {
        let (hears, untaken) = (AtomicBool::new(false), AtomicU64::new(0));
        let connection = Self { doing: AtomicU64::new(0), hears, untaken, clock, told: Notify::new() };
        connection.now_does(NOTHING);
        connection
    }

    /// Never 0.
    fn millis(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX >> 3) + 1
    }
    fn kind(&self) -> u64 {
        self.doing.load(Acquire) & KINDS
    }
    /// False: its place was given up.
    fn now_does(&self, kind: u64) -> bool {
        let next = self.millis() << 2 | kind;
        self.doing.fetch_update(Release, Acquire, |now| (now != GIVEN_UP).then_some(next)).is_ok()
    }

    /// The head of a request is here. False: too late.
    pub fn begins(&self, is_whole: bool) -> bool {
        self.hears.store(false, Release);
        // Requests sent at once: while the answer before this one is not written, the connection may not end.
        let is_busy = is_whole || self.kind() == FLUSHES;
        self.now_does(if is_busy { ANSWERS } else { RECEIVES })
    }
    /// Its body is here, or nobody wants it any more. False: too late.
    pub fn received(&self) -> bool {
        if self.kind() == RECEIVES { self.now_does(ANSWERS) } else { !self.is_given_up() }
    }
    /// Its answer is over.
    pub fn answered(&self) {
        self.now_does(FLUSHES);
    }
    /// All that was to be written is.
    pub fn flushed(&self) {
        if self.kind() == FLUSHES {
            self.now_does(NOTHING);
        }
    }

    pub fn heard(&self) {
        if matches!(self.kind(), NOTHING | FLUSHES) {
            self.hears.store(true, Release);
        }
    }
    pub fn hears(&self) -> bool {
        self.hears.load(Acquire)
    }

    pub fn takes(&self, takes: bool) {
        if takes == (self.untaken.load(Acquire) > 0) {
            self.untaken.store(if takes { 0 } else { self.millis() }, Release);
        }
    }
    /// For how many milliseconds the other side has taken nothing of what waits for it.
    pub fn untaken_millis(&self) -> u64 {
        match self.untaken.load(Acquire) {
            0 => 0,
            since => self.millis().saturating_sub(since),
        }
    }

    /// If no request has been under way for that long: since when, to be compared with others', and for `give_up`.
    pub fn without_request(&self, millis: u64) -> Option<u64> {
        let doing = self.doing.load(Acquire);
        (doing & KINDS <= RECEIVES && (doing >> 2).saturating_add(millis) <= self.millis()).then_some(doing)
    }
    /// False: a request came in between.
    pub fn give_up(&self, doing: u64) -> bool {
        let is_given_up = self.doing.compare_exchange(doing, GIVEN_UP, Release, Acquire).is_ok();
        if is_given_up {
            self.tell();
        }
        is_given_up
    }
    /// Whatever it does.
    pub fn break_off(&self) {
        self.doing.store(GIVEN_UP, Release);
        self.tell();
    }
    pub fn is_given_up(&self) -> bool {
        self.doing.load(Acquire) == GIVEN_UP
    }
    /// Gives its place up, unless there is more of a request than the beginning of its head.
    pub fn ends_between_requests(&self) -> bool {
        let doing = self.doing.load(Acquire);
        doing & KINDS == NOTHING && self.doing.compare_exchange(doing, GIVEN_UP, Release, Acquire).is_ok()
    }

    /// Its task is to look: its place was given up, or the listener stops.
    pub fn tell(&self) {
        self.told.notify_one();
    }
    pub async fn told(&self) {
        self.told.notified().await;
    }
}
