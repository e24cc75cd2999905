//! What the command line understands.

use super::exit;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

#[derive(Parser)]
#[command(name = "portcullis", version, about = "Guards AI apps against hostile MCP servers.", after_help = exit::HELP)]
pub struct Cli {
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run the daemon in the foreground: proxy, checks, dashboard.
    #[command(
        after_help = "Examples:\n  portcullis serve\n  portcullis serve --open\n  portcullis serve --proxy-port 5001 --dashboard-port 5002"
    )]
    Serve(Serve),
    /// Print a one-use code (valid 10 minutes) that pairs a browser with the running daemon.
    Pair,
    /// Show what is protected, as observed, and what needs attention.
    #[command(after_help = "Examples:\n  portcullis status\n  portcullis status --json | jq .open_alerts")]
    Status,
    /// The hostile server of the drill.
    #[command(hide = true)]
    DrillServer { attack: String, effects: PathBuf },
}

#[derive(Args)]
pub struct Serve {
    /// Port of the proxy on 127.0.0.1 (default: the one chosen before, else 47701; 0: any free one on the first start).
    #[arg(long)]
    pub proxy_port: Option<u16>,
    /// Port of the dashboard on 127.0.0.1 (default: the one chosen before, else 47702).
    #[arg(long)]
    pub dashboard_port: Option<u16>,
    /// Open the dashboard in the browser.
    #[arg(long)]
    pub open: bool,
}
