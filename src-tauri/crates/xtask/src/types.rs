//! The TypeScript types of the API, generated from `portcullis-domain` by ts-rs. Its export runs as tests of that
//! crate; here they are sent to a folder of their own, so that what is committed is compared before it is replaced.

use anyhow::{Context, Result, ensure};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

pub const FOLDER: &str = "ui/src/generated";
type Files = BTreeMap<String, String>;

pub fn check(root: &Path) -> Result<Vec<String>> {
    let faults = differences(&read(&root.join(FOLDER))?, &generate(root)?);
    Ok(faults.into_iter().map(|fault| format!("{FOLDER}/{fault}; run `cargo xtask types`")).collect())
}

/// Makes the committed folder exactly what is generated, and says how many types that is.
pub fn write(root: &Path) -> Result<usize> {
    let wanted = generate(root)?;
    let folder = root.join(FOLDER);
    std::fs::create_dir_all(&folder)?;
    for name in read(&folder)?.keys().filter(|name| !wanted.contains_key(*name)) {
        std::fs::remove_file(folder.join(name))?;
    }
    for (name, text) in &wanted {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(wanted.len())
}

fn differences(committed: &Files, generated: &Files) -> Vec<String> {
    let names = committed.keys().chain(generated.keys()).collect::<std::collections::BTreeSet<_>>();
    let fault = |name: &String| match (committed.get(name), generated.get(name)) {
        (Some(old), Some(new)) if old == new => None,
        (Some(_), Some(_)) => Some(format!("{name} is out of date")),
        (None, _) => Some(format!("{name} is missing")),
        (_, None) => Some(format!("{name} belongs to no type any more")),
    };
    names.into_iter().filter_map(fault).collect()
}

/// Runs ts-rs's export into a scratch folder below `target`, laid out as deep as the crate is, because the exported
/// paths climb from there to the repository's root.
fn generate(root: &Path) -> Result<Files> {
    let scratch = scratch()?;
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch)?;
    }
    let depth = scratch.join("src-tauri/crates/domain/bindings");
    std::fs::create_dir_all(&depth)?;
    let output = Command::new("cargo")
        .args(["test", "--quiet", "--profile", "start", "--package", "portcullis-domain", "--lib", "export_bindings"])
        .env("TS_RS_EXPORT_DIR", &depth)
        .current_dir(root)
        .output()
        .context("cargo could not be started")?;
    ensure!(output.status.success(), "exporting the types failed:\n{}", String::from_utf8_lossy(&output.stderr).trim());
    let files = read(&scratch.join(FOLDER))?;
    ensure!(!files.is_empty(), "the export wrote no types");
    std::fs::remove_dir_all(&scratch)?;
    Ok(files)
}

/// Beside the running binary, so inside the target directory wherever that is.
fn scratch() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.parent().context("no folder of our own")?.join(format!("xtask-types-{}", std::process::id())))
}

fn read(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    if !folder.exists() {
        return Ok(files);
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.insert(name, std::fs::read_to_string(&path)?);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_is_named_file_by_file() {
        let files = |list: &[(&str, &str)]| list.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect::<Files>();
        let committed = files(&[("Same.ts", "1"), ("Old.ts", "1"), ("Changed.ts", "1")]);
        let generated = files(&[("Same.ts", "1"), ("Changed.ts", "2"), ("New.ts", "1")]);
        assert_eq!(
            differences(&committed, &generated),
            ["Changed.ts is out of date", "New.ts is missing", "Old.ts belongs to no type any more"]
        );
    }
}
