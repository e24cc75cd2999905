//! What can go wrong with the audit log, said so that a person knows what to do.

use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "The audit log {} was written by a newer Portcullis (schema {found}, this one knows {known}). \
         Start the newer version, or move the file away to begin a new log.", path.display()
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error(
        "The audit log {} is of an older version (schema {found}, this one reads {known}). \
         Start Portcullis once to bring it up to date.", path.display()
    )]
    Older { path: PathBuf, found: i64, known: i64 },
    #[error("The audit log {} is damaged ({reason}). Restart Portcullis: it is moved aside and a new one begun.", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("There is no audit log at {}. It is created when Portcullis starts.", path.display())]
    Missing { path: PathBuf },
    #[error("The audit log {} cannot be {action}: {source}. Check that the folder exists, is yours and has free space.", path.display())]
    File { path: PathBuf, action: &'static str, source: std::io::Error },
    #[error("The audit log could not be read or written: {0}. If it stays so, restart Portcullis.")]
    Sqlite(#[from] rusqlite::Error),
    #[error("The audit log's schema could not be brought up to date: {0}. Move the file away to begin a new log.")]
    Migration(#[from] rusqlite_migration::Error),
    #[error("{0:?} is no page cursor. Start again from the first page.")]
    Cursor(String),
    #[error("The audit log is not being written: {0}. Free disk space or restart Portcullis.")]
    NotWritten(String),
    #[error("The audit log is closed.")]
    Closed,
    #[error("The rows could not be written out: {0}.")]
    Output(#[from] std::io::Error),
}

impl Error {
    /// A stable word for the API and the CLI.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Newer { .. } => "audit_newer",
            Self::Older { .. } => "audit_older",
            Self::Damaged { .. } => "audit_damaged",
            Self::Missing { .. } => "audit_missing",
            Self::File { .. } => "audit_file",
            Self::Sqlite(_) | Self::Migration(_) => "audit_unavailable",
            Self::Cursor(_) => "bad_cursor",
            Self::NotWritten(_) => "audit_not_written",
            Self::Closed => "audit_closed",
            Self::Output(_) => "output",
        }
    }

    pub(crate) fn file(path: &Path, action: &'static str, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), action, source }
    }
}

/// Whether this error says that the file's content is no sound database.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase))
}

/// Whether a write failed because of this one row, rather than because of the disk or the file: only then may the
/// row be given up; everything else is tried again.
pub(crate) fn is_of_the_row(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode as Code;
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => {
            matches!(
                failure.code,
                Code::ConstraintViolation | Code::TypeMismatch | Code::TooBig | Code::ParameterOutOfRange
            )
        }
        rusqlite::Error::ToSqlConversionFailure(_) | rusqlite::Error::InvalidParameterName(_) => true,
        _ => false,
    }
}
