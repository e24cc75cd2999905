//! Judging in process while the daemon is away: the same Judge and Signatures as the daemon's, with the pins and settings
//! of its sealed snapshot. Without a snapshot that fits its seal the bundled Signatures alone judge, and a row says so.

use crate::home::Home;
use crate::lane::Kept;
use crate::lines::LongLine;
use crate::pairing::MAX_TARGET_BYTES;
use crate::session::{Session, now_ms, random};
use crate::spool::Spool;
use portcullis_detect::{Scanner, SignatureSet, bundled_files};
use portcullis_domain::{
    AppId, AuditRow, Change, ChangeKind, Confidence, Direction, Exchange, ExchangeId, Finding, Limits, MessageKind,
    Outcome, SessionId, Severity, Transport, UnixMs, Upstream, UpstreamId, Verdict,
};
use portcullis_policy::snapshot::Revival;
use portcullis_policy::{
    Action, Context, DecisionBook, Judge, Judged, MessageSummary, PinBook, Rules, Snapshot, check,
};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Of each body, before masking: as the daemon keeps it.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// Exchanges waiting for their response.
const MAX_OPEN: usize = 1024;

pub struct Local {
    judge: Judge,
    upstream: Upstream,
    siblings: Vec<UpstreamId>,
    session: SessionId,
    records: Mutex<Records>,
}

struct Records {
    open: HashMap<(Direction, String), (Exchange, Instant)>,
    spool: Spool,
}

/// The other Direction may have judged one more Message here after the daemon came back for this one.
impl Drop for Local {
    fn drop(&mut self) {
        self.close_records();
    }
}

impl Local {
    pub fn load(home: &Home, id: &UpstreamId, session: &SessionId, limits: Limits) -> Self {
        let mut spool = Spool::new(home.spool(session));
        let snapshot = open_snapshot(home).unwrap_or_else(|why| {
            let summary = format!("{why}; a server was checked with the bundled signatures alone, without pins.");
            crate::say(&summary);
            let kind = ChangeKind::SettingChanged;
            spool.append(&AuditRow::Change(Change { at: now_ms(), kind, app: None, summary, loosens: false }));
            Snapshot::default()
        });
        let disabled: HashSet<String> = snapshot.disabled_signatures.iter().cloned().collect();
        let set = signature_set(&snapshot.own_signatures, &disabled);
        let known = |upstream: &&Upstream| upstream.id == *id;
        let upstream = snapshot.upstreams.iter().find(known).cloned().unwrap_or_else(|| unknown(id));
        let siblings = snapshot.upstreams.iter().filter(|u| u.app == upstream.app && u.id != *id);
        let siblings = siblings.map(|u| u.id.clone()).collect();
        let pins = PinBook::in_memory(snapshot.pins);
        pins.know(snapshot.upstreams.iter());
        for (upstream, tool) in snapshot.withheld {
            pins.withhold(&upstream, &[tool]);
        }
        let (paused_until, hold_new_servers) = (snapshot.paused_until, snapshot.hold_new_servers);
        let rules = Rules { paused_until, hold_new_servers, modes: snapshot.modes, quarantined: snapshot.quarantined };
        let decisions = Arc::new(DecisionBook::lasting_only(snapshot.decisions));
        Self {
            judge: Judge::new(Arc::new(Scanner::new(set)), Arc::new(pins), rules, limits).with_decisions(decisions),
            upstream,
            siblings,
            session: session.clone(),
            records: Mutex::new(Records { open: HashMap::new(), spool }),
        }
    }

    pub fn judge(&self, session: &Session, direction: Direction, kept: &Kept) -> Action {
        let started = Instant::now();
        let siblings = || self.siblings.clone();
        let now = now_ms();
        let context = Context {
            upstream: &self.upstream,
            transport: Transport::Stdio,
            now,
            siblings: &siblings,
            mirrors: &[],
            session: None,
        };
        let bytes = kept.line.message();
        let judged = self.judge.judge(&context, direction, bytes, &|id| session.paired(direction, id));
        let checked_us = started.elapsed().as_micros() as u64;
        self.record(&Row { direction, bytes, judged: &judged, now, read_at: kept.read_at, checked_us });
        judged.action
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, row: &Row<'_>) {
        for (n, message) in row.judged.messages.iter().enumerate() {
            let findings = findings_of(row.judged, n);
            match message.kind {
                MessageKind::Request => self.open(row, message, findings),
                MessageKind::Response | MessageKind::Error => self.close(row, message, findings),
                _ => self.write(self.exchange(row, Some(message), findings)),
            }
        }
        if row.judged.messages.is_empty() && row.judged.verdict > Verdict::Allow {
            self.write(self.exchange(row, None, row.judged.findings.clone()));
        }
    }

    fn open(&self, row: &Row<'_>, message: &MessageSummary, findings: Vec<Finding>) {
        let mut exchange = self.exchange(row, Some(message), findings);
        if let Action::Answer(answer) | Action::Refuse(answer) | Action::Split { back: answer, .. } = &row.judged.action
        {
            exchange.response = Some(self.body(answer));
            exchange.response_bytes = answer.len() as u64;
            exchange.duration_us = Some(row.read_at.elapsed().as_micros() as u64);
        } else if row.judged.action != Action::Drop {
            let key = (row.direction, message.id.clone().unwrap_or_default());
            let mut records = self.records();
            if records.open.len() < MAX_OPEN {
                let replaced = records.open.insert(key, (exchange, row.read_at));
                replaced.into_iter().for_each(|(exchange, _)| records.spool.exchange(exchange));
                return;
            }
            drop(records);
        }
        self.write(exchange);
    }

    fn close(&self, row: &Row<'_>, message: &MessageSummary, findings: Vec<Finding>) {
        let key = (row.direction.reverse(), message.id.clone().unwrap_or_default());
        let open = self.records().open.remove(&key);
        let (mut exchange, started) = open.unwrap_or_else(|| (self.half(row, message), row.read_at));
        exchange.verdict = exchange.verdict.max(row.judged.verdict);
        exchange.findings.extend(findings);
        if row.judged.action != Action::Forward {
            exchange.outcome = Outcome::Rejected;
        }
        let bytes = row.bytes_of(Some(message));
        exchange.response = Some(self.body(bytes));
        exchange.response_bytes = bytes.len() as u64;
        exchange.duration_us = Some(started.elapsed().as_micros() as u64);
        exchange.checked_us += row.checked_us;
        self.write(exchange);
    }

    /// The row of a response whose request the daemon judged before it went away.
    fn half(&self, row: &Row<'_>, message: &MessageSummary) -> Exchange {
        let request = message.answers.as_ref();
        Exchange {
            method: request.map(|r| r.method.clone()).unwrap_or_default(),
            target: request
                .and_then(|r| r.target.as_deref())
                .map(|target| self.kept(target.as_bytes(), MAX_TARGET_BYTES)),
            ..self.blank(row.direction.reverse(), row.now)
        }
    }

    fn exchange(&self, row: &Row<'_>, message: Option<&MessageSummary>, findings: Vec<Finding>) -> Exchange {
        let request = message.filter(|m| m.kind == MessageKind::Request);
        let forwarded = row.judged.action == Action::Forward;
        let bytes = row.bytes_of(message);
        Exchange {
            notification: request.is_none(),
            method: message.and_then(|m| m.method.clone()).unwrap_or_default(),
            target: request
                .and_then(|m| m.target.as_deref())
                .map(|target| self.kept(target.as_bytes(), MAX_TARGET_BYTES)),
            verdict: row.judged.verdict,
            outcome: if forwarded { Outcome::Forwarded } else { Outcome::Rejected },
            findings,
            request: self.body(bytes),
            request_bytes: bytes.len() as u64,
            checked_us: row.checked_us,
            ..self.blank(row.direction, row.now)
        }
    }

    fn blank(&self, direction: Direction, now: UnixMs) -> Exchange {
        let id = ExchangeId::from_parts(now, random());
        let row = Exchange::new(id, now, &self.upstream, self.session.clone(), Transport::Stdio, direction);
        Exchange { judged_locally: true, ..row }
    }

    pub fn record_long_line(&self, direction: Direction, long: &LongLine, message: &str) {
        let finding = Finding {
            signature: check::UNREADABLE.into(),
            version: 1,
            category: "protocol".into(),
            severity: Severity::High,
            confidence: Confidence::High,
            verdict: Verdict::Block,
            title: "A message that is larger than the limit".into(),
            json_path: String::new(),
            span: None,
            matched: String::new(),
            decoded: None,
        };
        self.write(Exchange {
            notification: true,
            verdict: Verdict::Block,
            outcome: Outcome::Rejected,
            findings: vec![finding],
            request_bytes: long.bytes,
            error: Some(message.into()),
            ..self.blank(direction, now_ms())
        });
    }

    fn write(&self, exchange: Exchange) {
        self.records().spool.exchange(exchange);
    }

    /// Writes what still waits for a response that will not be judged here.
    pub fn close_records(&self) {
        let mut records = self.records();
        let open = std::mem::take(&mut records.open);
        open.into_values().for_each(|(exchange, _)| records.spool.exchange(exchange));
        records.spool.close();
    }

    fn mask(&self, text: &str) -> String {
        self.judge.scanner().mask(text)
    }

    fn body(&self, bytes: &[u8]) -> String {
        self.kept(bytes, MAX_BODY_BYTES)
    }

    fn kept(&self, bytes: &[u8], most: usize) -> String {
        let kept = &bytes[..bytes.len().min(most)];
        let mut text = self.mask(&String::from_utf8_lossy(kept));
        if kept.len() < bytes.len() {
            text.push_str(&format!("… ({} bytes not kept)", bytes.len() - kept.len()));
        }
        text
    }
}

/// One judged Message, as far as its row needs to know it.
struct Row<'a> {
    direction: Direction,
    bytes: &'a [u8],
    judged: &'a Judged,
    now: UnixMs,
    read_at: Instant,
    checked_us: u64,
}

impl Row<'_> {
    /// The bytes of this Message: of one item, where a batch was judged.
    fn bytes_of(&self, message: Option<&MessageSummary>) -> &[u8] {
        let item = message.filter(|_| self.judged.messages.len() > 1).and_then(|m| self.bytes.get(m.span.clone()));
        item.unwrap_or(self.bytes)
    }
}

/// In a batch each item keeps the findings below its own index.
fn findings_of(judged: &Judged, item: usize) -> Vec<Finding> {
    let index = item.to_string();
    let mine = |f: &&Finding| judged.messages.len() == 1 || f.json_path.split('/').nth(1) == Some(&index);
    judged.findings.iter().filter(mine).cloned().collect()
}

/// What is in force in the daemon. The bundled files are compiled by their own tests; should switching some off ever break
/// the set, all stay on. An own file that does not compile here (an older shim) leaves the bundled ones as they are.
fn signature_set(own: &[(String, String)], disabled: &HashSet<String>) -> Arc<SignatureSet> {
    let bundled = || bundled_files().into_iter().filter_map(Result::ok);
    let own = own.iter().filter_map(|(path, text)| portcullis_detect::load(path, text).ok());
    let whole = SignatureSet::compile_soon(bundled().chain(own).collect(), disabled);
    let set = whole.or_else(|_| SignatureSet::compile_soon(bundled().collect(), disabled));
    set.map_or_else(|_| SignatureSet::bundled(), Arc::new)
}

fn open_snapshot(home: &Home) -> Result<Snapshot, String> {
    let (key, text) = sealed(home)?;
    Snapshot::open(&text, &key).map_err(|error| error.to_string())
}

/// The person's limits; the defaults where no snapshot fits its seal.
pub fn limits(home: &Home) -> Limits {
    let limits = sealed(home).and_then(|(key, text)| Snapshot::limits(&text, &key).map_err(|error| error.to_string()));
    limits.unwrap_or_default()
}

/// How the daemon is started, if it may be.
pub fn revival(home: &Home) -> Result<Option<Revival>, String> {
    let (key, text) = sealed(home)?;
    Snapshot::revival(&text, &key).map_err(|error| error.to_string())
}

fn sealed(home: &Home) -> Result<(Vec<u8>, String), String> {
    let read =
        |path: std::path::PathBuf| std::fs::read(&path).map_err(|e| format!("Cannot read {}: {e}", path.display()));
    Ok((read(home.key())?, String::from_utf8_lossy(&read(home.snapshot())?).into_owned()))
}

/// An id the snapshot does not know: judged all the same.
fn unknown(id: &UpstreamId) -> Upstream {
    Upstream {
        id: id.clone(),
        app: AppId::new("unknown"),
        app_name: "An app".into(),
        name: String::new(),
        transport: Transport::Stdio,
        url: None,
        command: Vec::new(),
    }
}
