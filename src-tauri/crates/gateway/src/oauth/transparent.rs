//! The transparent mode, for Upstreams whose app signs in itself: the challenge leads the app to a copy of the protected
//! resource's metadata under our address, which names our address as the resource. The app's token then passes as every
//! `Authorization` of an app does. Authorization servers that check the audience strictly refuse this: it is a setting.
//!
//! Only what clients need goes into the copy, and only authorization servers that may be asked: nothing that the
//! Upstream says is handed on as it is.

use super::fetch::Fetcher;
use super::{Challenge, SignIns, discover};
use http::{HeaderMap, HeaderValue, header};
use portcullis_domain::{Upstream, UpstreamId};
use serde_json::{Value, json};
use std::collections::HashSet;
use url::Url;

/// Below our origin, in front of the Upstream's own path here (RFC 9728, 3.1).
pub(crate) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

impl SignIns {
    pub(crate) fn is_transparent(&self, upstream: &UpstreamId) -> bool {
        self.known().transparent.contains(upstream)
    }

    pub fn transparent(&self) -> HashSet<UpstreamId> {
        self.known().transparent.clone()
    }

    /// Whether the app of `upstream` signs in itself from now on; in force once `store` has kept it. False: as before.
    pub fn set_transparent<E>(
        &self,
        upstream: &UpstreamId,
        on: bool,
        store: impl FnOnce(&HashSet<UpstreamId>) -> Result<(), E>,
    ) -> Result<bool, E> {
        let mut known = self.known();
        let mut list = known.transparent.clone();
        let is_new = if on { list.insert(upstream.clone()) } else { list.remove(upstream) };
        if is_new {
            store(&list)?;
            known.transparent = list;
        }
        Ok(is_new)
    }

    /// Leads every Bearer challenge of an answer to `metadata`.
    pub(crate) fn redirect_challenges(&self, upstream: &UpstreamId, headers: &mut HeaderMap, metadata: &str) {
        let is_plain = |text: &str| text.bytes().all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e));
        let Some(challenge) = Challenge::of(headers).filter(|_| is_plain(metadata)) else { return };
        let said: Vec<HeaderValue> = headers.get_all(header::WWW_AUTHENTICATE).iter().cloned().collect();
        headers.remove(header::WWW_AUTHENTICATE);
        for value in said {
            let is_bearer = value.as_bytes().get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"));
            if !is_bearer {
                headers.append(header::WWW_AUTHENTICATE, value);
            }
        }
        let mut ours = format!("Bearer resource_metadata=\"{metadata}\"");
        for (name, value) in [("error", &challenge.error), ("scope", &challenge.scope)] {
            if let Some(value) = value.as_ref().filter(|value| is_plain(value)) {
                ours.push_str(&format!(", {name}=\"{value}\""));
            }
        }
        if let Ok(ours) = HeaderValue::from_str(&ours) {
            headers.append(header::WWW_AUTHENTICATE, ours);
        }
        self.known().metadata.insert(upstream.clone(), challenge);
    }

    /// The metadata of a protected resource at `ours`; None: there is no sign-in that could be done there.
    pub(crate) async fn resource_metadata(&self, upstream: &Upstream, ours: &str) -> Option<Value> {
        let url = Url::parse(upstream.url.as_deref()?).ok()?;
        let challenge = self.known().metadata.get(&upstream.id).cloned().unwrap_or_default();
        let fetcher = Fetcher::for_upstream(&url, &self.proxies).await;
        let found = discover::resource(&fetcher, &url, &challenge).await;
        let found = found.inspect_err(|error| tracing::warn!(%error, "a server's metadata could not be had")).ok()?;
        let Some(found) = found else {
            // Before 2025-06-18 a server was its own authorization server.
            let origin = discover::at(&url, "/");
            let own = discover::server(&fetcher, &origin).await.ok()??;
            return Some(json!({ "resource": ours, "authorization_servers": [own.issuer] }));
        };
        if !found.covers(&url) {
            tracing::warn!(upstream = %upstream.id, "a server says its tokens are for another one");
            return None;
        }
        let may_be_asked = |server: &&String| Url::parse(server).is_ok_and(|server| fetcher.check(&server).is_ok());
        let servers: Vec<&String> = found.authorization_servers.iter().filter(may_be_asked).collect();
        if servers.is_empty() {
            return None;
        }
        let mut copy =
            json!({ "resource": ours, "authorization_servers": servers, "bearer_methods_supported": ["header"] });
        if let Some(scopes) = &found.scopes_supported {
            copy["scopes_supported"] = json!(scopes);
        }
        Some(copy)
    }
}
