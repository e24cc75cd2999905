//! Notices when the person's Signature files change and has them read again. The system tells of changes; in case it
//! loses one, or cannot tell at all, the folder is looked at now and then.

use crate::core::Core;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// Editors write in several steps.
const CALM: Duration = Duration::from_millis(150);
/// Whoever never stops writing does not keep the others out.
const LONGEST: Duration = Duration::from_secs(2);
const SWEEP: Duration = Duration::from_secs(30);
/// When the system cannot tell of changes.
const POLL: Duration = Duration::from_secs(3);

pub(crate) fn spawn(core: &Arc<Core>) {
    let (touched, mut signals) = mpsc::channel(1);
    let told = move |event: notify::Result<notify::Event>| {
        if !event.is_ok_and(|event| event.kind.is_access()) {
            // Full: a look is due anyway.
            let _ = touched.try_send(());
        }
    };
    let mut watcher = notify::recommended_watcher(told)
        .inspect_err(|error| tracing::warn!(%error, "the system tells of no changes; signatures are looked at every few seconds"))
        .ok();
    let core = core.clone();
    core.tasks.clone().spawn(async move {
        loop {
            // Armed before reading: what changes in between is told, and read once more. Anew each time, because a
            // folder that was replaced is not the one that was watched.
            let armed = watcher.as_mut().is_some_and(|watcher| arm(watcher, &core));
            let reading = core.clone();
            if let Err(error) = tokio::task::spawn_blocking(move || reading.refresh_signatures()).await {
                core.report(format!("Your signature files could not be looked at ({error}). Restart Portcullis."));
            }
            tokio::select! {
                _ = timeout(if armed { SWEEP } else { POLL }, next(&mut signals)) => {}
                () = core.stop.cancelled() => return,
            }
            let last = Instant::now() + LONGEST;
            while timeout_at(last.min(Instant::now() + CALM), next(&mut signals)).await.is_ok() {}
        }
    });
}

/// Never ends where nobody can tell of anything.
async fn next(signals: &mut mpsc::Receiver<()>) {
    if signals.recv().await.is_none() {
        std::future::pending().await
    }
}

fn arm(watcher: &mut RecommendedWatcher, core: &Core) -> bool {
    let dir = core.home.signatures();
    // It may not be watched yet, or not be there any more.
    let _ = watcher.unwatch(&dir);
    watcher.watch(&dir, RecursiveMode::Recursive).inspect_err(|error| tracing::debug!(%error, "no watch")).is_ok()
}
