//! Fetches what a server's words lead to: metadata, registration, tokens. Every such address is the server's choice, so:
//! https only (http on loopback for an Upstream that is itself there), no private network unless the Upstream is in one
//! (checked on the resolved address, which is the one connected to), no redirect, small answers, a short time.
//!
//! Where the environment names a proxy it is used, and then it is the proxy that resolves names: all that can be checked
//! here is the text of the address (no literal of a private network, no name that only such a network knows).

use crate::upstream::{Through, Timed, tls};
use bytes::Bytes;
use http::header;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioExecutor;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use url::{Host, Url};

const MAX_BYTES: usize = 256 * 1024;
const TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("{0} is not an address that Portcullis may ask: {1}")]
    Forbidden(String, &'static str),
    #[error("{0} could not be reached: {1}")]
    Unreachable(String, String),
    #[error("{0} answered with status {1}")]
    Status(String, u16),
    #[error("{0} did not answer with JSON")]
    NotJson(String),
}

pub(super) struct Fetcher {
    client: Client<Timed<HttpsConnector<Through<Guarded>>>, Full<Bytes>>,
    inside: bool,
    /// The person's address for the Upstream is this machine's.
    here: bool,
}

impl Fetcher {
    /// For what this Upstream says. An Upstream of the private network may point into it.
    pub async fn for_upstream(upstream: &Url, proxies: &Arc<Matcher>) -> Self {
        let inside = match upstream.host() {
            Some(Host::Ipv4(ip)) => !is_public(ip.into()),
            Some(Host::Ipv6(ip)) => !is_public(ip.into()),
            Some(Host::Domain(name)) => tokio::net::lookup_host((name, 0))
                .await
                .is_ok_and(|addresses| are_inside(addresses.map(|address| address.ip()))),
            None => false,
        };
        let through = Through::new(Guarded { inside }, proxies.clone(), TIMEOUT);
        let https = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls()).https_or_http();
        let connector = Timed { connector: https.enable_http1().wrap_connector(through), timeout: TIMEOUT };
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { client, inside, here: is_loopback(upstream) }
    }

    /// Whether this address may be asked, as far as its text says.
    pub fn check(&self, url: &Url) -> Result<(), FetchError> {
        let forbidden = |why| Err(FetchError::Forbidden(shown(url), why));
        let literal = match url.host() {
            Some(Host::Ipv4(ip)) => Some(IpAddr::from(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::from(ip)),
            Some(Host::Domain(_)) => None,
            None => return forbidden("it names no host"),
        };
        match url.scheme() {
            "https" => {}
            "http" if self.here && is_loopback(url) => {}
            _ => return forbidden("it is not https"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return forbidden("it holds a user name");
        }
        if !self.inside && (literal.is_some_and(|ip| !is_public(ip)) || is_inside_name(url)) {
            return forbidden("it lies in a private network, and the server does not");
        }
        Ok(())
    }

    pub async fn get(&self, url: &Url) -> Result<Value, FetchError> {
        let request = http::Request::get(url.as_str()).header(header::ACCEPT, "application/json").body(Vec::new());
        self.json(url, request).await
    }

    pub async fn post(&self, url: &Url, body: &Value) -> Result<Value, FetchError> {
        let request = http::Request::post(url.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_string().into_bytes());
        self.json(url, request).await
    }

    async fn json(&self, url: &Url, request: http::Result<HttpRequest>) -> Result<Value, FetchError> {
        let request = request.map_err(|error| FetchError::Unreachable(shown(url), error.to_string()))?;
        let response = self.send(request).await?;
        if !response.status().is_success() {
            return Err(FetchError::Status(shown(url), response.status().as_u16()));
        }
        serde_json::from_slice(response.body()).map_err(|_| FetchError::NotJson(shown(url)))
    }

    /// One request, whatever its status says.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        let url = Url::parse(&request.uri().to_string())
            .map_err(|_| FetchError::Forbidden("an address".into(), "it is no URL"))?;
        self.check(&url)?;
        let unreachable = |error: String| FetchError::Unreachable(shown(&url), error);
        let exchange = async {
            let response = self.client.request(request.map(|body| Full::new(body.into()))).await;
            let (parts, body) = response.map_err(|error| unreachable(innermost(&error)))?.into_parts();
            let body = Limited::new(body, MAX_BYTES).collect().await.map_err(|error| unreachable(error.to_string()))?;
            Ok(HttpResponse::from_parts(parts, body.to_bytes().to_vec()))
        };
        tokio::time::timeout(TIMEOUT, exchange).await.map_err(|_| unreachable("it took too long".into()))?
    }
}

impl<'c> AsyncHttpClient<'c> for Fetcher {
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// Without its query, which may hold secrets.
fn shown(url: &Url) -> String {
    let text: String = url.as_str().split(['?', '#']).next().unwrap_or_default().chars().take(200).collect();
    text
}

/// Resolves names to addresses that may be asked.
#[derive(Clone)]
pub(super) struct Guarded {
    inside: bool,
}

impl tower_service::Service<Name> for Guarded {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let inside = self.inside;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| inside || is_public(address.ip())).collect();
            if allowed.is_empty() {
                return Err(std::io::Error::other("its name leads into a private network, and the server's does not"));
            }
            Ok(allowed.into_iter())
        })
    }
}

/// Names that no public name server knows (RFC 6761, 6762, 8375, and what home and company networks use).
fn is_inside_name(url: &Url) -> bool {
    const ENDS: [&str; 8] = [".localhost", ".local", ".internal", ".home.arpa", ".lan", ".intranet", ".corp", ".home"];
    let Some(Host::Domain(name)) = url.host() else { return false };
    let name = name.trim_end_matches('.');
    !name.contains('.') || ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether a name leads into the private network alone. Who owns the name says where it leads: one private address beside
/// the public ones must not open what lies inside.
fn are_inside(addresses: impl Iterator<Item = IpAddr>) -> bool {
    let mut addresses = addresses.peekable();
    addresses.peek().is_some() && addresses.all(|ip| !is_public(ip))
}

/// Whether the URL names this machine itself.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether the address is one of the open internet.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_broadcast()
                || ip.is_documentation()
                || ip.is_multicast()
                || a == 0
                || a >= 240
                || (a, b & 0xc0) == (100, 64)
                || (a, b & 0xfe) == (198, 18)
                || (a, b, c) == (192, 0, 0))
        }
        IpAddr::V6(ip) => {
            let first = ip.segments()[0];
            match ip.to_ipv4() {
                Some(v4) => is_public(v4.into()),
                // Global unicast, without the prefixes that carry an IPv4 address of any kind or stand in books.
                None => {
                    first & 0xe000 == 0x2000 && first != 0x2002 && !matches!(ip.segments(), [0x2001, 0 | 0xdb8, ..])
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower_service::Service;

    #[test]
    fn private_addresses_in_every_notation_are_not_public() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "2002:7f00:1::",
            "ff02::1",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450::1"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn one_private_address_beside_public_ones_opens_nothing() {
        let inside = |all: &[&str]| are_inside(all.iter().map(|ip| ip.parse().unwrap()));
        assert!(inside(&["10.0.0.1"]) && inside(&["10.0.0.1", "fd00::1"]));
        assert!(!inside(&["1.1.1.1", "127.0.0.1"]) && !inside(&["127.0.0.1", "1.1.1.1"]) && !inside(&[]));
    }

    #[tokio::test]
    async fn plain_http_to_this_machine_needs_an_address_that_says_so() {
        let none = Arc::new(Matcher::builder().build());
        // A private address, and a name that only leads to one: what answers on this machine is not theirs.
        for upstream in ["https://10.0.0.1/mcp", "https://[fd00::1]/mcp"] {
            let inside = Fetcher::for_upstream(&Url::parse(upstream).unwrap(), &none).await;
            assert!(inside.check(&Url::parse("http://127.0.0.1:9/x").unwrap()).is_err(), "{upstream}");
            assert!(inside.check(&Url::parse("https://10.0.0.2/x").unwrap()).is_ok(), "{upstream}");
        }
    }

    #[tokio::test]
    async fn a_server_of_the_open_internet_leads_nowhere_inside() {
        let none = Arc::new(Matcher::builder().build());
        let outside = Fetcher::for_upstream(&Url::parse("https://1.1.1.1/mcp").unwrap(), &none).await;
        for forbidden in [
            "http://example.com/x",
            "https://127.0.0.1/x",
            "https://[::1]/x",
            "https://2130706433/x",
            "https://0x7f.1/x",
            "https://169.254.169.254/latest",
            "https://metadata.google.internal/x",
            "https://router/x",
            "https://nas.local./x",
            "https://user:secret@example.com/x",
            "file:///etc/passwd",
        ] {
            assert!(outside.check(&Url::parse(forbidden).unwrap()).is_err(), "{forbidden}");
        }
        assert!(outside.check(&Url::parse("https://example.com/x").unwrap()).is_ok());
        // By name: the resolver refuses, whatever the text looks like.
        let mut resolver = Guarded { inside: false };
        let error = resolver.call("localhost".parse().unwrap()).await.map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("private network"), "{error}");
        let inside = Fetcher::for_upstream(&Url::parse("http://localhost:9/mcp").unwrap(), &none).await;
        assert!(inside.check(&Url::parse("http://127.0.0.1:9/x").unwrap()).is_ok());
        assert!(inside.check(&Url::parse("http://example.com/x").unwrap()).is_err(), "tokens go over TLS");
    }

    #[tokio::test]
    async fn a_proxy_of_the_environment_is_asked_for_names_and_for_nothing_inside() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        let heard = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(b"HTTP/1.1 502 No\r\n\r\n").await.unwrap();
            String::from_utf8_lossy(&head).into_owned()
        });
        let proxies = Arc::new(Matcher::builder().all(proxy).build());
        let fetcher = Fetcher::for_upstream(&Url::parse("https://1.1.1.1/mcp").unwrap(), &proxies).await;
        for inside in ["https://169.254.169.254/x", "https://metadata.internal/x", "https://router/x"] {
            let error = fetcher.get(&Url::parse(inside).unwrap()).await.unwrap_err();
            assert!(matches!(error, FetchError::Forbidden(..)), "{inside}: {error}");
        }
        assert!(fetcher.get(&Url::parse("https://id.example/x").unwrap()).await.is_err());
        assert!(heard.await.unwrap().starts_with("CONNECT id.example:443 "), "the first that it hears of");
    }
}
