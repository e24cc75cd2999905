//! Other apps' files on the disk: read with their symlinks resolved, replace atomically with mode, owner, access
//! control list and extended attributes kept. The one
//! place that writes outside the state directory. It replaces files that exist; it never creates or deletes one.

use crate::error::Error;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// A config beyond this is not a config.
const MAX_BYTES: u64 = 20 * 1024 * 1024;
pub(crate) const TEMP_PREFIX: &str = ".portcullis-";
pub(crate) const TEMP_SUFFIX: &str = ".tmp";

#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// As configured.
    pub path: PathBuf,
    /// With symlinks resolved: the file that is written.
    pub target: PathBuf,
    pub bytes: Vec<u8>,
    pub hash: String,
}

pub(crate) fn hash(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

/// None: there is no such file.
pub(crate) fn read(path: &Path) -> Result<Option<Snapshot>, Error> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    match fs::symlink_metadata(path) {
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(None),
        Err(error) => return Err(Error::io("reading", path)(error)),
        Ok(_) => {}
    }
    let refuse = |reason: &str| Error::UnsafeFile { file: path.into(), reason: reason.into() };
    let target = fs::canonicalize(path).map_err(|error| match error.kind() {
        NotFound => refuse("a symbolic link to a file that does not exist"),
        _ => Error::io("reading", path)(error),
    })?;
    let regular = || fs::metadata(&target).map(|meta| meta.is_file());
    // Looked at before it is opened, which a pipe would not survive, and again as what was opened.
    if !regular().map_err(Error::io("reading", path))? {
        return Err(refuse("not a regular file"));
    }
    let file = open(&target).map_err(Error::io("reading", path))?;
    let meta = file.metadata().map_err(Error::io("reading", path))?;
    if !meta.is_file() {
        return Err(refuse("not a regular file"));
    }
    let mut bytes = Vec::new();
    if meta.len() <= MAX_BYTES {
        // It may grow while it is read.
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(Error::io("reading", path))?;
    }
    if meta.len().max(bytes.len() as u64) > MAX_BYTES {
        return Err(refuse("larger than 20 MiB"));
    }
    Ok(Some(Snapshot { path: path.into(), target, hash: hash(&bytes), bytes }))
}

/// For reading, without waiting for the other end of a pipe that took the file's place.
fn open(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NONBLOCK.bits() as i32);
    options.open(path)
}

/// Refuses what must not or cannot be replaced, before anything is journaled.
pub(crate) fn check_writable(snapshot: &Snapshot) -> Result<(), Error> {
    let file = || snapshot.path.clone();
    let meta = fs::metadata(&snapshot.target).map_err(Error::io("reading", &snapshot.target))?;
    if meta.permissions().readonly() {
        return Err(Error::ReadOnly { file: file(), reason: "the file is marked read-only".into() });
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if meta.mode() & 0o200 == 0 {
            return Err(Error::ReadOnly { file: file(), reason: "its owner may not write it".into() });
        }
        if meta.nlink() > 1 {
            let reason = "known under a second name (a hard link), which replacing it would cut off".into();
            return Err(Error::UnsafeFile { file: file(), reason });
        }
        let directory = snapshot.target.parent().and_then(|directory| fs::metadata(directory).ok());
        if let Some(reason) = owner_lost(&meta, directory.as_ref(), &User::of_this_process()) {
            return Err(Error::ReadOnly { file: file(), reason });
        }
    }
    probe(snapshot.target.parent().unwrap_or(Path::new("/"))).map_err(|error| denied(&snapshot.path, error))
}

/// Whom a new file belongs to, and whom it may be given to.
#[cfg(unix)]
struct User {
    id: u32,
    groups: Vec<u32>,
}

#[cfg(unix)]
impl User {
    fn of_this_process() -> Self {
        use rustix::process::{getegid, geteuid, getgroups};
        let groups = getgroups().unwrap_or_default().into_iter().chain([getegid()]);
        Self { id: geteuid().as_raw(), groups: groups.map(|group| group.as_raw()).collect() }
    }
}

/// Why a file that takes this one's place could not keep its owner and group; none: it can.
#[cfg(unix)]
fn owner_lost(meta: &fs::Metadata, directory: Option<&fs::Metadata>, user: &User) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    const SETGID: u32 = 0o2000;
    if user.id == 0 {
        return None;
    }
    if meta.uid() != user.id {
        return Some("it belongs to another user, and the one that takes its place would not".into());
    }
    let inherited = directory.is_some_and(|directory| {
        directory.gid() == meta.gid() && (directory.mode() & SETGID != 0 || cfg!(target_vendor = "apple"))
    });
    let kept = inherited || user.groups.contains(&meta.gid());
    let group = meta.gid();
    (!kept).then(|| {
        format!(
            "it belongs to group {group}, which you are not in, so its group would be lost (`chgrp` gives it another)"
        )
    })
}

/// Whether files can be made in a directory. Makes none: a process that is killed here would leave it behind.
#[cfg(unix)]
fn probe(directory: &Path) -> std::io::Result<()> {
    use rustix::fs::{Access, access};
    Ok(access(directory, Access::WRITE_OK | Access::EXEC_OK)?)
}
/// Windows has no such question; a temporary file there is deleted with its handle.
#[cfg(not(unix))]
fn probe(directory: &Path) -> std::io::Result<()> {
    tempfile::tempfile_in(directory).map(drop)
}

fn denied(path: &Path, error: std::io::Error) -> Error {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    match error.kind() {
        PermissionDenied => {
            let reason = "it or its directory may not be written (read-only, immutable, or another user's)";
            Error::ReadOnly { file: path.into(), reason: reason.into() }
        }
        ReadOnlyFilesystem => Error::ReadOnly { file: path.into(), reason: "its file system is read-only".into() },
        _ => Error::io("writing", path)(error),
    }
}

fn temporary_beside(target: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let directory = target.parent().unwrap_or(Path::new("/"));
    // 0600 and O_EXCL; in the same directory, so that the rename is atomic.
    tempfile::Builder::new().prefix(TEMP_PREFIX).suffix(TEMP_SUFFIX).tempfile_in(directory)
}

/// What happened so far; tests stop here as a crash would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Journaled,
    TempWritten,
    /// The last look is over; once more for each way back.
    Swapping,
    Replaced,
    Done,
}

/// Replaces the file if it is still what `snapshot` says. False: it did, and could not remove the old content beside it.
pub(crate) fn replace(snapshot: &Snapshot, bytes: &[u8], step: &mut dyn FnMut(Step)) -> Result<bool, Error> {
    let target = &snapshot.target;
    let io = |error| denied(&snapshot.path, error);
    let meta = fs::metadata(target).map_err(io)?;
    let mut temp = temporary_beside(target).map_err(io)?;
    temp.write_all(bytes).map_err(io)?;
    keep_owner(&meta, temp.as_file()).map_err(io)?;
    temp.as_file().set_permissions(meta.permissions()).map_err(io)?;
    // After the mode, which would narrow an access control list.
    keep_attributes(target, temp.as_file()).map_err(io)?;
    temp.as_file().sync_all().map_err(io)?;
    step(Step::TempWritten);
    // The last look before the swap: somebody may have written or moved the link meanwhile.
    let now = read(&snapshot.path)?;
    if now.is_none_or(|now| now.hash != snapshot.hash || now.target != *target) {
        return Err(Error::Changed { file: snapshot.path.clone() });
    }
    step(Step::Swapping);
    let clean = if exchange(temp.path(), target).map_err(io)? {
        let changed = || Error::Changed { file: snapshot.path.clone() };
        settle_swap(temp, snapshot, bytes, step).map_err(io)?.ok_or_else(changed)?
    } else {
        temp.persist(target).map_err(|error| io(error.error))?;
        true
    };
    sync_directory(target);
    step(Step::Replaced);
    Ok(clean)
}

/// Looks at what the swap took out. Somebody may have written since the last look: then that goes back in, and whoever
/// writes over it meanwhile wins in turn. None: theirs is in place; else whether the old content could be removed.
fn settle_swap(
    temp: tempfile::NamedTempFile,
    snapshot: &Snapshot,
    bytes: &[u8],
    step: &mut dyn FnMut(Step),
) -> std::io::Result<Option<bool>> {
    let ours = hash(bytes);
    let (mut inside, mut expected) = (ours.clone(), snapshot.hash.clone());
    loop {
        let outside = fs::read(temp.path()).map(|bytes| hash(&bytes));
        if outside.as_ref().is_ok_and(|outside| *outside == expected) {
            return Ok((inside == ours).then(|| temp.close().is_ok()));
        }
        step(Step::Swapping);
        if let Err(error) = exchange(temp.path(), &snapshot.target) {
            // Their content must not go with our temporary file.
            let _ = temp.keep();
            return Err(error);
        }
        (inside, expected) = (outside?, inside);
    }
}

/// Swaps two files in one step; false where the system cannot.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(one: &Path, other: &Path) -> std::io::Result<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(_: &Path, _: &Path) -> std::io::Result<bool> {
    Ok(false)
}

#[cfg(unix)]
fn keep_owner(meta: &fs::Metadata, file: &fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (meta.uid(), meta.gid()) {
        std::os::unix::fs::fchown(file, Some(meta.uid()), Some(meta.gid()))?;
    }
    Ok(())
}
#[cfg(not(unix))]
fn keep_owner(_: &fs::Metadata, _: &fs::File) -> std::io::Result<()> {
    Ok(())
}

/// Extended attributes, access control lists among them. Those that only the system may set are left to it.
#[cfg(unix)]
fn keep_attributes(from: &Path, to: &fs::File) -> std::io::Result<()> {
    use std::io::ErrorKind::Unsupported;
    use xattr::FileExt;
    let names = match xattr::list(from) {
        Ok(names) => names,
        Err(error) if error.kind() == Unsupported => return Ok(()),
        Err(error) => return Err(error),
    };
    for name in names {
        let Some(value) = xattr::get(from, &name)? else { continue };
        let of_the_system = |name: &str| ["security.", "trusted.", "com.apple."].iter().any(|s| name.starts_with(s));
        match to.set_xattr(&name, &value) {
            Err(error) if !name.to_str().is_some_and(of_the_system) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
#[cfg(not(unix))]
fn keep_attributes(_: &Path, _: &fs::File) -> std::io::Result<()> {
    Ok(())
}

/// Makes a rename durable. Best effort: not every file system can, and the content itself is already synced.
pub(crate) fn sync_directory(file: &Path) {
    #[cfg(unix)]
    if let Some(directory) = file.parent() {
        let _ = fs::File::open(directory).and_then(|directory| directory.sync_all());
    }
    #[cfg(not(unix))]
    let _ = file;
}

/// What killed writes left beside `target`.
fn leftovers(target: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = target.parent().and_then(|directory| fs::read_dir(directory).ok());
    let is_ours = |name: &str| name.starts_with(TEMP_PREFIX) && name.ends_with(TEMP_SUFFIX);
    let ours =
        entries.into_iter().flatten().flatten().filter(move |entry| is_ours(&entry.file_name().to_string_lossy()));
    ours.map(|entry| entry.path())
}

pub(crate) fn remove_leftovers(target: &Path) {
    leftovers(target).for_each(|path| drop(fs::remove_file(path)));
}

/// Gives back what somebody wrote between the last look and the swap of a write that was killed right behind it: it lies
/// beside, and is neither what was there before nor a part of what we wrote. True: there was such an edit.
pub(crate) fn give_back_swapped_out(target: &Path, hash_before: &str, ours: &[u8]) -> std::io::Result<bool> {
    for path in leftovers(target) {
        let bytes = fs::read(&path)?;
        if hash(&bytes) != hash_before && !ours.starts_with(&bytes) {
            return exchange(&path, target);
        }
    }
    Ok(false)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, fchown};

    #[test]
    fn a_file_whose_owner_or_group_would_be_lost_is_refused_with_the_reason() {
        let directory = tempfile::tempdir().unwrap();
        let file = fs::File::create(directory.path().join("mcp.json")).unwrap();
        // Works for root only; everybody else owns both already.
        let _ = fchown(&file, Some(1000), Some(1000));
        let _ = chown(directory.path(), None, Some(1000));
        let meta = file.metadata().unwrap();
        let (owner, group) = (meta.uid(), meta.gid());
        let lost = |id, groups: &[u32], directory| owner_lost(&meta, directory, &User { id, groups: groups.to_vec() });
        assert_eq!(lost(0, &[], None), None, "root may give it anybody's");
        assert_eq!(lost(owner, &[group + 1, group], None), None);
        let said = lost(owner, &[group + 1], None).unwrap();
        assert!(said.contains(&format!("group {group}")) && said.contains("chgrp"), "{said}");
        assert!(lost(owner + 1, &[group], None).unwrap().contains("another user"));
        // New files take the group of such a directory.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o2700)).unwrap();
        assert_eq!(lost(owner, &[], Some(&fs::metadata(directory.path()).unwrap())), None);
    }
}
