//! What a doubtful Message is about, as far as a Decision can bind it: digests of its arguments and their shape, the hosts
//! it names, the server's command, the tool's definition. Pure; nothing here is kept or shown.

use crate::canonical::canonical;
use crate::judged::{MessageSummary, PairedRequest};
use portcullis_domain::api::AskOrigin;
use portcullis_domain::json::{Kind, NodeRef, quote};
use portcullis_domain::{Direction, Finding, MessageKind, Severity, SignatureVersion, Upstream, Verdict};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Fields that a scope may fix.
const MAX_FIELDS: usize = 64;
const MAX_DESTINATIONS: usize = 64;

#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    pub direction: Direction,
    pub method: String,
    pub target: Option<String>,
    /// The strongest of the Findings in question.
    pub severity: Severity,
    /// Sorted, each once.
    pub signatures: Vec<SignatureVersion>,
    /// Of the whole arguments (or content).
    pub arguments: String,
    pub shape: String,
    /// JSON pointers below the arguments, with digests of the values there.
    pub fields: BTreeMap<String, String>,
    /// Sorted, each once. What cannot be read as a host stands here as it is, behind a `?`.
    pub destinations: Vec<String>,
    pub command: String,
    pub definition: Option<String>,
    /// What would go on instead, when all that was found can be replaced in place.
    pub redacted: Option<Vec<u8>>,
    /// In which earlier results values of it were seen. Tells, decides nothing.
    pub origins: Vec<AskOrigin>,
    /// Raw id token of the request, or of the request that this answers.
    pub id: String,
    pub request: PairedRequest,
    /// Raw progress token that the app gave.
    pub progress: Option<String>,
}

pub(crate) fn digest(text: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

/// Changes with the command line or the address, and with nothing else.
pub fn command_digest(upstream: &Upstream) -> String {
    let mut text = String::new();
    for part in upstream.url.iter().chain(&upstream.command) {
        text.push_str(&quote(part));
    }
    digest(&text)
}

/// Of a definition as pinned.
pub fn definition_digest(approved: &str) -> String {
    digest(approved)
}

/// Which Messages a person can be asked about: an app's requests that do something, and what such a request brings back.
pub(crate) fn is_holdable(direction: Direction, summary: &MessageSummary) -> bool {
    let does_something = |method: &str| {
        !(method == "initialize"
            || method == "ping"
            || method == "server/discover"
            || method == "logging/setLevel"
            || method.ends_with("/list"))
    };
    match direction {
        Direction::ToUpstream => {
            summary.kind == MessageKind::Request
                && summary.id.is_some()
                && summary.method.as_deref().is_some_and(does_something)
        }
        Direction::ToClient => {
            let method = summary.answers.as_ref().map_or("", |request| request.method.as_str());
            summary.kind == MessageKind::Response && brings_content(method)
        }
    }
}

/// Whether a Message that nobody is asked about may be taken for one of those above: an answer under an id that is not
/// paired (some apps take any for their own), or in a form that only some apps read; a call that wants no answer.
pub(crate) fn passes_for_another(direction: Direction, summary: &MessageSummary) -> bool {
    match direction {
        Direction::ToUpstream => {
            let method = summary.method.as_deref().unwrap_or_default();
            summary.kind == MessageKind::Notification && !method.starts_with("notifications/")
        }
        Direction::ToClient => {
            let answers = matches!(summary.kind, MessageKind::Response | MessageKind::Error | MessageKind::Ambiguous);
            // A task's result may come without being asked for.
            let tells = summary.method.as_deref().is_some_and(|method| method.starts_with("notifications/tasks"));
            tells || answers && summary.answers.as_ref().is_none_or(|request| brings_content(&request.method))
        }
    }
}

/// Requests whose results a model or the app reads (in 2026-07-28 `tasks/get` brings a task's whole result).
fn brings_content(method: &str) -> bool {
    matches!(method, "tools/call" | "resources/read" | "prompts/get" | "tasks/result" | "tasks/get")
}

impl Question {
    /// None: nothing that a person could be asked about.
    pub(crate) fn about(
        upstream: &Upstream,
        direction: Direction,
        root: NodeRef<'_>,
        summary: &MessageSummary,
        findings: &[Finding],
        definition: Option<&str>,
    ) -> Option<Self> {
        if !is_holdable(direction, summary) {
            return None;
        }
        let request = match direction {
            Direction::ToUpstream => summary.as_request()?,
            Direction::ToClient => summary.answers.clone()?,
        };
        let least = findings.iter().map(|f| f.verdict).max()?.min(Verdict::Ask);
        let doubtful = || findings.iter().filter(|f| f.verdict >= least);
        let signatures: BTreeSet<SignatureVersion> =
            doubtful().map(|f| SignatureVersion { id: f.signature.clone(), version: f.version }).collect();
        let about = subject(direction, root, &request.method);
        let mut fields = BTreeMap::new();
        let mut destinations = BTreeSet::new();
        for part in &about {
            collect(*part, &part.pointer(), about.len() > 1, &mut fields, &mut destinations);
        }
        let joined = |write: fn(NodeRef<'_>) -> String| {
            let mut parts: Vec<String> =
                about.iter().map(|n| format!("{}:{}", n.key().unwrap_or_default(), write(*n))).collect();
            parts.sort();
            digest(&parts.join("\n"))
        };
        let progress = root.path(&["params", "_meta", "progressToken"]);
        Some(Self {
            direction,
            method: request.method.clone(),
            target: request.target.clone(),
            severity: doubtful().map(|f| f.severity).max()?,
            signatures: signatures.into_iter().collect(),
            arguments: joined(canonical),
            shape: joined(shape),
            fields,
            destinations: destinations.into_iter().take(MAX_DESTINATIONS).collect(),
            command: command_digest(upstream),
            definition: definition.map(definition_digest),
            redacted: None,
            origins: Vec::new(),
            id: summary.id.clone()?,
            request,
            progress: progress
                .filter(|token| matches!(token.kind(), Kind::String | Kind::Number))
                .map(|token| String::from_utf8_lossy(token.raw()).into_owned()),
        })
    }

    /// Equal questions have equal keys: asked once, answered together.
    pub fn key(&self) -> String {
        let signatures: Vec<String> = self.signatures.iter().map(|s| format!("{}@{}", s.id, s.version)).collect();
        let target = self.target.as_deref().unwrap_or_default();
        let parts =
            [self.direction.as_str(), &self.method, target, &self.arguments, &self.command, &signatures.join(",")];
        digest(&parts.map(quote).join(","))
    }
}

/// The values a Decision binds: a call's arguments; else all members of the params or the result but `_meta`, which
/// differs from call to call.
pub(crate) fn subject<'d>(direction: Direction, root: NodeRef<'d>, method: &str) -> Vec<NodeRef<'d>> {
    let whole = match direction {
        Direction::ToUpstream => root.get("params"),
        Direction::ToClient => root.get("result"),
    };
    let Some(whole) = whole else { return Vec::new() };
    if direction == Direction::ToUpstream && matches!(method, "tools/call" | "prompts/get") {
        return whole.get("arguments").into_iter().collect();
    }
    whole.children().filter(|child| child.key().as_deref() != Some("_meta")).collect()
}

/// Names and types, without values.
fn shape(node: NodeRef<'_>) -> String {
    match node.kind() {
        Kind::Object => {
            let mut members: Vec<String> =
                node.children().map(|c| format!("{}:{}", quote(&c.key().unwrap_or_default()), shape(c))).collect();
            members.sort();
            format!("{{{}}}", members.join(","))
        }
        Kind::Array => {
            let items: BTreeSet<String> = node.children().map(shape).collect();
            format!("[{}]", items.into_iter().collect::<Vec<_>>().join("|"))
        }
        Kind::String => "s".into(),
        Kind::Number => "n".into(),
        Kind::Bool => "b".into(),
        Kind::Null => "0".into(),
    }
}

fn collect(
    node: NodeRef<'_>,
    base: &str,
    keyed: bool,
    fields: &mut BTreeMap<String, String>,
    destinations: &mut BTreeSet<String>,
) {
    if matches!(node.kind(), Kind::Object | Kind::Array) {
        node.children().for_each(|child| collect(child, base, keyed, fields, destinations));
        return;
    }
    if fields.len() < MAX_FIELDS {
        let pointer = node.pointer();
        let cut = if keyed { base.rfind('/').unwrap_or(0) } else { base.len() };
        fields.insert(pointer.get(cut..).unwrap_or_default().to_owned(), digest(&canonical(node)));
    }
    if let Some(text) = node.as_str() {
        destinations.extend(hosts(&text));
    }
}

/// Hosts that a text names. A part that looks like an address and is none that can be read is kept as it is, so that a
/// scope which names hosts never fits it.
fn hosts(text: &str) -> impl Iterator<Item = String> + '_ {
    let part = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')' | ',' | ';' | '`');
    text.split(part).filter_map(|token| {
        let token = token.trim_matches(|c: char| matches!(c, '.' | '!' | '?'));
        if token.contains("//") || token.contains("\\\\") {
            let host = url::Url::parse(token).ok().and_then(|url| url.host_str().map(str::to_lowercase));
            return Some(host.unwrap_or_else(|| odd(token)));
        }
        let (user, domain) = token.rsplit_once('@')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let is_mail = !user.is_empty() && domain.contains('.') && domain.chars().all(plain);
        Some(if is_mail { domain.to_lowercase() } else { odd(token) })
    })
}

fn odd(token: &str) -> String {
    format!("?{}", token.chars().take(80).collect::<String>().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_as_a_client_reads_them_and_odd_ones_fit_nothing() {
        let all = |text: &str| hosts(text).collect::<Vec<_>>();
        assert_eq!(
            all("see https://User:p@Example.COM:8443/x?y=1, or mail a@b.example."),
            ["example.com", "b.example"]
        );
        assert_eq!(all("http://127.1/ and http://0x7f.1"), ["127.0.0.1", "127.0.0.1"]);
        assert_eq!(all("plain words, a/b and c:d"), Vec::<String>::new());
        for trick in ["//evil.example/x", "\\\\evil.example\\share", "http://", "x@@evil"] {
            assert!(all(trick).iter().all(|host| host.starts_with('?')) && !all(trick).is_empty(), "{trick}");
        }
    }
}
