//! One Message, from bytes to what is done with it. The same for every transport.

use crate::answer::Declined;
use crate::block::{block, block_batch, hostile, is_response, too_many_items};
use crate::edit::Mended;
use crate::judged::{Action, Context, Judged, MessageSummary, PairedRequest, Rules, builtin, check, summarise};
use crate::pins::{Compared, Comparison, what};
use crate::weigh::Weighed;
use crate::{DecisionBook, Origins, PinBook, answer, beside, edit, spelling};
use portcullis_domain::json::{Doc, JsonFault, Kind, Mode, NodeRef};
use portcullis_domain::{
    Direction, Envelope, Finding, Limits, MessageKind, Mode as Going, PinKind, Scan, ScanContext, ScanInput, Severity,
    Transport, UnixMs, Verdict,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Scans of one response while its hostile parts are taken out; each takes out what the one before did not report.
const MAX_ROUNDS: usize = 8;

pub struct Judge {
    scanner: Arc<dyn Scan>,
    pins: Arc<PinBook>,
    rules: Rules,
    limits: Limits,
    decisions: Arc<DecisionBook>,
    /// What results held before, to say where an argument came from; None: nobody asks.
    origins: Option<Arc<Origins>>,
}

impl Judge {
    pub fn new(scanner: Arc<dyn Scan>, pins: Arc<PinBook>, rules: Rules, limits: Limits) -> Self {
        Self { scanner, pins, rules, limits, decisions: Arc::new(DecisionBook::in_memory(Vec::new())), origins: None }
    }
    pub fn with_decisions(self, decisions: Arc<DecisionBook>) -> Self {
        Self { decisions, ..self }
    }
    pub fn with_origins(self, origins: Arc<Origins>) -> Self {
        Self { origins: Some(origins), ..self }
    }
    pub(crate) fn origins(&self) -> Option<&Origins> {
        self.origins.as_deref()
    }
    pub(crate) fn mode(&self, context: &Context<'_>) -> Going {
        self.rules.modes.of(&context.upstream.app, &context.upstream.id)
    }
    pub(crate) fn decisions(&self) -> &DecisionBook {
        &self.decisions
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

    /// Judges text that is no part of a Message: a header of a response, a comment in a stream.
    pub fn judge_aside(&self, direction: Direction, text: &str, now: UnixMs) -> Judged {
        let findings = self.guarded(|| self.scanner.scan_text(direction, text));
        let verdict = strictest(&findings);
        let paused = self.rules.paused_until.is_some_and(|until| now < until);
        let action = if verdict == Verdict::Block && !paused { Action::Drop } else { Action::Forward };
        Judged { action, verdict, findings, messages: Vec::new(), ask: None }
    }

    /// While paused, and for a server in Monitor, everything that is not over a hard limit passes, with its Verdict on record.
    fn unless_paused(&self, context: &Context<'_>, bytes: &[u8], judged: Judged) -> Judged {
        let paused = self.rules.paused_until.is_some_and(|until| context.now < until);
        let monitored = self.mode(context) == Going::Monitor;
        // What the person quarantined stays so: a pause is for what was not expected.
        let quarantined = judged.findings.iter().any(|finding| finding.signature == check::SERVER_QUARANTINED);
        if (paused || monitored) && !quarantined && bytes.len() <= self.limits.max_message_bytes {
            return Judged { action: Action::Forward, ask: None, ..judged };
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
                    action: Action::Refuse(answer::refusal(self.readable_id(bytes).as_deref(), code, &message)),
                    verdict: Verdict::Block,
                    findings: vec![finding],
                    messages: Vec::new(),
                    ask: None,
                };
            }
        };
        self.judge_doc(context, Direction::ToUpstream, &doc, paired)
    }

    /// The id of a refused request, as far as it can be told: without it the app would wait for an answer.
    fn readable_id(&self, bytes: &[u8]) -> Option<String> {
        let doc = Doc::parse(bytes, Mode::Lenient, &self.limits).ok()?;
        let is_token = |id: NodeRef<'_>| matches!(id.kind(), Kind::Number | Kind::String);
        let mut ids = doc.root().get_all("id");
        let id = ids.next().filter(|id| is_token(*id) && ids.next().is_none())?;
        let envelope = Envelope::read(&doc);
        // An id that is itself damaged must not come back in an answer of ours.
        Doc::parse(id.raw(), Mode::Strict, &self.limits).ok()?;
        envelope.id_text().filter(|_| envelope.kind == MessageKind::Request)
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
                    ask: None,
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
        if bytes.contains(&0) {
            // Some apps read UTF-16 and UTF-32 by its NUL bytes; no Message and no banner holds any.
            let title = "A server's text with NUL bytes, which apps may read in another encoding";
            findings.push(builtin(check::UNREADABLE, Severity::High, Verdict::Block, title, ""));
        }
        if spelling::is_loose_message(&text) {
            let title = "A server's text that is no JSON, and that some apps read as a message all the same";
            findings.push(builtin(check::UNREADABLE, Severity::High, Verdict::Block, title, ""));
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
        Judged { action, verdict, findings, messages: Vec::new(), ask: None }
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
        let judged = self.judge_one(context, direction, doc, &whole, paired);
        if let (Some(origins), [summary]) = (self.origins(), judged.messages.as_slice())
            && (judged.action == Action::Forward || judged.ask.is_some())
        {
            origins.learn(context, direction, doc.root(), summary);
        }
        judged
    }

    fn judge_one(
        &self,
        context: &Context<'_>,
        direction: Direction,
        doc: &Doc<'_>,
        whole: &Envelope<'_>,
        paired: &dyn Fn(&str) -> Option<PairedRequest>,
    ) -> Judged {
        let summary = summarise(doc.root(), whole, direction, paired);
        let mut findings = self.findings(context, direction, doc, doc.root(), &summary);
        if !context.mirrors.is_empty() {
            findings
                .extend(self.guarded(|| beside::findings(context.mirrors, doc, &summary, &*self.scanner, direction)));
        }
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
        match self.weigh(context, direction, doc, &summary, &mut findings) {
            Weighed::Stands => {}
            Weighed::Redact(bytes) => {
                let messages = vec![summary];
                return Judged {
                    action: Action::Replace(bytes),
                    verdict: Verdict::Redact,
                    findings,
                    messages,
                    ask: None,
                };
            }
            Weighed::Ask(question) => {
                let action = answer::declined(&question, Declined::ByDefault, &findings);
                let messages = vec![summary];
                return Judged { action, verdict: Verdict::Ask, findings, messages, ask: Some(question) };
            }
        }
        let compared = self.compare(context, direction, doc.root(), &summary, &findings);
        findings.extend(compared.findings.iter().cloned());
        if strictest(&findings) < Verdict::Block {
            self.learn(context, direction, doc.root(), &summary);
            self.pins.keep(compared, &[]);
            return Judged {
                action: Action::Forward,
                verdict: strictest(&findings),
                findings,
                messages: vec![summary],
                ask: None,
            };
        }
        let mended = (direction == Direction::ToClient).then(|| self.mend(context, doc, &summary, &findings)).flatten();
        let action = match mended {
            Some(mended) => {
                if summary.answers.as_ref().is_some_and(|r| r.method == "tools/list") {
                    let hostile = mended.dropped.iter().filter(|name| !compared.quarantined.contains(*name));
                    self.pins.withhold(&context.upstream.id, &hostile.cloned().collect::<Vec<_>>());
                }
                if !mended.emptied {
                    self.pins.keep(compared, &mended.dropped);
                }
                Action::Replace(mended.bytes)
            }
            None => block(direction, whole, &summary, &findings),
        };
        Judged { action, verdict: Verdict::Block, findings, messages: vec![summary], ask: None }
    }

    /// Only the hostile parts of a server's response taken out. The scanner reports a limited number of Findings, so what
    /// is left is scanned again until it is clean; None: it cannot be mended, or does not get clean.
    fn mend(
        &self,
        context: &Context<'_>,
        doc: &Doc<'_>,
        summary: &MessageSummary,
        findings: &[Finding],
    ) -> Option<Mended> {
        // With duplicate keys a path may name two places: never mend such a message in part.
        let request = summary.answers.as_ref().filter(|_| is_response(summary) && doc.anomalies.is_empty())?;
        let mut mended = edit::without_hostile_parts(doc.bytes(), doc.root(), request, &hostile(findings))?;
        for _ in 0..MAX_ROUNDS {
            let bytes = std::mem::take(&mut mended.bytes);
            let left = Doc::parse(&bytes, Mode::Lenient, &self.limits).ok()?;
            let findings = self.findings(context, Direction::ToClient, &left, left.root(), summary);
            if strictest(&findings) < Verdict::Block {
                return Some(Mended { bytes, ..mended });
            }
            let next = edit::without_hostile_parts(left.bytes(), left.root(), request, &hostile(&findings))?;
            mended.dropped.extend(next.dropped);
            (mended.bytes, mended.emptied) = (next.bytes, mended.emptied || next.emptied);
        }
        None
    }

    /// Compares what a response defines with the pins. What is new is pinned once it is known what goes on to the app.
    fn compare(
        &self,
        context: &Context<'_>,
        direction: Direction,
        root: NodeRef<'_>,
        summary: &MessageSummary,
        findings: &[Finding],
    ) -> Compared {
        let method = summary.answers.as_ref().map(|r| r.method.as_str()).filter(|_| direction == Direction::ToClient);
        let (Some(method), Some(result), true) = (method, root.get("result"), is_response(summary)) else {
            return Compared::default();
        };
        let blocked: Vec<&str> = hostile(findings).into_iter().map(|f| f.json_path.as_str()).collect();
        let comparison = Comparison {
            upstream: &context.upstream.id,
            method,
            result,
            now: context.now,
            scanner: &*self.scanner,
            hold_new: self.rules.hold_new_servers,
            is_hostile: &|pointer| blocked.iter().any(|path| edit::is_below(path, pointer)),
        };
        let compared = catch_unwind(AssertUnwindSafe(|| self.pins.compare(&comparison)));
        compared.unwrap_or_else(|_| Compared { findings: self.failed(), ..Compared::default() })
    }

    pub(crate) fn findings(
        &self,
        context: &Context<'_>,
        direction: Direction,
        doc: &Doc<'_>,
        root: NodeRef<'_>,
        summary: &MessageSummary,
    ) -> Vec<Finding> {
        let is_response = is_response(summary);
        let request = summary.answers.as_ref();
        let method = if is_response { request.map(|r| r.method.as_str()) } else { summary.method.as_deref() };
        let target = if is_response { request.and_then(|r| r.target.as_deref()) } else { summary.target.as_deref() };
        let upstream = &context.upstream.id;
        let calls_tool = method == Some("tools/call");
        let schema = target.filter(|_| calls_tool).and_then(|tool| self.pins.input_schema(upstream, tool));
        let defines =
            method.is_some_and(|m| edit::list_key(m).is_some() || m == "initialize" || m == "server/discover");
        let foreign_tools = if defines { self.pins.tool_names(&(context.siblings)()) } else { Vec::new() };
        let names_paths = calls_tool && !is_response && direction == Direction::ToUpstream;
        let roots = if names_paths { self.pins.roots().of(context.upstream, context.session) } else { Vec::new() };
        let input = ScanInput {
            direction,
            doc,
            root,
            method,
            target,
            is_response,
            context: ScanContext { input_schema: schema.as_deref(), foreign_tools: &foreign_tools, roots: &roots },
        };
        let mut findings = self.guarded(|| self.scanner.scan(&input));
        let longest = summary.id.iter().chain(&summary.method).map(String::len).max().unwrap_or_default();
        if longest > self.limits.max_id_bytes {
            let title = format!("An id or a method of more than {} bytes", self.limits.max_id_bytes);
            findings.push(builtin(check::UNREADABLE, Severity::High, Verdict::Block, &title, &root.pointer()));
        }
        findings.extend(self.guarded(|| spelling::findings(direction, root, summary)));
        let asks = direction == Direction::ToUpstream && !is_response;
        let calls = asks && calls_tool;
        if let Some(tool) = target.filter(|tool| calls && self.pins.is_withheld(upstream, tool)) {
            let title = "A call of a tool that was taken out of the server's list";
            findings.push(Finding {
                matched: tool.chars().take(200).collect(),
                ..builtin(check::WITHHELD_TOOL, Severity::High, Verdict::Block, title, "/params/name")
            });
        }
        if self.rules.is_quarantined(upstream, context.now) && !passes_quarantine(direction, method, is_response) {
            let title = "The server is in quarantine, so nothing goes to it and nothing comes from it";
            findings.push(builtin(check::SERVER_QUARANTINED, Severity::High, Verdict::Block, title, &root.pointer()));
        }
        let kinds: &[(PinKind, &str)] = match method.filter(|_| asks) {
            Some("tools/call") => &[(PinKind::Tool, "/params/name")],
            Some("prompts/get") => &[(PinKind::Prompt, "/params/name")],
            Some("resources/read" | "resources/subscribe") => &[(PinKind::Resource, "/params/uri")],
            _ => &[],
        };
        for (kind, path) in kinds {
            if let Some(name) = target.filter(|name| self.pins.quarantine_of(upstream, *kind, name).is_some()) {
                let title = format!("{} that waits for review is used", what(*kind));
                findings.push(Finding {
                    category: "drift".into(),
                    matched: name.chars().take(200).collect(),
                    ..builtin(check::QUARANTINED, Severity::High, Verdict::Block, &title, path)
                });
            }
        }
        findings
    }

    /// What an app tells a server about itself, once it goes on.
    fn learn(&self, context: &Context<'_>, direction: Direction, root: NodeRef<'_>, summary: &MessageSummary) {
        let answers_roots = summary.answers.as_ref().is_some_and(|request| request.method == "roots/list");
        if direction == Direction::ToUpstream
            && answers_roots
            && let Some(result) = root.get("result")
        {
            self.pins.roots().announce(&context.upstream.id, context.session, result);
        }
    }

    /// FailureMode::FailClosed: a scan that panics blocks the Message.
    fn guarded(&self, scan: impl FnOnce() -> Vec<Finding>) -> Vec<Finding> {
        catch_unwind(AssertUnwindSafe(scan)).unwrap_or_else(|_| self.failed())
    }

    fn failed(&self) -> Vec<Finding> {
        let title = "Checking this message failed, so it was not let through";
        vec![builtin(check::CHECK_FAILED, Severity::High, Verdict::Block, title, "")]
    }

    /// A batch goes on whole or not at all: one hostile item refuses every item.
    fn judge_batch(
        &self,
        context: &Context<'_>,
        direction: Direction,
        doc: &Doc<'_>,
        paired: &dyn Fn(&str) -> Option<PairedRequest>,
    ) -> Judged {
        if doc.root().children().nth(self.limits.max_batch_items).is_some() {
            return too_many_items(direction, self.limits.max_batch_items);
        }
        let mut findings = Vec::new();
        let mut items = Vec::new();
        for item in doc.root().children() {
            let envelope = Envelope::of(item);
            let summary = summarise(item, &envelope, direction, paired);
            findings.extend(self.findings(context, direction, doc, item, &summary));
            if direction == Direction::ToUpstream && matches!(summary.kind, MessageKind::Ambiguous | MessageKind::Batch)
            {
                let title = "A batch with an item that is no JSON-RPC message";
                findings.push(builtin(check::AMBIGUOUS, Severity::High, Verdict::Block, title, &item.pointer()));
            }
            items.push(summary);
        }
        // Nobody is asked about a part of a batch: what is doubtful there does not go on.
        self.raise(context, &mut findings, Verdict::Block);
        let mut compared = Vec::new();
        for (item, summary) in doc.root().children().zip(&items) {
            let one = self.compare(context, direction, item, summary, &findings);
            findings.extend(one.findings.iter().cloned());
            compared.push(one);
        }
        if strictest(&findings) == Verdict::Block {
            let action = block_batch(direction, &items, &findings);
            return Judged { action, verdict: Verdict::Block, findings, messages: items, ask: None };
        }
        for (item, summary) in doc.root().children().zip(&items) {
            self.learn(context, direction, item, summary);
        }
        compared.into_iter().for_each(|one| self.pins.keep(one, &[]));
        Judged { action: Action::Forward, verdict: strictest(&findings), findings, messages: items, ask: None }
    }
}

/// What keeps a Session in good order and carries nothing: so the app sees a server that refuses, not one that broke.
fn passes_quarantine(direction: Direction, method: Option<&str>, is_response: bool) -> bool {
    let keeps_alive = matches!(method, Some("initialize" | "ping" | "server/discover"));
    let app_notifies = direction == Direction::ToUpstream && !is_response;
    keeps_alive || (app_notifies && method.is_some_and(|method| method.starts_with("notifications/")))
}

pub(crate) fn strictest(findings: &[Finding]) -> Verdict {
    findings.iter().map(|f| f.verdict).max().unwrap_or_default()
}
