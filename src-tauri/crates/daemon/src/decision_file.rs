//! `<home>/decisions`: every Decision with a MAC of its own, and one over the whole. A line whose MAC does not fit is void
//! and reported. Where the one over the whole does not fit, or is of an older copy, a line may be of another time, so
//! whatever allows is void and what denies holds (design: tamper-evident). The file counts how often it was written, and
//! the count is kept elsewhere as well.

use crate::{Error, home, home::Home};
use hmac::{Hmac, KeyInit as _, Mac as _};
use portcullis_domain::api::DecisionRow;
use portcullis_domain::{DecisionState, Effect};
use sha2::Sha256;

fn mac(text: &str, key: &[u8]) -> Hmac<Sha256> {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { unreachable!("any key length will do") };
    mac.update(text.as_bytes());
    mac
}

pub(crate) fn seal(text: &str, key: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&mac(text, key).finalize().into_bytes())
}

pub(crate) fn fits(text: &str, seal: &str, key: &[u8]) -> bool {
    let seal = data_encoding::HEXLOWER.decode(seal.as_bytes());
    seal.is_ok_and(|seal| mac(text, key).verify_slice(&seal).is_ok())
}

/// How often the file was written, and by which of our runs it can be told that nothing newer was there before.
const WRITTEN: &str = "written ";

pub(crate) fn to_text(rows: &[DecisionRow], written: u64, key: &[u8]) -> Result<String, serde_json::Error> {
    let mut body = format!("{WRITTEN}{written}\n");
    for row in rows {
        let json = serde_json::to_string(row)?;
        body.push_str(&format!("{} {json}\n", seal(&json, key)));
    }
    Ok(format!("{}\n{body}", seal(&body, key)))
}

/// What a file says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Read {
    pub rows: Vec<DecisionRow>,
    /// 0 where the seal over the whole does not fit.
    pub written: u64,
    /// What is wrong with the file, one sentence.
    pub problem: Option<String>,
}

pub(crate) fn from_text(text: &str, key: &[u8]) -> Read {
    let (whole, body) = text.split_once('\n').unwrap_or((text, ""));
    let is_whole = fits(body, whole, key);
    let mut read = Read::default();
    let mut tampered = 0;
    for line in body.lines() {
        if let Some(written) = line.strip_prefix(WRITTEN) {
            read.written = written.parse().ok().filter(|_| is_whole).unwrap_or_default();
            continue;
        }
        let (line_seal, json) = line.split_once(' ').unwrap_or(("", line));
        let row: Option<DecisionRow> = serde_json::from_str(json).ok();
        match row {
            Some(row) if fits(json, line_seal, key) => read.rows.push(row),
            Some(row) => {
                tampered += 1;
                read.rows.push(void(row));
            }
            None => tampered += 1,
        }
    }
    if is_whole && tampered == 0 {
        return read;
    }
    // The file may hold a line of an earlier one, from before a permission was taken back.
    read.void_what_loosens();
    let what = if tampered > 0 {
        format!("{tampered} stored decisions were edited by something else and are void")
    } else {
        "Stored decisions were removed or moved about by something else".to_owned()
    };
    read.problem = Some(format!("{what}: what the others allowed is void, too, what they deny holds."));
    read
}

impl Read {
    fn void_what_loosens(&mut self) {
        let loosens = |row: &DecisionRow| row.state == DecisionState::Active && row.decision.effect != Effect::Deny;
        self.rows.iter_mut().filter(|row| loosens(row)).for_each(|row| *row = void(row.clone()));
    }
}

fn void(row: DecisionRow) -> DecisionRow {
    DecisionRow { state: DecisionState::Tampered, ended_at: Some(crate::clock::now()), ..row }
}

/// What is kept elsewhere (in the audit log) about a file: how often it was written, sealed with the same key.
pub(crate) fn mark(of: &str, written: u64, key: &[u8]) -> String {
    format!("{written} {}", seal(&format!("{of} were written {written} times"), key))
}

/// None: it is not ours.
pub(crate) fn read_mark(of: &str, text: &str, key: &[u8]) -> Option<u64> {
    let (written, seal) = text.split_once(' ')?;
    let written: u64 = written.parse().ok()?;
    fits(&format!("{of} were written {written} times"), seal, key).then_some(written)
}

/// The name of the mark in the audit log.
pub(crate) const MARK: &str = "decisions";

/// The file and what guards it against an older copy of itself.
pub(crate) struct DecisionFile {
    home: Home,
    key: Vec<u8>,
    /// Keeps the mark, after the file was written: a crash in between leaves a file that is newer than its mark.
    keep: Box<dyn Fn(String) + Send + Sync>,
    last: std::sync::Mutex<Last>,
}

#[derive(Default)]
struct Last {
    written: u64,
    rows: Option<Vec<DecisionRow>>,
}

impl DecisionFile {
    /// Reads the file beside the mark. In an older copy of it whatever loosens is void (it may have been revoked since);
    /// what forbids stays.
    pub fn open(
        home: &Home,
        key: &[u8],
        known: Option<&str>,
        keep: Box<dyn Fn(String) + Send + Sync>,
    ) -> Result<(Self, Vec<DecisionRow>, Option<String>), Error> {
        let text = home::read_checked(&home.decisions_file())?;
        let mut read = text.map_or_else(Read::default, |text| from_text(&text, key));
        let expected = known.map(|known| read_mark(MARK, known, key));
        if let Some(Some(expected)) = expected
            && read.written < expected
            && read.problem.is_none()
        {
            read.void_what_loosens();
            read.problem = Some(
                "The stored decisions are an older copy, or were removed by something else: what they allowed is void, what they deny holds.".into(),
            );
        }
        if expected == Some(None) && read.problem.is_none() {
            read.problem =
                Some("What guards the stored decisions against an older copy was edited by something else.".into());
        }
        let written = read.written.max(expected.flatten().unwrap_or_default());
        let last = std::sync::Mutex::new(Last { written, rows: None });
        Ok((Self { home: home.clone(), key: key.to_vec(), keep, last }, read.rows, read.problem))
    }

    /// Writes the rows, unless they are what was written last.
    pub fn save(&self, rows: &[DecisionRow]) -> Result<(), String> {
        let mut last = crate::core::locked(&self.last);
        if last.rows.as_deref() == Some(rows) {
            return Ok(());
        }
        let written = last.written + 1;
        let text = to_text(rows, written, &self.key).map_err(|error| error.to_string())?;
        home::write_private(&self.home.decisions_file(), text.as_bytes()).map_err(|error| error.to_string())?;
        (last.written, last.rows) = (written, Some(rows.to_vec()));
        (self.keep)(mark(MARK, written, &self.key));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::{ArgumentScope, Binding, Decision, DecisionId, Direction, Scope, Severity, SignatureScope};
    use std::sync::{Arc, Mutex};

    fn row(id: &str, effect: Effect) -> DecisionRow {
        let decision = Decision {
            id: DecisionId::new(id),
            at: 1,
            effect,
            scope: Scope {
                app: None,
                upstream: None,
                direction: Direction::ToUpstream,
                method: "tools/call".into(),
                target: None,
                arguments: ArgumentScope::Any,
                destinations: None,
                signatures: SignatureScope::UpTo { severity: Severity::High },
            },
            binding: Binding::default(),
            once: false,
            session: None,
            expires_at: None,
            ask: None,
            app_name: "Cursor".into(),
            upstream_name: "files".into(),
            severity: Severity::High,
        };
        DecisionRow { decision, state: DecisionState::Active, ended_at: None, uses: 3, last_used_at: Some(2) }
    }

    #[test]
    fn an_edited_line_is_void_and_reported_and_the_others_hold() {
        let rows = vec![row("a", Effect::Deny), row("b", Effect::Deny)];
        let text = to_text(&rows, 3, b"key").unwrap();
        assert_eq!(from_text(&text, b"key"), Read { rows: rows.clone(), written: 3, problem: None });
        let edited = text.replacen("\"deny\"", "\"allow\"", 1);
        let Read { rows: read, problem, written } = from_text(&edited, b"key");
        assert_eq!(written, 0, "an edited file does not say how old it is");
        assert_eq!(read[0].state, DecisionState::Tampered);
        assert_eq!(read[1], rows[1]);
        assert!(problem.unwrap().contains("void"));
        let Read { rows: read, problem, .. } = from_text(&text, b"another key");
        assert!(read.iter().all(|row| row.state == DecisionState::Tampered) && problem.is_some());
    }

    #[test]
    fn a_line_that_was_taken_out_or_put_back_from_elsewhere_is_reported() {
        let text = to_text(&[row("a", Effect::Deny), row("b", Effect::Allow)], 1, b"key").unwrap();
        let shorter: String =
            text.lines().filter(|line| !line.contains("\"deny\"")).map(|l| format!("{l}\n")).collect();
        let Read { rows: read, problem, .. } = from_text(&shorter, b"key");
        assert_eq!(read.len(), 1);
        assert!(problem.unwrap().contains("removed"));
    }

    struct Place {
        folder: tempfile::TempDir,
        mark: Arc<Mutex<Option<String>>>,
    }

    impl Place {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().unwrap(), mark: Arc::default() }
        }
        fn home(&self) -> Home {
            Home::at(self.folder.path().to_path_buf()).unwrap()
        }
        fn open(&self) -> (DecisionFile, Vec<DecisionRow>, Option<String>) {
            let (mark, known) = (self.mark.clone(), self.mark.lock().unwrap().clone());
            let keep = Box::new(move |text| *mark.lock().unwrap() = Some(text));
            DecisionFile::open(&self.home(), b"key", known.as_deref(), keep).unwrap()
        }
    }

    #[test]
    fn an_older_copy_of_the_whole_file_loosens_nothing_and_is_reported() {
        let place = Place::new();
        let path = place.home().decisions_file();
        let (file, ..) = place.open();
        let both = vec![row("a", Effect::Allow), row("b", Effect::Deny)];
        file.save(&both).unwrap();
        let older = std::fs::read(&path).unwrap();
        file.save(&both[1..]).unwrap();
        drop(file);
        assert_eq!(place.open().1, both[1..], "what was written last is in order");
        std::fs::write(&path, &older).unwrap();
        let (file, rows, problem) = place.open();
        assert_eq!(rows[0].state, DecisionState::Tampered, "the permission had been revoked");
        assert_eq!(rows[1].state, DecisionState::Active, "the ban holds");
        assert!(problem.unwrap().contains("older copy"));
        // From then on the file is the newest again, with what is void in it.
        file.save(&rows).unwrap();
        let (_, rows, problem) = place.open();
        assert_eq!((rows[0].state, problem), (DecisionState::Tampered, None));
        std::fs::remove_file(&path).unwrap();
        assert!(place.open().2.is_some(), "removed altogether");
    }

    #[test]
    fn a_line_from_an_older_copy_brings_no_permission_back() {
        let place = Place::new();
        let path = place.home().decisions_file();
        let (file, ..) = place.open();
        let both = vec![row("a", Effect::Allow), row("b", Effect::Deny)];
        file.save(&both).unwrap();
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let older = lines(&std::fs::read_to_string(&path).unwrap());
        let revoked = vec![DecisionRow { state: DecisionState::Revoked, ..both[0].clone() }, both[1].clone()];
        file.save(&revoked).unwrap();
        let mut newer = lines(&std::fs::read_to_string(&path).unwrap());
        newer[2].clone_from(&older[2]);
        std::fs::write(&path, newer.join("\n")).unwrap();
        let (_, rows, problem) = place.open();
        assert_eq!(
            rows[0].state,
            DecisionState::Tampered,
            "its own seal still fits, the permission is gone all the same"
        );
        assert_eq!(rows[1].state, DecisionState::Active, "the ban holds");
        assert!(problem.is_some());
    }

    #[test]
    fn a_crash_between_the_file_and_its_mark_is_no_tampering_and_a_forged_mark_is() {
        let place = Place::new();
        let (file, ..) = place.open();
        file.save(&[row("a", Effect::Allow)]).unwrap();
        let earlier = place.mark.lock().unwrap().clone();
        file.save(&[row("a", Effect::Allow), row("b", Effect::Allow)]).unwrap();
        *place.mark.lock().unwrap() = earlier;
        let (_, rows, problem) = place.open();
        assert!(problem.is_none() && rows.iter().all(|row| row.state == DecisionState::Active));
        *place.mark.lock().unwrap() = Some("1 00".into());
        assert!(place.open().2.is_some());
    }
    #[derive(Clone, Debug)]
    enum Act {
        /// Adds a Decision: allow or deny.
        Decide(bool),
        Revoke(usize),
        Restart,
        /// The process dies after the file was written and before its mark was.
        CrashBeforeMark,
        /// Something else keeps a copy of the file, and puts it back later.
        Copy,
        PutBack,
    }

    fn act() -> impl proptest::strategy::Strategy<Value = Act> {
        use proptest::prelude::*;
        prop_oneof![
            4 => any::<bool>().prop_map(Act::Decide),
            3 => (0..6usize).prop_map(Act::Revoke),
            2 => Just(Act::Restart),
            1 => Just(Act::CrashBeforeMark),
            2 => Just(Act::Copy),
            2 => Just(Act::PutBack),
        ]
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 150, ..Default::default() })]
        /// However files are copied about and processes end: a permission that was taken back is never in force again.
        #[test]
        fn no_order_of_acts_copies_and_restarts_brings_a_permission_back(acts in proptest::collection::vec(act(), 1..25)) {
            let place = Place::new();
            let (mut file, mut rows, _) = place.open();
            let (mut next, mut revoked, mut copy) = (0, Vec::new(), None);
            let mut lost_mark = false;
            for act in acts {
                match act {
                    Act::Decide(allow) => {
                        let mut new = row(&next.to_string(), if allow { Effect::Allow } else { Effect::Deny });
                        new.uses = 0;
                        next += 1;
                        rows.push(new);
                        file.save(&rows).unwrap();
                        lost_mark = false;
                    }
                    Act::Revoke(at) => {
                        if let Some(row) = rows.get_mut(at).filter(|row| row.state == DecisionState::Active) {
                            row.state = DecisionState::Revoked;
                            revoked.push(row.decision.id.clone());
                            file.save(&rows).unwrap();
                            lost_mark = false;
                        }
                    }
                    Act::Restart => (file, rows, _) = place.open(),
                    Act::CrashBeforeMark => {
                        let before = place.mark.lock().unwrap().clone();
                        let mut new = row(&next.to_string(), Effect::Allow);
                        new.uses = 0;
                        next += 1;
                        rows.push(new);
                        file.save(&rows).unwrap();
                        *place.mark.lock().unwrap() = before;
                        (file, rows, _) = place.open();
                        lost_mark = true;
                    }
                    // Between a crash and the next write the file's newest state has no mark: what is copied then is the
                    // newest there is.
                    Act::Copy => copy = std::fs::read(place.home().decisions_file()).ok().filter(|_| !lost_mark).or(copy),
                    Act::PutBack => {
                        if let Some(older) = copy.as_ref().filter(|_| !lost_mark) {
                            std::fs::write(place.home().decisions_file(), older).unwrap();
                            (file, rows, _) = place.open();
                        }
                    }
                }
                for row in rows.iter().filter(|row| revoked.contains(&row.decision.id)) {
                    let back = row.state == DecisionState::Active && row.decision.effect == Effect::Allow;
                    proptest::prop_assert!(!back, "a permission that was taken back holds again");
                }
            }
        }
    }
}
