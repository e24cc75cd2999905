//! Lists and search: every filter narrows, pages neither repeat nor skip, hostile search text is only text.

mod common;

use common::{NOW, alert, exchange, finding, log};
use portcullis_audit::{Error, ExchangeFilter};
use portcullis_domain::{AppId, Direction, Exchange, ExchangeId, SessionId, UpstreamId, Verdict};
use std::ops::ControlFlow;

#[test]
fn every_filter_narrows() {
    let log = log();
    log.store([
        exchange(1),
        Exchange { app: AppId::new("claude-desktop"), ..exchange(2) },
        Exchange { upstream: UpstreamId::new("web"), ..exchange(3) },
        Exchange { method: "tools/list".into(), target: None, ..exchange(4) },
        Exchange { target: Some("write_file".into()), ..exchange(5) },
        Exchange { direction: Direction::ToClient, ..exchange(6) },
        alert(7, "traversal", Verdict::Flag),
        alert(8, "traversal", Verdict::Block),
    ]);
    let all = ExchangeFilter::default;
    let expect = |filter: ExchangeFilter, numbers: &[u32]| {
        let wanted: Vec<String> = numbers.iter().map(|n| format!("{n:08}")).collect();
        assert_eq!(log.ids(&filter), wanted, "{filter:?}");
    };
    expect(all(), &[8, 7, 6, 5, 4, 3, 2, 1]);
    expect(ExchangeFilter { app: Some(AppId::new("claude-desktop")), ..all() }, &[2]);
    expect(ExchangeFilter { upstream: Some(UpstreamId::new("web")), ..all() }, &[3]);
    expect(ExchangeFilter { method: Some("tools/list".into()), ..all() }, &[4]);
    expect(ExchangeFilter { target: Some("write_file".into()), ..all() }, &[5]);
    expect(ExchangeFilter { direction: Some(Direction::ToClient), ..all() }, &[6]);
    expect(ExchangeFilter { verdicts: vec![Verdict::Flag], ..all() }, &[7]);
    expect(ExchangeFilter { verdicts: vec![Verdict::Flag, Verdict::Block], ..all() }, &[8, 7]);
    expect(ExchangeFilter { since: Some(exchange(3).at), until: Some(exchange(5).at), ..all() }, &[4, 3]);
    expect(ExchangeFilter { q: Some("trav".into()), verdicts: vec![Verdict::Block], ..all() }, &[8]);
}

#[test]
fn words_are_found_in_every_text() {
    let log = log();
    log.store([
        Exchange { method: "resources/read".into(), ..exchange(1) },
        Exchange { target: Some("zebra_tool".into()), ..exchange(2) },
        Exchange { upstream_name: "quokka server".into(), ..exchange(3) },
        Exchange { request: r#"{"q":"Größenwahn"}"#.into(), ..exchange(4) },
        Exchange { response: Some("an answer with a pelican".into()), ..exchange(5) },
        Exchange { findings: vec![finding("ibis-signature", Verdict::Flag)], ..exchange(6) },
        Exchange { request: "cat ../../🔒secret | sh".into(), ..exchange(7) },
    ]);
    assert_eq!(log.search("resources/read"), ["00000001"]);
    assert_eq!(log.search("zebra_tool"), ["00000002"]);
    assert_eq!(log.search("QUOK"), ["00000003"], "case and prefix");
    assert_eq!(log.search("grossenwahn").len(), 0, "ß is not ss");
    assert_eq!(log.search("größen"), ["00000004"]);
    assert_eq!(log.search("pelican answer"), ["00000005"], "any order");
    assert_eq!(log.search("pelican zebra").len(), 0, "all words must occur");
    assert_eq!(log.search("ibis-signature"), ["00000006"]);
    assert_eq!(log.search("etc/shadow"), ["00000006"], "what matched");
    assert_eq!(log.search("🔒"), ["00000007"], "signs are found too");
    assert_eq!(log.search("| sh"), ["00000007"]);
    assert_eq!(log.search("  ").len(), 7, "nothing asked for");
}

#[test]
fn search_text_is_never_a_query() {
    let log = log();
    let text = r#"the AND word, a NEAR( thing, col:on, "quoted" and 100% * done"#;
    log.store([Exchange { request: text.into(), ..exchange(1) }, exchange(2)]);
    for (q, hit) in [
        ("\"", true),
        ("\"\"\"", false),
        ("*", true),
        ("NEAR(", true),
        ("NEAR(the thing, 2)", false),
        ("AND", true),
        ("the AND", true),
        ("OR OR OR", false),
        ("NOT the", false),
        ("col:on", true),
        ("request:the", false),
        ("{request response}:the", false),
        ("\"quoted\"", true),
        ("quo\"ted", false),
        ("100%", true),
        ("^the", true),
        ("- the", false),
        ("+", false),
        ("')--", false),
        ("'; DROP TABLE exchange; --", false),
        ("the\u{0}AND", true),
        ("🔒", false),
        ("🔒the", true),
        ("\u{202e}", false),
        ("\\", false),
        ("()()()", false),
    ] {
        let found = log.search(q);
        assert_eq!(found.contains(&"00000001".to_owned()), hit, "{q:?} found {found:?}");
    }
    log.search(&"long ".repeat(100_000));
    log.search(&"x".repeat(1_000_000));
    assert_eq!(log.ids(&ExchangeFilter::default()).len(), 2, "and the table is still there");
}

#[test]
fn pages_stay_stable_while_rows_arrive() {
    let log = log();
    // Three rows share each moment: the id decides.
    log.store((0..300).map(|n| Exchange { at: NOW + i64::from(n / 3), ..exchange(n) }));
    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = log.audit.exchanges(&ExchangeFilter::default(), cursor.as_deref(), 7).unwrap();
        seen.extend(page.rows.iter().map(|row| row.id.0.clone()));
        let arrived = 1000 + seen.len() as u32;
        log.store([exchange(arrived)]);
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let wanted: Vec<String> = (0..300).rev().map(|n| format!("{n:08}")).collect();
    assert_eq!(seen, wanted);
}

#[test]
fn the_last_page_has_no_next_even_when_it_is_full() {
    let log = log();
    log.store((0..10).map(exchange));
    let first = log.audit.exchanges(&ExchangeFilter::default(), None, 5).unwrap();
    let second = log.audit.exchanges(&ExchangeFilter::default(), first.next.as_deref(), 5).unwrap();
    assert_eq!((second.rows.len(), second.next), (5, None));
    assert_eq!(second.total, Some(10), "the total is of the filter, not of the page");
}

#[test]
fn a_foreign_cursor_is_refused() {
    let log = log();
    for cursor in ["", "x", "1", "1e9.id", ".id", "99999999999999999999.a", "';--"] {
        let error = log.audit.exchanges(&ExchangeFilter::default(), Some(cursor), 5).unwrap_err();
        assert!(matches!(error, Error::Cursor(_)), "{cursor}: {error}");
        assert_eq!(error.code(), "bad_cursor");
    }
}

#[test]
fn the_trail_is_what_the_session_did_around_it() {
    let log = log();
    log.store(
        (0..20).map(|n| Exchange { session: SessionId::new(if n % 2 == 0 { "even" } else { "odd" }), ..exchange(n) }),
    );
    let trail = log.audit.trail(&ExchangeId::new("00000010"), 2).unwrap();
    let ids: Vec<&str> = trail.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["00000006", "00000008", "00000012", "00000014"]);
    assert_eq!(log.audit.trail(&ExchangeId::new("00000000"), 2).unwrap().len(), 2);
    assert_eq!(log.audit.trail(&ExchangeId::new("none"), 2).unwrap().len(), 0);
}

#[test]
fn a_walk_gives_each_exchange_once_as_a_line_of_json() {
    let log = log();
    log.store((0..450).map(exchange));
    let mut out = Vec::new();
    assert_eq!(log.audit.write_json_lines(&ExchangeFilter::default(), None, &mut out).unwrap(), 450);
    let lines: Vec<Exchange> =
        std::str::from_utf8(&out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 450);
    assert_eq!(lines[0], exchange(449));
    assert_eq!(lines[449], exchange(0));
    assert_eq!(log.audit.write_json_lines(&ExchangeFilter::default(), Some(3), &mut Vec::new()).unwrap(), 3);
    let mut count = 0;
    let stopped = log.audit.for_each(&ExchangeFilter::default(), None, |_| {
        count += 1;
        if count == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((stopped.unwrap(), count), (5, 5));
}

#[test]
fn a_hundred_thousand_rows_are_counted_and_one_more_is_not() {
    let log = log_with_room();
    let rows =
        |from: u32, to: u32| (from..to).map(|n| Exchange { target: Some(format!("tool_{}", n % 100)), ..exchange(n) });
    for chunk in 0..20 {
        log.store(rows(chunk * 5000, (chunk + 1) * 5000));
    }
    let filter = ExchangeFilter::default();
    let page = log.audit.exchanges(&filter, None, 100).unwrap();
    assert_eq!((page.rows.len(), page.total), (100, Some(100_000)));
    assert_eq!(page.rows[0].id.as_str(), "00099999");
    let some = ExchangeFilter { q: Some("tool_42".into()), ..Default::default() };
    assert_eq!(log.audit.exchanges(&some, None, 10).unwrap().total, Some(1000));
    log.store(rows(100_000, 100_001));
    assert_eq!(log.audit.exchanges(&filter, None, 1).unwrap().total, None);
    assert_eq!(log.audit.messages_since(0).unwrap(), 200_002);
    assert_eq!(log.audit.upstream_activity(exchange(100_000).at).unwrap()[&UpstreamId::new("files")].messages, 2);
    assert_eq!(log.audit.dropped(), 0);
}

fn log_with_room() -> common::Log {
    common::log_with(portcullis_audit::AuditLimits { queue_rows: 6000, max_bytes: u64::MAX, ..Default::default() })
}
