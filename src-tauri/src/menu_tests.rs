//! What the menu must say in each state. Facts come in as JSON, the way the API writes them.
use super::*;
use portcullis_domain::Outcome;
use serde_json::{Value, json};

fn server(id: Option<&str>, protected: bool, observed: Value) -> Value {
    json!({"id": id, "name": "docs", "transport": "stdio", "original": "npx docs", "protected": protected,
        "observed": observed, "messages_24h": 0, "pins": {"pinned": 0, "changed": 0}, "used_by": []})
}

fn app(id: &str, servers: Vec<Value>) -> App {
    let files = json!([{"path": "/home/a/mcp.json", "exists": true, "problem": null, "queued": false, "servers": servers,
            "project": null, "warning": null}]);
    serde_json::from_value(
        json!({"id": id, "name": "Cursor", "installed": true, "running": false, "files": files, "protected": null, "hint": null,
            "not_covered": null, "elsewhere": [], "also_read_by": []}),
    )
    .unwrap()
}

fn seen(id: &str) -> Value {
    server(Some(id), true, json!({"state": "seen", "at": 1}))
}
fn not_yet(id: &str) -> Value {
    server(Some(id), true, json!({"state": "not_yet_seen", "hint": "Restart Cursor"}))
}
fn uncovered(id: Option<&str>) -> Value {
    server(id, false, json!({"state": "not_covered", "reason": "by choice"}))
}

fn status(protection: Value) -> Status {
    serde_json::from_value(json!({"version": "0", "platform": "linux", "home": "/h", "started_at": 0, "proxy_address": "",
        "dashboard_address": "", "protection": protection, "servers_seen": 4, "servers_bypassing": 0, "servers_total": 6, "last_message_at": null,
        "open_alerts": 0, "open_blocks": 0, "messages_today": 0, "signatures_active": 30, "asks_waiting": 0, "quiet": false, "problems": []}))
    .unwrap()
}

fn alert(verdict: &str, reviewed: bool) -> ExchangeRow {
    serde_json::from_value(json!({"id": "e1", "at": 1, "app": "cursor", "upstream": "u", "upstream_name": "do<b>cs",
        "transport": "stdio", "direction": "to_upstream", "notification": false, "method": "tools/call",
        "target": "get_page", "verdict": verdict, "outcome": "rejected", "duration_us": null, "title": null,
        "signature": null, "reviewed": reviewed}))
    .unwrap()
}

fn facts(apps: Vec<App>) -> Facts {
    Facts {
        status: Some(status(json!({"state": "watching"}))),
        apps,
        newest_alert: None,
        questions: 0,
        start_at_login: false,
    }
}

fn clock(at: UnixMs) -> String {
    format!("T{at}")
}

/// The menu as a person reads it: `[x]` ticked, `(-)` cannot be clicked.
fn read(entries: &[Entry], depth: usize) -> String {
    let line = |mark: &str, label: &str, enabled: bool| {
        format!("{}{mark}{label}{}\n", "  ".repeat(depth), if enabled { "" } else { " (-)" })
    };
    let each = |entry: &Entry| match entry {
        Entry::Text { label, enabled, .. } => line("", label, *enabled),
        Entry::Check { label, ticked, enabled, .. } => line(if *ticked { "[x] " } else { "[ ] " }, label, *enabled),
        Entry::Submenu { label, enabled, entries, .. } => line("> ", label, *enabled) + &read(entries, depth + 1),
        Entry::Separator => line("---", "", true),
    };
    entries.iter().map(each).collect()
}

fn line_of(facts: &Facts, part: &str) -> String {
    let text = read(&entries(facts, &clock), 0);
    text.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("no {part} in:\n{text}")).trim().to_owned()
}

#[test]
fn the_whole_menu_while_watching() {
    let mut facts = facts(vec![app("cursor", vec![seen("a"), not_yet("b")])]);
    facts.newest_alert = Some(alert("flag", false));
    facts.start_at_login = true;
    assert_eq!(
        read(&entries(&facts, &clock), 0),
        "Watching 4 of 6 servers (-)
No question waiting (-)
---
Open dashboard
Newest Alert: Flag, do‹b›cs / get_page
---
Protected apps (-)
[x] Cursor (1 of 2 seen)
---
> Pause
  For 15 minutes
  For 1 hour
  Until I resume
> Restore an app’s config
  Cursor
  All apps
---
[x] Start at login
> Quit…
  Hide the icon, keep watching
  Stop and put the configs back
  Stop, leave the configs (URL servers wait for the next start)
"
    );
}

#[test]
fn the_sentence_in_every_state() {
    let mut facts = facts(vec![]);
    let mut said = |protection: Option<Value>| {
        facts.status = protection.map(status);
        (sentence(&facts, &clock), icon(&facts))
    };
    assert_eq!(said(Some(json!({"state": "off"}))), ("No app is protected".into(), Icon::Off));
    assert_eq!(said(Some(json!({"state": "watching"}))), ("Watching 4 of 6 servers".into(), Icon::Watching));
    let paused = "Paused until T9, nothing is blocked";
    assert_eq!(said(Some(json!({"state": "paused", "until": 9}))), (paused.into(), Icon::Paused));
    let open = "Paused until you resume, nothing is blocked";
    assert_eq!(said(Some(json!({"state": "paused", "until": null}))), (open.into(), Icon::Paused));
    assert_eq!(said(None), ("Engine not running, shim still checks".into(), Icon::Off));
}

#[test]
fn a_log_that_cannot_be_read_is_not_said_to_hold_nothing() {
    let mut cursor = app("cursor", vec![not_yet("a"), not_yet("b")]);
    (cursor.running, cursor.hint) = (true, Some("Restart Cursor".into()));
    let mut facts = facts(vec![cursor]);
    let unreadable = |facts: &mut Facts, past| {
        let status = facts.status.as_mut().unwrap();
        (status.log_unreadable, status.servers_seen, status.servers_bypassing) = (true, 0, past);
    };
    unreadable(&mut facts, 0);
    assert_eq!(sentence(&facts, &clock), "Checking goes on, but the log cannot be read. Restart Portcullis");
    assert_eq!(line_of(&facts, "Alert"), "Alerts cannot be read (-)");
    assert_eq!(line_of(&facts, "] Cursor"), "[x] Cursor (2 on, not known if seen)", "no restart of the app helps");
    assert_eq!(icon(&facts), Icon::Watching);
    unreadable(&mut facts, 1);
    assert!(sentence(&facts, &clock).starts_with("Checking goes on, 1 bypassing, but the log"));
    facts.status = Some(status(json!({"state": "paused", "until": null})));
    unreadable(&mut facts, 0);
    assert_eq!(sentence(&facts, &clock), "Paused until you resume, nothing is blocked");
}

#[test]
fn the_tooltip_is_the_first_line_and_what_waits() {
    let mut facts = facts(vec![]);
    assert_eq!(tooltip(&facts, &clock), "Portcullis: Watching 4 of 6 servers");
    facts.questions = 2;
    assert_eq!(tooltip(&facts, &clock), "Portcullis: Watching 4 of 6 servers\n2 questions waiting");
}

#[test]
fn a_block_that_went_through_says_so() {
    let mut facts = facts(vec![]);
    let mut through = alert("block", false);
    through.outcome = Outcome::Forwarded;
    facts.newest_alert = Some(through);
    assert!(read(&entries(&facts, &clock), 0).contains("Newest Alert: Block that went through, do‹b›cs / get_page"));
    facts.newest_alert = Some(alert("block", false));
    assert!(read(&entries(&facts, &clock), 0).contains("Newest Alert: Block, do‹b›cs / get_page"));
}

#[test]
fn only_an_unread_block_turns_the_icon_to_alert() {
    let mut facts = facts(vec![]);
    facts.newest_alert = Some(alert("flag", false));
    let mut shown = |open_blocks| {
        facts.status.as_mut().unwrap().open_blocks = open_blocks;
        icon(&facts)
    };
    assert_eq!(shown(0), Icon::Watching, "a Flag alone");
    assert_eq!(shown(2), Icon::Alert, "however new the Flag above it is");
}

#[test]
fn a_question_that_waits_can_be_opened_and_shows_in_the_icon() {
    let mut facts = facts(vec![]);
    assert_eq!(line_of(&facts, "question"), "No question waiting (-)");
    facts.questions = 2;
    assert_eq!(line_of(&facts, "question"), "2 questions waiting…");
    assert_eq!(icon(&facts), Icon::Alert);
}

#[test]
fn an_app_says_what_was_observed() {
    let said = |servers: Vec<Value>| line_of(&facts(vec![app("cursor", servers)]), "] Cursor");
    assert_eq!(said(vec![]), "[ ] Cursor (no servers) (-)");
    assert_eq!(said(vec![uncovered(None)]), "[ ] Cursor (1 server)");
    assert_eq!(said(vec![uncovered(None), seen("a")]), "[x] Cursor (1 of 1 seen)");
    assert_eq!(said(vec![server(Some("a"), true, json!({"state": "edited_outside"}))]), "[x] Cursor (edited outside)");

    let mut running = app("cursor", vec![seen("a"), not_yet("b")]);
    (running.running, running.hint) = (true, Some("Restart Cursor".into()));
    assert_eq!(line_of(&facts(vec![running.clone()]), "] Cursor"), "[x] Cursor (restart it)");
    running.files[0].queued = true;
    assert_eq!(line_of(&facts(vec![running.clone()]), "] Cursor"), "[x] Cursor (waits until it quits)");
    running.files[0].problem = Some("line 3: no JSON".into());
    assert_eq!(line_of(&facts(vec![running]), "] Cursor"), "[x] Cursor (config cannot be read) (-)");
}

#[test]
fn a_server_past_us_is_said_before_anything_else() {
    let past = || server(Some("p"), true, json!({"state": "bypassing", "reason": "Cursor runs it directly"}));
    let mut facts = facts(vec![app("cursor", vec![seen("a"), past()])]);
    assert_eq!(line_of(&facts, "Cursor ("), "[x] Cursor (1 bypassing)");
    facts.status.as_mut().unwrap().servers_bypassing = 1;
    assert_eq!(sentence(&facts, &clock), "Watching 4 of 6 servers, 1 bypassing");
}

#[test]
fn apps_that_are_not_on_this_machine_are_not_listed() {
    let mut absent = app("cursor", vec![]);
    (absent.installed, absent.files[0].exists) = (false, false);
    assert_eq!(line_of(&facts(vec![absent]), "No app was found"), "No app was found (-)");
}

#[test]
fn the_first_protection_asks_for_a_preview_and_later_ones_do_not() {
    assert!(needs_preview(&app("cursor", vec![uncovered(None)])));
    assert!(!needs_preview(&app("cursor", vec![uncovered(Some("a"))])), "it has been on before");
    assert!(!needs_preview(&app("cursor", vec![uncovered(None), seen("a")])), "switching off never needs one");
}

#[test]
fn paused_offers_to_resume_and_nothing_else() {
    let mut facts = facts(vec![]);
    facts.status = Some(status(json!({"state": "paused", "until": null})));
    assert_eq!(line_of(&facts, "Resume"), "Resume now");
    facts.status = Some(status(json!({"state": "off"})));
    assert_eq!(line_of(&facts, "Pause"), "> Pause (-)");
}

#[test]
fn without_an_engine_only_quit_can_be_clicked() {
    let mut facts = facts(vec![app("cursor", vec![uncovered(None)])]);
    facts.status = None;
    let text = read(&entries(&facts, &clock), 0);
    let live: Vec<_> = text.lines().filter(|line| !line.ends_with("(-)") && !line.starts_with([' ', '-'])).collect();
    assert_eq!(live, ["Quit"]);
}

#[test]
fn every_act_survives_its_id() {
    let app = || AppId::new("claude-desktop");
    let acts = [
        Act::OpenDashboard,
        Act::OpenQuestion,
        Act::OpenNewestAlert,
        Act::Toggle(app()),
        Act::Pause(Some(15)),
        Act::Pause(None),
        Act::Resume,
        Act::Restore(Some(app())),
        Act::Restore(None),
        Act::StartAtLogin,
        Act::HideIcon,
        Act::RestoreAndQuit,
        Act::Quit,
    ];
    for act in acts {
        assert_eq!(Act::from_id(&act.id()), Some(act));
    }
    for unknown in ["", "pause:soon", "toggle", "sentence"] {
        assert_eq!(Act::from_id(unknown), None, "{unknown}");
    }
}
