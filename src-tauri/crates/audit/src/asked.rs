//! What the log says about questions: what was seen of a server before, how often each Signature asked, and whole rows
//! for replays.

use crate::{Error, Reader, tables};
use portcullis_domain::api::AskHistory;
use portcullis_domain::{Exchange, ExchangeId, UnixMs, UpstreamId};
use rusqlite::{Connection, params};

/// Questions that one Signature asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureAsked {
    pub signature: String,
    pub asked: u64,
    pub allowed: u64,
    pub newest: ExchangeId,
}

/// A row with a Verdict of Ask whose Message went on: the person allowed it.
const WAS_ALLOWED: &str = "e.verdict = 3 AND e.outcome <> 'rejected'";

fn one(connection: &Connection, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<u64> {
    connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).map(tables::from_integer)
}

impl Reader {
    /// What was seen of a server and one of its tools since `since`.
    pub fn history(&self, upstream: &UpstreamId, target: Option<&str>, since: UnixMs) -> Result<AskHistory, Error> {
        let id = upstream.as_str();
        self.with(|c| {
            let first = c
                .prepare_cached("SELECT min(at) FROM exchange WHERE upstream = ?")?
                .query_row([id], |row| row.get(0))?;
            let calls =
                "SELECT count(*) FROM exchange e WHERE e.upstream = ?1 AND e.at >= ?2 AND e.method = 'tools/call'";
            let of_tool = "e.upstream = ?1 AND e.at >= ?2 AND e.target IS ?3";
            let count = |what: &str| {
                let sql = format!("SELECT count(*) FROM exchange e WHERE {of_tool} AND {what}");
                one(c, &sql, params![id, since, target])
            };
            Ok(AskHistory {
                server_first_seen: first,
                server_calls: one(c, calls, params![id, since])?,
                tool_calls: count("e.method = 'tools/call'")?,
                asked: count("e.verdict = 3")?,
                allowed: count(WAS_ALLOWED)?,
            })
        })
    }

    /// Times of all questions since `since`.
    pub fn asked_at(&self, since: UnixMs) -> Result<Vec<UnixMs>, Error> {
        self.with(|c| {
            let mut statement =
                c.prepare_cached("SELECT at FROM exchange WHERE verdict = 3 AND at >= ? ORDER BY at")?;
            let times = statement.query_map([since], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            Ok(times)
        })
    }

    /// Most questions first.
    pub fn asked_by_signature(&self, since: UnixMs) -> Result<Vec<SignatureAsked>, Error> {
        let sql = format!(
            "SELECT e.signature, count(*) AS asked, sum({WAS_ALLOWED}), max(e.id) FROM exchange e
             WHERE e.verdict = 3 AND e.at >= ? AND e.signature IS NOT NULL GROUP BY e.signature ORDER BY asked DESC"
        );
        self.with(|c| {
            let rows = c
                .prepare_cached(&sql)?
                .query_map([since], |row| {
                    Ok(SignatureAsked {
                        signature: row.get(0)?,
                        asked: tables::from_integer(row.get(1)?),
                        allowed: tables::from_integer(row.get(2)?),
                        newest: ExchangeId(row.get(3)?),
                    })
                })?
                .collect::<rusqlite::Result<_>>()?;
            Ok(rows)
        })
    }

    /// Whole Exchanges since `since` and before `before`, newest first.
    pub fn whole_before(
        &self,
        since: UnixMs,
        before: Option<(UnixMs, &ExchangeId)>,
        limit: usize,
    ) -> Result<Vec<Exchange>, Error> {
        let (at, id) = before.map_or((UnixMs::MAX, ""), |(at, id)| (at, id.as_str()));
        let values: [Box<dyn rusqlite::ToSql>; 3] = [Box::new(since), Box::new(at), Box::new(id.to_owned())];
        self.with(|c| Ok(tables::exchange::full(c, "e.at >= ? AND (e.at, e.id) < (?, ?)", &values, limit)?))
    }
}
