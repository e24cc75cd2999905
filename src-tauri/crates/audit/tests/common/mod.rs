//! A real audit log in a temporary folder, and plausible rows for it.
#![allow(dead_code, reason = "each test file uses its part")]

use portcullis_audit::{Audit, AuditLimits, ExchangeFilter};
use portcullis_domain::{
    AppId, AuditRow, Confidence, Direction, Exchange, ExchangeId, Finding, Outcome, PrincipalId, SessionId, Severity,
    Transport, UnixMs, UpstreamId, Verdict,
};
use std::path::PathBuf;
use std::sync::Arc;

pub const NOW: UnixMs = 1_800_000_000_000;

pub struct Log {
    pub audit: Audit,
    pub path: PathBuf,
    pub folder: tempfile::TempDir,
}

pub fn log() -> Log {
    log_with(AuditLimits::default())
}

pub fn log_with(limits: AuditLimits) -> Log {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    Log { audit: open(&path, limits), path, folder }
}

pub fn open(path: &std::path::Path, limits: AuditLimits) -> Audit {
    Audit::open(path, limits, Arc::new(|| NOW)).unwrap()
}

impl Log {
    pub fn store(&self, exchanges: impl IntoIterator<Item = Exchange>) {
        for exchange in exchanges {
            self.audit.record(row(exchange));
        }
        self.audit.flush().unwrap();
    }

    pub fn ids(&self, filter: &ExchangeFilter) -> Vec<String> {
        let page = self.audit.exchanges(filter, None, 1000).unwrap();
        assert_eq!(page.total, Some(page.rows.len() as u64), "one page holds them all");
        page.rows.into_iter().map(|row| row.id.0).collect()
    }

    pub fn search(&self, q: &str) -> Vec<String> {
        self.ids(&ExchangeFilter { q: Some(q.into()), ..Default::default() })
    }
}

pub fn row(exchange: Exchange) -> AuditRow {
    AuditRow::Exchange(Box::new(exchange))
}

/// The n-th Exchange: a tools/call that was allowed, one second after the one before.
pub fn exchange(n: u32) -> Exchange {
    Exchange {
        id: ExchangeId(format!("{n:08}")),
        at: NOW + i64::from(n) * 1000,
        principal: PrincipalId::local(),
        app: AppId::new("cursor"),
        upstream: UpstreamId::new("files"),
        upstream_name: "my files".into(),
        session: SessionId::new("session"),
        transport: Transport::Stdio,
        direction: Direction::ToUpstream,
        notification: false,
        method: "tools/call".into(),
        target: Some("read_file".into()),
        verdict: Verdict::Allow,
        outcome: Outcome::Forwarded,
        findings: vec![],
        request: r#"{"path":"src/main.rs"}"#.into(),
        response: Some(r#"{"content":[]}"#.into()),
        request_bytes: 22,
        response_bytes: 14,
        duration_us: Some(1500),
        checked_us: 20,
        error: None,
        judged_locally: false,
    }
}

pub fn alert(n: u32, signature: &str, verdict: Verdict) -> Exchange {
    Exchange {
        verdict,
        outcome: if verdict == Verdict::Block { Outcome::Rejected } else { Outcome::Forwarded },
        findings: vec![finding(signature, verdict)],
        ..exchange(n)
    }
}

pub fn finding(signature: &str, verdict: Verdict) -> Finding {
    Finding {
        signature: signature.into(),
        version: 1,
        category: "paths".into(),
        severity: Severity::High,
        confidence: Confidence::High,
        verdict,
        title: format!("Something that {signature} finds"),
        json_path: "/params/arguments/path".into(),
        span: None,
        matched: "../../etc/shadow".into(),
        decoded: None,
    }
}
