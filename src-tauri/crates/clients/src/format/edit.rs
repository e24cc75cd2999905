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

    /// The list without its first `count` values. Comments that somebody put between them stay.
    pub(crate) fn remove_front(self, bytes: &[u8], list: &Member, count: usize) -> Option<Vec<Splice>> {
        let items = list.node.items()?;
        let (first, last) = (items.first()?, items.get(count.checked_sub(1)?)?);
        let between = items.get(..count)?.windows(2).map(|pair| pair[0].range.end..pair[1].range.start);
        let mut kept = self.kept(bytes, between);
        match (list.node.style, items.get(count)) {
            (Style::Flow, Some(next)) => {
                let comma = self.comma(bytes, last.range.end..next.range.start)?;
                kept.extend(self.kept(bytes, std::iter::once(last.range.end..comma)));
                // One space is ours, what follows it is theirs. Without it somebody has laid the list out anew.
                let behind = bytes.get(comma + 1..next.range.start)?;
                match behind.strip_prefix(b" ") {
                    Some(theirs) => kept.extend_from_slice(theirs),
                    None if behind.trim_ascii().is_empty() => {}
                    None => kept.extend_from_slice(behind),
                }
                let text = self.apart(bytes, first.range.start, kept);
                Some(vec![Splice { range: first.range.start..next.range.start, text }])
            }
            (Style::Flow, None) => {
                let text = self.apart(bytes, first.range.start, kept);
                let mut splices = vec![Splice { range: first.range.start..last.range.end, text }];
                // A comma that somebody put after our last word would be left alone in an empty list.
                let comma = self.comma(bytes, last.range.end..list.node.range.end.checked_sub(1)?);
                splices.extend(comma.map(|at| Splice { range: at..at + 1, text: Vec::new() }));
                Some(splices)
            }
            (Style::Block, Some(next)) => {
                let own_lines = items.get(..count)?.iter().map(|item| own_line(bytes, item));
                if let Some(splices) = own_lines.collect::<Option<Vec<_>>>() {
                    return Some(splices);
                }
                let end = dash_before(bytes, next)?;
                kept.extend(self.kept(bytes, std::iter::once(last.range.end..end)));
                Some(vec![Splice { range: dash_before(bytes, first)?..end, text: kept }])
            }
            (Style::Block, None) => Some(vec![self.set_list(bytes, list, b"[]")]),
        }
    }

    /// Another value for a member whose value is on one line; so is `raw`.
    pub(crate) fn set(self, member: &Member, raw: &[u8]) -> Splice {
        Splice { range: member.node.range.clone(), text: raw.to_vec() }
    }

    /// Another list for a member; `raw` is a list by brackets. Comments inside the old one stay.
    pub(crate) fn set_list(self, bytes: &[u8], list: &Member, raw: &[u8]) -> Splice {
        let node = &list.node;
        let items = node.items().unwrap_or_default();
        let starts = items.iter().map(|item| item.range.start).chain([node.range.end]);
        let block = node.style == Style::Block;
        let front = if block { list.key_range.end } else { node.range.start };
        let ends = std::iter::once(front).chain(items.iter().map(|item| item.range.end));
        let gaps = ends.zip(starts).map(|(start, end)| start..end);
        let comments: Vec<&[u8]> = gaps
            .flat_map(|gap| self.comments(bytes, gap))
            .filter_map(|comment| bytes.get(comment))
            .filter(|comment| !raw.windows(comment.len()).any(|known| known == *comment))
            .collect();
        if !block {
            let kept = comments.iter().flat_map(|comment| {
                let end: &[u8] = if comment.starts_with(b"/*") { b" " } else { b"\n" };
                [*comment, end].concat()
            });
            let kept = self.apart(b"[", 1, kept.collect()).into_iter();
            let text = b"[".iter().copied().chain(kept).chain(raw.iter().skip(1).copied()).collect();
            return Splice { range: node.range.clone(), text };
        }
        let (eol, _) = line_end(bytes, list.key_range.end);
        let lead = indent(bytes, list.key_range.start).unwrap_or_default();
        let lines = comments.iter().flat_map(|comment| [eol, &lead, comment].concat());
        let text = b": ".iter().chain(raw).copied().chain(lines).collect();
        Splice { range: list.key_range.end..node.range.end, text }
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
    /// cannot be told apart safely, or somebody's comment stands inside it.
    pub(crate) fn remove(self, bytes: &[u8], object: &Node, member: &Member) -> Option<Vec<Splice>> {
        let cut = |range| Splice { range, text: Vec::new() };
        let inside = member.node.items().unwrap_or_default();
        let starts = inside.iter().map(|item| item.range.start).chain([member.node.range.end]);
        let ends = std::iter::once(member.key_range.end).chain(inside.iter().map(|item| item.range.end));
        if ends.zip(starts).any(|(start, end)| !self.comments(bytes, start..end).is_empty()) {
            return None;
        }
        let whole = member.key_range.start..member.node.range.end;
        if object.style == Style::Flow {
            let members = object.members()?;
            let at = members.iter().position(|other| other.node.range == member.node.range)?;
            let before = at.checked_sub(1).map(|at| members[at].node.range.end..whole.start);
            let after = members.get(at + 1).map(|next| whole.end..next.key_range.start);
            // A comment beside it is somebody's: then only the comma goes with it.
            return match (before, after) {
                (Some(before), _) => {
                    let comma = self.comma(bytes, before.clone())?;
                    if self.comments(bytes, comma..whole.start).is_empty() {
                        return Some(vec![cut(comma..whole.end)]);
                    }
                    Some(vec![cut(comma..comma + 1), cut(whole)])
                }
                (None, Some(after)) => {
                    let comma = self.comma(bytes, after.clone())?;
                    if self.comments(bytes, after.clone()).is_empty() {
                        return Some(vec![cut(whole.start..after.end)]);
                    }
                    Some(vec![cut(whole), cut(comma..comma + 1)])
                }
                (None, None) => None,
            };
        }
        let start = line_start(bytes, whole.start);
        let lead = without_bom(bytes.get(start..whole.start)?);
        let alone = lead.iter().all(|b| *b == b' ') || (self == Self::Toml && !lead.contains(&b'{'));
        if !alone {
            return None;
        }
        let before = start.checked_sub(1).map(|at| at - usize::from(at > 0 && bytes[at - 1] == b'\r'));
        Some(vec![match before {
            Some(before) => cut(before..whole.end),
            // The first line of the file.
            None => cut(whole.start - lead.len()..next_line(bytes, whole.end)?),
        }])
    }

    /// Where the comments are in a stretch between two values.
    fn comments(self, bytes: &[u8], gap: Range<usize>) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut at = gap.start;
        while let Some(rest) = bytes.get(at..gap.end).filter(|rest| !rest.is_empty()) {
            let line = || rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
            let length = match self {
                Self::Jsonc if rest.starts_with(b"//") => rest[..line()].trim_ascii_end().len(),
                Self::Jsonc if rest.starts_with(b"/*") => {
                    rest.windows(2).skip(2).position(|end| end == b"*/").map_or(rest.len(), |end| end + 4)
                }
                Self::Toml | Self::Yaml if rest.starts_with(b"#") => rest[..line()].trim_ascii_end().len(),
                _ => 0,
            };
            if length > 0 {
                found.push(at..at + length);
            }
            at += length.max(1);
        }
        found
    }

    /// The comments of these stretches, each with the white space behind it.
    fn kept(self, bytes: &[u8], gaps: impl Iterator<Item = Range<usize>>) -> Vec<u8> {
        let mut kept = Vec::new();
        for gap in gaps {
            for comment in self.comments(bytes, gap.clone()) {
                let behind = bytes.get(comment.end..gap.end).unwrap_or_default();
                let blank = behind.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(behind.len());
                kept.extend_from_slice(&bytes[comment]);
                kept.extend_from_slice(if blank == 0 { b" " } else { &behind[..blank] });
            }
        }
        kept
    }

    /// In YAML a `#` begins a comment only behind white space.
    fn apart(self, bytes: &[u8], at: usize, mut text: Vec<u8>) -> Vec<u8> {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        if self == Self::Yaml && text.starts_with(b"#") && !before.is_some_and(u8::is_ascii_whitespace) {
            text.insert(0, b' ');
        }
        text
    }

    /// The comma between two values.
    fn comma(self, bytes: &[u8], gap: Range<usize>) -> Option<usize> {
        let comments = self.comments(bytes, gap.clone());
        let mut places = gap.filter(|at| bytes.get(*at) == Some(&b','));
        places.find(|at| !comments.iter().any(|comment| comment.contains(at)))
    }
}

/// The `-` of a list item that stands on the same line.
fn dash_before(bytes: &[u8], item: &Node) -> Option<usize> {
    let before = bytes.get(..item.range.start)?;
    let at = before.iter().rposition(|b| !matches!(b, b' ' | b'\t'))?;
    (before[at] == b'-' && at + 1 < item.range.start).then_some(at)
}

/// The line of a list item without it: gone, or only its comment. None: something else stands on the line.
fn own_line(bytes: &[u8], item: &Node) -> Option<Splice> {
    let start = line_start(bytes, item.range.start);
    let dash = dash_before(bytes, item)?;
    let blank = bytes.get(start..dash)?.iter().all(|b| *b == b' ');
    match next_line(bytes, item.range.end) {
        Some(end) if blank => Some(Splice { range: start..end, text: Vec::new() }),
        None if blank => {
            let behind = bytes.get(item.range.end..)?;
            let gap = behind.iter().position(|b| !matches!(b, b' ' | b'\t'))?;
            (behind[gap] == b'#').then(|| Splice { range: dash..item.range.end + gap, text: Vec::new() })
        }
        _ => None,
    }
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

/// Where the next line begins, if nothing else stands on this one.
fn next_line(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let end = rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |end| end + 1);
    rest[..end].trim_ascii().is_empty().then_some(at + end)
}
