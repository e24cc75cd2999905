//! The schema, one module per version. A released version is never edited; a change is a new module and one line here.

mod person;
mod pin_review;
mod v1;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

const STEPS: &[M<'static>] = &[M::up(v1::UP), M::up(pin_review::UP), M::up(person::UP)];

/// The schema version this program writes and reads.
pub(crate) const KNOWN: i64 = STEPS.len() as i64;

pub(crate) fn migrate(connection: &mut Connection) -> Result<(), rusqlite_migration::Error> {
    Migrations::from_slice(STEPS).to_latest(connection)
}

pub(crate) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as that version's program wrote them. One element per version; they must survive every later step.
    const SAMPLES: &[&str] = &[v1::SAMPLE, pin_review::SAMPLE, person::SAMPLE];

    #[test]
    fn every_earlier_version_reaches_the_newest_with_its_rows() {
        assert_eq!(SAMPLES.len(), STEPS.len(), "a new version needs a sample of its rows");
        for (index, sample) in SAMPLES.iter().enumerate() {
            let from = index + 1;
            let mut connection = Connection::open_in_memory().unwrap();
            Migrations::from_slice(STEPS).to_version(&mut connection, from).unwrap();
            connection.execute_batch(sample).unwrap();
            migrate(&mut connection).unwrap();
            assert_eq!(version(&connection).unwrap(), KNOWN, "from version {from}");
            let exchange = crate::tables::exchange::get(&connection, "0001").unwrap().expect("the exchange survived");
            assert_eq!(exchange.method, "tools/call", "from version {from}");
            assert_eq!(exchange.findings.len(), 1, "from version {from}");
            assert_eq!(crate::tables::pin::all(&connection).unwrap().len(), 1, "from version {from}");
            assert_eq!(crate::tables::change::newest(&connection, 9).unwrap().len(), 1, "from version {from}");
            assert_eq!(crate::tables::gap::newest(&connection, 9).unwrap()[0].dropped, 3, "from version {from}");
            assert!(crate::tables::review::get(&connection, "0001").unwrap().is_some(), "from version {from}");
            let found: i64 = connection
                .query_row("SELECT count(*) FROM exchange_text WHERE exchange_text MATCH 'needle'", [], |row| {
                    row.get(0)
                })
                .unwrap();
            assert_eq!(found, 1, "full text, from version {from}");
        }
    }

    #[test]
    fn the_steps_are_sound_sql() {
        Migrations::from_slice(STEPS).validate().unwrap();
    }
}
