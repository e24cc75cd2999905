//! Table `change`: who changed what about the protection.

use super::{from_word, to_word};
use portcullis_domain::{AppId, Change, UnixMs};
use rusqlite::{Connection, params};

pub(crate) fn insert(connection: &Connection, change: &Change) -> rusqlite::Result<()> {
    connection.prepare_cached("INSERT INTO change (at, kind, app, summary, loosens) VALUES (?, ?, ?, ?, ?)")?.execute(
        params![
            change.at,
            to_word(&change.kind),
            change.app.as_ref().map(AppId::as_str),
            change.summary,
            change.loosens
        ],
    )?;
    Ok(())
}

pub(crate) fn newest(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<Change>> {
    connection
        .prepare_cached("SELECT at, kind, app, summary, loosens FROM change ORDER BY at DESC, seq DESC LIMIT ?")?
        .query_map([limit as i64], |row| {
            Ok(Change {
                at: row.get(0)?,
                kind: from_word(row, 1)?,
                app: row.get::<_, Option<String>>(2)?.map(AppId),
                summary: row.get(3)?,
                loosens: row.get(4)?,
            })
        })?
        .collect()
}

pub(crate) fn delete_before(connection: &Connection, at: UnixMs) -> rusqlite::Result<usize> {
    connection.execute("DELETE FROM change WHERE at < ?", [at])
}
