//! Audit rows of what was judged here, one JSON line each, for the daemon to import: `<home>/spool/<session>.jsonl`,
//! readable by the owner alone. Failing to write never stops a Message.

use portcullis_domain::{AuditRow, Exchange, Gap};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Rows of Messages that nothing was found in stop here; then a gap row counts them.
const MAX_PLAIN_BYTES: u64 = 64 * 1024 * 1024;
/// All rows stop here: a server that is flagged on every line must not fill the disk.
const MAX_BYTES: u64 = 4 * MAX_PLAIN_BYTES;

pub struct Spool {
    path: PathBuf,
    dropped: u64,
    complained: bool,
}

impl Spool {
    pub fn new(path: PathBuf) -> Self {
        Self { path, dropped: 0, complained: false }
    }

    /// Of what the daemon has not taken away yet.
    fn file_bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |file| file.len())
    }

    pub fn exchange(&mut self, exchange: Exchange) {
        let row = AuditRow::Exchange(Box::new(exchange));
        let limit = if row.must_keep() { MAX_BYTES } else { MAX_PLAIN_BYTES };
        if self.file_bytes() > limit {
            self.dropped += 1;
            return;
        }
        self.append(&row);
    }

    /// Says how many rows could not be kept since the last time.
    pub fn close(&mut self) {
        if self.dropped > 0 {
            let gap = Gap { at: crate::session::now_ms(), dropped: std::mem::take(&mut self.dropped) };
            self.append(&AuditRow::Gap(gap));
        }
    }

    pub fn append(&mut self, row: &AuditRow) {
        let appended = serde_json::to_vec(row).map_err(io::Error::other).and_then(|mut line| {
            line.push(b'\n');
            // Opened each time: the daemon takes the file away when it imports.
            open(&self.path)?.write_all(&line)
        });
        match appended {
            Ok(()) => {}
            Err(error) if !self.complained => {
                self.complained = true;
                self.dropped += 1;
                crate::say(&format!(
                    "cannot write {}: {error}; these messages will be missing in the log",
                    self.path.display()
                ));
            }
            Err(_) => self.dropped += 1,
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    let folder = path.parent().unwrap_or(path);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        options.mode(0o600).custom_flags(libc::O_NOFOLLOW);
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    #[cfg(windows)]
    std::fs::create_dir_all(folder)?;
    options.open(path)
}
