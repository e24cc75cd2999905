//! JSON and JSON with comments, by `jsonc-parser`'s syntax tree.

use super::{Fault, Member, Node, Style, Value};
use jsonc_parser::ast;
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

pub(super) fn parse(text: &str, skipped: usize, lax: bool) -> Result<Option<Node>, Fault> {
    let options = ParseOptions {
        allow_comments: lax,
        allow_trailing_commas: lax,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options)
        .map_err(|error| Fault { offset: skipped + error.range().start, reason: reason(error.kind()) })?;
    Ok(parsed.value.map(|value| node(value, skipped)))
}

/// The place of what is never closed is where it begins, which the parser's words do not say.
fn reason(kind: &ParseErrorKind) -> String {
    match kind {
        ParseErrorKind::UnterminatedObject => "the `{` here is never closed".into(),
        ParseErrorKind::UnterminatedArray => "the `[` here is never closed".into(),
        ParseErrorKind::UnterminatedCommentBlock => "the comment that begins here is never closed".into(),
        other => other.to_string(),
    }
}

/// Depth is bounded by the parser (512).
fn node(value: ast::Value<'_>, skipped: usize) -> Node {
    let at = |range: jsonc_parser::common::Range| range.start + skipped..range.end + skipped;
    let (range, value) = match value {
        ast::Value::Object(object) => {
            let range = at(object.range);
            let members = object.properties.into_iter().map(|property| {
                let key_range = match &property.name {
                    ast::ObjectPropName::String(name) => at(name.range),
                    ast::ObjectPropName::Word(name) => at(name.range),
                };
                Member { key: property.name.into_string(), key_range, node: node(property.value, skipped) }
            });
            (range, Value::Object(members.collect()))
        }
        ast::Value::Array(array) => {
            let items = array.elements.into_iter().map(|item| node(item, skipped)).collect();
            (at(array.range), Value::Array(items))
        }
        ast::Value::StringLit(text) => (at(text.range), Value::Text(text.value.into_owned())),
        ast::Value::NumberLit(number) => (at(number.range), Value::Scalar(number.value.into())),
        ast::Value::BooleanLit(flag) => (at(flag.range), Value::Scalar(flag.value.to_string())),
        ast::Value::NullKeyword(null) => (at(null.range), Value::Scalar("null".into())),
    };
    Node::new(range, value, Style::Flow)
}
