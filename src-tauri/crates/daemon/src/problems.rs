//! What touches protection and is not in order, one sentence each, until its cause is gone.
//!
//! A problem with a cause is one that is looked at again and again (a write that is retried, a folder that is read): the
//! look that succeeds takes the sentence away. One without stays until a restart, and its sentence says so.

use crate::core::locked;
use std::sync::Mutex;

#[derive(Default)]
pub(crate) struct Problems(Mutex<Vec<Problem>>);

struct Problem {
    cause: Option<String>,
    sentence: String,
}

impl Problems {
    pub fn sentences(&self) -> Vec<String> {
        locked(&self.0).iter().map(|problem| problem.sentence.clone()).collect()
    }

    /// Said once, however often it happens. True when it is news.
    pub fn lasting(&self, sentence: String) -> bool {
        let mut all = locked(&self.0);
        if all.iter().any(|known| known.sentence == sentence) {
            return false;
        }
        all.push(Problem { cause: None, sentence });
        true
    }

    /// What is wrong with `cause` now; the sentence before is replaced. True when it is news.
    pub fn of(&self, cause: &str, sentence: String) -> bool {
        let mut all = locked(&self.0);
        match all.iter_mut().find(|known| known.cause.as_deref() == Some(cause)) {
            Some(known) if known.sentence == sentence => false,
            Some(known) => {
                known.sentence = sentence;
                true
            }
            None => {
                all.push(Problem { cause: Some(cause.to_owned()), sentence });
                true
            }
        }
    }

    /// The cause is gone. True when there had been a problem.
    pub fn gone(&self, cause: &str) -> bool {
        let mut all = locked(&self.0);
        let before = all.len();
        all.retain(|known| known.cause.as_deref() != Some(cause));
        all.len() != before
    }

    pub fn has(&self, cause: &str) -> bool {
        locked(&self.0).iter().any(|known| known.cause.as_deref() == Some(cause))
    }

    /// Causes below `prefix` other than these are gone. True when there had been one.
    pub fn only(&self, prefix: &str, causes: &[String]) -> bool {
        let mut all = locked(&self.0);
        let before = all.len();
        let stays = |cause: &String| !cause.starts_with(prefix) || causes.contains(cause);
        all.retain(|known| known.cause.as_ref().is_none_or(stays));
        all.len() != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_said_once_and_goes_with_its_cause() {
        let problems = Problems::default();
        assert!(problems.of("disk", "The disk is full.".into()));
        assert!(!problems.of("disk", "The disk is full.".into()));
        assert!(problems.of("disk", "The disk is gone.".into()));
        assert!(problems.lasting("Restart.".into()));
        assert!(!problems.lasting("Restart.".into()));
        assert_eq!(problems.sentences(), ["The disk is gone.", "Restart."]);
        assert!(problems.gone("disk"));
        assert!(!problems.gone("disk"));
        assert_eq!(problems.sentences(), ["Restart."]);
    }

    #[test]
    fn of_many_causes_only_those_that_are_left_stay() {
        let problems = Problems::default();
        for cause in ["queued:a", "queued:b", "disk"] {
            problems.of(cause, format!("{cause} is wrong."));
        }
        assert!(problems.only("queued:", &["queued:b".into()]));
        assert!(!problems.only("queued:", &["queued:b".into()]));
        assert_eq!(problems.sentences(), ["queued:b is wrong.", "disk is wrong."]);
    }
}
