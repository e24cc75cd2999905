//! Opening the database file: mode 0600, WAL, the schema brought up to date, newer and damaged files told apart.

use crate::error::is_damage;
use crate::{Error, migrations, recover};
use portcullis_domain::UnixMs;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The connection of the writer. A damaged file is moved aside first.
pub(crate) fn writer(path: &Path, now: UnixMs) -> Result<Connection, Error> {
    match create(path) {
        Err(error) => match damage(&error) {
            Some(reason) => recover::begin_anew(path, &reason, now),
            None => Err(error),
        },
        sound => sound,
    }
}

fn damage(error: &Error) -> Option<String> {
    match error {
        Error::Sqlite(error) | Error::Migration(rusqlite_migration::Error::RusqliteError { err: error, .. })
            if is_damage(error) =>
        {
            Some(error.to_string())
        }
        _ => None,
    }
}

/// Opens the file, creating it when there is none, and brings its schema up to date.
pub(crate) fn create(path: &Path) -> Result<Connection, Error> {
    private_file(path)?;
    let mut connection = connect(path)?;
    // Takes effect only before the first table exists; with it retention can give pages back.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "journal_size_limit", 8 * 1024 * 1024)?;
    let found = migrations::version(&connection)?;
    if found > migrations::KNOWN {
        return Err(Error::Newer { path: path.to_owned(), found, known: migrations::KNOWN });
    }
    migrations::migrate(&mut connection)?;
    touch_every_table(&connection)?;
    Ok(connection)
}

/// A connection that only reads. The file must exist and be of this program's version.
pub(crate) fn reader(path: &Path) -> Result<Connection, Error> {
    if !path.exists() {
        return Err(Error::Missing { path: path.to_owned() });
    }
    let opened = connect(path).map_err(Error::from).and_then(|connection| {
        connection.pragma_update(None, "query_only", true)?;
        Ok((migrations::version(&connection)?, connection))
    });
    match opened {
        Ok((found, _)) if found > migrations::KNOWN => {
            Err(Error::Newer { path: path.to_owned(), found, known: migrations::KNOWN })
        }
        Ok((found, _)) if found < migrations::KNOWN => {
            Err(Error::Older { path: path.to_owned(), found, known: migrations::KNOWN })
        }
        Ok((_, connection)) => Ok(connection),
        Err(error) => match damage(&error) {
            Some(reason) => Err(Error::Damaged { path: path.to_owned(), reason }),
            None => Err(error),
        },
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // No CREATE: the file was made by us with its mode, or must exist. No URI: a path is never a query.
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(48);
    Ok(connection)
}

/// A whole check would read the whole file at every start; the first page of each tree finds what a torn copy,
/// a truncated or an overwritten file look like. Damage deeper inside is found when it is met.
fn touch_every_table(connection: &Connection) -> rusqlite::Result<()> {
    for table in ["exchange", "exchange_text_data", "review", "change", "gap", "pin"] {
        connection.query_row(&format!("SELECT EXISTS (SELECT * FROM {table})"), [], |_| Ok(()))?;
    }
    for order in
        ["exchange ORDER BY at DESC", "exchange ORDER BY seq DESC", "change ORDER BY at DESC", "gap ORDER BY at DESC"]
    {
        connection.query_row(&format!("SELECT EXISTS (SELECT * FROM {order} LIMIT 1)"), [], |_| Ok(()))?;
    }
    Ok(())
}

/// The file exists and only its owner can open it. SQLite gives its side files the same mode.
fn private_file(path: &Path) -> Result<(), Error> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| Error::file(path, "opened", error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().map_err(|error| Error::file(path, "examined", error))?.permissions().mode();
        if mode & 0o077 != 0 {
            file.set_permissions(std::fs::Permissions::from_mode(0o600))
                .map_err(|error| Error::file(path, "made private", error))?;
        }
    }
    drop(file);
    Ok(())
}
