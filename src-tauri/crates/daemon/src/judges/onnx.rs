//! A text classifier in a file of the person's choosing, run by `portcullis-onnx` as a child process: its runtime parses
//! what nobody vouches for, so it never runs in here. The child sees no environment, is ended as soon as it is late or
//! out of step, and started anew for the next text. It is built apart (`npm run judge:onnx`) and may be absent.

use super::case::Case;
use super::{Answer, ExtraJudge, Fault, Opinion, Ready};
use crate::home::Home;
use crate::shim_binary;
use serde::Deserialize;
use serde_json::json;
use std::path::PathBuf;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;

const MAX_LINE_BYTES: u64 = 64 * 1024;
pub(crate) const ABSENT: &str =
    "portcullis-onnx is not installed: build it with `npm run judge:onnx`, which puts it beside the other programs";

fn program_name() -> &'static str {
    if cfg!(windows) { "portcullis-onnx.exe" } else { "portcullis-onnx" }
}

pub(crate) struct OnnxJudge {
    pub home: Home,
    pub file: PathBuf,
    running: Mutex<Option<Running>>,
}

struct Running {
    /// Ended when it is dropped.
    _child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Ready {},
    Unusable { why: String },
    Score { id: u64, score: f32 },
    Failed { why: String },
}

impl OnnxJudge {
    pub fn new(home: Home, file: PathBuf) -> Self {
        Self { home, file, running: Mutex::default() }
    }

    fn program(&self) -> Option<PathBuf> {
        let installed = self.home.bin().join(program_name());
        if installed.is_file() { Some(installed) } else { shim_binary::beside(program_name()).ok() }
    }

    async fn start(&self) -> Result<Running, Fault> {
        let program = self.program().ok_or_else(|| Fault::Failed(ABSENT.into()))?;
        let mut command = Command::new(program);
        command.arg(&self.file).env_clear().current_dir(self.home.path()).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| Fault::Failed(format!("it could not be started: {error}")))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Fault::Failed("it has no input or output".into()));
        };
        let mut running = Running { _child: child, input, output: BufReader::new(output), next: 0 };
        match running.line().await? {
            Line::Ready {} => Ok(running),
            Line::Unusable { why } => Err(Fault::Failed(format!("the model cannot be used: {why}"))),
            _ => Err(Fault::Unparsable("it did not say that it is ready".into())),
        }
    }

    async fn ask(&self, case: &Case) -> Result<Opinion, Fault> {
        let mut place = self.running.lock().await;
        // Taken out while it works: whoever gives up on this future ends the child with it.
        let mut running = match place.take() {
            Some(running) => running,
            None => self.start().await?,
        };
        let percent = running.score(&case.text()).await?;
        *place = Some(running);
        Ok(Opinion { percent, category: "other", reason: "the classifier's score".into() })
    }

    async fn prepare(&self) -> Result<(), Fault> {
        let mut place = self.running.lock().await;
        if place.is_none() {
            *place = Some(self.start().await?);
        }
        Ok(())
    }
}

impl Running {
    async fn line(&mut self) -> Result<Line, Fault> {
        let mut line = Vec::new();
        let read = (&mut self.output).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await;
        read.map_err(|error| Fault::Failed(format!("it broke off: {error}")))?;
        if line.is_empty() {
            return Err(Fault::Failed("it ended".into()));
        }
        serde_json::from_slice(&line).map_err(|_| Fault::Unparsable("its line is not of the form it should be".into()))
    }

    async fn score(&mut self, text: &str) -> Result<u32, Fault> {
        self.next += 1;
        let line = format!("{}\n", json!({ "id": self.next, "text": text }));
        let written = self.input.write_all(line.as_bytes()).await;
        written.map_err(|error| Fault::Failed(format!("it takes nothing more: {error}")))?;
        match self.line().await? {
            Line::Score { id, score } if id == self.next && (0.0..=1.0).contains(&score) => {
                Ok((score * 100.0).round() as u32)
            }
            Line::Failed { why } => Err(Fault::Failed(why)),
            _ => Err(Fault::Unparsable("its answer is to something else, or no probability".into())),
        }
    }
}

impl ExtraJudge for OnnxJudge {
    fn opine<'a>(&'a self, case: &'a Case) -> Answer<'a> {
        Box::pin(self.ask(case))
    }
    fn ready(&self) -> Ready<'_> {
        Box::pin(self.prepare())
    }
    fn problem(&self) -> Option<String> {
        if self.program().is_none() {
            return Some(ABSENT.into());
        }
        (!self.file.is_file()).then(|| format!("there is no file {}", self.file.display()))
    }
}
