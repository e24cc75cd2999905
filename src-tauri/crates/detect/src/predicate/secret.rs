//! Secrets: known token formats with their lengths and alphabets, private keys, connection strings, JWTs, and values
//! assigned to telling names. Placeholders, hashes, UUIDs and integrity strings are none.

mod checksum;
mod formats;
mod provider;
mod shaped;

use super::Match;
use crate::runs::{self, Class};
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use formats::{FORMATS, Format};
use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;
use std::ops::Range;
use std::sync::LazyLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    PrivateKey,
    /// A token whose provider is known by its form.
    Token,
    /// `postgres://user:password@host`.
    ConnectionString,
    Jwt,
    /// A random value after a name like `api_key`.
    Assigned,
}

/// A secret and where it stands.
pub(crate) struct Secret {
    pub kind: Kind,
    pub range: Range<usize>,
}

/// Those of `secrets` that are of one of `kinds`.
pub fn pick(secrets: &[Secret], kinds: &[Kind]) -> Vec<Match> {
    let found = secrets.iter().filter(|secret| kinds.contains(&secret.kind));
    found.take(16).map(|secret| Match { range: secret.range.clone(), reading: None }).collect()
}

pub fn find(text: &str, kinds: &[Kind]) -> Vec<Match> {
    pick(&all(text, kinds.contains(&Kind::Assigned)), kinds)
}

/// Every secret in document order, overlaps removed. `assigned`: also values known only by their name.
/// Only what stands in or before a long word is looked at closely: secrets are long, most words are not.
pub(crate) fn all(text: &str, assigned: bool) -> Vec<Secret> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    // Addresses with a password are longer, too.
    if bytes.len() < MIN_WORD_BYTES {
        return found;
    }
    private_keys(bytes, &mut found);
    connection_strings(text, &mut found);
    shaped::find_in_context(bytes, &mut found);
    let mut at = 0;
    while let Some(word) = runs::next(bytes, at, MIN_WORD_BYTES, &WORDS) {
        at = word.end;
        tokens(bytes, word.clone(), &mut found);
        let signs = &bytes[word.start.saturating_sub(MAX_SIGN_BYTES)..word.end];
        if assigned && signs.iter().any(|byte| SIGNS[usize::from(*byte)]) {
            let place = word.start.saturating_sub(MAX_NAME_BYTES)..word.end;
            assigned_values(bytes, place.clone(), &mut found);
            provider::find(bytes, place, &mut found);
        }
    }
    // What is known by its form says more than what is known by its name.
    found.sort_by_key(|secret| (secret.range.start, secret.kind == Kind::Assigned, secret.range.end));
    let mut end = 0;
    found.retain(|secret| {
        let keep = secret.range.start >= end;
        end = end.max(secret.range.end);
        keep
    });
    found
}

/// The shortest word in which a secret is looked for.
const MIN_WORD_BYTES: usize = 14;
/// What secrets, and a name and sign of assignment that touch one, are made of.
static WORDS: Class = runs::alphanumeric_and(b"_-./+=~:|%@$!#^*");
/// Signs that assign.
static SIGNS: Class = runs::of(b"=:>|?,");
/// Between a sign of assignment and the value.
const MAX_SIGN_BYTES: usize = 12;
/// Before a value, where its name is looked for.
const MAX_NAME_BYTES: usize = 80;
/// The longest part of a prefix that stands before its word (`FlyV1 fm…`).
const MAX_LEAD_BYTES: usize = 8;

/// Tokens known by their prefix or shape in one long word.
fn tokens(bytes: &[u8], word: Range<usize>, found: &mut Vec<Secret>) {
    static PREFIXES: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let prefixes = FORMATS.iter().map(|format| format.prefix).chain(shaped::marks());
        AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(prefixes).ok()
    });
    let Some(automaton) = PREFIXES.as_ref() else { return };
    let start = word.start.saturating_sub(MAX_LEAD_BYTES);
    let mut done = 0;
    let mut marks = 0u32;
    for hit in automaton.find_overlapping_iter(&bytes[start..word.end]) {
        let (from, body) = (start + hit.start(), start + hit.end());
        let Some(format) = FORMATS.get(hit.pattern().as_usize()) else {
            marks |= 1 << (hit.pattern().as_usize() - FORMATS.len());
            continue;
        };
        if from >= done
            && let Some(end) = token(bytes, from, body, format)
        {
            done = end;
            found.push(Secret { kind: format.kind, range: from..end });
        }
    }
    shaped::find(bytes, word, marks, found);
}

fn private_keys(bytes: &[u8], found: &mut Vec<Secret>) {
    const HEADER: &[u8] = b"-----BEGIN ";
    let mut done = 0;
    for start in memmem::find_iter(bytes, HEADER) {
        if start >= done
            && let Some(end) = private_key(bytes, start + HEADER.len())
        {
            done = end;
            found.push(Secret { kind: Kind::PrivateKey, range: start..end });
        }
    }
}

/// End of the token with `format` whose prefix stands at `start..body`.
fn token(bytes: &[u8], start: usize, body: usize, format: &Format) -> Option<usize> {
    let before = start.checked_sub(1).map(|at| bytes[at]);
    if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    if format.kind == Kind::Jwt {
        return jwt(bytes, start);
    }
    let length = bytes[body..].iter().take(format.max + 1).take_while(|byte| format.alphabet.has(**byte)).count();
    let token = bytes.get(body..body + length)?;
    let fits = (format.min..=format.max).contains(&length);
    (fits && (checksum::holds(format.prefix, token) || is_random(token))).then_some(body + length)
}

/// The block from its header to its end line, if there is key material in it. In JSON the line ends are `\n`.
fn private_key(bytes: &[u8], header: usize) -> Option<usize> {
    let after = bytes.get(header..)?;
    let close = after.iter().take(24).position(|byte| *byte == b'-')?;
    let label = &after[..close];
    if !label.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b' ') || !contains(label, b"PRIVATE KEY") {
        return None;
    }
    let body = header + close + after[close..].iter().take_while(|byte| **byte == b'-').count();
    let mut at = body;
    let mut material = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if matches!(bytes.get(at + 1), Some(b'n' | b'r' | b't' | b'/')) => at += 1,
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=') => material += 1,
            // Header lines of encrypted keys, and quoting around lines.
            b' ' | b'\n' | b'\r' | b'\t' | b':' | b',' | b'-'
                if *byte != b'-' || !bytes[at..].starts_with(b"-----") => {}
            _ => break,
        }
        at += 1;
    }
    if material < 48 {
        return None;
    }
    if bytes[at..].starts_with(b"-----END") {
        let tail = bytes[at + 8..].iter().take(40).position(|byte| *byte == b'-').unwrap_or(0);
        at += 8 + tail;
        at += bytes[at..].iter().take(5).take_while(|byte| **byte == b'-').count();
    }
    Some(at)
}

fn jwt(bytes: &[u8], start: usize) -> Option<usize> {
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut at = start;
    let mut parts = [0..0, 0..0, 0..0];
    for (index, part) in parts.iter_mut().enumerate() {
        let length = bytes[at..].iter().take_while(is_part).count();
        *part = at..at + length;
        at += length;
        if index < 2 {
            (bytes.get(at) == Some(&b'.')).then_some(())?;
            at += 1;
        }
    }
    let header = crate::decode::decode64(&bytes[parts[0].clone()]);
    let claims = crate::decode::decode64(&bytes[parts[1].clone()]);
    let is_token = contains(&header, b"\"alg\"") && claims.starts_with(b"{") && parts[2].len() >= 20;
    // The token of jwt.io, which half of all documentation shows.
    (is_token && !contains(&claims, b"1234567890")).then_some(at)
}

/// URLs that carry a password.
fn connection_strings(text: &str, found: &mut Vec<Secret>) {
    const SCHEMES: &[&str] = &[
        "postgres",
        "postgresql",
        "mysql",
        "mariadb",
        "mongodb",
        "mongodb+srv",
        "redis",
        "rediss",
        "amqp",
        "amqps",
        "mssql",
        "sqlserver",
        "ftp",
        "sftp",
        "ssh",
        "http",
        "https",
        "smtp",
        "smtps",
        "ldap",
        "ldaps",
        "clickhouse",
    ];
    const PLACEHOLDERS: &[&str] = &[
        "password",
        "passwd",
        "pass",
        "pwd",
        "pw",
        "secret",
        "example",
        "changeme",
        "token",
        "user",
        "username",
        "postgres",
        "root",
        "admin",
        "test",
        "guest",
        "mysql",
        "redis",
        "mypassword",
        "mysecretpassword",
        "yourpassword",
    ];
    for at in memmem::find_iter(text.as_bytes(), "://") {
        let scheme_start = text[..at]
            .rfind(|c: char| !c.is_ascii_alphanumeric() && c != '+')
            .map_or(0, |n| n + text[n..].chars().next().map_or(1, char::len_utf8));
        if !SCHEMES.contains(&text[scheme_start..at].to_ascii_lowercase().as_str()) {
            continue;
        }
        let rest = &text[at + 3..];
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '`' | '<' | '>' | '\\' | '?' | '#'));
        let authority = &rest[..end.unwrap_or(rest.len()).min(rest.len())];
        let Some((login, host)) = authority.rsplit_once('@') else { continue };
        let Some((user, password)) = login.split_once(':') else { continue };
        let lower = password.to_ascii_lowercase();
        let is_placeholder = PLACEHOLDERS.contains(&lower.as_str())
            || lower == user.to_ascii_lowercase()
            || lower.contains("password")
            || lower.contains("your")
            || lower.starts_with('$')
            || password.contains(['{', '}', '[', ']', '(', ')', '*', '<', '%', ':'])
            || lower.bytes().all(|byte| byte == lower.as_bytes()[0]);
        let name = host.split([':', ',']).next().unwrap_or("");
        let local = matches!(name, "" | "localhost" | "127.0.0.1" | "db" | "host" | "hostname" | "database" | "server")
            || name.ends_with("example.com")
            || name.ends_with("example.org");
        if password.len() >= 8 && !is_placeholder && !local {
            let start = at + 3 + user.len() + 1;
            found.push(Secret { kind: Kind::ConnectionString, range: start..start + password.len() });
        }
    }
}

/// Random values behind `api_key =`, `"client_secret": "` and the like.
fn assigned_values(bytes: &[u8], place: Range<usize>, found: &mut Vec<Secret>) {
    static ASSIGNED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let names = "api[_-]?key|apikey|api[_-]?token|access[_-]?token|auth[_-]?token|access[_-]?key(?:[_-]?id)?|secret[_-]?key|secret[_-]?access[_-]?key|client[_-]?secret|app[_-]?secret|private[_-]?token|bearer[_-]?token|account[_-]?key|sharedaccesskey|password|passwd";
        let pattern =
            format!(r#"(?:{names})\\?["']?\s{{0,4}}(?::|=|=>|:=)\s{{0,4}}\\?["']?([a-z0-9+/_.=~!@#%^*-]{{12,200}})"#);
        RegexBuilder::new(&pattern).unicode(false).case_insensitive(true).build().ok()
    });
    let Some(regex) = ASSIGNED.as_ref() else { return };
    let values = regex.captures_iter(&bytes[place.clone()]).filter_map(|found| found.get(1));
    let values = values.filter(|value| is_password_like(value.as_bytes()));
    found.extend(values.map(|value| {
        let range = place.start + value.start()..place.start + value.end();
        Secret { kind: Kind::Assigned, range }
    }));
}

/// Letters and digits mixed at random: no word, no identifier, no path, no call.
fn is_password_like(value: &[u8]) -> bool {
    let count = |test: fn(&u8) -> bool| value.iter().filter(|byte| test(byte)).count();
    let (digits, upper, lower) =
        (count(u8::is_ascii_digit), count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    let punctuation = value.len() - digits - upper - lower;
    digits >= 2
        && upper + lower >= 4
        && punctuation * 4 <= value.len()
        && value.len() >= 16
        && entropy(value) >= 3.5
        && !contains(value, b"process.")
        && !contains(value, b"://")
        && is_random(value)
}

/// No placeholder: enough different characters, no telling word, no long run of one character.
fn is_random(token: &[u8]) -> bool {
    const TELLING: &[&str] = &[
        "example",
        "xxxx",
        "your",
        "placeholder",
        "redacted",
        "changeme",
        "insert",
        "12345678",
        "abcdefgh",
        "dummy",
        "sample",
        "fake",
        "00000000",
        "test_key",
        "....",
        "----",
        "____",
        "****",
    ];
    let lower = token.to_ascii_lowercase();
    let needed = if token.len() >= 24 { 3.0 } else { 2.5 };
    entropy(token) >= needed && !TELLING.iter().any(|word| contains(&lower, word.as_bytes()))
}

/// Bits per byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let total = bytes.len() as f64;
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / total).map(|p| -p * p.log2()).sum()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    memmem::find(bytes, part).is_some()
}

/// Replaces `{{fake:PREFIX:LENGTH}}` by the prefix and made-up characters, and `{{fake:private-key}}` by a made-up key,
/// so that example files hold nothing that looks like a secret; `{{fake:encoded}}` by more encoded prose than is looked at.
pub(crate) fn expand_fakes(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once("{{fake:") {
        out.push_str(before);
        let Some((what, after)) = tail.split_once("}}") else {
            rest = tail;
            break;
        };
        rest = after;
        match what.rsplit_once(':') {
            Some((prefix, length)) => {
                out.push_str(prefix);
                out.push_str(&made_up(length.parse().unwrap_or(0)));
            }
            None if what == "encoded" => out.push_str(&encoded_prose()),
            None => {
                let body = made_up(192);
                out.push_str(&format!(
                    "-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n-----END OPENSSH PRIVATE KEY-----"
                ));
            }
        }
    }
    out + rest
}

/// A reversed sentence in Base64, more often than is looked at.
fn encoded_prose() -> String {
    const LINE: &str = "a2xpbSBmbyBlbHR0b2IgYSBkbmEgZGFlcmIgZW1vcyByb2YgdGVrcmFtIGVodCBvdCB0bmV3IGdvZCB5emFsIGVodCBkbmEgeG9mIG53b3JiIGtjaXVxIGVodA==\n";
    LINE.repeat(3000)
}

fn made_up(length: usize) -> String {
    const LETTERS: &[u8] = b"A7bC2dE5fG3hJ6kLmN4pQrStUvWxYz";
    let step = |seed: usize| (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    std::iter::successors(Some(42), |seed| Some(step(*seed)))
        .take(length.min(4096))
        .map(|seed| LETTERS[(seed >> 12) % LETTERS.len()] as char)
        .collect()
}
