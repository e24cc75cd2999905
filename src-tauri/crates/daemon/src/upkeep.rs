//! What has to be done now and then while the daemon runs: idle sessions, the end of a pause, the shim's snapshot,
//! spooled rows, changed and queued app configs.

use crate::core::{Core, cause};
use crate::{api, shim_binary, spool};
use portcullis_gateway::Gateway;
use std::sync::Arc;
use std::time::Duration;

const TICK: Duration = Duration::from_secs(1);
/// Reading folders is done every so many ticks.
const SLOW: u64 = 3;
/// How long ended Decisions stay in the list.
const ENDED_DECISIONS_MS: i64 = 30 * 24 * 3_600_000;

pub(crate) fn spawn(core: &Arc<Core>, gateway: &Gateway) {
    let (core_, gateway) = (core.clone(), gateway.clone());
    core.tasks.spawn(async move {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for tick in 0u64.. {
            tokio::select! {
                _ = ticks.tick() => {}
                () = core_.stop.cancelled() => return,
            }
            let (core, gateway) = (core_.clone(), gateway.clone());
            let done = tokio::task::spawn_blocking(move || {
                gateway.sweep();
                if tick == 0
                    && let Err(error) = shim_binary::install(&core.home, core.shim_source.as_deref(), true)
                {
                    tracing::warn!(%error, "the shim could not be compared");
                }
                once(&core, tick % SLOW == 0);
            });
            if let Err(error) = done.await {
                core_.report(format!("Something inside Portcullis failed ({error}). Restart it."));
            }
        }
    });
    api::watch_apps(core);
}

/// One round. `slow`: folders too.
pub(crate) fn once(core: &Core, slow: bool) {
    match core.end_pause() {
        Ok(()) => core.settled(cause::PAUSE),
        Err(error) => core.report_of(cause::PAUSE, format!("The pause could not be ended: {error}.")),
    }
    match core.end_quarantines() {
        Ok(()) => core.settled(cause::QUARANTINE),
        Err(failure) => {
            core.report_of(cause::QUARANTINE, format!("A quarantine could not be ended: {}.", failure.error.message))
        }
    }
    match core.refresh_snapshot() {
        Ok(()) => core.settled(cause::SNAPSHOT),
        Err(error) => core.report_of(
            cause::SNAPSHOT,
            format!("The shim would judge by old rules while the daemon is away: {error}."),
        ),
    }
    if slow {
        match core.decisions.tidy(crate::clock::now(), ENDED_DECISIONS_MS) {
            Ok(()) => core.settled(cause::DECISIONS),
            Err(error) => {
                core.report_of(cause::DECISIONS, format!("Your decisions could not be written down: {error}."));
            }
        }
        core.retry();
        import_spool(core);
        api::apply_queued(core);
    }
}

pub(crate) fn import_spool(core: &Core) {
    match spool::import(&core.home, |row| core.record(row), || core.audit.flush().is_ok()) {
        Ok(_) => core.settled(cause::SPOOL),
        Err(error) => core
            .report_of(cause::SPOOL, format!("Rows written while the daemon was away could not be imported: {error}.")),
    }
    match spool::bad_lines(&core.home) {
        0 => core.settled(cause::BAD_ROWS),
        lines => core.report_of(
            cause::BAD_ROWS,
            format!(
                "{lines} rows that the shim wrote while the daemon was away could not be read. They are kept in \
                 {}/*.bad; remove those files when you have seen them.",
                core.home.spool().display()
            ),
        ),
    }
}
