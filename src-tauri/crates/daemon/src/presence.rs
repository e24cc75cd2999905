//! Acts that loosen protection are a person's: never of a program that a ClientApp started, and only from a page of the
//! dashboard or from a terminal. Where the system tells which process is at the other end (Linux), that is what counts;
//! elsewhere the request has to say so itself. Evident, not proof: every such act also leaves a Change row.

use crate::api::Failure;
use crate::core::Core;
use axum::http::StatusCode;
use std::net::SocketAddr;

/// Said by `portcullis` when it has asked on a terminal.
pub(crate) const TERMINAL: &str = "x-portcullis-terminal";

/// Who sent a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sender {
    /// None: this very process (the window's own shell, or a command that holds the lock).
    pub peer: Option<SocketAddr>,
    /// An `Origin` header, which is the dashboard's own when it gets this far.
    pub is_page: bool,
    pub says_terminal: bool,
}

impl Sender {
    /// Nothing that a ClientApp started may do this.
    pub fn is_no_app(&self, core: &Core) -> Result<Option<u32>, Failure> {
        let Some(peer) = self.peer else { return Ok(None) };
        let pid = pid_of(peer, core.dashboard_port());
        match pid.and_then(|pid| core.apps.above(pid)) {
            Some(app) => {
                let name = core.apps.name(&app);
                core.refused_act(&app);
                let message = format!(
                    "{name}, or a program that it started, may not loosen its own protection. Use the dashboard, or a terminal of its own."
                );
                Err(Failure::new(StatusCode::FORBIDDEN, "from_an_app", message))
            }
            None => Ok(pid),
        }
    }

    /// A person does this, in the window or at a terminal.
    pub fn is_person(&self, core: &Core) -> Result<(), Failure> {
        let pid = self.is_no_app(core)?;
        let at_terminal = self.says_terminal && pid.is_none_or(has_terminal);
        if self.peer.is_none() || self.is_page || at_terminal {
            return Ok(());
        }
        let message =
            "This loosens protection, so a person has to do it: in the dashboard, or with `portcullis` at a terminal.";
        Err(Failure::new(StatusCode::FORBIDDEN, "no_presence", message))
    }
}

/// The process at the other end of a loopback connection to our `port`.
#[cfg(target_os = "linux")]
fn pid_of(peer: SocketAddr, port: u16) -> Option<u32> {
    let SocketAddr::V4(peer) = peer else { return None };
    let address = |ip: [u8; 4], port: u16| format!("{:08X}:{port:04X}", u32::from_le_bytes(ip));
    let (local, remote) = (address(peer.ip().octets(), peer.port()), address([127, 0, 0, 1], port));
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let inode = table.lines().find_map(|line| {
        let mut fields = line.split_whitespace();
        (fields.nth(1)? == local && fields.next()? == remote).then(|| fields.nth(6).map(str::to_owned))?
    })?;
    let socket = std::path::PathBuf::from(format!("socket:[{inode}]"));
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let holds = |pid: &u32| {
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        open.into_iter().any(|fd| std::fs::read_link(fd.path()).is_ok_and(|target| target == socket))
    };
    pids.into_iter().find(holds)
}

#[cfg(not(target_os = "linux"))]
fn pid_of(_: SocketAddr, _: u16) -> Option<u32> {
    None
}

/// Whether the process has a controlling terminal.
#[cfg(target_os = "linux")]
fn has_terminal(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // `pid (name) state ppid pgrp session tty_nr …`, and the name may hold brackets.
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after.split_whitespace().nth(4).is_some_and(|tty| tty != "0")
}

#[cfg(not(target_os = "linux"))]
fn has_terminal(_: u32) -> bool {
    true
}

/// Whether this process, a command at work without a daemon, may loosen protection: it asked on its terminal already.
pub(crate) fn own_process_is_no_app(core: &Core) -> Result<(), Failure> {
    match core.apps.above(std::process::id()) {
        Some(app) => {
            core.refused_act(&app);
            let name = core.apps.name(&app);
            let message = format!("{name}, or a program that it started, may not loosen its own protection.");
            Err(Failure::new(StatusCode::FORBIDDEN, "from_an_app", message))
        }
        None => Ok(()),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_process_at_the_other_end_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        assert_eq!(pid_of(stream.local_addr().unwrap(), port), Some(std::process::id()));
        assert_eq!(pid_of(stream.local_addr().unwrap(), port.wrapping_add(1)), None, "another listener's connection");
    }
}
