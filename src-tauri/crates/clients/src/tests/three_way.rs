//! Restore when the file is not what we wrote any more: what the person (or the app) did since survives.

use super::{Home, claude, cursor};
use portcullis_domain::api::ConfigAction;

const BEFORE: &str = r#"{
  "mcpServers": {
    "s": { "command": "npx", "args": [ "-y", "pkg" ], "env": { "K": "v" } },
    "bare": { "command": "uvx" },
    "r": { "url": "https://h.example/mcp", "headers": {} }
  }
}
"#;

fn protected() -> Home {
    let home = Home::with_cursor(BEFORE);
    home.clients().protect();
    home
}

/// Restores after an edit of the protected file; `expected` are the same edits made to the original.
fn restored(home: &Home, expected: &[(&str, &str)]) {
    home.clients().restore();
    let expected = expected.iter().fold(BEFORE.to_string(), |text, (from, to)| {
        assert!(text.contains(from), "{from:?}");
        text.replacen(from, to, 1)
    });
    assert_eq!(home.read(), expected);
    let clients = home.clients();
    assert!(clients.app(&cursor()).unwrap().servers().all(|server| !server.protected && !server.edited_outside));
}

#[test]
fn untouched_file_comes_back_whole() {
    restored(&protected(), &[]);
}

#[test]
fn other_fields_keep_the_persons_edits() {
    let home = protected();
    home.edit(r#""K": "v""#, r#""K": "w", "L": "1""#);
    home.edit(r#""headers": {}"#, r#""headers": {"A": "b"}, "disabled": true"#);
    restored(
        &home,
        &[(r#""K": "v""#, r#""K": "w", "L": "1""#), (r#""headers": {}"#, r#""headers": {"A": "b"}, "disabled": true"#)],
    );
}

#[test]
fn new_servers_and_comments_stay() {
    let home = protected();
    home.edit("\"mcpServers\": {", "\"mcpServers\": { // mine\n    \"new\": { \"command\": \"n\" },");
    restored(&home, &[("\"mcpServers\": {", "\"mcpServers\": { // mine\n    \"new\": { \"command\": \"n\" },")]);
}

#[test]
fn edited_arguments_behind_the_dashes_stay() {
    let home = protected();
    home.edit(r#""pkg""#, r#""pkg@2", "--verbose""#);
    home.edit(r#""uvx"]"#, r#""uvx", "added"]"#);
    restored(
        &home,
        &[
            (r#""pkg""#, r#""pkg@2", "--verbose""#),
            (r#""uvx""#, r#""uvx", "args": [ "added"]"#.replace("[ ", "[").as_str()),
        ],
    );
}

#[test]
fn an_edited_command_behind_the_dashes_stays() {
    let home = protected();
    home.edit(r#""--", "npx", "#, r#""--", "bunx", "#);
    restored(&home, &[(r#""npx""#, r#""bunx""#)]);
}

#[test]
fn a_replaced_entry_is_not_touched() {
    let home = protected();
    let shim = home.shim.display().to_string();
    home.edit(&shim, "/usr/bin/mine");
    let url = format!("http://127.0.0.1:{}/cursor/r~{}/mcp", super::PORT, home.clients().id("r"));
    home.edit(&url, "https://mine.example/mcp");
    let edited = home.read();
    assert!(home.clients().server("s").edited_outside && home.clients().server("r").edited_outside);
    home.clients().restore();
    let now = home.read();
    let s = |text: &str| text.lines().find(|line| line.contains("\"s\"")).map(str::to_string);
    assert_eq!(s(&now), s(&edited));
    assert!(now.contains("https://mine.example/mcp") && now.contains(r#""bare": { "command": "uvx" }"#), "{now}");
    assert!(!home.clients().server("s").edited_outside, "the record is dropped");
}

#[test]
fn removed_entries_are_not_resurrected() {
    let home = protected();
    let line = home.read().lines().find(|line| line.contains("\"s\"")).unwrap().to_string() + "\n";
    home.edit(&line, "");
    let original = BEFORE.lines().find(|line| line.contains("\"s\"")).unwrap().to_string() + "\n";
    restored(&home, &[(&original, "")]);
}

#[test]
fn a_removed_file_is_not_resurrected() {
    let home = protected();
    std::fs::remove_file(home.cursor()).unwrap();
    let report = home.clients().restore_all().unwrap();
    assert!(report.failed.is_empty() && report.written.is_empty(), "{report:?}");
    assert!(!home.cursor().exists());
    // And with a new file by the person, nothing of the old is remembered.
    home.write(&home.cursor(), r#"{"mcpServers":{"s":{"command":"other"}}}"#);
    assert!(!home.clients().server("s").edited_outside);
}

#[test]
fn renamed_entries_are_known_by_id() {
    let home = protected();
    let id = home.clients().id("s");
    home.edit("\"s\":", "\"better name\":");
    home.edit("\"r\":", "\"remote\":");
    assert_eq!(home.clients().id("better name"), id);
    let upstreams = home.clients().upstreams().unwrap();
    assert!(upstreams.iter().any(|upstream| upstream.id.as_str() == id && upstream.name == "better name"));
    restored(&home, &[("\"s\":", "\"better name\":"), ("\"r\":", "\"remote\":")]);
}

#[test]
fn copied_entries_are_unwrapped_wherever_they_are() {
    let home = protected();
    let copy = home.read().lines().find(|line| line.contains("\"s\"")).unwrap().replace("\"s\"", "\"t\"");
    home.edit("\"mcpServers\": {\n", &format!("\"mcpServers\": {{\n{copy}\n"));
    let in_claude = format!("{{\"mcpServers\":{{{}}}}}", copy.trim().trim_end_matches(','));
    home.write(&home.claude(), in_claude);
    let report = home.clients().restore_all().unwrap();
    assert_eq!((report.written.len(), report.failed.len()), (2, 0), "{report:?}");
    let line = r#"    "t": { "command": "npx", "args": [ "-y", "pkg" ], "env": { "K": "v" } },"#;
    assert_eq!(home.read(), BEFORE.replacen("\"mcpServers\": {\n", &format!("\"mcpServers\": {{\n{line}\n"), 1));
    let claude_now = super::text(&home.claude());
    assert_eq!(claude_now, format!("{{\"mcpServers\":{{{}}}}}", line.trim().trim_end_matches(',')));
}

#[test]
fn with_the_journal_lost_commands_come_back_and_urls_are_reported() {
    let home = protected();
    for file in ["journal.json", "journal.backup.json"] {
        std::fs::remove_file(home.state_dir.join(file)).unwrap();
    }
    let clients = home.clients();
    assert!(clients.server("r").not_covered.is_some_and(|reason| reason.contains("journal")));
    let report = clients.restore_all().unwrap();
    assert!(report.failed.is_empty(), "{report:?}");
    let now = home.read();
    assert!(now.contains(r#""s": { "command": "npx", "args": [ "-y", "pkg" ], "env""#), "{now}");
    assert!(now.contains(r#""bare": { "command": "uvx", "args": [] }"#), "{now}");
    assert!(now.contains("127.0.0.1"), "an unknown URL is left for the person: {now}");
    // And it is not taken for a server of theirs.
    clients.protect();
    assert_eq!(home.read().matches("127.0.0.1").count(), 1);
}

#[test]
fn the_second_copy_of_the_journal_brings_urls_back() {
    let home = protected();
    std::fs::write(home.state_dir.join("journal.json"), "{\"vers").unwrap();
    restored(&home, &[]);
}

#[test]
fn a_backup_that_returns_after_restore_is_still_restorable() {
    let home = protected();
    let backup = home.read();
    home.clients().restore();
    std::fs::write(home.cursor(), backup).unwrap();
    assert!(home.clients().server("r").protected);
    restored(&home, &[]);
}

#[test]
fn arguments_edited_beyond_recognition_come_back_from_the_journal() {
    let home = protected();
    home.edit(r#""run", "--id""#, r#""walk", "--id""#);
    home.edit(r#", "--", "uvx""#, "");
    assert!(home.clients().server("s").edited_outside);
    home.clients().restore();
    let now = home.read();
    assert!(now.contains(r#""s": { "command": "npx", "args": [ "-y", "pkg" ], "env""#), "{now}");
    assert!(now.contains(r#""bare": { "command": "uvx", "args": [] }"#), "{now}");
}

#[test]
fn an_app_that_wrote_its_own_copy_back_shows_as_edited_outside_and_can_be_protected_again() {
    let home = Home::new();
    let before = r#"{"mcpServers":{"t":{"command":"uvx","args":["time"]}}}"#;
    home.write(&home.claude(), before);
    let clients = home.clients();
    clients.run(&claude(), ConfigAction::Protect);
    let server = || clients.app(&claude()).unwrap().servers().next().unwrap().clone();
    let id = server().id;
    std::fs::write(home.claude(), before).unwrap();
    assert!(server().edited_outside && !server().protected);
    assert_eq!(server().id, id);
    clients.run(&claude(), ConfigAction::Protect);
    assert!(server().protected && !server().edited_outside);
    assert_eq!(server().id, id);
    clients.run(&claude(), ConfigAction::Restore);
    assert_eq!(super::text(&home.claude()), before);
}

#[test]
fn protecting_more_later_still_restores_everything() {
    let home = protected();
    home.edit("\"mcpServers\": {\n", "\"mcpServers\": {\n    \"new\": { \"command\": \"n\" },\n");
    home.clients().protect();
    assert!(home.clients().server("new").protected);
    restored(&home, &[("\"mcpServers\": {\n", "\"mcpServers\": {\n    \"new\": { \"command\": \"n\" },\n")]);
}

#[test]
fn a_reformatted_file_is_restored_by_meaning() {
    let home = protected();
    let value: serde_json::Value = serde_json::from_str(&home.read()).unwrap();
    std::fs::write(home.cursor(), serde_json::to_string(&value).unwrap()).unwrap();
    home.clients().restore();
    let now: serde_json::Value = serde_json::from_str(&home.read()).unwrap();
    let before: serde_json::Value = serde_json::from_str(BEFORE).unwrap();
    assert_eq!(now, before);
}
