//! What the shim needs to judge in process while the daemon is away: pins, withheld tools, switched-off Signatures and
//! whether checking is paused; sealed with a MAC so that an edited snapshot is void (tamper-evident, design.md §10).
//! File: first line the hex HMAC-SHA256 of the rest, the rest JSON.

use hmac::{Hmac, KeyInit, Mac};
use portcullis_domain::{Decision, Limits, Modes, Pin, UnixMs, UpstreamId};
use serde::{Deserialize, Serialize};
use sha2::Digest;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Below the state directory.
pub const SNAPSHOT_FILE: &str = "run/snapshot.json";
/// 32 random bytes, mode 0600, below the state directory.
pub const KEY_FILE: &str = "key";

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub pins: Vec<Pin>,
    pub withheld: Vec<(UpstreamId, String)>,
    pub disabled_signatures: Vec<String>,
    /// The person's own Signature files in force: path below their folder, and text.
    #[serde(default)]
    pub own_signatures: Vec<(String, String)>,
    /// Record only until this time (Unix ms); `i64::MAX` until resumed.
    pub paused_until: Option<UnixMs>,
    #[serde(default)]
    pub hold_new_servers: bool,
    #[serde(default)]
    pub modes: Modes,
    /// Servers in quarantine, and until when (`i64::MAX`: until released).
    #[serde(default)]
    pub quarantined: BTreeMap<UpstreamId, UnixMs>,
    /// How often the file was written: an older copy that is put back says so.
    #[serde(default)]
    pub written: u64,
    /// Those that hold without the daemon.
    #[serde(default)]
    pub decisions: Vec<Decision>,
    /// Id, app, server name of every protected entry, for rows written while the daemon is away.
    pub upstreams: Vec<portcullis_domain::Upstream>,
    #[serde(default)]
    pub limits: Limits,
    /// None: shims start no daemon.
    #[serde(default)]
    pub revival: Option<Revival>,
}

/// How a shim starts the daemon when it finds none: as it was started last, whatever the shim's own environment says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revival {
    pub program: PathBuf,
    pub arguments: Vec<String>,
    /// All of its environment.
    pub environment: Vec<(String, String)>,
}

/// Where the daemon of this state directory listens for shims: a socket below it, or a named pipe.
pub fn link_address(home: &Path) -> PathBuf {
    if cfg!(windows) { PathBuf::from(pipe_name(home)) } else { home.join(portcullis_domain::link::SOCKET) }
}

/// Named pipes live in one flat name space of the machine: the directory's digest keeps two users apart. Canonical
/// paths carry a prefix there that nobody else writes.
fn pipe_name(home: &Path) -> String {
    let home = home.to_string_lossy();
    let home = home.strip_prefix(r"\\?\").unwrap_or(&home);
    let digest = data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(home.as_bytes()));
    format!(r"\\.\pipe\portcullis-{}", &digest[..16])
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SnapshotError {
    #[error("the snapshot's seal does not fit its content: it was edited, or the key was")]
    Tampered,
    #[error("the snapshot is not readable: {0}")]
    Malformed(String),
}

fn mac(body: &str, key: &[u8]) -> Option<Hmac<sha2::Sha256>> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).ok()?;
    mac.update(body.as_bytes());
    Some(mac)
}

impl Snapshot {
    pub fn seal(&self, key: &[u8]) -> Result<String, SnapshotError> {
        let body = serde_json::to_string(self).map_err(|e| SnapshotError::Malformed(e.to_string()))?;
        let mac = mac(&body, key).ok_or(SnapshotError::Tampered)?;
        Ok(format!("{}\n{body}", data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())))
    }

    pub fn open(text: &str, key: &[u8]) -> Result<Self, SnapshotError> {
        Self::read(text, key)
    }

    /// Only the limits: a shim wants them before its first Message, and the pins are much to read.
    pub fn limits(text: &str, key: &[u8]) -> Result<Limits, SnapshotError> {
        #[derive(Deserialize)]
        struct Part {
            #[serde(default)]
            limits: Limits,
        }
        Self::read::<Part>(text, key).map(|part| part.limits)
    }

    /// Only how the daemon is started.
    pub fn revival(text: &str, key: &[u8]) -> Result<Option<Revival>, SnapshotError> {
        #[derive(Deserialize)]
        struct Part {
            #[serde(default)]
            revival: Option<Revival>,
        }
        Self::read::<Part>(text, key).map(|part| part.revival)
    }

    fn read<T: serde::de::DeserializeOwned>(text: &str, key: &[u8]) -> Result<T, SnapshotError> {
        let (seal, body) = text.split_once('\n').ok_or(SnapshotError::Malformed("no seal line".into()))?;
        let seal = data_encoding::HEXLOWER.decode(seal.as_bytes()).map_err(|_| SnapshotError::Tampered)?;
        let mac = mac(body, key).ok_or(SnapshotError::Tampered)?;
        mac.verify_slice(&seal).map_err(|_| SnapshotError::Tampered)?;
        serde_json::from_str(body).map_err(|e| SnapshotError::Malformed(e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn daemon_and_shim_mean_the_same_pipe_whatever_prefix_the_path_has() {
        let plain = pipe_name(Path::new(r"C:\Users\a\.portcullis"));
        assert_eq!(plain, pipe_name(Path::new(r"\\?\C:\Users\a\.portcullis")));
        assert_ne!(plain, pipe_name(Path::new(r"C:\Users\b\.portcullis")));
        assert_eq!(plain.len(), r"\\.\pipe\portcullis-".len() + 16);
    }

    #[test]
    fn an_edited_snapshot_is_void() {
        let snapshot = Snapshot { disabled_signatures: vec!["a".into()], ..Snapshot::default() };
        let sealed = snapshot.seal(b"key").unwrap();
        assert_eq!(Snapshot::open(&sealed, b"key"), Ok(snapshot));
        assert_eq!(Snapshot::open(&sealed.replace("\"a\"", "\"b\""), b"key"), Err(SnapshotError::Tampered));
        assert_eq!(Snapshot::open(&sealed, b"other"), Err(SnapshotError::Tampered));
    }
}
