//! The client side: pooled connections to Upstreams. No redirect is followed here, no body is decoded, no header is added
//! but `Host` (and a proxy's own). There is a connect timeout and no other: a stream may be silent for hours.
//!
//! What the pool tries again by itself is only what was never written: a request given to an idle connection that had
//! closed meanwhile. Once a byte of it may have left, the server may have done what it asks, and nobody asks twice.

mod connect;

use bytes::Bytes;
use connect::is_socks;
pub(crate) use connect::{Through, Timed};
use http::{Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::client::legacy::{Client as Pool, Error};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Common servers close idle connections after 5 s; one must not be chosen just as it goes.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// A silent stream over HTTP/2 must notice that its network is gone: how often it is asked for a sign of life, and how
/// long that may take.
#[derive(Clone, Copy)]
struct Pings {
    interval: Duration,
    patience: Duration,
}

const PINGS: Pings = Pings { interval: Duration::from_secs(30), patience: Duration::from_secs(20) };

fn pool(pings: Pings) -> hyper_util::client::legacy::Builder {
    let mut builder = Pool::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_TIMEOUT).timer(TokioTimer::new());
    builder.http2_keep_alive_interval(pings.interval).http2_keep_alive_timeout(pings.patience);
    builder
}

type Body = Full<Bytes>;

/// Also for what else the daemon asks of a server that the person chose.
pub struct Client {
    through: Timed<Through>,
    plain: Pool<Timed<Through>, Body>,
    /// Made on the first https Upstream: loading the system's trust store takes a while.
    secure: OnceLock<Pool<Timed<HttpsConnector<Through>>, Body>>,
}

impl Client {
    pub fn from_environment(connect_timeout: Duration) -> Self {
        Self::new(Matcher::from_env(), connect_timeout)
    }

    /// `proxies` says which addresses are reached through which proxy (usually from the environment).
    pub fn new(proxies: Matcher, connect_timeout: Duration) -> Self {
        let connector = Through::new(GaiResolver::new(), Arc::new(proxies), connect_timeout);
        let through = Timed { connector, timeout: connect_timeout };
        Self { plain: pool(PINGS).build(through.clone()), through, secure: OnceLock::new() }
    }

    fn secure(&self) -> &Pool<Timed<HttpsConnector<Through>>, Body> {
        self.secure.get_or_init(|| {
            let https = hyper_rustls::HttpsConnectorBuilder::new()
                .with_tls_config(tls())
                .https_or_http()
                .enable_http1()
                .enable_http2()
                .wrap_connector(self.through.connector.clone());
            pool(PINGS).build(Timed { connector: https, timeout: self.through.timeout })
        })
    }

    pub async fn send(&self, mut request: Request<Body>) -> Result<Response<Incoming>, Error> {
        if request.uri().scheme_str() == Some("https") {
            return self.secure().request(request).await;
        }
        let proxy = self.through.connector.proxy(request.uri()).filter(|proxy| !is_socks(proxy));
        if let Some(credentials) = proxy.as_ref().and_then(Intercept::basic_auth) {
            request.headers_mut().insert(header::PROXY_AUTHORIZATION, credentials.clone());
        }
        self.plain.request(request).await
    }
}

/// What https connections are made with: the system's trust store.
pub(crate) fn tls() -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        tracing::warn!("no trusted certificates found on this system: https servers cannot be reached");
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_root_certificates(roots).with_no_client_auth());
    config.unwrap_or_else(|error| {
        // The bundled provider supports the default versions; anything else is a broken build.
        unreachable!("TLS set-up: {error}")
    })
}

/// What went wrong, for a person: the innermost cause says it ("Connection refused").
pub(crate) fn explain(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests;
