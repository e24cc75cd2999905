//! Which Exchanges a list shows, turned into SQL conditions. Values are always bound, never spliced; what a person types
//! into the search box can mean nothing to the full-text language.

use crate::Error;
use crate::tables::rank;
use portcullis_domain::{AppId, Direction, UnixMs, UpstreamId, Verdict};
use rusqlite::types::ToSql;

/// Every field narrows; the default shows all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExchangeFilter {
    pub app: Option<AppId>,
    pub upstream: Option<UpstreamId>,
    /// Any of these; empty: all.
    pub verdicts: Vec<Verdict>,
    pub method: Option<String>,
    pub target: Option<String>,
    pub direction: Option<Direction>,
    /// Words that must all occur in method, target, server name, request, response or Findings. A word matches
    /// whatever begins with it; one without letters or digits (`../`) matches anywhere in the stored text.
    pub q: Option<String>,
    /// From this time on.
    pub since: Option<UnixMs>,
    /// Before this time.
    pub until: Option<UnixMs>,
}

/// More words than this narrow nothing that a person would notice.
const MAX_WORDS: usize = 24;
const MAX_WORD_CHARS: usize = 200;

pub(crate) struct Conditions {
    pub(crate) sql: String,
    pub(crate) values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    pub(crate) fn of(filter: &ExchangeFilter) -> Self {
        let mut all = Self { sql: "true".into(), values: Vec::new() };
        if let Some(app) = &filter.app {
            all.and("e.app = ?", app.0.clone());
        }
        if let Some(upstream) = &filter.upstream {
            all.and("e.upstream = ?", upstream.0.clone());
        }
        if !filter.verdicts.is_empty() {
            let ranks: Vec<String> = filter.verdicts.iter().map(|v| rank(*v).to_string()).collect();
            all.sql.push_str(&format!(" AND e.verdict IN ({})", ranks.join(",")));
        }
        if let Some(method) = &filter.method {
            all.and("e.method = ?", method.clone());
        }
        if let Some(target) = &filter.target {
            all.and("e.target = ?", target.clone());
        }
        if let Some(direction) = filter.direction {
            all.and("e.direction = ?", direction.as_str());
        }
        if let Some(since) = filter.since {
            all.and("e.at >= ?", since);
        }
        if let Some(until) = filter.until {
            all.and("e.at < ?", until);
        }
        if let Some(q) = &filter.q {
            all.search(q);
        }
        all
    }

    pub(crate) fn and(&mut self, condition: &str, value: impl ToSql + 'static) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.values.push(Box::new(value));
    }

    /// Rows that come after `cursor` in the list, newest first.
    pub(crate) fn after(&mut self, cursor: &str) -> Result<(), Error> {
        let bad = || Error::Cursor(cursor.chars().take(80).collect());
        let (at, id) = cursor.split_once('.').ok_or_else(bad)?;
        let at: UnixMs = at.parse().map_err(|_| bad())?;
        self.sql.push_str(" AND (e.at, e.id) < (?, ?)");
        self.values.push(Box::new(at));
        self.values.push(Box::new(id.to_owned()));
        Ok(())
    }

    fn search(&mut self, q: &str) {
        let mut phrases = String::new();
        for word in q.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).take(MAX_WORDS) {
            let word: String = word.chars().take(MAX_WORD_CHARS).collect();
            if word.chars().any(char::is_alphanumeric) {
                // A quoted string is only ever text to FTS5; a quote inside it is doubled. The star outside asks for a prefix.
                phrases.push_str(&format!("\"{}\"* ", word.replace('"', "\"\"")));
            } else {
                self.and(
                    "instr(concat_ws(char(10), e.method, e.target, e.upstream_name, e.request, e.response, e.findings), ?)",
                    word,
                );
            }
        }
        if !phrases.is_empty() {
            self.and("e.seq IN (SELECT rowid FROM exchange_text WHERE exchange_text MATCH ?)", phrases);
        }
    }
}

pub(crate) fn cursor(at: UnixMs, id: &str) -> String {
    format!("{at}.{id}")
}
