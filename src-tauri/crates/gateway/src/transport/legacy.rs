//! Legacy HTTP+SSE (2024-11-05): the `endpoint` event is rewritten below our prefix, and the Messages posted there are
//! judged and forwarded to the address the server really named. Another origin is refused: it could be anything.

use crate::Inner;
use crate::session::Session;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
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

/// The side of a `Connection` that the stream's relay holds: it ends with the relay.
pub(super) struct Stream {
    inner: Arc<Inner>,
    _ended: DropGuard,
    holding: Arc<AtomicUsize>,
    key: String,
    pub post_to: Url,
    injected: mpsc::UnboundedReceiver<Bytes>,
}

impl Stream {
    pub fn open(inner: &Arc<Inner>, session: Arc<Session>, post_to: Url) -> Self {
        let (inject, injected) = mpsc::unbounded_channel();
        let (ended, holding) = (CancellationToken::new(), Arc::<AtomicUsize>::default());
        let _ended = ended.clone().drop_guard();
        let connection = Connection { session, post_to: post_to.clone(), inject, ended, holding: holding.clone() };
        let key = inner.legacy.insert(connection);
        Self { inner: inner.clone(), _ended, holding, key, post_to, injected }
    }

    /// The server named another place: the address that the app was given stays, where it leads changes.
    pub fn move_to(&mut self, post_to: Url) {
        self.post_to = post_to.clone();
        self.inner.legacy.move_to(&self.key, post_to);
    }

    /// What the app is told instead of the server's own address.
    pub fn rewritten(&self, prefix: &str, data: &[u8]) -> Vec<u8> {
        rewritten_endpoint(prefix, &self.key, data)
    }

    /// Whether an answer to something that a person is asked about is still to come on this stream.
    pub fn holds(&self) -> bool {
        self.holding.load(Ordering::Relaxed) > 0
    }

    pub async fn injected(&mut self) -> Option<Bytes> {
        self.injected.recv().await
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.inner.legacy.remove(&self.key);
    }
}

/// Where an `endpoint` event points, if it stays on the Upstream's own origin.
pub(super) fn resolve_endpoint(upstream: &Url, data: &[u8]) -> Option<Url> {
    let endpoint = upstream.join(std::str::from_utf8(data).ok()?.trim()).ok()?;
    (endpoint.origin() == upstream.origin() && endpoint.origin().is_tuple()).then_some(endpoint)
}

/// What the app is told instead: an absolute path below our prefix, the query byte for byte.
fn rewritten_endpoint(prefix: &str, key: &str, data: &[u8]) -> Vec<u8> {
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
