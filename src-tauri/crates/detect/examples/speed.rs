//! How long a scan takes: `cargo run --release -p portcullis-detect --example speed [messages.jsonl]`. Prints latency by
//! size of the message (from lines as `scan --jsonl` reads them), throughput on large texts of several kinds, and what a
//! scan costs with 30 and with 1,000 Signatures. Each figure is the best of a few runs, so that a busy machine shows less.

// What an example is for is what it prints.
#![allow(clippy::print_stdout)]

use portcullis_detect::{Scanner, SignatureSet, load};
use portcullis_domain::json::{Doc, Mode, quote};
use portcullis_domain::{Direction, Limits, Scan, ScanContext, ScanInput};
use std::collections::HashSet;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::time::{Duration, Instant};

const RUNS: usize = 5;
/// Upper ends of the size buckets, in bytes.
const BUCKETS: [usize; 5] = [1 << 10, 4 << 10, 16 << 10, 128 << 10, usize::MAX];

struct Message {
    raw: String,
    direction: Direction,
    method: Option<String>,
    target: Option<String>,
    is_response: bool,
}

impl Message {
    fn result(text: &str) -> Self {
        Self {
            raw: format!(
                r#"{{"jsonrpc":"2.0","id":1,"result":{{"content":[{{"type":"text","text":{}}}]}}}}"#,
                quote(text)
            ),
            direction: Direction::ToClient,
            method: Some("tools/call".into()),
            target: Some("tool".into()),
            is_response: true,
        }
    }

    fn of_line(line: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let line: serde_json::Value = serde_json::from_str(line)?;
        let own = line["message"]["method"].as_str();
        let asked = line["request"]["method"].as_str();
        let target = line["message"]["params"]["name"].as_str().or(line["request"]["params"]["name"].as_str());
        Ok(Self {
            raw: line["message"].to_string(),
            direction: if line["direction"] == "to_upstream" { Direction::ToUpstream } else { Direction::ToClient },
            method: own.or(asked).map(str::to_owned),
            target: target.map(str::to_owned),
            is_response: own.is_none(),
        })
    }

    /// The quickest of `runs` scans, reading the JSON included.
    fn time(&self, scanner: &Scanner, runs: usize) -> Duration {
        let once = || {
            let started = on_processor();
            let Ok(doc) = Doc::parse(self.raw.as_bytes(), Mode::Lenient, &Limits::default()) else {
                return Duration::MAX;
            };
            black_box(scanner.scan(&ScanInput {
                direction: self.direction,
                doc: &doc,
                root: doc.root(),
                method: self.method.as_deref(),
                target: self.target.as_deref(),
                is_response: self.is_response,
                context: ScanContext::default(),
            }));
            on_processor() - started
        };
        (0..runs).map(|_| once()).min().unwrap_or_default()
    }
}

/// Time on the processor of this thread, because a busy machine takes turns.
#[cfg(unix)]
fn on_processor() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}

#[cfg(not(unix))]
fn on_processor() -> Duration {
    static FIRST: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let started = Instant::now();
    let scanner = Scanner::new(SignatureSet::bundled());
    println!("compile: {} Signatures in {:?}", scanner.signatures().active_count(), started.elapsed());
    if let Some(path) = std::env::args().nth(1) {
        let lines = BufReader::new(std::fs::File::open(path)?).lines();
        let messages = lines.map(|line| Message::of_line(&line?)).collect::<Result<Vec<_>, _>>()?;
        by_size(&scanner, &messages);
    }
    by_kind(&scanner);
    by_signatures();
    Ok(())
}

fn by_size(scanner: &Scanner, messages: &[Message]) {
    let mut taken: [Vec<(Duration, usize)>; BUCKETS.len()] = Default::default();
    for message in messages {
        let size = message.raw.len();
        let bucket = BUCKETS.iter().position(|end| size <= *end).unwrap_or(BUCKETS.len() - 1);
        taken[bucket].push((message.time(scanner, RUNS), size));
    }
    for (end, taken) in BUCKETS.iter().zip(&mut taken).filter(|(_, taken)| !taken.is_empty()) {
        taken.sort_unstable();
        let at = |part: usize| taken[(taken.len() - 1) * part / 1000].0.as_secs_f64() * 1e6;
        let (time, bytes) = taken.iter().fold((0.0, 0), |sum, one| (sum.0 + one.0.as_secs_f64(), sum.1 + one.1));
        let size = if *end == usize::MAX { "larger".to_owned() } else { format!("up to {} KB", end >> 10) };
        println!(
            "{size}: {} messages, p50 {:.0} us, p99 {:.0} us, longest {:.0} us, {:.1} us/KB",
            taken.len(),
            at(500),
            at(990),
            at(1000),
            time * 1e6 * 1024.0 / bytes as f64
        );
    }
}

fn by_kind(scanner: &Scanner) {
    const PROSE: &str = "The meeting was moved to Thursday because two people are away. Please see the notes in the shared \
        folder, the second page has the new plan. Nothing else changed since last week, and the budget is the same.\n";
    const CODE: &str = "    fn window(&mut self, origin: &Origin<'_>) -> Option<usize> {\n        let text = &view.text[start..end];\n        \
        if text.len() < 2 || self.count == 0x1f { return None; } // see src/scanner.rs:142\n    }\n";
    const LOG: &str = "2026-11-22T10:31:07.113Z INFO  [worker-7] GET /api/v2/orders/8812736?limit=50 200 12ms trace=9fceb02d0ae598e95dc970b74767f193\n";
    const WIDE: &str =
        "Die Prüfung läuft über größere Mengen — “so weit, so gut”. Проверка идёт. 検査は順調に進んでいます。\n";
    const KEYWORDS: &str =
        "system prompt instructions password user must ignore tool file secret token send curl ssh key important now ";
    for (name, piece) in
        [("prose", PROSE), ("code", CODE), ("log", LOG), ("many scripts", WIDE), ("keywords", KEYWORDS)]
    {
        for size in [1 << 10, 64 << 10, 1 << 20, 15 << 20] {
            let mut text = piece.repeat(size / piece.len() + 1);
            text.truncate(text.floor_char_boundary(size - 200));
            let message = Message::result(&text);
            let runs = if size > 1 << 20 { 2 } else { RUNS };
            let taken = message.time(scanner, runs).as_secs_f64();
            println!("{name} {} KB: {:.2} ms, {:.0} MB/s", size >> 10, taken * 1e3, size as f64 / taken / 1e6);
        }
    }
}

/// The bundled Signatures, and the same with made-up ones beside them whose keywords do not stand in the text.
fn by_signatures() {
    let made_up = |n: usize| {
        let source = format!(
            "id = \"made-up-{n}\"\nversion = 1\nstatus = \"stable\"\ntitle = \"t\"\ndescription = \"d\"\nadvice = \"a\"\n\
             category = \"injection\"\nseverity = \"low\"\nconfidence = \"low\"\nverdict = \"flag\"\nfalse_positives = \"f\"\n\
             [where]\nroles = [\"any\"]\n[match]\nkeywords = [\"zq{n} marker\", \"unusual phrase {n}\"]\nany = ['zq{n} marker \\w+']\n"
        );
        load(&format!("injection/made-up-{n}.toml"), &source)
    };
    let text = "A plain result of some length, with a few numbers (12, 47) and names in it. ".repeat(50);
    let message = Message::result(&text);
    let mut first = None;
    for count in [30, 1000] {
        let files = (0..count).filter_map(|n| made_up(n).ok()).collect();
        let Ok(set) = SignatureSet::compile(files, &HashSet::new()) else { return };
        let taken = message.time(&Scanner::new(Arc::new(set)), 200).as_secs_f64();
        let ratio = taken / *first.get_or_insert(taken);
        println!("{count} Signatures: {:.1} us for {} KB, {ratio:.2} times", taken * 1e6, text.len() >> 10);
    }
}
