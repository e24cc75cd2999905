//! What we computed for a Message, and what happens when computing fails.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Ordered by strictness: the strictest of several wins. Redact and Ask are computed in later versions;
/// their place in the order, the audit and the UI is fixed now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub enum Verdict {
    #[default]
    Allow,
    Flag,
    Redact,
    Ask,
    Block,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Flag => "flag",
            Self::Redact => "redact",
            Self::Ask => "ask",
            Self::Block => "block",
        }
    }
}

/// What happens when checking itself fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub enum FailureMode {
    /// The shim judges in process (daemon away).
    ScanLocally,
    /// The Message is refused with a clear error.
    FailClosed,
    /// The Message passes and is flagged.
    FailOpen,
}
