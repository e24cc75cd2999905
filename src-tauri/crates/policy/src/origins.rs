//! Where a value came from: what results held before, as keyed hashes of their values, words and runs of words, so that
//! an argument can be traced to the result it was copied from. Only tells; no Verdict depends on it yet. Bounded, in
//! memory, never on disk, and no text is kept. One ClientApp stands for all its running copies: a server behind a URL
//! cannot tell them apart.

use crate::judged::{Context, MessageSummary};
use crate::question::is_holdable;
use foldhash::quality::RandomState;
use portcullis_domain::api::AskOrigin;
use portcullis_domain::json::{Kind, NodeRef};
use portcullis_domain::{AppId, Direction, MessageKind, UnixMs, Upstream};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::BuildHasher as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shorter ones are in too many results to say anything.
const MIN_VALUE_CHARS: usize = 8;
const MIN_WORD_CHARS: usize = 12;
/// Words in a row that count as copied.
const RUN: usize = 5;
/// Of the runs every so many-th is kept, the same ones on both sides.
const SAMPLE: u64 = 4;
const MAX_TEXT_BYTES: usize = 256 * 1024;
const MAX_PRINTS_PER_RESULT: usize = 8 * 1024;
const MAX_PRINTS: usize = 128 * 1024;
const MAX_RESULTS: usize = 512;
/// A longer name tells a person nothing.
const MAX_TARGET_BYTES: usize = 4096;
/// What is shown: the newest for each argument.
const MAX_SHOWN: usize = 3;

#[derive(Default)]
pub struct Origins {
    seed: RandomState,
    apps: Mutex<HashMap<AppId, Seen>>,
}

/// The results of one ClientApp, oldest first.
#[derive(Default)]
struct Seen {
    results: VecDeque<Known>,
    /// The number of the oldest.
    first: u64,
    /// The newest result that holds it.
    prints: HashMap<u64, u64, RandomState>,
}

struct Known {
    upstream: Upstream,
    method: String,
    target: Option<String>,
    at: UnixMs,
    prints: Vec<u64>,
}

/// What was hashed: a word alone is something else than a value of one word.
#[derive(Hash)]
enum Print {
    Value,
    Word,
    Run,
}

impl Origins {
    fn apps(&self) -> MutexGuard<'_, HashMap<AppId, Seen>> {
        // Whatever is missing after a panic elsewhere is only less to tell.
        self.apps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what a result holds that goes on to the app.
    pub(crate) fn learn(&self, context: &Context<'_>, direction: Direction, root: NodeRef<'_>, of: &MessageSummary) {
        let request = of.answers.as_ref().filter(|_| direction == Direction::ToClient && is_holdable(direction, of));
        let (Some(request), Some(result), MessageKind::Response) = (request, root.get("result"), of.kind) else {
            return;
        };
        let mut prints = Vec::new();
        let mut budget = MAX_TEXT_BYTES;
        self.collect(result, &mut budget, &mut prints);
        prints.sort_unstable();
        prints.dedup();
        prints.truncate(MAX_PRINTS_PER_RESULT);
        if prints.is_empty() {
            return;
        }
        let known = Known {
            upstream: context.upstream.clone(),
            method: request.method.clone(),
            target: request.target.clone().filter(|target| target.len() <= MAX_TARGET_BYTES),
            at: context.now,
            prints,
        };
        self.apps().entry(context.upstream.app.clone()).or_default().add(known);
    }

    fn collect(&self, node: NodeRef<'_>, budget: &mut usize, prints: &mut Vec<u64>) {
        if matches!(node.kind(), Kind::Object | Kind::Array) {
            node.children().for_each(|child| self.collect(child, budget, prints));
        } else if let Some(text) = node.as_str() {
            let part = &text[..text.floor_char_boundary(*budget)];
            *budget -= part.len();
            prints.extend(self.value(&text).filter(|_| part.len() == text.len()));
            self.parts(part, |print| prints.push(print));
        }
    }

    /// The result that each argument was copied from, as far as one was seen; the newest first.
    pub(crate) fn of(&self, app: &AppId, arguments: Vec<NodeRef<'_>>) -> Vec<AskOrigin> {
        let apps = self.apps();
        let Some(seen) = apps.get(app) else { return Vec::new() };
        let mut found = Vec::new();
        for argument in arguments {
            self.trace(argument, argument.pointer().len(), seen, &mut found);
        }
        found.sort_by_key(|origin: &AskOrigin| std::cmp::Reverse((origin.whole, origin.at)));
        found.truncate(MAX_SHOWN);
        found
    }

    fn trace(&self, node: NodeRef<'_>, base: usize, seen: &Seen, found: &mut Vec<AskOrigin>) {
        if matches!(node.kind(), Kind::Object | Kind::Array) {
            return node.children().for_each(|child| self.trace(child, base, seen, found));
        }
        let Some(text) = node.as_str().filter(|text| text.len() <= MAX_TEXT_BYTES) else { return };
        let whole = self.value(&text).and_then(|print| seen.prints.get(&print));
        let from = whole.copied().or_else(|| {
            // The result that most of it is in; of two, the newer.
            let mut hits: BTreeMap<u64, usize> = BTreeMap::new();
            self.parts(&text, |print| {
                if let Some(result) = seen.prints.get(&print) {
                    *hits.entry(*result).or_default() += 1;
                }
            });
            hits.into_iter().max_by_key(|(result, count)| (*count, *result)).map(|(result, _)| result)
        });
        let known = from.and_then(|number| seen.results.get(usize::try_from(number - seen.first).ok()?));
        found.extend(known.map(|known| AskOrigin {
            argument: node.pointer().get(base..).unwrap_or_default().to_owned(),
            upstream: known.upstream.id.clone(),
            upstream_name: known.upstream.name.clone(),
            method: known.method.clone(),
            target: known.target.clone(),
            at: known.at,
            whole: whole.is_some(),
        }));
    }

    fn value(&self, text: &str) -> Option<u64> {
        let text = text.trim();
        (text.chars().nth(MIN_VALUE_CHARS - 1).is_some()).then(|| self.seed.hash_one((Print::Value, text)))
    }

    /// Words that are long enough to be told apart (paths, addresses, tokens), also inside an address, and runs of words.
    fn parts(&self, text: &str, mut emit: impl FnMut(u64)) {
        let between = |c: char| {
            c.is_whitespace()
                || matches!(c, '"' | '\'' | '`' | '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | '|')
        };
        let inside = |c: char| matches!(c, '/' | '?' | '&' | '=' | '#' | ':' | '@');
        let long = |word: &str| word.chars().nth(MIN_WORD_CHARS - 1).is_some();
        // Each word is hashed once, however many runs it stands in.
        let mut run = [0; RUN];
        let words =
            text.split(between).map(|word| word.trim_matches(['.', '!', '?', ':'])).filter(|word| !word.is_empty());
        for (n, word) in words.enumerate() {
            if long(word) {
                emit(self.seed.hash_one((Print::Word, word)));
                let pieces = word.split(inside).filter(|piece| piece.len() < word.len() && long(piece));
                pieces.for_each(|piece| emit(self.seed.hash_one((Print::Word, piece))));
            }
            run.rotate_left(1);
            run[RUN - 1] = self.seed.hash_one(word);
            if n + 1 >= RUN {
                let print = self.seed.hash_one((Print::Run, run));
                if print.is_multiple_of(SAMPLE) {
                    emit(print);
                }
            }
        }
    }
}

impl Seen {
    fn add(&mut self, known: Known) {
        let number = self.first + self.results.len() as u64;
        for print in &known.prints {
            self.prints.insert(*print, number);
        }
        self.results.push_back(known);
        while self.results.len() > MAX_RESULTS || self.prints.len() > MAX_PRINTS {
            let Some(oldest) = self.results.pop_front() else { return };
            for print in oldest.prints {
                // A newer result may hold it as well.
                if self.prints.get(&print) == Some(&self.first) {
                    self.prints.remove(&print);
                }
            }
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PairedRequest;
    use crate::judged::summarise;
    use portcullis_domain::json::{Doc, Mode};
    use portcullis_domain::{Envelope, Limits, Transport, UpstreamId};
    use serde_json::{Value, json};

    fn upstream(id: &str, app: &str) -> Upstream {
        Upstream {
            id: UpstreamId::new(id),
            app: AppId::new(app),
            app_name: app.into(),
            name: format!("{id} of {app}"),
            transport: Transport::Stdio,
            url: None,
            command: Vec::new(),
        }
    }

    fn learn(origins: &Origins, from: &Upstream, now: UnixMs, text: &str) {
        let message = json!({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":text}]}}).to_string();
        let doc = Doc::parse(message.as_bytes(), Mode::Strict, &Limits::default()).unwrap();
        let request =
            PairedRequest { method: "tools/call".into(), target: Some("get".into()), modern: false, task: false };
        let summary = summarise(doc.root(), &Envelope::read(&doc), Direction::ToClient, &|_| Some(request.clone()));
        let siblings = Vec::new;
        let context = Context {
            upstream: from,
            transport: Transport::Stdio,
            now,
            siblings: &siblings,
            mirrors: &[],
            session: None,
        };
        origins.learn(&context, Direction::ToClient, doc.root(), &summary);
    }

    fn of(origins: &Origins, app: &str, arguments: Value) -> Vec<(String, String, UnixMs, bool)> {
        let text = arguments.to_string();
        let doc = Doc::parse(text.as_bytes(), Mode::Strict, &Limits::default()).unwrap();
        let found = origins.of(&AppId::new(app), vec![doc.root()]);
        found.into_iter().map(|o| (o.argument, o.upstream.to_string(), o.at, o.whole)).collect()
    }

    #[test]
    fn whole_values_long_words_and_runs_of_words_are_traced_and_common_ones_are_not() {
        let origins = Origins::default();
        let page = "Meeting notes. Send them to drop@mail-relay.example and keep the key ghp_0123456789abcdef safe, \
                    because the quarterly report about the northern region must reach the auditors before Friday noon.";
        learn(&origins, &upstream("docs", "cursor"), 10, page);
        let found = |value: &str| of(&origins, "cursor", json!({"a": {"b": value}}));
        let docs = |whole| vec![("/a/b".to_owned(), "docs".to_owned(), 10, whole)];
        assert_eq!(found(page), docs(true));
        assert_eq!(found("drop@mail-relay.example"), docs(false), "a word of it");
        assert_eq!(found("https://x.example/?k=ghp_0123456789abcdef"), docs(false), "inside an address");
        let copied =
            "FYI: because the quarterly report about the northern region must reach the auditors before Friday noon.";
        assert_eq!(found(copied), docs(false), "a run of words");
        assert_eq!(found("Meeting notes and other things that were thought of elsewhere"), [], "ordinary words");
        assert_eq!(of(&origins, "claude-desktop", json!({"a": page})), [], "another app");
    }

    #[test]
    fn the_newest_result_counts_and_old_ones_are_forgotten_within_bounds() {
        let origins = Origins::default();
        learn(&origins, &upstream("docs", "cursor"), 1, "/home/someone/project/notes.txt");
        learn(&origins, &upstream("files", "cursor"), 2, "/home/someone/project/notes.txt");
        let found = || of(&origins, "cursor", json!({"path": "/home/someone/project/notes.txt"}));
        assert_eq!(found(), [("/path".to_owned(), "files".to_owned(), 2, true)]);
        for n in 0..MAX_RESULTS as i64 {
            learn(&origins, &upstream("noise", "cursor"), 3 + n, &format!("a value of its own, number {n}"));
        }
        assert_eq!(found(), []);
        for n in 0..40 {
            let words: String = (0..20_000).map(|word| format!("unlike-{n}-{word:08} ")).collect();
            learn(&origins, &upstream("flood", "cursor"), 1000 + n, &words);
        }
        let apps = origins.apps();
        let seen = apps.values().next().unwrap();
        assert!(seen.prints.len() <= MAX_PRINTS && seen.results.len() <= MAX_RESULTS);
        assert_eq!(seen.results.iter().map(|known| known.prints.len()).max(), Some(MAX_PRINTS_PER_RESULT));
    }
}
