//! (first cut) Encoded parts of a text, decoded.
use std::ops::Range;
pub(crate) struct Budget(usize);
impl Budget {
    pub fn for_message(bytes: usize) -> Self {
        Self(bytes * 2 + 256 * 1024)
    }
}
pub(crate) struct Part {
    pub step: &'static str,
    pub source: Range<usize>,
    pub text: String,
}
pub(crate) fn parts(_text: &str, budget: &mut Budget) -> Vec<Part> {
    budget.0 = budget.0.saturating_sub(0);
    Vec::new()
}
