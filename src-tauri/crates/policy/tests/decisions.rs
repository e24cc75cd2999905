//! Remembered Decisions: what they let through, what ends them, and that no order of decisions, definition changes,
//! command changes and restarts lets a call through that is denied, or whose permission ended.

use portcullis_domain::api::{ArgumentChoice, DecisionRow, ScopeChoice};
use portcullis_domain::*;
use portcullis_policy::{
    Action, Context, DecisionBook, Judge, Judged, PairedRequest, PinBook, Question, Rules, command_digest, narrowest,
};
use portcullis_testkit::Words;
use proptest::prelude::*;
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

struct World {
    upstream: Upstream,
    judge: Judge,
    decisions: Arc<DecisionBook>,
    /// As on disk.
    rows: Arc<Mutex<Vec<DecisionRow>>>,
    pins: Arc<Mutex<HashMap<String, Pin>>>,
    now: i64,
    made: u32,
}

impl World {
    fn new() -> Self {
        let upstream = Upstream {
            id: UpstreamId::new("a"),
            app: AppId::new("cursor"),
            app_name: "Cursor".into(),
            name: "files".into(),
            transport: Transport::Stdio,
            url: None,
            command: vec!["serve-0".into()],
        };
        let (rows, pins) = (Arc::default(), Arc::default());
        let (judge, decisions) = Self::start(&rows, &pins);
        Self { upstream, judge, decisions, rows, pins, now: 1000, made: 0 }
    }

    fn start(
        rows: &Arc<Mutex<Vec<DecisionRow>>>,
        pins: &Arc<Mutex<HashMap<String, Pin>>>,
    ) -> (Judge, Arc<DecisionBook>) {
        let disk = rows.clone();
        let known = rows.lock().unwrap().clone();
        let decisions = Arc::new(DecisionBook::new(
            known,
            Box::new(move |rows| {
                *disk.lock().unwrap() = rows.to_vec();
                Ok(())
            }),
        ));
        let (kept, bound) = (pins.clone(), decisions.clone());
        let known: Vec<Pin> = pins.lock().unwrap().values().cloned().collect();
        let book = PinBook::new(
            known,
            Box::new(move |pin| {
                bound.pin_changed(pin, 0);
                kept.lock().unwrap().insert(pin.name.clone(), pin.clone());
            }),
        );
        let judge = Judge::new(Arc::new(Words), Arc::new(book), Rules::default(), Limits::default());
        (judge.with_decisions(decisions.clone()), decisions)
    }

    fn restart(&mut self) {
        (self.judge, self.decisions) = Self::start(&self.rows, &self.pins);
    }

    fn judge(&self, direction: Direction, bytes: &[u8], answers: Option<&str>) -> Judged {
        let (siblings, session) = (Vec::new, SessionId::new("s"));
        let (upstream, transport) = (&self.upstream, Transport::Stdio);
        let context =
            Context { upstream, transport, now: self.now, siblings: &siblings, mirrors: &[], session: Some(&session) };
        let paired = |_: &str| {
            answers.map(|method| PairedRequest { method: method.into(), target: None, modern: false, task: false })
        };
        self.judge.judge(&context, direction, bytes, &paired)
    }

    fn call(&self, argument: u8) -> Judged {
        let arguments = json!({"a": format!("DOUBT {argument}")});
        let call = json!({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":arguments}})
            .to_string();
        self.judge(Direction::ToUpstream, call.as_bytes(), None)
    }

    fn define(&self, version: u8) {
        let tool = json!({"name": "t", "description": format!("Version {version}.")});
        let list = json!({"jsonrpc":"2.0","id":1,"result":{"tools":[tool]}}).to_string();
        self.judge(Direction::ToClient, list.as_bytes(), Some("tools/list"));
    }

    /// The question that this call asks, whatever was decided.
    fn question(&self, argument: u8) -> Option<Box<Question>> {
        self.call(argument).ask
    }

    fn decide(&mut self, argument: u8, effect: Effect, choice: &ScopeChoice, once: bool, ends: Option<i64>) -> bool {
        let Some(question) = self.question(argument) else { return false };
        let (scope, binding) = question.scope(effect, choice, &self.upstream.app, &self.upstream).unwrap();
        self.made += 1;
        let decision = Decision {
            id: DecisionId::new(self.made.to_string()),
            at: self.now,
            effect,
            scope,
            binding,
            once,
            session: None,
            expires_at: ends,
            ask: None,
            app_name: "Cursor".into(),
            upstream_name: "files".into(),
            severity: question.severity,
        };
        self.decisions.add(decision).unwrap();
        true
    }
}

fn same_shape() -> ScopeChoice {
    ScopeChoice { arguments: ArgumentChoice::Shape { fixed: Vec::new() }, ..narrowest() }
}

#[test]
fn the_narrowest_decision_fits_exactly_the_same_call_and_the_same_shape_fits_others() {
    let mut world = World::new();
    assert!(world.call(1).ask.is_some());
    world.decide(1, Effect::Allow, &narrowest(), false, None);
    assert_eq!(world.call(1).action, Action::Forward);
    assert!(world.call(2).ask.is_some());
    world.decide(2, Effect::Allow, &same_shape(), false, None);
    assert_eq!(world.call(3).action, Action::Forward);
    world.restart();
    assert_eq!(world.call(1).action, Action::Forward, "kept over a restart");
}

#[test]
fn what_is_found_beside_the_decided_asks_again() {
    let mut world = World::new();
    world.decide(1, Effect::Allow, &same_shape(), false, None);
    let call =
        json!({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"a":"DOUBT POISON"}}});
    let judged = world.judge(Direction::ToUpstream, call.to_string().as_bytes(), None);
    assert!(matches!(judged.action, Action::Answer(_)), "a certain block is not covered by a decision about a doubt");
}

#[test]
fn a_secret_leaves_no_scope_open_and_critical_is_exact() {
    let world = World::new();
    let mut question = world.question(1).unwrap();
    let any = ScopeChoice { arguments: ArgumentChoice::Any, ..narrowest() };
    question.signatures = vec![SignatureVersion { id: "token-in-arguments".into(), version: 1 }];
    assert!(question.scope(Effect::Allow, &any, &world.upstream.app, &world.upstream).is_err());
    assert!(question.scope(Effect::Deny, &any, &world.upstream.app, &world.upstream).is_ok(), "a ban may be wide");
    question.severity = Severity::Critical;
    assert!(question.scope(Effect::Allow, &same_shape(), &world.upstream.app, &world.upstream).is_err());
    assert!(question.ends_at(Effect::Allow, api::Expiry::After { minutes: 24 * 60 }, 0).is_ok());
    assert!(question.ends_at(Effect::Allow, api::Expiry::After { minutes: 24 * 60 + 1 }, 0).is_err());
    assert!(question.ends_at(Effect::Allow, api::Expiry::Never, 0).is_err());
}

#[test]
fn for_one_message_means_one_even_over_a_restart() {
    let mut world = World::new();
    world.decide(1, Effect::Allow, &narrowest(), true, None);
    assert_eq!(world.call(1).action, Action::Forward);
    assert!(world.call(1).ask.is_some());
    world.restart();
    assert!(world.call(1).ask.is_some());
}

#[test]
fn one_that_cannot_be_marked_as_spent_does_not_count() {
    let mut world = World::new();
    world.decide(1, Effect::Allow, &narrowest(), true, None);
    let rows = world.rows.lock().unwrap().clone();
    let broken = DecisionBook::new(rows, Box::new(|_| Err("the disk is full".into())));
    world.judge =
        Judge::new(Arc::new(Words), Arc::new(PinBook::in_memory(Vec::new())), Rules::default(), Limits::default())
            .with_decisions(Arc::new(broken));
    assert!(world.call(1).ask.is_some());
}

#[test]
fn modes_ask_block_or_only_tell() {
    let mut world = World::new();
    let with = |mode| {
        let modes = Modes { upstreams: [(UpstreamId::new("a"), mode)].into(), ..Modes::default() };
        let rules = Rules { modes, ..Rules::default() };
        Judge::new(Arc::new(Words), Arc::new(PinBook::in_memory(Vec::new())), rules, Limits::default())
    };
    world.judge = with(Mode::Block);
    let judged = world.call(1);
    assert!(judged.ask.is_none() && matches!(judged.action, Action::Answer(_)));
    assert_eq!(judged.verdict, Verdict::Block);
    world.judge = with(Mode::Monitor);
    let judged = world.call(1);
    assert_eq!((judged.action, judged.verdict, judged.ask), (Action::Forward, Verdict::Ask, None), "told, not stopped");
}

#[test]
fn a_doubtful_item_stops_its_batch_without_a_question() {
    let world = World::new();
    let item = |id: u8, text: &str| json!({"jsonrpc":"2.0","id":id,"method":"tools/call","params":{"name":"t","arguments":{"a":text}}});
    let batch = json!([item(1, "fine"), item(2, "DOUBT")]).to_string();
    let judged = world.judge(Direction::ToUpstream, batch.as_bytes(), None);
    assert!(judged.ask.is_none() && judged.verdict == Verdict::Block);
}

/// Apps take such answers for their own: by an id that only they read as theirs, in a form that only they read.
#[test]
fn a_doubtful_answer_that_nobody_can_be_asked_about_does_not_go_on() {
    let world = World::new();
    let result = json!({"content": [{"type": "text", "text": "a DOUBT b"}]});
    for (message, answers) in [
        (json!({"jsonrpc":"2.0","id":"stray","result":result}), None),
        (json!({"jsonrpc":"2.0","id":7,"result":result,"error":null}), Some("tools/call")),
        (json!({"jsonrpc":"2.0","id":7,"result":result,"method":null}), Some("tools/call")),
        (json!({"jsonrpc":"2.0","result":result}), None),
        (json!({"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"a DOUBT b"}}), Some("tools/call")),
        (json!({"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"a DOUBT b"}}), None),
    ] {
        let judged = world.judge(Direction::ToClient, message.to_string().as_bytes(), answers);
        assert!(judged.ask.is_none() && judged.verdict == Verdict::Block, "{message}: {judged:?}");
        let Action::Replace(instead) = judged.action else { panic!("{message}") };
        assert!(!String::from_utf8_lossy(&instead).contains("DOUBT"));
    }
    let page = json!({"jsonrpc":"2.0","id":7,"result":{"completion":{"values":["DOUBT"]}}}).to_string();
    let judged = world.judge(Direction::ToClient, page.as_bytes(), Some("completion/complete"));
    assert_eq!((judged.action, judged.verdict), (Action::Forward, Verdict::Flag), "what nobody is asked about");
}

#[test]
fn a_tasks_result_is_asked_about_however_it_comes() {
    let world = World::new();
    let task =
        json!({"taskId": "x", "status": "completed", "result": {"content": [{"type": "text", "text": "DOUBT"}]}});
    let answer = json!({"jsonrpc":"2.0","id":7,"result":task}).to_string();
    for method in ["tasks/result", "tasks/get"] {
        assert!(world.judge(Direction::ToClient, answer.as_bytes(), Some(method)).ask.is_some(), "{method}");
    }
    let told = json!({"jsonrpc":"2.0","method":"notifications/tasks","params":task}).to_string();
    assert_eq!(world.judge(Direction::ToClient, told.as_bytes(), None).action, Action::Drop);
}

#[test]
fn a_doubtful_call_that_wants_no_answer_does_not_go_on() {
    let world = World::new();
    let call = json!({"jsonrpc":"2.0","method":"tools/call","params":{"name":"t","arguments":{"a":"DOUBT"}}});
    assert_eq!(world.judge(Direction::ToUpstream, call.to_string().as_bytes(), None).action, Action::Drop);
    let note = json!({"jsonrpc":"2.0","method":"notifications/progress","params":{"message":"DOUBT"}});
    assert_eq!(world.judge(Direction::ToUpstream, note.to_string().as_bytes(), None).action, Action::Forward);
}

#[test]
fn a_value_that_a_schema_holds_to_a_form_is_not_redacted() {
    let world = World::new();
    let with = |property: serde_json::Value| {
        let tool = json!({"name":"t","inputSchema":{"type":"object","properties":{"a":property}}});
        let list = json!({"jsonrpc":"2.0","id":1,"result":{"tools":[tool]}}).to_string();
        let world = World::new();
        world.judge(Direction::ToClient, list.as_bytes(), Some("tools/list"));
        world.question(1).unwrap().redacted
    };
    assert!(world.question(1).unwrap().redacted.is_some());
    assert!(with(json!({"type":"string"})).is_some());
    for held in [json!({"enum":["DOUBT 1"]}), json!({"type":"string","pattern":"^D"}), json!({"$ref":"#/x"})] {
        assert_eq!(with(held.clone()), None, "{held}");
    }
}

#[test]
fn a_question_names_the_result_that_its_value_was_copied_from() {
    let mut world = World::new();
    let origins = Arc::new(portcullis_policy::Origins::default());
    let judge = || {
        let pins = Arc::new(PinBook::in_memory(Vec::new()));
        Judge::new(Arc::new(Words), pins, Rules::default(), Limits::default()).with_origins(origins.clone())
    };
    world.judge = judge();
    let result =
        |text: &str| json!({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":text}]}}).to_string();
    world.judge(Direction::ToClient, result("see DOUBT-in-a-page for more").as_bytes(), Some("tools/call"));
    world.judge(Direction::ToClient, result("POISON and another-long-word").as_bytes(), Some("tools/call"));
    // Other rules, the same memory.
    world.judge = judge();
    let ask = |text: &str| {
        let call = json!({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"t","arguments":{"a":text}}});
        world.judge(Direction::ToUpstream, call.to_string().as_bytes(), None).ask.unwrap().origins
    };
    let found = ask("DOUBT-in-a-page");
    assert_eq!((found[0].argument.as_str(), found[0].upstream.as_str(), found[0].at), ("/a", "a", 1000));
    assert_eq!(ask("DOUBT that nobody saw"), []);
    assert_eq!(ask("DOUBT another-long-word"), [], "what was blocked never reached the app");
}

#[derive(Clone, Debug)]
enum Step {
    Decide { argument: u8, effect: Effect, wide: bool, once: bool, lasts: Option<i64> },
    Revoke(u8),
    Define(u8),
    Command(u8),
    Wait(i64),
    Restart,
    Call(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let effect = prop_oneof![3 => Just(Effect::Allow), 1 => Just(Effect::Deny)];
    prop_oneof![
        4 => (0..2u8, effect, any::<bool>(), any::<bool>(), prop::option::of(1..50i64)).prop_map(
            |(argument, effect, wide, once, lasts)| Step::Decide { argument, effect, wide, once, lasts }
        ),
        1 => (1..8u8).prop_map(Step::Revoke),
        1 => (0..3u8).prop_map(Step::Define),
        1 => (0..3u8).prop_map(Step::Command),
        1 => (1..40i64).prop_map(Step::Wait),
        1 => Just(Step::Restart),
        6 => (0..2u8).prop_map(Step::Call),
    ]
}

/// What the person meant, kept apart from the code under test.
struct Meant {
    id: u32,
    effect: Effect,
    argument: Option<u8>,
    once: bool,
    ends: Option<i64>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn nothing_denied_or_ended_goes_through(steps in prop::collection::vec(step(), 1..40)) {
        let mut world = World::new();
        let mut meant: Vec<Meant> = Vec::new();
        let (mut definition, mut command) = (None, 0);
        for step in steps {
            match step {
                Step::Decide { argument, effect, wide, once, lasts } => {
                    let choice = if wide { same_shape() } else { narrowest() };
                    let ends = lasts.map(|lasts| world.now + lasts);
                    let once = once && effect == Effect::Allow;
                    let judged = world.call(argument);
                    if judged.action == Action::Forward {
                        // Let through by a Decision, which may have been for one Message.
                        spend(&mut meant, argument, world.now);
                    } else if world.decide(argument, effect, &choice, once, ends) {
                        meant.push(Meant { id: world.made, effect, argument: (!wide).then_some(argument), once, ends });
                    }
                }
                Step::Revoke(id) => {
                    world.decisions.revoke(&DecisionId::new(id.to_string()), world.now).unwrap();
                    meant.retain(|m| m.id != u32::from(id));
                }
                Step::Define(version) => {
                    world.define(version);
                    if definition != Some(version) {
                        definition = Some(version);
                        meant.clear();
                    }
                }
                Step::Command(version) => {
                    world.upstream.command = vec![format!("serve-{version}")];
                    if command != version {
                        command = version;
                        meant.clear();
                    }
                    let commands = HashMap::from([(world.upstream.id.clone(), command_digest(&world.upstream))]);
                    world.decisions.commands_changed(&commands, world.now);
                }
                Step::Wait(time) => world.now += time,
                Step::Restart => world.restart(),
                Step::Call(argument) => {
                    let judged = world.call(argument);
                    let now = world.now;
                    let fits = |m: &&Meant| {
                        m.argument.is_none_or(|a| a == argument) && m.ends.is_none_or(|ends| now < ends)
                    };
                    let denied = meant.iter().filter(fits).any(|m| m.effect == Effect::Deny);
                    let allowed = meant.iter().filter(fits).any(|m| m.effect == Effect::Allow);
                    if judged.action == Action::Forward {
                        prop_assert!(allowed && !denied, "went through without a permission that holds");
                        spend(&mut meant, argument, now);
                    } else if judged.ask.is_some() {
                        prop_assert!(!denied, "a ban is not asked about again");
                    }
                }
            }
        }
    }
}

/// A call went through: had only Decisions for one Message fitted, one of them is used up. Which of several counted does
/// not matter to the person, so the model is generous: it forgets one for one Message only when nothing lasting fits.
fn spend(meant: &mut Vec<Meant>, argument: u8, now: i64) {
    let fits = |m: &Meant| {
        m.effect == Effect::Allow && m.argument.is_none_or(|a| a == argument) && m.ends.is_none_or(|ends| now < ends)
    };
    if !meant.iter().any(|m| fits(m) && !m.once)
        && let Some(at) = meant.iter().rposition(|m| fits(m) && m.once)
    {
        meant.remove(at);
    }
}
