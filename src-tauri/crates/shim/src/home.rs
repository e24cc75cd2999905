//! Where the state directory is: two levels above this executable (`<home>/bin/portcullis-shim`), never what the
//! environment says, because the environment belongs to the ClientApp and may be written by a hijacked agent.

use portcullis_domain::SessionId;
use portcullis_policy::snapshot;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug)]
pub struct Home(PathBuf);

impl Home {
    pub fn of_this_executable() -> io::Result<Self> {
        let exe = std::env::current_exe()?;
        let exe = exe.canonicalize().unwrap_or(exe);
        let home = exe.parent().and_then(Path::parent).ok_or(io::ErrorKind::NotFound)?;
        Ok(Self(home.to_owned()))
    }

    pub fn link_address(&self) -> PathBuf {
        snapshot::link_address(&self.0)
    }

    pub fn snapshot(&self) -> PathBuf {
        self.0.join(snapshot::SNAPSHOT_FILE)
    }
    pub fn key(&self) -> PathBuf {
        self.0.join(snapshot::KEY_FILE)
    }
    /// Held by the shim that starts the daemon.
    pub fn starting(&self) -> PathBuf {
        self.0.join("run/starting")
    }
    pub fn spool(&self, session: &SessionId) -> PathBuf {
        self.0.join("spool").join(format!("{session}.jsonl"))
    }
}
