//! The size and age rules of retention, on real files: what goes, what stays, and that every run comes to an end.

use super::*;
use crate::open;
use portcullis_domain::api::ReviewReason;
use portcullis_domain::{
    AppId, Change, ChangeKind, Direction, Exchange, ExchangeId, Outcome, PrincipalId, SessionId, Transport, UpstreamId,
    Verdict,
};

const NOW: UnixMs = 1_800_000_000_000;

fn exchange(id: u32, at: UnixMs, verdict: Verdict, body: usize) -> Exchange {
    Exchange {
        id: ExchangeId(format!("{id:08}")),
        at,
        principal: PrincipalId::local(),
        app: AppId::new("cursor"),
        upstream: UpstreamId::new("files"),
        upstream_name: "files".into(),
        session: SessionId::new("s"),
        transport: Transport::Stdio,
        direction: Direction::ToUpstream,
        notification: false,
        method: "tools/call".into(),
        target: None,
        verdict,
        outcome: Outcome::Forwarded,
        findings: vec![],
        // Words that differ, so that the full text grows with the rows as it does in life.
        request: (0..body / 8).map(|n| format!("{:07x} ", u64::from(id) * 7919 + n as u64)).collect(),
        response: None,
        request_bytes: 0,
        response_bytes: 0,
        duration_us: None,
        checked_us: 0,
        error: None,
        judged_locally: false,
    }
}

fn database(exchanges: impl IntoIterator<Item = Exchange>) -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = open::create(&folder.path().join("audit.db")).unwrap();
    let transaction = connection.transaction().unwrap();
    for exchange in exchanges {
        tables::exchange::upsert(&transaction, &exchange).unwrap();
    }
    transaction.commit().unwrap();
    (folder, connection)
}

fn run(connection: &mut Connection, limits: &AuditLimits) {
    let mut retention = Retention::new(NOW, limits);
    let mut steps = 0;
    while retention.step(connection).unwrap() {
        steps += 1;
        assert!(steps < 100_000, "stuck in {:?}", retention.stage);
    }
}

fn ids(connection: &Connection) -> Vec<i64> {
    connection
        .prepare("SELECT CAST(id AS INTEGER) FROM exchange ORDER BY id")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn count(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn plain_rows_go_by_age_and_alerts_four_times_later() {
    let days = |n: i64| NOW - n * DAY_MS;
    let (_folder, mut connection) = database([
        exchange(1, days(11), Verdict::Allow, 100),
        exchange(2, days(9), Verdict::Allow, 100),
        exchange(3, days(39), Verdict::Flag, 100),
        exchange(4, days(41), Verdict::Block, 100),
    ]);
    tables::review::set(&connection, "00000003", Some(ReviewReason::Attack), NOW).unwrap();
    tables::review::set(&connection, "00000004", Some(ReviewReason::Attack), NOW).unwrap();
    for at in [days(39), days(41)] {
        let change = Change { at, kind: ChangeKind::Paused, app: None, summary: "Paused.".into(), loosens: true };
        tables::change::insert(&connection, &change).unwrap();
        tables::gap::insert(&connection, &portcullis_domain::Gap { at, dropped: 1 }).unwrap();
    }
    run(&mut connection, &AuditLimits { max_age_days: 10, ..AuditLimits::default() });
    assert_eq!(ids(&connection), [2, 3]);
    assert_eq!(count(&connection, "SELECT count(*) FROM review"), 1);
    assert_eq!(count(&connection, "SELECT count(*) FROM change"), 1);
    assert_eq!(count(&connection, "SELECT count(*) FROM gap"), 1);
    assert_eq!(count(&connection, "SELECT count(*) FROM exchange_text WHERE exchange_text MATCH 'tools'"), 2);
}

#[test]
fn more_old_rows_than_one_step_takes_all_go() {
    let (_folder, mut connection) = database((0..1700).map(|n| exchange(n, n.into(), Verdict::Allow, 10)));
    run(&mut connection, &AuditLimits::default());
    assert_eq!(ids(&connection).len(), 0);
}

#[test]
fn beyond_the_size_the_oldest_plain_rows_go_and_the_file_shrinks() {
    // Alerts are the oldest rows of all, and stay.
    let (folder, mut connection) = database((0..3000).map(|n| {
        let verdict = if n < 20 { Verdict::Block } else { Verdict::Allow };
        exchange(n, NOW - 100_000 + i64::from(n), verdict, 2000)
    }));
    let size = || std::fs::metadata(folder.path().join("audit.db")).unwrap().len();
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let before = size();
    let limit = 4 * 1024 * 1024;
    assert!(before > 2 * limit, "{before}");
    run(&mut connection, &AuditLimits { max_bytes: limit, ..AuditLimits::default() });
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let after = size();
    assert!(after <= limit && after > limit / 3, "{before} became {after}, the limit is {limit}");
    let left = ids(&connection);
    assert_eq!(left[..20], (0..20).collect::<Vec<i64>>(), "the Alerts");
    assert_eq!(*left.last().unwrap(), 2999, "the newest");
    assert!(left[20..].windows(2).all(|pair| pair[1] == pair[0] + 1), "only the oldest went");
    // The words of deleted rows are gone too.
    assert_eq!(
        count(&connection, "SELECT count(*) FROM exchange_text WHERE exchange_text MATCH 'tools'"),
        left.len() as i64
    );
}

#[test]
fn alerts_alone_cannot_outgrow_the_size() {
    let (_folder, mut connection) =
        database((0..2000).map(|n| exchange(n, NOW - 100_000 + i64::from(n), Verdict::Flag, 2000)));
    let limit = 2 * 1024 * 1024;
    run(&mut connection, &AuditLimits { max_bytes: limit, ..AuditLimits::default() });
    let left = ids(&connection);
    assert!(left.len() < 1500 && left.last() == Some(&1999), "{} left", left.len());
    let used = count(
        &connection,
        "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
    );
    assert!(used <= limit as i64, "{used}");
}

#[test]
fn an_impossible_limit_ends_too() {
    let (_folder, mut connection) = database((0..50).map(|n| exchange(n, NOW, Verdict::Block, 100)));
    run(&mut connection, &AuditLimits { max_bytes: 0, ..AuditLimits::default() });
    assert_eq!(ids(&connection).len(), 0);
}

#[test]
fn originals_go_after_a_week_and_with_their_row() {
    let days = |n: i64| NOW - n * DAY_MS;
    let (_folder, mut connection) = database([
        exchange(1, days(1), Verdict::Redact, 100),
        exchange(2, days(8), Verdict::Redact, 100),
        exchange(3, days(5), Verdict::Allow, 100),
    ]);
    for (id, at) in [("00000001", days(1)), ("00000002", days(8)), ("00000003", days(5))] {
        tables::original::save(&connection, id, portcullis_domain::Direction::ToUpstream, at, b"sealed").unwrap();
    }
    run(&mut connection, &AuditLimits { max_age_days: 3, ..AuditLimits::default() });
    assert_eq!(ids(&connection), [1, 2], "the third row was plain and older than three days");
    let left: String =
        connection.query_row("SELECT group_concat(exchange) FROM original", [], |row| row.get(0)).unwrap();
    assert_eq!(left, "00000001");
}
