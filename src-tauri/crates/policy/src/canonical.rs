//! Definitions as they are stored and compared: canonical JSON and its digest.

use portcullis_domain::json::{Kind, NodeRef, quote};
use sha2::Digest as _;

/// Canonical JSON of a value: keys sorted, white space gone, strings re-quoted, numbers as written.
pub fn canonical(node: NodeRef<'_>) -> String {
    let mut out = String::new();
    write_canonical(node, &mut out);
    out
}

/// SHA-256 of a canonical definition, hex: what a person's approval names.
pub fn digest(definition: &str) -> String {
    data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(definition.as_bytes()))
}

/// Stands for a definition that is too large to keep: compares by digest, never shown.
pub(crate) fn placeholder(definition: &str) -> String {
    format!(r#"{{"bytes":{},"sha256":"{}"}}"#, definition.len(), digest(definition))
}

fn write_canonical(node: NodeRef<'_>, out: &mut String) {
    match node.kind() {
        Kind::Object => {
            let mut members: Vec<_> = node.children().map(|child| (child.key().unwrap_or_default(), child)).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            out.push('{');
            for (n, (key, child)) in members.into_iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                out.push_str(&quote(&key));
                out.push(':');
                write_canonical(child, out);
            }
            out.push('}');
        }
        Kind::Array => {
            out.push('[');
            for (n, child) in node.children().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write_canonical(child, out);
            }
            out.push(']');
        }
        Kind::String => out.push_str(&quote(&node.as_str().unwrap_or_default())),
        _ => out.push_str(&String::from_utf8_lossy(node.raw())),
    }
}
