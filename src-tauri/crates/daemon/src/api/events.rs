//! `GET /api/events`: Server-Sent Events. Somebody too slow to keep up is told how many it missed, and refetches.

use super::extract::Query;
use super::{Failure, Shared};
use crate::presence::Sender;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt as _, stream};
use portcullis_domain::api::LiveEvent;
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError};

#[derive(Deserialize)]
pub(super) struct Listening {
    /// Whether a person sees questions there.
    #[serde(default = "yes")]
    asks: bool,
}
fn yes() -> bool {
    true
}

/// Counts a listener that shows nobody a question for as long as it listens.
struct Blind(Arc<AtomicUsize>);

impl Blind {
    fn of(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for Blind {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What an app started is nobody who could answer a question: a command is told so, a page sees the rest.
pub(super) async fn stream(
    State(shared): State<Shared>,
    sender: Sender,
    Query(listening): Query<Listening>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    let is_page = sender.is_page;
    let asks = match listening.asks {
        true => match shared.blocking(move |core| sender.is_no_app(core)).await {
            Ok(_) => true,
            Err(_) if is_page => false,
            Err(failure) => return Err(failure),
        },
        false => false,
    };
    let hello = LiveEvent::Hello { version: env!("CARGO_PKG_VERSION").into() };
    // Subscribed before the answer starts, so nothing is lost between hello and the first event.
    let blind = (!asks).then(|| Blind::of(&shared.core.asks.blind));
    let receiver = shared.core.subscribe();
    let stop = shared.core.stop.clone();
    let events = stream::once(async { hello }).chain(stream::unfold((receiver, blind), next));
    let events = events.filter_map(|event| async move { Event::default().json_data(event).ok().map(Ok) });
    let stream = events.take_until(stop.cancelled_owned());
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

type Hearing = (Receiver<LiveEvent>, Option<Blind>);

async fn next((mut receiver, blind): Hearing) -> Option<(LiveEvent, Hearing)> {
    match receiver.recv().await {
        Ok(event) => Some((event, (receiver, blind))),
        Err(RecvError::Lagged(dropped)) => Some((LiveEvent::Gap { dropped }, (receiver, blind))),
        Err(RecvError::Closed) => None,
    }
}
