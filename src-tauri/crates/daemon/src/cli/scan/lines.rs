//! `scan --jsonl`: one message per line in, one verdict per line out. The output's shape is fixed; scorers read it.

use super::{Bench, is_stdin, paired, unreadable};
use crate::cli::args;
use crate::cli::exit::{BAD_DATA, Failed};
use portcullis_domain::json::{Doc, Mode};
use portcullis_domain::{
    AppId, Decoded, Direction, Envelope, Finding, Limits, Severity, Span, Upstream, UpstreamId, Verdict,
};
use portcullis_policy::{Judge, Judged, PairedRequest, PinBook};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::io::{BufRead, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Deserialize)]
struct Line<'a> {
    id: String,
    direction: Direction,
    #[serde(default)]
    app: String,
    #[serde(default)]
    server: String,
    #[serde(borrow)]
    message: &'a RawValue,
    #[serde(borrow, default)]
    request: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a str,
    verdict: Verdict,
    findings: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct Found<'a> {
    signature: &'a str,
    category: &'a str,
    severity: Severity,
    path: &'a str,
    span: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decoded: Option<&'a Decoded>,
}

impl<'a> Found<'a> {
    fn of(finding: &'a Finding) -> Self {
        Self {
            signature: &finding.signature,
            category: &finding.category,
            severity: finding.severity,
            path: &finding.json_path,
            span: finding.span,
            decoded: finding.decoded.as_ref(),
        }
    }
}

/// What `--stateful` keeps between lines: pins, and one Upstream per app and server.
struct Memory {
    judge: Judge,
    upstreams: HashMap<(String, String), Upstream>,
}

impl Memory {
    fn new(bench: &Bench) -> Self {
        Self { judge: bench.judge_with(Arc::new(PinBook::in_memory(Vec::new()))), upstreams: HashMap::new() }
    }

    fn judge(&mut self, bench: &Bench, line: &Line<'_>, request: Option<&PairedRequest>) -> Judged {
        let number = (self.upstreams.len() as u128 + 1).to_be_bytes();
        let upstream = self.upstreams.entry((line.app.clone(), line.server.clone())).or_insert_with(|| Upstream {
            id: UpstreamId::from_random(number),
            app: AppId::new(&line.app),
            app_name: line.app.clone(),
            name: line.server.clone(),
            ..bench.upstream.clone()
        });
        bench.ask(&self.judge, upstream, line.direction, line.message.get().as_bytes(), request)
    }
}

pub(super) fn run(bench: &Bench, args: &args::Scan) -> Result<ExitCode, Failed> {
    let input: Box<dyn BufRead> = if is_stdin(&args.file) {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::io::BufReader::new(std::fs::File::open(&args.file).map_err(unreadable(&args.file))?))
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut memory = args.stateful.then(|| Memory::new(bench));
    let mut timing = args.timing.then(Timing::default);
    let mut bad = 0;
    for (number, line) in input.lines().enumerate() {
        let line = line.map_err(unreadable(&args.file))?;
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Line<'_>>(&line) {
            Ok(line) => {
                let request = line.request.and_then(|raw| request_of(raw.get()));
                let started = Instant::now();
                let judged = match &mut memory {
                    Some(memory) => memory.judge(bench, &line, request.as_ref()),
                    None => bench.judge(line.direction, line.message.get().as_bytes(), request.as_ref()),
                };
                if let Some(timing) = &mut timing {
                    timing.add(line.message.get().len(), started.elapsed());
                }
                let findings = judged.findings.iter().map(Found::of).collect();
                let answer = Answer { id: &line.id, verdict: judged.verdict, findings };
                serde_json::to_writer(&mut out, &answer).map_err(std::io::Error::from)?;
                out.write_all(b"\n")?;
            }
            Err(error) => {
                bad += 1;
                writeln!(std::io::stderr(), "line {}: {error}", number + 1)?;
            }
        }
    }
    out.flush()?;
    if let Some(timing) = timing {
        timing.say()?;
    }
    if bad > 0 {
        return Err(Failed::new(BAD_DATA, format!("{bad} lines could not be read")));
    }
    Ok(ExitCode::SUCCESS)
}

/// Upper ends of the size buckets, in bytes.
const BUCKETS: [usize; 5] = [1 << 10, 4 << 10, 16 << 10, 128 << 10, usize::MAX];

/// How long judging took, by size of the message. The first pass over a signature compiles its patterns; that counts.
#[derive(Default)]
struct Timing {
    taken: [Vec<Duration>; BUCKETS.len()],
}

impl Timing {
    fn add(&mut self, bytes: usize, taken: Duration) {
        let bucket = BUCKETS.iter().position(|end| bytes <= *end).unwrap_or(BUCKETS.len() - 1);
        self.taken[bucket].push(taken);
    }

    fn say(mut self) -> std::io::Result<()> {
        let mut err = std::io::stderr().lock();
        for (end, taken) in BUCKETS.iter().zip(&mut self.taken) {
            taken.sort_unstable();
            let at =
                |part: usize| taken.get(taken.len().saturating_sub(1) * part / 1000).map_or(0, Duration::as_micros);
            let size = if *end == usize::MAX { "larger".to_owned() } else { format!("up to {} KB", end >> 10) };
            let (p50, p99, max) = (at(500), at(990), at(1000));
            writeln!(err, "{size}: {} messages, p50 {p50} us, p99 {p99} us, longest {max} us", taken.len())?;
        }
        Ok(())
    }
}

fn request_of(raw: &str) -> Option<PairedRequest> {
    let limits = Limits::default();
    let doc = Doc::parse(raw.as_bytes(), Mode::Lenient, &limits).ok()?;
    let envelope = Envelope::read(&doc);
    let target = envelope.target().map(|target| target.into_owned());
    envelope.method.as_deref().map(|method| PairedRequest { modern: envelope.is_modern(), ..paired(method, target) })
}
