//! MCP on the wire: the proxy listener (streamable HTTP and legacy SSE), the shim link (stdio), sessions, the pipeline
//! and the client side towards Upstreams. Emits audit rows; knows neither SQLite nor a GUI nor any config file.
//!
//! Assumptions: routes come from the daemon and are the only source of upstream addresses; no request ever names a URL
//! or a command. Nothing here re-encodes a Message: bytes go on as they came, or spliced, or a minted answer does.

mod approval;
mod bounded;
mod callers;
mod health;
mod hold;
mod inspect;
mod local_only;
mod noise;
pub mod oauth;
mod record;
mod route;
mod session;
mod transport;
mod upstream;

pub use upstream::Client;

pub use bounded::Bounded;

pub use approval::{Answer, Approvals, AskEvent, AskView, Asked, Hooks, NotTaken, Patience};
pub use callers::{Caller, Callers};
pub use health::{AllFailing, Failing, Health};

use arc_swap::ArcSwap;
use hyper_util::client::proxy::matcher::Matcher;
use portcullis_domain::{AuditRow, Direction, ExchangeId, UnixMs, Upstream, UpstreamId};
use portcullis_policy::Judge;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Where every protected entry really goes.
pub type Routes = HashMap<UpstreamId, Arc<Upstream>>;
/// Receives every audit row, masked and capped, off the data path. Must not block for long.
pub type Sink = Arc<dyn Fn(AuditRow) + Send + Sync>;
pub type Clock = Arc<dyn Fn() -> UnixMs + Send + Sync>;
/// Is given what a redacted Message really said: the row it belongs to, which way it went, its bytes. Must return at once.
pub type Originals = Arc<dyn Fn(&ExchangeId, Direction, &[u8]) + Send + Sync>;

pub struct Deps {
    pub routes: Arc<ArcSwap<Routes>>,
    pub judge: Arc<ArcSwap<Judge>>,
    pub sink: Sink,
    pub callers: Arc<Callers>,
    pub clock: Clock,
    pub approvals: Arc<Approvals>,
    /// The proxy listener's port: Host and Origin are checked against it.
    pub proxy_port: u16,
    pub sign_ins: Arc<oauth::SignIns>,
    pub health: Arc<Health>,
    /// How long a connection to an Upstream may take, TLS and proxies on the way included.
    pub connect_timeout: Duration,
    /// How long answers under way may take once the gateway stops.
    pub drain: Duration,
    /// Connections of apps at once, whatever they ask for.
    pub max_connections: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the verdict socket {path} cannot be opened: {source}")]
    Socket { path: PathBuf, source: std::io::Error },
    #[error("the recorder thread cannot be started: {0}")]
    Recorder(std::io::Error),
}

#[derive(Clone)]
pub struct Gateway {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub routes: Arc<ArcSwap<Routes>>,
    pub judge: Arc<ArcSwap<Judge>>,
    pub clock: Clock,
    pub approvals: Arc<Approvals>,
    pub proxy_port: u16,
    pub recorder: record::Recorder,
    pub callers: Arc<Callers>,
    pub sessions: session::Sessions,
    pub legacy: transport::legacy::Connections,
    pub client: upstream::Client,
    pub sign_ins: Arc<oauth::SignIns>,
    pub health: Arc<Health>,
    pub turns: inspect::Turns,
    /// Requests under way, streams among them.
    pub carried: transport::carried::Carried,
    /// Nothing new begins, and streams that owe no answer end.
    pub stop: CancellationToken,
    /// What is still under way is broken off.
    pub cut: CancellationToken,
    pub originals: OnceLock<Originals>,
    drain: Duration,
    max_connections: usize,
}

impl Gateway {
    pub fn new(deps: Deps) -> Result<Self, Error> {
        let recorder = record::Recorder::start(deps.sink, deps.judge.clone()).map_err(Error::Recorder)?;
        Ok(Self {
            inner: Arc::new(Inner {
                routes: deps.routes,
                judge: deps.judge,
                clock: deps.clock,
                approvals: deps.approvals,
                proxy_port: deps.proxy_port,
                recorder,
                callers: deps.callers,
                sessions: session::Sessions::default(),
                legacy: transport::legacy::Connections::default(),
                client: upstream::Client::new(Matcher::from_env(), deps.connect_timeout),
                sign_ins: deps.sign_ins,
                health: deps.health,
                turns: inspect::Turns::default(),
                carried: transport::carried::Carried::default(),
                stop: CancellationToken::new(),
                cut: CancellationToken::new(),
                originals: OnceLock::new(),
                drain: deps.drain,
                max_connections: deps.max_connections,
            }),
        })
    }

    /// From now on `keeper` is given what redacted Messages said. Once; without it nothing keeps them.
    pub fn keep_originals(&self, keeper: Originals) {
        let _ = self.inner.originals.set(keeper);
    }

    /// Serves the proxy listener until `stop`, then until what was asked before is answered or the drain is over.
    pub async fn serve_proxy(&self, listener: TcpListener, stop: CancellationToken) {
        let inner = self.inner.clone();
        let stopped = async move {
            stop.cancelled().await;
            inner.stop.cancel();
            tokio::spawn(async move {
                tokio::time::sleep(inner.drain).await;
                inner.cut.cancel();
            });
        };
        let listener = Bounded::new(listener, self.inner.max_connections);
        transport::http::serve(self.clone(), listener, stopped).await;
    }

    /// Serves the shim link on `socket` (Unix) or the named pipe derived from it (Windows) until `stop`.
    pub async fn serve_link(&self, socket: PathBuf, stop: CancellationToken) -> Result<(), Error> {
        transport::stdio::serve(self.clone(), &socket, stop)
            .await
            .map_err(|source| Error::Socket { path: socket, source })
    }

    /// To be called about once a second: reports requests that are still waiting, forgets idle sessions.
    pub fn sweep(&self) {
        self.inner.sweep();
    }

    /// Waits until every row handed over so far has reached the sink.
    pub fn flush(&self) {
        self.inner.recorder.flush();
    }
}
