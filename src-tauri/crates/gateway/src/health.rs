//! Which Upstreams do not work, since when and why, as their traffic shows it: nothing is probed, so a server that works
//! again is seen to work with the next Message. Reasons come from servers: whoever shows them treats them as hostile text.
//! Whoever made this keeps it over a restart.

use crate::{Clock, Inner};
use portcullis_domain::{UnixMs, UpstreamId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Of a reason: how it failed, with what the server said last.
const MAX_LINES: usize = 8;
const MAX_LINE_CHARS: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    pub since: UnixMs,
    pub reason: String,
}

pub type AllFailing = HashMap<UpstreamId, Failing>;

pub struct Health {
    failing: Mutex<AllFailing>,
    /// Of `failing`: that a server works is said with every Message, and nearly always changes nothing.
    count: AtomicUsize,
    clock: Clock,
    changed: Box<dyn Fn(&AllFailing) + Send + Sync>,
}

impl Health {
    /// `known`: as it was left. `changed` is called when a server begins to fail, fails for another reason, or works
    /// again, one change after the other; it must not wait.
    pub fn new(clock: Clock, known: AllFailing, changed: impl Fn(&AllFailing) + Send + Sync + 'static) -> Arc<Self> {
        let count = AtomicUsize::new(known.len());
        Arc::new(Self { failing: Mutex::new(known), count, clock, changed: Box::new(changed) })
    }

    fn failing(&self) -> MutexGuard<'_, AllFailing> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn of(&self, upstream: &UpstreamId) -> Option<Failing> {
        self.failing().get(upstream).cloned()
    }

    /// `reason`: masked and cut.
    fn failed(&self, upstream: &UpstreamId, reason: String) {
        let mut failing = self.failing();
        match failing.get_mut(upstream) {
            Some(known) if known.reason == reason => return,
            Some(known) => known.reason = reason,
            None => drop(failing.insert(upstream.clone(), Failing { since: (self.clock)(), reason })),
        }
        self.count.store(failing.len(), Ordering::Release);
        (self.changed)(&failing);
    }

    pub(crate) fn works(&self, upstream: &UpstreamId) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut failing = self.failing();
        if failing.remove(upstream).is_some() {
            self.count.store(failing.len(), Ordering::Release);
            (self.changed)(&failing);
        }
    }
}

impl Inner {
    /// An Upstream did not do its part. `reason` may hold its own words.
    pub(crate) fn failed_upstream(&self, upstream: &UpstreamId, reason: &str) {
        let clean: String = reason.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
        // Masked before it is cut: half a secret would not be recognised.
        let masked = self.judge.load().scanner().mask(clean.trim());
        let lines = masked.lines().take(MAX_LINES).map(|line| line.chars().take(MAX_LINE_CHARS).collect::<String>());
        self.health.failed(upstream, lines.collect::<Vec<_>>().join("\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicI64;

    #[test]
    fn a_server_fails_since_its_first_failure_until_it_works() {
        let (now, told) = (Arc::new(AtomicI64::new(5)), Arc::new(AtomicUsize::new(0)));
        let left = Arc::new(Mutex::new(AllFailing::new()));
        let (clock, telling, keeping) = (now.clone(), told.clone(), left.clone());
        let health = Health::new(Arc::new(move || clock.fetch_add(1, Ordering::SeqCst)), HashMap::new(), move |all| {
            telling.fetch_add(1, Ordering::SeqCst);
            keeping.lock().unwrap().clone_from(all);
        });
        let (a, b) = (UpstreamId::from_random([1; 16]), UpstreamId::from_random([2; 16]));
        health.works(&a);
        health.failed(&a, "refused".into());
        health.failed(&a, "refused".into());
        assert_eq!(told.load(Ordering::SeqCst), 1, "once, however often it is called meanwhile");
        health.failed(&a, "no route".into());
        assert_eq!(health.of(&a), Some(Failing { since: 5, reason: "no route".into() }));
        assert_eq!(health.of(&b), None);
        let next = Health::new(Arc::new(|| 99), left.lock().unwrap().clone(), |_| {});
        assert_eq!(next.of(&a), health.of(&a), "after a restart too");
        next.works(&a);
        assert_eq!(next.of(&a), None);
        health.works(&b);
        health.works(&a);
        assert_eq!((health.of(&a), told.load(Ordering::SeqCst)), (None, 3));
        assert!(left.lock().unwrap().is_empty());
    }
}
