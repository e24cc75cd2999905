//! The server's stderr on its way to ours, byte for byte and unread, but for its last lines: that is how a server says
//! why it ended. Never stdout, never a Message; a reader that does not read holds the server up, as without us.

use crate::process;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Of what is kept. The very last line is often a frame of a stack, and what went wrong stands above it.
const MAX_LINES: usize = 8;
const MAX_LINE_BYTES: usize = 1024;

#[derive(Default)]
pub struct Errors {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The last lines with something on them, and the one that is being written.
    last: VecDeque<Vec<u8>>,
    current: Vec<u8>,
    is_over: bool,
}

impl State {
    fn take_in(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte != b'\n' {
                if self.current.len() < MAX_LINE_BYTES {
                    self.current.push(byte);
                }
            } else if self.current.iter().any(|b| !b.is_ascii_whitespace()) {
                if self.last.len() == MAX_LINES {
                    self.last.pop_front();
                }
                self.last.push_back(std::mem::take(&mut self.current));
            } else {
                self.current.clear();
            }
        }
    }
}

impl Errors {
    /// Starts relaying. None: the server writes there itself.
    pub fn start(source: Option<File>) -> Arc<Self> {
        let errors = Arc::new(Self::default());
        let relaying = errors.clone();
        let Some(source) = source else {
            errors.end();
            return errors;
        };
        crate::start_thread("errors", move || {
            // Either end is gone: the server learns it from its next write, as it would without us.
            let _ = relaying.relay(source);
            relaying.end();
        });
        errors
    }

    fn relay(&self, source: File) -> io::Result<()> {
        let mut source = process::Blocking(source);
        let mut ours = process::standard_error()?;
        let mut buffer = [0; 8 * 1024];
        loop {
            let read = match source.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            process::write_all(&mut ours, &buffer[..read])?;
            self.state.lock().unwrap_or_else(PoisonError::into_inner).take_in(&buffer[..read]);
        }
    }

    fn end(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_over = true;
        self.changed.notify_all();
    }

    /// Waits until everything that the server wrote has gone on, for so long at the most (something that it started may
    /// hold its stderr open).
    pub fn wait_until_over(&self, patience: Duration) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(state, patience, |state| !state.is_over));
    }

    /// The last lines with something on them.
    pub fn last_lines(&self) -> String {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.take_in(b"\n");
        let lines = state.last.iter().map(|line| String::from_utf8_lossy(line).trim_end().to_owned());
        lines.collect::<Vec<_>>().join("\n").trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_with_something_on_them_are_kept_however_they_were_cut() {
        let text = b"one\n\nError: two\r\n  \n    at three";
        for size in 1..text.len() {
            let errors = Errors::default();
            text.chunks(size).for_each(|piece| errors.state.lock().unwrap().take_in(piece));
            assert_eq!(errors.last_lines(), "one\nError: two\n    at three", "pieces of {size}");
        }
    }

    #[test]
    fn a_server_that_never_stops_talking_takes_no_more_room() {
        let errors = Errors::default();
        for n in 0..100 {
            errors.state.lock().unwrap().take_in(format!("{n}{}\n", "x".repeat(5000)).as_bytes());
        }
        let lines = errors.last_lines();
        assert!(lines.starts_with("92x") && lines.contains("\n99x"), "{lines}");
        assert_eq!(lines.len(), MAX_LINES * (MAX_LINE_BYTES + 1) - 1);
    }
}
