//! The answers we mint ourselves: readable by a model, right for the kind of Message and its protocol era
//! (2026-07-28 results need `resultType`). They never quote the payload.

use crate::judged::PairedRequest;
use portcullis_domain::Finding;
use portcullis_domain::json::quote;

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
