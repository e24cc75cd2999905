//! Who is at the app's end of each Session: the programs above its shim, and the name that the client gives itself. Both
//! are labels for the person, said by the other side: nothing is ever allowed because of them. In memory only.

use portcullis_domain::{SessionId, UpstreamId};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Sessions remembered for each Upstream; of older ones the programs are forgotten.
const KEPT: usize = 16;
const MAX_NAME: usize = 64;

#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    pub session: SessionId,
    /// `(pid, executable or name)`, nearest first. Empty where nobody said (a server with a URL).
    pub ancestry: Vec<(u32, String)>,
    /// `clientInfo.name`: hostile text.
    pub client: Option<String>,
}

#[derive(Default)]
pub struct Callers(Mutex<HashMap<UpstreamId, VecDeque<Caller>>>);

impl Callers {
    fn all(&self) -> MutexGuard<'_, HashMap<UpstreamId, VecDeque<Caller>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A shim said what started it.
    pub(crate) fn started_by(&self, upstream: &UpstreamId, session: &SessionId, ancestry: Vec<(u32, String)>) {
        self.with(upstream, session, |caller| caller.ancestry = ancestry);
    }

    /// A client introduced itself.
    pub(crate) fn named(&self, upstream: &UpstreamId, session: &SessionId, client: &str) {
        self.with(upstream, session, |caller| caller.client = Some(client.chars().take(MAX_NAME).collect()));
    }

    fn with(&self, upstream: &UpstreamId, session: &SessionId, set: impl FnOnce(&mut Caller)) {
        let mut all = self.all();
        let callers = all.entry(upstream.clone()).or_default();
        if let Some(known) = callers.iter_mut().find(|caller| caller.session == *session) {
            return set(known);
        }
        if callers.len() >= KEPT {
            callers.pop_front();
        }
        let mut caller = Caller { session: session.clone(), ancestry: Vec::new(), client: None };
        set(&mut caller);
        callers.push_back(caller);
    }

    /// Oldest first.
    pub fn of(&self, upstream: &UpstreamId) -> Vec<Caller> {
        self.all().get(upstream).map(|callers| callers.iter().cloned().collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_one_caller_and_the_oldest_are_forgotten() {
        let (callers, up) = (Callers::default(), UpstreamId::new("u"));
        let session = |n: usize| SessionId::new(format!("s{n}"));
        callers.started_by(&up, &session(0), vec![(7, "/usr/bin/cursor".into())]);
        callers.named(&up, &session(0), &"n".repeat(1000));
        let known = callers.of(&up);
        assert_eq!((known.len(), known[0].ancestry.len()), (1, 1));
        assert_eq!(known[0].client.as_ref().map(|name| name.len()), Some(MAX_NAME));
        (1..40).for_each(|n| callers.named(&up, &session(n), "x"));
        let known = callers.of(&up);
        assert_eq!((known.len(), &known[KEPT - 1].session), (KEPT, &session(39)));
        assert_eq!(callers.of(&UpstreamId::new("other")), []);
    }
}
