//! Previews and their tokens, the queue of a running app, and files with something special about them.

use super::{Home, claude, cursor, text};
use portcullis_domain::api::{ConfigAction, DiffTag};

const BEFORE: &str = "{\n  \"mcpServers\": {\n    \"a\": { \"command\": \"x\" }\n  }\n}\n";

#[test]
fn a_preview_writes_nothing_and_shows_exactly_what_apply_writes() {
    let home = Home::with_cursor(BEFORE);
    let clients = home.clients();
    let preview = clients.look(&cursor(), ConfigAction::Protect);
    assert_eq!(home.read(), BEFORE);
    let lines = |tag| -> Vec<String> {
        preview.files[0].diff.iter().filter(|line| line.tag == tag).map(|line| line.text.clone()).collect()
    };
    assert_eq!(lines(DiffTag::Removed), ["    \"a\": { \"command\": \"x\" }"]);
    let added = lines(DiffTag::Added);
    clients.apply(&preview.token).unwrap();
    assert_eq!(home.read(), BEFORE.replace("    \"a\": { \"command\": \"x\" }", &added[0]));
}

#[test]
fn an_edit_after_the_preview_refuses_it() {
    let home = Home::with_cursor(BEFORE);
    let clients = home.clients();
    let preview = clients.look(&cursor(), ConfigAction::Protect);
    home.edit("\"x\"", "\"y\"");
    let edited = home.read();
    assert_eq!(clients.apply(&preview.token).unwrap_err().code(), "config_changed");
    assert_eq!(home.read(), edited);
    clients.protect();
    assert!(home.read().contains("\"--\", \"y\""));
}

#[test]
fn tokens_work_once_and_unknown_ones_never() {
    let home = Home::with_cursor(BEFORE);
    let clients = home.clients();
    let preview = clients.look(&cursor(), ConfigAction::Protect);
    clients.apply(&preview.token).unwrap();
    assert_eq!(clients.apply(&preview.token).unwrap_err().code(), "preview_expired");
    assert_eq!(clients.apply("x").unwrap_err().code(), "preview_expired");
}

#[test]
fn a_write_that_loses_the_race_changes_nothing() {
    let home = Home::with_cursor(BEFORE);
    let clients = home.clients();
    let app = clients.descriptor(&cursor()).unwrap();
    let mut locked = clients.journal.lock().unwrap();
    let plan = clients.plan_file(app, &home.place(), &locked.state, ConfigAction::Protect, None).unwrap().unwrap();
    // The app writes between our temporary file and the rename.
    let error = crate::write::commit(plan, None, &mut locked, &mut |step| {
        if step == crate::file::Step::TempWritten {
            std::fs::write(home.cursor(), "{}").unwrap();
        }
    });
    assert_eq!(error.unwrap_err().code(), "config_changed");
    assert_eq!(home.read(), "{}");
    assert_eq!(std::fs::read_dir(home.cursor().parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
    assert!(locked.state.pending.is_empty() && locked.state.entries.is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn of_several_writers_in_the_very_moment_of_the_swap_the_last_one_wins() {
    for writes in 1..=3 {
        let home = Home::with_cursor(BEFORE);
        let clients = home.clients();
        let app = clients.descriptor(&cursor()).unwrap();
        let mut locked = clients.journal.lock().unwrap();
        let plan = clients.plan_file(app, &home.place(), &locked.state, ConfigAction::Protect, None).unwrap().unwrap();
        let mut written = 0;
        let done = crate::write::commit(plan, None, &mut locked, &mut |step| {
            if step == crate::file::Step::Swapping && written < writes {
                written += 1;
                let beside = home.cursor().with_extension("theirs");
                std::fs::write(&beside, format!("{{\"write\":{written}}}")).unwrap();
                std::fs::rename(&beside, home.cursor()).unwrap();
            }
        });
        assert_eq!(done.unwrap_err().code(), "config_changed");
        assert_eq!(written, writes);
        assert_eq!(home.read(), format!("{{\"write\":{writes}}}"));
        assert_eq!(std::fs::read_dir(home.cursor().parent().unwrap()).unwrap().count(), 1, "nothing is left beside");
    }
}

#[test]
fn a_running_claude_desktop_gets_its_change_when_it_has_quit() {
    let home = Home::new();
    home.write(&home.claude(), BEFORE);
    home.start("/usr/lib/claude-desktop/node_modules/electron/dist/electron");
    let clients = home.clients();
    let preview = clients.look(&claude(), ConfigAction::Protect);
    assert!(preview.files[0].queued && preview.hints[0].contains("queued"), "{preview:?}");
    let answer = clients.apply(&preview.token).unwrap();
    assert_eq!((answer.written.len(), answer.queued.len()), (0, 1));
    assert_eq!(text(&home.claude()), BEFORE);
    let view = clients.app(&claude()).unwrap();
    assert!(view.files[0].queued && view.running);
    assert_eq!(view.files[0].servers[0].queued, Some(ConfigAction::Protect));
    // Still running: nothing is written, however often one asks.
    assert!(clients.apply_queued().unwrap().written.is_empty());
    // The queue outlives the process that took the order, and the app rewriting its file.
    std::fs::write(home.claude(), BEFORE.replace("\"x\"", "\"y\"")).unwrap();
    drop(clients);
    home.quit_all();
    let clients = home.clients();
    let report = clients.apply_queued().unwrap();
    assert_eq!(report.written.len(), 1, "{report:?}");
    assert!(text(&home.claude()).contains("\"--\", \"y\""));
    assert!(!clients.app(&claude()).unwrap().files[0].queued);
    assert!(clients.apply_queued().unwrap().written.is_empty());
}

#[test]
fn changing_ones_mind_empties_the_queue() {
    let home = Home::new();
    home.write(&home.claude(), BEFORE);
    home.start("/usr/bin/claude-desktop");
    let clients = home.clients();
    clients.run(&claude(), ConfigAction::Protect);
    clients.run(&claude(), ConfigAction::Restore);
    assert!(!clients.app(&claude()).unwrap().files[0].queued);
    home.quit_all();
    assert!(clients.apply_queued().unwrap().written.is_empty());
    assert_eq!(text(&home.claude()), BEFORE);
}

#[test]
fn a_queued_change_that_cannot_be_written_now_stays_queued() {
    let home = Home::new();
    let jan = portcullis_domain::AppId::new("jan");
    let clients = home.clients();
    let jan_file = clients.app(&jan).unwrap().files[0].path.clone();
    home.write(&home.claude(), BEFORE);
    home.write(&jan_file, BEFORE);
    home.start("/usr/bin/claude-desktop");
    home.start("/usr/bin/Jan");
    clients.run(&claude(), ConfigAction::Protect);
    clients.run(&jan, ConfigAction::Protect);
    home.quit_all();
    // One cannot be replaced, the other one is written, and the journal with it.
    let second_name = home.claude().with_extension("link");
    std::fs::hard_link(home.claude(), &second_name).unwrap();
    let report = clients.apply_queued().unwrap();
    assert_eq!((report.written.len(), report.failed.len()), (1, 1), "{report:?}");
    assert!(clients.app(&claude()).unwrap().files[0].queued, "the person's wish is forgotten");
    std::fs::remove_file(second_name).unwrap();
    assert_eq!(clients.apply_queued().unwrap().written.len(), 1);
    assert!(text(&home.claude()).contains("portcullis-shim"));
}

#[test]
fn a_queued_change_waits_for_a_file_that_cannot_be_read() {
    let home = Home::new();
    home.write(&home.claude(), BEFORE);
    home.start("/usr/bin/claude-desktop");
    let clients = home.clients();
    clients.run(&claude(), ConfigAction::Protect);
    home.quit_all();
    std::fs::write(home.claude(), &BEFORE[..20]).unwrap();
    let report = clients.apply_queued().unwrap();
    assert_eq!(report.failed[0].1.code(), "config_unparseable");
    assert!(clients.app(&claude()).unwrap().files[0].queued);
    std::fs::write(home.claude(), BEFORE).unwrap();
    assert_eq!(clients.apply_queued().unwrap().written.len(), 1);
}

#[test]
fn restore_all_queues_for_a_running_claude_desktop_and_writes_the_rest() {
    let home = Home::with_cursor(BEFORE);
    home.write(&home.claude(), BEFORE);
    let clients = home.clients();
    clients.protect();
    clients.run(&claude(), ConfigAction::Protect);
    home.start("/usr/bin/claude-desktop");
    let report = home.clients().restore_all().unwrap();
    assert_eq!((report.written.len(), report.queued), (1, vec![home.claude()]));
    assert_eq!(home.read(), BEFORE);
    home.quit_all();
    home.clients().apply_queued().unwrap();
    assert_eq!(text(&home.claude()), BEFORE);
}

#[test]
fn a_running_cursor_is_written_at_once_with_a_hint() {
    let home = Home::with_cursor(BEFORE);
    home.start("/usr/share/cursor/cursor");
    let answer = home.clients().protect();
    assert_eq!(answer.written.len(), 1);
    assert!(answer.hints[0].contains("Cursor"), "{answer:?}");
}

#[test]
fn restore_all_finds_files_whose_place_is_not_looked_at_any_more() {
    let mut home = Home::new();
    home.write(&home.claude(), BEFORE);
    home.clients().run(&claude(), ConfigAction::Protect);
    let old_place = home.claude();
    home.machine.env.insert("XDG_CONFIG_HOME".into(), "/nowhere".into());
    assert_eq!(home.clients().restore_all().unwrap().written.len(), 1);
    assert_eq!(text(&old_place), BEFORE);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    #[test]
    fn symlinks_are_written_through() {
        let home = Home::new();
        let real = home.machine.home.join("dotfiles/cursor.json");
        home.write(&real, BEFORE);
        let hop = home.machine.home.join("hop.json");
        symlink("dotfiles/cursor.json", &hop).unwrap();
        std::fs::create_dir_all(home.cursor().parent().unwrap()).unwrap();
        symlink("../hop.json", home.cursor()).unwrap();
        let clients = home.clients();
        clients.protect();
        assert!(std::fs::symlink_metadata(home.cursor()).unwrap().is_symlink());
        assert!(std::fs::symlink_metadata(&hop).unwrap().is_symlink());
        assert!(text(&real).contains("portcullis-shim"));
        clients.restore();
        assert_eq!(text(&real), BEFORE);
        assert_eq!(std::fs::read_dir(real.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn the_mode_is_kept() {
        for mode in [0o600, 0o640, 0o644] {
            let home = Home::with_cursor(BEFORE);
            std::fs::set_permissions(home.cursor(), PermissionsExt::from_mode(mode)).unwrap();
            let now = || std::fs::metadata(home.cursor()).unwrap().mode() & 0o7777;
            home.clients().protect();
            assert_eq!(now(), mode);
            home.clients().restore();
            assert_eq!(now(), mode);
        }
    }

    /// On a file system that has them; elsewhere there is nothing to keep.
    #[cfg(target_os = "linux")]
    #[test]
    fn extended_attributes_and_access_lists_are_kept() {
        let home = Home::with_cursor(BEFORE);
        // Another user may read; the group may not: as the kernel keeps it.
        let entries: [(u16, u16, u32); 5] =
            [(1, 6, u32::MAX), (2, 4, 12345), (4, 0, u32::MAX), (16, 4, u32::MAX), (32, 0, u32::MAX)];
        let mut list = 2u32.to_le_bytes().to_vec();
        for (tag, rights, who) in entries {
            list.extend([tag.to_le_bytes(), rights.to_le_bytes()].concat());
            list.extend(who.to_le_bytes());
        }
        let kept: Vec<(&str, Vec<u8>)> = [("user.note", b"mine".to_vec()), ("system.posix_acl_access", list)]
            .into_iter()
            .filter(|(name, value)| xattr::set(home.cursor(), name, value).is_ok())
            .collect();
        let check = || {
            for (name, value) in &kept {
                assert_eq!(xattr::get(home.cursor(), name).unwrap().as_ref(), Some(value), "{name}");
            }
        };
        home.clients().protect();
        assert_ne!(home.read(), BEFORE);
        check();
        home.clients().restore();
        check();
    }

    #[test]
    fn files_of_a_store_or_of_chezmoi_are_not_forced_but_their_lines_are_shown() {
        let home = Home::with_cursor(r#"{"mcpServers":{"a":{"command":"x"},"r":{"url":"https://h.example/mcp"}}}"#);
        let source = home.machine.home.join(".local/share/chezmoi/private_dot_cursor/mcp.json.tmpl");
        home.write(&source, "{}");
        let clients = home.clients();
        let before = home.read();
        let preview = clients.look(&cursor(), ConfigAction::Protect);
        let file = &preview.files[0];
        assert!(file.refused.as_ref().is_some_and(|reason| reason.contains("chezmoi")), "{file:?}");
        assert_eq!(clients.apply(&preview.token).unwrap_err().code(), "config_managed");
        assert_eq!(home.read(), before);
        // The person puts the lines into the source, and the store writes them: they are known.
        let added = file.diff.iter().find(|line| line.tag == DiffTag::Added).unwrap();
        home.write(&home.cursor(), &added.text);
        assert!(clients.server("a").protected && clients.server("r").protected);
        assert!(clients.upstreams().unwrap().iter().any(|u| u.url.as_deref() == Some("https://h.example/mcp")));
        // Shown again, the same lines.
        home.write(&home.cursor(), &before);
        assert_eq!(clients.look(&cursor(), ConfigAction::Protect).files[0].diff, file.diff);
    }

    #[test]
    fn an_app_that_writes_right_now_is_waited_for_and_its_abandoned_lock_is_not() {
        use std::time::{Duration, SystemTime};
        let home = Home::new();
        let cline = portcullis_domain::AppId::new("cline");
        let path = home.machine.home.join(".cline/data/settings/cline_mcp_settings.json");
        home.write(&path, BEFORE);
        let lock = path.with_file_name("cline_mcp_settings.json.lock");
        std::fs::create_dir(&lock).unwrap();
        std::fs::write(lock.join("owner.17"), "").unwrap();
        let clients = home.clients();
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| clients.run(&cline, ConfigAction::Protect));
            // Cline's own change, made under its lock: ours comes after it, or not at all.
            std::fs::write(&path, BEFORE.replace("\"x\"", "\"y\"")).unwrap();
            std::fs::remove_dir_all(&lock).unwrap();
            let _ = writing.join();
        });
        assert!(text(&path).contains("\"y\""), "{}", text(&path));
        // Abandoned by an app that was killed.
        home.write(&path, BEFORE);
        std::fs::create_dir_all(&lock).unwrap();
        std::fs::write(lock.join("owner.18"), "").unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(60);
        std::fs::File::open(&lock).unwrap().set_modified(long_ago).unwrap();
        clients.run(&cline, ConfigAction::Protect);
        assert!(text(&path).contains("portcullis-shim") && !lock.exists());
    }

    fn refused(home: &Home, code: &str, word: &str) {
        let clients = home.clients();
        let preview = clients.look(&cursor(), ConfigAction::Protect);
        let reason = preview.files[0].refused.clone().unwrap();
        assert!(reason.contains(word) && reason.contains("mcp.json"), "{reason}");
        assert_eq!(clients.apply(&preview.token).unwrap_err().code(), code);
        let state = clients.journal.load().unwrap();
        assert!(state.pending.is_empty() && state.files.is_empty(), "nothing was begun");
        assert!(state.entries.values().all(|record| record.state == crate::journal::RecordState::Restored));
    }

    #[test]
    fn read_only_files_are_refused_with_what_to_do() {
        let home = Home::with_cursor(BEFORE);
        std::fs::set_permissions(home.cursor(), PermissionsExt::from_mode(0o444)).unwrap();
        refused(&home, "read_only", "Make it writable");
        assert_eq!(home.read(), BEFORE);
    }

    #[test]
    fn hard_links_dangling_links_and_directories_are_left_alone() {
        let home = Home::with_cursor(BEFORE);
        std::fs::hard_link(home.cursor(), home.machine.home.join("second")).unwrap();
        refused(&home, "config_unsafe", "hard link");
        let home = Home::new();
        std::fs::create_dir_all(home.cursor().parent().unwrap()).unwrap();
        symlink("nowhere", home.cursor()).unwrap();
        refused(&home, "config_unsafe", "symbolic link");
        let home = Home::new();
        std::fs::create_dir_all(home.cursor()).unwrap();
        refused(&home, "config_unsafe", "regular file");
    }
}

#[test]
fn a_shim_that_apps_could_not_start_is_not_written() {
    for (shim, word) in [("with space/portcullis-shim", "space"), ("missing/portcullis-shim", "exist")] {
        let mut home = Home::with_cursor(BEFORE);
        home.shim = home.state_dir.join(shim);
        if word == "space" {
            home.write(&home.shim, "");
        }
        let clients = home.clients();
        let preview = clients.look(&cursor(), ConfigAction::Protect);
        assert!(preview.files[0].refused.as_ref().unwrap().contains(word), "{preview:?}");
        assert_eq!(clients.apply(&preview.token).unwrap_err().code(), "bad_shim_path");
        assert_eq!(home.read(), BEFORE);
    }
}

#[test]
fn two_processes_take_turns() {
    let home = Home::with_cursor(BEFORE);
    let (one, two) = (home.clients(), home.clients());
    let first = one.look(&cursor(), ConfigAction::Protect);
    let second = two.look(&cursor(), ConfigAction::Protect);
    one.apply(&first.token).unwrap();
    assert_eq!(two.apply(&second.token).unwrap_err().code(), "config_changed");
    // What one wrote, the other knows.
    assert!(two.server("a").protected);
    two.restore();
    assert!(!one.server("a").protected);
    assert_eq!(home.read(), BEFORE);
}
