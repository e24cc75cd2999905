//! The real server as a child process, and this process's own pipes. Everything that differs between systems.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
mod unix_detached;
#[cfg(unix)]
pub use unix::{Blocking, Server, forward_signals, standard_error, standard_streams, wait_until_unread, write_all};
#[cfg(unix)]
pub use unix_detached::{open_private, start_detached};
#[cfg(any(windows, test))]
mod resolve;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::{
    Blocking, Server, forward_signals, open_private, standard_error, standard_streams, start_detached, write_all,
};

use std::fs::File;
use std::time::Duration;

/// Between closing the server's stdin, asking it to end and ending it.
const GRACE: Duration = Duration::from_secs(2);

pub struct Pipes {
    pub stdin: File,
    pub stdout: File,
    /// None: the server writes to our own stderr (a terminal).
    pub stderr: Option<File>,
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Code(i32),
    Signal(i32),
    /// Somebody asked it to end: the app, or a signal to us.
    AsAsked,
}
