//! Optional judges with a real daemon: stub endpoints that answer well, badly, late and with intent, and a stand-in for
//! the classifier's program.

use super::common::{Line, Place, Reply, Stub, call, call_as_program, own_signature, send, until};
use portcullis_daemon::Daemon;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A daemon whose own signature flags "zanzibar", so that a call with that word goes through and is doubtful.
struct Bench {
    place: Place,
    daemon: Daemon,
    line: Line,
}

impl Bench {
    async fn new(upstream: &Stub) -> Self {
        let place = Place::new();
        place.home().create().unwrap();
        std::fs::write(place.home().signatures().join("word.toml"), own_signature("word", "zanzibar", "flag")).unwrap();
        let daemon = place.start().await;
        let line = Line::protect(&place, &daemon, upstream).await;
        Self { place, daemon, line }
    }
    fn port(&self) -> u16 {
        self.daemon.running().dashboard_port
    }
    async fn get(&self, path: &str) -> Value {
        call(&self.place, self.port(), &format!("GET {path}"), "").await.json()
    }
    /// As the dashboard's page does it.
    async fn set(&self, name: &str, settings: &Value) -> super::common::Answer {
        let (host, bearer) = (format!("127.0.0.1:{}", self.port()), format!("Bearer {}", self.place.token()));
        let origin = format!("http://{host}");
        let headers = [
            ("host", host.as_str()),
            ("authorization", &bearer),
            ("origin", &origin),
            ("content-type", "application/json"),
        ];
        send(self.port(), &format!("PUT /api/judges/{name}"), &headers, &settings.to_string()).await
    }
    async fn counts(&self, name: &str) -> Value {
        let list = self.get("/api/judges").await;
        list["judges"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()["counts"].clone()
    }
    /// Waits until `what` was counted so often.
    async fn counted(&self, name: &str, what: &str, times: u64) {
        until(what, async || (self.counts(name).await[what] == times).then_some(())).await;
    }
    /// The newest row of a call with `text`: verdict, and the signatures that found something.
    async fn row(&self, text: &str) -> (String, Vec<String>) {
        let path = format!("/api/exchanges?q={}", text.replace(' ', "%20"));
        let id = until("the row", async || self.get(&path).await["rows"][0]["id"].as_str().map(str::to_owned)).await;
        // Recorded once while it waits, and once more when it is over.
        let detail = until("the answer", async || {
            let detail = self.get(&format!("/api/exchanges/{id}")).await;
            detail["exchange"]["duration_us"].is_number().then_some(detail)
        })
        .await;
        let found = detail["exchange"]["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["signature"].as_str().unwrap().to_owned());
        (detail["exchange"]["verdict"].as_str().unwrap_or_default().to_owned(), found.collect())
    }
}

fn model(port: u16) -> Value {
    json!({
        "enabled": true, "scope": "grey", "timeout_seconds": 10, "most_per_day": 200, "threshold_percent": 70,
        "kind": { "kind": "model", "style": "openai", "url": format!("http://127.0.0.1:{port}/v1"), "model": "m", "key": null },
    })
}

fn opinion(percent: u32) -> Reply {
    let content =
        json!({ "hostile_percent": percent, "category": "injection", "reason": "orders to the model" }).to_string();
    Reply::Json(json!({ "choices": [{ "message": { "role": "assistant", "content": content } }] }).to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_judge_that_is_on_adds_to_what_is_doubtful_and_one_that_is_off_hears_nothing() {
    let upstream = Stub::echoing();
    let bench = Bench::new(&upstream).await;
    let judge = Stub::start(|_| opinion(92));
    bench.line.call("zanzibar before").await;
    assert_eq!(bench.row("before").await, ("flag".into(), vec!["word".into(), "word".into()]));

    let key = bench.place.dir.path().join("key");
    std::fs::write(&key, "sk-made-up-key\n").unwrap();
    let mut settings = model(judge.port);
    settings["kind"]["key"] = json!({ "file": key });
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = bench.set("model", &settings).await;
        assert!(refused.status == 400 && refused.body.contains("chmod 600"), "{}", refused.body);
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let set = bench.set("model", &settings).await;
    assert_eq!(set.status, 200, "{}", set.body);
    assert!(!set.body.contains("sk-made-up"), "{}", set.body);
    let sent = format!("sent to http://127.0.0.1:{}/v1", judge.port);
    until("the row", async || bench.get("/api/changes").await.to_string().contains(&sent).then_some(())).await;

    bench.line.call("an ordinary text").await;
    bench.line.call("zanzibar after \"}]} x").await;
    bench.counted("model", "doubtful", 1).await;
    let found = until("the finding", async || {
        let (verdict, found) = bench.row("after").await;
        found.contains(&"judge-model".to_owned()).then_some((verdict, found.len()))
    })
    .await;
    assert_eq!(found, ("flag".into(), 3));

    // Of three calls one was sent on: the one before it was on, and the ordinary one, are not among them.
    let heard = judge.heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 1);
    assert!(heard[0].0.contains("authorization: bearer sk-made-up-key"), "{}", heard[0].0);
    assert!(heard[0].0.starts_with("post /v1/chat/completions "), "{}", heard[0].0);
    let asked: Value = serde_json::from_str(&heard[0].1).unwrap();
    assert_eq!(asked["response_format"]["json_schema"]["schema"]["additionalProperties"], false);
    assert!(!asked["messages"][0]["content"].as_str().unwrap().contains("zanzibar"));
    let evidence: Value = serde_json::from_str(asked["messages"][1]["content"].as_str().unwrap()).unwrap();
    assert!(evidence["response"].as_str().unwrap().contains("zanzibar after"), "{evidence}");
    assert!(!evidence.to_string().contains("docs"), "no names: {evidence}");

    settings["enabled"] = json!(false);
    assert_eq!(bench.set("model", &settings).await.status, 200);
    bench.line.call("zanzibar at last").await;
    assert_eq!(bench.row("last").await.1.len(), 2);
    assert_eq!(judge.count(), 1);
    bench.daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_lowers_nothing_and_is_counted() {
    let upstream = Stub::echoing();
    let bench = Bench::new(&upstream).await;
    let next: Arc<Mutex<Option<Reply>>> = Arc::default();
    let given = next.clone();
    let judge = Stub::start(move |_| given.lock().unwrap().take().unwrap());
    let elsewhere = Stub::start(|_| opinion(99));
    let redirect =
        format!("HTTP/1.1 307 x\r\nlocation: http://127.0.0.1:{}/\r\ncontent-length: 0\r\n\r\n", elsewhere.port);
    let mut settings = model(judge.port);
    settings["timeout_seconds"] = json!(1);
    assert_eq!(bench.set("model", &settings).await.status, 200);
    let told = |content: &str| Reply::Json(json!({ "choices": [{ "message": { "content": content } }] }).to_string());
    let cases = [
        ("fine", 1, opinion(0)),
        ("unparsable", 1, told("ALLOW")),
        ("unparsable", 2, told(r#"{"hostile_percent":0,"category":"injection","reason":"","allowed":true}"#)),
        ("unparsable", 3, Reply::Json("<html>".into())),
        ("failed", 1, Reply::Raw("HTTP/1.1 500 x\r\ncontent-length: 0\r\n\r\n".into())),
        ("failed", 2, Reply::Raw(redirect)),
        ("failed", 3, Reply::Raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".into())),
        ("failed", 4, Reply::Json(format!("\"{}\"", "x".repeat(1 << 20)))),
        ("late", 1, Reply::Never),
    ];
    for (number, (what, times, reply)) in cases.into_iter().enumerate() {
        *next.lock().unwrap() = Some(reply);
        let text = format!("zanzibar number{number}");
        bench.line.call(&text).await;
        bench.counted("model", what, times).await;
        assert_eq!(
            bench.row(&format!("number{number}")).await,
            ("flag".into(), vec!["word".into(), "word".into()]),
            "{what}"
        );
    }
    assert_eq!(elsewhere.count(), 0, "no redirect is followed");
    bench.daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_equal_text_is_asked_once_and_a_day_has_its_budget() {
    let upstream = Stub::echoing();
    let bench = Bench::new(&upstream).await;
    let judge = Stub::start(|_| opinion(80));
    let mut settings = model(judge.port);
    settings["most_per_day"] = json!(1);
    assert_eq!(bench.set("model", &settings).await.status, 200);
    bench.line.call("zanzibar once").await;
    bench.counted("model", "doubtful", 1).await;
    bench.line.call("zanzibar once").await;
    bench.counted("model", "cached", 1).await;
    bench.line.call("zanzibar more").await;
    bench.counted("model", "over_budget", 1).await;
    assert_eq!((judge.count(), &bench.counts("model").await["used_today"]), (1, &json!(1)));
    let Bench { place, daemon, .. } = bench;
    daemon.shutdown().await;

    // A restart keeps the settings and gives nothing of the budget back; edited settings are void.
    let daemon = place.start().await;
    let list = call(&place, daemon.running().dashboard_port, "GET /api/judges", "").await.json();
    assert_eq!(
        (&list["judges"][0]["settings"]["enabled"], &list["judges"][0]["counts"]["used_today"]),
        (&json!(true), &json!(1))
    );
    daemon.shutdown().await;
    let file = place.home().path().join("judges");
    let edited = std::fs::read_to_string(&file).unwrap().replace("127.0.0.1", "127.0.0.2");
    std::fs::write(&file, edited).unwrap();
    let daemon = place.start().await;
    let list = call(&place, daemon.running().dashboard_port, "GET /api/judges", "").await.json();
    assert_eq!(list["judges"][0]["settings"], Value::Null);
    let problems = daemon.handle().status().await.unwrap().problems;
    assert!(problems.iter().any(|text| text.contains("every judge is off")), "{problems:?}");
    daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_person_sends_texts_away_and_only_to_a_safe_place() {
    let upstream = Stub::echoing();
    let bench = Bench::new(&upstream).await;
    let settings = model(9);
    let alone = call_as_program(&bench.place, bench.port(), "PUT /api/judges/model", &settings.to_string(), &[]).await;
    assert_eq!((alone.status, alone.code().as_str()), (403, "no_presence"), "{}", alone.body);
    let mut plain = settings.clone();
    plain["kind"]["url"] = json!("http://judge.example");
    let refused = bench.set("model", &plain).await;
    assert!(refused.status == 400 && refused.body.contains("https"), "{}", refused.body);
    assert_eq!(bench.set("oracle", &settings).await.status, 404);
    assert_eq!(bench.get("/api/judges").await["judges"][0]["settings"], Value::Null);
    bench.daemon.shutdown().await;
}

/// `body`: what the program does after it was started with the model's path.
#[cfg(target_os = "linux")]
fn stand_in(bench: &Bench, body: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let program = bench.place.home().bin().join("portcullis-onnx");
    let part = program.with_extension("part");
    std::fs::write(&part, format!("#!/bin/sh\necho $$ >> \"$1.pids\"\n{body}\n")).unwrap();
    std::fs::set_permissions(&part, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::rename(&part, &program).unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_classifier_is_a_child_that_is_ended_when_it_is_late_or_out_of_step() {
    let upstream = Stub::echoing();
    let bench = Bench::new(&upstream).await;
    let file = bench.place.dir.path().join("model.onnx");
    std::fs::write(&file, "a stand-in reads nothing").unwrap();
    let settings = json!({
        "enabled": true, "scope": "grey", "timeout_seconds": 1, "most_per_day": 200, "threshold_percent": 70,
        "kind": { "kind": "onnx", "file": file },
    });
    if std::env::current_exe().unwrap().ancestors().skip(1).take(2).all(|dir| !dir.join("portcullis-onnx").is_file()) {
        let absent = bench.set("onnx", &settings).await;
        assert!(absent.status == 400 && absent.body.contains("npm run judge:onnx"), "{}", absent.body);
    }
    stand_in(
        &bench,
        "echo '{\"ready\":{\"takes\":\"16 features\"}}'\nn=0\nwhile read -r line; do n=$((n+1)); echo \"{\\\"score\\\":{\\\"id\\\":$n,\\\"score\\\":0.93}}\"; done",
    );
    assert_eq!(bench.set("onnx", &settings).await.status, 200);
    bench.line.call("zanzibar one").await;
    bench.counted("onnx", "doubtful", 1).await;
    bench.line.call("zanzibar two").await;
    bench.counted("onnx", "doubtful", 2).await;
    until("the finding", async || bench.row("two").await.1.contains(&"judge-onnx".to_owned()).then_some(())).await;
    let pids = || std::fs::read_to_string(file.with_extension("onnx.pids")).unwrap();
    assert_eq!(pids().lines().count(), 1, "one child for both");

    // Setting it anew starts it anew. Silent: late, and ended.
    stand_in(&bench, "echo '{\"ready\":{\"takes\":\"16 features\"}}'\nexec sleep 600");
    let again = |percent: u32| {
        let mut settings = settings.clone();
        settings["threshold_percent"] = json!(percent);
        settings
    };
    assert_eq!(bench.set("onnx", &again(71)).await.status, 200);
    bench.line.call("zanzibar three").await;
    bench.counted("onnx", "late", 1).await;
    let silent = pids().lines().last().unwrap().to_owned();
    until("its end", async || (!alive(&silent)).then_some(())).await;

    for (number, (what, times, body)) in [
        ("unparsable", 1, "echo hello"),
        ("failed", 1, "echo '{\"unusable\":{\"why\":\"it is no ONNX model\"}}'"),
        ("failed", 2, "exit 3"),
        ("unparsable", 2, "echo '{\"ready\":{}}'; read -r line; echo '{\"score\":{\"id\":1,\"score\":7}}'"),
        ("unparsable", 3, "echo '{\"ready\":{}}'; read -r line; echo '{\"score\":{\"id\":9,\"score\":0.1}}'"),
    ]
    .into_iter()
    .enumerate()
    {
        stand_in(&bench, body);
        assert_eq!(bench.set("onnx", &again(72 + number as u32)).await.status, 200);
        bench.line.call(&format!("zanzibar bad{number}")).await;
        bench.counted("onnx", what, times).await;
        assert_eq!(bench.row(&format!("bad{number}")).await.1.len(), 2, "{body}");
    }
    bench.daemon.shutdown().await;
    assert!(pids().lines().all(|pid| !alive(pid)), "none is left behind");
}

/// A process that waits to be collected is over.
#[cfg(target_os = "linux")]
fn alive(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}
