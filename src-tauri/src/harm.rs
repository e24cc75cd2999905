//! The sentence that names the harm, the one that heads a question in the dashboard: who is about to do what with which
//! thing. The words are the catalogue's (`ui/src/text/harm.json`); they are filled in here as `ui/src/lib/harm.ts` does
//! it, and `harm.cases.json` holds both to the same sentences. Pure.

use portcullis_domain::api::{Ask, ExchangeRow};
use portcullis_domain::{Direction, Exchange, Finding};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::LazyLock;

#[derive(Deserialize)]
struct Catalogue {
    lead: Lead,
    more: String,
    unknown: Phrases,
    by_category: HashMap<String, Phrases>,
    by_signature: HashMap<String, Phrases>,
}

#[derive(Deserialize)]
struct Lead {
    now: Phrases,
    then: Phrases,
}

#[derive(Deserialize)]
struct Phrases {
    sends: Option<String>,
    reads: Option<String>,
}

impl Phrases {
    fn of(&self, way: Way) -> Option<&str> {
        match way {
            Way::Sends => self.sends.as_deref(),
            Way::Reads => self.reads.as_deref(),
        }
    }
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../ui/src/text/harm.json")).expect("our own words, read by every test")
});

/// Whether the app would send what was found, or read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Sends,
    Reads,
}

impl From<Direction> for Way {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::ToUpstream => Self::Sends,
            Direction::ToClient => Self::Reads,
        }
    }
}

/// Ours is a piece of a sentence; a name was given by a server, an app or a model.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Ours(String),
    Name(String),
}

pub struct Harm<'a> {
    pub way: Way,
    pub signature: &'a str,
    pub category: &'a str,
    pub matched: &'a str,
    /// Hosts that the call names.
    pub destinations: &'a [String],
    pub server: &'a str,
}

impl<'a> Harm<'a> {
    /// None without a Finding.
    pub fn of_ask(ask: &'a Ask) -> Option<(Self, Option<&'a Finding>)> {
        let finding = strongest(&ask.findings)?;
        let harm = Self::of(finding, ask.direction.into(), &ask.upstream_name);
        Some((Self { destinations: &ask.destinations, ..harm }, Some(finding)))
    }

    pub fn of_exchange(exchange: &'a Exchange) -> Option<(Self, Option<&'a Finding>)> {
        let finding = strongest(&exchange.findings)?;
        let answers = ["/result", "/error"].iter().any(|part| finding.json_path.starts_with(part));
        let way = match (Way::from(exchange.direction), answers) {
            (Way::Sends, false) | (Way::Reads, true) => Way::Sends,
            (Way::Reads, false) | (Way::Sends, true) => Way::Reads,
        };
        Some((Self::of(finding, way, &exchange.upstream_name), Some(finding)))
    }

    /// What the row alone says: enough for a Signature that looks one way only.
    pub fn of_row(row: &'a ExchangeRow) -> Option<Self> {
        let signature = row.signature.as_deref()?;
        let phrases = CATALOGUE.by_signature.get(signature)?;
        let way = match (&phrases.sends, &phrases.reads) {
            (Some(_), None) => Way::Sends,
            (None, Some(_)) => Way::Reads,
            _ => return None,
        };
        Some(Self { way, signature, category: "", matched: "", destinations: &[], server: &row.upstream_name })
    }

    fn of(finding: &'a Finding, way: Way, server: &'a str) -> Self {
        let Finding { signature, category, matched, .. } = finding;
        Self { way, signature, category, matched, destinations: &[], server }
    }

    /// A phrase of the category says little about a Signature that somebody wrote: its own title is needed beside it.
    pub fn needs_title(&self) -> bool {
        self.own_phrase().is_none()
    }

    pub fn sends(&self) -> bool {
        self.way == Way::Sends
    }

    fn own_phrase(&self) -> Option<&'static str> {
        CATALOGUE.by_signature.get(self.signature).and_then(|phrases| phrases.of(self.way))
    }

    fn phrase(&self) -> &'static str {
        let category = || CATALOGUE.by_category.get(self.category).and_then(|phrases| phrases.of(self.way));
        self.own_phrase().or_else(category).or_else(|| CATALOGUE.unknown.of(self.way)).unwrap_or_default()
    }

    /// `Cursor wants to send a private key to mailer`; `over`: it wanted to.
    pub fn sentence(&self, app: &str, over: bool) -> Vec<Part> {
        let lead = if over { &CATALOGUE.lead.then } else { &CATALOGUE.lead.now };
        let mut parts = vec![Part::Ours(format!("{app}{}", lead.of(self.way).unwrap_or_default()))];
        // every second piece stood in brackets: it falls away when one of its names is not known
        for (n, piece) in self.phrase().split(['[', ']']).enumerate() {
            match self.filled(piece) {
                Some(filled) => parts.extend(filled),
                None if n % 2 == 1 => {}
                None => parts.push(Part::Ours(piece.to_owned())),
            }
        }
        parts.into_iter().filter(|part| *part != Part::Ours(String::new())).fold(Vec::new(), joined)
    }

    fn filled(&self, piece: &str) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        // every second word stood in braces
        for (n, word) in piece.split(['{', '}']).enumerate() {
            match n % 2 {
                0 => parts.push(Part::Ours(word.to_owned())),
                _ => parts.extend(self.named(word)?),
            }
        }
        Some(parts)
    }

    fn named(&self, word: &str) -> Option<Vec<Part>> {
        let name = |name: &str| Part::Name(name.to_owned());
        match (word, self.destinations) {
            ("what", _) => Some(self.matched.trim()).filter(|matched| !matched.is_empty()).map(|what| vec![name(what)]),
            ("server", _) => Some(vec![name(self.server)]),
            ("to", [only]) => Some(vec![name(only)]),
            ("to", [first, others @ ..]) => {
                let more = CATALOGUE.more.replace("{count}", &others.len().to_string());
                Some(vec![name(first), Part::Ours(more)])
            }
            _ => None,
        }
    }
}

/// The same order as the dashboard's: the strictest Verdict, then the highest severity, then the first.
fn strongest(findings: &[Finding]) -> Option<&Finding> {
    findings.iter().rev().max_by_key(|finding| (finding.verdict, finding.severity))
}

fn joined(mut parts: Vec<Part>, part: Part) -> Vec<Part> {
    match (parts.last_mut(), part) {
        (Some(Part::Ours(last)), Part::Ours(more)) => last.push_str(&more),
        (_, part) => parts.push(part),
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn shown(part: &Part) -> Value {
        match part {
            Part::Ours(words) => words.as_str().into(),
            Part::Name(name) => serde_json::json!({ "name": name }),
        }
    }

    #[test]
    fn the_sentence_is_the_one_that_the_dashboard_says() {
        let cases: Vec<Value> = serde_json::from_str(include_str!("../../ui/src/text/harm.cases.json")).unwrap();
        assert!(cases.len() > 8);
        for case in cases {
            let text = |key: &str| case[key].as_str().unwrap();
            let destinations: Vec<String> = serde_json::from_value(case["destinations"].clone()).unwrap();
            let direction: Direction = serde_json::from_value(case["direction"].clone()).unwrap();
            let harm = Harm {
                way: direction.into(),
                signature: text("signature"),
                category: text("category"),
                matched: text("matched"),
                destinations: &destinations,
                server: "mailer",
            };
            let said: Vec<Value> = harm.sentence("Cursor", false).iter().map(shown).collect();
            assert_eq!(Value::from(said), case["said"], "{}", text("why"));
        }
    }

    #[test]
    fn every_phrase_can_be_filled_with_what_is_known_and_without() {
        let ways = [Way::Sends, Way::Reads];
        let hosts = ["a.example".to_owned(), "b.example".to_owned()];
        for (signature, way) in CATALOGUE.by_signature.keys().flat_map(|key| ways.map(|way| (key, way))) {
            for (matched, destinations) in [("it", &hosts[..]), ("", &[])] {
                let harm = Harm { way, signature, category: "secrets", matched, destinations, server: "mailer" };
                let ours = |part: &Part| matches!(part, Part::Ours(words) if words.contains(['{', '}', '[', ']']));
                assert!(!harm.sentence("Cursor", true).iter().any(ours), "{signature}");
            }
        }
    }
}
