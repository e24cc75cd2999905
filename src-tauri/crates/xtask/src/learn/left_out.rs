//! What fit and training are worth on families of sources that they never saw.

use super::fit::{self, Marked};
use super::train::{self, Windowed};
use super::{KINDS, OWN, Record, families, family};
use portcullis_detect::fitting::marks;
use portcullis_detect::model::odds;
use portcullis_detect::{DecodedLayer, Predicate, Role, bundled_files};
use std::collections::BTreeMap;

/// Shares of ordinary texts that may lie above the limits.
const RATES: [f64; 3] = [0.005, 0.002, 0.001];
/// What a step of the local score's odds counts beside the concepts, by kind (as in the Signatures that use both).
const BESIDE: [f64; 3] = [10.0, 10.0, 20.0];

/// What is looked at.
#[derive(Clone, Copy)]
pub enum Measure {
    Concepts,
    Local,
    Both,
}

/// A record with what the weights and the model say that never saw its family.
struct Scored<'r> {
    record: &'r Record,
    concepts: i64,
    local: f32,
}

impl Scored<'_> {
    fn of(&self, measure: Measure) -> f64 {
        match measure {
            Measure::Concepts => self.concepts as f64,
            Measure::Local => f64::from(self.local),
            Measure::Both => self.concepts as f64 + BESIDE[self.record.kind] * f64::from(odds(self.local)),
        }
    }
}

/// A limit that a bundled Signature sets: the concepts, with so much of the local score's odds beside them, or that score
/// alone.
enum Limit {
    Concepts { at_least: u32, local: u32 },
    Local(f32),
}

impl Limit {
    fn is_reached(&self, scored: &Scored<'_>) -> bool {
        match self {
            Self::Concepts { at_least, local } => {
                let beside = if *local == 0 { 0.0 } else { *local as f32 * odds(scored.local) };
                scored.concepts as f32 + beside >= *at_least as f32
            }
            Self::Local(at_least) => scored.local >= *at_least,
        }
    }
}

/// The limits of the bundled Signatures on texts of a kind as they stand, whatever they say.
fn limits(kind: usize) -> Vec<Limit> {
    let role = [Role::ToolDescription, Role::ResultText, Role::PromptText][kind];
    let files = bundled_files().into_iter().filter_map(Result::ok);
    let plain = files.filter(|file| {
        file.place.decoded == DecodedLayer::Also && file.place.max_bytes.is_none() && file.place.roles.contains(&role)
    });
    let limit = |predicate| match predicate {
        Some(Predicate::ConceptScore { at_least, local, needs, .. }) if needs.is_empty() => {
            Some(Limit::Concepts { at_least, local })
        }
        Some(Predicate::LocalScore { at_least }) => Some(Limit::Local(at_least)),
        _ => None,
    };
    plain.filter_map(|file| limit(file.matcher.predicate)).collect()
}

/// What share of each source the scores find at the limits that are shipped.
fn shipped(scores: &[Scored<'_>], said: &mut Vec<String>) {
    for (kind, (_, name)) in KINDS.iter().enumerate() {
        let limits = limits(kind);
        let mut sources: BTreeMap<(bool, &str), (usize, usize)> = BTreeMap::new();
        for scored in scores.iter().filter(|scored| scored.record.kind == kind) {
            let (found, all) = sources.entry((scored.record.is_attack, scored.record.source.as_str())).or_default();
            *found += usize::from(limits.iter().any(|limit| limit.is_reached(scored)));
            *all += 1;
        }
        let shares = |is_attack: bool| {
            let these = sources.iter().filter(move |((one, _), _)| *one == is_attack);
            these.map(|((_, source), (found, all))| (*source, 100.0 * *found as f64 / *all as f64)).collect::<Vec<_>>()
        };
        let (found, all) = sources
            .iter()
            .filter(|((is_attack, _), _)| !is_attack)
            .fold((0, 0), |sum, (_, one)| (sum.0 + one.0, sum.1 + one.1));
        said.push(format!("{name}, both scores at the limits that are shipped: {found} of {all} ordinary texts"));
        for is_attack in [true, false] {
            let shares = shares(is_attack);
            let mean = shares.iter().map(|(_, share)| share).sum::<f64>() / shares.len().max(1) as f64;
            let each: Vec<String> = shares.iter().map(|(source, share)| format!("{source} {share:.1}")).collect();
            let label = if is_attack { "hostile" } else { "ordinary" };
            said.push(format!("  {label}, mean of the sources {mean:.1} %: {}", each.join("; ")));
        }
    }
}

/// Limits that so many ordinary texts lie above, and what share of each source does.
pub fn report(records: &[Record], measures: &[Measure]) -> Vec<String> {
    let scores = scores(records);
    let mut said = Vec::new();
    shipped(&scores, &mut said);
    for measure in measures {
        let what = match measure {
            Measure::Concepts => "concepts",
            Measure::Local => "local score",
            Measure::Both => "both",
        };
        for (kind, (_, name)) in KINDS.iter().enumerate() {
            let of_kind = || scores.iter().filter(|scored| scored.record.kind == kind);
            let mut ordinary: Vec<f64> =
                of_kind().filter(|scored| !scored.record.is_attack).map(|scored| scored.of(*measure)).collect();
            ordinary.sort_unstable_by(|a, b| b.total_cmp(a));
            let limit = |rate| ordinary.get((ordinary.len() as f64 * rate) as usize).copied().unwrap_or_default();
            let limits = RATES.map(limit);
            said.push(format!(
                "{name}, {what}: at most {RATES:?} of {} ordinary texts lie above {limits:.3?}",
                ordinary.len()
            ));
            let mut sources: BTreeMap<(bool, &str), Vec<f64>> = BTreeMap::new();
            for scored in of_kind() {
                let key = (scored.record.is_attack, scored.record.source.as_str());
                sources.entry(key).or_default().push(scored.of(*measure));
            }
            let share = |list: &[f64], limit: f64| {
                100.0 * list.iter().filter(|score| **score > limit).count() as f64 / list.len() as f64
            };
            for ((is_attack, source), list) in &sources {
                let shares: Vec<String> = limits.iter().map(|at| format!("{:5.1} %", share(list, *at))).collect();
                let label = if *is_attack { "hostile" } else { "ordinary" };
                said.push(format!("  {label:8} {source:28} n={:4}  {}", list.len(), shares.join("  ")));
            }
            let hostile: Vec<&Vec<f64>> =
                sources.iter().filter(|((is_attack, _), _)| *is_attack).map(|one| one.1).collect();
            let means = limits.map(|at| {
                let sum: f64 = hostile.iter().map(|list| share(list, at)).sum();
                format!("{:5.1} %", sum / hostile.len().max(1) as f64)
            });
            said.push(format!("  hostile, mean of the sources            {}", means.join("  ")));
        }
    }
    said
}

fn scores(records: &[Record]) -> Vec<Scored<'_>> {
    let names = marks();
    let marked: Vec<Marked<'_>> = records.iter().map(|record| Marked::of(record, names.len())).collect();
    let windowed: Vec<Windowed<'_>> = records.iter().map(Windowed::of).collect();
    let mut scored = Vec::with_capacity(records.len());
    // Our own texts are no test of what we made: they are always learnt from, never judged.
    for held in families(records).into_iter().filter(|family| *family != OWN) {
        let keep = |record: &Record| family(&record.source) != held;
        let weights: Vec<Vec<u32>> = (0..KINDS.len()).map(|kind| fit::fit(&marked, &keep, kind, &names)).collect();
        let model = train::train(&windowed, &keep);
        let held = marked.iter().zip(&windowed).filter(|(one, _)| !keep(one.record));
        scored.extend(held.map(|(marked, windowed)| Scored {
            record: marked.record,
            concepts: marked.score(&weights[marked.record.kind]),
            local: model.score(windowed),
        }));
    }
    scored
}
