//! Table `pin`: definitions as last approved, and what was seen instead. Retention never touches it.

use super::{from_word, to_word};
use portcullis_domain::{Pin, Quarantine, UpstreamId};
use rusqlite::{Connection, Row, params};

pub(crate) fn save(connection: &Connection, pin: &Pin) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO pin (upstream, kind, name, approved, approved_at, approved_by, changed, seen_at, drift, quarantine)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            pin.upstream.as_str(),
            pin.kind.as_str(),
            pin.name,
            pin.approved,
            pin.approved_at,
            to_word(&pin.approved_by),
            pin.changed,
            pin.seen_at,
            pin.drift.as_ref().map(|drift| serde_json::to_string(drift).unwrap_or_default()),
            pin.quarantine.as_ref().map(to_word)
        ])?;
    Ok(())
}

pub(crate) fn delete(connection: &Connection, upstream: &UpstreamId) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM pin WHERE upstream = ?")?.execute([upstream.as_str()])?;
    Ok(())
}

const SELECT: &str =
    "SELECT upstream, kind, name, approved, approved_at, approved_by, changed, seen_at, drift, quarantine FROM pin";
/// As version 1 knew them: a damaged file is never migrated before it is read.
const SELECT_V1: &str =
    "SELECT upstream, kind, name, approved, approved_at, approved_by, changed, seen_at, NULL, NULL FROM pin";

/// A word that a later version wrote still holds the definition back.
fn quarantine(row: &Row<'_>) -> rusqlite::Result<Option<Quarantine>> {
    let word: Option<String> = row.get(9)?;
    Ok(word.map(|_| from_word(row, 9).unwrap_or(Quarantine::Changed)))
}

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
        drift: row.get::<_, Option<String>>(8)?.and_then(|text| serde_json::from_str(&text).ok()),
        quarantine: quarantine(row)?,
    })
}

pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<Pin>> {
    connection.prepare_cached(SELECT)?.query_map([], read)?.collect()
}

/// Whatever can still be read from a damaged database: stops at the first page that cannot.
pub(crate) fn salvage(connection: &Connection) -> Vec<Pin> {
    let Ok(mut statement) = connection.prepare(SELECT).or_else(|_| connection.prepare(SELECT_V1)) else {
        return Vec::new();
    };
    let Ok(rows) = statement.query_map([], read) else { return Vec::new() };
    rows.map_while(Result::ok).collect()
}
