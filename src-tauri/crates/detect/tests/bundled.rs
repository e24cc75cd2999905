//! Every bundled Signature file: loads, is lint-free, finds its hits and leaves its misses alone.

use portcullis_detect::{SignatureFile, SignatureSet, bundled_files, lint, test_examples};
use std::collections::HashSet;

fn files() -> Vec<SignatureFile> {
    bundled_files().into_iter().map(|file| file.unwrap_or_else(|fault| panic!("{fault}"))).collect()
}

#[test]
fn every_example_behaves_as_its_file_says() {
    let mut faults = Vec::new();
    for file in files() {
        faults.extend(test_examples(&file).err().into_iter().flatten().map(|fault| fault.to_string()));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_file_is_lint_free() {
    let faults: Vec<String> = lint(&files()).iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_set_compiles_with_all_of_them() {
    let files = files();
    let count = files.len();
    let set = SignatureSet::compile(files, &HashSet::new()).unwrap();
    assert_eq!(set.active_count(), count);
    assert_eq!(SignatureSet::bundled().active_count(), count);
}
