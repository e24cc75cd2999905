//! Identities. Ids are opaque: nothing is ever derived from a server's name, which is hostile text.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
        #[serde(transparent)]
        #[ts(export, export_to = "../../../../ui/src/generated/")]
        pub struct $name(pub String);
        impl $name {
            pub fn new(text: impl Into<String>) -> Self { Self(text.into()) }
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&self.0) }
        }
    };
}

string_id!(
    /// A ClientApp: the file stem of its descriptor (`cursor`, `claude-desktop`).
    AppId
);
string_id!(
    /// An Upstream: 128 random bits as 26 lower-case base32 characters. The identity in URLs and shim arguments.
    UpstreamId
);
string_id!(
    /// One ClientInstance–Upstream conversation.
    SessionId
);
string_id!(
    /// An audit row of a request and its response. Sortable by time: 12 hex digits of milliseconds, then random.
    ExchangeId
);
string_id!(
    /// A question to the person about one held Message (or several equal ones).
    AskId
);
string_id!(
    /// A stored answer.
    DecisionId
);
string_id!(
    /// Who owns the traffic. On a desktop always `local`.
    PrincipalId
);

impl PrincipalId {
    pub fn local() -> Self {
        Self("local".into())
    }
}

fn base32(bytes: &[u8]) -> String {
    data_encoding::BASE32_NOPAD.encode(bytes).to_ascii_lowercase()
}

impl UpstreamId {
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(base32(&bytes))
    }
    /// Whether `text` has the shape of an id (26 base32 characters): a cheap check before any look-up.
    pub fn is_well_formed(text: &str) -> bool {
        text.len() == 26 && text.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))
    }
}
impl SessionId {
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(base32(&bytes))
    }
}
impl AskId {
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(base32(&bytes))
    }
}
impl DecisionId {
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(base32(&bytes))
    }
}
impl ExchangeId {
    pub fn from_parts(at: crate::UnixMs, random: [u8; 8]) -> Self {
        Self(format!("{:012x}{}", at.max(0), data_encoding::HEXLOWER.encode(&random)))
    }
}

/// The readable half of a route segment `<slug>~<id>`: ASCII letters, digits and dashes, at most 32 characters.
/// Never the identity: two names may share a slug.
pub fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c {
            'a'..='z' | '0'..='9' => out.push(c),
            'A'..='Z' => out.push(c.to_ascii_lowercase()),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
        if out.len() == 32 {
            break;
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { "server".into() } else { out.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_plain_ascii_and_never_empty() {
        assert_eq!(slug("My Server / ünïcode 🔒"), "my-server-n-code");
        assert_eq!(slug("../../etc"), "etc");
        assert_eq!(slug("🔒"), "server");
        assert_eq!(slug(&"a".repeat(300)).len(), 32);
    }

    #[test]
    fn upstream_ids_are_26_base32_characters() {
        let id = UpstreamId::from_random([0xab; 16]);
        assert!(UpstreamId::is_well_formed(id.as_str()), "{id}");
        assert!(!UpstreamId::is_well_formed("../../../etc/passwd0000000"));
    }

    #[test]
    fn exchange_ids_sort_by_time() {
        assert!(ExchangeId::from_parts(1, [255; 8]) < ExchangeId::from_parts(2, [0; 8]));
    }
}
