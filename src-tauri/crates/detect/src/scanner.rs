//! The Scanner: walks a Message's texts, looks at each in windows, decodes what is encoded and looks again.
//! Bounded: windows, decoding depth and volume, and the number of Findings all have limits, whatever the input.

use crate::argument;
use crate::decode::{self, Budget};
use crate::file::DecodedLayer;
use crate::normal::Normal;
use crate::predicate::path::Roots;
use crate::predicate::{self, Match, Probe, hidden};
use crate::role::Role;
use crate::set::{Active, SignatureSet};
use crate::walk::{Piece, Walk};
use portcullis_domain::json::{self, Doc, Mode, NodeRef};
use portcullis_domain::{Concept, Decoded, Direction, Finding, Limits, Scan, ScanInput, Span, Verdict};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

/// Text is looked at in windows of this size …
const WINDOW_BYTES: usize = 128 * 1024;
/// … that share this much with their neighbour, so nothing hides on a border.
const OVERLAP_BYTES: usize = 8 * 1024;
/// Patterns see this much text on both sides of a keyword.
const KEYWORD_MARGIN_BYTES: usize = 800;
const MAX_FINDINGS: usize = 50;
const MAX_PER_SIGNATURE: u8 = 6;
const MAX_MATCHED_CHARS: usize = 200;
const MAX_DECODED_CHARS: usize = 400;
const MAX_LAYERS: usize = 3;

/// Signatures to Findings. Cheap to clone.
#[derive(Clone)]
pub struct Scanner {
    set: Arc<SignatureSet>,
}

impl Scanner {
    pub fn new(set: Arc<SignatureSet>) -> Self {
        Self { set }
    }

    pub fn signatures(&self) -> &Arc<SignatureSet> {
        &self.set
    }
}

/// Builds the tables that the first Message would wait for: for a thread of its own, while something else starts.
pub fn warm_up() {
    LazyLock::force(&predicate::concept::TABLE);
    crate::mask::mask("token: x");
    decode::parts("x", false, &mut Budget::for_message(1));
}

impl Scan for Scanner {
    fn scan(&self, input: &ScanInput<'_>) -> Vec<Finding> {
        let limits = Limits::default();
        let schema = input.context.input_schema.filter(|_| input.direction == Direction::ToUpstream);
        let schema = schema.and_then(|raw| Doc::parse(raw.as_bytes(), Mode::Lenient, &limits).ok());
        let walk = Walk::new(input, schema.as_ref());
        let mut run = Run::new(&self.set, input);
        if input.direction == Direction::ToUpstream {
            walk.pieces(|piece| run.learn(&piece));
        }
        walk.pieces(|piece| run.piece(&piece));
        if input.direction == Direction::ToClient && input.root.parent().is_none() && !input.doc.trailing.is_empty() {
            let span = input.doc.trailing.clone();
            let text = String::from_utf8_lossy(input.doc.bytes().get(span.clone()).unwrap_or_default());
            run.text(&Origin { node: None, role: Role::ResultText, raw: None, start: span.start }, &text);
        }
        run.finish()
    }

    fn concepts(&self, text: &str) -> Vec<Concept> {
        crate::concept::of(text)
    }

    fn plain(&self, text: &str) -> String {
        Normal::of(text).text
    }

    fn scan_text(&self, direction: Direction, text: &str) -> Vec<Finding> {
        let role = match direction {
            Direction::ToClient => Role::ResultText,
            Direction::ToUpstream => Role::ArgumentText,
        };
        let mut run = Run { set: &self.set, ..Run::empty(&self.set, direction, text.len()) };
        run.text(&Origin { node: None, role, raw: None, start: 0 }, text);
        run.finish()
    }

    fn mask(&self, text: &str) -> String {
        crate::mask::mask(text)
    }
}

/// Where a text comes from, as far as Findings tell it.
struct Origin<'d> {
    node: Option<NodeRef<'d>>,
    role: Role,
    /// The raw JSON string, when the text had to be decoded from it; None: offsets are equal.
    raw: Option<&'d [u8]>,
    start: usize,
}

/// A text under a Finding's eyes: the original or one decoded from it.
struct View<'v> {
    text: Cow<'v, str>,
    /// Decoding steps, outermost first; empty: the original.
    steps: Vec<&'static str>,
    /// For decoded text: the range of the original it came from.
    source: Option<Range<usize>>,
}

struct Run<'r> {
    set: &'r SignatureSet,
    direction: Direction,
    method: Option<&'r str>,
    foreign_tools: &'r [String],
    roots: Arc<Roots>,
    has_destination: bool,
    writes: bool,
    budget: Budget,
    findings: Vec<Finding>,
    /// Per active Signature.
    tally: Vec<Tally>,
    /// Those with a Finding in the current text.
    found_here: Vec<usize>,
    near: Near,
}

/// What one Signature found: in the whole Message, in the current text.
#[derive(Clone, Copy, Default)]
struct Tally {
    total: u8,
    here: u8,
}

/// Where the patterns of the Signatures whose keywords were seen are to be tried. Signatures whose keywords were not
/// seen cost nothing, however many there are.
#[derive(Default)]
struct Near {
    /// By active Signature: its place in `seen`, plus one.
    places: Vec<u32>,
    seen: Vec<(usize, Vec<Range<usize>>)>,
    spare: Vec<Vec<Range<usize>>>,
}

impl Near {
    fn add(&mut self, owner: usize, range: Range<usize>) {
        let place = self.places[owner] as usize;
        if place == 0 {
            let mut ranges = self.spare.pop().unwrap_or_default();
            ranges.push(range);
            self.seen.push((owner, ranges));
            self.places[owner] = self.seen.len() as u32;
            return;
        }
        let ranges = &mut self.seen[place - 1].1;
        match ranges.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => ranges.push(range),
        }
    }

    /// What was seen, in the order of the Signatures; hand it back to `recycle`.
    fn take(&mut self) -> Vec<(usize, Vec<Range<usize>>)> {
        for (owner, _) in &self.seen {
            self.places[*owner] = 0;
        }
        let mut seen = std::mem::take(&mut self.seen);
        seen.sort_unstable_by_key(|(owner, _)| *owner);
        seen
    }

    fn recycle(&mut self, mut seen: Vec<(usize, Vec<Range<usize>>)>) {
        self.spare.extend(seen.drain(..).map(|(_, mut ranges)| {
            ranges.clear();
            ranges
        }));
        self.seen = seen;
    }
}

impl<'r> Run<'r> {
    fn new(set: &'r SignatureSet, input: &ScanInput<'r>) -> Self {
        let foreign_tools = input.context.foreign_tools;
        let writes = input.target.is_some_and(argument::is_writer);
        Self {
            method: input.method,
            foreign_tools,
            roots: Arc::new(Roots::of(input.context.roots)),
            writes,
            ..Self::empty(set, input.direction, input.doc.bytes().len())
        }
    }

    fn empty(set: &'r SignatureSet, direction: Direction, bytes: usize) -> Self {
        let count = set.active.len();
        Self {
            set,
            direction,
            method: None,
            foreign_tools: &[],
            roots: Arc::default(),
            has_destination: false,
            writes: false,
            budget: Budget::for_message(bytes),
            findings: Vec::new(),
            tally: vec![Tally::default(); count],
            found_here: Vec::new(),
            near: Near { places: vec![0; count], ..Near::default() },
        }
    }

    /// What one text says about the whole call.
    fn learn(&mut self, piece: &Piece<'_>) {
        self.has_destination |= predicate::url::is_destination(piece.role, &piece.text);
        self.writes |= piece.role == Role::ArgumentCode;
    }

    fn piece(&mut self, piece: &Piece<'_>) {
        let raw = match piece.text {
            Cow::Borrowed(_) => None,
            Cow::Owned(_) => Some(piece.raw),
        };
        let origin = Origin { node: Some(piece.node), role: piece.role, raw, start: piece.span.start };
        self.text(&origin, &piece.text);
    }

    fn text(&mut self, origin: &Origin<'_>, text: &str) {
        if text.len() < 2 {
            return;
        }
        for index in self.found_here.drain(..) {
            self.tally[index].here = 0;
        }
        let mut open = vec![View { text: Cow::Borrowed(text), steps: Vec::new(), source: None }];
        while let Some(view) = open.pop() {
            let has_hidden = hidden::is_in(&view.text);
            self.view(origin, text, &view, has_hidden);
            if view.steps.len() < MAX_LAYERS {
                open.extend(decode::parts(&view.text, has_hidden, &mut self.budget).into_iter().map(|part| {
                    let source = view.source.clone().or(Some(part.source));
                    let steps = view.steps.iter().copied().chain([part.step]).collect();
                    View { text: Cow::Owned(part.text), steps, source }
                }));
            }
        }
    }

    fn view(&mut self, origin: &Origin<'_>, original: &str, view: &View<'_>, has_hidden: bool) {
        let mut start = 0;
        loop {
            let end = floor_char(&view.text, start + WINDOW_BYTES);
            self.window(origin, original, view, start..end, has_hidden);
            if end >= view.text.len() {
                return;
            }
            start = floor_char(&view.text, end - OVERLAP_BYTES);
        }
    }

    fn window(&mut self, origin: &Origin<'_>, original: &str, view: &View<'_>, window: Range<usize>, has_hidden: bool) {
        let text = &view.text[window.clone()];
        let normal = Normal::of(text);
        let roots = self.roots.clone();
        let probe = Probe {
            text,
            normal: &normal,
            role: origin.role,
            foreign_tools: self.foreign_tools,
            roots: &roots,
            writes: self.writes,
            has_hidden,
            secrets: OnceCell::new(),
            personal: OnceCell::new(),
            urls: OnceCell::new(),
            concepts: OnceCell::new(),
            acts: OnceCell::new(),
            local: OnceCell::new(),
        };
        let set = self.set;
        self.find_keywords(&normal.text, origin.role);
        let seen = self.near.take();
        // Both lists are in the order of the Signatures, and so is what they find.
        let (mut always, mut announced) = (set.always(origin.role).iter().peekable(), seen.iter().peekable());
        loop {
            let (index, near): (usize, &[Range<usize>]) = match (always.peek(), announced.peek()) {
                (Some(index), next) if next.is_none_or(|(other, _)| **index < *other) => {
                    (*always.next().unwrap_or(&0), &[])
                }
                (_, Some(_)) => announced.next().map_or((0, &[]), |(index, near)| (*index, near.as_slice())),
                _ => break,
            };
            let active = &set.active[index];
            if self.looks_here(index, active, original, view) {
                for found in matches(set, active, &probe, near) {
                    let range = found.range.start + window.start..found.range.end + window.start;
                    self.report(index, origin, original, view, range, found.reading);
                }
            }
        }
        self.near.recycle(seen);
    }

    /// Notes for each Signature that looks at `role` the surroundings of its keywords.
    fn find_keywords(&mut self, text: &str, role: Role) {
        let Some(automaton) = &self.set.keywords else { return };
        let bits = role.bits();
        for hit in automaton.find_overlapping_iter(text) {
            let start = floor_char(text, hit.start().saturating_sub(KEYWORD_MARGIN_BYTES));
            let end = floor_char(text, hit.end() + KEYWORD_MARGIN_BYTES);
            for &owner in &self.set.owners[hit.pattern().as_usize()] {
                if self.set.active[owner].roles & bits != 0 {
                    self.near.add(owner, start..end);
                }
            }
        }
    }

    fn looks_here(&self, index: usize, active: &Active, original: &str, view: &View<'_>) -> bool {
        let file = self.set.file(active);
        let place = &file.place;
        let limit = if file.matcher.predicate.as_ref().is_some_and(|p| p.finds_many()) { MAX_PER_SIGNATURE } else { 1 };
        let tally = self.tally[index];
        tally.here < limit
            && tally.total < MAX_PER_SIGNATURE
            && place.direction.is_none_or(|direction| direction == self.direction)
            && (place.methods.is_empty() || self.method.is_some_and(|m| place.methods.iter().any(|one| one == m)))
            && (!place.with_destination || self.has_destination)
            && place.max_bytes.is_none_or(|most| original.len() <= most)
            && match place.decoded {
                DecodedLayer::Also => true,
                DecodedLayer::Only => !view.steps.is_empty(),
                DecodedLayer::Disguised => decode::is_disguise(&view.steps),
                DecodedLayer::Never => view.steps.is_empty(),
            }
    }

    fn report(
        &mut self,
        index: usize,
        origin: &Origin<'_>,
        original: &str,
        view: &View<'_>,
        range: Range<usize>,
        reading: Option<String>,
    ) {
        let file = self.set.file(&self.set.active[index]);
        let in_original = view.source.clone().unwrap_or_else(|| range.clone());
        let inner = match origin.raw {
            Some(raw) => json::raw_range(raw, in_original.clone()),
            None => in_original.clone(),
        };
        let span = Span { start: origin.start + inner.start, end: origin.start + inner.end };
        let known = |finding: &Finding| finding.signature == file.id && finding.span == Some(span);
        let tally = self.tally[index];
        if tally.here > 0 && self.findings.iter().any(known) || tally.total >= MAX_PER_SIGNATURE {
            return;
        }
        let decoded = match (view.steps.is_empty(), reading) {
            (true, None) => None,
            (true, Some(reading)) => {
                Some(Decoded { from: vec!["parsed".into()], text: excerpt(&reading, MAX_DECODED_CHARS) })
            }
            (false, _) => Some(Decoded {
                from: view.steps.iter().map(|step| (*step).to_owned()).collect(),
                text: excerpt(around(&view.text, &range), MAX_DECODED_CHARS),
            }),
        };
        self.tally[index] = Tally { total: tally.total + 1, here: tally.here + 1 };
        self.found_here.push(index);
        self.findings.push(Finding {
            signature: file.id.clone(),
            version: file.version,
            category: file.category.clone(),
            severity: file.severity,
            confidence: file.confidence,
            verdict: file.verdict,
            title: file.title.clone(),
            json_path: origin.node.map(|node| node.pointer()).unwrap_or_default(),
            span: Some(span),
            matched: excerpt(original.get(in_original).unwrap_or(""), MAX_MATCHED_CHARS),
            decoded,
        });
    }

    /// The gravest first, at most `MAX_FINDINGS`.
    fn finish(mut self) -> Vec<Finding> {
        let rank = |finding: &Finding| (finding.verdict, finding.severity, finding.confidence);
        self.findings.sort_by_key(|finding| std::cmp::Reverse(rank(finding)));
        debug_assert!(self.findings.iter().all(|finding| finding.verdict >= Verdict::Flag));
        self.findings.truncate(MAX_FINDINGS);
        self.findings
    }
}

/// The matches of one Signature in one window.
fn matches(set: &SignatureSet, active: &Active, probe: &Probe<'_>, near: &[Range<usize>]) -> Vec<Match> {
    let matcher = &set.file(active).matcher;
    if !matcher.keywords.is_empty() && near.is_empty() {
        return Vec::new();
    }
    let text = &probe.normal.text;
    let holds = |range: &Range<usize>| {
        let around = range.start.saturating_sub(matcher.within)..(range.end + matcher.within).min(text.len());
        let around = floor_char(text, around.start)..floor_char(text, around.end);
        active.all.iter().all(|pattern| pattern.find(text, around.clone()).is_some())
            && !active.none.iter().any(|pattern| pattern.find(text, around.clone()).is_some())
    };
    if let Some(predicate) = &matcher.predicate {
        let found = predicate.find(probe);
        if active.all.is_empty() && active.none.is_empty() {
            return found;
        }
        return found.into_iter().filter(|_| holds(&(0..text.len()))).collect();
    }
    for window in near {
        for pattern in &active.any {
            let mut from = window.start;
            while let Some(range) = pattern.find(text, from..window.end) {
                if holds(&range) {
                    return vec![Match { range: probe.normal.source_range(range), reading: None }];
                }
                from = ceil_char(text, range.end.max(range.start + 1));
            }
        }
    }
    Vec::new()
}

/// Some text before and after a match, for reading.
fn around<'t>(text: &'t str, range: &Range<usize>) -> &'t str {
    let start = floor_char(text, range.start.saturating_sub(80));
    let end = floor_char(text, (start + 1600).max(range.end));
    text.get(start..end).unwrap_or("")
}

/// At most `max` characters, secrets masked.
fn excerpt(text: &str, max: usize) -> String {
    // Cut first (a match can be megabytes), but leave enough that a secret on the border is still known as one.
    let text = &text[..floor_char(text, max * 4 + 4096)];
    let masked = crate::mask::mask(text);
    if masked.chars().count() <= max {
        return masked;
    }
    masked.chars().take(max - 1).chain(['…']).collect()
}

/// The largest character boundary at or below `at`.
pub(crate) fn floor_char(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

fn ceil_char(text: &str, at: usize) -> usize {
    text.ceil_char_boundary(at.min(text.len()))
}
