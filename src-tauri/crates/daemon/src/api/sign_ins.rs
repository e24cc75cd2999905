//! Signing in to servers that ask for it, and the page that the browser comes back to.

use super::Shared;
use super::extract::{Body, Query};
use super::failure::{Answer, Failure};
use crate::presence::Sender;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use portcullis_domain::api::{OwnSignInRequest, SignIn, SignInAddress, SignInRequest};
use portcullis_domain::{ChangeKind, Upstream, UpstreamId};
use portcullis_gateway::oauth::{Callback, SignInState};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) const CALLBACK: &str = "/oauth/callback";

fn upstream(shared: &Shared, id: &str) -> Result<Arc<Upstream>, Failure> {
    let found = shared.core.routes.load().get(&UpstreamId::new(id)).cloned();
    found.ok_or_else(|| Failure::not_found("No protected server has this id. `portcullis sign-in` lists them."))
}

pub(super) async fn list(State(shared): State<Shared>) -> Answer<Vec<SignIn>> {
    let mut all: Vec<SignIn> = shared
        .core
        .routes
        .load()
        .values()
        .filter_map(|upstream| {
            let (needed, wider, issuer, scope, expires_at) = match shared.core.sign_ins.state(&upstream.id)? {
                SignInState::Needed { scope, wider } => (true, wider, None, scope, None),
                SignInState::SignedIn { issuer, scope, expires_at } => (false, false, Some(issuer), scope, expires_at),
            };
            let (upstream, app, app_name, name) =
                (upstream.id.clone(), upstream.app.clone(), upstream.app_name.clone(), upstream.name.clone());
            Some(SignIn { upstream, app, app_name, name, needed, wider, issuer, scope, expires_at })
        })
        .collect();
    all.sort_by(|a, b| (!a.needed, &a.app_name, &a.name).cmp(&(!b.needed, &b.app_name, &b.name)));
    Ok(Json(all))
}

pub(super) async fn begin(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Body(request): Body<SignInRequest>,
) -> Answer<SignInAddress> {
    let upstream = upstream(&shared, &id)?;
    let redirect = format!("http://127.0.0.1:{}{CALLBACK}", shared.core.dashboard_port());
    let begun = shared.core.sign_ins.begin(&upstream, &redirect, request.client_id).await;
    let url = begun.map_err(|error| {
        Failure::new(StatusCode::BAD_GATEWAY, "sign_in_failed", format!("The sign-in could not begin: {error}."))
    })?;
    Ok(Json(SignInAddress { url }))
}

pub(super) async fn forget(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<Value> {
    let upstream = upstream(&shared, &id)?;
    let forgotten = shared.core.sign_ins.forget(&upstream.id);
    if forgotten.map_err(Failure::internal)? {
        told(&shared, &upstream, "Signed out of");
    }
    Ok(Json(json!(null)))
}

/// Servers to which the app signs in itself.
pub(super) async fn own(State(shared): State<Shared>) -> Answer<Vec<UpstreamId>> {
    Ok(Json(shared.core.own_sign_ins()))
}

/// An app that signs in itself holds the token, so a person leaves it to it; to take it back is for anybody but an app.
pub(super) async fn set_own(
    State(shared): State<Shared>,
    sender: Sender,
    Path(id): Path<String>,
    Body(request): Body<OwnSignInRequest>,
) -> Answer<Vec<UpstreamId>> {
    let set = shared.blocking(move |core| {
        if request.on {
            sender.is_person(core)?;
        } else {
            sender.is_no_app(core)?;
        }
        core.set_own_sign_in(&UpstreamId::new(id), request.on)?;
        Ok(core.own_sign_ins())
    });
    set.await.map(Json)
}

fn told(shared: &Shared, upstream: &Upstream, what: &str) {
    let summary = format!("{what} the server {:?}.", upstream.name);
    shared.core.change(ChangeKind::SettingChanged, Some(upstream.app.clone()), summary);
    shared.core.stale(&["apps", "sign-ins", "status"]);
}

/// No bearer token here: the browser comes from the authorization server. The one-use `state` says that we sent it there.
pub(super) async fn callback(State(shared): State<Shared>, Query(callback): Query<Callback>) -> Response {
    match shared.core.sign_ins.finish(callback).await {
        Ok(id) => {
            if let Ok(upstream) = upstream(&shared, id.as_str()) {
                told(&shared, &upstream, "Signed in to");
            }
            page(StatusCode::OK, "You are signed in", "You can close this page and go on in your app.")
        }
        Err(error) => page(StatusCode::BAD_REQUEST, "The sign-in did not work", &format!("What went wrong: {error}.")),
    }
}

fn page(status: StatusCode, title: &str, text: &str) -> Response {
    let text: String = text.chars().flat_map(escaped).collect();
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Portcullis</title><h1>{title}</h1><p>{text}</p></html>"
    );
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}

/// The reasons hold servers' words.
fn escaped(char: char) -> Vec<char> {
    match char {
        '<' | '>' | '&' | '"' | '\'' => format!("&#{};", u32::from(char)).chars().collect(),
        control if control.is_control() => vec![' '],
        other => vec![other],
    }
}
