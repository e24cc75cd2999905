//! Legacy HTTP+SSE (2024-11-05): the `endpoint` event is rewritten below our prefix, and the Messages posted there are
//! judged and forwarded to the address the server really named. Another origin is refused: it could be anything.

use crate::session::Session;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

/// One open SSE stream.
#[derive(Clone)]
pub(crate) struct Connection {
    pub session: Arc<Session>,
    /// Where the server wants its Messages.
    pub post_to: Url,
    /// Whole events to put on the stream (answers to blocked requests).
    pub inject: mpsc::UnboundedSender<Bytes>,
    /// Cancelled when the stream ends: what is held for it is void then.
    pub ended: CancellationToken,
    /// Requests that a person is asked about.
    pub holding: Arc<AtomicUsize>,
}

#[derive(Default)]
pub(crate) struct Connections {
    by_key: Mutex<HashMap<String, Connection>>,
}

impl Connections {
    fn map(&self) -> MutexGuard<'_, HashMap<String, Connection>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub fn get(&self, key: &str) -> Option<Connection> {
        self.map().get(key).cloned()
    }
    pub fn insert(&self, connection: Connection) -> String {
        let key = data_encoding::BASE32_NOPAD.encode(&crate::record::random::<16>()).to_ascii_lowercase();
        self.map().insert(key.clone(), connection);
        key
    }
    /// The server named another place for its Messages.
    pub fn move_to(&self, key: &str, post_to: Url) {
        if let Some(connection) = self.map().get_mut(key) {
            connection.post_to = post_to;
        }
    }
    pub fn remove(&self, key: &str) {
        self.map().remove(key);
    }
}

/// Where an `endpoint` event points, if it stays on the Upstream's own origin.
pub(crate) fn resolve_endpoint(upstream: &Url, data: &[u8]) -> Option<Url> {
    let endpoint = upstream.join(std::str::from_utf8(data).ok()?.trim()).ok()?;
    (endpoint.origin() == upstream.origin() && endpoint.origin().is_tuple()).then_some(endpoint)
}

/// What the app is told instead: an absolute path below our prefix, the query byte for byte.
pub(crate) fn rewritten_endpoint(prefix: &str, key: &str, data: &[u8]) -> Vec<u8> {
    let query = data.iter().position(|&b| b == b'?').map_or(&[][..], |at| &data[at..]);
    [prefix.as_bytes(), b"/m/", key.as_bytes(), query].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_stay_on_their_origin() {
        let upstream: Url = "http://127.0.0.1:9/base/sse".parse().unwrap();
        let resolve = |data: &str| resolve_endpoint(&upstream, data.as_bytes()).map(|url| url.to_string());
        assert_eq!(resolve("/message?sid=1").as_deref(), Some("http://127.0.0.1:9/message?sid=1"));
        assert_eq!(resolve("message?sid=1").as_deref(), Some("http://127.0.0.1:9/base/message?sid=1"));
        assert_eq!(resolve("http://127.0.0.1:9/m").as_deref(), Some("http://127.0.0.1:9/m"));
        for foreign in [
            "http://evil.example/m",
            "//evil.example/m",
            "https://127.0.0.1:9/m",
            "http://127.0.0.1:10/m",
            "file:///etc/passwd",
        ] {
            assert_eq!(resolve(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn the_query_is_kept_byte_for_byte() {
        assert_eq!(rewritten_endpoint("/a/b~c", "k", b"/message?sid=%31&x=a+b"), b"/a/b~c/m/k?sid=%31&x=a+b");
        assert_eq!(rewritten_endpoint("/a/b~c", "k", b"message"), b"/a/b~c/m/k");
    }
}
