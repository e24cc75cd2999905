//! The way back, hop 7: an Upstream's response body, Message by Message. Each is held until its verdict, the stream
//! around it never is. Dropping this stream (the app closed its side) closes the upstream side at once, and the reverse.

use super::answering::Answering;
use super::coding::Source;
use super::held::{COMMENT, COMMENT_EVERY};
use super::legacy::{self, Stream};
use super::pieces::{Frames, Piece};
use super::sse_frames::{Event, has_other_line_end};
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
use url::Url;

pub(crate) struct Relay {
    gateway: Gateway,
    session: Arc<Session>,
    body: Source,
    /// Where our own answers to the server's requests go, unless its stream names another place.
    upstream_url: Url,
    /// `/<app>/<slug>~<id>`, for the `endpoint` event of a legacy stream.
    prefix: String,
    frames: Frames,
    ready: VecDeque<Bytes>,
    done: bool,
    /// Messages that a person is asked about; what follows them on the stream passes them.
    held: FuturesUnordered<BoxFuture<'static, (Piece, Action)>>,
    legacy: Option<Stream>,
    answering: Answering,
    /// Ids of the requests this body answers: whatever is still open when it ends got no answer.
    pub awaited: Vec<String>,
}

/// Which conversation a body belongs to.
pub(super) struct Of {
    pub session: Arc<Session>,
    pub upstream_url: Url,
    /// Of the request that this body answers.
    pub headers: http::HeaderMap,
    pub prefix: String,
    pub awaited: Vec<String>,
}

impl Relay {
    pub fn new(gateway: Gateway, of: Of, body: Source, is_event_stream: bool) -> Self {
        let max = gateway.inner.judge.load().limits().max_message_bytes;
        Self {
            answering: Answering::new(gateway.clone(), of.headers),
            gateway,
            session: of.session,
            body,
            upstream_url: of.upstream_url,
            prefix: of.prefix,
            frames: Frames::new(is_event_stream, max),
            ready: VecDeque::new(),
            done: false,
            held: FuturesUnordered::new(),
            legacy: None,
            awaited: of.awaited,
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
                    return Some(Err(written_first(Broken::Stopped).await));
                }
                () = inner.stop.cancelled(), if !stopping => continue,
                Some(event) = injected(&mut self.legacy) => return Some(Ok(event)),
                () = tokio::time::sleep(COMMENT_EVERY), if self.frames.is_stream() && !self.held.is_empty() => {
                    return Some(Ok(Bytes::from_static(COMMENT)));
                }
                piece = self.body.next(), if !self.done => piece,
            };
            match piece {
                Some(Ok(data)) => self.push(&data),
                Some(Err(broken)) => {
                    self.done = true;
                    if self.owes() {
                        let why = format!("it broke off its answer: {broken}");
                        inner.failed_upstream(&self.session.upstream.id, &why);
                    }
                    return Some(Err(written_first(broken).await));
                }
                None => self.finish(),
            }
        }
    }

    /// Whether somebody waits for what is still to come: a plain body is one answer, a stream may hold several or none.
    fn owes(&self) -> bool {
        match (&self.frames, &self.legacy) {
            (Frames::Json(_), _) => true,
            (Frames::Sse(_), Some(legacy)) => legacy.holds() || self.session.owes(None),
            (Frames::Sse(_), None) => self.session.owes(Some(&self.awaited)),
        }
    }

    fn push(&mut self, data: &[u8]) {
        self.frames.push(data);
        while !self.done {
            match self.frames.next() {
                Ok(Some(piece)) => self.piece(piece),
                Ok(None) => return,
                Err(_) => self.too_large(),
            }
        }
    }

    fn finish(&mut self) {
        self.done = true;
        match self.frames.rest() {
            Some(Piece::Document(rest)) if rest.iter().all(u8::is_ascii_whitespace) => self.emit(rest),
            rest => rest.into_iter().for_each(|piece| self.piece(piece)),
        }
    }

    fn emit(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.ready.push_back(bytes);
        }
    }

    fn piece(&mut self, piece: Piece) {
        let piece = match piece {
            Piece::Event(event) => match self.message_of(event) {
                Some(event) => Piece::Event(event),
                None => return,
            },
            document => document,
        };
        if let Some((piece, action)) = self.inspect(piece) {
            self.release(piece, action);
        }
    }

    /// The event, if there is a Message in it to be judged; what surrounds Messages is dealt with here.
    fn message_of(&mut self, mut event: Event) -> Option<Event> {
        if let Some(aside) = event.aside()
            && !self.gateway.inner.passes(&self.session, Direction::ToClient, &aside)
        {
            event.drop_aside();
        }
        let Some(data) = event.data.as_deref().filter(|data| !data.is_empty()) else {
            self.emit(if event.odd { event.without_data() } else { event.raw });
            return None;
        };
        if event.name.as_deref() == Some(b"endpoint") {
            self.endpoint(&event, data);
            return None;
        }
        // Inside a JSON string such a line end is text; anywhere else it is there to be read differently.
        if has_other_line_end(data) && !self.gateway.inner.is_json(data) {
            self.emit(event.without_data());
            return None;
        }
        Some(event)
    }

    /// None: a person is asked; `next` goes on with it.
    fn inspect(&mut self, piece: Piece) -> Option<(Piece, Action)> {
        let judged = match self.gateway.inner.inspect(&self.session, Direction::ToClient, piece.message(), &[]) {
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

    /// Does what was decided about one Message.
    fn release(&mut self, piece: Piece, action: Action) {
        let written = piece.write(action);
        if let Some(back) = written.back {
            let to = self.legacy.as_ref().map_or(&self.upstream_url, |legacy| &legacy.post_to).clone();
            self.answering.send(to, back);
        }
        self.emit(written.to_client);
    }

    fn endpoint(&mut self, event: &Event, data: &[u8]) {
        let Some(post_to) = legacy::resolve_endpoint(&self.upstream_url, data) else {
            let message = "Portcullis closed this connection: the server's endpoint event points to another origin.";
            self.emit(event.with_data(&refusal(None, BLOCKED_CODE, message)));
            self.done = true;
            return;
        };
        match &mut self.legacy {
            Some(stream) => stream.move_to(post_to),
            None => self.legacy = Some(Stream::open(&self.gateway.inner, self.session.clone(), post_to)),
        }
        let rewritten = self.legacy.as_ref().map(|stream| stream.rewritten(&self.prefix, data));
        self.emit(event.with_data(&rewritten.unwrap_or_default()));
    }

    fn too_large(&mut self) {
        self.done = true;
        let message = "Portcullis withheld a server's message: it is larger than the limit.";
        let answer = refusal(self.awaited.first().map(String::as_str), BLOCKED_CODE, message);
        self.emit(self.frames.alone(answer));
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // First what is held: its rows are those of requests that are still open.
        self.held.clear();
        let inner = &self.gateway.inner;
        if self.legacy.take().is_some() {
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

async fn injected(legacy: &mut Option<Stream>) -> Option<Bytes> {
    match legacy {
        Some(legacy) => legacy.injected().await,
        None => std::future::pending().await,
    }
}

/// A connection whose body fails is closed at once, with what waited to be written: it gets a turn to write that first.
async fn written_first(broken: Broken) -> Broken {
    tokio::task::yield_now().await;
    broken
}
