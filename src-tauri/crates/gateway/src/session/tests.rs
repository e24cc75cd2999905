//! What Sessions remember has an end, whatever a server or a program makes up.

use super::*;
use crate::record::{random, resumed};
use arc_swap::ArcSwap;
use portcullis_domain::{AppId, AuditRow, Limits};
use portcullis_policy::{Judge, PinBook, Rules};
use portcullis_testkit::Words;

const ANY: usize = 10;

#[derive(Default)]
struct Kept(Arc<Mutex<Vec<AuditRow>>>);

impl Kept {
    fn recorder(&self) -> Recorder {
        let pins = Arc::new(PinBook::in_memory(Vec::new()));
        let judge = Judge::new(Arc::new(Words), pins, Rules::default(), Limits::default());
        let rows = self.0.clone();
        let sink = Arc::new(move |row| rows.lock().unwrap().push(row));
        Recorder::start(sink, Arc::new(ArcSwap::from_pointee(judge))).unwrap()
    }
}

fn upstream() -> Arc<Upstream> {
    Arc::new(Upstream {
        id: UpstreamId::from_random([1; 16]),
        app: AppId::new("cursor"),
        app_name: "Cursor".into(),
        name: "files".into(),
        transport: Transport::StreamableHttp,
        url: None,
        command: Vec::new(),
    })
}

fn session(recorder: &Recorder) -> Arc<Session> {
    Session::new(SessionId::from_random(random()), upstream(), Transport::StreamableHttp, recorder)
}

fn request(session: &Session, target: &str) -> Open {
    let paired = PairedRequest { method: "tools/call".into(), target: Some(target.into()), modern: false, task: false };
    let exchange = resumed(session, Direction::ToUpstream, &paired, 0);
    Open { paired, exchange, started: Instant::now(), reported: true, asked: false, unsure: false }
}

fn key(n: usize) -> Key {
    Key::Http(UpstreamId::from_random([1; 16]), n.to_string())
}

#[test]
fn one_session_too_many_pushes_out_the_one_used_longest_ago_and_its_requests_have_their_rows() {
    let kept = Kept::default();
    let (recorder, sessions) = (kept.recorder(), Sessions::default());
    let ids: Vec<SessionId> =
        (0..MAX_SESSIONS).map(|n| sessions.get_or_insert(key(n), || session(&recorder)).id.clone()).collect();
    sessions.get_or_insert(key(0), || unreachable!("it is known")).touch();
    let second = sessions.get_or_insert(key(1), || unreachable!("it is known"));
    let lost = second.open(Direction::ToUpstream, "1".into(), request(&second, "t"), ANY);
    assert!(lost.is_none());
    drop(second);
    sessions.get_or_insert(key(2), || unreachable!("it is known")).touch();
    // All but the first three are older now, then the first is.
    for n in MAX_SESSIONS..2 * MAX_SESSIONS - 2 {
        sessions.get_or_insert(key(n), || session(&recorder));
        assert_eq!(sessions.map().len(), MAX_SESSIONS);
    }
    assert!(!sessions.map().contains_key(&key(0)));
    assert_eq!(sessions.get_or_insert(key(1), || unreachable!("it was used later")).id, ids[1]);
    recorder.flush();
    assert!(kept.0.lock().unwrap().is_empty());
    sessions.remove(&key(1));
    recorder.flush();
    let rows = kept.0.lock().unwrap();
    let [AuditRow::Exchange(row)] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(
        (row.outcome, row.error.as_deref()),
        (Outcome::Failed, Some("the connection ended before an answer came"))
    );
}

#[test]
fn a_target_longer_than_is_kept_is_not_remembered_and_its_request_is() {
    let recorder = Kept::default().recorder();
    let session = session(&recorder);
    for (id, length, is_kept) in [("1", MAX_TARGET_BYTES, true), ("2", MAX_TARGET_BYTES + 1, false)] {
        let open = request(&session, &"t".repeat(length));
        session.open(Direction::ToUpstream, id.into(), open, ANY);
        let paired = session.paired(Direction::ToUpstream, id).expect("its answer is read as a call's");
        assert_eq!((paired.method.as_str(), paired.target.is_some()), ("tools/call", is_kept));
        let row = session.close(Direction::ToUpstream, id).unwrap().exchange;
        assert!(row.target.unwrap().len() <= MAX_TARGET_BYTES + 40, "the log holds the beginning");
    }
}
