//! The Scanner: Signatures over the texts of a Message. `run` looks at them, `near` says where patterns are tried, `report`
//! makes Findings of what matched.

mod near;
mod report;
mod run;

use crate::decode;
use crate::normal::Normal;
use crate::predicate;
use crate::role::Role;
use crate::set::SignatureSet;
use crate::walk::Walk;
use portcullis_domain::json::{Doc, Mode};
use portcullis_domain::{Concept, Direction, Finding, Limits, Scan, ScanInput};
use report::Origin;
use run::Run;
use std::sync::{Arc, LazyLock};

/// Signatures to Findings. Cheap to clone.
#[derive(Clone)]
pub struct Scanner {
    set: Arc<SignatureSet>,
}

impl Scanner {
    pub fn new(set: Arc<SignatureSet>) -> Self {
        Self { set }
    }

    pub fn signatures(&self) -> &Arc<SignatureSet> {
        &self.set
    }
}

/// Builds the tables that the first Message would wait for: for a thread of its own, while something else starts.
pub fn warm_up() {
    LazyLock::force(&predicate::concept::TABLE);
    crate::mask::mask("token: x");
    decode::parts("x", false);
}

impl Scan for Scanner {
    fn scan(&self, input: &ScanInput<'_>) -> Vec<Finding> {
        let limits = Limits::default();
        let schema = input.context.input_schema.filter(|_| input.direction == Direction::ToUpstream);
        let schema = schema.and_then(|raw| Doc::parse(raw.as_bytes(), Mode::Lenient, &limits).ok());
        let walk = Walk::new(input, schema.as_ref());
        let mut run = Run::new(&self.set, input);
        if input.direction == Direction::ToUpstream {
            walk.pieces(|piece| run.learn(&piece));
        }
        walk.pieces(|piece| run.piece(&piece));
        if input.direction == Direction::ToClient && input.root.parent().is_none() && !input.doc.trailing.is_empty() {
            let span = input.doc.trailing.clone();
            let text = String::from_utf8_lossy(input.doc.bytes().get(span.clone()).unwrap_or_default());
            run.text(&Origin { node: None, role: Role::ResultText, raw: None, start: span.start }, &text);
        }
        run.finish()
    }

    fn concepts(&self, text: &str) -> Vec<Concept> {
        crate::concept::of(text)
    }

    fn plain(&self, text: &str) -> String {
        Normal::of(text).text
    }

    fn scan_text(&self, direction: Direction, text: &str) -> Vec<Finding> {
        let role = match direction {
            Direction::ToClient => Role::ResultText,
            Direction::ToUpstream => Role::ArgumentText,
        };
        let mut run = Run::empty(&self.set, direction, text.len());
        run.text(&Origin { node: None, role, raw: None, start: 0 }, text);
        run.finish()
    }

    fn mask(&self, text: &str) -> String {
        crate::mask::mask(text)
    }
}

/// The largest character boundary at or below `at`.
pub(crate) fn floor_char(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

fn ceil_char(text: &str, at: usize) -> usize {
    text.ceil_char_boundary(at.min(text.len()))
}
