//! What the operating system is asked for: which CPUs a process may use, its memory and CPU time, and to end.
//! Only Linux can place processes; elsewhere the runs say that they were not placed.

use anyhow::Result;
use std::process::Child;
use std::time::{Duration, Instant};

/// The CPUs that this program was given, before it placed anything.
pub fn cpus() -> Vec<usize> {
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
        parse_cpus(list)
    }
    #[cfg(not(target_os = "linux"))]
    Vec::new()
}

/// `0-2,5` as the kernel writes it.
#[cfg(any(target_os = "linux", test))]
fn parse_cpus(list: &str) -> Vec<usize> {
    list.trim()
        .split(',')
        .filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
        })
        .flatten()
        .collect()
}

/// Lets all threads of a process run on these CPUs only; threads and children it starts later inherit that.
pub fn place(pid: u32, cpus: &[usize]) -> Result<()> {
    #[cfg(target_os = "linux")]
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let name = task?.file_name();
        let Some(thread) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        match place_thread(thread, cpus) {
            // The thread ended while we were looking.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
            placed => placed?,
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (pid, cpus);
    Ok(())
}

/// Places the calling thread (0) or another one; children started from it inherit that.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn place_thread(thread: libc::pid_t, cpus: &[usize]) -> std::io::Result<()> {
    // SAFETY: a cpu_set_t is a plain bit set, for which all zeroes is the empty set; CPU_SET stays inside it because
    // larger numbers are skipped; the call reads exactly the size it is told.
    let result = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        for cpu in cpus.iter().filter(|cpu| **cpu < libc::CPU_SETSIZE as usize) {
            libc::CPU_SET(*cpu, &mut set);
        }
        libc::sched_setaffinity(thread, std::mem::size_of_val(&set), &raw const set)
    };
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

pub fn place_self(cpus: &[usize]) -> Result<()> {
    place(std::process::id(), cpus)
}

/// Resident memory in MiB, where the system tells.
pub fn rss_mib(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok().map(|kib| kib / 1024.0)
}

/// CPU time used so far, in ticks of the kernel.
fn cpu_ticks(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything; the numbers come after the last bracket.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Waits until a process has nothing left to do (its log is written), so that it does not disturb the next leg.
/// At most ten seconds; where the system does not tell, no wait at all.
pub fn until_quiet(pid: u32) {
    let end = Instant::now() + Duration::from_secs(10);
    let mut quiet = 0;
    while quiet < 3 && Instant::now() < end {
        let Some(before) = cpu_ticks(pid) else { return };
        std::thread::sleep(Duration::from_millis(40));
        quiet = if cpu_ticks(pid) == Some(before) { quiet + 1 } else { 0 };
    }
}

/// Asks a process to end in order; after ten seconds it is ended.
pub fn end(child: &mut Child) {
    terminate(child);
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn terminate(child: &Child) {
    if let Ok(pid) = libc::pid_t::try_from(child.id()) {
        // SAFETY: no memory is passed; the id is of a child that was not waited for yet, so it is nobody else's.
        unsafe { libc::kill(pid, libc::SIGTERM) };
    }
}

#[cfg(not(unix))]
fn terminate(child: &mut Child) {
    let _ = child.kill();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_list_of_cpus_is_read() {
        assert_eq!(parse_cpus("\t0-2,5\n"), [0, 1, 2, 5]);
        assert_eq!(parse_cpus("3"), [3]);
        assert!(parse_cpus("").is_empty());
    }
}
