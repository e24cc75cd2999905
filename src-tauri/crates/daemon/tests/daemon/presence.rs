//! Who may loosen protection: a page of the dashboard, or a terminal. No program that only knows the token, nothing that
//! reaches the proxy's listener; every such act leaves a row that the person is told of.

use super::common::{Place, call, call_as_program, send};
use serde_json::{Value, json};

/// Requests that let something pass, and what they leave on record.
fn loosening() -> Vec<(&'static str, Value)> {
    let scope = json!({"this_app": true, "this_server": true, "this_target": true, "arguments": {"reach": "exact"},
        "these_destinations": true, "these_signatures": true});
    let expires = json!({"ends": "after", "minutes": 60});
    let answer = |kind: &str| json!({"answer": {"kind": kind}, "acknowledged": true});
    vec![
        ("POST /api/pause", json!({"minutes": 5})),
        ("PUT /api/signatures/private-key-leaves", json!({"enabled": false})),
        ("PUT /api/modes", json!({"app": null, "upstream": null, "mode": "monitor"})),
        ("POST /api/asks/none/answer", answer("allow_once")),
        ("POST /api/asks/none/answer", answer("allow_session")),
        ("POST /api/asks/none/answer", answer("redact_once")),
        (
            "POST /api/asks/none/answer",
            json!({"answer": {"kind": "allow_always", "scope": scope, "expires": expires}, "acknowledged": true}),
        ),
        (
            "POST /api/decisions",
            json!({"exchange": "none", "effect": "allow", "scope": scope, "expires": expires, "acknowledged": true}),
        ),
        ("POST /api/pins/approve", json!({"pins": [{"id": "0000", "digest": ""}]})),
        ("POST /api/pins/release", json!({"pins": [{"id": "0000", "digest": ""}]})),
        ("DELETE /api/quarantine/none", Value::Null),
        ("POST /api/exchanges/none/original", Value::Null),
        ("PUT /api/sign-ins/none/own", json!({"on": true})),
        ("PUT /api/settings", settings(|s| s["notifications"] = json!(false))),
        ("PUT /api/settings", settings(|s| s["keep_originals"] = json!(true))),
        ("PUT /api/settings", settings(|s| s["quiet_hours"] = json!({"from": 0, "until": 1439}))),
        ("PUT /api/settings", settings(|s| s["retention_days"] = json!(1))),
    ]
}

fn settings(edit: impl FnOnce(&mut Value)) -> Value {
    let mut settings = json!({"retention_days": 30, "retention_mib": 512, "notifications": true, "start_at_login": false,
        "protect_new_servers": false, "hold_new_servers": false, "ask_seconds": 45, "quiet_hours": null,
        "keep_originals": false});
    edit(&mut settings);
    settings
}

/// What the log holds once `enough` of it is on disk: rows are written in batches, a moment later.
async fn changes(place: &Place, port: u16, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    for _ in 0..400 {
        let changes = call(place, port, "GET /api/changes", "").await.json();
        let changes = changes.as_array().unwrap().clone();
        if enough(&changes) {
            return changes;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("not in the log: {}", call(place, port, "GET /api/changes", "").await.body);
}

/// Of this very process: where tests run at a person's terminal, a forged word for it would be true.
fn has_terminal() -> bool {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after.split_whitespace().nth(4).is_some_and(|tty| tty != "0")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_with_the_token_alone_loosens_nothing() {
    let place = Place::new();
    let daemon = place.start().await;
    let port = daemon.running().dashboard_port;
    for (line, body) in loosening() {
        let body = body.to_string();
        let answer = call_as_program(&place, port, line, &body, &[]).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "no_presence"), "{line} {body}");
        if cfg!(target_os = "linux") && !has_terminal() {
            let forged = [("x-portcullis-terminal", "confirmed")];
            let answer = call_as_program(&place, port, line, &body, &forged).await;
            assert_eq!((answer.status, answer.code().as_str()), (403, "no_presence"), "{line} with a forged word");
        }
    }
    let status = call(&place, port, "GET /api/status", "").await.json();
    assert_ne!(status["protection"]["state"], "paused");
    let changes = call(&place, port, "GET /api/changes", "").await.json();
    assert!(changes.as_array().unwrap().iter().all(|change| change["loosens"] == false), "{changes}");
    daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_from_a_page_is_taken_and_each_leaves_a_row_that_says_so() {
    let place = Place::new();
    let daemon = place.start().await;
    let port = daemon.running().dashboard_port;
    for (line, body) in loosening() {
        let answer = call(&place, port, line, &body.to_string()).await;
        assert_ne!(answer.status, 403, "{line}: {}", answer.body);
    }
    let loosens = |change: &&Value| change["loosens"] == true;
    let all = changes(&place, port, |all| all.iter().filter(loosens).count() >= 7).await;
    let loosened: Vec<&str> = all.iter().filter(loosens).map(|change| change["kind"].as_str().unwrap()).collect();
    // What named nothing that is there changed nothing.
    let settings_changed = ["setting_changed"; 4];
    assert_eq!(loosened, [&settings_changed[..], &["mode_changed", "signature_switched", "paused"]].concat());
    // Back again: nobody's leave is needed, and it is no loosening.
    for (line, body) in [
        ("POST /api/resume", Value::Null),
        ("PUT /api/signatures/private-key-leaves", json!({"enabled": true})),
        ("PUT /api/modes", json!({"app": null, "upstream": null, "mode": "block"})),
        ("PUT /api/settings", settings(|_| {})),
        ("POST /api/asks/none/answer", json!({"answer": {"kind": "deny"}})),
    ] {
        let answer = call_as_program(&place, port, line, &body.to_string(), &[]).await;
        assert_ne!(answer.status, 403, "{line}: {}", answer.body);
    }
    daemon.shutdown().await;
}

/// Each setting by itself, from what holds more to what holds less.
#[tokio::test(flavor = "multi_thread")]
async fn every_setting_that_loosens_is_a_persons_and_is_named_in_its_row() {
    let place = Place::new();
    let daemon = place.start().await;
    let port = daemon.running().dashboard_port;
    for (name, tight, loose, said) in [
        ("start_at_login", json!(true), json!(false), "does not start at login"),
        ("hold_new_servers", json!(true), json!(false), "without a review"),
        ("protect_new_servers", json!(true), json!(false), "are not covered"),
        ("notifications", json!(true), json!(false), "notifications are off"),
        ("keep_originals", json!(false), json!(true), "originals"),
        ("retention_days", json!(30), json!(29), "less of the log"),
        ("retention_mib", json!(512), json!(511), "less of the log"),
        ("quiet_hours", Value::Null, json!({"from": 1, "until": 2}), "quiet at more"),
    ] {
        let with = |value: &Value| settings(|s| s[name] = value.clone()).to_string();
        call(&place, port, "PUT /api/settings", &settings(|_| {}).to_string()).await;
        let answer = call_as_program(&place, port, "PUT /api/settings", &with(&tight), &[]).await;
        assert_eq!(answer.status, 200, "{name}: to tighten needs nobody's leave: {}", answer.body);
        let answer = call_as_program(&place, port, "PUT /api/settings", &with(&loose), &[]).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "no_presence"), "{name}");
        let kept = call(&place, port, "GET /api/settings", "").await.json()[name].clone();
        assert_eq!(kept, tight, "{name}");
        let loosened = |all: &[Value]| all.iter().filter(|row| row["loosens"] == true).count();
        let before = loosened(&changes(&place, port, |_| true).await);
        assert_eq!(call(&place, port, "PUT /api/settings", &with(&loose)).await.status, 200, "{name}");
        let now = changes(&place, port, |all| loosened(all) > before).await;
        let newest = now.iter().find(|row| row["loosens"] == true).unwrap();
        assert!(newest["summary"].as_str().unwrap().contains(said), "{name}: {newest}");
    }
    // As long as before, but at noon.
    let moved = settings(|s| s["quiet_hours"] = json!({"from": 720, "until": 721})).to_string();
    let answer = call_as_program(&place, port, "PUT /api/settings", &moved, &[]).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "no_presence"), "{}", answer.body);
    daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxys_listener_has_no_way_to_any_of_it() {
    let place = Place::new();
    std::fs::write(place.cursor_config(), r#"{"mcpServers":{"docs":{"url":"http://127.0.0.1:9/mcp"}}}"#).unwrap();
    let daemon = place.start().await;
    let running = daemon.running();
    let protect = json!({"action": "protect", "servers": null}).to_string();
    let preview = call(&place, running.dashboard_port, "POST /api/apps/cursor/preview", &protect).await.json();
    let apply = json!({"token": preview["token"]}).to_string();
    assert_eq!(call(&place, running.dashboard_port, "POST /api/apps/cursor/apply", &apply).await.status, 200);
    let config: Value = serde_json::from_str(&std::fs::read_to_string(place.cursor_config()).unwrap()).unwrap();
    let url = config["mcpServers"]["docs"]["url"].as_str().unwrap();
    let route = url.splitn(4, '/').nth(3).unwrap().trim_end_matches("/mcp").to_owned();
    let host = format!("127.0.0.1:{}", running.proxy_port);
    let bearer = format!("Bearer {}", place.token());
    for (line, body) in loosening() {
        let (method, path) = line.split_once(' ').unwrap();
        // At the root, and below the server's own route.
        for path in [path.to_owned(), format!("/{route}{path}"), format!("/{route}/mcp/..{path}")] {
            let headers = [("host", host.as_str()), ("authorization", bearer.as_str())];
            let answer = send(running.proxy_port, &format!("{method} {path}"), &headers, &body.to_string()).await;
            assert!(answer.status >= 400, "{method} {path}: {}", answer.status);
        }
    }
    // As a Message of the app, too: our words are nobody's methods.
    for method in ["portcullis/answer", "asks/answer", "decisions/make", "pause"] {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"minutes": 5}}).to_string();
        let headers = [
            ("host", host.as_str()),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ];
        send(running.proxy_port, &format!("POST /{route}/mcp"), &headers, &call).await;
    }
    let changes = call(&place, running.dashboard_port, "GET /api/changes", "").await.json();
    assert!(changes.as_array().unwrap().iter().all(|change| change["loosens"] == false), "{changes}");
    daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn older_copies_of_what_the_person_decided_are_noticed() {
    let place = Place::new();
    let rules = place.home().snapshot_file();
    let daemon = place.start().await;
    let port = daemon.running().dashboard_port;
    call(&place, port, "PUT /api/modes", r#"{"app":null,"upstream":null,"mode":"monitor"}"#).await;
    daemon.shutdown().await;
    let older = std::fs::read(&rules).unwrap();
    let daemon = place.start().await;
    let port = daemon.running().dashboard_port;
    call(&place, port, "PUT /api/modes", r#"{"app":null,"upstream":null,"mode":"block"}"#).await;
    daemon.shutdown().await;

    std::fs::write(&rules, &older).unwrap();
    let daemon = place.start().await;
    let port = daemon.running().dashboard_port;
    let modes = call(&place, port, "GET /api/modes", "").await.json();
    assert_eq!(modes["default"], "ask", "the milder mode of the older copy does not count");
    let status = call(&place, port, "GET /api/status", "").await.json();
    assert!(status["problems"].to_string().contains("older copy"), "{status}");
    changes(&place, port, |all| all.iter().any(|change| change["kind"] == "state_tampered")).await;
    daemon.shutdown().await;

    std::fs::remove_file(&rules).unwrap();
    let daemon = place.start().await;
    let status = call(&place, daemon.running().dashboard_port, "GET /api/status", "").await.json();
    assert!(status["problems"].to_string().contains("removed by something else"), "{status}");
    daemon.shutdown().await;
}
