//! A state directory with the real shim in it, a real child process as the server, and a daemon that is a TEST DOUBLE:
//! it speaks the link over a real Unix socket and decides what the test tells it to.
#![allow(dead_code, reason = "each test file uses a part")]

use portcullis_domain::link::{self, Closed, FrameKind, Hello};
use portcullis_domain::{AuditRow, Direction, Exchange};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Waits for something that must happen; the limit only turns a hang into a failure. A shim that met a silent daemon on
/// a busy machine tries the next one a minute later.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(150);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("shim").tempdir().unwrap();
        for folder in ["bin", "run"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        let (built, installed) = (env!("CARGO_BIN_EXE_portcullis-shim"), dir.path().join("bin/portcullis-shim"));
        fs::hard_link(built, &installed).or_else(|_| fs::copy(built, &installed).map(drop)).unwrap();
        Self { dir }
    }
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
    pub fn shim(&self) -> PathBuf {
        self.path().join("bin/portcullis-shim")
    }
    pub fn command(&self, argv: &[&str]) -> Command {
        let mut command = Command::new(self.shim());
        command.args(["run", "--id", ID, "--"]).args(argv).current_dir(self.path());
        command
    }
    pub fn start(&self, argv: &[&str]) -> Relay {
        Relay::start(self.command(argv))
    }
    /// A Python server; `script` runs with `sys`, `json`, `os` and a line-wise `say`.
    pub fn python(&self, script: &str) -> Relay {
        let head = "import sys, json, os, time, signal\ndef say(x): sys.stdout.write((x if isinstance(x, str) else json.dumps(x)) + '\\n'); sys.stdout.flush()\n";
        self.start(&["python3", "-c", &format!("{head}{script}")])
    }
    /// A Python server that records each line it gets in `got` and answers each request with its own method.
    pub fn recording_server(&self) -> Relay {
        self.python(
            "for line in sys.stdin:\n with open('got', 'a') as f: f.write(line)\n m = json.loads(line)\n if 'id' in m and 'method' in m: say({'jsonrpc': '2.0', 'id': m['id'], 'result': {'echo': m['method']}})",
        )
    }
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }
    pub fn spooled(&self) -> Vec<AuditRow> {
        let Ok(folder) = fs::read_dir(self.path().join("spool")) else { return Vec::new() };
        let texts = folder.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
        texts
            .flat_map(|text| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>())
            .collect()
    }
    pub fn spooled_exchanges(&self) -> Vec<Exchange> {
        let exchange = |row| if let AuditRow::Exchange(exchange) = row { Some(*exchange) } else { None };
        self.spooled().into_iter().filter_map(exchange).collect()
    }
}

/// The shim with its server, as a ClientApp sees it.
pub struct Relay {
    pub child: Child,
    pub stdin: Option<ChildStdin>,
    pub stdout: BufReader<ChildStdout>,
    stderr: Option<JoinHandle<String>>,
}

impl Relay {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut errors = child.stderr.take().unwrap();
        let stderr = std::thread::spawn(move || {
            let mut text = Vec::new();
            errors.read_to_end(&mut text).map(|_| String::from_utf8_lossy(&text).into_owned()).unwrap()
        });
        Self { child, stdin, stdout, stderr: Some(stderr) }
    }
    pub fn say(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }
    pub fn send(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }
    /// One line without its end; "" at the end of the stream.
    pub fn hear(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }
    pub fn hear_json(&mut self) -> serde_json::Value {
        let line = self.hear();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }
    pub fn hear_all(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        self.stdout.read_to_end(&mut all).unwrap();
        all
    }
    pub fn hang_up(&mut self) {
        self.stdin = None;
    }
    pub fn wait(&mut self) -> std::process::ExitStatus {
        until("the shim's exit", || self.child.try_wait().unwrap())
    }
    /// Hangs up, waits, and returns the exit code and what was written to stderr.
    pub fn finish(mut self) -> (Option<i32>, String) {
        self.hang_up();
        let code = self.wait().code();
        (code, self.stderr.take().unwrap().join().unwrap())
    }
    #[allow(unsafe_code)]
    pub fn kill(&self, signal: i32) {
        // SAFETY: a plain system call on a process of this test that is not reaped yet.
        unsafe { libc::kill(self.child.id() as i32, signal) };
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // The server dies with the shim.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the test double says about a Message.
pub enum Reply {
    Frames(Vec<(FrameKind, Vec<u8>)>),
    /// Takes the Message and says nothing.
    Silence,
    /// All connections break, without an answer to this Message.
    Die,
    Refuse(&'static str),
}
pub fn allow() -> Reply {
    Reply::Frames(vec![(FrameKind::Allow, Vec::new())])
}
pub fn reply(kind: FrameKind, payload: &str) -> Reply {
    Reply::Frames(vec![(kind, payload.as_bytes().to_vec())])
}

type Decide = dyn Fn(Direction, &[u8]) -> Reply + Send + Sync;

pub struct FakeDaemon {
    socket: PathBuf,
    pub shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

pub struct Shared {
    decide: Box<Decide>,
    stopped: AtomicBool,
    streams: Mutex<Vec<UnixStream>>,
    pub hellos: Mutex<Vec<Hello>>,
    pub seen: AtomicUsize,
    pub closed: Mutex<Vec<Closed>>,
}

impl FakeDaemon {
    pub fn start(home: &Home, decide: impl Fn(Direction, &[u8]) -> Reply + Send + Sync + 'static) -> Self {
        let socket = home.path().join(link::SOCKET);
        let _ = fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).unwrap();
        let shared = Arc::new(Shared {
            decide: Box::new(decide),
            stopped: AtomicBool::new(false),
            streams: Mutex::default(),
            hellos: Mutex::default(),
            seen: AtomicUsize::new(0),
            closed: Mutex::default(),
        });
        let accepting = std::thread::spawn({
            let shared = shared.clone();
            move || {
                for stream in listener.incoming() {
                    let stream = stream.unwrap();
                    let mut streams = shared.streams.lock().unwrap();
                    if shared.stopped.load(Ordering::SeqCst) {
                        return;
                    }
                    streams.push(stream.try_clone().unwrap());
                    drop(streams);
                    let shared = shared.clone();
                    std::thread::spawn(move || shared.serve(stream));
                }
            }
        });
        Self { socket, shared, accepting: Some(accepting) }
    }
    /// Every connection breaks and nobody listens any more.
    pub fn kill(&mut self) {
        self.shared.die();
        if let Some(accepting) = self.accepting.take() {
            let _ = UnixStream::connect(&self.socket);
            accepting.join().unwrap();
        }
        let _ = fs::remove_file(&self.socket);
    }
    /// What a shim said last of how its server failed.
    pub fn wait_for_failure(&self) -> String {
        until("word of a failure", || {
            let mut closed = self.shared.closed.lock().unwrap();
            closed.drain(..).rev().find_map(|closed| closed.failure)
        })
    }
    pub fn wait_for_both_links(&self) {
        until("the link", || (self.shared.hellos.lock().unwrap().len() >= 2).then_some(()));
    }
}

impl Drop for FakeDaemon {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Shared {
    fn die(&self) {
        let mut streams = self.streams.lock().unwrap();
        self.stopped.store(true, Ordering::SeqCst);
        streams.drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
    }

    fn serve(&self, stream: UnixStream) {
        let mut source = BufReader::new(stream.try_clone().unwrap());
        let mut direction = None;
        while let Some(body) = next_frame(&mut source) {
            let frame = link::decode(&body).expect("a frame of this version");
            let mut out = Vec::new();
            match frame.kind {
                FrameKind::Hello => {
                    let hello: Hello = serde_json::from_slice(frame.payload).unwrap();
                    direction = Some(hello.direction);
                    match (self.decide)(hello.direction, b"hello") {
                        Reply::Refuse(why) => link::encode(&mut out, FrameKind::Refused, None, why.as_bytes()),
                        _ => link::encode(&mut out, FrameKind::Welcome, None, br#"{"version":1}"#),
                    }
                    self.hellos.lock().unwrap().push(hello);
                }
                FrameKind::Message => {
                    let reply = (self.decide)(direction.expect("hello first"), frame.payload);
                    self.seen.fetch_add(1, Ordering::SeqCst);
                    match reply {
                        Reply::Frames(frames) => {
                            for (kind, payload) in frames {
                                let seq = if kind == FrameKind::Inject { 0 } else { frame.seq };
                                link::encode(&mut out, kind, Some(seq), &payload);
                            }
                        }
                        Reply::Silence | Reply::Refuse(_) => continue,
                        Reply::Die => return self.die(),
                    }
                }
                FrameKind::Closed => {
                    self.closed.lock().unwrap().push(serde_json::from_slice(frame.payload).unwrap());
                }
                other => panic!("a shim does not send {other:?}"),
            }
            if (&stream).write_all(&out).is_err() {
                return;
            }
        }
    }
}

fn next_frame(source: &mut impl Read) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    source.read_exact(&mut length).ok()?;
    let mut body = vec![0; u32::from_le_bytes(length) as usize];
    source.read_exact(&mut body).ok()?;
    Some(body)
}

pub fn request(id: usize, text: &str) -> String {
    serde_json::json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "echo", "arguments": {"text": text}}})
        .to_string()
}
