//! What is deleted when: first by age, then by size. Pins and reviews of kept Alerts stay. The work is done in small
//! steps between the writer's batches, so that rows never wait long.

use crate::limits::AuditLimits;
use crate::tables;
use portcullis_domain::UnixMs;
use rusqlite::{Connection, TransactionBehavior, params};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Alerts and changes are kept this many times longer than plain rows.
const ALERT_FACTOR: i64 = 4;
/// Originals of what was redacted go after this time, however long rows are kept.
const ORIGINALS_MS: i64 = 7 * DAY_MS;
/// Rows deleted in one step.
const CHUNK: usize = 500;
/// Pages of full text merged, and pages given back to the file system, in one step.
const MERGE_PAGES: i64 = 200;
const VACUUM_PAGES: i64 = 1000;
/// What a row weighs against other rows.
const WEIGHT: &str = "(400 + octet_length(request) + coalesce(octet_length(response), 0) + octet_length(findings))";
/// Steps that one run may spend on the size, so that a log which cannot shrink does not spin.
const MAX_SIZE_ROUNDS: u32 = 10;
const MAX_MERGES: u32 = 2000;

pub(crate) struct Retention {
    plain_before: UnixMs,
    alerts_before: UnixMs,
    originals_before: UnixMs,
    max_bytes: i64,
    stage: Stage,
    size_rounds: u32,
    merges: u32,
    deleted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    PlainByAge,
    AlertsByAge,
    Measure,
    /// Rows of so much weight are still to go.
    BySize(i64),
    Merge,
    Vacuum,
    Done,
}

impl Retention {
    pub(crate) fn new(now: UnixMs, limits: &AuditLimits) -> Self {
        let age = i64::from(limits.max_age_days).max(1) * DAY_MS;
        Self {
            plain_before: now.saturating_sub(age),
            alerts_before: now.saturating_sub(age * ALERT_FACTOR),
            originals_before: now.saturating_sub(ORIGINALS_MS),
            max_bytes: i64::try_from(limits.max_bytes).unwrap_or(i64::MAX),
            stage: Stage::PlainByAge,
            size_rounds: 0,
            merges: 0,
            deleted: false,
        }
    }

    /// Does one small part; false when there is nothing left to do.
    pub(crate) fn step(&mut self, connection: &mut Connection) -> rusqlite::Result<bool> {
        self.stage = match self.stage {
            Stage::PlainByAge => self.by_age(connection, "verdict = 0", self.plain_before, Stage::AlertsByAge)?,
            Stage::AlertsByAge => self.by_age(connection, "verdict > 0", self.alerts_before, Stage::Measure)?,
            Stage::Measure => self.measure(connection)?,
            Stage::BySize(weight) => self.by_size(connection, weight)?,
            Stage::Merge => self.merge(connection)?,
            Stage::Vacuum => {
                let mut freed = 0;
                let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({VACUUM_PAGES})"))?;
                let mut rows = statement.query([])?;
                while rows.next()?.is_some() {
                    freed += 1;
                }
                drop(rows);
                drop(statement);
                let free: i64 = connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
                if free > 0 && freed > 0 { Stage::Vacuum } else { Stage::Done }
            }
            Stage::Done => Stage::Done,
        };
        Ok(self.stage != Stage::Done)
    }

    fn by_age(
        &mut self,
        connection: &mut Connection,
        which: &str,
        before: UnixMs,
        next: Stage,
    ) -> rusqlite::Result<Stage> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let old: Vec<i64> = transaction
            .prepare_cached(&format!("SELECT seq FROM exchange WHERE {which} AND at < ? ORDER BY at LIMIT {CHUNK}"))?
            .query_map([before], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for seq in &old {
            tables::exchange::delete(&transaction, *seq)?;
        }
        if next == Stage::Measure {
            tables::change::delete_before(&transaction, before)?;
            tables::gap::delete_before(&transaction, before)?;
            tables::original::delete_before(&transaction, self.originals_before)?;
        }
        transaction.commit()?;
        self.deleted |= !old.is_empty();
        Ok(if old.len() == CHUNK { self.stage } else { next })
    }

    /// Looks how much must still go. Below the limit, what was deleted is tidied up and that is all.
    fn measure(&mut self, connection: &Connection) -> rusqlite::Result<Stage> {
        let used: i64 = connection.query_row(
            "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
            [],
            |row| row.get(0),
        )?;
        if used > self.max_bytes && self.size_rounds < MAX_SIZE_ROUNDS {
            self.size_rounds += 1;
            let weight: i64 =
                connection
                    .query_row(&format!("SELECT coalesce(sum({WEIGHT}), 0) FROM exchange"), [], |row| row.get(0))?;
            // A tenth below the limit, so that the next hour does not begin at the limit again. What the full text and
            // the indexes take cannot be told per row: rows answer for the whole file in proportion to their texts.
            let excess = i128::from(used - self.max_bytes / 10 * 9);
            let to_go = i128::from(weight) * excess / i128::from(used);
            return Ok(Stage::BySize(i64::try_from(to_go).unwrap_or(i64::MAX).max(1)));
        }
        Ok(if self.deleted { Stage::Vacuum } else { Stage::Done })
    }

    fn by_size(&mut self, connection: &mut Connection, weight: i64) -> rusqlite::Result<Stage> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut left = weight;
        let mut count = 0;
        // Oldest plain rows first; Alerts only when no plain row is left.
        for which in ["verdict = 0", "verdict > 0"] {
            if count > 0 || left <= 0 {
                break;
            }
            let oldest: Vec<(i64, i64)> = transaction
                .prepare_cached(&format!("SELECT seq, {WEIGHT} FROM exchange WHERE {which} ORDER BY at, id LIMIT ?"))?
                .query_map(params![CHUNK as i64], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            for (seq, size) in oldest {
                if left <= 0 {
                    break;
                }
                tables::exchange::delete(&transaction, seq)?;
                left -= size;
                count += 1;
            }
        }
        transaction.commit()?;
        self.deleted |= count > 0;
        Ok(if left > 0 && count > 0 { Stage::BySize(left) } else { Stage::Merge })
    }

    /// Deleted words leave the full text only when its parts are merged; a negative number merges towards one part.
    fn merge(&mut self, connection: &Connection) -> rusqlite::Result<Stage> {
        let before = connection.total_changes();
        connection.execute("INSERT INTO exchange_text (exchange_text, rank) VALUES ('merge', ?)", [-MERGE_PAGES])?;
        self.merges += 1;
        // Fewer than two changes: there was nothing to merge.
        let idle = connection.total_changes().saturating_sub(before) < 2;
        Ok(if idle || self.merges >= MAX_MERGES { Stage::Measure } else { Stage::Merge })
    }
}

#[cfg(test)]
mod tests;
