//! Servers that are not there, or not for long: the app gets an error under its request's id, the state says what is
//! wrong since when, nothing is sent twice, and the server that comes back works without anybody's doing.

use crate::support::{Proxied, Reply, Setup, Upstream, exchange_of};
use portcullis_domain::Outcome;
use portcullis_gateway::oauth::{Client, Grant};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

fn call(id: i64) -> String {
    json!({"jsonrpc":"2.0","id":id,"method":"tools/call","params":{"name":"t","arguments":{}}}).to_string()
}
fn result(id: i64) -> String {
    json!({"jsonrpc":"2.0","id":id,"result":{"content":[]}}).to_string()
}

/// The error that the app got for request 1, and why the server is said to fail.
async fn failed(proxied: &Proxied) -> (String, String) {
    let response = proxied.post("/mcp", &call(1), &[]).await;
    let answer: Value = serde_json::from_str(&response.body).unwrap_or_else(|_| panic!("{}", response.body));
    assert_eq!((response.status, &answer["id"], &answer["error"]["code"]), (200, &json!(1), &json!(-32603)));
    let rows = proxied.rows();
    assert_eq!(exchange_of(rows.last().unwrap()).outcome, Outcome::Failed);
    (answer["error"]["message"].as_str().unwrap().to_owned(), proxied.failing().expect("it is seen to fail"))
}

async fn works(proxied: &Proxied, id: i64) {
    let response = proxied.post("/mcp", &call(id), &[]).await;
    assert_eq!((response.status, response.body), (200, result(id)));
    assert_eq!(proxied.failing(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_is_seen_to_fail_until_it_is_back() {
    let proxied = Proxied::start_without_upstream().await;
    let (message, reason) = failed(&proxied).await;
    assert!(message.contains("could not reach the server \"files\"") && message.contains("refused"), "{message}");
    assert!(reason.contains("refused"), "{reason}");
    let _back = Upstream::on(proxied.upstream.authority(), Reply::json(&result(2))).await;
    works(&proxied, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_gets_no_answer_from_us_but_a_status() {
    let proxied = Proxied::start_without_upstream().await;
    let note = json!({"jsonrpc":"2.0","method":"notifications/x"}).to_string();
    assert_eq!(proxied.post("/mcp", &note, &[]).await.status, 502);
    assert_eq!(proxied.send("GET", "/mcp", "", &[]).await.status, 502);
    let batch = format!("[{},{}]", call(1), call(2));
    let answers: Value = serde_json::from_str(&proxied.post("/mcp", &batch, &[]).await.body).unwrap();
    let ids: Vec<&Value> = answers.as_array().unwrap().iter().map(|answer| &answer["id"]).collect();
    assert_eq!(ids, [&json!(1), &json!(2)]);
}

/// It accepts and says nothing: no name lookup, no proxy, no TLS handshake may hold a request for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_black_hole_is_given_up_in_the_time_that_the_config_says() {
    let hole = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/mcp", hole.local_addr().unwrap());
    let connect_timeout = Duration::from_millis(100);
    let proxied = Proxied::set_up(Setup { url: Some(url), connect_timeout, ..Setup::default() }).await;
    let (message, reason) = failed(&proxied).await;
    assert!(message.contains("no connection within 100ms"), "{message}");
    assert!(reason.contains("no connection within 100ms"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_speak_tls_is_told_apart() {
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/mcp", plain.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = plain.accept().await.unwrap();
        // What servers say to bytes that are no HTTP.
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let proxied = Proxied::set_up(Setup { url: Some(url), ..Setup::default() }).await;
    let (message, _) = failed(&proxied).await;
    assert!(message.contains("InvalidContentType"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_gateway_is_down_fails_with_the_status_that_the_app_sees() {
    let proxied = Proxied::start(Reply::new(503, "text/html", "<h1>down</h1>")).await;
    let response = proxied.post("/mcp", &call(1), &[]).await;
    assert_eq!((response.status, response.body.as_str()), (503, "<h1>down</h1>"));
    assert_eq!(proxied.failing().as_deref(), Some("it answers with HTTP status 503"));
    proxied.upstream.script([Reply::json(&result(2))]);
    works(&proxied, 2).await;
}

/// Answers each request of a connection with what `script` says for its number; None: closes instead.
struct Raw {
    address: String,
    asked: Arc<AtomicUsize>,
    stop: watch::Sender<()>,
    serving: tokio::task::JoinHandle<()>,
}

impl Raw {
    async fn start(address: &str, script: impl Fn(usize) -> Option<String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let (address, asked) = (listener.local_addr().unwrap().to_string(), Arc::<AtomicUsize>::default());
        let (counting, script) = (asked.clone(), Arc::new(script));
        let (stop, mut stopped) = watch::channel(());
        let serving = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                tokio::select! {
                    Ok((stream, _)) = listener.accept() => {
                        connections.spawn(serve(stream, counting.clone(), script.clone(), stopped.clone()));
                    }
                    _ = stopped.changed() => break,
                }
            }
            drop(listener);
            connections.join_all().await;
        });
        Self { address, asked, stop, serving }
    }
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
    /// Its connections end with it, idle ones too, and the other side has seen it.
    async fn end(self) -> String {
        drop(self.stop);
        self.serving.await.unwrap();
        self.address
    }
}

async fn serve(
    mut stream: TcpStream,
    asked: Arc<AtomicUsize>,
    script: Arc<impl Fn(usize) -> Option<String>>,
    mut stopped: watch::Receiver<()>,
) {
    let is_stopped = tokio::select! {
        _ = exchanges(&mut stream, &asked, &*script) => false,
        _ = stopped.changed() => true,
    };
    if is_stopped {
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
}

async fn exchanges(
    stream: &mut TcpStream,
    asked: &AtomicUsize,
    script: &impl Fn(usize) -> Option<String>,
) -> Option<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let length = head.split_once("content-length: ").and_then(|(_, rest)| rest.lines().next()?.parse().ok());
        stream.read_exact(&mut vec![0; length.unwrap_or(0)]).await.ok()?;
        let answer = script(asked.fetch_add(1, Ordering::SeqCst) + 1)?;
        stream.write_all(answer.as_bytes()).await.ok()?;
        if answer.contains("CUT") {
            return None;
        }
    }
}

fn answer(id: i64) -> String {
    let body = result(id);
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

async fn in_front_of(raw: &Raw) -> Proxied {
    Proxied::set_up(Setup { url: Some(format!("http://{}/mcp", raw.address)), ..Setup::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_cut_is_an_error_under_its_id_and_the_next_one_works() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"CUT\":";
    let raw = Raw::start("127.0.0.1:0", move |n| Some(if n == 1 { cut.to_owned() } else { answer(2) })).await;
    let proxied = in_front_of(&raw).await;
    let (message, _) = failed(&proxied).await;
    assert!(message.contains("broke off its answer"), "{message}");
    works(&proxied, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_is_cut_for_the_app_too() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n9\r\n: \"CUT\"\n\n\r\n";
    let raw = Raw::start("127.0.0.1:0", move |n| Some(if n == 1 { cut.to_owned() } else { answer(2) })).await;
    let proxied = in_front_of(&raw).await;
    let mut stream = proxied.open("POST", "/mcp", &call(1), &[]).await;
    assert_eq!(stream.read_until("\n\n").await, ": \"CUT\"\n\n");
    assert!(!stream.has_ended().await, "it does not look as if it had ended in order");
    assert!(proxied.failing().is_some());
    works(&proxied, 2).await;
}

/// The server may have done what was asked before it closed: nobody asks twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_may_have_run_is_never_sent_again() {
    let raw = Raw::start("127.0.0.1:0", |n| (n == 1).then(|| answer(1))).await;
    let proxied = in_front_of(&raw).await;
    works(&proxied, 1).await;
    // On the connection that is kept open, and on new ones.
    for asked in [2, 3] {
        failed(&proxied).await;
        assert_eq!(raw.asked(), asked);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_restarted_costs_the_first_call_nothing() {
    let raw = Raw::start("127.0.0.1:0", |n| Some(answer(n as i64))).await;
    let proxied = in_front_of(&raw).await;
    works(&proxied, 1).await;
    let address = raw.end().await;
    let raw = Raw::start(&address, |n| Some(answer(n as i64))).await;
    works(&proxied, 1).await;
    assert_eq!(raw.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listening_stream_is_taken_up_again_at_the_server_that_came_back() {
    let stream = |id: u32, end: &str| {
        let event = format!("id: {id}\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x{end}\"}}\n\n");
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        format!("{head}{:x}\r\n{event}\r\n", event.len())
    };
    let raw = Raw::start("127.0.0.1:0", move |_| Some(stream(1, "CUT"))).await;
    let proxied = in_front_of(&raw).await;
    let mut listening = proxied.open("GET", "/mcp", "", &[]).await;
    assert!(listening.read_until("\n\n").await.contains("id: 1"));
    assert!(!listening.has_ended().await, "the app sees it cut, and takes it up again");
    let address = raw.end().await;
    let back = Upstream::on(address, Reply::open_ended("text/event-stream", "id: 2\ndata: {}\n\n")).await;
    let mut again = proxied.open("GET", "/mcp", "", &[("last-event-id", "1")]).await;
    assert!(again.read_until("\n\n").await.contains("id: 2"));
    assert_eq!(back.only_request().header("last-event-id"), "1");
    assert_eq!(proxied.failing(), None, "no answer was owed");
}

fn grant() -> Grant {
    Grant {
        issuer: "https://id.example".into(),
        client: Client { id: "c".into(), secret: None },
        redirect: "http://127.0.0.1:1/oauth/callback".into(),
        token_endpoint: "https://id.example/token".into(),
        resource: "https://mcp.example".into(),
        scope: None,
        access_token: "at-1".into(),
        refresh_token: None,
        expires_at: None,
    }
}

/// 0.0.0.0 leads to this machine here, but nobody can know that of an address that is no loopback one.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_leaves_this_machine_over_tls_only() {
    let upstream = Upstream::start(Reply::json(&result(1))).await;
    let port = upstream.authority().rsplit_once(':').unwrap().1.to_owned();
    let at =
        |host: &str| Setup { url: Some(format!("http://{host}:{port}/mcp")), grant: Some(grant()), ..Setup::default() };
    let proxied = Proxied::set_up(at("0.0.0.0")).await;
    let response = proxied.post("/mcp", &call(1), &[]).await;
    let answer: Value = serde_json::from_str(&response.body).unwrap();
    assert!(answer["error"]["message"].as_str().unwrap().contains("https"), "{}", response.body);
    assert!(upstream.requests().is_empty(), "no request, no token");

    let proxied = Proxied::set_up(at("127.0.0.1")).await;
    works(&proxied, 1).await;
    assert_eq!(upstream.only_request().header("authorization"), "Bearer at-1");
}
