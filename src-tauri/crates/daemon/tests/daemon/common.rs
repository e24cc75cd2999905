//! A daemon in a temporary folder, and a raw HTTP client that sends exactly the headers it is told.

use portcullis_daemon::{Config, Daemon, Home};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use tempfile::TempDir;

pub struct Place {
    pub dir: TempDir,
}

impl Place {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("home/.cursor")).unwrap();
        std::fs::write(dir.path().join("shim-stand-in"), "not started by these tests").unwrap();
        Self { dir }
    }
    pub fn home(&self) -> Home {
        Home::at(self.dir.path().join("state")).unwrap()
    }
    pub fn apps_home(&self) -> PathBuf {
        self.dir.path().join("home")
    }
    pub fn cursor_config(&self) -> PathBuf {
        self.apps_home().join(".cursor/mcp.json")
    }
    pub fn config(&self) -> Config {
        Config {
            apps_home: Some(self.apps_home()),
            proxy_port: Some(0),
            dashboard_port: Some(0),
            shim: Some(self.dir.path().join("shim-stand-in")),
            ..Config::at(self.home())
        }
    }
    pub async fn start(&self) -> Daemon {
        Daemon::start(self.config()).await.unwrap()
    }
    pub fn token(&self) -> String {
        std::fs::read_to_string(self.home().token_file()).unwrap()
    }
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// One request on a connection of its own. `headers` are sent as they are, Host included.
pub async fn send(port: u16, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut text = format!("{line} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.push_str(body);
    tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    })
    .await
    .unwrap()
}

/// A request as a page of the dashboard sends it.
pub async fn call(place: &Place, port: u16, line: &str, body: &str) -> Answer {
    let (host, bearer) = (format!("127.0.0.1:{port}"), format!("Bearer {}", place.token()));
    let origin = format!("http://{host}");
    send(port, line, &[("host", &host), ("authorization", &bearer), ("origin", &origin)], body).await
}

/// As a program sends it that knows the token and nothing else.
pub async fn call_as_program(place: &Place, port: u16, line: &str, body: &str, more: &[(&str, &str)]) -> Answer {
    let (host, bearer) = (format!("127.0.0.1:{port}"), format!("Bearer {}", place.token()));
    let headers: Vec<(&str, &str)> =
        [("host", host.as_str()), ("authorization", bearer.as_str())].into_iter().chain(more.iter().copied()).collect();
    send(port, line, &headers, body).await
}

/// A Signature of the person's own that flags (or blocks) one word.
pub fn own_signature(id: &str, word: &str, verdict: &str) -> String {
    format!(
        "id = \"{id}\"\nversion = 1\nstatus = \"stable\"\ntitle = \"A word\"\ndescription = \"d\"\nadvice = \"a\"\ncategory = \"injection\"\n\
         severity = \"low\"\nconfidence = \"high\"\nverdict = \"{verdict}\"\nfalse_positives = \"f\"\n[where]\nroles = [\"any\"]\n[match]\n\
         keywords = [\"{word}\"]\nany = ['{word}']\n[[hit]]\nrole = \"result_text\"\ntext = \"{word}\"\n[[miss]]\nrole = \"result_text\"\ntext = \"x\"\n"
    )
}

/// What a stub answers: a status with a body, or never anything.
pub enum Reply {
    Json(String),
    Raw(String),
    Never,
}

/// An HTTP server on loopback; each request is on a connection of its own.
pub struct Stub {
    pub port: u16,
    pub heard: std::sync::Arc<std::sync::Mutex<Vec<(String, String)>>>,
}

impl Stub {
    pub fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard: std::sync::Arc<std::sync::Mutex<Vec<(String, String)>>> = std::sync::Arc::default();
        let noted = heard.clone();
        let answer = std::sync::Arc::new(answer);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, noted, answer) = (stream.unwrap(), noted.clone(), answer.clone());
                std::thread::spawn(move || {
                    let Some((head, body)) = request(&mut stream) else { return };
                    noted.lock().unwrap().push((head, body.clone()));
                    let text = match answer(&body) {
                        Reply::Json(json) => format!(
                            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{json}",
                            json.len()
                        ),
                        Reply::Raw(text) => text,
                        // Silent, until the other side has enough.
                        Reply::Never => {
                            let _ = stream.read(&mut [0]);
                            return;
                        }
                    };
                    let _ = stream.write_all(text.as_bytes());
                });
            }
        });
        Self { port, heard }
    }

    /// An MCP server whose every tool answers with its argument `text`.
    pub fn echoing() -> Self {
        Self::start(|body| {
            let request: serde_json::Value = serde_json::from_str(body).unwrap();
            let content = serde_json::json!([{ "type": "text", "text": request["params"]["arguments"]["text"] }]);
            Reply::Json(
                serde_json::json!({ "jsonrpc": "2.0", "id": request["id"], "result": { "content": content } })
                    .to_string(),
            )
        })
    }

    pub fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }
}

fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length =
            head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok()).unwrap_or(0);
        if body.len() >= length {
            return Some((head, body.to_owned()));
        }
    }
}

/// Cursor with one protected server; its calls go through the proxy.
pub struct Line {
    port: u16,
    path: String,
}

impl Line {
    pub async fn protect(place: &Place, daemon: &Daemon, upstream: &Stub) -> Self {
        let url = format!("http://127.0.0.1:{}/mcp", upstream.port);
        std::fs::write(place.cursor_config(), format!(r#"{{"mcpServers":{{"docs":{{"url":"{url}"}}}}}}"#)).unwrap();
        daemon.handle().set_app_protected(&portcullis_domain::AppId::new("cursor"), true).await.unwrap();
        let config: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(place.cursor_config()).unwrap()).unwrap();
        let address = config["mcpServers"]["docs"]["url"].as_str().unwrap().to_owned();
        let path = address.splitn(4, '/').nth(3).unwrap();
        Self { port: daemon.running().proxy_port, path: format!("/{path}") }
    }

    /// The answer to a call with this text.
    pub async fn call(&self, text: &str) -> serde_json::Value {
        let arguments = serde_json::json!({ "text": text });
        let call = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "echo", "arguments": arguments } });
        let host = format!("127.0.0.1:{}", self.port);
        let headers = [
            ("host", host.as_str()),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ];
        send(self.port, &format!("POST {}", self.path), &headers, &call.to_string()).await.json()
    }
}

/// Waits for what must come; the limit only turns a hang into a failure.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), looking)
        .await
        .unwrap_or_else(|_| panic!("{what} did not happen"))
}
