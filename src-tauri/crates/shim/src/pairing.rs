//! Requests that were forwarded and are not answered yet, in both Directions: with them a response can be read for what
//! it answers after the daemon died, and a restarted daemon is told what it missed.

use portcullis_domain::json::{Doc, Mode};
use portcullis_domain::link::PendingRequest;
use portcullis_domain::{Direction, Envelope, Limits, MessageKind};
use portcullis_policy::PairedRequest;
use std::collections::{HashMap, VecDeque};

/// A server that never answers must not fill our memory: the oldest are forgotten first.
const MAX_OUTSTANDING: usize = 4096;
/// A longer tool name or address is not remembered.
pub const MAX_TARGET_BYTES: usize = 4096;

/// What one Message means for pairing; a batch has several.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    Request { id: String, request: PairedRequest },
    Response { id: String },
}

/// Reads a Message for pairing alone. What cannot be read pairs with nothing.
pub fn notes(message: &[u8], limits: &Limits) -> Vec<Note> {
    let Ok(doc) = Doc::parse(message, Mode::Lenient, limits) else { return Vec::new() };
    let whole = Envelope::read(&doc);
    match whole.kind {
        MessageKind::Batch => doc.root().children().filter_map(|item| note(&Envelope::of(item))).collect(),
        _ => note(&whole).into_iter().collect(),
    }
}

fn note(envelope: &Envelope<'_>) -> Option<Note> {
    let id = envelope.id_text()?;
    match envelope.kind {
        MessageKind::Request => {
            let request = PairedRequest {
                method: envelope.method.as_ref().map(|method| method.to_string()).unwrap_or_default(),
                target: envelope
                    .target()
                    .filter(|target| target.len() <= MAX_TARGET_BYTES)
                    .map(|target| target.into_owned()),
                modern: envelope.is_modern(),
                task: envelope.params.is_some_and(|params| params.get("task").is_some()),
            };
            Some(Note::Request { id, request })
        }
        MessageKind::Response | MessageKind::Error => Some(Note::Response { id }),
        _ => None,
    }
}

#[derive(Default)]
pub struct Outstanding {
    requests: HashMap<(Direction, String), PairedRequest>,
    order: VecDeque<(Direction, String)>,
}

impl Outstanding {
    /// A Message went on (as it was or edited). To be called before it is written, or its answer may be faster.
    pub fn forwarded(&mut self, direction: Direction, notes: Vec<Note>) {
        for note in notes {
            match note {
                Note::Response { id } => self.answered(direction, id),
                Note::Request { id, request } => self.insert((direction, id), request),
            }
        }
    }

    /// A Message did not go on: a request needs no answer any more from the other side, a response was the answer.
    pub fn withheld(&mut self, direction: Direction, notes: Vec<Note>) {
        for note in notes {
            if let Note::Response { id } = note {
                self.answered(direction, id);
            }
        }
    }

    fn answered(&mut self, direction: Direction, id: String) {
        self.requests.remove(&(direction.reverse(), id));
    }

    fn insert(&mut self, key: (Direction, String), request: PairedRequest) {
        if self.requests.insert(key.clone(), request).is_none() {
            self.order.push_back(key);
        }
        // Answered ones are swept out of the order here, so it stays as short as what is outstanding.
        while self.requests.len() > MAX_OUTSTANDING || self.order.len() > 2 * MAX_OUTSTANDING {
            let Some(oldest) = self.order.pop_front() else { break };
            if self.requests.len() > MAX_OUTSTANDING {
                self.requests.remove(&oldest);
            } else if self.requests.contains_key(&oldest) {
                self.order.push_back(oldest);
            }
        }
    }

    /// The request, sent against `direction`, that a response in `direction` answers.
    pub fn paired(&self, direction: Direction, id: &str) -> Option<PairedRequest> {
        self.requests.get(&(direction.reverse(), id.to_owned())).cloned()
    }

    pub fn list(&self) -> Vec<PendingRequest> {
        let all = self.requests.iter().map(|((direction, id), request)| PendingRequest {
            direction: *direction,
            id: id.clone(),
            method: request.method.clone(),
            target: request.target.clone(),
            modern: request.modern,
            task: request.task,
        });
        all.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{ToClient, ToUpstream};

    fn read(text: &str) -> Vec<Note> {
        notes(text.as_bytes(), &Limits::default())
    }

    #[test]
    fn a_request_is_outstanding_until_its_response_goes_the_other_way() {
        let mut outstanding = Outstanding::default();
        let call = r#"{"jsonrpc":"2.0","id":1.0,"method":"tools/call","params":{"name":"echo","task":{}}}"#;
        outstanding.forwarded(ToUpstream, read(call));
        outstanding.forwarded(ToUpstream, read(r#"[{"id":"b","method":"ping"},{"method":"notifications/x"}]"#));
        assert_eq!(outstanding.paired(ToClient, "1.0").map(|r| (r.method, r.task)), Some(("tools/call".into(), true)));
        assert_eq!(outstanding.list().len(), 2);
        outstanding.forwarded(ToUpstream, read(r#"{"id":1.0,"result":{}}"#));
        assert_eq!(outstanding.list().len(), 2, "the client's own response answers the server's requests");
        outstanding.withheld(ToClient, read(r#"[{"id":1.0,"result":{}},{"id":"b","error":{}}]"#));
        assert_eq!(outstanding.list(), Vec::new());
    }

    #[test]
    fn a_target_longer_than_is_kept_is_not_remembered() {
        let target = |length: usize| {
            let uri = "u".repeat(length);
            let notes = read(&format!(r#"{{"id":1,"method":"resources/read","params":{{"uri":"{uri}"}}}}"#));
            let [Note::Request { request, .. }] = &notes[..] else { panic!("{notes:?}") };
            request.target.clone()
        };
        assert!(target(MAX_TARGET_BYTES).is_some() && target(MAX_TARGET_BYTES + 1).is_none());
    }

    #[test]
    fn memory_is_bounded_and_the_newest_are_kept() {
        let mut outstanding = Outstanding::default();
        for n in 0..3 * MAX_OUTSTANDING {
            outstanding.forwarded(ToUpstream, read(&format!(r#"{{"id":{n},"method":"ping"}}"#)));
        }
        assert_eq!(outstanding.list().len(), MAX_OUTSTANDING);
        assert!(outstanding.paired(ToClient, &(3 * MAX_OUTSTANDING - 1).to_string()).is_some());
        for n in 0..3 * MAX_OUTSTANDING {
            outstanding.forwarded(ToClient, read(&format!(r#"{{"id":{n},"result":{{}}}}"#)));
        }
        for n in 0..5 * MAX_OUTSTANDING {
            outstanding.forwarded(ToUpstream, read(&format!(r#"{{"id":{n},"method":"ping"}}"#)));
            outstanding.forwarded(ToClient, read(&format!(r#"{{"id":{n},"result":{{}}}}"#)));
        }
        assert!(outstanding.order.len() <= 2 * MAX_OUTSTANDING);
    }
}
