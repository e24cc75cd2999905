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
