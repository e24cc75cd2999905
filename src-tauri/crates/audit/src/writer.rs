//! The writer thread: takes batches off the queue and writes each in one transaction; between batches it keeps the
//! retention. A batch that the disk refuses is tried again until it succeeds, so that rows are lost only when the queue
//! overflows, and then a Gap row says how many.

use crate::audit::Clock;
use crate::error::{is_damage, is_of_the_row};
use crate::queue::{Batch, Item, Queue};
use crate::retention::Retention;
use crate::{reader::Reader, recover, tables};
use portcullis_domain::{AuditRow, Gap};
use rusqlite::{Connection, TransactionBehavior};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

const RETRY_PAUSE: Duration = Duration::from_secs(1);
const RETENTION_EVERY: Duration = Duration::from_secs(3600);

pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    pub(crate) queue: Arc<Queue>,
    pub(crate) reader: Arc<Reader>,
    pub(crate) clock: Clock,
}

/// What a transaction did: answers to give once it is on disk, and rows that can never be written.
struct Written {
    replies: Vec<(SyncSender<usize>, usize)>,
    given_up: Option<Gap>,
}

/// However the thread ends, whoever waits for it must learn.
struct StopOnDrop(Arc<Queue>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        let broke = std::thread::panicking();
        self.0.stop(broke.then(|| "its writer broke down; restart Portcullis".to_owned()));
    }
}

impl Writer {
    pub(crate) fn run(mut self) {
        let _stop = StopOnDrop(self.queue.clone());
        let mut next_retention = Instant::now();
        let mut retention: Option<Retention> = None;
        loop {
            let deadline = if retention.is_some() { Instant::now() } else { next_retention };
            let batch = self.queue.take(deadline);
            if !batch.items.is_empty() || batch.gap.is_some() {
                self.write(&batch);
            }
            if batch.closing {
                break;
            }
            if retention.is_none() && Instant::now() >= next_retention {
                next_retention = Instant::now() + RETENTION_EVERY;
                retention = Some(Retention::new((self.clock)(), &self.queue.limits()));
            }
            if let Some(running) = &mut retention {
                match running.step(&mut self.connection) {
                    Ok(true) => {}
                    Ok(false) => retention = None,
                    Err(error) => {
                        tracing::warn!(%error, "old rows of the audit log could not be deleted; trying again in an hour");
                        retention = None;
                    }
                }
            }
        }
        // Leaves one tidy file behind; the log of writes is kept by SQLite when this fails.
        if let Err(error) = self.connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);") {
            tracing::debug!(%error, "the audit log was not checkpointed");
        }
    }

    fn write(&mut self, batch: &Batch) {
        loop {
            match self.transaction(batch) {
                Ok(written) => {
                    self.queue.settle(batch.items.len() + usize::from(batch.gap.is_some()), written.given_up);
                    for (reply, count) in written.replies {
                        // Nobody waits any more: fine.
                        let _ = reply.send(count);
                    }
                    return;
                }
                Err(error) => {
                    let recovered = is_damage(&error) && self.recover(&error);
                    if recovered {
                        continue;
                    }
                    tracing::error!(%error, "the audit log could not be written");
                    if !self.queue.fail(error.to_string(), RETRY_PAUSE) {
                        tracing::error!(rows = batch.items.len(), "closing with rows that could not be written");
                        return;
                    }
                }
            }
        }
    }

    fn transaction(&mut self, batch: &Batch) -> rusqlite::Result<Written> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut replies = Vec::new();
        let mut given_up: Option<Gap> = None;
        for item in &batch.items {
            let written = match item {
                Item::Row(AuditRow::Exchange(exchange)) => tables::exchange::upsert(&transaction, exchange),
                Item::Row(AuditRow::Change(change)) => tables::change::insert(&transaction, change),
                Item::Row(AuditRow::Gap(gap)) => tables::gap::insert(&transaction, gap),
                Item::SavePin(pin) => tables::pin::save(&transaction, pin),
                Item::DeletePins(upstream) => tables::pin::delete(&transaction, upstream),
                Item::SaveOriginal { id, direction, at, sealed } => {
                    tables::original::save(&transaction, id.as_str(), *direction, *at, sealed)
                }
                Item::DeleteOriginals { before } => tables::original::delete_before(&transaction, *before).map(|_| ()),
                Item::SetMark { name, value } => tables::mark::set(&transaction, name, value),
                Item::Review { id, reason, at, done } => tables::review::set(&transaction, id.as_str(), *reason, *at)
                    .map(|count| replies.push((done.clone(), count))),
            };
            match written {
                Ok(()) => {}
                Err(error) if is_of_the_row(&error) => {
                    tracing::error!(%error, "a row of the audit log was given up");
                    let at = (self.clock)();
                    given_up.get_or_insert(Gap { at, dropped: 0 }).dropped += 1;
                }
                Err(error) => return Err(error),
            }
            // Messages on their way go first where both share a processor, unless rows could be lost for it.
            if !batch.behind {
                std::thread::yield_now();
            }
        }
        if let Some(gap) = &batch.gap {
            tables::gap::insert(&transaction, gap)?;
        }
        transaction.commit()?;
        Ok(Written { replies, given_up })
    }

    /// The file broke while it was open: begin a new one in its place.
    fn recover(&mut self, damage: &rusqlite::Error) -> bool {
        let Ok(placeholder) = Connection::open_in_memory() else { return false };
        drop(std::mem::replace(&mut self.connection, placeholder));
        match recover::begin_anew(&self.path, &damage.to_string(), (self.clock)()) {
            Ok(connection) => {
                self.connection = connection;
                self.reader.forget_connections();
                true
            }
            Err(error) => {
                tracing::error!(%error, "the damaged audit log could not be replaced");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AuditLimits, Error};

    #[test]
    fn a_writer_that_breaks_down_leaves_nobody_waiting_and_says_so() {
        let queue = Arc::new(Queue::new(AuditLimits::default()));
        queue.push_row(AuditRow::Gap(Gap { at: 1, dropped: 1 }));
        let stop = StopOnDrop(queue.clone());
        let broken = std::thread::spawn(move || {
            let _stop = stop;
            panic!("as any bug would");
        });
        assert!(broken.join().is_err());
        let error = queue.flush().unwrap_err();
        assert!(matches!(error, Error::NotWritten(_)), "{error}");
        assert!(queue.problem().is_some());
    }
}
