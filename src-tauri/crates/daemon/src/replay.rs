//! The kept history judged again under a change that is not in force yet, and single rows of it as what an exception can
//! be made from. Bodies are kept masked and cut, so it says how many could not be judged as they were.

use crate::api::Failure;
use crate::asks::was_approved;
use crate::clock;
use crate::core::Core;
use axum::http::StatusCode;
use portcullis_detect::{Scanner, SignatureSet};
use portcullis_domain::api::{
    ArgumentChoice, DecisionRow, ExchangeRow, Expiry, Replay, ReplayChange, ReplayRequest, ReplayRow, ScopeChoice,
};
use portcullis_domain::{
    Decision, DecisionId, DecisionState, Exchange, ExchangeId, Finding, Limits, Outcome, Scan, SessionId, Severity,
    Upstream, Verdict,
};
use portcullis_policy::{Context, DecisionBook, Judge, PairedRequest, PinBook, Question};
use std::sync::Arc;

const DAY_MS: i64 = 24 * 3_600_000;
/// Newest first; beyond it the answer would take too long to be of use.
const MAX_ROWS: u64 = 20_000;
const PAGE: usize = 500;
const MAX_SHOWN: usize = 200;
/// What masking leaves in place of a secret, and capping at the end of a body.
const MASK: &str = "••••";
const CUT: &str = " bytes not kept)";

/// A doubtful Message of the log.
pub(crate) struct Past {
    pub upstream: Arc<Upstream>,
    pub session: SessionId,
    pub question: Question,
    is_masked: bool,
}

impl Past {
    pub fn of(core: &Core, id: &ExchangeId) -> Result<Self, Failure> {
        let stored = core.audit.exchange(id)?;
        let exchange = stored.map(|stored| stored.exchange);
        let exchange = exchange.ok_or_else(|| Failure::not_found("This exchange is not in the log (any more)."))?;
        let upstream = core.routes.load().get(&exchange.upstream).cloned();
        let gone = "This server is not protected any more, so there is nothing to decide about it.";
        let upstream = upstream.ok_or_else(|| Failure::not_found(gone))?;
        let is_answers = |f: &&Finding| f.json_path.starts_with("/result") || f.json_path.starts_with("/error");
        let strongest = exchange.findings.iter().max_by_key(|f| (f.verdict, f.severity));
        let from_answer = strongest.is_some_and(|f| is_answers(&f));
        let findings: Vec<Finding> =
            exchange.findings.iter().filter(|f| is_answers(f) == from_answer).cloned().collect();
        let text = if from_answer { exchange.response.clone().unwrap_or_default() } else { exchange.request.clone() };
        let direction = if from_answer { exchange.direction.reverse() } else { exchange.direction };
        let judge = core.judge.load();
        let siblings = Vec::new;
        let context = context(&upstream, &exchange, &siblings);
        let paired = paired(&exchange);
        let question = judge.question_about(&context, direction, text.as_bytes(), &|_| Some(paired.clone()), &findings);
        let question = question.ok_or_else(|| {
            let message = "Nobody is asked about such a message, so there is nothing to decide: it could not be kept whole, or it is a definition.";
            Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "not_decidable", message)
        })?;
        Ok(Self { upstream, session: exchange.session, question: *question, is_masked: text.contains(MASK) })
    }

    /// The log holds secrets masked, so what was really sent cannot be bound byte for byte.
    pub fn allows(&self, scope: &ScopeChoice) -> Result<(), Failure> {
        let binds_values = match &scope.arguments {
            ArgumentChoice::Exact => true,
            ArgumentChoice::Shape { fixed } => !fixed.is_empty(),
            ArgumentChoice::Any => false,
        };
        if self.is_masked && binds_values {
            let message = "The log keeps this call with its secrets masked, so exactly the same call cannot be told. Choose the same shape, or decide when it is asked again.";
            return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "masked_arguments", message));
        }
        Ok(())
    }
}

fn paired(exchange: &Exchange) -> PairedRequest {
    PairedRequest { method: exchange.method.clone(), target: exchange.target.clone(), modern: false, task: false }
}

fn context<'a>(
    upstream: &'a Upstream,
    exchange: &'a Exchange,
    siblings: &'a dyn Fn() -> Vec<portcullis_domain::UpstreamId>,
) -> Context<'a> {
    let (transport, now) = (exchange.transport, clock::now());
    Context { upstream, transport, now, siblings, session: Some(&exchange.session), mirrors: &[] }
}

/// Two Judges that differ in nothing but the change. What they pin stays with them.
struct Judges {
    before: Judge,
    after: Judge,
}

impl Judges {
    fn of(core: &Core, change: &ReplayChange) -> Result<Self, Failure> {
        let rules = core.rules();
        let mut modes = rules.modes.clone();
        let mut disabled = rules.disabled.clone();
        let mut added = None;
        let mut decision = None;
        match change {
            ReplayChange::Mode { request } => {
                modes.set(request.app.as_ref(), request.upstream.as_ref(), request.mode);
            }
            ReplayChange::SignatureSwitched { id, enabled: true } => drop(disabled.remove(id)),
            ReplayChange::SignatureSwitched { id, enabled: false } => drop(disabled.insert(id.clone())),
            ReplayChange::SignatureText { text } => {
                let file = portcullis_detect::load(&own_path(text), text).map_err(refused)?;
                disabled.remove(&file.id);
                added = Some(file);
            }
            ReplayChange::Decision { exchange, effect, scope } => {
                let past = Past::of(core, exchange)?;
                past.allows(scope)?;
                let (scope, binding) = past.question.scope(*effect, scope, &past.upstream.app, &past.upstream)?;
                decision = Some(Decision {
                    id: DecisionId::new("replay"),
                    at: clock::now(),
                    effect: *effect,
                    scope,
                    binding,
                    once: false,
                    session: None,
                    expires_at: past.question.ends_at(*effect, Expiry::Session, clock::now())?,
                    ask: None,
                    app_name: String::new(),
                    upstream_name: String::new(),
                    severity: Severity::Low,
                });
            }
        }
        let current: Arc<dyn Scan> = core.with_signatures(|all| all.scanner());
        let same_set = added.is_none() && disabled == rules.disabled;
        let changed: Arc<dyn Scan> = if same_set {
            current.clone()
        } else {
            let mut files: Vec<_> = core.with_signatures(|all| all.files().cloned().collect());
            if let Some(file) = added {
                // An edited file takes the place of its own earlier version, never of a bundled one.
                files.retain(|old| old.bundled || old.id != file.id);
                files.push(file);
            }
            let set = SignatureSet::compile(files, &disabled);
            let set = set.map_err(|faults| faults.into_iter().next().map_or_else(no_set, refused))?;
            Arc::new(Scanner::new(Arc::new(set)))
        };
        // One for a single Message, or a Session, says nothing about the past.
        let lasting: Vec<DecisionRow> = core.decisions.all().into_iter().filter(|row| !row.decision.once).collect();
        let mut more = lasting.clone();
        more.extend(decision.map(|decision| DecisionRow {
            decision,
            state: DecisionState::Active,
            ended_at: None,
            uses: 0,
            last_used_at: None,
        }));
        let judge = |scanner: Arc<dyn Scan>, modes, rows| {
            let pins = Arc::new(PinBook::in_memory(core.pins.all()));
            let rules = portcullis_policy::Rules { modes, ..Default::default() };
            Judge::new(scanner, pins, rules, Limits::default()).with_decisions(Arc::new(DecisionBook::in_memory(rows)))
        };
        Ok(Self { before: judge(current, rules.modes, lasting), after: judge(changed, modes, more) })
    }
}

/// The id stands in the text; the loader wants it as the file's name, too.
fn own_path(text: &str) -> String {
    let id = text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "id").then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    });
    format!("{}.toml", id.unwrap_or_default())
}

fn refused(fault: portcullis_detect::SignatureFault) -> Failure {
    let mut failure = Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "signature_refused", fault.message.clone());
    failure.error.details = serde_json::to_value(portcullis_domain::api::SignatureFault::from(fault)).ok();
    failure
}

fn no_set() -> Failure {
    Failure::internal("the signatures do not compile together")
}

/// How one Exchange ends under one Judge: the Verdict, and whether it goes on unasked.
fn verdict(judge: &Judge, upstream: &Upstream, exchange: &Exchange) -> Option<Verdict> {
    let siblings = Vec::new;
    let context = context(upstream, exchange, &siblings);
    let request = paired(exchange);
    let mut verdict = Verdict::Allow;
    let bodies =
        [(exchange.direction, Some(&exchange.request)), (exchange.direction.reverse(), exchange.response.as_ref())];
    for (direction, text) in bodies {
        // An answer of ours is no answer of the server.
        let Some(text) = text.filter(|_| direction == exchange.direction || exchange.outcome == Outcome::Forwarded)
        else {
            continue;
        };
        if text.is_empty() || text.ends_with(CUT) {
            return None;
        }
        let judged = judge.judge(&context, direction, text.as_bytes(), &|_| Some(request.clone()));
        verdict = verdict.max(match judged.action {
            // Monitor: on record and let through.
            portcullis_policy::Action::Forward => judged.verdict.min(Verdict::Flag),
            _ => judged.verdict,
        });
    }
    Some(verdict)
}

pub(crate) fn run(core: &Core, request: &ReplayRequest) -> Result<Replay, Failure> {
    let days = request.days.clamp(1, 366);
    let since = clock::now() - i64::from(days) * DAY_MS;
    let judges = Judges::of(core, &request.change)?;
    let mut out = Replay {
        days,
        looked_at: 0,
        not_covered: 0,
        newly_blocked: 0,
        newly_blocked_approved: 0,
        newly_asked: 0,
        newly_allowed: 0,
        newly_allowed_approved: 0,
        rows: Vec::new(),
    };
    let mut last: Option<(i64, ExchangeId)> = None;
    while out.looked_at < MAX_ROWS {
        let page = core.audit.whole_before(since, last.as_ref().map(|(at, id)| (*at, id)), PAGE)?;
        let Some(oldest) = page.last() else { break };
        last = Some((oldest.at, oldest.id.clone()));
        for exchange in &page {
            out.looked_at += 1;
            look(core, &judges, exchange, &mut out);
        }
    }
    Ok(out)
}

fn look(core: &Core, judges: &Judges, exchange: &Exchange, out: &mut Replay) {
    let upstream = core.routes.load().get(&exchange.upstream).cloned().unwrap_or_else(|| {
        Arc::new(Upstream {
            id: exchange.upstream.clone(),
            app: exchange.app.clone(),
            app_name: exchange.app.to_string(),
            name: exchange.upstream_name.clone(),
            transport: exchange.transport,
            url: None,
            command: Vec::new(),
        })
    });
    let verdicts = verdict(&judges.before, &upstream, exchange).zip(verdict(&judges.after, &upstream, exchange));
    let Some((before, after)) = verdicts else {
        out.not_covered += 1;
        return;
    };
    let masked = |text: &str| text.contains(MASK);
    out.not_covered += u64::from(masked(&exchange.request) || exchange.response.as_deref().is_some_and(masked));
    let class = |verdict: Verdict| match verdict {
        Verdict::Allow | Verdict::Flag | Verdict::Redact => 0,
        Verdict::Ask => 1,
        Verdict::Block => 2,
    };
    if class(before) == class(after) {
        return;
    }
    let approved = was_approved(exchange.verdict, exchange.outcome);
    match class(after) {
        2 => {
            out.newly_blocked += 1;
            out.newly_blocked_approved += u64::from(approved);
        }
        1 if class(before) == 0 => out.newly_asked += 1,
        0 => {
            out.newly_allowed += 1;
            out.newly_allowed_approved += u64::from(approved);
        }
        _ => {}
    }
    if out.rows.len() < MAX_SHOWN {
        let row = ExchangeRow::of(exchange, false);
        out.rows.push(ReplayRow { row, then: exchange.verdict, now: after, approved });
    }
}
