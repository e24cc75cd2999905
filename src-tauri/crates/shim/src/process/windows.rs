//! Windows: the server in a Job Object that ends with us. Built from the documentation; not yet run on Windows.

use super::resolve::resolve;
use super::{Ended, GRACE, Pipes};
use portcullis_policy::snapshot::Revival;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::windows::io::{AsHandle, AsRawHandle, FromRawHandle, OwnedHandle};
use std::os::windows::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation, SetInformationJobObject,
    TerminateJobObject,
};

/// Process creation flags of Windows.
const DETACHED_PROCESS: u32 = 0x8;
const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
const CREATE_BREAKAWAY_FROM_JOB: u32 = 0x0100_0000;

pub struct Server {
    child: Mutex<Child>,
    exited: AtomicBool,
    /// Somebody wants it to end.
    asked: AtomicBool,
    /// Closed by the system when we are gone, which ends everything in it.
    job: Option<OwnedHandle>,
}

impl Server {
    pub fn spawn(argv: &[OsString]) -> io::Result<(Self, Pipes)> {
        let (program, args) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let variable = |name| std::env::var(name).unwrap_or_default();
        let found =
            program.to_str().and_then(|name| resolve(name, &variable("PATH"), &variable("PATHEXT"), |p| p.is_file()));
        let mut command = Command::new(found.map_or_else(|| program.clone(), Into::into));
        let stderr = if io::stderr().is_terminal() { Stdio::inherit() } else { Stdio::piped() };
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr);
        let mut child = command.spawn()?;
        let job = contain(&child);
        let pipes = match (child.stdin.take(), child.stdout.take()) {
            (Some(stdin), Some(stdout)) => Pipes {
                stdin: File::from(OwnedHandle::from(stdin)),
                stdout: File::from(OwnedHandle::from(stdout)),
                stderr: child.stderr.take().map(|stderr| File::from(OwnedHandle::from(stderr))),
            },
            _ => return Err(io::Error::other("no pipes to the server")),
        };
        let (exited, asked) = (AtomicBool::new(false), AtomicBool::new(false));
        Ok((Self { child: Mutex::new(child), exited, asked, job }, pipes))
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn wait_until_exited(&self) -> Ended {
        let status = loop {
            match self.child().try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                Ok(status) => break status,
                Err(_) => break None,
            }
        };
        self.exited.store(true, Ordering::Release);
        match status.and_then(|status| status.code()) {
            Some(code) if !self.asked.load(Ordering::Acquire) => Ended::Code(code),
            _ => Ended::AsAsked,
        }
    }

    /// The client closed: the server has two times `GRACE` to end by itself; there is no polite signal here.
    pub fn end_soon(self: &Arc<Self>) {
        self.asked.store(true, Ordering::Release);
        let server = self.clone();
        crate::start_thread("grace", move || {
            std::thread::sleep(2 * GRACE);
            if !server.exited.load(Ordering::Acquire) {
                server.end_group();
            }
        });
    }

    #[allow(unsafe_code)]
    pub fn end_group(&self) {
        match &self.job {
            // SAFETY: the handle is owned and open.
            Some(job) => unsafe {
                let _ = TerminateJobObject(job.as_raw_handle(), 1);
            },
            None => drop(self.child().kill()),
        }
    }

    pub fn exit_like_it(&self) -> ! {
        let status = self.child().wait();
        self.end_group();
        std::process::exit(status.ok().and_then(|status| status.code()).unwrap_or(crate::EXIT_INTERNAL))
    }
}

#[allow(unsafe_code)]
fn contain(child: &Child) -> Option<OwnedHandle> {
    // SAFETY: the structure is plain data for which zeros are valid, sized as told; handles are checked before use.
    unsafe {
        let job = CreateJobObjectW(std::ptr::null(), std::ptr::null());
        if job.is_null() {
            return None;
        }
        let job = OwnedHandle::from_raw_handle(job);
        let mut limits: JOBOBJECT_EXTENDED_LIMIT_INFORMATION = std::mem::zeroed();
        limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        let size = size_of::<JOBOBJECT_EXTENDED_LIMIT_INFORMATION>() as u32;
        let set = SetInformationJobObject(
            job.as_raw_handle(),
            JobObjectExtendedLimitInformation,
            (&raw const limits).cast(),
            size,
        );
        let assigned = AssignProcessToJobObject(job.as_raw_handle(), child.as_raw_handle());
        (set != 0 && assigned != 0).then_some(job)
    }
}

pub fn open_private(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(path)
}

/// The daemon outside of the app's console and of any job that would end with it.
pub fn start_detached(revival: &Revival) -> io::Result<Child> {
    let mut command = Command::new(&revival.program);
    command.args(&revival.arguments).env_clear().envs(revival.environment.iter().cloned());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP | CREATE_BREAKAWAY_FROM_JOB);
    command.spawn()
}

/// Ctrl-C reaches every process of the console by itself.
pub fn forward_signals(_: &Arc<Server>) {}

#[allow(unsafe_code)]
pub fn standard_streams() -> (File, File) {
    // SAFETY: called once; nothing else of this program touches the two handles in a relay.
    unsafe { (File::from_raw_handle(io::stdin().as_raw_handle()), File::from_raw_handle(io::stdout().as_raw_handle())) }
}

/// A handle of our own on our stderr.
pub fn standard_error() -> io::Result<File> {
    Ok(File::from(io::stderr().as_handle().try_clone_to_owned()?))
}

pub struct Blocking(pub File);

impl Read for Blocking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            // The other end of a pipe is gone: the end of the stream, not a failure.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
            other => other,
        }
    }
}

pub fn write_all(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)
}
