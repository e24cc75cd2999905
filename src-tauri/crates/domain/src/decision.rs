//! What the person decided and how far it reaches: modes, Decisions, scopes. A Decision binds what it was made for: the
//! arguments' digest or shape, the server's command or address, the tool's definition, the Signature's version.

use crate::{AppId, AskId, DecisionId, Direction, SessionId, Severity, UnixMs, UpstreamId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

/// How far Portcullis goes with a server's Messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub enum Mode {
    /// Nothing is blocked; the Verdict on record tells what would have happened.
    Monitor,
    /// Doubtful Messages are held and the person is asked.
    #[default]
    Ask,
    /// Doubtful Messages are blocked without a question.
    Block,
}

/// The most particular one counts: the server's, else its app's, else the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub struct Modes {
    pub default: Mode,
    #[ts(type = "Record<string, Mode>")]
    pub apps: BTreeMap<AppId, Mode>,
    #[ts(type = "Record<string, Mode>")]
    pub upstreams: BTreeMap<UpstreamId, Mode>,
}

impl Modes {
    pub fn of(&self, app: &AppId, upstream: &UpstreamId) -> Mode {
        self.upstreams.get(upstream).or_else(|| self.apps.get(app)).copied().unwrap_or(self.default)
    }

    /// Of a server, else of an app, else the default. `mode` None: whatever is set above it.
    pub fn set(&mut self, app: Option<&AppId>, upstream: Option<&UpstreamId>, mode: Option<Mode>) {
        match (app, upstream, mode) {
            (_, Some(upstream), Some(mode)) => drop(self.upstreams.insert(upstream.clone(), mode)),
            (_, Some(upstream), None) => drop(self.upstreams.remove(upstream)),
            (Some(app), None, Some(mode)) => drop(self.apps.insert(app.clone(), mode)),
            (Some(app), None, None) => drop(self.apps.remove(app)),
            (None, None, mode) => self.default = mode.unwrap_or_default(),
        }
    }
}

/// What a Decision does to a Message it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub enum Effect {
    Allow,
    /// What was found is replaced in place, the rest goes on.
    Redact,
    Deny,
}

/// How much of the arguments (or, for what a server sends, of the content) must be the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "reach")]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub enum ArgumentScope {
    /// SHA-256 of the canonical JSON, hex.
    Exact {
        digest: String,
    },
    /// The same names and types; the values at `fixed` (JSON pointers below the arguments) must be the same, too.
    Shape {
        digest: String,
        #[ts(type = "Record<string, string>")]
        fixed: BTreeMap<String, String>,
    },
    Any,
}

/// Which Findings a Decision speaks about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "reach")]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub enum SignatureScope {
    /// These Signatures in these versions.
    These { signatures: Vec<SignatureVersion> },
    /// Any Finding up to this severity.
    UpTo { severity: Severity },
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub struct SignatureVersion {
    pub id: String,
    pub version: u32,
}

/// All of it must fit. None: any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub struct Scope {
    pub app: Option<AppId>,
    pub upstream: Option<UpstreamId>,
    pub direction: Direction,
    pub method: String,
    /// Tool name, prompt name or resource URI.
    pub target: Option<String>,
    pub arguments: ArgumentScope,
    /// Hosts that the arguments name: all of the call's hosts must be among them. None: any.
    pub destinations: Option<Vec<String>>,
    pub signatures: SignatureScope,
}

/// What a Decision stands on; it is void as soon as one of these differs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub struct Binding {
    /// SHA-256 of the server's command line or address, hex; None: the scope names no server.
    pub command: Option<String>,
    /// SHA-256 of the tool's definition as pinned, hex; None: the scope names no tool, or it had no definition.
    pub definition: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub struct Decision {
    pub id: DecisionId,
    #[ts(type = "number")]
    pub at: UnixMs,
    pub effect: Effect,
    pub scope: Scope,
    pub binding: Binding,
    /// Good for one Message, then spent.
    pub once: bool,
    /// Only in this Session.
    pub session: Option<SessionId>,
    #[ts(type = "number | null")]
    pub expires_at: Option<UnixMs>,
    /// The question it answers, when it came from one.
    pub ask: Option<AskId>,
    /// For reading: "Cursor", and the server's name in the app's config (hostile text).
    pub app_name: String,
    pub upstream_name: String,
    /// The strongest severity among what it was decided about.
    pub severity: Severity,
}

/// Why a Decision does not count any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "../../../../ui/src/generated/")]
pub enum DecisionState {
    Active,
    Expired,
    Revoked,
    /// It was good for one Message.
    Spent,
    /// The tool's definition changed.
    DefinitionChanged,
    /// The server's command or address changed, or the server is gone.
    CommandChanged,
    /// Its seal does not fit: it was edited behind our back.
    Tampered,
}
