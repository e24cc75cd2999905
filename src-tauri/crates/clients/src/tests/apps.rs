//! Apps as data: their files on each system, what they show, and the examples in their descriptors.

use super::{Home, PORT, claude, cursor, text};
use crate::{AppView, Machine, Os, Traffic, bundled};
use portcullis_domain::api::{ConfigAction, Observed};
use portcullis_domain::{AppId, Transport};
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
            let mut expected = example.after.replace("PORT", &PORT.to_string());
            // One `ID` per server, in the order of the file.
            for id in view.servers().filter_map(|server| server.id.as_ref()) {
                expected = expected.replacen("ID", id.as_str(), 1);
            }
            // Last: the name of a temporary directory may hold any letters.
            expected = expected.replace("SHIM", &home.shim.display().to_string());
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
    let hint = "Takes effect when Cursor starts.".into();
    assert_eq!(after.files[0].servers[0].observed, Observed::NotYetSeen { hint });
    assert_eq!(after.files[0].servers[0].original, "npx x --api-key •••");
    let at = i64::MAX;
    let seen = api(clients.app(&cursor()).unwrap(), Some(at));
    assert_eq!(seen.files[0].servers[0].observed, Observed::Seen { at });
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
    for file in std::fs::read_dir(&directory).unwrap().flatten().filter(|file| file.path().is_file()) {
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

/// Files as each app and its people leave them, from nothing to everything at once: `tests/fixtures/clients/apps/<app>.txt`,
/// each under a line `=== path | what it is | how many servers can be covered | how it is saved`.
#[test]
fn two_hundred_realistic_files_come_back_to_the_byte() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/clients/apps");
    let mut files = 0;
    for app in bundled().unwrap().iter().filter(|app| app.not_covered.is_none() && !app.hidden) {
        let all = text(&directory.join(format!("{}.txt", app.id)));
        for case in all.strip_prefix("=== ").unwrap().split("\n=== ") {
            let (head, content) = case.split_once('\n').unwrap();
            let head: Vec<&str> = head.split(" | ").collect();
            let saved = head.get(3).copied().unwrap_or_default();
            let mut before = content.trim_end_matches('\n').to_string();
            if !saved.contains("no-eof") {
                before.push('\n');
            }
            if saved.contains("crlf") {
                before = before.replace('\n', "\r\n");
            }
            if saved.contains("bom") {
                before.insert(0, '\u{feff}');
            }
            realistic(app, head[0], &format!("{}: {}", app.id, head[1]), &before, head[2].parse().unwrap());
            files += 1;
        }
    }
    assert!(files >= 200, "{files}");
}

fn realistic(app: &crate::Descriptor, file: &str, case: &str, before: &str, covered: usize) {
    let home = Home::new();
    let path = example_file(app, &home, Some(file));
    home.write(&path, before);
    let clients = home.clients();
    clients.run(&app.app_id(), ConfigAction::Protect);
    let view = clients.app(&app.app_id()).unwrap();
    let seen = view.files.iter().find(|file| file.path == path).unwrap();
    assert_eq!(seen.problem, None, "{case}");
    assert_eq!(seen.servers.iter().filter(|server| server.protected).count(), covered, "{case}: {:?}", seen.servers);
    let protected = text(&path);
    assert_eq!(protected != before, covered > 0, "{case}");
    assert!(clients.run(&app.app_id(), ConfigAction::Protect).written.is_empty(), "{case}");
    // Entry by entry, because the file is not what was written any more; then as a whole.
    std::fs::write(&path, format!("{protected}\n")).unwrap();
    clients.run(&app.app_id(), ConfigAction::Restore);
    assert_eq!(text(&path), format!("{before}\n"), "{case}");
    std::fs::write(&path, before).unwrap();
    clients.run(&app.app_id(), ConfigAction::Protect);
    clients.run(&app.app_id(), ConfigAction::Restore);
    assert_eq!(text(&path), before, "{case}");
}

/// Every example, saved in other ways than its descriptor has it.
#[test]
fn examples_come_back_however_they_are_saved() {
    for app in bundled().unwrap() {
        for (at, example) in app.examples.iter().enumerate() {
            let before = &example.before;
            let os = [Os::Linux, Os::Windows].into_iter().find(|os| app.files.on(*os).next().is_some());
            let ways = [
                before.replace('\n', "\r\n"),
                format!("{before}\n\n\n"),
                format!("\u{feff}{}", before.trim_end().replace('\n', "\r\n")),
            ];
            for (way, before) in ways.iter().enumerate() {
                let case = format!("{} example {at}, way {way}", app.id);
                let home = Home::on(os.unwrap_or(Os::Linux));
                let path = example_file(&app, &home, example.file.as_deref());
                home.write(&path, before);
                let clients = home.clients();
                let written = clients.run(&app.app_id(), ConfigAction::Protect).written.len();
                assert_eq!(written, usize::from(example.before != example.after), "{case}");
                let protected = text(&path);
                assert!(clients.run(&app.app_id(), ConfigAction::Protect).written.is_empty(), "{case}");
                // Without the journal's copy of the whole file.
                std::fs::write(&path, format!("{protected}\n")).unwrap();
                clients.run(&app.app_id(), ConfigAction::Restore);
                assert_eq!(text(&path), format!("{before}\n"), "{case}");
            }
        }
    }
}

#[test]
fn a_person_adds_an_app_with_one_file_and_cannot_change_a_bundled_one() {
    let home = Home::new();
    let own = |id: &str, text: &str| home.write(&home.own_apps().join(format!("{id}.toml")), text);
    own(
        "mine",
        "name = 'Mine'\nformat = 'yaml'\nservers = [['tools']]\nreload = 'Restart it.'\n[files]\nall = [{ path = '~/mine.yaml' }]\n",
    );
    own("cursor", "name = 'Not Cursor'\nservers = [['x']]\nreload = 'x.'\n[files]\nall = [{ path = '~/x.json' }]\n");
    own("broken", "name = 'Broken'\nfiels = 1\n");
    let path = home.machine.home.join("mine.yaml");
    home.write(&path, "tools:\n  a:\n    command: x\n");
    let clients = home.clients();
    let mine = portcullis_domain::AppId::new("mine");
    clients.run(&mine, ConfigAction::Protect);
    assert!(text(&path).contains("portcullis-shim"));
    clients.run(&mine, ConfigAction::Restore);
    assert_eq!(text(&path), "tools:\n  a:\n    command: x\n");
    assert_eq!(clients.app(&cursor()).unwrap().name, "Cursor");
    let problems = clients.problems().join("\n");
    assert!(
        clients.problems().len() == 2 && problems.contains("cursor.toml") && problems.contains("fiels"),
        "{problems}"
    );
}

#[test]
fn project_files_are_looked_at_only_in_named_folders_with_a_warning_under_version_control() {
    let home = Home::new();
    let folder = home.machine.home.join("src/site");
    let path = folder.join(".cursor/mcp.json");
    let before = r#"{"mcpServers":{"a":{"command":"x"}}}"#;
    home.write(&path, before);
    let clients = home.clients();
    assert!(clients.app(&cursor()).unwrap().files.iter().all(|file| file.project.is_none()));
    let folder = clients.add_folder(&folder).unwrap();
    let file = || clients.app(&cursor()).unwrap().files.into_iter().find(|file| file.project.is_some()).unwrap();
    assert_eq!((file().path.clone(), file().warning), (folder.join(".cursor/mcp.json"), None));
    std::fs::create_dir_all(home.machine.home.join("src/.git")).unwrap();
    assert!(file().warning.is_some_and(|warning| warning.contains("version control")));
    let preview = clients.look(&cursor(), ConfigAction::Protect);
    assert!(preview.files.iter().any(|file| file.warning.is_some()));
    clients.apply(&preview.token).unwrap();
    // Left out again, it can still be given back.
    clients.remove_folder(&folder).unwrap();
    assert!(text(&path).contains("portcullis-shim"));
    clients.restore_all().unwrap();
    assert_eq!(text(&path), before);
    assert_eq!(clients.add_folder(Path::new("/nowhere")).unwrap_err().code(), "config_io");
}

/// Servers that are in no file of ours are shown with what the person can do.
#[test]
fn what_is_not_covered_is_shown_with_the_reason() {
    let home = Home::new();
    home.write(&home.machine.home.join(".config/Claude/Claude Extensions/x.y/manifest.json"), "{}");
    home.write(&home.machine.home.join(".config/CherryStudio/x"), "");
    let clients = home.clients();
    let view = clients.app(&claude()).unwrap();
    assert!(view.elsewhere.len() == 1 && view.elsewhere[0].instead.contains("disable"), "{:?}", view.elsewhere);
    let apps = clients.apps().unwrap();
    let cherry = apps.iter().find(|app| app.id.as_str() == "cherry-studio").unwrap();
    assert!(cherry.installed && cherry.not_covered.is_some() && cherry.files.is_empty());
    assert!(apps.iter().any(|app| app.id.as_str() == "cursor" && app.elsewhere.is_empty()));
}

/// The app writes at random moments, each time adding one line: none is lost, and what is ours is ours in the end.
#[test]
fn a_writer_at_the_same_time_loses_no_edit() {
    let home = Home::with_cursor(r#"{"mcpServers":{"a":{"command":"x"}},"edits":[]}"#);
    let path = home.cursor();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for edit in 0..60 {
                // As careful apps do: read, change, write beside, compare, rename.
                loop {
                    let before = text(&path);
                    let comma = if before.contains("\"edits\":[]") { "" } else { "," };
                    let at = before.rfind(']').unwrap();
                    let after = format!("{}{comma}{edit}{}", &before[..at], &before[at..]);
                    let beside = path.with_extension("theirs");
                    std::fs::write(&beside, after).unwrap();
                    if text(&path) == before {
                        std::fs::rename(&beside, &path).unwrap();
                        break;
                    }
                }
                std::thread::sleep(std::time::Duration::from_micros(edit * 137 % 1900));
            }
        });
        let clients = home.clients();
        let mut refused = 0;
        while !writer.is_finished() {
            for action in [ConfigAction::Protect, ConfigAction::Restore] {
                let preview = clients.look(&cursor(), action);
                match clients.apply(&preview.token) {
                    Ok(_) => {}
                    Err(error) if error.code() == "config_changed" => refused += 1,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        writer.join().unwrap();
        eprintln!("{refused} writes were refused because the file had changed");
    });
    let clients = home.clients();
    clients.restore_all().unwrap();
    let now: serde_json::Value = serde_json::from_str(&home.read()).unwrap();
    assert_eq!(now["mcpServers"]["a"]["command"], "x");
    let edits: Vec<i64> = now["edits"].as_array().unwrap().iter().map(|edit| edit.as_i64().unwrap()).collect();
    assert_eq!(edits, (0..60).collect::<Vec<_>>());
}

#[test]
fn an_extension_is_installed_in_whichever_editor_has_it() {
    let home = Home::new();
    let installed = || home.clients().app(&AppId::new("cline")).unwrap().installed;
    let put = |folder: &str| {
        let package = home.machine.home.join(folder).join("saoudrizwan.claude-dev-3.1.0/package.json");
        home.write(&package, "{}");
        package
    };
    assert!(!installed());
    let package = put(".vscode-oss/extensions");
    assert!(installed());
    std::fs::remove_dir_all(package.parent().unwrap()).unwrap();
    assert!(!installed());
    // An editor that only the person knows.
    put(".theirs/extensions");
    assert!(!installed());
    let editor = "name = 'Theirs'\nnot_covered = 'why'\nextension_folders = ['~/.theirs/extensions']\n";
    home.write(&home.own_apps().join("theirs.toml"), editor);
    assert!(installed());
}
