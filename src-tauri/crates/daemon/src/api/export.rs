//! `GET /api/export?format=jsonl|csv|sarif` with the filter of `/api/exchanges`: the whole filter as a file.

use super::Shared;
use super::exchanges::{self, ListQuery};
use super::extract::Query;
use super::failure::Failure;
use crate::clock;
use crate::export::{self, Format};
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use std::io::{self, BufWriter, Write};
use tokio::sync::mpsc;

const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks that may wait for a slow reader.
const WAITING: usize = 4;

#[derive(Deserialize)]
pub(super) struct Wanted {
    format: Format,
}

pub(super) async fn file(
    State(shared): State<Shared>,
    Query(Wanted { format }): Query<Wanted>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Failure> {
    let filter = exchanges::filter(query)?;
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(WAITING);
    let core = shared.core.clone();
    tokio::task::spawn_blocking(move || {
        let out = BufWriter::with_capacity(CHUNK_BYTES, Chunks(sender.clone()));
        let explain = |id: &str| core.with_signatures(|all| exchanges::explain(all, id));
        if let Err(error) = export::write(&core.audit, &filter, format, explain, out) {
            // The answer is cut off, so that half a file is not taken for a whole one.
            let _ = sender.blocking_send(Err(io::Error::other(error.to_string())));
        }
    });
    let body = stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|chunk| (chunk, receiver)) });
    let name = format!("attachment; filename=\"{}\"", format.file_name(clock::now()));
    let headers = [(header::CONTENT_TYPE, format.content_type().to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(body)).into_response())
}

struct Chunks(mpsc::Sender<io::Result<Bytes>>);

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes))).map_err(gone)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
