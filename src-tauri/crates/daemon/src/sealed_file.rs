//! A small file of the person's switches with a MAC, and how often it was written kept elsewhere, too: neither an edited
//! copy nor an older one counts.

use crate::decision_file::{fits, mark, read_mark, seal};
use crate::{Error, home};
use portcullis_audit::Audit;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

const WRITTEN: &str = "written ";

pub(crate) struct SealedFile {
    path: PathBuf,
    /// Sealed with it, so that no other file passes for this one; also the mark's name.
    name: &'static str,
    key: Vec<u8>,
    keep: Keep,
    written: Mutex<u64>,
}

/// Keeps a mark elsewhere.
pub(crate) type Keep = Box<dyn Fn(String) + Send + Sync>;

/// What the file says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Nothing,
    Body(String),
    /// Void, and why, as the end of a sentence about the file.
    Void(&'static str),
}

/// In the audit log.
pub(crate) fn keep_in(audit: &Audit, name: &'static str) -> Keep {
    let audit = audit.clone();
    Box::new(move |mark| {
        if let Err(error) = audit.set_mark(name, mark) {
            tracing::error!(%error, "what guards the {name} against an older copy could not be written");
        }
    })
}

impl SealedFile {
    /// `known`: the mark that was kept last.
    pub fn open(
        path: PathBuf,
        name: &'static str,
        key: &[u8],
        known: Option<&str>,
        keep: Keep,
    ) -> Result<(Self, Content), Error> {
        let known = known.and_then(|known| read_mark(name, known, key)).unwrap_or_default();
        let (written, content) = match home::read_checked(&path)? {
            None if known > 0 => (known, Content::Void("was removed by something else")),
            None => (0, Content::Nothing),
            Some(text) => match read(name, key, &text) {
                Some((written, _)) if written < known => {
                    (known, Content::Void("is an older copy that something else put back"))
                }
                Some((written, body)) => (written, Content::Body(body.to_owned())),
                None => (known, Content::Void("was edited by something else")),
            },
        };
        Ok((Self { path, name, key: key.to_vec(), keep, written: Mutex::new(written) }, content))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn save(&self, body: &str) -> Result<(), Error> {
        let mut last = crate::core::locked(&self.written);
        let written = *last + 1;
        let sealed = format!("{WRITTEN}{written}\n{body}");
        let text = format!("{}\n{sealed}", seal(&purpose(self.name, &sealed), &self.key));
        home::write_private(&self.path, text.as_bytes())?;
        *last = written;
        // After the file: a crash in between leaves one that is newer than its mark.
        (self.keep)(mark(self.name, written, &self.key));
        Ok(())
    }
}

fn purpose(name: &str, sealed: &str) -> String {
    format!("{name} 1\n{sealed}")
}

/// How often it was written, and its body. The first version did not count.
fn read<'t>(name: &str, key: &[u8], text: &'t str) -> Option<(u64, &'t str)> {
    let (mac, sealed) = text.split_once('\n')?;
    if !fits(&purpose(name, sealed), mac, key) {
        return None;
    }
    let counted = sealed.strip_prefix(WRITTEN).and_then(|rest| rest.split_once('\n'));
    Some(counted.and_then(|(written, body)| Some((written.parse().ok()?, body))).unwrap_or((0, sealed)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    struct Place {
        folder: tempfile::TempDir,
        mark: Arc<Mutex<Option<String>>>,
    }

    impl Place {
        fn path(&self) -> PathBuf {
            self.folder.path().join("file")
        }
        fn open(&self, name: &'static str) -> (SealedFile, Content) {
            let (mark, known) = (self.mark.clone(), self.mark.lock().unwrap().clone());
            let keep = Box::new(move |text| *mark.lock().unwrap() = Some(text));
            SealedFile::open(self.path(), name, b"key", known.as_deref(), keep).unwrap()
        }
    }

    #[test]
    fn neither_an_edited_nor_an_older_copy_nor_another_file_counts() {
        let place = Place { folder: tempfile::tempdir().unwrap(), mark: Arc::default() };
        let (file, content) = place.open("lists");
        assert_eq!(content, Content::Nothing);
        file.save("one").unwrap();
        let older = std::fs::read(place.path()).unwrap();
        file.save("two\nlines").unwrap();
        let newest = std::fs::read_to_string(place.path()).unwrap();
        assert_eq!(place.open("lists").1, Content::Body("two\nlines".into()));
        assert!(matches!(place.open("others").1, Content::Void(why) if why.contains("edited")));
        std::fs::write(place.path(), &older).unwrap();
        let (file, content) = place.open("lists");
        assert!(matches!(content, Content::Void(why) if why.contains("older copy")), "{content:?}");
        file.save("three").unwrap();
        assert_eq!(place.open("lists").1, Content::Body("three".into()));
        for edited in [newest.replace("two", "six").into_bytes(), vec![], b"\xff\xfe\n".to_vec(), b"0\n".to_vec()] {
            std::fs::write(place.path(), &edited).unwrap();
            assert!(matches!(place.open("lists").1, Content::Void(why) if why.contains("edited")), "{edited:?}");
        }
        std::fs::remove_file(place.path()).unwrap();
        assert!(matches!(place.open("lists").1, Content::Void(why) if why.contains("removed")));
    }

    #[test]
    fn what_the_first_version_wrote_is_read() {
        let place = Place { folder: tempfile::tempdir().unwrap(), mark: Arc::default() };
        std::fs::write(place.path(), format!("{}\n[\"a\"]", seal("lists 1\n[\"a\"]", b"key"))).unwrap();
        assert_eq!(place.open("lists").1, Content::Body("[\"a\"]".into()));
    }
}
