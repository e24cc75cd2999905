//! The Signatures in force: bundled ones and the person's own files below `<home>/signatures`. A file that is refused is
//! reported, and its last good version stays in force until the file is good again or gone.

use crate::home::Home;
use portcullis_detect::{Scanner, SignatureFile, SignatureSet, bundled_files};
use portcullis_domain::api::{SignatureFault, SignatureInfo};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// More own files than this are a mistake (a folder copied there by accident).
const MAX_OWN_FILES: usize = 500;
/// All own files together: they travel to every shim in the snapshot.
const MAX_OWN_BYTES: usize = 4 << 20;
/// Of one file; a little more than what loads, so that the fault is told by the loader.
const MAX_READ_BYTES: u64 = 128 * 1024;
const MAX_DEPTH: usize = 3;

pub(crate) struct Signatures {
    dir: PathBuf,
    /// The own files in force, by path below the folder: of a refused one its last good version.
    own: BTreeMap<String, SignatureFile>,
    faults: Vec<SignatureFault>,
    set: Arc<SignatureSet>,
}

impl Signatures {
    pub fn load(home: &Home, disabled: &HashSet<String>) -> Self {
        let mut all =
            Self { dir: home.signatures(), own: BTreeMap::new(), faults: Vec::new(), set: SignatureSet::bundled() };
        let read = all.read_own();
        all.take(read, disabled);
        all
    }

    /// Reads the person's files again if any changed. True: the set is another one now, or the faults are.
    pub fn refresh(&mut self, disabled: &HashSet<String>) -> bool {
        let before = (self.own_texts(), self.faults.clone());
        let read = self.read_own();
        self.take(read, disabled);
        before != (self.own_texts(), self.faults.clone())
    }

    /// What the files say now; where one says nothing usable, what it said last.
    fn read_own(&mut self) -> BTreeMap<String, SignatureFile> {
        let (paths, too_many) = own_files(&self.dir);
        self.faults.clear();
        if too_many {
            let message =
                format!("only {MAX_OWN_FILES} files are read, the first by path; the others are not in force");
            self.fault(self.dir.display().to_string(), "too_many_files", message);
        }
        let (mut files, mut bytes) = (BTreeMap::new(), 0);
        for path in paths {
            let name = path.strip_prefix(&self.dir).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            let loaded = read(&path)
                .map_err(|error| unreadable(&name, &error))
                .and_then(|text| portcullis_detect::load(&name, &text).map_err(SignatureFault::from));
            let file = loaded.map_err(|fault| self.faults.push(fault)).ok().or_else(|| self.own.get(&name).cloned());
            let Some(file) = file else { continue };
            bytes += file.text.len();
            if bytes > MAX_OWN_BYTES {
                let message =
                    format!("all own files together are larger than {MAX_OWN_BYTES} bytes; it is not in force");
                self.fault(name, "too_large", message);
                continue;
            }
            files.insert(name, file);
        }
        files
    }

    fn fault(&mut self, file: String, code: &str, message: String) {
        self.faults.push(SignatureFault { file, line: None, code: code.into(), message });
    }

    /// Puts `files` in force; one that spoils the set gives way to its last good version, or to nothing.
    fn take(&mut self, mut files: BTreeMap<String, SignatureFile>, disabled: &HashSet<String>) {
        loop {
            match self.compiled(&files, disabled) {
                Ok(set) => {
                    self.set = Arc::new(set);
                    self.own = files;
                    return;
                }
                Err(faults) => {
                    let mut gave_way = HashSet::new();
                    for fault in faults.into_iter().map(SignatureFault::from) {
                        let Some(spoiler) = files.get(&fault.file) else { continue };
                        if gave_way.insert(fault.file.clone()) {
                            let good = self.own.get(&fault.file).filter(|good| good.text != spoiler.text).cloned();
                            match good {
                                Some(good) => files.insert(fault.file.clone(), good),
                                None => files.remove(&fault.file),
                            };
                        }
                        self.faults.push(fault);
                    }
                    if gave_way.is_empty() {
                        tracing::error!("the signatures do not compile; the last good set stays in force");
                        return;
                    }
                }
            }
        }
    }

    /// Those in force before come first: of two files with one id the newcomer is refused.
    fn compiled(
        &self,
        files: &BTreeMap<String, SignatureFile>,
        disabled: &HashSet<String>,
    ) -> Result<SignatureSet, Vec<portcullis_detect::SignatureFault>> {
        let is_new = |file: &&SignatureFile| self.own.get(&file.path).is_none_or(|known| known.text != file.text);
        let mut own: Vec<&SignatureFile> = files.values().collect();
        own.sort_by_key(is_new);
        let bundled = bundled_files().into_iter().filter_map(Result::ok);
        SignatureSet::compile(bundled.chain(own.into_iter().cloned()).collect(), disabled)
    }

    /// The same files with other switches.
    pub fn compile(&mut self, disabled: &HashSet<String>) {
        self.take(self.own.clone(), disabled);
    }

    /// Path and text of the own files in force.
    pub fn own_texts(&self) -> Vec<(String, String)> {
        self.own.iter().map(|(path, file)| (path.clone(), file.text.clone())).collect()
    }

    /// What is wrong, one sentence.
    pub fn problem(&self) -> Option<String> {
        let first = self.faults.first()?;
        let line = first.line.map(|line| format!(", line {line}")).unwrap_or_default();
        let count = self.faults.len();
        Some(format!(
            "{count} of your signature files {} refused; what was last good of them stays in force. {}{line}: {} ({}). `portcullis signatures list` shows every fault.",
            if count == 1 { "is" } else { "are" },
            first.file,
            first.message,
            first.code
        ))
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
        file: file.path.clone(),
        bundled: file.bundled,
        enabled,
        hits_30d,
        text: with_text.then(|| file.text.clone()),
    }
}

fn example(example: &portcullis_detect::Example) -> String {
    example.text.as_ref().or(example.message.as_ref()).cloned().unwrap_or_default()
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(MAX_READ_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

fn unreadable(name: &str, error: &std::io::Error) -> SignatureFault {
    let message = format!("the file cannot be read ({error}); make it readable or take it away");
    SignatureFault { file: name.to_owned(), line: None, code: "unreadable".into(), message }
}

/// Every TOML file below `dir`; true: there are more than are read.
fn own_files(dir: &Path) -> (BTreeSet<PathBuf>, bool) {
    let mut out = BTreeSet::new();
    let mut open = vec![(dir.to_path_buf(), 0)];
    while let Some((dir, depth)) = open.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(metadata) = std::fs::metadata(&path) else { continue };
            if metadata.is_dir() && depth < MAX_DEPTH {
                open.push((path, depth + 1));
            } else if metadata.is_file() && path.extension().is_some_and(|ext| ext == "toml") {
                // A pipe of that name would never end, so only files count.
                out.insert(path);
            }
            // Bounded while it grows, too; the first by path stay.
            if out.len() > 2 * MAX_OWN_FILES {
                out.pop_last();
            }
        }
    }
    let too_many = out.len() > MAX_OWN_FILES;
    while out.len() > MAX_OWN_FILES {
        out.pop_last();
    }
    (out, too_many)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        home: Home,
        _dir: tempfile::TempDir,
        all: Option<Signatures>,
    }

    impl Place {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let home = Home::at(dir.path().join("s")).unwrap();
            home.create().unwrap();
            Self { home, _dir: dir, all: None }
        }
        fn write(&self, name: &str, id: &str, word: &str) {
            std::fs::create_dir_all(self.home.signatures().join(name).parent().unwrap()).unwrap();
            std::fs::write(self.home.signatures().join(name), file(id, word)).unwrap();
        }
        fn refreshed(&mut self) -> &Signatures {
            let none = HashSet::new();
            let all = self.all.get_or_insert_with(|| Signatures::load(&self.home, &none));
            all.refresh(&none);
            all
        }
        fn keyword(&mut self, id: &str) -> Option<String> {
            self.refreshed().get(id).map(|file| file.matcher.keywords[0].clone())
        }
        fn codes(&mut self) -> Vec<String> {
            self.refreshed().faults().iter().map(|fault| format!("{} {}", fault.file, fault.code)).collect()
        }
    }

    fn file(id: &str, word: &str) -> String {
        format!(
            "id = \"{id}\"\nversion = 1\nstatus = \"stable\"\ntitle = \"A word\"\ndescription = \"d\"\nadvice = \"a\"\ncategory = \"injection\"\n\
             severity = \"low\"\nconfidence = \"low\"\nverdict = \"flag\"\nfalse_positives = \"f\"\n[where]\nroles = [\"any\"]\n[match]\n\
             keywords = [\"{word}\"]\nany = ['{word}']\n[[hit]]\nrole = \"result_text\"\ntext = \"{word}\"\n[[miss]]\nrole = \"result_text\"\ntext = \"x\"\n"
        )
    }

    #[test]
    fn a_refused_file_leaves_its_last_good_version_in_force_until_it_is_gone() {
        let mut place = Place::new();
        place.write("mine.toml", "mine", "first");
        assert_eq!(place.keyword("mine").as_deref(), Some("first"));
        place.write("mine.toml", "mine", "second");
        assert_eq!(place.keyword("mine").as_deref(), Some("second"));
        // Faults of every stage: reading, loading, compiling with the others.
        let broken = ["id = ", &file("other", "third"), &file("mine", "third").replace("'third'", "'(third'")];
        for text in broken {
            std::fs::write(place.home.signatures().join("mine.toml"), text).unwrap();
            assert_eq!(place.keyword("mine").as_deref(), Some("second"), "{text}");
            assert_eq!(place.refreshed().faults().len(), 1, "{text}");
        }
        assert!(place.refreshed().problem().unwrap().contains("mine.toml"));
        std::fs::remove_file(place.home.signatures().join("mine.toml")).unwrap();
        assert_eq!(place.keyword("mine"), None);
        assert_eq!(place.refreshed().problem(), None);
    }

    #[test]
    fn a_bundled_id_can_be_neither_taken_nor_switched_off_and_of_two_files_the_newcomer_is_refused() {
        let mut place = Place::new();
        let bundled = bundled_files().into_iter().flatten().next().unwrap();
        place.write("b/mine.toml", "mine", "first");
        let before = place.refreshed().active_count();
        let deprecated = file(&bundled.id, "word").replace("\"stable\"", "\"deprecated\"");
        std::fs::write(place.home.signatures().join(format!("{}.toml", bundled.id)), deprecated).unwrap();
        place.write("a/mine.toml", "mine", "second");
        assert_eq!(place.codes(), ["a/mine.toml duplicate_id".to_owned(), format!("{}.toml reserved_id", bundled.id)]);
        assert_eq!(place.keyword("mine").as_deref(), Some("first"));
        assert_eq!(place.refreshed().active_count(), before);
        assert!(place.refreshed().get(&bundled.id).unwrap().bundled);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_or_a_huge_file_is_not_waited_for() {
        let mut place = Place::new();
        let pipe = place.home.signatures().join("pipe.toml");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::fs::write(place.home.signatures().join("huge.toml"), "#".repeat(1 << 20)).unwrap();
        assert_eq!(place.codes(), ["huge.toml too_large"]);
    }
}
