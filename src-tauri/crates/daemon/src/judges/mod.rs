//! Optional judges, beside the pure policy and never needed: asked after a Message went on, about what the local checks
//! found doubtful or nearly so. An opinion can only add a Finding that flags; nothing here takes one away, and an answer
//! that is late, missing or unreadable counts as none. While no judge is on, the one cost is a look at a flag.
//!
//! Rows come from the recorder (masked, off the data path) through `offer` into a bounded queue; one task asks the judges
//! one after the other, within each one's time, budget and cache.

mod acts;
mod budget;
mod case;
mod model;
mod onnx;
mod prompt;
mod settings;

use crate::core::{Core, locked};
use crate::home::Home;
use crate::sealed_file::{Keep, SealedFile};
use crate::{Error, clock};
pub(crate) use acts::SetFault;
use arc_swap::ArcSwap;
use budget::Budget;
use case::Case;
use model::ModelJudge;
use onnx::OnnxJudge;
use portcullis_domain::api::{JudgeCounts, JudgeInfo, JudgeKind, JudgeList, JudgeName, JudgeSettings};
use portcullis_domain::{Confidence, Exchange, Finding, Scan, Severity, Verdict};
use portcullis_gateway::Client;
pub(crate) use settings::NAME;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Rows that wait for a judge; beyond it they are counted and left.
const MAX_QUEUED: usize = 64;
const MAX_CACHED: usize = 1024;
/// For a judge to get ready (a model to be read), once, before its own time counts.
const READY: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// From here on an opinion is grave.
const GRAVE_PERCENT: u32 = 90;
const PREFIX: &str = "judge-";

/// What a judge thinks of an Exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opinion {
    pub percent: u32,
    /// One of a fixed few.
    pub category: &'static str,
    /// Hostile text: it may have been written by whoever wrote the Message.
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Unparsable(String),
    Failed(String),
    Late,
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Opinion, Fault>> + Send + 'a>>;
type Ready<'a> = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'a>>;

/// Dropping an answer that is awaited must end the work for it.
pub(crate) trait ExtraJudge: Send + Sync {
    fn opine<'a>(&'a self, case: &'a Case) -> Answer<'a>;
    fn ready(&self) -> Ready<'_> {
        Box::pin(std::future::ready(Ok(())))
    }
    /// Why it cannot work now.
    fn problem(&self) -> Option<String> {
        None
    }
}

struct Active {
    name: JudgeName,
    settings: JudgeSettings,
    judge: Arc<dyn ExtraJudge>,
}

pub(crate) struct Judges {
    home: Home,
    file: SealedFile,
    settings: Mutex<settings::All>,
    active: ArcSwap<Vec<Active>>,
    state: Mutex<State>,
    queue: mpsc::Sender<Box<Exchange>>,
    /// Taken by the one task that works on it.
    queued: Mutex<Option<mpsc::Receiver<Box<Exchange>>>>,
    client: OnceLock<Arc<Client>>,
}

struct State {
    counts: BTreeMap<JudgeName, JudgeCounts>,
    budget: Budget,
    cache: HashMap<[u8; 32], Opinion>,
    oldest: VecDeque<[u8; 32]>,
}

pub(crate) fn is_ours(signature: &str) -> bool {
    signature.starts_with(PREFIX)
}

pub(crate) fn word(name: JudgeName) -> &'static str {
    match name {
        JudgeName::Model => "model",
        JudgeName::Onnx => "onnx",
    }
}

impl Judges {
    /// What the person set, and what is wrong with it, one sentence.
    pub fn open(home: &Home, key: &[u8], known: Option<&str>, keep: Keep) -> Result<(Self, Option<String>), Error> {
        let (file, all, problem) = settings::open(home, key, known, keep)?;
        let (queue, queued) = mpsc::channel(MAX_QUEUED);
        let judges = Self {
            home: home.clone(),
            file,
            settings: Mutex::new(all),
            active: ArcSwap::default(),
            state: Mutex::new(State {
                counts: BTreeMap::new(),
                budget: Budget::load(home),
                cache: HashMap::new(),
                oldest: VecDeque::new(),
            }),
            queue,
            queued: Mutex::new(Some(queued)),
            client: OnceLock::new(),
        };
        judges.apply();
        Ok((judges, problem))
    }

    fn apply(&self) {
        let all = locked(&self.settings);
        let on = all.iter().filter(|(_, settings)| settings.enabled);
        let active =
            on.map(|(name, settings)| Active { name: *name, settings: settings.clone(), judge: self.judge(settings) });
        self.active.store(Arc::new(active.collect()));
    }

    fn judge(&self, settings: &JudgeSettings) -> Arc<dyn ExtraJudge> {
        match &settings.kind {
            JudgeKind::Model { style, url, model, key } => Arc::new(ModelJudge {
                client: self.client.get_or_init(|| Arc::new(Client::from_environment(CONNECT_TIMEOUT))).clone(),
                style: *style,
                url: url.clone(),
                model: model.clone(),
                key: key.clone(),
            }),
            JudgeKind::Onnx { file } => Arc::new(OnnxJudge::new(self.home.clone(), PathBuf::from(file))),
        }
    }

    /// Whether a judge shall see this row.
    pub fn wants(&self, exchange: &Exchange, scanner: &dyn Scan) -> Option<Box<Exchange>> {
        let active = self.active.load();
        if active.is_empty() || !case::is_open(exchange) {
            return None;
        }
        let wanted = active.iter().any(|one| case::is_wanted(exchange, one.settings.scope, scanner));
        wanted.then(|| Box::new(exchange.clone()))
    }

    /// Never waits.
    pub fn offer(&self, exchange: Box<Exchange>) {
        if self.queue.try_send(exchange).is_err() {
            self.active.load().iter().for_each(|one| self.count(one.name, |counts| counts.dropped += 1));
        }
    }

    fn count(&self, name: JudgeName, add: impl FnOnce(&mut JudgeCounts)) {
        add(locked(&self.state).counts.entry(name).or_default());
    }

    /// One judge's opinion within its cache, budget and time; None: it has none, whatever the reason. Counted.
    async fn opinion(&self, one: &Active, case: &Case) -> Option<Opinion> {
        let key = cache_key(one, case);
        let known = locked(&self.state).cache.get(&key).cloned();
        if known.is_some() {
            self.count(one.name, |counts| counts.cached += 1);
            return known;
        }
        if !locked(&self.state).budget.take(one.name, one.settings.most_per_day, clock::now()) {
            self.count(one.name, |counts| counts.over_budget += 1);
            return None;
        }
        self.count(one.name, |counts| counts.asked += 1);
        let answer = ask(one, case).await;
        self.count(one.name, |counts| match &answer {
            Ok(opinion) if opinion.percent >= one.settings.threshold_percent => counts.doubtful += 1,
            Ok(_) => counts.fine += 1,
            Err(Fault::Unparsable(_)) => counts.unparsable += 1,
            Err(Fault::Late) => counts.late += 1,
            Err(Fault::Failed(_)) => counts.failed += 1,
        });
        match answer {
            Ok(opinion) => {
                locked(&self.state).keep(key, opinion.clone());
                Some(opinion)
            }
            Err(fault) => {
                tracing::warn!(judge = word(one.name), "{}", explain(&fault));
                None
            }
        }
    }

    pub fn list(&self) -> JudgeList {
        let all = locked(&self.settings).clone();
        let info = |name: JudgeName| {
            let settings = all.get(&name).cloned();
            let state = locked(&self.state);
            let mut counts = state.counts.get(&name).copied().unwrap_or_default();
            counts.used_today = state.budget.used(name, clock::now());
            drop(state);
            let problem = settings.as_ref().filter(|settings| settings.enabled).and_then(|s| self.judge(s).problem());
            JudgeInfo { name, settings, counts, problem }
        };
        JudgeList { judges: vec![info(JudgeName::Model), info(JudgeName::Onnx)] }
    }
}

impl State {
    fn keep(&mut self, key: [u8; 32], opinion: Opinion) {
        if self.cache.insert(key, opinion).is_none() {
            self.oldest.push_back(key);
        }
        if self.oldest.len() > MAX_CACHED
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.cache.remove(&oldest);
        }
    }
}

async fn ask(one: &Active, case: &Case) -> Result<Opinion, Fault> {
    timeout(READY, one.judge.ready()).await.unwrap_or(Err(Fault::Late))?;
    let patience = Duration::from_secs(one.settings.timeout_seconds.into());
    timeout(patience, one.judge.opine(case)).await.unwrap_or(Err(Fault::Late))
}

/// Another endpoint, model or file has other opinions.
fn cache_key(one: &Active, case: &Case) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(format!("{} {:?} ", word(one.name), one.settings.kind));
    hash.update(case.digest());
    hash.finalize().into()
}

fn explain(fault: &Fault) -> String {
    match fault {
        Fault::Unparsable(why) | Fault::Failed(why) => why.clone(),
        Fault::Late => "it gave no answer in time".into(),
    }
}

fn finding(name: JudgeName, opinion: &Opinion) -> Finding {
    let who = match name {
        JudgeName::Model => "The language model that you set as a judge",
        JudgeName::Onnx => "The classifier that you set as a judge",
    };
    Finding {
        signature: format!("{PREFIX}{}", word(name)),
        version: 1,
        category: opinion.category.into(),
        severity: if opinion.percent >= GRAVE_PERCENT { Severity::High } else { Severity::Medium },
        confidence: Confidence::Low,
        verdict: Verdict::Flag,
        title: format!("{who} finds this doubtful ({} %)", opinion.percent),
        json_path: String::new(),
        span: None,
        matched: opinion.reason.clone(),
        decoded: None,
    }
}

/// Works on what is offered until the daemon stops.
pub(crate) fn spawn(core: &Arc<Core>) {
    let Some(mut queued) = locked(&core.judges.queued).take() else { return };
    let core = core.clone();
    core.tasks.clone().spawn(async move {
        let work = async {
            while let Some(exchange) = queued.recv().await {
                consult(&core, *exchange).await;
            }
        };
        tokio::select! {
            () = work => {}
            () = core.stop.cancelled() => {}
        }
        // A judge's child ends with it.
        core.judges.active.store(Arc::default());
    });
}

async fn consult(core: &Core, mut exchange: Exchange) {
    let judge = core.judge.load_full();
    let scanner = &**judge.scanner();
    let case = Case::of(&exchange, scanner);
    let before = exchange.findings.len();
    for one in core.judges.active.load_full().iter() {
        if !case::is_wanted(&exchange, one.settings.scope, scanner) {
            continue;
        }
        if let Some(opinion) = core.judges.opinion(one, &case).await
            && opinion.percent >= one.settings.threshold_percent
        {
            let masked = Opinion { reason: scanner.mask(&opinion.reason), ..opinion };
            exchange.findings.push(finding(one.name, &masked));
        }
    }
    if exchange.findings.len() > before {
        // It can only rise.
        exchange.verdict = exchange.verdict.max(Verdict::Flag);
        core.amend(exchange);
    }
}
