//! The `portcullis` command line. Every command talks to the API: of the running daemon, or of this process when none
//! runs. Results go to stdout, everything else to stderr; `--json` prints what the API says.

mod apps;
mod args;
mod ask;
mod doctor;
mod drill;
mod exit;
mod folders;
mod judges;
mod log;
mod pause;
mod pins;
mod quarantine;
mod reach;
mod scan;
mod serve;
mod sign_in;
mod signatures;
mod status;
pub mod terminal;
mod uninstall;

use args::{Cli, Command};
use clap::{CommandFactory as _, Parser as _};
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
    let json = cli.json;
    match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Pair => with_api(async |api| serve::pair(api, json).await),
        Command::Status => with_api(async |api| status::run(api, json).await),
        Command::Apps => with_api(async |api| apps::list(api, json).await),
        Command::Protect(args) => with_api(async |api| apps::protect(api, &args, json).await),
        Command::Diff(args) => with_api(async |api| apps::diff(api, &args, json).await),
        Command::Folders(command) => with_api(async |api| folders::run(api, &command, json).await),
        Command::Uninstall(args) => uninstall::run(&args, json),
        Command::Restore(args) if args.all => apps::restore_all(&args, json),
        Command::Restore(args) => with_api(async |api| apps::restore(api, &args, json).await),
        Command::Scan(args) => scan::run(&args, json),
        Command::Log(args) => with_api(async |api| log::run(api, &args, json).await),
        Command::Pins(command) => pins::run(command, json),
        Command::Signatures(command) => signatures::run(command, json),
        Command::Judges(command) => with_api(async |api| judges::run(api, &command, json).await),
        Command::Drill => with_api(async |api| drill::run(api, json).await),
        Command::SignIn(args) => with_api(async |api| sign_in::sign_in(api, &args, json).await),
        Command::SignOut(args) => with_api(async |api| sign_in::sign_out(api, &args, json).await),
        Command::Doctor => doctor::run(json),
        Command::Pause(args) => with_api(async |api| pause::pause(api, &args, json).await),
        Command::Resume => with_api(async |api| pause::resume(api, json).await),
        Command::Ask(command) => with_api(async |api| ask::run(api, &command, json).await),
        Command::Decisions(command) => with_api(async |api| ask::decisions(api, &command, json).await),
        Command::Mode(args) => with_api(async |api| ask::mode(api, &args, json).await),
        Command::Quarantine(command) => with_api(async |api| quarantine::run(api, &command, json).await),
        Command::Completions { shell } => {
            // Not straight to the terminal: the generator panics when whoever reads has enough.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "portcullis", &mut script);
            std::io::stdout().write_all(&script)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::DrillServer { attack, effects } => {
            crate::drill::serve_stdio(&attack, effects)?;
            Ok(ExitCode::SUCCESS)
        }
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

/// A person at this terminal says yes to what loosens protection; nothing else does, so there is no `--yes` for it.
fn person_agrees(reached: &reach::Reached, question: &str) -> Result<(), Failed> {
    reached.is_no_app()?;
    match terminal::ask(question)? {
        Some(true) => Ok(()),
        Some(false) => Err(Failed::new(exit::NOT_CONFIRMED, "nothing was changed")),
        None => Err(Failed::new(
            exit::NOT_CONFIRMED,
            "this loosens protection, so a person has to confirm it: run it at a terminal, or use the dashboard",
        )),
    }
}

/// Asks before something is changed; `--yes` answers beforehand.
fn confirm(question: &str, yes: bool) -> Result<(), Failed> {
    if yes {
        return Ok(());
    }
    match terminal::ask(question)? {
        Some(true) => Ok(()),
        Some(false) => Err(Failed::new(exit::NOT_CONFIRMED, "nothing was changed")),
        None => {
            Err(Failed::new(exit::NOT_CONFIRMED, "there is no terminal to ask on, so nothing was changed: add --yes"))
        }
    }
}
