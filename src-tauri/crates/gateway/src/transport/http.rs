//! Streamable HTTP (sessionful and stateless 2026-07-28) and legacy SSE on one handler: the proxy mirrors what the app
//! sends and what the server answers; which of the transports it is shows in the answer, not in the address.

use super::call::Call;
use super::carried;
use super::headers::{answerable, drop_hostile, forwardable, is_event_stream, mirrors};
use super::minted::{Refused, empty, json_response, withheld_answer};
use super::outbound::ask;
use super::request_body::read_body;
use super::respond::respond;
use super::sessions::{http_session, new_session, session_header, stateless_session};
use crate::inspect::Inspected;
use crate::route::{self, Endpoint, Route};
use crate::session::{Key, Session};
use crate::{Bounded, Gateway, local_only, oauth};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use hyper::body::Body as _;
use portcullis_domain::Direction;
use portcullis_policy::{Mirror, plain_header};
use url::Url;

pub(crate) async fn serve(gateway: Gateway, listener: Bounded, stopped: impl Future<Output = ()>) {
    let router = axum::Router::new().fallback(handle).with_state(gateway);
    listener.serve(router, stopped).await;
}

async fn handle(State(gateway): State<Gateway>, request: Request) -> Response {
    let mut response = match proxied(gateway, request).await {
        Ok(response) => response,
        Err(refused) => refused.into_response(),
    };
    // Nothing an Upstream sends may run as a page of this origin.
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    response
}

async fn proxied(gateway: Gateway, request: Request) -> Result<Response, Refused> {
    let inner = &gateway.inner;
    if let Err(which) = local_only::check(request.uri(), request.headers(), inner.proxy_port) {
        let message = format!("Portcullis serves only this machine's apps: the {which} header names another address.");
        return Err(Refused::new(StatusCode::FORBIDDEN, -32600, &message));
    }
    let most = inner.judge.load().limits().max_streams;
    let Some(place) = inner.carried.one_more(most) else {
        let message = format!("Portcullis carries {most} requests at once and no more (setting limits.max_streams).");
        return Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, -32603, &message));
    };
    let path = request.uri().path().to_owned();
    let not_found = || {
        let message =
            "Portcullis knows no server at this address. If the config still names it, run `portcullis doctor`.";
        Refused::new(StatusCode::NOT_FOUND, -32600, message)
    };
    if let Some(resource) = path.strip_prefix(oauth::WELL_KNOWN) {
        // As the app called us: it compares this with the address in its config.
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let asks = request.method() == Method::GET;
        return metadata(&gateway, resource, host.filter(|_| asks)).await.ok_or_else(not_found);
    }
    let route = route::find(&inner.routes.load(), &path).ok_or_else(not_found)?;
    let url = route.upstream.url.as_deref().and_then(|url| Url::parse(url).ok()).ok_or_else(not_found)?;
    let response = if request.method() == Method::POST {
        post(gateway.clone(), route, url, request).await?
    } else {
        other(gateway.clone(), route, url, request).await?
    };
    Ok(carried::holding(place, response))
}

/// Where an app signs in by itself to an Upstream that is set to that; every other server has none of this.
async fn metadata(gateway: &Gateway, resource: &str, host: Option<&str>) -> Option<Response> {
    let (inner, host) = (&gateway.inner, host?);
    let route = route::find(&inner.routes.load(), resource)?;
    if !inner.sign_ins.is_transparent(&route.upstream.id) {
        return None;
    }
    let found = inner.sign_ins.resource_metadata(&route.upstream, &format!("http://{host}{resource}")).await?;
    Some(json_response(StatusCode::OK, found.to_string().into_bytes()))
}

/// GET (streams), HEAD, OPTIONS and DELETE: nothing to judge on the way out, everything on the way back.
async fn other(gateway: Gateway, route: Route<'_>, url: Url, request: Request) -> Result<Response, Refused> {
    let is_known = matches!(*request.method(), Method::GET | Method::HEAD | Method::DELETE | Method::OPTIONS);
    if route.endpoint != Endpoint::Main || !is_known {
        return Ok(empty(StatusCode::METHOD_NOT_ALLOWED));
    }
    let session = match session_header(request.headers()) {
        Some(id) => http_session(&gateway, &route, &id),
        None => new_session(&gateway, &route),
    };
    let url = with_query(url, request.uri().query());
    let headers = forwardable(request.headers());
    let (answer, headers) = ask(&gateway, &route, request.method().clone(), &url, headers, Bytes::new())
        .await
        .map_err(|why| why.refused(&route.upstream.name))?;
    if request.method() == Method::HEAD {
        // No body follows, so the headers go on as they are: the length is that of what a GET would bring.
        let mut out = Response::new(Body::empty());
        *out.status_mut() = answer.status();
        *out.headers_mut() = answerable(answer.headers());
        drop_hostile(out.headers_mut(), |text| gateway.inner.passes(&session, Direction::ToClient, text));
        return Ok(out);
    }
    // Apps read what they asked for as a stream as one, whatever its type says it is. "No stream here" is a 405.
    let is_empty = answer.body().size_hint().exact() == Some(0);
    if request.method() == Method::GET
        && answer.status().is_success()
        && is_event_stream(answer.headers()) == Some(false)
        && !is_empty
    {
        let withheld = withheld_answer(None, "it is no event stream");
        return Err(Refused { status: StatusCode::METHOD_NOT_ALLOWED, ..withheld });
    }
    if let (&Method::DELETE, true, Some(id)) =
        (request.method(), answer.status().is_success(), session_header(request.headers()))
    {
        gateway.inner.sessions.remove(&Key::Http(route.upstream.id.clone(), id));
        gateway.inner.abandon(&session, "the app ended the session");
    }
    respond(gateway, &route, session, url, headers, answer, Vec::new()).await
}

async fn post(gateway: Gateway, route: Route<'_>, url: Url, request: Request) -> Result<Response, Refused> {
    let inner = gateway.inner.clone();
    let legacy = match route.endpoint {
        Endpoint::LegacyMessages { connection } => {
            let known = inner.legacy.get(connection).filter(|c| c.session.upstream.id == route.upstream.id);
            Some(known.ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, -32600, "This SSE connection has ended."))?)
        }
        Endpoint::Main => None,
    };
    let (parts, body) = request.into_parts();
    let bytes = read_body(&gateway, &parts.headers, body).await?;
    let session = match (&legacy, session_header(&parts.headers)) {
        (Some(connection), _) => connection.session.clone(),
        (None, Some(id)) => http_session(&gateway, &route, &id),
        (None, None) => stateless_session(&gateway, &route),
    };
    let mirrors = mirrors(&parts.headers);
    // The judge reads such headers beside a single Message.
    if bytes.trim_ascii_start().starts_with(b"[")
        && let Some((name, _)) = mirrors.iter().find(|mirror| !may_come_with_many(&gateway, &session, mirror))
    {
        let message = format!("Portcullis refused a batch with the header {name}, which belongs to single messages.");
        return Err(Refused::new(StatusCode::BAD_REQUEST, -32600, &message));
    }
    let inspected = inner.inspect(&session, Direction::ToUpstream, &bytes, &mirrors);
    let (upstream, prefix, headers) = (route.upstream.clone(), route.prefix.to_owned(), parts.headers);
    let url = match &legacy {
        Some(connection) => connection.post_to.clone(),
        None => with_query(url, parts.uri.query()),
    };
    let call = Call { gateway, upstream, prefix, url, headers, session, legacy, bytes };
    match inspected {
        Inspected::Done(judged) => call.carry_out(judged).await,
        Inspected::Held(held) => call.wait(held).await,
    }
}

/// No version has batches (2025-03-26) and headers that repeat a Message (2026-07-28): nobody can say which one they
/// repeat. Others of that name are the person's own.
fn may_come_with_many(gateway: &Gateway, session: &Session, (name, value): &Mirror) -> bool {
    let repeats = matches!(name.as_str(), "mcp-method" | "mcp-name") || name.starts_with("mcp-param-");
    // First the text, so that a hostile one is on record.
    gateway.inner.passes(session, Direction::ToUpstream, &plain_header(value)) && !repeats
}

fn with_query(mut url: Url, query: Option<&str>) -> Url {
    if let Some(query) = query {
        let both = url.query().map_or_else(|| query.to_owned(), |own| format!("{own}&{query}"));
        url.set_query(Some(&both));
    }
    url
}
