//! What becomes of a Message that does not go on, by its kind and Direction.

use crate::answer;
use crate::judged::{Action, Judged, MessageSummary, builtin, check};
use portcullis_domain::{Direction, Envelope, Finding, MessageKind, Severity, Verdict};

/// What becomes of a Message that does not go on, not even in part.
pub(crate) fn block(
    direction: Direction,
    envelope: &Envelope<'_>,
    summary: &MessageSummary,
    findings: &[Finding],
) -> Action {
    let hostile = hostile(findings);
    let id = summary.id.as_deref().unwrap_or("null");
    match (direction, envelope.kind) {
        (_, MessageKind::Notification) => Action::Drop,
        (Direction::ToUpstream, MessageKind::Request) => match summary.as_request() {
            Some(request) => Action::Answer(answer::to_blocked_request(id, &request, &hostile)),
            None => Action::Drop,
        },
        (Direction::ToUpstream, MessageKind::Response | MessageKind::Error) => {
            Action::Replace(answer::instead_of_client_response(id))
        }
        (Direction::ToUpstream, _) => {
            let message = "Portcullis refused a message that servers may read differently.";
            Action::Refuse(answer::refusal(summary.id.as_deref(), -32600, message))
        }
        (Direction::ToClient, MessageKind::Request) => {
            Action::Answer(answer::to_server_request(id, summary.method.as_deref().unwrap_or_default()))
        }
        (Direction::ToClient, _) => {
            Action::Replace(answer::instead_of_response(id, summary.answers.as_ref(), &hostile))
        }
    }
}

pub(crate) fn is_response(summary: &MessageSummary) -> bool {
    matches!(summary.kind, MessageKind::Response | MessageKind::Error)
        || (summary.kind == MessageKind::Ambiguous && summary.answers.is_some())
}

/// Each item costs a scan and a row.
pub(crate) fn too_many_items(direction: Direction, limit: usize) -> Judged {
    let title = format!("A batch of more than {limit} messages");
    let message = format!("Portcullis refused a batch of more than {limit} messages (setting limits.max_batch_items).");
    let action = match direction {
        Direction::ToUpstream => Action::Refuse(answer::refusal(None, -32600, &message)),
        Direction::ToClient => Action::Replace(answer::refusal(None, answer::BLOCKED_CODE, &message)),
    };
    let findings = vec![builtin(check::UNREADABLE, Severity::High, Verdict::Block, &title, "")];
    Judged { action, verdict: Verdict::Block, findings, messages: Vec::new(), ask: None }
}

/// One hostile item stops them all. Whoever waits is told: the sender about its requests, the receiver about the responses
/// that it does not get.
pub(crate) fn block_batch(direction: Direction, items: &[MessageSummary], findings: &[Finding]) -> Action {
    let hostile = hostile(findings);
    let (mut on, mut back) = (Vec::new(), Vec::new());
    for item in items {
        let id = item.id.as_deref().unwrap_or("null");
        match (direction, item.kind) {
            (Direction::ToUpstream, MessageKind::Request) => {
                let request = item.as_request();
                back.extend(request.map(|request| answer::to_blocked_request(id, &request, &hostile)));
            }
            (Direction::ToClient, MessageKind::Request) => {
                back.push(answer::to_server_request(id, item.method.as_deref().unwrap_or_default()));
            }
            (Direction::ToClient, MessageKind::Response | MessageKind::Error) => {
                on.push(answer::instead_of_response(id, item.answers.as_ref(), &hostile));
            }
            (Direction::ToUpstream, MessageKind::Response | MessageKind::Error) => {
                on.push(answer::instead_of_client_response(id));
            }
            _ => {}
        }
    }
    let batch = |items: Vec<Vec<u8>>| [b"[".to_vec(), items.join(&b','), b"]".to_vec()].concat();
    match (on.is_empty(), back.is_empty()) {
        (true, true) => Action::Drop,
        (true, false) => Action::Answer(batch(back)),
        (false, true) => Action::Replace(batch(on)),
        (false, false) => Action::Split { on: batch(on), back: batch(back) },
    }
}

pub(crate) fn hostile(findings: &[Finding]) -> Vec<&Finding> {
    let mut hostile: Vec<&Finding> = findings.iter().filter(|f| f.verdict == Verdict::Block).collect();
    hostile.sort_by_key(|f| std::cmp::Reverse((f.severity, f.confidence)));
    hostile
}
