//! What HTTP headers say about a body, read the way apps and servers would (and refused where they would differ), and
//! which headers go on to the other side.

use data_encoding::BASE64;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use portcullis_domain::Limits;
use portcullis_domain::json::{Doc, Mode};
use portcullis_policy::{Mirror, plain_header};

/// Every charset that the Content-Type names, in any spelling (Python reads `charset*=us-ascii''utf-7`): readers differ in
/// which one they take.
pub(super) fn charsets(headers: &HeaderMap) -> impl Iterator<Item = String> + '_ {
    let parameters =
        headers.get_all(header::CONTENT_TYPE).iter().flat_map(|v| v.as_bytes().split(|b| b";,".contains(b)));
    parameters.filter_map(|parameter| {
        let parameter = String::from_utf8_lossy(parameter).to_ascii_lowercase();
        let (name, value) = parameter.split_once('=')?;
        let plain = name.trim() == "charset";
        let text = if plain { value.trim().trim_matches(['"', '\'']) } else { name };
        name.contains("charset").then(|| text.to_owned())
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

/// The Upstream's headers as the app gets them. Where an answer leads is our business: some apps follow any `Location`.
pub(super) fn answerable(headers: &HeaderMap) -> HeaderMap {
    let mut out = end_to_end(headers);
    [header::LOCATION, header::REFRESH].into_iter().for_each(|name| drop(out.remove(name)));
    out
}

fn end_to_end(headers: &HeaderMap) -> HeaderMap {
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

/// The headers that repeat what a Message says (2026-07-28), and whatever else of that name.
pub(super) fn mirrors(headers: &HeaderMap) -> Vec<Mirror> {
    let is_mirror = |name: &HeaderName| {
        name.as_str().starts_with("mcp-") && !matches!(name.as_str(), "mcp-session-id" | "mcp-protocol-version")
    };
    let mirrors = headers.iter().filter(|(name, _)| is_mirror(name));
    mirrors.map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into())).collect()
}

/// After an edit of the Message: a header that repeated an edited text says the new text, or the secret would leave in it
/// (and servers refuse a header that says something else than the body).
pub(super) fn mirror_again(headers: &mut HeaderMap, before: &[u8], after: &[u8], limits: &Limits) {
    let (Ok(old), Ok(new)) = (Doc::parse(before, Mode::Strict, limits), Doc::parse(after, Mode::Strict, limits)) else {
        return;
    };
    for (name, value) in mirrors(headers) {
        let value = plain_header(&value);
        // An edit replaces texts in their places: the n-th value is the n-th value.
        let repeated = old.nodes().zip(new.nodes()).filter(|(old, _)| old.as_str().is_some_and(|text| text == value));
        let edited = repeated.filter_map(|(_, new)| new.as_str()).find(|text| *text != value);
        if let (Some(text), Ok(name)) = (edited, name.parse::<HeaderName>()) {
            let wrapped = format!("=?base64?{}?=", BASE64.encode(text.as_bytes()));
            let is_plain =
                text.bytes().all(|b| matches!(b, 0x20..=0x7e)) && text.trim() == text && !text.starts_with("=?");
            if let Ok(value) = HeaderValue::from_str(if is_plain { &text } else { &wrapped }) {
                headers.insert(name, value);
            }
        }
    }
}

/// Headers whose values cannot carry a sentence.
const PLAIN: [&str; 11] = [
    "cache-control",
    "connection",
    "content-length",
    "date",
    "etag",
    "keep-alive",
    "last-modified",
    "mcp-protocol-version",
    "mcp-session-id",
    "retry-after",
    "vary",
];

/// Takes out the response headers that hold what `passes` does not let through.
pub(super) fn drop_hostile(headers: &mut HeaderMap, passes: impl Fn(&str) -> bool) {
    // Apps quote a type that they do not know in their errors, which models read. The usual ones are shorter.
    let may_speak = |name: &HeaderName| if name == header::CONTENT_TYPE { 40 } else { 16 };
    let suspects =
        headers.iter().filter(|(name, value)| value.len() > may_speak(name) && !PLAIN.contains(&name.as_str()));
    let hostile = suspects.filter(|(_, value)| !passes(&String::from_utf8_lossy(value.as_bytes())));
    let hostile: Vec<HeaderName> = hostile.map(|(name, _)| name.clone()).collect();
    hostile.into_iter().for_each(|name| drop(headers.remove(name)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_repeat_an_edited_text_say_the_new_text() {
        let mut headers = HeaderMap::new();
        let given = [
            ("mcp-name", "t"),
            ("mcp-param-key", "sk-1"),
            ("mcp-param-place", "=?base64?WsO8cmljaA==?="),
            ("x", "sk-1"),
        ];
        for (name, value) in given {
            headers.insert(name, value.parse().unwrap());
        }
        let message = |key: &str, place: &str| {
            format!(r#"{{"params":{{"name":"t","arguments":{{"key":"{key}","place":"{place}"}}}}}}"#)
        };
        let (before, after) = (message("sk-1", "Zürich"), message("[redacted]", "Genève"));
        mirror_again(&mut headers, before.as_bytes(), after.as_bytes(), &Limits::default());
        let now = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!((now("mcp-name"), now("mcp-param-key")), ("t".into(), "[redacted]".into()));
        assert_eq!(now("mcp-param-place"), format!("=?base64?{}?=", BASE64.encode("Genève".as_bytes())));
        assert_eq!(now("x"), "sk-1", "what is no mirror is not ours");
    }
}
