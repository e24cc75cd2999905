//! Whole servers that the person put aside: nothing goes to them and nothing comes from them until then, also while
//! checking is paused. In the sealed rules, so that a shim keeps to it without the daemon.

use crate::api::Failure;
use crate::clock;
use crate::core::Core;
use portcullis_domain::api::QuarantinedServer;
use portcullis_domain::{ChangeKind, UnixMs, UpstreamId};

fn named(core: &Core, upstream: &UpstreamId) -> Option<(String, String)> {
    core.routes.load().get(upstream).map(|up| (up.app_name.clone(), up.name.clone()))
}

impl Core {
    /// `minutes` None: until released.
    pub fn quarantine(&self, upstream: &UpstreamId, minutes: Option<u32>) -> Result<(), Failure> {
        let (app, server) =
            named(self, upstream).ok_or_else(|| Failure::not_found("There is no such protected server."))?;
        let until = minutes.map_or(UnixMs::MAX, |minutes| clock::now() + i64::from(minutes) * 60_000);
        self.set_rules(|rules| {
            rules.quarantined.insert(upstream.clone(), until);
        })?;
        let long = minutes.map_or("until you release it".to_owned(), |minutes| format!("for {minutes} minutes"));
        let summary = format!("The server `{server}` of {app} was put into quarantine {long}.");
        self.change(ChangeKind::ServerQuarantined, None, summary);
        self.stale(&["apps", "status"]);
        Ok(())
    }

    pub fn release(&self, upstream: &UpstreamId) -> Result<(), Failure> {
        if !self.rules().quarantined.contains_key(upstream) {
            return Err(Failure::not_found("This server is not in quarantine."));
        }
        self.set_rules(|rules| {
            rules.quarantined.remove(upstream);
        })?;
        let (app, server) = named(self, upstream).unwrap_or_else(|| ("an app".into(), upstream.to_string()));
        self.loosened(ChangeKind::ServerReleased, None, format!("The server `{server}` of {app} left the quarantine."));
        self.stale(&["apps", "status"]);
        Ok(())
    }

    /// Lets go whose time is over.
    pub fn end_quarantines(&self) -> Result<(), Failure> {
        let now = clock::now();
        let over = self.rules().quarantined.into_iter().filter(|(_, until)| *until <= now);
        over.into_iter().try_for_each(|(upstream, _)| self.release(&upstream))
    }

    pub fn quarantined(&self) -> Vec<QuarantinedServer> {
        let all = self.rules().quarantined.into_iter();
        all.map(|(upstream, until)| {
            let (app_name, upstream_name) = named(self, &upstream).unwrap_or_default();
            QuarantinedServer { upstream, app_name, upstream_name, until: (until != UnixMs::MAX).then_some(until) }
        })
        .collect()
    }
}
