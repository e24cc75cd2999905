//! The JSON-RPC envelope of one Message, read from its `Doc` without copying: what kind it is, its id token byte for
//! byte, its method, and the thing it aims at (tool, prompt, resource).

use crate::json::{Doc, Kind, NodeRef};
use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    Request,
    Notification,
    /// A response with a `result`.
    Response,
    /// A response with an `error`.
    Error,
    /// A JSON-RPC batch (2025-03-26): every item is a Message of its own.
    Batch,
    /// JSON, but not JSON-RPC; or method and result in one object, which some servers execute.
    Ambiguous,
}

#[derive(Clone, Debug)]
pub struct Envelope<'d> {
    pub kind: MessageKind,
    /// The raw id token (`1`, `1.0`, `"1"`): correlation never re-encodes it.
    pub id: Option<&'d [u8]>,
    pub method: Option<Cow<'d, str>>,
    pub params: Option<NodeRef<'d>>,
    pub result: Option<NodeRef<'d>>,
    pub error: Option<NodeRef<'d>>,
}

impl<'d> Envelope<'d> {
    pub fn read(doc: &'d Doc<'d>) -> Self {
        Self::of(doc.root())
    }

    /// The envelope of one batch item or of the root.
    pub fn of(root: NodeRef<'d>) -> Self {
        let get = |key| root.get(key);
        let method = get("method");
        let (result, error) = (get("result"), get("error"));
        let id = get("id").map(|id| id.raw());
        let kind = match (root.kind(), &method, &result, &error) {
            (Kind::Array, ..) => MessageKind::Batch,
            (Kind::Object, Some(method), None, None) if method.kind() == Kind::String => {
                if id.is_some() {
                    MessageKind::Request
                } else {
                    MessageKind::Notification
                }
            }
            (Kind::Object, None, Some(_), None) if id.is_some() => MessageKind::Response,
            (Kind::Object, None, None, Some(_)) => MessageKind::Error,
            _ => MessageKind::Ambiguous,
        };
        Self { kind, id, method: method.and_then(|m| m.as_str()), params: get("params"), result, error }
    }

    /// The id as text, for keys and rows.
    pub fn id_text(&self) -> Option<String> {
        self.id.map(|raw| String::from_utf8_lossy(raw).into_owned())
    }

    /// Tool name, prompt name, resource URI or task id that a request or notification aims at.
    pub fn target(&self) -> Option<Cow<'d, str>> {
        let params = self.params?;
        ["name", "uri", "taskId"].iter().find_map(|key| params.get(key)?.as_str())
    }

    /// Whether this is 2026-07-28 traffic: the version travels in every request's `_meta`.
    pub fn is_modern(&self) -> bool {
        let meta = self.params.and_then(|params| params.get("_meta"));
        meta.is_some_and(|meta| meta.get("io.modelcontextprotocol/protocolVersion").is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::json::Mode;

    #[test]
    fn kinds() {
        use MessageKind::*;
        for (text, kind) in [
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, Request),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, Request),
            (r#"{"jsonrpc":"2.0","method":"notifications/x"}"#, Notification),
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, Response),
            (r#"{"jsonrpc":"2.0","id":null,"error":{}}"#, Error),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","result":{}}"#, Ambiguous),
            (r#"{"id":1,"result":{},"error":{}}"#, Ambiguous),
            (r#"{"method":7,"id":1}"#, Ambiguous),
            (r#"[]"#, Batch),
            (r#""text""#, Ambiguous),
        ] {
            let doc = Doc::parse(text.as_bytes(), Mode::Strict, &Limits::default()).unwrap();
            assert_eq!(Envelope::read(&doc).kind, kind, "{text}");
        }
    }

    #[test]
    fn the_id_token_is_kept_byte_for_byte() {
        let doc =
            Doc::parse(br#"{"id":1.0,"method":"tools/call","params":{"name":"x"}}"#, Mode::Strict, &Limits::default())
                .unwrap();
        let envelope = Envelope::read(&doc);
        assert_eq!(envelope.id_text().as_deref(), Some("1.0"));
        assert_eq!(envelope.target().as_deref(), Some("x"));
    }
}
