//! Records of our own: draws from the families of `families.toml`, the same ones every time.

use super::{KINDS, Record};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

const FAMILIES: &str = include_str!("families.toml");
/// Whole texts: every other line is learnt from, the rest is what `detect/tests/paraphrases.rs` measures.
#[rustfmt::skip]
const PARAPHRASES: [(usize, bool, &str); 7] = [
    (0, true, include_str!("../../../detect/tests/paraphrases/definitions-hostile.txt")),
    (0, false, include_str!("../../../detect/tests/paraphrases/definitions-ordinary.txt")),
    (1, true, include_str!("../../../detect/tests/paraphrases/results-hostile.txt")),
    (1, false, include_str!("../../../detect/tests/paraphrases/results-ordinary.txt")),
    (1, false, include_str!("../../../detect/tests/paraphrases/results-letters.txt")),
    (2, true, include_str!("../../../detect/tests/paraphrases/prompts-hostile.txt")),
    (2, false, include_str!("../../../detect/tests/paraphrases/prompts-ordinary.txt")),
];
/// Whole texts that are only learnt from.
#[rustfmt::skip]
const TEXTS: [(usize, bool, &str); 6] = [
    (0, true, include_str!("texts/definitions-hostile.txt")),
    (0, false, include_str!("texts/definitions-ordinary.txt")),
    (1, true, include_str!("texts/results-hostile.txt")),
    (1, false, include_str!("texts/results-ordinary.txt")),
    (2, true, include_str!("texts/prompts-hostile.txt")),
    (2, false, include_str!("texts/prompts-ordinary.txt")),
];
/// So many sources `TEXTS` count as: they are as varied as several.
const TEXT_SOURCES: usize = 7;
const LICENCE: &str = "Apache-2.0 (own)";
/// Lists inside lists.
const MAX_DEPTH: usize = 12;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    draws: usize,
    words: BTreeMap<String, Vec<String>>,
    family: Vec<Family>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    source: String,
    kind: String,
    label: String,
    texts: Vec<String>,
}

pub fn records() -> Result<Vec<Record>> {
    let source: Source = toml::from_str(FAMILIES).context("families.toml")?;
    let mut records = Vec::new();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for family in &source.family {
        let kind = KINDS.iter().position(|(_, name)| *name == family.kind).context("families.toml: no such kind")?;
        for n in 0..source.draws {
            let mut text = String::new();
            draw(&family.texts[n % family.texts.len()], &source.words, &mut dice, 0, &mut text)?;
            records.push(Record {
                source: family.source.clone(),
                licence: LICENCE.into(),
                kind,
                is_attack: family.label == "attack",
                texts: vec![text.split_whitespace().collect::<Vec<_>>().join(" ")],
            });
        }
    }
    let whole = |source: String, kind, is_attack, line: &str| Record {
        source,
        licence: LICENCE.into(),
        kind,
        is_attack,
        texts: vec![line.replace("\\n", "\n")],
    };
    for (kind, is_attack, lines) in PARAPHRASES {
        let learnt = lines.lines().step_by(2);
        records.extend(learnt.map(|line| whole("own_paraphrases".into(), kind, is_attack, line)));
    }
    for (kind, is_attack, lines) in TEXTS {
        let lines = lines.lines().enumerate();
        records.extend(lines.map(|(n, line)| whole(format!("own_texts_{}", n % TEXT_SOURCES), kind, is_attack, line)));
    }
    Ok(records)
}

/// Writes one draw of `pattern`.
fn draw(
    pattern: &str,
    words: &BTreeMap<String, Vec<String>>,
    dice: &mut Dice,
    depth: usize,
    out: &mut String,
) -> Result<()> {
    anyhow::ensure!(depth < MAX_DEPTH, "families.toml: {pattern:?} names itself");
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '[']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('{') {
            let end = rest.find('}').context("families.toml: a brace is open")?;
            match words.get(&rest[1..end]) {
                Some(list) => draw(dice.pick::<String>(list), words, dice, depth + 1, out)?,
                // JSON in a text.
                None => out.push_str(&rest[..=end]),
            }
            rest = &rest[end + 1..];
        } else {
            let (end, choices) = choices(rest).context("families.toml: a bracket is open")?;
            if choices.len() == 1 {
                out.push_str(&rest[..=end]);
            } else {
                draw(dice.pick::<&str>(&choices), words, dice, depth + 1, out)?;
            }
            rest = &rest[end + 1..];
        }
    }
    out.push_str(rest);
    Ok(())
}

/// Where the bracket at the start is closed, and what may stand for it. Brackets nest.
fn choices(text: &str) -> Option<(usize, Vec<&str>)> {
    let (mut depth, mut start, mut found) = (0, 1, Vec::new());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth -= 1,
            b'|' if depth == 1 => {
                found.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        if depth == 0 {
            found.push(&text[start..at]);
            return Some((at, found));
        }
    }
    None
}

/// Chance that is the same every time (xorshift).
struct Dice(u64);

impl Dice {
    fn pick<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        &list[(self.0 >> 11) as usize % list.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_many_and_always_the_same() {
        let (once, again) = (records().unwrap(), records().unwrap());
        let texts = |records: &[Record]| records.iter().map(|record| record.texts[0].clone()).collect::<Vec<_>>();
        assert_eq!(texts(&once), texts(&again));
        let mut different = texts(&once);
        different.sort_unstable();
        different.dedup();
        assert!(different.len() * 10 > once.len() * 8, "{} of {}", different.len(), once.len());
        let drawn = once.iter().filter(|record| !record.source.starts_with("own_texts"));
        let open = drawn
            .map(|record| record.texts[0].clone())
            .find(|text| text.contains(['{', ']', '}']) && !text.contains(['"', '#', '<', '[']));
        assert_eq!(open, None, "a name that no list has");
    }
}
