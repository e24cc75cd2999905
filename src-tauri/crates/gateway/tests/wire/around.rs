//! What travels around Messages: encodings, headers that repeat the body, headers and comments with words in them.

use crate::support::{Proxied, Reply, exchange_of};
use async_compression::tokio::bufread::{BrotliEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
use portcullis_domain::{Outcome, Verdict};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

fn call(id: i64, text: &str) -> String {
    json!({"jsonrpc":"2.0","id":id,"method":"tools/call","params":{"name":"t","arguments":{"a":text}}}).to_string()
}
fn result(id: i64, text: &str) -> String {
    json!({"jsonrpc":"2.0","id":id,"result":{"content":[{"type":"text","text":text}]}}).to_string()
}

const CODINGS: [&str; 4] = ["gzip", "deflate", "br", "zstd"];

async fn encoded(coding: &str, text: &str) -> Vec<u8> {
    let (plain, mut out) = (text.as_bytes(), Vec::new());
    match coding {
        "gzip" => GzipEncoder::new(plain).read_to_end(&mut out).await,
        "deflate" => ZlibEncoder::new(plain).read_to_end(&mut out).await,
        "br" => BrotliEncoder::new(plain).read_to_end(&mut out).await,
        _ => ZstdEncoder::new(plain).read_to_end(&mut out).await,
    }
    .unwrap();
    out
}

async fn post_encoded(proxied: &Proxied, coding: &str, body: &[u8]) -> crate::support::Response {
    let head = format!(
        "POST $PREFIX/mcp HTTP/1.1\r\nhost: $HOST\r\ncontent-type: application/json\r\naccept: application/json\r\n\
         content-encoding: {coding}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    proxied.raw(&head, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoded_request_is_decoded_judged_and_goes_on_decoded() {
    for coding in CODINGS {
        let proxied = Proxied::start(Reply::json(&result(1, "fine"))).await;
        let response = post_encoded(&proxied, coding, &encoded(coding, &call(1, "ok")).await).await;
        assert_eq!((response.status, response.body), (200, result(1, "fine")), "{coding}");
        let seen = proxied.upstream.only_request();
        assert_eq!(seen.body, call(1, "ok"), "{coding}");
        assert!(!seen.has("content-encoding"));
        let response = post_encoded(&proxied, coding, &encoded(coding, &call(2, "POISON")).await).await;
        assert!(response.body.contains("isError"), "{coding}: {}", response.body);
        assert_eq!(proxied.upstream.requests().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoded_request_that_cannot_be_read_is_refused_with_the_reason() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    let gzip = encoded("gzip", &call(1, "ok")).await;
    let bomb = encoded("gzip", &format!("{{\"a\":\"{}\"}}", "x".repeat(20 * 1024 * 1024))).await;
    let tail = [&gzip[..], b"POISON"].concat();
    let cases: [(&str, &[u8], u16); 5] = [
        ("compress", &gzip, 415),
        ("gzip, br", &gzip, 415),
        ("br", b"no brotli", 400),
        ("gzip", &tail, 400),
        ("gzip", &bomb, 413),
    ];
    for (coding, body, status) in cases {
        let response = post_encoded(&proxied, coding, body).await;
        assert_eq!(response.status, status, "{coding}: {}", response.body);
        assert!(response.body.contains("Portcullis"), "{}", response.body);
    }
    assert!(proxied.upstream.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoded_answer_is_decoded_before_it_is_judged() {
    for coding in CODINGS {
        let stream = format!("id: 1\ndata: {}\n\n", result(1, "fine"));
        for (kind, text) in [("application/json", result(1, "fine")), ("text/event-stream", stream)] {
            let reply = |text: String| async move {
                Reply::bytes(kind, encoded(coding, &text).await).header("content-encoding", coding)
            };
            let response = Proxied::start(reply(text.clone()).await).await.post("/mcp", &call(1, "ok"), &[]).await;
            assert_eq!((response.status, response.body.as_str()), (200, text.as_str()), "{coding}");
            assert_eq!(response.header("content-encoding"), "");
            let hostile = reply(text.replace("fine", "POISON")).await;
            let body = Proxied::start(hostile).await.post("/mcp", &call(1, "ok"), &[]).await.body;
            assert!(body.contains("isError") && !body.contains("POISON"), "{coding}: {body}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_says_something_else_than_the_body_is_flagged_and_goes_on() {
    for header in [("mcp-method", "tools/list"), ("mcp-name", "other"), ("mcp-name", "=?base64?b3RoZXI=?=")] {
        let proxied = Proxied::start(Reply::json(&result(1, "fine"))).await;
        assert_eq!(proxied.post("/mcp", &call(1, "ok"), &[header]).await.body, result(1, "fine"));
        let rows = proxied.rows();
        let row = rows.iter().map(exchange_of).find(|row| !row.findings.is_empty()).expect("a flagged row");
        assert_eq!((row.verdict, row.outcome), (Verdict::Flag, Outcome::Forwarded));
        assert_eq!(row.findings[0].signature, "header-mismatch");
        assert_eq!(row.findings[0].json_path, format!("header {}", header.0));
    }
    let proxied = Proxied::start(Reply::json(&result(1, "fine"))).await;
    let same = [("mcp-method", "tools/call"), ("mcp-name", "=?base64?dA==?=")];
    proxied.post("/mcp", &call(1, "ok"), &same).await;
    assert!(proxied.rows().iter().map(exchange_of).all(|row| row.findings.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_header_is_scanned_like_the_argument_it_repeats() {
    for value in ["POISON", "=?base64?YSBQT0lTT04=?="] {
        let proxied = Proxied::start(Reply::json(&result(1, "fine"))).await;
        let response = proxied.post("/mcp", &call(1, "ok"), &[("mcp-param-region", value)]).await;
        assert!(response.body.contains("isError"), "{value}: {}", response.body);
        assert!(proxied.upstream.requests().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_words_in_response_headers_comments_and_event_names_do_not_arrive() {
    let stream = format!(
        ": POISON\n\nid: 1\nevent: POISON\ndata: {}\n\nid: 2 POISON\ndata: {}\n\n",
        result(1, "a"),
        result(1, "b")
    );
    let reply = Reply::chunked("text/event-stream", &[&stream])
        .header("www-authenticate", "Bearer error_description=\"POISON\"")
        .header("x-fine", "a value that says nothing");
    let proxied = Proxied::start(reply).await;
    let response = proxied.post("/mcp", &call(1, "ok"), &[]).await;
    assert_eq!(response.body, format!("\ndata: {}\n\ndata: {}\n\n", result(1, "a"), result(1, "b")));
    assert_eq!(response.header("www-authenticate"), "");
    assert_eq!(response.header("x-fine"), "a value that says nothing");
    let blocked = proxied.rows().iter().map(exchange_of).filter(|row| row.verdict == Verdict::Block).count();
    assert_eq!(blocked, 4, "each has its row");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_batch_of_a_server_leaves_nobody_waiting() {
    let ask = json!({"jsonrpc":"2.0","id":9,"method":"elicitation/create","params":{"message":"hello"}});
    let batch = format!("[{ask},{}]", result(1, "POISON"));
    let proxied = Proxied::start(Reply::chunked("text/event-stream", &[&format!("data: {batch}\n\n")])).await;
    proxied.upstream.next_reply(Reply::new(202, "", ""));
    let response = proxied.post("/mcp", &call(1, "ok"), &[("mcp-session-id", "s-1")]).await;
    let to_app: Value = serde_json::from_str(response.body.trim().strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!((&to_app[0]["id"], &to_app[0]["result"]["isError"]), (&json!(1), &json!(true)));
    let back = proxied.upstream.wait_for_requests(2).await.pop().unwrap();
    let back: Value = serde_json::from_str(&back.body).unwrap();
    assert_eq!(back, json!([{"jsonrpc":"2.0","id":9,"result":{"action":"decline"}}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_batch_of_an_app_leaves_nobody_waiting() {
    let proxied = Proxied::start(Reply::new(202, "", "")).await;
    let batch = format!("[{},{}]", call(1, "POISON"), json!({"jsonrpc":"2.0","id":9,"result":{"roots":[]}}));
    let response = proxied.post("/mcp", &batch, &[]).await;
    let to_app: Value = serde_json::from_str(&response.body).unwrap();
    assert_eq!((response.status, &to_app[0]["result"]["isError"]), (200, &json!(true)));
    let on: Value = serde_json::from_str(&proxied.upstream.only_request().body).unwrap();
    assert_eq!((&on[0]["id"], &on[0]["error"]["code"]), (&json!(9), &json!(-1)), "the server's request is declined");
}
