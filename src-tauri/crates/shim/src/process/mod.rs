//! The real server as a child process, and this process's own pipes. Everything that differs between systems.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::{Blocking, Server, forward_signals, standard_streams, wait_until_unread, write_all};
#[cfg(any(windows, test))]
mod resolve;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::{Blocking, Server, forward_signals, standard_streams, write_all};

use std::fs::File;
use std::time::Duration;

/// Between closing the server's stdin, asking it to end and ending it.
const GRACE: Duration = Duration::from_secs(2);

pub struct Pipes {
    pub stdin: File,
    pub stdout: File,
}
