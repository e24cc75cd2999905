//! A listener that holds a limited number of connections. Anybody on this machine can open them without end; open files
//! must be left for what protects (the state, the log, the shims' link), and places for apps that ask for something.
//!
//! A connection without a request under way keeps its place for as long as it likes, as with any server, until somebody
//! needs it: then the one that has had none for longest gives its place up. A request is under way once all of it has
//! come. HTTP/1 only, which is what apps speak to an address without TLS.

mod bodies;
mod connection;
mod places;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use bodies::Late;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use bodies::{Answer, Question};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use places::{Place, Places};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use stream::Stream;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

pub struct Bounded {
    listener: TcpListener,
    most: usize,
    patience: Patience,
}

/// How long a connection may keep us waiting.
#[derive(Clone, Copy)]
struct Patience {
    /// From the first byte of a request to the end of its headers.
    head: Duration,
    /// From there to the end of its body.
    body: Duration,
    /// While all places are taken: for the request that a connection was opened for,
    idle: Duration,
    /// and for the other side to take more of an answer.
    untaken: Duration,
}

/// The first two are what Node's servers allow: an app that works without us is not cut off by us.
const PATIENCE: Patience = Patience {
    head: Duration::from_secs(60),
    body: Duration::from_secs(300),
    idle: Duration::from_millis(100),
    untaken: Duration::from_secs(30),
};

impl Bounded {
    /// Holds at most `most` connections at once.
    pub fn new(listener: TcpListener, most: usize) -> Self {
        Self { listener, most, patience: PATIENCE }
    }

    /// Serves until `stopped`, then until the requests under way are answered. Handlers find the address at the other end
    /// as `ConnectInfo`.
    pub async fn serve(self, router: Router, stopped: impl Future<Output = ()>) {
        let Self { mut listener, most, patience } = self;
        let (places, tasks) = (Arc::new(Places::new(most, patience)), TaskTracker::new());
        let mut stopped = pin!(stopped);
        loop {
            let next = async {
                let (stream, peer) = Listener::accept(&mut listener).await;
                (places.one().await, stream, peer)
            };
            let (place, stream, peer) = tokio::select! {
                biased;
                () = &mut stopped => break,
                next = next => next,
            };
            tasks.spawn(carry(place, stream, peer, router.clone(), patience));
        }
        drop(listener);
        places.tell_all();
        tasks.close();
        tasks.wait().await;
    }
}

/// One connection, to its end.
async fn carry(place: Place, stream: TcpStream, peer: SocketAddr, router: Router, patience: Patience) {
    // Without it answers only wait a little longer.
    drop(stream.set_nodelay(true));
    let connection = &place.connection;
    let service = service_fn(|request: http::Request<Incoming>| {
        let (parts, body) = request.into_parts();
        let question = Question::begin(connection.clone(), body, patience.body);
        let (connection, mut router) = (connection.clone(), router.clone());
        async move {
            let Some(question) = question else {
                // The place went to somebody else just before: this connection ends, and nothing was done.
                return std::future::pending().await;
            };
            let mut request = http::Request::from_parts(parts, Body::new(question));
            request.extensions_mut().insert(ConnectInfo(peer));
            let response = router.call(request).await?;
            Ok::<_, Infallible>(response.map(|body| Answer::new(connection, body)))
        }
    });
    let stream = TokioIo::new(Stream::new(stream, connection.clone(), patience.head));
    let mut serving = pin!(http1::Builder::new().serve_connection(stream, service));
    loop {
        tokio::select! {
            biased;
            result = &mut serving => {
                if let Err(error) = result {
                    tracing::debug!(%error, "a connection ended before its end");
                }
                return;
            }
            () = connection.told() => {
                if connection.is_given_up() || connection.ends_between_requests() {
                    return;
                }
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}
