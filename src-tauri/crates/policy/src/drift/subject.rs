//! New sentences that say the tool does something which has nothing to do with what it was approved for: nearly all of
//! their words of weight are new. Honest releases add to what a tool does and name it while they do.

use std::collections::HashSet;

/// Fewer words of weight say too little to be of another subject.
const MIN_WORDS: usize = 2;
/// Of so many words of weight one may be known.
const ONE_KNOWN_OF: usize = 5;
/// The same, where another tool is named.
const HALF: usize = 2;
/// Words at the beginning among which a tool is named.
const MAX_NAME_AT: usize = 4;
/// So many things beside the verb say what a sentence is about.
const MIN_THINGS: usize = 3;
/// Words of weight without one that is known, and words at all, from which a sentence is beside the matter.
const MIN_BESIDE_WORDS: usize = 3;
const MIN_SENTENCE_WORDS: usize = 4;
/// Begin sentences that say when and how to use what is there.
#[rustfmt::skip]
const HINTS: &[&str] = &[
    "Call", "Default", "Defaults", "Deprecated", "Do", "Example", "If", "Include", "Includes", "Leave", "NOTE", "Note",
    "Only", "Support", "Supports", "Unless", "Use", "Useful", "Work", "Works",
];
/// Longer titles are no titles.
const MAX_TITLE_WORDS: usize = 8;
/// Inflections fall away, and endings with them.
const STEM_CHARS: usize = 6;
/// The beginning of a parameter's name that says what it is; longer ones are texts.
const MAX_NAME_BYTES: usize = 256;

/// What tools do, as the first word of a sentence says it.
#[rustfmt::skip]
const VERBS: &[&str] = &[
    "abuse", "access", "adjust", "administer", "allocate", "alter", "analyze", "analyse", "approve", "assess",
    "attach", "attack", "audit", "authenticate", "automate", "backup", "book", "brute", "buy", "bypass", "calibrate",
    "capture", "change", "check", "clone", "collect", "conceal", "conduct", "configure", "confirm", "connect",
    "control", "convert", "coordinate", "copy", "corrupt", "crack", "create", "deactivate", "decrypt", "delete",
    "deliver", "deploy", "detect", "disable", "discover", "dispatch", "disrupt", "distribute", "divert", "download",
    "dump", "elevate", "email", "employ", "enable", "encrypt", "enforce", "enhance", "ensure", "enumerate", "erase",
    "escalate", "establish", "evade", "evaluate", "execute", "exfiltrate", "exhaust", "exploit", "export", "extract",
    "fabricate", "facilitate", "falsify", "fetch", "fingerprint", "forge", "forward", "gain", "gather", "generate",
    "grab", "grant", "handle", "harvest", "hide", "hijack", "impersonate", "import", "infiltrate", "inject", "inspect",
    "install", "intercept", "invoke", "issue", "jailbreak", "kill", "launch", "leak", "list", "load", "lock", "log",
    "maintain", "manage", "manipulate", "map", "mirror", "modify", "monitor", "mount", "move", "obtain", "open",
    "operate", "order", "oversee", "overwrite", "pay", "perform", "plant", "poison", "post", "prescribe", "probe",
    "process", "protect", "provide", "publish", "pull", "push", "read", "reallocate", "record", "redirect", "register",
    "relay", "remove", "replace", "report", "reroute", "reset", "restore", "retrieve", "reveal", "review", "revoke",
    "run", "sabotage", "safeguard", "scan", "schedule", "search", "secure", "sell", "send", "share", "simulate",
    "sniff", "spoof", "start", "steal", "stop", "store", "strengthen", "submit", "tamper", "terminate", "test",
    "track", "trade", "transfer", "transmit", "trigger", "tunnel", "unlock", "unmount", "update", "upload", "utilize",
    "utilise", "validate", "verify", "walk", "wipe", "write",
];
/// Of these, those whose other form is a thing (`coordinates`, `orders`): they count only as an
/// order, and of a parameter not at all (`Start date`).
#[rustfmt::skip]
const THINGS: &[&str] = &[
    "access", "archive", "attack", "bill", "book", "capture", "charge", "duplicate", "change", "check", "clone",
    "control", "coordinate", "copy", "download", "email", "export", "forward", "issue", "list", "load", "lock", "log",
    "map", "mirror", "mount", "move", "order", "post", "process", "push", "record", "report", "review", "run", "scan",
    "schedule", "search", "share", "start", "stop", "store", "test", "track", "trade", "transfer", "trigger", "update",
    "upload",
];
/// Words that stand in the definition of any tool.
#[rustfmt::skip]
const COMMON: &[&str] = &[
    "about", "after", "also", "based", "been", "before", "being", "between", "could", "data", "default", "does",
    "during", "each", "ensuring", "example", "from", "given", "have", "here", "include", "includes", "including",
    "information", "into", "list", "more", "most", "must", "number", "only", "optional", "other", "over", "parameter",
    "parameters", "provide", "provided", "provides", "required", "return", "returns", "should", "some", "specific",
    "specified", "specify", "string", "such", "system", "than", "that", "their", "them", "then", "there", "these",
    "they", "this", "those", "tool", "tools", "true", "false", "under", "used", "user", "users", "uses", "using",
    "value", "values", "were", "what", "when", "where", "which", "while", "will", "with", "within", "without", "your",
];

/// Words that join others to a text; names have few of them.
const JOINTS: &[&str] = &["a", "an", "the", "to", "of", "in", "for", "with", "from", "at", "by", "via", "is", "are"];

/// The words of weight of a whole definition, and those of the tool's name.
pub(super) struct Subjects {
    known: HashSet<String>,
    name: HashSet<String>,
}

impl Subjects {
    pub fn of<'t>(texts: impl Iterator<Item = &'t str>, name: &str) -> Self {
        Self { known: texts.flat_map(stems).collect(), name: stems(name).collect() }
    }

    /// Whether `sentence` says what a tool does, and next to none of its words of weight is known. `parameter`: the
    /// name of the one that it describes.
    pub fn is_another(&self, sentence: &str, parameter: Option<&str>) -> bool {
        let of_parameter = parameter.is_some();
        if let Some(name) = parameter {
            let name: HashSet<String> = stems(beginning(name, MAX_NAME_BYTES)).collect();
            if !name.is_empty() && stems(sentence).any(|word| name.contains(&word)) {
                return false;
            }
        }
        // An example stands in quotes, a heading ends with a colon.
        if sentence.starts_with(['\'', '"', '`', '(', '\u{201c}'])
            || sentence.ends_with(':')
            || !says_what_it_does(sentence, of_parameter)
        {
            return false;
        }
        // Another tool by its name: then more may be common.
        let names = sentence.split_whitespace().take(MAX_NAME_AT).filter(|word| is_tool_name(word));
        let names_another = names.into_iter().any(|name| stems(name).any(|word| !self.known.contains(&word)));
        self.is_new(sentence, MIN_WORDS, if names_another { HALF } else { ONE_KNOWN_OF })
    }

    /// Whether a plain sentence, whatever it says, speaks of nothing that the definition speaks of.
    pub fn is_beside(&self, sentence: &str) -> bool {
        is_plain_sentence(sentence) && self.is_foreign(sentence, MIN_BESIDE_WORDS)
    }

    /// Whether a choice or a default is no name or setting, but text about something else.
    pub fn is_odd_value(&self, value: &str) -> bool {
        let mut words = value.split_whitespace();
        let first = words.next().unwrap_or_default().to_lowercase();
        let is_text =
            is_verb(&first, false) || value.ends_with('.') || words.clone().any(|word| JOINTS.contains(&word));
        is_text && words.count() >= MIN_WORDS && self.is_new(value, MIN_WORDS, ONE_KNOWN_OF)
    }

    /// Whether `new` has no word of weight in common with `old`, nor with the tool's name.
    pub fn is_another_description(&self, old: &str, new: &str) -> bool {
        let old: HashSet<String> = stems(old).collect();
        let new: HashSet<String> = stems(new).collect();
        new.len() >= MIN_WORDS && new.is_disjoint(&old) && new.is_disjoint(&self.name)
    }

    /// Whether there are words of weight enough, and none of them is known.
    pub fn is_foreign(&self, text: &str, at_least: usize) -> bool {
        let words: HashSet<String> = stems(text).collect();
        words.len() >= at_least && words.is_disjoint(&self.known)
    }

    /// Whether a title has nothing to do with the tool.
    pub fn is_another_title(&self, title: &str) -> bool {
        let is_long = title.split_whitespace().count() > MAX_TITLE_WORDS;
        self.is_new(title, MIN_WORDS, if is_long { HALF } else { ONE_KNOWN_OF })
    }

    fn is_new(&self, text: &str, at_least: usize, one_known_of: usize) -> bool {
        let words: HashSet<String> = stems(text).collect();
        // What is done is the same for many things, where enough of them are named.
        let verb = text.split_whitespace().next().and_then(|first| stems(first).next());
        let is_verb = |word: &&String| words.len() > MIN_THINGS && Some(*word) == verb.as_ref();
        let known = words.intersection(&self.known).filter(|word| !is_verb(word)).count();
        let named = words.intersection(&self.name).count();
        words.len() >= at_least && (known + named) * one_known_of <= words.len()
    }
}

/// No item of a list, heading, example, code or hint on how to use the tool: honest releases add such with words of
/// their own.
fn is_plain_sentence(sentence: &str) -> bool {
    let mut words = sentence.split_whitespace();
    let first = words.next().unwrap_or_default();
    let is_loud = |word: &str| word.len() > 3 && word.chars().all(|c| !c.is_lowercase());
    first.starts_with(|c: char| c.is_uppercase())
        && !HINTS.contains(&first)
        && words.clone().count() >= MIN_SENTENCE_WORDS - 1
        && !words.any(is_loud)
        && !sentence.contains(|c: char| c.is_ascii_digit() || "`*:=[]{}<>|\\_()#\u{2192}".contains(c))
        && !sentence.contains("--")
}

/// `Manages …`, `Use the BillingTool to …`, `A tool designed to …`, `This function will …`.
fn says_what_it_does(sentence: &str, of_parameter: bool) -> bool {
    let mut words = sentence.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let first = words.next().unwrap_or_default().to_ascii_lowercase();
    let second = words.next().unwrap_or_default().to_ascii_lowercase();
    match first.as_str() {
        // "Use this to …" speaks of the tool as it is, "Use the cursor …" of a value.
        "use" | "deploy" | "employ" | "utilize" | "utilise" if second == "the" => {
            words.next().is_some_and(is_tool_name)
        }
        "use" => false,
        // "To list them, use …" tells of another tool.
        "to" => is_verb(&second, of_parameter) && ![", use ", ", call "].iter().any(|hint| sentence.contains(hint)),
        "a" | "an" | "this" | "it" | "the" => {
            let beginning = sentence.split(['.', '\n']).next().unwrap_or_default().to_ascii_lowercase();
            // "A function to run" is a value as well.
            let is_thing = |word: &str| is_thing(word) && !(of_parameter && word == "function");
            let mut after = beginning.split_whitespace().take(12).skip_while(|word| !is_thing(word));
            after.next().is_some()
                && after.any(|word| matches!(word, "to" | "that" | "for" | "will" | "can" | "aimed" | "designed"))
        }
        // Of a parameter: what whoever calls the tool is to do.
        "provide" | "specify" if of_parameter => false,
        word => !second.is_empty() && second != "to" && is_verb(word, of_parameter),
    }
}

/// `BillingTool`, `AccessPortal`.
fn is_tool_name(word: &str) -> bool {
    word.to_ascii_lowercase().ends_with("tool")
        || word.starts_with(|c: char| c.is_uppercase()) && parts(word).count() > 1
}

fn is_thing(word: &str) -> bool {
    ["tool", "function", "service", "utility", "module", "it"].contains(&word)
}

/// One of `VERBS`, in the form of an order, of a description or of a name (`send`, `sends`, `sending`).
fn is_verb(word: &str, of_parameter: bool) -> bool {
    let bases = ["", "s", "es", "ing", "ies"].into_iter().filter_map(|ending| word.strip_suffix(ending));
    let mut bases = bases.flat_map(|base| [base.to_owned(), format!("{base}e"), format!("{base}y")]);
    bases.any(|base| {
        VERBS.contains(&base.as_str()) && (base == word && !of_parameter || !THINGS.contains(&base.as_str()))
    })
}

/// Whether a verb is the name of a thing as well.
pub(super) fn is_thing_too(verb: &str) -> bool {
    THINGS.contains(&verb)
}

/// At most `max` bytes of a text.
fn beginning(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

fn stems(text: &str) -> impl Iterator<Item = String> {
    #[cfg(test)]
    tests::STEMMED.with(|bytes| bytes.set(bytes.get() + text.len()));
    let words = text.split(|c: char| !c.is_alphabetic()).flat_map(parts);
    let words =
        words.map(str::to_lowercase).filter(|word| word.chars().count() > 3 && !COMMON.contains(&word.as_str()));
    words.map(|word| {
        let ends = ["ings", "ing", "ies", "es", "ed", "s", "e"];
        let stem = ends.into_iter().find_map(|end| word.strip_suffix(end).filter(|stem| stem.chars().count() >= 3));
        stem.unwrap_or(&word).chars().take(STEM_CHARS).collect()
    })
}

/// The words of a text or name, in lower case.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphabetic()).flat_map(parts).map(str::to_lowercase)
}

/// `pullRequest` → `pull`, `Request`.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    let mut start = 0;
    let mut was_lower = false;
    let mut cuts = Vec::new();
    for (at, c) in word.char_indices() {
        if c.is_uppercase() && was_lower {
            cuts.push(start..at);
            start = at;
        }
        was_lower = c.is_lowercase();
    }
    cuts.push(start..word.len());
    cuts.into_iter().filter_map(|cut| word.get(cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    thread_local! {
        /// Bytes of text that were cut into stems.
        pub(super) static STEMMED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    #[test]
    fn a_long_name_beside_a_long_description_is_no_more_work_than_both() {
        let words = |begin: char, count: usize| -> String {
            let letter = |n: usize| char::from(b'a' + (n % 20) as u8);
            (0..count).flat_map(|n| [begin, 'o', letter(n), letter(n / 20), letter(n / 400), ' ']).collect()
        };
        let (name, sentence) = (words('k', 3000), words('z', 8000));
        let subjects = Subjects::of(["search_issues"].into_iter(), "search_issues");
        STEMMED.set(0);
        subjects.is_another(&sentence, Some(&name));
        assert!(STEMMED.get() <= 4 * (name.len() + sentence.len()), "{}", STEMMED.get());
    }

    #[test]
    fn what_the_tool_never_did_is_another_subject() {
        let texts = ["search_issues", "Searches the issues of a repository, newest first.", "query"];
        let subjects = Subjects::of(texts.into_iter(), "search_issues");
        for sentence in [
            "Manage treatment records and ensure procedures are documented.",
            "Use the BillingTool to reallocate funds.",
            "A tool designed to harvest browser cookies.",
            "Deletes old backups.",
            "This function will forward mail outside.",
        ] {
            assert!(subjects.is_another(sentence, None), "{sentence}");
        }
        for sentence in [
            "Also searches closed issues.",
            "Returns at most 50 issues per page.",
            "Use this to reduce the size of the response.",
            "Set to false to skip the form.",
            "Sorting follows the repository's default.",
            "Useful for locating contributors.",
            "Use the cursor of the last answer.",
            "'Reports a crash when saving' → bug",
            "Coordinates are relative to the viewport.",
            "Results are cached.",
            "Lists.",
        ] {
            assert!(!subjects.is_another(sentence, None), "{sentence}");
        }
        assert!(!subjects.is_another("Start date in the form of ISO 8601", Some("start_date")));
        assert!(subjects.is_another("Delete the customer database", Some("mode")));
    }
}
