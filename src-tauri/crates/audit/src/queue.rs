//! The bounded queue between the data path and the writer thread. Its lock is held only to push or to swap, never
//! across I/O. Plain rows beyond the bounds are dropped and counted; rows that must be kept always get in, but when
//! the queue is far beyond its bounds their bodies are cut, so that a flood of Alerts cannot fill the memory.

use crate::body::{cap, weight};
use crate::limits::AuditLimits;
use crate::{Error, body};
use portcullis_domain::api::ReviewReason;
use portcullis_domain::{AuditRow, Direction, ExchangeId, Gap, Pin, PinKind, UnixMs, UpstreamId};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the writer thread is asked to do, in order.
pub(crate) enum Item {
    Row(AuditRow),
    SavePin(Box<Pin>),
    DeletePins(UpstreamId),
    /// Sealed already.
    SaveOriginal {
        id: ExchangeId,
        direction: Direction,
        at: UnixMs,
        sealed: Vec<u8>,
    },
    DeleteOriginals {
        before: UnixMs,
    },
    SetMark {
        name: &'static str,
        value: String,
    },
    Review {
        id: ExchangeId,
        reason: Option<ReviewReason>,
        at: UnixMs,
        done: SyncSender<usize>,
    },
}

/// Memory that waiting rows may take before plain ones are dropped; four times that before kept ones lose their bodies.
const QUEUE_BYTES: usize = 32 * 1024 * 1024;
const BODY_BYTES_WHEN_FLOODED: usize = 512;
/// One transaction takes at most this many.
const BATCH: usize = 512;
/// How long a lone row waits for company.
const BATCH_WINDOW: Duration = Duration::from_millis(50);

#[derive(Default)]
struct State {
    items: VecDeque<(Item, usize)>,
    /// How many items were taken off before the first.
    taken: u64,
    /// Where each Pin that waits stands, counted from the beginning of time.
    pins: HashMap<PinKey, u64>,
    bytes: usize,
    limits: AuditLimits,
    /// Dropped rows that no Gap row speaks of yet. While there are some, they count as one pushed item.
    unreported: u64,
    unreported_at: UnixMs,
    dropped: u64,
    pushed: u64,
    /// Pushed items that are on disk or given up.
    settled: u64,
    waiting: usize,
    closing: bool,
    stopped: bool,
    failures: u64,
    problem: Option<String>,
}

/// Upstream, kind and name.
type PinKey = (UpstreamId, PinKind, String);

fn pin_key(pin: &Pin) -> PinKey {
    (pin.upstream.clone(), pin.kind, pin.name.clone())
}

impl State {
    /// The newest Pin takes the place of the one that waits, or a server that changes its definitions again and again
    /// would fill the memory of a log that cannot be written. Gives the item back where none waits.
    fn replace_pin(&mut self, item: Item, size: usize) -> Option<Item> {
        let Item::SavePin(pin) = &item else { return Some(item) };
        let at = self.pins.get(&pin_key(pin)).and_then(|at| usize::try_from(at - self.taken).ok());
        let Some(waiting) = at.and_then(|at| self.items.get_mut(at)) else { return Some(item) };
        self.bytes = self.bytes - waiting.1 + size;
        *waiting = (item, size);
        None
    }

    /// Before `item` is put at the end.
    fn note(&mut self, item: &Item) {
        match item {
            Item::SavePin(pin) => drop(self.pins.insert(pin_key(pin), self.taken + self.items.len() as u64)),
            Item::DeletePins(upstream) => self.pins.retain(|(of, ..), _| of != upstream),
            _ => {}
        }
    }

    fn drop_rows(&mut self, count: u64, at: UnixMs) {
        if self.unreported == 0 {
            self.pushed += 1;
        }
        self.unreported += count;
        self.unreported_at = self.unreported_at.max(at);
        self.dropped += count;
    }
}

#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    work: Condvar,
    settled: Condvar,
}

pub(crate) struct Batch {
    pub(crate) items: Vec<Item>,
    pub(crate) gap: Option<Gap>,
    /// As many again, or more, wait behind it.
    pub(crate) behind: bool,
    pub(crate) closing: bool,
}

impl Queue {
    pub(crate) fn new(limits: AuditLimits) -> Self {
        Self { state: Mutex::new(State { limits, ..State::default() }), ..Self::default() }
    }

    // A poisoned lock means that some thread panicked between two plain assignments: the numbers still serve.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn limits(&self) -> AuditLimits {
        self.lock().limits
    }

    pub(crate) fn set_limits(&self, limits: AuditLimits) {
        self.lock().limits = limits;
    }

    pub(crate) fn push_row(&self, mut row: AuditRow) {
        let limits = self.limits();
        let (mut size, at) = match &mut row {
            AuditRow::Exchange(exchange) => {
                body::cap_exchange(exchange, limits.max_body_bytes);
                (weight(exchange), exchange.at)
            }
            AuditRow::Change(change) => {
                cap(&mut change.summary, limits.max_body_bytes);
                (1024 + change.summary.len(), change.at)
            }
            AuditRow::Gap(gap) => (64, gap.at),
        };
        let mut state = self.lock();
        let full = state.items.len() >= limits.queue_rows || state.bytes + size > QUEUE_BYTES;
        if state.closing || (full && !row.must_keep()) {
            state.drop_rows(1, at);
            return;
        }
        if full
            && state.bytes + size > 4 * QUEUE_BYTES
            && let AuditRow::Exchange(exchange) = &mut row
        {
            body::cap_exchange(exchange, BODY_BYTES_WHEN_FLOODED);
            size = weight(exchange);
        }
        self.push(state, Item::Row(row), size);
    }

    pub(crate) fn push_item(&self, item: Item) -> Result<(), Error> {
        let size = match &item {
            Item::SavePin(pin) => 1024 + pin.approved.len() + pin.changed.as_ref().map_or(0, String::len),
            Item::SaveOriginal { sealed, .. } => 256 + sealed.len(),
            _ => 256,
        };
        let mut state = self.lock();
        if state.closing {
            return Err(Error::Closed);
        }
        // Kept for convenience; protection does not hang on it.
        if matches!(item, Item::SaveOriginal { .. }) && state.bytes + size > QUEUE_BYTES {
            return Err(Error::NotWritten("too much waits to be written".into()));
        }
        if let Some(item) = state.replace_pin(item, size) {
            self.push(state, item, size);
        }
        Ok(())
    }

    fn push(&self, mut state: MutexGuard<'_, State>, item: Item, size: usize) {
        state.bytes += size;
        state.note(&item);
        state.items.push_back((item, size));
        state.pushed += 1;
        // The writer is already awake for the earlier ones, or will look when its window ends.
        let wake = state.items.len() == 1 || state.items.len() == BATCH;
        drop(state);
        if wake {
            self.work.notify_all();
        }
    }

    /// Waits for something to write, until `deadline`.
    pub(crate) fn take(&self, deadline: Instant) -> Batch {
        let mut state = self.lock();
        let mut window = None;
        loop {
            let empty = state.items.is_empty() && state.unreported == 0;
            let urgent = state.closing || (state.waiting > 0 && !empty) || state.items.len() >= BATCH;
            let now = Instant::now();
            let until = if empty { deadline } else { *window.get_or_insert(now + BATCH_WINDOW) };
            if urgent || now >= until {
                break;
            }
            state = self.work.wait_timeout(state, until - now).unwrap_or_else(PoisonError::into_inner).0;
        }
        let count = state.items.len().min(BATCH);
        let drained: Vec<_> = state.items.drain(..count).collect();
        state.bytes -= drained.iter().map(|(_, size)| size).sum::<usize>();
        for (at, (item, _)) in (state.taken..).zip(&drained) {
            if let Item::SavePin(pin) = item
                && let Entry::Occupied(newest) = state.pins.entry(pin_key(pin))
                && *newest.get() == at
            {
                newest.remove();
            }
        }
        state.taken += drained.len() as u64;
        let dropped = std::mem::take(&mut state.unreported);
        let gap = (dropped > 0).then_some(Gap { at: std::mem::take(&mut state.unreported_at), dropped });
        Batch {
            items: drained.into_iter().map(|(item, _)| item).collect(),
            gap,
            behind: state.items.len() >= BATCH,
            closing: state.closing && state.items.is_empty(),
        }
    }

    pub(crate) fn settle(&self, count: usize, given_up: Option<Gap>) {
        let mut state = self.lock();
        state.settled += count as u64;
        state.problem = None;
        if let Some(gap) = given_up {
            state.drop_rows(gap.dropped, gap.at);
        }
        drop(state);
        self.settled.notify_all();
    }

    /// The last attempt to write failed. Waits a moment before the next one; returns false when closing.
    pub(crate) fn fail(&self, problem: String, pause: Duration) -> bool {
        let mut state = self.lock();
        state.failures += 1;
        state.problem = Some(problem);
        self.settled.notify_all();
        let end = Instant::now() + pause;
        while !state.closing {
            let now = Instant::now();
            if now >= end {
                return true;
            }
            state = self.work.wait_timeout(state, end - now).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    /// The writer is gone. `problem`: why, when nobody asked it to go.
    pub(crate) fn stop(&self, problem: Option<String>) {
        let mut state = self.lock();
        state.closing = true;
        state.stopped = true;
        state.problem = problem.or(state.problem.take());
        drop(state);
        self.settled.notify_all();
    }

    /// Waits until everything pushed so far is on disk.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        let mut state = self.lock();
        let (goal, failures) = (state.pushed, state.failures);
        state.waiting += 1;
        self.work.notify_all();
        while state.settled < goal && !state.stopped && state.failures == failures {
            state = self.settled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting -= 1;
        if state.settled >= goal {
            return Ok(());
        }
        Err(state.problem.clone().map_or(Error::Closed, Error::NotWritten))
    }

    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.work.notify_all();
    }

    pub(crate) fn problem(&self) -> Option<String> {
        self.lock().problem.clone()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody takes anything off it: a disk that is full, or a writer that waits.
    #[test]
    fn originals_do_not_fill_the_memory_while_nothing_is_written() {
        let queue = Queue::new(AuditLimits::default());
        let mut kept = 0;
        for n in 0..1000 {
            let sealed = vec![0; 256 * 1024];
            let (id, direction) = (ExchangeId::new(n.to_string()), Direction::ToUpstream);
            match queue.push_item(Item::SaveOriginal { id, direction, at: n, sealed }) {
                Ok(()) => kept += 1,
                Err(error) => assert_eq!(error.code(), "audit_not_written"),
            }
        }
        assert!((10..200).contains(&kept), "{kept}");
        assert!(queue.lock().bytes <= QUEUE_BYTES);
        queue
            .push_item(Item::SetMark { name: "m", value: String::new() })
            .expect("what must not be lost still gets in");
    }

    #[test]
    fn of_one_pin_only_the_newest_waits() {
        let queue = Queue::new(AuditLimits::default());
        let pin = |name: &str, seen_at| {
            Box::new(Pin {
                upstream: UpstreamId::new("u"),
                kind: portcullis_domain::PinKind::Tool,
                name: name.into(),
                approved: "x".repeat(10_000),
                approved_at: 0,
                approved_by: portcullis_domain::ApprovedBy::FirstSight,
                changed: None,
                drift: None,
                quarantine: None,
                seen_at,
            })
        };
        for at in 0..500 {
            queue.push_item(Item::SavePin(pin("a", at))).unwrap();
            queue.push_item(Item::SavePin(pin("b", at))).unwrap();
        }
        let waiting = |queue: &Queue| queue.lock().items.len();
        assert_eq!(waiting(&queue), 2);
        assert!(queue.lock().bytes < 100_000);
        // What was forgotten in between and pinned anew is two things.
        queue.push_item(Item::DeletePins(UpstreamId::new("u"))).unwrap();
        queue.push_item(Item::SavePin(pin("a", 900))).unwrap();
        assert_eq!(waiting(&queue), 4);
        let batch = queue.take(Instant::now());
        let seen: Vec<_> =
            batch.items.iter().map(|item| if let Item::SavePin(pin) = item { pin.seen_at } else { -1 }).collect();
        assert_eq!(seen, [499, 499, -1, 900]);
        queue.push_item(Item::SavePin(pin("a", 901))).unwrap();
        assert_eq!(waiting(&queue), 1, "what was taken off is not there to be replaced");
        queue.settle(batch.items.len(), None);
        let state = queue.lock();
        assert_eq!((state.pushed, state.settled), (5, 4));
    }
}
