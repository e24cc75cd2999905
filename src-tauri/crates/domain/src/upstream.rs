//! An Upstream as the journal knows it: the one place that says where a protected entry really goes.

use crate::{AppId, Transport, UpstreamId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    pub id: UpstreamId,
    pub app: AppId,
    /// "Cursor": starts sentences.
    pub app_name: String,
    /// The entry's name in the config: hostile text, display only.
    pub name: String,
    pub transport: Transport,
    /// The original URL, for sse and streamable_http entries.
    pub url: Option<String>,
    /// The original command and arguments, for stdio entries.
    pub command: Vec<String>,
}
