//! The daemon's side of the shim link over a real Unix socket. The shim's side is tested in its own crate.

use crate::support::{Proxied, Reply, exchange_of};
use portcullis_domain::link::{self, FrameKind, Hello, PendingRequest};
use portcullis_domain::{Direction, Outcome, Transport, UpstreamId, Verdict};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

fn hello(direction: Direction) -> Hello {
    Hello {
        version: link::VERSION,
        upstream: UpstreamId::from_random([7; 16]).to_string(),
        session: "s".into(),
        direction,
        pid: 1,
        ancestry: Vec::new(),
        argv_digest: String::new(),
        shim_version: "0".into(),
        pending: Vec::new(),
        at: 0,
    }
}

struct Shim {
    stream: UnixStream,
}

impl Shim {
    async fn greet(mut stream: UnixStream, hello: &Hello) -> (Self, FrameKind, Vec<u8>) {
        let mut out = Vec::new();
        link::encode(&mut out, FrameKind::Hello, None, &serde_json::to_vec(hello).unwrap());
        stream.write_all(&out).await.unwrap();
        let mut shim = Self { stream };
        let (kind, _, payload) = shim.frame().await;
        (shim, kind, payload)
    }
    async fn send(&mut self, seq: u64, message: &str) {
        let mut out = Vec::new();
        link::encode(&mut out, FrameKind::Message, Some(seq), message.as_bytes());
        self.stream.write_all(&out).await.unwrap();
    }
    async fn frame(&mut self) -> (FrameKind, u64, Vec<u8>) {
        let length = self.stream.read_u32_le().await.unwrap();
        let mut body = vec![0; length as usize];
        self.stream.read_exact(&mut body).await.unwrap();
        let frame = link::decode(&body).unwrap();
        (frame.kind, frame.seq, frame.payload.to_vec())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_come_in_order_and_both_directions_make_one_exchange() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("verdict.sock");
    let stream = proxied.serve_link(&socket).await;
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let (mut up, kind, _) = Shim::greet(stream, &hello(Direction::ToUpstream)).await;
    assert_eq!(kind, FrameKind::Welcome);
    let (mut down, ..) = Shim::greet(UnixStream::connect(&socket).await.unwrap(), &hello(Direction::ToClient)).await;

    let call =
        |id: i64, text: &str| json!({"jsonrpc":"2.0","id":id,"method":"tools/call","params":{"name":"t","a":text}});
    up.send(1, &call(1, "ok").to_string()).await;
    up.send(2, &call(2, "POISON").to_string()).await;
    up.send(3, "not json").await;
    assert_eq!(up.frame().await, (FrameKind::Allow, 1, Vec::new()));
    let (kind, seq, answer) = up.frame().await;
    assert_eq!((kind, seq), (FrameKind::Answer, 2));
    assert!(String::from_utf8(answer).unwrap().contains("isError"));
    assert_eq!(up.frame().await.0, FrameKind::Answer);

    down.send(1, "a banner").await;
    down.send(2, &json!({"jsonrpc":"2.0","id":1,"result":{"content":[{"text":"POISON"}]}}).to_string()).await;
    down.send(3, &json!({"jsonrpc":"2.0","method":"notifications/message","params":{"data":"POISON"}}).to_string())
        .await;
    assert_eq!(down.frame().await, (FrameKind::Allow, 1, Vec::new()));
    let (kind, _, bytes) = down.frame().await;
    assert_eq!(kind, FrameKind::Replace);
    assert!(String::from_utf8(bytes).unwrap().contains("isError"));
    assert_eq!(down.frame().await, (FrameKind::Drop, 3, Vec::new()));

    let rows = proxied.rows();
    let first = rows.iter().map(exchange_of).find(|row| {
        row.response.is_some() && row.outcome == Outcome::Rejected && row.findings[0].json_path.starts_with("/result")
    });
    let first = first.expect("the request and its hostile response are one row");
    assert_eq!(
        (first.method.as_str(), first.transport, first.verdict),
        ("tools/call", Transport::Stdio, Verdict::Block)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_answers_still_find_their_requests() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    let dir = tempfile::tempdir().unwrap();
    let stream = proxied.serve_link(&dir.path().join("verdict.sock")).await;
    let pending: PendingRequest = serde_json::from_value(
        json!({"direction":"to_upstream","id":"5","method":"tools/list","target":null,"modern":false,"task":false}),
    )
    .unwrap();
    let (mut down, ..) = Shim::greet(stream, &Hello { pending: vec![pending], ..hello(Direction::ToClient) }).await;
    down.send(1, &json!({"jsonrpc":"2.0","id":5,"result":{"tools":[{"name":"a"},{"name":"POISON"}]}}).to_string())
        .await;
    let (kind, _, bytes) = down.frame().await;
    assert_eq!(kind, FrameKind::Replace);
    let list: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(list["result"]["tools"], json!([{"name":"a"}]), "known to be a list, so only the poisoned tool leaves");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_ids_and_other_versions_are_refused_with_a_reason() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("verdict.sock");
    let stream = proxied.serve_link(&socket).await;
    let unknown = Hello { upstream: UpstreamId::from_random([9; 16]).to_string(), ..hello(Direction::ToUpstream) };
    let (_, kind, reason) = Shim::greet(stream, &unknown).await;
    assert_eq!((kind, String::from_utf8(reason).unwrap().contains("no server")), (FrameKind::Refused, true));
    let newer = Hello { version: link::VERSION + 1, ..hello(Direction::ToUpstream) };
    let (_, kind, _) = Shim::greet(UnixStream::connect(&socket).await.unwrap(), &newer).await;
    assert_eq!(kind, FrameKind::Refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_text_on_stdout_is_one_row_that_counts_it() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    let dir = tempfile::tempdir().unwrap();
    let stream = proxied.serve_link(&dir.path().join("verdict.sock")).await;
    let (mut down, ..) = Shim::greet(stream, &hello(Direction::ToClient)).await;
    for seq in 1..=500 {
        down.send(seq, "starting up ...").await;
        assert_eq!(down.frame().await, (FrameKind::Allow, seq, Vec::new()));
    }
    down.send(501, "a line with POISON in it").await;
    down.frame().await;
    proxied.sweep();
    let rows = proxied.rows();
    let mut noise: Vec<&str> = Vec::new();
    let mut ids = std::collections::HashSet::new();
    for row in rows.iter().map(exchange_of).filter(|row| row.request.starts_with("starting")) {
        noise.push(&row.findings[0].title);
        ids.insert(row.id.clone());
    }
    assert_eq!((ids.len(), noise.len()), (1, 2), "told at once, and again with the count: {noise:?}");
    assert!(noise[1].ends_with("(500 lines)"), "{noise:?}");
    assert!(rows.iter().map(exchange_of).any(|row| row.request.contains("POISON")), "a finding has its own row");
}

/// Node's `readline` and Python's `splitlines` cut lines where nobody else does.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_behind_a_banner_that_some_readers_cut_off_does_not_arrive() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    let dir = tempfile::tempdir().unwrap();
    let stream = proxied.serve_link(&dir.path().join("verdict.sock")).await;
    let (mut down, ..) = Shim::greet(stream, &hello(Direction::ToClient)).await;
    let message = json!({"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"t"}]}}).to_string();
    for (seq, end) in (1..).zip(["\r", "\u{b}", "\u{c}", "\u{1c}", "\u{1e}", "\u{85}", "\u{2028}", "\u{2029}"]) {
        down.send(seq, &format!("ready{end} {message}")).await;
        assert_eq!(down.frame().await, (FrameKind::Drop, seq, Vec::new()), "{end:?}");
    }
    for (seq, text) in (9..).zip(["one\u{2028}two {\"a\":1}", "[info] sent {\"jsonrpc\":\"2.0\"} to 1", "a\u{c}{}"]) {
        down.send(seq, text).await;
        assert_eq!(down.frame().await.0, FrameKind::Allow, "{text}");
    }
}
