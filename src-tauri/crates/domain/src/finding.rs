//! A Finding: one Signature (or built-in check) that matched one Message at one JSON path.

use crate::Verdict;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

/// Byte offsets in the raw Message, end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// What a hidden or encoded part says, when it had to be decoded before it matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub struct Decoded {
    /// The steps, outermost first: `base64`, `hidden-unicode` …
    pub from: Vec<String>,
    /// At most 400 characters, secrets masked.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub struct Finding {
    /// The Signature's id (file stem) or a built-in check's id.
    pub signature: String,
    pub version: u32,
    pub category: String,
    pub severity: Severity,
    pub confidence: Confidence,
    /// The Verdict this Signature proposes (Flag or Block for now); policy has the last word.
    pub verdict: Verdict,
    /// One plain sentence that says what was found, present tense ("A path that climbs out of the project").
    pub title: String,
    /// JSON pointer of the string, key or value that matched (`/params/arguments/path`); "" for the whole Message.
    pub json_path: String,
    /// Where in the raw bytes, when the match maps to a contiguous raw span.
    pub span: Option<Span>,
    /// The matched text (decoded JSON string, not raw), at most 200 characters; secrets masked to their first 4 characters.
    pub matched: String,
    pub decoded: Option<Decoded>,
}
