//! What can go wrong between "start" and "listening", and in the commands: each says what happened, where, what to do.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no home directory was found: set PORTCULLIS_HOME to the folder that is to hold Portcullis' state")]
    NoHome,
    #[error(
        "the state folder {} has a space in its path, which apps' configs cannot carry: set PORTCULLIS_HOME to a path without spaces", .0.display()
    )]
    HomeWithSpace(PathBuf),
    #[error("the state folder {} is not a full path: set PORTCULLIS_HOME to one that starts at the root", .0.display())]
    HomeNotAbsolute(PathBuf),
    #[error("the state folder {} is not private: {reason}", path.display())]
    HomeNotPrivate { path: PathBuf, reason: String },
    /// What was kept encrypted cannot be used.
    #[error("{0}")]
    Seal(&'static str),
    #[error("{doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{}{}: {message}. Correct the file, or delete it to get the defaults back", path.display(), at_line(*line))]
    Config { path: PathBuf, line: Option<usize>, message: String },
    #[error("Portcullis is already running (process {pid}, dashboard http://127.0.0.1:{dashboard_port})")]
    AlreadyRunning { pid: u32, proxy_port: u16, dashboard_port: u16 },
    #[error(
        "another portcullis command is using {}: wait until it has finished, or run `portcullis doctor`", .0.display()
    )]
    Locked(PathBuf),
    #[error(
        "port {port} of 127.0.0.1 ({purpose}) is taken by another program. Protected apps point at it, so it is not changed by itself: stop that program (`ss -ltnp | grep {port}` shows it), or start with {flag} <port> and protect the apps again"
    )]
    PortTaken { port: u16, purpose: &'static str, flag: &'static str },
    #[error("listening on 127.0.0.1 failed: {0}")]
    Listen(std::io::Error),
    #[error("the audit log could not be opened: {0}")]
    Audit(String),
    #[error("the apps' configs could not be looked at: {0}")]
    Clients(String),
    #[error("{name} was not found beside {}: reinstall Portcullis", beside.display())]
    MissingBinary { name: String, beside: PathBuf },
    #[error("the system gave no random bytes: {0}")]
    Random(getrandom::Error),
}

fn at_line(line: Option<usize>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}
