//! Changes by others are told, changes by us are not.

use super::{Home, cursor};
use crate::{ConfigChange, Watch};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

fn watching(home: &Home) -> (Arc<crate::Clients>, Watch, Receiver<ConfigChange>) {
    let clients = Arc::new(home.clients());
    let (send, receive) = channel();
    let watch = clients.watch(move |change| drop(send.send(change))).unwrap();
    (clients, watch, receive)
}

/// Far beyond what a loaded machine needs; a test only waits this long when it fails.
fn next(changes: &Receiver<ConfigChange>) -> ConfigChange {
    changes.recv_timeout(Duration::from_secs(25)).expect("no change was told")
}

#[test]
fn new_servers_and_outside_edits_are_told_and_our_own_writes_are_not() {
    let home = Home::with_cursor(r#"{"mcpServers":{"a":{"command":"x"},"left out":{"command":"y"}}}"#);
    let (clients, _watch, changes) = watching(&home);
    let only = ["a".to_string()];
    let preview = clients.preview(&cursor(), portcullis_domain::api::ConfigAction::Protect, Some(&only)).unwrap();
    clients.apply(&preview.token).unwrap();
    home.edit("\"mcpServers\":{", "\"mcpServers\":{\"new\":{\"command\":\"z\"},");
    // The first thing told is the person's edit: our own write went by in silence.
    let change = next(&changes);
    assert_eq!(change.app, cursor());
    assert_eq!(change.new_servers, ["new"], "not the one that was left out on purpose");
    assert_eq!((change.edited_outside.len(), change.problem), (0, None));
    home.write(&home.cursor(), r#"{"mcpServers":{"a":{"command":"x"}}}"#);
    let back = next(&changes);
    assert_eq!(back.edited_outside, ["a"]);
    assert!(back.reverted.is_empty(), "Cursor does not write from its memory: a person did this");
}

#[test]
fn what_an_app_wrote_back_from_its_memory_is_told_from_what_a_person_changed() {
    let home = Home::new();
    let app = portcullis_domain::AppId::new("claude-code");
    let path = home.machine.home.join(".claude.json");
    let before = r#"{"mcpServers":{"a":{"command":"x"},"b":{"url":"https://h.example/mcp","type":"http"}}}"#;
    home.write(&path, before);
    let (clients, _watch, changes) = watching(&home);
    clients.run(&app, portcullis_domain::api::ConfigAction::Protect);
    std::fs::write(&path, before.replace("{\"mcpServers", "{\"numStartups\":2,\"mcpServers")).unwrap();
    assert_eq!(next(&changes).reverted, ["a", "b"]);
    clients.run(&app, portcullis_domain::api::ConfigAction::Protect);
    std::fs::write(&path, before.replace("\"x\"", "\"mine\"")).unwrap();
    let change = next(&changes);
    assert_eq!((change.edited_outside.len(), change.reverted), (2, vec!["b".to_string()]));
}

#[test]
fn files_in_directories_that_do_not_exist_yet_and_renamed_files_are_seen() {
    let home = Home::new();
    let (_clients, _watch, changes) = watching(&home);
    home.write(&home.cursor(), "{}");
    assert_eq!(next(&changes).app, cursor());
    // As editors save: beside it, then renamed over it. Half-written content is a problem, not a server list.
    let beside = home.cursor().with_extension("swp");
    std::fs::write(&beside, "{\"mcpServers\":{").unwrap();
    std::fs::rename(&beside, home.cursor()).unwrap();
    assert!(next(&changes).problem.is_some());
}

#[test]
fn a_directory_made_anew_is_watched_again() {
    let home = Home::with_cursor("{}");
    let (_clients, _watch, changes) = watching(&home);
    let directory = home.cursor().parent().unwrap().to_path_buf();
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(next(&changes).app, cursor());
    home.write(&home.cursor(), "{}");
    assert_eq!(next(&changes).app, cursor());
    home.write(&home.cursor(), "{ }");
    assert_eq!(next(&changes).app, cursor());
}

#[test]
fn whoever_never_stops_writing_beside_it_keeps_no_change_from_being_told() {
    let home = Home::with_cursor("{}");
    let (_clients, watch, changes) = watching(&home);
    let log = home.cursor().with_file_name("app.log");
    let (stop, stopped) = channel::<()>();
    let noise = std::thread::spawn(move || {
        for n in 0u64.. {
            std::fs::write(&log, n.to_string()).unwrap();
            if stopped.recv_timeout(Duration::from_millis(50)) != Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                return;
            }
        }
    });
    std::thread::sleep(Duration::from_millis(200));
    home.write(&home.cursor(), "{ }");
    let told = changes.recv_timeout(Duration::from_secs(15));
    drop(stop);
    noise.join().unwrap();
    assert_eq!(told.expect("no change was told").app, cursor());
    drop(watch);
}

#[test]
fn dropping_the_watch_ends_it() {
    let home = Home::with_cursor("{}");
    let (_clients, watch, changes) = watching(&home);
    drop(watch);
    assert!(changes.recv().is_err(), "the callback is gone with its thread");
}
