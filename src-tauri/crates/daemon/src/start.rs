//! Start and shutdown, in order. Start: lock, ports, database, routes, proxy and link and API; only then may any app's
//! config be touched. Shutdown: stop accepting, drain, flush, remove the run files.

use crate::access::Access;
use crate::config::{ConfigFile, DASHBOARD_PORT, PROXY_PORT};
use crate::core::{Config, Core};
use crate::handle::Handle;
use crate::lock::{self, Holder, Lock, Running};
use crate::{Error, api, clock, judges, open_files, revival, secret, signature_watch, upkeep};
use portcullis_clients::Serving;
use portcullis_domain::ChangeKind;
use portcullis_gateway::{Bounded, Deps, Gateway};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

/// How long answers under way may take once the daemon stops.
const GRACE: Duration = Duration::from_secs(5);
/// For what was broken off then to end.
const LAST: Duration = Duration::from_secs(1);
/// How long to wait for a command that is just finishing.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);

/// A running daemon. Dropping it ends its tasks without order; call `shutdown`.
pub struct Daemon {
    core: Arc<Core>,
    gateway: Gateway,
    access: Access,
    _lock: Lock,
}

/// What is there before anything runs.
struct Prepared {
    lock: Lock,
    core: Arc<Core>,
    proxy: TcpListener,
    dashboard: TcpListener,
    token: String,
}

impl Daemon {
    /// Must be called inside a Tokio runtime. Returns once both ports are served.
    pub async fn start(config: Config) -> Result<Self, Error> {
        // A quarter stays for the state, the log, the shims, and the servers' side of what the proxy carries.
        let files = open_files::allow_many();
        let (max_connections, max_pages) = (files / 8 * 5, files / 8);
        let revivable = config.revivable;
        let prepared = tokio::task::spawn_blocking(move || prepare(&config)).await;
        let Prepared { lock, core, proxy, dashboard, token } =
            prepared.map_err(|error| Error::Listen(std::io::Error::other(error)))??;
        let proxy = tokio::net::TcpListener::from_std(proxy).map_err(Error::Listen)?;
        let dashboard = tokio::net::TcpListener::from_std(dashboard).map_err(Error::Listen)?;
        core.set_revival(match revivable && core.shims_may_start_daemon() {
            true => revival::of_this_daemon(&core.home)
                .inspect_err(|error| tracing::warn!(%error, "shims cannot start this daemon again"))
                .ok(),
            false => None,
        });
        // Weak, or the gateway's recorder and the core would keep each other alive for ever.
        let sink = Arc::downgrade(&core);
        let gateway = Gateway::new(Deps {
            routes: core.routes.clone(),
            judge: core.judge.clone(),
            callers: core.callers.clone(),
            sink: Arc::new(move |row| {
                if let Some(core) = sink.upgrade() {
                    core.record(row);
                }
            }),
            clock: Arc::new(clock::now),
            approvals: core.asks.approvals.clone(),
            proxy_port: core.proxy_port(),
            sign_ins: core.sign_ins.clone(),
            health: core.health.clone(),
            connect_timeout: Duration::from_secs(core.upstreams().connect_seconds.into()),
            drain: GRACE,
            max_connections,
        })
        .map_err(|error| Error::Listen(std::io::Error::other(error)))?;
        crate::originals::keep(&core, &gateway)?;
        let router = api::router(core.clone(), token.clone());
        core.tasks.spawn(serve_proxy(core.clone(), gateway.clone(), proxy));
        core.tasks.spawn(serve_link(core.clone(), gateway.clone()));
        core.tasks.spawn(serve_dashboard(core.clone(), Bounded::new(dashboard, max_pages), router.clone()));
        crate::asks::announce(&core);
        upkeep::spawn(&core, &gateway);
        signature_watch::spawn(&core);
        judges::spawn(&core);
        let access = Access::local(router, core.dashboard_port(), token);
        let daemon = Self { core, gateway, access, _lock: lock };
        daemon.running().publish(&daemon.core.home)?;
        daemon.core.change(ChangeKind::DaemonStarted, None, "Portcullis started.");
        Ok(daemon)
    }

    pub fn handle(&self) -> Handle {
        Handle::new(self.access.clone(), Some(self.core.bus.clone()))
    }

    pub fn running(&self) -> Running {
        Running {
            pid: std::process::id(),
            proxy_port: self.core.proxy_port(),
            dashboard_port: self.core.dashboard_port(),
            version: env!("CARGO_PKG_VERSION").into(),
            started_at: self.core.started_at,
        }
    }

    /// The person wants it stopped: no shim starts it again.
    pub async fn quit(self) {
        self.core.set_revival(None);
        let core = self.core.clone();
        // Before any shim sees its link end.
        match tokio::task::spawn_blocking(move || core.refresh_snapshot()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "shims may start the daemon again"),
            Err(error) => tracing::error!(%error, "shims may start the daemon again"),
        }
        self.shutdown().await;
    }

    /// Stops accepting, gives open Sessions a grace, writes what is queued, removes the run files.
    pub async fn shutdown(self) {
        let core = self.core.clone();
        core.stop.cancel();
        core.tasks.close();
        if tokio::time::timeout(GRACE + LAST, core.tasks.wait()).await.is_err() {
            tracing::warn!("some sessions did not end in {} s and are cut off", GRACE.as_secs());
        }
        let gateway = self.gateway.clone();
        let ended = tokio::task::spawn_blocking(move || {
            gateway.flush();
            core.change(ChangeKind::DaemonStopped, None, "Portcullis stopped.");
            if let Err(error) = core.refresh_snapshot() {
                tracing::error!(%error, "the snapshot for the shim could not be written");
            }
            core.audit.close();
            for path in [core.home.daemon_file(), core.home.link_address()] {
                let _ = std::fs::remove_file(path);
            }
        });
        if let Err(error) = ended.await {
            tracing::error!(%error, "the shutdown did not finish");
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.core.stop.cancel();
    }
}

/// A Handle on the daemon of another process, for a shell that came second.
pub fn attach(home: &crate::Home) -> Result<Option<Handle>, Error> {
    let Some(running) = lock::running(home)? else { return Ok(None) };
    Ok(Some(Handle::new(Access::remote(running.dashboard_port, secret::api_token(home)?), None)))
}

fn prepare(config: &Config) -> Result<Prepared, Error> {
    let home = &config.home;
    let lock = match lock::take_soon(home, LOCK_PATIENCE)? {
        Holder::Nobody(lock) => lock,
        Holder::Daemon(Running { pid, proxy_port, dashboard_port, .. }) => {
            return Err(Error::AlreadyRunning { pid, proxy_port, dashboard_port });
        }
        Holder::Somebody => return Err(Error::Locked(home.lock_file())),
    };
    let mut file = ConfigFile::load(home)?;
    let proxy = bind(config.proxy_port, &mut file.ports.proxy, PROXY_PORT, "the proxy", "--proxy-port")?;
    let dashboard =
        bind(config.dashboard_port, &mut file.ports.dashboard, DASHBOARD_PORT, "the dashboard", "--dashboard-port")?;
    file.store(home)?;
    let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port()).map_err(Error::Listen);
    let ports = (port(&proxy)?, port(&dashboard)?);
    let core = Core::open(config, file, ports, Serving::Yes)?;
    Ok(Prepared { lock, core, proxy, dashboard, token: secret::api_token(home)? })
}

/// The port asked for by flag, else the one chosen before, else the default or, on the first start, any free one, which
/// is then remembered: protected apps' configs will hold it.
fn bind(
    flag: Option<u16>,
    chosen: &mut Option<u16>,
    default: u16,
    purpose: &'static str,
    flag_name: &'static str,
) -> Result<TcpListener, Error> {
    let listen = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let taken = |port: u16| {
        move |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::AddrInUse => Error::PortTaken { port, purpose, flag: flag_name },
            _ => Error::Listen(error),
        }
    };
    let listener = match (flag, *chosen) {
        (Some(0), None) => listen(0).map_err(Error::Listen)?,
        (Some(0) | None, Some(port)) => listen(port).map_err(taken(port))?,
        (Some(port), _) => listen(port).map_err(taken(port))?,
        (None, None) => listen(default).or_else(|_| listen(0)).map_err(Error::Listen)?,
    };
    listener.set_nonblocking(true).map_err(Error::Listen)?;
    if chosen.is_none() {
        *chosen = Some(listener.local_addr().map_err(Error::Listen)?.port());
    }
    Ok(listener)
}

async fn serve_proxy(core: Arc<Core>, gateway: Gateway, listener: tokio::net::TcpListener) {
    gateway.serve_proxy(listener, core.stop.clone()).await;
}

async fn serve_link(core: Arc<Core>, gateway: Gateway) {
    if let Err(error) = gateway.serve_link(core.home.link_address(), core.stop.clone()).await {
        core.report(format!("The shim judges by itself: {error}. Restart Portcullis."));
    }
}

async fn serve_dashboard(core: Arc<Core>, listener: Bounded, router: axum::Router) {
    let stopped = core.stop.clone().cancelled_owned();
    listener.serve(router, stopped).await;
}
