//! The dashboard's API on a listener of its own: `/api/*` as JSON, `/api/events`, and the dashboard's files. Shapes are
//! those of `portcullis_domain::api`. Nothing here decides anything: it reads, or asks the core to change something.

mod alerts;
mod apps;
mod asks;
mod assets;
mod decisions;
mod drill;
mod events;
mod exchanges;
mod export;
mod extract;
mod failure;
mod guard;
mod judges;
mod pairing;
mod pins;
mod quarantine;
mod session;
mod settings;
mod sign_ins;
mod signatures;
mod status;

pub(crate) use apps::{apply_queued, watch_apps};
pub(crate) use exchanges::explain;
pub(crate) use failure::Failure;

use crate::core::Core;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post, put};
use std::sync::Arc;

#[derive(Clone)]
struct Shared {
    core: Arc<Core>,
    token: Arc<str>,
    pairing: Arc<pairing::Pairing>,
}

pub(crate) fn router(core: Arc<Core>, token: String) -> Router {
    let shared = Shared { core, token: token.into(), pairing: Arc::default() };
    let paired = Router::new()
        .route("/api/status", get(status::get))
        .route("/api/apps", get(apps::list))
        .route("/api/apps/{app}/preview", post(apps::preview))
        .route("/api/apps/{app}/apply", post(apps::apply))
        .route("/api/folders", get(apps::folders).post(apps::add_folder))
        .route("/api/folders/remove", post(apps::remove_folder))
        .route("/api/restore-all", post(apps::restore_all))
        .route("/api/exchanges", get(exchanges::list))
        .route("/api/exchanges/{id}", get(exchanges::detail))
        .route("/api/exchanges/{id}/original", post(exchanges::original))
        .route("/api/export", get(export::file))
        .route("/api/alerts", get(alerts::list))
        .route("/api/alerts/{id}/review", post(alerts::review))
        .route("/api/asks", get(asks::list))
        .route("/api/asks/budget", get(asks::budget))
        .route("/api/asks/{id}", get(asks::one))
        .route("/api/asks/{id}/answer", post(asks::answer))
        .route("/api/asks/{id}/extend", post(asks::extend))
        .route("/api/quarantine", get(quarantine::list).post(quarantine::add))
        .route("/api/quarantine/{upstream}", delete(quarantine::release))
        .route("/api/decisions", get(decisions::list).post(decisions::make))
        .route("/api/decisions/{id}", delete(decisions::revoke))
        .route("/api/modes", get(decisions::modes).put(decisions::set_mode))
        .route("/api/replay", post(decisions::replay))
        .route("/api/stats", get(status::stats))
        .route("/api/changes", get(status::changes))
        .route("/api/signatures", get(signatures::list))
        .route("/api/signatures/{id}", get(signatures::detail).put(signatures::switch))
        .route("/api/judges", get(judges::list))
        .route("/api/judges/{name}", put(judges::set))
        .route("/api/judges/{name}/test", post(judges::test))
        .route("/api/pins", get(pins::list))
        .route("/api/pins/approve", post(pins::approve))
        .route("/api/pins/release", post(pins::release))
        .route("/api/pins/quarantine", post(pins::quarantine))
        .route("/api/pins/{id}", get(pins::detail))
        .route("/api/sign-ins", get(sign_ins::list))
        .route("/api/sign-ins/own", get(sign_ins::own))
        .route("/api/sign-ins/{upstream}/own", put(sign_ins::set_own))
        .route("/api/sign-ins/{upstream}", post(sign_ins::begin).delete(sign_ins::forget))
        .route("/api/pause", post(settings::pause))
        .route("/api/resume", post(settings::resume))
        .route("/api/settings", get(settings::get).put(settings::put))
        .route("/api/drill", get(drill::newest).post(drill::start))
        .route("/api/events", get(events::stream))
        .route("/api/pairing-code", post(session::new_code))
        .route_layer(from_fn_with_state(shared.clone(), guard::bearer));
    Router::new()
        .merge(paired)
        .route("/api/pair", post(session::pair))
        .route(sign_ins::CALLBACK, get(sign_ins::callback))
        .route("/healthz", get(status::health))
        .fallback(assets::serve)
        .layer(from_fn(failure::wrong_method))
        .layer(from_fn_with_state(shared.clone(), guard::local_only))
        .with_state(shared)
}

impl Shared {
    /// Runs what reads files or the database off the async threads.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Core>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let core = self.core.clone();
        tokio::task::spawn_blocking(move || work(&core)).await.map_err(Failure::internal)?
    }
}
