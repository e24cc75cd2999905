//! What can go wrong with other apps' files. Every message says what happened, where, and what to do; `code()` is stable
//! and is what the API and the UI switch on.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no app called `{0}`; `portcullis apps` lists the known ones")]
    UnknownApp(String),
    #[error("{app} has no server called `{server}`; look at its list of servers again")]
    NotFound { app: String, server: String },
    #[error(
        "{} cannot be read: line {line}, column {column}: {reason}. Nothing was changed; correct the file and try again",
        file.display()
    )]
    Unparseable { file: PathBuf, line: u32, column: u32, reason: String },
    #[error("{} changed since the preview; look at a new preview and apply that", file.display())]
    Changed { file: PathBuf },
    #[error("this preview is not known any more; ask for a new preview and apply that")]
    PreviewExpired,
    #[error("{} cannot be written: {reason}. Make it writable, or paste the preview's lines yourself", file.display())]
    ReadOnly { file: PathBuf, reason: String },
    #[error(
        "{} is written by {manager}, which would undo a change made here; put the preview's lines into its source",
        file.display()
    )]
    Managed { file: PathBuf, manager: String },
    #[error("{} is being written by its app (it holds {}); try again in a moment", file.display(), lock.display())]
    AppLocked { file: PathBuf, lock: PathBuf },
    #[error("{} is {reason}; Portcullis leaves it alone", file.display())]
    UnsafeFile { file: PathBuf, reason: String },
    #[error("the planned change of {} touches more than it should, so nothing was written; please report this", file.display())]
    VerificationFailed { file: PathBuf },
    #[error(
        "the path of the shim, {}, {reason}; some apps cannot start such a command. Set PORTCULLIS_HOME to another directory",
        path.display()
    )]
    BadShimPath { path: PathBuf, reason: &'static str },
    #[error("another Portcullis process is changing configs right now; try again in a moment")]
    Busy,
    #[error("the journal {} cannot be used: {reason}. No config was changed", file.display())]
    Journal { file: PathBuf, reason: String },
    #[error(
        "the journal {} was written by a newer Portcullis: this one can restore, not protect; update it",
        file.display()
    )]
    JournalNewer { file: PathBuf },
    #[error("the description of the app `{app}` is not valid: {reason}")]
    Descriptor { app: String, reason: String },
    #[error(
        "{} still leads through Portcullis, and how `{app}` writes it is not known any more: put the description of the app back, or correct the file by hand",
        file.display()
    )]
    Undescribed { file: PathBuf, app: String },
    #[error("{} is not a folder whose project files are looked at; name an existing folder", folder.display())]
    NotAFolder { folder: PathBuf },
    #[error("{action} {} failed: {source}", file.display())]
    Io { action: &'static str, file: PathBuf, source: std::io::Error },
    #[error("watching the apps' config files failed: {0}")]
    Watch(String),
}

impl Error {
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownApp(_) => "unknown_app",
            Self::NotFound { .. } => "not_found",
            Self::Unparseable { .. } => "config_unparseable",
            Self::Changed { .. } => "config_changed",
            Self::PreviewExpired => "preview_expired",
            Self::ReadOnly { .. } => "read_only",
            Self::Managed { .. } => "config_managed",
            Self::AppLocked { .. } => "config_locked",
            Self::UnsafeFile { .. } => "config_unsafe",
            Self::VerificationFailed { .. } => "verification_failed",
            Self::BadShimPath { .. } => "bad_shim_path",
            Self::Busy => "busy",
            Self::Journal { .. } => "journal_unusable",
            Self::JournalNewer { .. } => "journal_newer",
            Self::Descriptor { .. } => "descriptor_invalid",
            Self::Undescribed { .. } => "app_undescribed",
            Self::NotAFolder { .. } => "not_a_folder",
            Self::Io { .. } => "config_io",
            Self::Watch(_) => "watch_failed",
        }
    }

    /// Where in which file, for errors that know it: the API's `details`.
    pub fn details(&self) -> Option<serde_json::Value> {
        match self {
            Self::Unparseable { file, line, column, reason } => Some(serde_json::json!({
                "file": file.display().to_string(), "line": line, "column": column, "reason": reason,
            })),
            Self::Changed { file }
            | Self::ReadOnly { file, .. }
            | Self::Managed { file, .. }
            | Self::AppLocked { file, .. }
            | Self::Undescribed { file, .. }
            | Self::UnsafeFile { file, .. } => Some(serde_json::json!({ "file": file.display().to_string() })),
            _ => None,
        }
    }

    pub(crate) fn io(action: &'static str, file: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let file = file.to_path_buf();
        move |source| Self::Io { action, file, source }
    }
}
