//! The drill: a hostile MCP server is called through the real installed path (config rewritten, shim, proxy) by a
//! bundled app, in a temporary HOME and a state directory of its own. The person's configs are never touched; the rows
//! go to the audit of whoever started it, under the app `drill`.

mod attacks;
mod client;
mod run;
mod server;

use crate::clock;
use crate::core::{Core, locked};
use portcullis_domain::api::{DrillReport, LiveEvent};
use std::sync::Arc;

pub use server::serve_stdio;

/// The app that a drill's rows carry.
pub const APP: &str = "drill";

/// Starts a drill in the background; while one runs, that one is the answer.
pub(crate) fn start(core: &Arc<Core>) -> DrillReport {
    let mut newest = locked(&core.drill);
    if let Some(report) = newest.as_ref().filter(|report| report.running) {
        return report.clone();
    }
    let report = DrillReport { at: clock::now(), running: true, rows: Vec::new(), error: None };
    *newest = Some(report.clone());
    drop(newest);
    core.publish(LiveEvent::Drill { report: report.clone() });
    let running = core.clone();
    core.tasks.spawn(async move {
        let update = |change: &dyn Fn(&mut DrillReport)| {
            let mut newest = locked(&running.drill);
            let report = newest.get_or_insert_with(|| DrillReport {
                at: clock::now(),
                running: true,
                rows: Vec::new(),
                error: None,
            });
            change(report);
            running.publish(LiveEvent::Drill { report: report.clone() });
        };
        let done = tokio::select! {
            done = run::run(&running, |row| update(&|report| report.rows.push(row.clone()))) => done,
            () = running.stop.cancelled() => Err(anyhow::anyhow!("Portcullis is being stopped")),
        };
        let error = done.err().map(|error| format!("{error:#}"));
        update(&|report| {
            report.running = false;
            report.error.clone_from(&error);
        });
    });
    report
}
