//! Apps as data: their files on each system, what they show, and the examples in their descriptors.

use super::{Home, PORT, claude, cursor, text};
use crate::{AppView, Machine, Os, Traffic, bundled};
use portcullis_domain::Transport;
use portcullis_domain::api::{ConfigAction, Observed};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

fn paths(app: &str, machine: &Machine) -> Vec<PathBuf> {
    bundled()
        .unwrap()
        .iter()
        .find(|known| known.id == app)
        .unwrap()
        .config_files(machine)
        .into_iter()
        .map(|place| place.path)
        .collect()
}

#[test]
fn configs_are_where_each_system_keeps_them() {
    let machine = |os, env: &[(&str, &str)]| Machine {
        os,
        home: "/u/eve".into(),
        env: env.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect::<HashMap<_, _>>(),
    };
    let file = "Claude/claude_desktop_config.json";
    let p = |path: String| vec![PathBuf::from(path)];
    let linux = machine(Os::Linux, &[]);
    assert_eq!(paths("cursor", &linux), p("/u/eve/.cursor/mcp.json".into()));
    assert_eq!(paths("claude-desktop", &linux), p(format!("/u/eve/.config/{file}")));
    let xdg = machine(Os::Linux, &[("XDG_CONFIG_HOME", "/cfg")]);
    assert_eq!(paths("claude-desktop", &xdg), p(format!("/cfg/{file}")));
    let mac = machine(Os::MacOs, &[]);
    assert_eq!(paths("cursor", &mac), p("/u/eve/.cursor/mcp.json".into()));
    assert_eq!(paths("claude-desktop", &mac), p(format!("/u/eve/Library/Application Support/{file}")));
    let env = [("USERPROFILE", "C:/Users/eve"), ("APPDATA", "C:/Users/eve/AppData/Roaming")];
    let windows = machine(Os::Windows, &env);
    assert_eq!(paths("cursor", &windows), p("C:/Users/eve/.cursor/mcp.json".into()));
    assert_eq!(paths("claude-desktop", &windows), p(format!("C:/Users/eve/AppData/Roaming/{file}")));
}

#[test]
fn the_store_package_of_claude_desktop_reads_its_private_copy() {
    let home = Home::on(Os::Windows);
    let plain = home.machine.home.join("AppData/Roaming/Claude/claude_desktop_config.json");
    assert_eq!(paths("claude-desktop", &home.machine), std::slice::from_ref(&plain));
    let package = home.machine.home.join("AppData/Local/Packages/Claude_pzs8sxrjxfjjc");
    std::fs::create_dir_all(&package).unwrap();
    let private = package.join("LocalCache/Roaming/Claude/claude_desktop_config.json");
    assert_eq!(paths("claude-desktop", &home.machine), std::slice::from_ref(&private));
    let before =
        "{\r\n  \"mcpServers\": {\r\n    \"t\": { \"command\": \"cmd\", \"args\": [\"/c\", \"npx\"] }\r\n  }\r\n}";
    home.write(&private, before);
    let clients = home.clients();
    clients.run(&claude(), ConfigAction::Protect);
    assert!(text(&private).contains("\"--\", \"cmd\", \"/c\", \"npx\""), "{}", text(&private));
    assert!(!plain.exists());
    clients.run(&claude(), ConfigAction::Restore);
    assert_eq!(text(&private), before);
}

#[test]
fn windows_shims_are_recognised_by_either_separator() {
    let id = "a".repeat(26);
    let entry = r#"{"command":"C:\\Users\\eve\\.portcullis\\bin\\Portcullis-Shim.EXE","args":["run","--id","ID","--","cmd","/c","npx"]}"#;
    let home = Home::with_cursor(format!(r#"{{"mcpServers":{{"t":{}}}}}"#, entry.replace("ID", &id)));
    let clients = home.clients();
    assert!(clients.server("t").protected);
    clients.restore();
    assert_eq!(home.read(), r#"{"mcpServers":{"t":{"command":"cmd","args":["/c","npx"]}}}"#);
}

/// In every app's every shape: before, protected, protected again, and given back to the byte.
#[test]
fn descriptor_examples_hold() {
    for app in bundled().unwrap() {
        for (at, example) in app.examples.iter().enumerate() {
            let case = format!("{} example {at}", app.id);
            let os = [Os::Linux, Os::Windows].into_iter().find(|os| app.files.on(*os).next().is_some());
            let home = Home::on(os.unwrap_or(Os::Linux));
            let path = example_file(&app, &home, example.file.as_deref());
            home.write(&path, &example.before);
            let clients = home.clients();
            clients.run(&app.app_id(), ConfigAction::Protect);
            let view = clients.app(&app.app_id()).unwrap();
            let problems: Vec<_> = view.files.iter().filter_map(|file| file.problem.as_ref()).collect();
            assert!(problems.is_empty(), "{case}: {problems:?}");
            let mut expected =
                example.after.replace("SHIM", &home.shim.display().to_string()).replace("PORT", &PORT.to_string());
            // One `ID` per server, in the order of the file.
            for id in view.servers().filter_map(|server| server.id.as_ref()) {
                expected = expected.replacen("ID", id.as_str(), 1);
            }
            assert_eq!(text(&path), expected, "{case}");
            clients.run(&app.app_id(), ConfigAction::Protect);
            assert_eq!(text(&path), expected, "{case}: never twice");
            // As if the person had added a line since: each entry by itself.
            std::fs::write(&path, format!("{expected}\n")).unwrap();
            clients.run(&app.app_id(), ConfigAction::Restore);
            assert_eq!(text(&path), format!("{}\n", example.before), "{case}");
            std::fs::write(&path, &example.before).unwrap();
            clients.run(&app.app_id(), ConfigAction::Protect);
            clients.run(&app.app_id(), ConfigAction::Restore);
            assert_eq!(text(&path), example.before, "{case}");
        }
    }
}

fn example_file(app: &crate::Descriptor, home: &Home, wanted: Option<&str>) -> PathBuf {
    match wanted {
        None => {
            let place = app.config_files(&home.machine).into_iter().find(|place| place.read_only.is_none());
            place.unwrap_or_else(|| panic!("{} has no file", app.id)).path
        }
        Some(inside) if app.projects.iter().any(|file| file.path == inside) => {
            let folder = home.machine.home.join("project");
            std::fs::create_dir_all(&folder).unwrap();
            home.clients().add_folder(&folder).unwrap().join(inside)
        }
        Some(template) => home.machine.expand(template).unwrap(),
    }
}

#[test]
fn remote_entries_lead_to_the_proxy_by_transport() {
    let home = Home::with_cursor(
        r#"{"mcpServers":{
            "My Docs":{"url":"https://h.example/v1/mcp?k=1"},
            "old":{"type":"sse","url":"https://h.example/x"},
            "older":{"url":"https://h.example/a/sse/?k=1"},
            "not-sse":{"url":"https://h.example/sse/x"}
        }}"#,
    );
    let clients = home.clients();
    clients.protect();
    let url = |name: &str, slug: &str, end: &str| {
        let url = format!("\"http://127.0.0.1:{PORT}/cursor/{slug}~{}/{end}\"", clients.id(name));
        assert!(home.read().contains(&url), "{url} in {}", home.read());
    };
    url("My Docs", "my-docs", "mcp");
    url("old", "old", "sse");
    url("older", "older", "sse");
    url("not-sse", "not-sse", "mcp");
    let upstreams = clients.upstreams().unwrap();
    let old = upstreams.iter().find(|upstream| upstream.name == "old").unwrap();
    assert_eq!((old.transport, old.url.as_deref()), (Transport::Sse, Some("https://h.example/x")));
    assert_eq!((old.app_name.as_str(), old.id.as_str()), ("Cursor", clients.id("old").as_str()));
}

#[test]
fn our_own_entries_are_known_again_and_never_wrapped_twice() {
    let home = Home::with_cursor(r#"{"mcpServers":{"s":{"command":"npx"},"r":{"url":"https://h.example/mcp"}}}"#);
    home.clients().protect();
    let (s, r) = (home.clients().id("s"), home.clients().id("r"));
    // The shim moved, the port changed: the same entries lead to the new places, with the same ids.
    let mut home = home;
    home.shim = home.state_dir.join("portcullis-shim");
    std::fs::write(&home.shim, "").unwrap();
    home.port = 5000;
    let clients = home.clients();
    clients.protect();
    let now = home.read();
    assert_eq!(now.matches("--id").count(), 1, "{now}");
    assert!(now.contains(&home.shim.display().to_string()) && now.contains(":5000/") && !now.contains("4711"), "{now}");
    assert_eq!((clients.id("s"), clients.id("r")), (s, r));
    clients.restore();
    assert_eq!(home.read(), r#"{"mcpServers":{"s":{"command":"npx"},"r":{"url":"https://h.example/mcp"}}}"#);
}

#[test]
fn a_server_protected_again_keeps_its_id() {
    let home = Home::with_cursor(
        r#"{"mcpServers":{"s":{"command":"npx","args":["a@1"]},"r":{"url":"https://h.example/mcp"}}}"#,
    );
    let clients = home.clients();
    clients.protect();
    let before = (clients.id("s"), clients.id("r"));
    clients.restore();
    let shown = |name: &str| clients.server(name).id.map(|id| id.to_string());
    assert_eq!((shown("s"), shown("r")), (Some(before.0.clone()), Some(before.1.clone())), "given back, still known");
    home.edit("a@1", "a@2");
    clients.protect();
    assert_eq!((clients.id("s"), clients.id("r")), before);
    clients.restore();
    home.edit("https://h.example", "https://other.example");
    assert_eq!((shown("s"), shown("r")), (Some(before.0.clone()), None), "another server under the same name");
    clients.protect();
    assert_eq!(clients.id("s"), before.0);
    assert_ne!(clients.id("r"), before.1, "an id's URL is never given another meaning");
}

#[test]
fn equal_looking_names_are_different_servers() {
    let home =
        Home::with_cursor(r#"{"mcpServers":{"a b":{"url":"https://1.example/"},"a/b":{"url":"https://2.example/"}}}"#);
    let clients = home.clients();
    clients.protect();
    assert_ne!(clients.id("a b"), clients.id("a/b"));
    clients.restore();
    assert_eq!(
        home.read(),
        r#"{"mcpServers":{"a b":{"url":"https://1.example/"},"a/b":{"url":"https://2.example/"}}}"#
    );
}

fn api(view: AppView, seen: Option<i64>) -> portcullis_domain::api::App {
    view.into_api(|_| Traffic { last_seen: seen, messages_24h: 3, ..Traffic::default() })
}

#[test]
fn the_dashboard_sees_observed_states_and_no_secrets() {
    let home = Home::with_cursor(
        r#"{"mcpServers":{"s":{"command":"npx","args":["x","--api-key","hunter2"]},"v":{"url":"https://${env:H}/"}}}"#,
    );
    let clients = home.clients();
    let before = api(clients.app(&cursor()).unwrap(), None);
    assert_eq!(before.protected, Some(false));
    assert_eq!(before.files[0].servers[0].original, "npx x --api-key •••");
    assert!(matches!(before.files[0].servers[0].observed, Observed::NotCovered { .. }));
    clients.protect();
    let after = api(clients.app(&cursor()).unwrap(), None);
    assert_eq!(after.protected, Some(true));
    assert!(matches!(after.files[0].servers[0].observed, Observed::NotYetSeen { .. }));
    assert_eq!(after.files[0].servers[0].original, "npx x --api-key •••");
    let seen = api(clients.app(&cursor()).unwrap(), Some(7));
    assert!(matches!(seen.files[0].servers[0].observed, Observed::Seen { at: 7 }));
    assert!(
        matches!(&seen.files[0].servers[1].observed, Observed::NotCovered { reason } if reason.contains("variable"))
    );
}

#[test]
fn apps_are_listed_with_those_that_are_here_first_and_the_drill_is_not() {
    let home = Home::new();
    home.write(&home.cursor(), "{}");
    home.start("/usr/share/cursor/cursor");
    let apps = home.clients().apps().unwrap();
    assert_eq!(apps[0].id.as_str(), "cursor");
    assert!(apps[0].running && apps[1..].iter().all(|app| !app.running && app.id.as_str() != "drill"));
    assert!(home.clients().app(&portcullis_domain::AppId::new("drill")).is_ok());
    assert_eq!(home.clients().app(&portcullis_domain::AppId::new("nope")).unwrap_err().code(), "unknown_app");
}

#[test]
fn one_server_can_be_protected_and_restored_by_itself() {
    let before = r#"{"mcpServers":{"a":{"command":"x"},"b":{"command":"y","args":["1"]}}}"#;
    let home = Home::with_cursor(before);
    let clients = home.clients();
    let only = |action, name: &str| {
        let preview = clients.preview(&cursor(), action, Some(&[name.to_string()])).unwrap();
        clients.apply(&preview.token).unwrap();
    };
    only(ConfigAction::Protect, "b");
    assert!(!clients.server("a").protected && clients.server("b").protected);
    assert_eq!(clients.app(&cursor()).unwrap().protected, None);
    only(ConfigAction::Protect, "a");
    only(ConfigAction::Restore, "b");
    assert!(clients.server("a").protected && !clients.server("b").protected);
    only(ConfigAction::Restore, "a");
    assert_eq!(home.read(), before);
    let missing = clients.preview(&cursor(), ConfigAction::Protect, Some(&["zzz".to_string()])).unwrap_err();
    assert_eq!(missing.code(), "not_found");
}

#[test]
fn a_wrapped_entry_of_another_machine_is_adopted() {
    let id = "b".repeat(26);
    let home = Home::with_cursor(format!(
        r#"{{"mcpServers":{{"t":{{"command":"/elsewhere/portcullis-shim","args":["run","--id","{id}","--","uvx","time"]}}}}}}"#
    ));
    let clients = home.clients();
    assert_eq!(clients.upstreams().unwrap()[0].command, ["uvx", "time"]);
    clients.protect();
    assert_eq!(clients.id("t"), id);
    assert!(home.read().contains(&home.shim.display().to_string()));
    clients.restore();
    assert_eq!(home.read(), r#"{"mcpServers":{"t":{"command":"uvx","args":["time"]}}}"#);
}

/// Real-looking files, as apps and people leave them.
#[test]
fn fixtures_survive_the_round_trip() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/clients");
    let mut count = 0;
    for file in std::fs::read_dir(&directory).unwrap().flatten() {
        let before = std::fs::read(file.path()).unwrap();
        let home = Home::new();
        let strict = file.file_name().to_string_lossy().starts_with("claude");
        let (app, path) = if strict { (claude(), home.claude()) } else { (cursor(), home.cursor()) };
        home.write(&path, &before);
        let clients = home.clients();
        assert_eq!(clients.run(&app, ConfigAction::Protect).written.len(), 1, "{:?}", file.path());
        assert_eq!(clients.app(&app).unwrap().protected, Some(true), "{:?}", file.path());
        clients.run(&app, ConfigAction::Restore);
        assert_eq!(std::fs::read(&path).unwrap(), before, "{:?}", file.path());
        count += 1;
    }
    assert!(count >= 3, "fixtures are missing from {}", directory.display());
}
