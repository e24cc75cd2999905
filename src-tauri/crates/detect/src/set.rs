//! A set of Signatures, ready to scan with: one keyword automaton over all of them, patterns compiled on first use.

use crate::fault::{SignatureFault, code};
use crate::file::{DecodedLayer, SignatureFile, Status, load};
use crate::pattern::{Pattern, build};
use crate::predicate::Predicate;
use crate::predicate::concept::Asked;
use crate::role::Role;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

/// Up to so many keywords the automaton is a table.
const MAX_DFA_KEYWORDS: usize = 4000;

pub struct SignatureSet {
    files: Vec<SignatureFile>,
    pub(crate) active: Vec<Active>,
    /// Over the keywords of all active Signatures.
    pub(crate) keywords: Option<AhoCorasick>,
    /// Which active Signatures a keyword belongs to.
    pub(crate) owners: Vec<Vec<usize>>,
    /// By role: the active Signatures that look at every text of it, because they have no keywords.
    pub(crate) always: Vec<Vec<usize>>,
    /// The active Signatures that look at what the others found.
    pub(crate) several: Vec<usize>,
    /// By role, in texts as they are and in disguised ones: what the active Signatures ask of concepts at least.
    asked_concepts: Vec<[Asked; 2]>,
}

/// An enabled Signature.
pub(crate) struct Active {
    pub file: usize,
    /// Bits of the roles it looks at.
    pub roles: u32,
    pub any: Vec<Pattern>,
    pub all: Vec<Pattern>,
    pub none: Vec<Pattern>,
}

impl SignatureSet {
    /// Every fault is reported; with one, there is no set. A file may not reuse the id of another; a person's own file
    /// may not reuse a bundled id, so it can never stand in for one.
    pub fn compile(files: Vec<SignatureFile>, disabled: &HashSet<String>) -> Result<Self, Vec<SignatureFault>> {
        Self::checked(files, disabled, AhoCorasickKind::DFA)
    }

    /// The same set for a process that starts with the first Message: ready some milliseconds sooner, slower at each byte.
    pub fn compile_soon(files: Vec<SignatureFile>, disabled: &HashSet<String>) -> Result<Self, Vec<SignatureFault>> {
        Self::checked(files, disabled, AhoCorasickKind::ContiguousNFA)
    }

    fn checked(
        files: Vec<SignatureFile>,
        disabled: &HashSet<String>,
        kind: AhoCorasickKind,
    ) -> Result<Self, Vec<SignatureFault>> {
        let mut faults = Vec::new();
        let bundled: HashSet<&str> = files.iter().filter(|file| file.bundled).map(|file| file.id.as_str()).collect();
        let mut seen = HashSet::new();
        for file in &files {
            if !file.bundled && bundled.contains(file.id.as_str()) {
                let message = format!("the id {:?} belongs to a bundled Signature; choose another", file.id);
                faults.push(SignatureFault::new(&file.path, code::RESERVED_ID, message).at(&file.text, "id"));
            } else if !seen.insert(file.id.as_str()) {
                let message = format!("the id {:?} is used by another file", file.id);
                faults.push(SignatureFault::new(&file.path, code::DUPLICATE_ID, message).at(&file.text, "id"));
            }
            // Bundled patterns are compiled by the tests; compiling them at every start would only cost time.
            if !file.bundled {
                faults.extend(pattern_faults(file));
            }
        }
        if faults.is_empty() { Self::build(files, disabled, kind).map_err(|fault| vec![fault]) } else { Err(faults) }
    }

    fn build(
        files: Vec<SignatureFile>,
        disabled: &HashSet<String>,
        kind: AhoCorasickKind,
    ) -> Result<Self, SignatureFault> {
        let mut active = Vec::new();
        let mut ids: HashMap<&str, usize> = HashMap::new();
        let mut owners: Vec<Vec<usize>> = Vec::new();
        for (index, file) in files.iter().enumerate() {
            if disabled.contains(&file.id) || file.status == Status::Deprecated {
                continue;
            }
            let matcher = &file.matcher;
            for keyword in &matcher.keywords {
                let next = ids.len();
                let id = *ids.entry(keyword).or_insert(next);
                if id == owners.len() {
                    owners.push(Vec::new());
                }
                owners[id].push(active.len());
            }
            let patterns = |sources: &[String]| sources.iter().map(|source| Pattern::new(source)).collect();
            active.push(Active {
                file: index,
                roles: file.place.roles.iter().fold(0, |bits, role| bits | role.bits()),
                any: patterns(&matcher.any),
                all: patterns(&matcher.all),
                none: patterns(&matcher.none),
            });
        }
        let mut words = vec![""; ids.len()];
        for (word, id) in ids {
            words[id] = word;
        }
        let keywords = if words.is_empty() {
            None
        } else {
            // One look at each byte, whatever the number of keywords; past this size the table would not stay in the cache.
            let kind = (words.len() <= MAX_DFA_KEYWORDS).then_some(kind);
            let automaton = AhoCorasick::builder().kind(kind).build(&words);
            Some(automaton.map_err(|error| SignatureFault::new("", code::TOO_LARGE, error.to_string()))?)
        };
        let keyless = |bit: u32| {
            let looks = |(_, one): &(usize, &Active)| {
                let matcher = &files[one.file].matcher;
                one.roles & 1 << bit != 0 && matcher.keywords.is_empty() && !matcher.is_several()
            };
            active.iter().enumerate().filter(looks).map(|(index, _)| index).collect()
        };
        let always = (0..u32::BITS).map(keyless).collect();
        let several = (0..active.len()).filter(|index| files[active[*index].file].matcher.is_several()).collect();
        let asked = |bit: u32, disguised: bool| {
            let looks = |one: &&Active| {
                one.roles & 1 << bit != 0 && (disguised || files[one.file].place.decoded != DecodedLayer::Disguised)
            };
            let mut asked = Asked::default();
            let predicates = active.iter().filter(looks).filter_map(|one| files[one.file].matcher.predicate.as_ref());
            predicates.filter_map(Predicate::least_concepts).for_each(|(kind, sum)| asked.add(kind, sum));
            asked
        };
        let asked_concepts = (0..u32::BITS).map(|bit| [asked(bit, false), asked(bit, true)]).collect();
        Ok(Self { files, active, keywords, owners, always, several, asked_concepts })
    }

    /// The Signatures that ship with Portcullis, all enabled. Compiled once per process.
    pub fn bundled() -> Arc<Self> {
        static BUNDLED: OnceLock<Arc<SignatureSet>> = OnceLock::new();
        BUNDLED
            .get_or_init(|| {
                // A test loads and compiles every bundled file; one that failed here all the same is left out.
                let files = bundled_files().into_iter().filter_map(Result::ok).collect();
                let set = Self::compile(files, &HashSet::new()).unwrap_or_else(|_| Self {
                    files: Vec::new(),
                    active: Vec::new(),
                    keywords: None,
                    owners: Vec::new(),
                    always: Vec::new(),
                    several: Vec::new(),
                    asked_concepts: Vec::new(),
                });
                Arc::new(set)
            })
            .clone()
    }

    /// Every Signature of the set, also the disabled ones.
    pub fn infos(&self) -> impl Iterator<Item = &SignatureFile> {
        self.files.iter()
    }

    pub fn get(&self, id: &str) -> Option<&SignatureFile> {
        self.files.iter().find(|file| file.id == id)
    }

    /// How many Signatures are enabled.
    pub fn active_count(&self) -> usize {
        self.active.len()
    }

    /// The active Signatures without keywords that look at texts of `role`, in their order.
    pub(crate) fn always(&self, role: Role) -> &[usize] {
        self.always.get(role as usize).map_or(&[], Vec::as_slice)
    }

    /// What the active Signatures that look at texts of `role` ask of concepts at least.
    pub(crate) fn asked_concepts(&self, role: Role, disguised: bool) -> Asked {
        let of_role = self.asked_concepts.get(role as usize);
        of_role.map(|asked| asked[usize::from(disguised)].clone()).unwrap_or_default()
    }

    pub(crate) fn file(&self, active: &Active) -> &SignatureFile {
        &self.files[active.file]
    }
}

/// The bundled files, loaded and marked as such.
pub fn bundled_files() -> Vec<Result<SignatureFile, SignatureFault>> {
    let loaded = crate::bundle::bundled().into_iter().map(|(path, text)| {
        load(&path, text).map(|mut file| {
            file.bundled = true;
            file
        })
    });
    loaded.collect()
}

pub(crate) fn pattern_faults(file: &SignatureFile) -> Vec<SignatureFault> {
    let matcher = &file.matcher;
    let mut faults = Vec::new();
    for source in matcher.any.iter().chain(&matcher.all).chain(&matcher.none) {
        if let Err(why) = build(source) {
            let message = format!("the pattern {source:?} {why}");
            faults.push(
                SignatureFault::new(&file.path, code::BAD_REGEX, message)
                    .at(&file.text, "[match]")
                    .at(&file.text, source),
            );
        }
    }
    faults
}
