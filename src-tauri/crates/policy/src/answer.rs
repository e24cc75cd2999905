//! The answers we mint ourselves: readable by a model, right for the kind of Message and its protocol era
//! (2026-07-28 results need `resultType`). They never quote the payload.

use crate::Question;
use crate::judged::{Action, PairedRequest};
use portcullis_domain::json::quote;
use portcullis_domain::{Direction, Finding, Verdict};

/// Our JSON-RPC error code: outside the reserved -32768..-32000, and not -32001, which SDKs read as their own time-out.
pub const BLOCKED_CODE: i32 = 4031;

/// What is told to the model or the app. One sentence why, one what to do.
fn reason(what: &str, findings: &[&Finding]) -> String {
    let why = findings.first().map_or("a check failed".to_owned(), |f| format!("{} ({})", f.title, f.signature));
    format!("Portcullis did not allow {what}: {why}. Do not try another way; tell the person.")
}

fn error(id: &str, code: i32, message: &str) -> Vec<u8> {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":{}}}}}"#, quote(message)).into_bytes()
}

fn tool_error(id: &str, modern: bool, message: &str) -> Vec<u8> {
    let result_type = if modern { r#""resultType":"complete","# } else { "" };
    let text = quote(message);
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{{result_type}"content":[{{"type":"text","text":{text}}}],"isError":true}}}}"#
    )
    .into_bytes()
}

/// A Message that cannot be read safely, or crosses a limit.
pub fn refusal(id: Option<&str>, code: i32, message: &str) -> Vec<u8> {
    error(id.unwrap_or("null"), code, message)
}

/// The answer to the app's own request that was not forwarded.
pub(crate) fn to_blocked_request(id: &str, request: &PairedRequest, findings: &[&Finding]) -> Vec<u8> {
    if request.method == "tools/call" && !request.task {
        return tool_error(id, request.modern, &reason("this call", findings));
    }
    error(id, BLOCKED_CODE, &reason("this request", findings))
}

/// What the app gets instead of a hostile response.
pub(crate) fn instead_of_response(id: &str, request: Option<&PairedRequest>, findings: &[&Finding]) -> Vec<u8> {
    match request {
        Some(request) if request.method == "tools/call" && !request.task => {
            tool_error(id, request.modern, &reason("the result of this call", findings))
        }
        _ => error(id, BLOCKED_CODE, &reason("this response", findings)),
    }
}

/// The answer to the *server's* request (sampling, elicitation, roots), which the app never sees.
pub(crate) fn to_server_request(id: &str, method: &str) -> Vec<u8> {
    let result = match method {
        "elicitation/create" => r#"{"action":"decline"}"#,
        "roots/list" => r#"{"roots":[]}"#,
        _ => return error(id, -1, "User rejected the request"),
    };
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#).into_bytes()
}

/// What the server gets instead of the app's response that must not leave.
pub(crate) fn instead_of_client_response(id: &str) -> Vec<u8> {
    error(id, -1, "User rejected the request")
}

/// Why a doubtful Message did not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declined {
    /// Whoever judges here cannot ask.
    ByDefault,
    ByPerson,
    TimedOut,
    /// Nobody could see the question.
    Unattended,
    Stopping,
}

/// What the app gets instead: its call was not sent, or the answer is withheld.
pub fn declined(question: &Question, why: Declined, findings: &[Finding]) -> Action {
    let what = match (question.direction, question.method.as_str()) {
        (Direction::ToUpstream, "tools/call") => "this call",
        (Direction::ToUpstream, _) => "this request",
        (Direction::ToClient, "tools/call") => "the result of this call",
        (Direction::ToClient, _) => "this response",
    };
    let doubtful = findings.iter().filter(|f| f.verdict >= Verdict::Ask).max_by_key(|f| (f.severity, f.confidence));
    let found = doubtful.map_or_else(String::new, |f| format!("{} ({})", f.title, f.signature));
    let text = match why {
        Declined::ByPerson => {
            format!(
                "Portcullis did not allow {what}: the person said no. {found}. Do not try another way; tell the person."
            )
        }
        Declined::TimedOut => {
            format!("Portcullis did not allow {what}: not approved in time. {found}. Ask again if it is still needed.")
        }
        Declined::Unattended | Declined::ByDefault => format!(
            "Portcullis did not allow {what}: it needs the person's approval, and nobody could be asked. {found}. Tell the person: `portcullis ask list` shows it; after they allow it there, try again."
        ),
        Declined::Stopping => {
            format!(
                "Portcullis did not allow {what}: it is stopping before the person answered. Ask again if it is still needed."
            )
        }
    };
    let request = &question.request;
    let answer = if request.method == "tools/call" && !request.task {
        tool_error(&question.id, request.modern, &text)
    } else {
        error(&question.id, BLOCKED_CODE, &text)
    };
    match question.direction {
        Direction::ToUpstream => Action::Answer(answer),
        Direction::ToClient => Action::Replace(answer),
    }
}
