//! Table `mark`: small sealed texts that guard a file elsewhere, such as how often it was written. Retention never
//! touches it.

use rusqlite::{Connection, OptionalExtension};

pub(crate) fn set(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("INSERT OR REPLACE INTO mark (name, value) VALUES (?, ?)")?.execute([name, value])?;
    Ok(())
}

pub(crate) fn get(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection.prepare_cached("SELECT value FROM mark WHERE name = ?")?.query_row([name], |row| row.get(0)).optional()
}
