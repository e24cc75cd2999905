//! `serve` and `pair`.

use super::args;
use super::exit::{Failed, UNAVAILABLE};
use super::reach::Reached;
use super::terminal::{say, say_json};
use crate::core::Config;
use crate::start::Daemon;
use serde_json::json;
use std::io::IsTerminal as _;
use std::process::{ExitCode, Stdio};

pub fn run(args: &args::Serve) -> Result<ExitCode, Failed> {
    start_logging();
    let config = Config {
        proxy_port: args.proxy_port,
        dashboard_port: args.dashboard_port,
        revivable: !args.once,
        ..Config::from_environment()?
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        // Before anything is started, so that a signal in between is not lost.
        let mut stop = Signals::listen()?;
        let daemon = Daemon::start(config).await?;
        let handle = daemon.handle();
        let code = handle.pairing_code().await?;
        let said = announce(&daemon, &handle.dashboard_address(), &code);
        if args.open {
            open_browser(&format!("{}/#pair={code}", handle.dashboard_address()));
        }
        match said.is_ok() && stop.wait().await == Stop::ByPerson {
            true => daemon.quit().await,
            // The system ends what runs, at a logout for one: that says nothing about the next time.
            false => daemon.shutdown().await,
        }
        said.map(|()| ExitCode::SUCCESS)
    })
}

fn announce(daemon: &Daemon, address: &str, code: &str) -> Result<(), Failed> {
    say(&format!("Portcullis is running. Proxy: 127.0.0.1:{}", daemon.running().proxy_port))?;
    say(&format!("Dashboard: {address}"))?;
    say(&format!("Pairing code: {code} (one use, 10 minutes; `portcullis pair` prints another)"))?;
    say(&format!("Or open: {address}/#pair={code}"))?;
    Ok(())
}

/// Logs go to stderr; `RUST_LOG` chooses what. Payloads and secrets are never logged.
fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}

#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(unix), allow(dead_code, reason = "such a signal has no name there"))]
enum Stop {
    ByPerson,
    BySystem,
}

#[cfg(unix)]
struct Signals(tokio::signal::unix::Signal, tokio::signal::unix::Signal);

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self(signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
    }
    async fn wait(&mut self) -> Stop {
        tokio::select! {
            _ = self.0.recv() => Stop::ByPerson,
            _ = self.1.recv() => Stop::BySystem,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }
    async fn wait(&mut self) -> Stop {
        let _ = tokio::signal::ctrl_c().await;
        Stop::ByPerson
    }
}

pub(super) fn open_browser(url: &str) {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    let started = std::process::Command::new(program)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(error) = started {
        tracing::warn!("the browser could not be opened ({program}: {error}): open the address above");
    }
}

pub async fn pair(reached: &Reached, as_json: bool) -> Result<ExitCode, Failed> {
    if !reached.access.is_remote() {
        return Err(Failed::new(
            UNAVAILABLE,
            "the daemon is not running: start it with `portcullis serve`, which prints a code",
        ));
    }
    let handle = reached.handle();
    let code = handle.pairing_code().await?;
    let address = handle.dashboard_address();
    let url = format!("{address}/#pair={code}");
    if as_json {
        say_json(&json!({ "code": code, "dashboard": address, "url": url }))?;
    } else {
        say(&format!("Pairing code: {code} (one use, 10 minutes)\nDashboard: {address}\nOr open: {url}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
