//! `<home>/own-sign-ins`: servers to which the app signs in itself (the gateway's transparent mode). Until the person
//! switches one, the list in the config file counts; from then on this one. It has a MAC, because an app that signs in
//! itself holds the token: a list that something else edited is void, and the config file's counts again.

use crate::api::Failure;
use crate::core::Core;
use crate::decision_file::{fits, seal};
use crate::{Error, home, home::Home};
use portcullis_domain::{ChangeKind, UpstreamId};
use std::collections::{BTreeSet, HashSet};

/// So that no other sealed file passes for this one.
const PURPOSE: &str = "own sign-ins 1\n";

/// None: nothing was switched. And what is wrong with the file, one sentence.
pub(crate) fn load(home: &Home, key: &[u8]) -> Result<(Option<HashSet<UpstreamId>>, Option<String>), Error> {
    let Some(text) = home::read_optional(&home.own_sign_ins_file())? else { return Ok((None, None)) };
    let body = text.split_once('\n').filter(|(mac, body)| fits(&format!("{PURPOSE}{body}"), mac, key));
    let list = body.and_then(|(_, body)| serde_json::from_str(body).ok());
    let problem = list.is_none().then(|| {
        format!(
            "{} was edited by something else, so it is void: look at Apps which servers an app signs in to itself.",
            home.own_sign_ins_file().display()
        )
    });
    Ok((list, problem))
}

fn save(home: &Home, key: &[u8], list: &HashSet<UpstreamId>) -> Result<(), Error> {
    let ordered: BTreeSet<_> = list.iter().collect();
    let body = serde_json::to_string(&ordered).map_err(|_| Error::Seal("the list could not be written"))?;
    let text = format!("{}\n{body}", seal(&format!("{PURPOSE}{body}"), key));
    home::write_private(&home.own_sign_ins_file(), text.as_bytes())
}

impl Core {
    pub fn own_sign_ins(&self) -> Vec<UpstreamId> {
        let all: BTreeSet<UpstreamId> = self.sign_ins.transparent().into_iter().collect();
        all.into_iter().collect()
    }

    /// On disk first: what a restart would not know must not be in force.
    pub fn set_own_sign_in(&self, id: &UpstreamId, on: bool) -> Result<(), Failure> {
        let upstream = self.routes.load().get(id).cloned();
        let upstream = upstream.ok_or_else(|| Failure::not_found("There is no such protected server."))?;
        if upstream.url.is_none() {
            return Err(Failure::bad_request("An app starts this server itself: there is no sign-in to leave to it."));
        }
        if !self.sign_ins.set_transparent(id, on, |list| save(&self.home, self.key(), list))? {
            return Ok(());
        }
        let (app, name) = (upstream.app.clone(), &upstream.app_name);
        if on {
            let what =
                format!("{name} signs in to the server {:?} itself from now on, and holds the token.", upstream.name);
            self.loosened(ChangeKind::SettingChanged, Some(app), what);
        } else {
            let what = format!("Portcullis signs in to the server {:?} for {name} from now on.", upstream.name);
            self.change(ChangeKind::SettingChanged, Some(app), what);
        }
        self.stale(&["sign-ins", "apps"]);
        Ok(())
    }
}
