//! A small HTTP client for loopback: one connection per request. Used towards the running daemon and by the drill's
//! bundled app. Never used for real Upstreams: those belong to the gateway.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use std::io;
use std::time::Duration;

/// No answer of ours takes longer; a drill has its own limits.
const PATIENCE: Duration = Duration::from_secs(30);
/// More than any answer of the API.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

pub(crate) fn failed(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

/// Sends one request to `127.0.0.1:port` and gives the answer's head with its body still streaming.
pub(crate) async fn send(port: u16, mut request: Request<Full<Bytes>>) -> io::Result<Response<Incoming>> {
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let host = format!("127.0.0.1:{port}");
    request.headers_mut().insert(http::header::HOST, http::HeaderValue::from_str(&host).map_err(failed)?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    // Ends with the connection, which ends when the answer's body is dropped.
    tokio::spawn(connection);
    tokio::time::timeout(PATIENCE, sender.send_request(request)).await?.map_err(failed)
}

pub(crate) async fn body(response: Incoming) -> io::Result<Bytes> {
    let limited = http_body_util::Limited::new(response, MAX_BODY_BYTES);
    let collected = tokio::time::timeout(PATIENCE, limited.collect()).await?;
    Ok(collected.map_err(failed)?.to_bytes())
}

/// One Server-Sent Event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SseEvent {
    pub event: String,
    pub data: String,
}

/// Splits a byte stream into Server-Sent Events.
#[derive(Default)]
pub(crate) struct SseReader {
    buffer: Vec<u8>,
}

impl SseReader {
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend(bytes.iter().filter(|&&b| b != b'\r'));
    }

    pub fn next_event(&mut self) -> Option<SseEvent> {
        loop {
            let end = self.buffer.windows(2).position(|pair| pair == b"\n\n")?;
            let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
            let block = String::from_utf8_lossy(&block);
            let (mut event, mut data) = (String::from("message"), Vec::new());
            for line in block.lines() {
                let (field, value) = line.split_once(':').unwrap_or((line, ""));
                let value = value.strip_prefix(' ').unwrap_or(value);
                match field {
                    "event" => event = value.to_owned(),
                    "data" => data.push(value.to_owned()),
                    _ => {}
                }
            }
            if !data.is_empty() {
                return Some(SseEvent { event, data: data.join("\n") });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_however_the_bytes_are_cut() {
        let text = ": hi\r\n\r\nevent: endpoint\r\ndata: /m?x=1\r\n\r\ndata: {\"a\":\ndata: 1}\n\n";
        for size in 1..text.len() {
            let mut reader = SseReader::default();
            let mut seen = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                reader.push(piece);
                while let Some(event) = reader.next_event() {
                    seen.push((event.event, event.data));
                }
            }
            let expected =
                [("endpoint", "/m?x=1"), ("message", "{\"a\":\n1}")].map(|(a, b)| (a.to_owned(), b.to_owned()));
            assert_eq!(seen, expected, "cut every {size} bytes");
        }
    }
}
