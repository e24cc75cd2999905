//! Who may ask: only pages and programs of this machine that name this listener (Host, Origin), and for `/api` only
//! holders of the bearer token. Every answer carries headers that keep a page from doing anything but show itself.

use super::Shared;
use super::failure::Failure;
use crate::secret;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                   connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Around everything.
pub(super) async fn local_only(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = match foreign(request.headers(), shared.core.dashboard_port()) {
        Some(which) => {
            let message = format!(
                "The {which} header names another address. Open the dashboard at http://127.0.0.1:{}.",
                shared.core.dashboard_port()
            );
            Failure::new(StatusCode::FORBIDDEN, "foreign_request", message).into_response()
        }
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Names the header that does not belong to this listener. DNS rebinding shows in Host, other pages in Origin.
fn foreign(headers: &HeaderMap, port: u16) -> Option<&'static str> {
    let ours = |text: &str| {
        let host = text.strip_suffix(&format!(":{port}"));
        matches!(host, Some("127.0.0.1" | "localhost"))
    };
    let is_ours = |name| {
        let mut values = headers.get_all(name).iter();
        let only = values.next().filter(|_| values.next().is_none());
        only.and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    if !is_ours(header::HOST).is_some_and(|host| ours(&host)) {
        return Some("Host");
    }
    if headers.contains_key(header::ORIGIN) {
        let origin = is_ours(header::ORIGIN);
        if !origin.as_deref().and_then(|origin| origin.strip_prefix("http://")).is_some_and(ours) {
            return Some("Origin");
        }
    }
    None
}

/// Around `/api` but for pairing.
pub(super) async fn bearer(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match given.and_then(|text| text.strip_prefix("Bearer ")) {
        Some(token) if secret::same(token, &shared.token) => next.run(request).await,
        _ => {
            let message = "This browser is not paired. Run `portcullis pair` and enter the code it prints.";
            Failure::new(StatusCode::UNAUTHORIZED, "not_paired", message).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn only_this_listener_by_its_loopback_names() {
        let check = |list: &[(&'static str, &str)]| foreign(&headers(list), 27702);
        assert_eq!(check(&[("host", "127.0.0.1:27702")]), None);
        assert_eq!(check(&[("host", "localhost:27702"), ("origin", "http://localhost:27702")]), None);
        for host in ["evil.example:27702", "127.0.0.1", "127.0.0.1:27701", "127.0.0.1:27702.evil.example", ""] {
            assert_eq!(check(&[("host", host)]), Some("Host"), "{host}");
        }
        assert_eq!(check(&[]), Some("Host"));
        assert_eq!(check(&[("host", "127.0.0.1:27702"), ("host", "evil.example")]), Some("Host"));
        for origin in ["http://evil.example", "null", "https://127.0.0.1:27702", "http://127.0.0.1:27701"] {
            assert_eq!(check(&[("host", "127.0.0.1:27702"), ("origin", origin)]), Some("Origin"), "{origin}");
        }
    }
}
