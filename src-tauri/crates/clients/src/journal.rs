//! What we changed in other apps' files, and what was there before: the only source for the original of a URL entry, and
//! the plan that survives a crash. One small state file, replaced atomically and synced on every change (so there is never
//! a torn line to interpret), with a second copy beside it. Written BEFORE a config is. No database, no daemon needed.
//!
//! It holds whole config files, secrets included: 0600 in a 0700 directory, never logged. Records of restored entries are
//! kept, because a backup or a sync may bring one of our URLs back later.

use crate::error::Error;
use crate::file::sync_directory;
use portcullis_domain::api::ConfigAction;
use portcullis_domain::{AppId, Transport, UnixMs, UpstreamId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const FILE: &str = "journal.json";
const COPY: &str = "journal.backup.json";
const LOCK: &str = "journal.lock";
const VERSION: u32 = 2;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub version: u32,
    pub entries: BTreeMap<UpstreamId, Record>,
    /// By configured path.
    pub files: BTreeMap<PathBuf, FileRecord>,
    /// Writes that were begun and not seen to end.
    pub pending: Vec<Pending>,
    /// Changes that wait until an app has quit.
    pub queue: Vec<Queued>,
    /// Project folders that the person named.
    #[serde(default)]
    pub folders: BTreeSet<PathBuf>,
    /// What a newer version wrote besides; kept as it is.
    #[serde(flatten)]
    pub other: serde_json::Map<String, Value>,
    /// Entries that this version cannot read; kept as they are.
    #[serde(skip)]
    pub foreign: serde_json::Map<String, Value>,
    /// Whole parts of a newer version's journal that this one cannot read; kept as they are.
    #[serde(skip)]
    pub unread: serde_json::Map<String, Value>,
}

/// One entry that is or was ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub app: AppId,
    pub app_name: String,
    /// As configured.
    pub file: PathBuf,
    pub name: String,
    pub transport: Transport,
    pub original: Original,
    pub state: RecordState,
    pub at: UnixMs,
    /// What a newer version wrote besides; kept as it is.
    #[serde(flatten)]
    pub other: serde_json::Map<String, Value>,
}

/// What the entry said before, by meaning and in its own spelling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Original {
    Stdio {
        command: String,
        raw_command: String,
        args: Option<Vec<String>>,
        raw_args: Option<String>,
    },
    /// Program and arguments in one list.
    List {
        words: Vec<String>,
        raw: String,
    },
    Url {
        url: String,
        raw: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RecordState {
    Applied,
    /// Given back, or replaced or removed by somebody else.
    Restored,
}

/// The fast way back: the exact bytes from before, valid while the file is exactly what we wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    /// With symlinks resolved.
    pub target: PathBuf,
    pub hash_after: String,
    #[serde(with = "base64")]
    pub original: Vec<u8>,
}

/// A write in progress: what the journal becomes if it took place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub path: PathBuf,
    pub target: PathBuf,
    pub hash_before: String,
    pub hash_after: String,
    pub put: BTreeMap<UpstreamId, Record>,
    pub restored: Vec<UpstreamId>,
    /// None: the file holds nothing of ours afterwards.
    pub file: Option<FileRecord>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Queued {
    pub app: AppId,
    pub file: PathBuf,
    pub name: String,
    pub action: ConfigAction,
    pub at: UnixMs,
}

impl State {
    /// A newer version wrote it: what it holds may be given back, nothing may be added.
    pub fn is_newer(&self) -> bool {
        self.version > VERSION
    }

    /// The pending write took place.
    pub fn settle(&mut self, pending: Pending) {
        for id in &pending.restored {
            if let Some(record) = self.entries.get_mut(id) {
                record.state = RecordState::Restored;
            }
        }
        self.entries.extend(pending.put);
        match pending.file {
            Some(file) => drop(self.files.insert(pending.path, file)),
            None => drop(self.files.remove(&pending.path)),
        }
    }
}

/// Where the journal lives.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    directory: PathBuf,
}

/// The right to change the journal and configs; one process at a time. Ends with the value, and with the process.
pub(crate) struct Locked<'j> {
    journal: &'j Journal,
    _lock: fs::File,
    pub state: State,
}

impl Journal {
    pub fn new(directory: &Path) -> Result<Self, Error> {
        if !directory.is_dir() {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(directory).map_err(Error::io("creating", directory))?;
        }
        Ok(Self { directory: directory.into() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub fn newer(&self) -> Error {
        Error::JournalNewer { file: self.path(FILE) }
    }

    fn unusable(&self, reason: impl Into<String>) -> Error {
        Error::Journal { file: self.path(FILE), reason: reason.into() }
    }

    /// The state as last written, by whichever process. Falls back to the second copy.
    pub fn load(&self) -> Result<State, Error> {
        match self.load_one(FILE) {
            Ok(Some(state)) => Ok(state),
            Ok(None) => Ok(self.load_one(COPY)?.unwrap_or_default()),
            Err(error) => match self.load_one(COPY) {
                Ok(Some(state)) => {
                    tracing::warn!(%error, "using the second copy of the journal");
                    Ok(state)
                }
                Ok(None) | Err(_) => Err(error),
            },
        }
    }

    fn load_one(&self, name: &str) -> Result<Option<State>, Error> {
        let bytes = match fs::read(self.path(name)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("reading", &self.path(name))(error)),
        };
        // The reason leaves out the content: it may quote secrets.
        let damaged = |error: serde_json::Error| {
            self.unusable(format!("it is damaged at line {}, column {}", error.line(), error.column()))
        };
        let mut value: Value = serde_json::from_slice(&bytes).map_err(damaged)?;
        let Some(version) = value["version"].as_u64() else { return Err(self.unusable("it names no version")) };
        // What another version writes and this one cannot read, and what damage did to one entry, must not cost the rest.
        let foreign = set_apart(&mut value);
        let unread = if version > u64::from(VERSION) { set_parts_apart(&mut value) } else { Default::default() };
        let state: State = serde_json::from_value(value).map_err(damaged)?;
        Ok(Some(State { foreign, unread, ..state }))
    }

    /// Moves a journal that cannot be read out of the way, for a person to look at. Wrapped stdio entries restore from
    /// themselves, so life goes on.
    pub fn set_aside_if_damaged(&self) -> Option<Error> {
        let error = self.load().err().filter(|error| matches!(error, Error::Journal { .. }))?;
        for name in [FILE, COPY] {
            let _ = fs::rename(self.path(name), self.path(&format!("{name}.damaged")));
        }
        Some(error)
    }

    pub fn lock(&self) -> Result<Locked<'_>, Error> {
        let path = self.path(LOCK);
        let file = private_options().truncate(false).open(&path).map_err(Error::io("opening", &path))?;
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(fs::TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(fs::TryLockError::WouldBlock) => return Err(Error::Busy),
                Err(fs::TryLockError::Error(error)) => return Err(Error::io("locking", &path)(error)),
            }
        }
        let state = self.load()?;
        Ok(Locked { journal: self, _lock: file, state })
    }

    fn store(&self, state: &State) -> Result<(), Error> {
        let unusable = |error: serde_json::Error| self.unusable(error.to_string());
        let mut value = serde_json::to_value(state).map_err(unusable)?;
        if let Some(entries) = value["entries"].as_object_mut() {
            entries.extend(state.foreign.clone());
        }
        if let Some(parts) = value.as_object_mut() {
            for (name, part) in &state.unread {
                parts.insert(name.clone(), part.clone());
            }
        }
        let bytes = serde_json::to_vec(&value).map_err(unusable)?;
        for name in [FILE, COPY] {
            let path = self.path(name);
            let temp = self.path(&format!("{name}.new"));
            let write = || -> std::io::Result<()> {
                let mut file = private_options().truncate(true).open(&temp)?;
                file.write_all(&bytes)?;
                file.sync_all()?;
                fs::rename(&temp, &path)
            };
            write().map_err(Error::io("writing", &path))?;
            sync_directory(&path);
        }
        Ok(())
    }
}

impl Locked<'_> {
    /// Durable when this returns.
    pub fn save(&mut self) -> Result<(), Error> {
        // A newer version's number stays: it reads what it wrote, and finds what we added.
        self.state.version = self.state.version.max(VERSION);
        self.journal.store(&self.state)
    }
}

/// Takes the entries out that this version does not understand.
fn set_apart(journal: &mut Value) -> serde_json::Map<String, Value> {
    let Some(entries) = journal["entries"].as_object_mut() else { return Default::default() };
    let (known, foreign) = std::mem::take(entries)
        .into_iter()
        .partition(|(_, entry)| serde_json::from_value::<Record>(entry.clone()).is_ok());
    *entries = known;
    foreign
}

/// The same with whole parts: one that cannot be read counts as empty, and is written back as it was.
fn set_parts_apart(journal: &mut Value) -> serde_json::Map<String, Value> {
    /// Its name, whether it can be read, and what it is when empty.
    type Part = (&'static str, fn(&Value) -> bool, Value);
    fn reads<T: serde::de::DeserializeOwned>(part: &Value) -> bool {
        serde_json::from_value::<T>(part.clone()).is_ok()
    }
    let mut unread = serde_json::Map::new();
    let Some(parts) = journal.as_object_mut() else { return unread };
    let none = || Value::Array(Vec::new());
    let known: [Part; 4] = [
        ("files", reads::<BTreeMap<PathBuf, FileRecord>>, Value::Object(Default::default())),
        ("pending", reads::<Vec<Pending>>, none()),
        ("queue", reads::<Vec<Queued>>, none()),
        ("folders", reads::<BTreeSet<PathBuf>>, none()),
    ];
    for (name, is_read, empty) in known {
        if let Some(part) = parts.get_mut(name).filter(|part| !is_read(part)) {
            unread.insert(name.into(), std::mem::replace(part, empty));
        }
    }
    unread
}

fn private_options() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

mod base64 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&data_encoding::BASE64.encode(bytes))
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        data_encoding::BASE64.decode(text.as_bytes()).map_err(|_| D::Error::custom("not base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_one_queued(journal: &Journal) -> State {
        let mut locked = journal.lock().unwrap();
        locked.state.queue.push(Queued {
            app: AppId::new("a"),
            file: "/f".into(),
            name: "n".into(),
            action: ConfigAction::Protect,
            at: 1,
        });
        locked.save().unwrap();
        locked.state.clone()
    }

    #[test]
    fn the_second_copy_serves_when_the_first_is_lost_or_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(dir.path()).unwrap();
        let state = with_one_queued(&journal);
        fs::write(journal.path(FILE), b"{\"version\":1,\"entr").unwrap();
        assert_eq!(journal.load().unwrap(), state);
        fs::remove_file(journal.path(FILE)).unwrap();
        assert_eq!(journal.load().unwrap(), state);
        assert!(journal.set_aside_if_damaged().is_none());
    }

    #[test]
    fn a_journal_damaged_twice_is_set_aside_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(dir.path()).unwrap();
        with_one_queued(&journal);
        for name in [FILE, COPY] {
            fs::write(journal.path(name), b"secret garbage").unwrap();
        }
        let error = journal.set_aside_if_damaged().unwrap();
        assert_eq!(error.code(), "journal_unusable");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert_eq!(journal.load().unwrap(), State::default());
        assert_eq!(fs::read(journal.path("journal.json.damaged")).unwrap(), b"secret garbage");
    }

    #[cfg(unix)]
    #[test]
    fn it_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(&dir.path().join("state")).unwrap();
        with_one_queued(&journal);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&journal.directory), 0o700);
        assert_eq!((mode(&journal.path(FILE)), mode(&journal.path(COPY))), (0o600, 0o600));
    }
}
