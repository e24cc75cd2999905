//! Signatures to Findings. Pure and synchronous: bytes and context in, Findings out; no I/O, no clock, no globals but
//! the compiled bundled set. Text is hostile data here: every loop is bounded, nothing panics on any input.
//!
//! `file` and `lint` read Signature files, `set` compiles them, `walk` and `argument` give each text of a Message its
//! role, `normal` and `decode` take disguises away, `predicate` judges what patterns cannot, `scanner` ties it together.

mod argument;
mod bundle;
mod concept;
mod decode;
mod examples;
mod fault;
mod file;
pub mod import;
mod lint;
mod mask;
pub mod model;
mod needs;
mod normal;
mod pattern;
mod predicate;
mod role;
mod runs;
mod scanner;
mod set;
mod walk;
mod work;

pub use bundle::bundled;
pub use examples::test_examples;
pub use fault::{ExampleFault, SignatureFault, code};
pub use file::{DecodedLayer, Example, Matcher, SignatureFile, Status, Where, load};
pub use lint::lint;
pub use predicate::Predicate;
pub use predicate::concept::fitting;
pub use role::Role;
pub use scanner::{Scanner, warm_up};
pub use set::{SignatureSet, bundled_files};
