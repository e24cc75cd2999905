//! Any bytes as a Message: no panic, and nothing that a receiver could read escapes the scan.
#![no_main]

#[path = "../../crates/domain/tests/whole/property.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| property::holds(bytes));
