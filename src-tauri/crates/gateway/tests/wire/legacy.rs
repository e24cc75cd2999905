//! Legacy HTTP+SSE: the address that the server names stays below ours, whatever form it has, and what cannot be carried is
//! said where the app looks.

use crate::support::{Proxied, Reply};
use serde_json::json;

const STREAM: &[(&str, &str)] = &[("accept", "text/event-stream")];

fn call(id: i64) -> String {
    json!({"jsonrpc":"2.0","id":id,"method":"tools/call","params":{"name":"t","arguments":{}}}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_in_any_form_resolves_below_our_prefix_and_its_query_stays_byte_for_byte() {
    // The Upstream's own address is /mcp.
    for (named, asked) in [
        ("message?sid=%61+b&x=1", "/message?sid=%61+b&x=1"),
        ("/deep/message?sid=%61", "/deep/message?sid=%61"),
        ("?sid=1", "/mcp?sid=1"),
        ("//$HOST/m?sid=2", "/m?sid=2"),
        ("http://$HOST/m?sid=3", "/m?sid=3"),
    ] {
        let proxied = Proxied::start(Reply::json("{}")).await;
        let named = named.replace("$HOST", &proxied.upstream.authority());
        let event = format!("event: endpoint\ndata: {named}\n\n");
        proxied.upstream.instead(Reply::open_ended("text/event-stream", &event));
        let mut stream = proxied.open("GET", "/sse", "", STREAM).await;
        let event = stream.read_until("\n\n").await;
        let ours = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        assert!(ours.starts_with(&proxied.prefix), "{named}: {event}");
        proxied.upstream.next_reply(Reply::new(202, "text/plain", "Accepted"));
        let posted = proxied.send_to("POST", ours, &call(1), &[]).await;
        assert_eq!((posted.status, posted.body.as_str()), (202, "Accepted"), "{named}");
        assert_eq!(proxied.upstream.requests().pop().unwrap().path, asked);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_body_of_this_size_says_so_itself() {
    let endpoint = "event: endpoint\ndata: /m?sid=1\n\n";
    let proxied = Proxied::start(Reply::open_ended("text/event-stream", endpoint)).await;
    let mut stream = proxied.open("GET", "/sse", "", STREAM).await;
    let event = stream.read_until("\n\n").await;
    let ours = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    proxied.upstream.next_reply(Reply::new(413, "text/plain", "request entity too large"));
    let posted = proxied.send_to("POST", ours, &call(1), &[]).await;
    assert_eq!((posted.status, posted.body.as_str()), (413, "request entity too large"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_injected_never_cuts_an_event_of_the_server_in_two() {
    let (head, tail) = ("event: message\ndata: {\"jsonrpc\":\"2.0\",", "\"method\":\"notifications/message\"}\n\n");
    let endpoint = format!("event: endpoint\ndata: /m?sid=1\n\n{head}");
    let proxied = Proxied::start(Reply::open_then("text/event-stream", &endpoint, &[tail])).await;
    let mut stream = proxied.open("GET", "/sse", "", STREAM).await;
    let event = stream.read_until("\n\n").await;
    let ours = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let hostile = call(1).replace("\"t\"", "\"POISON\"");
    assert_eq!(proxied.send_to("POST", ours, &hostile, &[]).await.status, 202);
    let injected = stream.read_until("\n\n").await;
    assert!(injected.starts_with("event: message\ndata: {") && injected.contains("isError"), "{injected}");
    proxied.upstream.release();
    assert_eq!(stream.read_until("\n\n").await, format!("{head}{tail}"));
}
