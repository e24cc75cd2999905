//! `portcullis-bench`: what Portcullis costs. The same echo calls go directly, through a proxy that only copies bytes,
//! and through the real daemon (or the real shim), over the configs that `portcullis protect` wrote into a HOME of its
//! own. Loopback only; every loop is bounded in count and time. `--quick` checks the answers of every leg, not the times.
//!
//! On a small machine an idle CPU's wake-up costs more than a proxy does, so times are taken with the processes placed:
//! `one` has everything on one CPU, `apart` has the client on one and all servers on another. Ratios are against the
//! direct leg of the same round, and the median over rounds is what counts.
#![allow(clippy::print_stdout, reason = "a command line tool prints")]

mod copy;
mod daemon;
mod echo;
mod http;
mod os;
mod payload;
mod report;
mod runs;
mod stdio;
mod upstream;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Parser)]
#[command(
    name = "portcullis-bench",
    about = "Measures direct, a bare byte-copying proxy, and Portcullis; prints the ratios."
)]
struct Args {
    /// A few calls over every leg; fails when an answer is wrong. Measures nothing.
    #[arg(long)]
    quick: bool,
    /// Where `portcullis` and `portcullis-shim` are. Default: beside this program.
    #[arg(long)]
    bin_dir: Option<PathBuf>,
    /// Rounds per placement; medians are taken over them.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only the cases whose name holds this text.
    #[arg(long, default_value = "")]
    case: String,
    /// Print the numbers as one JSON object instead of tables.
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

/// The processes of a run, started by this program itself.
#[derive(Subcommand)]
enum Part {
    /// The HTTP echo server.
    #[command(hide = true)]
    Upstream,
    /// The proxy that only copies bytes.
    #[command(hide = true)]
    Copy { to: SocketAddr },
    /// The stdio echo server.
    #[command(hide = true)]
    Echo,
}

fn main() -> Result<()> {
    let args = Args::parse();
    match args.part {
        Some(Part::Upstream) => single_threaded()?.block_on(upstream::serve()),
        Some(Part::Copy { to }) => single_threaded()?.block_on(copy::serve(to)),
        Some(Part::Echo) => echo::serve(),
        None => {
            let bin_dir = match args.bin_dir {
                Some(dir) => dir,
                None => std::env::current_exe()?.parent().context("this program has no folder")?.to_path_buf(),
            };
            let runtime = single_threaded()?;
            if args.quick {
                println!("{}", runs::quick(&runtime, &bin_dir)?);
                return Ok(());
            }
            let results = runs::full(&runtime, &bin_dir, args.rounds.clamp(1, 50), &args.case)?;
            if args.json {
                println!("{}", serde_json::to_string_pretty(&results.json())?);
            } else {
                print!("{}", results.text());
            }
            Ok(())
        }
    }
}

fn single_threaded() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
