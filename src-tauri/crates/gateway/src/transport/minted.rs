//! Answers of our own: a status with a JSON-RPC error, or a minted answer in the form that the app accepts.

use crate::route::Route;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use portcullis_policy::refusal;

/// JSON-RPC's "internal error": the server does not do its part.
pub(super) const UNREACHABLE_CODE: i32 = -32603;

/// An answer of our own that is no MCP result: status and a JSON-RPC error without an id (or with the request's).
pub(super) struct Refused {
    pub status: StatusCode,
    pub body: Vec<u8>,
}

impl Refused {
    pub fn new(status: StatusCode, code: i32, message: &str) -> Self {
        Self { status, body: refusal(None, code, message) }
    }
    pub fn into_response(self) -> Response {
        json_response(self.status, self.body)
    }
}

pub(super) fn json_response(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// The error under each of these ids: an array where a batch waits.
pub(super) fn refusals(ids: &[String], code: i32, message: &str) -> Vec<u8> {
    match ids {
        [] => refusal(None, code, message),
        [id] => refusal(Some(id), code, message),
        ids => {
            [b"[", &ids.iter().map(|id| refusal(Some(id), code, message)).collect::<Vec<_>>().join(&b","[..])[..], b"]"]
                .concat()
        }
    }
}

/// The server began an answer in one piece and did not end it.
pub(super) fn broken_answer(route: &Route<'_>, ids: &[String], why: &str) -> Result<Response, Refused> {
    let name: String = route.upstream.name.chars().take(40).collect();
    let message = format!("The server {name:?} broke off its answer: {why}.");
    match ids {
        [] => Err(Refused::new(StatusCode::BAD_GATEWAY, UNREACHABLE_CODE, &message)),
        ids => Ok(json_response(StatusCode::OK, refusals(ids, UNREACHABLE_CODE, &message))),
    }
}

pub(super) fn withheld_answer(id: Option<&str>, why: &str) -> Refused {
    let message = format!("Portcullis withheld the server's answer: {why}.");
    Refused { status: StatusCode::BAD_GATEWAY, body: refusal(id, -32603, &message) }
}

pub(super) fn accepts(headers: &HeaderMap, what: &str) -> bool {
    headers.get_all(header::ACCEPT).iter().any(|v| v.to_str().is_ok_and(|v| v.contains(what)))
}

/// Our answer in the form the app accepts: plain JSON where it may, else one event.
pub(super) fn in_accepted_form(headers: &HeaderMap, answer: Vec<u8>) -> Response {
    if accepts(headers, "text/event-stream") && !accepts(headers, "application/json") && !accepts(headers, "*/*") {
        let mut response = Response::new(Body::from(sse_message(&answer)));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        return response;
    }
    json_response(StatusCode::OK, answer)
}

pub(super) fn sse_message(answer: &[u8]) -> Bytes {
    [&b"event: message\ndata: "[..], answer, b"\n\n"].concat().into()
}
