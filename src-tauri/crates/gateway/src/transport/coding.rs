//! Bodies with a Content-Encoding are decoded before they are judged, and go on decoded: what was scanned is what the
//! receiver reads, whatever its own decoder would have made of padding or trailing bytes.

use super::relay::Broken;
use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt, TryStreamExt};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::io;
use std::pin::Pin;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt};
use tokio_util::io::{ReaderStream, StreamReader};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// More than one coding, or one that we cannot undo.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown;

/// What the body is encoded with; None: it is as it is.
pub(super) fn of(headers: &HeaderMap) -> Result<Option<Coding>, Unknown> {
    let named = headers.get_all(header::CONTENT_ENCODING).iter().flat_map(|v| v.as_bytes().split(|&b| b == b','));
    let named = named.map(|name| name.trim_ascii().to_ascii_lowercase());
    let mut named = named.filter(|name| !matches!(name.as_slice(), b"" | b"identity"));
    let coding = match named.next().as_deref() {
        None => return Ok(None),
        Some(b"gzip" | b"x-gzip") => Coding::Gzip,
        Some(b"deflate") => Coding::Deflate,
        Some(b"br") => Coding::Brotli,
        Some(b"zstd") => Coding::Zstd,
        Some(_) => return Err(Unknown),
    };
    if named.next().is_some() { Err(Unknown) } else { Ok(Some(coding)) }
}

fn decoder(coding: Coding, encoded: impl AsyncBufRead + Send + 'static) -> Pin<Box<dyn AsyncRead + Send>> {
    match coding {
        Coding::Gzip => {
            let mut decoder = GzipDecoder::new(encoded);
            decoder.multiple_members(true);
            Box::pin(decoder)
        }
        Coding::Deflate => Box::pin(ZlibDecoder::new(encoded)),
        Coding::Brotli => Box::pin(BrotliDecoder::new(encoded)),
        Coding::Zstd => {
            let mut decoder = ZstdDecoder::new(encoded);
            decoder.multiple_members(true);
            Box::pin(decoder)
        }
    }
}

/// The whole of a small body; at most one byte more than `limit` is decoded. Err: it is not what it says it is.
pub(super) async fn decode(coding: Coding, encoded: Bytes, limit: usize) -> io::Result<Vec<u8>> {
    let mut decoded = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder(coding, io::Cursor::new(encoded)).take(most).read_to_end(&mut decoded).await?;
    Ok(decoded)
}

/// A body as it arrives, decoded where that is needed.
pub(crate) enum Source {
    Plain(Incoming),
    Decoded(Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>),
}

impl Source {
    pub fn new(body: Incoming, coding: Option<Coding>) -> Self {
        let Some(coding) = coding else { return Self::Plain(body) };
        let encoded = StreamReader::new(body.into_data_stream().map_err(io::Error::other));
        Self::Decoded(Box::pin(ReaderStream::new(decoder(coding, encoded))))
    }

    /// The next piece; trailers are left out.
    pub async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        match self {
            Self::Plain(body) => loop {
                match body.frame().await? {
                    Ok(frame) => match frame.into_data() {
                        Ok(data) => return Some(Ok(data)),
                        Err(_trailers) => {}
                    },
                    Err(error) => return Some(Err(Broken::Upstream(error))),
                }
            },
            Self::Decoded(stream) => Some(stream.next().await?.map_err(Broken::Encoded)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_known_coding_or_none() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::CONTENT_ENCODING, value.parse().unwrap());
            }
            super::of(&headers)
        };
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&["identity", " , identity"]), Ok(None));
        assert_eq!(of(&["GZip"]), Ok(Some(Coding::Gzip)));
        assert_eq!(of(&["identity, br"]), Ok(Some(Coding::Brotli)));
        for unknown in [&["gzip, br"][..], &["gzip", "gzip"], &["compress"], &["x"]] {
            assert_eq!(of(unknown), Err(Unknown), "{unknown:?}");
        }
    }
}
