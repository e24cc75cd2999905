//! The state directory: where each file is, private modes, atomic private writes. Knows no content.

use crate::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The state directory, created 0700. All state of Portcullis is below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// `PORTCULLIS_HOME`, else `~/.portcullis`.
    pub fn from_environment() -> Result<Self, Error> {
        match std::env::var_os("PORTCULLIS_HOME").filter(|home| !home.is_empty()) {
            Some(home) => Self::at(PathBuf::from(home)),
            None => Self::at(dirs::home_dir().ok_or(Error::NoHome)?.join(".portcullis")),
        }
    }

    /// Names the directory; nothing is created.
    pub fn at(path: PathBuf) -> Result<Self, Error> {
        if !path.is_absolute() {
            return Err(Error::HomeNotAbsolute(path));
        }
        if path.to_string_lossy().chars().any(char::is_whitespace) {
            return Err(Error::HomeWithSpace(path));
        }
        Ok(Self(path))
    }

    /// Creates the directories that are missing and takes other users' access to the top one away.
    pub fn create(&self) -> Result<(), Error> {
        for dir in [self.0.clone(), self.run(), self.bin(), self.spool(), self.signatures(), self.journal()] {
            create_private_dir(&dir)?;
        }
        check_private(&self.0)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
    pub fn run(&self) -> PathBuf {
        self.0.join("run")
    }
    pub fn bin(&self) -> PathBuf {
        self.0.join("bin")
    }
    pub fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }
    /// The person's own Signatures; bundled ones are never on disk.
    pub fn signatures(&self) -> PathBuf {
        self.0.join("signatures")
    }
    pub fn config_file(&self) -> PathBuf {
        self.0.join("config.toml")
    }
    /// What the person wrote there, when it could not be kept line by line.
    pub fn config_file_before(&self) -> PathBuf {
        self.0.join("config.toml.before")
    }
    pub fn lock_file(&self) -> PathBuf {
        self.run().join("lock")
    }
    pub fn daemon_file(&self) -> PathBuf {
        self.run().join("daemon.json")
    }
    pub fn token_file(&self) -> PathBuf {
        self.0.join("api-token")
    }
    pub fn key_file(&self) -> PathBuf {
        self.0.join(portcullis_policy::snapshot::KEY_FILE)
    }
    pub fn decisions_file(&self) -> PathBuf {
        self.0.join("decisions")
    }
    /// Which judges are on and where texts go, sealed.
    pub fn judges_file(&self) -> PathBuf {
        self.0.join("judges")
    }
    pub fn snapshot_file(&self) -> PathBuf {
        self.0.join(portcullis_policy::snapshot::SNAPSHOT_FILE)
    }
    /// Tokens of servers that ask for a sign-in, sealed.
    pub fn sign_ins_file(&self) -> PathBuf {
        self.0.join("sign-ins.sealed")
    }
    /// The same, sealed with the system keychain's help.
    pub fn chained_sign_ins_file(&self) -> PathBuf {
        self.0.join("sign-ins.chained")
    }
    /// Servers to which the app signs in itself, sealed.
    pub fn own_sign_ins_file(&self) -> PathBuf {
        self.0.join("own-sign-ins")
    }
    /// What was changed in apps' configs, and what was there before.
    pub fn journal(&self) -> PathBuf {
        self.0.join("journal")
    }
    /// The person's own descriptions of apps.
    pub fn own_apps(&self) -> PathBuf {
        self.0.join("apps")
    }
    pub fn audit_file(&self) -> PathBuf {
        self.0.join("audit.db")
    }
    pub fn link_address(&self) -> PathBuf {
        portcullis_policy::snapshot::link_address(&self.0)
    }
    pub fn shim(&self) -> PathBuf {
        self.bin().join(shim_name())
    }
}

pub fn shim_name() -> &'static str {
    if cfg!(windows) { "portcullis-shim.exe" } else { "portcullis-shim" }
}

pub(crate) fn create_private_dir(path: &Path) -> Result<(), Error> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(Error::io("could not create the folder", path))
}

#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let metadata = std::fs::metadata(path).map_err(Error::io("could not look at the folder", path))?;
    let owner = metadata.uid();
    if owner != current_user() {
        let reason = format!("it belongs to user {owner}. Choose a folder of your own with PORTCULLIS_HOME");
        return Err(Error::HomeNotPrivate { path: path.into(), reason });
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
            .map_err(Error::io("could not make private the folder", path))?;
    }
    Ok(())
}

/// Other systems keep the folder below the person's profile, which others cannot read.
#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<(), Error> {
    Ok(())
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn current_user() -> u32 {
    // SAFETY: geteuid takes nothing, touches no memory and cannot fail.
    unsafe { libc::geteuid() }
}

/// Replaces a file in one step, readable by its owner alone: a reader sees the old content or the new, never a half.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), Error> {
    write_atomic(path, content, Mode::Private)
}

/// As `write_private`, for files that mean nothing after a power loss: does not wait for the disk.
pub(crate) fn write_run_file(path: &Path, content: &[u8]) -> Result<(), Error> {
    write_atomic(path, content, Mode::Passing)
}

/// An own program.
pub(crate) fn write_program(path: &Path, content: &[u8]) -> Result<(), Error> {
    write_atomic(path, content, Mode::Program)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Private,
    Passing,
    Program,
}

fn write_atomic(path: &Path, content: &[u8], mode: Mode) -> Result<(), Error> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        // Named temporary files are created 0600.
        let mut file = tempfile::NamedTempFile::new_in(dir)?;
        file.write_all(content)?;
        #[cfg(unix)]
        if mode == Mode::Program {
            use std::os::unix::fs::PermissionsExt as _;
            file.as_file().set_permissions(std::fs::Permissions::from_mode(0o700))?;
        }
        if mode != Mode::Passing {
            file.as_file().sync_all()?;
        }
        file.persist(path).map_err(|e| e.error)?;
        Ok(())
    };
    write().map_err(Error::io("could not write", path))
}

/// Reads a file that may be missing.
pub(crate) fn read_optional(path: &Path) -> Result<Option<String>, Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Io { doing: "could not read", path: path.into(), source }),
    }
}

/// As `read_optional`, for files whose content is checked afterwards: bytes that are no text fail that check, and keep
/// nothing from starting.
pub(crate) fn read_checked(path: &Path) -> Result<Option<String>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => {
            Ok(Some(String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into())))
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Io { doing: "could not read", path: path.into(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_with_a_space_is_refused_with_what_to_do() {
        let error = Home::at("/home/a b/.portcullis".into()).unwrap_err().to_string();
        assert!(error.contains("/home/a b/.portcullis") && error.contains("PORTCULLIS_HOME"), "{error}");
        assert!(matches!(Home::at("relative".into()), Err(Error::HomeNotAbsolute(_))));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_written_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("state")).unwrap();
        std::fs::create_dir(home.path()).unwrap();
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        home.create().unwrap();
        write_private(&home.token_file(), b"x").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(home.path()), 0o700);
        assert_eq!(mode(&home.run()), 0o700);
        assert_eq!(mode(&home.token_file()), 0o600);
    }
}
