//! The listener alone, in front of a router that does no more than the tests need.

use super::*;
use axum::routing::{get, post};
use bytes::Bytes;
use http_body_util::StreamBody;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(100);
const SOON: Duration = Duration::from_secs(10);
const PATIENT: Patience = Patience { head: LONG, body: LONG, idle: SHORT, untaken: LONG };
/// More than the sockets of a connection hold.
const MUCH: usize = 64 << 20;

struct Served {
    at: SocketAddr,
    asked: Arc<AtomicUsize>,
    /// Lets one `/later` be answered.
    later: Arc<Notify>,
    stop: CancellationToken,
    ended: tokio::task::JoinHandle<()>,
}

impl Served {
    async fn start(most: usize, patience: Patience) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (asked, later, stop): (Arc<AtomicUsize>, Arc<Notify>, CancellationToken) = Default::default();
        let (count, wait) = (asked.clone(), later.clone());
        let silent = || async {
            let first =
                futures_util::stream::iter([Ok::<_, Infallible>(hyper::body::Frame::data(Bytes::from("first")))]);
            Body::new(StreamBody::new(futures_util::StreamExt::chain(first, futures_util::stream::pending())))
        };
        let router = Router::new()
            .route("/now", get(async move || _ = count.fetch_add(1, Ordering::SeqCst)))
            .route("/echo", post(async |body: Bytes| body))
            .route("/later", get(async move || wait.notified().await))
            .route("/silent", get(silent))
            .route("/much", get(async || vec![b'x'; MUCH]));
        let until = stop.clone().cancelled_owned();
        let ended = tokio::spawn(Bounded { listener, most, patience }.serve(router, until));
        Self { at, asked, later, stop, ended }
    }
    async fn connect(&self) -> Peer {
        Peer(TcpStream::connect(self.at).await.unwrap())
    }
    async fn with(&self, said: &str) -> Peer {
        let mut peer = self.connect().await;
        peer.say(said).await;
        peer
    }
}

/// An app, byte by byte.
struct Peer(TcpStream);

impl Peer {
    async fn say(&mut self, said: &str) {
        self.0.write_all(said.as_bytes()).await.unwrap();
    }
    async fn get(&mut self, path: &str) -> String {
        self.say(&format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        self.head().await
    }
    /// Of an answer; empty once the connection is over.
    async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match tokio::time::timeout(SOON, self.0.read_u8()).await.expect("neither an answer nor the end") {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
        String::from_utf8(head).unwrap()
    }
    async fn is_over(&mut self) -> bool {
        self.head().await.is_empty()
    }
}

fn is_ok(head: &str) -> bool {
    head.starts_with("HTTP/1.1 200 ")
}

#[tokio::test]
async fn the_connection_that_asked_for_nothing_for_longest_makes_way() {
    let served = Served::start(2, PATIENT).await;
    let (mut first, mut second) = (served.connect().await, served.connect().await);
    assert!(is_ok(&second.get("/now").await) && is_ok(&first.get("/now").await));
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert!(is_ok(&first.get("/now").await));
    assert!(is_ok(&served.connect().await.get("/now").await));
    assert!(second.is_over().await);
    assert!(is_ok(&first.get("/now").await), "it had asked later");
}

#[tokio::test]
async fn silent_streams_and_slow_answers_keep_their_places() {
    let served = Served::start(2, PATIENT).await;
    let mut stream = served.connect().await;
    assert!(is_ok(&stream.get("/silent").await));
    let mut slow = served.with("GET /later HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut third = served.with("GET /now HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let waits = tokio::time::timeout(SHORT * 5, third.0.read_u8()).await;
    assert!(waits.is_err(), "there is no place for it");
    served.later.notify_one();
    assert!(is_ok(&slow.head().await));
    assert!(is_ok(&third.head().await));
    assert!(slow.is_over().await, "it had asked for nothing since");
    let mut first = [0; 8];
    stream.0.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"5\r\nfirst");
}

#[tokio::test]
async fn a_head_that_is_not_complete_in_time_is_closed_and_an_idle_connection_is_not() {
    let served = Served::start(10, Patience { head: SHORT, ..PATIENT }).await;
    let (mut fresh, mut used) = (served.connect().await, served.connect().await);
    assert!(is_ok(&used.get("/now").await));
    for said in ["G", "GET /now HTTP/1.1\r\nhost: x\r\n", "\r\n"] {
        assert!(served.with(said).await.is_over().await, "{said}");
    }
    let mut trickles = served.connect().await;
    while trickles.0.write_all(b"x").await.is_ok() {
        tokio::time::sleep(SHORT / 10).await;
    }
    assert!(is_ok(&used.get("/now").await), "idle for longer than that");
    used.say("GET /now HTTP/1.1\r\n").await;
    assert!(used.is_over().await, "its next head is not complete");
    assert!(is_ok(&fresh.get("/now").await));
}

#[tokio::test]
async fn a_body_that_is_not_complete_in_time_ends_its_request() {
    let served = Served::start(10, Patience { body: SHORT, ..PATIENT }).await;
    let mut halfway = served.with("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12345").await;
    assert!(halfway.head().await.starts_with("HTTP/1.1 400 "));
    let mut unwanted = served.with("POST /no HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12345").await;
    assert!(unwanted.head().await.starts_with("HTTP/1.1 404 "));
    let mut expects =
        served.with("POST /echo HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n").await;
    assert!(expects.head().await.starts_with("HTTP/1.1 100 "));
    expects.say("ok").await;
    assert!(is_ok(&expects.head().await));
}

#[tokio::test]
async fn who_does_not_take_an_answer_makes_way_after_a_while_and_who_takes_it_slowly_does_not() {
    let served = Served::start(1, Patience { untaken: SHORT, ..PATIENT }).await;
    let mut never = served.with("GET /much HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut slow = served.with("GET /much HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(is_ok(&slow.head().await));
    let mut rest = Vec::new();
    assert!(never.0.read_to_end(&mut rest).await.is_err() || rest.len() < MUCH, "it was broken off");
    let waiting = served.with("GET /now HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let (mut taken, mut part) = (0, vec![0; MUCH / 16]);
    while taken < MUCH {
        taken += slow.0.read(&mut part).await.unwrap();
        tokio::time::sleep(SHORT / 20).await;
    }
    assert!(is_ok(&{ waiting }.head().await));
}

#[tokio::test]
async fn requests_sent_at_once_are_answered_in_order_and_http_1_0_is_answered_and_closed() {
    let served = Served::start(1, PATIENT).await;
    let post = |body: &str| format!("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let mut peer = served.with(&[post("one"), post("two"), post("three")].concat()).await;
    for body in ["one", "two", "three"] {
        assert!(is_ok(&peer.head().await));
        let mut got = vec![0; body.len()];
        peer.0.read_exact(&mut got).await.unwrap();
        assert_eq!(got, body.as_bytes());
    }
    let mut old = served.with("GET /now HTTP/1.0\r\n\r\n").await;
    assert!(old.head().await.starts_with("HTTP/1.0 200 "));
    assert!(old.is_over().await);
}

#[tokio::test]
async fn a_listener_that_stops_answers_what_is_under_way_and_closes_the_rest_at_once() {
    let served = Served::start(10, PATIENT).await;
    let (mut fresh, mut used) = (served.connect().await, served.connect().await);
    let mut begun = served.with("GET /now HTTP/1.1\r\n").await;
    assert!(is_ok(&used.get("/now").await));
    let mut slow = served.with("GET /later HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut coming = served.with("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\no").await;
    // Both are on their way once another one behind them is answered.
    assert!(is_ok(&served.connect().await.get("/now").await));
    served.stop.cancel();
    for peer in [&mut fresh, &mut used, &mut begun] {
        assert!(peer.is_over().await);
    }
    served.later.notify_one();
    assert!(slow.head().await.contains("connection: close"));
    coming.say("k").await;
    assert!(is_ok(&coming.head().await));
    tokio::time::timeout(SOON, served.ended).await.unwrap().unwrap();
    assert!(TcpStream::connect(served.at).await.is_err());
}

/// Connections are given up all the time here, in every moment of their lives.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_answered_whole_or_was_never_begun() {
    const APPS: usize = 16;
    const REQUESTS: usize = 300;
    let served = Arc::new(Served::start(3, Patience { idle: Duration::ZERO, ..PATIENT }).await);
    let apps: Vec<_> = (0..APPS)
        .map(|_| {
            let served = served.clone();
            tokio::spawn(async move {
                let (mut again, mut peer) = (0, served.connect().await);
                for _ in 0..REQUESTS {
                    loop {
                        let asked = peer.0.write_all(b"GET /now HTTP/1.1\r\nhost: x\r\n\r\n").await;
                        let head = if asked.is_ok() { peer.head().await } else { String::new() };
                        if is_ok(&head) && head.ends_with("\r\n\r\n") {
                            break;
                        }
                        assert_eq!(head, "");
                        (again, peer) = (again + 1, served.connect().await);
                    }
                }
                again
            })
        })
        .collect();
    let mut again = 0;
    for app in apps {
        again += app.await.unwrap();
    }
    assert!(again > 0, "no connection was given up");
    assert_eq!(served.asked.load(Ordering::SeqCst), APPS * REQUESTS);
}
