//! The stdio echo server, a process of its own: one JSON line in, one out.

use crate::payload;
use anyhow::Result;
use std::io::{BufRead as _, Write as _};

pub fn serve() -> Result<()> {
    let mut input = std::io::stdin().lock();
    let mut output = std::io::stdout().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if let Some(mut answer) = payload::serve(&line) {
            answer.push('\n');
            output.write_all(answer.as_bytes())?;
            output.flush()?;
        }
    }
}
