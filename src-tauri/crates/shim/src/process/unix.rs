//! Unix: the server in a process group that dies with us, however we die.
//!
//! A *warden* (a fork of us, before any thread) leads the group and reads a pipe whose other end only we hold. When we
//! are gone, even by SIGKILL, the pipe ends and the warden kills the group: the server and whatever it started, unless
//! that moved to a group of its own on purpose. On Linux the server itself also has PR_SET_PDEATHSIG.

use super::{Ended, GRACE, Pipes};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Asked of us, passed on to the server's whole group.
const FORWARDED: [libc::c_int; 4] = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT];

pub struct Server {
    child: Mutex<Child>,
    pid: libc::pid_t,
    group: libc::pid_t,
    exited: AtomicBool,
    /// Somebody wants it to end.
    asked: AtomicBool,
    /// Held open for as long as we live.
    _alive: Option<io::PipeWriter>,
}

impl Server {
    /// To be called before any thread is started.
    pub fn spawn(argv: &[OsString]) -> io::Result<(Self, Pipes)> {
        let (program, args) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let warden = start_warden();
        let mut command = Command::new(program);
        // A terminal stays one: servers colour what they write there.
        let stderr = if io::stderr().is_terminal() { Stdio::inherit() } else { Stdio::piped() };
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr);
        // 0: no warden could be started, the server leads a group of its own.
        command.process_group(warden.as_ref().map_or(0, |(pid, _)| *pid));
        die_with_parent(&mut command);
        let mut child = command.spawn()?;
        let pipes = match (child.stdin.take(), child.stdout.take()) {
            (Some(stdin), Some(stdout)) => Pipes {
                stdin: File::from(OwnedFd::from(stdin)),
                stdout: File::from(OwnedFd::from(stdout)),
                stderr: child.stderr.take().map(|stderr| File::from(OwnedFd::from(stderr))),
            },
            _ => return Err(io::Error::other("no pipes to the server")),
        };
        let pid = child.id() as libc::pid_t;
        let (group, alive) = warden.map_or((pid, None), |(group, alive)| (group, Some(alive)));
        let (exited, asked) = (AtomicBool::new(false), AtomicBool::new(false));
        let server = Self { child: Mutex::new(child), pid, group, exited, asked, _alive: alive };
        Ok((server, pipes))
    }

    /// The server stays a zombie, so that its pid and group cannot become somebody else's meanwhile.
    pub fn wait_until_exited(&self) -> Ended {
        let ended = loop {
            if let Some(ended) = exited(self.pid) {
                break ended;
            }
        };
        self.exited.store(true, Ordering::Release);
        if self.asked.load(Ordering::Acquire) { Ended::AsAsked } else { ended }
    }

    /// The client closed: the server has `GRACE` to end by itself, then as long after SIGTERM.
    pub fn end_soon(self: &Arc<Self>) {
        self.asked.store(true, Ordering::Release);
        let server = self.clone();
        crate::start_thread("grace", move || {
            for signal in [libc::SIGTERM, libc::SIGKILL] {
                std::thread::sleep(GRACE);
                if server.exited.load(Ordering::Acquire) {
                    return;
                }
                server.signal(signal);
            }
        });
    }

    /// Ends everything that is left of the group.
    pub fn end_group(&self) {
        self.signal(libc::SIGKILL);
    }

    #[allow(unsafe_code)]
    fn signal(&self, signal: libc::c_int) {
        // SAFETY: no memory is involved. The group is ours: its leader or the unreaped server keeps the number taken.
        unsafe { libc::kill(-self.group, signal) };
    }

    /// Ends this process as the server ended.
    pub fn exit_like_it(&self) -> ! {
        self.end_group();
        let status = self.child.lock().unwrap_or_else(PoisonError::into_inner).wait();
        exit_like(status.unwrap_or_default())
    }
}

/// None: ask again.
#[allow(unsafe_code)]
fn exited(pid: libc::pid_t) -> Option<Ended> {
    // SAFETY: all zeros is a valid siginfo_t, and waitid writes only to it; the child is ours and not reaped elsewhere.
    // After a success it is one of SIGCHLD, whose status may be read.
    let (waited, code, status) = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let waited = libc::waitid(libc::P_PID, pid as libc::id_t, &mut info, libc::WEXITED | libc::WNOWAIT);
        (waited, info.si_code, info.si_status())
    };
    match waited {
        0 if code == libc::CLD_EXITED => Some(Ended::Code(status)),
        0 => Some(Ended::Signal(status)),
        _ if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => None,
        _ => Some(Ended::AsAsked),
    }
}

#[allow(unsafe_code)]
fn exit_like(status: ExitStatus) -> ! {
    if let Some(signal) = status.signal() {
        // SAFETY: plain system calls on this process; the limit lives through the call. A core file of us helps nobody.
        unsafe {
            libc::setrlimit(libc::RLIMIT_CORE, &libc::rlimit { rlim_cur: 0, rlim_max: 0 });
            libc::signal(signal, libc::SIG_DFL);
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            libc::sigaddset(&mut set, signal);
            libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
            libc::raise(signal);
        }
        std::process::exit(128 + signal);
    }
    std::process::exit(status.code().unwrap_or(crate::EXIT_INTERNAL));
}

/// The warden's pid and the pipe that tells it we live.
#[allow(unsafe_code)]
fn start_warden() -> Option<(libc::pid_t, io::PipeWriter)> {
    let (ours_gone, alive) = io::pipe().ok()?;
    // SAFETY: this process has a single thread, so the copy may do anything; it runs `stand_guard`, which never returns.
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => None,
        0 => {
            drop(alive);
            stand_guard(ours_gone)
        }
        _ => {
            // SAFETY: a plain system call. Both sides do it, so that the group exists whoever runs first.
            unsafe { libc::setpgid(pid, pid) };
            Some((pid, alive))
        }
    }
}

#[allow(unsafe_code)]
fn stand_guard(mut parent_gone: io::PipeReader) -> ! {
    // SAFETY: plain system calls on this fork. Its copies of the standard streams are used by nobody else, and must be
    // closed or the client would wait for them; signals for the group are the server's business.
    unsafe {
        libc::setpgid(0, 0);
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &all, std::ptr::null_mut());
        for standard in 0..=2 {
            libc::close(standard);
        }
        libc::chdir(c"/".as_ptr());
    }
    // `read` retries by itself when interrupted; any other end means that nobody is left to guard for.
    let _ = parent_gone.read(&mut [0]);
    // SAFETY: 0 is our own group, which we lead.
    unsafe {
        libc::kill(0, libc::SIGKILL);
        libc::_exit(0)
    }
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn die_with_parent(command: &mut Command) {
    let parent = std::process::id();
    // SAFETY: between fork and exec only two async-signal-safe system calls are made, and nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            match libc::getppid() as u32 == parent {
                true => Ok(()),
                false => Err(io::ErrorKind::Interrupted.into()),
            }
        });
    }
}
#[cfg(not(target_os = "linux"))]
fn die_with_parent(_: &mut Command) {}

/// Takes the signals of `FORWARDED` away from every thread and hands them to the server's group. To be called after the
/// server was started (it must not inherit the mask) and before any thread is.
#[allow(unsafe_code)]
pub fn forward_signals(server: &Arc<Server>) {
    // SAFETY: the set is initialised by sigemptyset before use, and the calls write to nothing else.
    let set = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in FORWARDED {
            libc::sigaddset(&mut set, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
        set
    };
    let server = server.clone();
    crate::start_thread("signals", move || {
        loop {
            let mut signal = 0;
            // SAFETY: both point to values that live through the call.
            if unsafe { libc::sigwait(&set, &mut signal) } != 0 {
                continue;
            }
            if server.exited.load(Ordering::Acquire) {
                // Only what the server said last is left, and we are asked not to wait for it.
                server.exit_like_it();
            }
            server.asked.store(true, Ordering::Release);
            server.signal(signal);
        }
    });
}

/// Our stdin and stdout as files that really close. Nothing else of this program may touch them in a relay.
#[allow(unsafe_code)]
pub fn standard_streams() -> (File, File) {
    // SAFETY: called once; the standard library keeps both open (or puts /dev/null there) at start and never closes them.
    unsafe { (File::from_raw_fd(0), File::from_raw_fd(1)) }
}

/// A handle of our own on our stderr.
pub fn standard_error() -> io::Result<File> {
    Ok(File::from(io::stderr().as_fd().try_clone_to_owned()?))
}

/// Waits for a pipe that somebody set to non-blocking mode (the mode is shared with whoever holds the other handle).
#[allow(unsafe_code)]
fn wait_ready(file: &File, events: libc::c_short) {
    let mut poll = libc::pollfd { fd: file.as_raw_fd(), events, revents: 0 };
    // SAFETY: one initialised pollfd that lives through the call.
    unsafe { libc::poll(&mut poll, 1, -1) };
}

/// Returns once nobody can read our standard output any more: the app is gone, and not only done with asking.
#[allow(unsafe_code)]
pub fn wait_until_unread() {
    let gone = libc::POLLERR | libc::POLLHUP | libc::POLLNVAL;
    let mut poll = libc::pollfd { fd: libc::STDOUT_FILENO, events: 0, revents: 0 };
    while poll.revents & gone == 0 {
        // SAFETY: one initialised pollfd that lives through the call.
        unsafe { libc::poll(&mut poll, 1, -1) };
    }
}

pub struct Blocking(pub File);

impl Read for Blocking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait_ready(&self.0, libc::POLLIN),
                other => return other,
            }
        }
    }
}

pub fn write_all(file: &mut File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait_ready(file, libc::POLLOUT),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
