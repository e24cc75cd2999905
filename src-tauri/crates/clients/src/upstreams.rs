//! The Upstreams that the journal and the files know: the gateway's routes and the names for the shim link. Reads only.

use crate::clients::Clients;
use crate::config::Config;
use crate::entry::Owner;
use crate::error::Error;
use crate::journal::Original;
use portcullis_domain::{Transport, Upstream, UpstreamId};
use std::collections::BTreeMap;

impl Clients {
    /// Every Upstream we know: the gateway's routes and the shims' names. Those restored stay listed, because a running
    /// app may still hold the old config in memory. Reads files: take a snapshot, do not call per message.
    pub fn upstreams(&self) -> Result<Vec<Upstream>, Error> {
        let state = self.journal.load()?;
        let mut known: BTreeMap<UpstreamId, Upstream> = BTreeMap::new();
        for (id, record) in &state.entries {
            let (url, command) = match &record.original {
                Original::Url { url, .. } => (Some(url.clone()), Vec::new()),
                Original::Stdio { command, args, .. } => {
                    (None, std::iter::once(command).chain(args.iter().flatten()).cloned().collect())
                }
                Original::List { words, .. } => (None, words.clone()),
            };
            let upstream = Upstream {
                id: id.clone(),
                app: record.app.clone(),
                app_name: record.app_name.clone(),
                name: record.name.clone(),
                transport: record.transport,
                url,
                command,
            };
            known.insert(id.clone(), upstream);
        }
        // Entries may have been renamed, or their arguments edited, since we wrote them.
        for app in &self.apps {
            for config in self.files_of(app, &state).iter().filter_map(|place| Config::load(place, app).ok()?) {
                for entry in &config.entries(app) {
                    let Some(id) = entry.owner.id() else { continue };
                    let elsewhere = || state.entries.get(id).is_some_and(|record| record.file != config.snapshot.path);
                    if elsewhere() && known.contains_key(id) {
                        continue;
                    }
                    let command = if let Owner::Shim { real, .. } = &entry.owner { Some(real.clone()) } else { None };
                    match (known.get_mut(id), command) {
                        (Some(upstream), command) => {
                            let taken =
                                config.entries(app).iter().any(|e| e.owner.id() == Some(id) && e.name == upstream.name);
                            if !taken {
                                upstream.name.clone_from(&entry.name);
                            }
                            if entry.name == upstream.name {
                                upstream.command = command.unwrap_or_default();
                            }
                        }
                        (None, Some(command)) => {
                            let upstream = Upstream {
                                id: id.clone(),
                                app: app.app_id(),
                                app_name: app.name.clone(),
                                name: entry.name.clone(),
                                transport: Transport::Stdio,
                                url: None,
                                command,
                            };
                            known.insert(id.clone(), upstream);
                        }
                        (None, None) => {}
                    }
                }
            }
        }
        Ok(known.into_values().collect())
    }
}
