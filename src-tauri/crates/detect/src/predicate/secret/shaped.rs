//! Secrets known by a shape that is no prefix: a mark in the middle or at the end, or digits before a colon.

use super::{Kind, Secret, is_random};
use crate::pattern::build;
use memchr::memmem;
use regex::bytes::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// The shortest of them.
const MIN_SHAPE_BYTES: usize = 24;

/// A mark that must stand in the text, and the whole shape.
#[rustfmt::skip]
const SHAPES: &[(&str, &str)] = &[
    // Telegram bots
    (":A", r"\b[0-9]{8,10}:AA?[A-Za-z0-9_-]{32,35}\b"),
    // MaxMind licence keys
    ("_mmk", r"\b[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk\b"),
    // Mailchimp
    ("-us", r"\b[0-9a-f]{32}-us[0-9]{1,2}\b"),
    // Airtable personal tokens
    ("pat", r"\bpat[A-Za-z0-9]{14}\.[a-f0-9]{64}\b"),
    // Azure AD client secrets
    ("Q~", r"\b[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}"),
    // HCP Terraform
    (".atlasv1.", r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}"),
    // Facebook app tokens
    ("|", r"\b[0-9]{15,16}\|[0-9A-Za-z_-]{27,40}\b"),
    // Microsoft Teams webhooks
    ("webhook.office.com/webhookb2/", r"[A-Za-z0-9-]{1,60}\.webhook\.office\.com/webhookb2/[A-Za-z0-9@/-]{60,260}"),
    // OpenAI, the old form
    ("T3BlbkFJ", r"\bsk-[A-Za-z0-9_-]{20,80}T3BlbkFJ[A-Za-z0-9_-]{20,80}"),
    // LaunchDarkly
    ("api-", r"\b(?:api|sdk)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
    // Beamer
    ("b_", r"\bb_[a-z0-9=_-]{44}\b"),
    // Discord bots
    (".", r"\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}\b"),
    // Authress service clients
    (".acc", r"\b(?:sc|ext|scauth|authress)_[A-Za-z0-9]{5,30}\.[A-Za-z0-9]{4,6}\.acc[_-][A-Za-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30,120}"),
    // Cloudflare origin CA
    ("v1.0-", r"\bv1\.0-[a-f0-9]{24}-[a-f0-9]{146}\b"),
    // Vault, the old form
    ("s.", r"\bs\.[A-Za-z0-9]{24}\b"),
    // Sidekiq
    ("contribsys.com", r"\b[a-f0-9]{8}:[a-f0-9]{8}@(?:gems|enterprise)\.contribsys\.com"),
];

/// Shapes whose mark is a word before them: looked for wherever that word stands.
#[rustfmt::skip]
const IN_CONTEXT: &[(&str, &str)] = &[
    // Passwords on a curl command line
    ("-u ", r#"\bcurl\b[^\n]{0,200}\s-u\s?["']?[A-Za-z0-9_.@-]{1,40}:[A-Za-z0-9_.!@#%^*+-]{12,80}"#),
    // A bearer of random letters
    ("earer ", r#"(?i)authorization["']?\s?[:=]\s?["']?bearer\s[A-Za-z0-9_.=+/-]{24,400}"#),
];

/// The marks, in the order of the bits that `find` takes.
pub(super) fn marks() -> impl Iterator<Item = &'static str> {
    SHAPES.iter().map(|(mark, _)| *mark)
}

/// The shapes in one long word whose marks stand in it.
pub(super) fn find(bytes: &[u8], word: Range<usize>, marks: u32, found: &mut Vec<Secret>) {
    static COMPILED: LazyLock<Vec<Option<Regex>>> = LazyLock::new(|| compile(SHAPES));
    if marks == 0 || word.len() < MIN_SHAPE_BYTES {
        return;
    }
    for (_, shape) in COMPILED.iter().enumerate().filter(|(bit, _)| marks & 1 << bit != 0) {
        matches(shape.as_ref(), bytes, word.clone(), found);
    }
}

pub(super) fn find_in_context(bytes: &[u8], found: &mut Vec<Secret>) {
    static COMPILED: LazyLock<Vec<Option<Regex>>> = LazyLock::new(|| compile(IN_CONTEXT));
    for ((mark, _), shape) in IN_CONTEXT.iter().zip(COMPILED.iter()) {
        if memmem::find(bytes, mark.as_bytes()).is_some() {
            matches(shape.as_ref(), bytes, 0..bytes.len(), found);
        }
    }
}

fn compile(shapes: &[(&str, &str)]) -> Vec<Option<Regex>> {
    shapes.iter().map(|(_, shape)| build(shape).ok()).collect()
}

fn matches(shape: Option<&Regex>, bytes: &[u8], place: Range<usize>, found: &mut Vec<Secret>) {
    let Some(shape) = shape else { return };
    let mut at = place.start;
    while let Some(hit) = shape.find_at(&bytes[..place.end], at) {
        at = hit.end();
        let has_digits = hit.as_bytes().iter().filter(|byte| byte.is_ascii_digit()).count() >= 3;
        if has_digits && is_random(hit.as_bytes()) {
            found.push(Secret { kind: Kind::Token, range: hit.range() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predicate::secret::all;

    #[test]
    fn every_shape_compiles_and_holds_its_mark() {
        assert!(SHAPES.len() <= 32, "marks are bits");
        for (_, shape) in SHAPES.iter().chain(IN_CONTEXT) {
            assert!(build(shape).is_ok(), "{shape}");
        }
    }

    #[test]
    fn shapes_and_look_alikes() {
        let letters = "h7k2m9x4q1w8e5r3t6y0u2i4o9p3a7s1d5f8g2";
        for text in [
            format!("{}:AAE{}", "7391846205", &letters[..32]),
            format!("{}_{}_mmk", &letters[..6], &letters[..29]),
            format!("curl -H 'Authorization: Bearer {letters}' https://x.example"),
        ] {
            assert_eq!(all(&text, false).len(), 1, "{text}");
        }
        for text in [
            "a.b.c",
            "fn f(x: A) -> s.Thing",
            "curl -u user:password https://x.example",
            "Authorization: Bearer <token>",
            "1234|5678",
        ] {
            assert!(all(text, false).is_empty(), "{text}");
        }
    }
}
