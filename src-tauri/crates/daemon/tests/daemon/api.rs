//! The dashboard's API as others see it: who gets in, who does not, and what answers look like.

use super::common::{Place, call, send};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn only_this_listener_by_name_only_with_the_token() {
    let place = Place::new();
    let daemon = place.start().await;
    let port = daemon.running().dashboard_port;
    let host = format!("127.0.0.1:{port}");
    let bearer = format!("Bearer {}", place.token());
    let good = [("host", host.as_str()), ("authorization", bearer.as_str())];

    let answer = send(port, "GET /api/status", &good, "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.head.contains("content-security-policy: default-src 'none'"), "{}", answer.head);
    assert!(answer.head.contains("x-content-type-options: nosniff"), "{}", answer.head);
    assert!(!answer.head.contains("access-control-allow"), "{}", answer.head);

    for path in ["/", "/api/status", "/healthz", "/api/pair"] {
        let line = format!("GET {path}");
        let foreign = [("host", "evil.example"), ("authorization", bearer.as_str())];
        let answer = send(port, &line, &foreign, "").await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "foreign_request"), "{path}: Host");
        let foreign = [good[0], good[1], ("origin", "http://evil.example")];
        let answer = send(port, &line, &foreign, "").await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "foreign_request"), "{path}: Origin");
    }
    for path in [
        "status",
        "apps",
        "exchanges",
        "export",
        "alerts",
        "stats",
        "changes",
        "signatures",
        "settings",
        "drill",
        "events",
    ] {
        for bearer in ["Bearer ", "Bearer wrong", "Basic x"] {
            let headers = [good[0], ("authorization", bearer)];
            let answer = send(port, &format!("GET /api/{path}"), &headers, "").await;
            assert_eq!((answer.status, answer.code().as_str()), (401, "not_paired"), "{path} with {bearer:?}");
        }
    }
    for line in ["POST /api/pairing-code", "POST /api/restore-all", "POST /api/pause", "POST /api/drill"] {
        assert_eq!(send(port, line, &[good[0]], "").await.status, 401, "{line}");
    }
    let health = send(port, "GET /healthz", &[good[0]], "").await;
    assert_eq!(health.status, 200);
    assert!(!health.body.contains(&place.token()));
    daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_pairs_one_browser_once_and_guessing_is_stopped() {
    let place = Place::new();
    let daemon = place.start().await;
    let port = daemon.running().dashboard_port;
    let host = format!("127.0.0.1:{port}");
    let url = daemon.handle().dashboard_url().await.unwrap();
    let code = url.split_once("/#pair=").unwrap().1.to_owned();
    let pair =
        async |code: &str| send(port, "POST /api/pair", &[("host", &host)], &json!({ "code": code }).to_string()).await;

    let answer = pair(&code).await;
    assert_eq!(answer.json()["token"], place.token());
    let answer = pair(&code).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "wrong_code"), "a code works once");
    for _ in 0..4 {
        assert_eq!(pair("AAAAA-AAAAA").await.status, 403);
    }
    let fresh = daemon.handle().pairing_code().await.unwrap();
    let answer = pair(&fresh).await;
    assert_eq!((answer.status, answer.code().as_str()), (429, "too_many_tries"));
    daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_codes_and_unknown_pages_show_the_dashboard() {
    let place = Place::new();
    let daemon = place.start().await;
    let port = daemon.running().dashboard_port;
    for (line, body, status, code) in [
        ("GET /api/nothing", "", 404, "not_found"),
        ("DELETE /api/status", "", 405, "wrong_method"),
        ("GET /api/exchanges?verdict=maybe", "", 400, "bad_request"),
        ("GET /api/exchanges?cursor=nonsense", "", 400, "bad_cursor"),
        ("GET /api/exchanges?limit=x", "", 400, "bad_request"),
        ("GET /api/exchanges/none", "", 404, "not_found"),
        ("GET /api/export", "", 400, "bad_request"),
        ("GET /api/export?format=xml", "", 400, "bad_request"),
        ("GET /api/export?format=csv&verdict=maybe", "", 400, "bad_request"),
        ("POST /api/apps/nope/preview", r#"{"action":"protect","servers":null}"#, 404, "unknown_app"),
        ("POST /api/apps/cursor/preview", r#"{"action":"explode"}"#, 400, "bad_request"),
        ("POST /api/apps/cursor/apply", r#"{"token":"x"}"#, 409, "preview_expired"),
        ("POST /api/alerts/none/review", r#"{"reason":"test"}"#, 404, "not_found"),
        ("PUT /api/signatures/none", r#"{"enabled":false}"#, 404, "not_found"),
        ("POST /api/pause", r#"{"minutes":0}"#, 400, "bad_request"),
        ("PUT /api/settings", "{", 400, "bad_request"),
    ] {
        let answer = call(&place, port, line, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{line}: {}", answer.body);
        assert!(answer.json()["message"].as_str().is_some_and(|text| text.len() > 10), "{line}: {}", answer.body);
    }
    for path in ["/", "/traffic", "/traffic?app=cursor"] {
        let answer = call(&place, port, &format!("GET {path}"), "").await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.head.contains("content-type: text/html"), "{path}: {}", answer.head);
    }
    assert_eq!(call(&place, port, "GET /assets/none.js", "").await.status, 404);
    daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_kept_and_absurd_ones_refused() {
    let place = Place::new();
    let daemon = place.start().await;
    let handle = daemon.handle();
    let mut settings = handle.settings().await.unwrap();
    settings.retention_days = 9;
    settings.protect_new_servers = true;
    assert_eq!(handle.set_settings(&settings).await.unwrap(), settings);
    let absurd = portcullis_domain::api::Settings { retention_days: 0, ..settings.clone() };
    assert_eq!(handle.set_settings(&absurd).await.unwrap_err().code, "bad_request");
    daemon.shutdown().await;
    let daemon = place.start().await;
    assert_eq!(daemon.handle().settings().await.unwrap(), settings, "after a restart");
    let changes = call(&place, daemon.running().dashboard_port, "GET /api/changes", "").await;
    assert!(changes.body.contains("setting_changed"), "{}", changes.body);
    daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_a_file_of_its_format() {
    let place = Place::new();
    let daemon = place.start().await;
    let port = daemon.running().dashboard_port;
    for (format, kind, begins) in [
        ("jsonl", "application/x-ndjson", ""),
        ("csv", "text/csv", "time,id,app,"),
        ("sarif", "application/sarif+json", "{\"$schema\""),
    ] {
        let answer = call(&place, port, &format!("GET /api/export?format={format}&verdict=block&limit=1"), "").await;
        assert_eq!(answer.status, 200, "{format}");
        assert!(answer.head.contains(&format!("content-type: {kind}")), "{}", answer.head);
        assert!(answer.head.contains("content-disposition: attachment; filename=\"portcullis-20"), "{}", answer.head);
        assert!(answer.body.contains(begins), "{format}: {}", answer.body);
    }
    daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_goes_when_its_cause_is_gone() {
    let place = Place::new();
    let daemon = place.start().await;
    let handle = daemon.handle();
    assert_eq!(handle.status().await.unwrap().problems, [""; 0]);
    let bad = place.home().spool().join("s.bad");
    std::fs::write(&bad, "{torn\n").unwrap();
    let about = async |wanted: bool| loop {
        let problems = handle.status().await.unwrap().problems;
        if problems.iter().any(|problem| problem.contains("could not be read")) == wanted {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    let soon = std::time::Duration::from_secs(30);
    tokio::time::timeout(soon, about(true)).await.expect("the lines kept aside are told of");
    std::fs::remove_file(&bad).unwrap();
    tokio::time::timeout(soon, about(false)).await.expect("the sentence goes with the file");
    daemon.shutdown().await;
}
