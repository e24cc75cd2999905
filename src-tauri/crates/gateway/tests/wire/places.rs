//! The places of the proxy listener: who holds them, and who gives one up when all are taken.

use crate::support::{Proxied, Reply, Setup};
use serde_json::json;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const PLACES: usize = 4;
const SOON: Duration = Duration::from_secs(5);
const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

async fn few_places(replies: impl IntoIterator<Item = Reply>) -> Proxied {
    let proxied = Proxied::set_up(Setup { max_connections: PLACES, ..Setup::default() }).await;
    proxied.upstream.script(replies);
    proxied
}

fn pong() -> Reply {
    Reply::json(&json!({"jsonrpc":"2.0","id":1,"result":{}}).to_string())
}

/// Connections that hold every place, `said` on each of them.
async fn take_all(proxied: &Proxied, said: &str) -> Vec<TcpStream> {
    let said =
        said.replace("$HOST", proxied.origin().trim_start_matches("http://")).replace("$PREFIX", &proxied.prefix);
    let mut taken = Vec::new();
    for _ in 0..PLACES {
        let mut stream = proxied.connect().await;
        stream.write_all(said.as_bytes()).await.unwrap();
        taken.push(stream);
    }
    taken
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_ask_for_nothing_make_way_for_one_that_does() {
    let body = format!("POST $PREFIX/mcp HTTP/1.1\r\nhost: $HOST\r\ncontent-length: {}\r\n\r\n{{", PING.len());
    for said in ["", "POST ", "POST /mcp HTTP/1.1\r\nhost: $HOST\r\n", "\r\n", &body] {
        let proxied = few_places([pong()]).await;
        let _taken = take_all(&proxied, said).await;
        let answer = tokio::time::timeout(SOON, proxied.post("/mcp", PING, &[])).await;
        assert_eq!(answer.expect(said).status, 200, "{said}");
    }
}

/// The clock stands and leaps from timer to timer.
#[cfg(feature = "paused-time")]
#[tokio::test]
async fn a_connection_may_be_idle_for_a_day_and_the_rest_of_a_request_may_take_five_minutes() {
    use crate::support::read_response;
    let proxied = few_places([pong(), pong()]).await;
    let head = format!(
        "POST {}/mcp HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n\r\n",
        proxied.prefix,
        proxied.origin().trim_start_matches("http://"),
        PING.len()
    );
    let mut idle = proxied.connect().await;
    for _ in 0..2 {
        idle.write_all(format!("{head}{PING}").as_bytes()).await.unwrap();
        assert_eq!(read_response(&mut idle).await.status, 200);
        tokio::time::pause();
        tokio::time::sleep(Duration::from_secs(24 * 60 * 60)).await;
        tokio::time::resume();
    }
    idle.write_all(format!("{head}{}", &PING[..9]).as_bytes()).await.unwrap();
    proxied.send("OPTIONS", "/no", "", &[]).await;
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    let late = read_response(&mut idle).await;
    tokio::time::resume();
    assert_eq!(late.status, 408);
    assert!(late.body.contains("five minutes"), "{}", late.body);
    assert!((299..=301).contains(&started.elapsed().as_secs()));
    assert_eq!(proxied.upstream.requests().len(), 2);
}
