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
pub(crate) fn install(home: &Home, source: Option<&Path>) -> Result<(), Error> {
    let source = match source {
        Some(path) => path.to_path_buf(),
        None => beside(home::shim_name())?,
    };
    let target = home.shim();
    let content = std::fs::read(&source).map_err(Error::io("could not read the shim", &source))?;
    if std::fs::read(&target).is_ok_and(|installed| installed == content) {
        return Ok(());
    }
    home::write_atomic(&target, &content, 0o700)
}

/// SHA-256 of a file, hex.
pub(crate) fn digest(path: &Path) -> Result<String, Error> {
    let content = std::fs::read(path).map_err(Error::io("could not read", path))?;
    Ok(data_encoding::HEXLOWER.encode(&Sha256::digest(content)))
}
