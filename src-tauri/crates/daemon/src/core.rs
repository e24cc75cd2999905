//! Everything the daemon knows, wired together, without a listener: commands that work while no daemon runs use the same
//! thing. Changes that touch protection are made here, so that each leaves a Change row and a live event.

use crate::apps::Apps;
use crate::asks::Asks;
use crate::config::{ConfigFile, SettingsFile, Upstreams};
use crate::home::Home;
use crate::judges::Judges;
use crate::problems::Problems;
use crate::rules::Rules;
use crate::sealed_file::SealedFile;
use crate::signatures::Signatures;
use crate::{Error, clock};
use arc_swap::ArcSwap;
use portcullis_audit::{Audit, AuditLimits};
use portcullis_domain::api::{DrillReport, LiveEvent};
use portcullis_domain::{AppId, AuditRow, Change, ChangeKind, UnixMs};
use portcullis_gateway::oauth::SignIns;
use portcullis_gateway::{Callers, Health, Routes};
use portcullis_policy::snapshot::Revival;
use portcullis_policy::{DecisionBook, Judge, Origins, PinBook};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod open;
mod snapshot;
mod switch;

/// Sees every audit row before it is stored: a drill passes its rows on to whoever started it.
pub type Tap = Arc<dyn Fn(&AuditRow) + Send + Sync>;

/// How to start.
#[derive(Clone)]
pub struct Config {
    pub home: Home,
    /// The HOME whose apps are looked at. None: the person's own.
    pub apps_home: Option<PathBuf>,
    /// Instead of the config file's. 0: whatever is free, unless one was chosen before.
    pub proxy_port: Option<u16>,
    pub dashboard_port: Option<u16>,
    /// The shim to install. None: the one beside the running executable.
    pub shim: Option<PathBuf>,
    pub tap: Option<Tap>,
    /// Whether shims may start a daemon when this one has died.
    pub revivable: bool,
}

impl Config {
    /// A daemon apart from the person's own.
    pub fn at(home: Home) -> Self {
        let (apps_home, proxy_port, dashboard_port, shim, tap) = (None, None, None, None, None);
        Self { home, apps_home, proxy_port, dashboard_port, shim, tap, revivable: false }
    }
    /// The person's own.
    pub fn from_environment() -> Result<Self, Error> {
        Ok(Self { revivable: true, ..Self::at(Home::from_environment()?) })
    }
}

pub(crate) struct Core {
    pub home: Home,
    pub started_at: UnixMs,
    pub audit: Audit,
    pub apps: Apps,
    pub pins: Arc<PinBook>,
    pub routes: Arc<ArcSwap<Routes>>,
    pub judge: Arc<ArcSwap<Judge>>,
    pub sign_ins: Arc<SignIns>,
    pub(crate) own_sign_ins_file: SealedFile,
    pub callers: Arc<Callers>,
    pub health: Arc<Health>,
    pub asks: Asks,
    pub judges: Judges,
    pub decisions: Arc<DecisionBook>,
    pub drill: Mutex<Option<DrillReport>>,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
    pub(crate) ports: (u16, u16),
    pub(crate) waiting: Mutex<std::collections::HashSet<portcullis_domain::ExchangeId>>,
    pub(crate) tap: Option<Tap>,
    pub(crate) shim_source: Option<PathBuf>,
    pub(crate) bus: broadcast::Sender<LiveEvent>,
    key: Vec<u8>,
    config: Mutex<ConfigFile>,
    rules: Mutex<Rules>,
    /// How often the snapshot was written.
    snapshots: AtomicU64,
    /// What results held, over all changes of the rules.
    origins: Arc<Origins>,
    signatures: Mutex<Signatures>,
    /// The person's own files in force, for the snapshot: whoever writes it may hold the others already.
    own_signatures: ArcSwap<Vec<(String, String)>>,
    problems: Problems,
    /// Pins changed since the snapshot was written.
    pins_changed: Arc<AtomicBool>,
    withheld: Mutex<usize>,
    /// How a shim starts the daemon; a command that runs without one leaves it as it was.
    revival: Mutex<Option<Revival>>,
}

/// What a problem may hang on.
pub(crate) mod cause {
    pub const RULES: &str = "rules";
    pub const DECISIONS: &str = "decisions";
    pub const SHIM: &str = "shim";
    pub const PAUSE: &str = "pause";
    pub const QUARANTINE: &str = "quarantine";
    pub const SNAPSHOT: &str = "snapshot";
    pub const SPOOL: &str = "spool";
    pub const BAD_ROWS: &str = "bad-rows";
    pub const ROUTES: &str = "routes";
    pub const QUEUE: &str = "queue";
    pub const SIGNATURES: &str = "signatures";
    pub const JUDGES: &str = "judges";
    /// Followed by the file's path.
    pub const QUEUED: &str = "queued:";
}

fn no_shim(error: &Error) -> String {
    format!("Servers that an app starts itself cannot be protected: {error}.")
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every holder leaves a complete value behind: a panic elsewhere must not take the daemon down with it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn audit_limits(settings: &SettingsFile) -> AuditLimits {
    AuditLimits {
        max_age_days: settings.retention_days,
        max_bytes: u64::from(settings.retention_mib) * 1024 * 1024,
        ..AuditLimits::default()
    }
}

impl Core {
    /// What seals are made with.
    pub fn key(&self) -> &[u8] {
        &self.key
    }
    pub fn proxy_port(&self) -> u16 {
        self.ports.0
    }
    pub fn dashboard_port(&self) -> u16 {
        self.ports.1
    }
    pub fn subscribe(&self) -> broadcast::Receiver<LiveEvent> {
        self.bus.subscribe()
    }
    pub fn publish(&self, event: LiveEvent) {
        // Nobody may be listening.
        let _ = self.bus.send(event);
    }
    pub fn stale(&self, what: &[&str]) {
        self.publish(LiveEvent::Stale { what: what.iter().map(|word| (*word).to_owned()).collect() });
    }

    pub fn change(&self, kind: ChangeKind, app: Option<AppId>, summary: impl Into<String>) {
        let summary = summary.into();
        self.record(AuditRow::Change(Change { at: clock::now(), kind, app, summary, loosens: false }));
    }

    /// As `change`, for what lets something pass that did not before: the shell and every page tell the person of it, and
    /// where there is neither, the program's own log.
    pub fn loosened(&self, kind: ChangeKind, app: Option<AppId>, summary: impl Into<String>) {
        let summary = summary.into();
        // As a field: it holds names that servers chose, and a line end in one must not begin a line of its own.
        tracing::warn!(summary, "protection was loosened");
        self.record(AuditRow::Change(Change { at: clock::now(), kind, app, summary, loosens: true }));
    }

    /// What touches protection, one sentence each.
    pub fn problems(&self) -> Vec<String> {
        let mut all = self.problems.sentences();
        all.extend(
            self.audit.problem().map(|why| format!("The audit log is not being written: {why}. Checking goes on.")),
        );
        all
    }
    /// What only a restart mends. Said once, however often it happens.
    pub fn report(&self, problem: String) {
        if self.problems.lasting(problem.clone()) {
            tracing::warn!("{problem}");
            self.stale(&["status"]);
        }
    }
    /// A problem that goes with its cause, see `settled`.
    pub fn report_of(&self, cause: &str, problem: String) {
        if self.problems.of(cause, problem.clone()) {
            tracing::warn!("{problem}");
            self.stale(&["status"]);
        }
    }
    /// What `cause` stands for is in order (again).
    pub fn settled(&self, cause: &str) {
        if self.problems.gone(cause) {
            self.stale(&["status"]);
        }
    }
    /// All causes below `prefix` but these are in order (again).
    pub fn settled_but(&self, prefix: &str, causes: &[String]) {
        if self.problems.only(prefix, causes) {
            self.stale(&["status"]);
        }
    }

    /// Tries again what had failed: to put the shim in its place, to read where servers are.
    pub fn retry(&self) {
        if self.problems.has(cause::ROUTES)
            && let Err(error) = self.refresh_routes()
        {
            self.report_of(cause::ROUTES, error.to_string());
        }
        if self.problems.has(cause::SHIM) {
            match crate::shim_binary::install(&self.home, self.shim_source.as_deref(), true) {
                Ok(()) => self.settled(cause::SHIM),
                Err(error) => self.report_of(cause::SHIM, no_shim(&error)),
            }
        }
    }

    /// Reads from the journal where every protected entry really goes.
    pub fn refresh_routes(&self) -> Result<(), Error> {
        let routes: Routes =
            self.apps.upstreams()?.into_iter().map(|upstream| (upstream.id.clone(), Arc::new(upstream))).collect();
        self.pins.know(routes.values().map(|upstream| &**upstream));
        let commands = routes.values().map(|up| (up.id.clone(), portcullis_policy::command_digest(up))).collect();
        self.decisions.commands_changed(&commands, clock::now());
        self.routes.store(Arc::new(routes));
        self.settled(cause::ROUTES);
        self.pins_changed.store(true, Ordering::Relaxed);
        Ok(())
    }

    pub fn settings(&self) -> SettingsFile {
        locked(&self.config).settings
    }

    pub fn set_settings(&self, settings: SettingsFile) -> Result<(), Error> {
        let mut config = locked(&self.config);
        let before = config.settings;
        if before == settings {
            return Ok(());
        }
        let new = ConfigFile { settings, ..config.clone() };
        new.store(&self.home)?;
        let old = std::mem::replace(&mut *config, new);
        drop(config);
        // The Judge holds new servers back, or does not.
        if let Err(error) = self.set_rules(|_| {}) {
            // What is not in force must not be what the next look, or the next start, finds.
            if let Err(error) = old.store(&self.home) {
                tracing::error!(%error, "the settings from before could not be written back");
            }
            *locked(&self.config) = old;
            return Err(error);
        }
        self.audit.set_limits(audit_limits(&settings));
        if before.keep_originals && !settings.keep_originals {
            self.audit.delete_originals().map_err(|error| Error::Audit(error.to_string()))?;
        }
        self.asks.seconds.store(settings.ask_seconds, Ordering::Relaxed);
        match settings.loosens(&before) {
            Some(what) => self.loosened(ChangeKind::SettingChanged, None, what),
            None => self.change(ChangeKind::SettingChanged, None, "Settings were changed."),
        }
        self.stale(&["settings"]);
        Ok(())
    }

    pub fn shims_may_start_daemon(&self) -> bool {
        locked(&self.config).shim.start_daemon
    }

    pub fn upstreams(&self) -> Upstreams {
        locked(&self.config).upstreams.clone()
    }

    pub fn rules(&self) -> Rules {
        locked(&self.rules).clone()
    }

    pub fn with_signatures<T>(&self, read: impl FnOnce(&Signatures) -> T) -> T {
        read(&locked(&self.signatures))
    }
}
