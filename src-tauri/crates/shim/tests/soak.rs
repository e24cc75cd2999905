//! Daemons that come, die in the middle, stay away, refuse and are replaced by other versions while Messages flow in both
//! Directions: each Message arrives once, whole and in order, and each request is answered.
#![cfg(unix)]

mod support;
use portcullis_domain::link::FrameKind;
use std::collections::HashSet;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use support::*;

/// xorshift: the same lives of daemons in each run.
struct Dice(u64);
impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// One daemon's life: it judges so many Messages, then dies with others under way.
fn live(home: &Home, dice: &mut Dice) {
    let mortal = 1 + dice.roll(400) as usize;
    let kind = dice.roll(5);
    let judged = Arc::new(AtomicUsize::new(0));
    let counted = judged.clone();
    let mut daemon = FakeDaemon::start(home, move |_, bytes| match (kind, bytes) {
        // A newer version, that does not speak with this shim.
        (0, b"hello") => Reply::Refuse("another version of the link"),
        (_, b"hello") => allow(),
        // Takes Messages and dies without a word on some of them.
        (1, _) if counted.load(Ordering::SeqCst) + 3 > mortal => {
            counted.fetch_add(1, Ordering::SeqCst);
            if counted.load(Ordering::SeqCst) > mortal + 3 { Reply::Die } else { Reply::Silence }
        }
        (2, _) if counted.load(Ordering::SeqCst).is_multiple_of(7) => {
            counted.fetch_add(1, Ordering::SeqCst);
            Reply::Frames(vec![(FrameKind::Hold, Vec::new()), (FrameKind::Allow, Vec::new())])
        }
        _ if counted.fetch_add(1, Ordering::SeqCst) >= mortal => Reply::Die,
        _ => allow(),
    });
    // Refused ones live until they were asked once.
    until("the daemon's end", || {
        let asked = !daemon.shared.hellos.lock().unwrap().is_empty();
        let done = judged.load(Ordering::SeqCst) >= mortal || (kind == 0 && asked);
        done.then_some(())
    });
    daemon.kill();
}

fn soak(lives: usize) {
    let home = Home::new();
    // Answers each request and says something of its own in between; numbers both.
    let mut relay = home.python(
        "n = 0\nfor line in sys.stdin:\n m = json.loads(line)\n say({'jsonrpc': '2.0', 'method': 'notifications/message', 'params': {'n': n, 'got': m['params']['n']}})\n n += 1\n say({'jsonrpc': '2.0', 'id': m['id'], 'result': {'n': m['params']['n']}})",
    );
    let over = Arc::new(AtomicBool::new(false));
    let sent = Arc::new(AtomicUsize::new(0));
    let answered = Arc::new(AtomicUsize::new(0));
    let mut stdin = relay.stdin.take().unwrap();
    let sending = std::thread::spawn({
        let (over, sent, answered) = (over.clone(), sent.clone(), answered.clone());
        move || {
            while !over.load(Ordering::SeqCst) {
                let n = sent.load(Ordering::SeqCst);
                // Many under way, but not all there will ever be.
                if n > answered.load(Ordering::SeqCst) + 200 {
                    std::thread::yield_now();
                    continue;
                }
                let line =
                    format!("{{\"jsonrpc\":\"2.0\",\"id\":\"r{n}\",\"method\":\"ping\",\"params\":{{\"n\":{n}}}}}\n");
                stdin.write_all(line.as_bytes()).unwrap();
                sent.store(n + 1, Ordering::SeqCst);
            }
            // Dropping `stdin` is the app's end.
        }
    });
    let hearing = std::thread::spawn({
        let answered = answered.clone();
        move || {
            let (mut notes, mut ids) = (0, HashSet::new());
            loop {
                let line = relay.hear();
                if line.is_empty() {
                    return (notes, ids.len(), relay.wait().code());
                }
                let message: serde_json::Value = serde_json::from_str(&line).unwrap();
                if message["method"].is_string() {
                    assert_eq!(message["params"]["n"], notes, "in order");
                    assert_eq!(message["params"]["got"], notes, "the server got each request once and in order");
                    notes += 1;
                } else {
                    let n = message["result"]["n"].as_u64().unwrap_or_else(|| panic!("no answer: {line}"));
                    assert_eq!(message["id"], format!("r{n}"));
                    assert!(ids.insert(n), "{n} was answered twice");
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    });
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..lives {
        live(&home, &mut dice);
        // With nobody there the shim judges alone.
        let (from, alone) = (answered.load(Ordering::SeqCst), 1 + dice.roll(300) as usize);
        until("answers without a daemon", || (answered.load(Ordering::SeqCst) >= from + alone).then_some(()));
    }
    over.store(true, Ordering::SeqCst);
    sending.join().unwrap();
    let (notes, answers, code) = hearing.join().unwrap();
    let sent = sent.load(Ordering::SeqCst) as u64;
    assert_eq!((notes, answers as u64, code), (sent, sent, Some(0)));
}

#[test]
fn daemons_that_come_and_go_lose_and_double_nothing() {
    soak(3);
}

#[test]
#[ignore = "minutes: cargo test --profile start -p portcullis-shim --test soak -- --ignored"]
fn a_hundred_daemons_that_come_and_go_lose_and_double_nothing() {
    soak(100);
}
