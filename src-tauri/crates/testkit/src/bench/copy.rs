//! The bare proxy, a process of its own: copies the bytes of each connection both ways and looks at none of them.

use anyhow::Result;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};

pub async fn serve(to: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening {}", listener.local_addr()?);
    let accept = async {
        loop {
            let (mut client, _) = listener.accept().await?;
            tokio::spawn(async move {
                let mut upstream = TcpStream::connect(to).await?;
                client.set_nodelay(true)?;
                upstream.set_nodelay(true)?;
                tokio::io::copy_bidirectional(&mut client, &mut upstream).await
            });
        }
    };
    tokio::select! {
        ended = accept => ended,
        () = crate::upstream::until_the_parent_is_gone() => Ok(()),
    }
}
