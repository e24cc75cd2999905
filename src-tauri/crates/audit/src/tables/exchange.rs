//! Tables `exchange` and `exchange_text`: one row per Exchange, and its words for the search.

use super::{from_integer, from_word, rank, to_integer, verdict};
use portcullis_domain::api::ExchangeRow;
use portcullis_domain::{AppId, Exchange, ExchangeId, PrincipalId, SessionId, UpstreamId};
use rusqlite::types::{ToSql, Type};
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

/// Stores an Exchange, or replaces the one with its id: the response arriving later, or a long request reported early.
/// A copy without a response never replaces one that has it, however late it comes.
pub(crate) fn upsert(connection: &Connection, exchange: &Exchange) -> rusqlite::Result<()> {
    let row = ExchangeRow::of(exchange, false);
    let findings = serde_json::to_string(&exchange.findings)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let seq: Option<i64> = connection
        .prepare_cached(UPSERT)?
        .query_row(
            params![
                exchange.id.as_str(),
                exchange.at,
                rank(exchange.verdict),
                1 + i64::from(exchange.response.is_some()),
                exchange.app.as_str(),
                exchange.upstream.as_str(),
                exchange.session.as_str(),
                exchange.principal.as_str(),
                exchange.upstream_name,
                exchange.transport.as_str(),
                exchange.direction.as_str(),
                exchange.notification,
                exchange.method,
                exchange.target,
                exchange.outcome.as_str(),
                row.signature,
                row.title,
                to_integer(exchange.request_bytes),
                to_integer(exchange.response_bytes),
                exchange.duration_us.map(to_integer),
                to_integer(exchange.checked_us),
                exchange.error,
                exchange.judged_locally,
                findings,
                exchange.request,
                exchange.response
            ],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(seq) = seq {
        index(connection, seq, exchange)?;
    }
    Ok(())
}

const UPSERT: &str = "
INSERT INTO exchange (id, at, verdict, messages, app, upstream, session, principal, upstream_name, transport, direction,
    notification, method, target, outcome, signature, title, request_bytes, response_bytes, duration_us, checked_us,
    error, judged_locally, findings, request, response)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    at = excluded.at, verdict = excluded.verdict, messages = excluded.messages, app = excluded.app,
    upstream = excluded.upstream, session = excluded.session, principal = excluded.principal,
    upstream_name = excluded.upstream_name, transport = excluded.transport, direction = excluded.direction,
    notification = excluded.notification, method = excluded.method, target = excluded.target,
    outcome = excluded.outcome, signature = excluded.signature, title = excluded.title,
    request_bytes = excluded.request_bytes, response_bytes = excluded.response_bytes,
    duration_us = excluded.duration_us, checked_us = excluded.checked_us, error = excluded.error,
    judged_locally = excluded.judged_locally, findings = excluded.findings, request = excluded.request,
    response = excluded.response
WHERE excluded.response IS NOT NULL OR exchange.response IS NULL
RETURNING seq";

fn index(connection: &Connection, seq: i64, exchange: &Exchange) -> rusqlite::Result<()> {
    let mut findings = String::new();
    for finding in &exchange.findings {
        for part in [&finding.title, &finding.signature, &finding.matched] {
            findings.push_str(part);
            findings.push('\n');
        }
        if let Some(decoded) = &finding.decoded {
            findings.push_str(&decoded.text);
            findings.push('\n');
        }
    }
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO exchange_text (rowid, method, target, upstream_name, request, response, findings)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            seq,
            exchange.method,
            exchange.target,
            exchange.upstream_name,
            exchange.request,
            exchange.response,
            findings
        ])?;
    Ok(())
}

pub(crate) fn delete(connection: &Connection, seq: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM review WHERE exchange = (SELECT id FROM exchange WHERE seq = ?)")?
        .execute([seq])?;
    connection
        .prepare_cached("DELETE FROM original WHERE exchange = (SELECT id FROM exchange WHERE seq = ?)")?
        .execute([seq])?;
    connection.prepare_cached("DELETE FROM exchange_text WHERE rowid = ?")?.execute([seq])?;
    connection.prepare_cached("DELETE FROM exchange WHERE seq = ?")?.execute([seq])?;
    Ok(())
}

/// Columns of a list row, to be read by `read_row`; `e` is the exchange, `r` its review (LEFT JOIN).
pub(crate) const ROW: &str = "e.id, e.at, e.app, e.upstream, e.upstream_name, e.transport, e.direction, e.notification,
    e.method, e.target, e.verdict, e.outcome, e.duration_us, e.title, e.signature, r.exchange IS NOT NULL";

pub(crate) fn read_row(row: &Row<'_>) -> rusqlite::Result<ExchangeRow> {
    Ok(ExchangeRow {
        id: ExchangeId(row.get(0)?),
        at: row.get(1)?,
        app: AppId(row.get(2)?),
        upstream: UpstreamId(row.get(3)?),
        upstream_name: row.get(4)?,
        transport: from_word(row, 5)?,
        direction: from_word(row, 6)?,
        notification: row.get(7)?,
        method: row.get(8)?,
        target: row.get(9)?,
        verdict: verdict(row.get(10)?),
        outcome: from_word(row, 11)?,
        duration_us: row.get::<_, Option<i64>>(12)?.map(from_integer),
        title: row.get(13)?,
        signature: row.get(14)?,
        reviewed: row.get(15)?,
    })
}

const FULL: &str = "e.id, e.at, e.principal, e.app, e.upstream, e.upstream_name, e.session, e.transport, e.direction,
    e.notification, e.method, e.target, e.verdict, e.outcome, e.findings, e.request, e.response, e.request_bytes,
    e.response_bytes, e.duration_us, e.checked_us, e.error, e.judged_locally";

fn read_full(row: &Row<'_>) -> rusqlite::Result<Exchange> {
    let findings: String = row.get(14)?;
    let findings = serde_json::from_str(&findings)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(14, Type::Text, Box::new(error)))?;
    Ok(Exchange {
        id: ExchangeId(row.get(0)?),
        at: row.get(1)?,
        principal: PrincipalId(row.get(2)?),
        app: AppId(row.get(3)?),
        upstream: UpstreamId(row.get(4)?),
        upstream_name: row.get(5)?,
        session: SessionId(row.get(6)?),
        transport: from_word(row, 7)?,
        direction: from_word(row, 8)?,
        notification: row.get(9)?,
        method: row.get(10)?,
        target: row.get(11)?,
        verdict: verdict(row.get(12)?),
        outcome: from_word(row, 13)?,
        findings,
        request: row.get(15)?,
        response: row.get(16)?,
        request_bytes: from_integer(row.get(17)?),
        response_bytes: from_integer(row.get(18)?),
        duration_us: row.get::<_, Option<i64>>(19)?.map(from_integer),
        checked_us: from_integer(row.get(20)?),
        error: row.get(21)?,
        judged_locally: row.get(22)?,
    })
}

pub(crate) fn get(connection: &Connection, id: &str) -> rusqlite::Result<Option<Exchange>> {
    connection
        .prepare_cached(&format!("SELECT {FULL} FROM exchange e WHERE e.id = ?"))?
        .query_row([id], read_full)
        .optional()
}

/// Rows that meet `conditions`, newest first.
pub(crate) fn rows(
    connection: &Connection,
    conditions: &str,
    values: &[Box<dyn ToSql>],
    limit: usize,
) -> rusqlite::Result<Vec<ExchangeRow>> {
    connection
        .prepare_cached(&format!(
            "SELECT {ROW} FROM exchange e LEFT JOIN review r ON r.exchange = e.id
             WHERE {conditions} ORDER BY e.at DESC, e.id DESC LIMIT {limit}"
        ))?
        .query_map(params_from_iter(values), read_row)?
        .collect()
}

/// Whole Exchanges that meet `conditions`, newest first.
pub(crate) fn full(
    connection: &Connection,
    conditions: &str,
    values: &[Box<dyn ToSql>],
    limit: usize,
) -> rusqlite::Result<Vec<Exchange>> {
    connection
        .prepare_cached(&format!(
            "SELECT {FULL} FROM exchange e WHERE {conditions} ORDER BY e.at DESC, e.id DESC LIMIT {limit}"
        ))?
        .query_map(params_from_iter(values), read_full)?
        .collect()
}

/// How many meet `conditions`, counted no further than `most`.
pub(crate) fn count(
    connection: &Connection,
    conditions: &str,
    values: &[Box<dyn ToSql>],
    most: u64,
) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(&format!("SELECT count(*) FROM (SELECT 1 FROM exchange e WHERE {conditions} LIMIT {most})"))?
        .query_row(params_from_iter(values), |row| row.get(0))
        .map(from_integer)
}
