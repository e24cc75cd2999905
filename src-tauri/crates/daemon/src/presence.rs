//! Acts that loosen protection are a person's: never of a program that a ClientApp started, and only from a page of the
//! dashboard or from a terminal. Where the system tells which process is at the other end (Linux), that is what counts;
//! elsewhere the request has to say so itself. Evident, not proof: every such act also leaves a Change row.

use crate::api::Failure;
use crate::core::Core;
use axum::http::StatusCode;
use portcullis_domain::AppId;
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

/// Who is at the other end of a connection, as far as the system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Process(u32),
    /// Somebody whose open files may not be looked at (browsers guard theirs), or a system that does not tell.
    Unknown,
    /// Nobody any more: who it was cannot be told, and nobody waits for the answer.
    Gone,
}

impl Sender {
    /// Nothing that a ClientApp started may do this.
    pub fn is_no_app(&self, core: &Core) -> Result<(), Failure> {
        self.held_by_no_app(core).map(|_| ())
    }

    fn held_by_no_app(&self, core: &Core) -> Result<Holder, Failure> {
        let Some(peer) = self.peer else { return Ok(Holder::Process(std::process::id())) };
        let pid = match holder(peer, core.dashboard_port()) {
            Holder::Process(pid) => pid,
            Holder::Unknown => return Ok(Holder::Unknown),
            Holder::Gone => {
                let message = "Whoever asked for this hung up before it was known who it is.";
                return Err(Failure::new(StatusCode::FORBIDDEN, "no_presence", message));
            }
        };
        let Some(app) = core.apps.above(pid) else { return Ok(Holder::Process(pid)) };
        let name = core.apps.name(&app);
        core.refused_act(&app);
        let message = format!(
            "{name}, or a program that it started, may not loosen its own protection. Use the dashboard, or a terminal of its own."
        );
        Err(Failure::new(StatusCode::FORBIDDEN, "from_an_app", message))
    }

    /// The app that asks, or whose program does, as far as the system tells.
    pub fn app(&self, core: &Core) -> Option<AppId> {
        match holder(self.peer?, core.dashboard_port()) {
            Holder::Process(pid) => core.apps.above(pid),
            Holder::Unknown | Holder::Gone => None,
        }
    }

    /// A person does this, in the window or at a terminal.
    pub fn is_person(&self, core: &Core) -> Result<(), Failure> {
        let holder = self.held_by_no_app(core)?;
        if self.peer.is_none() || self.is_page || (self.says_terminal && is_at_terminal(holder)) {
            return Ok(());
        }
        let message =
            "This loosens protection, so a person has to do it: in the dashboard, or with `portcullis` at a terminal.";
        Err(Failure::new(StatusCode::FORBIDDEN, "no_presence", message))
    }
}

/// The process at the other end of a loopback connection to our `port`.
#[cfg(target_os = "linux")]
fn holder(peer: SocketAddr, port: u16) -> Holder {
    let SocketAddr::V4(peer) = peer else { return Holder::Unknown };
    let address = |ip: [u8; 4], port: u16| format!("{:08X}:{port:04X}", u32::from_le_bytes(ip));
    let (local, remote) = (address(peer.ip().octets(), peer.port()), address([127, 0, 0, 1], port));
    let Ok(table) = std::fs::read_to_string("/proc/net/tcp") else { return Holder::Unknown };
    // State and inode of one end of the connection.
    let end = |from: &str, to: &str| {
        table.lines().find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, of, with, state, .., inode] = fields.get(..10)? else { return None };
            (*of == from && *with == to).then(|| ((*state).to_owned(), (*inode).to_owned()))
        })
    };
    const ESTABLISHED: &str = "01";
    if end(&remote, &local).is_none_or(|(state, _)| state != ESTABLISHED) {
        return Holder::Gone;
    }
    // It may also come from outside this system, as from the desktop around a virtual machine.
    let Some((_, inode)) = end(&local, &remote) else { return Holder::Unknown };
    let socket = std::path::PathBuf::from(format!("socket:[{inode}]"));
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let holds = |pid: &u32| {
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        open.into_iter().any(|fd| std::fs::read_link(fd.path()).is_ok_and(|target| target == socket))
    };
    pids.find(holds).map_or(Holder::Unknown, Holder::Process)
}

#[cfg(not(target_os = "linux"))]
fn holder(_: SocketAddr, _: u16) -> Holder {
    Holder::Unknown
}

/// Whether the process has a controlling terminal. Our command never hides who it is.
#[cfg(target_os = "linux")]
fn is_at_terminal(holder: Holder) -> bool {
    let Holder::Process(pid) = holder else { return false };
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // `pid (name) state ppid pgrp session tty_nr …`, and the name may hold brackets.
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after.split_whitespace().nth(4).is_some_and(|tty| tty != "0")
}

#[cfg(not(target_os = "linux"))]
fn is_at_terminal(_: Holder) -> bool {
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
        let address = stream.local_addr().unwrap();
        assert_eq!(holder(address, port), Holder::Process(std::process::id()));
        assert_eq!(holder(address, port.wrapping_add(1)), Holder::Gone, "another listener's connection");
    }

    #[test]
    fn whoever_hangs_up_first_is_nobody_and_stands_at_no_terminal() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (accepted, address) = listener.accept().unwrap();
        drop(stream);
        assert_eq!(holder(address, port), Holder::Gone, "closed here, still open there");
        drop(accepted);
        assert!(!is_at_terminal(Holder::Gone) && !is_at_terminal(Holder::Unknown));
    }
}
