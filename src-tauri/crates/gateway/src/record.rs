//! Hop 8: rows leave the data path here. Masking and capping run on a thread of their own, so a Message never waits for
//! its record. Plain rows are dropped (and counted in a Gap) when the queue is full; rows that matter never are.

use crate::Sink;
use crate::session::Session;
use arc_swap::ArcSwap;
use portcullis_domain::json::lossy;
use portcullis_domain::{AuditRow, Direction, Exchange, ExchangeId, Finding, Gap, MessageKind, Outcome, Verdict};
use portcullis_policy::{Judge, Judged, MessageSummary, PairedRequest};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

const MAX_QUEUED: usize = 10_000;
/// With more waiting, this thread gives way to nobody: rows must not be lost for a little speed.
const MANY_QUEUED: usize = 500;
/// Rows wait so long for others: waking a thread for each would cost the Message's path more than the row itself.
const GATHER: Duration = Duration::from_millis(2);
/// Of each body of a row that must be kept, when so many wait already.
const BODY_BYTES_WHEN_FLOODED: usize = 512;
/// Of each body, before masking.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// Of a tool's name or an address.
pub(crate) const MAX_TARGET_BYTES: usize = 4096;

enum Job {
    Exchange(Box<Exchange>),
    Flush(mpsc::Sender<()>),
}

#[derive(Clone)]
pub(crate) struct Recorder {
    jobs: mpsc::Sender<Job>,
    queued: Arc<AtomicUsize>,
    dropped: Arc<AtomicU64>,
}

impl Recorder {
    pub fn start(sink: Sink, judge: Arc<ArcSwap<Judge>>) -> std::io::Result<Self> {
        let (jobs, inbox) = mpsc::channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let dropped = Arc::new(AtomicU64::new(0));
        let (waiting, lost) = (queued.clone(), dropped.clone());
        std::thread::Builder::new().name("recorder".into()).spawn(move || {
            let work = |job| match job {
                Job::Exchange(exchange) => {
                    let behind = waiting.fetch_sub(1, Ordering::Relaxed) > MANY_QUEUED;
                    let lost = lost.swap(0, Ordering::Relaxed);
                    if lost > 0 {
                        sink(AuditRow::Gap(Gap { at: exchange.at, dropped: lost }));
                    }
                    sink(AuditRow::Exchange(masked(exchange, &judge.load())));
                    // A Message on its way goes first where both share a processor.
                    if !behind {
                        std::thread::yield_now();
                    }
                }
                Job::Flush(done) => drop(done),
            };
            while let Ok(job) = inbox.recv() {
                std::iter::once(job).chain(inbox.try_iter()).for_each(work);
                std::thread::sleep(GATHER);
            }
        })?;
        Ok(Self { jobs, queued, dropped })
    }

    pub fn exchange(&self, exchange: Exchange) {
        let mut row = Box::new(exchange);
        if self.queued.load(Ordering::Relaxed) >= MAX_QUEUED {
            if row.verdict == Verdict::Allow {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                return;
            }
            row.request = body_text_up_to(row.request.as_bytes(), BODY_BYTES_WHEN_FLOODED);
            row.response = row.response.map(|body| body_text_up_to(body.as_bytes(), BODY_BYTES_WHEN_FLOODED));
        }
        self.queued.fetch_add(1, Ordering::Relaxed);
        // The receiver lives as long as the process: a send cannot fail before the thread is gone for good.
        let _ = self.jobs.send(Job::Exchange(row));
    }

    pub fn flush(&self) {
        let (done, wait) = mpsc::channel();
        if self.jobs.send(Job::Flush(done)).is_ok() {
            let _ = wait.recv();
        }
    }
}

fn masked(mut exchange: Box<Exchange>, judge: &Judge) -> Box<Exchange> {
    // A text that cannot be masked is not kept: neither may a secret get into the log, nor this thread end.
    let scanner = judge.scanner();
    let mask = |text: &str| {
        let masked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| scanner.mask(text)));
        masked.unwrap_or_else(|_| "[not kept: masking failed]".to_owned())
    };
    exchange.request = mask(&exchange.request);
    exchange.response = exchange.response.map(|body| mask(&body));
    exchange.target = exchange.target.map(|target| mask(&target));
    exchange
}

/// The body as text for the row: lossy, capped at a character border.
pub(crate) fn body_text(bytes: &[u8]) -> String {
    body_text_up_to(bytes, MAX_BODY_BYTES)
}

fn target_text(target: &str) -> String {
    body_text_up_to(target.as_bytes(), MAX_TARGET_BYTES)
}

fn body_text_up_to(bytes: &[u8], max: usize) -> String {
    if bytes.len() <= max {
        return lossy(bytes).into_owned();
    }
    let mut text = lossy(&bytes[..max]).into_owned();
    text.push_str(&format!("… ({} bytes not kept)", bytes.len() - max));
    text
}

/// One judged Message, as far as its row needs to know it.
pub(crate) struct Row<'a> {
    pub session: &'a Session,
    pub direction: Direction,
    pub bytes: &'a [u8],
    pub judged: &'a Judged,
    pub now: i64,
    pub checked: Duration,
    pub outcome: Outcome,
}

impl Row<'_> {
    /// The bytes of this Message: of one item, where a batch was judged.
    pub fn bytes_of(&self, message: Option<&MessageSummary>) -> &[u8] {
        let item = message.filter(|_| self.judged.messages.len() > 1).and_then(|m| self.bytes.get(m.span.clone()));
        item.unwrap_or(self.bytes)
    }

    /// The row of a Message that starts an Exchange, or stands alone (a notification, a stray response, a banner).
    pub fn exchange(&self, message: Option<&MessageSummary>, findings: Vec<Finding>) -> Exchange {
        let request = message.filter(|m| m.kind == MessageKind::Request);
        let bytes = self.bytes_of(message);
        Exchange {
            notification: request.is_none(),
            method: message.and_then(|m| m.method.clone()).unwrap_or_default(),
            target: request.and_then(|m| m.target.as_deref()).map(target_text),
            verdict: self.judged.verdict,
            outcome: self.outcome,
            findings,
            request: body_text(bytes),
            request_bytes: bytes.len() as u64,
            checked_us: micros(self.checked),
            ..blank(self.session, self.direction, self.now)
        }
    }
}

/// The row of a request that the shim forwarded before this daemon knew it.
pub(crate) fn resumed(session: &Session, direction: Direction, paired: &PairedRequest, now: i64) -> Exchange {
    let (method, target) = (paired.method.clone(), paired.target.as_deref().map(target_text));
    Exchange { method, target, judged_locally: true, ..blank(session, direction, now) }
}

fn blank(session: &Session, direction: Direction, now: i64) -> Exchange {
    let id = ExchangeId::from_parts(now, random());
    Exchange::new(id, now, &session.upstream, session.id.clone(), session.transport, direction)
}

pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Random bytes from the operating system. Without them no id is safe, so the process must not go on.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::error!(%error, "the operating system gives no random bytes");
        std::process::abort();
    }
    bytes
}
