//! The Signatures in force: bundled ones and the person's own files below `<home>/signatures`. A file that is refused is
//! reported, and its last good version stays in force.

use crate::home::Home;
use portcullis_detect::{Scanner, SignatureFile, SignatureSet, bundled_files};
use portcullis_domain::api::{SignatureFault, SignatureInfo};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// More own files than this are a mistake (a folder copied there by accident).
const MAX_OWN_FILES: usize = 500;
const MAX_DEPTH: usize = 3;

type Stamp = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

pub(crate) struct Signatures {
    dir: PathBuf,
    stamp: Stamp,
    /// Last good version of each own file, by path below the folder.
    own: BTreeMap<String, SignatureFile>,
    faults: Vec<SignatureFault>,
    set: Arc<SignatureSet>,
}

impl Signatures {
    pub fn load(home: &Home, disabled: &HashSet<String>) -> Self {
        let mut all = Self {
            dir: home.signatures(),
            stamp: Stamp::new(),
            own: BTreeMap::new(),
            faults: Vec::new(),
            set: SignatureSet::bundled(),
        };
        all.read_own();
        all.compile(disabled);
        all
    }

    /// Reads the person's files again if any changed. True: the set is another one now, or the faults are.
    pub fn refresh(&mut self, disabled: &HashSet<String>) -> bool {
        if stamp(&self.dir) == self.stamp {
            return false;
        }
        self.read_own();
        self.compile(disabled);
        true
    }

    fn read_own(&mut self) {
        self.stamp = stamp(&self.dir);
        self.faults.clear();
        let mut own = BTreeMap::new();
        for path in self.stamp.keys() {
            let name = path.strip_prefix(&self.dir).unwrap_or(path).to_string_lossy().replace('\\', "/");
            let loaded = std::fs::read_to_string(path)
                .map_err(|error| unreadable(path, &error))
                .and_then(|text| portcullis_detect::load(&name, &text).map_err(SignatureFault::from));
            match loaded {
                Ok(file) => drop(own.insert(name, file)),
                Err(fault) => {
                    self.faults.push(fault);
                    own.extend(self.own.remove(&name).map(|last_good| (name, last_good)));
                }
            }
        }
        self.own = own;
    }

    /// Compiles bundled and own files; own files that spoil the set are left out, one round at a time.
    pub fn compile(&mut self, disabled: &HashSet<String>) {
        let mut own = self.own.clone();
        loop {
            let bundled = bundled_files().into_iter().filter_map(Result::ok);
            match SignatureSet::compile(bundled.chain(own.values().cloned()).collect(), disabled) {
                Ok(set) => {
                    self.set = Arc::new(set);
                    return;
                }
                Err(faults) => {
                    let before = own.len();
                    own.retain(|path, _| !faults.iter().any(|fault| fault.file == *path));
                    let faults = faults.into_iter().map(SignatureFault::from);
                    self.faults.extend(faults.filter(|fault| self.own.contains_key(&fault.file)));
                    if own.len() == before {
                        // The bundled ones alone do not compile with this choice of switches: keep the last good set.
                        tracing::error!("the signatures do not compile; the last good set stays in force");
                        return;
                    }
                }
            }
        }
    }

    pub fn scanner(&self) -> Arc<Scanner> {
        Arc::new(Scanner::new(self.set.clone()))
    }
    pub fn active_count(&self) -> usize {
        self.set.active_count()
    }
    pub fn faults(&self) -> &[SignatureFault] {
        &self.faults
    }
    pub fn files(&self) -> impl Iterator<Item = &SignatureFile> {
        self.set.infos()
    }
    pub fn get(&self, id: &str) -> Option<&SignatureFile> {
        self.set.get(id)
    }
}

pub(crate) fn info(file: &SignatureFile, enabled: bool, hits_30d: u64, with_text: bool) -> SignatureInfo {
    SignatureInfo {
        id: file.id.clone(),
        version: file.version,
        category: file.category.clone(),
        title: file.title.clone(),
        description: file.description.clone(),
        advice: file.advice.clone(),
        severity: file.severity,
        confidence: file.confidence,
        verdict: file.verdict,
        status: file.status.as_str().into(),
        false_positives: file.false_positives.clone(),
        references: file.references.clone(),
        hits: file.hits.iter().map(example).collect(),
        misses: file.misses.iter().map(example).collect(),
        bundled: file.bundled,
        enabled,
        hits_30d,
        text: with_text.then(|| file.text.clone()),
    }
}

fn example(example: &portcullis_detect::Example) -> String {
    example.text.as_ref().or(example.message.as_ref()).cloned().unwrap_or_default()
}

fn unreadable(path: &Path, error: &std::io::Error) -> SignatureFault {
    let message = format!("the file cannot be read ({error}); make it readable or take it away");
    SignatureFault { file: path.display().to_string(), line: None, code: "unreadable".into(), message }
}

/// Every TOML file below `dir` with what tells whether it changed.
fn stamp(dir: &Path) -> Stamp {
    let mut out = Stamp::new();
    let mut open = vec![(dir.to_path_buf(), 0)];
    while let Some((dir, depth)) = open.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(metadata) = std::fs::metadata(&path) else { continue };
            if metadata.is_dir() && depth < MAX_DEPTH {
                open.push((path, depth + 1));
            } else if path.extension().is_some_and(|ext| ext == "toml") && out.len() < MAX_OWN_FILES {
                out.insert(path, (metadata.modified().ok(), metadata.len()));
            }
        }
    }
    out
}
