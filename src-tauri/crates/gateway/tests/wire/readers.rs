//! What some apps would read otherwise than we do: each of these hides a Message from the scan and shows it to an app.

use crate::support::{Proxied, Reply};
use serde_json::json;

const EVENTS: &str = "text/event-stream";

fn call(id: i64) -> String {
    json!({"jsonrpc":"2.0","id":id,"method":"tools/call","params":{"name":"t","arguments":{}}}).to_string()
}
/// POISON in an escape: a scan of the bytes as text does not see it, a reader of the JSON does.
const HIDDEN: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"\u0050OISON"}]}}"#;

async fn posted(reply: Reply) -> String {
    Proxied::start(reply).await.post("/mcp", &call(1), &[]).await.body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_only_some_apps_take_for_data_does_not_arrive() {
    // The parser of the TypeScript SDK takes these three letters for a byte order mark, others one behind a real one.
    for start in ["ï»¿", "\u{feff}\u{feff}", "\u{feff}ï»¿", "DATA", "x-"] {
        let field = if start == "DATA" { "DATA".to_owned() } else { format!("{start}data") };
        let body = posted(Reply::chunked(EVENTS, &[&format!("{field}: {HIDDEN}\n\ndata: {{}}\n\n")])).await;
        assert!(!body.contains("OISON"), "{start:?}: {body}");
        assert!(body.ends_with("data: {}\n\n"), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_order_mark_before_an_event_does_not_decide_what_it_says() {
    // Python apps take the first line for an unknown field, so the event is the second line alone.
    let body = posted(Reply::chunked(EVENTS, &[&format!("\u{feff}data: {{\ndata: {HIDDEN}\n\n")])).await;
    assert!(!body.starts_with('\u{feff}'), "{body}");
    let body = posted(Reply::chunked(EVENTS, &[&format!("\u{feff}data: {HIDDEN}\n\n")])).await;
    assert!(body.contains("isError") && !body.contains("OISON"), "{body}");
    let body = posted(Reply::chunked(EVENTS, &["\u{feff}id: 1\ndata: {\"a\":1}\n\n"])).await;
    assert_eq!(body, "id: 1\ndata: {\"a\":1}\n\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charset_in_any_spelling_is_a_charset() {
    for parameter in [
        "charset*=us-ascii''utf-7",
        "charset*0=utf-7",
        "charset*0*=us-ascii''utf;charset*1=-7",
        "CHARSET * = utf-7",
        "\u{a0}charset=utf-7",
    ] {
        let stream = Reply::chunked(&format!("{EVENTS}; {parameter}"), &["data: +AHs-\n\n"]);
        let response = Proxied::start(stream).await.post("/mcp", &call(1), &[]).await;
        assert_eq!(response.status, 502, "{parameter}: {}", response.body);
        assert!(response.body.contains("UTF-8"), "{}", response.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_as_a_stream_is_one_or_does_not_arrive() {
    // Apps read the answer to a GET as events, whatever its type says it is.
    let events = format!("id: 1\ndata: {HIDDEN}\n\n");
    for kind in ["application/json", "text/plain", "", "text/html"] {
        let proxied = Proxied::start(Reply::new(200, kind, &events)).await;
        let response = proxied.send("GET", "/mcp", "", &[("accept", EVENTS)]).await;
        assert!(!response.body.contains("OISON"), "{kind}: {}", response.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_is_one_whatever_its_status_but_an_error() {
    let events = format!("data: {{\ndata: {}\n\n", &HIDDEN[1..]);
    for status in [200, 201, 203, 300, 304, 306] {
        let proxied = Proxied::start(Reply::new(status, EVENTS, &events)).await;
        let body = proxied.post("/mcp", &call(1), &[]).await.body;
        assert!(!body.contains("OISON"), "{status}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_status_leads_an_app_past_us() {
    for status in [300, 301, 302, 303, 305, 306, 307, 308, 310, 399] {
        for place in ["http://evil.example/mcp", "/next", "http://[", ""] {
            let proxied = Proxied::start(Reply::new(status, "", "").header("location", place)).await;
            proxied.upstream.next_reply(Reply::json(r#"{"jsonrpc":"2.0","id":1,"result":{"followed":true}}"#));
            let response = proxied.post("/mcp", &call(1), &[]).await;
            assert!((response.status, response.header("location")) == (200, ""), "{status} {place}");
        }
    }
    // Not modified, and what was created, lead nowhere.
    for status in [200, 201, 304] {
        let proxied = Proxied::start(Reply::new(status, "", "").header("location", "http://evil.example/mcp")).await;
        let response = proxied.send("GET", "/mcp", "", &[("accept", EVENTS)]).await;
        assert_eq!(response.header("location"), "", "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_cannot_make_a_tunnel_of_the_apps_connection() {
    let reply = Reply::new(101, "", "").header("upgrade", "websocket").header("connection", "upgrade");
    let response = Proxied::start(reply).await.post("/mcp", &call(1), &[]).await;
    assert_eq!(response.status, 200, "{}", response.body);
    assert!(response.body.contains("\"error\""), "{}", response.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_that_no_transport_uses_do_not_reach_the_server() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    // TRACE would bring the token of a sign-in back to the app.
    for method in ["TRACE", "PUT", "PATCH", "CONNECT", "POSTS", "post"] {
        let response = proxied.send(method, "/mcp", "{}", &[]).await;
        assert!(matches!(response.status, 400 | 405), "{method}: {}", response.status);
    }
    assert!(proxied.upstream.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_an_app_would_quote_in_its_error_is_scanned() {
    let reply = Reply::new(200, "text/plain; what=\"a POISON that models read in an error\"", "x");
    let response = Proxied::start(reply).await.post("/mcp", &call(1), &[]).await;
    assert_eq!((response.header("content-type"), response.body.as_str()), ("", "x"));
}
