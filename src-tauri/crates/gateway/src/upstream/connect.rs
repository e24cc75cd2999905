//! Connections to Upstreams: directly or through the proxy that the environment names, never through one to this machine
//! itself, and all of it (name, proxy, TLS) within one time limit: a black hole must not hold a request for ever.

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tower_service::Service;

/// Connects to an Upstream, directly or through a proxy.
#[derive(Clone)]
pub(crate) struct Through<R = GaiResolver> {
    direct: HttpConnector<R>,
    /// A proxy's own address is the person's choice, whatever may be asked for through it.
    to_proxy: HttpConnector,
    proxies: Arc<Matcher>,
}

pub(super) fn is_socks(proxy: &Intercept) -> bool {
    proxy.uri().scheme_str().is_some_and(|scheme| scheme.starts_with("socks"))
}

fn connector<R>(resolver: R, timeout: Duration) -> HttpConnector<R> {
    let mut connector = HttpConnector::new_with_resolver(resolver);
    connector.set_nodelay(true);
    connector.enforce_http(false);
    // Shared out among the addresses of a name, so that one that is dead leaves time for the next.
    connector.set_connect_timeout(Some(timeout));
    connector
}

impl<R> Through<R> {
    pub fn new(resolver: R, proxies: Arc<Matcher>, timeout: Duration) -> Self {
        Self { direct: connector(resolver, timeout), to_proxy: connector(GaiResolver::new(), timeout), proxies }
    }

    /// None: this address is reached directly.
    pub fn proxy(&self, to: &Uri) -> Option<Intercept> {
        let host = to.host()?.trim_matches(['[', ']']);
        let is_here = host.eq_ignore_ascii_case("localhost")
            || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        self.proxies.intercept(to).filter(|_| !is_here)
    }
}

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

impl<R> Service<Uri> for Through<R>
where
    HttpConnector<R>: Service<Uri, Response = TokioIo<TcpStream>> + Clone + Send + 'static,
    <HttpConnector<R> as Service<Uri>>::Error: Into<Failure>,
    <HttpConnector<R> as Service<Uri>>::Future: Send + 'static,
{
    type Response = Stream;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Failure>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.direct.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let (mut direct, mut to_proxy) = (self.direct.clone(), self.to_proxy.clone());
        let proxy = self.proxy(&to);
        Box::pin(async move {
            let Some(proxy) = proxy else {
                let io = direct.call(to).await.map_err(Into::into)?;
                return Ok(Stream { io, asked_of_proxy: false });
            };
            let at = proxy.uri().clone();
            if is_socks(&proxy) {
                let mut socks = SocksV5::new(at, to_proxy).local_dns(proxy.uri().scheme_str() == Some("socks5"));
                if let Some((user, password)) = proxy.raw_auth() {
                    socks = socks.with_auth(user.to_owned(), password.to_owned());
                }
                return Ok(Stream { io: socks.call(to).await?, asked_of_proxy: false });
            }
            if to.scheme_str() == Some("https") {
                let mut tunnel = Tunnel::new(at, to_proxy);
                if let Some(credentials) = proxy.basic_auth() {
                    tunnel = tunnel.with_auth(credentials.clone());
                }
                return Ok(Stream { io: tunnel.call(to).await?, asked_of_proxy: false });
            }
            Ok(Stream { io: to_proxy.call(at).await?, asked_of_proxy: true })
        })
    }
}

pub(crate) struct Stream {
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

/// A connector that gives up in time, whatever it waits for.
#[derive(Clone)]
pub(crate) struct Timed<C> {
    pub connector: C,
    pub timeout: Duration,
}

impl<C> Service<Uri> for Timed<C>
where
    C: Service<Uri>,
    C::Error: Into<Failure>,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.connector.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let (connecting, timeout) = (self.connector.call(to), self.timeout);
        Box::pin(async move {
            let late = |_| io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {timeout:?}"));
            tokio::time::timeout(timeout, connecting).await.map_err(late)?.map_err(Into::into)
        })
    }
}
