//! Files that another program writes from a source of its own (Nix and Guix stores, chezmoi): an edit would be refused or
//! undone, so it is never forced. Looks at paths only.

use crate::file::Snapshot;
use crate::machine::Machine;
use std::ffi::OsStr;
use std::path::{Component, Path};

/// Who writes this file, if it is not the person or the app.
pub(crate) fn managed_by(machine: &Machine, snapshot: &Snapshot) -> Option<String> {
    for (store, name) in [("/nix/store", "Nix"), ("/gnu/store", "Guix")] {
        if snapshot.target.starts_with(store) {
            return Some(format!("{name} (it lies in {store})"));
        }
    }
    let below_home = snapshot.path.strip_prefix(&machine.home).ok()?;
    let source = machine.expand("$XDG_DATA_HOME/chezmoi")?;
    // A repository may keep its sources in a folder of its own.
    let named = std::fs::read_to_string(source.join(".chezmoiroot")).unwrap_or_default();
    let root = source.join(named.trim());
    has_source(&root, below_home).then(|| format!("chezmoi (its source is in {})", root.display()))
}

/// Whether chezmoi's source directory holds a file for `below_home`: `dot_` stands for a leading dot, and attributes are
/// written in front of names.
fn has_source(directory: &Path, below_home: &Path) -> bool {
    let mut parts = below_home.components();
    let Some(Component::Normal(first)) = parts.next() else { return false };
    let rest = parts.as_path();
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| first == OsStr::new(&target_name(name))))
        .any(|entry| if rest.as_os_str().is_empty() { entry.path().is_file() } else { has_source(&entry.path(), rest) })
}

fn target_name(source: &str) -> String {
    let attributes = ["create_", "encrypted_", "exact_", "executable_", "modify_", "private_", "readonly_", "symlink_"];
    let mut name = source.strip_suffix(".tmpl").unwrap_or(source);
    while let Some(rest) = attributes.iter().find_map(|attribute| name.strip_prefix(attribute)) {
        name = rest;
    }
    name.strip_prefix("dot_").map_or_else(|| name.to_string(), |rest| format!(".{rest}"))
}
