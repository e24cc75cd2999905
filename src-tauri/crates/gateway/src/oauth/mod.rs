//! Portcullis as the OAuth client of Upstreams that ask for a sign-in, so that the app behind it sees no 401. The person
//! signs in once in the browser; tokens lie in the `Vault`, go to the Upstream's own origin only, and are renewed here.
//! An entry that brings its own `Authorization` is left alone.
//!
//! FailureMode: without a usable token the app gets an error that names the sign-in; nothing is sent in its place.

mod discover;
mod error;
mod fetch;
mod grant;
mod transparent;

pub(crate) use discover::Challenge;
pub use discover::Client;
pub use error::SignInError;
pub use fetch::FetchError;
pub use grant::{Grant, SignInState, Vault};
pub(crate) use transparent::WELL_KNOWN;

use crate::Clock;
use discover::Place;
use error::refusal;
use fetch::Fetcher;
use http::HeaderMap;
use hyper_util::client::proxy::matcher::Matcher;
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, Scope, TokenResponse, TokenUrl,
};
use portcullis_domain::{UnixMs, Upstream, UpstreamId};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::Url;

/// How long a person may take in the browser.
const PENDING_MS: i64 = 10 * 60_000;
const MAX_PENDING: usize = 32;
/// A token this close to its end is renewed first.
const RENEW_BEFORE_MS: i64 = 30_000;

/// What the browser brings back.
#[derive(Debug, Default, Deserialize)]
pub struct Callback {
    #[serde(default)]
    pub state: String,
    pub code: Option<String>,
    pub error: Option<String>,
    pub error_description: Option<String>,
    pub iss: Option<String>,
}

struct Pending {
    state: String,
    began: UnixMs,
    upstream: UpstreamId,
    url: Url,
    place: Place,
    client: Client,
    redirect: String,
    verifier: PkceCodeVerifier,
}

type OAuth = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// What the person set.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where a document about us as a client lies, for authorization servers that take such a URL as the client's id.
    pub client_metadata_url: Option<String>,
    /// Upstreams whose apps sign in themselves, see `transparent`; `set_transparent` changes it.
    pub transparent: HashSet<UpstreamId>,
}

pub struct SignIns {
    vault: Arc<dyn Vault>,
    clock: Clock,
    client_metadata_url: Option<String>,
    proxies: Arc<Matcher>,
    known: Mutex<Known>,
    /// One renewal at a time: refresh tokens are often good for one use.
    renewing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    grants: HashMap<UpstreamId, Grant>,
    needed: HashMap<UpstreamId, Challenge>,
    pending: Vec<Pending>,
    transparent: HashSet<UpstreamId>,
    /// Where transparent Upstreams said their metadata lies.
    metadata: HashMap<UpstreamId, Challenge>,
}

impl SignIns {
    pub fn new(vault: Arc<dyn Vault>, clock: Clock, options: Options) -> Self {
        let Options { client_metadata_url, transparent } = options;
        let known = Mutex::new(Known { grants: vault.load(), transparent, ..Known::default() });
        let proxies = Arc::new(Matcher::from_env());
        Self { vault, clock, client_metadata_url, proxies, known, renewing: tokio::sync::Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn state(&self, upstream: &UpstreamId) -> Option<SignInState> {
        let known = self.known();
        if known.transparent.contains(upstream) {
            return None;
        }
        let has = known.grants.get(upstream).and_then(|grant| grant.scope.as_deref());
        if let Some(challenge) = known.needed.get(upstream) {
            let scope = challenge.scope.as_deref().map(|asked| joined(has.unwrap_or_default(), asked));
            return Some(SignInState::Needed { scope, wider: challenge.is_step_up() });
        }
        known.grants.get(upstream).map(|grant| SignInState::SignedIn {
            issuer: grant.issuer.clone(),
            scope: grant.scope.clone(),
            expires_at: grant.expires_at,
        })
    }

    /// The token for the next request, renewed if it is about to end.
    pub(crate) async fn token(&self, upstream: &Upstream) -> Option<String> {
        let grant = self.known().grants.get(&upstream.id).cloned()?;
        let ends = |grant: &Grant| grant.expires_at.is_some_and(|at| at - RENEW_BEFORE_MS < (self.clock)());
        if ends(&grant) && grant.refresh_token.is_some() {
            return self.renew(upstream, &grant.access_token).await.or(Some(grant.access_token));
        }
        Some(grant.access_token)
    }

    /// The Upstream refused the request. Some: a newer token to try again with. None: the person has to sign in.
    pub(crate) async fn refused(
        &self,
        upstream: &Upstream,
        used: Option<&str>,
        challenge: Challenge,
    ) -> Option<String> {
        // Another scope cannot be had without the person.
        if let (Some(used), false) = (used, challenge.is_step_up())
            && let Some(token) = self.renew(upstream, used).await
        {
            return Some(token);
        }
        self.known().needed.insert(upstream.id.clone(), challenge);
        None
    }

    /// A request with a token (or none) was answered: no sign-in is needed, unless another request needs a wider one.
    pub(crate) fn accepted(&self, upstream: &UpstreamId) {
        let mut known = self.known();
        if known.needed.get(upstream).is_some_and(|challenge| !challenge.is_step_up()) {
            known.needed.remove(upstream);
        }
    }

    async fn renew(&self, upstream: &Upstream, used: &str) -> Option<String> {
        let _one = self.renewing.lock().await;
        let grant = self.known().grants.get(&upstream.id).cloned()?;
        if grant.access_token != used {
            return Some(grant.access_token);
        }
        let refresh = RefreshToken::new(grant.refresh_token.clone()?);
        let url = Url::parse(upstream.url.as_deref()?).ok()?;
        let fetcher = Fetcher::for_upstream(&url, &self.proxies).await;
        let oauth = client(&grant.client, &grant.redirect, &grant.token_endpoint, &grant.token_endpoint).ok()?;
        let asked = oauth.exchange_refresh_token(&refresh).add_extra_param("resource", &grant.resource);
        match asked.request_async(&fetcher).await {
            Ok(answer) => {
                let new = self.granted(&grant, &answer);
                let token = new.access_token.clone();
                if let Err(why) = self.keep(&upstream.id, new) {
                    tracing::warn!(%why, "a renewed sign-in could not be kept");
                }
                Some(token)
            }
            Err(error) => {
                tracing::warn!(upstream = %upstream.id, error = %refusal(&error), "a sign-in could not be renewed");
                None
            }
        }
    }

    fn granted(&self, before: &Grant, answer: &BasicTokenResponse) -> Grant {
        let lasts = answer.expires_in().map(|lasts| i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX));
        let scopes = answer.scopes().map(|all| all.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "));
        Grant {
            access_token: answer.access_token().secret().clone(),
            refresh_token: answer.refresh_token().map(|t| t.secret().clone()).or(before.refresh_token.clone()),
            expires_at: lasts.map(|lasts| (self.clock)().saturating_add(lasts)),
            scope: scopes.or(before.scope.clone()),
            ..before.clone()
        }
    }

    /// Takes over what the `Vault` could not load at once; a newer sign-in counts more. `ready` runs right before all of it
    /// is stored again, while nothing else can be.
    pub fn adopt(&self, found: HashMap<UpstreamId, Grant>, ready: impl FnOnce()) -> Result<(), String> {
        let mut known = self.known();
        for (upstream, grant) in found {
            if !known.grants.contains_key(&upstream) {
                known.needed.remove(&upstream);
                known.grants.insert(upstream, grant);
            }
        }
        ready();
        self.vault.store(&known.grants)
    }

    fn keep(&self, upstream: &UpstreamId, grant: Grant) -> Result<(), String> {
        let mut known = self.known();
        known.needed.remove(upstream);
        known.grants.insert(upstream.clone(), grant);
        self.vault.store(&known.grants)
    }

    /// Begins a sign-in: the address to open in the browser. `client_id`: registered by hand, where the server takes no
    /// new clients.
    pub async fn begin(
        &self,
        upstream: &Upstream,
        redirect: &str,
        client_id: Option<String>,
    ) -> Result<String, SignInError> {
        let url = upstream.url.as_deref().and_then(|url| Url::parse(url).ok()).ok_or(SignInError::NoUrl)?;
        if !may_carry_token(&url) {
            return Err(SignInError::Unencrypted);
        }
        let (challenge, before) = {
            let known = self.known();
            let challenge = known.needed.get(&upstream.id).cloned().unwrap_or_default();
            (challenge, known.grants.get(&upstream.id).cloned())
        };
        let fetcher = Fetcher::for_upstream(&url, &self.proxies).await;
        let mut place = discover::place(&fetcher, &url, &challenge).await?;
        let known_here = before.filter(|grant| grant.issuer == place.server.issuer && grant.redirect == redirect);
        if let (Some(old), Some(new)) = (known_here.as_ref().and_then(|grant| grant.scope.as_ref()), &place.scope) {
            place.scope = Some(joined(old, new));
        }
        let client_of_ours = match (client_id, known_here) {
            (Some(id), _) => Client { id, secret: None },
            (None, Some(grant)) => grant.client,
            (None, None) => match &self.client_metadata_url {
                Some(url) if place.server.client_id_metadata_document_supported => {
                    Client { id: url.clone(), secret: None }
                }
                _ => discover::register(&fetcher, &place.server, redirect).await?,
            },
        };
        let (auth, token) = (place.server.authorization_endpoint.as_str(), place.server.token_endpoint.as_str());
        let oauth = client(&client_of_ours, redirect, auth, token)?;
        let (asked, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = oauth.authorize_url(CsrfToken::new_random).set_pkce_challenge(asked);
        request = request.add_extra_param("resource", place.resource.clone());
        for scope in place.scope.iter().flat_map(|scope| scope.split(' ')) {
            request = request.add_scope(Scope::new(scope.to_owned()));
        }
        let (address, state) = request.url();
        let (state, began, redirect) = (state.into_secret(), (self.clock)(), redirect.to_owned());
        let id = upstream.id.clone();
        let mut known = self.known();
        known.pending.retain(|pending| pending.upstream != id && began - pending.began < PENDING_MS);
        if known.pending.len() >= MAX_PENDING {
            known.pending.remove(0);
        }
        known.pending.push(Pending {
            state,
            began,
            upstream: id,
            url,
            place,
            client: client_of_ours,
            redirect,
            verifier,
        });
        Ok(address.into())
    }

    /// Ends a sign-in with what the browser brought back.
    pub async fn finish(&self, callback: Callback) -> Result<UpstreamId, SignInError> {
        let pending = {
            let (mut known, now) = (self.known(), (self.clock)());
            // 128 random bits, one use.
            let at = known.pending.iter().position(|p| p.state == callback.state).ok_or(SignInError::Unknown)?;
            Some(known.pending.remove(at)).filter(|p| now - p.began < PENDING_MS).ok_or(SignInError::Unknown)?
        };
        let server = &pending.place.server;
        match &callback.iss {
            Some(iss) if *iss != server.issuer => return Err(SignInError::WrongIssuer),
            None if server.authorization_response_iss_parameter_supported => return Err(SignInError::WrongIssuer),
            _ => {}
        }
        let Some(code) = callback.code else {
            let said = callback.error_description.or(callback.error).unwrap_or_else(|| "it gave no reason".into());
            return Err(SignInError::Refused(said.chars().take(300).collect()));
        };
        let fetcher = Fetcher::for_upstream(&pending.url, &self.proxies).await;
        let (auth, token) = (server.authorization_endpoint.as_str(), server.token_endpoint.as_str());
        let oauth = client(&pending.client, &pending.redirect, auth, token)?;
        let asked = oauth.exchange_code(AuthorizationCode::new(code)).set_pkce_verifier(pending.verifier);
        let asked = asked.add_extra_param("resource", &pending.place.resource);
        let answer = asked.request_async(&fetcher).await.map_err(|error| SignInError::Refused(refusal(&error)))?;
        let before = Grant {
            issuer: server.issuer.clone(),
            client: pending.client,
            redirect: pending.redirect,
            token_endpoint: token.to_owned(),
            resource: pending.place.resource.clone(),
            scope: pending.place.scope.clone(),
            access_token: String::new(),
            refresh_token: None,
            expires_at: None,
        };
        self.keep(&pending.upstream, self.granted(&before, &answer)).map_err(SignInError::NotKept)?;
        Ok(pending.upstream)
    }

    /// Forgets the tokens. False: there were none.
    pub fn forget(&self, upstream: &UpstreamId) -> Result<bool, SignInError> {
        let mut known = self.known();
        let had = known.grants.remove(upstream).is_some();
        // What asked for a wider one asked somebody who was signed in.
        known.needed.remove(upstream);
        if had {
            self.vault.store(&known.grants).map_err(SignInError::NotKept)?;
        }
        Ok(had)
    }
}

/// Whether this answer asks for a sign-in, and what it says about it.
pub(crate) fn asks(status: http::StatusCode, headers: &HeaderMap) -> Option<Challenge> {
    let challenge = Challenge::of(headers)?;
    let too_small = status == http::StatusCode::FORBIDDEN && challenge.is_step_up();
    (status == http::StatusCode::UNAUTHORIZED || too_small).then_some(challenge)
}

/// Whether a token sent there is read by the server alone: over TLS, or without leaving this machine.
pub(crate) fn may_carry_token(url: &Url) -> bool {
    url.scheme() == "https" || fetch::is_loopback(url)
}

fn client(ours: &Client, redirect: &str, auth: &str, token: &str) -> Result<OAuth, SignInError> {
    let malformed = |_| SignInError::Malformed("the authorization server".into());
    let oauth = BasicClient::new(ClientId::new(ours.id.clone()))
        // A public client names itself in the body; one with a secret uses the header.
        .set_auth_type(if ours.secret.is_some() { AuthType::BasicAuth } else { AuthType::RequestBody })
        .set_auth_uri(AuthUrl::new(auth.into()).map_err(malformed)?)
        .set_token_uri(TokenUrl::new(token.into()).map_err(malformed)?)
        .set_redirect_uri(RedirectUrl::new(redirect.into()).map_err(malformed)?);
    Ok(match &ours.secret {
        Some(secret) => oauth.set_client_secret(ClientSecret::new(secret.clone())),
        None => oauth,
    })
}

fn joined(old: &str, new: &str) -> String {
    let mut all: Vec<&str> = old.split(' ').filter(|scope| !scope.is_empty()).collect();
    for scope in new.split(' ').filter(|scope| !scope.is_empty()) {
        if !all.contains(&scope) {
            all.push(scope);
        }
    }
    all.join(" ")
}
