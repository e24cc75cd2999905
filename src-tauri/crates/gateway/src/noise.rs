//! Text on a server's stdout that is no MCP message: one row per Session that counts the lines, however many there are.
//! Without this a server that logs to stdout, or means harm, could fill the queue with rows that are never dropped.

use portcullis_domain::{Exchange, Finding};
use portcullis_policy::check;

pub(crate) struct Noise {
    row: Exchange,
    lines: u64,
    told: u64,
}

impl Noise {
    /// Whether nothing else was found: what a check matched in such a line has a row of its own.
    pub fn is_all(findings: &[Finding]) -> bool {
        matches!(findings, [only] if only.signature == check::NOT_A_MESSAGE)
    }

    pub fn new(row: Exchange) -> Self {
        Self { row, lines: 1, told: 1 }
    }

    pub fn count(&mut self, bytes: u64) {
        self.lines += 1;
        self.row.request_bytes += bytes;
    }

    /// The row as it stands, if lines came since it was last told.
    pub fn row(&mut self) -> Option<Exchange> {
        if self.told == self.lines {
            return None;
        }
        self.told = self.lines;
        let mut row = self.row.clone();
        for finding in &mut row.findings {
            finding.title = format!("{} ({} lines)", finding.title, self.lines);
        }
        Some(row)
    }
}
