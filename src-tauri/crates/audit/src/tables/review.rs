//! Table `review`: what the person said about an Alert. A review counts for the Alert and for all equal ones up to it,
//! because the dashboard shows equal ones as one group; later ones are open again.

use super::{from_word, to_word};
use portcullis_domain::UnixMs;
use portcullis_domain::api::{Review, ReviewReason};
use rusqlite::{Connection, OptionalExtension, params};

/// What makes two Alerts equal. `this` is the one under review, `e` any other.
const EQUAL_UP_TO_THIS: &str = "e.verdict > 0 AND e.upstream = this.upstream AND e.signature IS this.signature
    AND e.method = this.method AND e.target IS this.target AND e.verdict = this.verdict
    AND (e.at, e.id) <= (this.at, this.id)";

/// Reviews the Alert and the open ones equal to it, or takes that back. Returns how many Alerts it touched.
pub(crate) fn set(
    connection: &Connection,
    id: &str,
    reason: Option<ReviewReason>,
    at: UnixMs,
) -> rusqlite::Result<usize> {
    let Some(reason) = reason else {
        return connection.execute(
            &format!(
                "DELETE FROM review WHERE exchange IN
                 (SELECT e.id FROM exchange this JOIN exchange e ON {EQUAL_UP_TO_THIS} WHERE this.id = ?)"
            ),
            [id],
        );
    };
    let word = to_word(&reason);
    let others = connection.execute(
        &format!(
            "INSERT INTO review (exchange, reason, at)
             SELECT e.id, ?2, ?3 FROM exchange this JOIN exchange e ON {EQUAL_UP_TO_THIS}
             WHERE this.id = ?1 AND e.id <> ?1 ON CONFLICT (exchange) DO NOTHING"
        ),
        params![id, word, at],
    )?;
    let itself = connection.execute(
        "INSERT INTO review (exchange, reason, at)
         SELECT id, ?2, ?3 FROM exchange WHERE id = ?1 AND verdict > 0
         ON CONFLICT (exchange) DO UPDATE SET reason = excluded.reason, at = excluded.at",
        params![id, word, at],
    )?;
    Ok(others + itself)
}

pub(crate) fn get(connection: &Connection, id: &str) -> rusqlite::Result<Option<Review>> {
    connection
        .prepare_cached("SELECT reason, at FROM review WHERE exchange = ?")?
        .query_row([id], |row| Ok(Review { reason: from_word(row, 0)?, at: row.get(1)? }))
        .optional()
}
