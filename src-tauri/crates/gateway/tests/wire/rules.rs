//! What the protocol asks of whoever stands between app and server, one test for each rule: byte for byte, in order, at
//! once, nothing invented. (The official suite runs in tests/conformance; here are the rules it does not look at.)

use crate::support::{Proxied, Reply, exchange_of};
use portcullis_domain::{Limits, Outcome};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn call(id: i64) -> String {
    json!({"jsonrpc":"2.0","id":id,"method":"tools/call","params":{"name":"t","arguments":{}}}).to_string()
}
fn result(id: i64) -> String {
    json!({"jsonrpc":"2.0","id":id,"result":{"content":[]}}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn request_headers_of_the_protocol_and_unknown_ones_reach_the_server_unchanged() {
    let headers = [
        ("accept", "text/event-stream;q=0.5, application/json"),
        ("content-type", "application/json; charset=utf-8"),
        ("mcp-protocol-version", "2025-11-25"),
        ("mcp-session-id", "s-1"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "t"),
        ("mcp-unheard-of", "x"),
        ("authorization", "Bearer abc"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("x-team", "a b"),
    ];
    let proxied = Proxied::start(Reply::json(&result(1))).await;
    proxied.post("/mcp", &call(1), &headers).await;
    let seen = proxied.upstream.only_request();
    for (name, value) in headers {
        assert_eq!(seen.header(name), value, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_one_hop_and_the_origin_do_not_reach_the_server() {
    let proxied = Proxied::start(Reply::json(&result(1))).await;
    let hop = [
        ("connection", "keep-alive, x-named"),
        ("x-named", "1"),
        ("keep-alive", "timeout=5"),
        ("te", "trailers"),
        ("upgrade", "h2c"),
        ("proxy-authorization", "Basic x"),
        ("proxy-connection", "keep-alive"),
    ];
    proxied.post("/mcp", &call(1), &hop).await;
    let seen = proxied.upstream.only_request();
    for (name, _) in hop {
        assert!(!seen.has(name), "{name}");
    }
    assert!(!seen.has("origin") && !seen.has("transfer-encoding"));
}

#[tokio::test(flavor = "multi_thread")]
async fn response_headers_come_back_with_every_value() {
    let reply = Reply::new(401, "application/json; charset=utf-8", "{}")
        .header("www-authenticate", "Bearer realm=\"a\", scope=\"files:read files:write\"")
        .header("www-authenticate", "DPoP algs=\"ES256\"")
        .header("retry-after", "7")
        .header("x-accel-buffering", "no")
        .header("keep-alive", "timeout=5");
    let proxied = Proxied::start(reply).await;
    // An app with a token of its own; for one without, Portcullis signs in.
    let response = proxied.post("/mcp", &call(1), &[("authorization", "Bearer mine")]).await;
    assert_eq!(response.status, 401);
    let challenges = ["Bearer realm=\"a\", scope=\"files:read files:write\"", "DPoP algs=\"ES256\""];
    assert_eq!(response.headers("www-authenticate"), challenges);
    assert_eq!((response.header("retry-after"), response.header("x-accel-buffering")), ("7", "no"));
    assert_eq!(response.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(response.header("keep-alive"), "", "that was about the other hop");
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_that_servers_steer_apps_with_keep_status_and_body() {
    let modern = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#;
    for (status, body) in [
        (404, modern),
        (404, r#"{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}"#),
        (406, r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Not Acceptable"},"id":null}"#),
        (413, "too large"),
        (415, "unsupported"),
        (400, r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"HeaderMismatch"}}"#),
        (400, r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"MissingRequiredClientCapability"}}"#),
        (429, "slow down"),
    ] {
        let proxied = Proxied::start(Reply::new(status, "application/json", body)).await;
        let response = proxied.post("/mcp", &call(1), &[]).await;
        assert_eq!((response.status, response.body.as_str()), (status, body));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_priming_event_and_its_retry_time_arrive_at_once_and_alone() {
    let priming = "id: e_1\nretry: 500\ndata: \n\n";
    let proxied = Proxied::start(Reply::open_ended("text/event-stream", priming)).await;
    let mut response = proxied.open("POST", "/mcp", &call(1), &[]).await;
    assert_eq!(response.read_until("\n\n").await, priming);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_taken_up_again_brings_the_answer_to_the_first_post() {
    let priming = "id: e_1\nretry: 10\ndata: \n\n";
    let proxied = Proxied::start(Reply::chunked("text/event-stream", &[priming])).await;
    let session = ("mcp-session-id", "s-1");
    assert_eq!(proxied.post("/mcp", &call(1), &[session]).await.body, priming, "the server closed: it wants polling");
    let answer = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"POISON\"}]}}";
    proxied.upstream.next_reply(Reply::chunked("text/event-stream", &[&format!("id: e_2\ndata: {answer}\n\n")]));
    let headers = [session, ("last-event-id", "e_1"), ("accept", "text/event-stream")];
    let body = proxied.send("GET", "/mcp", "", &headers).await.body;
    let seen = proxied.upstream.requests().pop().unwrap();
    assert_eq!((seen.method.as_str(), seen.header("last-event-id")), ("GET", "e_1"));
    assert!(body.starts_with("id: e_2\ndata: {") && body.contains("isError"), "still known to be a call: {body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_ends_the_session_at_the_server() {
    let proxied = Proxied::start(Reply::new(200, "", "")).await;
    let response = proxied.send("DELETE", "/mcp", "", &[("mcp-session-id", "s-1")]).await;
    let seen = proxied.upstream.only_request();
    assert_eq!((response.status, seen.method.as_str(), seen.header("mcp-session-id")), (200, "DELETE", "s-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_goes_away_closes_the_stream_and_nothing_is_said_for_it() {
    let first = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}\n\n";
    let proxied = Proxied::start(Reply::open_ended("text/event-stream", first)).await;
    let mut response = proxied.open("POST", "/mcp", &call(1), &[]).await;
    response.read_until("\n\n").await;
    drop(response);
    proxied.upstream.wait_for_disconnect().await;
    assert_eq!(proxied.upstream.requests().len(), 1, "no notifications/cancelled is invented");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_within_a_stream_stays_however_long_each_message_takes_to_check() {
    let sized = |n: usize| {
        let text = "x".repeat(if n.is_multiple_of(2) { 200_000 } else { 10 });
        json!({"jsonrpc":"2.0","method":"notifications/message","params":{"data":text,"n":n}})
    };
    let stream: String = (0..12).map(|n| format!("id: {n}\ndata: {}\n\n", sized(n))).collect();
    let proxied = Proxied::start(Reply::chunked("text/event-stream", &[&stream])).await;
    assert_eq!(proxied.post("/mcp", &call(1), &[]).await.body, stream);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_pass_byte_for_byte_whatever_json_libraries_make_of_them() {
    let message = concat!(
        "{\"jsonrpc\":\"2.0\", \"id\": 12345678901234567890123, \"method\":\"tools/call\",\"params\":{\"name\":\"t\",",
        "\"_meta\":{\"progressToken\":1.0,\"traceparent\":\"x\"},\"requestState\":\"a\\u002fb+\\/==\",\"n\":[1e2,-0,1E400],",
        "\"unknown\":{},\"arguments\":null}}"
    );
    let answer = concat!(
        "{\"result\":{\"structuredContent\":[1.0,-0.0],\"requestState\":\"\\u0041/\\/\",\"resultType\":\"input_required\"},",
        "\"id\": 12345678901234567890123 ,\"jsonrpc\":\"2.0\"}"
    );
    let proxied = Proxied::start(Reply::json(answer)).await;
    assert_eq!(proxied.post("/mcp", message, &[]).await.body, answer);
    assert_eq!(proxied.upstream.only_request().body, message);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_and_members_that_nobody_knows_pass() {
    for message in [
        r#"{"jsonrpc":"2.0","id":1,"method":"vendor/unheard","params":[1,"a"]}"#,
        r#"{"jsonrpc":"2.0","id":"x","method":"tasks/get","params":{"taskId":"786512e2"},"extra":true}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"t","task":{"ttl":60000}}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"7","status":"working"}}"#,
    ] {
        let proxied = Proxied::start(Reply::new(202, "", "")).await;
        assert_eq!(proxied.post("/mcp", message, &[]).await.status, 202);
        assert_eq!(proxied.upstream.only_request().body, message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_may_answer_a_servers_request_with_a_post_of_its_own() {
    let ask = r#"{"jsonrpc":"2.0","id":1,"method":"roots/list"}"#;
    let proxied = Proxied::start(Reply::open_ended("text/event-stream", &format!("data: {ask}\n\n"))).await;
    let session = [("mcp-session-id", "s-1")];
    let mut stream = proxied.open("POST", "/mcp", &call(1), &session).await;
    assert_eq!(stream.read_until("\n\n").await, format!("data: {ask}\n\n"), "the same id on both sides at once");
    proxied.upstream.next_reply(Reply::new(202, "", ""));
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":{"roots":[]}}"#;
    let response = proxied.post("/mcp", answer, &session).await;
    assert_eq!((response.status, response.body.as_str()), (202, ""));
    assert_eq!(proxied.upstream.requests().pop().unwrap().body, answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_batch_goes_on_as_one_and_its_answers_come_as_one() {
    let batch = format!("[{}, {},{}]", call(1), r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, call(2));
    let answer = format!("[{} ,{}]", result(2), result(1));
    let proxied = Proxied::start(Reply::json(&answer)).await;
    assert_eq!(proxied.post("/mcp", &batch, &[]).await.body, answer);
    assert_eq!(proxied.upstream.only_request().body, batch);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listening_stream_of_ndjson_arrives_line_by_line_while_it_is_open() {
    let acknowledged = concat!(
        r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":"#,
        r#"{"io.modelcontextprotocol/subscriptionId":1}}}"#
    );
    let proxied = Proxied::start(Reply::open_ended("application/json", &format!("{acknowledged}\n"))).await;
    let listen = r#"{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{}}}"#;
    let mut stream = proxied.open("POST", "/mcp", listen, &[]).await;
    assert_eq!(stream.read_until("}}}").await, acknowledged);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_many_megabytes_passes_both_ways() {
    let text = "lorem ipsum ".repeat(450_000);
    let message =
        json!({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"a":text}}}).to_string();
    let answer = json!({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":text}]}}).to_string();
    let proxied = Proxied::start(Reply::json(&answer)).await;
    assert!(proxied.post("/mcp", &message, &[]).await.body == answer, "5.4 MB come back as they were");
    assert!(proxied.upstream.only_request().body == message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_in_chunks_without_a_length_is_one_message() {
    let proxied = Proxied::start(Reply::json(&result(1))).await;
    let message = call(1);
    let (one, two) = message.split_at(20);
    let body = format!("{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n", one.len(), two.len());
    let head = "POST $PREFIX/mcp HTTP/1.1\r\nhost: $HOST\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    assert_eq!(proxied.raw(head, body.as_bytes()).await.body, result(1));
    assert_eq!(proxied.upstream.only_request().body, message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_two_lengths_is_refused() {
    let proxied = Proxied::start(Reply::json(&result(1))).await;
    for lengths in ["content-length: 5\r\ncontent-length: 50", "content-length: 5, 50"] {
        let head = format!("POST $PREFIX/mcp HTTP/1.1\r\nhost: $HOST\r\n{lengths}\r\n\r\n");
        assert_eq!(proxied.raw(&head, b"").await.status, 400, "{lengths}");
    }
    assert!(proxied.upstream.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_beside_chunks_never_reaches_the_server() {
    let proxied = Proxied::start(Reply::json(&result(1))).await;
    let message = call(1);
    let head = "POST $PREFIX/mcp HTTP/1.1\r\nhost: $HOST\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n";
    let body = format!("{:x}\r\n{message}\r\n0\r\n\r\n", message.len());
    let response = proxied.raw(head, body.as_bytes()).await;
    // Refused, or read as chunks alone: never both, and the server is told one true length.
    for seen in proxied.upstream.requests() {
        assert_eq!((seen.body.as_str(), seen.header("content-length")), (&*message, &*message.len().to_string()));
        assert!(!seen.has("transfer-encoding"));
    }
    assert!(matches!(response.status, 200 | 400));
}

/// Refused, or read as one Message that the server is told the true length of; what follows it is never part of it.
#[tokio::test(flavor = "multi_thread")]
async fn framings_that_http_stacks_read_differently_smuggle_nothing() {
    let (message, hidden) = (call(1), "POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\nHIDDEN");
    let (length, size) = (message.len(), format!("{:x}", message.len()));
    let chunked = |size: &str, end: &str| format!("{size}\r\n{message}\r\n{end}{hidden}");
    let plain = chunked(&size, "0\r\n\r\n");
    let cases = [
        ("transfer-encoding: chunked\r\ntransfer-encoding: identity", plain.clone()),
        ("transfer-encoding: identity, chunked", plain.clone()),
        ("transfer-encoding: xchunked", plain.clone()),
        ("transfer-encoding: \u{b}chunked", plain.clone()),
        ("transfer-encoding : chunked", plain.clone()),
        ("transfer-encoding\n: chunked", plain.clone()),
        ("x: y\r\n transfer-encoding: chunked", plain.clone()),
        ("Transfer-Encoding: CHUNKED", plain.clone()),
        ("transfer-encoding: chunked", chunked(&format!("{size};a=\"\r\n\""), "0\r\n\r\n")),
        ("transfer-encoding: chunked", chunked(&format!("{size};a=b"), "0\r\n\r\n")),
        ("transfer-encoding: chunked", chunked(&format!("+{size}"), "0\r\n\r\n")),
        ("transfer-encoding: chunked", chunked(&format!("0x{size}"), "0\r\n\r\n")),
        ("transfer-encoding: chunked", chunked(&format!("1{}{size}", "0".repeat(16)), "0\r\n\r\n")),
        ("transfer-encoding: chunked", plain.replacen("\r\n", "\n", 1)),
        ("transfer-encoding: chunked", chunked(&size, "0\r\nx-late: HIDDEN\r\ncontent-length: 1\r\n\r\n")),
        ("transfer-encoding: chunked", chunked(&size, "00000\r\n\r\n")),
        (&*format!("content-length: +{length}"), format!("{message}{hidden}")),
        (&*format!("content-length: {length},{length}"), format!("{message}{hidden}")),
        (&*format!("content-length: 0{length}"), format!("{message}{hidden}")),
        (&*format!("content-length: {length}\r\nconnection: content-length"), format!("{message}{hidden}")),
        (&*format!("content-length: {length}\r\nexpect: 100-continue"), format!("{message}{hidden}")),
        (&*format!("content-length: {length}\ntransfer-encoding: chunked"), format!("{message}{hidden}")),
    ];
    for (headers, body) in cases {
        let proxied = Proxied::start(Reply::json(&result(1))).await;
        let host = proxied.origin().replace("http://", "");
        let head = format!("POST {}/mcp HTTP/1.1\r\nhost: {host}\r\n{headers}\r\n\r\n", proxied.prefix);
        let mut stream = proxied.connect().await;
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        let mut answered = vec![0; 64];
        let read = tokio::time::timeout(std::time::Duration::from_secs(5), stream.read(&mut answered)).await;
        assert!(read.is_ok(), "it hangs: {headers:?}");
        for seen in proxied.upstream.requests() {
            assert_eq!((&*seen.body, seen.header("content-length")), (&*message, &*length.to_string()), "{headers:?}");
            assert!(!seen.has("transfer-encoding") && !seen.has("x-late"), "{headers:?}: {seen:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_tells_the_length_that_a_get_would_have() {
    let reply = Reply::bytes("text/plain", Vec::new()).header("x-note", "kept");
    let proxied = Proxied::start(reply.clone()).await;
    assert!(proxied.head("/mcp").await.contains("\r\nx-note: kept\r\n"));
    let proxied = Proxied::start(Reply::head_of(1234)).await;
    let head = proxied.head("/mcp").await;
    assert!(head.contains("\r\ncontent-length: 1234\r\n"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_no_stream_says_so_itself() {
    let proxied = Proxied::start(Reply::new(405, "", "").header("allow", "POST")).await;
    let response = proxied.send("GET", "/mcp", "", &[("accept", "text/event-stream")]).await;
    assert_eq!((response.status, response.header("allow")), (405, "POST"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_alive_comments_arrive_at_once() {
    let proxied = Proxied::start(Reply::open_ended("text/event-stream", ": keepalive\n\n")).await;
    let mut stream = proxied.open("GET", "/mcp", "", &[("accept", "text/event-stream")]).await;
    assert_eq!(stream.read_until("\n\n").await, ": keepalive\n\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_query_of_an_address_reaches_the_server_byte_for_byte() {
    let proxied = Proxied::start(Reply::json(&result(1))).await;
    proxied.post("/mcp?a=%31&b=x+y", &call(1), &[]).await;
    assert_eq!(proxied.upstream.only_request().path, "/mcp?a=%31&b=x+y");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_requests_at_once_than_the_limit_are_told_so_and_places_come_free_again() {
    let limits = Limits { max_streams: 2, ..Limits::default() };
    let proxied = Proxied::start_with(Reply::open_ended("text/event-stream", ": 1\n\n"), limits).await;
    proxied.upstream.next_reply(Reply::open_ended("text/event-stream", ": 2\n\n"));
    let stream = [("accept", "text/event-stream")];
    let mut one = proxied.open("GET", "/mcp", "", &stream).await;
    let mut two = proxied.open("GET", "/mcp", "", &stream).await;
    assert_eq!((one.read_until("\n\n").await, two.read_until("\n\n").await), (": 1\n\n".into(), ": 2\n\n".into()));
    let refused = proxied.post("/mcp", &call(1), &[]).await;
    assert_eq!(refused.status, 503);
    assert!(refused.body.contains("limits.max_streams"), "{}", refused.body);
    assert_eq!(proxied.upstream.requests().len(), 2);
    drop(one);
    proxied.upstream.wait_for_disconnect().await;
    proxied.upstream.next_reply(Reply::json(&result(1)));
    while proxied.post("/mcp", &call(1), &[]).await.status == 503 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_and_methods_beyond_the_limit_are_refused() {
    let proxied = Proxied::start(Reply::json(&result(1))).await;
    let long = "x".repeat(1100);
    for (id, method) in [(json!(long), "ping"), (json!(1), &*long)] {
        let message = json!({"jsonrpc":"2.0","id":id,"method":method}).to_string();
        let answer = proxied.post("/mcp", &message, &[]).await.body;
        assert!(answer.contains("more than 1024 bytes"), "{answer}");
    }
    assert!(proxied.upstream.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_of_too_many_open_requests_is_given_up_and_has_its_row() {
    let limits = Limits { max_open_requests: 2, ..Limits::default() };
    let proxied = Proxied::start_with(Reply::open_ended("text/event-stream", ": 1\n\n"), limits).await;
    let session = [("mcp-session-id", "s-1")];
    let mut streams = Vec::new();
    for id in 1..=3 {
        proxied.upstream.next_reply(Reply::open_ended("text/event-stream", ": x\n\n"));
        let mut stream = proxied.open("POST", "/mcp", &call(id), &session).await;
        stream.read_until("\n\n").await;
        streams.push(stream);
    }
    let rows = proxied.rows();
    let failed: Vec<_> = rows.iter().map(exchange_of).filter(|row| row.outcome == Outcome::Failed).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].request, call(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_id_longer_than_is_kept_passes_and_its_answers_are_read_all_the_same() {
    let hostile = json!({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"POISON"}]}}).to_string();
    let long = "s".repeat(1025);
    let proxied = Proxied::start(Reply::json(&hostile).header("mcp-session-id", &long)).await;
    proxied.upstream.next_reply(Reply::json(&result(1)));
    proxied.upstream.next_reply(Reply::new(200, "", ""));
    let session = [("mcp-session-id", &*long)];
    let answer = proxied.post("/mcp", &call(1), &session).await;
    assert_eq!(answer.header("mcp-session-id"), long);
    assert!(answer.body.contains("isError"), "what answers a call is a tool's error: {}", answer.body);
    assert_eq!(proxied.post("/mcp", &call(1), &session).await.body, result(1));
    assert_eq!(proxied.send("DELETE", "/mcp", "", &session).await.status, 200);
    assert!(proxied.upstream.requests().iter().all(|seen| seen.header("mcp-session-id") == long));
}
