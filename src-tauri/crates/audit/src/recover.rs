//! A damaged database is moved aside, never deleted, and a new one begun. Pins and marks that can still be read are carried
//! over: without the ones every definition would count as seen for the first time, without the others an older copy of a
//! sealed file would count.

use crate::{Error, open, tables};
use portcullis_domain::{Change, ChangeKind, UnixMs};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};

pub(crate) fn begin_anew(path: &Path, reason: &str, now: UnixMs) -> Result<Connection, Error> {
    let aside = move_aside(path, now)?;
    let (pins, marks) =
        Connection::open_with_flags(&aside, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map(|old| {
                // Lets SQLite pass over schema entries that make no sense, instead of refusing every statement.
                let _ = old.pragma_update(None, "writable_schema", true);
                (tables::pin::salvage(&old), tables::mark::salvage(&old))
            })
            .unwrap_or_default();
    let connection = open::create(path)?;
    for pin in &pins {
        tables::pin::save(&connection, pin)?;
    }
    for (name, value) in &marks {
        tables::mark::set(&connection, name, value)?;
    }
    let summary = format!(
        "The audit log was damaged ({reason}). It was moved to {} and a new one begun; {} approved definitions were carried over.",
        aside.display(),
        pins.len()
    );
    tracing::error!("{summary}");
    tables::change::insert(
        &connection,
        &Change { at: now, kind: ChangeKind::AuditMovedAside, app: None, summary, loosens: false },
    )?;
    Ok(connection)
}

/// Moves the database with its log of writes to `audit.corrupt-<time>.db`; that name must not exist yet.
fn move_aside(path: &Path, now: UnixMs) -> Result<PathBuf, Error> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let aside = (0..)
        .map(|n| now.saturating_add(n))
        .map(|time| path.with_file_name(format!("{stem}.corrupt-{time}.db")))
        .find(|candidate| !candidate.exists())
        .unwrap_or_else(|| path.with_file_name(format!("{stem}.corrupt.db")));
    std::fs::rename(path, &aside).map_err(|error| Error::file(path, "moved aside", error))?;
    for suffix in ["-wal", "-shm"] {
        let from = with_suffix(path, suffix);
        match std::fs::rename(&from, with_suffix(&aside, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::file(&from, "moved aside", error));
            }
            _ => {}
        }
    }
    Ok(aside)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
