//! The daemon is away, refuses, hangs or dies in the middle: nothing is lost, delivered twice, or passed unchecked.
#![cfg(unix)]

mod support;
use portcullis_domain::link::FrameKind;
use portcullis_domain::{AppId, AuditRow, Direction, Limits, Outcome, Transport, Upstream, UpstreamId, Verdict};
use portcullis_policy::Snapshot;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::*;

/// "run" in invisible tag characters: blocked by a bundled signature in either Direction.
const HIDDEN: &str = "fine\u{E0072}\u{E0075}\u{E006E}";

#[test]
fn a_hostile_message_is_blocked_in_process_and_the_session_goes_on() {
    let home = Home::new();
    let mut relay = home.recording_server();
    relay.say(&request(1, HIDDEN));
    let answer = relay.hear_json();
    assert_eq!((&answer["id"], &answer["result"]["isError"]), (&1.into(), &true.into()));
    relay.say(&request(2, "fine"));
    assert_eq!(relay.hear_json()["result"]["echo"], "tools/call");
    let (code, stderr) = relay.finish();
    assert_eq!(code, Some(0));
    assert!(stderr.contains("not running"), "{stderr}");
    assert_eq!(home.read("got").lines().count(), 1, "the hostile call never reached the server");

    let rows = home.spooled_exchanges();
    let blocked = rows.iter().find(|row| row.verdict == Verdict::Block).unwrap();
    assert!(blocked.judged_locally && blocked.outcome == Outcome::Rejected);
    assert_eq!((blocked.method.as_str(), blocked.target.as_deref()), ("tools/call", Some("echo")));
    assert_eq!(blocked.findings[0].json_path, "/params/arguments/text");
    assert!(blocked.response.as_ref().unwrap().contains("isError"));
    let passed = rows.iter().find(|row| row.verdict == Verdict::Allow).unwrap();
    assert!(passed.response.as_ref().unwrap().contains("echo") && passed.duration_us.is_some());
}

#[test]
fn a_hostile_answer_is_paired_with_its_request_and_replaced() {
    let home = Home::new();
    let mut relay = home.python(
        "for line in sys.stdin:\n m = json.loads(line)\n say({'jsonrpc': '2.0', 'id': m['id'], 'result': {'content': [{'type': 'text', 'text': m['params']['arguments']['text'].replace('-', chr(0xE0072))}]}})",
    );
    relay.say(&request(1, "a---e"));
    let answer = relay.hear_json();
    assert_eq!(
        answer["result"]["isError"], true,
        "a result that a model can read, because the request was tools/call: {answer}"
    );
    relay.say(&request(2, "plain"));
    assert_eq!(relay.hear_json()["result"]["content"][0]["text"], "plain");
}

#[test]
fn secrets_are_masked_in_the_spool() {
    use sha2::Digest;
    let home = Home::new();
    let mut relay = home.recording_server();
    // Made here, so that no token lies in the repository and it is not one that is known to be fake.
    let digits: String = sha2::Sha256::digest(home.path().to_string_lossy().as_bytes())[..18]
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let secret = format!("ghp_{digits}");
    relay.say(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"note":"my {secret} here"}}}}"#));
    assert_eq!(relay.hear_json()["result"]["echo"], "ping");
    relay.finish();
    assert!(home.read("got").contains(&secret), "the server gets it");
    let rows = home.spooled_exchanges();
    assert!(rows[0].request.contains("my ghp_") && !rows[0].request.contains(&secret), "{}", rows[0].request);
}

#[test]
fn only_the_owner_reads_the_spool() {
    let home = Home::new();
    let mut relay = home.recording_server();
    relay.say(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    relay.hear();
    relay.finish();
    let spool = std::fs::read_dir(home.path().join("spool")).unwrap().next().unwrap().unwrap();
    assert_eq!(spool.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(home.path().join("spool").metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

fn upstream() -> Upstream {
    Upstream {
        id: UpstreamId::new(ID),
        app: AppId::new("cursor"),
        app_name: "Cursor".into(),
        name: "files".into(),
        transport: Transport::Stdio,
        url: None,
        command: vec!["cat".into()],
    }
}

fn write_snapshot(home: &Home, snapshot: &Snapshot) {
    std::fs::write(home.path().join("key"), b"key").unwrap();
    std::fs::write(home.path().join("run/snapshot.json"), snapshot.seal(b"key").unwrap()).unwrap();
}

#[test]
fn the_sealed_snapshot_counts_and_an_edited_one_does_not() {
    let home = Home::new();
    let withheld = vec![(UpstreamId::new(ID), "echo".to_owned())];
    let disabled_signatures = vec!["tag-characters".to_owned()];
    write_snapshot(
        &home,
        &Snapshot { withheld, disabled_signatures, upstreams: vec![upstream()], ..Snapshot::default() },
    );
    let mut relay = home.recording_server();
    relay.say(&request(1, "fine"));
    assert_eq!(relay.hear_json()["result"]["isError"], true, "a withheld tool");
    relay.say(&format!(r#"{{"jsonrpc":"2.0","id":2,"method":"ping","params":{{"x":"{HIDDEN}"}}}}"#));
    assert_eq!(relay.hear_json()["result"]["echo"], "ping", "the signature is switched off");
    relay.finish();
    let rows = home.spooled_exchanges();
    assert!(rows.iter().all(|row| row.app.as_str() == "cursor" && row.upstream_name == "files"));

    let file = home.path().join("run/snapshot.json");
    let edited = std::fs::read_to_string(&file).unwrap().replace("echo", "ohce");
    std::fs::write(&file, edited).unwrap();
    let mut relay = home.recording_server();
    relay.say(&request(1, HIDDEN));
    assert_eq!(relay.hear_json()["result"]["isError"], true, "the bundled signatures judge, all of them");
    let (_, stderr) = relay.finish();
    assert!(stderr.contains("edited"), "{stderr}");
    assert!(home.spooled().iter().any(|row| matches!(row, AuditRow::Change(c) if c.summary.contains("edited"))));
}

#[test]
fn a_pause_that_ended_while_the_daemon_was_back_does_not_return() {
    let home = Home::new();
    let paused = Snapshot { paused_until: Some(i64::MAX), upstreams: vec![upstream()], ..Snapshot::default() };
    write_snapshot(&home, &paused);
    let mut relay = home.recording_server();
    relay.say(&request(1, HIDDEN));
    assert_eq!(relay.hear_json()["result"]["echo"], "tools/call", "paused");
    let mut daemon = FakeDaemon::start(&home, |_, _| allow());
    until("both links", || {
        relay.say(r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#);
        relay.hear();
        (daemon.shared.hellos.lock().unwrap().len() >= 2).then_some(())
    });
    relay.say(r#"{"jsonrpc":"2.0","id":3,"method":"ping"}"#);
    relay.hear();
    write_snapshot(&home, &Snapshot { paused_until: None, ..paused });
    daemon.kill();
    relay.say(&request(4, HIDDEN));
    assert_eq!(relay.hear_json()["result"]["isError"], true, "what the daemon left last counts");
    relay.finish();
}

#[test]
fn a_refused_shim_judges_in_process() {
    let home = Home::new();
    let _daemon = FakeDaemon::start(&home, |_, bytes| match bytes {
        b"hello" => Reply::Refuse("no server is known under this id"),
        _ => panic!("a refused shim sends no message that is answered"),
    });
    let mut relay = home.recording_server();
    for n in 1..50 {
        relay.say(&request(n, if n % 2 == 0 { HIDDEN } else { "fine" }));
    }
    let mut ids: Vec<u64> = (1..50).map(|_| relay.hear_json()["id"].as_u64().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..50).collect::<Vec<_>>());
    let (_, stderr) = relay.finish();
    assert!(stderr.contains("no server is known under this id"), "{stderr}");
    assert_eq!(home.read("got").lines().count(), 25);
}

/// The daemon dies after some hundred Messages with more under way; `cat` sends each back, so both Directions are hit.
#[test]
fn a_daemon_that_dies_in_the_middle_loses_and_doubles_nothing() {
    for dies_at in [1, 2, 777] {
        let home = Home::new();
        let count = AtomicUsize::new(0);
        let daemon = FakeDaemon::start(&home, move |_, bytes| {
            if bytes != b"hello" && count.fetch_add(1, Ordering::SeqCst) >= dies_at { Reply::Die } else { allow() }
        });
        let mut relay = home.start(&["cat"]);
        let mut stdin = relay.stdin.take().unwrap();
        let sent: Vec<String> = (0..2000).map(|n| format!(r#"{{"jsonrpc":"2.0","method":"n/{n}"}}"#)).collect();
        let text = sent.join("\n") + "\n";
        let writing = std::thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
        let heard = String::from_utf8(relay.hear_all()).unwrap();
        writing.join().unwrap();
        assert_eq!(heard.lines().collect::<Vec<_>>(), sent);
        assert!(daemon.shared.seen.load(Ordering::SeqCst) >= dies_at);
    }
}

#[test]
fn a_restarted_daemon_gets_the_link_back_and_learns_what_is_unanswered() {
    let home = Home::new();
    let mut first = FakeDaemon::start(&home, |_, _| allow());
    let mut relay = home.python(
        "for line in sys.stdin:\n m = json.loads(line)\n if m['method'] != 'slow': say({'jsonrpc': '2.0', 'id': m['id'], 'result': {}})\n if m['method'] == 'done': say({'jsonrpc': '2.0', 'id': 'slow', 'result': {}})",
    );
    first.wait_for_both_links();
    relay.say(r#"{"jsonrpc":"2.0","id":"slow","method":"slow","params":{"name":"t"}}"#);
    relay.say(r#"{"jsonrpc":"2.0","id":0,"method":"ping"}"#);
    assert_eq!(relay.hear_json()["id"], 0);
    first.kill();
    let mut id = 0;
    let mut ping = |relay: &mut Relay| {
        id += 1;
        relay.say(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#));
        assert_eq!(relay.hear_json()["id"], id);
    };
    ping(&mut relay);
    let second = FakeDaemon::start(&home, |_, _| allow());
    // Attempts are at most one a second, on traffic.
    until("the link's return", || {
        ping(&mut relay);
        let hellos = second.shared.hellos.lock().unwrap();
        let both = |d: Direction| hellos.iter().any(|hello| hello.direction == d);
        (both(Direction::ToUpstream) && both(Direction::ToClient)).then_some(())
    });
    let hellos = second.shared.hellos.lock().unwrap().clone();
    assert_eq!(hellos[0].session, first.shared.hellos.lock().unwrap()[0].session);
    for hello in &hellos {
        let slow = hello.pending.iter().find(|p| p.id == r#""slow""#).expect("the unanswered request");
        assert_eq!((slow.method.as_str(), slow.target.as_deref()), ("slow", Some("t")));
    }
    let before = second.shared.seen.load(Ordering::SeqCst);
    ping(&mut relay);
    until("the daemon's verdicts", || (second.shared.seen.load(Ordering::SeqCst) >= before + 2).then_some(()));
    relay.say(r#"{"jsonrpc":"2.0","id":"last","method":"done"}"#);
    assert_eq!((relay.hear_json()["id"].clone(), relay.hear_json()["id"].clone()), ("last".into(), "slow".into()));
    let (_, stderr) = relay.finish();
    assert!(stderr.contains("not running") && stderr.contains("again"), "{stderr}");
}

#[test]
fn a_daemon_that_hangs_is_given_up() {
    let home = Home::new();
    let _daemon = FakeDaemon::start(&home, |_, bytes| if bytes == b"hello" { allow() } else { Reply::Silence });
    let mut relay = home.recording_server();
    relay.say(&request(1, "fine"));
    relay.say(&request(2, HIDDEN));
    let mut answers = [relay.hear_json(), relay.hear_json()];
    answers.sort_by_key(|answer| answer["id"].as_u64());
    assert_eq!(answers[0]["result"]["echo"], "tools/call");
    assert_eq!(answers[1]["result"]["isError"], true);
}

#[test]
fn a_daemon_that_talks_nonsense_is_not_obeyed() {
    for (kind, payload) in [(FrameKind::Hello, "x"), (FrameKind::Closed, "x")] {
        let home = Home::new();
        let _daemon =
            FakeDaemon::start(&home, move |_, bytes| if bytes == b"hello" { allow() } else { reply(kind, payload) });
        let mut relay = home.recording_server();
        relay.say(&request(1, HIDDEN));
        assert_eq!(relay.hear_json()["result"]["isError"], true);
    }
}

#[test]
fn a_line_beyond_the_limit_is_refused_on_both_sides() {
    let home = Home::new();
    let _daemon = FakeDaemon::start(&home, |_, _| allow());
    let mut relay = home.python(
        "for line in sys.stdin:\n with open('got', 'a') as f: f.write(line)\n m = json.loads(line)\n say({'jsonrpc': '2.0', 'result': 'x' * m['params']['n'], 'id': m['id']})",
    );
    let big = "y".repeat(17 * 1024 * 1024);
    relay.say(&format!(r#"{{"method":"tools/call","params":{{"id":5,"t":"{big}"}},"jsonrpc":"2.0","id":"big"}}"#));
    let refusal = relay.hear_json();
    assert_eq!(refusal["id"], "big");
    assert!(refusal["error"]["message"].as_str().unwrap().contains("bytes"));
    relay.say(r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"n":17000000}}"#);
    let refusal = relay.hear_json();
    assert_eq!((&refusal["id"], refusal["error"]["code"].as_i64()), (&1.into(), Some(4031)));
    relay.say(r#"{"jsonrpc":"2.0","id":2,"method":"x","params":{"n":3}}"#);
    assert_eq!(relay.hear_json()["result"], "xxx");
    relay.finish();
    assert_eq!(home.read("got").lines().count(), 2);
    let rows = home.spooled_exchanges();
    assert_eq!(rows.iter().filter(|row| row.verdict == Verdict::Block && row.request_bytes > 16_000_000).count(), 2);
}

#[test]
fn the_limits_of_the_config_come_with_the_snapshot() {
    let home = Home::new();
    let limits = Limits { max_message_bytes: 64 * 1024, max_id_bytes: 64, ..Limits::default() };
    write_snapshot(&home, &Snapshot { limits, upstreams: vec![upstream()], ..Snapshot::default() });
    let mut relay = home.recording_server();
    relay.say(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":"{}"}}"#, "y".repeat(70_000)));
    let refusal = relay.hear_json()["error"]["message"].to_string();
    assert!(refusal.contains("at most 65536") && refusal.contains("limits.max_message_bytes"), "{refusal}");
    relay.say(&format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"x"}}"#, "i".repeat(65)));
    let refusal = relay.hear_json()["error"]["message"].to_string();
    assert!(refusal.contains("more than 64 bytes"), "{refusal}");
}

#[test]
fn a_server_that_is_no_mcp_server_may_talk() {
    let home = Home::new();
    let mut relay = home.start(&["sh", "-c", "echo 'Server running on stdio'; cat"]);
    assert_eq!(relay.hear(), "Server running on stdio");
    relay.finish();
    let rows = home.spooled_exchanges();
    assert!(rows.iter().any(|row| row.verdict == Verdict::Flag && row.findings[0].signature == "not-a-message"));
}

#[test]
fn the_persons_own_signatures_hold_without_the_daemon() {
    let home = Home::new();
    let own = |id: &str, word: &str| {
        let text = format!(
            "id = \"{id}\"\nversion = 1\nstatus = \"stable\"\ntitle = \"A word\"\ndescription = \"d\"\nadvice = \"a\"\ncategory = \"injection\"\n\
             severity = \"high\"\nconfidence = \"high\"\nverdict = \"block\"\nfalse_positives = \"f\"\n[where]\nroles = [\"any\"]\n[match]\n\
             keywords = [\"{word}\"]\nany = ['{word}']\n[[hit]]\nrole = \"result_text\"\ntext = \"{word}\"\n[[miss]]\nrole = \"result_text\"\ntext = \"x\"\n"
        );
        (format!("mine/{id}.toml"), text)
    };
    let blocked = |home: &Home, text: &str| {
        let mut relay = home.recording_server();
        relay.say(&request(1, text));
        let answer = relay.hear_json();
        relay.finish();
        answer["result"]["isError"] == true
    };
    let unreadable = ("mine/newer.toml".to_owned(), "id = \"newer\"\nfrom_a_newer_version = true\n".to_owned());
    let mut snapshot = Snapshot { upstreams: vec![upstream()], ..Snapshot::default() };
    write_snapshot(&home, &snapshot);
    assert!(!blocked(&home, "to zanzibar"));
    snapshot.own_signatures = vec![unreadable, own("place", "zanzibar")];
    write_snapshot(&home, &snapshot);
    assert!(blocked(&home, "to zanzibar") && !blocked(&home, "to timbuktu"));
    snapshot.disabled_signatures = vec!["place".into()];
    write_snapshot(&home, &snapshot);
    assert!(!blocked(&home, "to zanzibar"), "switched off");
    // One that would spoil the whole set leaves the bundled ones as they are.
    snapshot.disabled_signatures.clear();
    snapshot.own_signatures = vec![own("place", "(zanzibar")];
    write_snapshot(&home, &snapshot);
    assert!(!blocked(&home, "to zanzibar") && blocked(&home, HIDDEN));
}
