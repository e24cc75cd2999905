//! The dashboard's window and the small one with a question: made when asked for and destroyed when closed, because a
//! hidden webview gives back no memory. They load the dashboard listener's own origin, like a browser; they have no
//! capability and call no command. The small window never takes the focus by itself, so that no key meant for another
//! program can answer a question.

use crate::desktop::Shell;
use anyhow::{Context, Result, anyhow};
use std::sync::{Mutex, PoisonError};
use tauri::{AppHandle, Manager, PhysicalPosition, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent};
use tauri_plugin_opener::OpenerExt;
use url::Url;

const LABEL: &str = "dashboard";

/// Shows `place` (a path of the dashboard with its fragment, "/" for the overview).
pub async fn open(app: &AppHandle, place: &str) -> Result<()> {
    let paired = app.state::<Shell>().engine.handle().dashboard_url().await.map_err(|error| anyhow!(error.message))?;
    let paired = Url::parse(&paired).context("the dashboard's address cannot be read")?;
    if let Some(window) = app.get_webview_window(LABEL) {
        if place != "/" {
            window.navigate(paired.join(place)?)?;
        }
        window.unminimize()?;
        window.show()?;
        return window.set_focus().context("the window could not be brought to the front");
    }
    let origin = paired.origin();
    let opener = app.clone();
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::External(first_address(&paired, place)?))
        .title("Portcullis")
        .inner_size(1180.0, 780.0)
        .min_inner_size(420.0, 480.0)
        .data_directory(app.state::<Shell>().engine.config().home.path().join("webview"))
        .on_document_title_changed(|window, title| {
            let _ = window.set_title(&title);
        })
        .on_navigation(move |to| {
            let own = to.origin() == origin;
            // references of Signatures lead to the web: those belong in the person's browser
            if !own && to.scheme() == "https" {
                let _ = opener.opener().open_url(to.as_str(), None::<&str>);
            }
            own
        })
        .build()
        .context("the window could not be created")?;
    window.set_focus().context("the window could not be brought to the front")
}

const QUESTION: &str = "question";
/// Logical pixels.
const QUESTION_SIZE: (f64, f64) = (420.0, 560.0);
const MARGIN: f64 = 16.0;
/// Where the page goes when the person is done with it.
const QUESTION_DONE: &str = "close";

/// Where the person has put the small window.
pub type QuestionPlace = Mutex<Option<PhysicalPosition<i32>>>;

/// Shows the question that waits. `focus` only when the person asked for it: else the window comes up on top without the
/// keyboard. The page itself takes up further questions, so a window that is there is left alone.
pub async fn open_question(app: &AppHandle, focus: bool) -> Result<()> {
    if let Some(window) = app.get_webview_window(QUESTION) {
        if focus {
            window.unminimize()?;
            window.show()?;
            window.set_focus()?;
        }
        return Ok(());
    }
    let shell = app.state::<Shell>();
    let paired = shell.engine.handle().dashboard_url().await.map_err(|error| anyhow!(error.message))?;
    let paired = Url::parse(&paired).context("the dashboard's address cannot be read")?;
    let (origin, closer) = (paired.origin(), app.clone());
    let (width, height) = QUESTION_SIZE;
    let window = WebviewWindowBuilder::new(app, QUESTION, WebviewUrl::External(first_address(&paired, "/ask?window")?))
        .title("Questions · Portcullis")
        .inner_size(width, height)
        .min_inner_size(360.0, 480.0)
        .max_inner_size(520.0, 1200.0)
        .maximizable(false)
        .always_on_top(true)
        .visible_on_all_workspaces(true)
        .skip_taskbar(true)
        .focused(focus)
        .visible(false)
        .data_directory(shell.engine.config().home.path().join("webview"))
        .on_navigation(move |to| {
            if to.query() == Some(QUESTION_DONE) {
                close_question(&closer);
                return false;
            }
            to.origin() == origin
        })
        .build()
        .context("the window with the question could not be created")?;
    let kept = *shell.question_at.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(place) = kept.or_else(|| corner(app, &window)) {
        window.set_position(place)?;
    }
    window.show()?;
    let moved = app.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::Moved(place) = event {
            *moved.state::<Shell>().question_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(*place);
        }
    });
    Ok(())
}

/// Top right of the screen where the pointer is.
fn corner(app: &AppHandle, window: &WebviewWindow) -> Option<PhysicalPosition<i32>> {
    let pointer = app.cursor_position().ok();
    let under = pointer.and_then(|at| app.monitor_from_point(at.x, at.y).ok().flatten());
    let screen = under.or_else(|| window.primary_monitor().ok().flatten())?;
    let (scale, area) = (screen.scale_factor(), screen.work_area());
    let x = f64::from(area.position.x) + f64::from(area.size.width) - (QUESTION_SIZE.0 + MARGIN) * scale;
    let y = f64::from(area.position.y) + MARGIN * scale;
    Some(PhysicalPosition::new(x as i32, y as i32))
}

/// Not from within the navigation that asks for it.
fn close_question(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Some(window) = app.get_webview_window(QUESTION)
            && let Err(error) = window.destroy()
        {
            tracing::warn!("the window with the question could not be closed: {error}");
        }
    });
}

/// The paired address, at `place`: the code first, then what the page should open (`#pair=CODE&ex_1`).
fn first_address(paired: &Url, place: &str) -> Result<Url> {
    let wanted = paired.join(place)?;
    let mut address = wanted.clone();
    let fragment: Vec<&str> = [paired.fragment(), wanted.fragment()].into_iter().flatten().collect();
    address.set_fragment(Some(&fragment.join("&")));
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_address_carries_the_code_and_the_place() {
        let paired = Url::parse("http://127.0.0.1:4000/#pair=AB12").unwrap();
        let at = |place| first_address(&paired, place).unwrap().to_string();
        assert_eq!(at("/"), "http://127.0.0.1:4000/#pair=AB12");
        assert_eq!(at("/alerts#ex_1"), "http://127.0.0.1:4000/alerts#pair=AB12&ex_1");
        assert_eq!(at("/ask?window"), "http://127.0.0.1:4000/ask?window#pair=AB12");
    }
}
