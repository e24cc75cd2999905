//! One lock for the daemon and every command that writes: `<home>/run/lock`, and `run/daemon.json` that says where the
//! daemon listens. The file exists only while a daemon holds the lock: whoever takes the lock removes a stale one first,
//! so "locked, and the file is there" means a daemon of this user runs, and its API token may be shown to that port.

use crate::{Error, home, home::Home};
use portcullis_domain::UnixMs;
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::time::{Duration, Instant};

/// Held until dropped; the system lets go of it when the process dies, however it dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// `run/daemon.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub pid: u32,
    pub proxy_port: u16,
    pub dashboard_port: u16,
    pub version: String,
    pub started_at: UnixMs,
}

/// Who has the lock now.
#[derive(Debug)]
pub enum Holder {
    Nobody(Lock),
    Daemon(Running),
    /// Another command, or a daemon that is just starting.
    Somebody,
}

fn open(home: &Home) -> Result<File, Error> {
    let path = home.lock_file();
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&path).map_err(Error::io("could not open the lock file", path))
}

/// Takes the lock if it is free, else says who has it. Creates the state directory.
pub fn take(home: &Home) -> Result<Holder, Error> {
    home.create()?;
    let file = open(home)?;
    match file.try_lock() {
        Ok(()) => {
            let _ = std::fs::remove_file(home.daemon_file());
            Ok(Holder::Nobody(Lock { _file: file }))
        }
        Err(TryLockError::WouldBlock) => Ok(read_running(home)?.map_or(Holder::Somebody, Holder::Daemon)),
        Err(TryLockError::Error(source)) => Err(Error::Io { doing: "could not lock", path: home.lock_file(), source }),
    }
}

/// As `take`, but waits a little for a command that is just finishing.
pub fn take_soon(home: &Home, patience: Duration) -> Result<Holder, Error> {
    let give_up = Instant::now() + patience;
    loop {
        match take(home)? {
            Holder::Somebody if Instant::now() < give_up => std::thread::sleep(Duration::from_millis(50)),
            holder => return Ok(holder),
        }
    }
}

/// The daemon that runs on this home, if one does. Takes nothing.
pub fn running(home: &Home) -> Result<Option<Running>, Error> {
    if !home.lock_file().exists() {
        return Ok(None);
    }
    match open(home)?.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => read_running(home),
        Err(TryLockError::Error(source)) => Err(Error::Io { doing: "could not lock", path: home.lock_file(), source }),
    }
}

fn read_running(home: &Home) -> Result<Option<Running>, Error> {
    let text = home::read_checked(&home.daemon_file())?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

impl Running {
    pub(crate) fn publish(&self, home: &Home) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        home::write_run_file(&home.daemon_file(), text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_sees_who_has_it_and_a_stale_file_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("s")).unwrap();
        home.create().unwrap();
        let running = Running { pid: 7, proxy_port: 1, dashboard_port: 2, version: "0".into(), started_at: 3 };
        running.publish(&home).unwrap();
        let Holder::Nobody(lock) = take(&home).unwrap() else { panic!("the lock was free") };
        assert!(!home.daemon_file().exists(), "left by a daemon that was killed");
        assert!(matches!(take(&home).unwrap(), Holder::Somebody));
        running.publish(&home).unwrap();
        assert!(matches!(take(&home).unwrap(), Holder::Daemon(seen) if seen == running));
        assert_eq!(super::running(&home).unwrap(), Some(running));
        drop(lock);
        assert_eq!(super::running(&home).unwrap(), None);
    }
}
