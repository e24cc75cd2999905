//! What is wrong with a Signature file: file, place, stable code, a sentence. Codes never change their meaning.

/// Why a Signature file is refused. The last good set stays in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message} ({code})", place(*line, *column))]
pub struct SignatureFault {
    pub file: String,
    pub line: Option<u32>,
    pub column: Option<u32>,
    /// One of the constants of [`code`].
    pub code: &'static str,
    pub message: String,
}

/// An example of a Signature file that does not behave as it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {kind} {number}: {message}")]
pub struct ExampleFault {
    pub file: String,
    /// `hit` or `miss`.
    pub kind: &'static str,
    /// Counted from 1, in file order.
    pub number: usize,
    pub message: String,
}

/// The stable codes of [`SignatureFault`].
pub mod code {
    pub const TOML_SYNTAX: &str = "toml_syntax";
    pub const UNKNOWN_FIELD: &str = "unknown_field";
    pub const MISSING_FIELD: &str = "missing_field";
    pub const BAD_VALUE: &str = "bad_value";
    pub const BAD_ID: &str = "bad_id";
    pub const ID_MISMATCH: &str = "id_mismatch";
    pub const DUPLICATE_ID: &str = "duplicate_id";
    pub const RESERVED_ID: &str = "reserved_id";
    pub const BAD_REGEX: &str = "bad_regex";
    pub const NO_KEYWORDS: &str = "no_keywords";
    pub const BAD_KEYWORD: &str = "bad_keyword";
    pub const NO_MATCHER: &str = "no_matcher";
    pub const NO_EXAMPLE: &str = "no_example";
    pub const BAD_EXAMPLE: &str = "bad_example";
    pub const TOO_LARGE: &str = "too_large";
    pub const BAD_CATEGORY: &str = "bad_category";
    pub const BAD_PROSE: &str = "bad_prose";
}

impl SignatureFault {
    pub(crate) fn new(file: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, column: None, code, message: message.into() }
    }
    /// The same fault, pointing at the first line of `text` that holds `needle`.
    pub(crate) fn at(mut self, text: &str, needle: &str) -> Self {
        if let Some(index) = text.lines().position(|line| line.contains(needle)) {
            self.line = u32::try_from(index + 1).ok();
        }
        self
    }
}

impl From<SignatureFault> for portcullis_domain::api::SignatureFault {
    fn from(fault: SignatureFault) -> Self {
        Self { file: fault.file, line: fault.line, code: fault.code.to_owned(), message: fault.message }
    }
}

fn place(line: Option<u32>, column: Option<u32>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!(":{line}:{column}"),
        (Some(line), None) => format!(":{line}"),
        _ => String::new(),
    }
}
