//! The stdio client: starts a server's command line as an app does, calls it line by line, ends it by closing its input.

use crate::http::{Load, Measured};
use crate::os;
use crate::payload::{self, Payload};
use anyhow::{Context as _, Result, ensure};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// A command line out of an app's config.
#[derive(Clone, Debug)]
pub struct CommandLine {
    pub command: String,
    pub args: Vec<String>,
}

pub struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// From the start to the first answer.
    pub first_answer: Duration,
    line: String,
}

impl Server {
    /// Apps start servers with little more than these variables; the shim must find its daemon without ours.
    pub fn start(line: &CommandLine, home: &Path) -> Result<Self> {
        let started = Instant::now();
        let mut child = Command::new(&line.command)
            .args(&line.args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} could not be started", line.command))?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().context("no output")?);
        let mut server = Self { child, input, output, first_answer: Duration::ZERO, line: String::new() };
        server.call(payload::INITIALIZE.as_bytes(), "serverInfo")?;
        server.first_answer = started.elapsed();
        server.send(payload::INITIALIZED.as_bytes())?;
        Ok(server)
    }

    pub fn run(&mut self, payload: &Payload, load: Load) -> Result<Measured> {
        let deadline = Instant::now() + load.at_most;
        let mut latencies_us = Vec::with_capacity(load.calls as usize);
        let mut begun = Instant::now();
        for id in 1..=load.warm_up + load.calls {
            if Instant::now() > deadline {
                break;
            }
            if id == load.warm_up + 1 {
                begun = Instant::now();
            }
            let (request, expected) = (payload.request(id), payload.response(id));
            let took = self.call(&request, &expected)?;
            if id > load.warm_up {
                latencies_us.push(took.as_secs_f64() * 1e6);
            }
        }
        ensure!(!latencies_us.is_empty(), "no call was measured within {:?}", load.at_most);
        let per_second = latencies_us.len() as f64 / begun.elapsed().as_secs_f64();
        latencies_us.sort_by(f64::total_cmp);
        Ok(Measured { latencies_us, per_second })
    }

    fn send(&mut self, message: &[u8]) -> Result<()> {
        let input = self.input.as_mut().context("the server's input is closed")?;
        let mut line = message.to_vec();
        line.push(b'\n');
        input.write_all(&line).context("the server took no input")
    }

    fn call(&mut self, message: &[u8], expected: &str) -> Result<Duration> {
        let started = Instant::now();
        self.send(message)?;
        self.line.clear();
        ensure!(self.output.read_line(&mut self.line)? > 0, "the server ended without an answer");
        let took = started.elapsed();
        ensure!(
            self.line.contains(expected),
            "a wrong answer: {:.300} (expected {:.300})",
            self.line.trim_end(),
            expected
        );
        Ok(took)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // How an app says goodbye to a stdio server.
        self.input = None;
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        os::end(&mut self.child);
    }
}
