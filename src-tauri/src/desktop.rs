//! The Tauri app: plugins, start, the loop that keeps the tray true, notifications, orderly end. The daemon's life is
//! tied to it: it starts after the single-instance decision, and it is shut down before the process ends.

use crate::engine::Engine;
use crate::menu::{Act, Facts};
use crate::notices::{Announced, Notice, Opens, ask_notice, block_notice, change_notice, is_silenced};
use crate::{acts, tray};
use portcullis_daemon::Config;
use portcullis_domain::api::{ExchangeRow, LiveEvent};
use portcullis_domain::{UnixMs, Verdict};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tauri::{AppHandle, Manager, RunEvent};
use tauri_plugin_autostart::ManagerExt;
use tauri_plugin_notification::NotificationExt;
use tokio::sync::Notify;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::Instant;

/// Everything the shell keeps while it runs.
pub struct Shell {
    pub engine: Engine,
    pub shown: tray::State,
    /// Something may be different: look again.
    pub changed: Notify,
    pub question: crate::question::Place,
    notice_id: AtomicI32,
}

/// Started by the login entry: no window.
pub const BACKGROUND: &str = "--background";

/// What a notification remembers for the click on it.
const EXCHANGE: &str = "exchange";
const QUESTION: &str = "question";

/// Runs until Quit or a signal; answers with the process' exit code.
pub fn run(background: bool) -> anyhow::Result<i32> {
    let app = tauri::Builder::default()
        // first of all plugins: a second start ends here, before a port or the database is opened
        .plugin(tauri_plugin_single_instance::init(|app, _args, _folder| {
            if let Some(tray) = app.tray_by_id(tray::ID) {
                let _ = tray.set_visible(true);
            }
            acts::start(app, Act::OpenDashboard);
        }))
        .plugin(tauri_plugin_autostart::Builder::new().app_name("Portcullis").arg(BACKGROUND).build())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_opener::init())
        .setup(move |app| {
            // before the daemon: from now on a signal ends both in order
            let runtime = tauri::async_runtime::handle();
            let signal = {
                let _inside = runtime.inner().enter();
                signals()
            };
            let engine = tauri::async_runtime::block_on(Engine::start(Config::from_environment()?))?;
            app.manage(Shell {
                engine,
                shown: tray::State::default(),
                changed: Notify::new(),
                question: Default::default(),
                notice_id: AtomicI32::new(1),
            });
            #[cfg(target_os = "macos")]
            app.set_activation_policy(tauri::ActivationPolicy::Accessory);
            started(app.handle(), background)?;
            let handle = app.handle().clone();
            tauri::async_runtime::spawn(async move {
                signal.await;
                handle.exit(0);
            });
            Ok(())
        })
        .build(tauri::generate_context!())?;
    Ok(app.run_return(|app, event| match event {
        // the last window closed: the tray stays
        RunEvent::ExitRequested { code: None, api, .. } => api.prevent_exit(),
        RunEvent::Exit => {
            if let Some(shell) = app.try_state::<Shell>() {
                tauri::async_runtime::block_on(shell.engine.shutdown());
            }
        }
        _ => {}
    }))
}

fn started(app: &AppHandle, background: bool) -> anyhow::Result<()> {
    tray::create(app)?;
    let opener = app.clone();
    app.notification().on_action(move |action| {
        let extra = action.notification().map(|shown| shown.extra().clone()).unwrap_or_default();
        let app = opener.clone();
        if extra.contains_key(QUESTION) {
            acts::start(&app, Act::OpenQuestion);
            return;
        }
        let exchange = extra.get(EXCHANGE).and_then(|id| id.as_str()).map(str::to_owned);
        let place = exchange.map_or_else(|| "/".to_owned(), |id| acts::alert_place(&id));
        tauri::async_runtime::spawn(async move {
            if let Err(error) = crate::window::open(&app, &place).await {
                tracing::warn!("the Alert could not be opened: {error:#}");
            }
        });
    })?;
    tauri::async_runtime::spawn(keep_true(app.clone()));
    if !background {
        acts::start(app, Act::OpenDashboard);
    }
    Ok(())
}

/// Follows the daemon's events: notifications at once, the tray a moment later so that a burst costs one update. When
/// another process' daemon ends, its place is taken.
async fn keep_true(app: AppHandle) {
    const RETRY: Duration = Duration::from_secs(2);
    let shell = app.state::<Shell>();
    let mut announced = Announced::default();
    loop {
        match shell.engine.handle().events().await {
            Ok(events) => follow(&app, events, &mut announced).await,
            Err(error) => tracing::warn!("the daemon does not answer: {}", error.message),
        }
        look(&app, &mut announced).await;
        tokio::time::sleep(RETRY).await;
        if let Err(error) = shell.engine.revive().await {
            tracing::warn!("the daemon could not be started: {error}");
        }
    }
}

async fn follow(app: &AppHandle, mut events: Receiver<LiveEvent>, announced: &mut Announced) {
    const SETTLE: Duration = Duration::from_millis(150);
    /// Plain traffic changes only what was seen.
    const SEEN: Duration = Duration::from_secs(2);
    /// Time itself changes what is true: a pause ends, an app is installed.
    const ANYHOW: Duration = Duration::from_secs(30);
    let shell = app.state::<Shell>();
    let mut next = Instant::now();
    loop {
        let wait = tokio::select! {
            event = events.recv() => match event {
                Ok(LiveEvent::Exchange { row } | LiveEvent::ExchangeUpdated { row }) => {
                    if announced.is_news(&row) {
                        tauri::async_runtime::spawn(announce_block(app.clone(), row.clone()));
                    }
                    if row.verdict > Verdict::Allow { SETTLE } else { SEEN }
                }
                Ok(LiveEvent::Asked { ask }) => {
                    if let Some(notice) = ask_notice(&ask, now()) {
                        // on top, without the keyboard
                        if let Err(error) = crate::question::open(app, false).await {
                            tracing::warn!("the window with a question could not be opened: {error:#}");
                        }
                        announce(app, &notice).await;
                    }
                    SETTLE
                }
                Ok(LiveEvent::Change { change }) => {
                    if let Some(notice) = change_notice(&change) {
                        announce_unless_silenced(app, &notice, true).await;
                    }
                    SETTLE
                }
                Ok(_) | Err(RecvError::Lagged(_)) => SETTLE,
                Err(RecvError::Closed) => return,
            },
            () = shell.changed.notified() => Duration::ZERO,
            () = tokio::time::sleep_until(next) => {
                look(app, announced).await;
                next = Instant::now() + ANYHOW;
                continue;
            }
        };
        // what happens may only bring the next look nearer
        next = next.min(Instant::now() + wait);
    }
}

/// One look at the daemon, drawn.
async fn look(app: &AppHandle, announced: &mut Announced) {
    let engine = app.state::<Shell>().engine.handle();
    if let Ok(settings) = engine.settings().await
        && settings.start_at_login != starts_at_login(app)
        && let Err(notice) = follow_login_setting(app, settings.start_at_login)
    {
        tracing::warn!(why = notice.body, "start at login");
    }
    let facts = Facts {
        status: engine.status().await.ok(),
        apps: engine.apps().await.unwrap_or_default(),
        newest_alert: engine.newest_alert().await.ok().flatten().map(|group| group.newest),
        questions: engine.asks().await.map_or(0, |asks| asks.waiting.len()),
        start_at_login: starts_at_login(app),
    };
    let protection = facts.status.as_ref().map(|status| &status.protection);
    if let Some(notice) = protection.and_then(|protection| announced.pause_notice(protection, now())) {
        announce(app, &notice).await;
    }
    if let Err(error) = tray::show(app, &facts) {
        tracing::warn!("the tray could not be updated: {error:#}");
    }
}

fn now() -> UnixMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMs::try_from(since.as_millis()).unwrap_or(UnixMs::MAX)
}

/// What was found stands in the log a moment after the Block is told. A log that cannot be read must not silence it.
async fn announce_block(app: AppHandle, row: ExchangeRow) {
    const LOOKS: u32 = 20;
    const BETWEEN: Duration = Duration::from_millis(100);
    let engine = app.state::<Shell>().engine.handle();
    let mut exchange = None;
    for _ in 0..LOOKS {
        match engine.exchange(&row.id).await {
            Ok(detail) => exchange = Some(detail.exchange),
            Err(error) if error.code == "not_found" => {
                tokio::time::sleep(BETWEEN).await;
                continue;
            }
            Err(error) => tracing::warn!("a blocked Exchange could not be read: {}", error.message),
        }
        break;
    }
    let apps = engine.apps().await.unwrap_or_default();
    let name = apps.iter().find(|one| one.id == row.app).map_or(row.app.as_str(), |one| &one.name);
    announce(&app, &block_notice(&row, exchange.as_ref(), name)).await;
}

async fn announce(app: &AppHandle, notice: &Notice) {
    announce_unless_silenced(app, notice, false).await;
}

async fn announce_unless_silenced(app: &AppHandle, notice: &Notice, loosens: bool) {
    // unreadable settings must not silence a Block
    let engine = app.state::<Shell>().engine.handle();
    let notifications = engine.settings().await.map_or(true, |settings| settings.notifications);
    let quiet = engine.status().await.is_ok_and(|status| status.quiet);
    if !is_silenced(loosens, notifications, quiet) {
        notify(app, notice);
    }
}

pub fn notify(app: &AppHandle, notice: &Notice) {
    let id = app.state::<Shell>().notice_id.fetch_add(1, Ordering::Relaxed);
    let mut builder = app.notification().builder().id(id).title(&notice.title).body(&notice.body);
    match &notice.opens {
        Some(Opens::Alert(exchange)) => builder = builder.extra(EXCHANGE, exchange.as_str()),
        Some(Opens::Question) => builder = builder.extra(QUESTION, true),
        None => {}
    }
    if let Err(error) = builder.show() {
        tracing::warn!("a notification could not be shown: {error}");
    }
}

pub fn starts_at_login(app: &AppHandle) -> bool {
    app.autolaunch().is_enabled().unwrap_or(false)
}

pub fn follow_login_setting(app: &AppHandle, on: bool) -> Result<(), Notice> {
    let login = app.autolaunch();
    let done = if on { login.enable() } else { login.disable() };
    done.map_err(|error| Notice::failure("Start at login was not changed", &error.to_string()))
}

/// Ends when the process is asked to: SIGTERM, SIGINT and SIGHUP (logout, `kill`, Ctrl+C). Listens from the call on.
#[cfg(unix)]
fn signals() -> impl Future<Output = ()> + Send + 'static {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(|error| tracing::warn!("a signal cannot be heard: {error}")).ok();
    let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
    let heard: Vec<_> = kinds.into_iter().filter_map(listen).collect();
    async move {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        for mut signal in heard {
            let sender = sender.clone();
            tokio::spawn(async move {
                signal.recv().await;
                let _ = sender.send(()).await;
            });
        }
        // with no signal to hear the sender is kept, so that this waits for ever
        receiver.recv().await;
        drop(sender);
    }
}

#[cfg(not(unix))]
fn signals() -> impl Future<Output = ()> + Send + 'static {
    async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
