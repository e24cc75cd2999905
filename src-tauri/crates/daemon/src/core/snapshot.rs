//! The sealed snapshot: what shims judge by while no daemon runs, and what the next start begins with.

use super::{Core, locked};
use crate::rules::{self, Rules};
use crate::{Error, decision_file};
use portcullis_policy::Snapshot;
use portcullis_policy::snapshot::Revival;
use std::sync::atomic::Ordering;

impl Core {
    /// How a shim may start the daemon from now on; None: not at all.
    pub fn set_revival(&self, revival: Option<Revival>) {
        *locked(&self.revival) = revival;
        self.pins_changed.store(true, Ordering::Relaxed);
    }

    /// Writes the snapshot for the shim if pins, routes or withheld tools changed since.
    pub fn refresh_snapshot(&self) -> Result<(), Error> {
        let withheld = self.pins.withheld().len();
        let more = std::mem::replace(&mut *locked(&self.withheld), withheld) != withheld;
        if self.pins_changed.swap(false, Ordering::Relaxed) || more {
            let rules = locked(&self.rules);
            let saved = self.save_snapshot(&rules);
            if saved.is_err() {
                self.pins_changed.store(true, Ordering::Relaxed);
            }
            return saved;
        }
        Ok(())
    }

    pub(super) fn save_snapshot(&self, rules: &Rules) -> Result<(), Error> {
        let mut disabled: Vec<String> = rules.disabled.iter().cloned().collect();
        disabled.sort();
        // One guard: two of them in one expression would wait for each other.
        let (hold_new_servers, limits) = {
            let config = locked(&self.config);
            (config.settings.hold_new_servers, config.limits)
        };
        // Whoever calls this holds the rules' lock.
        let written = self.snapshots.load(Ordering::Relaxed) + 1;
        let snapshot = Snapshot {
            pins: self.pins.all(),
            withheld: self.pins.withheld(),
            disabled_signatures: disabled,
            own_signatures: (**self.own_signatures.load()).clone(),
            paused_until: rules.paused_until,
            hold_new_servers,
            modes: rules.modes.clone(),
            quarantined: rules.quarantined.clone(),
            written,
            decisions: self.decisions.lasting(),
            upstreams: self.routes.load().values().map(|upstream| (**upstream).clone()).collect(),
            limits,
            revival: locked(&self.revival).clone(),
        };
        rules::save(&self.home, &self.key, &snapshot)?;
        self.snapshots.store(written, Ordering::Relaxed);
        // After the file: a crash in between leaves one that is newer than its mark.
        let mark = decision_file::mark(rules::MARK, written, &self.key);
        self.audit.set_mark(rules::MARK, mark).map_err(|error| Error::Audit(error.to_string()))
    }
}
