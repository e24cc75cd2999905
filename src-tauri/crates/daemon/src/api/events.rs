//! `GET /api/events`: Server-Sent Events. Somebody too slow to keep up is told how many it missed, and refetches.

use super::Shared;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt as _, stream};
use portcullis_domain::api::LiveEvent;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError};

pub(super) async fn stream(State(shared): State<Shared>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let hello = LiveEvent::Hello { version: env!("CARGO_PKG_VERSION").into() };
    // Subscribed before the answer starts, so nothing is lost between hello and the first event.
    let receiver = shared.core.subscribe();
    let stop = shared.core.stop.clone();
    let events = stream::once(async { hello }).chain(stream::unfold(receiver, next));
    let events = events.filter_map(|event| async move { Event::default().json_data(event).ok().map(Ok) });
    Sse::new(events.take_until(stop.cancelled_owned())).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

async fn next(mut receiver: Receiver<LiveEvent>) -> Option<(LiveEvent, Receiver<LiveEvent>)> {
    match receiver.recv().await {
        Ok(event) => Some((event, receiver)),
        Err(RecvError::Lagged(dropped)) => Some((LiveEvent::Gap { dropped }, receiver)),
        Err(RecvError::Closed) => None,
    }
}
