//! Every Rust file opens by saying what it owns (`//!`), so that a newcomer can read the map from the files themselves.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

pub fn check(root: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    collect(&root.join("src-tauri"), &mut files)?;
    files.sort();
    let mut faults = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        if !opens_with_its_purpose(&text) {
            let shown = file.strip_prefix(root).unwrap_or(&file).display();
            faults.push(format!("{shown} does not open with `//!` and a sentence on what it owns"));
        }
    }
    Ok(faults)
}

fn opens_with_its_purpose(text: &str) -> bool {
    text.lines().next().and_then(|line| line.strip_prefix("//! ")).is_some_and(|rest| rest.trim().len() > 15)
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("gen") {
            collect(&path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_a_sentence_on_the_first_line() {
        assert!(opens_with_its_purpose("//! Owns the journal; must not do I/O.\nuse x;"));
        for bare in ["", "use x;\n//! Owns the journal.", "//!", "//! (later)", "// Owns the journal; not a doc."] {
            assert!(!opens_with_its_purpose(bare), "{bare:?}");
        }
    }
}
