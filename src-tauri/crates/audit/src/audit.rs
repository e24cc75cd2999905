//! The handle everyone else holds: clonable, cheap, records without waiting. The last clone to go closes the log.

use crate::queue::{Item, Queue};
use crate::writer::Writer;
use crate::{AuditLimits, Error, Reader, open};
use portcullis_domain::api::ReviewReason;
use portcullis_domain::{AuditRow, Direction, ExchangeId, Pin, UnixMs, UpstreamId};
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Tells retention what time it is.
pub type Clock = Arc<dyn Fn() -> UnixMs + Send + Sync>;

#[derive(Clone)]
pub struct Audit {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Arc<Queue>,
    reader: Arc<Reader>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Audit {
    /// Opens the database file (created with mode 0600 in a folder that must exist), brings its schema up to date and
    /// starts the writer thread. A damaged file is moved aside and a new one begun, and a Change row says so.
    pub fn open(path: impl AsRef<Path>, limits: AuditLimits, clock: Clock) -> Result<Self, Error> {
        let path = path.as_ref();
        let connection = open::writer(path, clock())?;
        let reader = Arc::new(Reader::open(path)?);
        let queue = Arc::new(Queue::new(limits));
        let writer = Writer { connection, path: path.to_owned(), queue: queue.clone(), reader: reader.clone(), clock };
        let thread = std::thread::Builder::new()
            .name("audit".into())
            .spawn(move || writer.run())
            .map_err(|error| Error::file(path, "written (no thread could be started)", error))?;
        Ok(Self { shared: Arc::new(Shared { queue, reader, thread: Mutex::new(Some(thread)) }) })
    }

    /// Queues a row. Never waits for the disk; when the queue is full, a plain row is dropped and counted.
    pub fn record(&self, row: AuditRow) {
        self.shared.queue.push_row(row);
    }

    /// Queues a Pin; never dropped.
    pub fn save_pin(&self, pin: &Pin) -> Result<(), Error> {
        self.shared.queue.push_item(Item::SavePin(Box::new(pin.clone())))
    }

    /// Forgets all Pins of an Upstream.
    pub fn delete_pins(&self, upstream: &UpstreamId) -> Result<(), Error> {
        self.shared.queue.push_item(Item::DeletePins(upstream.clone()))
    }

    /// Queues the sealed original of a redacted Message; refused while too much waits to be written.
    pub fn save_original(
        &self,
        id: &ExchangeId,
        direction: Direction,
        at: UnixMs,
        sealed: Vec<u8>,
    ) -> Result<(), Error> {
        self.shared.queue.push_item(Item::SaveOriginal { id: id.clone(), direction, at, sealed })
    }

    /// Forgets every original.
    pub fn delete_originals(&self) -> Result<(), Error> {
        self.shared.queue.push_item(Item::DeleteOriginals { before: UnixMs::MAX })
    }

    /// Queues a small text that `mark` gives back; never dropped.
    pub fn set_mark(&self, name: &'static str, value: String) -> Result<(), Error> {
        self.shared.queue.push_item(Item::SetMark { name, value })
    }

    /// Reviews an Alert and the open ones equal to it up to it, or (None) takes that back. Waits until it is on disk.
    /// Returns how many Alerts it touched: 0 when there is no such Alert.
    pub fn review(&self, id: &ExchangeId, reason: Option<ReviewReason>, at: UnixMs) -> Result<u64, Error> {
        let (done, answer) = std::sync::mpsc::sync_channel(1);
        self.shared.queue.push_item(Item::Review { id: id.clone(), reason, at, done })?;
        self.flush()?;
        answer.recv().map(|count| count as u64).map_err(|_| Error::Closed)
    }

    /// Waits until everything queued so far is on disk.
    pub fn flush(&self) -> Result<(), Error> {
        self.shared.queue.flush()
    }

    /// Writes what is queued and ends the writer thread. Rows recorded afterwards are dropped; reading still works.
    pub fn close(&self) {
        self.shared.close();
    }

    /// Takes effect for the next row and the next retention run.
    pub fn set_limits(&self, limits: AuditLimits) {
        self.shared.queue.set_limits(limits);
    }

    /// Why rows are not reaching the disk just now, if so.
    pub fn problem(&self) -> Option<String> {
        self.shared.queue.problem()
    }

    /// Plain rows dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.shared.queue.dropped()
    }
}

/// Whoever may write may read.
impl Deref for Audit {
    type Target = Reader;
    fn deref(&self) -> &Reader {
        &self.shared.reader
    }
}

impl Shared {
    fn close(&self) {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the audit log's writer thread ended in a panic");
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}
