//! TOML, by the `toml` crate's spanned document. Tables, inline tables and dotted keys all become objects, their members in
//! the order in which they stand in the file.

use super::{Fault, Member, Node, Style, Value};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(super) fn parse(text: &str, skipped: usize) -> Result<Option<Node>, Fault> {
    let table = DeTable::parse(text).map_err(|error| Fault {
        offset: skipped + error.span().map_or(0, |span| span.start),
        reason: error.message().to_string(),
    })?;
    let root = Node::new(skipped..skipped + text.len(), members(table.get_ref(), text, skipped), Style::Block);
    Ok(root.members().is_some_and(|members| !members.is_empty()).then_some(root))
}

fn at(range: Range<usize>, skipped: usize) -> Range<usize> {
    range.start + skipped..range.end + skipped
}

fn members(table: &DeTable<'_>, text: &str, skipped: usize) -> Value {
    let mut members: Vec<Member> = table
        .iter()
        .map(|(key, value)| Member {
            key: key.get_ref().to_string(),
            key_range: at(key.span(), skipped),
            node: node(value, text, skipped),
        })
        .collect();
    members.sort_by_key(|member| member.key_range.start);
    Value::Object(members)
}

/// Depth is bounded by the parser.
fn node(value: &Spanned<DeValue<'_>>, text: &str, skipped: usize) -> Node {
    let span = value.span();
    let written = text.get(span.clone()).unwrap_or_default();
    let (value, style) = match value.get_ref() {
        DeValue::String(string) => (Value::Text(string.to_string()), Style::Flow),
        DeValue::Array(items) => {
            (Value::Array(items.iter().map(|item| node(item, text, skipped)).collect()), Style::Flow)
        }
        DeValue::Table(table) => {
            let style = if written.starts_with('{') { Style::Flow } else { Style::Block };
            (members(table, text, skipped), style)
        }
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            (Value::Scalar(written.to_string()), Style::Flow)
        }
    };
    Node::new(at(span, skipped), value, style)
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::*;

    #[test]
    fn tables_inline_tables_and_dotted_keys_are_the_same_tree() {
        let texts = [
            "x = 1\n[m.a]\ncommand = \"npx\" # c\nargs = [ 'b' ]\n",
            "x = 1\n[m]\na = { command = \"npx\", args = [\"b\"] }\n",
            "x = 1\nm.a.command = \"npx\"\nm.a.args = [\"b\"]\n",
            "x = 1\n[m]\na.command = '''npx'''\na.args = [\n  # why\n  \"b\",\n]\n",
        ];
        let trees = texts.map(|text| Format::Toml.parse(text.as_bytes()).unwrap().unwrap());
        for (text, tree) in texts.iter().zip(&trees) {
            assert!(tree.same(&trees[0]), "{text}");
            let entry = tree.get("m").unwrap().get("a").unwrap();
            let command = entry.member("command").unwrap();
            assert_eq!(&text[command.key_range.clone()], "command", "{text}");
            assert!(text[command.node.range.clone()].contains("npx"), "{text}");
            assert_eq!(entry.style == Style::Flow, text.contains('{'), "{text}");
            assert!(text[entry.get("args").unwrap().range.clone()].starts_with('['), "{text}");
        }
    }

    #[test]
    fn faults_name_their_place() {
        assert_eq!(Format::Toml.parse(b"a = 1\nb = \n").unwrap_err().offset, 10);
        let twice = Format::Toml.parse(b"a = 1\na = 2\n").unwrap_err();
        assert!(twice.offset == 6 && twice.reason.contains("duplicate"), "{twice:?}");
        assert!(Format::Toml.parse(b"# nothing\n").unwrap().is_none());
        let bom = "\u{feff}a = \"x\"".as_bytes();
        assert_eq!(&bom[Format::Toml.parse(bom).unwrap().unwrap().get("a").unwrap().range.clone()], b"\"x\"");
    }
}
