//! Dev only: what several crates' tests share.

mod words;

pub use words::Words;
