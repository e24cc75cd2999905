//! The dashboard's window: made when asked for and destroyed when closed, because a hidden webview gives back no memory.
//! It loads the dashboard listener's own origin, like a browser; it has no capability and calls no command.

use crate::desktop::Shell;
use anyhow::{Context, Result, anyhow};
use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindowBuilder};
use tauri_plugin_opener::OpenerExt;
use url::Url;

const LABEL: &str = "dashboard";

/// Shows `place` (a path of the dashboard with its fragment, "/" for the overview).
pub async fn open(app: &AppHandle, place: &str) -> Result<()> {
    let paired = paired_address(app).await?;
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

/// Where the dashboard is, with a fresh one-use code.
pub async fn paired_address(app: &AppHandle) -> Result<Url> {
    let paired = app.state::<Shell>().engine.handle().dashboard_url().await.map_err(|error| anyhow!(error.message))?;
    Url::parse(&paired).context("the dashboard's address cannot be read")
}

/// The paired address, at `place`: the code first, then what the page should open (`#pair=CODE&ex_1`).
pub fn first_address(paired: &Url, place: &str) -> Result<Url> {
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
