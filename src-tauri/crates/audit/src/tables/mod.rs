//! One module per table: what is written to it and read from it, in SQL. Connections and threads live elsewhere.

pub(crate) mod change;
pub(crate) mod exchange;
pub(crate) mod gap;
pub(crate) mod mark;
pub(crate) mod original;
pub(crate) mod pin;
pub(crate) mod review;

use portcullis_domain::Verdict;
use rusqlite::types::Type;
use serde::de::{DeserializeOwned, IntoDeserializer};

const VERDICTS: [Verdict; 5] = [Verdict::Allow, Verdict::Flag, Verdict::Redact, Verdict::Ask, Verdict::Block];

pub(crate) fn rank(verdict: Verdict) -> i64 {
    VERDICTS.iter().position(|v| *v == verdict).unwrap_or(VERDICTS.len() - 1) as i64
}

pub(crate) fn verdict(rank: i64) -> Verdict {
    // An impossible rank is shown as the strictest, never as the mildest.
    usize::try_from(rank).ok().and_then(|rank| VERDICTS.get(rank)).copied().unwrap_or(Verdict::Block)
}

/// The domain's enums are stored as their serde words.
pub(crate) fn from_word<T: DeserializeOwned>(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<T> {
    let word: String = row.get(column)?;
    T::deserialize(word.into_deserializer()).map_err(|error: serde::de::value::Error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

pub(crate) fn to_word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        // Only unit variants come here; a word that cannot be read back would be found by the first test.
        _ => String::new(),
    }
}

/// SQLite's integers are signed; a size beyond that is as good as the largest.
pub(crate) fn to_integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn from_integer(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
