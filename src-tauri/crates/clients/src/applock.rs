//! The lock that an app itself takes while it writes its file, where it is known: a directory `<file>.lock`, made by
//! `mkdir` (which only one can), abandoned after ten seconds. We hold it for the moment of our own write.

use crate::descriptor::AppLock;
use crate::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// As long as the apps wait before they take over a lock that nobody renews.
const STALE: Duration = Duration::from_secs(10);
/// Longer than that: an abandoned lock does not stop us.
const PATIENCE: Duration = Duration::from_secs(12);
const OWNER: &str = "owner.portcullis";

/// Given back when dropped. A process that is killed leaves it behind, as the apps do: it goes stale.
pub(crate) struct Held {
    directory: PathBuf,
}

pub(crate) fn lock_directory(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

impl Held {
    pub fn take(kind: AppLock, target: &Path) -> Result<Self, Error> {
        let directory = lock_directory(target);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match fs::create_dir(&directory) {
                Ok(()) => break,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::io("locking", target)(error)),
            }
            let stale = is_stale(&directory);
            if stale {
                remove(&directory, |_| true);
            }
            // What is stale and stays holds something that is no lock of the kind we know.
            if Instant::now() > deadline || (stale && directory.symlink_metadata().is_ok()) {
                return Err(Error::AppLocked { file: target.into(), lock: directory });
            }
            if !stale {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        let held = Self { directory };
        if kind == AppLock::OwnedDirectory {
            let owner = held.directory.join(OWNER);
            fs::write(&owner, std::process::id().to_string()).map_err(Error::io("locking", target))?;
        }
        Ok(held)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Without looking first: what cannot be listed now can still be removed.
        let _ = fs::remove_file(self.directory.join(OWNER));
        let _ = fs::remove_dir(&self.directory);
    }
}

/// Whether a write of ours left its lock behind, as far as the lock names its owner; one that does not goes stale. Only
/// for who holds the journal's lock: then no write of ours is under way.
pub(crate) fn is_left_over(target: &Path) -> bool {
    lock_directory(target).join(OWNER).exists()
}

pub(crate) fn remove_leftover(target: &Path) {
    if is_left_over(target) {
        remove(&lock_directory(target), |name| name == OWNER);
    }
}

fn is_stale(directory: &Path) -> bool {
    let modified = fs::metadata(directory).and_then(|meta| meta.modified());
    modified.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > STALE))
}

/// The directory and the owners' files that `whose` names; anything else in it keeps it where it is.
fn remove(directory: &Path, whose: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with("owner.") && whose(name)) {
            let _ = fs::remove_file(entry.path());
        }
    }
    let _ = fs::remove_dir(directory);
}
