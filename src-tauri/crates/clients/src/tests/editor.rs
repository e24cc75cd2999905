//! A person with an editor, for tests: edits of a config's text that say the same of a file before and after it was
//! protected. They find their place by the file's own syntax and know nothing of what Portcullis wrote.

use crate::format::{Format, Member, Node, Style};
use std::collections::HashSet;
use std::ops::Range;

#[derive(Clone, Debug)]
pub(super) enum Edit {
    /// A new server in front of that one.
    Add(usize),
    Remove(usize),
    Rename(usize),
    /// Under a new name, in front of the original.
    Duplicate(usize),
    Swap(usize, usize),
    Comment(usize, Spot),
    /// A setting that the entry did not have.
    Key(usize, Spot),
    /// Another value for one of its other settings.
    Change(usize),
    AddArg(usize),
    /// Counted from the end.
    ChangeArg(usize, usize),
    RemoveArg(usize, usize),
    CarriageReturns,
    ByteOrderMark,
    /// A line at the end of the file.
    Tail,
}

/// A place in one entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Spot {
    Front,
    BeforeCommand,
    AfterCommand,
    /// On the line of the command.
    TailOfCommand,
    Behind,
    ArgsEnd,
    /// Counted from the end.
    BeforeArg(usize),
}

pub(super) struct Doc<'t> {
    format: Format,
    text: &'t str,
    tree: Option<Node>,
}

const MAPS: [&str; 3] = ["mcpServers", "mcp_servers", "extensions"];
const COMMANDS: [&str; 4] = ["command", "cmd", "url", "uri"];
const SETTINGS: [&str; 6] = ["env", "envs", "headers", "enabled", "timeout", "mine"];

impl<'t> Doc<'t> {
    pub fn new(format: Format, text: &'t str) -> Option<Self> {
        Some(Self { format, text, tree: format.parse(text.as_bytes()).ok()? })
    }

    fn servers(&self) -> Option<&Member> {
        self.tree.as_ref()?.members()?.iter().find(|member| MAPS.contains(&member.key.as_str()))
    }
    fn entries(&self) -> &[Member] {
        self.servers().and_then(|servers| servers.node.members()).unwrap_or_default()
    }
    /// No key twice, where it matters.
    pub fn is_sound(&self) -> bool {
        let once = |members: &[Member]| {
            let mut seen = HashSet::new();
            members.iter().all(|member| seen.insert(member.key.clone()))
        };
        let bodies = self.entries().iter().all(|entry| entry.node.members().is_none_or(once));
        once(self.entries()) && bodies
    }
    fn is_flow(&self) -> bool {
        matches!(self.format, Format::Json | Format::Jsonc)
    }
    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |at| at + 1)
    }
    /// Where the next line begins.
    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |found| at + found + 1)
    }
    fn eol(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }
    /// What stands in front of a place on its line.
    fn lead(&self, at: usize) -> &str {
        self.text[self.line_start(at)..at].trim_start_matches('\u{feff}')
    }

    /// All that belongs to one entry: from its key to its end, or its whole lines.
    fn unit(&self, at: usize) -> Option<Range<usize>> {
        let entry = self.entries().get(at)?;
        let start = self.line_start(entry.key_range.start);
        match self.format {
            Format::Json | Format::Jsonc => Some(entry.key_range.start..entry.node.range.end),
            Format::Yaml => {
                let next = self.entries().get(at + 1);
                let end = next.map(|next| self.line_start(next.key_range.start));
                Some(start..end.unwrap_or_else(|| self.end_with_comments(entry, start)))
            }
            Format::Toml => {
                // A dotted key's lines may be anywhere.
                self.text[start..].starts_with('[').then_some(())?;
                let own = format!("[mcp_servers.{}.", entry.key);
                let mut end = self.line_end(start);
                while end < self.text.len()
                    && (!self.text[end..].starts_with('[') || self.text[end..].starts_with(&own))
                {
                    end = self.line_end(end);
                }
                Some(start..end)
            }
        }
    }

    /// Behind the last line of the last entry and the comments that stand as deep as its settings: when it is protected
    /// there may be a setting behind them, and then they are inside.
    fn end_with_comments(&self, entry: &Member, start: usize) -> usize {
        let mut end = self.line_end(entry.node.range.end);
        loop {
            let rest = &self.text[end..];
            let words = rest.trim_start_matches(' ');
            if !words.starts_with('#') || rest.len() - words.len() <= entry.key_range.start - start {
                return end;
            }
            end = self.line_end(end);
        }
    }

    /// Behind a command that comes last, a comment would change places with what is put there: our arguments, which the
    /// protected file has in between, say which is which.
    fn spot(&self, at: usize, spot: Spot) -> Option<Place> {
        let entry = &self.entries().get(at)?.node;
        let command = entry.members()?.iter().find(|member| COMMANDS.contains(&member.key.as_str()))?;
        let args = entry.get("args");
        let args_of_theirs = || args.and_then(Node::items);
        if self.is_flow() || entry.style == Style::Flow {
            let inside = match spot {
                Spot::Front => Some(entry.range.start + 1),
                Spot::BeforeCommand => Some(command.key_range.start),
                Spot::AfterCommand | Spot::TailOfCommand => Some(command.node.range.end),
                Spot::Behind => {
                    let last = &entry.members()?.last()?.node;
                    let rest = self.text.get(last.range.end..entry.range.end - 1)?;
                    (last.range != command.node.range || rest.trim_matches([',', ' ', '\t', '\r', '\n']).is_empty())
                        .then_some(last.range.end)
                }
                Spot::ArgsEnd => args.map(|args| args.range.end - 1),
                Spot::BeforeArg(n) => args_of_theirs()?.iter().rev().nth(n).map(|item| item.range.start),
            };
            return inside.map(Place::Inside);
        }
        let own_line = |at: usize| Some(Place::Line(self.line_start(at), at));
        match spot {
            // The first line of a table is its header.
            Spot::Front | Spot::BeforeCommand => own_line(command.key_range.start),
            Spot::AfterCommand => Some(Place::Line(self.line_end(command.node.range.end), command.key_range.start)),
            Spot::TailOfCommand => {
                let end = self.line_end(command.node.range.end);
                Some(Place::Inside(end - (self.text[..end].len() - self.text[..end].trim_end().len())))
            }
            Spot::Behind => {
                let last = entry.members()?.iter().max_by_key(|member| member.node.range.end)?;
                let next = &self.text[self.line_end(last.node.range.end)..];
                let clear = last.node.range != command.node.range || !next.trim_start_matches(' ').starts_with('#');
                (clear && (last.node.style == Style::Flow || self.format == Format::Yaml))
                    .then(|| Place::Line(self.line_end(last.node.range.end), command.key_range.start))
            }
            Spot::ArgsEnd => {
                args.filter(|args| args.style == Style::Flow).map(|args| Place::Inside(args.range.end - 1))
            }
            Spot::BeforeArg(n) => {
                let item = args_of_theirs()?.iter().rev().nth(n)?;
                match args?.style {
                    Style::Flow => Some(Place::Inside(item.range.start)),
                    Style::Block => own_line(item.range.start),
                }
            }
        }
    }

    fn with(&self, range: Range<usize>, text: &str) -> String {
        format!("{}{text}{}", &self.text[..range.start], &self.text[range.end..])
    }
    fn put(&self, at: usize, text: &str) -> String {
        self.with(at..at, text)
    }
}

enum Place {
    /// Among other things on a line.
    Inside(usize),
    /// A line of its own, indented as the line of that place.
    Line(usize, usize),
}

impl Edit {
    /// The text after the edit; None: it does not fit this file. `number` makes its words unique.
    pub fn apply(&self, doc: &Doc<'_>, number: usize) -> Option<String> {
        let mine = format!("mine{number}");
        let count = doc.entries().len();
        let at = |wanted: &usize| (count > 0).then(|| wanted % count);
        match self {
            Self::Add(before) => add(doc, at(before), &mine),
            Self::Remove(which) => remove(doc, at(which)?),
            Self::Rename(which) => {
                let entry = &doc.entries()[at(which)?];
                let headers = doc.text.matches(&format!("[mcp_servers.{}", entry.key)).count();
                (doc.format != Format::Toml || headers == 1).then_some(())?;
                let key = if doc.is_flow() { format!("\"{mine}\"") } else { mine };
                Some(doc.with(entry.key_range.clone(), &key))
            }
            Self::Duplicate(which) => {
                let (unit, entry) = (doc.unit(at(which)?)?, &doc.entries()[at(which)?]);
                let key = entry.key_range.start - unit.start..entry.key_range.end - unit.start;
                let copy = &doc.text[unit.clone()];
                let copy = if doc.is_flow() {
                    format!("\"{mine}\"{}, ", &copy[key.end..])
                } else {
                    let renamed = format!("{}{mine}{}", &copy[..key.start], &copy[key.end..]);
                    // A last line without an end must not swallow the original's first.
                    (renamed.ends_with('\n')).then_some(())?;
                    renamed.replace(&format!("[mcp_servers.{}.", entry.key), &format!("[mcp_servers.{mine}."))
                };
                let start = unit.start + if copy.starts_with('\u{feff}') { return None } else { 0 };
                Some(doc.put(start, &copy))
            }
            Self::Swap(one, other) => {
                let (one, other) = (at(one)?.min(at(other)?), at(one)?.max(at(other)?));
                let (one, other) = (doc.unit(one)?, doc.unit(other)?);
                let whole = |range: &Range<usize>| doc.is_flow() || doc.text[range.clone()].ends_with('\n');
                (one.end <= other.start && whole(&one) && whole(&other)).then_some(())?;
                let between = &doc.text[one.end..other.start];
                let swapped = format!("{}{between}{}", &doc.text[other.clone()], &doc.text[one.clone()]);
                Some(doc.with(one.start..other.end, &swapped))
            }
            Self::Comment(which, spot) => comment(doc, at(which)?, *spot, &mine),
            Self::Key(which, spot) => key(doc, at(which)?, *spot, &mine),
            Self::Change(which) => {
                let members = doc.entries()[at(which)?].node.members()?;
                let member = members.iter().find(|member| SETTINGS.iter().any(|name| member.key.starts_with(name)))?;
                (member.node.style == Style::Flow).then(|| doc.with(member.node.range.clone(), &format!("\"{mine}\"")))
            }
            Self::AddArg(which) => {
                let args = doc.entries()[at(which)?].node.get("args")?;
                let last = args.items()?.last()?;
                match args.style {
                    Style::Flow => Some(doc.put(last.range.end, &format!(", \"{mine}\""))),
                    Style::Block => {
                        let lead = doc.lead(last.range.start);
                        let end = doc.line_end(last.range.end);
                        doc.text[..end].ends_with('\n').then(|| doc.put(end, &format!("{lead}\"{mine}\"{}", doc.eol())))
                    }
                }
            }
            Self::ChangeArg(which, arg) => {
                let args = doc.entries()[at(which)?].node.get("args")?.items()?;
                Some(doc.with(args.iter().rev().nth(*arg)?.range.clone(), &format!("\"{mine}\"")))
            }
            Self::RemoveArg(which, arg) => remove_arg(doc, doc.entries()[at(which)?].node.get("args")?, *arg),
            Self::CarriageReturns => {
                (doc.text.contains('\n') && !doc.text.contains('\r')).then(|| doc.text.replace('\n', "\r\n"))
            }
            Self::ByteOrderMark => (!doc.text.starts_with('\u{feff}')).then(|| format!("\u{feff}{}", doc.text)),
            Self::Tail => {
                let eol = doc.eol();
                let end = if doc.text.is_empty() || doc.text.ends_with('\n') { "" } else { eol };
                let words = match doc.format {
                    Format::Json => String::new(),
                    Format::Jsonc => format!("// {mine}"),
                    Format::Toml | Format::Yaml => format!("# {mine}"),
                };
                Some(format!("{}{end}{words}{eol}", doc.text))
            }
        }
    }
}

fn add(doc: &Doc<'_>, before: Option<usize>, mine: &str) -> Option<String> {
    let eol = doc.eol();
    match doc.format {
        Format::Json | Format::Jsonc => {
            let entry = format!("\"{mine}\": {{\"command\": \"{mine}\", \"args\": [\"x\"]}}");
            match before {
                Some(at) => Some(doc.put(doc.entries()[at].key_range.start, &format!("{entry}, "))),
                None => Some(doc.put(doc.servers()?.node.range.start + 1, &entry)),
            }
        }
        Format::Yaml => {
            let start = doc.line_start(doc.entries()[before?].key_range.start);
            let lead = doc.lead(doc.entries()[before?].key_range.start);
            lead.trim().is_empty().then(|| doc.put(start, &format!("{lead}{mine}:{eol}{lead}{lead}cmd: {mine}{eol}")))
        }
        Format::Toml => {
            let start = doc.unit(before?)?.start;
            Some(doc.put(start, &format!("[mcp_servers.{mine}]{eol}command = \"{mine}\"{eol}")))
        }
    }
}

fn remove(doc: &Doc<'_>, at: usize) -> Option<String> {
    let unit = doc.unit(at)?;
    if !doc.is_flow() {
        return Some(doc.with(unit, ""));
    }
    let entries = doc.entries();
    let range = match (entries.get(at + 1), at.checked_sub(1)) {
        (Some(next), _) => unit.start..next.key_range.start,
        (None, Some(before)) => entries[before].node.range.end..unit.end,
        (None, None) => unit,
    };
    Some(doc.with(range, ""))
}

fn remove_arg(doc: &Doc<'_>, args: &Node, from_end: usize) -> Option<String> {
    let items = args.items()?;
    let at = items.len().checked_sub(from_end + 1)?;
    let range = match (args.style, items.get(at + 1), at.checked_sub(1)) {
        (Style::Block, ..) => {
            // A list of nothing is spelt otherwise.
            (items.len() > 1).then_some(())?;
            doc.line_start(items[at].range.start)..doc.line_end(items[at].range.end)
        }
        (Style::Flow, Some(next), _) => items[at].range.start..next.range.start,
        (Style::Flow, None, Some(before)) => items[before].range.end..items[at].range.end,
        (Style::Flow, None, None) => {
            // Where there are items of ours before it, a comment in front would go with it.
            let front = &doc.text[args.range.start + 1..items[at].range.start];
            front.trim().is_empty().then_some(())?;
            items[at].range.clone()
        }
    };
    Some(doc.with(range, ""))
}

fn comment(doc: &Doc<'_>, at: usize, spot: Spot, mine: &str) -> Option<String> {
    let eol = doc.eol();
    match (doc.format, doc.spot(at, spot)?) {
        // It has none; an empty line is what can be added.
        (Format::Json, Place::Inside(at)) => Some(doc.put(at, "\n   ")),
        (Format::Jsonc, Place::Inside(at)) => {
            let line = mine.ends_with(['1', '3', '5']);
            Some(doc.put(at, &if line { format!(" // {mine}{eol} ") } else { format!(" /* {mine} */ ") }))
        }
        (_, Place::Inside(at)) if spot == Spot::TailOfCommand => Some(doc.put(at, &format!("  # {mine}"))),
        (_, Place::Inside(at)) => Some(doc.put(at, &format!(" # {mine}{eol}        "))),
        (_, Place::Line(start, like)) => {
            // At the end of a file that lacks a last line end there is no line to begin.
            (start == 0 || doc.text[..start].ends_with('\n')).then_some(())?;
            let lead: String = doc.lead(like).chars().map(|c| if c.is_whitespace() { c } else { ' ' }).collect();
            // Somewhere else than where the list's items stand.
            let lead = if doc.format == Format::Yaml && matches!(spot, Spot::BeforeArg(_)) {
                format!("{lead} ")
            } else {
                lead
            };
            let start = start + if start == 0 && doc.text.starts_with('\u{feff}') { 3 } else { 0 };
            Some(doc.put(start, &format!("{lead}# {mine}{eol}")))
        }
    }
}

fn key(doc: &Doc<'_>, at: usize, spot: Spot, mine: &str) -> Option<String> {
    let eol = doc.eol();
    let empty = doc.entries().get(at)?.node.members()?.is_empty();
    if empty || matches!(spot, Spot::ArgsEnd | Spot::BeforeArg(_) | Spot::TailOfCommand) {
        return None;
    }
    let (name, flow) = match doc.format {
        Format::Json | Format::Jsonc => (format!("\"{mine}\": "), true),
        Format::Toml => (format!("{mine} = "), false),
        Format::Yaml => (format!("{mine}: "), false),
    };
    match doc.spot(at, spot)? {
        Place::Inside(at) => {
            let front = matches!(spot, Spot::Front | Spot::BeforeCommand);
            let text = if front { format!("{name}\"{mine}\", ") } else { format!(", {name}\"{mine}\"") };
            Some(doc.put(at, &text))
        }
        Place::Line(start, like) if !flow => {
            (start == 0 || doc.text[..start].ends_with('\n')).then_some(())?;
            let start = start + if start == 0 && doc.text.starts_with('\u{feff}') { 3 } else { 0 };
            Some(doc.put(start, &format!("{}{name}\"{mine}\"{eol}", doc.lead(like))))
        }
        Place::Line(..) => None,
    }
}
