//! The plan of a run: which legs in which order, how many rounds, where the processes are placed.

use crate::daemon::{Daemon, Protected};
use crate::http::{self, Load, Target};
use crate::os;
use crate::payload::Payload;
use crate::report::{Case, Results, Round};
use crate::stdio::{CommandLine, Server};
use anyhow::{Context as _, Result, ensure};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;
use tokio::runtime::Runtime;

const SMALL: usize = 1024;
const LARGE: usize = 100 * 1024;
const LEGS: [&str; 3] = ["direct", "bare", "ours"];
const STARTS: usize = 7;
const STDIO: &str = "stdio 1 KB";

/// One part of this program as a process; ends when its input closes.
struct Part {
    child: Child,
    input: Option<ChildStdin>,
    address: SocketAddr,
}

impl Part {
    fn start(args: &[&str]) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{args:?} could not be started"))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening ").and_then(|address| address.parse().ok());
        let address = address.with_context(|| format!("{args:?} said {line:?}"))?;
        Ok(Self { input: child.stdin.take(), child, address })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.input = None;
        os::end(&mut self.child);
    }
}

/// Everything that runs.
struct Stage {
    upstream: Part,
    bare: Part,
    daemon: Daemon,
    protected: Protected,
    echo: CommandLine,
}

impl Stage {
    fn set(bin_dir: &Path) -> Result<Self> {
        let upstream = Part::start(&["upstream"])?;
        let bare = Part::start(&["copy", &upstream.address.to_string()])?;
        let daemon = Daemon::start(bin_dir)?;
        let exe = std::env::current_exe()?;
        let echo = CommandLine { command: exe.to_str().context("no text path")?.to_owned(), args: vec!["echo".into()] };
        let protected = daemon.protect(upstream.address, &echo)?;
        Ok(Self { upstream, bare, daemon, protected, echo })
    }

    fn target(&self, leg: &str, stream: bool) -> Target {
        let path = if stream { "/stream" } else { "/json" };
        let plain = |address| Target { address, path: path.to_owned() };
        match (leg, stream) {
            ("direct", _) => plain(self.upstream.address),
            ("bare", _) => plain(self.bare.address),
            (_, false) => self.protected.json.clone(),
            (_, true) => self.protected.stream.clone(),
        }
    }

    fn command(&self, leg: &str) -> CommandLine {
        if leg == "direct" { self.echo.clone() } else { self.protected.stdio.clone() }
    }

    fn place(&self, client: &[usize], servers: &[usize]) -> Result<()> {
        os::place_self(client)?;
        for pid in [self.upstream.child.id(), self.bare.child.id(), self.daemon.pid()] {
            os::place(pid, servers)?;
        }
        Ok(())
    }

    /// The relay and the server behind it start on the servers' CPUs, because children inherit the place.
    fn start_stdio(&self, leg: &str, client: &[usize], servers: &[usize]) -> Result<Server> {
        os::place_self(servers)?;
        let server = Server::start(&self.command(leg), self.daemon.home());
        os::place_self(client)?;
        server
    }
}

fn load(connections: usize, warm_up: u64, calls: u64) -> Load {
    Load { connections, warm_up, calls, at_most: Duration::from_secs(20) }
}

/// A few calls over every leg. The answers are compared by the clients, and the audit must know of the calls.
pub fn quick(runtime: &Runtime, bin_dir: &Path) -> Result<String> {
    let stage = Stage::set(bin_dir)?;
    let (small, large) = (Rc::new(Payload::new(SMALL)), Rc::new(Payload::new(LARGE)));
    let mut calls = 0;
    for leg in LEGS {
        let (json, stream) = (stage.target(leg, false), stage.target(leg, true));
        for (target, payload, load) in [
            (&json, &small, load(1, 2, 20)),
            (&json, &small, load(8, 8, 80)),
            (&json, &large, load(1, 1, 3)),
            (&stream, &small, load(2, 2, 20)),
        ] {
            let measured = runtime.block_on(http::run(target, payload, load)).context(leg)?;
            ensure!(
                measured.latencies_us.len() as u64 == load.calls,
                "{leg}: only {} calls",
                measured.latencies_us.len()
            );
            calls += load.calls;
        }
    }
    for leg in ["direct", "ours"] {
        let mut server =
            Server::start(&stage.command(leg), stage.daemon.home()).with_context(|| format!("stdio {leg}"))?;
        let measured = server.run(&small, load(1, 2, 20)).with_context(|| format!("stdio {leg}"))?;
        ensure!(measured.latencies_us.len() == 20, "stdio {leg}: only {} calls", measured.latencies_us.len());
        calls += 20;
    }
    os::until_quiet(stage.daemon.pid());
    let log = stage.daemon.cli(&["log", "--json", "--limit", "1000"])?;
    for server in ["echo-json", "echo-stream", "echo-stdio"] {
        ensure!(log.contains(server), "the audit log knows no call of {server}");
    }
    Ok(format!("bench, quick: {calls} calls over 8 legs, every answer right, calls of all 3 servers in the audit log"))
}

pub fn full(runtime: &Runtime, bin_dir: &Path, rounds: usize, wanted: &str) -> Result<Results> {
    let mut stage = Stage::set(bin_dir)?;
    let mut results = Results::default();

    for _ in 0..STARTS {
        results.warm_starts_ms.push(stage.daemon.restart()?.as_secs_f64() * 1e3);
    }
    os::until_quiet(stage.daemon.pid());
    std::thread::sleep(Duration::from_secs(1));
    results.idle_rss_mib = os::rss_mib(stage.daemon.pid());

    let cpus = os::cpus();
    let places: Vec<(&str, Vec<usize>, Vec<usize>)> = match cpus.as_slice() {
        [first, second, ..] => vec![("one", vec![*first], vec![*first]), ("apart", vec![*first], vec![*second])],
        [only] => vec![("one", vec![*only], vec![*only])],
        [] => vec![("unplaced", vec![], vec![])],
    };
    for (place, client, servers) in &places {
        stage.place(client, servers)?;
        for round in 0..rounds {
            http_round(runtime, &stage, place, round, wanted, &mut results)?;
            if STDIO.contains(wanted) {
                stdio_round(&stage, place, client, servers, round, &mut results)?;
            }
        }
    }
    results.loaded_rss_mib = os::rss_mib(stage.daemon.pid());
    Ok(results)
}

fn http_round(
    runtime: &Runtime,
    stage: &Stage,
    place: &str,
    round: usize,
    wanted: &str,
    results: &mut Results,
) -> Result<()> {
    let (small, large) = (Rc::new(Payload::new(SMALL)), Rc::new(Payload::new(LARGE)));
    let cases = [
        ("HTTP 1 KB", false, &small, load(1, 300, 2000)),
        ("HTTP 1 KB, c=32", false, &small, load(32, 500, 8000)),
        ("HTTP 100 KB", false, &large, load(1, 20, 200)),
        ("HTTP 1 KB, SSE", true, &small, load(1, 200, 1000)),
    ];
    for (name, stream, payload, load) in cases.into_iter().filter(|(name, ..)| name.contains(wanted)) {
        for leg in order(&LEGS, round) {
            let measured = runtime.block_on(http::run(&stage.target(leg, stream), payload, load)).context(leg)?;
            // What one leg leaves behind (the audit writes on) must not slow down the next.
            os::until_quiet(stage.daemon.pid());
            results.add(Case::new(place, name, leg), Round::of(&measured));
        }
    }
    Ok(())
}

fn stdio_round(
    stage: &Stage,
    place: &str,
    client: &[usize],
    servers: &[usize],
    round: usize,
    results: &mut Results,
) -> Result<()> {
    let payload = Payload::new(SMALL);
    for leg in order(&["direct", "ours"], round) {
        let mut server = stage.start_stdio(leg, client, servers)?;
        let measured = server.run(&payload, load(1, 300, 2000)).with_context(|| format!("stdio {leg}"))?;
        let first_answer = server.first_answer;
        drop(server);
        os::until_quiet(stage.daemon.pid());
        results.add(
            Case::new(place, STDIO, leg),
            Round { first_answer_ms: Some(first_answer.as_secs_f64() * 1e3), ..Round::of(&measured) },
        );
    }
    Ok(())
}

/// Every round begins with another leg, so that none always runs on a warmer machine.
fn order<'l>(legs: &[&'l str], round: usize) -> Vec<&'l str> {
    let mut legs = legs.to_vec();
    let by = round % legs.len();
    legs.rotate_left(by);
    legs
}
