//! Where a value is put in or taken out, by syntax: the splices, and nothing about what the values mean. Taking out is the
//! exact inverse of putting in, as long as nobody changed the lines in between. What cannot be done safely is None.

use super::{Format, Member, Node, Splice, Style};
use std::ops::Range;

impl Format {
    /// A spelling taken from one place, fit for a list of this style.
    pub(crate) fn carried(self, raw: &[u8], text: &str, into: Style) -> Vec<u8> {
        let plain = !matches!(raw.first(), Some(b'"' | b'\''));
        let breaks = raw.iter().any(|b| b",[]{}".contains(b));
        if self == Self::Yaml && into == Style::Flow && plain && breaks {
            return self.literal(text).into_bytes();
        }
        raw.to_vec()
    }

    /// A list with these values, written from scratch.
    pub(crate) fn list(self, values: &[Vec<u8>]) -> Vec<u8> {
        [b"[".as_slice(), &values.join(b", ".as_slice()), b"]"].concat()
    }

    /// Values in front of a list's first.
    pub(crate) fn prepend(self, bytes: &[u8], list: &Node, values: &[Vec<u8>]) -> Option<Splice> {
        let first = list.items()?.first();
        let mut text = values.join(b", ".as_slice());
        let at = match (list.style, first) {
            (Style::Flow, None) => list.range.start + 1,
            (Style::Flow, Some(first)) => {
                text.extend_from_slice(b", ");
                first.range.start
            }
            (Style::Block, first) => {
                let dash = dash_before(bytes, first?)?;
                let indent = indent(bytes, dash)?;
                let (eol, _) = line_end(bytes, dash);
                text = values.iter().flat_map(|value| [b"- ".as_slice(), value, eol, &indent].concat()).collect();
                dash
            }
        };
        Some(Splice { range: at..at, text })
    }

    /// The list without its first `count` values.
    pub(crate) fn remove_front(self, bytes: &[u8], list: &Member, count: usize) -> Option<Splice> {
        let items = list.node.items()?;
        let first = items.first()?;
        let cut = |range| Some(Splice { range, text: Vec::new() });
        match (list.node.style, items.get(count)) {
            (Style::Flow, Some(next)) => cut(first.range.start..next.range.start),
            (Style::Flow, None) => {
                let end = items.last()?.range.end;
                // A comma that somebody put after our last word would be left alone in an empty list.
                cut(first.range.start..comma_after(bytes, end, list.node.range.end).unwrap_or(end))
            }
            (Style::Block, Some(next)) => cut(dash_before(bytes, first)?..dash_before(bytes, next)?),
            (Style::Block, None) => Some(self.set(list, b"[]")),
        }
    }

    /// Another value for a member; `raw` is on one line.
    pub(crate) fn set(self, member: &Member, raw: &[u8]) -> Splice {
        if member.node.style == Style::Block {
            let text = [b": ".as_slice(), raw].concat();
            return Splice { range: member.key_range.end..member.node.range.end, text };
        }
        Splice { range: member.node.range.clone(), text: raw.to_vec() }
    }

    /// A new member right behind another of the same object; `raw` is on one line.
    pub(crate) fn insert_after(
        self,
        bytes: &[u8],
        object: &Node,
        member: &Member,
        key: &str,
        raw: &[u8],
    ) -> Option<Splice> {
        let key = match self {
            Self::Json | Self::Jsonc => format!("{}: ", self.literal(key)),
            Self::Toml => format!("{key} = "),
            Self::Yaml => format!("{key}: "),
        };
        let end = member.node.range.end;
        if object.style == Style::Flow {
            return Some(Splice { range: end..end, text: [b", ", key.as_bytes(), raw].concat() });
        }
        let start = line_start(bytes, member.key_range.start);
        let lead = match self {
            // With the tables that a dotted key names.
            Self::Toml => without_bom(bytes.get(start..member.key_range.start)?).to_vec(),
            _ => indent(bytes, member.key_range.start)?,
        };
        let (eol, at) = line_end(bytes, end);
        Some(Splice { range: at..at, text: [eol, &lead, key.as_bytes(), raw].concat() })
    }

    /// A member with what sets it apart from its neighbours; after `insert_after` exactly what that inserted. None: it
    /// cannot be told apart safely.
    pub(crate) fn remove(self, bytes: &[u8], object: &Node, member: &Member) -> Option<Splice> {
        let cut = |range| Some(Splice { range, text: Vec::new() });
        if object.style == Style::Flow {
            let members = object.members()?;
            let at = members.iter().position(|other| other.node.range == member.node.range)?;
            let only_comma = |range: Range<usize>| bytes.get(range).is_some_and(|between| between.trim_ascii() == b",");
            let start = member.key_range.start;
            if let Some(before) = at.checked_sub(1).map(|at| members[at].node.range.end)
                && only_comma(before..start)
            {
                return cut(before..member.node.range.end);
            }
            let next = members.get(at + 1)?.key_range.start;
            return if only_comma(member.node.range.end..next) { cut(start..next) } else { None };
        }
        let start = line_start(bytes, member.key_range.start);
        let lead = bytes.get(start..member.key_range.start)?;
        let alone = lead.iter().all(|b| *b == b' ') || (self == Self::Toml && !lead.contains(&b'{'));
        let before = start.checked_sub(1).map(|at| at - usize::from(at > 0 && bytes[at - 1] == b'\r'))?;
        if alone { cut(before..member.node.range.end) } else { None }
    }
}

/// The `-` of a list item that stands on the same line.
fn dash_before(bytes: &[u8], item: &Node) -> Option<usize> {
    let before = bytes.get(..item.range.start)?;
    let at = before.iter().rposition(|b| !matches!(b, b' ' | b'\t'))?;
    (before[at] == b'-' && at + 1 < item.range.start).then_some(at)
}

/// As many spaces as stand in front of a place on its line, other list items' dashes counted as spaces.
fn indent(bytes: &[u8], at: usize) -> Option<Vec<u8>> {
    let lead = without_bom(bytes.get(line_start(bytes, at)..at)?);
    lead.iter().all(|b| matches!(b, b' ' | b'-')).then(|| vec![b' '; lead.len()])
}

fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}

fn line_start(bytes: &[u8], at: usize) -> usize {
    bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1)
}

/// The line end that this file uses there, and where the line's content ends.
fn line_end(bytes: &[u8], at: usize) -> (&'static [u8], usize) {
    match bytes[at..].iter().position(|b| *b == b'\n') {
        Some(0) => (b"\n", at),
        Some(found) if bytes[at + found - 1] == b'\r' => (b"\r\n", at + found - 1),
        Some(found) => (b"\n", at + found),
        // The last line has none: as the line before does.
        None => match bytes.iter().rposition(|b| *b == b'\n') {
            Some(last) if last > 0 && bytes[last - 1] == b'\r' => (b"\r\n", bytes.len()),
            _ => (b"\n", bytes.len()),
        },
    }
}

fn comma_after(bytes: &[u8], from: usize, to: usize) -> Option<usize> {
    let at = from + bytes.get(from..to)?.iter().position(|b| !b.is_ascii_whitespace())?;
    (bytes.get(at) == Some(&b',')).then_some(at + 1)
}
