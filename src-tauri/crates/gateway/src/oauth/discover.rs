//! Where a person signs in for an Upstream: the protected resource's metadata (RFC 9728), then the authorization
//! server's (RFC 8414, OpenID Connect discovery), then our registration there (RFC 7591). Older servers name neither:
//! their authorization server is their own origin.

use super::SignInError;
use super::fetch::{FetchError, Fetcher};
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

/// What a refusal (401, or 403 for too small a scope) says: `WWW-Authenticate: Bearer ...`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub resource_metadata: Option<String>,
    pub scope: Option<String>,
    pub error: Option<String>,
}

impl Challenge {
    /// None: no Bearer challenge is among the headers.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(header::WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let mut bearer = values.filter_map(|value| {
            let (scheme, rest) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
            scheme.eq_ignore_ascii_case("bearer").then_some(rest)
        });
        let parameters = parameters(bearer.next()?);
        let get = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        // A scope is shown to the person and sent on: only what may be one (RFC 6749, 3.3).
        let scope = get("scope").filter(|scope| scope.len() <= MAX_SCOPE_BYTES && scope.bytes().all(is_scope));
        Some(Self { resource_metadata: get("resource_metadata"), scope, error: get("error") })
    }

    /// The token is good, for less than what was asked.
    pub fn is_step_up(&self) -> bool {
        self.error.as_deref() == Some("insufficient_scope")
    }
}

const MAX_SCOPE_BYTES: usize = 1000;
fn is_scope(byte: u8) -> bool {
    matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

/// `name="value", name=value`: quoted strings may hold commas and escaped quotes.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut rest = text.trim_start_matches([' ', ',']);
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (mut value, mut chars) = (String::new(), quoted.char_indices());
                let mut end = quoted.len();
                while let Some((at, char)) = chars.next() {
                    match char {
                        '"' => {
                            end = at + 1;
                            break;
                        }
                        '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
                        other => value.push(other),
                    }
                }
                (value, &quoted[end.min(quoted.len())..])
            }
            None => {
                let end = after.find(',').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        out.push((name.trim().to_ascii_lowercase(), value));
        rest = after.trim_start_matches([' ', ',']);
    }
    out
}

/// What is known before the person is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The `resource` that tokens are asked for (RFC 8707).
    pub resource: String,
    pub scope: Option<String>,
    pub server: Server,
}

/// An authorization server, as its metadata says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Server {
    pub issuer: String,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub registration_endpoint: Option<Url>,
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
    /// A client may be named by the https URL of a document about it.
    #[serde(default)]
    pub client_id_metadata_document_supported: bool,
}

#[derive(Deserialize)]
pub(super) struct Resource {
    pub resource: Option<String>,
    #[serde(default)]
    pub authorization_servers: Vec<String>,
    pub scopes_supported: Option<Vec<String>>,
}

impl Resource {
    /// A token for another resource than the one in front of us must never be asked for.
    pub fn covers(&self, upstream: &Url) -> bool {
        Url::parse(self.resource.as_deref().unwrap_or_default()).is_ok_and(|named| is_prefix(&named, upstream))
    }
}

/// Our registration at one authorization server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    pub id: String,
    pub secret: Option<String>,
}

pub(super) async fn place(fetcher: &Fetcher, upstream: &Url, challenge: &Challenge) -> Result<Place, SignInError> {
    let Some(found) = resource(fetcher, upstream, challenge).await? else {
        let server = older(fetcher, upstream).await?;
        return Ok(Place { resource: canonical(upstream), scope: challenge.scope.clone(), server });
    };
    let named = found.resource.as_deref().unwrap_or_default();
    if !found.covers(upstream) {
        return Err(SignInError::OtherResource(named.chars().take(200).collect()));
    }
    let issuer = found.authorization_servers.first().and_then(|issuer| Url::parse(issuer).ok());
    let issuer = issuer.ok_or(SignInError::NoServer)?;
    let server = server(fetcher, &issuer).await?.ok_or(SignInError::NoServer)?;
    let scope = challenge.scope.clone().or_else(|| found.scopes_supported.map(|all| all.join(" ")));
    Ok(Place { resource: named.to_owned(), scope: scope.filter(|scope| !scope.is_empty()), server })
}

/// The Upstream's own address without its query, as the `resource` of servers that name none.
fn canonical(upstream: &Url) -> String {
    let mut url = upstream.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.as_str().trim_end_matches('/').to_owned()
}

fn is_prefix(resource: &Url, upstream: &Url) -> bool {
    let path = resource.path().trim_end_matches('/');
    let rest = upstream.path().strip_prefix(path);
    resource.origin() == upstream.origin() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub(super) async fn resource(
    fetcher: &Fetcher,
    upstream: &Url,
    challenge: &Challenge,
) -> Result<Option<Resource>, SignInError> {
    if let Some(named) = &challenge.resource_metadata {
        let url = upstream.join(named).map_err(|_| SignInError::NoServer)?;
        let found = fetcher.get(&url).await?;
        return serde_json::from_value(found).map(Some).map_err(|_| SignInError::Malformed(url.to_string()));
    }
    let path = upstream.path().trim_end_matches('/');
    let mut tried = vec![format!("/.well-known/oauth-protected-resource{path}")];
    if !path.is_empty() {
        tried.push("/.well-known/oauth-protected-resource".into());
    }
    for path in tried {
        if let Some(found) = optional(fetcher, &at(upstream, &path)).await? {
            return Ok(serde_json::from_value(found).ok());
        }
    }
    Ok(None)
}

/// Before 2025-06-18 servers were their own authorization servers, with fixed addresses where they named none.
async fn older(fetcher: &Fetcher, upstream: &Url) -> Result<Server, SignInError> {
    let origin = at(upstream, "/");
    if let Some(server) = server(fetcher, &origin).await? {
        return Ok(server);
    }
    Ok(Server {
        issuer: origin.as_str().trim_end_matches('/').to_owned(),
        authorization_endpoint: at(upstream, "/authorize"),
        token_endpoint: at(upstream, "/token"),
        registration_endpoint: Some(at(upstream, "/register")),
        code_challenge_methods_supported: Some(vec!["S256".into()]),
        authorization_response_iss_parameter_supported: false,
        client_id_metadata_document_supported: false,
    })
}

pub(super) fn at(url: &Url, path: &str) -> Url {
    let mut url = url.clone();
    url.set_path(path);
    url.set_query(None);
    url.set_fragment(None);
    url
}

pub(super) async fn server(fetcher: &Fetcher, issuer: &Url) -> Result<Option<Server>, SignInError> {
    let path = issuer.path().trim_end_matches('/');
    let mut tried = vec![
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("/.well-known/openid-configuration{path}"),
    ];
    if !path.is_empty() {
        tried.push(format!("{path}/.well-known/openid-configuration"));
    }
    for path in tried {
        let url = at(issuer, &path);
        let Some(found) = optional(fetcher, &url).await? else { continue };
        let server: Server =
            serde_json::from_value(found).map_err(|_| SignInError::Malformed(url.as_str().to_owned()))?;
        let same = |text: &str| text.trim_end_matches('/') == issuer.as_str().trim_end_matches('/');
        if !same(&server.issuer) {
            return Err(SignInError::OtherIssuer(server.issuer.chars().take(200).collect()));
        }
        let s256 = |methods: &Vec<String>| methods.iter().any(|method| method == "S256");
        if !server.code_challenge_methods_supported.as_ref().is_some_and(s256) {
            return Err(SignInError::NoPkce);
        }
        for endpoint in [&server.authorization_endpoint, &server.token_endpoint] {
            fetcher.check(endpoint)?;
        }
        return Ok(Some(server));
    }
    Ok(None)
}

/// None where there is no such document.
async fn optional(fetcher: &Fetcher, url: &Url) -> Result<Option<Value>, FetchError> {
    match fetcher.get(url).await {
        Ok(found) => Ok(Some(found)),
        Err(FetchError::Status(..) | FetchError::NotJson(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) async fn register(fetcher: &Fetcher, server: &Server, redirect: &str) -> Result<Client, SignInError> {
    let Some(endpoint) = &server.registration_endpoint else { return Err(SignInError::NoRegistration) };
    let asked = json!({
        "client_name": "Portcullis",
        "redirect_uris": [redirect],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    });
    let answer = fetcher.post(endpoint, &asked).await?;
    let text = |name: &str| answer[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let id = text("client_id").ok_or_else(|| SignInError::Malformed(endpoint.as_str().to_owned()))?;
    Ok(Client { id, secret: text("client_secret") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn challenges_are_read_in_every_form() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_str(value).unwrap());
            }
            Challenge::of(&headers)
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["Basic realm=\"x\""]), None);
        assert_eq!(of(&["Bearer"]), Some(Challenge::default()));
        let all = of(&[
            "Basic realm=\"x\"",
            "bearer realm=\"a, b=\\\"c\", error=insufficient_scope, scope=\"a b\", resource_metadata=\"https://x/y\"",
        ]);
        assert_eq!(
            all,
            Some(Challenge {
                resource_metadata: Some("https://x/y".into()),
                scope: Some("a b".into()),
                error: Some("insufficient_scope".into())
            })
        );
        assert_eq!(of(&["Bearer scope=\"never closed"]).unwrap().scope.unwrap(), "never closed");
        assert_eq!(of(&["Bearer scope=\"a\\\\b\""]).unwrap().scope, None, "no scope holds a backslash");
    }

    #[test]
    fn a_token_is_asked_for_this_server_only() {
        let upstream = Url::parse("https://a.example/one/mcp").unwrap();
        let covers = |resource: &str| is_prefix(&Url::parse(resource).unwrap(), &upstream);
        assert!(covers("https://a.example/one/mcp") && covers("https://a.example/") && covers("https://a.example/one"));
        for other in [
            "https://b.example/one/mcp",
            "https://a.example/on",
            "http://a.example/one/mcp",
            "https://a.example/one/mcp2",
            "https://a.example:8443/",
        ] {
            assert!(!covers(other), "{other}");
        }
    }
}
