//! Table `original`: what a redacted Message said, sealed before it gets here. Goes with its Exchange at the latest.

use portcullis_domain::{Direction, UnixMs};
use rusqlite::{Connection, OptionalExtension, params};

pub(crate) fn save(
    connection: &Connection,
    exchange: &str,
    direction: Direction,
    at: UnixMs,
    sealed: &[u8],
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO original (exchange, direction, at, sealed) VALUES (?, ?, ?, ?)")?
        .execute(params![exchange, direction.as_str(), at, sealed])?;
    Ok(())
}

pub(crate) fn get(connection: &Connection, exchange: &str, direction: Direction) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT sealed FROM original WHERE exchange = ? AND direction = ?")?
        .query_row([exchange, direction.as_str()], |row| row.get(0))
        .optional()
}

pub(crate) fn delete_before(connection: &Connection, at: UnixMs) -> rusqlite::Result<usize> {
    connection.execute("DELETE FROM original WHERE at < ?", [at])
}
