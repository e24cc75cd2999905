//! New sentences that say the tool does something which has nothing to do with what it was approved for: nearly all of
//! their words of weight are new. Honest releases add to what a tool does and name it while they do.

use std::collections::HashSet;

/// Fewer words of weight say too little to be of another subject.
const MIN_WORDS: usize = 2;
/// Of so many words of weight one may be known.
const ONE_KNOWN_OF: usize = 5;
/// Inflections fall away, and endings with them.
const STEM_CHARS: usize = 6;

/// What tools do, as the first word of a sentence says it.
#[rustfmt::skip]
const VERBS: &[&str] = &[
    "abuse", "access", "adjust", "administer", "allocate", "alter", "analyze", "analyse", "approve", "assess", "attach",
    "attack", "audit", "authenticate", "automate", "backup", "book", "brute", "buy", "bypass", "calibrate", "capture", "change", "check",
    "clone", "collect", "conceal", "conduct", "configure", "confirm", "connect", "control", "convert", "coordinate",
    "copy", "corrupt", "crack", "create", "deactivate", "decrypt", "delete", "deliver", "deploy", "detect", "disable", "discover",
    "dispatch", "disrupt", "distribute", "divert", "download", "dump", "elevate", "email", "employ", "enable", "encrypt",
    "enforce", "ensure", "enumerate", "erase", "escalate", "establish", "evade", "evaluate", "execute", "exfiltrate",
    "exhaust", "exploit", "export", "extract", "fabricate", "facilitate", "falsify", "fetch", "fingerprint", "forge", "forward", "gain", "gather", "generate", "grab",
    "grant", "handle", "harvest", "hide", "hijack", "impersonate", "import", "infiltrate", "inject", "inspect",
    "install", "intercept", "invoke", "issue", "jailbreak", "kill", "launch", "leak", "list", "load", "lock", "log", "maintain", "manage",
    "manipulate", "map", "mirror", "modify", "monitor", "mount", "move", "obtain", "open", "operate", "order", "overwrite", "pay", "perform",
    "plant", "poison", "post", "prescribe", "probe", "process", "protect", "provide", "publish", "pull", "push", "read", "reallocate", "record",
    "redirect", "register", "relay", "remove", "replace", "report", "reroute", "reset", "restore", "retrieve",
    "reveal", "review", "revoke", "run", "sabotage", "scan", "schedule", "search", "secure", "sell", "send", "share", "simulate", "sniff", "spoof",
    "start", "steal", "stop", "store", "submit", "tamper", "terminate", "test", "track", "trade", "transfer", "transmit", "trigger",
    "tunnel", "unlock", "unmount", "update", "upload", "utilize", "utilise", "validate", "verify", "walk", "wipe", "write",
];
/// Of these, those whose other form is a thing (`coordinates`, `orders`): they count only as an
/// order, and of a parameter not at all (`Start date`).
#[rustfmt::skip]
const THINGS: &[&str] = &[
    "access", "attack", "book", "change", "check", "clone", "control", "coordinate", "copy", "download", "email", "export",
    "forward", "issue", "list", "load", "lock", "log", "map", "mirror", "mount", "move", "order", "post", "process", "push",
    "record", "report", "review", "run", "scan", "schedule", "search", "share", "start", "stop", "store", "test", "track",
    "trade", "transfer", "trigger", "update", "upload",
];
/// Words that stand in the definition of any tool.
#[rustfmt::skip]
const COMMON: &[&str] = &[
    "about", "after", "also", "based", "been", "before", "being", "between", "could", "data", "default", "does", "during", "each",
    "ensuring", "example", "from", "given", "have", "here", "include", "includes", "including", "information", "into",
    "list", "more", "most", "must", "number", "only", "optional", "other", "over", "parameter", "parameters", "provide",
    "provided", "provides", "required", "return", "returns", "should", "some", "specific", "specified", "specify",
    "string", "such", "system", "than", "that", "their", "them", "then", "there", "these", "they", "this", "those", "tool", "tools",
    "true", "false", "under", "used", "user", "users", "uses", "using", "value", "values", "were", "what", "when", "where", "which",
    "while", "will", "with", "within", "without", "your",
];

/// The words of weight of a whole definition.
pub(super) fn words<'t>(texts: impl Iterator<Item = &'t str>) -> HashSet<String> {
    texts.flat_map(stems).collect()
}

/// Whether `sentence` says what a tool does, and next to none of its words of weight is among the `known` ones. `of_parameter`: it
/// stands in the description of a parameter.
pub(super) fn is_another(sentence: &str, of_parameter: bool, known: &HashSet<String>) -> bool {
    // An example stands in quotes.
    if sentence.starts_with(['\'', '"', '`', '(', '\u{201c}']) || !says_what_it_does(sentence, of_parameter) {
        return false;
    }
    let words: HashSet<String> = stems(sentence).collect();
    words.len() >= MIN_WORDS && words.intersection(known).count() * ONE_KNOWN_OF <= words.len()
}

/// `Manages …`, `Use the BillingTool to …`, `A tool designed to …`, `This function will …`.
fn says_what_it_does(sentence: &str, of_parameter: bool) -> bool {
    let mut words = sentence.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let first = words.next().unwrap_or_default().to_ascii_lowercase();
    let second = words.next().unwrap_or_default().to_ascii_lowercase();
    match first.as_str() {
        // "Use this to …" speaks of the tool as it is, "Use the cursor …" of a value.
        "use" => second == "the" && words.next().is_some_and(|word| word.to_ascii_lowercase().ends_with("tool")),
        "a" | "an" | "this" | "it" | "the" => {
            let beginning = sentence.split(['.', '\n']).next().unwrap_or_default().to_ascii_lowercase();
            let mut after = beginning.split_whitespace().take(12).skip_while(|word| !is_thing(word));
            after.next().is_some()
                && after.any(|word| matches!(word, "to" | "that" | "for" | "will" | "can" | "aimed" | "designed"))
        }
        word => !second.is_empty() && second != "to" && is_verb(word, of_parameter),
    }
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

fn stems(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphabetic()).flat_map(parts);
    let words =
        words.map(str::to_lowercase).filter(|word| word.chars().count() > 3 && !COMMON.contains(&word.as_str()));
    words.map(|word| {
        let ends = ["ings", "ing", "ies", "es", "ed", "s", "e"];
        let stem = ends.into_iter().find_map(|end| word.strip_suffix(end).filter(|stem| stem.chars().count() >= 3));
        stem.unwrap_or(&word).chars().take(STEM_CHARS).collect()
    })
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

    #[test]
    fn what_the_tool_never_did_is_another_subject() {
        let known = words(["search_issues", "Searches the issues of a repository, newest first.", "query"].into_iter());
        for sentence in [
            "Manage treatment records and ensure procedures are documented.",
            "Use the BillingTool to reallocate funds.",
            "A tool designed to harvest browser cookies.",
            "Deletes old backups.",
            "This function will forward mail outside.",
        ] {
            assert!(is_another(sentence, false, &known), "{sentence}");
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
            assert!(!is_another(sentence, false, &known), "{sentence}");
        }
        assert!(!is_another("Start date in the form of ISO 8601", true, &known));
        assert!(is_another("Delete the customer database", true, &known));
    }
}
