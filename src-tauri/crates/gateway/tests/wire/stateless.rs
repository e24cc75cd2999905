//! What only 2026-07-28 asks: no sessions, headers that repeat the body, states that are opaque, streams that listen.

use crate::support::{Proxied, Reply, Response};
use portcullis_gateway::Answer;
use serde_json::{Value, json};

const VERSION: (&str, &str) = ("mcp-protocol-version", "2026-07-28");

fn call(id: i64, more: Value) -> String {
    let mut message =
        json!({"jsonrpc":"2.0","id":id,"method":"tools/call","params":{"name":"t","arguments":{"a":"ok"}}});
    for (key, value) in more.as_object().unwrap() {
        message["params"][key] = value.clone();
    }
    message.to_string()
}
fn result(id: i64) -> String {
    json!({"jsonrpc":"2.0","id":id,"result":{"resultType":"complete","content":[]}}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_is_made_up_for_either_side() {
    let proxied = Proxied::start(Reply::json(&result(1))).await;
    let response = proxied.post("/mcp", &call(1, json!({})), &[VERSION]).await;
    assert_eq!((response.body.as_str(), response.header("mcp-session-id")), (&*result(1), ""));
    assert!(!proxied.upstream.only_request().has("mcp-session-id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_of_the_newer_era_keeps_the_older_servers_answer_and_initialize_follows() {
    let discover = r#"{"jsonrpc":"2.0","id":"p","method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
    let hello = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;
    for (status, body) in [
        (400, r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: Server not initialized"},"id":null}"#),
        (
            400,
            r#"{"jsonrpc":"2.0","id":"p","error":{"code":-32022,"message":"m","data":{"supported":["2025-11-25"]}}}"#,
        ),
        (404, r#"{"jsonrpc":"2.0","id":"p","error":{"code":-32601,"message":"Method not found"}}"#),
        (200, r#"{"jsonrpc":"2.0","id":"p","error":{"code":-32601,"message":"Method not found"}}"#),
        (405, ""),
    ] {
        let proxied = Proxied::start(Reply::new(status, "application/json", body)).await;
        proxied.upstream.next_reply(Reply::json(&result(0)).header("mcp-session-id", "s-1"));
        let response = proxied.post("/mcp", discover, &[VERSION]).await;
        assert_eq!((response.status, response.body.as_str()), (status, body));
        let response = proxied.post("/mcp", hello, &[]).await;
        assert_eq!((response.body.as_str(), response.header("mcp-session-id")), (&*result(0), "s-1"));
        let seen = proxied.upstream.requests();
        assert_eq!((seen[0].body.as_str(), seen[1].body.as_str()), (discover, hello));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_repeat_one_message_do_not_come_with_many() {
    let proxied = Proxied::start(Reply::json("[]")).await;
    let batch = format!("\r\n [{},{}]", call(1, json!({})), call(2, json!({})));
    for header in [("mcp-method", "tools/call"), ("mcp-name", "t"), ("mcp-param-key", "sk-1"), ("mcp-other", "POISON")]
    {
        let refused = proxied.post("/mcp", &batch, &[header]).await;
        assert_eq!(refused.status, 400, "{header:?}");
        assert!(refused.body.contains(header.0), "{}", refused.body);
    }
    assert!(proxied.upstream.requests().is_empty());
    let others = [("mcp-session-id", "s-1"), ("mcp-protocol-version", "2025-03-26"), ("mcp-other", "mine")];
    assert_eq!(proxied.post("/mcp", &batch, &others).await.status, 200);
    assert_eq!(proxied.upstream.only_request().header("mcp-other"), "mine");
}

/// Sends a call whose argument a person has redacted.
async fn redacted(proxied: &Proxied, message: &str, headers: &[(&str, &str)]) -> Response {
    let person = async {
        let id = proxied.question().await.asked.id.clone();
        proxied.approvals.answer(&id, Answer::Redact).unwrap();
    };
    tokio::join!(proxied.post("/mcp", message, headers), person).0
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_repeat_a_redacted_argument_are_written_anew() {
    let proxied = Proxied::start(Reply::json(&result(1))).await;
    let message = call(1, json!({"arguments": {"region": "x DOUBT y", "place": "Zürich"}}));
    let headers =
        [VERSION, ("mcp-name", "t"), ("mcp-param-region", "x DOUBT y"), ("mcp-param-place", "=?base64?WsO8cmljaA==?=")];
    redacted(&proxied, &message, &headers).await;
    let seen = proxied.upstream.only_request();
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_ne!(body["params"]["arguments"]["region"], "x DOUBT y");
    assert_eq!(seen.header("mcp-param-region"), body["params"]["arguments"]["region"], "what the server compares");
    assert_eq!((seen.header("mcp-name"), seen.header("mcp-param-place")), ("t", "=?base64?WsO8cmljaA==?="));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_with_a_state_is_redacted_as_the_first_round_was_and_its_state_is_untouched() {
    let asks = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"c2VhbGVk+\/=="}}"#;
    let proxied = Proxied::start(Reply::json(asks)).await;
    proxied.upstream.next_reply(Reply::json(&result(2)));
    let arguments = json!({"a": "x DOUBT y"});
    let first = redacted(&proxied, &call(1, json!({"arguments": arguments})), &[VERSION]).await;
    assert!(first.body.contains(r#""requestState":"c2VhbGVk+\/==""#), "byte for byte: {}", first.body);
    let retry = json!({"arguments": arguments, "requestState": "c2VhbGVk+/==", "inputResponses": {"name": {"action": "accept"}}});
    redacted(&proxied, &call(2, retry), &[VERSION]).await;
    let rounds: Vec<Value> =
        proxied.upstream.requests().iter().map(|seen| serde_json::from_str(&seen.body).unwrap()).collect();
    assert_eq!(
        rounds[0]["params"]["arguments"], rounds[1]["params"]["arguments"],
        "a server may bind its state to them"
    );
    assert_eq!(rounds[1]["params"]["requestState"], "c2VhbGVk+/==");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_tool_leaves_the_list_and_what_apps_need_of_the_others_stays() {
    let schema = r#"{"type":"object","properties":{"region":{"type":"string", "x-mcp-header":"Region"}}}"#;
    let good = format!(r#"{{"name":"good","inputSchema":{schema},"_meta":{{"vendor":1.0}}}}"#);
    let bad = r#"{"name":"bad","description":"POISON","inputSchema":{"type":"object"}}"#;
    let list = |tools: &str, cache: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"complete","tools":[{tools}],"nextCursor":"c",{cache}}}}}"#
        )
    };
    let proxied =
        Proxied::start(Reply::json(&list(&format!("{bad},{good}"), r#""ttlMs":60000,"cacheScope":"public""#))).await;
    let body = proxied.post("/mcp", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, &[VERSION]).await.body;
    assert!(body.contains(&good) && !body.contains("POISON"), "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["result"]["tools"].as_array().unwrap().len(), 1);
    let cache = (&answer["result"]["ttlMs"], &answer["result"]["cacheScope"], &answer["result"]["nextCursor"]);
    assert_eq!(cache, (&json!(0), &json!("private"), &json!("c")), "an edited list is nobody else's and not for long");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_our_own_is_complete_for_a_modern_request_and_a_plain_error_for_a_task() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    let modern =
        json!({"arguments": {"a": "POISON"}, "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}});
    let answer: Value = serde_json::from_str(&proxied.post("/mcp", &call(1, modern), &[VERSION]).await.body).unwrap();
    assert_eq!((&answer["result"]["resultType"], &answer["result"]["isError"]), (&json!("complete"), &json!(true)));
    let task = json!({"arguments": {"a": "POISON"}, "task": {"ttl": 60000}});
    let answer: Value = serde_json::from_str(&proxied.post("/mcp", &call(2, task), &[]).await.body).unwrap();
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(2), &json!(4031)), "no result of a task: {answer}");
    assert!(proxied.upstream.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listening_stream_has_its_acknowledgment_first_and_its_graceful_end() {
    let told = |method: &str| {
        format!(
            "data: {{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{{\"_meta\":{{\"io.modelcontextprotocol/subscriptionId\":1.0}}}}}}\n\n"
        )
    };
    let (acknowledged, changed) =
        (told("notifications/subscriptions/acknowledged"), told("notifications/tools/list_changed"));
    let end = "data: {\"jsonrpc\":\"2.0\",\"id\":1.0,\"result\":{\"resultType\":\"complete\",\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":1.0}}}\n\n";
    let reply =
        Reply::open_then("text/event-stream", &acknowledged, &[&changed, end]).header("x-accel-buffering", "no");
    let proxied = Proxied::start(reply).await;
    let listen = r#"{"jsonrpc":"2.0","id":1.0,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true}}}"#;
    let mut stream = proxied.open("POST", "/mcp", listen, &[VERSION]).await;
    assert_eq!(stream.read_until("\n\n").await, acknowledged);
    for event in [changed.as_str(), end] {
        proxied.upstream.release();
        assert_eq!(stream.read_until("\n\n").await, event);
    }
}
