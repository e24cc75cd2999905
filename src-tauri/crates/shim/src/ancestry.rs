//! Which programs started us, nearest first: tells the daemon which copy of a ClientApp this is. A label, not a proof.

const MAX_ANCESTORS: usize = 16;

#[cfg(target_os = "linux")]
pub fn ancestry() -> Vec<(u32, String)> {
    let mut found = Vec::new();
    let mut pid = std::os::unix::process::parent_id();
    while pid > 0 && found.len() < MAX_ANCESTORS {
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { break };
        // `pid (name) state ppid …`, and the name may hold spaces and brackets.
        let Some((head, tail)) = stat.rsplit_once(')') else { break };
        let name = head.split_once('(').map_or("", |(_, name)| name);
        let exe = std::fs::read_link(format!("/proc/{pid}/exe")).map(|exe| exe.to_string_lossy().into_owned());
        found.push((pid, exe.unwrap_or_else(|_| name.to_owned())));
        pid = tail.split_whitespace().nth(1).and_then(|ppid| ppid.parse().ok()).unwrap_or(0);
    }
    found
}

#[cfg(all(unix, not(target_os = "linux")))]
pub fn ancestry() -> Vec<(u32, String)> {
    vec![(std::os::unix::process::parent_id(), String::new())].into_iter().take(MAX_ANCESTORS).collect()
}

#[cfg(windows)]
pub fn ancestry() -> Vec<(u32, String)> {
    Vec::with_capacity(MAX_ANCESTORS)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn the_nearest_is_our_parent_and_the_chain_ends() {
        let ancestors = super::ancestry();
        assert_eq!(ancestors.first().map(|(pid, _)| *pid), Some(std::os::unix::process::parent_id()));
        assert!(ancestors.iter().all(|(_, name)| !name.is_empty()));
        assert!(ancestors.len() <= super::MAX_ANCESTORS);
    }
}
