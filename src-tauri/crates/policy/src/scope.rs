//! From what the person chose to what a Decision binds. Refuses reaches that nobody can oversee.

use crate::question::Question;
use portcullis_domain::api::{ArgumentChoice, Expiry, ScopeChoice};
use portcullis_domain::{AppId, ArgumentScope, Binding, Effect, Scope, Severity, SignatureScope, UnixMs, Upstream};

const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: u32 = 24 * 60;
const MAX_MINUTES: u32 = 366 * DAY_MINUTES;

/// Why a scope is refused, one sentence each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeFault {
    #[error("A critical finding can only be allowed for exactly the same call, and for 24 hours at most.")]
    CriticalIsExact,
    #[error("A secret is among what was found, so arguments and destinations cannot be left open.")]
    SecretNeedsBounds,
    #[error("One of the chosen fields is not in this call's arguments.")]
    UnknownField,
    #[error("An end must lie between one minute and 366 days from now.")]
    BadExpiry,
    #[error("What was found cannot be replaced in place.")]
    NotRedactable,
}

/// The narrowest sensible scope: exactly this, from this app, to this server and tool.
pub fn narrowest() -> ScopeChoice {
    ScopeChoice {
        this_app: true,
        this_server: true,
        this_target: true,
        arguments: ArgumentChoice::Exact,
        these_destinations: true,
        these_signatures: true,
    }
}

impl Question {
    pub fn exact_only(&self) -> bool {
        self.severity == Severity::Critical
    }

    fn is_about_secrets(&self) -> bool {
        let secret =
            |id: &str| id.contains("secret") || id.contains("key") || id.contains("token") || id.contains("password");
        self.signatures.iter().any(|signature| secret(&signature.id))
    }

    pub fn scope(
        &self,
        effect: Effect,
        choice: &ScopeChoice,
        app: &AppId,
        upstream: &Upstream,
    ) -> Result<(Scope, Binding), ScopeFault> {
        if effect == Effect::Allow {
            let exact = narrowest();
            if self.exact_only() && *choice != exact {
                return Err(ScopeFault::CriticalIsExact);
            }
            let open = choice.arguments == ArgumentChoice::Any || !choice.these_destinations;
            if self.is_about_secrets() && open {
                return Err(ScopeFault::SecretNeedsBounds);
            }
        }
        if effect == Effect::Redact && self.redacted.is_none() {
            return Err(ScopeFault::NotRedactable);
        }
        let arguments = match &choice.arguments {
            ArgumentChoice::Any => ArgumentScope::Any,
            ArgumentChoice::Exact => ArgumentScope::Exact { digest: self.arguments.clone() },
            ArgumentChoice::Shape { fixed } => {
                let value = |at: &String| self.fields.get(at).map(|value| (at.clone(), value.clone()));
                let fixed: Option<_> = fixed.iter().map(value).collect();
                ArgumentScope::Shape { digest: self.shape.clone(), fixed: fixed.ok_or(ScopeFault::UnknownField)? }
            }
        };
        let scope = Scope {
            app: choice.this_app.then(|| app.clone()),
            upstream: choice.this_server.then(|| upstream.id.clone()),
            direction: self.direction,
            method: self.method.clone(),
            target: self.target.clone().filter(|_| choice.this_target),
            arguments,
            destinations: choice.these_destinations.then(|| self.destinations.clone()),
            signatures: if choice.these_signatures {
                SignatureScope::These { signatures: self.signatures.clone() }
            } else {
                SignatureScope::UpTo { severity: self.severity }
            },
        };
        let binding = Binding {
            command: choice.this_server.then(|| self.command.clone()),
            definition: self.definition.clone().filter(|_| choice.this_server && choice.this_target),
        };
        Ok((scope, binding))
    }

    /// When a Decision made now ends; None: never. `Session` is bound by the Session and ends with the day.
    pub fn ends_at(&self, effect: Effect, expires: Expiry, now: UnixMs) -> Result<Option<UnixMs>, ScopeFault> {
        let minutes = match expires {
            Expiry::Never if effect == Effect::Allow && self.exact_only() => return Err(ScopeFault::CriticalIsExact),
            Expiry::Never => return Ok(None),
            Expiry::Session => DAY_MINUTES,
            Expiry::After { minutes } if (1..=MAX_MINUTES).contains(&minutes) => minutes,
            Expiry::After { .. } => return Err(ScopeFault::BadExpiry),
        };
        if effect == Effect::Allow && self.exact_only() && minutes > DAY_MINUTES {
            return Err(ScopeFault::CriticalIsExact);
        }
        Ok(Some(now + i64::from(minutes) * MINUTE_MS))
    }
}
