//! `cargo xtask`: what keeps the repository in order and no compiler checks. Dev only; ships nowhere.
//! Owns the commands and the report; each check lives in a module of its own and answers with the faults it found.
// a command-line tool's answer goes to standard output
#![allow(clippy::print_stdout)]

mod direction;
mod learn;
mod modules;
mod signatures;
mod types;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use learn::left_out::Measure;
use std::{path::PathBuf, process::ExitCode};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Keeps the repository in order")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check dependency direction, single owners of outside crates, module headers, generated types and signatures
    Check,
    /// Write the TypeScript types of the API into ui/src/generated
    Types,
    /// Fit what the marks of the concepts weigh from records on the standard input (one JSON object a line)
    Fit {
        /// Write nothing; tell what a fit is worth on families of sources that it never saw.
        #[arg(long)]
        evaluate: bool,
    },
    /// Train the local score from records on the standard input (one JSON object a line) and write it into `detect/model`
    Train {
        /// First tell what it is worth on sources that it never saw.
        #[arg(long)]
        evaluate: bool,
        /// Only tell that, and write nothing.
        #[arg(long, requires = "evaluate")]
        dry_run: bool,
    },
}

type Check = fn(&std::path::Path) -> Result<Vec<String>>;
const CHECKS: &[(&str, Check)] = &[
    ("crates import only what design allows", direction::check_imports),
    ("outside crates have their one owner", direction::check_owners),
    ("every module says what it owns", modules::check),
    ("generated TypeScript types are up to date", types::check),
    ("signatures are well formed and their examples hold", signatures::check),
];

fn main() -> Result<ExitCode> {
    let root = root()?;
    match Cli::parse().command {
        Command::Types => {
            let count = types::write(&root)?;
            println!("{count} types in {}", types::FOLDER);
            Ok(ExitCode::SUCCESS)
        }
        Command::Fit { evaluate } => {
            let records = learn::read(std::io::stdin().lock())?;
            if evaluate {
                let measures = [Measure::Concepts, Measure::Both];
                learn::left_out::report(&records, &measures).iter().for_each(|line| println!("{line}"));
            } else {
                println!("{}", learn::fit::write(&root, &records)?);
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Train { evaluate, dry_run } => {
            let records = learn::read(std::io::stdin().lock())?;
            if evaluate {
                learn::left_out::report(&records, &[Measure::Local]).iter().for_each(|line| println!("{line}"));
            }
            if !dry_run {
                println!("{}", learn::train::write(&root, &records)?);
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Check => Ok(check(&root)),
    }
}

/// Runs every check, whatever the others found; the last line is the total.
fn check(root: &std::path::Path) -> ExitCode {
    let mut failed = 0;
    for (name, run) in CHECKS {
        let faults = run(root).unwrap_or_else(|error| vec![format!("could not be checked: {error:#}")]);
        println!("{}  {name}", if faults.is_empty() { "ok    " } else { "FAILED" });
        for fault in &faults {
            println!("        {fault}");
        }
        failed += usize::from(!faults.is_empty());
    }
    println!("{} passed, {failed} failed", CHECKS.len() - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The repository: the nearest folder above the working directory that holds the workspace.
fn root() -> Result<PathBuf> {
    let here = std::env::current_dir()?;
    here.ancestors()
        .find(|folder| folder.join("tauri.conf.json").is_file() && folder.join("Cargo.toml").is_file())
        .map(PathBuf::from)
        .context("run this inside the repository: no folder above has Cargo.toml and tauri.conf.json")
}
