//! Where things are on a machine: which system, which home, which environment. Given as data, so that Windows and macOS
//! paths are tested on any machine. It looks nothing up by itself but what `Machine::this` is asked for.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Of the directories that a `*` stands for, no more are looked at.
const MAX_FOUND: usize = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Os {
    Linux,
    MacOs,
    Windows,
}

#[derive(Clone, Debug)]
pub struct Machine {
    pub os: Os,
    pub home: PathBuf,
    pub env: HashMap<String, String>,
}

impl Machine {
    /// This machine, for this user. `HOME` (on Windows `USERPROFILE`) wins over the account's home, as it does for the apps.
    /// None: this user has no home at all.
    pub fn this() -> Option<Self> {
        let os = match std::env::consts::OS {
            "windows" => Os::Windows,
            "macos" => Os::MacOs,
            _ => Os::Linux,
        };
        let env: HashMap<String, String> =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
        let variable = if os == Os::Windows { "USERPROFILE" } else { "HOME" };
        let home =
            std::env::var_os(variable).map(PathBuf::from).filter(|home| home.is_absolute()).or_else(dirs::home_dir)?;
        Some(Self { os, home, env })
    }

    /// `$APPDATA/Claude/x.json` or `~/.cursor/mcp.json` as a path of this machine; None when a variable has no value and
    /// no well-known default.
    pub fn expand(&self, template: &str) -> Option<PathBuf> {
        let mut parts = template.split('/');
        let first = parts.next()?;
        let mut path = match first {
            "~" => self.home.clone(),
            "" => PathBuf::from("/"),
            _ => match first.strip_prefix('$') {
                Some(variable) => self.directory(variable)?,
                None => PathBuf::from(first),
            },
        };
        path.extend(parts.filter(|part| !part.is_empty()));
        Some(path)
    }

    /// Every path that the template stands for: with a `*` those that exist, without one exactly one.
    pub fn find(&self, template: &str) -> Vec<PathBuf> {
        let Some(path) = self.expand(template) else { return Vec::new() };
        if !template.contains('*') {
            return vec![path];
        }
        let mut found = vec![PathBuf::new()];
        for part in path.components() {
            let part = part.as_os_str();
            let Some((start, end)) = part.to_str().and_then(|part| part.split_once('*')) else {
                found.iter_mut().for_each(|path| path.push(part));
                continue;
            };
            let fits =
                |name: &str| name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end);
            let inside = found.iter().flat_map(|path| std::fs::read_dir(path).into_iter().flatten().flatten());
            let inside = inside.filter(|entry| entry.file_name().to_str().is_some_and(fits)).map(|entry| entry.path());
            found = inside.take(MAX_FOUND).collect();
        }
        found.retain(|path| path.exists());
        found.sort();
        found
    }

    pub(crate) fn has(&self, template: &str) -> bool {
        self.find(template).iter().any(|path| path.exists())
    }

    pub(crate) fn is_set(&self, variable: &str) -> bool {
        self.env.get(variable).is_some_and(|value| !value.is_empty())
    }

    fn directory(&self, variable: &str) -> Option<PathBuf> {
        // XDG: a value that is not absolute is to be ignored.
        if let Some(value) = self.env.get(variable).map(PathBuf::from)
            && (value.is_absolute() || self.os == Os::Windows)
            && !value.as_os_str().is_empty()
        {
            return Some(value);
        }
        let below_home = match variable {
            "XDG_CONFIG_HOME" => ".config",
            "XDG_DATA_HOME" => ".local/share",
            "APPDATA" => "AppData/Roaming",
            "LOCALAPPDATA" => "AppData/Local",
            "ProgramFiles" if self.os == Os::Windows => return Some(PathBuf::from("C:/Program Files")),
            "ProgramData" if self.os == Os::Windows => return Some(PathBuf::from("C:/ProgramData")),
            "USERPROFILE" | "HOME" => "",
            _ => return None,
        };
        let mut path = self.home.clone();
        path.extend(below_home.split('/').filter(|part| !part.is_empty()));
        Some(path)
    }

    /// Whether a command of that name is on the PATH, or in a place where GUI-started programs forget to look.
    pub(crate) fn has_command(&self, name: &str) -> bool {
        let mut directories: Vec<PathBuf> =
            self.env.get("PATH").map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
        let below_home =
            [".local/bin", ".cargo/bin", ".bun/bin", ".npm-global/bin", ".opencode/bin", "AppData/Roaming/npm"];
        directories.extend(below_home.map(|directory| self.home.join(directory)));
        if self.os == Os::MacOs {
            directories.extend([PathBuf::from("/opt/homebrew/bin"), PathBuf::from("/usr/local/bin")]);
        }
        let ends: &[&str] = if self.os == Os::Windows { &[".exe", ".cmd"] } else { &[""] };
        let here = |directory: &PathBuf| ends.iter().any(|end| is_file(&directory.join(format!("{name}{end}"))));
        directories.iter().any(|directory| directory.is_absolute() && here(directory))
    }
}

fn is_file(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(os: Os, env: &[(&str, &str)]) -> Machine {
        let env = env.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        Machine { os, home: PathBuf::from("/people/eve"), env }
    }

    #[test]
    fn variables_win_over_their_defaults_and_relative_ones_are_ignored() {
        let expand = |m: &Machine, t| m.expand(t).map(|p| p.display().to_string());
        let plain = machine(Os::Linux, &[]);
        assert_eq!(expand(&plain, "~/.cursor/mcp.json").as_deref(), Some("/people/eve/.cursor/mcp.json"));
        assert_eq!(
            expand(&plain, "$XDG_CONFIG_HOME/Claude/c.json").as_deref(),
            Some("/people/eve/.config/Claude/c.json")
        );
        assert_eq!(expand(&plain, "$NOPE/x"), None);
        let moved = machine(Os::Linux, &[("XDG_CONFIG_HOME", "/cfg")]);
        assert_eq!(expand(&moved, "$XDG_CONFIG_HOME/Claude/c.json").as_deref(), Some("/cfg/Claude/c.json"));
        let relative = machine(Os::Linux, &[("XDG_CONFIG_HOME", "cfg")]);
        assert_eq!(expand(&relative, "$XDG_CONFIG_HOME/c.json").as_deref(), Some("/people/eve/.config/c.json"));
        let windows = machine(Os::Windows, &[]);
        assert_eq!(
            expand(&windows, "$APPDATA/Claude/c.json").as_deref(),
            Some("/people/eve/AppData/Roaming/Claude/c.json")
        );
    }
}
