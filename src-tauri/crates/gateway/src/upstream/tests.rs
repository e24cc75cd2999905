//! Proxies of the environment, and what keeps a connection alive. (How requests fare is in tests/wire.)

use super::*;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What a proxy that answers 204 to everything (200 to CONNECT) is asked first, and the request that made it so.
async fn asked_of_proxy(scheme: &str, to: &str) -> Option<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("{scheme}://user:secret@{}", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.ok()?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.ok()?;
        Some(String::from_utf8_lossy(&head).into_owned())
    });
    let client = Client::new(Matcher::builder().all(at).build(), Duration::from_secs(10));
    let sent = client.send(Request::post(to).body(Body::default()).unwrap()).await;
    if !heard.is_finished() && sent.is_err() && to.contains("127.0.0.1") {
        heard.abort();
        return None;
    }
    heard.await.unwrap()
}

#[tokio::test]
async fn proxies_of_the_environment_are_used_and_get_their_credentials() {
    let head = asked_of_proxy("http", "http://mcp.example/mcp?x=1").await.unwrap();
    assert!(head.starts_with("POST http://mcp.example/mcp?x=1 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("proxy-authorization: Basic dXNlcjpzZWNyZXQ="), "{head}");
    let head = asked_of_proxy("http", "https://mcp.example/mcp").await.unwrap();
    assert!(head.starts_with("CONNECT mcp.example:443 HTTP/1.1\r\n"), "{head}");
}

#[tokio::test]
async fn this_machine_is_never_reached_through_a_proxy() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = free.local_addr().unwrap();
    drop(free);
    assert_eq!(asked_of_proxy("http", &format!("http://{closed}/mcp")).await, None);
}

#[tokio::test]
async fn what_the_environment_excepts_is_reached_without_its_proxy() {
    let proxies = Matcher::builder().all("http://127.0.0.1:9").no("mcp.example,.inside.example,10.0.0.0/8").build();
    let client = Client::new(proxies, Duration::from_secs(1));
    let through_proxy = |to: &str| client.through.connector.proxy(&to.parse().unwrap()).is_some();
    for direct in ["http://mcp.example/", "https://a.inside.example/", "http://10.1.2.3/", "http://[::1]:9/"] {
        assert!(!through_proxy(direct), "{direct}");
    }
    for other in ["http://other.example/", "https://example/", "http://11.1.2.3/"] {
        assert!(through_proxy(other), "{other}");
    }
}

/// Copies bytes both ways until it is told to stop, and then neither copies nor closes: a network that is gone.
async fn flaky_network(to: std::net::SocketAddr, gone: tokio_util::sync::CancellationToken) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut here, _) = listener.accept().await.unwrap();
        let mut there = tokio::net::TcpStream::connect(to).await.unwrap();
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut here, &mut there) => {}
            () = gone.cancelled() => std::future::pending().await,
        }
    });
    address
}

#[tokio::test]
async fn a_silent_stream_over_http2_notices_that_its_network_is_gone_and_stays_while_it_is_there() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = server.accept().await.unwrap();
        let silent = hyper::service::service_fn(|_| async {
            let first = futures_util::stream::iter([Ok(hyper::body::Frame::data(Bytes::from_static(b": hi\n\n")))]);
            let body = futures_util::StreamExt::chain(first, futures_util::stream::pending());
            Ok::<_, std::convert::Infallible>(Response::new(
                http_body_util::StreamBody::new(body).map_err(|error: std::convert::Infallible| match error {}),
            ))
        });
        let io = hyper_util::rt::TokioIo::new(stream);
        let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(io, silent).await;
    });
    let gone = tokio_util::sync::CancellationToken::new();
    let network = flaky_network(address, gone.clone()).await;
    let pings = Pings { interval: Duration::from_millis(20), patience: Duration::from_millis(1500) };
    let through = Client::new(Matcher::builder().build(), Duration::from_secs(10)).through;
    let pool: Pool<_, Body> = pool(pings).http2_only(true).build(through);
    let request = Request::get(format!("http://{network}/mcp")).body(Body::default()).unwrap();
    let mut body = pool.request(request).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), ": hi\n\n");
    // Many pings long nothing is said, and nothing ends.
    let silence = tokio::time::timeout(pings.interval * 10, body.frame()).await;
    assert!(silence.is_err(), "answered pings keep it open");
    gone.cancel();
    // Nobody closed anything: without pings this would wait for ever.
    assert!(body.frame().await.unwrap().is_err());
}
