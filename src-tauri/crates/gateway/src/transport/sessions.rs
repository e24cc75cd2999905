//! Which Session an HTTP request belongs to: the one its `Mcp-Session-Id` names for this Upstream, or none of its own.

use crate::Gateway;
use crate::record::random;
use crate::route::Route;
use crate::session::{Key, Session};
use http::{HeaderMap, HeaderName};
use portcullis_domain::SessionId;
use std::sync::Arc;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// A longer id is no session's that is remembered: each of its requests pairs on its own.
const MAX_SESSION_BYTES: usize = 1024;

pub(super) fn session_header(headers: &HeaderMap) -> Option<String> {
    headers.get(SESSION).map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned())
}

pub(super) fn new_session(gateway: &Gateway, route: &Route<'_>) -> Arc<Session> {
    let id = SessionId::from_random(random());
    Session::new(id, route.upstream.clone(), route.upstream.transport, &gateway.inner.recorder)
}

pub(super) fn http_session(gateway: &Gateway, route: &Route<'_>, id: &str) -> Arc<Session> {
    if id.len() > MAX_SESSION_BYTES {
        return new_session(gateway, route);
    }
    let key = Key::Http(route.upstream.id.clone(), id.to_owned());
    gateway.inner.sessions.get_or_insert(key, || new_session(gateway, route))
}

/// Requests without a session pair within their own POST (two apps may use the same ids at once), under one shared id.
pub(super) fn stateless_session(gateway: &Gateway, route: &Route<'_>) -> Arc<Session> {
    let key = Key::Stateless(route.upstream.id.clone());
    let shared = gateway.inner.sessions.get_or_insert(key, || new_session(gateway, route));
    shared.touch();
    Session::new(shared.id.clone(), route.upstream.clone(), route.upstream.transport, &gateway.inner.recorder)
}
