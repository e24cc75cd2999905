//! Signatures: the list, one with its text, on and off.

use super::Shared;
use super::extract::Body;
use super::failure::{Answer, Failure};
use crate::clock;
use crate::core::Core;
use crate::presence::Sender;
use crate::signatures::info;
use axum::Json;
use axum::extract::{Path, State};
use portcullis_domain::api::{SignatureInfo, SignatureList, SignatureSwitch};
use std::collections::HashMap;

const DAYS_30_MS: i64 = 30 * 24 * 3_600_000;

fn hits(core: &Core) -> HashMap<String, u64> {
    // The list is worth more than its counts: without the audit log they are 0.
    core.audit.signature_hits(clock::now() - DAYS_30_MS).unwrap_or_default()
}

pub(super) async fn list(State(shared): State<Shared>) -> Answer<SignatureList> {
    let list = shared.blocking(|core| {
        let (hits, disabled) = (hits(core), core.rules().disabled);
        Ok(core.with_signatures(|all| SignatureList {
            signatures: all
                .files()
                .map(|file| info(file, !disabled.contains(&file.id), hits.get(&file.id).copied().unwrap_or(0), false))
                .collect(),
            faults: all.faults().to_vec(),
        }))
    });
    list.await.map(Json)
}

fn one(core: &Core, id: &str) -> Result<SignatureInfo, Failure> {
    let (hits, disabled) = (hits(core), core.rules().disabled);
    let count = hits.get(id).copied().unwrap_or(0);
    let found = core.with_signatures(|all| all.get(id).map(|file| info(file, !disabled.contains(id), count, true)));
    found.ok_or_else(|| {
        Failure::not_found(format!("There is no signature {id}; `portcullis signatures list` shows them all."))
    })
}

pub(super) async fn detail(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<SignatureInfo> {
    shared.blocking(move |core| one(core, &id)).await.map(Json)
}

pub(super) async fn switch(
    State(shared): State<Shared>,
    sender: Sender,
    Path(id): Path<String>,
    Body(request): Body<SignatureSwitch>,
) -> Answer<SignatureInfo> {
    let switched = shared.blocking(move |core| {
        if !request.enabled {
            sender.is_person(core)?;
        }
        core.switch_signature(&id, request.enabled)?;
        one(core, &id)
    });
    switched.await.map(Json)
}
