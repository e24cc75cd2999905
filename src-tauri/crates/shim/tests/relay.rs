//! The relay with a daemon (a test double) at the other end of the link: bytes, order, both pipes full, Verdicts.
#![cfg(unix)]

mod support;
use portcullis_domain::Direction::{ToClient, ToUpstream};
use portcullis_domain::link::FrameKind;
use std::io::{BufRead, Write};
use std::os::unix::process::ExitStatusExt;
use support::*;

#[test]
fn every_message_arrives_byte_for_byte_and_in_order() {
    let home = Home::new();
    let daemon = FakeDaemon::start(&home, |_, _| allow());
    let mut relay = home.start(&["cat"]);
    let mut sent = b"\n \r\nServer ready\r\n\xff\xfe\x00 not text\n".to_vec();
    for n in 0..2000 {
        sent.extend(
            format!("{{ \"id\" : {n},\t\"method\":\"ping\"}}{}", if n % 3 == 0 { "\r\n" } else { "\n" }).bytes(),
        );
    }
    sent.extend(b"no end");
    let mut stdin = relay.stdin.take().unwrap();
    let writing = std::thread::spawn({
        let sent = sent.clone();
        move || stdin.write_all(&sent).unwrap()
    });
    assert_eq!(relay.hear_all(), sent);
    writing.join().unwrap();
    assert_eq!(relay.wait().code(), Some(0));
    assert_eq!(daemon.shared.seen.load(std::sync::atomic::Ordering::SeqCst), 2 * 2003);
}

#[test]
fn both_pipes_full_do_not_lock_each_other() {
    const LINES: usize = 64;
    const LINE: usize = 1024 * 1024;
    let home = Home::new();
    let _daemon = FakeDaemon::start(&home, |_, _| allow());
    // Writes all it has before it reads anything, and so does the client.
    let mut relay = home.python(&format!(
        "out = b's' * {} + b'\\n'\nfor n in range({LINES}): sys.stdout.buffer.write(out)\nsys.stdout.flush()\ngot = len(sys.stdin.buffer.read())\nsay('got ' + str(got))",
        LINE - 1
    ));
    let line = [vec![b'c'; LINE - 1], vec![b'\n']].concat();
    for _ in 0..LINES {
        relay.send(&line);
    }
    relay.hang_up();
    let mut lines = 0;
    let mut buffer = Vec::new();
    while relay.stdout.read_until(b'\n', &mut buffer).unwrap() == LINE {
        assert!(buffer[..LINE - 1].iter().all(|byte| *byte == b's'));
        buffer.clear();
        lines += 1;
    }
    assert_eq!(lines, LINES);
    assert_eq!(String::from_utf8_lossy(&buffer), format!("got {}\n", LINES * LINE));
    assert_eq!(relay.wait().code(), Some(0));
}

#[test]
fn five_megabyte_lines_and_invalid_utf8_stay_as_they_are() {
    let home = Home::new();
    let _daemon = FakeDaemon::start(&home, |_, _| allow());
    let mut relay = home.start(&["cat"]);
    let big = [br#"{"id":1,"method":"x","params":""#.to_vec(), vec![0xe9; 5_000_000], b"\"}\n".to_vec()].concat();
    let mut stdin = relay.stdin.take().unwrap();
    let (first, rest) = (big.clone(), big.clone());
    let writing = std::thread::spawn(move || stdin.write_all(&first).and_then(|()| stdin.write_all(&rest)).unwrap());
    assert!(relay.hear_all() == [&big[..], &big].concat(), "10 MB come back unchanged");
    writing.join().unwrap();
}

#[test]
fn verdicts_are_carried_out_and_answers_go_to_the_right_side() {
    let home = Home::new();
    let daemon = FakeDaemon::start(&home, |direction, bytes| {
        let text = String::from_utf8_lossy(bytes);
        let has = |word: &str| text.contains(word);
        match direction {
            ToUpstream if has("HOSTILE") => reply(FrameKind::Answer, "{\"id\":1,\n\"result\":{\"isError\":true}}"),
            ToUpstream if has("EDIT") => reply(FrameKind::Replace, r#"{"id":2,"method":"edited"}"#),
            ToUpstream if has("DROP") => reply(FrameKind::Drop, ""),
            ToClient if has("sampling") => reply(FrameKind::Answer, r#"{"id":"s","error":{"code":-1}}"#),
            ToClient if has("POISON") => Reply::Frames(vec![
                (FrameKind::Hold, Vec::new()),
                (FrameKind::Inject, br#"{"method":"notifications/tools/list_changed"}"#.to_vec()),
                (FrameKind::Replace, br#"{"id":3,"result":{}}"#.to_vec()),
            ]),
            _ => allow(),
        }
    });
    let mut relay = home.python(
        "for line in sys.stdin:\n with open('got', 'a') as f: f.write(line)\n m = json.loads(line)\n if m.get('method') == 'last':\n  say({'id': 's', 'method': 'sampling/createMessage'})\n  say({'id': 3, 'result': 'POISON'})",
    );
    relay.say(r#"{"id":1,"method":"HOSTILE"}"#);
    assert_eq!(relay.hear(), r#"{"id":1, "result":{"isError":true}}"#, "one line, whatever the daemon sends");
    relay.say(r#"{"id":2,"method":"EDIT"}"#);
    relay.say(r#"{"method":"DROP"}"#);
    relay.say(r#"{"id":3,"method":"last"}"#);
    assert_eq!(relay.hear(), r#"{"method":"notifications/tools/list_changed"}"#);
    assert_eq!(relay.hear(), r#"{"id":3,"result":{}}"#);
    let got = until("the answer to the server", || Some(home.read("got")).filter(|got| got.contains("-1")));
    assert_eq!(
        got.lines().collect::<Vec<_>>(),
        [r#"{"id":2,"method":"edited"}"#, r#"{"id":3,"method":"last"}"#, r#"{"id":"s","error":{"code":-1}}"#]
    );
    let (code, stderr) = relay.finish();
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    until("the end of the session", || (daemon.shared.closed.lock().unwrap().len() == 1).then_some(()));
}

#[test]
fn a_held_message_does_not_stop_the_ones_behind_it() {
    let home = Home::new();
    let daemon = FakeDaemon::start(&home, move |direction, bytes| match (direction, bytes) {
        (ToUpstream, bytes) if bytes.ends_with(b"ask\"}") => reply(FrameKind::Hold, ""),
        _ => allow(),
    });
    let mut relay = home.recording_server();
    daemon.wait_for_both_links();
    relay.say(r#"{"id":1,"method":"ask"}"#);
    relay.say(r#"{"id":2,"method":"ping"}"#);
    assert_eq!(relay.hear_json()["id"], 2);
    assert!(!home.read("got").contains("ask"), "still held");
    // The person may still answer: the app's end does not take that away, a signal does.
    relay.hang_up();
    relay.kill(libc::SIGTERM);
    assert_eq!(relay.wait().signal(), Some(libc::SIGTERM));
}

#[test]
fn a_probe_of_the_newer_era_passes_before_initialize_and_its_error_comes_back_as_it_is() {
    let home = Home::new();
    let _daemon = FakeDaemon::start(&home, |_, _| allow());
    // An older server: some answer with an error, some say nothing at all until they are initialized.
    let mut relay = home.python(
        "for line in sys.stdin:\n if 'server/discover' in line and 'silent' not in line: say('{\"error\":{\"message\":\"Method not found\",\"code\":-32601}, \"id\":1.0,\"jsonrpc\":\"2.0\"}')\n if 'initialize' in line: say('{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"protocolVersion\":\"2025-11-25\"}}')",
    );
    let silent = r#"{"jsonrpc":"2.0","id":"silent","method":"server/discover"}"#;
    relay.say(silent);
    relay.say(r#"{"jsonrpc":"2.0","id":1.0,"method":"server/discover","params":{"_meta":{}}}"#);
    assert_eq!(relay.hear(), r#"{"error":{"message":"Method not found","code":-32601}, "id":1.0,"jsonrpc":"2.0"}"#);
    relay.say(r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#);
    assert_eq!(relay.hear(), r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25"}}"#);
    relay.hang_up();
    assert_eq!(relay.hear(), "", "nothing was made up for the probe without an answer");
}

#[test]
fn a_line_arrives_when_it_ends_and_not_with_the_next_one() {
    let home = Home::new();
    let _daemon = FakeDaemon::start(&home, |_, _| allow());
    let mut relay = home.start(&["cat", "-u"]);
    for n in 0..50 {
        let line = format!(r#"{{"jsonrpc":"2.0","id":{n},"method":"ping"}}"#);
        relay.say(&line);
        assert_eq!(relay.hear(), line, "no second line is needed to push the first");
    }
}

#[test]
fn hello_tells_who_we_are() {
    let home = Home::new();
    let daemon = FakeDaemon::start(&home, |_, _| allow());
    let mut command = home.command(&["cat", "-u"]);
    // A ClientApp's environment must not lead the shim elsewhere.
    command.env("PORTCULLIS_HOME", "/nowhere").env("HOME", "/nowhere");
    let relay = Relay::start(command);
    daemon.wait_for_both_links();
    let hellos = daemon.shared.hellos.lock().unwrap().clone();
    let mut directions: Vec<_> = hellos.iter().map(|hello| hello.direction.as_str()).collect();
    directions.sort_unstable();
    assert_eq!(directions, ["to_client", "to_upstream"]);
    assert_eq!(hellos[0].session, hellos[1].session);
    assert_eq!(hellos[0].session.len(), 26);
    assert_eq!(hellos[0].upstream, ID);
    assert_eq!(hellos[0].pid, relay.child.id());
    assert_eq!(hellos[0].argv_digest, sha256(b"cat\0-u\0"));
    #[cfg(target_os = "linux")]
    assert_eq!(hellos[0].ancestry[0].0, std::process::id());
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
