//! What is known about each ClientApp, as data: one TOML file per app in `apps/`, compiled in, and the person's own in
//! their state directory. Adding an app is adding a file. Nothing in this crate may name an app outside these files.

use crate::error::Error;
use crate::format::Format;
use crate::machine::{Machine, Os};
use include_dir::{Dir, include_dir};
use portcullis_domain::AppId;
use serde::Deserialize;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

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
    /// Why none of its servers can be protected and what the person can do instead: an app without `files`.
    pub not_covered: Option<String>,
    #[serde(default = "json")]
    pub format: Format,
    /// Key paths from the root of the file to the maps of servers; `*` stands for any key.
    #[serde(default)]
    pub servers: Vec<Vec<String>>,
    /// The servers are a list whose items carry their `name`.
    #[serde(default)]
    pub list: bool,
    /// Keys of the map that are settings unless they look like a server.
    #[serde(default)]
    pub not_servers: Vec<String>,
    /// Key of an object inside an entry that may hold the command or the URL.
    pub nested: Option<String>,
    /// What an entry is that has neither a command nor a URL.
    pub neither: Option<String>,
    /// After how long it gives a call of a tool up by itself: a question to the person must be over before.
    pub call_limit_seconds: Option<u32>,
    /// It writes its in-memory copy back while it runs, so edits wait until it has quit.
    #[serde(default)]
    pub rewrites_while_running: bool,
    /// It writes the whole file often, sometimes from an older copy in its memory.
    #[serde(default)]
    pub rewrites_file: bool,
    /// What the app itself holds while it writes the file; we hold it too.
    pub lock: Option<AppLock>,
    /// It takes a change up while it runs.
    #[serde(default)]
    pub reloads: bool,
    /// What the person has to do for a change to take effect, one sentence.
    #[serde(default)]
    pub reload: String,
    /// Other programs that read the same files: their servers go through Portcullis with these.
    #[serde(default)]
    pub also_read_by: Vec<String>,
    #[serde(default)]
    pub files: PerOs<FileAt>,
    /// Files inside a project's folder; used in folders that the person named.
    #[serde(default, rename = "project")]
    pub projects: Vec<ProjectFile>,
    /// Other places from which the app takes servers, which are not written.
    #[serde(default, rename = "elsewhere")]
    pub elsewhere: Vec<Elsewhere>,
    #[serde(default)]
    pub stdio: StdioKeys,
    pub remote: Option<RemoteKeys>,
    #[serde(default)]
    pub installed: Installed,
    /// Where an editor keeps the extensions of which some are apps themselves.
    #[serde(default)]
    pub extension_folders: Vec<String>,
    #[serde(default)]
    pub running: PerOs<String>,
    #[serde(default)]
    pub script: Script,
    #[serde(default, rename = "example")]
    pub examples: Vec<Example>,
}

fn json() -> Format {
    Format::Json
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerOs<T> {
    /// The same on every system.
    #[serde(default = "Vec::new")]
    pub all: Vec<T>,
    #[serde(default = "Vec::new")]
    pub linux: Vec<T>,
    #[serde(default = "Vec::new")]
    pub macos: Vec<T>,
    #[serde(default = "Vec::new")]
    pub windows: Vec<T>,
}

impl<T> Default for PerOs<T> {
    fn default() -> Self {
        Self { all: Vec::new(), linux: Vec::new(), macos: Vec::new(), windows: Vec::new() }
    }
}

impl<T> PerOs<T> {
    pub fn on(&self, os: Os) -> impl Iterator<Item = &T> {
        let here = match os {
            Os::Linux => &self.linux,
            Os::MacOs => &self.macos,
            Os::Windows => &self.windows,
        };
        self.all.iter().chain(here)
    }
}

/// A config file, `/` between its parts, `~` or `$VARIABLE` in front, `*` for any part of one name; used only if (unless)
/// another path exists.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileAt {
    pub path: String,
    pub if_exists: Option<String>,
    pub unless_exists: Option<String>,
    /// Used only if this variable has no value.
    pub unless_set: Option<String>,
    /// Where they differ from the app's.
    pub format: Option<Format>,
    pub servers: Option<Vec<Vec<String>>>,
    /// Why this file is only read.
    pub read_only: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectFile {
    pub path: String,
    pub format: Option<Format>,
    pub servers: Option<Vec<Vec<String>>>,
}

/// Servers that exist, and that Portcullis does not carry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elsewhere {
    /// What it is ("extensions").
    pub what: String,
    pub reason: String,
    /// What the person can do.
    pub instead: String,
    #[serde(default)]
    pub files: PerOs<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppLock {
    /// An empty directory `<file>.lock`, stale after ten seconds.
    Directory,
    /// The same, with a file `owner.<token>` inside.
    OwnedDirectory,
}

/// How the app spells a stdio entry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StdioKeys {
    pub command: String,
    pub args: String,
    /// The command's value is a list: program and arguments.
    pub list: bool,
}

impl Default for StdioKeys {
    fn default() -> Self {
        Self { command: "command".into(), args: "args".into(), list: false }
    }
}

/// How the app spells an entry with a URL.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteKeys {
    /// An entry has one of these.
    pub url: Vec<String>,
    /// Key whose value names the transport.
    pub r#type: Option<String>,
    /// URL keys that mean the legacy transport when no type says otherwise.
    #[serde(default)]
    pub sse_without_type: Vec<String>,
    /// What in a URL only the app can fill in.
    #[serde(default = "variables")]
    pub variables: Vec<String>,
    /// Why such entries are never written, when they are not.
    pub never: Option<String>,
}

fn variables() -> Vec<String> {
    vec!["${".into()]
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
    /// Editor extensions, as `publisher.name`.
    #[serde(default)]
    pub extensions: Vec<String>,
    #[serde(default)]
    pub commands: Vec<String>,
}

/// How an app is told that runs in an interpreter, whose executable says nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Script {
    /// The last components of the script's path, `*` standing for any part of one.
    pub paths: Vec<String>,
    /// npm packages: any script of theirs, none of what they depend on.
    pub packages: Vec<String>,
    /// What the process writes over its arguments.
    pub titles: Vec<String>,
}

/// Checked by this crate's tests: `SHIM`, `PORT` and `ID` stand for what is only known on a machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    pub before: String,
    pub after: String,
    /// Which of the app's files (default: the first); for its project files: the path inside the project.
    pub file: Option<String>,
}

/// One config file on this machine and how to read it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    pub path: PathBuf,
    pub format: Format,
    pub servers: Vec<Vec<String>>,
    /// The folder that the person named, for a project's file.
    pub project: Option<PathBuf>,
    pub read_only: Option<String>,
}

impl Descriptor {
    pub fn app_id(&self) -> AppId {
        AppId::new(&self.id)
    }

    pub fn parse(id: &str, text: &str) -> Result<Self, Error> {
        let refuse = |reason: &str| Error::Descriptor { app: id.into(), reason: reason.into() };
        let mut descriptor: Self = toml::from_str(text).map_err(|error| refuse(&error.to_string()))?;
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(refuse("its file name must be lower-case letters, digits and dashes"));
        }
        let files = &descriptor.files;
        let has_files = [&files.all, &files.linux, &files.macos, &files.windows].iter().any(|files| !files.is_empty());
        let writes = has_files || !descriptor.projects.is_empty();
        if writes == descriptor.not_covered.is_some() {
            return Err(refuse("it must have either `files` or `not_covered`"));
        }
        let empty = |servers: &Vec<Vec<String>>| servers.is_empty() || servers.iter().any(Vec::is_empty);
        if writes && empty(&descriptor.servers) {
            return Err(refuse("`servers` must name at least one key"));
        }
        if writes && descriptor.reload.is_empty() {
            return Err(refuse("`reload` must say what makes a change take effect"));
        }
        descriptor.id = id.into();
        Ok(descriptor)
    }

    fn place(&self, path: PathBuf, format: Option<Format>, servers: Option<&Vec<Vec<String>>>) -> Place {
        Place {
            path,
            format: format.unwrap_or(self.format),
            servers: servers.unwrap_or(&self.servers).clone(),
            project: None,
            read_only: None,
        }
    }

    /// The config files that the app reads on this machine.
    pub(crate) fn config_files(&self, machine: &Machine) -> Vec<Place> {
        let exists = |template: &String| machine.expand(template).is_some_and(|path| path.exists());
        let used = |file: &&FileAt| {
            file.if_exists.as_ref().is_none_or(exists)
                && !file.unless_exists.as_ref().is_some_and(exists)
                && !file.unless_set.as_ref().is_some_and(|variable| machine.is_set(variable))
        };
        let mut seen = HashSet::new();
        let places = self.files.on(machine.os).filter(used).flat_map(|file| {
            machine.find(&file.path).into_iter().map(|path| Place {
                read_only: file.read_only.clone(),
                ..self.place(path, file.format, file.servers.as_ref())
            })
        });
        // Two of an app's places may be one file, by a symbolic link.
        let real = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        places.filter(|place| seen.insert(real(&place.path))).collect()
    }

    /// Its files in one project, whether they exist or not.
    pub(crate) fn project_files(&self, folder: &Path) -> impl Iterator<Item = Place> {
        self.projects.iter().map(move |file| Place {
            project: Some(folder.into()),
            ..self.place(folder.join(&file.path), file.format, file.servers.as_ref())
        })
    }

    /// How to read a file that we once wrote and that is not looked at any more.
    pub(crate) fn former_place(&self, path: &Path) -> Place {
        let named = |template: &str| Path::new(template).file_name() == path.file_name();
        let files = &self.files;
        let mut known = [&files.all, &files.linux, &files.macos, &files.windows].into_iter().flatten();
        if let Some(file) = known.find(|file| named(&file.path)) {
            return self.place(path.into(), file.format, file.servers.as_ref());
        }
        let project = self.projects.iter().find(|file| path.ends_with(&file.path));
        self.place(path.into(), project.and_then(|f| f.format), project.and_then(|f| f.servers.as_ref()))
    }

    /// `apps`: all of them, because an extension is installed in an editor.
    pub(crate) fn is_installed(&self, machine: &Machine, apps: &[Descriptor]) -> bool {
        let places = match machine.os {
            Os::Linux => &self.installed.linux,
            Os::MacOs => &self.installed.macos,
            Os::Windows => &self.installed.windows,
        };
        let extension = |id: &String| {
            let mut folders = apps.iter().flat_map(|app| &app.extension_folders);
            folders.any(|folder| machine.has(&format!("{folder}/{}-*", id.to_lowercase())))
        };
        places.iter().any(|place| machine.has(place))
            || self.installed.extensions.iter().any(extension)
            || self.installed.commands.iter().any(|command| machine.has_command(command))
    }
}

/// All bundled apps, ordered by name.
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

/// The person's own, added to `apps`; what is wrong with one leaves it out and is told. None may take the place of a
/// bundled one: a file that an agent can write must not change how a known app is read.
pub(crate) fn add_own(directory: &Path, apps: &mut Vec<Descriptor>) -> Vec<String> {
    let mut problems = Vec::new();
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    for path in files {
        let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let read = std::fs::read_to_string(&path).map_err(Error::io("reading", &path));
        let app = read.and_then(|text| Descriptor::parse(&id, &text)).and_then(|app| {
            let reason = format!("there is an app with the id {id:?} already; give the file another name");
            let taken = apps.iter().any(|known| known.id == app.id);
            if taken { Err(Error::Descriptor { app: id.clone(), reason }) } else { Ok(app) }
        });
        match app {
            Ok(app) => apps.push(app),
            Err(error) => problems.push(format!("{} is left out: {error}", path.display())),
        }
    }
    apps.sort_by(|a, b| a.name.cmp(&b.name));
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_descriptor_is_valid_and_has_examples() {
        let apps = bundled().unwrap();
        assert!(apps.iter().any(|app| app.id == "cursor") && apps.iter().any(|app| app.id == "claude-desktop"));
        for app in apps.iter().filter(|app| app.not_covered.is_none()) {
            assert!(!app.examples.is_empty(), "{} has no example", app.id);
            assert!(app.reload.ends_with('.'), "{}", app.id);
        }
    }

    #[test]
    fn misspelt_fields_are_refused() {
        let text = "name='x'\nformat='json'\nservers=[['m']]\nreload='r'\nrewrite_while_running=true\n[files]\n";
        let error = Descriptor::parse("x", text).unwrap_err();
        assert_eq!(error.code(), "descriptor_invalid");
        assert!(error.to_string().contains("rewrite_while_running"), "{error}");
    }

    #[test]
    fn an_app_has_files_or_a_reason_why_not() {
        let files = "[files]\nall = [{ path = '~/x.json' }]\n";
        let ok = format!("name='x'\nservers=[['m']]\nreload='r.'\n{files}");
        assert!(Descriptor::parse("x", &ok).is_ok());
        for bad in
            ["name='x'\n", &format!("not_covered='why'\n{ok}"), &format!("name='x'\nservers=[]\nreload='r'\n{files}")]
        {
            assert_eq!(Descriptor::parse("x", bad).unwrap_err().code(), "descriptor_invalid", "{bad}");
        }
        assert_eq!(Descriptor::parse("../x", &ok).unwrap_err().code(), "descriptor_invalid");
    }
}
