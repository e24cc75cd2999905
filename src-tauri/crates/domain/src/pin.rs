//! Pins: definitions as the person last approved them, per Upstream, and what was last seen instead.

use crate::{UnixMs, UpstreamId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovedBy {
    FirstSight,
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
    pub seen_at: UnixMs,
}
