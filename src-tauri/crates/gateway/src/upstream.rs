//! The client side: pooled connections to Upstreams, through the proxies that the environment names, never through one to
//! this machine itself. No redirect is followed here, no body is decoded, no header is added but `Host` (and the proxy's
//! own). There is a connect timeout and no other: a stream may be silent for hours.

use bytes::Bytes;
use http::{Request, Response, Uri, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::legacy::{Client as Pool, Error};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tower_service::Service;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Common servers close idle connections after 5 s; one must not be chosen just as it goes.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// A silent stream over HTTP/2 must notice that its network is gone.
const PING_INTERVAL: Duration = Duration::from_secs(30);

fn pool() -> hyper_util::client::legacy::Builder {
    let mut builder = Pool::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_TIMEOUT);
    builder.timer(TokioTimer::new()).http2_keep_alive_interval(PING_INTERVAL);
    builder
}

type Body = Full<Bytes>;

/// Also for what else the daemon asks of a server that the person chose.
pub struct Client {
    through: Through,
    plain: Pool<Through, Body>,
    /// Made on the first https Upstream: loading the system's trust store takes a while.
    secure: OnceLock<Pool<HttpsConnector<Through>, Body>>,
}

impl Client {
    pub fn from_environment() -> Self {
        Self::new(Matcher::from_env())
    }

    /// `proxies` says which addresses are reached through which proxy (usually from the environment).
    pub fn new(proxies: Matcher) -> Self {
        let mut direct = HttpConnector::new();
        direct.set_nodelay(true);
        direct.enforce_http(false);
        direct.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let through = Through { direct, proxies: Arc::new(proxies) };
        Self { plain: pool().build(through.clone()), through, secure: OnceLock::new() }
    }

    fn secure(&self) -> &Pool<HttpsConnector<Through>, Body> {
        self.secure.get_or_init(|| {
            let https = hyper_rustls::HttpsConnectorBuilder::new()
                .with_tls_config(tls())
                .https_or_http()
                .enable_http1()
                .enable_http2()
                .wrap_connector(self.through.clone());
            pool().build(https)
        })
    }

    pub async fn send(&self, mut request: Request<Body>) -> Result<Response<Incoming>, Error> {
        if request.uri().scheme_str() == Some("https") {
            return self.secure().request(request).await;
        }
        let proxy = self.through.proxy(request.uri()).filter(|proxy| !is_socks(proxy));
        if let Some(credentials) = proxy.as_ref().and_then(Intercept::basic_auth) {
            request.headers_mut().insert(header::PROXY_AUTHORIZATION, credentials.clone());
        }
        self.plain.request(request).await
    }
}

/// Connects to an Upstream, directly or through a proxy.
#[derive(Clone)]
struct Through {
    direct: HttpConnector,
    proxies: Arc<Matcher>,
}

fn is_socks(proxy: &Intercept) -> bool {
    proxy.uri().scheme_str().is_some_and(|scheme| scheme.starts_with("socks"))
}

impl Through {
    fn proxy(&self, to: &Uri) -> Option<Intercept> {
        let host = to.host()?.trim_matches(['[', ']']);
        let is_here = host.eq_ignore_ascii_case("localhost")
            || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        self.proxies.intercept(to).filter(|_| !is_here)
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Service<Uri> for Through {
    type Response = Stream;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Failure>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.direct.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let mut direct = self.direct.clone();
        let proxy = self.proxy(&to);
        Box::pin(async move {
            let Some(proxy) = proxy else { return Ok(Stream { io: direct.call(to).await?, asked_of_proxy: false }) };
            let at = proxy.uri().clone();
            if is_socks(&proxy) {
                let mut socks = SocksV5::new(at, direct).local_dns(proxy.uri().scheme_str() == Some("socks5"));
                if let Some((user, password)) = proxy.raw_auth() {
                    socks = socks.with_auth(user.to_owned(), password.to_owned());
                }
                return Ok(Stream { io: socks.call(to).await?, asked_of_proxy: false });
            }
            if to.scheme_str() == Some("https") {
                let mut tunnel = Tunnel::new(at, direct);
                if let Some(credentials) = proxy.basic_auth() {
                    tunnel = tunnel.with_auth(credentials.clone());
                }
                return Ok(Stream { io: tunnel.call(to).await?, asked_of_proxy: false });
            }
            Ok(Stream { io: direct.call(at).await?, asked_of_proxy: true })
        })
    }
}

struct Stream {
    io: TokioIo<TcpStream>,
    /// The proxy reads the requests, so they name their whole address.
    asked_of_proxy: bool,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.io.connected().proxy(self.asked_of_proxy)
    }
}

impl Read for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, parts)
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
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// What a proxy that answers 204 to everything (200 to CONNECT) is asked first, and the request that made it so.
    async fn asked_of_proxy(scheme: &str, to: &str) -> Option<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = format!("{scheme}://user:secret@{}", listener.local_addr().unwrap());
        let heard = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.ok()?;
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.ok()?);
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.ok()?;
            Some(String::from_utf8_lossy(&head).into_owned())
        });
        let client = Client::new(Matcher::builder().all(at).build());
        let sent = client.send(Request::post(to).body(Body::default()).unwrap()).await;
        if !heard.is_finished() && sent.is_err() && to.contains("127.0.0.1") {
            heard.abort();
            return None;
        }
        heard.await.unwrap()
    }

    #[tokio::test]
    async fn proxies_of_the_environment_are_used_and_get_their_credentials() {
        let head = asked_of_proxy("http", "http://mcp.example/mcp?x=1").await.unwrap();
        assert!(head.starts_with("POST http://mcp.example/mcp?x=1 HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("proxy-authorization: Basic dXNlcjpzZWNyZXQ="), "{head}");
        let head = asked_of_proxy("http", "https://mcp.example/mcp").await.unwrap();
        assert!(head.starts_with("CONNECT mcp.example:443 HTTP/1.1\r\n"), "{head}");
    }

    #[tokio::test]
    async fn this_machine_is_never_reached_through_a_proxy() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = free.local_addr().unwrap();
        drop(free);
        assert_eq!(asked_of_proxy("http", &format!("http://{closed}/mcp")).await, None);
    }
}
