//! stdio: the daemon's side of the shim link (`domain::link`). The shim owns the pipes and keeps the bytes; here each
//! Message gets its verdict, in order per connection. One connection per Direction, both in one Session.

use super::held::settled_on_link;
use crate::inspect::Inspected;
use crate::record::random;
use crate::session::{Key, Open, Session};
use crate::{Gateway, record};
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use portcullis_domain::link::{self, Closed, FrameKind, Hello, PendingRequest};
use portcullis_domain::{Direction, SessionId, Transport, UpstreamId};
use portcullis_policy::{Action, Judged, PairedRequest};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const READ_AHEAD: usize = 64 * 1024;

#[cfg(unix)]
pub(crate) async fn serve(gateway: Gateway, socket: &Path, stop: CancellationToken) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let directory = socket.parent().unwrap_or(Path::new("."));
    let own_user = std::fs::metadata(directory)?.uid();
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = tokio::net::UnixListener::bind(socket)?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) if stream.peer_cred().is_ok_and(|peer| peer.uid() == own_user) => {
                let (gateway, stop) = (gateway.clone(), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = converse(&gateway, stream) => {}
                    }
                });
            }
            Ok(_) => tracing::warn!("another user's process tried the verdict socket and was refused"),
            Err(error) => {
                // Out of file descriptors, most likely: shims judge in process meanwhile.
                tracing::warn!(%error, "the verdict socket could not accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

/// Named pipes are created for the current user only (default security descriptor), first instance exclusive.
#[cfg(windows)]
pub(crate) async fn serve(gateway: Gateway, socket: &Path, stop: CancellationToken) -> std::io::Result<()> {
    use tokio::net::windows::named_pipe::ServerOptions;
    let name = socket.as_os_str();
    let mut server = ServerOptions::new().first_pipe_instance(true).reject_remote_clients(true).create(name)?;
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            connected = server.connect() => connected?,
        }
        let stream = std::mem::replace(&mut server, ServerOptions::new().reject_remote_clients(true).create(name)?);
        let (gateway, stop) = (gateway.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = converse(&gateway, stream) => {}
            }
        });
    }
}

async fn converse(gateway: &Gateway, stream: impl AsyncRead + AsyncWrite + Unpin) {
    if let Err(error) = conversation(gateway, stream).await {
        tracing::debug!(%error, "a shim's connection ended");
    }
}

async fn conversation(gateway: &Gateway, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    let max_frame = gateway.inner.judge.load().limits().max_message_bytes + 64;
    let mut buffer = Vec::with_capacity(READ_AHEAD);
    let mut out = Vec::new();
    let Some(body) = next_frame(&mut stream, &mut buffer, max_frame).await? else { return Ok(()) };
    let (session, direction) = match greet(gateway, &body) {
        Ok(greeted) => {
            link::encode(&mut out, FrameKind::Welcome, None, format!(r#"{{"version":{}}}"#, link::VERSION).as_bytes());
            greeted
        }
        Err(reason) => {
            link::encode(&mut out, FrameKind::Refused, None, reason.as_bytes());
            return stream.write_all(&out).await;
        }
    };
    stream.write_all(&out).await?;
    out.clear();
    // Only the connection towards the app takes extra Messages for it.
    let mut injected = (direction == Direction::ToClient).then(|| session.receive_injected());
    let mut held: FuturesUnordered<BoxFuture<'_, (u64, Judged)>> = FuturesUnordered::new();
    loop {
        let body = tokio::select! {
            biased;
            // Dropped with this conversation, which voids what is still held: the shim judges it again by itself.
            Some((seq, judged)) = held.next(), if !held.is_empty() => {
                carry_out(&mut out, seq, judged.action);
                stream.write_all(&out).await?;
                out.clear();
                continue;
            }
            Some(message) = next_injected(&mut injected) => {
                link::encode(&mut out, FrameKind::Inject, Some(0), &message);
                stream.write_all(&out).await?;
                out.clear();
                continue;
            }
            body = next_frame(&mut stream, &mut buffer, max_frame) => body?,
        };
        let Some(body) = body else { return Ok(()) };
        let Some(frame) = link::decode(&body) else { return Ok(()) };
        match frame.kind {
            FrameKind::Message => {
                if direction == Direction::ToClient {
                    gateway.inner.health.works(&session.upstream.id);
                }
                match gateway.inner.inspect(&session, direction, frame.payload, &[]) {
                    Inspected::Done(judged) => carry_out(&mut out, frame.seq, judged.action),
                    Inspected::Held(waiting) => {
                        link::encode(&mut out, FrameKind::Hold, Some(frame.seq), &[]);
                        let (seq, session) = (frame.seq, session.clone());
                        held.push(Box::pin(async move { (seq, settled_on_link(waiting, &session).await) }));
                    }
                }
            }
            FrameKind::Closed => {
                let closed: Closed = serde_json::from_slice(frame.payload).unwrap_or_default();
                if let Some(failure) = closed.failure {
                    gateway.inner.failed_upstream(&session.upstream.id, &failure);
                }
                gateway.inner.abandon(&session, "the server or the app ended before an answer came");
            }
            _ => return Ok(()),
        }
        // Answer everything that has already arrived with one write.
        if !has_whole_frame(&buffer) && !out.is_empty() {
            stream.write_all(&out).await?;
            out.clear();
        }
    }
}

fn carry_out(out: &mut Vec<u8>, seq: u64, action: Action) {
    let (kind, payload) = match action {
        Action::Split { on, back } => {
            link::encode(out, FrameKind::Inject, Some(0), &on);
            (FrameKind::Answer, back)
        }
        Action::Forward => (FrameKind::Allow, Vec::new()),
        Action::Replace(bytes) => (FrameKind::Replace, bytes),
        Action::Answer(bytes) | Action::Refuse(bytes) => (FrameKind::Answer, bytes),
        Action::Drop => (FrameKind::Drop, Vec::new()),
    };
    link::encode(out, kind, Some(seq), &payload);
}

async fn next_injected(injected: &mut Option<mpsc::UnboundedReceiver<Vec<u8>>>) -> Option<Vec<u8>> {
    match injected {
        Some(injected) => injected.recv().await,
        None => std::future::pending().await,
    }
}

fn greet(gateway: &Gateway, body: &[u8]) -> Result<(Arc<Session>, Direction), String> {
    let frame =
        link::decode(body).filter(|frame| frame.kind == FrameKind::Hello).ok_or("the first frame must be hello")?;
    let hello: Hello = serde_json::from_slice(frame.payload).map_err(|error| format!("unreadable hello: {error}"))?;
    if hello.version != link::VERSION {
        return Err(format!("this daemon speaks link version {}, the shim {}", link::VERSION, hello.version));
    }
    let id = UpstreamId::new(hello.upstream.clone());
    let upstream = gateway.inner.routes.load().get(&id).cloned().ok_or("no server is known under this id")?;
    let key = Key::Link(id.clone(), hello.session.clone());
    let new = || Session::new(SessionId::from_random(random()), upstream, Transport::Stdio, &gateway.inner.recorder);
    let session = gateway.inner.sessions.get_or_insert(key, new);
    gateway.inner.callers.started_by(&id, &session.id, hello.ancestry);
    // After a reconnect: requests that were forwarded before and whose answers are still to come.
    let most = gateway.inner.judge.load().limits().max_open_requests;
    for pending in hello.pending.into_iter().take(most) {
        if session.paired(pending.direction, &pending.id).is_none() {
            let PendingRequest { direction, id, method, target, modern, task } = pending;
            let paired = PairedRequest { method, target, modern, task };
            let exchange = record::resumed(&session, direction, &paired, (gateway.inner.clock)());
            session.open(
                direction,
                id,
                Open { paired, exchange, started: Instant::now(), reported: true, asked: false, unsure: false },
                most,
            );
        }
    }
    Ok((session, hello.direction))
}

fn has_whole_frame(buffer: &[u8]) -> bool {
    frame_length(buffer).is_some_and(|length| buffer.len() >= 4 + length)
}

fn frame_length(buffer: &[u8]) -> Option<usize> {
    let prefix: [u8; 4] = buffer.get(..4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(prefix)).ok()
}

/// One frame without its length prefix; None at the end of the connection. `buffer` keeps what was read beyond it.
async fn next_frame(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    max_frame: usize,
) -> std::io::Result<Option<Vec<u8>>> {
    loop {
        if let Some(length) = frame_length(buffer) {
            if length > max_frame {
                return Err(std::io::Error::other("a frame is larger than one message may be"));
            }
            if buffer.len() >= 4 + length {
                let rest = buffer.split_off(4 + length);
                let frame = std::mem::replace(buffer, rest);
                return Ok(Some(frame[4..].to_vec()));
            }
        }
        buffer.reserve(READ_AHEAD);
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}
