//! Rules written for other programs, as Signature files: what maps, and why the rest does not. Pure: text in, text out;
//! nothing of an imported file is ever run. Everything made here is `experimental`, only flags, and proves itself: a
//! draft that does not load, lint and pass its own examples is given back with the reason instead.

mod defender;
mod draft;
mod pattern;
mod script;
mod yara;

pub use defender::from_defender;
pub use yara::from_yara;

/// Larger files are not rules that a person reads.
pub const MAX_IMPORT_BYTES: usize = 4 << 20;
const MAX_RULES: usize = 1000;

/// What an import makes of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Imported {
    pub made: Vec<Made>,
    pub left: Vec<Left>,
}

/// A rule that became a Signature file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    pub rule: String,
    pub line: usize,
    pub id: String,
    /// Below the signatures directory.
    pub path: String,
    pub text: String,
    /// Where it is not quite what the rule was.
    pub notes: Vec<String>,
}

/// A rule that did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    pub rule: String,
    pub line: usize,
    pub reason: String,
}

impl Imported {
    fn left(&mut self, rule: &str, line: usize, reason: impl Into<String>) {
        self.left.push(Left { rule: rule.to_owned(), line, reason: reason.into() });
    }

    /// Two rules must not become one file.
    fn take(&mut self, made: Made) {
        match self.made.iter().find(|other| other.id == made.id) {
            Some(other) => {
                let reason = format!("its id {:?} is taken by the rule of line {}: rename it", made.id, other.line);
                self.left(&made.rule, made.line, reason);
            }
            None => self.made.push(made),
        }
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}
