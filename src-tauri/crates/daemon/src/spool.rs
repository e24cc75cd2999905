//! Audit rows that the shim wrote while the daemon was away (`<home>/spool/*.jsonl`, one row a line), imported once.
//! Lines that are no rows are kept aside (`*.bad`) and reported: nothing is lost silently.

use crate::{Error, home::Home};
use portcullis_domain::AuditRow;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

/// Larger files are read in part and the rest kept aside: a shim caps its own file far below.
const MAX_LINE_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Imported {
    pub rows: usize,
    pub bad_lines: usize,
}

/// Hands every spooled row to `record`, then removes the file. `durable` is asked before a file is read and before it is
/// removed, and must return true only when all rows so far are on disk: while they cannot be written, none are handed over.
pub(crate) fn import(
    home: &Home,
    mut record: impl FnMut(AuditRow),
    durable: impl Fn() -> bool,
) -> Result<Imported, Error> {
    let mut imported = Imported::default();
    for taken in take(&home.spool())? {
        if !durable() {
            break;
        }
        import_file(&taken, &mut imported, &mut record, &durable)?;
    }
    Ok(imported)
}

/// The files to import. Renamed first: a shim that spools again begins a new file.
fn take(spool: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut taken = Vec::new();
    let mut waiting = Vec::new();
    for entry in std::fs::read_dir(spool).map_err(Error::io("could not list", spool))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".importing") {
            taken.push(entry.path());
        } else if name.ends_with(".jsonl") {
            waiting.push(entry.path());
        }
    }
    for path in waiting {
        let to = path.with_extension("jsonl.importing");
        // What an earlier attempt left there is not on disk yet, and must not be replaced.
        if !taken.contains(&to) && std::fs::rename(&path, &to).is_ok() {
            taken.push(to);
        }
    }
    Ok(taken)
}

/// Lines kept aside, in this run or an earlier one, that nobody has removed yet.
pub(crate) fn bad_lines(home: &Home) -> usize {
    let files = std::fs::read_dir(home.spool()).into_iter().flatten().flatten().map(|entry| entry.path());
    let bad = files.filter(|path| path.extension().is_some_and(|end| end == "bad"));
    bad.filter_map(|path| std::fs::read(path).ok()).map(|text| text.split(|byte| *byte == b'\n').count() - 1).sum()
}

fn import_file(
    path: &Path,
    imported: &mut Imported,
    record: &mut impl FnMut(AuditRow),
    durable: &impl Fn() -> bool,
) -> Result<(), Error> {
    let file = std::fs::File::open(path).map_err(Error::io("could not open", path))?;
    let mut reader = BufReader::new(file);
    let (mut line, mut bad, mut rows) = (Vec::new(), Vec::new(), 0);
    let mut settled = false;
    loop {
        let limit = MAX_LINE_BYTES - line.len() as u64;
        let read = std::io::Read::take(&mut reader, limit).read_until(b'\n', &mut line);
        let at_end = read.map_err(Error::io("could not read", path))? == 0;
        settled &= at_end;
        // A shim that had the file open when it was renamed may still be writing a line.
        if at_end && !settled {
            if !durable() {
                return Ok(());
            }
            settled = true;
            continue;
        }
        let is_last = at_end && line.is_empty();
        if line.ends_with(b"\n") || line.len() as u64 >= MAX_LINE_BYTES || (at_end && !is_last) {
            let text = line.trim_ascii();
            match serde_json::from_slice::<AuditRow>(text) {
                Ok(row) => {
                    rows += 1;
                    record(row);
                }
                Err(_) if text.is_empty() => {}
                Err(_) => bad.push(text.to_vec()),
            }
            line.clear();
            settled = false;
        }
        if is_last {
            break;
        }
    }
    // Exchanges have ids, so a second import of them after a crash between these lines adds nothing.
    bad.iter().try_for_each(|line| keep_aside(path, line))?;
    (imported.rows, imported.bad_lines) = (imported.rows + rows, imported.bad_lines + bad.len());
    std::fs::remove_file(path).map_err(Error::io("could not remove", path))
}

fn keep_aside(path: &Path, line: &[u8]) -> Result<(), Error> {
    let aside: PathBuf = path.with_extension("").with_extension("bad");
    let mut options = std::fs::File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&aside).map_err(Error::io("could not open", &aside))?;
    file.write_all(line).and_then(|()| file.write_all(b"\n")).map_err(Error::io("could not write", &aside))
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::Gap;

    #[test]
    fn rows_are_imported_once_and_bad_lines_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("s")).unwrap();
        home.create().unwrap();
        let row = AuditRow::Gap(Gap { at: 5, dropped: 2 });
        let good = serde_json::to_string(&row).unwrap();
        std::fs::write(home.spool().join("a.jsonl"), format!("{good}\n{{\"torn\n\n{good}")).unwrap();
        let mut rows = Vec::new();
        let imported = import(&home, |row| rows.push(row), || true).unwrap();
        assert_eq!(imported, Imported { rows: 2, bad_lines: 1 });
        assert_eq!(rows, [row.clone(), row]);
        assert_eq!(std::fs::read_to_string(home.spool().join("a.bad")).unwrap(), "{\"torn\n");
        assert_eq!(import(&home, |_| panic!("nothing is left"), || true).unwrap(), Imported::default());
        assert_eq!(bad_lines(&home), 1, "they are told of until somebody removes them");
        std::fs::remove_file(home.spool().join("a.bad")).unwrap();
        assert_eq!(bad_lines(&home), 0);
    }

    fn place() -> (tempfile::TempDir, Home, String) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("s")).unwrap();
        home.create().unwrap();
        (dir, home, serde_json::to_string(&AuditRow::Gap(Gap { at: 5, dropped: 2 })).unwrap() + "\n")
    }

    /// The log takes what it is given, and fails at the `times + 1`st look.
    fn works(times: usize) -> impl Fn() -> bool {
        let left = std::cell::Cell::new(times);
        move || left.get().checked_sub(1).inspect(|now| left.set(*now)).is_some()
    }

    #[test]
    fn what_is_not_on_disk_yet_is_read_again_and_a_bad_line_of_it_kept_once() {
        let (_dir, home, good) = place();
        std::fs::write(home.spool().join("a.jsonl"), format!("{good}torn\n")).unwrap();
        let mut rows = 0;
        for _ in 0..3 {
            assert_eq!(import(&home, |_| rows += 1, works(1)).unwrap(), Imported::default());
        }
        assert_eq!(rows, 3);
        assert_eq!(bad_lines(&home), 0);
        assert_eq!(import(&home, |_| {}, || true).unwrap(), Imported { rows: 1, bad_lines: 1 });
        assert_eq!(bad_lines(&home), 1);
        assert_eq!(import(&home, |_| panic!("nothing is left"), || true).unwrap(), Imported::default());
    }

    #[test]
    fn a_log_that_cannot_be_written_is_handed_nothing() {
        let (_dir, home, good) = place();
        std::fs::write(home.spool().join("a.jsonl"), good).unwrap();
        assert_eq!(import(&home, |_| panic!("it would wait in memory"), || false).unwrap().rows, 0);
        assert_eq!(import(&home, |_| {}, || true).unwrap().rows, 1);
    }

    #[test]
    fn what_a_shim_spools_anew_does_not_replace_what_waits_to_be_written() {
        let (_dir, home, good) = place();
        std::fs::write(home.spool().join("a.jsonl"), &good).unwrap();
        import(&home, |_| {}, works(1)).unwrap();
        std::fs::write(home.spool().join("a.jsonl"), good.repeat(2)).unwrap();
        let mut rows = 0;
        for _ in 0..2 {
            import(&home, |_| rows += 1, || true).unwrap();
        }
        assert_eq!(rows, 3, "one from before, two new ones");
    }

    #[test]
    fn what_a_shim_still_writes_into_the_renamed_file_is_read() {
        let (_dir, home, good) = place();
        let path = home.spool().join("a.jsonl");
        let (half, rest) = good.split_at(9);
        std::fs::write(&path, format!("{good}{half}")).unwrap();
        let open = std::fs::File::options().append(true).open(&path).unwrap();
        let looks = std::cell::Cell::new(0);
        let durable = || {
            looks.set(looks.get() + 1);
            if looks.get() == 2 {
                (&open).write_all(format!("{rest}{good}").as_bytes()).unwrap();
            }
            true
        };
        assert_eq!(import(&home, |_| {}, durable).unwrap(), Imported { rows: 3, bad_lines: 0 });
    }
}
