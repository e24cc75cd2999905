//! Acts that reach over the network: downloads that run, remote shells, secrets that leave, and text decoded to run.

use super::Act;
use crate::predicate::path::Set;
use crate::predicate::shell::lex::{Command, Pipeline, Word};
use crate::predicate::shell::program::{INTERPRETERS, SHELLS, base, command_word, is_in, name, operands, runs_stdin};
use std::cell::LazyCell;

#[rustfmt::skip]
const FETCHERS: &[&str] = &[
    "curl", "wget", "fetch", "aria2c", "http", "https", "httpie", "iwr", "irm", "invoke-webrequest",
    "invoke-restmethod", "lynx", "certutil", "bitsadmin",
];
#[rustfmt::skip]
const SENDERS: &[&str] = &[
    "curl", "wget", "nc", "ncat", "netcat", "scp", "rsync", "ftp", "sftp", "socat", "telnet", "http", "https",
    "ssh", "dig", "nslookup", "host", "mail", "mailx", "sendmail", "mutt", "tftp", "openssl",
];
/// Installers that projects tell people to run this way.
#[rustfmt::skip]
const INSTALLERS: &[&str] = &[
    "sh.rustup.rs", "static.rust-lang.org", "get.docker.com", "install.python-poetry.org", "astral.sh",
    "deb.nodesource.com", "rpm.nodesource.com", "get.helm.sh", "raw.githubusercontent.com", "get.sdkman.io",
    "bun.sh", "deno.land", "get.pnpm.io", "nixos.org", "get.k3s.io", "install.determinate.systems",
    "sdk.cloud.google.com", "bootstrap.pypa.io", "github.com", "cli.run.pivotal.io", "dl.yarnpkg.com",
    "yarnpkg.com", "get.volta.sh", "fnm.vercel.app", "pkg.jenkins.io", "ollama.com", "tailscale.com",
    "packagecloud.io", "packages.gitlab.com", "getcomposer.org", "codecov.io", "uploader.codecov.io", "get.rvm.io",
    "cpanmin.us", "install.meteor.com", "cli.github.com", "foundation.network", "taskfile.dev", "just.systems",
    "get.haskellup.org", "get-ghcup.haskell.org", "claude.ai", "cursor.com", "mise.run", "starship.rs",
    "get.starship.rs",
];

pub(super) fn is_fetch(command: &Command) -> bool {
    FETCHERS.contains(&name(command).as_str())
}

/// None: a well-known installer, or no address to be seen.
pub(super) fn fetch_act(command: &Command) -> Option<Act> {
    let address = operands(command).find(|word| word.text.contains("://") || word.text.contains('.'))?;
    let lower = address.text.to_ascii_lowercase();
    let host = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or("").rsplit('@').next().unwrap_or("");
    let name = host.split(':').next().unwrap_or("");
    let is_address = name.parse::<std::net::Ipv4Addr>().is_ok() || host.starts_with('[');
    let is_local = name == "localhost" || name == "127.0.0.1";
    if is_local
        || !lower.starts_with("http:")
            && INSTALLERS
                .iter()
                .any(|own| name == *own || name.strip_suffix(own).is_some_and(|start| start.ends_with('.')))
    {
        return None;
    }
    Some(if is_address || lower.starts_with("http:") { Act::DownloadAndRunPlain } else { Act::DownloadAndRun })
}

pub(super) fn download_and_run(pipeline: &Pipeline) -> Option<Act> {
    let commands = &pipeline.commands;
    let last = LazyCell::new(|| commands.iter().rposition(runs_stdin));
    for (at, command) in commands.iter().enumerate() {
        if is_fetch(command) && last.is_some_and(|last| last > at) {
            return fetch_act(command);
        }
        let name = name(command);
        let runs_text = SHELLS.contains(&name.as_str())
            || INTERPRETERS.contains(&name.as_str())
            || matches!(name.as_str(), "eval" | "source" | ".");
        if runs_text {
            let inner =
                command.words.iter().chain(command.redirects.iter().map(|(_, word)| word)).flat_map(|word| &word.inner);
            if let Some(fetch) = inner.flat_map(|pipeline| &pipeline.commands).find(|command| is_fetch(command)) {
                return fetch_act(fetch);
            }
        }
    }
    None
}

pub(super) fn saved_file(command: &Command) -> Option<String> {
    let clean = |text: &str| text.trim_start_matches("./").to_owned();
    let flag = command
        .words
        .iter()
        .position(|word| matches!(word.text.as_str(), "-o" | "--output" | "-O" | "--output-document"));
    let by_flag = flag
        .filter(|at| command.words[*at].text != "-O" || name(command) == "wget")
        .and_then(|at| command.words.get(at + 1));
    let by_redirect = command.redirects.iter().find(|(operator, _)| operator.starts_with('>')).map(|(_, word)| word);
    if let Some(word) = by_flag.or(by_redirect) {
        return Some(clean(&word.text));
    }
    if matches!(name(command).as_str(), "certutil" | "bitsadmin") {
        return operands(command).last().map(|word| clean(&word.text));
    }
    // `wget URL` and `curl -O URL` keep the last part of the address.
    let keeps = name(command) == "wget"
        || command
            .words
            .iter()
            .any(|word| word.text.starts_with('-') && !word.text.starts_with("--") && word.text.contains('O'));
    let address = operands(command).find(|word| word.text.contains('/'))?;
    keeps.then(|| clean(address.text.rsplit('/').next().unwrap_or("")))
}

/// Whether a command runs what a descriptor or a variable holds: the half of a remote shell that a socket alone lacks
/// (`exec 5<>/dev/tcp/host/9` also tells whether a port is open).
pub(super) fn runs_what_comes_in(pipeline: &Pipeline) -> bool {
    pipeline.commands.iter().any(|command| {
        let by_descriptor = SHELLS.contains(&name(command).as_str())
            && command.redirects.iter().any(|(operator, word)| {
                operator.ends_with('&') || word.text.trim_start_matches('&').bytes().all(|b| b.is_ascii_digit())
            });
        by_descriptor || command_word(command).is_some_and(|word| word.text.starts_with('$'))
    })
}

/// `answered`: something in the script runs what comes in.
pub(super) fn remote_shell(pipeline: &Pipeline, answered: bool) -> bool {
    let words = || {
        pipeline
            .commands
            .iter()
            .flat_map(|command| command.words.iter().chain(command.redirects.iter().map(|(_, word)| word)))
    };
    // What the whole pipeline says is asked once: it may have as many commands as the text has room for.
    let shell = LazyCell::new(|| pipeline.commands.iter().any(|command| SHELLS.contains(&name(command).as_str())));
    let has_shell = || *shell;
    let lower = LazyCell::new(|| words().map(|word| word.text.to_ascii_lowercase()).collect::<Vec<_>>());
    let says = |needles: &[&str]| lower.iter().any(|word| needles.iter().any(|needle| word.contains(needle)));
    let has_option = LazyCell::new(|| says(&["--exec", "--sh-exec"]));
    let has_socket = LazyCell::new(|| words().any(|word| is_socket(&word.text)));
    let opens_socket = |command: &Command| command.redirects.iter().any(|(_, word)| is_socket(&word.text));
    let bare = |command: &Command| {
        command_word(command).is_none_or(|word| !word.text.is_empty() && word.text.bytes().all(|b| b.is_ascii_digit()))
    };
    let mut sockets = pipeline.commands.iter().filter(|command| opens_socket(command)).peekable();
    if sockets.peek().is_some() && has_shell() || sockets.any(|command| answered && bare(command)) {
        return true;
    }
    let mut tried: Vec<String> = Vec::new();
    for command in &pipeline.commands {
        let name = name(command);
        let flag = |letter: char| {
            command
                .words
                .iter()
                .any(|word| word.text.starts_with('-') && !word.text.starts_with("--") && word.text.contains(letter))
        };
        let opens = match name.as_str() {
            "nc" | "ncat" | "netcat" => {
                let runs = operands(command)
                    .any(|word| SHELLS.contains(&base(&word.text).as_str()) || base(&word.text) == "cmd");
                runs && (flag('e') || flag('c') || *has_option) || has_shell()
            }
            "telnet" => has_shell(),
            known if tried.iter().any(|one| one == known) => false,
            "openssl" => has_shell() && says(&["s_client"]),
            "socat" => says(&["exec:", "system:"]) && says(&["tcp", "openssl", "udp"]),
            "python" | "python2" | "python3" | "perl" | "ruby" | "php" | "node" | "lua" | "powershell" | "pwsh" => {
                says(&["socket", "tcpclient", "fsockopen", "net.connect", "require('net')", "tcpsocket"])
                    && says(&[
                        "/bin/sh",
                        "/bin/bash",
                        "cmd.exe",
                        "subprocess",
                        "pty.spawn",
                        "exec(",
                        "spawn(",
                        "popen(",
                        "popen3(",
                        "invoke-expression",
                        "iex ",
                    ])
            }
            "awk" | "gawk" => says(&["/inet/tcp/"]),
            _ => {
                if *has_socket && has_shell() {
                    return true;
                }
                continue;
            }
        };
        if opens {
            return true;
        }
        if !tried.contains(&name) {
            tried.push(name);
        }
    }
    false
}

pub(super) fn is_socket(text: &str) -> bool {
    text.starts_with("/dev/tcp/") || text.starts_with("/dev/udp/")
}

pub(super) fn sends_secrets(pipeline: &Pipeline) -> bool {
    const SECRETS: &[Set] = &[Set::PrivateKeys, Set::Credentials, Set::EnvFiles, Set::System, Set::Histories];
    // Files a network command is told to log in with stay here.
    const LOGIN_FLAGS: &[&str] = &[
        "-i",
        "--key",
        "--cert",
        "--cacert",
        "-E",
        "--netrc-file",
        "--kubeconfig",
        "--env-file",
        "-F",
        "--config",
        "-K",
        "-e",
        "--rsh",
    ];
    let secret_words = |command: &Command, flags: &[&str]| {
        let words = &command.words;
        words.iter().enumerate().any(|(at, word)| {
            let file = word.text.rsplit(['@', '=']).next().unwrap_or("");
            is_in(file, SECRETS) && !(at > 0 && flags.contains(&words[at - 1].text.as_str()))
        }) || command.redirects.iter().any(|(operator, word)| operator.starts_with('<') && is_in(&word.text, SECRETS))
    };
    let folder = |command: &Command| command.words.iter().any(|word| is_secret_folder(&word.text));
    let reads_inside = |command: &Command| {
        let inner = command.words.iter().flat_map(|word| &word.inner).flat_map(|pipeline| &pipeline.commands);
        inner.into_iter().any(|command| {
            secret_words(command, &[])
                || matches!(name(command).as_str(), "env" | "printenv")
                || is_bare_env(command)
                || prints_secrets(command)
        })
    };
    let reads = |command: &Command| {
        secret_words(command, &[]) || is_bare_env(command) || prints_secrets(command) || folder(command)
    };
    let first = LazyCell::new(|| pipeline.commands.iter().position(reads));
    for (at, command) in pipeline.commands.iter().enumerate() {
        let name = name(command);
        let to_socket =
            command.redirects.iter().any(|(operator, word)| operator.starts_with('>') && is_socket(&word.text));
        if !SENDERS.contains(&name.as_str()) && !to_socket {
            continue;
        }
        let login: &[&str] =
            if matches!(name.as_str(), "curl" | "http" | "https") { &LOGIN_FLAGS[1..7] } else { LOGIN_FLAGS };
        let before = first.is_some_and(|first| first < at);
        let sends_own = secret_words(command, login)
            && match name.as_str() {
                "curl" | "http" | "https" => command
                    .words
                    .iter()
                    .any(|word| word.text.contains('@') || matches!(word.text.as_str(), "-T" | "--upload-file")),
                "wget" => command
                    .words
                    .iter()
                    .any(|word| word.text.starts_with("--post-file") || word.text.starts_with("--body-file")),
                "scp" | "rsync" | "sftp" => {
                    let operands: Vec<&Word> = operands(command).collect();
                    operands.last().is_some_and(|last| last.text.contains(':'))
                        && operands[..operands.len() - 1].iter().any(|word| is_in(&word.text, SECRETS))
                }
                "openssl" | "ssh" => false,
                _ => true,
            };
        let sends_stdin = before && !matches!(name.as_str(), "dig" | "nslookup" | "host" | "openssl");
        if sends_own || sends_stdin || reads_inside(command) && name != "ssh" && name != "openssl" {
            return true;
        }
    }
    false
}

/// Folders that hold little but secrets.
fn is_secret_folder(text: &str) -> bool {
    let text = text.trim_end_matches(['/', '*', '.']).to_ascii_lowercase();
    let is_home = text.starts_with(['~', '/', '$', '.']);
    let ends = [".ssh", ".aws", ".gnupg", ".kube", ".password-store", ".azure", "/gcloud", "/keychains", "/keyrings"];
    is_home && ends.iter().any(|end| text.ends_with(end))
}

/// Commands that print what is stored to stay secret.
pub(super) fn prints_secrets(command: &Command) -> bool {
    const PRINTERS: &[(&str, &[&[&str]])] = &[
        ("gpg", &[&["--export-secret-keys"], &["--export-secret-subkeys"]]),
        ("kubectl", &[&["get", "secret"], &["get", "secrets"], &["config", "view", "--raw"]]),
        ("security", &[&["find-generic-password"], &["find-internet-password"], &["dump-keychain"]]),
        ("secret-tool", &[&["lookup"], &["search"]]),
        ("gh", &[&["auth", "token"]]),
        ("op", &[&["read"], &["item", "get"]]),
        ("pass", &[&["show"]]),
        ("aws", &[&["configure", "export-credentials"], &["secretsmanager", "get-secret-value"]]),
        ("gcloud", &[&["auth", "print-access-token"], &["secrets", "versions", "access"]]),
        ("az", &[&["account", "get-access-token"]]),
        ("vault", &[&["kv", "get"], &["read"]]),
    ];
    let name = name(command);
    let has =
        |word: &&str| command.words.iter().any(|one| one.text == *word || one.text.starts_with(&format!("{word}/")));
    let known = PRINTERS.iter().find(|(program, _)| *program == name);
    known.is_some_and(|(_, ways)| ways.iter().any(|words| words.iter().all(has)))
}

pub(super) fn is_bare_env(command: &Command) -> bool {
    // `env` is a wrapper too: alone it prints the environment.
    let first = command.words.first().map(|word| base(&word.text)).unwrap_or_default();
    matches!(first.as_str(), "env" | "printenv" | "set" | "export") && command.words.len() == 1
}

pub(super) fn runs_encoded(pipeline: &Pipeline) -> bool {
    let decodes = |command: &Command| {
        let name = name(command);
        let has = |flags: &[&str]| command.words.iter().any(|word| flags.contains(&word.text.as_str()));
        match name.as_str() {
            "base64" | "base32" | "openssl" => has(&["-d", "-D", "--decode", "-di"]),
            "xxd" => has(&["-r", "-rp", "-p"]) && has(&["-r", "-rp"]),
            "rev" => true,
            _ => false,
        }
    };
    let commands = &pipeline.commands;
    let last = LazyCell::new(|| commands.iter().rposition(runs_stdin));
    commands.iter().enumerate().any(|(at, command)| {
        decodes(command) && last.is_some_and(|last| last > at)
            || (SHELLS.contains(&name(command).as_str()) || matches!(name(command).as_str(), "eval" | "source"))
                && command.words.iter().flat_map(|word| &word.inner).flat_map(|inner| &inner.commands).any(decodes)
    })
}
