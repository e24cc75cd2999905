//! Lints the bundled signature files (`signatures/<category>/<id>.toml`) with the code that loads them in production,
//! and runs their own hit and miss examples. Reads the files on disk, so that it says what is there now.

use anyhow::{Context, Result};
use portcullis_detect::{lint, load, test_examples};
use std::path::Path;

const FOLDER: &str = "signatures";

pub fn check(root: &Path) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let mut files = Vec::new();
    // Beside the categories lies only the README that explains them.
    for category in entries(&root.join(FOLDER))?.into_iter().filter(|path| path.is_dir()) {
        for path in entries(&category)? {
            let name = path.strip_prefix(root.join(FOLDER))?.to_string_lossy().replace('\\', "/");
            let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            match load(&name, &text) {
                Ok(file) => files.push(portcullis_detect::SignatureFile { bundled: true, ..file }),
                Err(fault) => faults.push(format!("{FOLDER}/{fault}")),
            }
        }
    }
    anyhow::ensure!(!files.is_empty() || !faults.is_empty(), "{FOLDER} holds no signature files");
    faults.extend(lint(&files).into_iter().map(|fault| format!("{FOLDER}/{fault}")));
    for wrong in files.iter().filter_map(|file| test_examples(file).err()).flatten() {
        faults.push(format!("{FOLDER}/{wrong}"));
    }
    Ok(faults)
}

fn entries(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}
