//! Keeping an app alive while its request is held: an event stream of our own with comments, progress where the app gave
//! a token, and then the answer on it. Status 200 is out by then, so whatever the server answers becomes an event.

use super::call::Call;
use super::minted::Refused;
use crate::hold::Held;
use crate::session::Session;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, header};
use http_body_util::BodyExt;
use portcullis_domain::json::{Doc, Mode};
use portcullis_policy::{BLOCKED_CODE, Judged, refusal};
use std::time::Duration;
use tokio::sync::mpsc;

/// Beats the 300 s after which common HTTP clients give a silent stream up.
pub(super) const COMMENT_EVERY: Duration = Duration::from_secs(15);
const PROGRESS_EVERY: Duration = Duration::from_secs(5);
pub(super) const COMMENT: &[u8] = b": Portcullis waits for the person's approval\n\n";
/// Pieces of the server's stream that wait for a slow app.
const MAX_QUEUED: usize = 16;

/// One event with `data`, however many lines it has.
pub(super) fn event(data: &[u8]) -> Bytes {
    let mut out = b"event: message\n".to_vec();
    for line in data.split(|&b| b == b'\n') {
        out.extend_from_slice(b"data: ");
        // Between tokens it is white space; inside a string JSON allows none.
        out.extend(line.iter().map(|&b| if b == b'\r' { b' ' } else { b }));
        out.push(b'\n');
    }
    out.push(b'\n');
    out.into()
}

/// Rises by so little that the server's own progress for the same token still rises after it.
fn progress(token: &str, step: u32) -> Vec<u8> {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":{},"message":"Waiting for your approval in Portcullis"}}}}"#,
        f64::from(step) / 1000.0
    )
    .into_bytes()
}

/// Settles a held Message; meanwhile `alive` gets comments (None) and progress.
pub(super) async fn settled(held: Box<Held>, mut alive: impl FnMut(Option<Vec<u8>>)) -> Judged {
    let token = held.question.progress.clone();
    // At once, so that the app sees its answer begin.
    alive(None);
    let mut comments = tokio::time::interval_at(tokio::time::Instant::now() + COMMENT_EVERY, COMMENT_EVERY);
    let mut steps = tokio::time::interval(PROGRESS_EVERY);
    let mut step = 0;
    let settling = held.settled();
    tokio::pin!(settling);
    loop {
        tokio::select! {
            biased;
            judged = &mut settling => return judged,
            _ = comments.tick() => alive(None),
            _ = steps.tick() => {
                step += 1;
                if let Some(token) = &token {
                    alive(Some(progress(token, step)));
                }
            }
        }
    }
}

/// stdio: no comments there, but progress through the connection towards the app.
pub(super) async fn settled_on_link(held: Box<Held>, session: &Session) -> Judged {
    settled(held, |message| message.into_iter().for_each(|message| session.inject(message))).await
}

/// Answers at once with a stream; the app that closes it takes its call back.
pub(super) fn respond(call: Call, held: Box<Held>) -> Response {
    let (sender, receiver) = mpsc::channel(MAX_QUEUED);
    tokio::spawn(async move {
        tokio::select! {
            () = deliver(call, held, &sender) => {}
            // Dropping what is held voids its question.
            () = sender.closed() => {}
        }
    });
    let pieces = futures_util::stream::unfold(receiver, |mut receiver: mpsc::Receiver<Bytes>| async {
        let piece = receiver.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(piece), receiver))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    response
}

async fn deliver(call: Call, held: Box<Held>, sender: &mpsc::Sender<Bytes>) {
    let id = held.question.id.clone();
    let judged = settled(held, |message| {
        // An app that does not read has enough to read already.
        let _ = sender.try_send(message.map_or_else(|| Bytes::from_static(COMMENT), |message| event(&message)));
    })
    .await;
    let limits = *call.gateway.inner.judge.load().limits();
    let response = match call.carry_out(judged).await {
        Ok(response) => response,
        Err(Refused { body, .. }) => return drop(sender.send(event(&body)).await),
    };
    let status = response.status();
    let is_stream =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"text/event"));
    let mut body = response.into_body();
    if is_stream && status.is_success() {
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return };
            if let Ok(data) = frame.into_data()
                && sender.send(data).await.is_err()
            {
                return;
            }
        }
        return;
    }
    let Ok(body) = body.collect().await else { return };
    let body = body.to_bytes();
    // An error page is no answer that the app could read as one.
    let is_message = |doc: Doc<'_>| doc.root().get("jsonrpc").is_some();
    if status.is_success() && !body.is_empty() || Doc::parse(&body, Mode::Lenient, &limits).is_ok_and(is_message) {
        drop(sender.send(event(&body)).await);
    } else if !status.is_success() {
        drop(sender.send(event(&unusable(&id, status.as_u16()))).await);
    }
}

pub(super) fn unusable(id: &str, status: u16) -> Vec<u8> {
    let message = format!("The server answered with HTTP status {status} after the person allowed the request.");
    refusal(Some(id), BLOCKED_CODE, &message)
}
