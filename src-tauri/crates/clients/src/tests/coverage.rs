//! What is observed of running apps, with real processes. The app is played by a copy of the shell under the app's program
//! name, its servers by `tail`: what counts is who started whom, and no app that can be installed here is needed for that.

use super::{Home, cursor};
use crate::{Clients, ClientsConfig, ProcessInfo, Processes, SystemProcesses, Traffic};
use portcullis_domain::api::{ConfigAction, Observed, UsedBy};
use portcullis_domain::{AppId, UnixMs};
use std::collections::HashMap;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

struct Running {
    app: Child,
}

impl Drop for Running {
    fn drop(&mut self) {
        // With everything that it started.
        let _ = Command::new("kill").args(["-9", "--", &format!("-{}", self.app.id())]).status();
        let _ = self.app.wait();
    }
}

/// A copy of the shell with that name, running `script`. `$0` is a copy with the shim's name.
fn start(home: &Home, name: &str, script: &str) -> Running {
    let shell = std::fs::canonicalize("/bin/sh").unwrap();
    let copy = |name: &str| -> PathBuf {
        let to = home.machine.home.join(name);
        if !to.exists() {
            std::fs::copy(&shell, &to).unwrap();
        }
        to
    };
    let (program, shim) = (copy(name), copy("portcullis-shim"));
    let app =
        Command::new(program).arg("-c").arg(script).arg(shim).process_group(0).stdin(Stdio::piped()).spawn().unwrap();
    Running { app }
}

fn clients(home: &Home) -> Clients {
    Clients::open(ClientsConfig {
        machine: home.machine.clone(),
        state_dir: home.state_dir.clone(),
        own_apps: home.own_apps(),
        shim: home.shim.clone(),
        proxy_port: home.port,
        serving: home.serving,
        processes: Arc::new(SystemProcesses),
    })
    .unwrap()
}

fn observed(clients: &Clients, app: &AppId, server: &str, seen: Option<UnixMs>) -> Observed {
    let app = clients.app(app).unwrap().into_api(|_| Traffic { last_seen: seen, ..Traffic::default() });
    let servers = app.files.into_iter().flat_map(|file| file.servers);
    servers.into_iter().find(|found| found.name == server).unwrap().observed
}

/// Far beyond what a loaded machine needs.
fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The test's own `tail`: its argument is a file of this home.
fn tail_runs(home: &Home) -> Option<ProcessInfo> {
    let file = home.machine.home.join("log").display().to_string();
    SystemProcesses
        .list()
        .into_iter()
        .find(|p| p.args.first().is_some_and(|a| a == "tail") && p.args.last() == Some(&file))
}

fn furnished() -> (Home, String) {
    let home = Home::new();
    let log = home.machine.home.join("log");
    home.write(&log, "");
    let tail = format!("tail -f {}", log.display());
    home.write(
        &home.cursor(),
        format!(r#"{{"mcpServers":{{"a":{{"command":"/usr/bin/tail","args":["-f","{}"]}}}}}}"#, log.display()),
    );
    (home, tail)
}

fn now() -> UnixMs {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as UnixMs
}

#[test]
fn a_server_that_an_app_runs_past_the_shim_is_bypassing_and_one_behind_it_is_not() {
    let (home, tail) = furnished();
    let clients = clients(&home);
    let state = |seen| observed(&clients, &cursor(), "a", seen);
    let running = start(&home, "cursor", &format!("{tail} & wait"));
    until("the server", || tail_runs(&home).is_some());
    assert!(matches!(state(None), Observed::NotCovered { .. }), "nothing is protected, so nothing is bypassed");
    // Protected since, and the app still runs what it began with.
    clients.run(&cursor(), ConfigAction::Protect);
    let Observed::Bypassing { reason } = state(None) else { panic!("{:?}", state(None)) };
    let pid = tail_runs(&home).unwrap().pid.to_string();
    assert!(reason.contains("Cursor") && reason.contains(&pid) && reason.contains("restart"), "{reason}");
    // What was seen of another process of the app does not hide it.
    assert!(matches!(state(Some(now())), Observed::Bypassing { .. }));
    drop(running);
    until("its end", || tail_runs(&home).is_none());
    assert!(matches!(state(None), Observed::NotYetSeen { .. }), "{:?}", state(None));

    let _running = start(&home, "cursor", &format!("\"$0\" -c '{tail} & wait' & wait"));
    until("the server", || tail_runs(&home).is_some());
    let at = now();
    assert_eq!(state(Some(at)), Observed::Seen { at });
    assert!(!matches!(state(None), Observed::Bypassing { .. }));
}

#[test]
fn beside_protected_servers_a_new_one_is_bypassing_and_one_left_out_on_purpose_is_not() {
    let (home, tail) = furnished();
    let clients = clients(&home);
    home.edit("{\"mcpServers\":{", "{\"mcpServers\":{\"other\":{\"command\":\"x\"},");
    let only = |action, name: &str| {
        let preview = clients.preview(&cursor(), action, Some(&[name.to_string()])).unwrap();
        clients.apply(&preview.token).unwrap();
    };
    only(ConfigAction::Protect, "other");
    let _running = start(&home, "cursor", &format!("{tail} & wait"));
    until("the server", || tail_runs(&home).is_some());
    assert!(matches!(observed(&clients, &cursor(), "a", None), Observed::Bypassing { .. }));
    only(ConfigAction::Protect, "a");
    only(ConfigAction::Restore, "a");
    assert!(matches!(observed(&clients, &cursor(), "a", None), Observed::NotCovered { .. }));
    // The person changed the entry back by hand: that is no choice made here.
    only(ConfigAction::Protect, "a");
    home.write(
        &home.cursor(),
        format!(
            r#"{{"mcpServers":{{"a":{{"command":"tail","args":["-f","{}"]}}}}}}"#,
            home.machine.home.join("log").display()
        ),
    );
    assert!(matches!(observed(&clients, &cursor(), "a", None), Observed::Bypassing { .. }));
}

#[test]
fn a_process_of_another_program_or_of_an_editor_for_its_extension() {
    let (home, tail) = furnished();
    let clients = clients(&home);
    let cline = AppId::new("cline");
    home.write(&home.machine.home.join(".cline/data/settings/cline_mcp_settings.json"), home.read());
    clients.run(&cursor(), ConfigAction::Protect);
    clients.run(&cline, ConfigAction::Protect);
    // A person at a terminal starts the same server: no app does.
    let person = start(&home, "some-shell", &format!("{tail} & wait"));
    until("the server", || tail_runs(&home).is_some());
    assert!(!matches!(observed(&clients, &cursor(), "a", None), Observed::Bypassing { .. }));
    drop(person);
    // An extension's servers are started by its editor.
    let _running = start(&home, "code", &format!("{tail} & wait"));
    until("the server", || tail_runs(&home).is_some());
    let Observed::Bypassing { reason } = observed(&clients, &cline, "a", None) else { panic!() };
    assert!(reason.starts_with("VS Code runs it"), "{reason}");
}

#[test]
fn an_app_that_has_been_running_since_before_waits_for_its_restart() {
    let home = Home::new();
    let (app, path) = (AppId::new("codex"), home.machine.home.join(".codex/config.toml"));
    home.write(&path, "[mcp_servers.a]\nurl = \"https://h.example/mcp\"\n");
    let clients = clients(&home);
    let running = start(&home, "codex", "read never");
    let started = || clients.app(&app).unwrap().started;
    until("the app", || started().is_some());
    // The process table counts whole seconds.
    until("the next second", || now() / 1000 > started().unwrap() / 1000);
    clients.run(&app, ConfigAction::Protect);
    assert!(matches!(observed(&clients, &app, "a", None), Observed::Waiting { .. }));
    let long_ago = Some(now() - 3_600_000);
    assert!(
        matches!(observed(&clients, &app, "a", long_ago), Observed::Waiting { .. }),
        "seen before it was protected"
    );
    drop(running);
    let Observed::NotYetSeen { hint } = observed(&clients, &app, "a", None) else { panic!() };
    assert!(hint.contains("when Codex starts"), "{hint}");
    let _running = start(&home, "codex", "read never");
    until("the app", || started().is_some());
    assert!(!matches!(observed(&clients, &app, "a", Some(now())), Observed::Waiting { .. }));
}

#[test]
fn an_entry_that_cannot_work_is_broken() {
    let mut home = Home::with_cursor(r#"{"mcpServers":{"s":{"command":"npx"},"r":{"url":"https://h.example/mcp"}}}"#);
    home.clients().protect();
    let state = |home: &Home, server: &str| observed(&home.clients(), &cursor(), server, None);
    assert!(matches!(state(&home, "s"), Observed::NotYetSeen { .. }));
    std::fs::remove_file(&home.shim).unwrap();
    home.port += 1;
    for server in ["s", "r"] {
        let Observed::Failing { reason, since: None } = state(&home, server) else {
            panic!("{:?}", state(&home, server))
        };
        assert!(reason.contains("protect it again"), "{reason}");
    }
    home.edit("\"run\"", "\"walk\"");
    assert!(matches!(state(&home, "s"), Observed::Failing { reason, .. } if reason.contains("edited")));
}

/// Some files are read by several apps: each is told by the programs above its shim.
#[test]
fn a_server_that_only_another_app_used_is_not_seen_for_this_one() {
    let home = Home::with_cursor(r#"{"mcpServers":{"s":{"command":"npx"}}}"#);
    let clients = home.clients();
    clients.protect();
    let at = |app: &str| (7, format!("/usr/share/{app}/{app}"));
    assert_eq!(clients.app_in(&[(3, "/usr/bin/node".into()), at("cursor"), at("code")]), Some(cursor()));
    assert_eq!(clients.app_in(&[(3, "/usr/bin/bash".into()), (1, "systemd".into())]), None);
    let user = |app: Option<&str>| UsedBy {
        app: app.map(AppId::new),
        name: app.unwrap_or("node").into(),
        client: Some("Cursor".into()),
    };
    let state = |used_by: Vec<UsedBy>| {
        let view = clients.app(&cursor()).unwrap();
        let traffic = |_: &_| Traffic { last_seen: Some(now() + 1), used_by: used_by.clone(), ..Traffic::default() };
        view.into_api(traffic).files[0].servers[0].observed.clone()
    };
    assert!(matches!(state(vec![]), Observed::Seen { .. }), "nobody said who it was");
    assert!(matches!(state(vec![user(Some("vscode")), user(Some("cursor"))]), Observed::Seen { .. }));
    assert!(matches!(state(vec![user(Some("vscode")), user(None)]), Observed::Seen { .. }), "one is unknown");
    // What a client calls itself decides nothing.
    let Observed::NotYetSeen { hint } = state(vec![user(Some("vscode"))]) else { panic!() };
    assert!(hint.contains("only vscode"), "{hint}");
}

#[derive(serde::Deserialize)]
struct Seen {
    app: String,
    of: String,
    processes: Vec<SeenProcess>,
}
#[derive(serde::Deserialize)]
struct SeenProcess {
    #[serde(default)]
    app: bool,
    name: Option<String>,
    exe: PathBuf,
    args: Vec<String>,
}

#[test]
fn command_line_apps_are_known_in_the_process_tables_that_they_left() {
    let tables: HashMap<String, Vec<Seen>> = toml::from_str(include_str!("processes.toml")).unwrap();
    let clients = Home::new().clients();
    let mut known = 0;
    for Seen { app, of, processes } in &tables["table"] {
        for process in processes {
            let seen = ProcessInfo {
                pid: 7,
                name: process.name.clone().unwrap_or_else(|| "node".into()),
                exe: Some(process.exe.clone()),
                args: process.args.clone(),
                ..ProcessInfo::default()
            };
            let found = clients.apps.iter().filter(|known| clients.is_running(known, std::slice::from_ref(&seen)));
            let found: Vec<&str> = found.map(|app| app.id.as_str()).collect();
            let wanted: &[&str] = if process.app { &[app] } else { &[] };
            assert_eq!(found, wanted, "{of}: {:?} {:?}", process.exe, process.args);
            known += usize::from(process.app);
        }
    }
    assert!(known >= 20, "{known}");
}

#[test]
fn every_app_with_a_command_can_be_seen_running() {
    for app in crate::bundled().unwrap().iter().filter(|app| !app.installed.commands.is_empty()) {
        let script = &app.script;
        let scripts = script.paths.len() + script.packages.len() + script.titles.len();
        assert!(app.running.on(crate::Os::Linux).count() + scripts > 0, "{}", app.id);
    }
}

/// Real Node, real children: the app is a script of our own under the app's name.
#[test]
fn a_node_program_that_runs_a_server_past_the_shim_is_bypassing() {
    let node =
        std::env::var_os("PATH").and_then(|path| std::env::split_paths(&path).find(|p| p.join("node").is_file()));
    let Some(node) = node.map(|directory| directory.join("node")) else { panic!("this test needs Node on the PATH") };
    let scripts = [
        ("gemini-cli", ".gemini/settings.json", "npm/bin/gemini", None),
        ("qwen-code", ".qwen/settings.json", "npm/lib/node_modules/@qwen-code/qwen-code/cli.js", None),
        ("claude-code", ".claude.json", "old/cli.js", Some("claude")),
    ];
    for (id, config, script, title) in scripts {
        let (home, _) = furnished();
        let app = AppId::new(id);
        let log = home.machine.home.join("log");
        home.write(&home.machine.home.join(config), home.read());
        let clients = clients(&home);
        clients.run(&app, ConfigAction::Protect);
        let script = home.machine.home.join(script);
        let title = title.map(|title| format!("process.title = {title:?};")).unwrap_or_default();
        let source = format!(
            "{title} require('node:child_process').spawn('tail', ['-f', {:?}], {{ stdio: 'ignore' }});",
            log.display().to_string()
        );
        home.write(&script, source);
        assert!(!matches!(observed(&clients, &app, "a", None), Observed::Bypassing { .. }), "{id}");
        let running = Running { app: Command::new(&node).arg(&script).process_group(0).spawn().unwrap() };
        until("the server", || tail_runs(&home).is_some());
        let Observed::Bypassing { reason } = observed(&clients, &app, "a", None) else {
            panic!("{id}: {:?}", observed(&clients, &app, "a", None))
        };
        assert!(reason.contains("runs it directly"), "{reason}");
        let above_a_shim = [(running.app.id(), node.canonicalize().unwrap().display().to_string())];
        assert_eq!(clients.app_in(&above_a_shim), Some(app.clone()), "told apart by what it runs");
        assert_eq!(clients.app_in(&[(running.app.id(), String::new())]), Some(app.clone()));
        assert_eq!(clients.app_in(&[(std::process::id(), above_a_shim[0].1.clone())]), None, "of another process now");
        assert!(clients.app(&app).unwrap().running && clients.app(&app).unwrap().started.is_some(), "{id}");
        drop(running);
        until("its end", || tail_runs(&home).is_none());
        assert!(!matches!(observed(&clients, &app, "a", None), Observed::Bypassing { .. }), "{id}");
    }
}

/// `claude mcp serve` and `codex mcp-server` are servers of whoever starts them.
#[test]
fn an_app_that_another_one_runs_as_a_server_is_bypassing() {
    let home = Home::with_cursor(
        r#"{"mcpServers":{"codex":{"command":"codex","args":["mcp-server"]},"bare":{"command":"codex"}}}"#,
    );
    let process = |pid, parent, exe: &str, args: &[&str]| ProcessInfo {
        pid,
        parent: Some(parent),
        exe: Some(exe.into()),
        args: args.iter().map(|arg| (*arg).to_string()).collect(),
        ..ProcessInfo::default()
    };
    let clients = home.clients();
    clients.protect();
    let state = |list: &[ProcessInfo], server: &str| {
        let mut views = [clients.app(&cursor()).unwrap()];
        clients.look_at_processes(&mut views, list);
        let [view] = views;
        let servers = view.into_api(|_| Traffic::default()).files.remove(0).servers;
        servers.into_iter().find(|found| found.name == server).unwrap().observed
    };
    let editor = process(2, 1, "/usr/share/cursor/cursor", &["cursor"]);
    let server = [editor.clone(), process(3, 2, "/usr/bin/codex", &["codex", "mcp-server"])];
    assert!(matches!(state(&server, "codex"), Observed::Bypassing { .. }));
    assert!(!matches!(state(&server, "bare"), Observed::Bypassing { .. }));
    // A person starts the app itself in the editor's terminal.
    let terminal = [editor, process(3, 2, "/usr/bin/codex", &["codex"])];
    assert!(["codex", "bare"].iter().all(|name| !matches!(state(&terminal, name), Observed::Bypassing { .. })));
}
