//! One Message, from bytes to what is done with it. The same for every transport.

use crate::judged::{Action, Context, Judged, MessageSummary, PairedRequest, Rules, builtin, check, summarise};
use crate::{PinBook, answer, edit};
use portcullis_domain::json::{Doc, JsonFault, Mode, NodeRef};
use portcullis_domain::{
    Direction, Envelope, Finding, Limits, MessageKind, Scan, ScanContext, ScanInput, Severity, Transport, Verdict,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub struct Judge {
    scanner: Arc<dyn Scan>,
    pins: Arc<PinBook>,
    rules: Rules,
    limits: Limits,
}

impl Judge {
    pub fn new(scanner: Arc<dyn Scan>, pins: Arc<PinBook>, rules: Rules, limits: Limits) -> Self {
        Self { scanner, pins, rules, limits }
    }
    pub fn scanner(&self) -> &Arc<dyn Scan> {
        &self.scanner
    }
    pub fn pins(&self) -> &Arc<PinBook> {
        &self.pins
    }
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Judges one Message. `paired` finds the request (sent the other way) that an id token answers.
    pub fn judge(
        &self,
        context: &Context<'_>,
        direction: Direction,
        bytes: &[u8],
        paired: &dyn Fn(&str) -> Option<PairedRequest>,
    ) -> Judged {
        let judged = match direction {
            Direction::ToUpstream => self.judge_to_upstream(context, bytes, paired),
            Direction::ToClient => self.judge_to_client(context, bytes, paired),
        };
        self.unless_paused(context, bytes, judged)
    }

    /// While paused everything that is not over a hard limit passes, with its Verdict on record.
    fn unless_paused(&self, context: &Context<'_>, bytes: &[u8], judged: Judged) -> Judged {
        let paused = self.rules.paused_until.is_some_and(|until| context.now < until);
        if paused && bytes.len() <= self.limits.max_message_bytes {
            return Judged { action: Action::Forward, ..judged };
        }
        judged
    }

    fn judge_to_upstream(
        &self,
        context: &Context<'_>,
        bytes: &[u8],
        paired: &dyn Fn(&str) -> Option<PairedRequest>,
    ) -> Judged {
        let doc = match Doc::parse(bytes, Mode::Strict, &self.limits) {
            Ok(doc) => doc,
            Err(error) => {
                let code = if error.fault == JsonFault::Syntax { -32700 } else { -32600 };
                let message = format!("Portcullis refused a message that servers may read differently: {error}.");
                let finding = builtin(check::UNREADABLE, Severity::High, Verdict::Block, &error.to_string(), "");
                return Judged {
                    action: Action::Refuse(answer::refusal(None, code, &message)),
                    verdict: Verdict::Block,
                    findings: vec![finding],
                    messages: Vec::new(),
                };
            }
        };
        self.judge_doc(context, Direction::ToUpstream, &doc, paired)
    }

    fn judge_to_client(
        &self,
        context: &Context<'_>,
        bytes: &[u8],
        paired: &dyn Fn(&str) -> Option<PairedRequest>,
    ) -> Judged {
        match Doc::parse(bytes, Mode::Lenient, &self.limits) {
            Ok(doc) => self.judge_doc(context, Direction::ToClient, &doc, paired),
            Err(error) if matches!(error.fault, JsonFault::TooDeep | JsonFault::TooLarge) => {
                let finding = builtin(check::UNREADABLE, Severity::High, Verdict::Block, &error.to_string(), "");
                let message = format!("Portcullis withheld a server's message: {error}.");
                Judged {
                    action: Action::Replace(answer::refusal(None, answer::BLOCKED_CODE, &message)),
                    verdict: Verdict::Block,
                    findings: vec![finding],
                    messages: Vec::new(),
                }
            }
            Err(_) => self.judge_text(context, bytes),
        }
    }

    /// Bytes that are no JSON: a banner on stdout, an HTML error page. The client may show them, so they are scanned.
    fn judge_text(&self, context: &Context<'_>, bytes: &[u8]) -> Judged {
        let text = String::from_utf8_lossy(bytes);
        let mut findings = self.guarded(|| self.scanner.scan_text(Direction::ToClient, &text));
        if context.transport == Transport::Stdio && !text.trim().is_empty() {
            let title = "The server writes text to stdout that is no MCP message";
            findings.push(builtin(check::NOT_A_MESSAGE, Severity::Low, Verdict::Flag, title, ""));
        }
        let verdict = strictest(&findings);
        let action = match (verdict, context.transport) {
            (Verdict::Block, Transport::Stdio) => Action::Drop,
            (Verdict::Block, _) => {
                let message = "Portcullis withheld the server's answer: it holds text that a check did not allow.";
                Action::Replace(answer::refusal(None, answer::BLOCKED_CODE, message))
            }
            _ => Action::Forward,
        };
        Judged { action, verdict, findings, messages: Vec::new() }
    }

    fn judge_doc(
        &self,
        context: &Context<'_>,
        direction: Direction,
        doc: &Doc<'_>,
        paired: &dyn Fn(&str) -> Option<PairedRequest>,
    ) -> Judged {
        let whole = Envelope::read(doc);
        if whole.kind == MessageKind::Batch {
            return self.judge_batch(context, direction, doc, paired);
        }
        let summary = summarise(&whole, paired);
        let mut findings = self.findings(context, direction, doc, doc.root(), &summary);
        if whole.kind == MessageKind::Ambiguous && direction == Direction::ToUpstream {
            let title = "A message that is neither a request nor a response, or both at once";
            findings.push(builtin(check::AMBIGUOUS, Severity::High, Verdict::Block, title, ""));
        }
        if let Some(anomaly) = doc.anomalies.first() {
            let title = format!("A server's message that apps may read differently: it {}", anomaly.fault);
            findings.push(builtin(check::AMBIGUOUS, Severity::Medium, Verdict::Flag, &title, ""));
            let tail = String::from_utf8_lossy(&doc.bytes()[doc.trailing.clone()]);
            if !tail.is_empty() {
                findings.extend(self.guarded(|| self.scanner.scan_text(direction, &tail)));
            }
        }
        let verdict = strictest(&findings);
        let action = if verdict == Verdict::Block {
            self.block(context, direction, doc, &whole, &summary, &findings)
        } else {
            Action::Forward
        };
        Judged { action, verdict, findings, messages: vec![summary] }
    }

    /// Scan, then pins: what a scan finds hostile is never pinned.
    fn findings(
        &self,
        context: &Context<'_>,
        direction: Direction,
        doc: &Doc<'_>,
        root: NodeRef<'_>,
        summary: &MessageSummary,
    ) -> Vec<Finding> {
        let is_response = matches!(summary.kind, MessageKind::Response | MessageKind::Error);
        let request = summary.answers.as_ref();
        let method = if is_response { request.map(|r| r.method.as_str()) } else { summary.method.as_deref() };
        let target = if is_response { request.and_then(|r| r.target.as_deref()) } else { summary.target.as_deref() };
        let upstream = &context.upstream.id;
        let calls_tool = method == Some("tools/call");
        let schema = target.filter(|_| calls_tool).and_then(|tool| self.pins.input_schema(upstream, tool));
        let defines =
            method.is_some_and(|m| edit::list_key(m).is_some() || m == "initialize" || m == "server/discover");
        let foreign_tools = if defines { self.pins.tool_names(&(context.siblings)()) } else { Vec::new() };
        let input = ScanInput {
            direction,
            doc,
            root,
            method,
            target,
            is_response,
            context: ScanContext { input_schema: schema.as_deref(), foreign_tools: &foreign_tools },
        };
        let mut findings = self.guarded(|| self.scanner.scan(&input));
        let answers_us = direction == Direction::ToClient && is_response && defines;
        if let (true, Some(method), Some(result)) = (answers_us, method, root.get("result")) {
            let blocked: Vec<String> =
                findings.iter().filter(|f| f.verdict == Verdict::Block).map(|f| f.json_path.clone()).collect();
            let is_hostile = |pointer: &str| blocked.iter().any(|path| edit::is_below(path, pointer));
            findings.extend(self.pins.compare(upstream, method, result, context.now, &is_hostile));
        }
        let calls = direction == Direction::ToUpstream && calls_tool && !is_response;
        if let Some(tool) = target.filter(|tool| calls && self.pins.is_withheld(upstream, tool)) {
            let title = "A call of a tool that was taken out of the server's list";
            findings.push(Finding {
                matched: tool.chars().take(200).collect(),
                ..builtin(check::WITHHELD_TOOL, Severity::High, Verdict::Block, title, "/params/name")
            });
        }
        findings
    }

    /// FailureMode::FailClosed: a scan that panics blocks the Message.
    fn guarded(&self, scan: impl FnOnce() -> Vec<Finding>) -> Vec<Finding> {
        catch_unwind(AssertUnwindSafe(scan)).unwrap_or_else(|_| {
            let title = "Checking this message failed, so it was not let through";
            vec![builtin(check::CHECK_FAILED, Severity::High, Verdict::Block, title, "")]
        })
    }

    /// A batch goes on whole or not at all: one hostile item refuses every item.
    fn judge_batch(
        &self,
        context: &Context<'_>,
        direction: Direction,
        doc: &Doc<'_>,
        paired: &dyn Fn(&str) -> Option<PairedRequest>,
    ) -> Judged {
        let mut findings = Vec::new();
        let mut items = Vec::new();
        for item in doc.root().children() {
            let envelope = Envelope::of(item);
            let summary = summarise(&envelope, paired);
            findings.extend(self.findings(context, direction, doc, item, &summary));
            if direction == Direction::ToUpstream && matches!(summary.kind, MessageKind::Ambiguous | MessageKind::Batch)
            {
                let title = "A batch with an item that is no JSON-RPC message";
                findings.push(builtin(check::AMBIGUOUS, Severity::High, Verdict::Block, title, &item.pointer()));
            }
            items.push(summary);
        }
        let verdict = strictest(&findings);
        let action =
            if verdict == Verdict::Block { block_batch(direction, &items, &findings) } else { Action::Forward };
        Judged { action, verdict, findings, messages: items }
    }

    fn block(
        &self,
        context: &Context<'_>,
        direction: Direction,
        doc: &Doc<'_>,
        envelope: &Envelope<'_>,
        summary: &MessageSummary,
        findings: &[Finding],
    ) -> Action {
        let hostile = hostile(findings);
        let id = summary.id.as_deref().unwrap_or("null");
        match (direction, envelope.kind) {
            (_, MessageKind::Notification) => Action::Drop,
            (Direction::ToUpstream, MessageKind::Request) => match summary.as_request() {
                Some(request) => Action::Answer(answer::to_blocked_request(id, &request, &hostile)),
                None => Action::Drop,
            },
            (Direction::ToUpstream, MessageKind::Response | MessageKind::Error) => {
                Action::Replace(answer::instead_of_client_response(id))
            }
            (Direction::ToUpstream, _) => {
                let message = "Portcullis refused a message that servers may read differently.";
                Action::Refuse(answer::refusal(summary.id.as_deref(), -32600, message))
            }
            (Direction::ToClient, MessageKind::Request) => {
                Action::Answer(answer::to_server_request(id, summary.method.as_deref().unwrap_or_default()))
            }
            (Direction::ToClient, _) => {
                let request = summary.answers.as_ref();
                // With duplicate keys a path may name two places: never mend such a message in part.
                let mended = request
                    .filter(|_| doc.anomalies.is_empty())
                    .and_then(|request| edit::without_hostile_parts(doc.bytes(), doc.root(), request, &hostile));
                match mended {
                    Some((bytes, dropped)) => {
                        if request.is_some_and(|r| r.method == "tools/list") {
                            self.pins.withhold(&context.upstream.id, &dropped);
                        }
                        Action::Replace(bytes)
                    }
                    None => Action::Replace(answer::instead_of_response(id, request, &hostile)),
                }
            }
        }
    }
}

fn block_batch(direction: Direction, items: &[MessageSummary], findings: &[Finding]) -> Action {
    let hostile = hostile(findings);
    let mut answers = Vec::new();
    for item in items {
        let id = item.id.as_deref().unwrap_or("null");
        match (direction, item.kind) {
            (Direction::ToUpstream, MessageKind::Request) => {
                let request = item.as_request();
                answers.extend(request.map(|request| answer::to_blocked_request(id, &request, &hostile)));
            }
            (Direction::ToClient, MessageKind::Response | MessageKind::Error) => {
                answers.push(answer::instead_of_response(id, item.answers.as_ref(), &hostile));
            }
            _ => {}
        }
    }
    let body = [b"[".to_vec(), answers.join(&b','), b"]".to_vec()].concat();
    match (direction, answers.is_empty()) {
        (_, true) => Action::Drop,
        (Direction::ToUpstream, false) => Action::Answer(body),
        (Direction::ToClient, false) => Action::Replace(body),
    }
}

fn hostile(findings: &[Finding]) -> Vec<&Finding> {
    let mut hostile: Vec<&Finding> = findings.iter().filter(|f| f.verdict == Verdict::Block).collect();
    hostile.sort_by_key(|f| std::cmp::Reverse((f.severity, f.confidence)));
    hostile
}

fn strictest(findings: &[Finding]) -> Verdict {
    findings.iter().map(|f| f.verdict).max().unwrap_or_default()
}
