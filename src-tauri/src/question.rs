//! The small window with a question, made and destroyed like the dashboard's. It never takes the focus by itself, so that
//! no key meant for another program can answer a question. While a full-screen app is in front it is a strip that says
//! what waits and for how long, and holds nothing to answer by mistake; a click makes it whole.

use crate::desktop::Shell;
use crate::{fullscreen, window};
use anyhow::{Context, Result};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tauri::{
    AppHandle, LogicalSize, Manager, PhysicalPosition, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent,
};

const LABEL: &str = "question";
/// Logical pixels.
const WHOLE_SIZE: (f64, f64) = (420.0, 560.0);
const WHOLE_LEAST: (f64, f64) = (360.0, 480.0);
const STRIP_SIZE: (f64, f64) = (320.0, 56.0);
const MARGIN: f64 = 16.0;
/// Where the page goes when the person is done with it, and when they click on the strip.
const DONE: &str = "close";
const OPENED: &str = "whole";

/// What is kept of the window beyond its life: where the person has put it.
#[derive(Default)]
pub struct Place(Mutex<Kept>);

#[derive(Clone, Copy, Default)]
struct Kept {
    at: Option<PhysicalPosition<i32>>,
    strip: bool,
    /// The person has made this window whole, so it stays so.
    opened: bool,
    /// Which window it is that this is about.
    life: u64,
}

impl Place {
    fn change<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Shows the question that waits. `focus` only when the person asked for it: else the window comes up on top without the
/// keyboard. The page itself takes up further questions, so a window that is there is left alone.
pub async fn open(app: &AppHandle, focus: bool) -> Result<()> {
    let place = &app.state::<Shell>().question;
    if let Some(window) = app.get_webview_window(LABEL) {
        if focus {
            make_whole(app, &window)?;
            window.unminimize()?;
            window.show()?;
            window.set_focus()?;
        }
        return Ok(());
    }
    let strip = !focus && fullscreen::in_front(app).await;
    let life = place.change(|kept| {
        *kept = Kept { at: kept.at, strip, opened: focus, life: kept.life + 1 };
        kept.life
    });
    let window = build(app, strip, focus).await?;
    if strip {
        fullscreen::stand_above(&window, true)?;
    }
    put(app, &window)?;
    window.show()?;
    let moved = app.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::Moved(at) = event {
            remember(&moved, *at);
        }
    });
    tauri::async_runtime::spawn(watch(app.clone(), life));
    Ok(())
}

async fn build(app: &AppHandle, strip: bool, focus: bool) -> Result<WebviewWindow> {
    let paired = window::paired_address(app).await?;
    let (origin, clicked) = (paired.origin(), app.clone());
    let ((width, height), least) = if strip { (STRIP_SIZE, STRIP_SIZE) } else { (WHOLE_SIZE, WHOLE_LEAST) };
    let first = window::first_address(&paired, "/ask?window")?;
    WebviewWindowBuilder::new(app, LABEL, WebviewUrl::External(first))
        .title("Questions · Portcullis")
        .inner_size(width, height)
        .min_inner_size(least.0, least.1)
        .max_inner_size(520.0, 1200.0)
        .maximizable(false)
        .decorations(!strip)
        .always_on_top(true)
        .visible_on_all_workspaces(true)
        .skip_taskbar(true)
        .focused(focus)
        .visible(false)
        .data_directory(app.state::<Shell>().engine.config().home.path().join("webview"))
        .on_navigation(move |to| {
            let wish = to.query().filter(|query| [DONE, OPENED].contains(query));
            if let Some(wish) = wish {
                follow(&clicked, wish == DONE);
                return false;
            }
            to.origin() == origin
        })
        .build()
        .context("the window with the question could not be created")
}

/// Not from within the navigation that asks for it.
fn follow(app: &AppHandle, done: bool) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let Some(window) = app.get_webview_window(LABEL) else { return };
        let whole = || make_whole(&app, &window).and_then(|()| Ok(window.set_focus()?));
        let followed = if done { window.destroy().map_err(Into::into) } else { whole() };
        if let Err(error) = followed {
            tracing::warn!("the window with the question could not be changed: {error:#}");
        }
    });
}

/// A full-screen app may come to the front and go again while the question waits.
async fn watch(app: AppHandle, life: u64) {
    const EVERY: Duration = Duration::from_millis(700);
    loop {
        tokio::time::sleep(EVERY).await;
        let full_screen = fullscreen::in_front(&app).await;
        let Some(window) = app.get_webview_window(LABEL) else { return };
        let kept = app.state::<Shell>().question.change(|kept| *kept);
        if kept.life != life {
            return;
        }
        let done = match (kept.opened, kept.strip, full_screen) {
            (false, false, true) => reshape(&app, &window, true),
            (false, true, false) => reshape(&app, &window, false),
            (_, true, true) => fullscreen::raise(&window).map_err(Into::into),
            _ => continue,
        };
        if let Err(error) = done {
            tracing::warn!("the window with the question could not be changed: {error:#}");
        }
    }
}

/// The person's own act.
fn make_whole(app: &AppHandle, window: &WebviewWindow) -> Result<()> {
    let strip = app.state::<Shell>().question.change(|kept| {
        kept.opened = true;
        kept.strip
    });
    if strip { reshape(app, window, false) } else { Ok(()) }
}

fn reshape(app: &AppHandle, window: &WebviewWindow, strip: bool) -> Result<()> {
    app.state::<Shell>().question.change(|kept| kept.strip = strip);
    let (size, least) = if strip { (STRIP_SIZE, STRIP_SIZE) } else { (WHOLE_SIZE, WHOLE_LEAST) };
    let logical = |(width, height)| LogicalSize::new(width, height);
    window.hide()?;
    fullscreen::stand_above(window, strip)?;
    window.set_decorations(!strip)?;
    window.set_min_size(Some(logical(least)))?;
    window.set_size(logical(size))?;
    window.show()?;
    // placed once it is shown: a window manager may still have placed the one that was hidden
    put(app, window)
}

fn put(app: &AppHandle, window: &WebviewWindow) -> Result<()> {
    let kept = app.state::<Shell>().question.change(|kept| *kept);
    let width = if kept.strip { STRIP_SIZE.0 } else { WHOLE_SIZE.0 };
    // a strip is never in the way of what is below it: it keeps to its corner
    let chosen = kept.at.filter(|_| !kept.strip);
    match chosen.or_else(|| corner(app, window, width)) {
        Some(at) => window.set_position(at).context("the window with the question could not be moved"),
        None => Ok(()),
    }
}

/// A strip's place says nothing about the whole window's, and one that is just being reshaped has neither.
fn remember(app: &AppHandle, at: PhysicalPosition<i32>) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    let whole = window.inner_size().is_ok_and(|size| {
        let size = size.to_logical::<f64>(window.scale_factor().unwrap_or(1.0));
        size.height >= WHOLE_LEAST.1 && size.width >= WHOLE_LEAST.0
    });
    app.state::<Shell>().question.change(|kept| {
        if whole && !kept.strip {
            kept.at = Some(at);
        }
    });
}

/// Top right of the screen where the pointer is.
fn corner(app: &AppHandle, window: &WebviewWindow, width: f64) -> Option<PhysicalPosition<i32>> {
    let pointer = app.cursor_position().ok();
    let under = pointer.and_then(|at| app.monitor_from_point(at.x, at.y).ok().flatten());
    let screen = under.or_else(|| window.primary_monitor().ok().flatten())?;
    let (scale, area) = (screen.scale_factor(), screen.work_area());
    let x = f64::from(area.position.x) + f64::from(area.size.width) - (width + MARGIN) * scale;
    let y = f64::from(area.position.y) + MARGIN * scale;
    Some(PhysicalPosition::new(x as i32, y as i32))
}
