//! One Signature file: its TOML shape and how it is loaded. What the parts mean is written down in
//! `signatures/README.md`. Loading checks shape and ids; regexes are checked by `lint` and when a set is compiled.

use crate::fault::{SignatureFault, code};
use crate::predicate::Predicate;
use crate::role::Role;
use portcullis_domain::{Confidence, Direction, Severity, Verdict};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Larger files are refused: a Signature is something a person reads.
const MAX_FILE_BYTES: usize = 64 * 1024;
/// A pattern with its parts put in.
const MAX_PATTERN_BYTES: usize = 16 * 1024;
/// Parts in parts.
const MAX_PART_DEPTH: usize = 3;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureFile {
    pub id: String,
    /// Rises whenever matching changes; stored with each Finding.
    pub version: u32,
    pub status: Status,
    /// One plain sentence that says what was found.
    pub title: String,
    pub description: String,
    /// What the person should do.
    pub advice: String,
    pub category: String,
    pub severity: Severity,
    pub confidence: Confidence,
    /// `flag` or `block`.
    pub verdict: Verdict,
    #[serde(default)]
    pub references: Vec<String>,
    /// Known false alarms, in prose.
    pub false_positives: String,
    #[serde(rename = "where")]
    pub place: Where,
    #[serde(rename = "match")]
    pub matcher: Matcher,
    #[serde(rename = "hit", default)]
    pub hits: Vec<Example>,
    #[serde(rename = "miss", default)]
    pub misses: Vec<Example>,
    /// Path the file was loaded under (`injection/override-orders.toml`).
    #[serde(skip)]
    pub path: String,
    /// The file's text.
    #[serde(skip)]
    pub text: String,
    /// False: the person's own.
    #[serde(skip)]
    pub bundled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Experimental,
    Stable,
    /// Kept for its id; never matches.
    Deprecated,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Experimental => "experimental",
            Self::Stable => "stable",
            Self::Deprecated => "deprecated",
        }
    }
}

/// Where a Signature looks. All conditions must hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Where {
    pub roles: Vec<Role>,
    #[serde(default)]
    pub direction: Option<Direction>,
    /// Methods (of the request, also for its response); empty: any.
    #[serde(default)]
    pub methods: Vec<String>,
    #[serde(default)]
    pub decoded: DecodedLayer,
    /// Only when an argument of the same call names a place outside this machine (URL, host, recipient).
    #[serde(default)]
    pub with_destination: bool,
    /// Only texts up to this length: a value, not a document.
    #[serde(default)]
    pub max_bytes: Option<usize>,
}

/// Whether text that first had to be decoded (base64, hidden characters …) is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecodedLayer {
    #[default]
    Also,
    Only,
    /// Only where decoding undid what honest texts have no reason to do.
    Disguised,
    Never,
}

/// What a Signature matches: patterns, or one predicate; `all` and `none` narrow both.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    /// Prefilter over normalised text: without one of these nothing else is tried.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// One of these must match.
    #[serde(default)]
    pub any: Vec<String>,
    /// Each of these must match within `within` bytes of the match.
    #[serde(default)]
    pub all: Vec<String>,
    /// None of these may match within `within` bytes of the match.
    #[serde(default)]
    pub none: Vec<String>,
    #[serde(default = "default_within")]
    pub within: usize,
    #[serde(default)]
    pub predicate: Option<Predicate>,
    /// Parts that patterns share: `{{name}}` in a pattern (or in a later part) stands for `(?:…)` of it.
    #[serde(default)]
    pub parts: BTreeMap<String, String>,
}

impl Matcher {
    /// Puts the shared parts into the patterns; or says which one cannot be filled in.
    fn expand(&mut self) -> Result<(), String> {
        for pattern in self.any.iter_mut().chain(&mut self.all).chain(&mut self.none) {
            let mut out = String::new();
            fill(pattern, &self.parts, MAX_PART_DEPTH, &mut out)?;
            *pattern = out;
        }
        Ok(())
    }

    /// Whether it looks at what other Signatures found, not at a text.
    pub(crate) fn is_several(&self) -> bool {
        matches!(self.predicate, Some(Predicate::SeveralSigns { .. }))
    }
}

/// Writes `pattern` with every `{{name}}` replaced to `out`; or the name that stands for nothing. Parts may use parts, but
/// not without end.
fn fill(pattern: &str, parts: &BTreeMap<String, String>, depth: usize, out: &mut String) -> Result<(), String> {
    let mut rest = pattern;
    while let Some((before, open)) = rest.split_once("{{")
        && let Some((name, after)) = open.split_once("}}")
    {
        out.push_str(before);
        let part = parts.get(name).filter(|_| depth > 0 && out.len() <= MAX_PATTERN_BYTES);
        let part = part.ok_or_else(|| format!("{{{{{name}}}}}"))?;
        out.push_str("(?:");
        fill(part, parts, depth - 1, out)?;
        out.push(')');
        rest = after;
    }
    out.push_str(rest);
    Ok(())
}

fn default_within() -> usize {
    400
}

/// A small text in a role, or a whole message, with what the Signature must say about it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    #[serde(default)]
    pub role: Option<Role>,
    /// Name of the argument that carries the text (`argument_*` roles only).
    #[serde(default)]
    pub field: Option<String>,
    /// `{{fake:<secret kind>}}` is replaced by a made-up secret of that kind, so no file holds one.
    #[serde(default)]
    pub text: Option<String>,
    /// A whole JSON-RPC message instead of role and text.
    #[serde(default)]
    pub message: Option<String>,
    /// Direction of `message`; `to_client` if not given.
    #[serde(default)]
    pub direction: Option<Direction>,
    /// For a response in `message`: the method it answers.
    #[serde(default)]
    pub method: Option<String>,
    /// Tools of other servers (cross-server orders).
    #[serde(default)]
    pub foreign_tools: Vec<String>,
    /// Folders that the server was given.
    #[serde(default)]
    pub roots: Vec<String>,
}

/// Reads one file. `file_name` is its path below the signatures directory; its stem must be the id.
pub fn load(file_name: &str, text: &str) -> Result<SignatureFile, SignatureFault> {
    if text.len() > MAX_FILE_BYTES {
        let message = format!("the file is larger than {MAX_FILE_BYTES} bytes; split it");
        return Err(SignatureFault::new(file_name, code::TOO_LARGE, message));
    }
    let mut file: SignatureFile = toml::from_str(text).map_err(|error| toml_fault(file_name, text, &error))?;
    file_name.clone_into(&mut file.path);
    text.clone_into(&mut file.text);
    let fault = |code, message: String, needle| Err(SignatureFault::new(file_name, code, message).at(text, needle));
    let stem = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    let stem = stem.strip_suffix(".toml").unwrap_or(stem);
    if !is_kebab(&file.id) {
        return fault(code::BAD_ID, format!("id {:?} must be kebab-case: a-z, 0-9 and single hyphens", file.id), "id");
    }
    if file.id != stem {
        return fault(code::ID_MISMATCH, format!("id {:?} must be the file's name {stem:?}", file.id), "id");
    }
    if !matches!(file.verdict, Verdict::Flag | Verdict::Block) {
        return fault(code::BAD_VALUE, "verdict must be \"flag\" or \"block\"".into(), "verdict");
    }
    if file.matcher.predicate.is_none() && file.matcher.any.is_empty() {
        return fault(code::NO_MATCHER, "[match] needs `any` patterns or a `predicate`".into(), "[match]");
    }
    if file.matcher.predicate.is_some() && !file.matcher.any.is_empty() {
        return fault(code::BAD_VALUE, "[match] takes `any` patterns or a `predicate`, not both".into(), "[match]");
    }
    if !file.matcher.any.is_empty() && file.matcher.keywords.is_empty() {
        return fault(code::NO_KEYWORDS, "[match] with `any` needs `keywords` as a prefilter".into(), "[match]");
    }
    if let Err(part) = file.matcher.expand() {
        let message = format!("{part} is not in [match.parts], lies in itself, or makes the pattern too long");
        return fault(code::BAD_VALUE, message, &part);
    }
    if file.hits.is_empty() || file.misses.is_empty() {
        return fault(code::NO_EXAMPLE, "needs at least one [[hit]] and one [[miss]]".into(), "id");
    }
    Ok(file)
}

fn is_kebab(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 64
        && id
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

fn toml_fault(file: &str, text: &str, error: &toml::de::Error) -> SignatureFault {
    let message = error.message();
    let code = if message.starts_with("unknown field") {
        code::UNKNOWN_FIELD
    } else if message.starts_with("missing field") {
        code::MISSING_FIELD
    } else if message.starts_with("unknown variant") || message.starts_with("invalid ") && error.span().is_some() {
        if message.starts_with("invalid type") || message.starts_with("invalid value") || message.starts_with("unknown")
        {
            code::BAD_VALUE
        } else {
            code::TOML_SYNTAX
        }
    } else {
        code::TOML_SYNTAX
    };
    let (line, column) = match error.span() {
        Some(span) => {
            let before = text.get(..span.start).unwrap_or("");
            let line = before.matches('\n').count() + 1;
            let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
            (u32::try_from(line).ok(), u32::try_from(column).ok())
        }
        None => (None, None),
    };
    SignatureFault { file: file.to_owned(), line, column, code, message: message.to_owned() }
}
