//! What the person switched: a pause, Signatures that are off. Kept in the sealed snapshot that the shim reads too, so
//! there is one truth, and an edited file is void: then nothing is paused and every Signature is on.

use crate::{Error, clock, home, home::Home};
use portcullis_domain::{Modes, Pin, UnixMs, UpstreamId};
use portcullis_policy::snapshot::{Revival, Snapshot, SnapshotError};
use std::collections::{BTreeMap, HashSet};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    pub disabled: HashSet<String>,
    /// `UnixMs::MAX`: until resumed.
    pub paused_until: Option<UnixMs>,
    pub modes: Modes,
    /// Servers in quarantine, and until when; `UnixMs::MAX`: until released.
    pub quarantined: BTreeMap<UpstreamId, UnixMs>,
}

impl Rules {
    pub fn is_paused(&self) -> bool {
        self.paused_until.is_some_and(|until| clock::now() < until)
    }
}

/// What the last run left: the rules, the tools taken out of lists, and what was wrong with it.
pub(crate) struct Left {
    pub rules: Rules,
    pub withheld: Vec<(UpstreamId, String)>,
    /// As they were sealed.
    pub pins: Vec<Pin>,
    pub revival: Option<Revival>,
    pub problem: Option<String>,
    /// How often the file was written so far.
    pub written: u64,
}

/// The name of the mark in the audit log.
pub(crate) const MARK: &str = "rules";

/// `known`: how often the file was written by what is kept elsewhere. In an older copy only what holds back still counts.
pub(crate) fn load(home: &Home, key: &[u8], known: Option<u64>) -> Result<Left, Error> {
    let path = home.snapshot_file();
    let known = known.unwrap_or_default();
    let nothing = |problem| Left {
        rules: Rules::default(),
        withheld: Vec::new(),
        pins: Vec::new(),
        revival: None,
        problem,
        written: known,
    };
    let gone = || (known > 0).then(|| format!("The saved rules in {} were removed by something else.", path.display()));
    let Some(text) = home::read_checked(&path)? else { return Ok(nothing(gone())) };
    Ok(match Snapshot::open(&text, key) {
        Ok(snapshot) if snapshot.written < known => Left {
            rules: Rules { quarantined: snapshot.quarantined, ..Rules::default() },
            withheld: snapshot.withheld,
            pins: Vec::new(),
            revival: None,
            problem: Some(format!(
                "The saved rules in {} are an older copy that something else put back, so nothing is paused, every signature is on and every server is in Ask. Set again what you had changed.",
                path.display()
            )),
            written: known,
        },
        Ok(snapshot) => Left {
            rules: Rules {
                disabled: snapshot.disabled_signatures.into_iter().collect(),
                paused_until: snapshot.paused_until.filter(|until| clock::now() < *until),
                modes: snapshot.modes,
                quarantined: snapshot.quarantined,
            },
            withheld: snapshot.withheld,
            pins: snapshot.pins,
            revival: snapshot.revival,
            problem: None,
            written: snapshot.written,
        },
        Err(error @ (SnapshotError::Tampered | SnapshotError::Malformed(_))) => {
            let problem = format!(
                "The saved rules in {} are void ({error}), so nothing is paused, every signature is on and every server is in Ask. Set again what you had changed.",
                path.display()
            );
            nothing(Some(problem))
        }
    })
}

pub(crate) fn save(home: &Home, key: &[u8], snapshot: &Snapshot) -> Result<(), Error> {
    let sealed = snapshot.seal(key).map_err(|error| Error::Io {
        doing: "could not seal",
        path: home.snapshot_file(),
        source: std::io::Error::other(error.to_string()),
    })?;
    home::write_private(&home.snapshot_file(), sealed.as_bytes())
}
