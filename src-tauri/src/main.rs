//! The desktop app: a tray icon, a window for the dashboard, notifications. The only code that names Tauri; everything
//! else it asks of the daemon. Looks for a display first, because without one no window system can be started.

mod acts;
mod desktop;
mod engine;
mod fullscreen;
mod harm;
mod menu;
mod notices;
mod question;
mod tray;
mod window;
mod words;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

const HELP: &str = "Portcullis, the tray app

Usage: portcullis-app [--background]

  --background   start without opening the window
  --version      print the version
  --help         print this

State lives in ~/.portcullis, or where PORTCULLIS_HOME says. Without a display, run `portcullis serve`.
";

fn main() -> ExitCode {
    let mut background = false;
    for arg in std::env::args().skip(1) {
        match arg.as_str() {
            desktop::BACKGROUND => background = true,
            "--help" | "-h" => return say(HELP),
            "--version" | "-V" => return say(concat!("portcullis-app ", env!("CARGO_PKG_VERSION"), "\n")),
            _ => return refuse(&format!("`{arg}` is no option of portcullis-app; `portcullis-app --help` lists them")),
        }
    }
    if let Err(problem) = display() {
        return refuse(&problem);
    }
    log_to_stderr();
    match desktop::run(background) {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Err(error) => refuse(&format!("{error:#}")),
    }
}

/// Warnings and errors; `RUST_LOG` asks for more.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    let colours = std::io::stderr().is_terminal();
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).try_init();
}

fn say(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn refuse(problem: &str) -> ExitCode {
    eprintln!("portcullis-app: {problem}");
    ExitCode::FAILURE
}

/// The window system panics without a display; say what to do instead.
#[cfg(target_os = "linux")]
fn display() -> Result<(), String> {
    let given = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (x11, wayland) = (given("DISPLAY"), given("WAYLAND_DISPLAY"));
    if x11.is_none() && wayland.is_none() {
        return Err("no display was found (DISPLAY and WAYLAND_DISPLAY are not set). Run `portcullis serve` for the \
                    daemon without a window"
            .into());
    }
    match x11.filter(|_| wayland.is_none()) {
        Some(name) if !x11_answers(&name) => Err(format!(
            "the display {name} does not answer. Correct DISPLAY, or run `portcullis serve` for the daemon without a window"
        )),
        _ => Ok(()),
    }
}

/// Whether something listens where a local display (`:0`, `:99.0`) should be. A remote one is taken on trust.
#[cfg(target_os = "linux")]
fn x11_answers(display: &str) -> bool {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixStream};
    let Some(number) = display.strip_prefix(':').and_then(|rest| rest.split('.').next()) else { return true };
    let path = format!("/tmp/.X11-unix/X{number}");
    let abstract_one = SocketAddr::from_abstract_name(&path);
    UnixStream::connect(&path).is_ok() || abstract_one.is_ok_and(|address| UnixStream::connect_addr(&address).is_ok())
}

#[cfg(not(target_os = "linux"))]
fn display() -> Result<(), String> {
    Ok(())
}
