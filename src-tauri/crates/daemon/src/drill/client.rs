//! The drill's bundled app: reads an entry of the (rewritten) config as an app would, starts the command or calls the
//! URL that stands there, and speaks MCP. It knows nothing of Portcullis.

use crate::net::{self, SseReader, failed};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use portcullis_domain::Transport;
use serde_json::{Value, json};
use std::io;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

/// Of one request. A refusal comes at once; only something broken takes this long.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Client {
    wire: Wire,
    incoming: mpsc::UnboundedReceiver<Value>,
    deliver: mpsc::UnboundedSender<Value>,
    next_id: u64,
    /// Requests and notifications of the server, as they came.
    pub from_server: Vec<Value>,
}

enum Wire {
    Stdio { child: Box<tokio::process::Child>, stdin: tokio::process::ChildStdin },
    Sse { port: u16, path: String },
    Http { port: u16, path: String, session: Option<String> },
}

impl Client {
    /// `entry`: the value below the server's name in the config.
    pub async fn connect(entry: &Value, transport: Transport) -> io::Result<Self> {
        let (deliver, incoming) = mpsc::unbounded_channel();
        let wire = match transport {
            Transport::Stdio => start(entry, deliver.clone())?,
            Transport::Sse => open_sse(entry, deliver.clone()).await?,
            Transport::StreamableHttp => {
                let (port, path) = local_url(entry)?;
                Wire::Http { port, path, session: None }
            }
        };
        Ok(Self { wire, incoming, deliver, next_id: 0, from_server: Vec::new() })
    }

    pub async fn initialize(&mut self) -> io::Result<Value> {
        let params = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": { "elicitation": {}, "sampling": {} },
            "clientInfo": { "name": "portcullis-drill", "version": env!("CARGO_PKG_VERSION") }
        });
        let answer = self.request("initialize", params).await?;
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await?;
        Ok(answer)
    }

    /// The whole response Message.
    pub async fn request(&mut self, method: &str, params: Value) -> io::Result<Value> {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await?;
        let answer = tokio::time::timeout(PATIENCE, async {
            while let Some(message) = self.incoming.recv().await {
                if message.get("method").is_none() && message["id"] == json!(id) {
                    return Ok(message);
                }
                self.answer(&message).await?;
                self.from_server.push(message);
            }
            Err(failed("the connection closed"))
        });
        answer.await.map_err(|_| failed(format!("no answer to {method} in {} s", PATIENCE.as_secs())))?
    }

    /// The server's own questions are declined, as a careful person would.
    async fn answer(&mut self, question: &Value) -> io::Result<()> {
        match (question["method"].as_str(), question.get("id")) {
            (Some(_), Some(id)) => {
                self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": { "action": "decline" } })).await
            }
            _ => Ok(()),
        }
    }

    async fn send(&mut self, message: &Value) -> io::Result<()> {
        match &mut self.wire {
            Wire::Stdio { stdin, .. } => stdin.write_all(format!("{message}\n").as_bytes()).await,
            Wire::Sse { port, path } => {
                let response = net::send(*port, post(path, message, None)?).await?;
                accepted(response.status())?;
                // A proxy may answer in the body of the POST instead of on the stream.
                let body = net::body(response.into_body()).await?;
                serde_json::from_slice(&body).ok().into_iter().for_each(|message| drop(self.deliver.send(message)));
                Ok(())
            }
            Wire::Http { port, path, session } => {
                let response = net::send(*port, post(path, message, session.as_deref())?).await?;
                let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
                *session = header("mcp-session-id").or(session.take());
                let is_stream = header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
                let status = response.status();
                let body = net::body(response.into_body()).await?;
                if is_stream {
                    let mut reader = SseReader::default();
                    reader.push(&body);
                    reader.push(b"\n\n");
                    while let Some(event) = reader.next_event() {
                        deliver_text(&self.deliver, &event.data);
                    }
                } else if let Ok(message) = serde_json::from_slice(&body) {
                    let _ = self.deliver.send(message);
                } else {
                    accepted(status)?;
                }
                Ok(())
            }
        }
    }

    /// Ends the Session as an app does: stdin closed, the child gone.
    pub async fn close(self) {
        if let Wire::Stdio { mut child, stdin } = self.wire {
            drop(stdin);
            if tokio::time::timeout(Duration::from_secs(2), child.wait()).await.is_err() {
                let _ = child.kill().await;
            }
        }
    }
}

fn accepted(status: http::StatusCode) -> io::Result<()> {
    if status.is_success() { Ok(()) } else { Err(failed(format!("the answer was HTTP {status}"))) }
}

fn deliver_text(deliver: &mpsc::UnboundedSender<Value>, text: &str) {
    if let Ok(message) = serde_json::from_str(text) {
        let _ = deliver.send(message);
    }
}

fn start(entry: &Value, deliver: mpsc::UnboundedSender<Value>) -> io::Result<Wire> {
    let command = entry["command"].as_str().ok_or_else(|| failed("the entry has no command"))?;
    let args = entry["args"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut child = tokio::process::Command::new(command)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("{command} did not start: {error}")))?;
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(failed("the child has no pipes"));
    };
    tokio::spawn(async move {
        let mut lines = tokio::io::BufReader::new(stdout).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            deliver_text(&deliver, &line);
        }
    });
    Ok(Wire::Stdio { child: Box::new(child), stdin })
}

async fn open_sse(entry: &Value, deliver: mpsc::UnboundedSender<Value>) -> io::Result<Wire> {
    let (port, path) = local_url(entry)?;
    let request = Request::get(&path).header("accept", "text/event-stream").body(Full::default()).map_err(failed)?;
    let response = net::send(port, request).await?;
    accepted(response.status())?;
    let mut body = response.into_body();
    let (found, endpoint) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let (mut reader, mut found) = (SseReader::default(), Some(found));
        loop {
            let frame = tokio::select! {
                frame = body.frame() => frame,
                // The Session is over.
                () = deliver.closed() => return,
            };
            let Some(Ok(frame)) = frame else { return };
            reader.push(frame.data_ref().map_or(&[][..], |data| data));
            while let Some(event) = reader.next_event() {
                if event.event == "endpoint" {
                    found.take().map(|found| found.send(event.data));
                } else {
                    deliver_text(&deliver, &event.data);
                }
            }
        }
    });
    let endpoint = tokio::time::timeout(PATIENCE, endpoint).await.map_err(|_| failed("no endpoint event came"))?;
    let endpoint = endpoint.map_err(|_| failed("the stream closed before its endpoint event"))?;
    let base = url::Url::parse(&format!("http://127.0.0.1:{port}{path}")).map_err(failed)?;
    let endpoint = base.join(&endpoint).map_err(failed)?;
    Ok(Wire::Sse { port, path: path_of(&endpoint) })
}

fn local_url(entry: &Value) -> io::Result<(u16, String)> {
    let url = url::Url::parse(entry["url"].as_str().unwrap_or_default()).map_err(failed)?;
    let port = url.port().filter(|_| url.host_str() == Some("127.0.0.1"));
    Ok((port.ok_or_else(|| failed("the entry's URL is not on 127.0.0.1"))?, path_of(&url)))
}

fn path_of(url: &url::Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

fn post(path: &str, message: &Value, session: Option<&str>) -> io::Result<Request<Full<Bytes>>> {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-06-18");
    let request = match session {
        Some(session) => request.header("mcp-session-id", session),
        None => request,
    };
    request.body(Full::from(message.to_string())).map_err(failed)
}
