//! The Signature files that ship with Portcullis, embedded when it is built.

use include_dir::{Dir, include_dir};

static SIGNATURES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../../signatures");

/// Path below `signatures/` and text of every bundled Signature file, sorted by path.
pub fn bundled() -> Vec<(String, &'static str)> {
    let mut files = Vec::new();
    let mut open = vec![&SIGNATURES];
    while let Some(dir) = open.pop() {
        open.extend(dir.dirs());
        for file in dir.files() {
            let path = file.path().to_string_lossy().replace('\\', "/");
            if let (true, Some(text)) = (path.ends_with(".toml"), file.contents_utf8()) {
                files.push((path, text));
            }
        }
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}
