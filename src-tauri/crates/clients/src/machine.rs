//! Where things are on a machine: which system, which home, which environment. Given as data, so that Windows and macOS
//! paths are tested on any machine. It looks nothing up by itself but what `Machine::this` is asked for.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

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
        directories.push(self.home.join(".local/bin"));
        if self.os == Os::MacOs {
            directories.extend([PathBuf::from("/opt/homebrew/bin"), PathBuf::from("/usr/local/bin")]);
        }
        let file = if self.os == Os::Windows { format!("{name}.exe") } else { name.to_string() };
        directories.iter().any(|directory| directory.is_absolute() && is_file(&directory.join(&file)))
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
