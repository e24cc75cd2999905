//! Predicates: what a regex cannot say. Each takes text and parameters and answers with byte ranges; none knows
//! Signatures or messages. Names and parameters are documented in `signatures/README.md`.

pub(crate) mod concept;
pub(crate) mod hidden;
pub(crate) mod path;
pub(crate) mod personal;
pub(crate) mod script;
pub(crate) mod secret;
pub(crate) mod shell;
pub(crate) mod spelled;
pub(crate) mod sql;
pub(crate) mod terminal;
pub(crate) mod url;

use crate::model;
use crate::normal::Normal;
use crate::role::Role;
use serde::Deserialize;
use std::cell::OnceCell;
use std::ops::Range;

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Predicate {
    /// Characters a person does not see.
    HiddenUnicode { kinds: Vec<hidden::Kind> },
    /// Terminal sequences that hide or rewrite.
    TerminalEscape { kinds: Vec<terminal::Kind> },
    /// At least `words` words that mix Latin letters with look-alikes.
    MixedScript { words: usize },
    /// Prose spelled in escapes, hexadecimal or single letters.
    SpelledOut {},
    /// More encoded text than is looked at. Told once a text is done.
    Undecoded {},
    /// The name of a tool that belongs to another server.
    ForeignTool {},
    /// A path to a file of one of the sets. `only_writes`: only in calls that write.
    SensitivePath {
        sets: Vec<path::Set>,
        #[serde(default)]
        only_writes: bool,
    },
    /// A path that climbs or hides that it does.
    PathTraversal { reaches: Vec<path::Reach> },
    /// A path that lies in none of the folders that the server was given.
    PathOutsideRoots {},
    /// What a command would do.
    ShellAct { acts: Vec<shell::Act> },
    /// A command inside a value that is no command.
    ShellInjection {},
    /// SQL that breaks out of a value.
    SqlInjection {},
    /// A host of one of the classes, in any notation.
    UrlHost { classes: Vec<url::HostClass> },
    /// A URL that is not what it looks like.
    UrlTrick { tricks: Vec<url::Trick> },
    /// A URL that carries data away.
    UrlLoad { loads: Vec<url::Load> },
    /// Concepts close together whose weights add up to at least so many tenths. `needs`: of each list one is among them
    /// (a concept, or one of its patterns as `concept.pattern`).
    ConceptScore {
        kind: concept::Kind,
        at_least: u32,
        #[serde(default)]
        needs: Vec<Vec<String>>,
        /// What a step of the local score's odds adds to the sum, or takes off.
        #[serde(default)]
        local: u32,
    },
    /// What the linear model thinks of the text.
    LocalScore { at_least: f32 },
    /// At least so many Signatures of the categories found something close together in one text, in different words. The
    /// scores count as one of them, and so does each of the `families`: they look at the same thing. Those in `except` are
    /// no sign of their own. Told from what the others found, once a text is done.
    SeveralSigns {
        at_least: usize,
        categories: Vec<String>,
        #[serde(default)]
        except: Vec<String>,
        #[serde(default)]
        families: Vec<Vec<String>>,
    },
    /// Keys, tokens, passwords.
    Secret { kinds: Vec<secret::Kind> },
    /// Numbers of cards, accounts and people, by their check digits.
    PersonalData { kinds: Vec<personal::Kind> },
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
    pub role: Role,
    pub foreign_tools: &'p [String],
    /// Folders that the server was given.
    pub roots: &'p path::Roots,
    /// The call changes something: its tool's name or its arguments say so.
    pub writes: bool,
    /// Whether characters that nobody sees stand in it.
    pub has_hidden: bool,
    /// Found once per text, asked for by several Signatures.
    pub secrets: OnceCell<Vec<secret::Secret>>,
    pub personal: OnceCell<Vec<personal::Personal>>,
    pub urls: OnceCell<Vec<url::Located>>,
    pub paths: OnceCell<path::Paths<'p>>,
    /// Of every kind that is asked for.
    pub concepts: OnceCell<Vec<concept::Hit>>,
    /// What the Signatures that look at this text ask of concepts at least.
    pub asked_concepts: concept::Asked,
    pub acts: OnceCell<Vec<(shell::Act, Range<usize>)>>,
    pub local: OnceCell<(f32, Range<usize>)>,
}

/// Below this sum of concepts no other evidence makes a Finding of them.
const LEAST_CONCEPTS: u32 = 20;

impl Probe<'_> {
    /// The highest window of the linear model, or nothing.
    fn local_score(&self) -> &(f32, Range<usize>) {
        self.local.get_or_init(|| model::score(self.normal).unwrap_or((0.0, 0..0)))
    }
}

impl Predicate {
    pub(crate) fn find(&self, probe: &Probe<'_>) -> Vec<Match> {
        let text = probe.text;
        let whole = matches!(probe.role, Role::ArgumentUrl | Role::ArgumentHost) && !text.trim().contains('\n');
        let paths = || probe.paths.get_or_init(|| path::Paths::of(text, probe.role));
        let urls = || probe.urls.get_or_init(|| url::urls(text, whole));
        match self {
            Self::HiddenUnicode { .. } if !probe.has_hidden => Vec::new(),
            Self::HiddenUnicode { kinds } => hidden::find(text, kinds),
            Self::TerminalEscape { kinds } => terminal::find(text, kinds),
            Self::MixedScript { words } => script::find(text, *words),
            Self::SpelledOut {} => spelled::find(text),
            Self::ForeignTool {} => foreign_tool(text, probe.foreign_tools),
            Self::SensitivePath { only_writes: true, .. } if !probe.writes => Vec::new(),
            Self::SensitivePath { sets, .. } => path::find_sensitive(paths(), sets, probe.roots),
            Self::PathTraversal { reaches } => path::find_traversal(paths(), probe.role, reaches, probe.roots),
            Self::PathOutsideRoots {} => path::find_outside(text, probe.role, probe.roots),
            Self::ShellAct { acts } => shell::pick(probe.acts.get_or_init(|| shell::acts_of(text)), acts),
            Self::ShellInjection {} => shell::find_injection(text, probe.role),
            Self::SqlInjection {} => sql::find(text, probe.role),
            Self::UrlHost { classes } => url::find_hosts(text, urls(), classes),
            Self::UrlTrick { tricks } => url::find_tricks(text, urls(), tricks),
            Self::UrlLoad { loads } => url::find_loads(urls(), loads),
            Self::ConceptScore { kind, at_least, needs, local } => {
                let least = LEAST_CONCEPTS.min(*at_least);
                let hits = probe.concepts.get_or_init(|| concept::hits(probe.normal, &probe.asked_concepts));
                if hits.is_empty() {
                    return Vec::new();
                }
                let beside = if *local == 0 { 0.0 } else { *local as f32 * model::odds(probe.local_score().0) };
                let owed = (*at_least as f32 - beside).max(least as f32) as u32;
                concept::find(probe.normal, hits, *kind, owed, needs)
            }
            Self::LocalScore { at_least } => {
                let (score, range) = probe.local_score();
                let is_high = score >= at_least;
                is_high
                    .then(|| Match { range: probe.normal.source_range(range.clone()), reading: None })
                    .into_iter()
                    .collect()
            }
            Self::SeveralSigns { .. } | Self::Undecoded {} => Vec::new(),
            Self::Secret { kinds } => secret::pick(probe.secrets.get_or_init(|| secret::all(text, true)), kinds),
            Self::PersonalData { kinds } => personal::pick(probe.personal.get_or_init(|| personal::all(text)), kinds),
        }
    }

    /// The lowest sum of concepts that makes a match, and their kind.
    pub(crate) fn least_concepts(&self) -> Option<(concept::Kind, u32)> {
        match self {
            Self::ConceptScore { kind, at_least, .. } => Some((*kind, LEAST_CONCEPTS.min(*at_least))),
            _ => None,
        }
    }

    /// Whether every match of a text is worth a Finding of its own (secrets and personal data are redacted one by one).
    pub(crate) fn finds_many(&self) -> bool {
        matches!(self, Self::Secret { .. } | Self::PersonalData { .. })
    }

    /// Whether it scores a text as a whole.
    pub(crate) fn is_score(&self) -> bool {
        matches!(self, Self::ConceptScore { .. } | Self::LocalScore { .. })
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
