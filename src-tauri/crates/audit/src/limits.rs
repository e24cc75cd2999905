//! How much the audit keeps: in the queue, in one row, in the file, and for how long.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditLimits {
    /// Plain rows older than this are deleted. Alerts and changes are kept four times as long.
    pub max_age_days: u32,
    /// Size of the database. Beyond it the oldest plain rows go first, then the oldest Alerts.
    pub max_bytes: u64,
    /// Rows that may wait for the writer. Beyond it plain rows are dropped and counted.
    pub queue_rows: usize,
    /// Bytes kept of one body (a request or a response).
    pub max_body_bytes: usize,
}

impl Default for AuditLimits {
    fn default() -> Self {
        Self { max_age_days: 30, max_bytes: 512 * 1024 * 1024, queue_rows: 10_000, max_body_bytes: 64 * 1024 }
    }
}
