//! Predicates: what a regex cannot say. Each takes text and parameters and answers with byte ranges; none knows
//! Signatures or messages. Names and parameters are documented in `signatures/README.md`.

pub(crate) mod hidden;
pub(crate) mod secret;
pub(crate) mod url;

use crate::normal::Normal;
use serde::Deserialize;
use std::ops::Range;

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Predicate {
    /// Characters a person does not see.
    HiddenUnicode { kinds: Vec<hidden::Kind> },
    /// The name of a tool that belongs to another server.
    ForeignTool {},
}

/// One match of a predicate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    pub range: Range<usize>,
    /// What the match says once parsed or decoded, when that differs from the text.
    pub reading: Option<String>,
}

/// What a predicate is given.
pub(crate) struct Probe<'p> {
    pub text: &'p str,
    pub normal: &'p Normal,
    pub foreign_tools: &'p [String],
}

impl Predicate {
    pub(crate) fn find(&self, probe: &Probe<'_>) -> Vec<Match> {
        match self {
            Self::HiddenUnicode { kinds } => hidden::find(probe.text, kinds),
            Self::ForeignTool {} => foreign_tool(probe.text, probe.foreign_tools),
        }
    }

    /// Whether every match of a text is worth a Finding of its own (they are redacted one by one).
    pub(crate) fn finds_many(&self) -> bool {
        false
    }
}

/// The first whole-word mention of a foreign tool. Names that are ordinary words (`search`) say nothing.
fn foreign_tool(text: &str, tools: &[String]) -> Vec<Match> {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let is_telling =
        |name: &&String| name.len() >= 6 && name.contains(|c: char| c == '_' || c == '-' || c.is_uppercase());
    for name in tools.iter().filter(is_telling) {
        for (at, _) in text.match_indices(name.as_str()) {
            let end = at + name.len();
            if !text[..at].ends_with(is_name) && !text[end..].starts_with(is_name) {
                return vec![Match { range: at..end, reading: None }];
            }
        }
    }
    Vec::new()
}
