//! The file itself: private, recovered when damaged, refused when newer, sound after a kill.

mod common;

use common::{NOW, alert, exchange, log, open, row};
use portcullis_audit::{Audit, AuditLimits, Error, ExchangeFilter, Reader};
use portcullis_domain::{ApprovedBy, ChangeKind, Pin, PinKind, UpstreamId, Verdict};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

fn pin() -> Pin {
    Pin {
        upstream: UpstreamId::new("files"),
        kind: PinKind::Instructions,
        name: String::new(),
        approved: "{}".into(),
        approved_at: NOW,
        approved_by: ApprovedBy::Person,
        changed: None,
        drift: None,
        quarantine: None,
        seen_at: NOW,
    }
}

fn aside(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("audit.corrupt-") && name.ends_with(".db"))
        .collect();
    names.sort();
    names
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let audit = open(&path, AuditLimits::default());
    audit.record(row(exchange(1)));
    audit.flush().unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["audit.db", "audit.db-shm", "audit.db-wal"]);
}

#[test]
fn rows_are_there_after_a_restart() {
    let log = log();
    log.store([alert(1, "a", Verdict::Block)]);
    log.audit.save_pin(&pin()).unwrap();
    log.audit.close();
    let again = open(&log.path, AuditLimits::default());
    assert_eq!(again.open_alerts().unwrap(), 1);
    assert_eq!(again.pins().unwrap(), [pin()]);
    assert!(aside(log.folder.path()).is_empty());
    assert!(again.changes(10).unwrap().is_empty());
}

#[test]
fn a_file_that_is_no_database_is_moved_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    std::fs::write(&path, "hello, this is not a database at all ".repeat(1000)).unwrap();
    let audit = open(&path, AuditLimits::default());
    let changes = audit.changes(10).unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].kind, changes[0].at), (ChangeKind::AuditMovedAside, NOW));
    let moved = aside(folder.path());
    assert_eq!(moved, [format!("audit.corrupt-{NOW}.db")]);
    assert!(changes[0].summary.contains(&moved[0]), "{}", changes[0].summary);
    assert!(std::fs::read_to_string(folder.path().join(&moved[0])).unwrap().starts_with("hello"), "nothing is lost");
    audit.record(row(exchange(1)));
    audit.flush().unwrap();
    drop(audit);
    // A second accident at the same moment overwrites nothing.
    std::fs::write(&path, "again no database ".repeat(1000)).unwrap();
    drop(open(&path, AuditLimits::default()));
    assert_eq!(aside(folder.path()).len(), 2);
}

#[test]
fn a_torn_file_is_moved_aside_and_its_readable_pins_are_kept() {
    let log = log();
    log.audit.save_pin(&pin()).unwrap();
    log.audit.set_mark("decisions", "7 sealed".into()).unwrap();
    log.store((0..500).map(exchange));
    log.audit.close();
    // Every page after the schema and the pins' own page is overwritten.
    let connection = rusqlite::Connection::open(&log.path).unwrap();
    let root = |table: &str| -> i64 {
        connection.query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?", [table], |row| row.get(0)).unwrap()
    };
    let pages = [root("exchange"), root("exchange_newest")];
    drop(connection);
    let mut bytes = std::fs::read(&log.path).unwrap();
    for page in pages {
        let from = (page as usize - 1) * 4096;
        bytes[from..from + 4096].fill(0xEE);
    }
    std::fs::write(&log.path, bytes).unwrap();
    let again = open(&log.path, AuditLimits::default());
    assert_eq!(aside(log.folder.path()).len(), 1);
    assert_eq!(again.pins().unwrap(), [pin()]);
    assert_eq!(again.mark("decisions").unwrap().as_deref(), Some("7 sealed"), "an older copy would pass without it");
    assert_eq!(again.messages_since(0).unwrap(), 0);
    assert_eq!(again.changes(1).unwrap()[0].kind, ChangeKind::AuditMovedAside);
}

#[test]
fn damage_met_while_running_begins_a_new_log_and_loses_no_row() {
    let log = log();
    log.audit.save_pin(&pin()).unwrap();
    log.store([exchange(1)]);
    let other = rusqlite::Connection::open(&log.path).unwrap();
    other
        .execute_batch(
            "PRAGMA writable_schema = on; UPDATE sqlite_schema SET rootpage = 999999 WHERE name = 'exchange';
             PRAGMA schema_version = 4242; PRAGMA wal_checkpoint;",
        )
        .unwrap();
    drop(other);
    log.store([alert(2, "a", Verdict::Block)]);
    assert_eq!(log.ids(&ExchangeFilter::default()), ["00000002"]);
    assert_eq!(log.audit.pins().unwrap(), [pin()]);
    assert_eq!(log.audit.changes(1).unwrap()[0].kind, ChangeKind::AuditMovedAside);
    assert_eq!(aside(log.folder.path()).len(), 1);
}

#[test]
fn a_newer_log_is_refused_and_left_alone() {
    let log = log();
    log.store([exchange(1)]);
    log.audit.close();
    rusqlite::Connection::open(&log.path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = std::fs::read(&log.path).unwrap();
    let error = Audit::open(&log.path, AuditLimits::default(), Arc::new(|| NOW)).err().unwrap();
    assert!(matches!(error, Error::Newer { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("newer Portcullis"), "{error}");
    assert!(matches!(Reader::open(&log.path), Err(Error::Newer { .. })));
    assert_eq!(std::fs::read(&log.path).unwrap(), before);
    assert!(aside(log.folder.path()).is_empty());
}

#[test]
fn a_reader_alone_creates_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    assert!(matches!(Reader::open(&path), Err(Error::Missing { .. })));
    assert!(!path.exists());
    std::fs::write(&path, "").unwrap();
    assert!(matches!(Reader::open(&path), Err(Error::Older { found: 0, .. })));
    std::fs::write(&path, "no database ".repeat(1000)).unwrap();
    assert!(matches!(Reader::open(&path), Err(Error::Damaged { .. })));
    assert!(aside(folder.path()).is_empty());
}

#[test]
fn a_reader_sees_what_the_writer_of_another_handle_wrote() {
    let log = log();
    let reader = Reader::open(&log.path).unwrap();
    assert_eq!(reader.messages_since(0).unwrap(), 0);
    log.store([exchange(1)]);
    assert_eq!(reader.messages_since(0).unwrap(), 2);
}

#[test]
fn a_missing_folder_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none/audit.db");
    let error = Audit::open(&path, AuditLimits::default(), Arc::new(|| NOW)).err().unwrap();
    assert_eq!(error.code(), "audit_file");
    assert!(error.to_string().contains("none"), "{error}");
}

const CHILD: &str = "PORTCULLIS_AUDIT_TEST_CHILD";

/// This test runs itself as a second process, which writes until it is killed in the middle of its batches.
#[test]
fn a_killed_writer_loses_nothing_that_was_flushed() {
    if let Some(path) = std::env::var_os(CHILD) {
        let audit = open(Path::new(&path), AuditLimits { queue_rows: usize::MAX, ..Default::default() });
        for n in 0..u32::MAX {
            audit.record(row(exchange(n)));
            if n % 200 == 199 {
                audit.flush().unwrap();
                // A line of its own, on the stream that the test harness does not capture.
                std::io::Write::write_all(&mut std::io::stderr(), format!("\nflushed {}\n", n + 1).as_bytes()).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    let mut flushed = 0;
    for round in 1..=3 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_killed_writer_loses_nothing_that_was_flushed"])
            .env(CHILD, &path)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let reports = lines.filter_map(|line| line.strip_prefix("flushed ").and_then(|n| n.parse::<u64>().ok()));
        flushed = reports.take(3 + round).last().unwrap().max(flushed);
        child.kill().unwrap();
        child.wait().unwrap();
        let audit = open(&path, AuditLimits::default());
        let stored = audit.messages_since(0).unwrap() / 2;
        assert!(stored >= flushed, "round {round}: {stored} stored of {flushed} flushed");
        let word = ExchangeFilter { q: Some("main.rs".into()), ..Default::default() };
        assert_eq!(audit.exchanges(&word, None, 1).unwrap().total, Some(stored), "the full text agrees");
        drop(audit);
        let check: String = rusqlite::Connection::open(&path)
            .unwrap()
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(check, "ok");
        assert!(aside(folder.path()).is_empty());
    }
}

#[test]
fn opening_deletes_what_is_too_old() {
    let log = log();
    let old = portcullis_domain::Exchange { at: NOW - 31 * 24 * 3_600_000, ..exchange(1) };
    log.store([old, exchange(2)]);
    log.audit.close();
    let again = open(&log.path, AuditLimits::default());
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while again.exchange(&exchange(1).id).unwrap().is_some() {
        assert!(std::time::Instant::now() < end, "still there");
        std::thread::yield_now();
    }
    assert!(again.exchange(&exchange(2).id).unwrap().is_some());
}
