//! Alerts: grouped, reviewed, counted; and the numbers of the overview.

mod common;

use common::{NOW, alert, exchange, finding, log};
use portcullis_audit::AlertState;
use portcullis_domain::api::ReviewReason;
use portcullis_domain::{Exchange, ExchangeId, UpstreamId, Verdict};

#[test]
fn equal_alerts_are_one_group_and_each_difference_makes_another() {
    let log = log();
    let base = |n| alert(n, "traversal", Verdict::Block);
    log.store([
        base(1),
        base(2),
        Exchange { upstream: UpstreamId::new("web"), ..base(3) },
        alert(4, "secrets", Verdict::Block),
        Exchange { method: "resources/read".into(), ..base(5) },
        Exchange { target: None, ..base(6) },
        Exchange { verdict: Verdict::Flag, ..base(7) },
        base(8),
        Exchange { target: None, ..base(9) },
        exchange(10),
    ]);
    let page = log.audit.alerts(AlertState::Open, 100).unwrap();
    let groups: Vec<(&str, u32, i64)> =
        page.groups.iter().map(|g| (g.newest.id.as_str(), g.count, (g.first_at - NOW) / 1000)).collect();
    assert_eq!(
        groups,
        [
            ("00000009", 2, 6),
            ("00000008", 3, 1),
            ("00000007", 1, 7),
            ("00000005", 1, 5),
            ("00000004", 1, 4),
            ("00000003", 1, 3)
        ]
    );
    assert_eq!((page.open, page.all), (9, 9));
    assert_eq!(page.groups[1].newest.title.as_deref(), Some("Something that traversal finds"));
    assert_eq!(log.audit.newest_alert().unwrap().unwrap().id.as_str(), "00000009");
    assert_eq!(log.audit.alerts(AlertState::Open, 2).unwrap().groups.len(), 2);
}

#[test]
fn a_review_covers_the_group_up_to_it_and_can_be_taken_back() {
    let log = log();
    log.store([alert(1, "a", Verdict::Block), alert(2, "a", Verdict::Block), alert(3, "b", Verdict::Flag)]);
    let id = ExchangeId::new("00000002");
    assert_eq!(log.audit.review(&id, Some(ReviewReason::Expected), NOW).unwrap(), 2);
    assert_eq!((log.audit.open_alerts().unwrap(), log.audit.open_blocks().unwrap()), (1, 0), "the Flag is left");
    // An equal one later is open again, and a group of its own.
    log.store([alert(4, "a", Verdict::Block)]);
    let counts = |state| -> Vec<(String, u32, bool)> {
        let page = log.audit.alerts(state, 100).unwrap();
        page.groups.into_iter().map(|g| (g.newest.id.0, g.count, g.newest.reviewed)).collect()
    };
    let open = [("00000004".to_owned(), 1, false), ("00000003".to_owned(), 1, false)];
    let reviewed = [("00000002".to_owned(), 2, true)];
    assert_eq!(counts(AlertState::Open), open);
    assert_eq!(counts(AlertState::Reviewed), reviewed);
    assert_eq!(counts(AlertState::All), [&open[..], &reviewed[..]].concat());

    // Another opinion about one of them; the others keep theirs.
    assert_eq!(log.audit.review(&id, Some(ReviewReason::Attack), NOW + 1).unwrap(), 1);
    let review = |id: &str| log.audit.exchange(&ExchangeId::new(id)).unwrap().unwrap().review.map(|r| (r.reason, r.at));
    assert_eq!(review("00000002"), Some((ReviewReason::Attack, NOW + 1)));
    assert_eq!(review("00000001"), Some((ReviewReason::Expected, NOW)));

    assert_eq!(log.audit.review(&id, None, NOW).unwrap(), 2);
    assert_eq!(log.audit.open_alerts().unwrap(), 4);
    assert_eq!(review("00000002"), None);
}

#[test]
fn only_alerts_can_be_reviewed() {
    let log = log();
    log.store([exchange(1)]);
    assert_eq!(log.audit.review(&ExchangeId::new("00000001"), Some(ReviewReason::Test), NOW).unwrap(), 0);
    assert_eq!(log.audit.review(&ExchangeId::new("none"), Some(ReviewReason::Test), NOW).unwrap(), 0);
    assert_eq!(log.audit.newest_alert().unwrap(), None);
}

#[test]
fn stats_have_a_bucket_for_every_hour() {
    let log = log();
    let hour = 3_600_000;
    let start = NOW.div_euclid(hour) * hour;
    let at = |exchange: Exchange, at| Exchange { at, ..exchange };
    log.store([
        at(exchange(1), start - 2 * hour),
        at(Exchange { response: None, ..exchange(2) }, start - 1),
        at(alert(3, "a", Verdict::Flag), start),
        at(alert(4, "a", Verdict::Redact), start),
        at(alert(5, "a", Verdict::Ask), start + hour - 1),
        at(alert(6, "a", Verdict::Block), start + 5),
        at(exchange(7), start - 3 * hour - 1),
        at(exchange(8), start + hour),
    ]);
    let stats = log.audit.stats(3, start + 10).unwrap();
    let rows: Vec<_> =
        stats.buckets.iter().map(|b| ((b.from - start) / hour, b.messages, b.flagged, b.asked, b.blocked)).collect();
    assert_eq!(rows, [(-2, 2, 0, 0, 0), (-1, 1, 0, 0, 0), (0, 8, 2, 1, 1)]);
    assert_eq!(log.audit.stats(0, NOW).unwrap().buckets.len(), 1);
    assert_eq!(log.audit.stats(u32::MAX, i64::MAX).unwrap().buckets.len(), 24 * 31);
}

#[test]
fn activity_and_hits_are_counted_since_a_time() {
    let log = log();
    let two = |n| Exchange {
        findings: vec![finding("a", Verdict::Flag), finding("a", Verdict::Flag), finding("b", Verdict::Block)],
        ..exchange(n)
    };
    log.store([
        two(1),
        two(2),
        Exchange { upstream: UpstreamId::new("web"), response: None, ..exchange(3) },
        exchange(4),
    ]);
    let since = exchange(2).at;
    let hits = log.audit.signature_hits(since).unwrap();
    assert_eq!(hits.len(), 2);
    assert_eq!((hits["a"], hits["b"]), (1, 1), "Exchanges, not Findings");
    assert_eq!(log.audit.signature_hits(0).unwrap()["a"], 2);
    let activity = log.audit.upstream_activity(since).unwrap();
    assert_eq!(activity[&UpstreamId::new("files")].messages, 4);
    assert_eq!(activity[&UpstreamId::new("files")].last_at, exchange(4).at);
    assert_eq!(activity[&UpstreamId::new("web")].messages, 1);
    assert_eq!(log.audit.messages_since(exchange(4).at).unwrap(), 2);
    assert_eq!(log.audit.last_message_at().unwrap(), Some(exchange(4).at));
}
