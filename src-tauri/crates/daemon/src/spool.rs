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

/// Hands every spooled row to `record`, then removes the file. `durable` is called before the removal and must return
/// only when the rows are on disk.
pub(crate) fn import(
    home: &Home,
    mut record: impl FnMut(AuditRow),
    durable: impl Fn() -> bool,
) -> Result<Imported, Error> {
    let mut imported = Imported::default();
    let spool = home.spool();
    for entry in std::fs::read_dir(&spool).map_err(Error::io("could not list", &spool))?.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let taken = if name.ends_with(".importing") {
            path
        } else if name.ends_with(".jsonl") {
            // Renamed first: a shim that spools again begins a new file.
            let taken = path.with_extension("jsonl.importing");
            if std::fs::rename(&path, &taken).is_err() {
                continue;
            }
            taken
        } else {
            continue;
        };
        import_file(&taken, &mut imported, &mut record)?;
        // Rows have ids, so a second import after a crash between these two lines adds nothing.
        if durable() {
            std::fs::remove_file(&taken).map_err(Error::io("could not remove", &taken))?;
        }
    }
    Ok(imported)
}

/// Lines kept aside, in this run or an earlier one, that nobody has removed yet.
pub(crate) fn bad_lines(home: &Home) -> usize {
    let files = std::fs::read_dir(home.spool()).into_iter().flatten().flatten().map(|entry| entry.path());
    let bad = files.filter(|path| path.extension().is_some_and(|end| end == "bad"));
    bad.filter_map(|path| std::fs::read(path).ok()).map(|text| text.split(|byte| *byte == b'\n').count() - 1).sum()
}

fn import_file(path: &Path, imported: &mut Imported, record: &mut impl FnMut(AuditRow)) -> Result<(), Error> {
    let file = std::fs::File::open(path).map_err(Error::io("could not open", path))?;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = std::io::Read::take(&mut reader, MAX_LINE_BYTES);
        let read = limited.read_until(b'\n', &mut line).map_err(Error::io("could not read", path))?;
        if read == 0 {
            return Ok(());
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        match serde_json::from_slice::<AuditRow>(text) {
            Ok(row) => {
                imported.rows += 1;
                record(row);
            }
            Err(_) => {
                imported.bad_lines += 1;
                keep_aside(path, text)?;
            }
        }
    }
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

    #[test]
    fn what_is_not_on_disk_yet_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("s")).unwrap();
        home.create().unwrap();
        let good = serde_json::to_string(&AuditRow::Gap(Gap { at: 5, dropped: 2 })).unwrap();
        std::fs::write(home.spool().join("a.jsonl"), good).unwrap();
        assert_eq!(import(&home, |_| {}, || false).unwrap().rows, 1);
        assert_eq!(import(&home, |_| {}, || true).unwrap().rows, 1);
        assert_eq!(import(&home, |_| {}, || true).unwrap().rows, 0);
    }
}
