//! Every bundled Signature file: loads, is lint-free, finds its hits and leaves its misses alone.

use portcullis_detect::{Scanner, SignatureFile, SignatureSet, bundled_files, lint, test_examples};
use portcullis_domain::{Direction, Scan};
use std::collections::HashSet;
use std::sync::Arc;

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

#[test]
fn the_set_that_is_ready_sooner_finds_the_same() {
    let soon = Scanner::new(Arc::new(SignatureSet::compile_soon(files(), &HashSet::new()).unwrap()));
    let usual = Scanner::new(SignatureSet::bundled());
    let mut found = 0;
    for text in files().iter().flat_map(|file| file.hits.iter().chain(&file.misses)).filter_map(|one| one.text.as_ref())
    {
        for direction in [Direction::ToUpstream, Direction::ToClient] {
            let findings = usual.scan_text(direction, text);
            found += findings.len();
            assert_eq!(soon.scan_text(direction, text), findings, "{text}");
        }
    }
    assert!(found > 100, "{found}");
}
