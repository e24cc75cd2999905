//! URLs and hosts in every notation a client resolves: decimal, octal and hexadecimal addresses, IPv4 inside IPv6,
//! names that spell an address, logins that look like hosts. Reads; never resolves, never connects.

use super::{Match, secret};
use crate::role::Role;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use url::{Host, Url};

const MAX_URL_BYTES: usize = 8 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostClass {
    /// Where clouds hand out credentials to whoever asks.
    Metadata,
    LinkLocal,
    Loopback,
    /// This machine or its network, at a port that belongs to a service rather than to a page under development.
    InternalService,
    Private,
    /// An internal address written so that it does not look like one.
    DisguisedInternal,
    /// A service made to record who calls it: the proof of a request that should not have been.
    Recorder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trick {
    /// `https://bank.example@other.example/`
    LoginLooksLikeHost,
    /// A scheme that makes the client speak another protocol or read a file.
    OddScheme,
    /// Line breaks in the URL, plain or encoded.
    LineBreak,
    /// Punycode: the name shown is not the name used.
    Punycode,
    /// A bare address instead of a name.
    BareAddress,
    /// Different readers take different hosts from it, or none.
    Ambiguous,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Load {
    Secret,
    /// Encoded text in path or query.
    EncodedText,
    /// Data cut into the labels of the host name.
    HostLabels,
}

/// Those of the text's URLs whose host belongs to one of `classes`.
pub fn find_hosts(text: &str, urls: &[Located], classes: &[HostClass]) -> Vec<Match> {
    let mut out = Vec::new();
    for (range, url) in urls {
        let Some(found) = classify(&text[range.clone()], url) else { continue };
        let hit = classes.iter().any(|class| match class {
            HostClass::DisguisedInternal => found.is_disguised,
            HostClass::InternalService => {
                matches!(found.class, HostClass::Loopback | HostClass::Private) && (is_service(url) || has_login(url))
            }
            class => *class == found.class,
        });
        if hit {
            let reading = found.is_disguised.then(|| format!("address {}", found.address));
            out.push(Match { range: range.clone(), reading });
        }
    }
    out
}

/// A login before an internal host: `http://user@127.0.0.1:8080/`. Addresses of databases have one by rights.
fn has_login(url: &Url) -> bool {
    !url.username().is_empty() && matches!(url.scheme(), "http" | "https" | "ftp")
}

pub fn find_tricks(text: &str, urls: &[Located], tricks: &[Trick]) -> Vec<Match> {
    let mut out = Vec::new();
    if tricks.contains(&Trick::Ambiguous) && is_ambiguous(text.trim()) {
        out.push(Match { range: 0..text.len(), reading: None });
    }
    if tricks.contains(&Trick::OddScheme) && wraps_address(text.trim()) {
        out.push(Match { range: 0..text.len(), reading: None });
    }
    for (range, url) in urls {
        let raw = &text[range.clone()];
        let host = url.host_str().unwrap_or("");
        let hit = tricks.iter().any(|trick| match trick {
            Trick::LoginLooksLikeHost => {
                let login = url.username();
                (login.contains('.') || login.contains("%2e") || login.contains("%2f")) && !host.is_empty()
            }
            Trick::OddScheme => matches!(
                url.scheme(),
                "gopher"
                    | "dict"
                    | "ldap"
                    | "ldaps"
                    | "jar"
                    | "netdoc"
                    | "phar"
                    | "expect"
                    | "php"
                    | "tftp"
                    | "glob"
                    | "ogg"
                    | "zlib"
            ),
            Trick::LineBreak => {
                let lower = raw.to_ascii_lowercase();
                lower.contains("%0d%0a") || lower.contains("%0a%0d")
            }
            Trick::Punycode => host.split('.').any(|label| label.starts_with("xn--")),
            Trick::Ambiguous => false,
            Trick::BareAddress => matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_))) && !is_internal(url),
        });
        if hit {
            out.push(Match { range: range.clone(), reading: None });
        }
    }
    out
}

/// A scheme around an address: `jar:http://…!/`.
fn wraps_address(text: &str) -> bool {
    let lower = text[..text.floor_char_boundary(32)].to_ascii_lowercase();
    ["jar:", "netdoc:", "phar:", "php:", "expect:", "zlib:", "glob:", "compress.zlib:", "url:"]
        .iter()
        .any(|scheme| lower.strip_prefix(scheme).is_some_and(|rest| rest.contains("://") || rest.starts_with("//")))
}

/// An authority with signs that parsers disagree about: `http://a\\@b/`, `http://1.1.1.1 &@2.2.2.2`, `http://127.0.0.1!/`.
fn is_ambiguous(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    if text.len() > MAX_URL_BYTES
        || !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https" | "ftp" | "ws" | "wss")
    {
        return false;
    }
    let authority = &rest[..rest.find('/').unwrap_or(rest.len())];
    if authority.len() > 255 || authority.contains(['{', '<', '$']) {
        return false;
    }
    let at = authority.rfind('@');
    let starts_as_number = authority.starts_with(|c: char| c.is_ascii_digit() || c == '[');
    let odd_number = {
        let host = authority.rsplit('@').next().unwrap_or("");
        let host = host.split(':').next().unwrap_or("");
        let labels: Vec<&str> = host.split('.').collect();
        let is_number = |label: &&str| {
            let digits = label.trim_start_matches(['o', 'x', '0']);
            !label.is_empty()
                && label.contains(|c: char| c.is_ascii_digit())
                && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        labels.len() == 4 && labels.iter().all(is_number) && host.contains(['o', 'x'])
    };
    authority.matches('@').count() > 1
        || at.is_some_and(|at| authority[..at].contains(['\\', '#', '?', ' ', '&', '[']))
        || starts_as_number && Url::parse(text).is_err()
        || starts_as_number && authority.contains(['!', '\\'])
        || odd_number
}

/// Ports of databases, control planes and the plain web server; development servers listen elsewhere.
fn is_service(url: &Url) -> bool {
    const PORTS: &[u16] = &[
        21, 22, 23, 25, 53, 80, 110, 111, 135, 139, 143, 389, 443, 445, 465, 587, 636, 873, 993, 1433, 1521, 2049,
        2181, 2375, 2376, 2379, 2380, 3128, 3306, 3389, 4243, 4444, 5432, 5601, 5672, 5900, 5984, 5985, 6379, 6443,
        6666, 7001, 8500, 9042, 9092, 9200, 9300, 10250, 10255, 10256, 11211, 15672, 27017, 28017, 50000, 50070,
    ];
    url.port_or_known_default().is_none_or(|port| PORTS.contains(&port))
}

pub fn find_loads(urls: &[Located], loads: &[Load]) -> Vec<Match> {
    let mut out = Vec::new();
    for (range, url) in urls {
        if is_internal(url) || !matches!(url.scheme(), "http" | "https" | "ws" | "wss" | "ftp") {
            continue;
        }
        let hit = loads.iter().any(|load| match load {
            Load::Secret => {
                let query = format!("{} {}", url.path(), url.query().unwrap_or(""));
                let kinds = [secret::Kind::Token, secret::Kind::PrivateKey];
                // Webhook addresses are secrets themselves: calling them is their use.
                !is_webhook(url) && !secret::find(&query, &kinds).is_empty()
            }
            Load::EncodedText => encoded_text(url),
            Load::HostLabels => url.host_str().is_some_and(labels_carry_data),
        });
        if hit {
            out.push(Match { range: range.clone(), reading: None });
        }
    }
    out
}

/// Whether an argument names a place outside this machine.
pub(crate) fn is_destination(role: Role, text: &str) -> bool {
    let text = text.trim();
    match role {
        Role::ArgumentUrl | Role::ArgumentHost => {
            urls(text, true).iter().any(|(_, url)| url.scheme() != "file" && url.host().is_some() && !is_internal(url))
        }
        Role::ArgumentName | Role::ArgumentText => {
            text.len() < 255
                && !text.contains(char::is_whitespace)
                && text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
        }
        _ => false,
    }
}

/// A URL and where it stands.
pub(crate) type Located = (Range<usize>, Url);

/// The URLs of a text. `whole`: the text is a host or URL, not prose with URLs in it; a bare host counts too.
pub(crate) fn urls(text: &str, whole: bool) -> Vec<Located> {
    let mut out = Vec::new();
    let mut done = 0;
    let is_end =
        |c: char| !whole && (c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | ')' | '|' | '\\'));
    // Looked for once for all that begin before it: a flood of beginnings reads no stretch twice.
    let mut next_end = 0;
    for (at, _) in text.match_indices("://") {
        if at < done {
            continue;
        }
        if next_end < at + 3 {
            next_end = at + 3 + text[at + 3..].find(is_end).unwrap_or(text.len() - at - 3);
        }
        let before = &text.as_bytes()[..at];
        let is_scheme = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let length = before.iter().rev().take(24).take_while(is_scheme).count();
        let start = at - length;
        let end = text.floor_char_boundary(next_end.min(at + 3 + MAX_URL_BYTES));
        if is_hopeless(&text[start..end], length + 3) {
            continue;
        }
        if let Ok(url) = Url::parse(&text[start..end]) {
            done = end;
            out.push((start..end, url));
        }
    }
    if whole && out.is_empty() {
        let host = text.trim().trim_start_matches('/');
        let is_host = !host.is_empty() && host.len() <= 255 && !host.contains(char::is_whitespace);
        if is_host && let Ok(url) = Url::parse(&format!("http://{host}")) {
            out.push((0..text.len(), url));
        } else if is_host
            && host.contains(':')
            && let Ok(url) = Url::parse(&format!("http://[{host}]"))
        {
            out.push((0..text.len(), url));
        }
    }
    out
}

/// Whether a long URL fails for its host: the host alone is read first, so that a flood of bad ones costs little each.
fn is_hopeless(url: &str, scheme: usize) -> bool {
    const LONG_BYTES: usize = 256;
    if url.len() < LONG_BYTES {
        return false;
    }
    let rest = url[scheme..].trim_start_matches(['/', '\\']);
    let host = rest.find(['/', '?', '#', '\\']).map_or(url, |end| &url[..url.len() - rest.len() + end]);
    Url::parse(host).is_err()
}

struct Found {
    class: HostClass,
    is_disguised: bool,
    address: String,
}

fn classify(raw: &str, url: &Url) -> Option<Found> {
    let host = url.host()?;
    let (address, spelled) = match &host {
        Host::Ipv4(address) => (IpAddr::V4(*address), false),
        Host::Ipv6(address) => (IpAddr::V6(*address), false),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            if METADATA_NAMES.contains(&name.as_str()) {
                return Some(Found { class: HostClass::Metadata, is_disguised: false, address: name });
            }
            if RECORDERS.iter().any(|one| name == *one || name.strip_suffix(one).is_some_and(|own| own.ends_with('.')))
            {
                return Some(Found { class: HostClass::Recorder, is_disguised: false, address: name });
            }
            if CLUSTER_NAMES.iter().any(|end| name == end[1..] || name.ends_with(end)) {
                return Some(Found { class: HostClass::Private, is_disguised: false, address: name });
            }
            if LOOPBACK_NAMES.contains(&name.as_str()) || name.ends_with(".localhost") {
                return Some(Found { class: HostClass::Loopback, is_disguised: false, address: name });
            }
            // Schemes the URL standard does not know keep their host as it is written.
            match name.parse() {
                Ok(address) => (IpAddr::V4(address), false),
                Err(_) => (IpAddr::V4(spelled_address(&name)?), true),
            }
        }
    };
    let (v4, is_embedded) = match address {
        IpAddr::V4(address) => (Some(address), false),
        IpAddr::V6(address) => (embedded_v4(address), true),
    };
    let class = match (v4, address) {
        (Some(v4), _) => class_v4(v4),
        (None, IpAddr::V6(v6)) => class_v6(v6),
        (None, IpAddr::V4(_)) => None,
    }?;
    let plain = v4.is_some_and(|v4| raw.contains(&v4.to_string())) && !is_embedded;
    let is_disguised = spelled || v4.is_some() && !plain;
    Some(Found { class, is_disguised, address: v4.map_or(address.to_string(), |v4| v4.to_string()) })
}

#[rustfmt::skip]
const METADATA_NAMES: &[&str] = &[
    "metadata.google.internal", "metadata.goog", "metadata", "instance-data", "instance-data.ec2.internal",
    "metadata.azure.internal", "metadata.tencentyun.com", "metadata.packet.net", "metadata.platformequinix.com",
    "rancher-metadata", "metadata.oraclecloud.com", "metadata.hetzner.cloud", "metadata.internal",
];
/// Names that only mean something inside a cluster or beside a container engine.
const CLUSTER_NAMES: &[&str] =
    &[".svc", ".svc.cluster.local", ".kubernetes.default", ".host.docker.internal", ".service.consul"];
#[rustfmt::skip]
const RECORDERS: &[&str] = &[
    "burpcollaborator.net", "oastify.com", "oast.pro", "oast.live", "oast.site", "oast.online", "oast.fun", "oast.me",
    "interact.sh", "interactsh.com", "dnslog.cn", "dnslog.link", "ceye.io", "canarytokens.com", "xss.ht", "bxss.me",
    "bxss.in", "requestrepo.com", "requestbin.net", "requestbin.com", "webhook.site", "pipedream.net", "pingb.in",
    "eyes.sh", "xss.report", "r.requestcatcher.com", "requestcatcher.com", "hookbin.com", "beeceptor.com",
];
const LOOPBACK_NAMES: &[&str] = &[
    "localhost",
    "localhost.localdomain",
    "localhost6",
    "localhost4",
    "ip6-localhost",
    "ip6-loopback",
    "loopback",
    "localhost6.localdomain6",
];

fn class_v4(v4: Ipv4Addr) -> Option<HostClass> {
    const METADATA: [Ipv4Addr; 6] = [
        Ipv4Addr::new(169, 254, 169, 254),
        Ipv4Addr::new(169, 254, 170, 2),
        Ipv4Addr::new(169, 254, 170, 23),
        Ipv4Addr::new(100, 100, 100, 200),
        Ipv4Addr::new(192, 0, 0, 192),
        Ipv4Addr::new(168, 63, 129, 16),
    ];
    if METADATA.contains(&v4) {
        Some(HostClass::Metadata)
    } else if v4.is_link_local() {
        Some(HostClass::LinkLocal)
    } else if v4.is_loopback() || v4.octets()[0] == 0 {
        Some(HostClass::Loopback)
    } else if v4.is_private() {
        Some(HostClass::Private)
    } else {
        None
    }
}

fn class_v6(v6: Ipv6Addr) -> Option<HostClass> {
    let first = v6.segments()[0];
    if v6 == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)
        || v6 == Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)
    {
        Some(HostClass::Metadata)
    } else if v6.is_loopback() || v6.is_unspecified() {
        Some(HostClass::Loopback)
    } else if first & 0xffc0 == 0xfe80 {
        Some(HostClass::LinkLocal)
    } else if first & 0xfe00 == 0xfc00 {
        Some(HostClass::Private)
    } else {
        None
    }
}

/// IPv4 in mapped, compatible, translated (64:ff9b::) and 6to4 addresses.
fn embedded_v4(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = v6.segments();
    let tail = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(tail(high, low)),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(tail(high, low)),
        [0x2002, high, low, ..] => Some(tail(high, low)),
        _ => None,
    }
}

/// `127.0.0.1.nip.io`, `7f000001.sslip.io`, `169-254-169-254.sslip.io`, `localtest.me`.
fn spelled_address(name: &str) -> Option<Ipv4Addr> {
    if ["localtest.me", "lvh.me", "vcap.me", "lacolhost.com"]
        .iter()
        .any(|own| name == *own || name.ends_with(&format!(".{own}")))
    {
        return Some(Ipv4Addr::LOCALHOST);
    }
    // Names that answer now one address and now another one.
    if let Some(pair) = name.strip_suffix(".rbndr.us") {
        let mut addresses = pair.split('.').filter(|label| label.len() == 8).map(|hex| u32::from_str_radix(hex, 16));
        return addresses.find_map(|value| value.ok().map(Ipv4Addr::from).filter(|v4| class_v4(*v4).is_some()));
    }
    let inner = ["nip.io", "sslip.io", "xip.io", "traefik.me"].iter().find_map(|own| name.strip_suffix(own))?;
    let inner = inner.trim_end_matches('.').replace('-', ".");
    let labels: Vec<&str> = inner.split('.').collect();
    if let [.., hex] = labels.as_slice()
        && hex.len() == 8
        && let Ok(value) = u32::from_str_radix(hex, 16)
    {
        return Some(Ipv4Addr::from(value));
    }
    labels.windows(4).find_map(|four| four.join(".").parse().ok())
}

fn is_internal(url: &Url) -> bool {
    classify("", url).is_some_and(|found| found.class != HostClass::Recorder)
}

fn is_webhook(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        host == "hooks.slack.com" || host.ends_with("discord.com") || host.ends_with("webhook.office.com")
    })
}

/// A long query value or path part that decodes to prose or to lines of settings. JSON is left alone: sign-in flows
/// carry it.
fn encoded_text(url: &Url) -> bool {
    let values = url.query_pairs().map(|(_, value)| value.into_owned()).collect::<Vec<_>>();
    let parts = url.path_segments().into_iter().flatten().map(str::to_owned);
    values.into_iter().chain(parts).filter(|value| value.len() >= 40).any(|value| {
        let bytes = value.as_bytes();
        let decoded = if bytes.iter().all(u8::is_ascii_hexdigit) {
            bytes
                .chunks_exact(2)
                .filter_map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
                .collect()
        } else if bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=' | b' '))
        {
            crate::decode::decode64(bytes)
        } else {
            return false;
        };
        let Ok(text) = String::from_utf8(decoded) else { return false };
        let is_text = text.chars().all(|c| !c.is_control() || c.is_whitespace());
        is_text && text.len() >= 30 && text.contains([' ', '\n', '=', ':']) && !text.starts_with(['{', '['])
    })
}

/// Long or many hex or base32 labels in front of a domain.
fn labels_carry_data(host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    let data = labels[..labels.len().saturating_sub(2)].iter();
    let is_coded = |label: &str| {
        let hex = label.bytes().all(|byte| byte.is_ascii_hexdigit());
        let base32 = label.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'2'..=b'7'));
        let digits = label.bytes().filter(u8::is_ascii_digit).count();
        (hex || base32) && digits * 8 >= label.len()
    };
    let coded: Vec<usize> = data.filter(|label| is_coded(label)).map(|label| label.len()).collect();
    coded.iter().any(|length| *length >= 50) || coded.iter().filter(|length| **length >= 24).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_beginnings_costs_no_more_than_its_length() {
        let flood = "![a](http://x".repeat(1 << 16);
        let started = std::time::Instant::now();
        for whole in [false, true] {
            urls(&flood, whole);
        }
        let one = started.elapsed();
        assert!(one.as_millis() < 2000, "{one:?}");
        let long = format!("http:///a.example/{} http://b![/{}", "x".repeat(300), "x".repeat(300));
        assert_eq!(urls(&long, false).len(), 1, "slashes before a host are skipped, a bad host is not");
        let text = "see https://a.example/x) and http://b![ then (https://c.example/y).";
        let hosts: Vec<_> = urls(text, false).into_iter().map(|(range, _)| &text[range]).collect();
        assert_eq!(hosts, ["https://a.example/x", "https://c.example/y"]);
    }

    #[test]
    fn every_notation_of_the_metadata_address() {
        for host in [
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "0xa9.0xfe.0xa9.0xfe",
            "0251.0376.0251.0376",
            "169.254.43518",
            "[::ffff:169.254.169.254]",
            "[::ffff:a9fe:a9fe]",
            "[64:ff9b::a9fe:a9fe]",
            "169.254.169.254.nip.io",
            "a9fea9fe.sslip.io",
            "169-254-169-254.sslip.io",
            "①⑥⑨.254.169.254",
            "metadata.google.internal",
            "METADATA.google.internal.",
            "user@169.254.169.254",
            "[fd00:ec2::254]",
        ] {
            let url = format!("http://{host}/latest/meta-data/");
            assert_eq!(find_hosts(&url, &urls(&url, true), &[HostClass::Metadata]).len(), 1, "{url}");
            if !host.contains('@') {
                assert_eq!(find_hosts(host, &urls(host, true), &[HostClass::Metadata]).len(), 1, "{host}");
            }
        }
    }

    #[test]
    fn plain_local_addresses_are_not_disguised() {
        for url in [
            "http://localhost:3000",
            "http://127.0.0.1:8080/x",
            "http://192.168.1.10",
            "https://example.com",
            "http://[::1]:80",
        ] {
            assert!(find_hosts(url, &urls(url, true), &[HostClass::DisguisedInternal]).is_empty(), "{url}");
        }
        for url in [
            "http://2130706433/",
            "http://0x7f.1/",
            "http://127.1/",
            "http://[::ffff:127.0.0.1]/",
            "http://localtest.me/",
        ] {
            assert_eq!(find_hosts(url, &urls(url, true), &[HostClass::DisguisedInternal]).len(), 1, "{url}");
        }
    }

    #[test]
    fn loads() {
        let secret = secret::expand_fakes("https://evil.example/c?d={{fake:ghp_:36}}");
        assert_eq!(find_loads(&urls(&secret, true), &[Load::Secret]).len(), 1);
        let text = "https://x.example/p?q=ZGF0YWJhc2UgcGFzc3dvcmQ9aHVudGVyMiBob3N0PWRiLmludGVybmFs";
        assert_eq!(find_loads(&urls(text, true), &[Load::EncodedText]).len(), 1);
        let labels = "http://4d5a90000300000004000000ffff0000b8.00000000000000400000000000000000.x.example/";
        assert_eq!(find_loads(&urls(labels, true), &[Load::HostLabels]).len(), 1);
        for url in [
            "https://github.com/a/b/commit/9fceb02d0ae598e95dc970b74767f19372d61af8",
            "https://bucket.s3.amazonaws.com/key?X-Amz-Signature=9fceb02d0ae598e95dc970b74767f19372d61af89fceb02d0ae598e95dc970b7",
            "https://d111111abcdef8.cloudfront.net/x",
        ] {
            assert!(
                find_loads(&urls(url, true), &[Load::Secret, Load::EncodedText, Load::HostLabels]).is_empty(),
                "{url}"
            );
        }
    }
}
