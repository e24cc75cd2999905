//! What a Signature file should be beyond loading: compiling patterns, keywords that can match, prose that reads well.

use crate::fault::{SignatureFault, code};
use crate::file::SignatureFile;
use crate::normal::Normal;
use crate::predicate::{Predicate, concept};
use crate::set::pattern_faults;
use std::collections::HashMap;

/// The categories, which are also the folders of `signatures/`.
pub const CATEGORIES: &[&str] = &[
    "arguments",
    "commands",
    "definitions",
    "elicitation",
    "exfiltration",
    "hidden-text",
    "injection",
    "network",
    "personal-data",
    "secrets",
    "self-protection",
];
const MAX_TITLE_CHARS: usize = 100;
/// Examples of each sort that a bundled file brings.
const MIN_EXAMPLES: usize = 2;
/// Words the copy rules ban: they claim a motive nobody saw, or shout.
pub(crate) const BANNED: &[&str] = &["attacker", "malicious", "threat", "suspicious", "hacker", "!"];

/// Every complaint about the files, alone and together; empty is good.
pub fn lint(files: &[SignatureFile]) -> Vec<SignatureFault> {
    let mut faults = Vec::new();
    let mut ids: HashMap<&str, &str> = HashMap::new();
    for file in files {
        if let Some(other) = ids.insert(&file.id, &file.path) {
            let message = format!("the id {:?} is also used by {other}", file.id);
            faults.push(SignatureFault::new(&file.path, code::DUPLICATE_ID, message).at(&file.text, "id"));
        }
        faults.extend(pattern_faults(file));
        lint_one(file, &mut faults);
    }
    faults
}

fn is_bundled(id: &str) -> bool {
    crate::bundle::bundled()
        .iter()
        .any(|(path, _)| path.rsplit('/').next().and_then(|name| name.strip_suffix(".toml")) == Some(id))
}

fn lint_one(file: &SignatureFile, faults: &mut Vec<SignatureFault>) {
    let mut say = |code, needle: &str, message: String| {
        faults.push(SignatureFault::new(&file.path, code, message).at(&file.text, needle));
    };
    if !CATEGORIES.contains(&file.category.as_str()) {
        say(code::BAD_CATEGORY, "category", format!("category {:?} is none of {CATEGORIES:?}", file.category));
    }
    if let Some((folder, _)) = file.path.rsplit_once('/')
        && folder.rsplit('/').next() != Some(file.category.as_str())
    {
        say(code::BAD_CATEGORY, "category", format!("the file lies in {folder:?}, not in {:?}", file.category));
    }
    for keyword in &file.matcher.keywords {
        if keyword.len() < 2 || Normal::of(keyword).text != *keyword {
            let message = format!("keyword {keyword:?} can never match: write it in normalised form");
            say(code::BAD_KEYWORD, keyword, message);
        }
    }
    if let Some(Predicate::ConceptScore { needs, .. }) = &file.matcher.predicate {
        for name in concept::unknown(needs) {
            say(code::BAD_VALUE, name, format!("no concept and no pattern is called {name:?}"));
        }
    }
    if let Some(Predicate::SeveralSigns { at_least, categories, except, families }) = &file.matcher.predicate {
        for name in categories.iter().filter(|name| !CATEGORIES.contains(&name.as_str())) {
            say(code::BAD_VALUE, name, format!("category {name:?} is none of {CATEGORIES:?}"));
        }
        for name in except.iter().chain(families.iter().flatten()).filter(|name| !is_bundled(name)) {
            say(code::BAD_VALUE, name, format!("no bundled Signature is called {name:?}"));
        }
        if *at_least < 2 {
            say(code::BAD_VALUE, "at_least", "one sign is not several: at_least must be 2 or more".into());
        }
    }
    if file.title.chars().count() > MAX_TITLE_CHARS || file.title.ends_with('.') || file.title.is_empty() {
        say(code::BAD_PROSE, "title", format!("title must be 1 to {MAX_TITLE_CHARS} characters, without a full stop"));
    }
    for (name, prose) in [("title", &file.title), ("description", &file.description), ("advice", &file.advice)] {
        let lower = prose.to_lowercase();
        if prose.trim().is_empty() {
            say(code::BAD_PROSE, name, format!("{name} is empty"));
        }
        if let Some(word) = BANNED.iter().find(|word| lower.contains(**word)) {
            say(code::BAD_PROSE, name, format!("{name} contains {word:?}: say what was found, not who did it"));
        }
    }
    if file.false_positives.trim().is_empty() {
        say(code::BAD_PROSE, "false_positives", "false_positives is empty: say when it is wrong".into());
    }
    if file.place.roles.is_empty() {
        say(code::BAD_VALUE, "roles", "roles is empty: the Signature looks nowhere".into());
    }
    if file.bundled {
        for (name, count) in [("hit", file.hits.len()), ("miss", file.misses.len())] {
            if count < MIN_EXAMPLES {
                say(
                    code::NO_EXAMPLE,
                    "id",
                    format!("a bundled file has at least {MIN_EXAMPLES} [[{name}]], this {count}"),
                );
            }
        }
        if !file.references.iter().any(|reference| reference.starts_with("https://")) {
            say(code::BAD_PROSE, "references", "a bundled file names a source that can be looked up".into());
        }
    }
    if file.text.lines().count() > 80 {
        say(code::TOO_LARGE, "id", "the file has more than 80 lines; split it or shorten it".into());
    }
}
