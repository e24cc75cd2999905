//! The answer's head on its way back: what may go on at all, which headers, and whether its body is judged before the
//! status line or streamed. The body itself is the business of `relay`.

use super::coding::{self, Source};
use super::headers::{answerable, charsets, drop_hostile, is_event_stream, is_like_ascii, is_utf8};
use super::minted::{Refused, broken_answer, withheld_answer};
use super::relay::{Broken, Of, Relay};
use super::sessions::{http_session, session_header};
use crate::route::Route;
use crate::session::Session;
use crate::{Gateway, oauth};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header};
use hyper::body::Incoming;
use portcullis_domain::Direction;
use std::sync::Arc;
use url::Url;

pub(super) async fn respond(
    gateway: Gateway,
    route: &Route<'_>,
    session: Arc<Session>,
    url: Url,
    headers: HeaderMap,
    answer: http::Response<Incoming>,
    awaited: Vec<String>,
) -> Result<Response, Refused> {
    let (parts, body) = answer.into_parts();
    if let Some(id) = session_header(&parts.headers) {
        http_session(&gateway, route, &id);
    }
    let withheld = |why: &str| {
        for open in awaited.iter().filter_map(|id| session.close(Direction::ToUpstream, id)) {
            gateway.inner.fail(open, why);
        }
        Err(withheld_answer(awaited.first().map(String::as_str), why))
    };
    let Ok(coding) = coding::of(&parts.headers) else {
        return withheld("it is compressed in a way that Portcullis does not read");
    };
    let Some(is_event_stream) = is_event_stream(&parts.headers) else {
        return withheld("apps read its Content-Type differently");
    };
    // An error page may be Latin-1; where lines of a stream end depends on the charset, so a stream may not.
    let readable = if is_event_stream { is_utf8 } else { is_like_ascii };
    if charsets(&parts.headers).any(|charset| !readable(&charset)) {
        return withheld("it is not UTF-8");
    }
    // An error is read as text, whatever it says it is; of anything else some apps read the events.
    let is_error = parts.status.is_client_error() || parts.status.is_server_error();
    let is_event_stream = is_event_stream && !is_error;
    let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    let limit = gateway.inner.judge.load().limits().max_message_bytes;
    let whole = !is_event_stream && coding.is_none() && length.is_some_and(|length| length <= limit);
    let prefix = route.prefix.to_owned();
    let (inner, around) = (gateway.inner.clone(), session.clone());
    let of = Of { session, upstream_url: url, headers, prefix, awaited };
    let mut relay = Relay::new(gateway, of, Source::new(body, coding), is_event_stream);
    let mut out = Response::new(Body::empty());
    *out.status_mut() = parts.status;
    *out.headers_mut() = answerable(&parts.headers);
    // Bodies may change size; hyper sets the right framing for what is really sent.
    for name in [
        header::CONTENT_LENGTH,
        header::CONTENT_ENCODING,
        header::ETAG,
        HeaderName::from_static("content-md5"),
        HeaderName::from_static("digest"),
    ] {
        out.headers_mut().remove(name);
    }
    drop_hostile(out.headers_mut(), |text| inner.passes(&around, Direction::ToClient, text));
    if inner.sign_ins.is_transparent(&route.upstream.id) && oauth::asks(parts.status, &parts.headers).is_some() {
        let metadata = format!("http://127.0.0.1:{}{}{}/mcp", inner.proxy_port, oauth::WELL_KNOWN, route.prefix);
        inner.sign_ins.redirect_challenges(&route.upstream.id, out.headers_mut(), &metadata);
    }
    if whole {
        let mut collected = Vec::new();
        while let Some(bytes) = relay.next().await {
            match bytes {
                Ok(bytes) => collected.extend_from_slice(&bytes),
                Err(error) => {
                    let why = error.to_string();
                    return broken_answer(route, &relay.awaited, &why);
                }
            }
        }
        *out.body_mut() = Body::from(collected);
        return Ok(out);
    }
    let bodyless = matches!(parts.status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if coding.is_some() {
        // Whether it can be decoded at all shows with the first piece, while the status can still say so.
        match relay.next().await {
            Some(Ok(first)) => {
                *out.body_mut() = Body::from_stream(futures_util::stream::unfold((Some(first), relay), step))
            }
            Some(Err(error)) => {
                let (why, id) = (error.to_string(), relay.awaited.first().cloned());
                return Err(withheld_answer(id.as_deref(), &why));
            }
            None => {}
        }
        return Ok(out);
    }
    if bodyless && !is_event_stream {
        // 202 must stay without a body, and without chunked framing where the server used none.
        if let Some(Ok(first)) = relay.next().await {
            let stream = futures_util::stream::unfold((Some(first), relay), step);
            *out.body_mut() = Body::from_stream(stream);
        }
        return Ok(out);
    }
    *out.body_mut() = Body::from_stream(futures_util::stream::unfold((None, relay), step));
    Ok(out)
}

async fn step((first, mut relay): (Option<Bytes>, Relay)) -> Option<(Result<Bytes, Broken>, (Option<Bytes>, Relay))> {
    let item = match first {
        Some(first) => Ok(first),
        None => relay.next().await?,
    };
    Some((item, (None, relay)))
}
