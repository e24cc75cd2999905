//! The person's Decisions in memory, and the one place that says whether one fits a Message. Deny beats Redact beats
//! Allow, whatever their order; a Decision whose server or definition changed is void for good, even if it changes back.

use crate::question::{Question, definition_digest};
use portcullis_domain::api::DecisionRow;
use portcullis_domain::{
    AppId, ArgumentScope, Decision, DecisionId, DecisionState, Effect, Pin, PinKind, Scope, SessionId, SignatureScope,
    UnixMs, UpstreamId,
};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Puts all rows on disk before they are in force, and reports when it cannot.
type Save = Box<dyn Fn(&[DecisionRow]) -> Result<(), String> + Send + Sync>;

pub struct DecisionBook {
    rows: Mutex<Vec<DecisionRow>>,
    save: Save,
}

/// Who and where, beside what the Question says.
pub struct Asker<'a> {
    pub app: &'a AppId,
    pub upstream: &'a UpstreamId,
    pub session: Option<&'a SessionId>,
    pub now: UnixMs,
}

impl DecisionBook {
    pub fn new(rows: Vec<DecisionRow>, save: Save) -> Self {
        Self { rows: Mutex::new(rows), save }
    }
    /// For the shim (whose Decisions are read-only), drills and tests.
    pub fn in_memory(rows: Vec<DecisionRow>) -> Self {
        Self::new(rows, Box::new(|_| Ok(())))
    }

    /// What a snapshot holds.
    pub fn lasting_only(decisions: Vec<Decision>) -> Self {
        Self::in_memory(decisions.into_iter().map(new_row).collect())
    }

    fn rows(&self) -> MutexGuard<'_, Vec<DecisionRow>> {
        // Each change replaces the whole list in one step.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn all(&self) -> Vec<DecisionRow> {
        self.rows().clone()
    }

    /// Those that a shim may use while the daemon is away: it can neither spend one nor tell Sessions apart.
    pub fn lasting(&self) -> Vec<Decision> {
        let rows = self.rows();
        let active = rows.iter().filter(|row| row.state == DecisionState::Active).map(|row| &row.decision);
        active.filter(|d| (!d.once && d.session.is_none()) || d.effect == Effect::Deny).cloned().collect()
    }

    /// Whether any Decision forbids something: then even what is merely flagged is looked up.
    pub(crate) fn has_deny(&self) -> bool {
        self.rows().iter().any(|row| row.state == DecisionState::Active && row.decision.effect == Effect::Deny)
    }

    fn edit(&self, edit: impl FnOnce(&mut Vec<DecisionRow>)) -> Result<(), String> {
        let mut rows = self.rows();
        let mut new = rows.clone();
        edit(&mut new);
        if new == *rows {
            return Ok(());
        }
        (self.save)(&new)?;
        *rows = new;
        Ok(())
    }

    pub fn add(&self, decision: Decision) -> Result<(), String> {
        self.edit(|rows| rows.push(new_row(decision)))
    }

    /// None: there is no such active Decision.
    pub fn revoke(&self, id: &DecisionId, now: UnixMs) -> Result<Option<Decision>, String> {
        let mut revoked = None;
        self.edit(|rows| {
            let row = rows.iter_mut().find(|row| row.decision.id == *id && row.state == DecisionState::Active);
            revoked = row.map(|row| {
                end(row, DecisionState::Revoked, now);
                row.decision.clone()
            });
        })?;
        Ok(revoked)
    }

    /// The Decision that fits, marked as used. FailClosed: one for a single Message that cannot be marked as spent on disk
    /// does not count, or a restart would let it count again.
    pub fn find(&self, question: &Question, asker: &Asker<'_>) -> Option<(DecisionId, Effect)> {
        self.void_if_changed(question, asker);
        let mut rows = self.rows();
        let fits = |row: &&mut DecisionRow| row.state == DecisionState::Active && fits(&row.decision, question, asker);
        let row =
            rows.iter_mut().filter(fits).max_by_key(|row| (strictness(row.decision.effect), !row.decision.once))?;
        let (id, effect, once) = (row.decision.id.clone(), row.decision.effect, row.decision.once);
        if !once {
            row.uses += 1;
            row.last_used_at = Some(asker.now);
            return Some((id, effect));
        }
        let mut new = rows.clone();
        for row in new.iter_mut().filter(|row| row.decision.id == id) {
            row.uses += 1;
            row.last_used_at = Some(asker.now);
            end(row, DecisionState::Spent, asker.now);
        }
        (self.save)(&new).ok()?;
        *rows = new;
        Some((id, effect))
    }

    /// As `find`, without using anything: for replays.
    pub fn would_fit(decision: &Decision, question: &Question, asker: &Asker<'_>) -> bool {
        fits(decision, question, asker)
    }

    fn void_if_changed(&self, question: &Question, asker: &Asker<'_>) {
        let stale = |row: &DecisionRow| {
            let (scope, binding) = (&row.decision.scope, &row.decision.binding);
            if row.state != DecisionState::Active || scope.upstream.as_ref() != Some(asker.upstream) {
                return None;
            }
            if binding.command.as_ref().is_some_and(|command| *command != question.command) {
                return Some(DecisionState::CommandChanged);
            }
            let same_tool =
                scope.target.is_some() && scope.target == question.target && scope.method == question.method;
            (same_tool && binding.definition != question.definition).then_some(DecisionState::DefinitionChanged)
        };
        self.void(asker.now, stale);
    }

    fn void(&self, now: UnixMs, why: impl Fn(&DecisionRow) -> Option<DecisionState>) {
        let mut rows = self.rows();
        let mut changed = false;
        for row in rows.iter_mut() {
            if let Some(state) = why(row).filter(|_| row.state == DecisionState::Active) {
                end(row, state, now);
                changed = true;
            }
        }
        // Void in memory whatever the disk says; the digests void it again after a restart.
        if changed {
            let _ = (self.save)(&rows);
        }
    }

    /// A definition was pinned, changed, or approved anew.
    pub fn pin_changed(&self, pin: &Pin, now: UnixMs) {
        if pin.kind != PinKind::Tool {
            return;
        }
        let approved = definition_digest(&pin.approved);
        self.void(now, |row| {
            let (scope, binding) = (&row.decision.scope, &row.decision.binding);
            let named = scope.target.as_deref() == Some(pin.name.as_str()) && scope.method == "tools/call";
            let concerns = scope.upstream.as_ref() == Some(&pin.upstream) && (scope.target.is_none() || named);
            let differs = pin.changed.is_some() || (named && binding.definition.as_ref() != Some(&approved));
            (concerns && differs).then_some(DecisionState::DefinitionChanged)
        });
    }

    /// The servers as the apps' configs name them now.
    pub fn commands_changed(&self, commands: &HashMap<UpstreamId, String>, now: UnixMs) {
        self.void(now, |row| {
            let bound = row.decision.binding.command.as_ref()?;
            let current = commands.get(row.decision.scope.upstream.as_ref()?);
            (current != Some(bound)).then_some(DecisionState::CommandChanged)
        });
    }

    /// Ends what is over, forgets what ended long ago, and writes down how often each was used.
    pub fn tidy(&self, now: UnixMs, keep_ended_ms: i64) -> Result<(), String> {
        let mut rows = self.rows();
        let mut new = rows.clone();
        for row in new.iter_mut().filter(|row| row.state == DecisionState::Active) {
            if row.decision.expires_at.is_some_and(|at| at <= now) {
                end(row, DecisionState::Expired, now);
            }
        }
        new.retain(|row| row.ended_at.is_none_or(|at| now - at < keep_ended_ms));
        (self.save)(&new)?;
        *rows = new;
        Ok(())
    }
}

fn new_row(decision: Decision) -> DecisionRow {
    DecisionRow { decision, state: DecisionState::Active, ended_at: None, uses: 0, last_used_at: None }
}

fn end(row: &mut DecisionRow, state: DecisionState, now: UnixMs) {
    (row.state, row.ended_at) = (state, Some(now));
}

fn strictness(effect: Effect) -> u8 {
    match effect {
        Effect::Allow => 0,
        Effect::Redact => 1,
        Effect::Deny => 2,
    }
}

fn fits(decision: &Decision, question: &Question, asker: &Asker<'_>) -> bool {
    let (scope, binding) = (&decision.scope, &decision.binding);
    let any_or = |wanted: Option<&str>, is: &str| wanted.is_none_or(|wanted| wanted == is);
    let bound = |digest: &Option<String>, is: Option<&String>| digest.is_none() || digest.as_ref() == is;
    decision.expires_at.is_none_or(|at| asker.now < at)
        && decision.session.as_ref().is_none_or(|session| Some(session) == asker.session)
        && scope.direction == question.direction
        && scope.method == question.method
        && any_or(scope.app.as_ref().map(AppId::as_str), asker.app.as_str())
        && any_or(scope.upstream.as_ref().map(UpstreamId::as_str), asker.upstream.as_str())
        && scope.target.as_ref().is_none_or(|target| Some(target) == question.target.as_ref())
        && bound(&binding.command, Some(&question.command))
        // A tool that is named counts only with the definition it had, be that none.
        && (scope.target.is_none() || scope.upstream.is_none() || binding.definition == question.definition)
        && match &scope.arguments {
            ArgumentScope::Any => true,
            ArgumentScope::Exact { digest } => *digest == question.arguments,
            ArgumentScope::Shape { digest, fixed } => {
                *digest == question.shape && fixed.iter().all(|(at, value)| question.fields.get(at) == Some(value))
            }
        }
        && about_the_same(decision.effect, scope, question)
}

/// What loosens must cover all that was found and every host; what forbids holds as soon as a part is the same, so that
/// nothing is added to a call to slip past a Deny.
fn about_the_same(effect: Effect, scope: &Scope, question: &Question) -> bool {
    if effect == Effect::Deny {
        let host = |hosts: &Vec<String>| question.destinations.iter().any(|host| hosts.contains(host));
        let signature = match &scope.signatures {
            SignatureScope::These { signatures } => question.signatures.iter().any(|s| signatures.contains(s)),
            SignatureScope::UpTo { .. } => true,
        };
        return signature && scope.destinations.as_ref().is_none_or(|hosts| hosts.is_empty() || host(hosts));
    }
    let signatures = match &scope.signatures {
        SignatureScope::These { signatures } => question.signatures.iter().all(|s| signatures.contains(s)),
        SignatureScope::UpTo { severity } => question.severity <= *severity,
    };
    let hosts = |hosts: &Vec<String>| question.destinations.iter().all(|host| hosts.contains(host));
    signatures && scope.destinations.as_ref().is_none_or(hosts)
}
