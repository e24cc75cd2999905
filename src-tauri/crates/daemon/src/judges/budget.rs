//! How often each judge may be asked on one day (UTC). Written down, so that a restart gives nothing back; a count that
//! cannot be written holds in memory all the same.

use crate::home::{self, Home};
use portcullis_domain::UnixMs;
use portcullis_domain::api::JudgeName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

const DAY_MS: i64 = 24 * 3_600_000;

#[derive(Default, Serialize, Deserialize)]
struct Count {
    day: i64,
    used: BTreeMap<JudgeName, u32>,
}

pub(crate) struct Budget {
    file: PathBuf,
    count: Count,
}

impl Budget {
    pub fn load(home: &Home) -> Self {
        let file = home.run().join("judges.json");
        let text = home::read_checked(&file).ok().flatten();
        let count = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Self { file, count }
    }

    /// False: the day's budget is used up.
    pub fn take(&mut self, name: JudgeName, most: u32, now: UnixMs) -> bool {
        // A clock that was set back does not give anything back.
        let today = now.div_euclid(DAY_MS).max(self.count.day);
        if today > self.count.day {
            self.count = Count { day: today, used: BTreeMap::new() };
        }
        let used = self.count.used.entry(name).or_default();
        if *used >= most {
            return false;
        }
        *used += 1;
        let written = serde_json::to_vec(&self.count).map(|text| home::write_run_file(&self.file, &text));
        if let Ok(Err(error)) = written {
            tracing::warn!(%error, "the judges' budget could not be written down");
        }
        true
    }

    pub fn used(&self, name: JudgeName, now: UnixMs) -> u32 {
        let is_today = now.div_euclid(DAY_MS) <= self.count.day;
        self.count.used.get(&name).copied().filter(|_| is_today).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_its_budget_and_a_restart_or_an_earlier_clock_gives_nothing_back() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("s")).unwrap();
        home.create().unwrap();
        let (noon, name) = (DAY_MS * 20_000 + DAY_MS / 2, JudgeName::Model);
        let mut budget = Budget::load(&home);
        assert!(budget.take(name, 2, noon) && budget.take(name, 2, noon));
        assert!(!budget.take(name, 2, noon));
        assert!(budget.take(JudgeName::Onnx, 2, noon), "each has its own");
        let mut again = Budget::load(&home);
        assert_eq!(again.used(name, noon), 2);
        assert!(!again.take(name, 2, noon) && !again.take(name, 2, noon - DAY_MS));
        assert!(again.take(name, 2, noon + DAY_MS));
        assert_eq!((again.used(name, noon + DAY_MS), again.used(name, noon + 2 * DAY_MS)), (1, 0));
    }
}
