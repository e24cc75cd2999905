//! Where the tokens of sign-ins lie: one sealed file in the state directory.

use crate::home::{self, Home};
use crate::seal::Seal;
use crate::{Error, clock};
use portcullis_domain::UpstreamId;
use portcullis_gateway::oauth::{Grant, Options, SignIns, Vault};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

struct File {
    path: PathBuf,
    seal: Seal,
    found: std::sync::Mutex<HashMap<UpstreamId, Grant>>,
}

/// The sign-ins of this home, and what was wrong with what the last run left.
pub(crate) fn open(home: &Home, key: &[u8], mut options: Options) -> Result<(Arc<SignIns>, Option<String>), Error> {
    let (switched, edited) = crate::own_sign_ins::load(home, key)?;
    options.transparent = switched.unwrap_or(options.transparent);
    let (path, seal) = (home.sign_ins_file(), Seal::new(key, "portcullis sign-ins v1")?);
    let (found, problem) = match read(&path, &seal) {
        Ok(found) => (found, None),
        Err(error) => {
            let problem = format!("The kept sign-ins in {} are void ({error}). Sign in again.", path.display());
            (HashMap::new(), Some(problem))
        }
    };
    // One sentence has to do: both lead to the same page.
    let problem = problem.or(edited);
    let file = File { path, seal, found: std::sync::Mutex::new(found) };
    Ok((Arc::new(SignIns::new(Arc::new(file), Arc::new(clock::now), options)), problem))
}

fn read(path: &std::path::Path, seal: &Seal) -> Result<HashMap<UpstreamId, Grant>, Error> {
    let sealed = match std::fs::read(path) {
        Ok(sealed) => sealed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(source) => return Err(Error::Io { doing: "could not read", path: path.into(), source }),
    };
    serde_json::from_slice(&seal.open(&sealed)?).map_err(|_| Error::Seal("it is of another version"))
}

impl Vault for File {
    fn load(&self) -> HashMap<UpstreamId, Grant> {
        std::mem::take(&mut *crate::core::locked(&self.found))
    }

    fn store(&self, grants: &HashMap<UpstreamId, Grant>) -> Result<(), String> {
        let plain = serde_json::to_vec(grants).map_err(|error| error.to_string())?;
        let sealed = self.seal.seal(&plain).map_err(|error| error.to_string())?;
        home::write_private(&self.path, &sealed).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_gateway::oauth::Client;

    #[test]
    fn tokens_survive_a_restart_unreadable_and_a_changed_file_is_void() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("s")).unwrap();
        home.create().unwrap();
        let seal = || Seal::new(b"0123456789abcdef0123456789abcdef", "portcullis sign-ins v1").unwrap();
        let file = File { path: home.sign_ins_file(), seal: seal(), found: Default::default() };
        let grant = Grant {
            issuer: "https://id.example".into(),
            client: Client { id: "c".into(), secret: None },
            redirect: "http://127.0.0.1:1/oauth/callback".into(),
            token_endpoint: "https://id.example/token".into(),
            resource: "https://mcp.example".into(),
            scope: None,
            access_token: "at-SECRET".into(),
            refresh_token: Some("rt-SECRET".into()),
            expires_at: Some(7),
        };
        let id = UpstreamId::from_random([3; 16]);
        file.store(&HashMap::from([(id.clone(), grant.clone())])).unwrap();
        let raw = std::fs::read(home.sign_ins_file()).unwrap();
        assert!(!String::from_utf8_lossy(&raw).contains("SECRET"));
        assert!(!format!("{grant:?}").contains("SECRET"));
        assert_eq!(read(&home.sign_ins_file(), &seal()).unwrap().remove(&id), Some(grant));
        std::fs::write(home.sign_ins_file(), &raw[1..]).unwrap();
        let (sign_ins, problem) = open(&home, b"0123456789abcdef0123456789abcdef", Options::default()).unwrap();
        assert!(sign_ins.state(&id).is_none() && problem.unwrap().contains("Sign in again"));
    }
}
