//! Table `gap`: how many plain rows could not be kept, and when.

use super::{from_integer, to_integer};
use portcullis_domain::{Gap, UnixMs};
use rusqlite::{Connection, OptionalExtension, params};

/// Losses this close together are one gap: a busy hour is a few rows, not thousands.
const SAME_GAP_MS: i64 = 10_000;

pub(crate) fn insert(connection: &Connection, gap: &Gap) -> rusqlite::Result<()> {
    let last: Option<(i64, UnixMs)> = connection
        .prepare_cached("SELECT seq, at FROM gap ORDER BY at DESC, seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match last {
        Some((seq, at)) if gap.at.saturating_sub(at).saturating_abs() < SAME_GAP_MS => connection
            .prepare_cached("UPDATE gap SET dropped = dropped + ? WHERE seq = ?")?
            .execute(params![to_integer(gap.dropped), seq])?,
        _ => connection
            .prepare_cached("INSERT INTO gap (at, dropped) VALUES (?, ?)")?
            .execute(params![gap.at, to_integer(gap.dropped)])?,
    };
    Ok(())
}

pub(crate) fn newest(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<Gap>> {
    connection
        .prepare_cached("SELECT at, dropped FROM gap ORDER BY at DESC, seq DESC LIMIT ?")?
        .query_map([limit as i64], |row| Ok(Gap { at: row.get(0)?, dropped: from_integer(row.get(1)?) }))?
        .collect()
}

pub(crate) fn delete_before(connection: &Connection, at: UnixMs) -> rusqlite::Result<usize> {
    connection.execute("DELETE FROM gap WHERE at < ?", [at])
}
