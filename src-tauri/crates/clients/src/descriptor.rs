//! What is known about each ClientApp, as data: one TOML file per app in `apps/`, compiled in. Adding an app is adding a
//! file there. Nothing in this crate may name an app outside these files.

use crate::error::Error;
use crate::format::Format;
use crate::machine::{Machine, Os};
use include_dir::{Dir, include_dir};
use portcullis_domain::AppId;
use serde::Deserialize;
use std::path::PathBuf;

static APPS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/apps");

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// The file's stem.
    #[serde(skip)]
    pub id: String,
    pub name: String,
    /// Not listed among the person's apps.
    #[serde(default)]
    pub hidden: bool,
    pub format: Format,
    /// Keys from the root of the file to the map of servers.
    pub servers: Vec<String>,
    /// It writes its in-memory copy back while it runs, so edits wait until it has quit.
    #[serde(default)]
    pub rewrites_while_running: bool,
    /// What the person has to do for a change to take effect, one sentence.
    pub reload: String,
    pub files: PerOs<FileAt>,
    #[serde(default)]
    pub stdio: StdioKeys,
    pub remote: Option<RemoteKeys>,
    #[serde(default)]
    pub installed: Installed,
    #[serde(default)]
    pub running: PerOs<String>,
    #[serde(default, rename = "example")]
    pub examples: Vec<Example>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerOs<T> {
    #[serde(default = "Vec::new")]
    pub linux: Vec<T>,
    #[serde(default = "Vec::new")]
    pub macos: Vec<T>,
    #[serde(default = "Vec::new")]
    pub windows: Vec<T>,
}

impl<T> Default for PerOs<T> {
    fn default() -> Self {
        Self { linux: Vec::new(), macos: Vec::new(), windows: Vec::new() }
    }
}

impl<T> PerOs<T> {
    pub fn on(&self, os: Os) -> &[T] {
        match os {
            Os::Linux => &self.linux,
            Os::MacOs => &self.macos,
            Os::Windows => &self.windows,
        }
    }
}

/// A config file, `/` between its parts, `~` or `$VARIABLE` in front; used only if (unless) another path exists.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileAt {
    pub path: String,
    pub if_exists: Option<String>,
    pub unless_exists: Option<String>,
}

/// How the app spells a stdio entry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StdioKeys {
    pub command: String,
    pub args: String,
}

impl Default for StdioKeys {
    fn default() -> Self {
        Self { command: "command".into(), args: "args".into() }
    }
}

/// How the app spells an entry with a URL.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteKeys {
    pub url: String,
    /// Key whose value `sse` means the legacy transport.
    pub r#type: Option<String>,
    /// Why such entries are never written, when they are not.
    pub never: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installed {
    #[serde(default)]
    pub linux: Vec<String>,
    #[serde(default)]
    pub macos: Vec<String>,
    #[serde(default)]
    pub windows: Vec<String>,
    #[serde(default)]
    pub commands: Vec<String>,
}

/// Checked by this crate's tests: `SHIM`, `PORT` and `ID` stand for what is only known on a machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    pub before: String,
    pub after: String,
}

impl Descriptor {
    pub fn app_id(&self) -> AppId {
        AppId::new(&self.id)
    }

    pub fn parse(id: &str, text: &str) -> Result<Self, Error> {
        let refuse = |reason: String| Error::Descriptor { app: id.into(), reason };
        let mut descriptor: Self = toml::from_str(text).map_err(|error| refuse(error.to_string()))?;
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(refuse("its file name must be lower-case letters, digits and dashes".into()));
        }
        if descriptor.servers.is_empty() {
            return Err(refuse("`servers` must name at least one key".into()));
        }
        descriptor.id = id.into();
        Ok(descriptor)
    }

    /// The config files that the app reads on this machine.
    pub(crate) fn config_files(&self, machine: &Machine) -> Vec<PathBuf> {
        let exists = |template: &String| machine.expand(template).is_some_and(|path| path.exists());
        self.files
            .on(machine.os)
            .iter()
            .filter(|file| file.if_exists.as_ref().is_none_or(exists))
            .filter(|file| !file.unless_exists.as_ref().is_some_and(exists))
            .filter_map(|file| machine.expand(&file.path))
            .collect()
    }

    pub(crate) fn is_installed(&self, machine: &Machine) -> bool {
        let places = match machine.os {
            Os::Linux => &self.installed.linux,
            Os::MacOs => &self.installed.macos,
            Os::Windows => &self.installed.windows,
        };
        places.iter().filter_map(|place| machine.expand(place)).any(|path| path.exists())
            || self.installed.commands.iter().any(|command| machine.has_command(command))
    }
}

/// All apps, ordered by name.
pub fn bundled() -> Result<Vec<Descriptor>, Error> {
    let mut all = Vec::new();
    for file in APPS.files() {
        let name = file.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(id) = name.strip_suffix(".toml") {
            all.push(Descriptor::parse(id, file.contents_utf8().unwrap_or_default())?);
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_descriptor_is_valid_and_has_examples() {
        let apps = bundled().unwrap();
        assert!(apps.iter().any(|app| app.id == "cursor") && apps.iter().any(|app| app.id == "claude-desktop"));
        for app in apps {
            assert!(!app.examples.is_empty(), "{} has no example", app.id);
            assert!([Os::Linux, Os::MacOs, Os::Windows].iter().all(|os| !app.files.on(*os).is_empty()), "{}", app.id);
        }
    }

    #[test]
    fn misspelt_fields_are_refused() {
        let text = "name='x'\nformat='json'\nservers=['m']\nreload='r'\nrewrite_while_running=true\n[files]\n";
        let error = Descriptor::parse("x", text).unwrap_err();
        assert_eq!(error.code(), "descriptor_invalid");
        assert!(error.to_string().contains("rewrite_while_running"), "{error}");
    }
}
