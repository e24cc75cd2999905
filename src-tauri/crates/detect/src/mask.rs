//! Masking: what the audit and the dashboard may keep of a secret or a person's number is its first 4 characters.

use crate::predicate::personal;
use crate::predicate::secret::{Kind, all};

const VISIBLE_CHARS: usize = 4;
const MASK: &str = "••••";

/// `text` with every secret masked. Only the inside of strings is touched, so JSON stays JSON.
pub(crate) fn mask(text: &str) -> String {
    let numbers = personal::all(text).into_iter().map(|one| (one.range, false));
    let secrets = all(text, true).into_iter().map(|secret| (secret.range, secret.kind == Kind::PrivateKey));
    let mut found: Vec<_> = secrets.chain(numbers).collect();
    if found.is_empty() {
        return text.to_owned();
    }
    found.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, is_key) in found {
        let Some(hidden) = text.get(range.clone()).filter(|_| range.start >= at) else { continue };
        let visible = if is_key {
            // The header says what it was; everything after it goes.
            hidden[5..].find("-----").map_or(5, |end| end + 10)
        } else {
            hidden.char_indices().nth(VISIBLE_CHARS).map_or(hidden.len(), |(end, _)| end)
        };
        out.push_str(&text[at..range.start]);
        out.push_str(&hidden[..visible]);
        out.push_str(MASK);
        at = range.end;
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predicate::secret::expand_fakes;

    #[test]
    fn secrets_lose_all_but_their_start() {
        for (fake, start) in [
            ("{{fake:ghp_:36}}", "ghp_"),
            ("{{fake:AKIAQ2ER3TY4UI5OP6AS:0}}", "AKIA"),
            ("{{fake:sk-ant-api03-:90}}", "sk-a"),
            ("{{fake:xoxb-:50}}", "xoxb"),
        ] {
            let secret = expand_fakes(fake);
            let json = serde_json::json!({ "text": format!("a {secret} b") }).to_string();
            let masked = mask(&json);
            let value: serde_json::Value = serde_json::from_str(&masked).unwrap();
            assert_eq!(value["text"], format!("a {start}•••• b"));
        }
    }

    #[test]
    fn private_keys_in_json_go_and_the_json_stays() {
        let key = expand_fakes("{{fake:private-key}}");
        let json = serde_json::json!({ "a": key, "b": "kept" }).to_string();
        let value: serde_json::Value = serde_json::from_str(&mask(&json)).unwrap();
        assert_eq!(value["a"], "-----BEGIN OPENSSH PRIVATE KEY-----••••");
        assert_eq!(value["b"], "kept");
    }

    #[test]
    fn passwords_behind_names_and_in_addresses_go() {
        let text = r#"{"password": "kT9vR2xQ8mL4wZ7pB1", "url": "postgres://app:s3Cr9zPw2@db7.corp.net/x"}"#;
        assert_eq!(mask(text), r#"{"password": "kT9v••••", "url": "postgres://app:s3Cr••••@db7.corp.net/x"}"#);
    }

    #[test]
    fn numbers_of_people_go() {
        let text = r#"{"card": "4539 1488 0343 6467", "note": "SSN 536-22-8726, order 4539148803436467"}"#;
        assert_eq!(mask(text), r#"{"card": "4539••••", "note": "SSN 536-••••, order 4539148803436467"}"#);
    }

    #[test]
    fn look_alikes_stay() {
        for text in [
            "sha512-9Qn1pXk3zOq0c7bW8dS2vT5yR4uE6iA1fGhJkLmN0pQrStUvWxYzAbCdEfGhIjKlMnOpQrStUvWxYz0123456789ab==",
            "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
            "id 550e8400-e29b-41d4-a716-446655440000",
            "password: string; apiKey: process.env.OPENAI_API_KEY_FOR_2024",
            "AKIAIOSFODNN7EXAMPLE",
            "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "postgres://user:password@localhost/db",
        ] {
            assert_eq!(mask(text), text);
        }
    }
}
