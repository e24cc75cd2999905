//! Check digits: the rules that several countries and the card issuers share. All take characters, not numbers, and
//! answer false for anything but digits where digits are due.

use super::MAX_CHARS;

/// The values of at most `MAX_CHARS` digits.
pub(super) struct Digits {
    values: [u32; MAX_CHARS],
    count: usize,
}

impl std::ops::Deref for Digits {
    type Target = [u32];
    fn deref(&self) -> &[u32] {
        &self.values[..self.count]
    }
}

/// The value of each character, if all are digits.
pub(super) fn digits(chars: &[u8]) -> Option<Digits> {
    let mut out = Digits { values: [0; MAX_CHARS], count: chars.len() };
    for (value, byte) in out.values.get_mut(..chars.len())?.iter_mut().zip(chars) {
        *value = (*byte as char).to_digit(10)?;
    }
    Some(out)
}

/// The weighted sum, or None if a character is no digit.
pub(super) fn weighted(chars: &[u8], weights: &[u32]) -> Option<u32> {
    Some(digits(chars.get(..weights.len())?)?.iter().zip(weights).map(|(digit, weight)| digit * weight).sum())
}

pub(super) fn luhn(chars: &[u8]) -> bool {
    let Some(digits) = digits(chars) else { return false };
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(n, digit)| if n % 2 == 1 { doubled(*digit) } else { *digit }).sum();
    sum.is_multiple_of(10)
}

/// ISO 7064, mod 11,10.
pub(super) fn mod_11_10(chars: &[u8]) -> bool {
    let Some(digits) = digits(chars) else { return false };
    let Some((last, rest)) = digits.split_last() else { return false };
    let product = rest.iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == *last
}

/// The number that digits spell, modulo.
pub(super) fn modulo(chars: &[u8], by: u64) -> Option<u64> {
    Some(digits(chars)?.iter().fold(0, |rest, digit| (rest * 10 + u64::from(*digit)) % by))
}

pub(super) fn verhoeff(chars: &[u8]) -> bool {
    let Some(digits) = digits(chars) else { return false };
    // Multiplication in the dihedral group of the pentagon, and the permutation applied to the n-th digit.
    let times = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    const STEP: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let moved = |digit: u32, times: usize| (0..times % 8).fold(digit, |digit, _| STEP[digit as usize]);
    digits.iter().rev().enumerate().fold(0, |sum, (n, digit)| times(sum, moved(*digit, n))) == 0
}

/// A day and a month that exist. Years are anything.
pub(super) fn is_day(day: u32, month: u32) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day) && !(month == 2 && day > 29)
}

/// `two` digits at `at` as a number.
pub(super) fn two(chars: &[u8], at: usize) -> Option<u32> {
    digits(chars.get(at..at + 2)?).map(|two| two[0] * 10 + two[1])
}

/// The ranges and lengths of the card issuers.
pub(super) fn is_issued(chars: &[u8]) -> bool {
    let Some(digits) = digits(chars) else { return false };
    let start = |count: usize| digits.iter().take(count).fold(0, |sum, digit| sum * 10 + digit);
    let (two, three, four) = (start(2), start(3), start(4));
    match chars.len() {
        14 => matches!(two, 36 | 38 | 39) || (300..=305).contains(&three),
        15 => matches!(two, 34 | 37),
        16 => {
            digits[0] == 4
                || (51..=55).contains(&two)
                || (2221..=2720).contains(&four)
                || four == 6011
                || two == 65
                || (644..=649).contains(&three)
                || (3528..=3589).contains(&four)
                || two == 62
                || two == 60
        }
        19 => digits[0] == 4 || two == 62,
        _ => false,
    }
}

/// Numbers that payment providers publish for tests.
pub(super) fn is_test_card(chars: &[u8]) -> bool {
    const KNOWN: &[&[u8]] = &[
        b"378282246310005",
        b"371449635398431",
        b"378734493671000",
        b"30569309025904",
        b"38520000023237",
        b"36227206271667",
        b"6011111111111117",
        b"6011000990139424",
        b"6011981111111113",
        b"3530111333300000",
        b"3566002020360505",
        b"5555555555554444",
        b"5105105105105100",
        b"5200828282828210",
        b"2223003122003222",
        b"4012888888881881",
        b"4111111111111111",
        b"4242424242424242",
        b"4000056655665556",
        b"4917610000000000",
        b"4532015112830366",
        b"4539578763621486",
        b"4716258050958645",
        b"4485275742308327",
        b"4929939187355598",
    ];
    KNOWN.contains(&chars) || chars.starts_with(b"400000")
}
