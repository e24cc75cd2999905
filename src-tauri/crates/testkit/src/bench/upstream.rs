//! The HTTP echo server, a process of its own: `/json` answers with a JSON body, `/stream` with one Server-Sent Event.

use crate::payload;
use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

pub async fn serve() -> Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening {}", listener.local_addr()?);
    let accept = async {
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
            // A client that goes away in the middle is none of the server's business.
            tokio::spawn(async move { drop(connection.await) });
        }
    };
    tokio::select! {
        ended = accept => ended,
        () = until_the_parent_is_gone() => Ok(()),
    }
}

/// The parent holds our standard input open for as long as it lives.
pub async fn until_the_parent_is_gone() {
    let (gone, wait) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        drop(gone);
    });
    let _ = wait.await;
}

async fn answer(request: Request<Incoming>) -> hyper::Result<Response<Full<Bytes>>> {
    let plain = |status: StatusCode| {
        let mut response = Response::new(Full::default());
        *response.status_mut() = status;
        response
    };
    if request.method() != Method::POST {
        return Ok(plain(StatusCode::METHOD_NOT_ALLOWED));
    }
    let stream = request.uri().path() == "/stream";
    let body = request.into_body().collect().await?.to_bytes();
    let Some(answer) = payload::serve(&body) else { return Ok(plain(StatusCode::ACCEPTED)) };
    let (kind, body) = match stream {
        false => ("application/json", answer),
        true => ("text/event-stream", format!("event: message\ndata: {answer}\n\n")),
    };
    let mut response = Response::new(Full::from(body));
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static(kind));
    Ok(response)
}
