//! One request to the Upstream: redirects within its own origin only, and signed in where the person did so.

use super::minted::{Refused, UNREACHABLE_CODE, refusals};
use crate::route::Route;
use crate::upstream::explain;
use crate::{Gateway, oauth};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use url::Url;

/// The person has to sign in first.
const SIGN_IN_CODE: i32 = -32001;
const MAX_REDIRECTS: usize = 3;

/// Sends one request, following redirects within the Upstream's own origin only: a redirect handed to the app would lead
/// it past us, and one to another origin would carry its credentials there.
pub(super) async fn send(
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
        let status = response.status();
        if status.is_informational() {
            return Err("it answers with another protocol than it was asked in".into());
        }
        // An app that got one of these would follow it past us: some follow every one that names a place.
        if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
            return Ok(response);
        }
        if status == StatusCode::SEE_OTHER {
            (method, body) = (Method::GET, Bytes::new());
        }
        let location = response.headers().get(header::LOCATION).and_then(|v| v.to_str().ok());
        let next = location.and_then(|location| target.join(location).ok());
        match next {
            Some(next) if next.origin() == url.origin() => target = next,
            None => return Err("it redirects to no address that can be read".into()),
            Some(_) => return Err("it redirects to another origin, which Portcullis does not follow".into()),
        }
    }
    Err(format!("it redirects more than {MAX_REDIRECTS} times"))
}

/// Why there is no answer from the Upstream to hand over.
pub(super) enum Unanswered {
    Failed(String),
    /// `wider`: a token is there, for less than this request needs.
    SignIn {
        wider: bool,
    },
    /// There is a token, and no way that hides it.
    Unencrypted,
}

impl Unanswered {
    pub fn reason(&self) -> &str {
        match self {
            Self::Failed(why) => why,
            Self::SignIn { wider: false } => "the server asks for a sign-in",
            Self::SignIn { wider: true } => "the server asks for a sign-in with wider rights",
            Self::Unencrypted => "its address is plain http, over which no sign-in token is sent",
        }
    }

    fn message(&self, server: &str) -> (i32, String) {
        let name: String = server.chars().take(40).collect();
        match self {
            Self::Failed(why) => (UNREACHABLE_CODE, format!("Portcullis could not reach the server {name:?}: {why}.")),
            Self::SignIn { wider } => {
                let asks = if *wider { "asks for wider rights than your sign-in gave" } else { "asks you to sign in" };
                let what_to_do = "Run `portcullis sign-in` or open Apps in Portcullis, then try again.";
                (SIGN_IN_CODE, format!("The server {name:?} {asks}. {what_to_do}"))
            }
            Self::Unencrypted => (
                UNREACHABLE_CODE,
                format!(
                    "Portcullis did not send the sign-in token of the server {name:?}: its address is plain http, which others on the way can read. Give it an https address."
                ),
            ),
        }
    }

    /// Where nothing waits for an answer under an id.
    pub fn refused(&self, server: &str) -> Refused {
        let (code, message) = self.message(server);
        Refused::new(StatusCode::BAD_GATEWAY, code, &message)
    }

    pub fn answer(&self, server: &str, ids: &[String]) -> Result<Vec<u8>, Refused> {
        let (code, message) = self.message(server);
        if ids.is_empty() { Err(self.refused(server)) } else { Ok(refusals(ids, code, &message)) }
    }
}

/// Sends a request and notes whether the Upstream does its part. Returns the headers that were sent, for what else belongs
/// to this conversation.
pub(super) async fn ask(
    gateway: &Gateway,
    route: &Route<'_>,
    method: Method,
    url: &Url,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(http::Response<Incoming>, HeaderMap), Unanswered> {
    let answer = signed_in(gateway, route, method, url, headers, body).await;
    let (inner, upstream) = (&gateway.inner, &route.upstream.id);
    match &answer {
        Ok((answer, _)) if answer.status().is_server_error() => {
            inner.failed_upstream(upstream, &format!("it answers with HTTP status {}", answer.status().as_u16()));
        }
        Ok(_) | Err(Unanswered::SignIn { .. }) => inner.health.works(upstream),
        Err(why) => inner.failed_upstream(upstream, why.reason()),
    }
    answer
}

/// Sends a request, signed in where the person did so and the app brings no credentials of its own.
async fn signed_in(
    gateway: &Gateway,
    route: &Route<'_>,
    method: Method,
    url: &Url,
    mut headers: HeaderMap,
    body: Bytes,
) -> Result<(http::Response<Incoming>, HeaderMap), Unanswered> {
    let failed = Unanswered::Failed;
    let is_apps_business = gateway.inner.sign_ins.is_transparent(&route.upstream.id);
    if is_apps_business || headers.contains_key(header::AUTHORIZATION) {
        let answer = send(gateway, method, url, &headers, body).await.map_err(failed)?;
        return Ok((answer, headers));
    }
    let (sign_ins, upstream) = (&gateway.inner.sign_ins, &route.upstream);
    let (mut token, mut wider) = (sign_ins.token(upstream).await, false);
    if token.is_some() && !oauth::may_carry_token(url) {
        return Err(Unanswered::Unencrypted);
    }
    // Once more at the most: with a token that was renewed because this one was refused, so nothing ran.
    for again in [true, false] {
        if let Some(mut value) = token.as_ref().and_then(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok())
        {
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        let answer = send(gateway, method.clone(), url, &headers, body.clone()).await.map_err(failed)?;
        let Some(challenge) = oauth::asks(answer.status(), answer.headers()) else {
            if answer.status().is_success() {
                sign_ins.accepted(&upstream.id);
            }
            return Ok((answer, headers));
        };
        wider = challenge.is_step_up();
        token = sign_ins.refused(upstream, token.as_deref().filter(|_| again), challenge).await;
        if token.is_none() {
            break;
        }
    }
    Err(Unanswered::SignIn { wider })
}
