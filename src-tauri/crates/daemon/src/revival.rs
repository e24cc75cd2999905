//! How a shim may start this daemon again after it died: our own program, headless, with the places and the language of
//! the environment that it runs in now. Kept in the sealed snapshot. A daemon that the person stopped stays stopped.

use crate::Error;
use crate::home::Home;
use crate::shim_binary::beside;
use portcullis_policy::snapshot::Revival;

/// Beside those that end like a place: what finding apps, reaching servers and the keychain takes. Nothing that is a
/// secret by its nature, because the snapshot is a file.
const KEPT: [&str; 16] = [
    "ALL_PROXY",
    "APPDATA",
    "DBUS_SESSION_BUS_ADDRESS",
    "HOME",
    "LANG",
    "LC_ALL",
    "LOCALAPPDATA",
    "LOGNAME",
    "PATH",
    "ProgramData",
    "ProgramFiles",
    "SSL_CERT_FILE",
    "SYSTEMROOT",
    "TMPDIR",
    "USER",
    "USERPROFILE",
];
const KEPT_ENDS: [&str; 7] = ["_CONFIG", "_DIR", "_HOME", "_PATH", "_ROOT", "_PROXY", "_proxy"];

pub(crate) fn of_this_daemon(home: &Home) -> Result<Revival, Error> {
    let program = beside(if cfg!(windows) { "portcullis.exe" } else { "portcullis" })?;
    let mut environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| is_kept(name))
        .collect();
    environment.push(("PORTCULLIS_HOME".into(), home.path().to_string_lossy().into_owned()));
    environment.sort();
    Ok(Revival { program, arguments: vec!["serve".into()], environment })
}

fn is_kept(name: &str) -> bool {
    let is_loaders = name.starts_with("LD_") || name.starts_with("DYLD_");
    name != "PORTCULLIS_HOME"
        && !is_loaders
        && (KEPT.contains(&name) || KEPT_ENDS.iter().any(|end| name.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_kept_and_secrets_are_not() {
        for place in ["HOME", "XDG_CONFIG_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR", "HTTPS_PROXY", "no_proxy"] {
            assert!(is_kept(place), "{place}");
        }
        for other in ["OPENAI_API_KEY", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "LD_LIBRARY_PATH", "PORTCULLIS_HOME"] {
            assert!(!is_kept(other), "{other}");
        }
    }
}
