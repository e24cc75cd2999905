//! What HTTP headers say about a body, read the way apps and servers would (and refused where they would differ), and
//! which headers go on to the other side.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Whether any of the headers (there may be several) names an encoding.
pub(super) fn is_encoded(headers: &HeaderMap) -> bool {
    let mut named = headers.get_all(header::CONTENT_ENCODING).iter().flat_map(|v| v.as_bytes().split(|&b| b == b','));
    named.any(|encoding| !matches!(encoding.trim_ascii().to_ascii_lowercase().as_slice(), b"" | b"identity"))
}

/// Every charset that the Content-Type names: readers differ in which one they take.
pub(super) fn charsets(headers: &HeaderMap) -> impl Iterator<Item = String> + '_ {
    let parameters =
        headers.get_all(header::CONTENT_TYPE).iter().flat_map(|v| v.as_bytes().split(|b| b";,".contains(b)));
    parameters.filter_map(|parameter| {
        let parameter = String::from_utf8_lossy(parameter).to_ascii_lowercase();
        let (name, value) = parameter.split_once('=')?;
        (name.trim() == "charset").then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    })
}

pub(super) fn is_utf8(charset: &str) -> bool {
    matches!(charset, "utf-8" | "utf8" | "us-ascii" | "ascii" | "")
}

/// In these every ASCII byte is what it is in UTF-8, so a scan of the bytes sees what the app sees.
pub(super) fn is_like_ascii(charset: &str) -> bool {
    is_utf8(charset) || charset.starts_with("iso-8859-") || matches!(charset, "latin1" | "latin-1" | "windows-1252")
}

/// Whether apps read the body as an event stream; None: some would and some would not.
pub(super) fn is_event_stream(headers: &HeaderMap) -> Option<bool> {
    let types: Vec<_> =
        headers.get_all(header::CONTENT_TYPE).iter().map(|v| v.as_bytes().to_ascii_lowercase()).collect();
    let names_it = |value: &[u8]| value.windows(17).any(|part| part == b"text/event-stream");
    if !types.iter().any(|value| names_it(value)) {
        return Some(false);
    }
    let [value] = &types[..] else { return None };
    let (essence, parameters) = value.split_at(value.iter().position(|&b| b == b';').unwrap_or(value.len()));
    (essence.trim_ascii() == b"text/event-stream" && !names_it(parameters) && !parameters.contains(&b','))
        .then_some(true)
}

/// The app's headers as the Upstream gets them: all but those of this hop, and `Origin`, which names us.
pub(super) fn forwardable(headers: &HeaderMap) -> HeaderMap {
    let mut out = end_to_end(headers);
    for name in [header::HOST, header::ORIGIN, header::CONTENT_LENGTH, header::ACCEPT_ENCODING, header::EXPECT] {
        out.remove(name);
    }
    out.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    out
}

pub(super) fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut out = headers.clone();
    let named = headers.get_all(header::CONNECTION).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    let named: Vec<HeaderName> = named.filter_map(|name| name.trim().parse().ok()).collect();
    let fixed = [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    fixed.into_iter().map(HeaderName::from_static).chain(named).for_each(|name| drop(out.remove(name)));
    out
}
