//! What was measured, the ratios, and how they stand to the targets. Ratios compare with the direct leg of the same
//! round; a figure is the median over the rounds, with the extremes beside it.

use crate::http::Measured;
use serde_json::{Value, json};
use std::fmt::Write as _;

const WARM_START_MS: f64 = 150.0;
const IDLE_RSS_MIB: f64 = 40.0;
const ADDED_US: f64 = 500.0;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    place: String,
    name: String,
    leg: String,
}

impl Case {
    pub fn new(place: &str, name: &str, leg: &str) -> Self {
        Self { place: place.into(), name: name.into(), leg: leg.into() }
    }
}

/// One leg in one round.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    pub p50_us: f64,
    pub p95_us: f64,
    pub p99_us: f64,
    pub per_second: f64,
    pub first_answer_ms: Option<f64>,
}

impl Round {
    pub fn of(measured: &Measured) -> Self {
        let at = |part: f64| {
            let last = measured.latencies_us.len().saturating_sub(1);
            measured.latencies_us.get((last as f64 * part).round() as usize).copied().unwrap_or(f64::NAN)
        };
        Self {
            p50_us: at(0.5),
            p95_us: at(0.95),
            p99_us: at(0.99),
            per_second: measured.per_second,
            first_answer_ms: None,
        }
    }
}

#[derive(Default)]
pub struct Results {
    cases: Vec<(Case, Vec<Round>)>,
    pub warm_starts_ms: Vec<f64>,
    pub idle_rss_mib: Option<f64>,
    pub loaded_rss_mib: Option<f64>,
}

/// Lowest, median and highest.
#[derive(Clone, Copy)]
struct Spread {
    min: f64,
    median: f64,
    max: f64,
}

impl Spread {
    fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let median = *values.get(values.len() / 2)?;
        Some(Self { min: *values.first()?, median, max: *values.last()? })
    }
}

impl Results {
    pub fn add(&mut self, case: Case, round: Round) {
        match self.cases.iter_mut().find(|(known, _)| *known == case) {
            Some((_, rounds)) => rounds.push(round),
            None => self.cases.push((case, vec![round])),
        }
    }

    fn rounds(&self, case: &Case) -> &[Round] {
        self.cases.iter().find(|(known, _)| known == case).map_or(&[], |(_, rounds)| rounds)
    }

    /// Each round of a case with the same round of its direct leg.
    fn pairs(&self, case: &Case) -> impl Iterator<Item = (Round, Round)> {
        let direct = Case { leg: "direct".into(), ..case.clone() };
        self.rounds(case).iter().copied().zip(self.rounds(&direct).iter().copied())
    }

    fn added_us(&self, case: &Case) -> Option<Spread> {
        Spread::of(self.pairs(case).map(|(round, direct)| round.p50_us - direct.p50_us))
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut last = String::new();
        let mut tables: Vec<((String, String), Vec<&Case>)> = Vec::new();
        for (case, _) in &self.cases {
            let key = (case.place.clone(), case.name.clone());
            match tables.iter_mut().find(|(known, _)| *known == key) {
                Some((_, cases)) => cases.push(case),
                None => tables.push((key, vec![case])),
            }
        }
        for ((place, name), mut cases) in tables {
            if place != last {
                let explained = match place.as_str() {
                    "one" => "everything on one CPU",
                    "apart" => "client on one CPU, servers on another",
                    _ => "not placed: this system cannot",
                };
                let _ = writeln!(out, "\n{place} ({explained}); microseconds, medians over rounds\n");
                let _ = writeln!(
                    out,
                    "{:<16} {:<7} {:>8} {:>8} {:>8} {:>26} {:>7} {:>9} {:>7}",
                    "", "", "p50", "p95", "p99", "added p50 (min..max)", "ratio", "calls/s", "share"
                );
                last = place;
            }
            cases.sort_by_key(|case| ["direct", "bare", "ours"].iter().position(|leg| *leg == case.leg));
            for case in cases {
                self.line(&mut out, &name, case);
            }
        }
        let _ = writeln!(out);
        for (what, value, target, unit) in self.targets() {
            let stands = if value < target { "met" } else { "MISSED" };
            let _ = writeln!(out, "{what:<44} {value:>8.1} {unit:<3} target < {target:.0} {unit}: {stands}");
        }
        if let Some(rss) = self.loaded_rss_mib {
            let _ = writeln!(out, "{:<44} {rss:>8.1} MiB", "daemon RSS after the load");
        }
        out
    }

    fn line(&self, out: &mut String, name: &str, case: &Case) {
        let rounds = self.rounds(case);
        let median = |get: fn(&Round) -> f64| Spread::of(rounds.iter().map(get)).map_or(f64::NAN, |s| s.median);
        let (mut added, mut ratio, mut share) = (String::new(), String::new(), String::new());
        if case.leg != "direct" {
            added = self
                .added_us(case)
                .map_or_else(String::new, |s| format!("{:+.1} ({:+.1}..{:+.1})", s.median, s.min, s.max));
            let of = |get: fn(&Round) -> f64| {
                Spread::of(self.pairs(case).map(|(round, direct)| get(&round) / get(&direct)))
                    .map_or(f64::NAN, |s| s.median)
            };
            ratio = format!("{:.2}x", of(|r| r.p50_us));
            share = format!("{:.2}", of(|r| r.per_second));
        }
        let _ = writeln!(
            out,
            "{name:<16} {:<7} {:>8.1} {:>8.1} {:>8.1} {added:>26} {ratio:>7} {:>9.0} {share:>7}",
            case.leg,
            median(|r| r.p50_us),
            median(|r| r.p95_us),
            median(|r| r.p99_us),
            median(|r| r.per_second),
        );
        if let Some(first) = Spread::of(rounds.iter().filter_map(|r| r.first_answer_ms)) {
            let _ = writeln!(out, "{:<16} {:<7} start to first answer {:.1} ms", "", "", first.median);
        }
    }

    /// (what, measured, target, unit)
    fn targets(&self) -> Vec<(String, f64, f64, &'static str)> {
        let mut all = Vec::new();
        if let Some(start) = Spread::of(self.warm_starts_ms.iter().copied()) {
            all.push(("warm start to listening".to_owned(), start.median, WARM_START_MS, "ms"));
        }
        if let Some(rss) = self.idle_rss_mib {
            all.push(("daemon RSS, idle".to_owned(), rss, IDLE_RSS_MIB, "MiB"));
        }
        for (case, _) in &self.cases {
            if case.leg == "ours"
                && ["HTTP 1 KB", "stdio 1 KB"].contains(&case.name.as_str())
                && let Some(added) = self.added_us(case)
            {
                all.push((format!("added to {} ({})", case.name, case.place), added.median, ADDED_US, "us"));
            }
        }
        all
    }

    pub fn json(&self) -> Value {
        let spread = |s: Option<Spread>| s.map(|s| json!({ "min": s.min, "median": s.median, "max": s.max }));
        let cases: Vec<Value> = self
            .cases
            .iter()
            .map(|(case, rounds)| {
                let of = |get: fn(&Round) -> f64| spread(Spread::of(rounds.iter().map(get)));
                json!({
                    "place": case.place, "case": case.name, "leg": case.leg,
                    "p50_us": of(|r| r.p50_us), "p95_us": of(|r| r.p95_us), "p99_us": of(|r| r.p99_us),
                    "calls_per_second": of(|r| r.per_second),
                    "added_p50_us": spread(self.added_us(case)),
                    "first_answer_ms": spread(Spread::of(rounds.iter().filter_map(|r| r.first_answer_ms))),
                })
            })
            .collect();
        let targets: Vec<Value> = self
            .targets()
            .into_iter()
            .map(|(what, value, target, unit)| {
                json!({ "what": what, "value": value, "below": target, "unit": unit, "met": value < target })
            })
            .collect();
        json!({
            "cases": cases, "targets": targets, "warm_starts_ms": self.warm_starts_ms,
            "idle_rss_mib": self.idle_rss_mib, "loaded_rss_mib": self.loaded_rss_mib,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(p50_us: f64) -> Round {
        Round { p50_us, p95_us: 0.0, p99_us: 0.0, per_second: 1.0, first_answer_ms: None }
    }

    #[test]
    fn what_is_added_is_told_against_the_same_round() {
        let mut results = Results::default();
        for (direct, ours) in [(10.0, 30.0), (100.0, 110.0), (10.0, 25.0)] {
            results.add(Case::new("one", "HTTP 1 KB", "direct"), round(direct));
            results.add(Case::new("one", "HTTP 1 KB", "ours"), round(ours));
        }
        let added = results.added_us(&Case::new("one", "HTTP 1 KB", "ours")).unwrap();
        assert_eq!((added.min, added.median, added.max), (10.0, 15.0, 20.0));
        assert_eq!(results.targets(), [("added to HTTP 1 KB (one)".to_owned(), 15.0, 500.0, "us")]);
        assert!(results.text().contains("met"), "{}", results.text());
    }

    #[test]
    fn percentiles_are_of_the_sorted_calls() {
        let latencies_us = (0..=100).map(f64::from).collect();
        let round = Round::of(&Measured { latencies_us, per_second: 1.0 });
        assert_eq!((round.p50_us, round.p95_us, round.p99_us), (50.0, 95.0, 99.0));
    }
}
