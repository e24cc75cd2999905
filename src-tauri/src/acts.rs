//! What a click does. Each act runs off the main thread, and afterwards the menu shows what is true then; when an act
//! fails, the tick has flipped back and a notification says why.

use crate::desktop::{self, Shell};
use crate::menu::{self, Act};
use crate::notices::Notice;
use crate::{question, window};
use portcullis_domain::AppId;
use portcullis_domain::api::ApiError;
use tauri::{AppHandle, Manager};

pub fn start(app: &AppHandle, act: Act) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Err(notice) = perform(&app, &act).await {
            tracing::warn!(act = act.id(), why = notice.body, "a tray act failed");
            desktop::notify(&app, &notice);
        }
        app.state::<Shell>().changed.notify_one();
    });
}

async fn perform(app: &AppHandle, act: &Act) -> Result<(), Notice> {
    let shell = app.state::<Shell>();
    let engine = shell.engine.handle();
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error: ApiError| Notice::failure(&what, &error.message)
    };
    match act {
        Act::OpenDashboard => open(app, "/").await,
        Act::OpenQuestion => question::open(app, true)
            .await
            .map_err(|error| Notice::failure("The question could not be opened", &format!("{error:#}"))),
        Act::OpenNewestAlert => match engine.newest_alert().await.map_err(failed("The Alert could not be read"))? {
            Some(group) => open(app, &alert_place(group.newest.id.as_str())).await,
            None => open(app, "/alerts").await,
        },
        Act::Toggle(id) => toggle(app, id).await,
        Act::Pause(minutes) => engine.pause(*minutes).await.map_err(failed("Checking was not paused")),
        Act::Resume => engine.resume().await.map_err(failed("Checking was not resumed")),
        Act::Restore(id) => engine.restore(id.as_ref()).await.map_err(failed("A config was not put back")).map(drop),
        Act::StartAtLogin => start_at_login(app).await,
        Act::HideIcon => {
            if let Some(tray) = app.tray_by_id(crate::tray::ID) {
                tray.set_visible(false)
                    .map_err(|error| Notice::failure("The icon was not hidden", &error.to_string()))?;
            }
            Ok(())
        }
        Act::RestoreAndQuit => {
            engine.restore(None).await.map_err(failed("Not stopped: a config was not put back"))?;
            app.exit(0);
            Ok(())
        }
        Act::Quit => {
            app.exit(0);
            Ok(())
        }
    }
}

pub fn alert_place(exchange: &str) -> String {
    format!("/alerts#ex_{exchange}")
}

async fn open(app: &AppHandle, place: &str) -> Result<(), Notice> {
    let failure = |error: anyhow::Error| Notice::failure("The dashboard could not be opened", &format!("{error:#}"));
    window::open(app, place).await.map_err(failure)
}

/// Later toggles write at once; the first protection of an app is consented to in the dashboard, before its preview.
async fn toggle(app: &AppHandle, id: &AppId) -> Result<(), Notice> {
    let engine = app.state::<Shell>().engine.handle();
    let apps = engine.apps().await.map_err(|error| Notice::failure("Nothing was changed", &error.message))?;
    let Some(client) = apps.iter().find(|client| client.id == *id) else {
        return Err(Notice::failure("Nothing was changed", &format!("{id} is not known any more.")));
    };
    if let Some(problem) = client.files.iter().find_map(|file| file.problem.as_ref()) {
        return Err(Notice::failure(&format!("{} was not changed", client.name), problem));
    }
    if menu::needs_preview(client) {
        return open(app, &format!("/apps#app_{id}")).await;
    }
    let on = !menu::is_on(client);
    let what = if on { "not protected" } else { "still protected" };
    let failure = |error: ApiError| Notice::failure(&format!("{} is {what}", client.name), &error.message);
    engine.set_app_protected(id, on).await.map_err(failure).map(drop)
}

/// The setting is the person's wish and lives with the daemon; the login entry follows it.
async fn start_at_login(app: &AppHandle) -> Result<(), Notice> {
    let engine = app.state::<Shell>().engine.handle();
    let failure = |error: ApiError| Notice::failure("Start at login was not changed", &error.message);
    let mut settings = engine.settings().await.map_err(failure)?;
    settings.start_at_login = !desktop::starts_at_login(app);
    engine.set_settings(&settings).await.map_err(failure)?;
    desktop::follow_login_setting(app, settings.start_at_login)
}
