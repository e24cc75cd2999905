//! Pins: definitions as the person last approved them, per Upstream, what was last seen instead, how the two differ,
//! and whether the definition is kept from the app until the person has looked at it.

use crate::{UnixMs, UpstreamId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub enum PinKind {
    Tool,
    Prompt,
    Resource,
    ResourceTemplate,
    Instructions,
}

impl PinKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Resource => "resource",
            Self::ResourceTemplate => "resource_template",
            Self::Instructions => "instructions",
        }
    }
}

/// Who approved a definition. First sight counts until a person reviews it, and is shown as what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub enum ApprovedBy {
    FirstSight,
    Person,
}

/// How far a definition moved from the approved one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub enum DriftGrade {
    /// Wording, notation, plainly benign additions: passes, with a log entry.
    Quiet,
    /// Worth a look; passes and is flagged.
    Notable,
    /// A new order, path, destination, capability or telling parameter: held back until reviewed.
    Grave,
}

/// What is new, of the things that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub enum DriftCause {
    /// A Signature matches the new definition and did not match the approved one.
    Signature,
    /// Words that order the model about, conceal, smuggle, impersonate …
    Order,
    SensitivePath,
    Destination,
    Capability,
    Parameter,
    /// Too large to be kept and compared.
    Size,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub struct DriftReason {
    pub cause: DriftCause,
    /// JSON pointer inside the definition.
    pub json_path: String,
    /// One plain sentence; what it quotes is hostile text.
    pub text: String,
}

/// The classified difference between the approved definition and the one last seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub struct Drift {
    pub grade: DriftGrade,
    pub reasons: Vec<DriftReason>,
}

/// Why a definition is kept from the app, and its calls are refused, until the person has looked at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub enum Quarantine {
    /// It changed gravely. Lasts even if the server takes the change back.
    Changed,
    /// The server is new, and new servers are held until reviewed (a setting).
    New,
    /// The person put it there.
    Person,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    pub upstream: UpstreamId,
    pub kind: PinKind,
    /// Tool or prompt name, resource URI or template; "" for instructions.
    pub name: String,
    /// Canonical JSON (keys sorted) of everything that reaches a model.
    pub approved: String,
    pub approved_at: UnixMs,
    pub approved_by: ApprovedBy,
    /// The definition last seen, when it differs from the approved one. Never becomes the approved one by repetition.
    pub changed: Option<String>,
    /// How `changed` differs from `approved`; None when it does not.
    #[serde(default)]
    pub drift: Option<Drift>,
    #[serde(default)]
    pub quarantine: Option<Quarantine>,
    pub seen_at: UnixMs,
}
