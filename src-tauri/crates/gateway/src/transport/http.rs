//! Streamable HTTP (sessionful and stateless 2026-07-28) and legacy SSE on one handler: the proxy mirrors what the app
//! sends and what the server answers; which of the transports it is shows in the answer, not in the address.

use super::carried;
use super::coding::{self, Source};
use super::headers::{
    charsets, drop_hostile, end_to_end, forwardable, is_event_stream, is_like_ascii, is_utf8, mirror_again, mirrors,
};
use super::held;
use super::legacy::Connection;
use super::relay::{Broken, Relay};
use crate::hold::Held;
use crate::inspect::Inspected;
use crate::record::random;
use crate::route::{self, Endpoint, Route};
use crate::session::{Key, Session};
use crate::upstream::explain;
use crate::{Gateway, local_only, oauth};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::serve::ListenerExt;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use portcullis_domain::{Direction, SessionId, Upstream};
use portcullis_policy::{Action, Judged, refusal};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::net::TcpListener;
use url::Url;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
/// The person has to sign in first.
const SIGN_IN_CODE: i32 = -32001;
const MAX_REDIRECTS: usize = 3;

pub(crate) async fn serve(
    gateway: Gateway,
    listener: TcpListener,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let router = axum::Router::new().fallback(handle).with_state(gateway);
    axum::serve(listener, router).with_graceful_shutdown(stopped).await
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

/// An answer of our own that is no MCP result: status and a JSON-RPC error without an id (or with the request's).
pub(super) struct Refused {
    status: StatusCode,
    pub body: Vec<u8>,
}

impl Refused {
    fn new(status: StatusCode, code: i32, message: &str) -> Self {
        Self { status, body: refusal(None, code, message) }
    }
    fn into_response(self) -> Response {
        json_response(self.status, self.body)
    }
}

fn json_response(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
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
    let route = route::find(&inner.routes.load(), &path).ok_or_else(not_found)?;
    let url = route.upstream.url.as_deref().and_then(|url| Url::parse(url).ok()).ok_or_else(not_found)?;
    let response = if request.method() == Method::POST {
        post(gateway.clone(), route, url, request).await?
    } else {
        other(gateway.clone(), route, url, request).await?
    };
    Ok(carried::holding(place, response))
}

/// GET (streams) and DELETE: nothing to judge on the way out, everything on the way back.
async fn other(gateway: Gateway, route: Route<'_>, url: Url, request: Request) -> Result<Response, Refused> {
    if route.endpoint != Endpoint::Main {
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
        .map_err(|why| why.refused(&route, None))?;
    if request.method() == Method::HEAD {
        // No body follows, so the headers go on as they are: the length is that of what a GET would bring.
        let mut out = Response::new(Body::empty());
        *out.status_mut() = answer.status();
        *out.headers_mut() = end_to_end(answer.headers());
        drop_hostile(out.headers_mut(), |text| gateway.inner.passes(&session, Direction::ToClient, text));
        return Ok(out);
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
    let inspected = inner.inspect(&session, Direction::ToUpstream, &bytes, &mirrors(&parts.headers));
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

/// A POST whose Verdict is known, or is waited for.
pub(super) struct Call {
    pub gateway: Gateway,
    upstream: Arc<Upstream>,
    prefix: String,
    url: Url,
    headers: HeaderMap,
    session: Arc<Session>,
    legacy: Option<Connection>,
    bytes: Bytes,
}

impl Call {
    /// Keeps the app alive while a person is asked, in the form that it accepts.
    async fn wait(self, held: Box<Held>) -> Result<Response, Refused> {
        if let Some(connection) = self.legacy.clone() {
            connection.holding.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                tokio::select! {
                    () = connection.ended.cancelled() => {}
                    () = self.wait_on_stream(&connection, held) => {}
                }
            });
            return Ok(empty(StatusCode::ACCEPTED));
        }
        if accepts(&self.headers, "text/event-stream") {
            return Ok(held::respond(self, held));
        }
        let judged = held::settled(held, |_| {}).await;
        self.carry_out(judged).await
    }

    /// Legacy SSE: everything travels on the stream, the POST is answered already.
    async fn wait_on_stream(self, connection: &Connection, held: Box<Held>) {
        let id = held.question.id.clone();
        let judged = held::settled(held, |message| {
            let piece = message.map_or_else(|| Bytes::from_static(held::COMMENT), |message| held::event(&message));
            let _ = connection.inject.send(piece);
        })
        .await;
        connection.holding.fetch_sub(1, Ordering::Relaxed);
        let failed = match self.carry_out(judged).await {
            Ok(response) if response.status().is_success() => return,
            Ok(response) => held::unusable(&id, response.status().as_u16()),
            Err(refused) => refused.body,
        };
        let _ = connection.inject.send(held::event(&failed));
    }

    pub(super) async fn carry_out(self, judged: Judged) -> Result<Response, Refused> {
        let Self { gateway, upstream, prefix, url, headers, session, legacy, bytes } = self;
        let inner = gateway.inner.clone();
        let route = Route { upstream, prefix: &prefix, endpoint: Endpoint::Main };
        // The body goes on decoded.
        let mut forwarded = forwardable(&headers);
        forwarded.remove(header::CONTENT_ENCODING);
        let mut awaited: Vec<String> = requests(&judged).collect();
        let mut answered = None;
        let body = match judged.action {
            Action::Forward => bytes,
            Action::Replace(edited) => {
                mirror_again(&mut forwarded, &bytes, &edited, inner.judge.load().limits());
                edited.into()
            }
            Action::Split { on, back } => {
                awaited.clear();
                answered = Some(back);
                on.into()
            }
            Action::Drop => return Ok(empty(StatusCode::ACCEPTED)),
            Action::Refuse(answer) => return Ok(json_response(StatusCode::BAD_REQUEST, answer)),
            Action::Answer(answer) => match legacy {
                Some(connection) => {
                    // The reply travels on the stream; a stream that is gone needs no reply.
                    let _ = connection.inject.send(sse_message(&answer));
                    return Ok(empty(StatusCode::ACCEPTED));
                }
                None => return Ok(in_accepted_form(&headers, answer)),
            },
        };
        let answer = tokio::select! {
            biased;
            answer = ask(&gateway, &route, Method::POST, &url, forwarded, body) => answer,
            () = inner.cut.cancelled() => Err(Unanswered::Failed("Portcullis stopped before it answered".into())),
        };
        let (answer, forwarded) = match answer {
            Ok(answer) => answer,
            Err(why) => {
                for id in &awaited {
                    let open = session.close(Direction::ToUpstream, id);
                    open.into_iter().for_each(|open| inner.fail(open, why.reason()));
                }
                let refused = why.refused(&route, awaited.first().map(String::as_str));
                // A request of a session gets a JSON-RPC answer that the app shows, and no status that it acts upon.
                return match (why, awaited.is_empty() || legacy.is_some()) {
                    (Unanswered::SignIn, false) => Ok(in_accepted_form(&headers, refused.body)),
                    _ => Err(refused),
                };
            }
        };
        if let Some(back) = answered {
            return Ok(match legacy {
                Some(connection) => {
                    let _ = connection.inject.send(sse_message(&back));
                    empty(StatusCode::ACCEPTED)
                }
                None => in_accepted_form(&headers, back),
            });
        }
        // A legacy POST is answered on the stream: its requests stay open when this body ends.
        let awaited = if legacy.is_some() { Vec::new() } else { awaited };
        respond(gateway, &route, session, url, forwarded, answer, awaited).await
    }
}

fn requests(judged: &Judged) -> impl Iterator<Item = String> + '_ {
    let requests = judged.messages.iter().filter(|m| m.as_request().is_some());
    requests.filter_map(|m| m.id.clone())
}

async fn read_body(gateway: &Gateway, headers: &HeaderMap, body: Body) -> Result<Bytes, Refused> {
    let Ok(coding) = coding::of(headers) else {
        let message = "Portcullis reads bodies in gzip, deflate, br or zstd, and in one of them only.";
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, -32600, message));
    };
    if charsets(headers).any(|charset| !is_utf8(&charset)) {
        let message = "Portcullis reads only UTF-8 bodies.";
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, -32600, message));
    }
    let limit = gateway.inner.judge.load().limits().max_message_bytes;
    let too_large = || {
        let message =
            format!("Portcullis refuses messages of more than {limit} bytes (setting limits.max_message_bytes).");
        Refused::new(StatusCode::PAYLOAD_TOO_LARGE, -32600, &message)
    };
    let body = match Limited::new(body, limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_large()),
        Err(_) => return Err(Refused::new(StatusCode::BAD_REQUEST, -32700, "The request's body ended early.")),
    };
    let Some(coding) = coding else { return Ok(body) };
    let decoded = coding::decode(coding, body, limit).await.map_err(|error| {
        let message = format!("Portcullis cannot decode the body: it is not what its Content-Encoding says ({error}).");
        Refused::new(StatusCode::BAD_REQUEST, -32700, &message)
    })?;
    if decoded.len() > limit { Err(too_large()) } else { Ok(decoded.into()) }
}

fn session_header(headers: &HeaderMap) -> Option<String> {
    headers.get(SESSION).map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned())
}

fn new_session(gateway: &Gateway, route: &Route<'_>) -> Arc<Session> {
    let id = SessionId::from_random(random());
    Session::new(id, route.upstream.clone(), route.upstream.transport, &gateway.inner.recorder)
}

fn http_session(gateway: &Gateway, route: &Route<'_>, id: &str) -> Arc<Session> {
    let key = Key::Http(route.upstream.id.clone(), id.to_owned());
    gateway.inner.sessions.get_or_insert(key, || new_session(gateway, route))
}

/// Requests without a session pair within their own POST (two apps may use the same ids at once), under one shared id.
fn stateless_session(gateway: &Gateway, route: &Route<'_>) -> Arc<Session> {
    let key = Key::Stateless(route.upstream.id.clone());
    let shared = gateway.inner.sessions.get_or_insert(key, || new_session(gateway, route));
    shared.touch();
    Session::new(shared.id.clone(), route.upstream.clone(), route.upstream.transport, &gateway.inner.recorder)
}

fn with_query(mut url: Url, query: Option<&str>) -> Url {
    if let Some(query) = query {
        let both = url.query().map_or_else(|| query.to_owned(), |own| format!("{own}&{query}"));
        url.set_query(Some(&both));
    }
    url
}

/// Sends one request, following redirects within the Upstream's own origin only: a redirect handed to the app would lead
/// it past us, and one to another origin would carry its credentials there.
pub(crate) async fn send(
    gateway: &Gateway,
    mut method: Method,
    url: &Url,
    headers: &HeaderMap,
    mut body: Bytes,
) -> Result<http::Response<Incoming>, String> {
    let mut target = url.clone();
    for _ in 0..=MAX_REDIRECTS {
        let mut request = http::Request::new(Full::new(body.clone()));
        *request.method_mut() = method.clone();
        *request.uri_mut() = target.as_str().parse().map_err(|_| "its address is not a valid URL".to_owned())?;
        *request.headers_mut() = headers.clone();
        let response = gateway.inner.client.send(request).await.map_err(|error| explain(&error))?;
        // An app that got one of these would follow it past us.
        let status = response.status().as_u16();
        if !matches!(status, 301 | 302 | 303 | 307 | 308) {
            return Ok(response);
        }
        if status == 303 {
            (method, body) = (Method::GET, Bytes::new());
        }
        let location = response.headers().get(header::LOCATION).and_then(|v| v.to_str().ok());
        let next = location.and_then(|location| target.join(location).ok());
        match next {
            Some(next) if next.origin() == url.origin() => target = next,
            _ => return Err("it redirects to another origin, which Portcullis does not follow".into()),
        }
    }
    Err(format!("it redirects more than {MAX_REDIRECTS} times"))
}

/// Why there is no answer from the Upstream to hand over.
enum Unanswered {
    Failed(String),
    SignIn,
}

impl Unanswered {
    fn reason(&self) -> &str {
        match self {
            Self::Failed(why) => why,
            Self::SignIn => "the server asks for a sign-in",
        }
    }

    fn refused(&self, route: &Route<'_>, id: Option<&str>) -> Refused {
        match self {
            Self::Failed(why) => unreachable_upstream(route, id, why),
            Self::SignIn => {
                let name: String = route.upstream.name.chars().take(40).collect();
                let message = format!(
                    "The server {name:?} asks you to sign in. Run `portcullis sign-in` or open Apps in Portcullis, then try again."
                );
                Refused { status: StatusCode::BAD_GATEWAY, body: refusal(id, SIGN_IN_CODE, &message) }
            }
        }
    }
}

/// Sends a request, signed in where the person did so and the app brings no credentials of its own. Returns the headers
/// that were sent, for what else belongs to this conversation.
async fn ask(
    gateway: &Gateway,
    route: &Route<'_>,
    method: Method,
    url: &Url,
    mut headers: HeaderMap,
    body: Bytes,
) -> Result<(http::Response<Incoming>, HeaderMap), Unanswered> {
    let failed = Unanswered::Failed;
    if headers.contains_key(header::AUTHORIZATION) {
        let answer = send(gateway, method, url, &headers, body).await.map_err(failed)?;
        return Ok((answer, headers));
    }
    let (sign_ins, upstream) = (&gateway.inner.sign_ins, &route.upstream);
    let mut token = sign_ins.token(upstream).await;
    // Once more at the most: with a token that was renewed because this one was refused, so nothing ran.
    for again in [true, false] {
        if let Some(value) = token.as_ref().and_then(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok()) {
            headers.insert(header::AUTHORIZATION, value);
        }
        let answer = send(gateway, method.clone(), url, &headers, body.clone()).await.map_err(failed)?;
        let Some(challenge) = oauth::asks(answer.status(), answer.headers()) else {
            if answer.status().is_success() {
                sign_ins.accepted(&upstream.id);
            }
            return Ok((answer, headers));
        };
        token = sign_ins.refused(upstream, token.as_deref().filter(|_| again), challenge).await;
        if token.is_none() {
            break;
        }
    }
    Err(Unanswered::SignIn)
}

fn unreachable_upstream(route: &Route<'_>, id: Option<&str>, why: &str) -> Refused {
    let name: String = route.upstream.name.chars().take(40).collect();
    let message = format!("Portcullis could not reach the server {name:?}: {why}.");
    Refused { status: StatusCode::BAD_GATEWAY, body: refusal(id, -32603, &message) }
}

fn withheld_answer(id: Option<&str>, why: &str) -> Refused {
    let message = format!("Portcullis withheld the server's answer: {why}.");
    Refused { status: StatusCode::BAD_GATEWAY, body: refusal(id, -32603, &message) }
}

async fn respond(
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
    // What is no success is read as text, whatever it says it is.
    let is_event_stream = is_event_stream && parts.status.is_success();
    let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    let limit = gateway.inner.judge.load().limits().max_message_bytes;
    let whole = !is_event_stream && coding.is_none() && length.is_some_and(|length| length <= limit);
    let prefix = route.prefix.to_owned();
    let (inner, around) = (gateway.inner.clone(), session.clone());
    let mut relay =
        Relay::new(gateway, session, Source::new(body, coding), url, headers, prefix, is_event_stream, awaited);
    let mut out = Response::new(Body::empty());
    *out.status_mut() = parts.status;
    *out.headers_mut() = end_to_end(&parts.headers);
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
    if whole {
        let mut collected = Vec::new();
        while let Some(bytes) = relay.next().await {
            match bytes {
                Ok(bytes) => collected.extend_from_slice(&bytes),
                Err(error) => {
                    let (why, id) = (error.to_string(), relay.awaited.first().cloned());
                    return Err(unreachable_upstream(route, id.as_deref(), &why));
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

fn accepts(headers: &HeaderMap, what: &str) -> bool {
    headers.get_all(header::ACCEPT).iter().any(|v| v.to_str().is_ok_and(|v| v.contains(what)))
}

/// Our answer in the form the app accepts: plain JSON where it may, else one event.
fn in_accepted_form(headers: &HeaderMap, answer: Vec<u8>) -> Response {
    if accepts(headers, "text/event-stream") && !accepts(headers, "application/json") && !accepts(headers, "*/*") {
        let mut response = Response::new(Body::from(sse_message(&answer)));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        return response;
    }
    json_response(StatusCode::OK, answer)
}

fn sse_message(answer: &[u8]) -> Bytes {
    [&b"event: message\ndata: "[..], answer, b"\n\n"].concat().into()
}
