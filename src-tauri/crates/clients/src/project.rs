//! Files inside projects: used only in folders that the person named, because they are shared with others through version
//! control and run in containers and on machines where neither the proxy nor the shim is.

use crate::clients::Clients;
use crate::error::Error;
use std::path::{Path, PathBuf};

impl Clients {
    /// The folders whose project files are looked at.
    pub fn folders(&self) -> Result<Vec<PathBuf>, Error> {
        Ok(self.journal.load()?.folders.into_iter().collect())
    }

    /// From now on, the project files in this folder are shown and can be protected.
    pub fn add_folder(&self, folder: &Path) -> Result<PathBuf, Error> {
        let folder = std::fs::canonicalize(folder).map_err(Error::io("reading", folder))?;
        if !folder.is_dir() {
            return Err(Error::NotAFolder { folder });
        }
        let mut locked = self.journal.lock()?;
        if locked.state.folders.insert(folder.clone()) {
            locked.save()?;
        }
        Ok(folder)
    }

    /// Project files in this folder are left alone from now on; what is protected there stays visible until it is restored.
    pub fn remove_folder(&self, folder: &Path) -> Result<(), Error> {
        let real = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.into());
        let mut locked = self.journal.lock()?;
        if !locked.state.folders.remove(&real) && !locked.state.folders.remove(folder) {
            return Err(Error::NotAFolder { folder: real });
        }
        locked.save()
    }
}

/// What to think of before a project's file is written.
pub(crate) fn warning(folder: &Path) -> Option<String> {
    let control = [".git", ".hg", ".svn", ".jj"];
    let root = folder.ancestors().find(|above| control.iter().any(|name| above.join(name).exists()))?;
    Some(format!(
        "it lies in a folder under version control ({}): with the change committed, the server does not start where Portcullis is not installed. Restore it before you commit",
        root.display()
    ))
}
