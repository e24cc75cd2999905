//! The calls and the answers that must come back, byte for byte. The text is ordinary English about ordinary work: what
//! a clean message costs is what counts, and every leg carries the same bytes.

use bytes::Bytes;

const WORDS: &str = "the release notes mention that every module keeps its own tests and the reader of this page will find \
    a short list of names with their meaning so that nobody has to guess what a column holds when the table grows again ";

/// Text of exactly `bytes` bytes.
pub fn text(bytes: usize) -> String {
    WORDS.chars().cycle().take(bytes).collect()
}

/// One size of an echo call.
pub struct Payload {
    text: String,
}

impl Payload {
    pub fn new(bytes: usize) -> Self {
        Self { text: text(bytes) }
    }

    pub fn request(&self, id: u64) -> Bytes {
        let text = &self.text;
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"echo","arguments":{{"text":"{text}"}}}}}}"#
        )
        .into()
    }

    pub fn response(&self, id: u64) -> String {
        answer(&id.to_string(), &format!(r#""{}""#, self.text))
    }
}

/// The answer to an echo call; both parameters are JSON.
pub fn answer(id: &str, text: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":{text}}}]}}}}"#)
}

pub const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"portcullis-bench","version":"1"}}}"#;
pub const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
pub const PROTOCOL_VERSION: &str = "2025-06-18";

/// What an echo server answers to one Message; None to a notification.
pub fn serve(message: &[u8]) -> Option<String> {
    let message: serde_json::Value = serde_json::from_slice(message).ok()?;
    let id = message.get("id")?.to_string();
    Some(match message["method"].as_str().unwrap_or_default() {
        "initialize" => format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{{"protocolVersion":"{PROTOCOL_VERSION}","capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"echo","version":"1"}}}}}}"#
        ),
        "tools/list" => format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{{"tools":[{{"name":"echo","description":"Returns its text.","inputSchema":{{"type":"object","properties":{{"text":{{"type":"string"}}}}}}}}]}}}}"#
        ),
        "tools/call" => answer(&id, &message["params"]["arguments"]["text"].to_string()),
        _ => format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"no such method"}}}}"#),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_gives_the_answer_that_the_client_expects() {
        let payload = Payload::new(1024);
        assert_eq!(payload.text.len(), 1024);
        assert_eq!(serve(&payload.request(7)).unwrap(), payload.response(7));
        assert_eq!(serve(INITIALIZED.as_bytes()), None);
        assert!(serve(INITIALIZE.as_bytes()).unwrap().contains(PROTOCOL_VERSION));
    }
}
