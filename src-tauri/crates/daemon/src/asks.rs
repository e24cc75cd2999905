//! Questions as the person sees them, and what their answers do: a held Message goes on or not, a Decision is stored, a
//! Change row is left. The order matters: a Decision is on disk before anything is released by it.

use crate::api::Failure;
use crate::config::ASK_SECONDS;
use crate::core::Core;
use crate::{clock, secret};
use axum::http::StatusCode;
use portcullis_domain::api::{
    Ask, AskAnswer, AskAnswerRequest, AskAnswered, AskDefinition, AskHistory, AskList, AskState, Expiry, LiveEvent,
    ScopeChoice,
};
use portcullis_domain::json::{Doc, Mode};
use portcullis_domain::{
    AppId, ApprovedBy, AskId, ChangeKind, Decision, DecisionId, Effect, PinKind, SessionId, Severity, UnixMs, Upstream,
    Verdict,
};
use portcullis_gateway::{Answer, Approvals, AskEvent, AskView, Hooks, NotTaken, Patience};
use portcullis_policy::{Question, ScopeFault, narrowest};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc};

const DAYS_30_MS: i64 = 30 * 24 * 3_600_000;
/// How long "allow once" waits for the retry of a call that is gone.
const RETRY_MS: i64 = 10 * 60_000;
const MAX_DESCRIPTION: usize = 4000;
/// How long before an app gives up it must have its answer.
const MARGIN_SECONDS: u32 = 5;
/// What most apps wait when nothing else is known of them.
const USUAL_SECONDS: u32 = 60;

fn patience_of(seconds: u32, limit: Option<u32>) -> Patience {
    let known = limit.map(|limit| limit.saturating_sub(MARGIN_SECONDS).max(*ASK_SECONDS.start()));
    let first = known.map_or(seconds, |most| seconds.min(most));
    let most = known.unwrap_or(USUAL_SECONDS - MARGIN_SECONDS).min(*ASK_SECONDS.end()).max(first);
    Patience { first: Duration::from_secs(first.into()), most: Duration::from_secs(most.into()) }
}

/// What the gateway's questions need of the rest.
pub(crate) struct Asks {
    pub approvals: Arc<Approvals>,
    pub seconds: Arc<AtomicU32>,
    /// Listeners on the bus that show nobody a question.
    pub blind: Arc<AtomicUsize>,
    events: Mutex<Option<mpsc::UnboundedReceiver<AskEvent>>>,
}

impl Asks {
    /// `limits`: after how many seconds apps give up by themselves, as far as it is known.
    pub fn new(bus: &broadcast::Sender<LiveEvent>, seconds: u32, limits: HashMap<AppId, u32>) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let (seconds, blind) = (Arc::new(AtomicU32::new(seconds)), Arc::<AtomicUsize>::default());
        let (listeners, unseeing, patience) = (bus.clone(), blind.clone(), seconds.clone());
        let approvals = Approvals::new(Hooks {
            attended: Box::new(move || listeners.receiver_count() > unseeing.load(Ordering::Relaxed)),
            patience: Box::new(move |upstream| {
                patience_of(patience.load(Ordering::Relaxed), limits.get(&upstream.app).copied())
            }),
            tell: Box::new(move |event| drop(sender.send(event))),
        });
        Self { approvals, seconds, blind, events: Mutex::new(Some(events)) }
    }

    pub fn is_attended(&self, bus: &broadcast::Sender<LiveEvent>) -> bool {
        bus.receiver_count() > self.blind.load(Ordering::Relaxed)
    }
}

/// Tells whoever listens of questions, in order.
pub(crate) fn announce(core: &Arc<Core>) {
    let Some(mut events) = crate::core::locked(&core.asks.events).take() else { return };
    let core_ = core.clone();
    core.tasks.spawn(async move {
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                () = core_.stop.cancelled() => None,
            };
            let Some(event) = event else { return };
            let core = core_.clone();
            // Looks into the log.
            let told = tokio::task::spawn_blocking(move || match event {
                AskEvent::Asked(id) => {
                    if let Some(view) = core.asks.approvals.find(&id) {
                        core.publish(LiveEvent::Asked { ask: Box::new(core.ask(&view)) });
                    }
                    core.stale(&["asks", "status"]);
                }
                AskEvent::Over(ask, state) => {
                    core.publish(LiveEvent::Answered { ask, state });
                    core.stale(&["asks", "status"]);
                }
            });
            let _ = told.await;
        }
    });
}

impl Core {
    pub fn ask_list(&self) -> AskList {
        let (waiting, recent) = self.asks.approvals.list();
        AskList {
            waiting: waiting.iter().map(|view| self.ask(view)).collect(),
            recent: recent.iter().map(|view| self.ask(view)).collect(),
            attended: self.asks.is_attended(&self.bus),
            deadline_seconds: self.asks.seconds.load(Ordering::Relaxed),
        }
    }

    pub fn ask(&self, view: &AskView) -> Ask {
        let (asked, question) = (&view.asked, &view.asked.question);
        let mut findings = asked.findings.clone();
        findings.sort_by_key(|f| std::cmp::Reverse((f.verdict, f.severity, f.confidence)));
        let mut ids: Vec<&str> = findings.iter().map(|finding| finding.signature.as_str()).collect();
        ids.dedup();
        let explanations =
            self.with_signatures(|all| ids.into_iter().filter_map(|id| crate::api::explain(all, id)).collect());
        let since = clock::now() - DAYS_30_MS;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ask {
            id: asked.id.clone(),
            state: view.state,
            at: asked.at,
            deadline_at: view.deadline_at,
            app: asked.upstream.app.clone(),
            app_name: asked.upstream.app_name.clone(),
            upstream: asked.upstream.id.clone(),
            upstream_name: asked.upstream.name.clone(),
            session: asked.session.clone(),
            transport: asked.transport,
            direction: question.direction,
            method: question.method.clone(),
            target: question.target.clone(),
            severity: question.severity,
            findings,
            explanations,
            message: text(&asked.message),
            message_bytes: asked.message_bytes as u64,
            definition: question.target.as_deref().and_then(|tool| self.definition(&asked.upstream, tool)),
            history: self.audit.history(&asked.upstream.id, question.target.as_deref(), since).unwrap_or(AskHistory {
                server_first_seen: None,
                server_calls: 0,
                tool_calls: 0,
                asked: 0,
                allowed: 0,
            }),
            origins: question.origins.clone(),
            extended: view.extended,
            extends_to: (view.state == AskState::Waiting && !view.extended && view.most_at > view.deadline_at)
                .then_some(view.most_at),
            held: u32::try_from(view.held).unwrap_or(u32::MAX),
            redacted: question.redacted.as_deref().map(text),
            exact_only: question.exact_only(),
            needs_acknowledgement: question.severity >= Severity::High,
            destinations: question.destinations.clone(),
            fields: question.fields.keys().cloned().collect(),
            suggested: narrowest(),
        }
    }

    fn definition(&self, upstream: &Upstream, tool: &str) -> Option<AskDefinition> {
        let pin = self.pins.get(&upstream.id, PinKind::Tool, tool)?;
        let limits = portcullis_domain::Limits::default();
        let doc = Doc::parse(pin.approved.as_bytes(), Mode::Lenient, &limits).ok()?;
        let description = doc.root().get("description").and_then(|text| text.as_str()).unwrap_or_default();
        Some(AskDefinition {
            description: description.chars().take(MAX_DESCRIPTION).collect(),
            pinned_at: pin.approved_at,
            approved_by_person: pin.approved_by == ApprovedBy::Person,
            changed: pin.changed.is_some(),
        })
    }

    pub fn answer(&self, id: &AskId, request: &AskAnswerRequest) -> Result<AskAnswered, Failure> {
        let view = self.asks.approvals.find(id).ok_or_else(|| not_taken(NotTaken::Unknown))?;
        let (asked, question) = (&view.asked, &view.asked.question);
        match view.state {
            AskState::Cancelled | AskState::Disconnected => return Err(not_taken(NotTaken::Void)),
            AskState::Allowed | AskState::Redacted | AskState::Denied => {
                return Err(not_taken(NotTaken::AlreadyAnswered));
            }
            _ => {}
        }
        let is_late = view.state != AskState::Waiting;
        let (answer, effect) = match &request.answer {
            AskAnswer::AllowOnce | AskAnswer::AllowSession | AskAnswer::AllowAlways { .. } => {
                (Answer::Allow, Effect::Allow)
            }
            AskAnswer::RedactOnce | AskAnswer::RedactAlways { .. } => (Answer::Redact, Effect::Redact),
            AskAnswer::Deny | AskAnswer::DenyAlways { .. } | AskAnswer::DenyQuarantine { .. } => {
                (Answer::Deny, Effect::Deny)
            }
        };
        if let AskAnswer::DenyQuarantine { upstream, minutes } = &request.answer {
            let concerned =
                *upstream == asked.upstream.id || question.origins.iter().any(|origin| origin.upstream == *upstream);
            if !concerned {
                return Err(Failure::bad_request("This server has no part in the question."));
            }
            self.quarantine(upstream, *minutes)?;
        }
        acknowledged(effect, question.severity, request.acknowledged)?;
        if effect == Effect::Redact && question.redacted.is_none() {
            return Err(ScopeFault::NotRedactable.into());
        }
        let exact = narrowest();
        let wanted = match &request.answer {
            AskAnswer::AllowAlways { scope, expires }
            | AskAnswer::RedactAlways { scope, expires }
            | AskAnswer::DenyAlways { scope, expires } => {
                // Without an end only where the whole list of Decisions is in view.
                let expires =
                    if *expires == Expiry::Never { Expiry::After { minutes: 90 * 24 * 60 } } else { *expires };
                Some((scope.clone(), expires, false))
            }
            AskAnswer::AllowSession => Some((exact.clone(), Expiry::Session, false)),
            AskAnswer::AllowOnce | AskAnswer::RedactOnce if is_late => {
                Some((exact.clone(), Expiry::After { minutes: (RETRY_MS / 60_000) as u32 }, true))
            }
            _ => None,
        };
        let decision = match wanted {
            Some((scope, expires, once)) => {
                let made = Made { effect, scope: &scope, expires, once, ask: Some(id.clone()) };
                Some(self.store_decision(question, &asked.upstream, &asked.session, &made)?)
            }
            None => None,
        };
        let late = match self.asks.approvals.answer(id, answer) {
            Ok(late) => late,
            Err(why) => {
                // The app gave up in between: what was stored for it must not outlive it.
                if let Some(decision) = &decision {
                    self.decisions.revoke(&decision.id, clock::now()).map_err(not_written)?;
                }
                return Err(not_taken(why));
            }
        };
        let word = match effect {
            Effect::Allow => "allowed",
            Effect::Redact => "allowed without what was found",
            Effect::Deny => "denied",
        };
        let target = question.target.as_deref().unwrap_or(&question.method);
        let more = if decision.is_some() { ", and the answer is remembered" } else { "" };
        let summary = format!("{}: `{target}` of `{}` was {word}{more}.", asked.upstream.app_name, asked.upstream.name);
        let app = Some(asked.upstream.app.clone());
        match effect {
            Effect::Deny => self.change(ChangeKind::AskAnswered, app, summary),
            // What is remembered lets more pass than the call that was looked at.
            Effect::Allow | Effect::Redact if decision.is_some() => {
                self.loosened(ChangeKind::DecisionMade, app, summary);
            }
            Effect::Allow | Effect::Redact => self.loosened(ChangeKind::AskAnswered, app, summary),
        }
        let state = match answer {
            Answer::Allow => AskState::Allowed,
            Answer::Redact => AskState::Redacted,
            Answer::Deny => AskState::Denied,
        };
        Ok(AskAnswered { state, late, decision })
    }

    /// Somebody is looking at the question: it waits as long as its app does, once.
    pub fn extend(&self, id: &AskId) -> Result<Ask, Failure> {
        self.asks.approvals.extend(id).map(|view| self.ask(&view)).map_err(not_taken)
    }

    pub fn store_decision(
        &self,
        question: &Question,
        upstream: &Upstream,
        session: &SessionId,
        made: &Made<'_>,
    ) -> Result<Decision, Failure> {
        let now = clock::now();
        let (scope, binding) = question.scope(made.effect, made.scope, &upstream.app, upstream)?;
        let decision = Decision {
            id: DecisionId::from_random(secret::random()?),
            at: now,
            effect: made.effect,
            scope,
            binding,
            once: made.once,
            session: (made.expires == Expiry::Session).then(|| session.clone()),
            expires_at: question.ends_at(made.effect, made.expires, now)?,
            ask: made.ask.clone(),
            app_name: upstream.app_name.clone(),
            upstream_name: upstream.name.clone(),
            severity: question.severity,
        };
        self.decisions.add(decision.clone()).map_err(not_written)?;
        self.stale(&["decisions"]);
        Ok(decision)
    }

    /// Something that a ClientApp started tried to loosen its protection.
    pub fn refused_act(&self, app: &portcullis_domain::AppId) {
        let name = self.apps.name(app);
        let summary =
            format!("{name}, or a program that it started, tried to loosen its own protection and was refused.");
        self.change(ChangeKind::LooseningRefused, Some(app.clone()), summary);
    }

    pub fn revoke_decision(&self, id: &DecisionId, now: UnixMs) -> Result<(), Failure> {
        let revoked = self.decisions.revoke(id, now).map_err(not_written)?;
        let decision = revoked.ok_or_else(|| Failure::not_found("There is no such decision in force (any more)."))?;
        let summary = format!("A decision about `{}` of {} was revoked.", decision.upstream_name, decision.app_name);
        match decision.effect {
            Effect::Deny => self.loosened(ChangeKind::DecisionRevoked, decision.scope.app, summary),
            Effect::Allow | Effect::Redact => self.change(ChangeKind::DecisionRevoked, decision.scope.app, summary),
        }
        self.stale(&["decisions"]);
        Ok(())
    }
}

/// A Decision to be made.
pub(crate) struct Made<'a> {
    pub effect: Effect,
    pub scope: &'a ScopeChoice,
    pub expires: Expiry,
    pub once: bool,
    pub ask: Option<AskId>,
}

pub(crate) fn acknowledged(effect: Effect, severity: Severity, ticked: bool) -> Result<(), Failure> {
    if effect == Effect::Allow && severity >= Severity::High && !ticked {
        let message = "This finding is severe: confirm the sentence that names the harm, then allow.";
        return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "not_acknowledged", message));
    }
    Ok(())
}

pub(crate) fn not_written(why: String) -> Failure {
    let message = format!("The decision could not be written down, so it is not in force: {why}.");
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "state_not_written", message)
}

fn not_taken(why: NotTaken) -> Failure {
    match why {
        NotTaken::Unknown => Failure::not_found("There is no such question (any more)."),
        NotTaken::Void => Failure::new(
            StatusCode::CONFLICT,
            "ask_void",
            "The app gave this call up: nothing was sent, nothing is to be allowed.",
        ),
        NotTaken::AlreadyAnswered => {
            Failure::new(StatusCode::CONFLICT, "already_answered", "This question was answered already.")
        }
    }
}

impl From<ScopeFault> for Failure {
    fn from(fault: ScopeFault) -> Self {
        let code = match fault {
            ScopeFault::CriticalIsExact => "critical_is_exact",
            ScopeFault::SecretNeedsBounds => "secret_needs_bounds",
            ScopeFault::UnknownField => "unknown_field",
            ScopeFault::BadExpiry => "bad_expiry",
            ScopeFault::NotRedactable => "not_redactable",
        };
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, fault.to_string())
    }
}

/// Whether a row of the log was doubtful and a person let it go on.
pub(crate) fn was_approved(verdict: Verdict, outcome: portcullis_domain::Outcome) -> bool {
    use portcullis_domain::Outcome::{Failed, Forwarded, Redacted};
    verdict == Verdict::Ask && matches!(outcome, Forwarded | Redacted | Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_ends_before_its_app_gives_up_and_waits_longer_only_where_the_app_does() {
        let of = |seconds, limit| {
            let Patience { first, most } = patience_of(seconds, limit);
            (first.as_secs(), most.as_secs())
        };
        assert_eq!(of(45, None), (45, 55), "most apps wait a minute");
        assert_eq!(of(45, Some(60)), (45, 55));
        assert_eq!(of(120, Some(60)), (55, 55), "the app's limit counts");
        assert_eq!(of(120, None), (120, 120), "the person knows better");
        assert_eq!(of(45, Some(300)), (45, 290));
        assert_eq!(of(45, Some(3)), (5, 5));
    }
}
