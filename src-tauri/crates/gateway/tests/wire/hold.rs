//! Messages that wait for a person, on HTTP: allowed, redacted, denied, late, unattended, taken back, cut off, stopped;
//! requests and results; and that nothing which was not allowed ever reaches the other side.

use crate::support::{Proxied, Reply, exchange_of};
use portcullis_domain::api::AskState;
use portcullis_domain::{Direction, Outcome, Verdict};
use portcullis_gateway::{Answer, NotTaken};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

fn call(id: i64, text: &str) -> String {
    json!({"jsonrpc":"2.0","id":id,"method":"tools/call","params":{"name":"t","arguments":{"a":text}}}).to_string()
}
fn result(id: i64, text: &str) -> String {
    json!({"jsonrpc":"2.0","id":id,"result":{"content":[{"type":"text","text":text}]}}).to_string()
}
/// The Messages of an event stream.
fn events(body: &str) -> Vec<Value> {
    let data = body.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}
const PLAIN: &[(&str, &str)] = &[("accept", "application/json")];

async fn answer(proxied: &Proxied, answer: Answer) -> Result<bool, NotTaken> {
    let id = proxied.question().await.asked.id.clone();
    assert!(proxied.upstream.requests().is_empty(), "held before the upstream write");
    proxied.approvals.answer(&id, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_call_goes_on_byte_for_byte_and_its_answer_comes_on_the_stream() {
    let proxied = Proxied::start(Reply::json(&result(1, "fine"))).await;
    let sent = call(1, "DOUBT");
    let (response, late) = tokio::join!(proxied.post("/mcp", &sent, &[]), answer(&proxied, Answer::Allow));
    assert_eq!(late, Ok(false));
    assert_eq!((response.status, response.header("content-type")), (200, "text/event-stream"));
    assert!(response.body.starts_with(": "), "comments keep it alive: {}", response.body);
    assert_eq!(events(&response.body), [serde_json::from_str::<Value>(&result(1, "fine")).unwrap()]);
    assert_eq!(proxied.upstream.only_request().body, sent);
    let rows = proxied.rows();
    let row = exchange_of(rows.last().unwrap());
    assert_eq!((row.verdict, row.outcome), (Verdict::Ask, Outcome::Forwarded));
    assert!(row.response.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_takes_no_streams_waits_for_plain_json() {
    let proxied = Proxied::start(Reply::json(&result(1, "fine"))).await;
    let sent = call(1, "DOUBT");
    let (response, _) = tokio::join!(proxied.post("/mcp", &sent, PLAIN), answer(&proxied, Answer::Allow));
    assert_eq!(response.body, result(1, "fine"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_call_is_never_sent_and_the_model_can_read_why() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    let sent = call(1, "DOUBT");
    let (response, _) = tokio::join!(proxied.post("/mcp", &sent, &[]), answer(&proxied, Answer::Deny));
    let answer = events(&response.body).remove(0);
    assert_eq!((&answer["id"], &answer["result"]["isError"]), (&json!(1), &json!(true)));
    assert!(answer["result"]["content"][0]["text"].as_str().unwrap().contains("the person said no"), "{answer}");
    assert!(proxied.upstream.requests().is_empty());
    let rows = proxied.rows();
    assert_eq!(exchange_of(&rows[0]).outcome, Outcome::Rejected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redacted_call_goes_on_without_what_was_found_and_with_all_else_as_it_was() {
    let proxied = Proxied::start(Reply::json(&result(1, "fine"))).await;
    let sent = r#"{ "jsonrpc":"2.0","id":1.0,"method":"tools/call","params":{"name":"t","arguments":{"z":1e2,"a":"x DOUBT y"}}}"#;
    tokio::join!(proxied.post("/mcp", sent, &[]), answer(&proxied, Answer::Redact)).1.unwrap();
    assert_eq!(proxied.upstream.only_request().body, sent.replace("DOUBT", "[redacted: A doubtful word]"));
    let rows = proxied.rows();
    assert_eq!(exchange_of(rows.last().unwrap()).outcome, Outcome::Redacted);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers_in_time_and_a_later_click_counts_for_the_retry_alone() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    proxied.person.patience_ms.store(20, Ordering::SeqCst);
    let response = proxied.post("/mcp", &call(1, "DOUBT"), &[]).await;
    let text = events(&response.body).remove(0)["result"]["content"][0]["text"].to_string();
    assert!(text.contains("not approved in time") && text.contains("Ask again"), "{text}");
    let (_, recent) = proxied.until_asks(|_, recent| recent.len() == 1).await;
    assert_eq!(recent[0].state, AskState::TimedOut);
    assert_eq!(proxied.approvals.answer(&recent[0].asked.id, Answer::Allow), Ok(true), "late");
    assert_eq!(proxied.approvals.answer(&recent[0].asked.id, Answer::Allow), Err(NotTaken::AlreadyAnswered));
    assert!(proxied.upstream.requests().is_empty(), "the old call is gone for good");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_somebody_looks_at_waits_longer_once() {
    let proxied = Arc::new(Proxied::start(Reply::json(&result(1, "done"))).await);
    proxied.person.patience_ms.store(30_000, Ordering::SeqCst);
    let caller = proxied.clone();
    let waits = tokio::spawn(async move { caller.post("/mcp", &call(1, "DOUBT"), &[]).await });
    let question = proxied.question().await;
    assert!(!question.extended && question.most_at > question.deadline_at);
    let extended = proxied.approvals.extend(&question.asked.id).unwrap();
    assert_eq!((extended.extended, extended.deadline_at), (true, question.most_at));
    assert_eq!(proxied.approvals.extend(&question.asked.id).unwrap().deadline_at, question.most_at, "once");
    assert_eq!(proxied.approvals.answer(&question.asked.id, Answer::Allow), Ok(false), "in time");
    let response = waits.await.unwrap();
    assert_eq!(events(&response.body).remove(0)["result"]["content"][0]["text"], "done");
    assert!(proxied.approvals.extend(&question.asked.id).is_err(), "it is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_redacted_is_given_to_whoever_keeps_originals() {
    let proxied = Arc::new(Proxied::start(Reply::json(&result(1, "done"))).await);
    let (sender, kept) = std::sync::mpsc::channel();
    proxied.gateway.keep_originals(Arc::new(move |_, direction, bytes: &[u8]| {
        let _ = sender.send((direction, String::from_utf8_lossy(bytes).into_owned()));
    }));
    let caller = proxied.clone();
    let waits = tokio::spawn(async move { caller.post("/mcp", &call(1, "DOUBT"), &[]).await });
    answer(&proxied, Answer::Redact).await.unwrap();
    waits.await.unwrap();
    let (direction, original) = kept.try_recv().unwrap();
    assert_eq!((direction, original), (Direction::ToUpstream, call(1, "DOUBT")));
    assert!(kept.try_recv().is_err(), "once");
    let sent = proxied.upstream.requests().remove(0).body;
    assert!(!sent.contains("DOUBT"), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nobody_to_see_it_a_call_is_denied_at_once_and_says_where_to_allow_it() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    proxied.person.is_there.store(false, Ordering::SeqCst);
    let response = proxied.post("/mcp", &call(1, "DOUBT"), &[]).await;
    assert!(events(&response.body)[0].to_string().contains("portcullis ask list"), "{}", response.body);
    let retry = proxied.post("/mcp", &call(2, "DOUBT"), &[]).await;
    assert!(events(&retry.body)[0].to_string().contains("portcullis ask"), "{}", retry.body);
    let (_, recent) = proxied.approvals.list();
    assert_eq!(recent.iter().map(|view| view.state).collect::<Vec<_>>(), [AskState::Unattended], "one entry for both");
    assert!(proxied.upstream.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_hangs_up_voids_its_question() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    let open = proxied.open("POST", "/mcp", &call(1, "DOUBT"), &[]).await;
    let id = proxied.question().await.asked.id.clone();
    drop(open);
    let (_, recent) = proxied.until_asks(|waiting, _| waiting.is_empty()).await;
    assert_eq!(recent[0].state, AskState::Disconnected);
    assert_eq!(proxied.approvals.answer(&id, Answer::Allow), Err(NotTaken::Void));
    assert!(proxied.upstream.requests().is_empty());
    let rows = proxied.rows();
    let row = exchange_of(&rows[0]);
    assert_eq!((row.outcome, row.verdict), (Outcome::Rejected, Verdict::Ask));
    assert!(row.error.as_deref().unwrap().contains("closed while it waited"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_cancels_voids_its_question_and_the_server_hears_of_neither() {
    let proxied = Proxied::start(Reply::json(&result(2, "fine"))).await;
    let session = [("mcp-session-id", "s1")];
    let held = proxied.open("POST", "/mcp", &call(1, "DOUBT"), &session).await;
    let id = proxied.question().await.asked.id.clone();
    let cancel = json!({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}).to_string();
    let response = proxied.post("/mcp", &cancel, &session).await;
    assert_eq!(response.status, 202);
    let (_, recent) = proxied.until_asks(|waiting, _| waiting.is_empty()).await;
    assert_eq!(recent[0].state, AskState::Cancelled);
    assert_eq!(proxied.approvals.answer(&id, Answer::Allow), Err(NotTaken::Void));
    drop(held);
    proxied.post("/mcp", &call(2, "fine"), &session).await;
    assert_eq!(proxied.upstream.only_request().body, call(2, "fine"), "neither the call nor its cancellation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_in_a_batch_voids_its_question_too() {
    let cancel = json!({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}});
    let note = json!({"jsonrpc":"2.0","method":"notifications/progress","params":{}});
    for (batch, heard) in [(json!([cancel]), 0), (json!([note, cancel]), 1)] {
        let proxied = Proxied::start(Reply::new(202, "", "")).await;
        let session = [("mcp-session-id", "s1")];
        let _held = proxied.open("POST", "/mcp", &call(1, "DOUBT"), &session).await;
        let id = proxied.question().await.asked.id.clone();
        assert_eq!(proxied.post("/mcp", &batch.to_string(), &session).await.status, 202);
        assert_eq!(proxied.approvals.answer(&id, Answer::Allow), Err(NotTaken::Void), "{batch}");
        assert_eq!(proxied.upstream.requests().len(), heard, "what is no cancellation goes on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_gives_one_answer_many_times_asks_once() {
    let answers: String = (0..300).map(|n| format!("data: {}\n\n", result(1, &format!("DOUBT {n}")))).collect();
    let proxied = Proxied::start(Reply::open_ended("text/event-stream", &answers)).await;
    let mut stream = proxied.open("POST", "/mcp", &call(1, "plain"), &[]).await;
    let mut seen = String::new();
    while seen.matches("data: ").count() < 299 {
        seen += &stream.read_until("\n\n").await;
    }
    let (waiting, recent) = proxied.approvals.list();
    assert_eq!((waiting.len(), recent.len()), (1, 0), "the person is asked about the first alone");
    assert!(!seen.contains("DOUBT"), "none of the others goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_under_an_id_in_escapes_is_asked_about_like_any_other() {
    for id in [r#""\u0031""#, "\"\u{feff}1\"", r#"" 1""#] {
        let answer =
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":"DOUBT"}}]}}}}"#);
        let proxied = Proxied::start(Reply::json(&answer)).await;
        let person = async {
            let id = proxied.question().await.asked.id.clone();
            proxied.approvals.answer(&id, Answer::Deny).unwrap();
        };
        let sent = call(1, "plain");
        let (response, ()) = tokio::join!(proxied.post("/mcp", &sent, PLAIN), person);
        assert!(response.body.contains("isError") && !response.body.contains("DOUBT"), "{}", response.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_questions_join_and_are_answered_together() {
    let proxied = Proxied::start(Reply::json(&result(1, "fine"))).await;
    proxied.upstream.next_reply(Reply::json(&result(2, "fine")));
    let both = async {
        let (waiting, _) = proxied.until_asks(|waiting, _| waiting.first().is_some_and(|view| view.held == 2)).await;
        assert_eq!(waiting.len(), 1);
        proxied.approvals.answer(&waiting[0].asked.id, Answer::Allow).unwrap();
    };
    let (a, b) = (call(1, "DOUBT"), call(2, "DOUBT"));
    let (first, second, ()) = tokio::join!(proxied.post("/mcp", &a, &[]), proxied.post("/mcp", &b, &[]), both);
    assert_eq!((events(&first.body).len(), events(&second.body).len()), (1, 1));
    assert_eq!(proxied.upstream.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_calls_are_not_held_up() {
    let proxied = Proxied::start(Reply::json(&result(2, "fine"))).await;
    let _held = proxied.open("POST", "/mcp", &call(1, "DOUBT"), &[]).await;
    proxied.question().await;
    assert_eq!(proxied.post("/mcp", &call(2, "fine"), &[]).await.body, result(2, "fine"));
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_sent_when_the_app_gave_a_token() {
    let proxied = Proxied::start(Reply::json(&result(1, "fine"))).await;
    let mut sent: Value = serde_json::from_str(&call(1, "DOUBT")).unwrap();
    sent["params"]["_meta"] = json!({"progressToken": "p-1"});
    let mut open = proxied.open("POST", "/mcp", &sent.to_string(), &[]).await;
    let mut seen = String::new();
    while events(&seen).is_empty() {
        seen += &open.read_until("\n\n").await;
    }
    let progress = &events(&seen)[0];
    assert_eq!(
        (&progress["method"], &progress["params"]["progressToken"]),
        (&json!("notifications/progress"), &json!("p-1"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_while_it_waited_is_judged_as_it_is_now() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    let block = async {
        let id = proxied.question().await.asked.id.clone();
        let modes = portcullis_domain::Modes { default: portcullis_domain::Mode::Block, ..Default::default() };
        proxied.use_rules(portcullis_policy::Rules { modes, ..Default::default() });
        proxied.approvals.answer(&id, Answer::Allow).unwrap();
    };
    let sent = call(1, "DOUBT");
    let (response, ()) = tokio::join!(proxied.post("/mcp", &sent, PLAIN), block);
    assert!(response.body.contains("isError"), "{}", response.body);
    assert!(proxied.upstream.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doubtful_result_is_held_and_released_withheld_or_redacted() {
    for (answer, expect) in [
        (Answer::Allow, result(1, "a DOUBT b")),
        (Answer::Redact, result(1, "a [redacted: A doubtful word] b")),
        (Answer::Deny, String::new()),
    ] {
        let proxied = Proxied::start(Reply::json(&result(1, "a DOUBT b"))).await;
        let person = async {
            let id = proxied.question().await.asked.id.clone();
            proxied.approvals.answer(&id, answer).unwrap();
        };
        let sent = call(1, "plain");
        let (response, ()) = tokio::join!(proxied.post("/mcp", &sent, PLAIN), person);
        if answer == Answer::Deny {
            assert!(response.body.contains("isError") && !response.body.contains("DOUBT"), "{}", response.body);
        } else {
            assert_eq!(response.body, expect);
        }
        let rows = proxied.rows();
        assert_eq!(exchange_of(rows.last().unwrap()).verdict, Verdict::Ask);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_held_result_on_its_stream_passes_it() {
    let note = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"x"}}"#;
    let stream = format!("data: {}\n\ndata: {note}\n\n", result(1, "DOUBT"));
    let proxied = Proxied::start(Reply::chunked("text/event-stream", &[&stream])).await;
    let mut open = proxied.open("POST", "/mcp", &call(1, "plain"), &[]).await;
    assert_eq!(open.read_until("\n\n").await, format!("data: {note}\n\n"));
    let id = proxied.question().await.asked.id.clone();
    proxied.approvals.answer(&id, Answer::Allow).unwrap();
    assert_eq!(open.read_until("\n\n").await, format!("data: {}\n\n", result(1, "DOUBT")));
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_denies_what_waits() {
    let proxied = Proxied::start(Reply::json("{}")).await;
    let stop = async {
        proxied.question().await;
        proxied.stop().await;
    };
    let sent = call(1, "DOUBT");
    let (response, ()) = tokio::join!(proxied.post("/mcp", &sent, &[]), stop);
    assert!(events(&response.body)[0].to_string().contains("stopping"), "{}", response.body);
    assert!(proxied.upstream.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn legacy_sse_waits_on_its_stream_and_ends_with_it() {
    let proxied = Proxied::start(Reply::open_ended("text/event-stream", "event: endpoint\ndata: /m?s=1\n\n")).await;
    proxied.upstream.next_reply(Reply::new(202, "", ""));
    let mut stream = proxied.open("GET", "/sse", "", &[("accept", "text/event-stream")]).await;
    let endpoint = stream.read_until("\n\n").await;
    let path = endpoint.lines().find_map(|line| line.strip_prefix("data: ")).unwrap().to_owned();
    let post = |body: String| {
        let (proxied, path) = (&proxied, path.clone());
        async move { proxied.send_to("POST", &path, &body, &[]).await.status }
    };
    assert_eq!(post(call(1, "DOUBT")).await, 202, "the POST is answered at once");
    let id = proxied.question().await.asked.id.clone();
    proxied.approvals.answer(&id, Answer::Allow).unwrap();
    assert_eq!(proxied.upstream.wait_for_requests(2).await[1].body, call(1, "DOUBT"));

    assert_eq!(post(call(2, "DOUBT again")).await, 202);
    let id = proxied.question().await.asked.id.clone();
    proxied.approvals.answer(&id, Answer::Deny).unwrap();
    let mut seen = String::new();
    while !seen.contains("isError") {
        seen += &stream.read_until("\n\n").await;
    }

    assert_eq!(post(call(3, "DOUBT at last")).await, 202);
    let id = proxied.question().await.asked.id.clone();
    drop(stream);
    proxied.until_asks(|waiting, _| waiting.is_empty()).await;
    assert_eq!(proxied.approvals.answer(&id, Answer::Allow), Err(NotTaken::Void));
    assert_eq!(proxied.upstream.requests().len(), 2, "the stream and the one that was allowed");
}
