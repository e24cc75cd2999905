//! What a response body consists of: events of a stream, or JSON documents; and how each is written again after its
//! Verdict, in its place and its form.

use super::json_frames::JsonFrames;
use super::sse_frames::{Event, SseFrames, TooLarge};
use bytes::Bytes;
use portcullis_policy::Action;

pub(super) enum Frames {
    Sse(SseFrames),
    Json(JsonFrames),
}

impl Frames {
    pub fn new(is_event_stream: bool, max_bytes: usize) -> Self {
        if is_event_stream { Self::Sse(SseFrames::new(max_bytes)) } else { Self::Json(JsonFrames::new(max_bytes)) }
    }

    pub fn is_stream(&self) -> bool {
        matches!(self, Self::Sse(_))
    }

    pub fn push(&mut self, data: &[u8]) {
        match self {
            Self::Sse(frames) => frames.push(data),
            Self::Json(frames) => frames.push(data),
        }
    }

    pub fn next(&mut self) -> Result<Option<Piece>, TooLarge> {
        match self {
            Self::Sse(frames) => frames.next_event().map(|event| event.map(Piece::Event)),
            Self::Json(frames) => frames.next_document().map(|document| document.map(Piece::Document)),
        }
    }

    /// What is left at the end of the body.
    pub fn rest(&mut self) -> Option<Piece> {
        match self {
            Self::Sse(frames) => frames.rest().map(Piece::Event),
            Self::Json(frames) => Some(Piece::Document(frames.rest())),
        }
    }

    /// A Message of ours, standing alone.
    pub fn alone(&self, message: Vec<u8>) -> Bytes {
        match self {
            Self::Sse(_) => [&b"data: "[..], &message, b"\n\n"].concat().into(),
            Self::Json(_) => message.into(),
        }
    }
}

pub(super) enum Piece {
    Event(Event),
    Document(Bytes),
}

/// What becomes of one Piece.
pub(super) struct Written {
    pub to_client: Bytes,
    /// Our answer to the server.
    pub back: Option<Vec<u8>>,
}

impl Piece {
    /// The Message in it.
    pub fn message(&self) -> &[u8] {
        match self {
            Self::Document(document) => document,
            Self::Event(event) => event.data.as_deref().unwrap_or_default(),
        }
    }

    /// The piece as it goes on under `action`.
    pub fn write(self, action: Action) -> Written {
        let (on, back) = match action {
            Action::Forward => return Written { to_client: self.unchanged(), back: None },
            Action::Replace(bytes) | Action::Refuse(bytes) => (Some(bytes), None),
            Action::Answer(back) => (None, Some(back)),
            Action::Split { on, back } => (Some(on), Some(back)),
            Action::Drop => (None, None),
        };
        let to_client = match (self, on) {
            (Self::Document(_), on) => on.unwrap_or_default().into(),
            (Self::Event(event), Some(on)) => event.with_data(&on),
            (Self::Event(event), None) => event.without_data(),
        };
        Written { to_client, back }
    }

    fn unchanged(self) -> Bytes {
        match self {
            Self::Document(document) => document,
            Self::Event(event) if event.odd => event.with_data(event.data.as_deref().unwrap_or_default()),
            Self::Event(event) => event.raw,
        }
    }
}
