//! What a server defines beside the other servers of the same ClientApp, and beside itself in other ClientApps: names
//! that only look like another server's, near-clones under almost the same name, one server that says different things
//! to different apps. Looked at when a definition is seen for the first time.

use crate::judged::{builtin, check};
use portcullis_domain::json::{Doc, Mode};
use portcullis_domain::{AppId, Finding, Limits, Pin, PinKind, Scan, Severity, Upstream, Verdict};
use std::collections::{HashMap, HashSet};

/// Share of common words from which two descriptions count as copies.
const CLONE: f32 = 0.8;
const MIN_CLONE_WORDS: usize = 4;
/// Of one key; more of them say nothing new.
const MAX_SIMILAR: usize = 8;
/// Ends of a name that make another one of it, without another meaning.
const ENDINGS: &[&str] = &[
    "secure", "safe", "new", "pro", "plus", "official", "enhanced", "improved", "fixed", "updated", "latest", "better",
    "fast", "real", "original", "copy", "alt", "advanced", "tool",
];

/// Which ClientApp a server belongs to, and what tells that two entries are the same server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub app: AppId,
    identity: String,
}

impl Server {
    pub fn of(upstream: &Upstream) -> Self {
        let identity = upstream.url.as_ref().map_or_else(|| upstream.command.join("\0"), ToString::to_string);
        Self { app: upstream.app.clone(), identity }
    }

    /// The same server, as another ClientApp has it.
    pub fn is_twin(&self, other: &Self) -> bool {
        self.app != other.app && self.is_same(other)
    }

    pub fn is_same(&self, other: &Self) -> bool {
        !self.identity.is_empty() && self.identity == other.identity
    }
}

/// The tools of the other servers of one ClientApp, by what their names come down to.
#[derive(Default)]
pub(crate) struct Neighbours {
    by_key: HashMap<String, Vec<(String, String)>>,
}

impl Neighbours {
    /// `tools`: of the other servers, but for entries of the same server.
    pub fn new<'p>(scan: &dyn Scan, tools: impl Iterator<Item = &'p Pin>) -> Self {
        let mut by_key: HashMap<String, Vec<(String, String)>> = HashMap::new();
        for pin in tools.filter(|pin| pin.kind == PinKind::Tool) {
            let similar = by_key.entry(key(&scan.plain(&pin.name))).or_default();
            if similar.len() < MAX_SIMILAR {
                similar.push((pin.name.clone(), pin.approved.clone()));
            }
        }
        Self { by_key }
    }

    /// What a tool that is seen for the first time has to do with them.
    pub fn finding(&self, scan: &dyn Scan, pin: &Pin, pointer: &str) -> Option<Finding> {
        let plain = scan.plain(&pin.name);
        let similar = self.by_key.get(&key(&plain))?;
        // Two servers may well have a tool of one name: then the app says which one is meant.
        let others = similar.iter().filter(|(name, _)| *name != pin.name);
        let is_disguised = plain != pin.name.to_lowercase();
        let (severity, verdict, title, other) = others
            .filter_map(|(name, definition)| {
                if is_disguised && scan.plain(name) == plain {
                    let title = "A tool whose name looks exactly like that of another server's tool and is another";
                    return Some((Severity::High, Verdict::Block, title, name));
                }
                let title = "A tool that copies another server's tool under almost the same name";
                are_clones(&pin.approved, definition).then_some((Severity::Medium, Verdict::Flag, title, name))
            })
            .max_by_key(|(severity, ..)| *severity)?;
        Some(Finding {
            category: "definitions".into(),
            matched: format!("{} / {other}", pin.name).chars().take(200).collect(),
            ..builtin(check::LOOK_ALIKE_TOOL, severity, verdict, title, pointer)
        })
    }
}

/// The same server told another ClientApp something else.
pub(crate) fn differs_from_twin(pin: &Pin, pointer: &str) -> Finding {
    let title = "The same server defines this otherwise in another app";
    Finding {
        category: "definitions".into(),
        matched: pin.name.chars().take(200).collect(),
        ..builtin(check::DIFFERS_BETWEEN_APPS, Severity::Medium, Verdict::Flag, title, pointer)
    }
}

/// What a name comes down to: no separators, no version, no ending that means nothing, digits as the letters they mimic.
fn key(plain: &str) -> String {
    let letters = |c: char| match c {
        '0' => 'o',
        '1' | 'i' => 'l',
        '5' => 's',
        c => c,
    };
    let mut words: Vec<&str> = plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_version = |word: &str| word.strip_prefix('v').unwrap_or(word).bytes().all(|byte| byte.is_ascii_digit());
    while words.len() > 1 && words.last().is_some_and(|last| is_version(last) || ENDINGS.contains(last)) {
        words.pop();
    }
    words.concat().chars().map(letters).collect()
}

fn are_clones(a: &str, b: &str) -> bool {
    let (a, b) = (description(a), description(b));
    let common = a.intersection(&b).count();
    let all = a.len() + b.len() - common;
    common >= MIN_CLONE_WORDS && common as f32 / all as f32 >= CLONE
}

fn description(definition: &str) -> HashSet<String> {
    let limits = Limits::default();
    let Ok(doc) = Doc::parse(definition.as_bytes(), Mode::Lenient, &limits) else { return HashSet::new() };
    let text = doc.root().get("description").and_then(|node| node.as_str().map(|text| text.to_lowercase()));
    let text = text.unwrap_or_default();
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_down_to_what_they_mean() {
        for (a, b) in [
            ("send_email", "send-email"),
            ("send_email", "send_email_v2"),
            ("send_email", "send_email_secure"),
            ("send_email", "sendemai1"),
            ("list_files", "llst_flles"),
        ] {
            assert_eq!(key(a), key(b), "{a} {b}");
        }
        for (a, b) in [("send_email", "read_email"), ("tool", "new"), ("v1", "v2"), ("get_user", "get_users")] {
            assert_ne!(key(a), key(b), "{a} {b}");
        }
    }
}
