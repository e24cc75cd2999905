//! Table `pin`: definitions as last approved, and what was seen instead. Retention never touches it.

use super::{from_word, to_word};
use portcullis_domain::{Pin, UpstreamId};
use rusqlite::{Connection, Row, params};

pub(crate) fn save(connection: &Connection, pin: &Pin) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO pin (upstream, kind, name, approved, approved_at, approved_by, changed, seen_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            pin.upstream.as_str(),
            pin.kind.as_str(),
            pin.name,
            pin.approved,
            pin.approved_at,
            to_word(&pin.approved_by),
            pin.changed,
            pin.seen_at
        ])?;
    Ok(())
}

pub(crate) fn delete(connection: &Connection, upstream: &UpstreamId) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM pin WHERE upstream = ?")?.execute([upstream.as_str()])?;
    Ok(())
}

const SELECT: &str = "SELECT upstream, kind, name, approved, approved_at, approved_by, changed, seen_at FROM pin";

fn read(row: &Row<'_>) -> rusqlite::Result<Pin> {
    Ok(Pin {
        upstream: UpstreamId(row.get(0)?),
        kind: from_word(row, 1)?,
        name: row.get(2)?,
        approved: row.get(3)?,
        approved_at: row.get(4)?,
        approved_by: from_word(row, 5)?,
        changed: row.get(6)?,
        seen_at: row.get(7)?,
    })
}

pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<Pin>> {
    connection.prepare_cached(SELECT)?.query_map([], read)?.collect()
}

/// Whatever can still be read from a damaged database: stops at the first page that cannot.
pub(crate) fn salvage(connection: &Connection) -> Vec<Pin> {
    let Ok(mut statement) = connection.prepare(SELECT) else { return Vec::new() };
    let Ok(rows) = statement.query_map([], read) else { return Vec::new() };
    rows.map_while(Result::ok).collect()
}
