//! A POST whose Verdict is known, or is waited for: what is sent on, what is answered in its place.

use super::headers::{forwardable, mirror_again};
use super::held;
use super::legacy::Connection;
use super::minted::{Refused, accepts, empty, in_accepted_form, json_response, sse_message};
use super::outbound::{Unanswered, ask};
use super::respond::respond;
use crate::Gateway;
use crate::hold::Held;
use crate::route::{Endpoint, Route};
use crate::session::Session;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use portcullis_domain::{Direction, Upstream};
use portcullis_policy::{Action, Judged};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use url::Url;

pub(super) struct Call {
    pub gateway: Gateway,
    pub upstream: Arc<Upstream>,
    pub prefix: String,
    pub url: Url,
    pub headers: HeaderMap,
    pub session: Arc<Session>,
    pub legacy: Option<Connection>,
    pub bytes: Bytes,
}

impl Call {
    /// Keeps the app alive while a person is asked, in the form that it accepts.
    pub async fn wait(self, held: Box<Held>) -> Result<Response, Refused> {
        if let Some(connection) = self.legacy.clone() {
            connection.holding.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                tokio::select! {
                    () = connection.ended.cancelled() => {}
                    () = self.wait_on_stream(&connection, held) => {}
                }
            });
            return Ok(empty(StatusCode::ACCEPTED));
        }
        if accepts(&self.headers, "text/event-stream") {
            return Ok(held::respond(self, held));
        }
        let judged = held::settled(held, |_| {}).await;
        self.carry_out(judged).await
    }

    /// Legacy SSE: everything travels on the stream, the POST is answered already.
    async fn wait_on_stream(self, connection: &Connection, held: Box<Held>) {
        let id = held.question.id.clone();
        let judged = held::settled(held, |message| {
            let piece = message.map_or_else(|| Bytes::from_static(held::COMMENT), |message| held::event(&message));
            let _ = connection.inject.send(piece);
        })
        .await;
        connection.holding.fetch_sub(1, Ordering::Relaxed);
        let failed = match self.carry_out(judged).await {
            Ok(response) if response.status().is_success() => return,
            Ok(response) => held::unusable(&id, response.status().as_u16()),
            Err(refused) => refused.body,
        };
        let _ = connection.inject.send(held::event(&failed));
    }

    pub(super) async fn carry_out(self, judged: Judged) -> Result<Response, Refused> {
        let Self { gateway, upstream, prefix, url, headers, session, legacy, bytes } = self;
        let inner = gateway.inner.clone();
        let route = Route { upstream, prefix: &prefix, endpoint: Endpoint::Main };
        // The body goes on decoded.
        let mut forwarded = forwardable(&headers);
        forwarded.remove(header::CONTENT_ENCODING);
        let mut awaited: Vec<String> = requests(&judged).collect();
        let mut answered = None;
        let body = match judged.action {
            Action::Forward => bytes,
            Action::Replace(edited) => {
                mirror_again(&mut forwarded, &bytes, &edited, inner.judge.load().limits());
                edited.into()
            }
            Action::Split { on, back } => {
                awaited.clear();
                answered = Some(back);
                on.into()
            }
            Action::Drop => return Ok(empty(StatusCode::ACCEPTED)),
            Action::Refuse(answer) => return Ok(json_response(StatusCode::BAD_REQUEST, answer)),
            Action::Answer(answer) => match legacy {
                Some(connection) => {
                    // The reply travels on the stream; a stream that is gone needs no reply.
                    let _ = connection.inject.send(sse_message(&answer));
                    return Ok(empty(StatusCode::ACCEPTED));
                }
                None => return Ok(in_accepted_form(&headers, answer)),
            },
        };
        let answer = tokio::select! {
            biased;
            answer = ask(&gateway, &route, Method::POST, &url, forwarded, body) => answer,
            () = inner.cut.cancelled() => Err(Unanswered::Failed("Portcullis stopped before it answered".into())),
        };
        let (answer, forwarded) = match answer {
            Ok(answer) => answer,
            Err(why) => {
                for id in &awaited {
                    let open = session.close(Direction::ToUpstream, id);
                    open.into_iter().for_each(|open| inner.fail(open, why.reason()));
                }
                // A request gets a JSON-RPC answer that the app shows, and no status that it acts upon.
                let answer = why.answer(&route.upstream.name, &awaited)?;
                return Ok(match legacy {
                    Some(connection) => {
                        let _ = connection.inject.send(sse_message(&answer));
                        empty(StatusCode::ACCEPTED)
                    }
                    None => in_accepted_form(&headers, answer),
                });
            }
        };
        if let Some(back) = answered {
            return Ok(match legacy {
                Some(connection) => {
                    let _ = connection.inject.send(sse_message(&back));
                    empty(StatusCode::ACCEPTED)
                }
                None => in_accepted_form(&headers, back),
            });
        }
        // A legacy POST is answered on the stream: its requests stay open when this body ends.
        let awaited = if legacy.is_some() { Vec::new() } else { awaited };
        respond(gateway, &route, session, url, forwarded, answer, awaited).await
    }
}

fn requests(judged: &Judged) -> impl Iterator<Item = String> + '_ {
    let requests = judged.messages.iter().filter(|m| m.as_request().is_some());
    requests.filter_map(|m| m.id.clone())
}
