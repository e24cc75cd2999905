//! The proxy listener over real sockets, in front of an upstream double that records every byte it gets and answers
//! what the test scripted. (Real servers and SDK clients are in tests/e2e; here are the cases they never produce.)

use crate::support::{Proxied, Reply, exchange_of};
use portcullis_domain::{Outcome, Verdict};
use serde_json::{Value, json};

fn call(id: i64, text: &str) -> String {
    json!({"jsonrpc":"2.0","id":id,"method":"tools/call","params":{"name":"t","arguments":{"a":text}}}).to_string()
}
fn result(id: i64, text: &str) -> String {
    json!({"jsonrpc":"2.0","id":id,"result":{"content":[{"type":"text","text":text}]}}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_call_goes_through_byte_for_byte_and_leaves_one_row() {
    let odd = "{ \"jsonrpc\" : \"2.0\",\"id\":1.0 ,\"method\":\"tools/call\",\"params\":{\"name\":\"t\",\"n\":1e2}}\n";
    let answer = "{\"id\":1.0,\"jsonrpc\":\"2.0\", \"result\":{\"x\":-0, \"s\":\"SECRET\"}} ";
    let proxied = Proxied::start(Reply::json(answer).header("mcp-session-id", "s1").header("x-other", "kept")).await;
    let response = proxied
        .post(
            "/mcp",
            odd,
            &[("authorization", "Bearer b"), ("x-custom", "yes"), ("connection", "x-hop"), ("x-hop", "1")],
        )
        .await;
    assert_eq!((response.status, response.body.as_str()), (200, answer));
    assert_eq!(response.header("mcp-session-id"), "s1");
    assert_eq!(response.header("x-other"), "kept");
    let seen = proxied.upstream.only_request();
    assert_eq!(seen.body, odd);
    assert_eq!((seen.header("authorization"), seen.header("x-custom")), ("Bearer b", "yes"));
    assert_eq!((seen.header("x-hop"), seen.header("origin"), seen.header("accept-encoding")), ("", "", "identity"));
    assert_eq!(seen.header("host"), proxied.upstream.authority());
    let rows = proxied.rows();
    let row = exchange_of(&rows[0]);
    assert_eq!((rows.len(), row.verdict, row.outcome), (1, Verdict::Allow, Outcome::Forwarded));
    assert_eq!((row.method.as_str(), row.target.as_deref()), ("tools/call", Some("t")));
    assert!(row.response.as_deref().unwrap().contains("••••"), "secrets are masked in the row");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_call_never_reaches_the_upstream_and_the_next_one_works() {
    let proxied = Proxied::start(Reply::json(&result(2, "fine"))).await;
    let response = proxied.post("/mcp", &call(1, "POISON"), &[]).await;
    let answer: Value = serde_json::from_str(&response.body).unwrap();
    assert_eq!((response.status, &answer["id"], &answer["result"]["isError"]), (200, &json!(1), &json!(true)));
    assert!(proxied.upstream.requests().is_empty());
    let response = proxied.post("/mcp", &call(2, "fine"), &[]).await;
    assert_eq!(response.body, result(2, "fine"));
    let rows = proxied.rows();
    let row = exchange_of(&rows[0]);
    assert_eq!((row.verdict, row.outcome), (Verdict::Block, Outcome::Rejected));
    assert_eq!(row.findings[0].json_path, "/params/arguments/a");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_accepts_only_event_streams_gets_the_block_as_an_event() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    let response = proxied.post("/mcp", &call(1, "POISON"), &[("accept", "text/event-stream")]).await;
    assert_eq!(response.header("content-type"), "text/event-stream");
    assert!(response.body.starts_with("event: message\ndata: {"), "{}", response.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_notification_is_accepted_and_dropped() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    let note = json!({"jsonrpc":"2.0","method":"notifications/x","params":{"a":"POISON"}}).to_string();
    let response = proxied.post("/mcp", &note, &[]).await;
    assert_eq!((response.status, response.body.as_str()), (202, ""));
    assert!(proxied.upstream.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_results_are_replaced_in_json_in_streams_and_in_ndjson() {
    let stream = format!(": hi\n\nid: 5\nevent: message\ndata: {}\n\n", result(1, "POISON"));
    let ndjson = format!(
        "{}\n{}\n",
        json!({"jsonrpc":"2.0","method":"notifications/progress","params":{}}),
        result(1, "POISON")
    );
    for (reply, expect) in [
        (Reply::json(&result(1, "POISON")), "{"),
        (Reply::chunked("application/json", &[&result(1, "POISON")]), "{"),
        (
            Reply::chunked("application/json", &[&ndjson]),
            "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}",
        ),
        (
            Reply::chunked("text/event-stream", &[&stream[..30], &stream[30..]]),
            ": hi\n\nid: 5\nevent: message\ndata: {",
        ),
    ] {
        let proxied = Proxied::start(reply).await;
        let response = proxied.post("/mcp", &call(1, "ok"), &[]).await;
        assert!(response.body.starts_with(expect), "{}", response.body);
        assert!(response.body.contains("isError"), "{}", response.body);
        assert!(!response.body.contains("POISON"), "{}", response.body);
        let rows = proxied.rows();
        let row = rows.iter().map(exchange_of).find(|row| row.method == "tools/call").unwrap();
        assert_eq!((row.verdict, row.outcome), (Verdict::Block, Outcome::Rejected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_forwarded_while_the_stream_goes_on() {
    let first = format!("data: {}\n\n", json!({"jsonrpc":"2.0","method":"notifications/progress","params":{}}));
    let proxied = Proxied::start(Reply::open_ended("text/event-stream", &first)).await;
    let mut response = proxied.open("POST", "/mcp", &call(1, "ok"), &[]).await;
    assert_eq!(response.read_until("\n\n").await, first, "held only until its own verdict");
    drop(response);
    proxied.upstream.wait_for_disconnect().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_and_bodies_that_steer_clients_arrive_intact() {
    for (status, body) in [
        (404, ""),
        (400, r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32022,"message":"v","data":{"supported":["x"]}}}"#),
        (405, "no"),
        (401, "<html>sign in</html>"),
    ] {
        let proxied =
            Proxied::start(Reply::new(status, "text/plain", body).header("www-authenticate", "Bearer x=\"y\"")).await;
        let response = proxied.post("/mcp", &call(1, "ok"), &[("authorization", "Bearer mine")]).await;
        assert_eq!((response.status, response.body.as_str()), (status, body));
        assert_eq!(response.header("www-authenticate"), "Bearer x=\"y\"");
    }
    let proxied = Proxied::start(Reply::new(202, "", "")).await;
    let response =
        proxied.post("/mcp", &json!({"jsonrpc":"2.0","method":"notifications/initialized"}).to_string(), &[]).await;
    assert_eq!((response.status, response.body.as_str(), response.header("transfer-encoding")), (202, "", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_error_page_is_withheld() {
    let proxied = Proxied::start(Reply::new(500, "text/html", "<p>POISON</p>")).await;
    let response = proxied.post("/mcp", &call(1, "ok"), &[]).await;
    assert_eq!(response.status, 500);
    assert!(!response.body.contains("POISON"), "{}", response.body);
    assert!(response.body.contains("\"id\":1"), "the app waits under its own id: {}", response.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_safely_is_refused_with_a_clear_error() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, u16);
    let cases: [Case<'_>; 6] = [
        ("{\"a\":1,\"a\":2}", vec![], 400),
        ("\u{feff}{}", vec![], 400),
        ("not json", vec![], 400),
        ("{}", vec![("content-encoding", "compress")], 415),
        ("{}", vec![("content-type", "application/json; charset=utf-16")], 415),
        ("", vec![], 400),
    ];
    for (body, headers, status) in cases {
        let response = proxied.post("/mcp", body, &headers).await;
        let answer: Value = serde_json::from_str(&response.body).unwrap();
        assert_eq!(response.status, status, "{body:?} {headers:?}");
        assert!(answer["error"]["message"].as_str().unwrap().contains("Portcullis"), "{answer}");
    }
    let huge = format!("{{\"a\":\"{}\"}}", "x".repeat(17 * 1024 * 1024));
    assert_eq!(proxied.post("/mcp", &huge, &[]).await.status, 413);
    assert!(proxied.upstream.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_hostile_item_of_a_batch_stops_the_whole_batch() {
    let proxied = Proxied::start(Reply::json("[]")).await;
    let batch = format!("[{},{}]", call(1, "ok"), call(2, "POISON"));
    let response = proxied.post("/mcp", &batch, &[]).await;
    let answers: Value = serde_json::from_str(&response.body).unwrap();
    assert_eq!(answers.as_array().unwrap().len(), 2);
    assert!(proxied.upstream.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn web_pages_and_wrong_addresses_get_nothing() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    for (header, value) in [("host", "evil.example"), ("origin", "https://evil.example"), ("origin", "null")] {
        for method in ["GET", "POST", "DELETE", "OPTIONS"] {
            assert_eq!(proxied.send(method, "/mcp", "{}", &[(header, value)]).await.status, 403, "{method} {header}");
        }
    }
    for path in ["/mcp/", "/other", "/m/unknown", "/../mcp"] {
        assert_eq!(proxied.post(path, &call(1, "ok"), &[]).await.status, 404, "{path}");
    }
    assert!(proxied.upstream.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_stay_on_the_upstreams_origin() {
    let proxied = Proxied::start(Reply::redirect("/elsewhere", Reply::json(&result(1, "moved")))).await;
    let response = proxied.post("/mcp", &call(1, "ok"), &[]).await;
    assert_eq!((response.status, response.body), (200, result(1, "moved")));
    let proxied = Proxied::start(Reply::redirect("http://127.0.0.2:9/steal", Reply::json("{}"))).await;
    let response = proxied.post("/mcp", &call(1, "ok"), &[("authorization", "Bearer b")]).await;
    assert!(response.body.contains("another origin") && response.body.contains("\"id\":1"), "{}", response.body);
    assert_eq!(proxied.upstream.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_the_answer_closes_the_row_as_failed() {
    let proxied = Proxied::start(Reply::new(404, "text/plain", "gone")).await;
    proxied.post("/mcp", &call(1, "ok"), &[]).await;
    let rows = proxied.rows();
    assert_eq!(exchange_of(&rows[0]).outcome, Outcome::Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn legacy_sse_stays_below_our_prefix_and_blocks_answer_on_the_stream() {
    let proxied =
        Proxied::start(Reply::open_ended("text/event-stream", "event: endpoint\ndata: /message?sessionId=%61b\n\n"))
            .await;
    let mut stream = proxied.open("GET", "/sse", "", &[("accept", "text/event-stream")]).await;
    let event = stream.read_until("\n\n").await;
    let data = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap().to_owned();
    assert!(data.starts_with(&proxied.prefix) && data.ends_with("?sessionId=%61b"), "{data}");
    let posted = proxied.send_to("POST", &data, &call(1, "POISON"), &[]).await;
    assert_eq!((posted.status, posted.body.as_str()), (202, ""));
    let event = stream.read_until("\n\n").await;
    assert!(event.starts_with("event: message\ndata: {") && event.contains("isError"), "{event}");
    proxied.upstream.next_reply(Reply::new(202, "text/plain", "Accepted"));
    assert_eq!(proxied.send_to("POST", &data, &call(2, "ok"), &[]).await.body, "Accepted");
    let seen = proxied.upstream.requests();
    assert_eq!((seen.len(), seen[1].path.as_str()), (2, "/message?sessionId=%61b"));
    drop(stream);
    proxied.upstream.wait_for_disconnect().await;
    assert_eq!(proxied.send_to("POST", &data, &call(3, "ok"), &[]).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_on_another_origin_is_refused() {
    let proxied =
        Proxied::start(Reply::chunked("text/event-stream", &["event: endpoint\ndata: http://evil.example/m\n\n"]))
            .await;
    let response = proxied.send("GET", "/sse", "", &[]).await;
    assert!(!response.body.contains("evil.example") && response.body.contains("another origin"), "{}", response.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_sampling_request_is_answered_for_the_app() {
    let ask = json!({"jsonrpc":"2.0","id":9,"method":"sampling/createMessage","params":{"systemPrompt":"POISON"}});
    let stream = format!("id: 3\ndata: {ask}\n\ndata: {}\n\n", result(1, "ok"));
    let proxied = Proxied::start(Reply::chunked("text/event-stream", &[&stream])).await;
    proxied.upstream.next_reply(Reply::new(202, "", ""));
    let response = proxied.post("/mcp", &call(1, "ok"), &[("mcp-session-id", "s1")]).await;
    assert!(response.body.starts_with("id: 3\n\ndata: "), "{}", response.body);
    assert!(!response.body.contains("POISON"));
    let answer = proxied.upstream.wait_for_requests(2).await.pop().unwrap();
    assert_eq!(answer.header("mcp-session-id"), "s1");
    assert_eq!(serde_json::from_str::<Value>(&answer.body).unwrap()["error"]["code"], -1);
}

#[tokio::test(flavor = "multi_thread")]
async fn see_other_is_not_handed_to_the_app_either() {
    let away = Reply::new(303, "", "").header("location", "http://127.0.0.2:9/steal");
    let proxied = Proxied::start(away).await;
    let response = proxied.post("/mcp", &call(1, "ok"), &[]).await;
    assert_eq!((response.status, response.header("location")), (200, ""));
    assert!(response.body.contains("another origin") && response.body.contains("\"id\":1"), "{}", response.body);
    let proxied = Proxied::start(Reply::new(303, "", "").header("location", "/elsewhere")).await;
    proxied.upstream.next_reply(Reply::json(&result(1, "POISON")));
    let response = proxied.post("/mcp", &call(1, "ok"), &[]).await;
    assert!(response.status == 200 && !response.body.contains("POISON"), "{}", response.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_apps_read_otherwise_than_we_do_is_withheld() {
    let hidden = "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"x\":\"P\\u004fISON\"}}\n\n";
    let cases = [
        Reply::new(200, "application/json; x=\"text/event-stream\"", hidden),
        Reply::new(200, "application/json, text/event-stream", hidden),
        Reply::new(200, "application/json", hidden).header("content-type", "text/event-stream"),
        Reply::new(200, "text/event-stream; charset=utf-8; charset=utf-7", hidden),
        Reply::new(200, "text/event-stream; charset=cp037", hidden),
        Reply::new(200, "application/json; charset=utf-16", hidden),
        Reply::json(hidden).header("content-encoding", "identity").header("content-encoding", "gzip"),
    ];
    for reply in cases {
        let proxied = Proxied::start(reply.clone()).await;
        let response = proxied.post("/mcp", &call(1, "ok"), &[]).await;
        assert!(response.status == 502 && response.body.contains("Portcullis withheld"), "{}", response.body);
        let rows = proxied.rows();
        assert_eq!(exchange_of(&rows[0]).outcome, Outcome::Failed, "the call has its row");
    }
    let page = Reply::new(503, "text/html; charset=ISO-8859-1", "<p>busy</p>");
    assert_eq!(Proxied::start(page).await.post("/mcp", &call(1, "ok"), &[]).await.body, "<p>busy</p>");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_page_is_scanned_whole_whatever_it_says_it_is() {
    let proxied = Proxied::start(Reply::new(500, "text/event-stream", ": POISON\n\n")).await;
    let response = proxied.post("/mcp", &call(1, "ok"), &[]).await;
    assert!(response.status == 500 && !response.body.contains("POISON"), "{}", response.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_ends_that_only_some_apps_know_carry_nothing() {
    for end in ["\u{2028}", "\u{2029}", "\u{85}", "\u{b}", "\u{c}", "\u{1c}"] {
        let stream = format!(": hi{end}data: POISON\nid: 4\ndata: {}\n\ndata: [1]{end}data: POIS\n\n", result(1, "ok"));
        let proxied = Proxied::start(Reply::chunked("text/event-stream", &[&stream])).await;
        let body = proxied.post("/mcp", &call(1, "ok"), &[]).await.body;
        assert_eq!(body, format!("id: 4\ndata: {}\n\n", result(1, "ok")), "{end:?}");
    }
    let stream = format!("data: {}\n\n", result(1, "a\u{2028}b"));
    let proxied = Proxied::start(Reply::chunked("text/event-stream", &[&stream])).await;
    assert_eq!(proxied.post("/mcp", &call(1, "ok"), &[]).await.body, stream, "text in a string is text");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_ends_without_the_answer_leaves_a_row() {
    let first = format!("data: {}\n\n", json!({"jsonrpc":"2.0","method":"notifications/progress","params":{}}));
    let proxied = Proxied::start(Reply::chunked("text/event-stream", &[&first])).await;
    proxied.post("/mcp", &call(1, "SUSPECT"), &[]).await;
    let failed = || {
        proxied.rows().iter().map(exchange_of).any(|row| row.method == "tools/call" && row.outcome == Outcome::Failed)
    };
    while !failed() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_apps_take_for_their_own_pairs_with_their_request() {
    for id in ["1.0", "\"1\"", "1e0"] {
        let answer = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"content\":\"POISON\"}}}}");
        let proxied = Proxied::start(Reply::json(&answer)).await;
        let body = proxied.post("/mcp", &call(1, "ok"), &[]).await.body;
        assert!(body.contains("isError"), "{body}");
        let rows = proxied.rows();
        assert_eq!((rows.len(), exchange_of(&rows[0]).outcome), (1, Outcome::Rejected), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_endpoint_event_stays_below_our_prefix_too() {
    let events = "event: endpoint\ndata: /one\n\nevent: endpoint\ndata: /two?s=1\n\n";
    let proxied = Proxied::start(Reply::open_ended("text/event-stream", events)).await;
    let mut stream = proxied.open("GET", "/sse", "", &[]).await;
    let first = stream.read_until("\n\n").await;
    let second = stream.read_until("\n\n").await;
    let address = |event: &str| event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap().to_owned();
    assert_eq!(address(&second), format!("{}?s=1", address(&first)));
    proxied.upstream.next_reply(Reply::new(202, "", ""));
    proxied.send_to("POST", &address(&second), &call(1, "ok"), &[]).await;
    assert_eq!(proxied.upstream.requests().pop().unwrap().path, "/two?s=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_server_accepts_what_a_post_must_accept() {
    let ask = json!({"jsonrpc":"2.0","id":9,"method":"sampling/createMessage","params":{"systemPrompt":"POISON"}});
    let proxied = Proxied::start(Reply::open_ended("text/event-stream", &format!("data: {ask}\n\n"))).await;
    proxied.upstream.next_reply(Reply::new(202, "", ""));
    let _stream = proxied.open("GET", "/mcp", "", &[("accept", "text/event-stream")]).await;
    let answer = proxied.upstream.wait_for_requests(2).await.pop().unwrap();
    assert_eq!(answer.header("accept"), "application/json, text/event-stream");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_item_of_a_batch_has_its_own_row() {
    let proxied = Proxied::start(Reply::json(&format!("[{},{}]", result(1, "a"), result(2, "b")))).await;
    proxied.post("/mcp", &format!("[{},{}]", call(1, "x"), call(2, "y")), &[]).await;
    let rows = proxied.rows();
    let mut seen: Vec<_> =
        rows.iter().map(exchange_of).map(|row| (row.request.clone(), row.response.clone())).collect();
    seen.sort();
    assert_eq!(seen, [(call(1, "x"), Some(result(1, "a"))), (call(2, "y"), Some(result(2, "b")))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flagged_request_is_told_of_before_anybody_answers_it() {
    let ask = json!({"jsonrpc":"2.0","id":9,"method":"elicitation/create","params":{"message":"SUSPECT"}});
    let proxied = Proxied::start(Reply::open_ended("text/event-stream", &format!("data: {ask}\n\n"))).await;
    let mut response = proxied.open("POST", "/mcp", &call(1, "ok"), &[]).await;
    response.read_until("\n\n").await;
    let rows = proxied.rows();
    let row = rows.iter().map(exchange_of).find(|row| row.method == "elicitation/create").expect("a row");
    assert_eq!((row.verdict, row.outcome), (Verdict::Flag, Outcome::Forwarded));
}

const SLOW_CALL: &str = r#"{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"slow","arguments":{}}}"#;

#[tokio::test]
async fn an_answer_under_way_arrives_whole_although_the_gateway_stops() {
    let proxied =
        Proxied::start(Reply::in_two("application/json", r#"{"jsonrpc":"2.0","id":4,"#, r#""result":{}}"#)).await;
    let (answer, ()) = tokio::join!(proxied.post("/mcp", SLOW_CALL, &[]), async {
        proxied.upstream.wait_for_requests(1).await;
        proxied.stop().await;
        proxied.upstream.release();
    });
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"jsonrpc":"2.0","id":4,"result":{}}"#));
}

#[tokio::test]
async fn an_answer_that_outlasts_the_drain_is_an_error_and_never_an_empty_success() {
    let proxied =
        Proxied::start(Reply::in_two("application/json", r#"{"jsonrpc":"2.0","id":4,"#, r#""result":{}}"#)).await;
    let (answer, ()) = tokio::join!(proxied.post("/mcp", SLOW_CALL, &[]), async {
        proxied.upstream.wait_for_requests(1).await;
        proxied.stop().await;
    });
    assert!(
        answer.body.contains(r#""error""#)
            && answer.body.contains(r#""id":4"#)
            && answer.body.contains("Portcullis stopped"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn a_stream_that_owes_nothing_ends_with_the_gateway() {
    let proxied = Proxied::start(Reply::open_ended("text/event-stream", ": hello\n\n")).await;
    let mut stream = proxied.open("GET", "/mcp", "", &[]).await;
    assert_eq!(stream.read_until("\n\n").await, ": hello\n\n");
    proxied.stop().await;
    assert!(stream.has_ended().await, "with the last chunk, as a stream should");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_a_sign_in_costs_the_app_no_401() {
    let asked = Reply::new(401, "text/plain", "who are you?").header("www-authenticate", "Bearer scope=\"notes\"");
    let proxied = Proxied::start(asked).await;
    let response = proxied.post("/mcp", &call(1, "ok"), &[]).await;
    assert_eq!(response.status, 200);
    assert!(response.body.contains("portcullis sign-in") && response.body.contains("-32001"), "{}", response.body);
    let basic = Reply::new(401, "text/plain", "who?").header("www-authenticate", "Basic realm=\"x\"");
    let proxied = Proxied::start(basic).await;
    assert_eq!(proxied.post("/mcp", &call(1, "ok"), &[]).await.status, 401, "that is no sign-in of ours");
}
