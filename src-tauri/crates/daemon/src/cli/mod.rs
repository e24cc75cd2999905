//! The `portcullis` command line. Every command talks to the API: of the running daemon, or of this process when none
//! runs. Results go to stdout, everything else to stderr; `--json` prints what the API says.

mod args;
mod exit;
mod reach;
mod serve;
mod status;
pub mod terminal;

use args::{Cli, Command};
use clap::Parser as _;
use exit::Failed;
use std::io::Write as _;
use std::process::ExitCode;

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { exit::USAGE.into() } else { ExitCode::SUCCESS };
        }
    };
    match run(cli) {
        Ok(code) => code,
        // Whoever read our output has enough: no fault.
        Err(Failed { pipe_closed: true, .. }) => ExitCode::SUCCESS,
        Err(failed) => {
            let _ = writeln!(std::io::stderr(), "portcullis: {}", terminal::visible_lines(&failed.message));
            failed.code.into()
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, Failed> {
    match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::DrillServer { attack, effects } => {
            crate::drill::serve_stdio(&attack, effects)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Pair => with_api(async |api| serve::pair(api, cli.json).await),
        Command::Status => with_api(async |api| status::run(api, cli.json).await),
    }
}

/// Runs a command against the API, on a small runtime of its own.
fn with_api<F>(command: F) -> Result<ExitCode, Failed>
where
    F: AsyncFnOnce(&reach::Reached) -> Result<ExitCode, Failed>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let reached = reach::reach().await?;
        let code = command(&reached).await;
        reached.finish().await;
        code
    })
}
