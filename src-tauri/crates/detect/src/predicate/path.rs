//! Paths: normalised as the receiver would (climbing, encodings, home, drive letters, `/proc/self/root`), then looked up
//! in a catalogue of files that hold keys, credentials, system secrets, or the settings of AI apps and of Portcullis.

mod catalogue;
mod roots;

use super::Match;
use crate::role::Role;
use crate::work;
pub use catalogue::Set;
pub(crate) use roots::{Roots, find_outside};
use serde::Deserialize;

/// Longer than any system takes, because programs shorten `a/../` before they ask the system.
const MAX_PATH_BYTES: usize = 128 * 1024;
/// Lines of a list of paths.
const MAX_LINES: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Climbs (`..`) and ends at a system or credential file.
    Sensitive,
    /// Dots or slashes written so that a check overlooks them, or a zero byte.
    Encoded,
    /// Climbs at least this often beyond its start without saying where to.
    Far,
}

/// A path as the receiver sees it.
#[derive(Debug, Default)]
pub(crate) struct Path {
    /// Lower-case, `/`-separated, home as `~`, no `.` or `..` left.
    pub text: String,
    pub climbs: usize,
    /// Starts at the root and goes up all the same.
    pub wanders: bool,
    /// Starts at the root and goes up beyond it.
    pub leaves_root: bool,
    /// Dots or slashes were percent-encoded, doubled or overlong.
    pub is_encoded: bool,
    pub has_nul: bool,
}

/// Climbs beyond the start that no ordinary relative path in a call needs.
const FAR_CLIMBS: usize = 3;
/// The same for texts that are only perhaps a path.
const FAR_CLIMBS_ELSEWHERE: usize = 5;

/// Settings of the system are what a server works on that was given their very folder; keys, credentials and the rest of
/// the catalogue stay what they are wherever they lie.
pub(crate) fn find_sensitive(paths: &Paths<'_>, sets: &[Set], roots: &Roots) -> Vec<Match> {
    let calm = |set: &Set, path: &Path| *set == Set::SystemSettings && roots.give(&path.text);
    paths.find(|path| sets.iter().any(|set| set.holds(&path.text) && !calm(set, path)))
}

pub(crate) fn find_traversal(paths: &Paths<'_>, role: Role, reaches: &[Reach], roots: &Roots) -> Vec<Match> {
    let sets = [Set::System, Set::Probe, Set::PrivateKeys, Set::Credentials];
    let climbs_into = |path: &Path| {
        path.climbs > 0 && sets.iter().any(|set| set.holds_after_climb(&path.text))
            || path.wanders
                && sets.iter().any(|set| set.holds(&path.text) && !(*set == Set::Probe && roots.give(&path.text)))
    };
    let is_path = matches!(role, Role::ArgumentPath | Role::ArgumentUrl);
    let far = if is_path { FAR_CLIMBS } else { FAR_CLIMBS_ELSEWHERE };
    paths.find(|path| {
        reaches.iter().any(|reach| match reach {
            Reach::Sensitive => climbs_into(path),
            Reach::Encoded => path.is_encoded && (path.climbs > 0 || path.wanders) || path.has_nul,
            Reach::Far => path.climbs >= far || path.leaves_root,
        })
    })
}

/// What a text says as paths: the whole of it as one; where paths are expected, each of its lines too.
pub(crate) struct Paths<'t> {
    text: &'t str,
    read: Vec<(&'t str, Path)>,
}

impl<'t> Paths<'t> {
    pub fn of(text: &'t str, role: Role) -> Self {
        let is_path = matches!(role, Role::ArgumentPath | Role::ArgumentUrl);
        let has_lines = text.trim().contains('\n');
        let mut candidates = Vec::new();
        if text.len() <= MAX_PATH_BYTES && (is_path || !has_lines) {
            candidates.push(text);
            candidates.extend(text.lines().filter(|_| has_lines).take(MAX_LINES));
        }
        Self { text, read: candidates.into_iter().map(|text| (text, Path::of(text))).collect() }
    }

    fn find(&self, hit: impl Fn(&Path) -> bool) -> Vec<Match> {
        let found = self.read.iter().find(|(_, path)| hit(path));
        let found = found.map(|(text, path)| Match { range: 0..self.text.len(), reading: reading(text, path) });
        found.into_iter().collect()
    }
}

fn reading(text: &str, path: &Path) -> Option<String> {
    (path.is_encoded || path.climbs > 0)
        .then(|| format!("{}{}", "../".repeat(path.climbs.min(8)), path.text))
        .filter(|reading| reading != text)
}

impl Path {
    pub fn of(text: &str) -> Self {
        work::read(text.len());
        let mut path = Self::default();
        let mut text = text.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
        if let Some(signs) = plain_signs(&text) {
            path.is_encoded = true;
            text = signs;
        }
        for _ in 0..if may_be_encoded(&text) { 3 } else { 0 } {
            let undone = undo_encoding(&text);
            if undone == text {
                break;
            }
            // An encoded space is no disguise; encoded dots and slashes are.
            path.is_encoded |= undone.matches(['.', '/', '\\']).count() > text.matches(['.', '/', '\\']).count();
            text = undone;
        }
        if let Some(at) = text.find('\0') {
            path.has_nul = true;
            text.truncate(at);
        }
        if text.contains('\\') {
            text = text.replace('\\', "/");
        }
        for scheme in ["file://localhost", "file://", "file:"] {
            if let Some(rest) = text.strip_prefix(scheme) {
                text = rest.to_owned();
                break;
            }
        }
        // In a URL the path begins behind the host.
        if let Some((scheme, rest)) = text.split_once("://")
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && rest.contains("..")
        {
            let start = rest.find(['/', '?']).unwrap_or(rest.len());
            text = rest[start..].replacen(['?', '='], "/", 4);
        }
        // `..;/` (Java), and `....//` or `..././`, which become `../` when a filter takes one `../` away.
        let has_dots = text.contains("..");
        if has_dots && ["..;/", "....//", "..././", ".../", "...."].iter().any(|form| text.contains(form)) {
            let undone = text.replace("..;/", "../").replace("..././", "../").replace("....//", "../");
            let undone = undone.split('/').map(dotted).collect::<Vec<_>>().join("/");
            path.is_encoded |= undone != text;
            text = undone;
        }
        // Slashes doubled or mixed with single dots between climbs.
        path.is_encoded |= has_dots && [".//..", "..//..", "/.//..", "..//{"].iter().any(|form| text.contains(form));
        while let Some(rest) = text.strip_prefix("/proc/self/root").or_else(|| text.strip_prefix("/proc/1/root")) {
            path.is_encoded = true;
            text = rest.to_owned();
        }
        let is_rooted = text.starts_with('/');
        let mut parts: Vec<&str> = Vec::new();
        for part in text.split('/') {
            // Windows ignores dots and spaces at the end, and `::$DATA` names the file itself.
            let part = part.strip_suffix("::$data").unwrap_or(part);
            match part {
                "" | "." => {}
                ".." => {
                    path.wanders |= is_rooted;
                    if parts.pop().is_none() {
                        path.climbs += 1;
                        path.leaves_root |= is_rooted;
                    }
                }
                part => parts.push(part),
            }
        }
        let joined = parts.join("/");
        path.text = home(if is_rooted { format!("/{joined}") } else { joined });
        path
    }
}

/// Signs that some systems take for the dots and slashes that they look like.
fn plain_signs(text: &str) -> Option<String> {
    let has_some = !text.is_ascii() && text.contains(['∕', '⁄', '／', '＼', '．', '․', '‥']);
    has_some
        .then(|| text.replace('‥', "..").replace(['．', '․'], ".").replace(['∕', '⁄', '／'], "/").replace('＼', "\\"))
}

/// Whether anything of what `undo_encoding` undoes can stand in the text.
fn may_be_encoded(text: &str) -> bool {
    memchr::memchr(b'%', text.as_bytes()).is_some()
        || text.as_bytes().windows(2).any(|two| matches!(two, b".." | b"0x" | b"2f"))
}

/// Three and more dots climb on some systems, and many are cut to two on others.
fn dotted(part: &str) -> &str {
    if part.len() >= 3 && part.bytes().all(|byte| byte == b'.') { ".." } else { part }
}

/// Percent-encoding, `%u`, overlong and half-encoded forms undone once.
fn undo_encoding(text: &str) -> String {
    let mut text = percent_decoded(text);
    // `..2f..2f`, `..0x2f`, `..255c`: the mark of the encoding got lost, or is one that only some decoders take.
    for (form, sign) in [
        ("..0x2f", "../"),
        ("..0x5c", "..\\"),
        ("0x2e0x2e", ".."),
        ("..252f", "../"),
        ("..255c", "..\\"),
        ("..2f", "../"),
        ("..5c", "..\\"),
    ] {
        if text.contains(form) {
            text = text.replace(form, sign);
        }
    }
    if text.starts_with("../") && text.contains("etc2f") || text.contains("var2flog") {
        text = text.replace("2f", "/");
    }
    text
}

/// `%41`, `%u0041` and overlong UTF-8 (`%c0%ae`) once; what does not decode stays.
pub(super) fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| (*byte as char).to_digit(16));
    let hex = |at: usize| Some((digit(at)? * 16 + digit(at + 1)?) as u8);
    let encoded = |at: usize| (bytes.get(at) == Some(&b'%')).then(|| hex(at + 1)).flatten();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            out.push(bytes[at]);
            at += 1;
            continue;
        }
        if bytes.get(at + 1) == Some(&b'u')
            && let (Some(high), Some(low)) = (hex(at + 2), hex(at + 4))
        {
            // Wide forms that some servers map to the sign they look like.
            let sign = match u16::from_be_bytes([high, low]) {
                0xff0e | 0x2024 => Some('.'),
                0x2215 | 0x2044 | 0xff0f | 0xefc8 | 0xf025 => Some('/'),
                0x2216 | 0xff3c => Some('\\'),
                value => char::from_u32(u32::from(value)),
            };
            out.extend(sign.unwrap_or('\u{fffd}').encode_utf8(&mut [0; 4]).bytes());
            at += 6;
            continue;
        }
        let Some(byte) = hex(at + 1) else {
            out.push(b'%');
            at += 1;
            continue;
        };
        // Overlong: the lead bytes say nothing, the last one carries six bits (or, carelessly decoded, all of itself).
        let lead = match byte {
            0xc0 | 0xc1 => 1,
            0xe0 if encoded(at + 3) == Some(0x80) => 2,
            0xf0 if encoded(at + 3) == Some(0x80) && encoded(at + 6) == Some(0x80) => 3,
            0xf8 if encoded(at + 3) == Some(0x80) => 4,
            0xfc if encoded(at + 3) == Some(0x80) => 5,
            _ => 0,
        };
        if lead > 0
            && let Some(last) = encoded(at + 3 * lead)
        {
            let sign = match last {
                0x80.. => (last & 0x3f) | (byte & 1) << 6,
                last => last,
            };
            out.push(sign);
            at += 3 * (lead + 1);
            continue;
        }
        out.push(byte);
        at += 3;
    }
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Home directories of all platforms and notations as `~`; drive letters dropped.
fn home(text: String) -> String {
    let text = match text.as_bytes() {
        [letter, b':', ..] if letter.is_ascii_alphabetic() => format!("/{}", text[2..].trim_start_matches('/')),
        [b'/', letter, b':', ..] if letter.is_ascii_alphabetic() => format!("/{}", text[3..].trim_start_matches('/')),
        _ => text,
    };
    for start in ["$home/", "${home}/", "%userprofile%/", "$env:userprofile/", "/root/", "/var/root/"] {
        if let Some(rest) = text.strip_prefix(start) {
            return format!("~/{rest}");
        }
    }
    for start in ["/home/", "/users/", "/mnt/c/users/", "/c/users/"] {
        if let Some((_, rest)) = text.strip_prefix(start).and_then(|rest| rest.split_once('/')) {
            return format!("~/{rest}");
        }
    }
    if let Some(rest) = text.strip_prefix('~')
        && let Some((name, rest)) = rest.split_once('/')
        && !name.is_empty()
    {
        return format!("~/{rest}");
    }
    if !text.contains('%') {
        return text;
    }
    text.replace("%appdata%/", "~/appdata/roaming/").replace("%localappdata%/", "~/appdata/local/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traversal_in_every_spelling() {
        for text in [
            "../../../../etc/passwd",
            "..\\..\\..\\windows\\win.ini",
            "%2e%2e%2f%2e%2e%2fetc%2fshadow",
            "%252e%252e%252fetc/passwd",
            "..%c0%af..%c0%afetc/passwd",
            "....//....//etc/passwd",
            "..;/..;/etc/passwd",
            "images/../../../../etc/passwd",
            "/var/www/../../../../../etc/shadow",
            "..%00/../etc/passwd\0.png",
            "file:///../../etc/passwd",
            "../../home/user/.ssh/id_rsa",
            "..∕..∕etc∕passwd",
            "．．／．．／etc／shadow",
        ] {
            let found = find_traversal(
                &Paths::of(text, Role::ArgumentPath),
                Role::ArgumentPath,
                &[Reach::Sensitive, Reach::Encoded],
                &Roots::default(),
            );
            assert_eq!(found.len(), 1, "{text} {:?}", Path::of(text));
        }
    }

    #[test]
    fn ordinary_paths_are_ordinary() {
        for text in [
            "../src/index.ts",
            "../../lib/utils.js",
            "./a/../b",
            "src/etc/passwd.rs",
            "/home/me/project/.env.example",
            "docs/My%20File.md",
            "C:\\Users\\me\\src\\main.rs",
            "../../packages/core/src",
            "/etc/hosts",
            "/home/me/portcullis/signatures/x.toml",
            "~/.ssh/id_rsa.pub",
            "src/cookies",
        ] {
            assert!(
                find_traversal(
                    &Paths::of(text, Role::ArgumentPath),
                    Role::ArgumentPath,
                    &[Reach::Sensitive, Reach::Encoded, Reach::Far],
                    &Roots::default()
                )
                .is_empty(),
                "{text}"
            );
            let sets = [Set::PrivateKeys, Set::Credentials, Set::System, Set::State, Set::AppConfigs, Set::Startup];
            assert!(
                find_sensitive(&Paths::of(text, Role::ArgumentPath), &sets, &Roots::default()).is_empty(),
                "{text}"
            );
        }
    }

    #[test]
    fn sensitive_files_on_three_platforms() {
        for (text, set) in [
            ("~/.ssh/id_rsa", Set::PrivateKeys),
            ("/Users/me/.ssh/id_ed25519", Set::PrivateKeys),
            ("C:\\Users\\me\\.ssh\\id_ecdsa", Set::PrivateKeys),
            ("/Users/me/Library/Keychains/login.keychain-db", Set::PrivateKeys),
            ("%LOCALAPPDATA%\\Google\\Chrome\\User Data\\Default\\Login Data", Set::PrivateKeys),
            ("/home/me/.aws/credentials", Set::Credentials),
            ("$HOME/.kube/config", Set::Credentials),
            ("/root/.netrc", Set::Credentials),
            ("/proc/self/root/etc/shadow", Set::System),
            ("C:/Windows/System32/config/SAM", Set::System),
            ("/proc/1234/environ", Set::System),
            ("~/.local/share/portcullis/audit.db", Set::State),
            ("~/.portcullis/key", Set::State),
            ("/Users/me/Library/Application Support/Claude/claude_desktop_config.json", Set::AppConfigs),
            ("~/.cursor/mcp.json", Set::AppConfigs),
            ("~/.bashrc", Set::Startup),
            ("repo/.git/hooks/pre-commit", Set::Startup),
            ("/work/app/.env", Set::EnvFiles),
            (".env.production", Set::EnvFiles),
        ] {
            assert_eq!(
                find_sensitive(&Paths::of(text, Role::ArgumentPath), &[set], &Roots::default()).len(),
                1,
                "{text} {:?}",
                Path::of(text)
            );
        }
    }
}
