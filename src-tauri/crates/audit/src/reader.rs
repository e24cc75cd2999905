//! Everything that is read: pages, details, Alerts, counts. Each call takes a connection of a small pool, so that a slow
//! search never keeps another reader, nor the writer, waiting.

use crate::filter::{Conditions, ExchangeFilter, cursor};
use crate::tables::{self, exchange};
use crate::{Error, open};
use portcullis_domain::api::{AlertGroup, AlertPage, ExchangePage, ExchangeRow, Review, Stats, StatsBucket};
use portcullis_domain::{Change, Direction, Exchange, ExchangeId, Gap, Pin, UnixMs, UpstreamId, Verdict};
use rusqlite::Connection;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Totals are exact up to this.
const MAX_TOTAL: u64 = 100_000;
const MAX_PAGE: usize = 1000;
const MAX_IDLE_CONNECTIONS: usize = 3;
const HOUR_MS: i64 = 60 * 60 * 1000;
const MAX_HOURS: u32 = 24 * 31;

/// Which Alerts a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertState {
    Open,
    Reviewed,
    All,
}

/// An Exchange with what the person said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredExchange {
    pub exchange: Exchange,
    pub review: Option<Review>,
}

/// Traffic of one Upstream, as observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpstreamActivity {
    pub last_at: UnixMs,
    /// Messages since the time asked for.
    pub messages: u64,
}

/// Reads the audit log, beside the writer or without one (another process may be writing).
pub struct Reader {
    path: PathBuf,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    connections: Vec<Connection>,
    /// Rises when the file was replaced: connections of before are not taken back.
    generation: u64,
}

impl Reader {
    /// For a program that only looks, while the daemon runs or not. The file must exist and be of our version.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let first = open::reader(&path)?;
        Ok(Self { path, idle: Mutex::new(Idle { connections: vec![first], generation: 0 }) })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn forget_connections(&self) {
        let mut idle = self.idle();
        idle.generation += 1;
        idle.connections.clear();
    }

    pub(crate) fn with<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let (generation, waiting) = {
            let mut idle = self.idle();
            (idle.generation, idle.connections.pop())
        };
        let connection = match waiting {
            Some(connection) => connection,
            None => open::reader(&self.path)?,
        };
        // One transaction, so that a page and its total speak of the same moment.
        let snapshot = connection.unchecked_transaction()?;
        let result = read(&snapshot);
        snapshot.finish()?;
        let mut idle = self.idle();
        if idle.generation == generation && idle.connections.len() < MAX_IDLE_CONNECTIONS {
            idle.connections.push(connection);
        }
        result
    }

    /// One page, newest first. `cursor` is the previous page's `next`.
    pub fn exchanges(&self, filter: &ExchangeFilter, after: Option<&str>, limit: usize) -> Result<ExchangePage, Error> {
        let limit = limit.clamp(1, MAX_PAGE);
        let all = Conditions::of(filter);
        let mut page = Conditions::of(filter);
        if let Some(after) = after {
            page.after(after)?;
        }
        self.with(|connection| {
            let total = exchange::count(connection, &all.sql, &all.values, MAX_TOTAL + 1)?;
            let mut rows = exchange::rows(connection, &page.sql, &page.values, limit + 1)?;
            let more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| more).map(|row| cursor(row.at, row.id.as_str()));
            Ok(ExchangePage { rows, next, total: (total <= MAX_TOTAL).then_some(total) })
        })
    }

    pub fn exchange(&self, id: &ExchangeId) -> Result<Option<StoredExchange>, Error> {
        self.with(|connection| {
            let Some(exchange) = exchange::get(connection, id.as_str())? else { return Ok(None) };
            Ok(Some(StoredExchange { exchange, review: tables::review::get(connection, id.as_str())? }))
        })
    }

    /// Up to `n` rows before and `n` after this one in the same Session, oldest first, without itself.
    pub fn trail(&self, id: &ExchangeId, n: usize) -> Result<Vec<ExchangeRow>, Error> {
        let n = n.min(MAX_PAGE);
        let part = |connection: &Connection, before: bool| -> Result<Vec<ExchangeRow>, Error> {
            let (compare, order) = if before { ("<", "DESC") } else { (">", "ASC") };
            let rows = connection
                .prepare_cached(&format!(
                    "SELECT {} FROM exchange this
                     JOIN exchange e ON e.session = this.session AND (e.at, e.id) {compare} (this.at, this.id)
                     LEFT JOIN review r ON r.exchange = e.id
                     WHERE this.id = ? ORDER BY e.at {order}, e.id {order} LIMIT {n}",
                    exchange::ROW
                ))?
                .query_map([id.as_str()], exchange::read_row)?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(rows)
        };
        self.with(|connection| {
            let mut rows = part(connection, true)?;
            rows.reverse();
            rows.extend(part(connection, false)?);
            Ok(rows)
        })
    }

    /// Exchanges of Flag or more, newest first. Equal ones (Upstream, Signature, method, target, Verdict) are one
    /// group; in `All` the open and the reviewed ones of a kind are two groups, so that a group is never half reviewed.
    pub fn alerts(&self, state: AlertState, limit: usize) -> Result<AlertPage, Error> {
        let limit = limit.clamp(1, MAX_PAGE);
        let which = match state {
            AlertState::Open => "AND r.exchange IS NULL",
            AlertState::Reviewed => "AND r.exchange IS NOT NULL",
            AlertState::All => "",
        };
        self.with(|connection| {
            let groups = connection
                .prepare_cached(&format!(
                    "WITH alert AS (
                         SELECT e.seq, row_number() OVER newest AS place, count(*) OVER equal AS count,
                             min(e.at) OVER equal AS first_at
                         FROM exchange e LEFT JOIN review r ON r.exchange = e.id
                         WHERE e.verdict > 0 {which}
                         WINDOW equal AS (PARTITION BY e.upstream, e.signature, e.method, e.target, e.verdict,
                                 r.exchange IS NOT NULL),
                             newest AS (equal ORDER BY e.at DESC, e.id DESC)
                     )
                     SELECT {}, alert.count, alert.first_at FROM alert
                     JOIN exchange e ON e.seq = alert.seq LEFT JOIN review r ON r.exchange = e.id
                     WHERE alert.place = 1 ORDER BY e.at DESC, e.id DESC LIMIT {limit}",
                    exchange::ROW
                ))?
                .query_map([], |row| {
                    Ok(AlertGroup { newest: exchange::read_row(row)?, count: row.get(16)?, first_at: row.get(17)? })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let all = exchange::count(connection, "e.verdict > 0", &[], u64::from(u32::MAX))?;
            Ok(AlertPage { groups, open: count_open(connection, Verdict::Flag)?, all })
        })
    }

    /// Alerts nobody has reviewed.
    pub fn open_alerts(&self) -> Result<u64, Error> {
        self.with(|connection| count_open(connection, Verdict::Flag))
    }

    /// Blocked Exchanges nobody has reviewed.
    pub fn open_blocks(&self) -> Result<u64, Error> {
        self.with(|connection| count_open(connection, Verdict::Block))
    }

    pub fn newest_alert(&self) -> Result<Option<ExchangeRow>, Error> {
        self.with(|connection| Ok(exchange::rows(connection, "e.verdict > 0", &[], 1)?.pop()))
    }

    /// One bucket per hour (of UTC), oldest first, the last one holding `now`; empty hours too.
    pub fn stats(&self, hours: u32, now: UnixMs) -> Result<Stats, Error> {
        let hours = i64::from(hours.clamp(1, MAX_HOURS));
        let first = (now.div_euclid(HOUR_MS) + 1).saturating_sub(hours).saturating_mul(HOUR_MS);
        let empty = |hour: i64| StatsBucket {
            from: first.saturating_add(hour * HOUR_MS),
            messages: 0,
            flagged: 0,
            asked: 0,
            blocked: 0,
        };
        let mut buckets: Vec<StatsBucket> = (0..hours).map(empty).collect();
        self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT (at - ?1) / ?2 AS hour, sum(messages), sum(verdict IN (1, 2)), sum(verdict = 3), sum(verdict = 4)
                 FROM exchange WHERE at >= ?1 AND at < ?3 GROUP BY hour",
            )?;
            let mut rows = statement.query([first, HOUR_MS, first.saturating_add(hours * HOUR_MS)])?;
            while let Some(row) = rows.next()? {
                let hour: i64 = row.get(0)?;
                if let Some(bucket) = usize::try_from(hour).ok().and_then(|hour| buckets.get_mut(hour)) {
                    bucket.messages = tables::from_integer(row.get(1)?);
                    bucket.flagged = tables::from_integer(row.get(2)?);
                    bucket.asked = tables::from_integer(row.get(3)?);
                    bucket.blocked = tables::from_integer(row.get(4)?);
                }
            }
            Ok(())
        })?;
        Ok(Stats { buckets })
    }

    /// Per Upstream: when it was last seen, and its Messages since `since`.
    pub fn upstream_activity(&self, since: UnixMs) -> Result<HashMap<UpstreamId, UpstreamActivity>, Error> {
        self.with(|connection| {
            let activity = connection
                .prepare_cached(
                    "SELECT upstream, max(at), sum(CASE WHEN at >= ? THEN messages ELSE 0 END) FROM exchange GROUP BY upstream",
                )?
                .query_map([since], |row| {
                    let messages = tables::from_integer(row.get(2)?);
                    Ok((UpstreamId(row.get(0)?), UpstreamActivity { last_at: row.get(1)?, messages }))
                })?
                .collect::<rusqlite::Result<_>>()?;
            Ok(activity)
        })
    }

    /// Messages (requests, notifications and responses) of Exchanges that began at `since` or later.
    pub fn messages_since(&self, since: UnixMs) -> Result<u64, Error> {
        self.with(|connection| {
            let sum: i64 = connection
                .prepare_cached("SELECT coalesce(sum(messages), 0) FROM exchange WHERE at >= ?")?
                .query_row([since], |row| row.get(0))?;
            Ok(tables::from_integer(sum))
        })
    }

    /// When the newest Exchange began.
    pub fn last_message_at(&self) -> Result<Option<UnixMs>, Error> {
        self.with(|connection| Ok(connection.query_row("SELECT max(at) FROM exchange", [], |row| row.get(0))?))
    }

    /// In how many Exchanges since `since` each Signature matched.
    pub fn signature_hits(&self, since: UnixMs) -> Result<HashMap<String, u64>, Error> {
        self.with(|connection| {
            let hits = connection
                .prepare_cached(
                    "SELECT f.value ->> '$.signature' AS signature, count(DISTINCT e.seq)
                     FROM exchange e, json_each(e.findings) f
                     WHERE e.signature IS NOT NULL AND e.at >= ? GROUP BY 1",
                )?
                .query_map([since], |row| Ok((row.get(0)?, tables::from_integer(row.get(1)?))))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(hits)
        })
    }

    /// Newest first.
    pub fn changes(&self, limit: usize) -> Result<Vec<Change>, Error> {
        self.with(|connection| Ok(tables::change::newest(connection, limit.min(MAX_PAGE))?))
    }

    /// Newest first.
    pub fn gaps(&self, limit: usize) -> Result<Vec<Gap>, Error> {
        self.with(|connection| Ok(tables::gap::newest(connection, limit.min(MAX_PAGE))?))
    }

    /// Sealed, as it was given.
    pub fn original(&self, id: &ExchangeId, direction: Direction) -> Result<Option<Vec<u8>>, Error> {
        self.with(|connection| Ok(tables::original::get(connection, id.as_str(), direction)?))
    }

    pub fn mark(&self, name: &str) -> Result<Option<String>, Error> {
        self.with(|connection| Ok(tables::mark::get(connection, name)?))
    }

    pub fn pins(&self) -> Result<Vec<Pin>, Error> {
        self.with(|connection| Ok(tables::pin::all(connection)?))
    }
}

fn count_open(connection: &Connection, least: Verdict) -> Result<u64, Error> {
    // `verdict > 0` is what the index of Alerts covers.
    let unreviewed = format!(
        "e.verdict > 0 AND e.verdict >= {} AND NOT EXISTS (SELECT 1 FROM review r WHERE r.exchange = e.id)",
        tables::rank(least)
    );
    Ok(exchange::count(connection, &unreviewed, &[], u64::from(u32::MAX))?)
}
