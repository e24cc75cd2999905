//! What is recorded comes back: whole, once, capped, and never silently less.

mod common;

use common::{NOW, alert, exchange, finding, log, log_with, row};
use portcullis_audit::{AuditLimits, Error, ExchangeFilter};
use portcullis_domain::{
    AppId, ApprovedBy, AuditRow, Change, ChangeKind, Decoded, Direction, Drift, DriftCause, DriftGrade, DriftReason,
    Exchange, ExchangeId, Outcome, Pin, PinKind, Quarantine, Span, Transport, UpstreamId, Verdict,
};

#[test]
fn every_field_of_an_exchange_comes_back() {
    let log = log();
    let stored = Exchange {
        transport: Transport::StreamableHttp,
        direction: Direction::ToClient,
        notification: true,
        target: None,
        outcome: Outcome::Failed,
        findings: vec![portcullis_domain::Finding {
            span: Some(Span { start: 3, end: 9 }),
            decoded: Some(Decoded { from: vec!["base64".into()], text: "ünïcode \u{202e}🔒 \u{0}".into() }),
            ..finding("hidden-unicode", Verdict::Redact)
        }],
        request: "\u{0} \u{feff} 🔒 '; DROP TABLE exchange; --".into(),
        response: None,
        request_bytes: u64::MAX,
        duration_us: None,
        error: Some("connection reset".into()),
        judged_locally: true,
        ..alert(7, "x", Verdict::Redact)
    };
    log.store([stored.clone()]);
    let read = log.audit.exchange(&stored.id).unwrap().unwrap();
    // SQLite's integers end at i64::MAX.
    assert_eq!(read.exchange, Exchange { request_bytes: i64::MAX as u64, ..stored });
    assert_eq!(read.review, None);
    assert!(log.audit.exchange(&ExchangeId::new("none")).unwrap().is_none());
}

#[test]
fn a_response_completes_the_row_of_its_request() {
    let log = log();
    let early = Exchange { response: None, duration_us: None, ..exchange(1) };
    log.store([early.clone()]);
    assert_eq!(log.audit.messages_since(0).unwrap(), 1);
    let late = Exchange { response: Some("the banana answer".into()), ..alert(1, "poison", Verdict::Flag) };
    log.store([late.clone()]);
    assert_eq!(log.audit.messages_since(0).unwrap(), 2);
    assert_eq!(log.audit.exchange(&late.id).unwrap().unwrap().exchange, late);
    assert_eq!(log.search("banana"), ["00000001"], "the new words are found");
    // A copy without the response, coming late (a shim's spool), takes nothing away.
    log.store([early]);
    assert_eq!(log.audit.exchange(&late.id).unwrap().unwrap().exchange, late);
    assert_eq!(log.audit.open_alerts().unwrap(), 1);
}

#[test]
fn both_halves_in_one_batch_are_one_row() {
    let log = log();
    log.store([Exchange { response: None, ..exchange(1) }, exchange(1), exchange(2)]);
    assert_eq!(log.ids(&ExchangeFilter::default()), ["00000002", "00000001"]);
}

#[test]
fn texts_are_capped_and_say_so() {
    let log = log_with(AuditLimits { max_body_bytes: 1000, ..Default::default() });
    let long = "é".repeat(5000);
    log.store([Exchange {
        request: long.clone(),
        response: Some(long.clone()),
        method: long.clone(),
        target: Some(long.clone()),
        upstream_name: long.clone(),
        error: Some(long),
        findings: vec![finding("many", Verdict::Flag); 2000],
        ..exchange(1)
    }]);
    let read = log.audit.exchange(&ExchangeId::new("00000001")).unwrap().unwrap().exchange;
    assert!(read.request.starts_with("éé") && read.request.ends_with("… [9000 bytes cut]"), "{}", read.request);
    assert_eq!(read.response.as_ref(), Some(&read.request));
    for text in [&read.method, &read.upstream_name, read.target.as_ref().unwrap(), read.error.as_ref().unwrap()] {
        assert!(text.len() < 4200 && text.ends_with("bytes cut]"), "{text}");
    }
    assert_eq!(read.findings.len(), 256);
}

#[test]
fn a_full_queue_drops_plain_rows_counts_them_and_keeps_the_others() {
    let log = log_with(AuditLimits { queue_rows: 50, ..Default::default() });
    // While this transaction is open, the writer cannot write; record must not wait for it.
    let blocker = rusqlite::Connection::open(&log.path).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    for n in 0..5000 {
        log.audit.record(row(exchange(n)));
    }
    for n in 5000..5200 {
        log.audit.record(row(alert(n, "flood", Verdict::Block)));
    }
    log.audit.record(AuditRow::Change(change("Cursor is protected.")));
    log.audit.save_pin(&pin("files", "read_file")).unwrap();
    blocker.execute_batch("ROLLBACK").unwrap();
    log.audit.flush().unwrap();

    let blocked = ExchangeFilter { verdicts: vec![Verdict::Block], ..Default::default() };
    assert_eq!(log.ids(&blocked).len(), 200);
    assert_eq!(log.audit.changes(10).unwrap().len(), 1);
    assert_eq!(log.audit.pins().unwrap().len(), 1);
    let plain = log.ids(&ExchangeFilter { verdicts: vec![Verdict::Allow], ..Default::default() }).len() as u64;
    let gaps = log.audit.gaps(100).unwrap();
    let missing: u64 = gaps.iter().map(|gap| gap.dropped).sum();
    assert!(missing > 0, "the queue holds 50 rows");
    assert_eq!(plain + missing, 5000, "every row is stored or counted: {gaps:?}");
    assert_eq!(log.audit.dropped(), missing);
}

#[test]
fn a_gap_alone_is_written_too() {
    let log = log_with(AuditLimits { queue_rows: 0, ..Default::default() });
    log.audit.record(row(exchange(1)));
    log.audit.flush().unwrap();
    assert_eq!(log.audit.gaps(10).unwrap().len(), 1);
    assert_eq!(log.audit.gaps(10).unwrap()[0].at, exchange(1).at);
}

#[test]
fn what_the_disk_refuses_is_tried_again() {
    let log = log();
    let other = rusqlite::Connection::open(&log.path).unwrap();
    other.execute_batch("ALTER TABLE exchange RENAME TO elsewhere").unwrap();
    log.audit.record(row(exchange(1)));
    let error = log.audit.flush().unwrap_err();
    assert!(matches!(error, Error::NotWritten(_)), "{error}");
    assert!(log.audit.problem().is_some(), "the dashboard can say so");
    log.audit.record(row(exchange(2)));
    other.execute_batch("ALTER TABLE elsewhere RENAME TO exchange").unwrap();
    // The attempt under way may still meet the missing table: the next one does not.
    while log.audit.flush().is_err() {}
    assert_eq!(log.ids(&ExchangeFilter::default()), ["00000002", "00000001"]);
    assert_eq!(log.audit.problem(), None);
}

#[test]
fn closing_writes_what_is_queued() {
    let log = log();
    for n in 0..2000 {
        log.audit.record(row(exchange(n)));
    }
    log.audit.close();
    assert_eq!(log.audit.messages_since(0).unwrap(), 4000, "reading still works");
    log.audit.record(row(exchange(9999)));
    assert!(log.audit.exchange(&ExchangeId::new("00009999")).unwrap().is_none());
    assert!(matches!(log.audit.review(&ExchangeId::new("00000001"), None, 1), Err(Error::Closed)));
    log.audit.close();
}

#[test]
fn dropping_the_last_handle_writes_what_is_queued() {
    let log = log();
    let clone = log.audit.clone();
    clone.record(row(exchange(1)));
    drop(clone);
    let (path, _folder) = (log.path.clone(), log.folder);
    drop(log.audit);
    let reader = portcullis_audit::Reader::open(path).unwrap();
    assert_eq!(reader.messages_since(0).unwrap(), 2);
}

#[test]
fn changes_come_newest_first() {
    let log = log();
    log.audit.record(AuditRow::Change(change("first")));
    log.audit.record(AuditRow::Change(Change {
        at: NOW + 1,
        kind: ChangeKind::ConfigRestored,
        app: Some(AppId::new("cursor")),
        summary: "second".into(),
        loosens: true,
    }));
    log.audit.flush().unwrap();
    let changes = log.audit.changes(10).unwrap();
    assert_eq!(changes.iter().map(|c| c.summary.as_str()).collect::<Vec<_>>(), ["second", "first"]);
    assert_eq!(changes[0].kind, ChangeKind::ConfigRestored);
    assert_eq!(changes[0].app, Some(AppId::new("cursor")));
    assert_eq!(log.audit.changes(1).unwrap().len(), 1);
}

#[test]
fn pins_are_saved_replaced_and_forgotten_per_upstream() {
    let log = log();
    let first = pin("files", "read_file");
    let other = pin("web", "read_file");
    log.audit.save_pin(&first).unwrap();
    log.audit.save_pin(&other).unwrap();
    let reason = DriftReason { cause: DriftCause::Order, json_path: "/description".into(), text: "It orders.".into() };
    let drifted = Pin {
        changed: Some("{}".into()),
        drift: Some(Drift { grade: DriftGrade::Grave, reasons: vec![reason] }),
        quarantine: Some(Quarantine::Changed),
        seen_at: NOW + 5,
        approved_by: ApprovedBy::Person,
        ..first
    };
    log.audit.save_pin(&drifted).unwrap();
    log.audit.flush().unwrap();
    assert_eq!(log.audit.pins().unwrap(), [drifted, other.clone()]);
    log.audit.delete_pins(&UpstreamId::new("files")).unwrap();
    log.audit.flush().unwrap();
    assert_eq!(log.audit.pins().unwrap(), [other]);
}

fn change(summary: &str) -> Change {
    Change { at: NOW, kind: ChangeKind::ConfigProtected, app: None, summary: summary.into(), loosens: false }
}

fn pin(upstream: &str, name: &str) -> Pin {
    Pin {
        upstream: UpstreamId::new(upstream),
        kind: PinKind::Tool,
        name: name.into(),
        approved: r#"{"name":"read_file"}"#.into(),
        approved_at: NOW,
        approved_by: ApprovedBy::FirstSight,
        changed: None,
        drift: None,
        quarantine: None,
        seen_at: NOW,
    }
}

#[test]
fn originals_and_marks_are_kept_over_a_restart() {
    let log = log();
    let id = ExchangeId::new("00000001");
    log.audit.save_original(&id, Direction::ToUpstream, NOW, b"sealed".to_vec()).unwrap();
    log.audit.set_mark("decisions", "1".into()).unwrap();
    log.audit.set_mark("decisions", "2".into()).unwrap();
    log.audit.close();
    let again = common::open(&log.path, AuditLimits::default());
    assert_eq!(again.original(&id, Direction::ToUpstream).unwrap().as_deref(), Some(&b"sealed"[..]));
    assert_eq!(again.original(&id, Direction::ToClient).unwrap(), None);
    assert_eq!(again.mark("decisions").unwrap().as_deref(), Some("2"));
    assert_eq!(again.mark("other").unwrap(), None);
    again.delete_originals().unwrap();
    again.flush().unwrap();
    assert_eq!(again.original(&id, Direction::ToUpstream).unwrap(), None);
}
