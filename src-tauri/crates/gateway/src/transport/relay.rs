//! The way back, hop 7: an Upstream's response body, Message by Message. Each is held until its verdict, the stream
//! around it never is. Dropping this stream (the app closed its side) closes the upstream side at once, and the reverse.

use super::coding::Source;
use super::held::{COMMENT, COMMENT_EVERY};
use super::json_frames::JsonFrames;
use super::legacy::{self, Connection};
use super::sse_frames::{Event, SseFrames, TooLarge, has_other_line_end};
use crate::Gateway;
use crate::inspect::Inspected;
use crate::session::Session;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use portcullis_domain::Direction;
use portcullis_policy::{Action, BLOCKED_CODE, refusal};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

const MAX_ANSWERING: usize = 8;
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Relay {
    pub gateway: Gateway,
    pub session: Arc<Session>,
    pub body: Source,
    /// Where our own answers to the server's requests go, and the headers that make them part of the session.
    pub upstream_url: Url,
    pub headers: http::HeaderMap,
    /// `/<app>/<slug>~<id>`, for the `endpoint` event of a legacy stream.
    pub prefix: String,
    frames: Frames,
    ready: VecDeque<Bytes>,
    done: bool,
    /// Messages that a person is asked about; what follows them on the stream passes them.
    held: FuturesUnordered<BoxFuture<'static, (Piece, Action)>>,
    legacy: Option<Legacy>,
    /// Bounds our own answers under way: a server may ask without end and never take them.
    answering: Arc<Semaphore>,
    /// Ids of the requests this body answers: whatever is still open when it ends got no answer.
    pub awaited: Vec<String>,
}

enum Frames {
    Sse(SseFrames),
    Json(JsonFrames),
}

struct Legacy {
    _ended: DropGuard,
    /// Requests that a person is asked about: their answers come on this stream.
    holding: Arc<AtomicUsize>,
    key: String,
    post_to: Url,
    injected: mpsc::UnboundedReceiver<Bytes>,
}

impl Relay {
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        gateway: Gateway,
        session: Arc<Session>,
        body: Source,
        upstream_url: Url,
        headers: http::HeaderMap,
        prefix: String,
        is_event_stream: bool,
        awaited: Vec<String>,
    ) -> Self {
        let max = gateway.inner.judge.load().limits().max_message_bytes;
        let frames =
            if is_event_stream { Frames::Sse(SseFrames::new(max)) } else { Frames::Json(JsonFrames::new(max)) };
        let held = FuturesUnordered::new();
        let (ready, done, legacy, answering) = (VecDeque::new(), false, None, Arc::new(Semaphore::new(MAX_ANSWERING)));
        Self {
            gateway,
            session,
            body,
            upstream_url,
            headers,
            prefix,
            frames,
            ready,
            done,
            held,
            legacy,
            answering,
            awaited,
        }
    }

    /// The next bytes for the app. None: the body has ended. Err: it ends before its end, and the app must see that.
    pub async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(Ok(bytes));
            }
            if self.done && self.held.is_empty() {
                return None;
            }
            let inner = self.gateway.inner.clone();
            let stopping = inner.stop.is_cancelled();
            if stopping && !self.owes() && self.held.is_empty() {
                return None;
            }
            let piece = tokio::select! {
                biased;
                Some((piece, action)) = self.held.next(), if !self.held.is_empty() => {
                    self.release(piece, action);
                    continue;
                }
                () = inner.cut.cancelled() => {
                    self.done = true;
                    return Some(Err(Broken::Stopped));
                }
                () = inner.stop.cancelled(), if !stopping => continue,
                Some(event) = injected(&mut self.legacy) => return Some(Ok(event)),
                () = tokio::time::sleep(COMMENT_EVERY), if self.is_stream() && !self.held.is_empty() => {
                    return Some(Ok(Bytes::from_static(COMMENT)));
                }
                piece = self.body.next(), if !self.done => piece,
            };
            match piece {
                Some(Ok(data)) => self.push(&data),
                Some(Err(broken)) => {
                    self.done = true;
                    return Some(Err(broken));
                }
                None => self.finish(),
            }
        }
    }

    /// Whether somebody waits for what is still to come: a plain body is one answer, a stream may hold several or none.
    fn owes(&self) -> bool {
        match (&self.frames, &self.legacy) {
            (Frames::Json(_), _) => true,
            (Frames::Sse(_), Some(legacy)) => legacy.holding.load(Ordering::Relaxed) > 0 || self.session.owes(None),
            (Frames::Sse(_), None) => self.session.owes(Some(&self.awaited)),
        }
    }

    /// Collects a body that must be judged before the status line goes out.
    fn push(&mut self, data: &[u8]) {
        match &mut self.frames {
            Frames::Sse(frames) => frames.push(data),
            Frames::Json(frames) => frames.push(data),
        }
        loop {
            let step = match &mut self.frames {
                Frames::Sse(frames) => frames.next_event().map(|event| event.map(Piece::Event)),
                Frames::Json(frames) => frames.next_document().map(|document| document.map(Piece::Document)),
            };
            match step {
                Ok(Some(Piece::Event(event))) => self.event(event),
                Ok(Some(Piece::Document(document))) => self.document(document),
                Ok(None) => return,
                Err(TooLarge) => return self.too_large(),
            }
            if self.done {
                return;
            }
        }
    }

    fn finish(&mut self) {
        self.done = true;
        match &mut self.frames {
            Frames::Sse(frames) => {
                if let Some(event) = frames.rest() {
                    self.event(event);
                }
            }
            Frames::Json(frames) => {
                let rest = frames.rest();
                if rest.iter().all(u8::is_ascii_whitespace) {
                    self.emit(rest);
                } else {
                    self.document(rest);
                }
            }
        }
    }

    fn emit(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.ready.push_back(bytes);
        }
    }

    fn is_stream(&self) -> bool {
        matches!(self.frames, Frames::Sse(_))
    }

    fn document(&mut self, document: Bytes) {
        if let Some((piece, action)) = self.inspect(Piece::Document(document)) {
            self.release(piece, action);
        }
    }

    fn event(&mut self, mut event: Event) {
        if let Some(aside) = event.aside()
            && !self.gateway.inner.passes(&self.session, Direction::ToClient, &aside)
        {
            event.drop_aside();
        }
        let Some(data) = event.data.as_deref().filter(|data| !data.is_empty()) else {
            return self.emit(if event.odd { event.without_data() } else { event.raw });
        };
        if event.name.as_deref() == Some(b"endpoint") {
            return self.endpoint(&event, data);
        }
        // Inside a JSON string such a line end is text; anywhere else it is there to be read differently.
        if has_other_line_end(data) && !self.gateway.inner.is_json(data) {
            return self.emit(event.without_data());
        }
        if let Some((piece, action)) = self.inspect(Piece::Event(event)) {
            self.release(piece, action);
        }
    }

    /// Does what was decided about one Message.
    fn release(&mut self, piece: Piece, action: Action) {
        match (piece, action) {
            (Piece::Document(document), Action::Forward) => self.emit(document),
            (Piece::Document(_), Action::Replace(bytes) | Action::Refuse(bytes)) => self.emit(bytes.into()),
            (Piece::Document(_), Action::Answer(bytes)) => self.answer_upstream(bytes),
            (Piece::Document(_), Action::Split { on, back }) => {
                self.answer_upstream(back);
                self.emit(on.into());
            }
            (Piece::Document(_), Action::Drop) => {}
            (Piece::Event(event), Action::Forward) if event.odd => {
                let data = event.data.clone().unwrap_or_default();
                self.emit(event.with_data(&data));
            }
            (Piece::Event(event), Action::Forward) => self.emit(event.raw),
            (Piece::Event(event), Action::Replace(bytes) | Action::Refuse(bytes)) => self.emit(event.with_data(&bytes)),
            (Piece::Event(event), Action::Answer(bytes)) => {
                self.answer_upstream(bytes);
                self.emit(event.without_data());
            }
            (Piece::Event(event), Action::Split { on, back }) => {
                self.answer_upstream(back);
                self.emit(event.with_data(&on));
            }
            (Piece::Event(event), Action::Drop) => self.emit(event.without_data()),
        }
    }

    /// None: a person is asked; `next` goes on with it.
    fn inspect(&mut self, piece: Piece) -> Option<(Piece, Action)> {
        let bytes = match &piece {
            Piece::Document(document) => &document[..],
            Piece::Event(event) => event.data.as_deref().unwrap_or_default(),
        };
        let judged = match self.gateway.inner.inspect(&self.session, Direction::ToClient, bytes, &[]) {
            Inspected::Done(judged) => judged,
            Inspected::Held(held) => {
                self.held.push(Box::pin(async move { (piece, held.settled().await.action) }));
                return None;
            }
        };
        let action = match (&judged.action, self.awaited.first()) {
            // Instead of something that could not even be read: the app waits for an answer under its own id.
            (Action::Replace(_), Some(id)) if judged.messages.is_empty() => {
                let message = "Portcullis withheld the server's answer: a check did not allow what it holds.";
                Action::Replace(refusal(Some(id), BLOCKED_CODE, message))
            }
            _ => judged.action,
        };
        Some((piece, action))
    }

    fn endpoint(&mut self, event: &Event, data: &[u8]) {
        let Some(post_to) = legacy::resolve_endpoint(&self.upstream_url, data) else {
            let message = "Portcullis closed this connection: the server's endpoint event points to another origin.";
            self.emit(event.with_data(&refusal(None, BLOCKED_CODE, message)));
            self.done = true;
            return;
        };
        if let Some(legacy) = &mut self.legacy {
            // Named again: the address that the app was given stays, where it leads changes.
            legacy.post_to = post_to.clone();
            let key = legacy.key.clone();
            self.gateway.inner.legacy.move_to(&key, post_to);
            return self.emit(event.with_data(&legacy::rewritten_endpoint(&self.prefix, &key, data)));
        }
        let (inject, injected) = mpsc::unbounded_channel();
        let ended = CancellationToken::new();
        let guard = ended.clone().drop_guard();
        let holding = Arc::<AtomicUsize>::default();
        let (session, post) = (self.session.clone(), post_to.clone());
        let connection = Connection { session, post_to: post, inject, ended, holding: holding.clone() };
        let key = self.gateway.inner.legacy.insert(connection);
        self.emit(event.with_data(&legacy::rewritten_endpoint(&self.prefix, &key, data)));
        self.legacy = Some(Legacy { _ended: guard, holding, key, post_to, injected });
    }

    /// A blocked server request gets our answer; the app never hears of it.
    fn answer_upstream(&self, answer: Vec<u8>) {
        let to = self.legacy.as_ref().map_or(&self.upstream_url, |legacy| &legacy.post_to).clone();
        let (gateway, mut headers) = (self.gateway.clone(), self.headers.clone());
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        // The stream this came on may have been asked for as a stream alone; a POST must accept both.
        let both = http::HeaderValue::from_static("application/json, text/event-stream");
        headers.insert(http::header::ACCEPT, both);
        headers.remove("last-event-id");
        let Ok(permit) = self.answering.clone().try_acquire_owned() else {
            tracing::warn!("a server sends more hostile requests than can be answered: some get no answer");
            return;
        };
        tokio::spawn(async move {
            let _permit = permit;
            let sending = super::http::send(&gateway, http::Method::POST, &to, &headers, answer.into());
            match tokio::time::timeout(ANSWER_TIMEOUT, sending).await {
                Ok(Ok(_)) => {}
                Ok(Err(why)) => tracing::warn!(%why, "the answer to a blocked server request could not be delivered"),
                Err(_) => tracing::warn!("a server does not take the answer to its blocked request"),
            }
        });
    }

    fn too_large(&mut self) {
        self.done = true;
        let message = "Portcullis withheld a server's message: it is larger than the limit.";
        let answer = refusal(self.awaited.first().map(String::as_str), BLOCKED_CODE, message);
        match self.frames {
            Frames::Sse(_) => self.emit([&b"data: "[..], &answer, b"\n\n"].concat().into()),
            Frames::Json(_) => self.emit(answer.into()),
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // First what is held: its rows are those of requests that are still open.
        self.held.clear();
        let inner = &self.gateway.inner;
        if let Some(legacy) = &self.legacy {
            inner.legacy.remove(&legacy.key);
            inner.abandon(&self.session, "the connection closed before an answer came");
        }
        // A stream may end early and be resumed (polling); a plain body that ends is the only answer there will be.
        if matches!(self.frames, Frames::Json(_)) {
            for id in &self.awaited {
                if let Some(open) = self.session.close(Direction::ToUpstream, id) {
                    inner.fail(open, "the server's answer holds no response to this request");
                }
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error(transparent)]
    Upstream(hyper::Error),
    #[error("its body is not what its Content-Encoding says: {0}")]
    Encoded(std::io::Error),
    #[error("Portcullis stopped before the answer was complete")]
    Stopped,
}

enum Piece {
    Event(Event),
    Document(Bytes),
}

async fn injected(legacy: &mut Option<Legacy>) -> Option<Bytes> {
    match legacy {
        Some(legacy) => legacy.injected.recv().await,
        None => std::future::pending().await,
    }
}
