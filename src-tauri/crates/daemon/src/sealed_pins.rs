//! Pins lie in the database, into which any program of the same user can write; the sealed rules hold them, too. Where the
//! two differ about what was approved or is held back, what was sealed counts. The database may be ahead by what was seen
//! since, and behind by what a crash kept from it.

use portcullis_domain::{Pin, PinKind, UpstreamId};
use std::collections::HashMap;

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Reconciled {
    pub pins: Vec<Pin>,
    /// Of these, what the database has to be told.
    pub mended: Vec<Pin>,
    /// How many something else edited.
    pub edited: usize,
}

impl Reconciled {
    pub fn problem(&self) -> Option<String> {
        let edited = self.edited;
        (edited > 0).then(|| {
            format!("{edited} approved definitions in the audit log were edited by something else: what you had approved counts.")
        })
    }
}

pub(crate) fn reconcile(stored: Vec<Pin>, sealed: Vec<Pin>) -> Reconciled {
    let key = |pin: &Pin| -> (UpstreamId, PinKind, String) { (pin.upstream.clone(), pin.kind, pin.name.clone()) };
    let mut by_key: HashMap<_, _> = stored.into_iter().map(|pin| (key(&pin), pin)).collect();
    let mut reconciled = Reconciled::default();
    for sealed in sealed {
        let mended = match by_key.get(&key(&sealed)) {
            None => sealed,
            Some(stored) => {
                let was_let_go = sealed.quarantine.is_some() && stored.quarantine.is_none();
                if (&stored.approved, stored.approved_by) == (&sealed.approved, sealed.approved_by) && !was_let_go {
                    continue;
                }
                reconciled.edited += usize::from(stored.approved_at >= sealed.approved_at);
                Pin { quarantine: stored.quarantine.or(sealed.quarantine), ..sealed }
            }
        };
        reconciled.mended.push(mended.clone());
        by_key.insert(key(&mended), mended);
    }
    reconciled.pins = by_key.into_values().collect();
    reconciled
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::{ApprovedBy, Quarantine};

    fn pin(approved: &str, approved_at: i64, quarantine: Option<Quarantine>) -> Pin {
        Pin {
            upstream: UpstreamId::new("u"),
            kind: PinKind::Tool,
            name: "t".into(),
            approved: approved.into(),
            approved_at,
            approved_by: ApprovedBy::FirstSight,
            changed: quarantine.map(|_| "new".into()),
            drift: None,
            quarantine,
            seen_at: approved_at,
        }
    }

    #[test]
    fn what_was_sealed_counts_and_what_was_seen_since_stays() {
        let held = Some(Quarantine::Changed);
        let by_person = Pin { approved_by: ApprovedBy::Person, ..pin("old", 1, None) };
        for (stored, sealed, expected, edited) in [
            (vec![pin("old", 1, None)], vec![pin("old", 1, None)], pin("old", 1, None), 0),
            (vec![pin("old", 1, held)], vec![pin("old", 1, None)], pin("old", 1, held), 0),
            (vec![pin("old", 1, None)], vec![], pin("old", 1, None), 0),
            (vec![], vec![pin("old", 1, held)], pin("old", 1, held), 0),
            (vec![pin("new", 9, None)], vec![pin("old", 1, held)], pin("old", 1, held), 1),
            (vec![pin("old", 1, None)], vec![pin("old", 1, held)], pin("old", 1, held), 1),
            (vec![by_person], vec![pin("old", 1, None)], pin("old", 1, None), 1),
            // Approved in the moment before a crash: the seal was quicker than the database.
            (vec![pin("old", 1, None)], vec![pin("new", 5, None)], pin("new", 5, None), 0),
        ] {
            let is_mended = stored.first() != Some(&expected);
            let reconciled = reconcile(stored.clone(), sealed.clone());
            assert_eq!(reconciled.pins, [expected], "{stored:?} {sealed:?}");
            assert_eq!((reconciled.mended.len(), reconciled.edited), (usize::from(is_mended), edited), "{sealed:?}");
        }
    }
}
