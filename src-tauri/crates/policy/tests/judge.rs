//! What happens to each kind of Message, with a scanner that finds the word POISON and panics on the word PANIC.
//! (The real scanner has its own tests; this one makes every path reachable.)

use portcullis_domain::json::{self, Doc};
use portcullis_domain::*;
use portcullis_policy::{Action, Context, Judge, Judged, PairedRequest, PinBook, Rules};
use portcullis_testkit::Words;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

struct Bench {
    judge: Judge,
    pins: Arc<PinBook>,
    upstream: Upstream,
}

impl Bench {
    fn new(rules: Rules) -> Self {
        let pins = Arc::new(PinBook::in_memory(Vec::new()));
        let upstream = Upstream {
            id: UpstreamId::new("a"),
            app: AppId::new("cursor"),
            app_name: "Cursor".into(),
            name: "files".into(),
            transport: Transport::Stdio,
            url: None,
            command: Vec::new(),
        };
        let judge = Judge::new(Arc::new(Words), pins.clone(), rules, Limits::default());
        Self { judge, pins, upstream }
    }
    fn scanning_with(scanner: Arc<dyn Scan>) -> Self {
        let bench = Self::new(Rules::default());
        let judge = Judge::new(scanner, bench.pins.clone(), Rules::default(), Limits::default());
        Self { judge, ..bench }
    }

    fn judge(&self, direction: Direction, bytes: &[u8], answers: Option<(&str, bool)>) -> Judged {
        let siblings = Vec::new;
        let (upstream, transport) = (&self.upstream, self.upstream.transport);
        let context = Context { upstream, transport, now: 1000, siblings: &siblings, mirrors: &[], session: None };
        let paired = |_: &str| {
            answers.map(|(method, modern)| PairedRequest { method: method.into(), target: None, modern, task: false })
        };
        self.judge.judge(&context, direction, bytes, &paired)
    }
    fn request(&self, message: &Value) -> Judged {
        self.judge(Direction::ToUpstream, message.to_string().as_bytes(), None)
    }
    fn response(&self, method: &str, result: Value) -> Judged {
        let message = json!({"jsonrpc": "2.0", "id": 7, "result": result});
        self.judge(Direction::ToClient, message.to_string().as_bytes(), Some((method, false)))
    }
}

fn bench() -> Bench {
    Bench::new(Rules::default())
}
fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn a_blocked_tool_call_is_answered_with_a_result_that_a_model_can_read() {
    let judged = bench().request(
        &json!({"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"t","arguments":{"a":"POISON"}}}),
    );
    let Action::Answer(answer) = judged.action else { panic!("{:?}", judged.action) };
    let answer = parsed(&answer);
    assert_eq!(answer["id"], "x");
    assert_eq!(answer["result"]["isError"], true);
    assert_eq!(answer["result"].get("resultType"), None, "an older client knows no resultType");
    assert_eq!(answer["result"].get("structuredContent"), None);
    let modern = bench().request(&json!({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"POISON",
        "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}));
    let Action::Answer(answer) = modern.action else { panic!() };
    assert_eq!(parsed(&answer)["result"]["resultType"], "complete");
}

#[test]
fn other_blocked_requests_get_an_error_outside_the_reserved_codes() {
    for method in ["resources/read", "prompts/get", "completion/complete", "vendor/thing"] {
        let judged = bench().request(&json!({"jsonrpc":"2.0","id":1,"method":method,"params":{"x":"POISON"}}));
        let Action::Answer(answer) = judged.action else { panic!("{method}") };
        assert_eq!(parsed(&answer)["error"]["code"], portcullis_policy::BLOCKED_CODE, "{method}");
    }
    let task = json!({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"POISON","task":{}}});
    let Action::Answer(answer) = bench().request(&task).action else { panic!() };
    assert!(parsed(&answer).get("error").is_some(), "a task-augmented call expects no plain result");
}

#[test]
fn a_clean_message_is_forwarded_as_it_is() {
    assert_eq!(bench().request(&json!({"jsonrpc":"2.0","id":1,"method":"ping"})).action, Action::Forward);
}

#[test]
fn a_message_that_servers_read_differently_is_refused() {
    for bytes in [
        &br#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#[..],
        b"\xef\xbb\xbf{}",
        b"{} {}",
        br#"{"id":1,"method":"ping","result":{}}"#,
        br#""text""#,
        b"\xff",
    ] {
        let judged = bench().judge(Direction::ToUpstream, bytes, None);
        assert!(matches!(judged.action, Action::Refuse(_)), "{:?}", String::from_utf8_lossy(bytes));
        assert_eq!(judged.verdict, Verdict::Block);
    }
}

/// Go and .NET programs act upon these as if they were spelt right.
#[test]
fn a_key_that_differs_from_a_known_one_in_case_alone_does_not_go_on() {
    let bench = bench();
    for text in [
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"t"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","PARAMS":{"name":"t"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","Name":"u"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","argument\u017f":{}}}"#,
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}]"#,
    ] {
        let judged = bench.judge(Direction::ToUpstream, text.as_bytes(), None);
        assert!(judged.verdict == Verdict::Block && judged.action != Action::Forward, "{text}");
    }
    let response = |text: &str, method| bench.judge(Direction::ToClient, text.as_bytes(), method);
    for (text, method) in [
        (r#"{"jsonrpc":"2.0","id":1,"Result":{"tools":[]}}"#, Some(("tools/list", false))),
        (r#"{"jsonrpc":"2.0","id":1,"result":{},"Result":{"tools":[]}}"#, Some(("tools/list", false))),
        (r#"{"jsonrpc":"2.0","id":1,"result":{"Tools":[{"name":"t"}]}}"#, Some(("tools/list", false))),
        (r#"{"jsonrpc":"2.0","id":1,"result":{"tool\u017f":[{"name":"t"}]}}"#, None),
        (r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"Content":[]}}"#, Some(("tools/call", false))),
    ] {
        let judged = response(text, method);
        let Action::Replace(instead) = &judged.action else { panic!("{text}: {judged:?}") };
        assert!(!String::from_utf8_lossy(instead).contains(r#""name""#), "{text}");
    }
    let list = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"},{"name":"b","Description":"other"}]}}"#;
    let Action::Replace(left) = response(list, Some(("tools/list", false))).action else { panic!() };
    assert_eq!(parsed(&left)["result"]["tools"], json!([{"name":"a"}]), "only the tool that has it leaves the list");
    // Other people's data may be spelt as it likes.
    for (text, method) in [
        (
            r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"Name":1}],"structuredContent":{"Method":1}}}"#,
            "tools/call",
        ),
        (r#"{"jsonrpc":"2.0","id":1,"result":{"Content":[]}}"#, "vendor/thing"),
        (r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a","_meta":{"Name":1}}]}}"#, "tools/list"),
    ] {
        assert_eq!(response(text, Some((method, false))).action, Action::Forward, "{text}");
    }
    let log = r#"{"Method":"GET","Error":null,"ID":4}"#;
    assert_eq!(response(log, None).action, Action::Forward);
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"Name":1}}}"#;
    assert_eq!(bench.judge(Direction::ToUpstream, call.as_bytes(), None).action, Action::Forward);
}

/// Kotlin programs read keys and texts without quotes, Ruby ones comments.
#[test]
fn a_message_that_only_apps_which_are_not_strict_can_read_does_not_go_on() {
    let bench = bench();
    let judge = |text: &str| bench.judge(Direction::ToClient, text.as_bytes(), None).action;
    for text in [
        r#"{jsonrpc:2.0,id:1,result:{tools:[{name:t,description:"\u0050OISON"}]}}"#,
        r#"{id:1,result:{tools:[{name:t}]}}"#,
        r#" {'\u006a':1}"#,
        r#"/**/{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,/**/"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},}"#,
    ] {
        assert_eq!(judge(text), Action::Drop, "{text}");
    }
    for banner in ["{ port: 8080 }", "[info] {\"id\":1}", "// started", "{", "/usr/bin/server: ready, method id"] {
        assert_eq!(judge(banner), Action::Forward, "{banner}");
    }
}

/// A server that thinks up hostile tools without end takes no more memory, and none of them can be called.
#[test]
fn withheld_tools_are_remembered_within_bounds_and_none_beyond_can_be_called() {
    let bench = bench();
    bench.response("tools/list", json!({"tools":[{"name":"good"}]}));
    let long = "x".repeat(100_000);
    for page in 0..30 {
        let named = |n: usize| json!({"name": format!("bad-{page}-{n}"), "description": "POISON"});
        let mut tools: Vec<Value> = (0..100).map(named).collect();
        tools.push(json!({"name": format!("{long}{page}"), "description": "POISON"}));
        bench.response("tools/list", json!({"tools": tools}));
    }
    let kept: usize = bench.pins.withheld().iter().map(|(_, name)| name.len()).sum();
    assert!(kept < 300_000, "{kept} bytes");
    let call = |name: &str| json!({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":name,"arguments":{}}});
    for bad in ["bad-0-0", "bad-29-99", &format!("{long}7")] {
        assert!(matches!(bench.request(&call(bad)).action, Action::Answer(_)), "{:.20}", bad);
    }
    assert_eq!(bench.request(&call("good")).action, Action::Forward);
}

#[test]
fn only_the_poisoned_tool_leaves_the_list_and_calling_it_is_blocked() {
    let bench = bench();
    let judged = bench.response(
        "tools/list",
        json!({"tools":[{"name":"good"},{"name":"bad","description":"POISON"},{"name":"also_good"}],"ttlMs":60000,"nextCursor":"c"}),
    );
    let Action::Replace(bytes) = judged.action else { panic!("{:?}", judged.action) };
    let list = parsed(&bytes);
    assert_eq!(list["id"], 7);
    assert_eq!(list["result"]["tools"], json!([{"name":"good"},{"name":"also_good"}]));
    assert_eq!(list["result"]["ttlMs"], 0);
    assert_eq!(list["result"]["nextCursor"], "c");
    let call = json!({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"bad","arguments":{}}});
    assert!(matches!(bench.request(&call).action, Action::Answer(_)));
    bench.response("tools/list", json!({"tools":[{"name":"bad","description":"fine now"}]}));
    assert_eq!(bench.request(&call).action, Action::Forward, "a clean definition ends the withholding");
}

#[test]
fn hostile_text_beside_the_list_empties_the_page_but_keeps_it_a_list() {
    let judged = bench().response("tools/list", json!({"tools":[{"name":"good"}],"_meta":{"x":"POISON"}}));
    let Action::Replace(bytes) = judged.action else { panic!() };
    assert_eq!(parsed(&bytes)["result"], json!({"tools":[]}));
}

#[test]
fn only_the_instructions_leave_an_initialize_result() {
    let judged = bench().response("initialize", json!({"serverInfo":{"name":"s"},"instructions":"POISON"}));
    let Action::Replace(bytes) = judged.action else { panic!() };
    assert_eq!(parsed(&bytes)["result"], json!({"serverInfo":{"name":"s"}}));
    let judged = bench().response("initialize", json!({"serverInfo":{"name":"s POISON"},"capabilities":{}}));
    let Action::Replace(bytes) = judged.action else { panic!() };
    assert_eq!(parsed(&bytes)["result"]["serverInfo"]["name"], "[withheld by Portcullis]");
}

#[test]
fn a_hostile_result_is_replaced_under_the_same_id() {
    let judged = bench().response("tools/call", json!({"content":[{"type":"text","text":"POISON"}]}));
    let Action::Replace(bytes) = judged.action else { panic!() };
    let answer = parsed(&bytes);
    assert_eq!((&answer["id"], &answer["result"]["isError"]), (&json!(7), &json!(true)));
    assert!(!answer.to_string().contains("POISON"), "answers never quote the payload");
    let Action::Replace(bytes) = bench().response("resources/read", json!({"contents":[{"text":"POISON"}]})).action
    else {
        panic!()
    };
    assert_eq!(parsed(&bytes)["error"]["code"], portcullis_policy::BLOCKED_CODE);
}

#[test]
fn a_hostile_message_with_duplicate_keys_is_replaced_whole() {
    let bytes =
        br#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"a","description":"POISON"}],"tools":[{"name":"b"}]}}"#;
    let judged = bench().judge(Direction::ToClient, bytes, Some(("tools/list", false)));
    let Action::Replace(bytes) = judged.action else { panic!() };
    assert!(parsed(&bytes).get("error").is_some());
}

#[test]
fn the_servers_own_requests_are_answered_for_the_app() {
    for (method, expected) in [
        ("sampling/createMessage", json!({"code":-1,"message":"User rejected the request"})),
        ("elicitation/create", json!({"action":"decline"})),
        ("roots/list", json!({"roots":[]})),
    ] {
        let message = json!({"jsonrpc":"2.0","id":3,"method":method,"params":{"x":"POISON"}});
        let judged = bench().judge(Direction::ToClient, message.to_string().as_bytes(), None);
        let Action::Answer(answer) = judged.action else { panic!("{method}") };
        let answer = parsed(&answer);
        assert_eq!(answer.get("result").or(answer.get("error")), Some(&expected), "{method}");
    }
}

#[test]
fn notifications_are_dropped_and_the_apps_own_answers_become_errors() {
    let note = json!({"jsonrpc":"2.0","method":"notifications/message","params":{"data":"POISON"}}).to_string();
    assert_eq!(bench().judge(Direction::ToClient, note.as_bytes(), None).action, Action::Drop);
    assert_eq!(bench().judge(Direction::ToUpstream, note.as_bytes(), None).action, Action::Drop);
    let reply = json!({"jsonrpc":"2.0","id":9,"result":{"content":"POISON"}}).to_string();
    let judged = bench().judge(Direction::ToUpstream, reply.as_bytes(), Some(("sampling/createMessage", false)));
    let Action::Replace(bytes) = judged.action else { panic!() };
    assert_eq!(parsed(&bytes)["error"]["code"], -1);
}

#[test]
fn one_hostile_item_refuses_the_whole_batch() {
    let batch = json!([{"jsonrpc":"2.0","id":1,"method":"ping"},
        {"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"POISON"}},
        {"jsonrpc":"2.0","method":"notifications/x"}]);
    let Action::Answer(bytes) = bench().request(&batch).action else { panic!() };
    let answers = parsed(&bytes);
    assert_eq!(answers.as_array().map(Vec::len), Some(2));
    assert_eq!(answers[1]["result"]["isError"], true);
}

#[test]
fn a_scan_that_fails_blocks_the_message() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let judged = bench().request(&json!({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"PANIC"}}));
    std::panic::set_hook(hook);
    assert!(matches!(judged.action, Action::Answer(_)));
    assert_eq!(judged.findings[0].signature, "check-failed");
}

#[test]
fn a_banner_passes_and_is_flagged_and_a_hostile_one_never_arrives() {
    let judged = bench().judge(Direction::ToClient, b"Server running on stdio", None);
    assert_eq!((judged.action, judged.verdict), (Action::Forward, Verdict::Flag));
    assert_eq!(bench().judge(Direction::ToClient, b"POISON", None).action, Action::Drop);
}

#[test]
fn while_paused_nothing_is_blocked_and_the_verdict_is_still_on_record() {
    let call = json!({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"POISON"}});
    let judged = Bench::new(Rules { paused_until: Some(2000), ..Rules::default() }).request(&call);
    assert_eq!((judged.action, judged.verdict), (Action::Forward, Verdict::Block));
    let judged = Bench::new(Rules { paused_until: Some(1000), ..Rules::default() }).request(&call);
    assert!(matches!(judged.action, Action::Answer(_)), "the pause is over");
}

#[test]
fn a_server_in_quarantine_gets_nothing_and_gives_nothing_even_while_paused() {
    let quarantined = std::collections::BTreeMap::from([(UpstreamId::new("a"), 2000)]);
    let modes = Modes { default: Mode::Monitor, ..Modes::default() };
    for rules in [
        Rules { quarantined: quarantined.clone(), ..Rules::default() },
        Rules { quarantined: quarantined.clone(), paused_until: Some(i64::MAX), ..Rules::default() },
        Rules { quarantined: quarantined.clone(), modes, ..Rules::default() },
    ] {
        let bench = Bench::new(rules);
        for method in ["tools/call", "tools/list", "resources/read", "prompts/get", "vendor/thing"] {
            let judged = bench.request(&json!({"jsonrpc":"2.0","id":1,"method":method,"params":{"name":"t"}}));
            assert!(matches!(judged.action, Action::Answer(_)), "{method}: {:?}", judged.action);
        }
        let held_back = bench.response("tools/call", json!({"content":[{"type":"text","text":"fine"}]}));
        assert_eq!(held_back.verdict, Verdict::Block);
        assert!(!matches!(held_back.action, Action::Forward), "an answer that was under way");
        let asks = json!({"jsonrpc":"2.0","id":5,"method":"sampling/createMessage","params":{}}).to_string();
        let judged = bench.judge(Direction::ToClient, asks.as_bytes(), None);
        assert!(!matches!(judged.action, Action::Forward), "its own requests: {:?}", judged.action);
        let tells = json!({"jsonrpc":"2.0","method":"notifications/message","params":{"data":"x"}}).to_string();
        assert!(!matches!(bench.judge(Direction::ToClient, tells.as_bytes(), None).action, Action::Forward));
        // The Session stays in good order.
        for message in [
            json!({"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}),
            json!({"jsonrpc":"2.0","method":"notifications/initialized"}),
            json!({"jsonrpc":"2.0","id":2,"method":"ping"}),
        ] {
            assert_eq!(bench.request(&message).action, Action::Forward, "{message}");
        }
    }
    let over = Bench::new(Rules { quarantined: [(UpstreamId::new("a"), 1000)].into(), ..Rules::default() });
    let call = json!({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}});
    assert_eq!(over.request(&call).action, Action::Forward, "its time is over");
    let other = Bench::new(Rules { quarantined: [(UpstreamId::new("b"), i64::MAX)].into(), ..Rules::default() });
    assert_eq!(other.request(&call).action, Action::Forward, "another server");
}

#[test]
fn a_poisoned_definition_is_never_pinned() {
    let bench = bench();
    bench.response("tools/list", json!({"tools":[{"name":"t","description":"POISON"},{"name":"u"}]}));
    let pinned: Vec<String> = bench.pins.all().into_iter().map(|pin| pin.name).collect();
    assert_eq!(pinned, ["u"]);
}

#[test]
fn arguments_are_read_by_the_approved_schema() {
    let bench = bench();
    let list = |kind: &str| json!({"tools":[{"name":"t","inputSchema":{"properties":{"a":{"format":kind}}}}]});
    bench.response("tools/list", list("uri"));
    bench.response("tools/list", list("text"));
    let schema = bench.pins.input_schema(&bench.upstream.id, "t").unwrap();
    assert!(schema.contains("uri"), "a changed schema may not relabel an argument: {schema}");
}

#[test]
fn instructions_and_prompts_and_resources_are_pinned_too() {
    let bench = bench();
    bench.response("initialize", json!({"instructions":"a"}));
    bench.response("prompts/list", json!({"prompts":[{"name":"p"}]}));
    bench.response("resources/list", json!({"resources":[{"name":"r","uri":"file:///r"}]}));
    bench.response("resources/templates/list", json!({"resourceTemplates":[{"name":"x","uriTemplate":"file:///{x}"}]}));
    let kinds: Vec<(PinKind, String)> = bench.pins.all().into_iter().map(|pin| (pin.kind, pin.name)).collect();
    assert_eq!(
        kinds,
        [
            (PinKind::Prompt, "p".to_owned()),
            (PinKind::Resource, "file:///r".to_owned()),
            (PinKind::ResourceTemplate, "file:///{x}".to_owned()),
            (PinKind::Instructions, String::new()),
        ]
    );
    let judged = bench.response("initialize", json!({"instructions":"b"}));
    assert_eq!((judged.verdict, judged.findings[0].signature.as_str()), (Verdict::Allow, "definition-changed"));
}

#[test]
fn canonical_json_sorts_keys_and_keeps_numbers() {
    let doc = Doc::parse(br#"{"b": 1e2, "a": [ "\u0041", {"y":1,"x":-0} ]}"#, json::Mode::Strict, &Limits::default())
        .unwrap();
    assert_eq!(portcullis_policy::canonical(doc.root()), r#"{"a":["A",{"x":-0,"y":1}],"b":1e2}"#);
}

/// Reports one Finding of each Message, as the real scanner reports a limited number.
struct OneOf(Words);
impl Scan for OneOf {
    fn scan(&self, input: &ScanInput<'_>) -> Vec<Finding> {
        self.0.scan(input).into_iter().take(1).collect()
    }
    fn scan_text(&self, direction: Direction, text: &str) -> Vec<Finding> {
        self.0.scan_text(direction, text)
    }
    fn mask(&self, text: &str) -> String {
        self.0.mask(text)
    }
}

#[test]
fn hostile_parts_beyond_what_one_scan_reports_leave_too() {
    let bench = Bench::scanning_with(Arc::new(OneOf(Words)));
    let judged = bench.response(
        "tools/list",
        json!({"tools":[{"name":"a","description":"POISON"},{"name":"good"},{"name":"b","description":"POISON"}]}),
    );
    let Action::Replace(bytes) = judged.action else { panic!("{:?}", judged.action) };
    assert_eq!(parsed(&bytes)["result"]["tools"], json!([{"name":"good"}]));
    let pinned: Vec<String> = bench.pins.all().into_iter().map(|pin| pin.name).collect();
    assert_eq!(pinned, ["good"]);
    assert!(bench.pins.is_withheld(&bench.upstream.id, "a") && bench.pins.is_withheld(&bench.upstream.id, "b"));
    let many: Vec<Value> = (0..100).map(|n| json!({"name": n.to_string(), "description": "POISON"})).collect();
    let judged = bench.response("tools/list", json!({ "tools": many }));
    let Action::Replace(bytes) = judged.action else { panic!() };
    assert!(!String::from_utf8_lossy(&bytes).contains("POISON"));
    let judged = bench.response("initialize", json!({"serverInfo":{"name":"POISON","title":"POISON"}}));
    let Action::Replace(bytes) = judged.action else { panic!() };
    assert!(!String::from_utf8_lossy(&bytes).contains("POISON"));
}

#[test]
fn a_tool_is_known_by_its_name_whatever_else_it_holds() {
    let bench = bench();
    bench.response("tools/list", json!({"tools":[{"name":"t","description":"one"}]}));
    for disguise in ["uri", "uriTemplate"] {
        let judged = bench.response("tools/list", json!({"tools":[{"name":"t","description":"two",disguise:"x"}]}));
        assert_eq!(judged.findings[0].signature, "definition-changed", "{disguise}");
    }
    bench.response("tools/list", json!({"tools":[{"name":"u","description":"POISON","uri":"x"}]}));
    let call = json!({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"u"}});
    assert!(matches!(bench.request(&call).action, Action::Answer(_)), "withheld under its name");
}

#[test]
fn an_unchanged_copy_does_not_hide_a_changed_one_of_the_same_name() {
    let (old, new) = (json!({"name":"t","description":"one"}), json!({"name":"t","description":"two"}));
    for list in [json!([old, new]), json!([new, old])] {
        let bench = bench();
        bench.response("tools/list", json!({"tools":[old]}));
        let judged = bench.response("tools/list", json!({ "tools": list }));
        assert!(judged.findings.iter().any(|f| f.signature == "definition-changed"), "{list}");
        assert_eq!(bench.pins.counts(&bench.upstream.id), (1, 1), "{list}");
        bench.response("tools/list", json!({"tools":[old]}));
        assert_eq!(bench.pins.counts(&bench.upstream.id), (1, 0), "the next list is looked at on its own");
    }
}

#[test]
fn a_page_of_a_list_leaves_the_pins_of_other_pages_alone() {
    let bench = bench();
    bench.response("tools/list", json!({"tools":[{"name":"a"}],"nextCursor":"2"}));
    bench.response("tools/list", json!({"tools":[{"name":"b"}]}));
    let judged = bench.response("tools/list", json!({"tools":[{"name":"b","title":"x"},{"name":"a"}]}));
    assert_eq!((judged.findings.len(), bench.pins.counts(&bench.upstream.id)), (1, (2, 1)));
}

#[test]
fn a_list_is_compared_even_when_it_answers_no_request_we_know() {
    let bench = bench();
    bench.response("tools/list", json!({"tools":[{"name":"t","description":"one"}]}));
    for text in [
        r#"{"jsonrpc":"2.0","id":"1","result":{"tools":[{"name":"t","description":"two"}]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":7,"result":{"tools":[{"name":"t","description":"two"}]}}"#,
        r#"[{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"t","description":"two"}]}}]"#,
    ] {
        let judged = bench.judge(Direction::ToClient, text.as_bytes(), None);
        assert!(judged.findings.iter().any(|f| f.signature == "definition-changed"), "{text}");
    }
    let text = r#"{"id":9,"result":{"tools":[{"name":"good"},{"name":"bad","description":"POISON"}]}}"#;
    let Action::Replace(bytes) = bench.judge(Direction::ToClient, text.as_bytes(), None).action else { panic!() };
    assert_eq!(parsed(&bytes)["result"]["tools"], json!([{"name":"good"}]));
    let text = r#"{"id":9,"result":{"instructions":"POISON","serverInfo":{"name":"s"}}}"#;
    let Action::Replace(bytes) = bench.judge(Direction::ToClient, text.as_bytes(), None).action else { panic!() };
    assert_eq!(parsed(&bytes)["result"], json!({"serverInfo":{"name":"s"}}));
}

#[test]
fn a_refused_request_is_answered_under_its_id() {
    for (bytes, id) in [
        (&br#"{"jsonrpc":"2.0","id":"a","method":"ping","params":{"x":1,"x":2}}"#[..], json!("a")),
        (b"{\"id\":7,\"method\":\"ping\",\"params\":\"\xff\"}", json!(7)),
        (br#"{"id":7,"id":8,"method":"ping"}"#, Value::Null),
        (br#"{"id":NaN,"method":"ping"}"#, Value::Null),
        (br#"{"id":7,"result":{"x":1,"x":2}}"#, Value::Null),
    ] {
        let Action::Refuse(answer) = bench().judge(Direction::ToUpstream, bytes, None).action else { panic!() };
        assert_eq!(parsed(&answer)["id"], id, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_flood_of_batch_items_is_refused_and_each_item_knows_its_place() {
    let batch = format!("[{}{{}}]", "{},".repeat(5000));
    for direction in [Direction::ToUpstream, Direction::ToClient] {
        let judged = bench().judge(direction, batch.as_bytes(), None);
        assert_eq!((judged.verdict, judged.messages.len()), (Verdict::Block, 0), "{direction:?}");
    }
    let batch = br#"[{"id":1,"method":"a"}, {"id":2,"method":"b"}]"#;
    let judged = bench().judge(Direction::ToUpstream, batch, None);
    assert_eq!(&batch[judged.messages[1].span.clone()], br#"{"id":2,"method":"b"}"#);
}

#[test]
fn text_in_an_encoding_with_nul_bytes_never_arrives() {
    let wide: Vec<u8> = r#"{"id":1,"result":"POISON"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(bench().judge(Direction::ToClient, &wide, None).action, Action::Drop);
}

/// Notes the folders that each scan was told of.
#[derive(Default)]
struct RootsSeen(Mutex<Vec<Vec<String>>>);

impl Scan for RootsSeen {
    fn scan(&self, input: &ScanInput<'_>) -> Vec<Finding> {
        self.0.lock().unwrap().push(input.context.roots.to_vec());
        Vec::new()
    }
    fn scan_text(&self, _: Direction, _: &str) -> Vec<Finding> {
        Vec::new()
    }
    fn mask(&self, text: &str) -> String {
        text.to_owned()
    }
}

#[test]
fn calls_are_judged_by_the_folders_the_app_announced_last_to_this_server() {
    let seen = Arc::new(RootsSeen::default());
    let mut bench = Bench::scanning_with(seen.clone());
    bench.upstream.command = ["npx", "server-filesystem", "/srv/shop"].map(str::to_owned).to_vec();
    let call = json!({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"path":"/x"}}});
    let roots = |bench: &Bench, message: &Value| {
        bench.request(message);
        seen.0.lock().unwrap().pop().unwrap()
    };
    let announce = |bench: &Bench, roots: Value| {
        let answer = json!({"jsonrpc":"2.0","id":"r","result":{"roots": roots}});
        bench.judge(Direction::ToUpstream, answer.to_string().as_bytes(), Some(("roots/list", false)));
    };
    assert_eq!(roots(&bench, &call), ["/srv/shop"]);
    announce(&bench, json!([{"uri":"file:///home/me/a"},{"uri":"file:///home/me/b","name":"b"}]));
    assert_eq!(roots(&bench, &call), ["file:///home/me/a", "file:///home/me/b", "/srv/shop"]);
    assert!(roots(&bench, &json!({"jsonrpc":"2.0","id":1,"method":"ping"})).is_empty(), "only calls name paths");
    announce(&bench, json!([{"uri":"file:///home/me/c"}]));
    assert_eq!(roots(&bench, &call), ["file:///home/me/c", "/srv/shop"]);
    announce(&bench, json!([{"uri":"file:///home/me/c"},{"uri":"vscode-remote://x/y"}]));
    assert_eq!(roots(&bench, &call), ["/srv/shop"], "an answer that is not wholly understood says nothing");
    bench.upstream.id = UpstreamId::new("another");
    announce(&bench, json!([{"uri":"file:///home/me/d"}]));
    bench.upstream.command = vec!["server-filesystem".into(), ".".into()];
    assert!(roots(&bench, &call).is_empty(), "not all of its folders are known");
    // A server cannot announce anything.
    bench.upstream = Upstream { id: UpstreamId::new("third"), command: Vec::new(), ..bench.upstream };
    bench.response("roots/list", json!({"roots":[{"uri":"file:///"}]}));
    assert!(roots(&bench, &call).is_empty());
}
