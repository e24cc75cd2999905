//! `signatures import`: rules of other programs as the person's own Signature files. Writes only files that are not there
//! yet, each in one step, so that a running daemon never reads half of one.

use crate::cli::exit::{BAD_DATA, FLAGGED, Failed, NO_INPUT};
use crate::cli::terminal::{say, say_json, visible};
use crate::home::{self, Home};
use portcullis_detect::bundled_files;
use portcullis_detect::import::{Imported, Left, MAX_IMPORT_BYTES, Made, from_defender, from_yara};
use serde_json::json;
use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::path::{Component, Path};
use std::process::ExitCode;

pub fn run(file: &Path, dry_run: bool, as_json: bool) -> Result<ExitCode, Failed> {
    let text = read(file).map_err(|why| Failed::new(NO_INPUT, format!("{} cannot be read: {why}", file.display())))?;
    let source = file.file_name().map_or_else(|| file.to_string_lossy(), |name| name.to_string_lossy());
    let mut imported = if text.trim_start().starts_with(['[', '{']) {
        from_defender(&source, &text, &|name| function(file, name))
    } else {
        from_yara(&source, &text)
    };
    if imported.made.is_empty() && imported.left.is_empty() {
        return Err(Failed::new(BAD_DATA, format!("{} holds no rules", file.display())));
    }
    let home = Home::from_environment()?;
    let same = keep(&mut imported, &home, dry_run)?;
    if as_json {
        say_json(&report(&imported, &same, dry_run))?;
    } else {
        print(&imported, &same, &home, dry_run)?;
    }
    Ok(if imported.left.is_empty() { ExitCode::SUCCESS } else { FLAGGED.into() })
}

/// Writes what is new. Returns the ids whose very file is there already; what may not be written moves to `left`.
fn keep(imported: &mut Imported, home: &Home, dry_run: bool) -> Result<HashSet<String>, Failed> {
    let bundled: HashSet<String> = bundled_files().into_iter().flatten().map(|file| file.id).collect();
    let mut own = Vec::new();
    if home.signatures().is_dir() {
        super::collect(&home.signatures(), &mut own)?;
    }
    let mut same = HashSet::new();
    for made in std::mem::take(&mut imported.made) {
        let stem = |path: &&std::path::PathBuf| path.file_stem().is_some_and(|stem| stem == made.id.as_str());
        let refused = match own.iter().find(stem) {
            _ if bundled.contains(&made.id) => {
                Some(format!("its id {:?} is that of a bundled signature: rename it", made.id))
            }
            Some(there) if std::fs::read_to_string(there).is_ok_and(|text| text == made.text) => {
                same.insert(made.id.clone());
                None
            }
            Some(there) => Some(format!("{} is there already and is not overwritten", there.display())),
            None if dry_run => None,
            None => write(&made, home)?,
        };
        match refused {
            Some(reason) => imported.left.push(Left { rule: made.rule, line: made.line, reason }),
            None => imported.made.push(made),
        }
    }
    imported.left.sort_by_key(|left| left.line);
    Ok(same)
}

fn write(made: &Made, home: &Home) -> Result<Option<String>, Failed> {
    home.create()?;
    let path = home.signatures().join(&made.path);
    let folder = path.parent().unwrap_or(Path::new("."));
    home::create_private_dir(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(made.text.as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(None),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            Ok(Some(format!("{} is there already and is not overwritten", path.display())))
        }
        Err(error) => Err(error.error.into()),
    }
}

fn read(file: &Path) -> Result<String, String> {
    let open = std::fs::File::open(file).map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    let most = MAX_IMPORT_BYTES as u64 + 1;
    open.take(most).read_to_end(&mut text).map_err(|error| error.to_string())?;
    String::from_utf8(text).map_err(|_| "it is no UTF-8 text".into())
}

/// A function file of the list: in the list's folder or below, never elsewhere.
fn function(list: &Path, name: &str) -> Option<String> {
    let folder = list.parent()?;
    let is_plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let places = [folder.join(name), folder.join("deterministic").join(name)];
    places.iter().filter(|_| is_plain).find_map(|place| read(place).ok())
}

fn report(imported: &Imported, same: &HashSet<String>, dry_run: bool) -> serde_json::Value {
    let made = imported.made.iter().map(|made| {
        let written = !dry_run && !same.contains(&made.id);
        json!({ "rule": made.rule, "line": made.line, "id": made.id, "file": made.path, "written": written, "notes": made.notes, "text": made.text })
    });
    let left = imported.left.iter().map(|left| json!({ "rule": left.rule, "line": left.line, "reason": left.reason }));
    json!({ "imported": made.collect::<Vec<_>>(), "left": left.collect::<Vec<_>>() })
}

fn print(imported: &Imported, same: &HashSet<String>, home: &Home, dry_run: bool) -> Result<(), Failed> {
    for Made { rule, line, id, path, notes, .. } in &imported.made {
        let what = match (same.contains(id), dry_run) {
            (true, _) => "is there already",
            (false, true) => "would be written",
            (false, false) => "written",
        };
        say(&format!(
            "+ line {line}: {}: {what} as {}",
            visible(rule),
            visible(&home.signatures().join(path).display().to_string())
        ))?;
        notes.iter().try_for_each(|note| say(&format!("    note: {}", visible(note))))?;
    }
    for Left { rule, line, reason } in &imported.left {
        say(&format!("- line {line}: {}: {}", visible(rule), visible(reason)))?;
    }
    say(&format!("{} rules map, {} do not.", imported.made.len(), imported.left.len()))?;
    if !imported.made.is_empty() {
        say(
            "What was made is experimental and only flags. In each file, put real texts in place of the examples, which were drawn from the rule, say when it is wrong, and check it with `portcullis signatures test`.",
        )?;
    }
    Ok(())
}
