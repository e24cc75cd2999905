//! Questions: waiting ones, answers, and how often which Signature asks.

use super::Shared;
use super::extract::{Body, Query};
use super::failure::{Answer, Failure};
use crate::clock;
use crate::core::Core;
use crate::presence::Sender;
use axum::Json;
use axum::extract::{Path, State};
use portcullis_domain::api::{
    Ask, AskAnswer, AskAnswerRequest, AskAnswered, AskBudget, AskList, BudgetDay, BudgetProposal, BudgetSignature,
};
use portcullis_domain::{AskId, UnixMs};
use serde::Deserialize;

const DAY_MS: i64 = 24 * 3_600_000;
/// More questions a day than this from one Signature are noise.
const NOISY_PER_DAY: f64 = 3.0;
/// Of those asked.
const MOSTLY: f64 = 0.8;

pub(super) async fn list(State(shared): State<Shared>) -> Answer<AskList> {
    shared.blocking(|core| Ok(core.ask_list())).await.map(Json)
}

pub(super) async fn one(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<Ask> {
    let found = shared.blocking(move |core| {
        let view = core.asks.approvals.find(&AskId::new(id));
        view.map(|view| core.ask(&view)).ok_or_else(|| Failure::not_found("There is no such question (any more)."))
    });
    found.await.map(Json)
}

pub(super) async fn answer(
    State(shared): State<Shared>,
    sender: Sender,
    Path(id): Path<String>,
    Body(request): Body<AskAnswerRequest>,
) -> Answer<AskAnswered> {
    let answered = shared.blocking(move |core| {
        // To say no needs nobody's leave.
        let denies =
            matches!(request.answer, AskAnswer::Deny | AskAnswer::DenyAlways { .. } | AskAnswer::DenyQuarantine { .. });
        if !denies {
            sender.is_person(core)?;
        }
        core.answer(&AskId::new(id), &request)
    });
    answered.await.map(Json)
}

/// Whoever looks at a question gets the time that its app leaves, once.
pub(super) async fn extend(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<Ask> {
    shared.blocking(move |core| core.extend(&AskId::new(id))).await.map(Json)
}

#[derive(Deserialize)]
pub(super) struct Days {
    #[serde(default = "a_month")]
    days: u32,
}
fn a_month() -> u32 {
    30
}

pub(super) async fn budget(State(shared): State<Shared>, Query(query): Query<Days>) -> Answer<AskBudget> {
    shared.blocking(move |core| spent(core, query.days.clamp(1, 366))).await.map(Json)
}

fn spent(core: &Core, days: u32) -> Result<AskBudget, Failure> {
    let now = clock::now();
    let first: UnixMs = now - i64::from(days) * DAY_MS;
    let mut per_day: Vec<BudgetDay> =
        (0..i64::from(days)).map(|day| BudgetDay { from: first + day * DAY_MS, asked: 0 }).collect();
    let times = core.audit.asked_at(first)?;
    for at in &times {
        let day = usize::try_from((at - first) / DAY_MS).ok();
        day.and_then(|day| per_day.get_mut(day)).into_iter().for_each(|day| day.asked += 1);
    }
    // Of a log that is a week old, a month's mean would say that everything is quiet.
    let seen = times.first().map_or(1.0, |oldest| ((now - oldest) as f64 / DAY_MS as f64).max(1.0));
    let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let signatures = core.audit.asked_by_signature(first)?.into_iter().map(|one| {
        let noisy = one.asked as f64 / seen > NOISY_PER_DAY;
        let share = one.allowed as f64 / one.asked.max(1) as f64;
        let proposal = match () {
            () if noisy && share > MOSTLY => Some(BudgetProposal::Exception),
            () if noisy && share < 1.0 - MOSTLY => Some(BudgetProposal::Stricter),
            () => None,
        };
        BudgetSignature {
            signature: one.signature,
            asked: small(one.asked),
            allowed: small(one.allowed),
            newest: one.newest,
            proposal,
        }
    });
    Ok(AskBudget { signatures: signatures.collect(), days: per_day })
}
