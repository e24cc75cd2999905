//! What the command line understands.

use super::exit;
use clap::{Args, Parser, Subcommand, ValueEnum};
use portcullis_domain::Direction;
use portcullis_domain::api::JudgeName;
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
    /// List the apps, their config files and servers.
    #[command(after_help = "Examples:\n  portcullis apps\n  portcullis apps --json | jq '.[].files[].servers[].name'")]
    Apps,
    /// Let an app's servers go through Portcullis: shows the change, asks, writes its config.
    #[command(
        after_help = "Examples:\n  portcullis protect cursor --dry-run\n  portcullis protect cursor --server files --server docs\n  portcullis protect claude-desktop --yes"
    )]
    Protect(Protect),
    /// Show what protecting an app would change in its config. Writes nothing.
    #[command(after_help = "Examples:\n  portcullis diff cursor\n  portcullis diff cursor --restore")]
    Diff(Diff),
    /// Project folders whose config files are looked at (.cursor/mcp.json, .mcp.json, .vscode/mcp.json ...).
    #[command(
        subcommand,
        after_help = "Project files are shared through version control and used on other machines, so only folders that you name are looked at.\n\nExamples:\n  portcullis folders add ~/src/site\n  portcullis diff cursor"
    )]
    Folders(Folders),
    /// Give every app its own config back, then remove what Portcullis keeps on this machine.
    #[command(
        after_help = "Stop the daemon first. The small shim and the journal stay, so that a backup of a config made while it was protected still starts its servers and can be restored."
    )]
    Uninstall(Uninstall),
    /// Give an app its own config back.
    #[command(after_help = "Examples:\n  portcullis restore cursor\n  portcullis restore --all --yes")]
    Restore(Restore),
    /// Check one message, or a list of tools, without any server.
    #[command(
        after_help = "Reads one JSON-RPC message, the result of tools/list, an array of tools, or a folder of such files.\n\nExit codes: 0 clean, 1 flagged, 2 blocked, 64 and above: not checked (see `portcullis --help`).\nWith --jsonl the exit code is 0 when every line could be read, else 65.\n\nExamples:\n  portcullis scan message.json\n  curl -s https://example.com/tools.json | portcullis scan -\n  portcullis scan --sarif tool-lists/ > findings.sarif\n  portcullis scan --jsonl messages.jsonl > verdicts.jsonl"
    )]
    Scan(Scan),
    /// Query the audit log, newest first.
    #[command(
        after_help = "Examples:\n  portcullis log\n  portcullis log --verdict flag,block --since 24h\n  portcullis log --app cursor --method tools/call 'id_rsa'\n  portcullis log --id 0199…\n  portcullis log --follow --json"
    )]
    Log(Log),
    /// Definitions of servers: what was approved, what changed, what waits for you.
    #[command(
        subcommand,
        after_help = "A definition that changed gravely is kept from the app until you have looked at it.\n\nExit codes: `list` 1 when something waits for you.\n\nExamples:\n  portcullis pins list\n  portcullis pins show 3f2a\n  portcullis pins approve 3f2a\n  portcullis pins release 3f2a\n  portcullis pins quarantine 3f2a"
    )]
    Pins(Pins),
    /// List, check and switch threat signatures.
    #[command(subcommand)]
    Signatures(Signatures),
    /// Optional judges: a language model or a classifier of yours that looks at what is doubtful.
    #[command(
        subcommand,
        after_help = "Off by default and never needed. A judge is asked after a message went on; it can only add an alert. Texts are masked and cut before they leave.\n\nExamples:\n  portcullis judges list\n  portcullis judges set model --ollama --url http://127.0.0.1:11434 --model llama3.2\n  portcullis judges set model --url https://api.example.com/v1 --model some-model --key-file ~/.keys/example\n  portcullis judges set onnx --file ~/models/classifier.onnx\n  portcullis judges test model\n  portcullis judges off model"
    )]
    Judges(Judges),
    /// Let a bundled hostile server attack a bundled app, on all transports, and show what was caught.
    #[command(
        after_help = "Runs in a temporary folder with a config of its own: your apps' configs are not touched. Takes a few seconds.\n\nExamples:\n  portcullis drill\n  portcullis drill --json | jq '.[] | select(.caught | not)'"
    )]
    Drill,
    /// Sign in to a server that asks for it; without a server, list those that asked.
    #[command(
        after_help = "Examples:\n  portcullis sign-in\n  portcullis sign-in tickets\n  portcullis sign-in tickets --client-id my-registered-client"
    )]
    SignIn(SignIn),
    /// Forget the tokens of a server.
    SignOut(SignOut),
    /// Find out what is wrong, and what to do.
    Doctor,
    /// Record everything, block nothing, for a while.
    #[command(
        after_help = "Examples:\n  portcullis pause --minutes 15\n  portcullis pause   (until `portcullis resume`)\n\nThis loosens protection, so it asks at the terminal; there is no switch that answers beforehand."
    )]
    Pause(Pause),
    /// Block again what is not allowed.
    Resume,
    /// See and answer the questions that doubtful calls wait for.
    #[command(
        subcommand,
        after_help = "Examples:\n  portcullis ask list\n  portcullis ask watch\n  portcullis ask answer 7q2… allow\n  portcullis ask answer 7q2… allow-always --minutes 1440"
    )]
    Ask(Ask),
    /// List what you decided before, and take decisions back.
    #[command(subcommand)]
    Decisions(Decisions),
    /// Show or set how far Portcullis goes: monitor, ask or block; for all, an app or a server.
    #[command(
        after_help = "Examples:\n  portcullis mode\n  portcullis mode block\n  portcullis mode monitor --app cursor\n  portcullis mode inherit --server 3f…"
    )]
    Mode(Mode),
    /// Put a whole server aside: nothing goes to it and nothing comes from it, also while paused.
    #[command(
        subcommand,
        after_help = "Servers are named by their ids (`portcullis apps --json`, `portcullis ask list --json`).\n\nExamples:\n  portcullis quarantine list\n  portcullis quarantine add 3f… --minutes 1440\n  portcullis quarantine release 3f…"
    )]
    Quarantine(Quarantine),
    /// Print a completion script.
    #[command(
        after_help = "Examples:\n  portcullis completions bash > ~/.local/share/bash-completion/completions/portcullis\n  portcullis completions zsh > ~/.zfunc/_portcullis"
    )]
    Completions { shell: clap_complete::Shell },
    /// The hostile server of the drill.
    #[command(hide = true)]
    DrillServer { attack: String, effects: PathBuf },
}

#[derive(Args)]
pub struct SignIn {
    /// The server's name in its app's config, or its id.
    pub server: Option<String>,
    /// The id of a client registered by hand, where the authorization server takes no new ones.
    #[arg(long)]
    pub client_id: Option<String>,
    /// Print the address to open and end.
    #[arg(long)]
    pub no_wait: bool,
}

#[derive(Args)]
pub struct SignOut {
    /// The server's name in its app's config, or its id.
    pub server: String,
}

#[derive(Args)]
pub struct Serve {
    /// Port of the proxy on 127.0.0.1 (default: the one chosen before, else 27701; 0: any free one on the first start).
    #[arg(long)]
    pub proxy_port: Option<u16>,
    /// Port of the dashboard on 127.0.0.1 (default: the one chosen before, else 27702).
    #[arg(long)]
    pub dashboard_port: Option<u16>,
    /// Open the dashboard in the browser.
    #[arg(long)]
    pub open: bool,
    /// No shim may start the daemon again when this one has died.
    #[arg(long)]
    pub once: bool,
}

#[derive(Args)]
pub struct Protect {
    /// The app's id, as `portcullis apps` shows it.
    pub app: String,
    /// Only this server (may be given several times).
    #[arg(long = "server", value_name = "NAME")]
    pub servers: Vec<String>,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    /// Show the change and write nothing.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Args)]
pub struct Diff {
    /// The app's id, as `portcullis apps` shows it.
    pub app: String,
    /// What a restore would change instead.
    #[arg(long)]
    pub restore: bool,
    /// Only this server (may be given several times).
    #[arg(long = "server", value_name = "NAME")]
    pub servers: Vec<String>,
}

#[derive(Subcommand)]
pub enum Folders {
    /// The folders you named.
    List,
    /// Look at the project files in this folder.
    Add { folder: PathBuf },
    /// Leave the project files in this folder alone.
    Remove { folder: PathBuf },
}

#[derive(Args)]
pub struct Uninstall {
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Args)]
pub struct Restore {
    /// The app's id, as `portcullis apps` shows it.
    #[arg(required_unless_present = "all")]
    pub app: Option<String>,
    /// Every app.
    #[arg(long, conflicts_with_all = ["app", "servers", "dry_run"])]
    pub all: bool,
    /// Only this server (may be given several times).
    #[arg(long = "server", value_name = "NAME")]
    pub servers: Vec<String>,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    /// Show the change and write nothing.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Args)]
pub struct Scan {
    /// A file, a folder of .json files, or `-` for the standard input.
    pub file: PathBuf,
    /// Read one object per line: {"id", "direction", "app", "server", "message", "request"?}; print one verdict per line.
    #[arg(long)]
    pub jsonl: bool,
    /// Keep pins between the lines of --jsonl: a changed definition is compared with the first one seen.
    #[arg(long, requires = "jsonl")]
    pub stateful: bool,
    /// Time each line of --jsonl; the summary by size goes to the standard error.
    #[arg(long, requires = "jsonl")]
    pub timing: bool,
    /// Print a SARIF 2.1.0 log.
    #[arg(long, conflicts_with = "jsonl")]
    pub sarif: bool,
    /// Which way the message goes (default: what its content says).
    #[arg(long, value_enum)]
    pub direction: Option<Way>,
    /// Method of the request that a response answers (default: what its content says).
    #[arg(long)]
    pub method: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Way {
    ToUpstream,
    ToClient,
}

impl From<Way> for Direction {
    fn from(way: Way) -> Self {
        match way {
            Way::ToUpstream => Self::ToUpstream,
            Way::ToClient => Self::ToClient,
        }
    }
}

#[derive(Args)]
pub struct Log {
    /// Words that must all occur in a row.
    pub query: Vec<String>,
    /// One row in full.
    #[arg(long, value_name = "ID", conflicts_with_all = ["query", "follow"])]
    pub id: Option<String>,
    /// Only this app.
    #[arg(long)]
    pub app: Option<String>,
    /// Only this server, by its id.
    #[arg(long, value_name = "ID")]
    pub upstream: Option<String>,
    /// Only these verdicts: allow, flag, redact, ask, block (comma list).
    #[arg(long, value_name = "LIST")]
    pub verdict: Option<String>,
    /// Only this method.
    #[arg(long)]
    pub method: Option<String>,
    /// Only this tool, prompt or resource.
    #[arg(long)]
    pub target: Option<String>,
    /// Only this way.
    #[arg(long, value_enum)]
    pub direction: Option<Way>,
    /// From then on: an age (`90s`, `15m`, `24h`, `7d`) or Unix milliseconds.
    #[arg(long, value_parser = super::log::moment)]
    pub since: Option<i64>,
    /// Until then.
    #[arg(long, value_parser = super::log::moment)]
    pub until: Option<i64>,
    /// How many rows.
    #[arg(long, short = 'n', default_value_t = 50)]
    pub limit: usize,
    /// Include the messages and findings of each row (with --json).
    #[arg(long, requires = "json")]
    pub details: bool,
    /// Go on with new rows until interrupted. Needs the running daemon.
    #[arg(long, short)]
    pub follow: bool,
}

#[derive(Subcommand)]
pub enum Pins {
    /// List what changed and what waits for you.
    List {
        /// Unchanged definitions too.
        #[arg(long)]
        all: bool,
        /// Only this server, by its id.
        #[arg(long, value_name = "ID")]
        upstream: Option<String>,
    },
    /// Show a definition, and how it differs from the approved one.
    Show { id: String },
    /// Take the definition as it is now: shows it, asks, lets it through.
    Approve {
        id: String,
        /// Of the definition that you looked at; refused when it is another by now.
        #[arg(long, value_name = "SHA256")]
        digest: Option<String>,
    },
    /// Stay with the approved definition: it passes again, a changed one does not.
    Release {
        id: String,
        /// Of the approved definition.
        #[arg(long, value_name = "SHA256")]
        digest: Option<String>,
    },
    /// Keep a definition from the app until you approve or release it.
    Quarantine { id: String },
}

#[derive(Subcommand)]
pub enum Signatures {
    /// List all signatures and the files that were refused.
    List,
    /// Show one: what it looks for, why, examples, where its file is.
    Show { id: String },
    /// Make signature files of your own from another program's rules: YARA text rules, or MCP Defender's JSON list.
    #[command(
        after_help = "What maps is written below the signatures folder as experimental files that only flag; what does not is listed with its line and the reason. Nothing is overwritten.\n\nExit codes: 0 every rule maps, 1 some do not, 66 the file cannot be read.\n\nExamples:\n  portcullis signatures import rules.yar --dry-run\n  portcullis signatures import ~/mcp-defender/signatures.json"
    )]
    Import {
        file: PathBuf,
        /// Say what would be written and write nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Check signature files: bundled and your own, or the ones given.
    Lint { files: Vec<PathBuf> },
    /// Run the examples of signature files: bundled and your own, or the ones given.
    Test { files: Vec<PathBuf> },
    /// Switch a signature on.
    On { id: String },
    /// Switch a signature off: what it finds is let through. Asks at the terminal.
    Off { id: String },
}

#[derive(Subcommand)]
pub enum Judges {
    /// What is set, and what came of it.
    List,
    /// Switch one on: asks at the terminal, because texts of messages go there.
    #[command(subcommand)]
    Set(SetJudge),
    /// Ask it about a hostile and an ordinary text that ship with Portcullis.
    Test { name: JudgeWord },
    /// Switch it off.
    Off { name: JudgeWord },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum JudgeWord {
    Model,
    Onnx,
}

impl JudgeWord {
    pub fn name(self) -> JudgeName {
        match self {
            Self::Model => JudgeName::Model,
            Self::Onnx => JudgeName::Onnx,
        }
    }
}

#[derive(Subcommand)]
pub enum SetJudge {
    /// A language model behind an OpenAI-compatible endpoint, or Ollama.
    Model {
        /// Base address: https, or http on this machine (`https://api.example.com/v1`, `http://127.0.0.1:11434`).
        #[arg(long)]
        url: String,
        #[arg(long)]
        model: String,
        /// The endpoint is Ollama's own.
        #[arg(long)]
        ollama: bool,
        /// Environment variable of the daemon that holds the key.
        #[arg(long, value_name = "NAME", conflicts_with = "key_file")]
        key_env: Option<String>,
        /// File that holds the key and that only you can read (mode 600).
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
        #[command(flatten)]
        common: JudgeCommon,
    },
    /// A text classifier in an ONNX file, run on this machine by `portcullis-onnx`. One that takes token ids needs its
    /// `tokenizer.json` in the same folder.
    Onnx {
        #[arg(long)]
        file: PathBuf,
        #[command(flatten)]
        common: JudgeCommon,
    },
}

#[derive(Args)]
pub struct JudgeCommon {
    /// Ask about everything that goes through, not only what is doubtful or nearly.
    #[arg(long)]
    pub all: bool,
    /// From 1 to 60.
    #[arg(long, default_value_t = 10)]
    pub timeout_seconds: u32,
    /// How many questions on one day (UTC).
    #[arg(long, default_value_t = 200)]
    pub per_day: u32,
    /// From this percentage on its opinion is an alert.
    #[arg(long, default_value_t = 70)]
    pub threshold: u32,
}

#[derive(Args)]
pub struct Pause {
    /// For how long (default: until resumed).
    #[arg(long)]
    pub minutes: Option<u32>,
}

#[derive(Subcommand)]
pub enum Ask {
    /// Waiting questions, and those of the last time that can still be answered for the retry.
    List,
    /// Answer one. What lets a call go on is confirmed at the terminal.
    Answer {
        /// As `portcullis ask list` shows it.
        id: String,
        #[arg(value_enum)]
        answer: AnswerWord,
        /// How long an -always answer is remembered (default: 30 days; critical findings: 24 hours).
        #[arg(long)]
        minutes: Option<u32>,
    },
    /// Stay and answer questions as they come.
    Watch,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum AnswerWord {
    /// This call only.
    Allow,
    /// Exactly the same call, in this session.
    AllowSession,
    /// Exactly the same call, for a while.
    AllowAlways,
    /// Without what was found.
    Redact,
    RedactAlways,
    Deny,
    DenyAlways,
    /// Deny, and put the server that was called into quarantine (until released, or for --minutes).
    DenyQuarantine,
}

#[derive(Subcommand)]
pub enum Decisions {
    /// Those in force, newest first.
    List {
        /// Words that must all occur.
        query: Vec<String>,
        /// Ended ones, too.
        #[arg(long)]
        all: bool,
    },
    /// Take one back.
    Revoke { id: String },
}

#[derive(Subcommand)]
pub enum Quarantine {
    /// Servers in quarantine.
    List,
    /// Put a server into quarantine.
    Add {
        server: String,
        /// For how long (default: until released).
        #[arg(long)]
        minutes: Option<u32>,
    },
    /// Let a server go. Asks at the terminal.
    Release { server: String },
}

#[derive(Args)]
pub struct Mode {
    #[arg(value_enum)]
    pub mode: Option<ModeWord>,
    /// Only for this app.
    #[arg(long, requires = "mode", conflicts_with = "server")]
    pub app: Option<String>,
    /// Only for this server, by its id.
    #[arg(long, requires = "mode", value_name = "ID")]
    pub server: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModeWord {
    /// Block nothing, tell what would have been blocked.
    Monitor,
    /// Hold what is doubtful and ask.
    Ask,
    /// Block what is doubtful without asking.
    Block,
    /// As its app, or the default.
    Inherit,
}
