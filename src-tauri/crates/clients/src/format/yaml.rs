//! YAML, built from `saphyr-parser`'s events. Whatever makes a value depend on another place (anchors, aliases, merge keys,
//! tags) is marked, and every scalar's range is checked against its spelling: one that cannot be trusted is not editable.

use super::{Fault, Member, Node, Style, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};
use std::ops::Range;

const MAX_DEPTH: usize = 128;

pub(super) fn parse(text: &str, skipped: usize) -> Result<Option<Node>, Fault> {
    // The parser counts characters.
    let bytes_of = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).chain([text.len()]).collect());
    let mut builder = Builder { parser: Parser::new_from_str(text), text, bytes_of, skipped };
    let mut root = None;
    let mut documents = 0;
    loop {
        match builder.next()? {
            (Event::StreamEnd, _) => return Ok(root),
            (Event::DocumentStart(_), span) => {
                documents += 1;
                if documents > 1 {
                    return Err(builder.fault(span, "it holds several documents"));
                }
                let first = builder.next()?;
                root = Some(builder.node(first, 0)?).filter(|node| !node.is_null());
            }
            _ => {}
        }
    }
}

struct Builder<'t> {
    parser: Parser<'t, StrInput<'t>>,
    text: &'t str,
    bytes_of: Option<Vec<usize>>,
    skipped: usize,
}

type Spanned<'t> = (Event<'t>, Span);

impl<'t> Builder<'t> {
    fn next(&mut self) -> Result<Spanned<'t>, Fault> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let offset = self.skipped + self.byte(error.marker().index());
                Err(Fault { offset, reason: error.info().to_string() })
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn byte(&self, index: usize) -> usize {
        match &self.bytes_of {
            None => index.min(self.text.len()),
            Some(bytes) => bytes.get(index).copied().unwrap_or(self.text.len()),
        }
    }

    fn range(&self, span: Span) -> Range<usize> {
        let start = self.byte(span.start.index());
        start..self.byte(span.end.index()).max(start)
    }

    fn fault(&self, span: Span, reason: &str) -> Fault {
        Fault { offset: self.skipped + self.range(span).start, reason: reason.into() }
    }

    fn node(&mut self, (event, span): Spanned<'t>, depth: usize) -> Result<Node, Fault> {
        if depth > MAX_DEPTH {
            return Err(self.fault(span, "it is nested too deeply"));
        }
        let range = self.range(span);
        let first = self.text[range.start..].chars().next();
        let (mut node, anchor, tagged) = match event {
            Event::Alias(_) => {
                let node = Node::new(range, Value::Scalar("*".into()), Style::Flow);
                (Node { odd: Some("an alias"), ..node }, 0, false)
            }
            Event::Scalar(value, style, anchor, tag) => {
                let (range, value) = self.scalar(range, &value, style);
                (Node::new(range, value, Style::Flow), anchor, tag.is_some())
            }
            Event::SequenceStart(anchor, tag) => {
                let mut items = Vec::new();
                let end = loop {
                    match self.next()? {
                        (Event::SequenceEnd, end) => break self.range(end).end,
                        item => items.push(self.node(item, depth + 1)?),
                    }
                };
                let style = if first == Some('[') { Style::Flow } else { Style::Block };
                let end = self.end_of(style, items.last(), end);
                (Node::new(range.start..end, Value::Array(items), style), anchor, tag.is_some())
            }
            Event::MappingStart(anchor, tag) => {
                let (members, end) = self.members(depth)?;
                let style = if first == Some('{') { Style::Flow } else { Style::Block };
                let end = self.end_of(style, members.last().map(|member| &member.node), end);
                (Node::new(range.start..end, Value::Object(members), style), anchor, tag.is_some())
            }
            _ => return Err(self.fault(span, "a value was expected here")),
        };
        node.odd = match (anchor, tagged) {
            (0, false) => node.odd,
            (0, true) => Some("a tag"),
            _ => Some("an anchor"),
        };
        node.range = node.range.start + self.skipped..node.range.end + self.skipped;
        Ok(node)
    }

    fn members(&mut self, depth: usize) -> Result<(Vec<Member>, usize), Fault> {
        let mut members = Vec::new();
        loop {
            match self.next()? {
                (Event::MappingEnd, end) => return Ok((members, self.range(end).end)),
                (Event::Scalar(key, style, 0, None), at) => {
                    let value = self.next()?;
                    let mut node = self.node(value, depth + 1)?;
                    if key == "<<" && style == ScalarStyle::Plain {
                        node.odd = Some("a merge key");
                    }
                    let (range, _) = self.scalar(self.range(at), &key, style);
                    let key_range = range.start + self.skipped..range.end + self.skipped;
                    members.push(Member { key: key.into_owned(), key_range, node });
                }
                (_, at) => return Err(self.fault(at, "a key that is not a plain text is not understood")),
            }
        }
    }

    /// A block collection ends where its last part does; the parser's own end lies behind blank lines and comments.
    fn end_of(&self, style: Style, last: Option<&Node>, end: usize) -> usize {
        let last = last.filter(|_| style == Style::Block);
        last.map_or(end, |last| last.range.end.saturating_sub(self.skipped))
    }

    /// The scalar's own range (the parser's may reach over white space and a comment), and its meaning.
    fn scalar(&self, range: Range<usize>, value: &str, style: ScalarStyle) -> (Range<usize>, Value) {
        let reached = self.text.get(range.clone()).unwrap_or_default().trim_end();
        let own = match style {
            ScalarStyle::Plain => reached.starts_with(value).then_some(value.len()),
            ScalarStyle::SingleQuoted => quoted(reached, '\'', None),
            ScalarStyle::DoubleQuoted => quoted(reached, '"', Some('\\')),
            ScalarStyle::Literal | ScalarStyle::Folded => None,
        };
        let behind = own.and_then(|own| reached.get(own..)).unwrap_or_default();
        let behind_is_nothing = behind.trim_start().is_empty() || behind.trim_start().starts_with('#');
        let written = own.and_then(|own| reached.get(..own)).filter(|_| behind_is_nothing).unwrap_or(reached);
        let trusted = own == Some(written.len()) && !written.contains('\n');
        let range = range.start..range.start + written.len();
        let meaning = match (style, trusted) {
            (ScalarStyle::Plain, _) if is_null(value) && is_null(written) => Value::Scalar("null".into()),
            (ScalarStyle::Plain, true) if is_typed(value) => Value::Scalar(value.into()),
            (_, true) => Value::Text(value.into()),
            (_, false) => Value::Spread(value.into()),
        };
        (range, meaning)
    }
}

/// Length of the quoted text that `text` begins with; a doubled quote or one behind `escape` does not end it.
fn quoted(text: &str, quote: char, escape: Option<char>) -> Option<usize> {
    let mut rest = text.strip_prefix(quote)?.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        if Some(c) == escape {
            rest.next();
        } else if c == quote {
            if escape.is_none() && rest.peek().is_some_and(|(_, next)| *next == quote) {
                rest.next();
            } else {
                return Some(at + 2 * quote.len_utf8());
            }
        }
    }
    None
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// What a reader takes for something else than a text: the core schema's numbers and truths.
fn is_typed(text: &str) -> bool {
    let digits = |text: &str, radix| !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE" | ".nan" | ".NaN" | ".NAN")
        || text.strip_prefix("0x").is_some_and(|rest| digits(rest, 16))
        || text.strip_prefix("0o").is_some_and(|rest| digits(rest, 8))
        || matches!(text.trim_start_matches(['+', '-']), ".inf" | ".Inf" | ".INF")
        || (text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) && text.parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::*;

    fn tree(text: &str) -> Node {
        Format::Yaml.parse(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn block_and_flow_are_the_same_tree_with_true_ranges() {
        let block = "# héad\r\nm:\r\n  a:   # why\r\n    command: npx  # c\r\n    args:\r\n      - -y\r\n      - 'b c'   # it''s 'that'\r\n\r\n      # tail\r\nz: 3\r\n";
        let indentless = "m:\n  a:\n    command: \"npx\"\n    args:\n    - \"-y\"\n    - b c\nz: 3";
        let flow = "\u{feff}{m: {a: {command: npx, args: [-y, b c]}}, z: 3}";
        for text in [block, indentless, flow] {
            let tree = tree(text);
            assert!(tree.same(&self::tree(flow)), "{text}");
            let entry = tree.get("m").unwrap().get("a").unwrap();
            let command = entry.member("command").unwrap();
            assert_eq!(&text[command.key_range.clone()], "command", "{text}");
            assert_eq!(text[command.node.range.clone()].trim_matches('"'), "npx", "{text}");
            let args = entry.get("args").unwrap();
            assert_eq!(args.texts().unwrap(), ["-y", "b c"], "{text}");
            assert_eq!(text[args.items().unwrap()[1].range.clone()].trim_matches('\''), "b c", "{text}");
            let whole = &text[args.range.clone()];
            assert!(whole.ends_with(['c', '\'', ']']), "{whole:?}");
        }
    }

    #[test]
    fn types_are_told_from_texts() {
        let tree = tree("a: [3, -4.5, true, ~, null, 0x1f, .5, .inf]\nb: [3a, yes, \"3\", 1.2.3, '', nul, --, -y]");
        assert!(tree.get("a").unwrap().items().unwrap().iter().all(|item| matches!(item.value, Value::Scalar(_))));
        assert_eq!(tree.get("b").unwrap().texts().map(|texts| texts.len()), Some(8));
    }

    #[test]
    fn values_over_several_lines_are_not_taken_for_movable() {
        let tree = tree("a: |\n  npx\nb: >-\n  npx\nc: one\n  two\nd: \"x\n  y\"\ne: npx\n");
        let spread = |key| matches!(tree.get(key).unwrap().value, Value::Spread(_));
        assert!(spread("a") && spread("b") && spread("c") && spread("d") && !spread("e"));
    }

    #[test]
    fn what_refers_elsewhere_is_marked() {
        let tree = tree("x: &a {command: npx}\ny: *a\nz:\n  <<: *a\nt: !!str 3\n");
        let odd = |key| tree.get(key).unwrap().odd;
        assert_eq!((odd("x"), odd("y"), odd("t")), (Some("an anchor"), Some("an alias"), Some("a tag")));
        assert_eq!(tree.get("z").unwrap().get("<<").unwrap().odd, Some("a merge key"));
    }

    #[test]
    fn faults_name_their_place() {
        assert!(Format::Yaml.parse(b"a: 1\n---\nb: 2\n").unwrap_err().reason.contains("several documents"));
        assert!(Format::Yaml.parse(b"a: [1\nb: 2").is_err());
        assert!(Format::Yaml.parse(b"? [a]\n: 1").unwrap_err().reason.contains("key"));
        assert!(Format::Yaml.parse("[".repeat(10_000).as_bytes()).is_err());
        for empty in ["", "\n", "# only a comment\n", "---\n", "~"] {
            assert!(Format::Yaml.parse(empty.as_bytes()).unwrap().is_none(), "{empty:?}");
        }
    }
}
