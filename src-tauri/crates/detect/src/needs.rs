//! What must stand in a text before a regex is worth a try: most patterns fail on most texts for want of a word, and a look
//! at which three bytes follow one another says so many times sooner than the regex does.

use memchr::memmem;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Five bits of each byte: letters stay apart, the rest may be taken for one another, which costs a try and hides nothing.
const BITS: u32 = 5;
const PLACES: usize = 1 << (3 * BITS);
/// Pairs and single bytes share the places of triples, spread by odd factors.
const PAIR_SPREAD: usize = 31;
const BYTE_SPREAD: usize = 127;

/// Which bytes, pairs and triples of bytes stand in a text: a bit for each.
pub(crate) struct Grams([u64; PLACES / 64]);

impl Grams {
    pub fn of(text: &[u8]) -> Self {
        let mut bits = [0u64; PLACES / 64];
        let mut bytes = [false; 256];
        let mut pairs = [false; 1 << (2 * BITS)];
        let mut set = |at: usize| bits[at / 64] |= 1 << (at % 64);
        let mut last = 0;
        for (at, byte) in text.iter().enumerate() {
            last = (last << BITS | low(*byte)) % PLACES;
            let pair = last % pairs.len();
            if at > 1 {
                set(last);
            }
            if at > 0 && !std::mem::replace(&mut pairs[pair], true) {
                set(pair_place(pair));
            }
            if !std::mem::replace(&mut bytes[usize::from(*byte)], true) {
                set(byte_place(usize::from(*byte)));
            }
        }
        Self(bits)
    }

    fn has(&self, place: u16) -> bool {
        let place = usize::from(place) % PLACES;
        self.0[place / 64] & 1 << (place % 64) != 0
    }
}

fn low(byte: u8) -> usize {
    usize::from(byte) % (1 << BITS)
}

fn pair_place(pair: usize) -> usize {
    pair * PAIR_SPREAD % PLACES
}

fn byte_place(byte: usize) -> usize {
    byte * BYTE_SPREAD % PLACES
}

/// The places of a literal.
fn places(literal: &[u8]) -> Vec<u16> {
    let joined = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << BITS | low(*byte));
    match literal {
        [byte] => vec![byte_place(usize::from(*byte)) as u16],
        [_, _] => vec![pair_place(joined(literal)) as u16],
        _ => literal.windows(3).map(|three| joined(three) as u16).collect(),
    }
}

/// A condition that every match of a pattern fulfils.
#[derive(Debug)]
pub(crate) enum Needs {
    Nothing,
    /// Of each literal: how many places it has, then the places.
    OneOf(Box<[u16]>),
    Any(Vec<Needs>),
    All(Vec<Needs>),
}

impl Needs {
    /// Of a pattern as `pattern::build` compiles it.
    pub fn of(source: &str) -> Self {
        let parser = ParserBuilder::new().unicode(false).utf8(false).multi_line(true).build().parse(source);
        parser.map_or(Self::Nothing, |hir| Seen::of(&hir).needs())
    }

    pub fn may_be_met(&self, grams: &Grams) -> bool {
        match self {
            Self::Nothing => true,
            Self::OneOf(literals) => {
                let mut rest = &literals[..];
                while let Some((count, after)) = rest.split_first() {
                    let (places, next) = after.split_at(usize::from(*count).min(after.len()));
                    if places.iter().all(|place| grams.has(*place)) {
                        return true;
                    }
                    rest = next;
                }
                false
            }
            Self::Any(parts) => parts.iter().any(|part| part.may_be_met(grams)),
            Self::All(parts) => parts.iter().all(|part| part.may_be_met(grams)),
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::OneOf(literals) => literals.len(),
            Self::Any(parts) | Self::All(parts) => parts.iter().map(Self::size).sum(),
        }
    }
}

/// So many literals are multiplied out; classes of so many bytes are spelled out.
const MAX_LITERALS: usize = 64;
const MAX_CLASS: usize = 4;

/// What a part of a pattern matches.
enum Seen {
    /// One of these and nothing else.
    Exactly(Vec<Vec<u8>>),
    Needs(Needs),
}

impl Seen {
    fn of(hir: &Hir) -> Self {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::Exactly(vec![Vec::new()]),
            HirKind::Literal(literal) => Self::Exactly(vec![literal.0.to_vec()]),
            HirKind::Class(class) => Self::class(class),
            HirKind::Capture(capture) => Self::of(&capture.sub),
            HirKind::Repetition(repetition) => match (repetition.min, repetition.max, Self::of(&repetition.sub)) {
                (1, Some(1), sub) => sub,
                (0, Some(1), Self::Exactly(mut literals)) if literals.len() < MAX_LITERALS => {
                    literals.push(Vec::new());
                    Self::Exactly(literals)
                }
                (0, ..) => Self::Needs(Needs::Nothing),
                (.., sub) => Self::Needs(sub.needs()),
            },
            HirKind::Concat(parts) => Self::concat(parts),
            HirKind::Alternation(parts) => {
                let parts: Vec<Self> = parts.iter().map(Self::of).collect();
                let count = |part: &Self| match part {
                    Self::Exactly(literals) => literals.len(),
                    Self::Needs(_) => MAX_LITERALS,
                };
                if parts.iter().map(count).sum::<usize>() <= MAX_LITERALS {
                    let literals = parts.into_iter().flat_map(|part| match part {
                        Self::Exactly(literals) => literals,
                        Self::Needs(_) => Vec::new(),
                    });
                    return Self::Exactly(literals.collect());
                }
                Self::Needs(any(parts.into_iter().map(Self::needs).collect()))
            }
        }
    }

    fn class(class: &Class) -> Self {
        let bytes: Vec<u8> = match class {
            Class::Bytes(class) => class.ranges().iter().flat_map(|range| range.start()..=range.end()).collect(),
            Class::Unicode(_) => return Self::Needs(Needs::Nothing),
        };
        match bytes.len() {
            1..=MAX_CLASS => Self::Exactly(bytes.into_iter().map(|byte| vec![byte]).collect()),
            _ => Self::Needs(Needs::Nothing),
        }
    }

    /// Literals that touch are multiplied out; where that ends, what there is so far is one condition of several.
    fn concat(parts: &[Hir]) -> Self {
        let mut conditions = Vec::new();
        let mut open = vec![Vec::new()];
        let mut is_exact = true;
        for part in parts.iter().map(Self::of) {
            match part {
                Self::Exactly(literals) if literals.len() * open.len() <= MAX_LITERALS => {
                    let both = |before: &Vec<u8>| {
                        literals.iter().map(|after| [&before[..], after].concat()).collect::<Vec<_>>()
                    };
                    open = open.iter().flat_map(both).collect();
                }
                Self::Exactly(literals) => {
                    is_exact = false;
                    conditions.push(one_of(std::mem::replace(&mut open, literals)));
                }
                Self::Needs(needs) => {
                    is_exact = false;
                    conditions.push(one_of(std::mem::replace(&mut open, vec![Vec::new()])));
                    conditions.push(needs);
                }
            }
        }
        if is_exact {
            return Self::Exactly(open);
        }
        conditions.push(one_of(open));
        Self::Needs(all(conditions))
    }

    fn needs(self) -> Needs {
        match self {
            Self::Exactly(literals) => one_of(literals),
            Self::Needs(needs) => needs,
        }
    }
}

fn one_of(mut literals: Vec<Vec<u8>>) -> Needs {
    // Where a longer one stands, one that is part of it stands, too.
    literals.sort_by_key(Vec::len);
    let mut parts: Vec<&[u8]> = Vec::new();
    for literal in &literals {
        if !parts.iter().any(|part| memmem::find(literal, part).is_some()) {
            parts.push(literal);
        }
    }
    match parts.first() {
        Some(shortest) if !shortest.is_empty() => {
            let places = parts.into_iter().map(places);
            Needs::OneOf(places.flat_map(|places| std::iter::once(places.len() as u16).chain(places)).collect())
        }
        _ => Needs::Nothing,
    }
}

fn any(parts: Vec<Needs>) -> Needs {
    if parts.iter().any(|part| matches!(part, Needs::Nothing)) { Needs::Nothing } else { Needs::Any(parts) }
}

/// The quickest to look at first.
fn all(mut parts: Vec<Needs>) -> Needs {
    parts.retain(|part| !matches!(part, Needs::Nothing));
    parts.sort_by_cached_key(Needs::size);
    match parts.len() {
        0 => Needs::Nothing,
        _ => Needs::All(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Pattern;
    use crate::predicate::concept::TABLE;
    use proptest::prelude::*;

    fn may_match(pattern: &str, text: &str) -> bool {
        Needs::of(pattern).may_be_met(&Grams::of(text.as_bytes()))
    }

    #[test]
    fn what_a_pattern_needs_is_known() {
        for (pattern, yes, no) in [
            ("ignore", "please ignore it", "please do it"),
            (r"\b(?:send|forward)s?\b[^.]{0,20}\bto\b", "forwards it to me", "sends it"),
            (r"colou?r", "color", "colon"),
            (r"(?:ab|cd){2,3}x", "ababx", "abab"),
            (r"[sz]ed", "zed", "red"),
            (r"(?:a|)b", "b", "a"),
            ("@", "a@b", "a b"),
        ] {
            assert!(may_match(pattern, yes), "{pattern}");
            assert!(!may_match(pattern, no), "{pattern}");
        }
        for pattern in [r"\w+", "(?:ab)*", "", r"[^a]", "(?:ab|[0-9]+)"] {
            assert!(may_match(pattern, "x"), "{pattern}");
        }
    }

    /// Texts made of what the patterns are made of: where one matches, it must have been thought possible.
    #[test]
    fn no_match_is_ruled_out() {
        let set = crate::set::SignatureSet::bundled();
        let own = set.active.iter().flat_map(|one| one.any.iter().chain(&one.all).chain(&one.none));
        let patterns: Vec<&Pattern> = own.chain(TABLE.marks.iter().map(|mark| &mark.pattern)).collect();
        let samples = include_str!("../tests/paraphrases/prompts-hostile.txt").lines();
        let samples = samples.chain(include_str!("../tests/paraphrases/results-hostile.txt").lines());
        let samples = samples.chain(include_str!("../tests/paraphrases/definitions-hostile.txt").lines());
        let mut matches = 0;
        for sample in samples {
            let text = crate::normal::Normal::of(sample).text;
            let grams = Grams::of(text.as_bytes());
            for pattern in &patterns {
                // Only the part that matches, so that nothing around it helps.
                if let Some(range) = pattern.find(&text, 0..text.len()) {
                    matches += 1;
                    assert!(pattern.may_match(&grams));
                    assert!(pattern.may_match(&Grams::of(&text.as_bytes()[range])), "{sample}");
                }
            }
        }
        assert!(matches > 500, "{matches}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn a_match_meets_the_needs(pattern in PATTERN, text in "[ab\u{e9} ]{0,12}") {
            let regex = crate::pattern::build(&pattern).unwrap();
            if let Some(found) = regex.find(text.as_bytes()) {
                prop_assert!(Needs::of(&pattern).may_be_met(&Grams::of(found.as_bytes())), "{pattern} {text}");
            }
        }
    }
    const PATTERN: &str =
        r"(\(\?:(a|b|ab|é|a b)\|(b|ba|aa| )\)(\?|\*|\+|\{2\})?|[ab]|\[ab\]|\[\^a\]\{0,3\}|\\b|\\w\+|ab\?){1,6}";
}
