//! A second look: everything that could cost somebody a byte, or stop a person from getting a config back.

use super::{Home, claude, cursor, text};
use crate::file::Step;
use crate::write::commit;
use portcullis_domain::AppId;
use portcullis_domain::api::ConfigAction;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

const BEFORE: &str = "{ \"mcpServers\": {\"a\": {\"command\": \"x\"}, \"r\": {\"url\": \"https://h.example/mcp\"}} }\n";

/// A network file system may do what it was asked and report a failure. Played here by another process that writes the very
/// same bytes in between: the compare before the swap then refuses.
#[test]
fn a_write_that_took_place_in_spite_of_an_error_is_in_the_journal() {
    for action in [ConfigAction::Protect, ConfigAction::Restore] {
        let home = Home::with_cursor(BEFORE);
        let clients = home.clients();
        if action == ConfigAction::Restore {
            clients.protect();
        }
        let app = clients.descriptor(&cursor()).unwrap();
        let mut locked = clients.journal.lock().unwrap();
        let plan = clients.plan_file(app, &home.place(), &locked.state, action, None).unwrap().unwrap();
        let planned = plan.bytes.clone();
        commit(plan, None, &mut locked, &mut |step| {
            if step == Step::TempWritten {
                std::fs::write(home.cursor(), &planned).unwrap();
            }
        })
        .unwrap();
        drop(locked);
        assert_eq!(home.read().into_bytes(), planned);
        let protected = action == ConfigAction::Protect;
        let view = clients.app(&cursor()).unwrap();
        assert!(view.servers().all(|server| server.protected == protected && !server.edited_outside), "{action:?}");
        assert!(clients.journal.load().unwrap().pending.is_empty());
        clients.restore_all().unwrap();
        assert_eq!(home.read(), BEFORE, "{action:?}");
    }
}

#[test]
fn a_stale_lock_that_cannot_be_removed_is_an_answer_and_no_endless_loop() {
    let home = Home::new();
    let path = home.machine.home.join(".cline/data/settings/cline_mcp_settings.json");
    home.write(&path, BEFORE);
    let lock = path.with_file_name("cline_mcp_settings.json.lock");
    let as_directory = |_: &Path| home.write(&lock.join("somebody's notes"), "");
    let as_file = |_: &Path| home.write(&lock, "");
    for make in [&as_directory as &dyn Fn(&Path), &as_file] {
        make(&lock);
        let long_ago = SystemTime::now() - Duration::from_secs(60);
        std::fs::File::open(&lock).unwrap().set_modified(long_ago).unwrap();
        let clients = home.clients();
        let preview = clients.look(&AppId::new("cline"), ConfigAction::Protect);
        assert_eq!(clients.apply(&preview.token).unwrap_err().code(), "config_locked");
        assert_eq!(text(&path), BEFORE);
        assert!(lock.exists(), "what is not ours stays");
        let _ = std::fs::remove_dir_all(&lock);
        let _ = std::fs::remove_file(&lock);
    }
}

/// People keep one file for several apps, by symbolic links.
#[test]
fn one_file_that_two_apps_read_is_given_back_by_either() {
    let home = Home::with_cursor(BEFORE);
    let windsurf = AppId::new("windsurf");
    let link = home.machine.home.join(".codeium/windsurf/mcp_config.json");
    std::fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(home.cursor(), &link).unwrap();
    let clients = home.clients();
    clients.protect();
    assert!(clients.app(&windsurf).unwrap().servers().all(|server| server.protected));
    let protected = home.read();
    clients.run(&windsurf, ConfigAction::Protect);
    assert_eq!(home.read(), protected, "never twice");
    clients.run(&windsurf, ConfigAction::Restore);
    assert_eq!(home.read(), BEFORE);
    for app in [cursor(), windsurf] {
        let view = clients.app(&app).unwrap();
        assert!(view.servers().all(|server| !server.protected && !server.edited_outside), "{app:?}");
    }
    clients.protect();
    clients.restore_all().unwrap();
    assert_eq!(home.read(), BEFORE);
}

#[test]
fn one_file_at_two_places_of_an_app_is_one_file() {
    let home = Home::new();
    let app = AppId::new("antigravity");
    let (new, old) = (
        home.machine.home.join(".gemini/config/mcp_config.json"),
        home.machine.home.join(".gemini/antigravity/mcp_config.json"),
    );
    home.write(&old, "{\"mcpServers\": {\"a\": {\"command\": \"x\"}}}");
    std::fs::create_dir_all(new.parent().unwrap()).unwrap();
    symlink(&old, &new).unwrap();
    let clients = home.clients();
    assert_eq!(clients.run(&app, ConfigAction::Protect).written.len(), 1);
    assert_eq!(clients.app(&app).unwrap().servers().count(), 1);
    clients.run(&app, ConfigAction::Restore);
    assert_eq!(text(&old), "{\"mcpServers\": {\"a\": {\"command\": \"x\"}}}");
}

/// The value at a pointer of both copies of the journal.
fn damage(home: &Home, edit: impl Fn(&mut serde_json::Value)) {
    for name in ["journal.json", "journal.backup.json"] {
        let file = home.state_dir.join(name);
        let mut value: serde_json::Value = serde_json::from_str(&text(&file)).unwrap();
        edit(&mut value);
        std::fs::write(&file, value.to_string()).unwrap();
    }
}

#[test]
fn a_newer_journal_with_parts_of_another_shape_is_not_set_aside() {
    let home = Home::with_cursor(BEFORE);
    home.clients().protect();
    let files = serde_json::json!([{ "path": "/x", "chunks": [1, 2] }]);
    damage(&home, |journal| {
        journal["version"] = 99.into();
        journal["files"] = files.clone();
        journal["pending"] = "none".into();
    });
    let clients = home.clients();
    assert!(clients.problems().is_empty(), "{:?}", clients.problems());
    assert!(clients.restore_all().unwrap().failed.is_empty());
    assert_eq!(home.read(), BEFORE, "the URL's original comes from the entries");
    let after: serde_json::Value = serde_json::from_str(&text(&home.state_dir.join("journal.json"))).unwrap();
    assert_eq!((&after["files"], &after["pending"]), (&files, &"none".into()));
}

#[test]
fn damage_to_one_entry_of_the_journal_costs_that_entry_alone() {
    let home = Home::with_cursor(BEFORE);
    home.clients().protect();
    damage(&home, |journal| {
        let entries = journal["entries"].as_object_mut().unwrap();
        let stdio = entries.values_mut().find(|entry| entry["transport"] == "stdio").unwrap();
        stdio["at"] = "yesterday".into();
    });
    // Not by the whole file.
    home.edit("{ \"mcp", "{  \"mcp");
    let clients = home.clients();
    assert!(clients.problems().is_empty());
    clients.restore_all().unwrap();
    let now = home.read();
    assert!(now.contains("\"https://h.example/mcp\"") && now.contains("\"command\": \"x\""), "{now}");
}

/// A file that was broken before we came, and never held anything of ours.
#[test]
fn a_foreign_broken_file_does_not_stop_a_restore_of_everything() {
    let home = Home::with_cursor(BEFORE);
    let other = home.machine.home.join(".config/zed/settings.json");
    home.write(&other, "{ \"context_servers\": ");
    home.write(&home.machine.home.join(".codex/config.toml"), b"\xff\xfe[\0".as_slice());
    let clients = home.clients();
    clients.protect();
    let report = clients.restore_all().unwrap();
    assert_eq!((report.written.len(), report.failed.len()), (1, 0), "{report:?}");
    assert_eq!(home.read(), BEFORE);
    // One that holds an entry of ours is told, whatever else is wrong with it.
    clients.protect();
    let broken = home.read().replace("}} }", "}}");
    home.write(&home.cursor(), &broken);
    home.write(&other, &broken);
    let report = clients.restore_all().unwrap();
    let mut failed: Vec<_> = report.failed.iter().map(|(path, error)| (path.clone(), error.code())).collect();
    failed.sort();
    assert_eq!(failed, [(other, "config_unparseable"), (home.cursor(), "config_unparseable")]);
    assert_eq!(home.read(), broken);
}

#[test]
fn loops_pipes_endless_and_unreadable_files_are_named_and_left_alone() {
    let refused = |home: &Home, word: &str| {
        let clients = home.clients();
        let problem = clients.app(&cursor()).unwrap().files[0].problem.clone().unwrap();
        assert!(problem.message.contains(word), "{word}: {problem:?}");
        let preview = clients.look(&cursor(), ConfigAction::Protect);
        assert!(preview.files[0].refused.is_some() && clients.apply(&preview.token).is_err(), "{word}");
        let state = clients.journal.load().unwrap();
        assert!(state.pending.is_empty() && state.entries.is_empty(), "{word}");
    };
    let with = |target: &str| {
        let home = Home::new();
        std::fs::create_dir_all(home.cursor().parent().unwrap()).unwrap();
        symlink(target, home.cursor()).unwrap();
        home
    };
    refused(&with("mcp.json"), "symbolic links");
    // Regular by its looks, and not to be read: as a disk that fails.
    refused(&with("/proc/self/mem"), "reading");
    refused(&with("/dev/zero"), "regular file");
    let home = Home::with_cursor("");
    std::fs::File::options().write(true).open(home.cursor()).unwrap().set_len(50 * 1024 * 1024).unwrap();
    refused(&home, "20 MiB");
    let home = Home::new();
    std::fs::create_dir_all(home.cursor().parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(home.cursor()).status().unwrap().success());
    refused(&home, "regular file");
}

#[test]
fn odd_encodings_are_refused_or_come_back_to_the_byte() {
    let plain = "{\"mcpServers\":{\"a\":{\"command\":\"x\",\"args\":[\"1\"]}}}";
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("a lone surrogate", plain.replace("\"x\"", "\"\\ud800x\"").into()),
        ("a pair of escapes", plain.replace("\"x\"", "\"\\ud83d\\ude00\"").into()),
        ("a zero byte", plain.replace("\"1\"", "\"\0\"").into()),
        ("an escaped zero", plain.replace("\"1\"", "\"\\u0000\"").into()),
        ("line ends of old", format!("// c\r{plain}\r").into()),
        ("line separators", plain.replace("\"x\"", "\"\u{2028}\u{85}\u{feff}\"").into()),
        ("two byte order marks", format!("\u{feff}\u{feff}{plain}").into()),
        ("Latin-1", plain.replace('x', "\u{1}").into_bytes().iter().map(|b| if *b == 1 { 0xe9 } else { *b }).collect()),
        ("UTF-32", plain.chars().flat_map(|c| (c as u32).to_le_bytes()).collect()),
        ("an overlong form", [b"{\"\xc0\xaf\":1,".as_slice(), &plain.as_bytes()[1..]].concat()),
        ("only a byte order mark", b"\xef\xbb\xbf".to_vec()),
    ];
    for (case, before) in cases {
        let home = Home::with_cursor(&before);
        let clients = home.clients();
        let preview = clients.look(&cursor(), ConfigAction::Protect);
        let _ = clients.apply(&preview.token);
        let view = clients.app(&cursor()).unwrap();
        let now = std::fs::read(home.cursor()).unwrap();
        assert!(now == before || view.servers().all(|server| server.protected), "{case}");
        assert!(now == before || String::from_utf8(now).is_ok(), "{case}: still text");
        clients.restore_all().unwrap();
        assert_eq!(std::fs::read(home.cursor()).unwrap(), before, "{case}");
    }
}

const EDITS: usize = 120;

/// Not a test by itself: the other process of the next one. It adds one line after the other to the file that the
/// environment names, by turns as careful apps do and in place as careless ones.
#[test]
#[ignore = "started by `another_process_that_writes_loses_no_edit`"]
fn the_other_writer() {
    let Some(path) = std::env::var_os("PORTCULLIS_OTHER_WRITER") else { return };
    let path = Path::new(&path);
    for edit in 0..EDITS {
        loop {
            let before = text(path);
            // It knows what it wrote: a moment in which that is not there is none to write in.
            let whole = edit == 0 || before.contains(&format!("\n{},", edit - 1));
            let Some(at) = before.rfind("\n]").filter(|_| whole) else { continue };
            let after = format!("{}\n{edit},{}", &before[..at], &before[at..]);
            if edit % 2 == 0 {
                std::fs::write(path, after).unwrap();
            } else {
                let beside = path.with_extension("theirs");
                std::fs::write(&beside, after).unwrap();
                if text(path) == before {
                    std::fs::rename(&beside, path).unwrap();
                }
            }
            if text(path).contains(&format!("\n{edit},")) {
                break;
            }
        }
        std::thread::sleep(Duration::from_micros(edit as u64 * 211 % 2300));
    }
}

#[test]
fn another_process_that_writes_loses_no_edit() {
    let home = Home::with_cursor("{\"mcpServers\":{\"a\":{\"command\":\"x\"}},\"edits\":[\n]}\n");
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::hostile::the_other_writer", "--ignored", "--quiet"])
        .env("PORTCULLIS_OTHER_WRITER", home.cursor())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let clients = home.clients();
    let (mut done, mut refused) = (0, 0);
    let status = loop {
        for action in [ConfigAction::Protect, ConfigAction::Restore] {
            let Ok(preview) = clients.preview(&cursor(), action, None) else { continue };
            match clients.apply(&preview.token) {
                Ok(_) => done += 1,
                // Changed, or half-written right now.
                Err(error) if ["config_changed", "config_unparseable"].contains(&error.code()) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        if let Some(status) = other.try_wait().unwrap() {
            break status;
        }
    };
    assert!(status.success() && done > 0, "{done} done, {refused} refused");
    home.clients().restore_all().unwrap();
    let now = home.read();
    assert!(now.starts_with("{\"mcpServers\":{\"a\":{\"command\":\"x\"}},\"edits\":["), "{now}");
    let edits: Vec<usize> = now.lines().filter_map(|line| line.trim_end_matches(',').parse().ok()).collect();
    assert_eq!(edits, (0..EDITS).collect::<Vec<_>>());
    let left: Vec<_> =
        std::fs::read_dir(home.cursor().parent().unwrap()).unwrap().flatten().map(|e| e.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".portcullis-")), "{left:?}");
}

#[test]
fn claude_desktop_is_not_forced_by_a_restore_of_everything_either() {
    let home = Home::new();
    home.write(&home.claude(), "{\"mcpServers\": {\"a\": {\"command\": \"x\"}}}");
    let clients = home.clients();
    clients.run(&claude(), ConfigAction::Protect);
    let protected = text(&home.claude());
    home.start("/usr/bin/claude-desktop");
    let report = clients.restore_all().unwrap();
    assert_eq!((report.queued.len(), text(&home.claude())), (1, protected));
}

#[test]
fn a_file_that_was_moved_is_given_back_where_it_is_now() {
    let home = Home::with_cursor(BEFORE);
    let real = home.machine.home.join("dotfiles/cursor.json");
    std::fs::create_dir_all(real.parent().unwrap()).unwrap();
    let clients = home.clients();
    clients.protect();
    std::fs::rename(home.cursor(), &real).unwrap();
    // Gone from where the app looks: nothing to give back to, and nothing made anew.
    assert!(clients.restore_all().unwrap().failed.is_empty());
    assert!(!home.cursor().exists());
    symlink(&real, home.cursor()).unwrap();
    assert!(clients.app(&cursor()).unwrap().servers().all(|server| server.protected));
    clients.restore_all().unwrap();
    assert_eq!((text(&real).as_str(), home.cursor().is_symlink()), (BEFORE, true));
    // Moved to another app's place.
    clients.protect();
    std::fs::remove_file(home.cursor()).unwrap();
    let other = home.machine.home.join(".lmstudio/mcp.json");
    std::fs::create_dir_all(other.parent().unwrap()).unwrap();
    std::fs::rename(&real, &other).unwrap();
    clients.restore_all().unwrap();
    assert_eq!(text(&other), BEFORE);
}
