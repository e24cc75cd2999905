//! What a sign-in left, where it is kept, and what is said of it.

use super::discover::Client;
use portcullis_domain::{UnixMs, UpstreamId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What a sign-in left.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub issuer: String,
    pub client: Client,
    pub redirect: String,
    pub token_endpoint: String,
    pub resource: String,
    pub scope: Option<String>,
    pub access_token: String,
    pub refresh_token: Option<String>,
    pub expires_at: Option<UnixMs>,
}

/// Never shows a token.
impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant").field("issuer", &self.issuer).field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// Keeps Grants where no other user can read them. Called seldom, never per Message.
pub trait Vault: Send + Sync {
    fn load(&self) -> HashMap<UpstreamId, Grant>;
    fn store(&self, grants: &HashMap<UpstreamId, Grant>) -> Result<(), String>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInState {
    /// The Upstream asked for one; `wider`: there is one, for less than `scope`.
    Needed {
        scope: Option<String>,
        wider: bool,
    },
    SignedIn {
        issuer: String,
        scope: Option<String>,
        expires_at: Option<UnixMs>,
    },
}
