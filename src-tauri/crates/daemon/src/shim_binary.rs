//! Puts the shim where apps' configs point: `<home>/bin/portcullis-shim`, copied from beside the running executable.
//! A relay that runs keeps its own copy: the file is replaced, never written into.

use crate::Error;
use crate::home::{self, Home};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};

/// Our other programs: beside the running one, or one folder up (test programs lie in `deps/`).
pub(crate) fn beside(name: &str) -> Result<PathBuf, Error> {
    let exe = std::env::current_exe().map_err(Error::io("could not find the running program", "this program"))?;
    let dir = exe.parent().unwrap_or(Path::new("/")).to_path_buf();
    let found =
        [Some(dir.as_path()), dir.parent()].into_iter().flatten().map(|dir| dir.join(name)).find(|p| p.is_file());
    found.ok_or(Error::MissingBinary { name: name.into(), beside: dir })
}

/// Installs the shim if it is missing or another build. `source`: None looks beside the running executable.
/// `closely` compares every byte; else size and time are enough, so that a start does not read two large files.
pub(crate) fn install(home: &Home, source: Option<&Path>, closely: bool) -> Result<(), Error> {
    let source = match source {
        Some(path) => path.to_path_buf(),
        None => beside(home::shim_name())?,
    };
    let target = home.shim();
    if !closely && looks_alike(&source, &target) {
        return Ok(());
    }
    let content = std::fs::read(&source).map_err(Error::io("could not read the shim", &source))?;
    if !std::fs::read(&target).is_ok_and(|installed| installed == content) {
        home::write_program(&target, &content)?;
    }
    let same_time = || -> std::io::Result<()> {
        let modified = std::fs::metadata(&source)?.modified()?;
        std::fs::File::options().write(true).open(&target)?.set_modified(modified)
    };
    if let Err(error) = same_time() {
        // It only makes the next start look closer. A shim that runs cannot be opened for writing, for one.
        tracing::debug!(%error, "the shim's time could not be set");
    }
    Ok(())
}

fn looks_alike(a: &Path, b: &Path) -> bool {
    let look = |path: &Path| std::fs::metadata(path).ok().and_then(|m| Some((m.len(), m.modified().ok()?)));
    look(a).is_some_and(|seen| look(b) == Some(seen))
}

/// SHA-256 of a file, hex.
pub(crate) fn digest(path: &Path) -> Result<String, Error> {
    let content = std::fs::read(path).map_err(Error::io("could not read", path))?;
    Ok(data_encoding::HEXLOWER.encode(&Sha256::digest(content)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_shim_is_replaced_however_alike_it_looks() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("s")).unwrap();
        home.create().unwrap();
        let source = dir.path().join("source");
        std::fs::write(&source, "right").unwrap();
        install(&home, Some(&source), false).unwrap();
        assert_eq!(std::fs::read_to_string(home.shim()).unwrap(), "right");

        let modified = std::fs::metadata(&source).unwrap().modified().unwrap();
        std::fs::write(home.shim(), "wrong").unwrap();
        std::fs::File::options().write(true).open(home.shim()).unwrap().set_modified(modified).unwrap();
        assert_ne!(digest(&home.shim()).unwrap(), digest(&source).unwrap());
        install(&home, Some(&source), true).unwrap();
        assert_eq!(std::fs::read_to_string(home.shim()).unwrap(), "right");

        std::fs::write(&source, "another build").unwrap();
        install(&home, Some(&source), false).unwrap();
        assert_eq!(std::fs::read_to_string(home.shim()).unwrap(), "another build");
    }
}
