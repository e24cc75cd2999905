//! One scan: each text of a Message in windows, what is encoded in it decoded and looked at again, each Signature asked
//! where it looks. Bounded: windows, decoding depth and volume, whatever the input.

use super::near::Near;
use super::report::{Origin, Report, Sign, View};
use super::{ceil_char, floor_char};
use crate::argument;
use crate::decode::{self, Budget};
use crate::file::DecodedLayer;
use crate::normal::Normal;
use crate::pattern::Pattern;
use crate::predicate::path::Roots;
use crate::predicate::{self, Match, Predicate, Probe, hidden};
use crate::role::Role;
use crate::set::{Active, SignatureSet};
use crate::walk::Piece;
use portcullis_domain::{Direction, Finding, ScanInput};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

/// Text is looked at in windows of this size …
const WINDOW_BYTES: usize = 128 * 1024;
/// … that share this much with their neighbour, so nothing hides on a border.
const OVERLAP_BYTES: usize = 8 * 1024;
const MAX_LAYERS: usize = 3;
/// Longer decoded texts are not kept to be known again.
const MAX_KEPT_BYTES: usize = 16 * 1024;

pub(super) struct Run<'r> {
    set: &'r SignatureSet,
    direction: Direction,
    method: Option<&'r str>,
    foreign_tools: &'r [String],
    roots: Arc<Roots>,
    has_destination: bool,
    writes: bool,
    budget: Budget,
    near: Near,
    report: Report,
}

impl<'r> Run<'r> {
    pub fn new(set: &'r SignatureSet, input: &ScanInput<'r>) -> Self {
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

    pub fn empty(set: &'r SignatureSet, direction: Direction, bytes: usize) -> Self {
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
            near: Near::of(count),
            report: Report::of(count),
        }
    }

    /// What one text says about the whole call.
    pub fn learn(&mut self, piece: &Piece<'_>) {
        self.has_destination |= predicate::url::is_destination(piece.role, &piece.text);
        self.writes |= piece.role == Role::ArgumentCode;
    }

    pub fn piece(&mut self, piece: &Piece<'_>) {
        let raw = match piece.text {
            Cow::Borrowed(_) => None,
            Cow::Owned(_) => Some(piece.raw),
        };
        let origin = Origin { node: Some(piece.node), role: piece.role, raw, start: piece.span.start };
        self.text(&origin, &piece.text);
    }

    pub fn text(&mut self, origin: &Origin<'_>, text: &str) {
        if text.len() < 2 {
            return;
        }
        self.report.next_text();
        self.budget.next_text(text.len());
        let mut seen: Vec<View<'_>> = Vec::new();
        let mut open = vec![View { text: Cow::Borrowed(text), steps: Vec::new(), source: None }];
        while let Some(view) = open.pop() {
            let has_hidden = hidden::is_in(&view.text);
            self.view(origin, text, &view, has_hidden);
            if view.steps.len() < MAX_LAYERS {
                let mut next: Vec<View<'_>> = Vec::new();
                // The last of those that say the same is looked at.
                for part in decode::parts(&view.text, has_hidden).into_iter().rev() {
                    let source = view.source.clone().or(Some(part.source));
                    let steps = view.steps.iter().copied().chain([part.step]).collect();
                    let part = View { text: Cow::Owned(part.text), steps, source };
                    if !seen.iter().chain(&open).chain(&next).chain([&view]).any(|other| other.covers(&part)) {
                        next.push(part);
                    }
                }
                let fits = |part: &View<'_>| self.budget.take(part.text.len(), part.source.as_ref());
                open.extend(next.into_iter().rev().filter(fits));
            }
            if matches!(&view.text, Cow::Owned(text) if text.len() <= MAX_KEPT_BYTES) {
                seen.push(view);
            }
        }
        self.several(origin, text);
        self.undecoded(origin, text);
    }

    /// Says that not all of a text was looked at.
    fn undecoded(&mut self, origin: &Origin<'_>, text: &str) {
        let Some(source) = self.budget.refused().cloned() else { return };
        let set = self.set;
        let view = View { text: Cow::Borrowed(text), steps: Vec::new(), source: None };
        for (index, active) in set.active.iter().enumerate() {
            let asks = matches!(set.file(active).matcher.predicate, Some(Predicate::Undecoded {}));
            if asks && active.roles & 1 << origin.role as u32 != 0 && self.looks_here(index, active, text, &view) {
                let found = Match { range: source.clone(), reading: None };
                self.report.add(set.file(active), index, origin, text, &view, found);
            }
        }
    }

    /// Asks the Signatures that look at what the others found in this text.
    fn several(&mut self, origin: &Origin<'_>, text: &str) {
        let set = self.set;
        let view = View { text: Cow::Borrowed(text), steps: Vec::new(), source: None };
        for index in set.several.iter().copied().filter(|index| set.active[*index].roles & 1 << origin.role as u32 != 0)
        {
            let active = &set.active[index];
            let Some(Predicate::SeveralSigns { at_least, categories, except, families }) =
                &set.file(active).matcher.predicate
            else {
                continue;
            };
            if !self.looks_here(index, active, text, &view) {
                continue;
            }
            let sign = |index: usize| {
                let file = set.file(&set.active[index]);
                // A person's own Signatures may be as broad as they like, and so do not count.
                let counts = file.bundled
                    && !file.matcher.is_several()
                    && categories.contains(&file.category)
                    && !except.contains(&file.id);
                let family = || families.iter().position(|family| family.contains(&file.id));
                let is_score = file.matcher.predicate.as_ref().is_some_and(Predicate::is_score);
                let own = || family().map_or(Sign::Own(index), Sign::Family);
                counts.then(|| if is_score { Sign::Score } else { own() })
            };
            if let Some(range) = self.report.several(*at_least, sign) {
                self.report.add(set.file(active), index, origin, text, &view, Match { range, reading: None });
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
            paths: OnceCell::new(),
            concepts: OnceCell::new(),
            asked_concepts: self.set.asked_concepts(origin.role, decode::is_disguise(&view.steps)),
            acts: OnceCell::new(),
            local: OnceCell::new(),
        };
        let set = self.set;
        self.near.find(set, &normal.text, origin.role);
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
                    let found = Match { range, ..found };
                    self.report.add(set.file(active), index, origin, original, view, found);
                }
            }
        }
        self.near.recycle(seen);
    }

    fn looks_here(&self, index: usize, active: &Active, original: &str, view: &View<'_>) -> bool {
        let file = self.set.file(active);
        let place = &file.place;
        let many = file.matcher.predicate.as_ref().is_some_and(|predicate| predicate.finds_many());
        self.report.has_room(index, many)
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

    pub fn finish(self) -> Vec<Finding> {
        self.report.finish()
    }
}

impl View<'_> {
    /// Whether `other` says the same of the same place, so that looking at it too would find nothing new.
    fn covers(&self, other: &View<'_>) -> bool {
        self.source == other.source
            && self.text == other.text
            && self.steps.len() <= other.steps.len()
            && decode::is_disguise(&self.steps) == decode::is_disguise(&other.steps)
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
        let stands =
            |pattern: &Pattern| pattern.may_match(probe.normal.grams()) && pattern.find(text, around.clone()).is_some();
        active.all.iter().all(stands) && !active.none.iter().any(stands)
    };
    if let Some(predicate) = &matcher.predicate {
        let found = predicate.find(probe);
        if active.all.is_empty() && active.none.is_empty() {
            return found;
        }
        return found.into_iter().filter(|_| holds(&(0..text.len()))).collect();
    }
    let any: Vec<&Pattern> = active.any.iter().filter(|pattern| pattern.may_match(probe.normal.grams())).collect();
    for window in near {
        for pattern in &any {
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
