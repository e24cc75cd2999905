//! `<home>/own-sign-ins`: servers to which the app signs in itself (the gateway's transparent mode). Until the person
//! switches one, the list in the config file counts; from then on this one. It is sealed, because an app that signs in
//! itself holds the token: a list that something else edited or put back is void, and the config file's counts again.

use crate::api::Failure;
use crate::core::Core;
use crate::sealed_file::{Content, Keep, SealedFile};
use crate::{Error, home::Home};
use portcullis_domain::{ChangeKind, UpstreamId};
use std::collections::{BTreeSet, HashSet};

pub(crate) const NAME: &str = "own sign-ins";

/// What is known of the list at the start.
pub(crate) struct Read {
    pub file: SealedFile,
    /// None: nothing was switched.
    pub list: Option<HashSet<UpstreamId>>,
    /// What is wrong with the file, one sentence.
    pub problem: Option<String>,
}

pub(crate) fn open(home: &Home, key: &[u8], known: Option<&str>, keep: Keep) -> Result<Read, Error> {
    let (file, content) = SealedFile::open(home.own_sign_ins_file(), NAME, key, known, keep)?;
    let void = |why: &str| {
        let path = file.path().display();
        Some(format!("{path} {why}, so it is void: look at Apps which servers an app signs in to itself."))
    };
    let (list, problem) = match content {
        Content::Nothing => (None, None),
        Content::Void(why) => (None, void(why)),
        Content::Body(body) => match serde_json::from_str(&body) {
            Ok(list) => (Some(list), None),
            Err(_) => (None, void("cannot be read")),
        },
    };
    Ok(Read { file, list, problem })
}

fn save(file: &SealedFile, list: &HashSet<UpstreamId>) -> Result<(), Error> {
    let ordered: BTreeSet<_> = list.iter().collect();
    file.save(&serde_json::to_string(&ordered).map_err(|_| Error::Seal("the list could not be written"))?)
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
        if !self.sign_ins.set_transparent(id, on, |list| save(&self.own_sign_ins_file, list))? {
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
