//! Traffic: pages of Exchanges and one in detail.

use super::Shared;
use super::extract::Query;
use super::failure::{Answer, Failure};
use crate::originals;
use crate::presence::Sender;
use axum::Json;
use axum::extract::{Path, State};
use portcullis_audit::ExchangeFilter;
use portcullis_domain::api::{ExchangeDetail, ExchangePage, Explanation, Original};
use portcullis_domain::{AppId, Direction, ExchangeId, Outcome, UnixMs, UpstreamId, Verdict};
use serde::Deserialize;

const PAGE: usize = 100;
/// Rows before and after in the same Session.
const TRAIL: usize = 5;

#[derive(Deserialize)]
pub(super) struct ListQuery {
    app: Option<String>,
    upstream: Option<String>,
    verdict: Option<String>,
    method: Option<String>,
    target: Option<String>,
    direction: Option<Direction>,
    q: Option<String>,
    since: Option<UnixMs>,
    until: Option<UnixMs>,
    cursor: Option<String>,
    limit: Option<usize>,
}

fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

pub(super) async fn list(State(shared): State<Shared>, Query(query): Query<ListQuery>) -> Answer<ExchangePage> {
    let (cursor, limit) = (given(query.cursor.clone()), query.limit.unwrap_or(PAGE));
    let filter = filter(query)?;
    shared.blocking(move |core| Ok(core.audit.exchanges(&filter, cursor.as_deref(), limit)?)).await.map(Json)
}

pub(super) fn filter(query: ListQuery) -> Result<ExchangeFilter, Failure> {
    Ok(ExchangeFilter {
        app: given(query.app).map(AppId::new),
        upstream: given(query.upstream).map(UpstreamId::new),
        verdicts: verdicts(query.verdict.as_deref().unwrap_or_default())?,
        method: given(query.method),
        target: given(query.target),
        direction: query.direction,
        q: given(query.q),
        since: query.since,
        until: query.until,
    })
}

fn verdicts(list: &str) -> Result<Vec<Verdict>, Failure> {
    let words = list.split(',').map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| {
            serde_json::from_value(word.into()).map_err(|_| {
                Failure::bad_request(format!("{word:?} is no verdict; there are allow, flag, redact, ask, block."))
            })
        })
        .collect()
}

pub(super) async fn detail(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<ExchangeDetail> {
    let id = ExchangeId::new(id);
    let detail = shared.blocking(move |core| {
        let Some(stored) = core.audit.exchange(&id)? else {
            return Err(Failure::not_found(
                "This exchange is not in the log (any more): retention may have removed it.",
            ));
        };
        let trail = core.audit.trail(&id, TRAIL)?;
        let mut ids: Vec<&str> = stored.exchange.findings.iter().map(|finding| finding.signature.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        let explanations = core.with_signatures(|all| ids.into_iter().filter_map(|id| explain(all, id)).collect());
        let has_original = stored.exchange.outcome == Outcome::Redacted && core.has_original(&id);
        Ok(ExchangeDetail { exchange: stored.exchange, review: stored.review, explanations, trail, has_original })
    });
    detail.await.map(Json)
}

pub(super) async fn original(State(shared): State<Shared>, sender: Sender, Path(id): Path<String>) -> Answer<Original> {
    let shown = shared.blocking(move |core| {
        sender.is_person(core)?;
        originals::reveal(core, &ExchangeId::new(id))
    });
    shown.await.map(Json)
}

pub(crate) fn explain(all: &crate::signatures::Signatures, id: &str) -> Option<Explanation> {
    let built_in = |description: &str, advice: &str| Explanation {
        signature: id.into(),
        description: description.into(),
        advice: advice.into(),
    };
    use portcullis_policy::check;
    Some(match all.get(id) {
        Some(file) => built_in(&file.description, &file.advice),
        None if id == check::DEFINITION_CHANGED => built_in(
            "A definition is compared with the one that was approved, or first seen. This one is different now, so what was \
             approved is not what the model reads.",
            "Compare the two. If the server was updated and the change makes sense, approve it; if it asks for more than before, stay with the approved one or stop using the server.",
        ),
        None if id == check::NEW_DEFINITION => built_in(
            "New servers are held until you have looked at what they define, as you set it.",
            "Read the definitions and approve those that you want, or remove the server.",
        ),
        None if id == check::SERVER_QUARANTINED => built_in(
            "You put this server into quarantine, so nothing goes to it and nothing comes from it.",
            "Release it in Apps, or with `portcullis quarantine release`, once you know what happened.",
        ),
        None if id == check::QUARANTINED => built_in(
            "This definition is kept from the app until you have looked at it. An app that knew it from before may still use it: that is refused.",
            "Look at the definition: approve it, or stay with the one that you approved before.",
        ),
        None if id == check::LOOK_ALIKE_TOOL => built_in(
            "A model picks tools by name and description. This tool passes for one of another server of the same app, so calls meant for that one would come here.",
            "Look at both servers; if they do not belong together, turn one of them off.",
        ),
        None if id == check::DIFFERS_BETWEEN_APPS => built_in(
            "Two apps have the same entry for a server, and it defines different things for them.",
            "Often two versions that were started at different times: restart both apps. If it stays so, ask the server's author.",
        ),
        None if crate::judges::is_ours(id) => built_in(
            "A judge that you switched on looked at this exchange after it went through and finds it doubtful. It may be wrong, and it changed nothing.",
            "Look at the exchange. `portcullis judges` shows, sets and switches off judges.",
        ),
        None if id == check::TOO_MANY_DEFINITIONS => built_in(
            "What a server defines is remembered, so that a change is noticed. This one defines more than can be kept.",
            "Ask why a server needs so much. What is beyond is checked by the signatures alone.",
        ),
        None if id == check::WITHHELD_TOOL => built_in(
            "This tool was taken out of the server's list because its definition holds an order to the model. It was called all the same.",
            "Ask the server's author, or remove the server. An app that was started before may still know the tool: restart it.",
        ),
        None if id == check::UNREADABLE || id == check::AMBIGUOUS => built_in(
            "Programs read such a message differently, so a check could see something else than the receiver does.",
            "Update the app or the server. If it is always the same one, report it to its author.",
        ),
        None if id == check::NOT_A_MESSAGE => built_in(
            "A server that speaks over stdio may write only messages to its output. This is text.",
            "Usually a banner or a log line: harmless, but the server's author should move it to the error output.",
        ),
        None if id == check::CHECK_FAILED => built_in(
            "A check did not finish, and what is not checked does not pass.",
            "Report this with the message, if you can share it: it is a fault of Portcullis.",
        ),
        None => return None,
    })
}
