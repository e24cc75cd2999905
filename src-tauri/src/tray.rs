//! The tray icon and its menu: draws what `menu` computed and hands clicks to `acts`. Decides nothing.

use crate::desktop::Shell;
use crate::menu::{self, Act, Entry, Facts};
use crate::{acts, words};
use anyhow::Result;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tauri::image::Image;
use tauri::menu::{CheckMenuItem, IsMenuItem, Menu, MenuItem, PredefinedMenuItem, Submenu};
use tauri::tray::{MouseButton, MouseButtonState, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager, Wry};

pub const ID: &str = "main";

/// What is on the screen, kept so that an update changes labels in place and an open menu stays open.
#[derive(Default)]
pub struct Shown {
    entries: Vec<Entry>,
    items: HashMap<String, Item>,
    icon: Option<menu::Icon>,
}

enum Item {
    Text(MenuItem<Wry>),
    Check(CheckMenuItem<Wry>),
    Submenu(Submenu<Wry>),
}

pub fn create(app: &AppHandle) -> Result<()> {
    let builder = TrayIconBuilder::with_id(ID)
        .icon(image(menu::Icon::Off)?)
        .icon_as_template(cfg!(target_os = "macos"))
        .tooltip("Portcullis")
        .show_menu_on_left_click(cfg!(target_os = "macos"))
        .on_menu_event(|app, event| {
            if let Some(act) = Act::from_id(event.id().as_ref()) {
                acts::start(app, act);
            }
        })
        .on_tray_icon_event(|tray, event| {
            let left_up = matches!(
                event,
                TrayIconEvent::Click { button: MouseButton::Left, button_state: MouseButtonState::Up, .. }
            );
            if left_up && !cfg!(target_os = "macos") {
                acts::start(tray.app_handle(), Act::OpenDashboard);
            }
        });
    builder.build(app)?;
    Ok(())
}

/// Brings icon, tooltip and menu up to date.
pub fn show(app: &AppHandle, facts: &Facts) -> Result<()> {
    let Some(tray) = app.tray_by_id(ID) else { return Ok(()) };
    let clock = &words::time_of_day;
    let entries = menu::entries(facts, clock);
    let state = app.state::<Shell>();
    let mut shown = state.shown.lock().unwrap_or_else(PoisonError::into_inner);
    if same_shape(&shown.entries, &entries) {
        update(&entries, &shown.items)?;
    } else {
        let mut items = HashMap::new();
        let menu = Menu::new(app)?;
        for item in build(app, &entries, &mut items)? {
            menu.append(item.as_ref())?;
        }
        tray.set_menu(Some(menu))?;
        shown.items = items;
    }
    shown.entries = entries;
    let icon = menu::icon(facts);
    if shown.icon != Some(icon) {
        tray.set_icon_with_as_template(Some(image(icon)?), cfg!(target_os = "macos"))?;
        shown.icon = Some(icon);
    }
    tray.set_tooltip(Some(menu::tooltip(facts, clock)))?;
    Ok(())
}

fn same_shape(old: &[Entry], new: &[Entry]) -> bool {
    old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same_kind(old, new))
}

fn same_kind(old: &Entry, new: &Entry) -> bool {
    match (old, new) {
        (Entry::Separator, Entry::Separator) => true,
        (Entry::Text { id: a, .. }, Entry::Text { id: b, .. }) => a == b,
        (Entry::Check { id: a, .. }, Entry::Check { id: b, .. }) => a == b,
        (Entry::Submenu { id: a, entries: old, .. }, Entry::Submenu { id: b, entries: new, .. }) => {
            a == b && same_shape(old, new)
        }
        _ => false,
    }
}

fn build(
    app: &AppHandle,
    entries: &[Entry],
    items: &mut HashMap<String, Item>,
) -> Result<Vec<Box<dyn IsMenuItem<Wry>>>> {
    let mut built: Vec<Box<dyn IsMenuItem<Wry>>> = Vec::new();
    for entry in entries {
        match entry {
            Entry::Separator => built.push(Box::new(PredefinedMenuItem::separator(app)?)),
            Entry::Text { id, label, enabled } => {
                let item = MenuItem::with_id(app, id, label, *enabled, None::<&str>)?;
                items.insert(id.clone(), Item::Text(item.clone()));
                built.push(Box::new(item));
            }
            Entry::Check { id, label, ticked, enabled } => {
                let item = CheckMenuItem::with_id(app, id, label, *enabled, *ticked, None::<&str>)?;
                items.insert(id.clone(), Item::Check(item.clone()));
                built.push(Box::new(item));
            }
            Entry::Submenu { id, label, enabled, entries } => {
                let submenu = Submenu::with_id(app, id, label, *enabled)?;
                for item in build(app, entries, items)? {
                    submenu.append(item.as_ref())?;
                }
                items.insert(id.clone(), Item::Submenu(submenu.clone()));
                built.push(Box::new(submenu));
            }
        }
    }
    Ok(built)
}

/// Sets everything, changed or not: a click has already flipped its tick, whatever became of the act.
fn update(entries: &[Entry], items: &HashMap<String, Item>) -> Result<()> {
    for entry in entries {
        match entry {
            Entry::Separator => {}
            Entry::Text { id, label, enabled } => {
                if let Some(Item::Text(item)) = items.get(id) {
                    item.set_text(label)?;
                    item.set_enabled(*enabled)?;
                }
            }
            Entry::Check { id, label, ticked, enabled } => {
                if let Some(Item::Check(item)) = items.get(id) {
                    item.set_text(label)?;
                    item.set_enabled(*enabled)?;
                    item.set_checked(*ticked)?;
                }
            }
            Entry::Submenu { id, label, enabled, entries } => {
                if let Some(Item::Submenu(submenu)) = items.get(id) {
                    submenu.set_text(label)?;
                    submenu.set_enabled(*enabled)?;
                }
                update(entries, items)?;
            }
        }
    }
    Ok(())
}

/// macOS recolours a black template; elsewhere the halo drawing is readable on any panel.
fn image(icon: menu::Icon) -> Result<Image<'static>> {
    macro_rules! png {
        ($name:literal) => {
            match (cfg!(target_os = "macos"), dense()) {
                (true, _) => include_bytes!(concat!("../../icons/tray/tray-", $name, "-template.png")).as_slice(),
                (_, true) => include_bytes!(concat!("../../icons/tray/tray-", $name, "-32-halo.png")).as_slice(),
                (_, false) => include_bytes!(concat!("../../icons/tray/tray-", $name, "-22-halo.png")).as_slice(),
            }
        };
    }
    let bytes = match icon {
        menu::Icon::Off => png!("off"),
        menu::Icon::Watching => png!("watching"),
        menu::Icon::Alert => png!("alert"),
        menu::Icon::Paused => png!("paused"),
    };
    Ok(Image::from_bytes(bytes)?)
}

/// Windows draws 32 px on most screens; on Linux the desktop's scale says which drawing fits.
fn dense() -> bool {
    cfg!(windows) || std::env::var("GDK_SCALE").is_ok_and(|scale| scale.parse::<f32>().is_ok_and(|scale| scale > 1.2))
}

pub type State = Mutex<Shown>;
