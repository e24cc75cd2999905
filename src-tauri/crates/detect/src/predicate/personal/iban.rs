//! International bank account numbers: a country, its length, and the whole modulo 97.

use super::Number;

/// Length by country.
#[rustfmt::skip]
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24), (b"AE", 23), (b"AL", 28), (b"AT", 20), (b"AZ", 28), (b"BA", 20), (b"BE", 16), (b"BG", 22), (b"BH", 22),
    (b"BR", 29), (b"BY", 28), (b"CH", 21), (b"CR", 22), (b"CY", 28), (b"CZ", 24), (b"DE", 22), (b"DK", 18), (b"DO", 28),
    (b"EE", 20), (b"EG", 29), (b"ES", 24), (b"FI", 18), (b"FO", 18), (b"FR", 27), (b"GB", 22), (b"GE", 22), (b"GI", 23),
    (b"GL", 18), (b"GR", 27), (b"GT", 28), (b"HR", 21), (b"HU", 28), (b"IE", 22), (b"IL", 23), (b"IQ", 23), (b"IS", 26),
    (b"IT", 27), (b"JO", 30), (b"KW", 30), (b"KZ", 20), (b"LB", 28), (b"LC", 32), (b"LI", 21), (b"LT", 20), (b"LU", 20),
    (b"LV", 21), (b"LY", 25), (b"MC", 27), (b"MD", 24), (b"ME", 22), (b"MK", 19), (b"MR", 27), (b"MT", 31), (b"MU", 30),
    (b"NL", 18), (b"NO", 15), (b"PK", 24), (b"PL", 28), (b"PS", 29), (b"PT", 25), (b"QA", 29), (b"RO", 24), (b"RS", 22),
    (b"SA", 24), (b"SC", 31), (b"SE", 24), (b"SI", 19), (b"SK", 24), (b"SM", 27), (b"ST", 25), (b"SV", 28), (b"TL", 23),
    (b"TN", 24), (b"TR", 26), (b"UA", 29), (b"VA", 22), (b"VG", 24), (b"XK", 20),
];

/// The account numbers that standards and banks show as examples.
const EXAMPLES: &[&[u8]] = &[
    b"GB29NWBK60161331926819",
    b"GB82WEST12345698765432",
    b"GB33BUKB20201555555555",
    b"DE89370400440532013000",
    b"FR1420041010050500013M02606",
    b"FR7630006000011234567890189",
    b"NL91ABNA0417164300",
    b"ES9121000418450200051332",
    b"CH9300762011623852957",
    b"IT60X0542811101000000123456",
    b"BE68539007547034",
    b"AT611904300234573201",
    b"BE71096123456769",
    b"SE4550000000058398257466",
    b"SE3550000000054910000003",
    b"NO9386011117947",
    b"DE75512108001245126199",
];

/// The end of the account number that `number` begins with.
pub(super) fn find(number: &Number) -> Option<usize> {
    let country: &[u8; 2] = number.chars().first_chunk()?;
    let (_, length) = LENGTHS.iter().find(|(known, _)| *known == country)?;
    let (chars, end) = number.first(*length)?;
    let digits = chars.iter().filter(|byte| byte.is_ascii_digit()).count();
    // In one piece or in groups of four; most of it digits, as every bank's are.
    let (groups, even) = number.groups(*length);
    let in_form = groups.len() == 1 || even && groups[..groups.len() - 1].iter().all(|length| *length == 4);
    (in_form && digits * 2 >= chars.len() && !EXAMPLES.contains(&chars) && holds(chars)).then_some(end)
}

fn holds(chars: &[u8]) -> bool {
    if !chars[2..4].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let moved = chars[4..].iter().chain(&chars[..4]);
    let rest = moved
        .filter_map(|byte| (*byte as char).to_digit(36))
        .fold(0, |rest, value| if value < 10 { (rest * 10 + value) % 97 } else { (rest * 100 + value) % 97 });
    rest == 1
}
