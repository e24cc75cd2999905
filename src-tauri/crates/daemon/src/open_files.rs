//! How many files the daemon may have open. Each stream through the proxy is two sockets, and systems grant a process 256
//! (macOS) or 1024 (Linux desktops) unless it asks for more: without this, streams beyond some hundreds would be cut.

/// Enough for every limit that a person would configure; what the system allows at most counts.
const WANTED: u64 = 65_536;

/// Asks the system for more, and says how many there may be. It never fails the start: with fewer files the daemon carries
/// fewer streams.
pub(crate) fn allow_many() -> usize {
    #[cfg(unix)]
    let most = rlimit::increase_nofile_limit(WANTED).unwrap_or_else(|error| {
        tracing::warn!(%error, "the limit of open files could not be raised");
        rlimit::Resource::NOFILE.get().map_or(256, |(soft, _)| soft)
    });
    #[cfg(not(unix))]
    let most = WANTED;
    usize::try_from(most.min(WANTED)).unwrap_or(usize::MAX)
}
