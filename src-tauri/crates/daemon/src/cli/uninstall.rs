//! `uninstall`: the configs first, then our own files. Package managers and people run it before the program is removed.

use super::exit::{BUSY, Failed, IO};
use super::terminal::{say, visible};
use super::{apps, args, confirm};
use crate::home::Home;
use crate::lock;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub fn run(args: &args::Uninstall, as_json: bool) -> Result<ExitCode, Failed> {
    let home = Home::from_environment()?;
    if lock::running(&home)?.is_some() {
        return Err(Failed::new(
            BUSY,
            "the daemon is running: quit Portcullis (or end `portcullis serve`), then uninstall",
        ));
    }
    confirm("Give every app its own config back and remove the audit log, settings and decisions?", args.yes)?;
    if !home.path().is_dir() {
        say("There is nothing to remove.")?;
        return Ok(ExitCode::SUCCESS);
    }
    let queued = apps::restore_everything(&home, as_json)?;
    if let Some(path) = queued.first() {
        let what = format!("{} belongs to an app that is running: quit it and uninstall again", visible(path));
        return Err(Failed::new(BUSY, what));
    }
    if let Err(why) = crate::sign_ins::forget_key(&home) {
        say(&format!("A key of Portcullis stays in the system's keychain, because {why}. It opens nothing any more."))?;
    }
    for path in removable(&home)? {
        remove(&path).map_err(|error| Failed::new(IO, format!("removing {} failed: {error}", path.display())))?;
    }
    say(&format!(
        "Removed. {} and the journal stay: backups of configs still start their servers.",
        home.shim().display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Everything but the shim, the journal and what the person wrote (signatures, descriptions of apps).
fn removable(home: &Home) -> Result<Vec<PathBuf>, Failed> {
    let stays = [home.bin(), home.journal(), home.signatures(), home.own_apps()];
    let entries = std::fs::read_dir(home.path())?.flatten().map(|entry| entry.path());
    Ok(entries.filter(|path| !stays.contains(path)).collect())
}

fn remove(path: &Path) -> std::io::Result<()> {
    if std::fs::symlink_metadata(path)?.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shim_the_journal_and_the_persons_own_files_stay() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("home")).unwrap();
        home.create().unwrap();
        for folder in [home.bin(), home.journal(), home.signatures(), home.own_apps()] {
            std::fs::create_dir_all(folder).unwrap();
        }
        std::fs::write(home.shim(), "").unwrap();
        std::fs::write(home.audit_file(), "").unwrap();
        std::fs::write(home.token_file(), "").unwrap();
        let paths = removable(&home).unwrap();
        assert!(paths.contains(&home.audit_file()) && paths.contains(&home.token_file()), "{paths:?}");
        for path in paths {
            remove(&path).unwrap();
        }
        assert!(home.shim().exists() && home.journal().exists() && home.signatures().exists());
        assert!(!home.audit_file().exists());
    }
}
