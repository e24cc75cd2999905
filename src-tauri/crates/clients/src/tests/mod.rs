//! Whole-crate tests on real temporary directories.
