//! Whether the app in front fills the screen (a game, a film, a talk), and a window that is seen above it. X11 and Windows
//! can say; Wayland tells it to nobody, and macOS would need a list of all windows: there a question always opens whole.

use tauri::{AppHandle, WebviewWindow};

/// False when it cannot be known.
pub async fn in_front(app: &AppHandle) -> bool {
    let (answer, answered) = tokio::sync::oneshot::channel();
    let asked = app.run_on_main_thread(move || {
        let _ = answer.send(system::full_screen_in_front());
    });
    asked.is_ok() && answered.await.ok().flatten() == Some(true)
}

/// Window managers put what is always on top below a full-screen app: `over` takes the window out of their hands. Only for
/// a window that is hidden just now, and from then on it is shown without the keyboard.
pub fn stand_above(window: &WebviewWindow, over: bool) -> tauri::Result<()> {
    let changed = window.clone();
    window.run_on_main_thread(move || system::stand_above(&changed, over))
}

/// Back to the top: the other one may have raised itself.
pub fn raise(window: &WebviewWindow) -> tauri::Result<()> {
    let raised = window.clone();
    window.run_on_main_thread(move || system::raise(&raised))
}

#[cfg(target_os = "linux")]
mod system {
    use gdkx11::{X11Display, X11Window};
    use gtk::gdk::{self, Atom, Display, Window};
    use gtk::prelude::{Cast, GtkWindowExt, WidgetExt};
    use tauri::WebviewWindow;

    /// None when the desktop is none of X11's, or does not say which window is in front.
    pub fn full_screen_in_front() -> Option<bool> {
        let display = Display::default()?;
        let x11 = display.downcast_ref::<X11Display>()?;
        let screen = display.default_screen();
        let active = *numbers(&screen.root_window()?, "_NET_ACTIVE_WINDOW", "WINDOW")?.first()?;
        let is_active = |it: &Window| it.downcast_ref::<X11Window>().is_some_and(|it| it.xid() as usize == active);
        let window = screen.window_stack().into_iter().find(is_active)?;
        // it may be gone by now, and an error of X that nobody catches ends the program
        x11.error_trap_push();
        let states = numbers(&window, "_NET_WM_STATE", "ATOM");
        x11.error_trap_pop_ignored();
        Some(states?.contains(&Atom::intern("_NET_WM_STATE_FULLSCREEN").value()))
    }

    /// A property that is a list of windows or atoms: GDK gives each as a machine word.
    fn numbers(window: &Window, property: &str, kind: &str) -> Option<Vec<usize>> {
        const MOST: std::ffi::c_ulong = 1024;
        let (_, _, bytes) = gdk::property_get(window, &Atom::intern(property), &Atom::intern(kind), 0, MOST, 0)?;
        let words = bytes.chunks_exact(size_of::<usize>());
        Some(words.map(|word| usize::from_ne_bytes(word.try_into().unwrap_or_default())).collect())
    }

    pub fn stand_above(window: &WebviewWindow, over: bool) {
        let Ok(widget) = window.gtk_window() else { return };
        widget.set_focus_on_map(false);
        widget.realize();
        if let Some(drawn) = widget.window() {
            drawn.set_override_redirect(over);
        }
    }

    pub fn raise(window: &WebviewWindow) {
        if let Some(drawn) = window.gtk_window().ok().and_then(|widget| widget.window()) {
            drawn.raise();
        }
    }
}

#[cfg(windows)]
mod system {
    use tauri::WebviewWindow;
    use windows_sys::Win32::UI::Shell::{QUNS_BUSY, QUNS_RUNNING_D3D_FULL_SCREEN, SHQueryUserNotificationState};

    pub fn full_screen_in_front() -> Option<bool> {
        let mut state = 0;
        // SAFETY: it writes one number, into a place that lives as long as the call.
        #[allow(unsafe_code)]
        let result = unsafe { SHQueryUserNotificationState(&mut state) };
        (result >= 0).then_some(state == QUNS_BUSY || state == QUNS_RUNNING_D3D_FULL_SCREEN)
    }

    /// What is always on top is above such an app already.
    pub fn stand_above(_: &WebviewWindow, _: bool) {}
    pub fn raise(_: &WebviewWindow) {}
}

#[cfg(not(any(target_os = "linux", windows)))]
mod system {
    use tauri::WebviewWindow;

    pub fn full_screen_in_front() -> Option<bool> {
        None
    }
    pub fn stand_above(_: &WebviewWindow, _: bool) {}
    pub fn raise(_: &WebviewWindow) {}
}
