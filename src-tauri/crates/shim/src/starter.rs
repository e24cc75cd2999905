//! Starts a daemon where none runs: the program and the environment that the daemon itself left in the sealed snapshot,
//! never what this process was given. One shim at a time (a lock in the state directory), a few times at the most (the
//! lock's file remembers, whoever tried), detached from the app. Messages do not wait for it: they are judged here.
//!
//! FailureMode: whatever goes wrong, this process goes on judging by itself.

use crate::home::Home;
use crate::session::now_ms;
use crate::{link, local, process};
use portcullis_domain::UnixMs;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A daemon that ends again and again is not started for ever: so many starts within so long, of all shims together.
const STARTS: (usize, UnixMs) = (3, 10 * 60_000);
/// From its start to its socket.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);

#[derive(Default)]
pub struct Starter {
    busy: AtomicBool,
}

impl Starter {
    /// Nobody answers at the daemon's socket. Returns at once; the attempt is made beside the traffic.
    pub fn daemon_is_away(self: &Arc<Self>, home: &Home) {
        if self.busy.swap(true, Ordering::AcqRel) {
            return;
        }
        let (starter, home) = (self.clone(), home.clone());
        crate::start_thread("starter", move || {
            match start(&home) {
                Ok(None) => {}
                Ok(Some(why)) => crate::say(&format!("the daemon was not started: {why}")),
                Err(error) => crate::say(&format!("the daemon was not started: {error}")),
            }
            starter.busy.store(false, Ordering::Release);
        });
    }
}

/// None: it is there now, or must not be started. Some: why it is not there.
fn start(home: &Home) -> io::Result<Option<String>> {
    // Without a snapshot no daemon ever ran here; one that was edited says nothing that may be done.
    let Ok(Some(revival)) = local::revival(home) else { return Ok(None) };
    let mut file = process::open_private(&home.starting())?;
    file.lock()?;
    // Whoever had the lock before may have started it.
    if link::connect(home).is_ok() {
        return Ok(None);
    }
    if !counted(&mut file)? {
        return Ok(Some("it was started several times and did not stay. See `portcullis doctor`".into()));
    }
    let mut daemon = process::start_detached(&revival)?;
    let started = Instant::now();
    while link::connect(home).is_err() {
        if let Some(status) = daemon.try_wait()? {
            return Ok(Some(format!("it ended at once ({status})")));
        }
        if started.elapsed() > PATIENCE {
            return Ok(Some("it gives no sign of life".into()));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    // It outlives us or we outlive it; then it must not stay a zombie.
    crate::start_thread("daemon", move || drop(daemon.wait()));
    Ok(None)
}

/// Notes a start in the file that all shims share. False: there were too many.
fn counted(file: &mut File) -> io::Result<bool> {
    let mut text = String::new();
    file.take(4096).read_to_string(&mut text)?;
    let now = now_ms();
    let mut starts: Vec<UnixMs> = text.lines().filter_map(|line| line.parse().ok()).collect();
    // A clock that was put back counts as long ago, or nothing could be started for a while.
    starts.retain(|at| (0..STARTS.1).contains(&(now - at)));
    if starts.len() >= STARTS.0 {
        return Ok(false);
    }
    starts.push(now);
    let text: String = starts.iter().map(|at| format!("{at}\n")).collect();
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text.as_bytes())?;
    Ok(true)
}
