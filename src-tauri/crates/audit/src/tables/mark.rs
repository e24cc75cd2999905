//! Table `mark`: small sealed texts that guard a file elsewhere, such as how often it was written. Retention never
//! touches it.

use rusqlite::{Connection, OptionalExtension};

pub(crate) fn set(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("INSERT OR REPLACE INTO mark (name, value) VALUES (?, ?)")?.execute([name, value])?;
    Ok(())
}

/// Whatever can still be read from a damaged database.
pub(crate) fn salvage(connection: &Connection) -> Vec<(String, String)> {
    let Ok(mut statement) = connection.prepare("SELECT name, value FROM mark") else { return Vec::new() };
    let Ok(rows) = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))) else { return Vec::new() };
    rows.map_while(Result::ok).collect()
}

pub(crate) fn get(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection.prepare_cached("SELECT value FROM mark WHERE name = ?")?.query_row([name], |row| row.get(0)).optional()
}
