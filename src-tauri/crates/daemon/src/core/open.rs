//! Reads what the last run left and wires it together.

use super::switch::policy_rules;
use super::{Config, Core, audit_limits, cause, no_shim};
use crate::apps::Apps;
use crate::asks::Asks;
use crate::config::ConfigFile;
use crate::decision_file::DecisionFile;
use crate::handle::MAX_WAITING_EVENTS;
use crate::judges::{self, Judges};
use crate::own_sign_ins;
use crate::problems::Problems;
use crate::sealed_file::keep_in;
use crate::sealed_pins::reconcile;
use crate::signatures::Signatures;
use crate::{Error, clock, decision_file, rules, secret};
use arc_swap::ArcSwap;
use portcullis_audit::Audit;
use portcullis_clients::Serving;
use portcullis_domain::api::{DecisionRow, LiveEvent};
use portcullis_domain::{ChangeKind, Pin};
use portcullis_gateway::{AllFailing, Health};
use portcullis_policy::{DecisionBook, Judge, Origins, PinBook};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The mark in the audit log that holds which servers fail.
const FAILING: &str = "failing";

impl Core {
    /// Opens everything below `config.home`. The caller holds the lock. No app's config is touched.
    pub fn open(config: &Config, file: ConfigFile, ports: (u16, u16), serving: Serving) -> Result<Arc<Self>, Error> {
        let home = config.home.clone();
        let key = secret::key(&home)?;
        let audit = Audit::open(home.audit_file(), audit_limits(&file.settings), Arc::new(clock::now))
            .map_err(|error| Error::Audit(error.to_string()))?;
        let marked = |name: &str| audit.mark(name).map_err(|error| Error::Audit(error.to_string()));
        let rules_mark = marked(rules::MARK)?.and_then(|text| decision_file::read_mark(rules::MARK, &text, &key));
        let left = rules::load(&home, &key, rules_mark)?;
        let problems = Problems::default();
        let void_rules = left.problem;
        if let Some(problem) = &void_rules {
            problems.of(cause::RULES, problem.clone());
        }
        if let Err(error) = crate::shim_binary::install(&home, config.shim.as_deref(), false) {
            problems.of(cause::SHIM, no_shim(&error));
        }
        let pins_changed = Arc::new(AtomicBool::new(true));
        let (known, keep) = (marked(decision_file::MARK)?, keep_in(&audit, decision_file::MARK));
        let (decision_file, rows, tampered) = DecisionFile::open(&home, &key, known.as_deref(), keep)?;
        if let Some(problem) = &tampered {
            problems.lasting(problem.clone());
        }
        let decisions = decision_book(decision_file, rows, pins_changed.clone());
        let stored = audit.pins().map_err(|error| Error::Audit(error.to_string()))?;
        let reconciled = reconcile(stored, left.pins);
        let edited_pins = reconciled.problem();
        if let Some(problem) = &edited_pins {
            problems.lasting(problem.clone());
        }
        for pin in &reconciled.mended {
            audit.save_pin(pin).map_err(|error| Error::Audit(error.to_string()))?;
        }
        let pins = pin_book(reconciled.pins, audit.clone(), decisions.clone(), pins_changed.clone());
        for (upstream, tool) in &left.withheld {
            pins.withhold(upstream, std::slice::from_ref(tool));
        }
        let (known, keep) = (marked(own_sign_ins::NAME)?, keep_in(&audit, own_sign_ins::NAME));
        let own = own_sign_ins::open(&home, &key, known.as_deref(), keep)?;
        let mut options = file.upstreams.sign_in_options();
        options.transparent = own.list.unwrap_or(options.transparent);
        let (sign_ins, void) = crate::sign_ins::open(&home, &key, options)?;
        for problem in own.problem.into_iter().chain(void) {
            problems.lasting(problem);
        }
        let signatures = Signatures::load(&home, &left.rules.disabled);
        let origins = Arc::<Origins>::default();
        if let Some(problem) = signatures.problem() {
            problems.of(cause::SIGNATURES, problem);
        }
        let (known, keep) = (marked(judges::NAME)?, keep_in(&audit, judges::NAME));
        let (judges, edited) = Judges::open(&home, &key, known.as_deref(), keep)?;
        if let Some(problem) = edited {
            problems.of(cause::JUDGES, problem);
        }
        let judge =
            Judge::new(signatures.scanner(), pins.clone(), policy_rules(&left.rules, &file.settings), file.limits)
                .with_decisions(decisions.clone())
                .with_origins(origins.clone());
        let apps = Apps::open(&home, config.apps_home.clone(), ports.0, serving)?;
        for problem in apps.problems() {
            problems.lasting(problem.clone());
        }
        let bus = broadcast::channel(MAX_WAITING_EVENTS).0;
        let health = health(&audit, &bus, marked(FAILING)?.as_deref());
        let core = Self {
            asks: Asks::new(&bus, file.settings.ask_seconds, apps.patience()),
            judges,
            health,
            own_sign_ins_file: own.file,
            decisions,
            started_at: clock::now(),
            audit,
            apps,
            pins,
            routes: Arc::default(),
            judge: Arc::new(ArcSwap::from_pointee(judge)),
            sign_ins,
            callers: Arc::default(),
            drill: Mutex::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            ports,
            waiting: Mutex::default(),
            tap: config.tap.clone(),
            shim_source: config.shim.clone(),
            bus,
            key,
            config: Mutex::new(file),
            rules: Mutex::new(left.rules),
            snapshots: AtomicU64::new(left.written),
            origins: origins.clone(),
            own_signatures: ArcSwap::from_pointee(signatures.own_texts()),
            signatures: Mutex::new(signatures),
            problems,
            pins_changed,
            withheld: Mutex::default(),
            revival: Mutex::new(left.revival),
            home,
        };
        core.refresh_routes()?;
        for problem in [tampered, void_rules, edited_pins].into_iter().flatten() {
            core.change(ChangeKind::StateTampered, None, problem);
        }
        Ok(Arc::new(core))
    }
}

/// Which servers fail is kept, or a restart would count dead ones as seen. `known`: what was kept last; of an unknown form,
/// it is forgotten.
fn health(audit: &Audit, bus: &broadcast::Sender<LiveEvent>, known: Option<&str>) -> Arc<Health> {
    let known: AllFailing = known.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let (keeping, telling) = (audit.clone(), bus.clone());
    Health::new(Arc::new(clock::now), known, move |failing| {
        let kept = serde_json::to_string(failing).map_err(anyhow::Error::from);
        if let Err(error) = kept.and_then(|text| Ok(keeping.set_mark(FAILING, text)?)) {
            tracing::error!(%error, "which servers fail could not be kept");
        }
        // Nobody may be listening.
        let _ = telling.send(LiveEvent::Stale { what: vec!["apps".into(), "status".into()] });
    })
}

/// `changed`: the snapshot holds those that count without the daemon.
fn decision_book(file: DecisionFile, rows: Vec<DecisionRow>, changed: Arc<AtomicBool>) -> Arc<DecisionBook> {
    let save = move |rows: &[DecisionRow]| {
        changed.store(true, Ordering::Relaxed);
        file.save(rows).inspect_err(|error| tracing::error!(%error, "the decisions could not be written"))
    };
    Arc::new(DecisionBook::new(rows, Box::new(save)))
}

/// A Pin that changes is stored, and voids the Decisions that were made for what it was.
fn pin_book(saved: Vec<Pin>, store: Audit, decisions: Arc<DecisionBook>, changed: Arc<AtomicBool>) -> Arc<PinBook> {
    let save = move |pin: &Pin| {
        changed.store(true, Ordering::Relaxed);
        decisions.pin_changed(pin, clock::now());
        if let Err(error) = store.save_pin(pin) {
            tracing::error!(%error, "a pin could not be saved");
        }
    };
    Arc::new(PinBook::new(saved, Box::new(save)))
}
