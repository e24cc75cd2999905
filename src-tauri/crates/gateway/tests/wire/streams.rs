//! Streams and sessions up to 2025-11-25: what belongs to which stream, how long a stream may be silent, how it ends.

use crate::support::{Proxied, Reply};
use serde_json::json;

const STREAM: &[(&str, &str)] = &[("accept", "text/event-stream"), ("mcp-session-id", "s-1")];
const EVENTS: &str = "text/event-stream";

fn call(id: i64) -> String {
    json!({"jsonrpc":"2.0","id":id,"method":"tools/call","params":{"name":"t","arguments":{}}}).to_string()
}
fn result(id: i64) -> String {
    json!({"jsonrpc":"2.0","id":id,"result":{"content":[]}}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn initialize_passes_byte_for_byte_both_ways_and_the_session_is_the_servers() {
    let hello = concat!(
        r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"1999-01-01","capabilities":"#,
        r#"{"roots":{"listChanged":true},"experimental":{"vendor/x":{}}},"clientInfo":{"name":"a","version":"0","x":1}}}"#
    );
    let welcome = concat!(
        r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{"vendor":{"y":[]}},"#,
        r#""serverInfo":{"name":"s","version":"1.0.0","extra":null}}}"#
    );
    let proxied = Proxied::start(Reply::json(welcome).header("mcp-session-id", "s-1")).await;
    let response = proxied.post("/mcp", hello, &[]).await;
    assert_eq!((response.body.as_str(), response.headers("mcp-session-id")), (welcome, vec!["s-1"]));
    let seen = proxied.upstream.only_request();
    assert_eq!((seen.body.as_str(), seen.has("mcp-session-id")), (hello, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_and_a_response_get_202_without_a_body() {
    for message in [
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"roots":[]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}"#,
    ] {
        let proxied = Proxied::start(Reply::new(202, "", "")).await;
        let response = proxied.post("/mcp", message, &[]).await;
        assert_eq!((response.status, response.body.as_str(), response.header("content-type")), (202, "", ""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_travels_on_the_stream_it_came_on_and_on_no_other() {
    let note = |n: u8| {
        format!("data: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{{\"n\":{n}}}}}\n\n")
    };
    let proxied = Proxied::start(Reply::open_ended(EVENTS, &note(1))).await;
    let mut listening = proxied.open("GET", "/mcp", "", STREAM).await;
    assert_eq!(listening.read_until("\n\n").await, note(1));
    let answer = format!("{}data: {}\n\n", note(2), result(7));
    proxied.upstream.next_reply(Reply::chunked(EVENTS, &[&answer]));
    assert_eq!(proxied.post("/mcp", &call(7), &[("mcp-session-id", "s-1")]).await.body, answer);
    proxied.upstream.next_reply(Reply::open_ended(EVENTS, &note(3)));
    let mut second = proxied.open("GET", "/mcp", "", STREAM).await;
    assert_eq!(second.read_until("\n\n").await, note(3));
    // Nothing of the others came before what is read next here.
    proxied.upstream.next_reply(Reply::new(200, "", ""));
    proxied.send("DELETE", "/mcp", "", &[("mcp-session-id", "s-1")]).await;
    drop((listening, second));
    proxied.upstream.wait_for_disconnect().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_in_two_sessions_is_two_requests() {
    let hostile = json!({"jsonrpc":"2.0","id":1,"result":{"x":"POISON"}});
    let proxied = Proxied::start(Reply::open_then(EVENTS, ": 1\n\n", &[&format!("data: {hostile}\n\n")])).await;
    let mut one = proxied.open("POST", "/mcp", &call(1), &[("mcp-session-id", "s-1")]).await;
    one.read_until("\n\n").await;
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"p"}}"#;
    proxied.upstream.next_reply(Reply::json(&hostile.to_string()));
    let other = proxied.post("/mcp", list, &[("mcp-session-id", "s-2")]).await.body;
    assert!(other.contains(r#""code":4031"#), "what answers a prompt is an error: {other}");
    proxied.upstream.release();
    let answer = one.read_until("\n\n").await;
    assert!(answer.contains("isError"), "what answers a call is a tool's error: {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_may_be_for_either_of_two_requests_is_read_as_what_it_is() {
    let answer = json!({"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"t"}]}});
    let proxied = Proxied::start(Reply::open_then(EVENTS, ": 1\n\n", &[&format!("data: {answer}\n\n")])).await;
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let session = [("mcp-session-id", "s-1")];
    let mut one = proxied.open("POST", "/mcp", list, &session).await;
    one.read_until("\n\n").await;
    // A second app, to which the server gave the session of the first.
    proxied.upstream.next_reply(Reply::open_ended(EVENTS, ": 2\n\n"));
    let mut two = proxied.open("POST", "/mcp", &call(1), &session).await;
    two.read_until("\n\n").await;
    proxied.upstream.release();
    assert_eq!(one.read_until("\n\n").await, format!("data: {answer}\n\n"));
    let pinned: Vec<String> = proxied.judge.load().pins().all().into_iter().map(|pin| pin.name).collect();
    assert_eq!(pinned, ["t"], "the definition was compared, not taken for the result of a call");
}

/// The clock stands from the moment that the stream is open and leaps from timer to timer, so every limit on silence
/// that anybody set on the way would strike.
#[cfg(feature = "paused-time")]
#[tokio::test]
async fn a_stream_may_be_silent_for_a_day() {
    let late = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n";
    for (method, body) in [("GET", String::new()), ("POST", call(1))] {
        let proxied = Proxied::start(Reply::open_then(EVENTS, ": open\n\n", &[late])).await;
        let mut stream = proxied.open(method, "/mcp", &body, STREAM).await;
        assert_eq!(stream.read_until("\n\n").await, ": open\n\n");
        tokio::time::pause();
        tokio::time::sleep(std::time::Duration::from_secs(24 * 60 * 60)).await;
        tokio::time::resume();
        proxied.upstream.release();
        assert_eq!(stream.read_until("\n\n").await, late, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_its_stream_ends_the_apps_and_one_that_breaks_it_breaks_the_apps() {
    let proxied = Proxied::start(Reply::chunked(EVENTS, &[": 1\n\n"])).await;
    let mut ended = proxied.open("GET", "/mcp", "", STREAM).await;
    assert_eq!(ended.read_until("\n\n").await, ": 1\n\n");
    assert!(ended.ends_in_order().await);
    proxied.upstream.next_reply(Reply::cut(EVENTS, ": 2\n\n"));
    let mut broken = proxied.open("GET", "/mcp", "", STREAM).await;
    assert_eq!(broken.read_until("\n\n").await, ": 2\n\n");
    assert!(!broken.ends_in_order().await, "an app must not take it for a stream that ended in order");
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_event_names_retry_times_and_comments_of_a_stream_pass_as_they_are() {
    let stream = format!(
        ": hello\n\nid: a/1\nevent: message\nretry: 4000\ndata: {}\n\n: again\n\nid: a/2\r\ndata:{}\r\n\r\n",
        json!({"jsonrpc":"2.0","method":"notifications/message"}),
        result(1)
    );
    let proxied = Proxied::start(Reply::chunked("text/event-stream; charset=utf-8", &[&stream])).await;
    let response = proxied.post("/mcp", &call(1), &[]).await;
    assert_eq!(response.body, stream);
    assert_eq!(response.header("content-type"), "text/event-stream; charset=utf-8");
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_requests_are_all_asked_and_no_answer_is_given_twice() {
    let proxied = Proxied::start(Reply::json(&result(1))).await;
    for n in 1..=3 {
        proxied.upstream.next_reply(Reply::json(&result(1)));
        proxied.post("/mcp", &call(1), &[]).await;
        assert_eq!(proxied.upstream.requests().len(), n);
    }
}
