//! The folders a server was given. A path outside all of them is named as such; inside one, the settings of the system
//! are what the server works on. Compared by their written form: no file is looked at, links are not followed, and homes
//! of different people count as one (a folder of another's home is not told from the own).

use super::catalogue::Set;
use super::{MAX_LINES, MAX_PATH_BYTES, Match, Path};
use crate::role::Role;

/// Where every program may write and read.
const COMMON: [&str; 12] = [
    "/tmp",
    "/var/tmp",
    "/private/tmp",
    "/var/folders",
    "/private/var/folders",
    "/dev/null",
    "/dev/stdin",
    "/dev/stdout",
    "/dev/stderr",
    "/windows/temp",
    "~/appdata/local/temp",
    "/dev/shm",
];
/// What a path of this machine begins with; `/api/users` and `/src/x.ts` are often paths of something else.
const PLACES: [&str; 22] = [
    "~",
    "home",
    "users",
    "root",
    "etc",
    "var",
    "opt",
    "usr",
    "srv",
    "mnt",
    "media",
    "volumes",
    "boot",
    "proc",
    "sys",
    "library",
    "applications",
    "system",
    "windows",
    "program files",
    "program files (x86)",
    "programdata",
];

#[derive(Debug, Default)]
pub(crate) struct Roots(Vec<String>);

impl Roots {
    pub fn of(roots: &[String]) -> Self {
        // A name below it, so that a home is known as one.
        let plain = |root: &String| Path::of(&format!("{}/x", root.trim_end_matches(['/', '\\']))).text;
        Self(roots.iter().map(|root| plain(root).trim_end_matches("/x").to_owned()).collect())
    }

    fn hold(&self, path: &str) -> bool {
        let above_homes = |root: &String| matches!(root.as_str(), "" | "/home" | "/users");
        self.0.iter().any(|root| below(path, root) || above_homes(root) && path.starts_with('~'))
    }

    /// The server was given the very folder that `path` lies in, not the machine or a whole home, and no kind of secret
    /// is known to lie at `path`.
    pub fn give(&self, path: &str) -> bool {
        let secret = [Set::PrivateKeys, Set::Credentials, Set::EnvFiles, Set::Histories, Set::System];
        let acts = [Set::State, Set::AppConfigs, Set::Startup];
        let is_secret = path.contains("/.ssh") || path.contains("/private/") || path.starts_with("/proc/");
        let narrow = |root: &&String| root.split('/').filter(|part| !part.is_empty()).count() >= 2;
        !is_secret
            && !secret.iter().chain(&acts).any(|set| set.holds(path))
            && self.0.iter().filter(narrow).any(|root| below(path, root))
    }

    /// Where `path` leads, if that can be told without knowing where the server runs.
    fn resolved(&self, path: &Path) -> Option<String> {
        if path.text.starts_with(['/', '~']) {
            return Some(path.text.clone());
        }
        let [root] = &self.0[..] else { return None };
        let mut parts: Vec<&str> = root.split('/').collect();
        for _ in 0..path.climbs {
            // Above a home nothing is known of its name.
            if parts.pop().is_none_or(|part| part == "~") {
                return Some("/".into());
            }
        }
        Some(format!("{}/{}", parts.join("/"), path.text))
    }

    fn leaves(&self, candidate: &str) -> bool {
        let path = Path::of(candidate);
        let Some(resolved) = self.resolved(&path) else { return false };
        let first = |path: &str| path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
        let is_here = path.climbs > 0
            || PLACES.contains(&first(&resolved).as_str())
            || self.0.iter().any(|root| first(root) == first(&resolved));
        is_here && !self.hold(&resolved) && !COMMON.iter().any(|common| below(&resolved, common))
    }
}

fn below(path: &str, folder: &str) -> bool {
    let folder = folder.strip_suffix('/').unwrap_or(folder);
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub(crate) fn find_outside(text: &str, role: Role, roots: &Roots) -> Vec<Match> {
    let is_address = text.contains("://") && !text.trim_start().starts_with("file:");
    if roots.0.is_empty() || role != Role::ArgumentPath || text.len() > MAX_PATH_BYTES || is_address {
        return Vec::new();
    }
    let leaves = text.lines().filter(|line| !line.trim().is_empty()).take(MAX_LINES).any(|line| roots.leaves(line));
    if leaves { vec![Match { range: 0..text.len(), reading: None }] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::super::{Paths, find_sensitive};
    use super::*;

    fn roots(list: &[&str]) -> Roots {
        Roots::of(&list.iter().map(|root| (*root).to_owned()).collect::<Vec<_>>())
    }
    fn outside(text: &str, list: &[&str]) -> bool {
        !find_outside(text, Role::ArgumentPath, &roots(list)).is_empty()
    }

    #[test]
    fn a_path_in_none_of_the_folders_is_outside() {
        let given = ["file:///home/me/my%20site", "/data/shop"];
        for text in
            ["/home/me/other/x", "~/notes.txt", "/etc/hosts", "C:\\Users\\me\\x", "/data/shop2/x", "/data/shop/../keys"]
        {
            assert!(outside(text, &given), "{text}");
        }
        for text in [
            "/home/me/my site",
            "/home/me/my site/a/../b",
            "/data/shop/x",
            "/tmp/x",
            "/dev/null",
            "src/x.ts",
            "/src/x.ts",
            "/api/users",
            "https://x.example/home/me",
            "../x",
        ] {
            assert!(!outside(text, &given), "{text}");
        }
        assert!(!outside("/etc/hosts", &[]), "nothing is known");
        assert!(!outside("/etc/hosts", &["/"]) && !outside("~/x", &["file:///"]));
        assert!(
            !outside("/home/me/x", &["/home/me"])
                && !outside("/home/me/x", &["/home"])
                && outside("/opt/x", &["/home/me/"])
        );
        // With one folder a relative path can be followed.
        assert!(outside("../other/x", &["/home/me/site"]) && outside("a/../../../../x", &["/data/shop"]));
        assert!(!outside("../site/x", &["/home/me/site"]));
    }

    #[test]
    fn a_folder_that_was_given_calms_settings_and_never_secrets() {
        let found = |text: &str, set: Set, list: &[&str]| {
            !find_sensitive(&Paths::of(text, Role::ArgumentPath), &[set], &roots(list)).is_empty()
        };
        assert!(found("/etc/nginx/nginx.conf", Set::SystemSettings, &[]));
        assert!(!found("/etc/nginx/nginx.conf", Set::SystemSettings, &["/etc/nginx"]));
        for wide in ["/", "/etc", "/etc/apache2"] {
            assert!(found("/etc/nginx/nginx.conf", Set::SystemSettings, &[wide]), "{wide}");
        }
        for (text, set, root) in [
            ("/home/me/.ssh/id_rsa", Set::PrivateKeys, "/home/me/.ssh"),
            ("/home/me/.ssh/authorized_keys", Set::SystemSettings, "/home/me/.ssh"),
            ("/etc/ssl/private/x.pem", Set::SystemSettings, "/etc/ssl"),
            ("/home/me/.aws/credentials", Set::Credentials, "/home/me/.aws"),
            ("/work/app/.env", Set::EnvFiles, "/work/app"),
            ("/work/app/.git/hooks/pre-commit", Set::Startup, "/work/app"),
            ("/etc/sudoers.d/x", Set::System, "/etc/sudoers.d"),
        ] {
            assert!(found(text, set, &[root]), "{text}");
        }
    }
}
