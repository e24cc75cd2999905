//! A scripted upstream and a client over raw sockets, so that tests see the very bytes.

use arc_swap::ArcSwap;
use portcullis_domain::*;
use portcullis_gateway::oauth::{Grant, Options, SignIns, Vault};
use portcullis_gateway::{Approvals, AskEvent, AskView, Deps, Gateway, Health, Hooks, Patience};
use portcullis_policy::{Judge, PinBook, Rules};
use portcullis_testkit::Words;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

#[derive(Clone)]
pub struct Reply {
    head: String,
    chunks: Vec<Vec<u8>>,
    framing: Framing,
    then: Option<Box<Reply>>,
}
#[derive(Clone, PartialEq)]
enum Framing {
    Length,
    Chunked,
    /// Never ends; each chunk after the first waits until the test says so.
    OpenEnded,
    /// The connection breaks after the chunks.
    Cut,
    /// The second chunk waits until the test says so.
    InTwo,
    /// The headers alone, with the length that a body would have.
    Head(usize),
}

impl Reply {
    pub fn new(status: u16, content_type: &str, body: &str) -> Self {
        let kind = if content_type.is_empty() { String::new() } else { format!("content-type: {content_type}\r\n") };
        Self {
            head: format!("HTTP/1.1 {status} X\r\n{kind}"),
            chunks: vec![body.into()],
            framing: Framing::Length,
            then: None,
        }
    }
    /// A body that is no text.
    pub fn bytes(content_type: &str, body: Vec<u8>) -> Self {
        Self { chunks: vec![body], ..Self::new(200, content_type, "") }
    }
    pub fn json(body: &str) -> Self {
        Self::new(200, "application/json", body)
    }
    pub fn chunked(content_type: &str, chunks: &[&str]) -> Self {
        let chunks = chunks.iter().map(|chunk| chunk.as_bytes().to_vec()).collect();
        Self { chunks, framing: Framing::Chunked, ..Self::new(200, content_type, "") }
    }
    pub fn open_ended(content_type: &str, start: &str) -> Self {
        Self { framing: Framing::OpenEnded, ..Self::new(200, content_type, start) }
    }
    /// An open stream; `later` comes piece by piece, one for each `Upstream::release`.
    pub fn open_then(content_type: &str, start: &str, later: &[&str]) -> Self {
        let mut reply = Self::open_ended(content_type, start);
        reply.chunks.extend(later.iter().map(|chunk| chunk.as_bytes().to_vec()));
        reply
    }
    /// A stream that breaks in the middle.
    pub fn cut(content_type: &str, start: &str) -> Self {
        Self { framing: Framing::Cut, ..Self::new(200, content_type, start) }
    }
    /// A body of known length whose second half comes when `Upstream::release` is called.
    pub fn in_two(content_type: &str, first: &str, second: &str) -> Self {
        let chunks = vec![first.into(), second.into()];
        Self { chunks, framing: Framing::InTwo, ..Self::new(200, content_type, "") }
    }
    /// An answer to HEAD.
    pub fn head_of(length: usize) -> Self {
        Self { framing: Framing::Head(length), ..Self::new(200, "text/plain", "") }
    }
    pub fn redirect(location: &str, then: Reply) -> Self {
        Self { then: Some(Box::new(then)), ..Self::new(307, "", "").header("location", location) }
    }
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.head += &format!("{name}: {value}\r\n");
        self
    }
}

#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    /// `POST`, `GET` …
    pub method: String,
    headers: Headers,
    pub body: String,
}
impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.last(name)
    }
    pub fn has(&self, name: &str) -> bool {
        self.headers.has(name)
    }
}

pub struct Upstream {
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    changed: Arc<Notify>,
    disconnected: Arc<Notify>,
    released: Arc<Notify>,
}

impl Upstream {
    pub async fn start(reply: Reply) -> Self {
        Self::on("127.0.0.1:0", reply).await
    }
    pub async fn on(address: impl tokio::net::ToSocketAddrs, reply: Reply) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let upstream = Self {
            port: listener.local_addr().unwrap().port(),
            seen: Arc::default(),
            replies: Arc::new(Mutex::new(VecDeque::from([reply.clone()]))),
            changed: Arc::default(),
            disconnected: Arc::default(),
            released: Arc::default(),
        };
        if let Some(then) = reply.then {
            upstream.next_reply(*then);
        }
        let (seen, replies) = (upstream.seen.clone(), upstream.replies.clone());
        let (changed, disconnected) = (upstream.changed.clone(), upstream.disconnected.clone());
        let released = upstream.released.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (seen, replies) = (seen.clone(), replies.clone());
                let (changed, disconnected) = (changed.clone(), disconnected.clone());
                let released = released.clone();
                tokio::spawn(async move {
                    let Some((request, _)) = read_message(&mut stream).await else { return };
                    seen.lock().unwrap().push(request);
                    changed.notify_one();
                    let reply = replies.lock().unwrap().pop_front().unwrap_or(Reply::new(
                        500,
                        "text/plain",
                        "no reply scripted",
                    ));
                    write_reply(&mut stream, &reply).await;
                    if reply.framing == Framing::InTwo {
                        released.notified().await;
                        let _ = stream.write_all(&reply.chunks[1]).await;
                    }
                    if reply.framing == Framing::OpenEnded {
                        let mut rest = [0; 1];
                        let mut later = reply.chunks[1..].iter();
                        loop {
                            tokio::select! {
                                read = stream.read(&mut rest) => if !read.is_ok_and(|n| n > 0) { break },
                                () = released.notified(), if later.len() > 0 => {
                                    let _ = stream.write_all(&chunked(later.next().unwrap())).await;
                                }
                            }
                        }
                        disconnected.notify_one();
                    }
                });
            }
        });
        upstream
    }
    pub fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
    /// From now on these, in this order, and nothing that was scripted before.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        *self.replies.lock().unwrap() = replies.into_iter().collect();
    }
    pub fn next_reply(&self, reply: Reply) {
        self.replies.lock().unwrap().push_back(reply);
    }
    /// Forgets what it was told to reply.
    pub fn instead(&self, reply: Reply) {
        *self.replies.lock().unwrap() = VecDeque::from([reply]);
    }
    pub fn requests(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
    pub fn only_request(&self) -> Seen {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1);
        requests.remove(0)
    }
    pub async fn wait_for_requests(&self, n: usize) -> Vec<Seen> {
        while self.requests().len() < n {
            self.changed.notified().await;
        }
        self.requests()
    }
    pub fn release(&self) {
        self.released.notify_one();
    }
    pub async fn wait_for_disconnect(&self) {
        self.disconnected.notified().await;
    }
}

fn chunked(chunk: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()
}

async fn write_reply(stream: &mut TcpStream, reply: &Reply) {
    let mut out = reply.head.clone().into_bytes();
    let first = &reply.chunks[0];
    match reply.framing {
        Framing::Length => {
            out.extend(format!("connection: close\r\ncontent-length: {}\r\n\r\n", first.len()).into_bytes());
            out.extend(first);
        }
        Framing::Head(length) => {
            out.extend(format!("connection: close\r\ncontent-length: {length}\r\n\r\n").into_bytes());
        }
        Framing::InTwo => {
            let length = first.len() + reply.chunks[1].len();
            out.extend(format!("connection: close\r\ncontent-length: {length}\r\n\r\n").into_bytes());
            out.extend(first);
        }
        Framing::Chunked => {
            out.extend(b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n");
            reply.chunks.iter().for_each(|part| out.extend(chunked(part)));
            out.extend(b"0\r\n\r\n");
        }
        Framing::OpenEnded | Framing::Cut => {
            out.extend(b"transfer-encoding: chunked\r\n\r\n");
            out.extend(chunked(first));
        }
    }
    let _ = stream.write_all(&out).await;
}

/// A request or response with its whole body; the first line is returned beside it.
async fn read_message(stream: &mut TcpStream) -> Option<(Seen, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let (first, headers) = parse_head(&head);
    let mut body = Vec::new();
    if headers.has("content-length") {
        body.resize(headers.last("content-length").parse().unwrap(), 0);
        stream.read_exact(&mut body).await.ok()?;
    } else if headers.has("transfer-encoding") {
        while let Some(chunk) = read_chunk(stream).await {
            body.extend(chunk);
        }
    }
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    Some((Seen { path, method, headers, body: String::from_utf8_lossy(&body).into_owned() }, first))
}

pub async fn read_response(stream: &mut TcpStream) -> Response {
    let (message, first) = read_message(stream).await.expect("an answer");
    let status = first.split(' ').nth(1).unwrap().parse().unwrap();
    Response { status, headers: message.headers, body: message.body }
}

fn parse_head(head: &[u8]) -> (String, Headers) {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    (first, Headers(headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect()))
}

async fn read_chunk(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut size = Vec::new();
    while !size.ends_with(b"\r\n") {
        size.push(stream.read_u8().await.ok()?);
    }
    let size = usize::from_str_radix(String::from_utf8_lossy(&size).trim(), 16).ok()?;
    let mut chunk = vec![0; size + 2];
    stream.read_exact(&mut chunk).await.ok()?;
    chunk.truncate(size);
    (size > 0).then_some(chunk)
}

pub struct Response {
    pub status: u16,
    headers: Headers,
    pub body: String,
}
impl Response {
    pub fn header(&self, name: &str) -> &str {
        self.headers.last(name)
    }
    /// Every value of a header that came more than once.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        self.headers.all(name)
    }
}

#[derive(Clone, Debug)]
struct Headers(Vec<(String, String)>);
impl Headers {
    fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    }
    fn last(&self, name: &str) -> &str {
        self.all(name).pop().unwrap_or("")
    }
    fn has(&self, name: &str) -> bool {
        !self.all(name).is_empty()
    }
}

/// A response whose body is read as it comes.
pub struct Open {
    stream: TcpStream,
}
impl Open {
    /// Whether the body now ends in order.
    pub async fn has_ended(&mut self) -> bool {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).await.is_ok() && rest.ends_with(b"0\r\n\r\n")
    }
    /// Whether the body is at its end now, and not broken off.
    pub async fn ends_in_order(&mut self) -> bool {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let Ok(byte) = self.stream.read_u8().await else { return false };
            line.push(byte);
        }
        line == b"0\r\n"
    }
    pub async fn read_until(&mut self, end: &str) -> String {
        let mut text = String::new();
        while !text.ends_with(end) {
            text += &String::from_utf8_lossy(&read_chunk(&mut self.stream).await.expect("the stream ended"));
        }
        text
    }
}

/// Keeps nothing new.
struct Forgetful(HashMap<UpstreamId, Grant>);
impl Vault for Forgetful {
    fn load(&self) -> HashMap<UpstreamId, Grant> {
        self.0.clone()
    }
    fn store(&self, _: &HashMap<UpstreamId, Grant>) -> Result<(), String> {
        Ok(())
    }
}

pub struct Proxied {
    pub upstream: Upstream,
    pub prefix: String,
    port: u16,
    pub gateway: Gateway,
    rows: Arc<Mutex<Vec<AuditRow>>>,
    stop: CancellationToken,
    pub person: Person,
    pub approvals: Arc<Approvals>,
    pub judge: Arc<ArcSwap<Judge>>,
    health: Arc<Health>,
    id: UpstreamId,
}

/// What differs from an ordinary server.
pub struct Setup {
    pub limits: Limits,
    /// Instead of the scripted upstream's.
    pub url: Option<String>,
    /// The person signed in before.
    pub grant: Option<Grant>,
    pub connect_timeout: Duration,
    pub sign_in: Options,
    pub max_connections: usize,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            url: None,
            grant: None,
            connect_timeout: Duration::from_secs(10),
            sign_in: Options::default(),
            max_connections: 10_000,
        }
    }
}

impl Drop for Proxied {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Proxied {
    pub async fn start(reply: Reply) -> Self {
        Self::start_with(reply, Limits::default()).await
    }
    pub async fn start_with(reply: Reply, limits: Limits) -> Self {
        Self::in_front_of(Upstream::start(reply).await, Setup { limits, ..Setup::default() }).await
    }
    pub async fn set_up(setup: Setup) -> Self {
        Self::in_front_of(Upstream::start(Reply::json("{}")).await, setup).await
    }
    pub async fn start_without_upstream() -> Self {
        let mut upstream = Upstream::start(Reply::json("{}")).await;
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        upstream.port = free.local_addr().unwrap().port();
        drop(free);
        Self::in_front_of(upstream, Setup::default()).await
    }

    async fn in_front_of(upstream: Upstream, setup: Setup) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let id = UpstreamId::from_random([7; 16]);
        let entry = portcullis_domain::Upstream {
            id: id.clone(),
            app: AppId::new("cursor"),
            app_name: "Cursor".into(),
            name: "files".into(),
            transport: Transport::StreamableHttp,
            url: setup.url.or_else(|| Some(format!("http://{}/mcp", upstream.authority()))),
            command: Vec::new(),
        };
        let pins = Arc::new(PinBook::in_memory(Vec::new()));
        let judge = Judge::new(Arc::new(Words), pins, Rules::default(), setup.limits);
        let grants = setup.grant.map(|grant| (id.clone(), grant)).into_iter().collect();
        let health = Health::new(Arc::new(|| 1000), HashMap::new(), |_| {});
        let judge = Arc::new(ArcSwap::from_pointee(judge));
        let rows: Arc<Mutex<Vec<AuditRow>>> = Arc::default();
        let sink = rows.clone();
        let person = Person::default();
        let approvals = person.approvals();
        let gateway = Gateway::new(Deps {
            routes: Arc::new(ArcSwap::from_pointee(HashMap::from([(id.clone(), Arc::new(entry))]))),
            judge: judge.clone(),
            callers: Arc::default(),
            sink: Arc::new(move |row| sink.lock().unwrap().push(row)),
            clock: Arc::new(|| 1000),
            approvals: approvals.clone(),
            proxy_port: port,
            sign_ins: Arc::new(SignIns::new(Arc::new(Forgetful(grants)), Arc::new(|| 1000), setup.sign_in)),
            health: health.clone(),
            connect_timeout: setup.connect_timeout,
            drain: Duration::from_millis(200),
            max_connections: setup.max_connections,
        })
        .unwrap();
        let stop = CancellationToken::new();
        let (serving, until) = (gateway.clone(), stop.clone());
        tokio::spawn(async move { serving.serve_proxy(listener, until).await });
        let prefix = format!("/cursor/files~{id}");
        Self { upstream, prefix, port, gateway, rows, stop, person, approvals, judge, health, id }
    }

    /// A connection on which nothing was said yet.
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
    /// Why the server is said to fail, if it is.
    pub fn failing(&self) -> Option<String> {
        self.health.of(&self.id).map(|failing| failing.reason)
    }

    /// Serves the shim link too; returns once it accepts.
    pub async fn serve_link(&self, socket: &std::path::Path) -> tokio::net::UnixStream {
        let (serving, until, path) = (self.gateway.clone(), self.stop.clone(), socket.to_owned());
        tokio::spawn(async move { serving.serve_link(path, until).await });
        loop {
            match tokio::net::UnixStream::connect(socket).await {
                Ok(stream) => return stream,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }

    /// Begins the shutdown; returns once nothing new is accepted.
    pub async fn stop(&self) {
        self.stop.cancel();
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    pub async fn post(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Response {
        self.send("POST", path, body, headers).await
    }
    /// A request written by the test down to its last byte; `$HOST` and `$PREFIX` are filled in.
    pub async fn raw(&self, head: &str, body: &[u8]) -> Response {
        let head = head.replace("$HOST", &format!("127.0.0.1:{}", self.port)).replace("$PREFIX", &self.prefix);
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let _ = stream.write_all(body).await;
        read_response(&mut stream).await
    }
    /// The headers of an answer to HEAD, which has no body.
    pub async fn head(&self, path: &str) -> String {
        let path = format!("{}{path}", self.prefix);
        let mut stream = self.write_request("HEAD", &path, "", &[]).await;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        String::from_utf8_lossy(&head).to_lowercase()
    }
    pub async fn send(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Response {
        self.send_to(method, &format!("{}{path}", self.prefix), body, headers).await
    }
    pub async fn send_to(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Response {
        let mut stream = self.write_request(method, path, body, headers).await;
        read_response(&mut stream).await
    }
    pub async fn open(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Open {
        let path = format!("{}{path}", self.prefix);
        let mut stream = self.write_request(method, &path, body, headers).await;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        Open { stream }
    }

    async fn write_request(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\ncontent-length: {}\r\n", body.len());
        let given = |name: &str| headers.iter().any(|(n, _)| *n == name);
        for (name, value) in [
            ("host", format!("127.0.0.1:{}", self.port)),
            ("content-type", "application/json".into()),
            ("accept", "application/json, text/event-stream".into()),
        ] {
            if !given(name) {
                head += &format!("{name}: {value}\r\n");
            }
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
        // A refusal may come before the whole body is written.
        let _ = stream.write_all(body.as_bytes()).await;
        stream
    }

    pub fn sweep(&self) {
        self.gateway.sweep();
    }
    /// Every row so far.
    pub fn rows(&self) -> Vec<AuditRow> {
        self.gateway.flush();
        self.rows.lock().unwrap().clone()
    }
}

pub fn exchange_of(row: &AuditRow) -> &Exchange {
    match row {
        AuditRow::Exchange(exchange) => exchange,
        other => panic!("{other:?}"),
    }
}

/// Whoever sees questions: there or not, patient or not.
#[derive(Clone)]
pub struct Person {
    pub is_there: Arc<std::sync::atomic::AtomicBool>,
    pub patience_ms: Arc<std::sync::atomic::AtomicU64>,
    asked: Arc<Notify>,
}

impl Default for Person {
    fn default() -> Self {
        Self { is_there: Arc::new(true.into()), patience_ms: Arc::new(60_000.into()), asked: Arc::default() }
    }
}

impl Person {
    fn approvals(&self) -> Arc<Approvals> {
        let (there, patience, asked) = (self.is_there.clone(), self.patience_ms.clone(), self.asked.clone());
        Approvals::new(Hooks {
            attended: Box::new(move || there.load(std::sync::atomic::Ordering::SeqCst)),
            patience: Box::new(move |_| {
                let first = std::time::Duration::from_millis(patience.load(std::sync::atomic::Ordering::SeqCst));
                Patience { first, most: first.max(std::time::Duration::from_secs(55)) }
            }),
            tell: Box::new(move |event: AskEvent| {
                let _ = event;
                asked.notify_waiters();
            }),
        })
    }
}

impl Proxied {
    /// Waits until the list of questions is as `wanted`.
    pub async fn until_asks(&self, wanted: impl Fn(&[AskView], &[AskView]) -> bool) -> (Vec<AskView>, Vec<AskView>) {
        loop {
            let told = self.person.asked.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            let (waiting, recent) = self.approvals.list();
            if wanted(&waiting, &recent) {
                return (waiting, recent);
            }
            told.await;
        }
    }
    /// The only question that waits.
    pub async fn question(&self) -> AskView {
        self.until_asks(|waiting, _| waiting.len() == 1).await.0.remove(0)
    }
}

impl Proxied {
    pub fn use_rules(&self, rules: Rules) {
        let pins = Arc::new(PinBook::in_memory(Vec::new()));
        self.judge.store(Arc::new(Judge::new(Arc::new(Words), pins, rules, Limits::default())));
    }
}
