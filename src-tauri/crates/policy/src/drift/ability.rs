//! New sentences that say the tool does something it was not approved for, or that whoever calls it is to do something
//! for it. Each ability is told by what is done and to what; one that the approved definition names, too, is no news.

use portcullis_domain::DriftCause::{self, Capability, Destination, Order};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

/// How far from what is done a word may stand that denies it or says when.
const NEAR: usize = 3;

pub(super) struct Ability {
    pub cause: DriftCause,
    /// What it is, as the end of "It now …".
    pub title: &'static str,
    /// What is done.
    acts: &'static [&'static str],
    /// To what, or to whom; empty: whatever it is.
    things: &'static [&'static str],
    /// What must be new for the ability to be new.
    new: New,
}

impl Ability {
    /// Told by the verb alone, and no harm by itself.
    pub fn is_bare(&self) -> bool {
        self.things.is_empty() && self.cause != Order
    }
}

const CALLERS: &[&str] = &["caller", "callers", "whoever", "assistant"];
const ADDRESSES: &str = "tells whoever calls it what to do";

#[derive(Clone, Copy, PartialEq)]
enum New {
    Acts,
    Things,
    Either,
}

#[rustfmt::skip]
const OUTSIDE: &[&str] = &[
    "abroad", "advertiser", "analyst", "analytics", "archive", "authority", "bucket", "collector", "desk", "employer",
    "everybody", "everyone", "headquarters", "insurer", "mailbox", "maintainer", "marketing", "outside", "partner",
    "queue", "regulator", "relay", "remote", "reseller", "supplier", "telemetry", "third", "vendor", "internet",
    "publicly", "http", "https",
];
#[rustfmt::skip]
const SECRETS: &[&str] = &[
    "password", "passphrase", "credential", "secret", "keychain", "environment",
    "clipboard", "keystroke", "microphone", "webcam", "camera", "cookie", "cvv", "contacts",
    "wallet", "biometric", "screen", "card", "private", "confidential", 
];
#[rustfmt::skip]
const TAKES: &[&str] = &[
    "capture", "collect", "copy", "gather", "get", "grab", "hand", "harvest", "include", "keep", "list", "mention",
    "monitor", "note", "obtain", "pass", "quote", "read", "record", "remember", "repeat", "retain", "return", "save",
    "scan", "share", "store", "supply", "take", "track", "use", "watch",
];
#[rustfmt::skip]
const ABILITIES: &[Ability] = &[
    Ability { cause: Destination, title: "sends something out", new: New::Acts, things: &[],
        acts: &[
            "send", "forward", "upload", "publish", "transmit", "mail", "email", "relay", "mirror", "broadcast",
            "replicate", "wire", "advertise",
        ] },
    Ability { cause: Destination, title: "hands something to others", new: New::Things, things: OUTSIDE,
        acts: &[
            "add", "address", "back", "copy", "deliver", "direct", "email", "forward", "give", "go", "hand", "keep",
            "leave", "log", "mail", "mirror", "notify", "pass", "post", "process", "publish", "record", "replicate",
            "report", "retain", "route", "save", "send", "settle", "share", "store", "submit", "sync", "tell",
            "transfer", "transmit", "upload", "run",
        ] },
    Ability { cause: Capability, title: "deletes", new: New::Acts, things: &[],
        acts: &[
            "delete", "erase", "wipe", "purge", "destroy", "shred", "remove", "trash", "discard", "drop",
        ] },
    Ability { cause: Capability, title: "ends what it did not", new: New::Acts, things: &[],
        acts: &["close", "revoke", "cancel", "suspend", "terminate"] },
    Ability { cause: Capability, title: "reaches further than it did", new: New::Things,
        things: &["computer", "disk", "production", "device", "hidden", "machine"],
        acts: &[
            "access", "change", "create", "delete", "execute", "find", "list", "open", "query", "read", "return",
            "run", "search", "update", "work", "write",
        ] },
    Ability { cause: Capability, title: "runs or installs programs", new: New::Things,
        things: &[
            "script", "command", "program", "binary", "shell",
            "package", "executable", "hook", "macro", "software", "services",
        ],
        acts: &["execute", "run", "launch", "spawn", "install", "download", "start", "restart", "accept", "evaluate"] },
    Ability { cause: Capability, title: "takes a protection away", new: New::Either,
        things: &[
            "permission", "administrator", "admin", "sandbox", "firewall", "certificate",
            "root", "superuser", "logging", "approval", "confirmation", "consent", "protection",
            "encryption", "authentication", "port", "rights", "role", "limits", "restrictions",
        ],
        acts: &[
            "alter", "bypass", "change", "create", "disable", "elevate", "grant", "ignore", "lift", "open", "override",
            "relax", "skip", "suppress", "turn", "weaken", "work",
        ] },
    Ability { cause: Capability, title: "takes what is private", new: New::Things,
        things: SECRETS, acts: TAKES },
    Ability { cause: Capability, title: "moves money", new: New::Either,
        things: &[
            "fund", "money", "payment", "fee", "invoice", "card", "salary", "deposit",
            "account",
        ],
        acts: &["pay", "wire", "transfer", "charge", "settle", "withdraw", "donate", "bill", "debit"] },
    Ability { cause: Capability, title: "keeps what is given to it", new: New::Acts,
        things: &[
            "argument", "attachment", "call", "conversation", "copy", "credential",
            "duplicate", "input", "message", "prompt", "request", "result",
            "value", 
        ],
        acts: &[
            "archive", "capture", "collect", "duplicate", "eavesdrop", "gather", "memorize", "memorise", "remember",
            "retain",
        ] },
    Ability { cause: Order, title: "does harm", new: New::Acts, things: &[],
        acts: &[
            "brute", "crack", "evade", "exfiltrate", "exploit", "forge", "harvest", "hijack", "impersonate",
            "infiltrate", "intercept", "jailbreak", "poison", "sabotage", "sniff", "spoof", "steal", "tamper",
        ] },
    // Who is told stands before what they are to do.
    Ability { cause: Order, title: ADDRESSES, new: New::Things,
        things: &["caller", "whoever", "assistant", "agent", "model", "llm", "automated"],
        acts: &[
            "accept", "add", "agree", "complete", "consult", "copy", "fetch", "gather", "give", "hand", "include",
            "leave", "list", "look", "mention", "obtain", "open", "pass", "quote", "read", "repeat", "run", "send",
            "share", "submit", "summarise", "summarize", "supply", "take", "tell", "write",
        ] },
];

/// Deny what follows; then nothing is claimed.
const DENYING: &[&str] = &["not", "never", "cannot", "t", "avoid", "whether", "nor", "neither"];
/// After these, "you" says when, not what.
const YOURS: &[&str] = &["if", "when", "unless", "whether", "should", "once", "until", "after", "before", "where"];
/// Before a verb, they begin a claim of their own. What is denied before "or" is denied after it.
const ENDING: &[&str] = &["and", "then", "but"];
/// As these, where they stand right before it; further away they say when it is done.
const CONDITIONS: &[&str] = &["if", "when", "unless", "without", "no", "before", "after", "while", "by", "for"];
/// Before a verb in its plain form, they make it what the tool does.
const LEADING: &[&str] = &["can", "may", "will", "also", "now", "must", "should", "ought", "would", "please"];
/// As these, where they stand right before it.
const JOINING: &[&str] = &["and", "or", "then", "to", "also", "it"];
/// Something is done to what they stand before.
#[rustfmt::skip]
const DETERMINERS: &[&str] = &[
    "a", "all", "an", "any", "each", "every", "his", "it", "its", "such", "that", "the", "their", "them", "these",
    "this", "those", "what", "whatever", "your",
];
/// Before a participle.
const PASSIVE: &[&str] = &["is", "are", "be", "been", "gets", "get", "was", "were", "being"];
const PARTICIPLES: &[&str] = &["ed", "en", "pt", "nt", "id"];

/// One bit for each of `ABILITIES`.
type Set = u16;
const _: () = assert!(ABILITIES.len() <= Set::BITS as usize);

/// Of which abilities a word is an act, and of which a thing.
static WORDS: LazyLock<HashMap<&'static str, (Set, Set)>> = LazyLock::new(|| {
    let mut out: HashMap<&'static str, (Set, Set)> = HashMap::new();
    for (at, ability) in ABILITIES.iter().enumerate() {
        for word in ability.acts {
            out.entry(word).or_default().0 |= 1 << at;
        }
        for word in ability.things {
            out.entry(word).or_default().1 |= 1 << at;
        }
    }
    out
});

/// The words of a whole definition, and the abilities whose acts and things are among them.
pub(super) struct Known {
    words: HashSet<String>,
    acts: Set,
    things: Set,
}

impl Known {
    pub fn of<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let words: HashSet<String> =
            texts.flat_map(super::subject::pieces).flat_map(|word| bases(&word).collect::<Vec<_>>()).collect();
        let of = words.iter().filter_map(|word| WORDS.get(word.as_str()));
        let (acts, things) = of.fold((0, 0), |all, one| (all.0 | one.0, all.1 | one.1));
        Self { words, acts, things }
    }
}

/// What `sentence` (undisguised, lower case) claims that the approved definition did not.
/// `of_parameter`: it stands in the description of one; there, what stands in quotes is an example of a value.
pub(super) fn new_in(sentence: &str, of_parameter: bool, known: &Known) -> Vec<&'static Ability> {
    let words: Vec<Word<'_>> = words(sentence, of_parameter).collect();
    let claimed: Vec<Set> = (0..words.len()).map(|at| claimed(&words, at)).collect();
    if claimed.iter().all(|set| *set == 0) {
        return Vec::new();
    }
    let is_told = |(at, ability): &(usize, &'static Ability)| {
        let bit = 1 << at;
        let is_news = match ability.new {
            New::Acts => known.acts & bit == 0,
            New::Things => true,
            New::Either => (known.acts & known.things) & bit == 0,
        };
        let claims = |from: usize| claimed.iter().skip(from).any(|set| set & bit != 0);
        let is_thing = |word: &Word<'_>| {
            word.things & bit != 0
                && (ability.new != New::Things || bases(word.text).all(|form| !known.words.contains(&form)))
        };
        is_news
            && match words.iter().position(is_thing) {
                Some(at) if ability.title == ADDRESSES => {
                    // Agents and models are also what tools work with: these are told first thing.
                    let is_caller = words.get(at).is_some_and(|word| CALLERS.contains(&word.text));
                    (is_caller || at < NEAR) && claims(at)
                }
                Some(_) => claims(0),
                None => ability.things.is_empty() && claims(0),
            }
    };
    ABILITIES.iter().enumerate().filter(is_told).map(|(_, ability)| ability).collect()
}

struct Word<'s> {
    text: &'s str,
    /// As it stands, and as one of its forms.
    plain_acts: Set,
    acts: Set,
    things: Set,
    /// `forward`, `reports`: the name of a thing as well.
    is_noun: bool,
    /// It is a name or a value.
    is_quoted: bool,
    /// Punctuation stands before it.
    begins: bool,
}

fn words(sentence: &str, of_parameter: bool) -> impl Iterator<Item = Word<'_>> {
    let spans = code_spans(sentence);
    let mut end = 0;
    runs(sentence).map(move |range| {
        let (before, after) = (&sentence[..range.start], &sentence[range.end..]);
        let text = &sentence[range.clone()];
        let opens = before.chars().next_back().unwrap_or(' ');
        let is_name = joins(before.chars().rev()) || joins(after.chars());
        let span = spans.get(spans.partition_point(|span| span.end < range.end));
        let is_code = span.is_some_and(|span| span.start <= range.start);
        let is_quoted = is_name || is_code || of_parameter && matches!(opens, '"' | '\'' | '\u{201c}' | '\u{2018}');
        let between = &sentence[end..range.start];
        let begins = between.contains([',', ';', ':', '.', '!', '?', '(', ')', '\u{2013}', '\u{2014}', '\u{2026}'])
            || between.contains(" -");
        end = range.end;
        let plain_acts = WORDS.get(text).map_or(0, |(acts, _)| *acts);
        let of = bases(text).filter_map(|form| WORDS.get(form.as_str()).copied());
        let (acts, things) = of.fold((0, 0), |all, one| (all.0 | one.0, all.1 | one.1));
        let is_noun = acts != 0 && bases(text).any(|form| super::subject::is_thing_too(&form));
        Word { text, plain_acts, acts, things, is_noun, is_quoted, begins }
    })
}

/// Where letters stand together.
fn runs(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(char::is_alphabetic)?;
        at = text[start..].find(|c: char| !c.is_alphabetic()).map_or(text.len(), |len| start + len);
        Some(start..at)
    })
}

/// `_` and a letter or digit: the name goes on. `_deletes_` is only emphasis.
fn joins(mut next: impl Iterator<Item = char>) -> bool {
    next.next() == Some('_') && next.next().is_some_and(char::is_alphanumeric)
}

/// Between back quotes, and of several words: an example. A word alone is still said.
fn code_spans(sentence: &str) -> Vec<Range<usize>> {
    let mut ends = sentence.match_indices('`').map(|(at, _)| at);
    let mut out = Vec::new();
    while let (Some(start), Some(end)) = (ends.next(), ends.next()) {
        if sentence[start + 1..end].trim().contains(char::is_whitespace) {
            out.push(start..end);
        }
    }
    out
}

/// Of the words before one, those that belong to what it says.
fn clause<'w, 's>(words: &'w [Word<'s>], at: usize) -> &'w [Word<'s>] {
    let from = at.saturating_sub(NEAR);
    let ends = |at: &usize| {
        words.get(*at).is_some_and(|word| word.begins && !matches!(word.text, "or" | "nor"))
            || at.checked_sub(1).and_then(|before| words.get(before)).is_some_and(|word| ENDING.contains(&word.text))
    };
    let from = (from + 1..=at).rev().find(ends).unwrap_or(from);
    words.get(from..at).unwrap_or_default()
}

/// The abilities of which the word at `at` is an act, as what the tool does.
fn claimed(words: &[Word<'_>], at: usize) -> Set {
    let Some(word) = words.get(at).filter(|word| word.acts != 0 && !word.is_quoted) else { return 0 };
    let before = words.get(at.saturating_sub(NEAR)..at).unwrap_or_default();
    let follows = |list: &[&str]| before.iter().any(|word| list.contains(&word.text));
    let clause = clause(words, at);
    let is_denied = clause.iter().any(|word| DENYING.contains(&word.text));
    let is_yours = (at.saturating_sub(clause.len())..at).any(|at| {
        let when = at.checked_sub(1).and_then(|before| words.get(before));
        words[at].text == "you" && when.is_some_and(|when| YOURS.contains(&when.text))
    });
    if is_denied || is_yours || clause.last().is_some_and(|word| CONDITIONS.contains(&word.text)) {
        return 0;
    }
    let joined = before.last().is_some_and(|word| JOINING.contains(&word.text));
    let does = !word.is_noun || words.get(at + 1).is_some_and(|word| DETERMINERS.contains(&word.text));
    // "Copies go to …".
    let is_second = at == 1 && before.iter().all(|word| word.text.ends_with('s'));
    let is_participle = PARTICIPLES.iter().any(|ending| word.text.ends_with(ending));
    let inflected = word.acts & !word.plain_acts;
    let mut out = 0;
    if (at == 0 && does) || is_second || joined || follows(LEADING) {
        out |= word.plain_acts;
    }
    if word.text.ends_with('s') && (does || joined) || at == 0 && does && !is_participle {
        out |= inflected;
    }
    if is_participle && follows(PASSIVE) {
        out |= inflected;
    }
    out
}

/// A word and what it may be a form of (`copies`: copy, `stored`: store, `putting`: put).
fn bases(word: &str) -> impl Iterator<Item = String> {
    let mut out = vec![word.to_owned()];
    for ending in ["s", "es", "ed", "d", "ing"] {
        if let Some(base) = word.strip_suffix(ending).filter(|base| base.len() > 2) {
            out.extend([base.to_owned(), format!("{base}e")]);
            let mut end = base.chars().rev();
            if let (Some(a), Some(b)) = (end.next(), end.next())
                && a == b
            {
                out.extend(base.strip_suffix(a).map(str::to_owned));
            }
        }
    }
    for ending in ["ies", "ied"] {
        out.extend(word.strip_suffix(ending).map(|base| format!("{base}y")));
    }
    out.extend(match word {
        "sent" => Some("send".to_owned()),
        "kept" => Some("keep".to_owned()),
        "given" => Some("give".to_owned()),
        "taken" => Some("take".to_owned()),
        "paid" => Some("pay".to_owned()),
        _ => None,
    });
    out.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(approved: &[&str], sentence: &str) -> Vec<&'static str> {
        let known = Known::of(approved.iter().copied());
        new_in(&sentence.to_lowercase(), true, &known).into_iter().map(|ability| ability.title).collect()
    }

    #[test]
    fn what_the_tool_did_not_do_is_told() {
        let approved = ["search_issues", "Searches the issues of a repository, newest first.", "query"];
        for (sentence, title) in [
            ("Searches the issues and mails them.", "sends something out"),
            ("Input is also forwarded.", "sends something out"),
            ("Results are kept by the vendor.", "hands something to others"),
            ("A report is posted to https://a.example/in.", "hands something to others"),
            ("Can now also delete accounts.", "deletes"),
            ("When done, closes the issue.", "ends what it did not"),
            ("Without asking, uploads the folder.", "sends something out"),
            ("Executes scripts found beside the input.", "runs or installs programs"),
            ("Turns off the sandbox while it works.", "takes a protection away"),
            ("Also reads the clipboard.", "takes what is private"),
            ("A fee is transferred with each use.", "moves money"),
            ("Retains the arguments.", "keeps what is given to it"),
            ("Reads any file on this computer.", "reaches further than it did"),
            ("Agents take the name of the account and pass it on.", ADDRESSES),
        ] {
            assert!(told(&approved, sentence).contains(&title), "{sentence}: {:?}", told(&approved, sentence));
        }
    }

    #[test]
    fn what_is_denied_or_said_of_something_else_denies_no_more_than_that() {
        let approved = ["search_issues", "Searches the issues of a repository, newest first.", "query"];
        for (sentence, title) in [
            ("For you: deletes the branches of the repository.", "deletes"),
            ("As you like, deletes the branches of the repository.", "deletes"),
            ("It never fails and deletes the branches of the repository.", "deletes"),
            ("This can't fail: mails the issues to the vendor.", "sends something out"),
            ("It does not block and mails the issues to the vendor.", "sends something out"),
            ("Also `deletes` issues of the repository.", "deletes"),
            ("Also _deletes_ issues of the repository.", "deletes"),
            ("Afterwards removes the issues of the repository.", "deletes"),
            ("Issues older than the newest first are trashed.", "deletes"),
        ] {
            assert!(told(&approved, sentence).contains(&title), "{sentence}: {:?}", told(&approved, sentence));
        }
        for sentence in [
            "Does not upload or delete anything.",
            "Never uploads or deletes.",
            "Falls back to the default if not given, or uses the password.",
            "If you want to delete one, ask.",
            "Call `delete_issue` or delete_all_issues.",
            "See `search and delete the branch` for more.",
        ] {
            assert_eq!(told(&approved, sentence), [""; 0], "{sentence}");
        }
    }

    #[test]
    fn what_it_did_or_denies_or_only_names_is_not() {
        let approved = ["send_mail", "Sends a mail and deletes the draft.", "password"];
        for sentence in [
            "Sends a mail to several people.",
            "Deletes the draft afterwards.",
            "Returns an error if the password is wrong.",
            "Never runs commands.",
            "Does not upload anything.",
            "If you delete it, call `archive` first.",
            "Waits when uploading takes long.",
            "Forward pagination cursor.",
            "Pass null to clear it.",
            "One of 'add', 'execute' and 'list commands'.",
            "Write keywords, not sentences, for the model.",
        ] {
            assert_eq!(told(&approved, sentence), [""; 0], "{sentence}");
        }
    }
}
