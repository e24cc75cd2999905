//! The client side: pooled connections to Upstreams. No redirect is followed here, no body is decoded, no header is
//! added but `Host`. There is a connect timeout and no other: a stream may be silent for hours.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client as Pool, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::sync::OnceLock;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Common servers close idle connections after 5 s; one must not be chosen just as it goes.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

fn pool() -> hyper_util::client::legacy::Builder {
    let mut builder = Pool::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_TIMEOUT);
    builder
}

pub(crate) struct Client {
    plain: Pool<HttpConnector, Full<Bytes>>,
    /// Made on the first https Upstream: loading the system's trust store takes a while.
    secure: OnceLock<Pool<HttpsConnector<HttpConnector>, Full<Bytes>>>,
}

fn connector() -> HttpConnector {
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    http.enforce_http(false);
    http.set_connect_timeout(Some(CONNECT_TIMEOUT));
    http
}

impl Client {
    pub fn new() -> Self {
        Self { plain: pool().build(connector()), secure: OnceLock::new() }
    }

    fn secure(&self) -> &Pool<HttpsConnector<HttpConnector>, Full<Bytes>> {
        self.secure.get_or_init(|| {
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
            let config = config.unwrap_or_else(|error| {
                // The bundled provider supports the default versions; anything else is a broken build.
                unreachable!("TLS set-up: {error}")
            });
            let https = hyper_rustls::HttpsConnectorBuilder::new()
                .with_tls_config(config)
                .https_or_http()
                .enable_http1()
                .enable_http2()
                .wrap_connector(connector());
            pool().build(https)
        })
    }

    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Error> {
        if request.uri().scheme_str() == Some("https") {
            self.secure().request(request).await
        } else {
            self.plain.request(request).await
        }
    }
}

/// What went wrong, for a person: the innermost cause says it ("Connection refused").
pub(crate) fn explain(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
