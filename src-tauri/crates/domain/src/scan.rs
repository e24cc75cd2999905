//! The seam between the data path and `detect`: what a scan is given and what it must answer.

use crate::json::Doc;
use crate::{Direction, DriftCause, Finding};
use std::ops::Range;

/// One Message to scan. Batches are scanned item by item: `root` is the item.
pub struct ScanInput<'a> {
    pub direction: Direction,
    pub doc: &'a Doc<'a>,
    pub root: crate::json::NodeRef<'a>,
    /// Method of the request or notification; for a response, the method of the request it answers (None: unpaired).
    pub method: Option<&'a str>,
    /// Tool, prompt or resource the request aims at; for a response, that of the request it answers.
    pub target: Option<&'a str>,
    pub is_response: bool,
    pub context: ScanContext<'a>,
}

/// What is known about the Upstream, as far as it changes how text is read.
#[derive(Clone, Copy, Default)]
pub struct ScanContext<'a> {
    /// Raw JSON of the pinned tool's `inputSchema`: decides whether an argument is a path, a URL, a command …
    pub input_schema: Option<&'a str>,
    /// Names of the tools of the ClientApp's *other* servers (cross-tool orders).
    pub foreign_tools: &'a [String],
    /// Folders that the server was given (paths or `file:` addresses, absolute); empty: none are known.
    pub roots: &'a [String],
}

/// Something that a text says which matters when a definition did not say it before.
#[derive(Clone, Debug, PartialEq)]
pub struct Concept {
    pub cause: DriftCause,
    /// What it is, as the end of "It now …".
    pub title: &'static str,
    /// 100: enough by itself to hold a changed definition back.
    pub weight: u32,
    /// Where in the text.
    pub range: Range<usize>,
}

pub trait Scan: Send + Sync {
    /// Findings of one Message. Pure, bounded in time and memory on any input, never panics.
    fn scan(&self, input: &ScanInput<'_>) -> Vec<Finding>;
    /// What `text`, which is new in a definition, says. More sensitive than `scan`: few honest changes add such words.
    fn concepts(&self, _text: &str) -> Vec<Concept> {
        Vec::new()
    }
    /// `text` without disguises (case, look-alike and invisible characters): what a person takes it for.
    fn plain(&self, text: &str) -> String {
        text.to_lowercase()
    }
    /// Findings of bytes that are no JSON (stdio banners, HTML error bodies, trailing bytes). Paths are "".
    fn scan_text(&self, direction: Direction, text: &str) -> Vec<Finding>;
    /// `text` with every secret masked, for the audit. Keeps lengths roughly, keeps JSON valid.
    fn mask(&self, text: &str) -> String;
}
