//! Unix: another program of ours, apart from the app that started us.

use portcullis_policy::snapshot::Revival;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Opens a file of ours for reading and writing, made if it is missing; never through a link that somebody put there.
pub fn open_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    options.open(path)
}

/// The daemon in a session of its own: neither the app's terminal, nor its pipes, nor its end are its business.
#[allow(unsafe_code)]
pub fn start_detached(revival: &Revival) -> io::Result<Child> {
    let mut command = Command::new(&revival.program);
    command.args(&revival.arguments).env_clear().envs(revival.environment.iter().cloned()).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: between fork and exec only async-signal-safe system calls are made, and nothing is allocated; the set is
    // initialised before use.
    unsafe {
        command.pre_exec(|| {
            if libc::setsid() == -1 {
                return Err(io::Error::last_os_error());
            }
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut none);
            libc::pthread_sigmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
            close_on_exec_from(3);
            Ok(())
        });
    }
    command.spawn()
}

/// What the app left open for us without meaning to.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn close_on_exec_from(first: libc::c_uint) {
    const CLOSE_RANGE_CLOEXEC: libc::c_uint = 4;
    // SAFETY: a plain system call on this process' descriptors. Kernels before 5.11 do not know it: then they stay open.
    unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, CLOSE_RANGE_CLOEXEC) };
}
#[cfg(not(target_os = "linux"))]
#[allow(unsafe_code)]
fn close_on_exec_from(first: libc::c_int) {
    for descriptor in first..256 {
        // SAFETY: plain system calls; a number that is no descriptor is an error that means nothing.
        unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}
