//! The real thing: a HOME of its own with a Cursor config, the daemon, `portcullis protect`, and where the config then
//! points. Nothing of the person's own is read or written.

use crate::http::Target;
use crate::os;
use crate::stdio::CommandLine;
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Daemon {
    folder: tempfile::TempDir,
    program: PathBuf,
    proxy: SocketAddr,
    dashboard: SocketAddr,
    child: Child,
}

/// Where the protected entries go.
pub struct Protected {
    pub json: Target,
    pub stream: Target,
    pub stdio: CommandLine,
}

impl Daemon {
    pub fn start(bin_dir: &Path) -> Result<Self> {
        let program = bin_dir.join(format!("portcullis{}", std::env::consts::EXE_SUFFIX));
        ensure!(program.is_file(), "{} is missing: build it first, or give --bin-dir", program.display());
        let folder = tempfile::Builder::new().prefix("pcb").tempdir()?;
        let state = folder.path().join("state");
        std::fs::create_dir(&state)?;
        let (proxy, dashboard) = free_ports()?;
        std::fs::write(
            state.join("config.toml"),
            format!("[ports]\nproxy = {}\ndashboard = {}\n", proxy.port(), dashboard.port()),
        )?;
        let child = Self::spawn(&program, folder.path())?;
        let mut daemon = Self { folder, program, proxy, dashboard, child };
        daemon.wait_until_listening(Instant::now())?;
        Ok(daemon)
    }

    fn command(program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder)
            .env("PORTCULLIS_HOME", folder.join("state"));
        command
    }

    fn spawn(program: &Path, folder: &Path) -> Result<Child> {
        let log = std::fs::File::create(folder.join("daemon.log"))?;
        Self::command(program, folder)
            .args(["serve", "--once"])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} could not be started", program.display()))
    }

    /// Returns how long it took until the proxy answered; by then the dashboard's listener answers too.
    fn wait_until_listening(&mut self, started: Instant) -> Result<Duration> {
        let mut proxy = None;
        while started.elapsed() < Duration::from_secs(20) {
            if proxy.is_none() && answers(self.proxy) {
                proxy = Some(started.elapsed());
            }
            if let Some(took) = proxy
                && answers(self.dashboard)
            {
                return Ok(took);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the daemon ended ({status}): {}", self.log());
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        bail!("the daemon does not listen: {}", self.log())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("daemon.log")).unwrap_or_default()
    }

    /// Ends the daemon and starts it again on the same state; returns how long it took until it listened.
    pub fn restart(&mut self) -> Result<Duration> {
        os::end(&mut self.child);
        let started = Instant::now();
        self.child = Self::spawn(&self.program, self.folder.path())?;
        self.wait_until_listening(started)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn home(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the CLI and returns what it printed.
    pub fn cli(&self, args: &[&str]) -> Result<String> {
        let output = Self::command(&self.program, self.folder.path()).args(args).stdin(Stdio::null()).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success(),
            "portcullis {} failed ({}): {text}{}",
            args.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(text)
    }

    /// Writes a Cursor config with these servers, protects it, and reads where it points now.
    pub fn protect(&self, upstream: SocketAddr, echo: &CommandLine) -> Result<Protected> {
        let config = self.folder.path().join(".cursor").join("mcp.json");
        std::fs::create_dir_all(config.parent().unwrap_or(Path::new("/")))?;
        let before = json!({ "mcpServers": {
            "echo-json": { "url": format!("http://{upstream}/json") },
            "echo-stream": { "url": format!("http://{upstream}/stream") },
            "echo-stdio": { "command": echo.command, "args": echo.args },
        }});
        std::fs::write(&config, serde_json::to_string_pretty(&before)?)?;
        self.cli(&["protect", "cursor", "--yes"])?;
        let after: Value = serde_json::from_str(&std::fs::read_to_string(&config)?)?;
        let servers = &after["mcpServers"];
        let url = |name: &str| -> Result<Target> {
            ensure!(servers[name]["url"] != before["mcpServers"][name]["url"], "{name} was not protected: {after}");
            Target::parse(servers[name]["url"].as_str().with_context(|| format!("{name} has no url: {after}"))?)
        };
        let stdio = &servers["echo-stdio"];
        ensure!(
            stdio["command"] != before["mcpServers"]["echo-stdio"]["command"],
            "echo-stdio was not protected: {after}"
        );
        let text = |value: &Value| value.as_str().map(str::to_owned).context("an argument is no text");
        Ok(Protected {
            json: url("echo-json")?,
            stream: url("echo-stream")?,
            stdio: CommandLine {
                command: text(&stdio["command"])?,
                args: stdio["args"].as_array().context("no args")?.iter().map(text).collect::<Result<_>>()?,
            },
        })
    }
}

/// Two ports that nobody listens on, below the range from which systems take ports for outgoing connections: a client
/// that knocks at a port of that range before the daemon is there may be connected to itself.
fn free_ports() -> Result<(SocketAddr, SocketAddr)> {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000)?;
    let mut free = (first..first + 1000).filter_map(|port| TcpListener::bind(("127.0.0.1", port)).ok());
    let held = [free.next(), free.next()];
    let [Some(proxy), Some(dashboard)] = held else { bail!("no two free ports from {first} on") };
    Ok((proxy.local_addr()?, dashboard.local_addr()?))
}

/// Whether an HTTP server answers there, whatever it says: a bound port alone answers nobody.
fn answers(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET /healthz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
        let mut start = [0; 5];
        stream.read_exact(&mut start)?;
        Ok(start == *b"HTTP/")
    };
    ask().unwrap_or(false)
}

impl Drop for Daemon {
    fn drop(&mut self) {
        os::end(&mut self.child);
    }
}
