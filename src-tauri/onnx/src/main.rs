//! `portcullis-onnx <model.onnx>`: one text in, one score out, as JSON lines, until the input ends. The model is a file
//! that nobody vouches for, so this is a process of its own: no network, no files but the model and its tokenizer, bounded memory; whoever
//! started it ends it when it takes too long. Nothing of a text is written anywhere.

mod features;
mod model;
mod tokens;

use model::Model;
use serde::{Deserialize, Serialize};
use std::io::{BufRead as _, Read as _, Write};
use std::process::ExitCode;

/// Longer requests are refused: judged texts are excerpts.
const MAX_LINE_BYTES: u64 = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    id: u64,
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Line<'l> {
    /// The first line: the model was read.
    Ready {
        takes: &'l str,
    },
    /// The first line: it cannot be used.
    Unusable {
        why: &'l str,
    },
    Score {
        id: u64,
        score: f32,
    },
    Failed {
        id: Option<u64>,
        why: &'l str,
    },
}

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    let mut say = |line: &Line<'_>| -> std::io::Result<()> {
        serde_json::to_writer(&mut out, line)?;
        out.write_all(b"\n")?;
        out.flush()
    };
    bound_memory();
    let path = std::env::args_os().nth(1);
    let read = path
        .ok_or_else(|| anyhow::anyhow!("usage: portcullis-onnx <model.onnx>"))
        .and_then(|path| Model::read(path.as_ref()));
    let model = match read {
        Ok(model) => model,
        Err(error) => {
            let _ = say(&Line::Unusable { why: &one_line(&error) });
            return ExitCode::FAILURE;
        }
    };
    let served = say(&Line::Ready { takes: &model.takes() }).and_then(|()| serve(&model, &mut say));
    // A reader that is gone is the usual end.
    if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn serve(model: &Model, say: &mut dyn FnMut(&Line<'_>) -> std::io::Result<()>) -> std::io::Result<()> {
    let mut input = std::io::stdin().lock();
    loop {
        let mut line = Vec::new();
        if input.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let Ok(Request { id, text }) = serde_json::from_slice(&line) else {
            // Out of step: what follows cannot be told from the rest of this line.
            return say(&Line::Failed { id: None, why: "that is no request" });
        };
        match model.score(&text) {
            Ok(score) => say(&Line::Score { id, score })?,
            Err(error) => say(&Line::Failed { id: Some(id), why: &one_line(&error) })?,
        }
    }
}

fn one_line(error: &anyhow::Error) -> String {
    format!("{error:#}").chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

/// What a hostile model could ask for beyond this fails here, and not on the whole machine.
#[cfg(unix)]
fn bound_memory() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limit = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
    // A system without these limits runs it all the same: it is still a process that can be ended.
    let _ = setrlimit(Resource::As, limit(8 << 30));
    let _ = setrlimit(Resource::Fsize, limit(0));
    let _ = setrlimit(Resource::Core, limit(0));
}

#[cfg(not(unix))]
fn bound_memory() {}
