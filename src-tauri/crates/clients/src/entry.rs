//! One entry of a config's server map: what it starts or calls, whether it is ours, and the splices that make it ours or
//! give it back. Knows no file and no journal.
//!
//! The wrap is its own inverse in bytes: our words are put in front of the first argument and the original command's
//! spelling moves, unchanged, behind `--`. So a wrapped entry can be unwrapped from itself, whatever the person edited
//! after the `--`, with the journal lost.

use crate::descriptor::Descriptor;
use crate::format::{Format, Member, Node, Splice, Value};
use portcullis_domain::{Transport, UpstreamId, slug};
use std::ops::Range;

/// The entry in the words of its app.
#[derive(Debug)]
pub(crate) enum Shape<'t> {
    Stdio {
        command: &'t Node,
        args: Option<&'t Node>,
    },
    Remote {
        url: &'t Node,
        transport: Transport,
    },
    /// Nothing we could carry, and why.
    Odd {
        transport: Transport,
        reason: String,
    },
}

/// Whose the entry is.
#[derive(Debug, PartialEq)]
pub(crate) enum Owner {
    Theirs,
    /// The shim, with what it starts (from the entry itself).
    Shim {
        id: UpstreamId,
        real: Vec<String>,
    },
    /// The shim, but its arguments were edited into something we do not understand.
    BrokenShim,
    /// A local URL with this id.
    Local {
        id: UpstreamId,
    },
}

impl Owner {
    pub fn id(&self) -> Option<&UpstreamId> {
        match self {
            Self::Shim { id, .. } | Self::Local { id } => Some(id),
            Self::Theirs | Self::BrokenShim => None,
        }
    }
}

pub(crate) fn shape<'t>(entry: &'t Node, app: &Descriptor) -> Shape<'t> {
    let odd = |transport, reason: &str| Shape::Odd { transport, reason: reason.into() };
    if entry.members().is_none() {
        return odd(Transport::Stdio, "its entry is not an object");
    }
    let command = entry.get(&app.stdio.command);
    let url = app.remote.as_ref().and_then(|keys| entry.get(&keys.url));
    match (command, url) {
        (Some(_), Some(_)) => odd(Transport::Stdio, "it has both a command and a URL"),
        (None, None) => odd(Transport::Stdio, "it has neither a command nor a URL"),
        (Some(command), None) => {
            let args = entry.get(&app.stdio.args);
            match command.text() {
                None => odd(Transport::Stdio, "its command is not a text"),
                Some("") => odd(Transport::Stdio, "its command is empty"),
                Some(_) if args.is_some_and(|args| args.texts().is_none()) => {
                    odd(Transport::Stdio, "its args are not a list of texts")
                }
                Some(_) => Shape::Stdio { command, args },
            }
        }
        (None, Some(url)) => {
            let Some(address) = url.text() else { return odd(Transport::StreamableHttp, "its URL is not a text") };
            let kind = app.remote.as_ref().and_then(|keys| entry.get(keys.r#type.as_deref()?)).and_then(Node::text);
            let sse = kind == Some("sse") || path_of(address).trim_end_matches('/').ends_with("/sse");
            let transport = if sse { Transport::Sse } else { Transport::StreamableHttp };
            Shape::Remote { url, transport }
        }
    }
}

/// Why a remote entry of theirs cannot be carried; None when it can.
pub(crate) fn url_obstacle(url: &str, app: &Descriptor) -> Option<String> {
    if let Some(reason) = app.remote.as_ref().and_then(|keys| keys.never.clone()) {
        return Some(reason);
    }
    if url.contains("${") {
        return Some("its URL holds a variable that only the app can fill in".into());
    }
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let host = rest_of(url).split(['/', '?', '#']).next().unwrap_or_default();
    (!matches!(scheme.as_deref(), Some("http" | "https")) || host.is_empty())
        .then(|| "its URL is not an http or https address".into())
}

fn rest_of(url: &str) -> &str {
    url.split_once("://").map_or("", |(_, rest)| rest)
}

fn path_of(url: &str) -> &str {
    let rest = rest_of(url);
    let rest = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
    rest.find('/').map_or("", |at| &rest[at..])
}

pub(crate) fn owner(shape: &Shape<'_>) -> Owner {
    match shape {
        Shape::Stdio { command, args } => {
            if !command.text().is_some_and(is_shim) {
                return Owner::Theirs;
            }
            let args = args.and_then(Node::texts).unwrap_or_default();
            match parse_shim_args(&args) {
                Some((id, dash)) => Owner::Shim { id, real: args[dash + 1..].to_vec() },
                None => Owner::BrokenShim,
            }
        }
        Shape::Remote { url, .. } => match url.text().and_then(local_id) {
            Some(id) => Owner::Local { id },
            None => Owner::Theirs,
        },
        Shape::Odd { .. } => Owner::Theirs,
    }
}

/// Any version of the shim, wherever it was installed.
fn is_shim(command: &str) -> bool {
    let name = command.rsplit(['/', '\\']).next().unwrap_or_default();
    name == "portcullis-shim" || name.eq_ignore_ascii_case("portcullis-shim.exe")
}

/// `run … --id ID … -- command …`: the id and where the `--` is.
fn parse_shim_args(args: &[String]) -> Option<(UpstreamId, usize)> {
    let dash = args.iter().position(|arg| arg == "--")?;
    let ours = args.get(..dash)?;
    let id = ours.get(ours.iter().position(|arg| arg == "--id")? + 1)?;
    (ours.first()? == "run" && UpstreamId::is_well_formed(id) && args.len() > dash + 1)
        .then(|| (UpstreamId::new(id), dash))
}

/// `http://127.0.0.1:<port>/<app>/<slug>~<id>/mcp` or `/sse`.
fn local_id(url: &str) -> Option<UpstreamId> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if !scheme.eq_ignore_ascii_case("http") || !["127.0.0.1", "localhost", "[::1]"].contains(&name) {
        return None;
    }
    let mut parts = path_of(url).split('/').skip(2);
    let (_, id) = parts.next()?.rsplit_once('~')?;
    (UpstreamId::is_well_formed(id) && matches!(parts.next(), Some("mcp" | "sse"))).then(|| UpstreamId::new(id))
}

pub(crate) fn local_url(app: &str, name: &str, id: &UpstreamId, transport: Transport, port: u16) -> String {
    let end = if transport == Transport::Sse { "sse" } else { "mcp" };
    format!("http://127.0.0.1:{port}/{app}/{}~{id}/{end}", slug(name))
}

/// What an entry shall say afterwards, to be compared with what the new bytes really say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wanted {
    Stdio { command: String, args: Option<Vec<String>> },
    Url(String),
}

pub(crate) struct Edit {
    pub splices: Vec<Splice>,
    pub wanted: Wanted,
}

/// The shim in front of a stdio entry of theirs.
pub(crate) fn wrap(
    bytes: &[u8],
    command: &Node,
    args: Option<&Node>,
    args_key: &str,
    format: Format,
    shim: &str,
    id: &UpstreamId,
) -> Option<Edit> {
    let original = bytes.get(command.range.clone())?;
    let mut ours = ["run", "--id", id.as_str(), "--"].map(|word| format.literal(word)).join(", ").into_bytes();
    ours.extend_from_slice(b", ");
    ours.extend_from_slice(original);
    let insert = match args {
        None => {
            let mut text = format!(", {}: [", format.literal(args_key)).into_bytes();
            text.extend_from_slice(&ours);
            text.push(b']');
            Splice { range: command.range.end..command.range.end, text }
        }
        Some(args) => {
            let at = match args.items()?.first() {
                Some(first) => {
                    ours.extend_from_slice(b", ");
                    first.range.start
                }
                None => args.range.start + 1,
            };
            Splice { range: at..at, text: ours }
        }
    };
    let mut words: Vec<String> = ["run", "--id", id.as_str(), "--"].map(str::to_string).to_vec();
    words.push(command.text()?.into());
    words.extend(args.and_then(Node::texts).unwrap_or_default());
    let splices = vec![Splice { range: command.range.clone(), text: format.literal(shim).into_bytes() }, insert];
    Some(Edit { splices, wanted: Wanted::Stdio { command: shim.into(), args: Some(words) } })
}

/// The real command and arguments back, from the entry itself. `args_absent`: the entry had no args before.
pub(crate) fn unwrap(bytes: &[u8], entry: &Node, command: &Node, args: &Node, args_absent: bool) -> Option<Edit> {
    let items = args.items()?;
    let words = args.texts()?;
    let (_, dash) = parse_shim_args(&words)?;
    let (first, real) = (items.first()?, items.get(dash + 1)?);
    let mut splices = vec![Splice { range: command.range.clone(), text: bytes.get(real.range.clone())?.to_vec() }];
    let left = words.get(dash + 2..)?.to_vec();
    let whole = if args_absent && left.is_empty() { with_key_and_comma(bytes, entry, args) } else { None };
    let ours_whole = whole.is_some();
    let cut = match (items.get(dash + 2), whole) {
        (Some(next), _) => first.range.start..next.range.start,
        (None, Some(whole)) => whole,
        // A comma that somebody put after our last word would be left alone in an empty list.
        (None, None) => first.range.start..comma_after(bytes, real.range.end, args.range.end).unwrap_or(real.range.end),
    };
    splices.push(Splice { range: cut, text: Vec::new() });
    let args = (!ours_whole).then_some(left);
    Some(Edit { splices, wanted: Wanted::Stdio { command: words.get(dash + 1)?.clone(), args } })
}

/// The args with their key and one comma, if only that comma and space stands between them and a neighbour; after our own
/// insertion this is exactly what we inserted.
fn with_key_and_comma(bytes: &[u8], entry: &Node, args: &Node) -> Option<Range<usize>> {
    let members = entry.members()?;
    let at = members.iter().position(|member| member.node.range == args.range)?;
    let only_comma = |range: Range<usize>| bytes.get(range).is_some_and(|between| between.trim_ascii() == b",");
    let start = members[at].key_range.start;
    if let Some(before) = at.checked_sub(1).map(|at| members[at].node.range.end)
        && only_comma(before..start)
    {
        return Some(before..args.range.end);
    }
    let next = members.get(at + 1)?.key_range.start;
    only_comma(args.range.end..next).then_some(start..next)
}

fn comma_after(bytes: &[u8], from: usize, to: usize) -> Option<usize> {
    let at = from + bytes.get(from..to)?.iter().position(|b| !b.is_ascii_whitespace())?;
    (bytes.get(at) == Some(&b',')).then_some(at + 1)
}

/// Only the value of the command: the shim has moved.
pub(crate) fn retarget_shim(command: &Node, args: &Node, format: Format, shim: &str) -> Option<Edit> {
    let splices = vec![Splice { range: command.range.clone(), text: format.literal(shim).into_bytes() }];
    Some(Edit { splices, wanted: Wanted::Stdio { command: shim.into(), args: Some(args.texts()?) } })
}

/// Another URL; `raw` is its spelling in the file.
pub(crate) fn set_url(url: &Node, raw: Vec<u8>, value: String) -> Edit {
    Edit { splices: vec![Splice { range: url.range.clone(), text: raw }], wanted: Wanted::Url(value) }
}

/// The old tree with the planned edit made by meaning.
pub(crate) fn impose(entry: &mut Node, wanted: &Wanted, app: &Descriptor) {
    let Value::Object(members) = &mut entry.value else { return };
    let text = |text: &String| Node { range: 0..0, value: Value::Text(text.clone()) };
    let mut set = |key: &str, node: Option<Node>, after: Option<&str>| {
        let found = members.iter().position(|member| member.key == key);
        match (found, node) {
            (Some(at), Some(node)) => members[at].node = node,
            (Some(at), None) => drop(members.remove(at)),
            (None, Some(node)) => {
                let at = members.iter().position(|m| Some(m.key.as_str()) == after).map_or(members.len(), |at| at + 1);
                members.insert(at, Member { key: key.into(), key_range: 0..0, node });
            }
            (None, None) => {}
        }
    };
    match wanted {
        Wanted::Stdio { command, args } => {
            set(&app.stdio.command, Some(text(command)), None);
            let args =
                args.as_ref().map(|args| Node { range: 0..0, value: Value::Array(args.iter().map(text).collect()) });
            set(&app.stdio.args, args, Some(&app.stdio.command));
        }
        Wanted::Url(url) => {
            if let Some(keys) = &app.remote {
                set(&keys.url, Some(text(url)), None);
            }
        }
    }
}

pub(crate) fn replace(node: &Node, text: &[u8]) -> Splice {
    Splice { range: node.range.clone(), text: text.to_vec() }
}
