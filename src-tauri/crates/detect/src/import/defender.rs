//! MCP Defender's list of signatures: JSON, each either a prompt for a model or a JavaScript function. Prompts hold no
//! text to look for; of a function only the regular expressions it spells out can be taken over, never what it does.

use super::draft::Draft;
use super::pattern::{self, Means};
use super::script::{self, Literal};
use super::{Imported, MAX_IMPORT_BYTES, MAX_RULES, Made, line_at};
use portcullis_domain::Limits;
use portcullis_domain::json::{Doc, Kind, Mode, NodeRef};

/// `read_function` gives the text of a function's file, by the name that the list gives it.
pub fn from_defender(source: &str, text: &str, read_function: &dyn Fn(&str) -> Option<String>) -> Imported {
    let mut imported = Imported::default();
    let whole = |imported: &mut Imported, at, why: String| imported.left("(the whole file)", line_at(text, at), why);
    if text.len() > MAX_IMPORT_BYTES {
        whole(&mut imported, 0, format!("it is larger than {MAX_IMPORT_BYTES} bytes"));
        return imported;
    }
    let doc = match Doc::parse(text.as_bytes(), Mode::Strict, &Limits::default()) {
        Ok(doc) => doc,
        Err(error) => {
            whole(&mut imported, error.offset, format!("it is no JSON that can be read: {error}"));
            return imported;
        }
    };
    let list = if doc.root().kind() == Kind::Array { Some(doc.root()) } else { doc.root().get("signatures") };
    let Some(list) = list.filter(|list| list.kind() == Kind::Array) else {
        whole(&mut imported, 0, "it is no list of signatures".into());
        return imported;
    };
    for item in list.children().take(MAX_RULES) {
        let line = line_at(text, item.span().start);
        let name = string(item, "id").or_else(|| string(item, "name")).unwrap_or_else(|| "(without id)".into());
        match convert(source, item, &name, line, read_function) {
            Ok(made) => imported.take(made),
            Err(reason) => imported.left(&name, line, reason),
        }
    }
    imported
}

fn string(item: NodeRef<'_>, key: &str) -> Option<String> {
    item.get(key).and_then(|value| value.as_str()).map(|text| text.into_owned())
}

fn convert(
    source: &str,
    item: NodeRef<'_>,
    name: &str,
    line: usize,
    read_function: &dyn Fn(&str) -> Option<String>,
) -> Result<Made, String> {
    match string(item, "type").as_deref() {
        Some("llm") => {
            return Err(
                "a prompt for a model holds no text to look for; a judge of yours may do this (`portcullis judges`)"
                    .into(),
            );
        }
        Some("deterministic") => {}
        _ => return Err("its type is neither `llm` nor `deterministic`".into()),
    }
    let file = string(item, "functionFile").ok_or("it names no function file")?;
    let code = read_function(&file).ok_or_else(|| format!("its function {file:?} does not lie beside the list"))?;
    let mut draft = Draft {
        format: "defender",
        source: source.to_owned(),
        rule: name.to_owned(),
        line,
        description: string(item, "description"),
        references: Vec::new(),
        severity: None,
        hints: format!("{name} {}", string(item, "category").unwrap_or_default()),
        clauses: Vec::new(),
        lacks: Vec::new(),
        max_bytes: None,
        notes: vec!["its function is code and was not taken over: each of the patterns it spells out counts".into()],
    };
    let mut ways = Vec::new();
    for Literal { line, source, flags } in script::patterns(&code) {
        let means = Means { any_case: flags.contains('i'), dot_all: flags.contains('s'), full_word: false };
        match pattern::of_regex(&source, means) {
            Ok(way) if way.words.is_empty() => {
                draft.notes.push(format!("{file} line {line}: left out, no word of three letters is in every match"))
            }
            Ok(way) => ways.push(way),
            Err(why) => draft.notes.push(format!("{file} line {line}: left out, {why}")),
        }
    }
    if ways.is_empty() {
        let why = draft.notes.get(1).map_or("it spells out no pattern".to_owned(), |first| {
            format!("none of its patterns can be used ({first})")
        });
        return Err(format!("its function {file:?} is code, which is not run: {why}"));
    }
    draft.clauses.push(ways);
    draft.finish()
}
