//! One entry of a config's server map: what it starts or calls, whether it is ours, and the splices that make it ours or
//! give it back. Knows no file and no journal.
//!
//! The wrap is its own inverse in bytes: our words are put in front of the first argument and the original command's
//! spelling moves, unchanged, behind `--`. So a wrapped entry can be unwrapped from itself, whatever the person edited
//! after the `--`, with the journal lost.

use crate::descriptor::{Descriptor, StdioKeys};
use crate::format::{Format, Member, Node, Splice, Style, Value};
use crate::journal::Original;
use portcullis_domain::{Transport, UpstreamId, slug};

/// The entry in the words of its app.
#[derive(Debug)]
pub(crate) enum Shape<'t> {
    Stdio(Line<'t>),
    Remote {
        url: &'t Member,
        transport: Transport,
    },
    /// Nothing we could carry, and why.
    Odd {
        transport: Transport,
        reason: String,
    },
}

/// How a command line is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Line<'t> {
    Split {
        command: &'t Member,
        args: Option<&'t Member>,
    },
    /// Command and arguments in one list.
    List(&'t Member),
}

impl Line<'_> {
    /// The program and its arguments.
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::Split { command, args } => {
                let args = args.and_then(|args| args.node.texts()).unwrap_or_default();
                command.node.text().map(str::to_string).into_iter().chain(args).collect()
            }
            Self::List(list) => list.node.texts().unwrap_or_default(),
        }
    }
    fn program(&self) -> Option<&str> {
        match self {
            Self::Split { command, .. } => command.node.text(),
            Self::List(list) => list.node.items()?.first()?.text(),
        }
    }
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

/// The object that holds the command or the URL: the entry itself, or one that some apps put inside (with its key).
pub(crate) fn body<'t, 'd>(entry: &'t Node, app: &'d Descriptor) -> (&'t Node, Option<&'d str>) {
    let inner = app.nested.as_deref().and_then(|key| Some((entry.get(key)?, key)));
    match inner {
        Some((node, key)) if node.members().is_some() => (node, Some(key)),
        _ => (entry, None),
    }
}

pub(crate) fn shape<'t>(body: &'t Node, app: &Descriptor) -> Shape<'t> {
    let odd = |transport, reason: &str| Shape::Odd { transport, reason: reason.into() };
    if body.members().is_none() {
        return odd(Transport::Stdio, "its entry is not an object");
    }
    let given = |key: &str| body.member(key).filter(|member| !member.node.is_null());
    let command = given(&app.stdio.command);
    let keys = app.remote.as_ref();
    let urls: Vec<&Member> = keys.iter().flat_map(|keys| &keys.url).filter_map(|key| given(key)).collect();
    match (command, urls.as_slice()) {
        (Some(_), [_, ..]) => odd(Transport::Stdio, "it has both a command and a URL"),
        (None, []) => odd(Transport::Stdio, app.neither.as_deref().unwrap_or("it has neither a command nor a URL")),
        (None, [_, _, ..]) => odd(Transport::StreamableHttp, "it has more than one URL"),
        (Some(command), []) => stdio(body, command, &app.stdio),
        (None, [url]) => {
            let Some(address) = url.node.text() else {
                return odd(Transport::StreamableHttp, "its URL is not a text on one line");
            };
            let kind = keys.and_then(|keys| body.get(keys.r#type.as_deref()?)).and_then(Node::text);
            let sse = match kind {
                Some("ws" | "websocket") => return odd(Transport::StreamableHttp, "it uses a WebSocket"),
                Some("sse") => true,
                Some("http" | "streamable-http" | "streamable_http" | "streamableHttp") => false,
                _ if keys.is_some_and(|keys| keys.sse_without_type.contains(&url.key)) => true,
                _ => path_of(address).trim_end_matches('/').ends_with("/sse"),
            };
            let transport = if sse { Transport::Sse } else { Transport::StreamableHttp };
            Shape::Remote { url, transport }
        }
    }
}

fn stdio<'t>(body: &'t Node, command: &'t Member, keys: &StdioKeys) -> Shape<'t> {
    let odd = |reason: &str| Shape::Odd { transport: Transport::Stdio, reason: reason.into() };
    if keys.list {
        return match command.node.texts().as_deref() {
            None => odd("its command is not a list of texts"),
            Some([] | [_, ..]) if command.node.items().is_none_or(<[Node]>::is_empty) => odd("its command is empty"),
            Some(words) if words.first().is_some_and(String::is_empty) => odd("its command is empty"),
            Some(_) => Shape::Stdio(Line::List(command)),
        };
    }
    let args = body.member(&keys.args);
    match command.node.text() {
        None => odd("its command is not a text on one line"),
        Some("") => odd("its command is empty"),
        Some(_) if args.is_some_and(|args| args.node.texts().is_none()) => {
            odd("its args are not a list of texts, each on one line")
        }
        Some(_) => Shape::Stdio(Line::Split { command, args }),
    }
}

/// Why a remote entry of theirs cannot be carried; None when it can.
pub(crate) fn url_obstacle(url: &str, app: &Descriptor) -> Option<String> {
    let keys = app.remote.as_ref()?;
    if let Some(reason) = keys.never.clone() {
        return Some(reason);
    }
    if keys.variables.iter().any(|mark| url.contains(mark)) {
        return Some("its URL holds a variable that only the app can fill in".into());
    }
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let host = rest_of(url).split(['/', '?', '#']).next().unwrap_or_default();
    (!matches!(scheme.as_deref(), Some("http" | "https")) || host.is_empty() || host.contains(['%', '$', '{']))
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
        Shape::Stdio(line) => {
            if !line.program().is_some_and(is_shim) {
                return Owner::Theirs;
            }
            let args = line.words().split_off(1);
            match parse_shim_args(&args) {
                Some((id, dash)) => Owner::Shim { id, real: args[dash + 1..].to_vec() },
                None => Owner::BrokenShim,
            }
        }
        Shape::Remote { url, .. } => match url.node.text().and_then(local_id) {
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

/// What one key shall say afterwards (None: it shall be gone), to be compared with what the new bytes really say.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    key: String,
    value: Option<Value>,
    /// Where a key stands that was not there before.
    after: Option<String>,
}

impl Wanted {
    fn text(key: &str, text: &str) -> Self {
        Self { key: key.into(), value: Some(Value::Text(text.into())), after: None }
    }
    fn texts(key: &str, texts: &[String], after: &str) -> Self {
        let items = texts.iter().map(|text| Node::imagined(Value::Text(text.clone()))).collect();
        Self { key: key.into(), value: Some(Value::Array(items)), after: Some(after.into()) }
    }
    fn gone(key: &str) -> Self {
        Self { key: key.into(), value: None, after: None }
    }
}

pub(crate) struct Edit {
    pub splices: Vec<Splice>,
    pub wanted: Vec<Wanted>,
}

/// Where an edit takes place.
#[derive(Clone, Copy)]
pub(crate) struct Site<'s> {
    pub bytes: &'s [u8],
    pub format: Format,
    pub body: &'s Node,
}

impl Site<'_> {
    fn raw(&self, node: &Node) -> Option<&[u8]> {
        self.bytes.get(node.range.clone())
    }

    /// The shim in front of a stdio entry of theirs.
    pub fn wrap(&self, line: Line<'_>, args_key: &str, shim: &str, id: &UpstreamId) -> Option<Edit> {
        let Self { bytes, format, body } = *self;
        let mut words: Vec<String> = ["run", "--id", id.as_str(), "--"].map(str::to_string).to_vec();
        let ours: Vec<Vec<u8>> = words.iter().map(|word| format.literal(word).into_bytes()).collect();
        words.extend(line.words());
        let shim_literal = format.literal(shim).into_bytes();
        match line {
            Line::List(list) => {
                let values: Vec<_> = std::iter::once(shim_literal).chain(ours).collect();
                words.insert(0, shim.into());
                let wanted = vec![Wanted::texts(&list.key, &words, "")];
                Some(Edit { splices: vec![format.prepend(bytes, &list.node, &values)?], wanted })
            }
            Line::Split { command, args } => {
                let style = args.map_or(Style::Flow, |args| args.node.style);
                let carried = format.carried(self.raw(&command.node)?, command.node.text()?, style);
                let values: Vec<_> = ours.into_iter().chain([carried]).collect();
                let insert = match args {
                    Some(args) => format.prepend(bytes, &args.node, &values)?,
                    None => format.insert_after(bytes, body, command, args_key, &format.list(&values))?,
                };
                let wanted = vec![Wanted::text(&command.key, shim), Wanted::texts(args_key, &words, &command.key)];
                Some(Edit { splices: vec![format.set(command, &shim_literal), insert], wanted })
            }
        }
    }

    /// The real command and arguments back, from the entry itself; the journal's spelling where it means the same.
    pub fn unwrap(&self, line: Line<'_>, known: Option<&Original>) -> Option<Edit> {
        let (_, dash) = parse_shim_args(line.words().get(1..)?)?;
        self.unwrap_at(line, known, dash)
    }

    /// The same where somebody edited the words in front: from where the command that the journal knows stands.
    pub fn unwrap_broken(&self, line: Line<'_>, known: &Original) -> Option<Edit> {
        let command = match known {
            Original::Stdio { command, .. } => command,
            Original::List { words, .. } => words.first()?,
            Original::Url { .. } => return None,
        };
        let at = line.words().get(1..)?.iter().position(|word| word == command)?;
        self.unwrap_at(line, Some(known), at.checked_sub(1)?)
    }

    /// `dash`: where the last of our words stands among the arguments.
    fn unwrap_at(&self, line: Line<'_>, known: Option<&Original>, dash: usize) -> Option<Edit> {
        let Self { bytes, format, body } = *self;
        let words = line.words();
        let (command, args) = match line {
            Line::List(list) => {
                let wanted = vec![Wanted::texts(&list.key, words.get(dash + 2..)?, "")];
                return Some(Edit { splices: format.remove_front(bytes, list, dash + 2)?, wanted });
            }
            Line::Split { command, args } => (command, args?),
        };
        let (real, left) = words.get(dash + 2..)?.split_first()?;
        let raw = match known {
            Some(Original::Stdio { command, raw_command, .. }) if command == real => raw_command.clone().into_bytes(),
            _ => {
                let item = args.node.items()?.get(dash + 1)?;
                format.carried(self.raw(item)?, real, body.style)
            }
        };
        let absent = left.is_empty() && matches!(known, Some(Original::Stdio { args: None, .. }));
        let whole = if absent { format.remove(bytes, body, args) } else { None };
        let want_args = match whole {
            Some(_) => Wanted::gone(&args.key),
            None => Wanted::texts(&args.key, left, ""),
        };
        let mut splices = whole.or_else(|| format.remove_front(bytes, args, dash + 2))?;
        splices.push(format.set(command, &raw));
        let wanted = vec![Wanted::text(&command.key, real), want_args];
        Some(Edit { splices, wanted })
    }

    /// The journal's words, for an entry whose own do not tell any more.
    pub fn put_back(&self, line: Line<'_>, args_key: &str, original: &Original) -> Option<Edit> {
        let Self { bytes, format, body } = *self;
        let spelt = |raw: &Option<String>, words: &[String]| match raw {
            // YAML's lists by lines depend on where they stand.
            Some(raw) if raw.starts_with('[') && (format != Format::Yaml || !raw.contains('\n')) => {
                raw.clone().into_bytes()
            }
            _ => format.list(&words.iter().map(|word| format.literal(word).into_bytes()).collect::<Vec<_>>()),
        };
        match (line, original) {
            (Line::List(list), Original::List { words, raw }) => {
                let splices = vec![format.set_list(bytes, list, &spelt(&Some(raw.clone()), words))];
                Some(Edit { splices, wanted: vec![Wanted::texts(&list.key, words, "")] })
            }
            (Line::Split { command, args }, Original::Stdio { command: real, raw_command, args: words, raw_args }) => {
                let mut splices = vec![format.set(command, raw_command.as_bytes())];
                let mut wanted = vec![Wanted::text(&command.key, real)];
                let none = Vec::new();
                match (args, words) {
                    (None, None) => {}
                    (Some(args), words) => {
                        let words = words.as_ref().unwrap_or(&none);
                        splices.push(format.set_list(bytes, args, &spelt(raw_args, words)));
                        wanted.push(Wanted::texts(&args.key, words, ""));
                    }
                    (None, Some(words)) => {
                        let raw = spelt(raw_args, words);
                        splices.push(format.insert_after(bytes, body, command, args_key, &raw)?);
                        wanted.push(Wanted::texts(args_key, words, &command.key));
                    }
                }
                Some(Edit { splices, wanted })
            }
            _ => None,
        }
    }

    /// Only the program: the shim has moved.
    pub fn retarget_shim(&self, line: Line<'_>, shim: &str) -> Option<Edit> {
        let literal = self.format.literal(shim).into_bytes();
        match line {
            Line::Split { command, .. } => {
                let splices = vec![self.format.set(command, &literal)];
                Some(Edit { splices, wanted: vec![Wanted::text(&command.key, shim)] })
            }
            Line::List(list) => {
                let mut words = line.words();
                *words.first_mut()? = shim.into();
                let range = list.node.items()?.first()?.range.clone();
                let wanted = vec![Wanted::texts(&list.key, &words, "")];
                Some(Edit { splices: vec![Splice { range, text: literal }], wanted })
            }
        }
    }

    /// Another URL; `raw` is its spelling in the file.
    pub fn set_url(&self, url: &Member, raw: &[u8], value: &str) -> Edit {
        Edit { splices: vec![self.format.set(url, raw)], wanted: vec![Wanted::text(&url.key, value)] }
    }
}

/// The old tree with the planned edit made by meaning.
pub(crate) fn impose(body: &mut Node, wanted: &[Wanted]) {
    let Value::Object(members) = &mut body.value else { return };
    for Wanted { key, value, after } in wanted {
        let found = members.iter().position(|member| member.key == *key);
        match (found, value.clone().map(Node::imagined)) {
            (Some(at), Some(node)) => members[at].node = node,
            (Some(at), None) => drop(members.remove(at)),
            (None, Some(node)) => {
                let after = after.as_deref();
                let at = members.iter().position(|m| Some(m.key.as_str()) == after).map_or(members.len(), |at| at + 1);
                members.insert(at, Member { key: key.clone(), key_range: 0..0, node });
            }
            (None, None) => {}
        }
    }
}
