//! Our own answers to a server's blocked requests: the app never hears of them, the server must not wait for ever.
//! Bounded: a server may ask without end and never take an answer.

use super::outbound;
use crate::Gateway;
use http::{HeaderMap, HeaderValue, Method, header};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use url::Url;

const MAX_ANSWERING: usize = 8;
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Answering {
    gateway: Gateway,
    /// What makes an answer part of the session.
    headers: HeaderMap,
    under_way: Arc<Semaphore>,
}

impl Answering {
    /// `headers`: those of the request whose answer this body is.
    pub fn new(gateway: Gateway, mut headers: HeaderMap) -> Self {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // The stream this came on may have been asked for as a stream alone; a POST must accept both.
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        headers.remove("last-event-id");
        Self { gateway, headers, under_way: Arc::new(Semaphore::new(MAX_ANSWERING)) }
    }

    pub fn send(&self, to: Url, answer: Vec<u8>) {
        let Ok(permit) = self.under_way.clone().try_acquire_owned() else {
            tracing::warn!("a server sends more hostile requests than can be answered: some get no answer");
            return;
        };
        let (gateway, headers) = (self.gateway.clone(), self.headers.clone());
        tokio::spawn(async move {
            let _permit = permit;
            let sending = outbound::send(&gateway, Method::POST, &to, &headers, answer.into());
            match tokio::time::timeout(ANSWER_TIMEOUT, sending).await {
                Ok(Ok(_)) => {}
                Ok(Err(why)) => tracing::warn!(%why, "the answer to a blocked server request could not be delivered"),
                Err(_) => tracing::warn!("a server does not take the answer to its blocked request"),
            }
        });
    }
}
