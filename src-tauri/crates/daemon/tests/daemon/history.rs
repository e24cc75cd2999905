//! The kept history as a person uses it: what asked how often, what a change would have done, exceptions from a row.

use super::common::{Place, call};
use portcullis_domain::{
    AppId, AuditRow, Confidence, Direction, Exchange, ExchangeId, Finding, Outcome, SessionId, Severity, Transport,
    Upstream, UpstreamId, Verdict,
};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// What the real engine finds in these calls, in its present version.
const SIGNATURE: &str = "credential-file";

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// As the shim would have written it: a call that asked and was allowed, or one that asked nothing.
fn row(upstream: &Upstream, n: i64, path: &str, asked: bool, version: u32) -> AuditRow {
    let at = now() - 60_000 + n;
    let call = json!({"jsonrpc": "2.0", "id": n, "method": "tools/call",
        "params": {"name": "read_file", "arguments": {"path": path}}});
    let finding = Finding {
        signature: SIGNATURE.into(),
        version,
        category: "arguments".into(),
        severity: Severity::High,
        confidence: Confidence::Medium,
        verdict: Verdict::Ask,
        title: "A file with secrets".into(),
        json_path: "/params/arguments/path".into(),
        span: None,
        matched: path.into(),
        decoded: None,
    };
    let id = ExchangeId::new(format!("{at:012x}{n:012x}"));
    let session = SessionId::new("s");
    AuditRow::Exchange(Box::new(Exchange {
        method: "tools/call".into(),
        target: Some("read_file".into()),
        verdict: if asked { Verdict::Ask } else { Verdict::Allow },
        outcome: Outcome::Forwarded,
        findings: if asked { vec![finding] } else { Vec::new() },
        request: call.to_string(),
        response: Some(r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#.into()),
        duration_us: Some(1),
        ..Exchange::new(id, at, upstream, session, Transport::Stdio, Direction::ToUpstream)
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_counted_a_change_is_tried_on_them_and_an_exception_is_made_from_one() {
    let place = Place::new();
    std::fs::write(place.cursor_config(), r#"{"mcpServers":{"files":{"command":"node","args":["f.js"]}}}"#).unwrap();
    let daemon = place.start().await;
    let port = daemon.running().dashboard_port;
    let protect = json!({"action": "protect", "servers": null}).to_string();
    let preview = call(&place, port, "POST /api/apps/cursor/preview", &protect).await.json();
    let apply = json!({"token": preview["token"]}).to_string();
    assert_eq!(call(&place, port, "POST /api/apps/cursor/apply", &apply).await.status, 200);
    let apps = call(&place, port, "GET /api/apps", "").await.json();
    let cursor = apps.as_array().unwrap().iter().find(|app| app["id"] == "cursor").unwrap();
    let id = cursor["files"][0]["servers"][0]["id"].as_str().unwrap().to_owned();
    let upstream = Upstream {
        id: UpstreamId::new(id),
        app: AppId::new("cursor"),
        app_name: "Cursor".into(),
        name: "files".into(),
        transport: Transport::Stdio,
        url: None,
        command: vec!["node".into(), "f.js".into()],
    };
    let info = call(&place, port, &format!("GET /api/signatures/{SIGNATURE}"), "").await.json();
    let version = u32::try_from(info["version"].as_u64().unwrap()).unwrap();
    let asked = |n: i64| row(&upstream, n, &format!("/home/someone/{n}/.env"), true, version);
    let mut rows: Vec<AuditRow> = (0..5).map(asked).collect();
    rows.push(row(&upstream, 9, "src/main.rs", false, version));
    let lines: Vec<String> = rows.iter().map(|row| serde_json::to_string(row).unwrap()).collect();
    std::fs::write(place.home().spool().join("x.jsonl"), lines.join("\n") + "\n").unwrap();
    // Imported by the next round of the upkeep.
    let budget = loop {
        let budget = call(&place, port, "GET /api/asks/budget?days=7", "").await.json();
        if budget["signatures"].as_array().is_some_and(|all| all.first().is_some_and(|one| one["asked"] == 5)) {
            break budget;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    let noisy = &budget["signatures"][0];
    assert_eq!((&noisy["signature"], &noisy["allowed"]), (&json!(SIGNATURE), &json!(5)));
    assert_eq!(noisy["proposal"], "exception", "five a day, all of them allowed");
    let asked: u64 = budget["days"].as_array().unwrap().iter().map(|day| day["asked"].as_u64().unwrap()).sum();
    assert_eq!(asked, 5);

    let replay = async |change: Value| {
        let body = json!({"days": 7, "change": change}).to_string();
        call(&place, port, "POST /api/replay", &body).await.json()
    };
    let stricter = replay(json!({"kind": "mode", "request": {"app": null, "upstream": null, "mode": "block"}})).await;
    assert_eq!(
        (&stricter["looked_at"], &stricter["newly_blocked"], &stricter["newly_blocked_approved"]),
        (&json!(6), &json!(5), &json!(5)),
        "{stricter}"
    );
    assert_eq!(stricter["rows"].as_array().unwrap().len(), 5);
    let newest = noisy["newest"].as_str().unwrap();
    let exact = json!({"this_app": true, "this_server": true, "this_target": true, "arguments": {"reach": "exact"},
        "these_destinations": true, "these_signatures": true});
    let wider = json!({"this_app": true, "this_server": true, "this_target": true,
        "arguments": {"reach": "shape", "fixed": []}, "these_destinations": true, "these_signatures": true});
    let decision = |scope: &Value| json!({"kind": "decision", "exchange": newest, "effect": "allow", "scope": scope});
    let narrow = replay(decision(&exact)).await;
    assert_eq!((&narrow["newly_allowed"], &narrow["newly_allowed_approved"]), (&json!(1), &json!(1)), "{narrow}");
    assert_eq!(replay(decision(&wider)).await["newly_allowed"], 5);
    let modes = call(&place, port, "GET /api/modes", "").await.json();
    assert_eq!(modes["default"], "ask", "a replay changes nothing");

    let expires = json!({"ends": "after", "minutes": 60});
    let make = json!({"exchange": newest, "effect": "allow", "scope": exact, "expires": expires});
    let unticked = call(&place, port, "POST /api/decisions", &make.to_string()).await;
    assert_eq!(unticked.code(), "not_acknowledged", "{}", unticked.body);
    let make = json!({"exchange": newest, "effect": "allow", "scope": exact, "expires": expires, "acknowledged": true});
    let made = call(&place, port, "POST /api/decisions", &make.to_string()).await.json();
    let decision_id = made["id"].as_str().unwrap();
    let listed = call(&place, port, "GET /api/decisions?q=read_file", "").await.json();
    assert_eq!(listed[0]["decision"]["id"], decision_id);
    assert_eq!(call(&place, port, "GET /api/decisions?q=elsewhere", "").await.json(), json!([]));
    assert_eq!(call(&place, port, &format!("DELETE /api/decisions/{decision_id}"), "").await.status, 200);
    let ended = call(&place, port, "GET /api/decisions?state=ended", "").await.json();
    assert_eq!(ended[0]["state"], "revoked");
    daemon.shutdown().await;
}
