//! What the person switches: a pause, modes, Signatures. On disk first, then in force, then on record.

use super::{Core, cause, locked};
use crate::config::SettingsFile;
use crate::rules::Rules;
use crate::signatures::Signatures;
use crate::{Error, clock};
use portcullis_domain::api::ModeRequest;
use portcullis_domain::{ChangeKind, Mode, UnixMs};
use portcullis_policy::Judge;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Core {
    /// None: until resumed.
    pub fn pause(&self, minutes: Option<u32>) -> Result<UnixMs, Error> {
        let until = minutes.map_or(UnixMs::MAX, |minutes| clock::now() + i64::from(minutes) * 60_000);
        self.set_rules(|rules| rules.paused_until = Some(until))?;
        let summary = match minutes {
            Some(minutes) => {
                format!("Checking was paused for {minutes} minutes: calls are recorded, nothing is blocked.")
            }
            None => "Checking was paused until resumed: calls are recorded, nothing is blocked.".to_owned(),
        };
        self.loosened(ChangeKind::Paused, None, summary);
        self.stale(&["status"]);
        Ok(until)
    }

    pub fn resume(&self, why: &str) -> Result<(), Error> {
        if locked(&self.rules).paused_until.is_none() {
            return Ok(());
        }
        self.set_rules(|rules| rules.paused_until = None)?;
        self.change(ChangeKind::Resumed, None, why);
        self.stale(&["status"]);
        Ok(())
    }

    /// `milder`: less is blocked or asked than before.
    pub fn set_mode(&self, request: &ModeRequest, milder: bool) -> Result<(), Error> {
        let mut what = "The default".to_owned();
        if let Some(app) = &request.app {
            what = self.apps.name(app);
        }
        if let Some(upstream) = &request.upstream {
            what = self.routes.load().get(upstream).map_or("A server".into(), |up| format!("The server `{}`", up.name));
        }
        self.set_rules(|rules| {
            rules.modes.set(request.app.as_ref(), request.upstream.as_ref(), request.mode);
        })?;
        let now = match request.mode {
            Some(Mode::Monitor) => "is in Monitor now: what would be blocked goes through, and the log says so",
            Some(Mode::Ask) => "is in Ask now: what is doubtful waits for an answer",
            Some(Mode::Block) => "is in Block now: what is doubtful is blocked without a question",
            None => "follows what is set above it",
        };
        let summary = format!("{what} {now}.");
        if milder {
            self.loosened(ChangeKind::ModeChanged, request.app.clone(), summary);
        } else {
            self.change(ChangeKind::ModeChanged, request.app.clone(), summary);
        }
        self.stale(&["modes", "status", "apps"]);
        Ok(())
    }

    /// False: there is no such Signature.
    pub fn switch_signature(&self, id: &str, enabled: bool) -> Result<bool, Error> {
        let Some(title) = self.with_signatures(|all| all.get(id).map(|file| file.title.clone())) else {
            return Ok(false);
        };
        let is_so = locked(&self.rules).disabled.contains(id) != enabled;
        if is_so {
            return Ok(true);
        }
        self.set_rules(|rules| {
            if enabled {
                rules.disabled.remove(id)
            } else {
                rules.disabled.insert(id.to_owned())
            };
        })?;
        let summary = |word| format!("The signature {id} ({title}) was switched {word}.");
        if enabled {
            self.change(ChangeKind::SignatureSwitched, None, summary("on"));
        } else {
            self.loosened(ChangeKind::SignatureSwitched, None, summary("off"));
        }
        self.stale(&["signatures", "status"]);
        Ok(true)
    }

    /// Changes rules, on disk first: what a restart would not know must not be in force.
    pub(crate) fn set_rules(&self, edit: impl FnOnce(&mut Rules)) -> Result<(), Error> {
        let mut rules = locked(&self.rules);
        let mut new = rules.clone();
        edit(&mut new);
        self.save_snapshot(&new)?;
        let mut signatures = locked(&self.signatures);
        if new.disabled != rules.disabled {
            signatures.compile(&new.disabled);
        }
        *rules = new;
        self.install_judge(&rules, &signatures);
        // The person has set them again.
        self.settled(cause::RULES);
        Ok(())
    }

    fn install_judge(&self, rules: &Rules, signatures: &Signatures) {
        let config = locked(&self.config);
        let judge =
            Judge::new(signatures.scanner(), self.pins.clone(), policy_rules(rules, &config.settings), config.limits)
                .with_decisions(self.decisions.clone())
                .with_origins(self.origins.clone());
        self.judge.store(Arc::new(judge));
    }

    /// Takes up changes of the person's Signature files, for the shims too.
    pub fn refresh_signatures(&self) {
        let rules = locked(&self.rules);
        let mut signatures = locked(&self.signatures);
        if !signatures.refresh(&rules.disabled) {
            return;
        }
        self.install_judge(&rules, &signatures);
        self.own_signatures.store(Arc::new(signatures.own_texts()));
        self.pins_changed.store(true, Ordering::Relaxed);
        let problem = signatures.problem();
        drop((signatures, rules));
        match problem {
            Some(problem) => self.report_of(cause::SIGNATURES, problem),
            None => self.settled(cause::SIGNATURES),
        }
        // What fails here is written, and reported, with the next tick.
        if let Err(error) = self.refresh_snapshot() {
            tracing::warn!(%error, "the snapshot for the shim could not be written");
        }
        self.stale(&["signatures", "status"]);
    }

    /// Ends a pause whose time is over.
    pub fn end_pause(&self) -> Result<(), Error> {
        let over = locked(&self.rules).paused_until.is_some_and(|until| until <= clock::now());
        if over { self.resume("The pause ended: what is not allowed is blocked again.") } else { Ok(()) }
    }
}

pub(super) fn policy_rules(rules: &Rules, settings: &SettingsFile) -> portcullis_policy::Rules {
    portcullis_policy::Rules {
        paused_until: rules.paused_until,
        hold_new_servers: settings.hold_new_servers,
        modes: rules.modes.clone(),
        quarantined: rules.quarantined.clone(),
    }
}
