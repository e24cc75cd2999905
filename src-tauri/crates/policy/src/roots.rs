//! The folders that an Upstream was given to work in: announced by the app (`roots/list`), or named on the command line of
//! a file server. Only context for the scan of arguments. What is not known for sure is not used: a list with an entry
//! that cannot be told as a folder of this machine counts as no list.

use portcullis_domain::json::{Kind, NodeRef};
use portcullis_domain::{SessionId, Upstream, UpstreamId};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Sessions whose roots are remembered; the oldest announcement goes first.
const MAX_REMEMBERED: usize = 512;
const MAX_ROOTS: usize = 64;
const MAX_ROOT_BYTES: usize = 4096;

type Key = (UpstreamId, Option<SessionId>);

#[derive(Default)]
pub(crate) struct Roots {
    announced: Mutex<VecDeque<(Key, Vec<String>)>>,
}

impl Roots {
    fn announced(&self) -> MutexGuard<'_, VecDeque<(Key, Vec<String>)>> {
        self.announced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The app's answer to `roots/list`, which replaces its answer before.
    pub fn announce(&self, upstream: &UpstreamId, session: Option<&SessionId>, result: NodeRef<'_>) {
        let key = (upstream.clone(), session.cloned());
        let mut announced = self.announced();
        announced.retain(|(known, _)| *known != key);
        if let Some(roots) = read(result) {
            announced.push_back((key, roots));
        }
        if announced.len() > MAX_REMEMBERED {
            announced.pop_front();
        }
    }

    pub fn of(&self, upstream: &Upstream, session: Option<&SessionId>) -> Vec<String> {
        let key = (upstream.id.clone(), session.cloned());
        let announced = self.announced().iter().find(|(known, _)| *known == key).map(|(_, roots)| roots.clone());
        let mut roots = announced.unwrap_or_default();
        match on_command_line(&upstream.command) {
            Some(named) => roots.extend(named),
            None => return Vec::new(),
        }
        roots
    }
}

fn read(result: NodeRef<'_>) -> Option<Vec<String>> {
    let roots = result.get("roots").filter(|roots| roots.kind() == Kind::Array)?;
    let mut read = Vec::new();
    for root in roots.children() {
        let uri = root.get("uri").and_then(|uri| uri.as_str())?;
        let fits = read.len() < MAX_ROOTS && uri.len() <= MAX_ROOT_BYTES && uri.starts_with("file:///");
        read.push(fits.then(|| uri.into_owned())?);
    }
    Some(read)
}

/// What stands behind the name of a file server; empty: it is none. None: some of it cannot be told without knowing where
/// the server runs.
fn on_command_line(command: &[String]) -> Option<Vec<String>> {
    let is_file_server = |word: &String| {
        let name = word.rsplit(['/', '\\']).next().unwrap_or(word).to_ascii_lowercase();
        name.contains("filesystem") && !word.starts_with('-')
    };
    let Some(at) = command.iter().position(is_file_server) else { return Some(Vec::new()) };
    let mut roots = Vec::new();
    let mut words = command[at + 1..].iter();
    while let Some(word) = words.next() {
        if word.starts_with('-') {
            // Whether a word is its value or a folder cannot be told.
            if !word.contains('=') && words.next().is_some_and(|next| is_absolute(next)) {
                return None;
            }
            continue;
        }
        if !is_absolute(word) || word.len() > MAX_ROOT_BYTES || roots.len() == MAX_ROOTS {
            return None;
        }
        roots.push(word.clone());
    }
    Some(roots)
}

fn is_absolute(path: &str) -> bool {
    let drive = |path: &[u8]| path.len() > 2 && path[0].is_ascii_alphabetic() && path[1] == b':';
    path.starts_with('/') || path == "~" || path.starts_with("~/") || drive(path.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(command: &str) -> Option<Vec<String>> {
        on_command_line(&command.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn folders_are_taken_from_file_servers_only_and_only_when_all_are_known() {
        let some = |folders: &[&str]| Some(folders.iter().map(|folder| (*folder).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            named("npx -y @modelcontextprotocol/server-filesystem /home/me/a C:\\b"),
            some(&["/home/me/a", "C:\\b"])
        );
        assert_eq!(named("docker run -i mcp/filesystem /projects"), some(&["/projects"]));
        assert_eq!(named("mcp-filesystem --read-only=yes ~/notes"), some(&["~/notes"]));
        assert_eq!(named("node /opt/server/index.js /data"), some(&[]));
        for unknown in
            ["server-filesystem .", "server-filesystem /a ${workspaceFolder}", "server-filesystem --log /var/log/x /a"]
        {
            assert_eq!(named(unknown), None, "{unknown}");
        }
    }
}
