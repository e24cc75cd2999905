//! A daemon that takes Messages and gives no Verdict is as good as away: after `PATIENCE` its link is abandoned and the
//! Messages are judged in process. Sleeps while nothing waits, so an idle shim costs no wake-ups.

use crate::session::Session;
use portcullis_domain::Direction;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;

/// Far above any scan, below the patience of every client (shortest known: 60 s for a call, 10 s for a probe).
pub const PATIENCE: Duration = Duration::from_secs(8);

#[derive(Default)]
pub struct Watchdog {
    awake: AtomicBool,
    wanted: Mutex<bool>,
    changed: Condvar,
}

impl Watchdog {
    pub fn start(session: &Arc<Session>) {
        let session: Weak<Session> = Arc::downgrade(session);
        crate::start_thread("watchdog", move || {
            while let Some(session) = session.upgrade() {
                session.watchdog.wait_until_armed();
                watch(&session);
            }
        });
    }

    /// A Message was told to the daemon.
    pub fn arm(&self) {
        if !self.awake.swap(true, Ordering::AcqRel) {
            *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = true;
            self.changed.notify_one();
        }
    }

    fn wait_until_armed(&self) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        while !*wanted {
            wanted = self.changed.wait(wanted).unwrap_or_else(PoisonError::into_inner);
        }
        *wanted = false;
    }
}

/// Looks again and again until nothing waits for the daemon.
fn watch(session: &Session) {
    loop {
        std::thread::sleep(PATIENCE / 4);
        session.watchdog.awake.store(false, Ordering::Release);
        let lanes = [Direction::ToUpstream, Direction::ToClient].map(|direction| session.lane(direction));
        let waited = lanes.iter().filter_map(|lane| lane.longest_wait()).max();
        // One that hangs in one Direction hangs in both.
        if waited.is_some_and(|waited| waited >= PATIENCE) {
            lanes.iter().for_each(|lane| lane.give_link_up());
        }
        if waited.is_none() {
            return;
        }
        session.watchdog.awake.store(true, Ordering::Release);
    }
}
