//! Everything the daemon knows, wired together, without a listener: commands that work while no daemon runs use the same
//! thing. Changes that touch protection are made here, so that each leaves a Change row and a live event.

use crate::apps::Apps;
use crate::asks::Asks;
use crate::config::{ConfigFile, SettingsFile, Upstreams};
use crate::handle::MAX_WAITING_EVENTS;
use crate::home::Home;
use crate::judges::Judges;
use crate::problems::Problems;
use crate::rules::{self, Rules};
use crate::signatures::Signatures;
use crate::{Error, clock, decision_file, secret};
use arc_swap::ArcSwap;
use portcullis_audit::{Audit, AuditLimits};
use portcullis_clients::Serving;
use portcullis_domain::api::{DrillReport, LiveEvent, ModeRequest};
use portcullis_domain::{AppId, AuditRow, Change, ChangeKind, Mode, UnixMs};
use portcullis_gateway::oauth::SignIns;
use portcullis_gateway::{Callers, Health, Routes};
use portcullis_policy::snapshot::Revival;
use portcullis_policy::{DecisionBook, Judge, Origins, PinBook, Snapshot};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

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

fn audit_limits(settings: &SettingsFile) -> AuditLimits {
    AuditLimits {
        max_age_days: settings.retention_days,
        max_bytes: u64::from(settings.retention_mib) * 1024 * 1024,
        ..AuditLimits::default()
    }
}

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
        let (guard, known) = (audit.clone(), marked(decision_file::MARK)?);
        let keep_mark = move |mark| {
            if let Err(error) = guard.set_mark(decision_file::MARK, mark) {
                tracing::error!(%error, "what guards the decisions could not be written");
            }
        };
        let (decision_file, rows, tampered) =
            decision_file::DecisionFile::open(&home, &key, known.as_deref(), Box::new(keep_mark))?;
        if let Some(problem) = &tampered {
            problems.lasting(problem.clone());
        }
        let changed = pins_changed.clone();
        let decisions = Arc::new(DecisionBook::new(
            rows,
            Box::new(move |rows| {
                // The snapshot holds those that count without the daemon.
                changed.store(true, Ordering::Relaxed);
                decision_file.save(rows).inspect_err(|error| {
                    tracing::error!(%error, "the decisions could not be written");
                })
            }),
        ));
        let (store, changed, bound) = (audit.clone(), pins_changed.clone(), decisions.clone());
        let saved = audit.pins().map_err(|error| Error::Audit(error.to_string()))?;
        let pins = Arc::new(PinBook::new(
            saved,
            Box::new(move |pin| {
                changed.store(true, Ordering::Relaxed);
                bound.pin_changed(pin, clock::now());
                if let Err(error) = store.save_pin(pin) {
                    tracing::error!(%error, "a pin could not be saved");
                }
            }),
        ));
        for (upstream, tool) in &left.withheld {
            pins.withhold(upstream, std::slice::from_ref(tool));
        }
        let (sign_ins, void) = crate::sign_ins::open(&home, &key, file.upstreams.sign_in_options())?;
        if let Some(problem) = void {
            problems.lasting(problem);
        }
        let signatures = Signatures::load(&home, &left.rules.disabled);
        let origins = Arc::<Origins>::default();
        if let Some(problem) = signatures.problem() {
            problems.of(cause::SIGNATURES, problem);
        }
        let (judges, edited) = Judges::open(&home, &key)?;
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
        let telling = bus.clone();
        let health = Health::new(Arc::new(clock::now), move || {
            // Nobody may be listening.
            let _ = telling.send(LiveEvent::Stale { what: vec!["apps".into(), "status".into()] });
        });
        let core = Self {
            asks: Asks::new(&bus, file.settings.ask_seconds, apps.patience()),
            judges,
            health,
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
        for problem in tampered.into_iter().chain(void_rules) {
            core.change(ChangeKind::StateTampered, None, problem);
        }
        Ok(Arc::new(core))
    }

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
        tracing::warn!("protection was loosened: {summary}");
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
        *config = new;
        drop(config);
        // The Judge holds new servers back, or does not.
        self.set_rules(|_| {})?;
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
            let modes = &mut rules.modes;
            match (&request.app, &request.upstream, request.mode) {
                (_, Some(upstream), Some(mode)) => drop(modes.upstreams.insert(upstream.clone(), mode)),
                (_, Some(upstream), None) => drop(modes.upstreams.remove(upstream)),
                (Some(app), None, Some(mode)) => drop(modes.apps.insert(app.clone(), mode)),
                (Some(app), None, None) => drop(modes.apps.remove(app)),
                (None, None, mode) => modes.default = mode.unwrap_or_default(),
            }
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

    fn save_snapshot(&self, rules: &Rules) -> Result<(), Error> {
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

fn policy_rules(rules: &Rules, settings: &SettingsFile) -> portcullis_policy::Rules {
    portcullis_policy::Rules {
        paused_until: rules.paused_until,
        hold_new_servers: settings.hold_new_servers,
        modes: rules.modes.clone(),
        quarantined: rules.quarantined.clone(),
    }
}
