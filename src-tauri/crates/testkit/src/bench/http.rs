//! The HTTP client: so many keep-alive connections, each calling again as soon as it was answered. Every answer is
//! compared with what must come back.

use crate::payload::{self, Payload};
use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Where a leg's calls go.
#[derive(Clone, Debug)]
pub struct Target {
    pub address: SocketAddr,
    pub path: String,
}

impl Target {
    /// Of `http://127.0.0.1:1234/path`: loopback only.
    pub fn parse(url: &str) -> Result<Self> {
        let rest = url.strip_prefix("http://").with_context(|| format!("{url} is no http address"))?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let address: SocketAddr =
            host.replace("localhost", "127.0.0.1").parse().with_context(|| format!("{url} has no numeric address"))?;
        ensure!(address.ip().is_loopback(), "{url} is not on this machine");
        Ok(Self { address, path: format!("/{path}") })
    }
}

/// How much load, and the end of it in any case.
#[derive(Clone, Copy)]
pub struct Load {
    pub connections: usize,
    pub warm_up: u64,
    pub calls: u64,
    pub at_most: Duration,
}

pub struct Measured {
    /// Of each call, microseconds, sorted.
    pub latencies_us: Vec<f64>,
    pub per_second: f64,
}

pub async fn run(target: &Target, payload: &Rc<Payload>, load: Load) -> Result<Measured> {
    let next = Rc::new(Cell::new(1u64));
    let latencies = Rc::new(RefCell::new(Vec::with_capacity(load.calls as usize)));
    let deadline = Instant::now() + load.at_most;
    let mut connections = Vec::new();
    for _ in 0..load.connections {
        let mut connection = Connection::open(target).await?;
        connection.greet().await?;
        connections.push(connection);
    }
    let begun = Rc::new(Cell::new(None));
    // All on this thread: the client is one process on one CPU.
    let local = tokio::task::LocalSet::new();
    let mut tasks = tokio::task::JoinSet::new();
    for mut connection in connections {
        let (next, latencies, begun, payload) = (next.clone(), latencies.clone(), begun.clone(), payload.clone());
        let call_again = async move {
            loop {
                let id = next.get();
                if id > load.warm_up + load.calls || Instant::now() > deadline {
                    return anyhow::Ok(());
                }
                next.set(id + 1);
                let request = connection.request(payload.request(id))?;
                let started = Instant::now();
                let (status, body) = connection.call(request).await?;
                let took = started.elapsed();
                check(status, &body, &payload.response(id))?;
                if id > load.warm_up {
                    begun.set(begun.get().or(Some(started)));
                    latencies.borrow_mut().push(took.as_secs_f64() * 1e6);
                }
            }
        };
        tasks.spawn_local_on(call_again, &local);
    }
    local
        .run_until(async {
            while let Some(ended) = tasks.join_next().await {
                ended?.with_context(|| format!("calling http://{}{}", target.address, target.path))?;
            }
            anyhow::Ok(())
        })
        .await?;
    let Some(begun) = begun.get() else { bail!("no call was measured within {:?}", load.at_most) };
    let mut latencies_us = latencies.take();
    let per_second = latencies_us.len() as f64 / begun.elapsed().as_secs_f64();
    latencies_us.sort_by(f64::total_cmp);
    Ok(Measured { latencies_us, per_second })
}

fn check(status: u16, body: &[u8], expected: &str) -> Result<()> {
    let text = std::str::from_utf8(body).context("the answer is no text")?;
    let start = |text: &str| text.chars().take(300).collect::<String>();
    ensure!(status == 200, "answered with status {status}: {}", start(text));
    ensure!(text.contains(expected), "a wrong answer: {} (expected {})", start(text), start(expected));
    Ok(())
}

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    target: Target,
}

impl Connection {
    async fn open(target: &Target) -> Result<Self> {
        let stream = tokio::net::TcpStream::connect(target.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // Its end shows in the next call.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, target: target.clone() })
    }

    async fn greet(&mut self) -> Result<()> {
        let request = self.request(payload::INITIALIZE.into())?;
        let (status, body) = self.call(request).await?;
        check(status, &body, "serverInfo")?;
        let request = self.request(payload::INITIALIZED.into())?;
        let (status, _) = self.call(request).await?;
        ensure!((200..300).contains(&status), "the notification was answered with status {status}");
        Ok(())
    }

    fn request(&self, body: Bytes) -> Result<Request<Full<Bytes>>> {
        Ok(Request::post(&self.target.path)
            .header("host", self.target.address.to_string())
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", payload::PROTOCOL_VERSION)
            .body(Full::new(body))?)
    }

    async fn call(&mut self, request: Request<Full<Bytes>>) -> Result<(u16, Bytes)> {
        self.sender.ready().await?;
        let response: Response<Incoming> = self.sender.send_request(request).await?;
        let status = response.status().as_u16();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_called() {
        let target = Target::parse("http://127.0.0.1:80/a/b").unwrap();
        assert_eq!((target.address.port(), target.path.as_str()), (80, "/a/b"));
        for url in ["http://192.0.2.1:80/", "https://127.0.0.1:80/", "http://example.org/", ""] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }
}
