//! `scan`: messages, tool lists and folders of them, judged without any server. The same judge as the data path's, with
//! the signatures in force here. Without `--stateful` there are no pins: every message is judged by itself.

mod lines;
mod sarif;

use super::args;
use super::exit::{BAD_DATA, BLOCKED, FLAGGED, Failed, NO_INPUT};
use super::terminal::{say, say_json, visible};
use crate::home::Home;
use crate::{clock, rules, secret};
use portcullis_detect::{Scanner, SignatureSet};
use portcullis_domain::api::ScanReport;
use portcullis_domain::json::{Doc, Kind, Mode, NodeRef};
use portcullis_domain::{
    AppId, Direction, Envelope, Finding, Limits, MessageKind, Scan, Transport, Upstream, UpstreamId, Verdict,
};
use portcullis_policy::{Context, Judge, Judged, PairedRequest, PinBook, Rules};
use std::collections::HashSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

pub fn run(args: &args::Scan, as_json: bool) -> Result<ExitCode, Failed> {
    let bench = Bench::new();
    if args.jsonl {
        return lines::run(&bench, args);
    }
    let files = files_of(&args.file)?;
    let mut reports = Vec::with_capacity(files.len());
    for file in files {
        let report = bench.one(&read(&file)?, &file, args)?;
        reports.push((file, report));
    }
    match (args.sarif, as_json, reports.as_slice()) {
        (true, ..) => say_json(&sarif::log(&reports))?,
        (_, true, [(_, report)]) if !args.file.is_dir() => say_json(report)?,
        (_, true, _) => {
            let all = reports.iter().map(|(file, report)| (file.display().to_string(), report));
            say_json(&all.collect::<std::collections::BTreeMap<_, _>>())?
        }
        _ => {
            for (file, report) in &reports {
                if args.file.is_dir() {
                    say(&visible(&file.display().to_string()))?;
                }
                show(report)?;
            }
        }
    }
    Ok(match reports.iter().map(|(_, report)| report.verdict).max().unwrap_or(Verdict::Allow) {
        Verdict::Allow => ExitCode::SUCCESS,
        Verdict::Block => BLOCKED.into(),
        _ => FLAGGED.into(),
    })
}

/// The file itself, or the `.json` files of a folder in the order of their names.
fn files_of(path: &Path) -> Result<Vec<PathBuf>, Failed> {
    if is_stdin(path) || !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(unreadable(path))?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.map_err(unreadable(path))?.path();
        if file.is_file() && file.extension().is_some_and(|ending| ending == "json") {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(Failed::new(NO_INPUT, format!("{} holds no .json file", path.display())));
    }
    files.sort();
    Ok(files)
}

fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn unreadable(file: &Path) -> impl FnOnce(std::io::Error) -> Failed {
    move |error| Failed::new(NO_INPUT, format!("{} cannot be read: {error}", file.display()))
}

fn read(file: &Path) -> Result<Vec<u8>, Failed> {
    let mut bytes = Vec::new();
    let read = if is_stdin(file) {
        std::io::stdin().lock().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(file).map(|content| bytes = content)
    };
    read.map_err(unreadable(file))?;
    Ok(bytes)
}

/// The scanner and a stand-in for everything around a message.
struct Bench {
    scanner: Arc<dyn Scan>,
    upstream: Upstream,
}

impl Bench {
    fn new() -> Self {
        let upstream = Upstream {
            id: UpstreamId::from_random([0; 16]),
            app: AppId::new("scan"),
            app_name: "scan".into(),
            name: "scan".into(),
            transport: Transport::StreamableHttp,
            url: None,
            command: Vec::new(),
        };
        Self { scanner: scanner_in_force(), upstream }
    }

    /// One message by itself.
    fn judge(&self, direction: Direction, bytes: &[u8], request: Option<&PairedRequest>) -> Judged {
        let judge = self.judge_with(Arc::new(PinBook::in_memory(Vec::new())));
        self.ask(&judge, &self.upstream, direction, bytes, request)
    }

    fn judge_with(&self, pins: Arc<PinBook>) -> Judge {
        Judge::new(self.scanner.clone(), pins, Rules::default(), Limits::default())
    }

    fn ask(
        &self,
        judge: &Judge,
        upstream: &Upstream,
        direction: Direction,
        bytes: &[u8],
        request: Option<&PairedRequest>,
    ) -> Judged {
        let context = Context {
            upstream,
            transport: Transport::StreamableHttp,
            now: clock::now(),
            siblings: &Vec::new,
            mirrors: &[],
            session: None,
        };
        judge.judge(&context, direction, bytes, &|_| request.cloned())
    }

    /// One file: a message, or what `tools/list` gives.
    fn one(&self, bytes: &[u8], file: &Path, args: &args::Scan) -> Result<ScanReport, Failed> {
        let limits = Limits::default();
        let doc = Doc::parse(bytes, Mode::Lenient, &limits)
            .map_err(|error| Failed::new(BAD_DATA, format!("{}: {error}", file.display())))?;
        if let Some(field) = bare_list(&doc) {
            let (before, after) = wrapper(field);
            let message = [before.as_bytes(), bytes, after.as_bytes()].concat();
            let request = paired("tools/list", None);
            let judged = self.judge(Direction::ToClient, &message, Some(&request));
            let findings = judged.findings.into_iter().map(|finding| moved(finding, before.len(), field)).collect();
            return Ok(ScanReport { id: None, verdict: judged.verdict, findings });
        }
        let envelope = Envelope::read(&doc);
        let direction = args.direction.map_or_else(|| direction_of(&doc), Direction::from);
        let method = args.method.clone().or_else(|| answered_method(&envelope).map(str::to_owned));
        let request = method.map(|method| paired(&method, None));
        let judged = self.judge(direction, bytes, request.as_ref());
        Ok(ScanReport { id: None, verdict: judged.verdict, findings: judged.findings })
    }
}

/// What the daemon would use: the person's own files and switches too. Reads only; without a state folder, the bundled.
fn scanner_in_force() -> Arc<dyn Scan> {
    let own = || -> Option<Arc<Scanner>> {
        let home = Home::from_environment().ok().filter(|home| home.path().is_dir())?;
        let disabled = match secret::read_key(&home).ok()? {
            Some(key) => rules::load(&home, &key, None).ok()?.rules.disabled,
            None => HashSet::new(),
        };
        Some(crate::signatures::Signatures::load(&home, &disabled).scanner())
    };
    own().unwrap_or_else(|| Arc::new(Scanner::new(SignatureSet::bundled())))
}

fn paired(method: &str, target: Option<String>) -> PairedRequest {
    PairedRequest { method: method.into(), target, modern: false, task: false }
}

/// `[tool …]` or `{"tools": [tool …]}` without an envelope.
fn bare_list(doc: &Doc<'_>) -> Option<bool> {
    let root = doc.root();
    let is_tool = |node: NodeRef<'_>| node.get("name").is_some() && node.get("jsonrpc").is_none();
    match root.kind() {
        Kind::Array => root.children().next().filter(|node| is_tool(*node)).map(|_| true),
        Kind::Object => (root.get("tools").is_some() && root.get("jsonrpc").is_none()).then_some(false),
        _ => None,
    }
}

/// Text around a bare list that makes it a response. `is_array`: the list itself, not an object that holds it.
fn wrapper(is_array: bool) -> (&'static str, &'static str) {
    if is_array {
        (r#"{"jsonrpc":"2.0","id":1,"result":{"tools":"#, "}}")
    } else {
        (r#"{"jsonrpc":"2.0","id":1,"result":"#, "}")
    }
}

/// Path and span as they are in the file, not in the wrapped message.
fn moved(mut finding: Finding, by: usize, is_array: bool) -> Finding {
    let prefix = if is_array { "/result/tools" } else { "/result" };
    if let Some(path) = finding.json_path.strip_prefix(prefix) {
        finding.json_path = path.to_owned();
    }
    if let Some(span) = &mut finding.span {
        (span.start, span.end) = (span.start.saturating_sub(by), span.end.saturating_sub(by));
    }
    finding
}

fn direction_of(doc: &Doc<'_>) -> Direction {
    let root = doc.root();
    let first = if root.kind() == Kind::Array { root.children().next().unwrap_or(root) } else { root };
    let envelope = Envelope::of(first);
    let method = envelope.method.as_deref().unwrap_or_default();
    let from_server = method.starts_with("sampling/") || method.starts_with("elicitation/") || method == "roots/list";
    let notice = ["notifications/message", "notifications/resources", "notifications/tools", "notifications/prompts"];
    match envelope.kind {
        MessageKind::Response | MessageKind::Error => Direction::ToClient,
        _ if from_server || notice.iter().any(|start| method.starts_with(start)) => Direction::ToClient,
        _ => Direction::ToUpstream,
    }
}

/// Which request a response answers, by what it holds.
fn answered_method(envelope: &Envelope<'_>) -> Option<&'static str> {
    let result = envelope.result?;
    let shapes = [
        ("tools", "tools/list"),
        ("content", "tools/call"),
        ("structuredContent", "tools/call"),
        ("contents", "resources/read"),
        ("resources", "resources/list"),
        ("resourceTemplates", "resources/templates/list"),
        ("messages", "prompts/get"),
        ("prompts", "prompts/list"),
        ("protocolVersion", "initialize"),
    ];
    shapes.iter().find(|(key, _)| result.get(key).is_some()).map(|(_, method)| *method)
}

fn show(report: &ScanReport) -> Result<(), Failed> {
    let count = match report.findings.len() {
        0 => "nothing was found".to_owned(),
        1 => "1 finding".to_owned(),
        n => format!("{n} findings"),
    };
    say(&format!("{}: {count}", word(report.verdict)))?;
    for finding in &report.findings {
        say(&format!("  {} ({:?}, {})", visible(&finding.title), finding.severity, finding.signature))?;
        let place =
            if finding.json_path.is_empty() { "the whole message".to_owned() } else { visible(&finding.json_path) };
        let span = finding.span.map(|span| format!(", bytes {} to {}", span.start, span.end)).unwrap_or_default();
        say(&format!("    at {place}{span}"))?;
        say(&format!("    matched: {}", visible(&finding.matched)))?;
        if let Some(decoded) = &finding.decoded {
            say(&format!("    decoded from {}: {}", decoded.from.join(", "), visible(&decoded.text)))?;
        }
    }
    Ok(())
}

/// Verdicts as they are spelled for people.
pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "Allow",
        Verdict::Flag => "Flag",
        Verdict::Redact => "Redact",
        Verdict::Ask => "Ask",
        Verdict::Block => "Block",
    }
}
