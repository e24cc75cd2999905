//! Killed at any instant: the config is the old one or the new one, the next start knows which, and restore works.

use super::{Home, cursor};
use crate::file::Step;
use crate::write::commit;
use portcullis_domain::api::ConfigAction;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

const BEFORE: &str =
    "{ /* c */ \"mcpServers\": {\"a\": {\"command\": \"x\"}, \"r\": {\"url\": \"https://h.example/mcp\"}} }\n";
const STEPS: [Step; 4] = [Step::Journaled, Step::TempWritten, Step::Replaced, Step::Done];

/// Dies (unwinds, as locks and memory end with a process) when `at` is reached.
fn die_at(home: &Home, action: ConfigAction, at: Step) {
    let clients = home.clients();
    let app = clients.descriptor(&cursor()).unwrap();
    let mut locked = clients.journal.lock().unwrap();
    let plan = clients.plan_file(app, &home.place(), &locked.state, action, None).unwrap().unwrap();
    let died = catch_unwind(AssertUnwindSafe(|| {
        commit(plan, None, &mut locked, &mut |step| {
            if step == at {
                resume_unwind(Box::new(()));
            }
        })
    }));
    assert!(died.is_err(), "{at:?} was not reached");
}

#[test]
fn killed_while_protecting() {
    for at in STEPS {
        let home = Home::with_cursor(BEFORE);
        die_at(&home, ConfigAction::Protect, at);
        let written = matches!(at, Step::Replaced | Step::Done);
        assert_eq!(home.read() != BEFORE, written, "{at:?}");
        let clients = home.clients();
        assert_eq!(clients.app(&cursor()).unwrap().protected, Some(written), "{at:?}");
        assert!(clients.journal.load().unwrap().pending.is_empty(), "{at:?}");
        // The journal knows the URL's original before the file loses it.
        assert!(
            !written || clients.upstreams().unwrap().iter().any(|u| u.url.as_deref() == Some("https://h.example/mcp"))
        );
        clients.restore_all().unwrap();
        assert_eq!(home.read(), BEFORE, "{at:?}");
    }
}

#[test]
fn killed_while_restoring() {
    for at in STEPS {
        let home = Home::with_cursor(BEFORE);
        home.clients().protect();
        let protected = home.read();
        die_at(&home, ConfigAction::Restore, at);
        let written = matches!(at, Step::Replaced | Step::Done);
        assert_eq!(home.read(), if written { BEFORE.to_string() } else { protected }, "{at:?}");
        let clients = home.clients();
        assert_eq!(clients.app(&cursor()).unwrap().protected, Some(!written), "{at:?}");
        assert!(clients.app(&cursor()).unwrap().servers().all(|server| !server.edited_outside), "{at:?}");
        clients.restore_all().unwrap();
        assert_eq!(home.read(), BEFORE, "{at:?}");
    }
}

#[test]
fn killed_and_then_edited_by_the_person() {
    for at in STEPS {
        let home = Home::with_cursor(BEFORE);
        die_at(&home, ConfigAction::Protect, at);
        home.edit("/* c */", "/* d */");
        home.clients().restore_all().unwrap();
        assert_eq!(home.read(), BEFORE.replace("/* c */", "/* d */"), "{at:?}");
    }
}

#[test]
fn killed_and_then_the_file_is_half_written() {
    for at in [Step::TempWritten, Step::Replaced] {
        let home = Home::with_cursor(BEFORE);
        die_at(&home, ConfigAction::Protect, at);
        let whole = home.read();
        std::fs::write(home.cursor(), &whole[..whole.len() - 4]).unwrap();
        assert!(home.clients().app(&cursor()).unwrap().files[0].problem.is_some());
        std::fs::write(home.cursor(), &whole).unwrap();
        home.clients().restore_all().unwrap();
        assert_eq!(home.read(), BEFORE, "{at:?}");
    }
}

#[test]
fn leftovers_of_a_killed_write_are_removed() {
    let home = Home::with_cursor(BEFORE);
    die_at(&home, ConfigAction::Protect, Step::Journaled);
    // kill -9 runs no destructors: the temporary file stays.
    let left = home.cursor().with_file_name(".portcullis-AbCdEf.tmp");
    std::fs::write(&left, "x").unwrap();
    home.clients();
    assert!(!left.exists());
    assert_eq!(home.read(), BEFORE);
}

#[test]
fn killed_with_somebodys_edit_swapped_out_gives_it_back() {
    let home = Home::with_cursor(BEFORE);
    die_at(&home, ConfigAction::Protect, Step::Replaced);
    // As the swap leaves it when somebody wrote between the last look and it.
    let theirs = BEFORE.replace("/* c */", "/* written in that very moment */");
    let left = home.cursor().with_file_name(".portcullis-AbCdEf.tmp");
    std::fs::write(&left, &theirs).unwrap();
    let clients = home.clients();
    assert_eq!(home.read(), theirs);
    assert!(!left.exists());
    assert_eq!(clients.app(&cursor()).unwrap().protected, Some(false));
    assert!(clients.app(&cursor()).unwrap().servers().all(|server| !server.edited_outside));
    // What we had not finished writing, or had replaced, is nobody's edit.
    for ours in [BEFORE, "{", ""] {
        let home = Home::with_cursor(BEFORE);
        die_at(&home, ConfigAction::Protect, Step::Replaced);
        std::fs::write(home.cursor().with_file_name(".portcullis-AbCdEf.tmp"), ours).unwrap();
        let written = home.read();
        assert_eq!(home.clients().app(&cursor()).unwrap().protected, Some(true));
        assert_eq!(home.read(), written);
    }
}

#[test]
fn a_damaged_journal_does_not_stop_anybody() {
    let home = Home::with_cursor("{\"mcpServers\": {\"a\": {\"command\": \"x\", \"args\": [\"1\"]}}}");
    let before = home.read();
    home.clients().protect();
    for file in ["journal.json", "journal.backup.json"] {
        std::fs::write(home.state_dir.join(file), "garbage").unwrap();
    }
    let clients = home.clients();
    assert_eq!(clients.problems().len(), 1);
    clients.restore_all().unwrap();
    assert_eq!(home.read(), before);
}

#[test]
fn a_newer_journal_can_be_restored_from_and_keeps_what_only_the_newer_version_knows() {
    let home = Home::with_cursor(BEFORE);
    home.clients().protect();
    let foreign = serde_json::json!({ "kind": "teleport" });
    for name in ["journal.json", "journal.backup.json"] {
        let file = home.state_dir.join(name);
        let mut value: serde_json::Value = serde_json::from_str(&super::text(&file)).unwrap();
        value["version"] = 99.into();
        value["wormholes"] = serde_json::json!([1, 2]);
        value["entries"]["aaaaaaaaaaaaaaaaaaaaaaaaaa"] = foreign.clone();
        let known = value["entries"].as_object_mut().unwrap().values_mut().find(|entry| entry["app"] == "cursor");
        known.unwrap()["colour"] = "blue".into();
        std::fs::write(&file, value.to_string()).unwrap();
    }
    let clients = home.clients();
    let preview = clients.look(&cursor(), ConfigAction::Protect);
    assert!(preview.files[0].refused.as_ref().is_some_and(|reason| reason.contains("newer")), "{preview:?}");
    let report = clients.restore_all().unwrap();
    assert!(report.failed.is_empty(), "{report:?}");
    assert_eq!(home.read(), BEFORE);
    let after: serde_json::Value = serde_json::from_str(&super::text(&home.state_dir.join("journal.json"))).unwrap();
    assert_eq!((&after["version"], &after["wormholes"]), (&99.into(), &serde_json::json!([1, 2])));
    assert_eq!(after["entries"]["aaaaaaaaaaaaaaaaaaaaaaaaaa"], foreign);
    assert!(after["entries"].as_object().unwrap().values().any(|entry| entry["colour"] == "blue"));
}

/// A version that does not know the app, or the person's own description of it that is gone: nothing is forgotten in silence.
#[test]
fn a_file_of_an_app_that_nobody_describes_any_more_is_given_back_or_named() {
    let description = "name = 'Own'\nservers = [['mcpServers']]\nreload = 'Restart it.'\n[files]\nall = [{ path = '~/own.json' }]\n[remote]\nurl = ['url']\n";
    for edited in [false, true] {
        let home = Home::new();
        let file = home.machine.home.join("own.json");
        home.write(&home.own_apps().join("own.toml"), description);
        home.write(&file, BEFORE.replace("/* c */", ""));
        let app = portcullis_domain::AppId::new("own");
        home.clients().run(&app, ConfigAction::Protect);
        let mut protected = super::text(&file);
        assert!(protected.contains("portcullis-shim"));
        std::fs::remove_file(home.own_apps().join("own.toml")).unwrap();
        if edited {
            protected = protected.replace("\"mcpServers\"", "\"x\": 1, \"mcpServers\"");
            std::fs::write(&file, &protected).unwrap();
        }
        let report = home.clients().restore_all().unwrap();
        if edited {
            assert_eq!(report.failed.len(), 1, "{report:?}");
            assert!(report.failed[0].1.to_string().contains("`own`"), "{report:?}");
            assert_eq!(super::text(&file), protected, "and what is not understood is not written");
        } else {
            assert_eq!((report.written.len(), report.failed.len()), (1, 0), "{report:?}");
            assert_eq!(super::text(&file), BEFORE.replace("/* c */", ""));
            assert!(home.clients().restore_all().unwrap().written.is_empty());
        }
    }
}

/// As the first version wrote it: no folders, no lists.
#[test]
fn an_older_journal_restores() {
    let home = Home::with_cursor(BEFORE);
    home.clients().protect();
    for name in ["journal.json", "journal.backup.json"] {
        let file = home.state_dir.join(name);
        let mut value: serde_json::Value = serde_json::from_str(&super::text(&file)).unwrap();
        value["version"] = 1.into();
        value.as_object_mut().unwrap().remove("folders");
        std::fs::write(&file, value.to_string()).unwrap();
    }
    // Not by the whole file, but entry by entry.
    home.edit("/* c */", "/* d */");
    home.clients().restore_all().unwrap();
    assert_eq!(home.read(), BEFORE.replace("/* c */", "/* d */"));
}
