//! `doctor`: looks at everything that protection depends on, says what is wrong and what to do. Changes nothing.

use super::exit::{FLAGGED, Failed};
use super::terminal::{in_one_line, say, say_json, visible};
use crate::access::Access;
use crate::config::ConfigFile;
use crate::home::{self, Home};
use crate::lock::{self, Running};
use crate::signatures::Signatures;
use crate::{rules, secret, shim_binary, sign_ins};
use portcullis_domain::api::{App, ConfigAction, Preview, PreviewRequest, Status};
use serde::Serialize;
use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::ExitCode;

#[derive(Serialize)]
struct Check {
    check: &'static str,
    ok: bool,
    /// What was seen.
    detail: String,
    /// What to do, when something is wrong.
    advice: Option<String>,
}

fn good(check: &'static str, detail: impl Into<String>) -> Check {
    Check { check, ok: true, detail: detail.into(), advice: None }
}

fn bad(check: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Check {
    Check { check, ok: false, detail: detail.into(), advice: Some(advice.into()) }
}

pub fn run(as_json: bool) -> Result<ExitCode, Failed> {
    let home = Home::from_environment()?;
    let mut checks = Vec::new();
    if home.path().is_dir() {
        checks.push(private(&home));
        let (config, check) = config(&home);
        checks.push(check);
        checks.push(shim(&home));
        checks.push(seal(&home));
        checks.extend(sign_ins::whereabouts(&home).map(|detail| good("sign-ins", detail)));
        let running = lock::running(&home)?;
        checks.extend(ports(&config, running.as_ref()));
        match running {
            Some(running) => checks.extend(ask(&home, &running)?),
            None => checks.extend([
                signatures(&home),
                bad(
                    "daemon",
                    "it is not running: stdio servers are checked by the shim, URL servers do not work",
                    "start it with `portcullis serve`",
                ),
            ]),
        }
    } else {
        let detail = format!("{} does not exist yet", home.path().display());
        checks.push(bad("state folder", detail, "start Portcullis once with `portcullis serve`"));
    }
    if as_json {
        say_json(&checks)?;
    } else {
        for check in &checks {
            say(&format!("{} {}: {}", if check.ok { "ok  " } else { "FAIL" }, check.check, visible(&check.detail)))?;
            if let Some(advice) = &check.advice {
                say(&format!("       -> {}", visible(advice)))?;
            }
        }
    }
    Ok(if checks.iter().all(|check| check.ok) { ExitCode::SUCCESS } else { FLAGGED.into() })
}

#[cfg(unix)]
fn private(home: &Home) -> Check {
    use std::os::unix::fs::PermissionsExt as _;
    let name = "permissions";
    let open = |path: &Path| std::fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o077 != 0);
    let secrets = [home.token_file(), home.key_file(), home.audit_file(), home.config_file(), home.snapshot_file()];
    let all = std::iter::once(home.path().to_path_buf()).chain(secrets);
    let open: Vec<String> = all.filter(|path| open(path)).map(|path| path.display().to_string()).collect();
    if open.is_empty() {
        return good(name, format!("{} is private", home.path().display()));
    }
    let advice = format!("chmod -R go= {}", home.path().display());
    bad(name, format!("other users can read {}", open.join(", ")), advice)
}

#[cfg(not(unix))]
fn private(home: &Home) -> Check {
    good("permissions", format!("{} is below your profile", home.path().display()))
}

fn config(home: &Home) -> (ConfigFile, Check) {
    match ConfigFile::load(home) {
        Ok(config) => (config, good("config", format!("{} is valid", home.config_file().display()))),
        Err(error) => {
            let advice = "correct the named line; the daemon does not start with it";
            (ConfigFile::default(), bad("config", error.to_string(), advice))
        }
    }
}

fn shim(home: &Home) -> Check {
    let name = "shim";
    let again = "start `portcullis serve` again: it installs the shim that belongs to it";
    let ours = match shim_binary::beside(home::shim_name()) {
        Ok(path) => path,
        Err(error) => return bad(name, error.to_string(), "reinstall Portcullis"),
    };
    match (shim_binary::digest(&home.shim()), shim_binary::digest(&ours)) {
        (Ok(installed), Ok(expected)) if installed == expected => {
            good(name, format!("{} is the one of this build", home.shim().display()))
        }
        (Ok(_), Ok(_)) => {
            let detail = format!(
                "{} is not the one of this build: another version, or somebody changed it",
                home.shim().display()
            );
            bad(name, detail, again)
        }
        (Err(error), _) | (_, Err(error)) => bad(name, error.to_string(), again),
    }
}

fn seal(home: &Home) -> Check {
    let name = "rules";
    if !home.key_file().exists() {
        return good(name, "none saved yet");
    }
    let key = match secret::read_key(home) {
        Ok(Some(key)) => key,
        Ok(None) => {
            let detail = format!("{} is no key, so what was sealed with it is void", home.key_file().display());
            return bad(name, detail, "put it back from a backup, or start Portcullis, which makes a new one");
        }
        Err(error) => return bad(name, error.to_string(), "make the file readable"),
    };
    match rules::load(home, &key, None) {
        Ok(left) => match left.problem {
            None => good(name, "the saved rules are sealed and whole"),
            Some(problem) => {
                bad(name, problem, "look at the signatures that are off and at the pause, and set them again")
            }
        },
        Err(error) => bad(name, error.to_string(), "make the file readable, or move it away"),
    }
}

/// The person's own Signature files; a running daemon tells of them by itself.
fn signatures(home: &Home) -> Check {
    match Signatures::load(home, &HashSet::new()).problem() {
        None => good("signatures", "your own signature files, if any, are in order"),
        Some(problem) => bad("signatures", problem, "`portcullis signatures lint` says what is wrong with each"),
    }
}

fn ports(config: &ConfigFile, running: Option<&Running>) -> Vec<Check> {
    let name = "ports";
    if let Some(running) = running {
        let chosen = config.ports.proxy.unwrap_or(running.proxy_port);
        if chosen == running.proxy_port {
            return vec![good(name, format!("proxy {}, dashboard {}", running.proxy_port, running.dashboard_port))];
        }
        let detail = format!("the daemon uses {} for the proxy, config.toml says {chosen}", running.proxy_port);
        return vec![bad(name, detail, "restart the daemon without --proxy-port, or protect the apps again")];
    }
    let chosen = [("proxy", config.ports.proxy), ("dashboard", config.ports.dashboard)];
    let taken = chosen.into_iter().filter_map(|(which, port)| {
        let port = port?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err().then(|| {
            let detail = format!("port {port} ({which}) is taken by another program");
            bad(name, detail, format!("stop that program: `ss -ltnp | grep {port}` shows it"))
        })
    });
    let taken: Vec<Check> = taken.collect();
    if taken.is_empty() { vec![good(name, "free for the daemon")] } else { taken }
}

/// What only the running daemon knows.
fn ask(home: &Home, running: &Running) -> Result<Vec<Check>, Failed> {
    let access = Access::remote(running.dashboard_port, secret::api_token(home)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut checks = Vec::new();
    let status = runtime.block_on(access.get::<Status>("/api/status"));
    match status {
        Ok(status) => {
            checks.push(good("daemon", format!("process {} answers on {}", running.pid, status.dashboard_address)));
            checks.extend(status.problems.into_iter().map(|problem| {
                bad("daemon", problem, "see the sentence itself; a restart of the daemon looks at everything again")
            }));
        }
        Err(error) => {
            let advice = format!("end process {} and start `portcullis serve` again", running.pid);
            checks.push(bad("daemon", error.message, advice));
            return Ok(checks);
        }
    }
    match runtime.block_on(access.get::<Vec<App>>("/api/apps")) {
        Ok(apps) => {
            checks.extend(apps.iter().filter(|app| app.files.iter().any(|file| file.exists)).map(config_of));
            checks.extend(apps.iter().flat_map(not_covered));
            for app in apps.iter().filter(|app| app.files.iter().any(|file| file.exists && file.problem.is_none())) {
                checks.extend(runtime.block_on(refusals(&access, app)));
            }
        }
        Err(error) => checks.push(bad("apps", error.message, "see `portcullis apps`")),
    }
    Ok(checks)
}

/// What is on this machine and does not go through Portcullis, each with its reason. No fault, so no failed check.
fn not_covered(app: &App) -> Vec<Check> {
    use portcullis_domain::api::Observed;
    let mut found = Vec::new();
    if let Some(reason) = app.not_covered.as_ref().filter(|_| app.installed || app.running) {
        found.push(good("not covered", format!("{}: {reason}", app.name)));
    }
    for other in &app.elsewhere {
        let detail = format!("{}: {} ({}): {}; {}", app.name, other.what, other.path, other.reason, other.instead);
        found.push(good("not covered", detail));
    }
    for server in app.files.iter().flat_map(|file| &file.servers) {
        if let Observed::NotCovered { reason } = &server.observed {
            found.push(good("not covered", format!("{}: {}: {reason}", app.name, server.name)));
        }
    }
    found
}

/// Files that a protect would be refused, with the reason.
async fn refusals(access: &Access, app: &App) -> Vec<Check> {
    let request = PreviewRequest { action: ConfigAction::Protect, servers: None };
    let id: String = url::form_urlencoded::byte_serialize(app.id.as_str().as_bytes()).collect();
    let preview = access.post::<Preview>(&format!("/api/apps/{id}/preview"), &request).await;
    let refused = preview.map(|preview| preview.files).unwrap_or_default().into_iter().filter_map(|file| file.refused);
    let advice = format!("`portcullis diff {}` shows the lines to put in by hand", app.id);
    refused.map(|reason| bad("app config", format!("{}: {reason}", app.name), advice.clone())).collect()
}

fn config_of(app: &App) -> Check {
    use portcullis_domain::api::Observed;
    if let Some(problem) = app.files.iter().find_map(|file| file.problem.clone()) {
        return bad(
            "app config",
            format!("{}: {problem}", app.name),
            "correct the file; Portcullis does not write into it as it is",
        );
    }
    let servers = || app.files.iter().flat_map(|file| &file.servers);
    let wrong = servers().find_map(|server| match &server.observed {
        Observed::Bypassing { reason } | Observed::Failing { reason, .. } => Some((&server.name, reason)),
        _ => None,
    });
    if let Some((server, reason)) = wrong {
        let advice = format!("`portcullis apps` lists every server of {} with its state", app.name);
        return bad("app config", format!("{}: {server}: {}", app.name, in_one_line(reason)), advice);
    }
    let edited: Vec<&str> =
        servers().filter(|s| s.observed == Observed::EditedOutside).map(|s| s.name.as_str()).collect();
    if !edited.is_empty() {
        let detail = format!("{}: {} edited outside, not checked", app.name, edited.join(", "));
        return bad(
            "app config",
            detail,
            format!("run `portcullis protect {}` again if you did not mean that", app.id),
        );
    }
    let protected = servers().filter(|server| server.protected).count();
    good("app config", format!("{}: {protected} of {} servers protected", app.name, servers().count()))
}
