//! Pairing: a one-use code for the bearer token.

use super::Shared;
use super::extract::Body;
use super::failure::{Answer, Failure};
use super::pairing::Refusal;
use crate::clock;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_domain::api::{PairAnswer, PairRequest};
use serde_json::{Value, json};

pub(super) async fn pair(State(shared): State<Shared>, Body(request): Body<PairRequest>) -> Answer<PairAnswer> {
    match shared.pairing.redeem(&request.code, clock::now()) {
        Ok(()) => Ok(Json(PairAnswer { token: shared.token.to_string() })),
        Err(Refusal::Wrong) => {
            let message = "This code is not valid: it may be used up or older than ten minutes. Run `portcullis pair` for a new one.";
            Err(Failure::new(StatusCode::FORBIDDEN, "wrong_code", message))
        }
        Err(Refusal::TooManyTries(seconds)) => {
            let message =
                format!("Too many wrong codes. Wait {seconds} seconds, then run `portcullis pair` for a new one.");
            Err(Failure::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tries", message))
        }
    }
}

pub(super) async fn new_code(State(shared): State<Shared>) -> Answer<Value> {
    Ok(Json(json!({ "code": shared.pairing.new_code(clock::now())? })))
}
