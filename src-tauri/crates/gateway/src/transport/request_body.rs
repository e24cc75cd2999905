//! The body of a request, whole and decoded: nothing of it goes on before it was read as a server would read it.

use super::coding;
use super::headers::{charsets, is_utf8};
use super::minted::Refused;
use crate::Gateway;
use crate::bounded::Late;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};

pub(super) async fn read_body(gateway: &Gateway, headers: &HeaderMap, body: Body) -> Result<Bytes, Refused> {
    let Ok(coding) = coding::of(headers) else {
        let message = "Portcullis reads bodies in gzip, deflate, br or zstd, and in one of them only.";
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, -32600, message));
    };
    if charsets(headers).any(|charset| !is_utf8(&charset)) {
        let message = "Portcullis reads only UTF-8 bodies.";
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, -32600, message));
    }
    let limit = gateway.inner.judge.load().limits().max_message_bytes;
    let too_large = || {
        let message =
            format!("Portcullis refuses messages of more than {limit} bytes (setting limits.max_message_bytes).");
        Refused::new(StatusCode::PAYLOAD_TOO_LARGE, -32600, &message)
    };
    let body = match Limited::new(body, limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_large()),
        Err(error) if is_late(&*error) => {
            let message = "Portcullis waits five minutes for the rest of a request, and that has not come.";
            return Err(Refused::new(StatusCode::REQUEST_TIMEOUT, -32600, message));
        }
        Err(_) => return Err(Refused::new(StatusCode::BAD_REQUEST, -32700, "The request's body ended early.")),
    };
    let Some(coding) = coding else { return Ok(body) };
    let decoded = coding::decode(coding, body, limit).await.map_err(|error| {
        let message = format!("Portcullis cannot decode the body: it is not what its Content-Encoding says ({error}).");
        Refused::new(StatusCode::BAD_REQUEST, -32700, &message)
    })?;
    if decoded.len() > limit { Err(too_large()) } else { Ok(decoded.into()) }
}

fn is_late(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<Late>())
}
