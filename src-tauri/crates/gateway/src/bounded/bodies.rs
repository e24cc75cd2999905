//! Requests and answers on their way through a handler, so that their connection knows where they are.

use super::connection::Connection;
use axum::BoxError;
use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// The rest of a request's body did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("the rest of the body did not come in time")]
pub(crate) struct Late;

#[derive(Debug, thiserror::Error)]
#[error("the connection was given up before the whole request had come")]
struct GivenUp;

/// The body of a request.
pub(super) struct Question {
    body: Incoming,
    connection: Arc<Connection>,
    patience: Duration,
    /// From the first time that it is waited for.
    limit: Option<Pin<Box<Sleep>>>,
    has_come: bool,
}

impl Question {
    /// None: the connection has no place any more.
    pub fn begin(connection: Arc<Connection>, body: Incoming, patience: Duration) -> Option<Self> {
        let has_come = http_body::Body::is_end_stream(&body);
        connection.begins(has_come).then(|| Self { body, connection, patience, limit: None, has_come })
    }
    fn received(&mut self) -> bool {
        let first = !std::mem::replace(&mut self.has_come, true);
        !first || self.connection.received()
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.received();
    }
}

impl http_body::Body for Question {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(None) if !self.received() => Poll::Ready(Some(Err(GivenUp.into()))),
            Poll::Ready(frame) => Poll::Ready(frame.map(|frame| frame.map_err(Into::into))),
            Poll::Pending => {
                let patience = self.patience;
                let limit = self.limit.get_or_insert_with(|| Box::pin(sleep(patience)));
                limit.as_mut().poll(cx).map(|()| Some(Err(Late.into())))
            }
        }
    }
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer, which is over when it is dropped.
pub(super) struct Answer {
    connection: Arc<Connection>,
    body: Body,
}

impl Answer {
    pub fn new(connection: Arc<Connection>, body: Body) -> Self {
        Self { connection, body }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.connection.answered();
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
