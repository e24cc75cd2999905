//! Numbers that are somebody's, and thousands that are not.

use super::*;
use proptest::prelude::*;

fn names(text: &str) -> Vec<&'static str> {
    all(text).into_iter().map(|one| one.name).collect()
}

#[test]
fn numbers_with_their_check_digits() {
    let mut missed = Vec::new();
    for (text, name) in [
        ("paid with 4539 1488 0343 6467 on Monday", "payment card number"),
        ("card number: 4539148803436467", "payment card number"),
        ("{\"card\": \"3714-496353-98431\", \"amex\": \"3787-344936-71018\"}", "payment card number"),
        ("IBAN GB94BARC10201530093459.", "IBAN"),
        ("Konto: DE12 5001 0517 0648 4898 90", "IBAN"),
        ("NL39RABO0300065264", "IBAN"),
        ("SSN: 536-22-8726", "US social security number"),
        ("NHS number 943 476 5919", "UK NHS number"),
        ("National Insurance: AB 62 31 57 C", "UK national insurance number"),
        ("PPSN 8473625E", "Irish PPS number"),
        ("SIN 130 692 544", "Canadian social insurance number"),
        ("529.982.247-25", "Brazilian CPF"),
        ("CUIT 20-17254359-7", "Argentine CUIL"),
        ("RUT 30.686.957-4", "Chilean RUT"),
        ("DNI 54362315K", "Spanish DNI"),
        ("X-5253868-R", "Spanish NIE"),
        ("NIF 501964843", "Portuguese NIF"),
        ("NIR 2 95 10 99 126 111 93", "French social security number"),
        ("MRTMTT91D08F205J", "Italian codice fiscale"),
        ("Steuer-ID 36574261809", "German tax number"),
        ("SVNR 1237 010180", "Austrian social insurance number"),
        ("756.9217.0769.85", "Swiss AHV number"),
        ("BSN: 111222333", "Dutch BSN"),
        ("rijksregisternummer 85.07.30-033.28", "Belgian national number"),
        ("personnummer 811228-9874", "Swedish personal number"),
        ("fødselsnummer 151086 95088", "Norwegian birth number"),
        ("hetu 131052-308T", "Finnish personal code"),
        ("PESEL 44051401359", "Polish PESEL"),
        ("rodné číslo 710319/2745", "Czech or Slovak birth number"),
        ("CNP 1630615123457", "Romanian CNP"),
        ("EGN 7523169263", "Bulgarian EGN"),
        ("OIB 33392005961", "Croatian OIB"),
        ("isikukood 36805280109", "Estonian or Lithuanian personal code"),
        ("TC Kimlik No: 17291716060", "Turkish identity number"),
        ("Aadhaar 2341 2341 2346", "Indian Aadhaar number"),
        ("身份证号 11010519491231002X", "Chinese resident identity number"),
        ("HKID: Z683365(A)", "Hong Kong identity card number"),
        ("S5398242E", "Singapore NRIC"),
        ("TFN 123 456 782", "Australian tax file number"),
        ("ИНН 500100732259", "Russian tax number"),
        ("СНИЛС 112-233-445 95", "Russian SNILS"),
        ("CURP: BOXW310820HNERXN09", "Mexican CURP"),
    ] {
        let found = all(text);
        if !found.iter().any(|one| one.name == name) {
            missed.push((text, names(text)));
        }
        assert!(found.iter().all(|one| text.get(one.range.clone()).is_some()), "{text}");
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn a_wrong_digit_no_word_or_an_example_is_nothing() {
    for text in [
        "paid with 4539 1488 0343 6468 on Monday",
        "4539148803436467",
        "order 4539 1488 0343 6467",
        "card 4111 1111 1111 1111, 4242424242424242, 5555 5555 5555 4444",
        "GB95BARC10201530093459",
        "DE89 3704 0044 0532 0130 00",
        "536-22-8726",
        "SSN: 000-22-8726, SSN 123-45-6789, ssn 111-22-3333",
        "recipient: SE3550000000054910000003",
        "943 476 5919",
        "529.982.247-26",
        "PESEL 44051401358",
        "uses the BSN 111222334",
        "x4539 1488 0343 6467",
        "4539 1488 0343 6467 9921 1131",
        "trace 4539-1488-0343-6467-ab12",
        "single 130692544",
        "длинный 500100732259",
    ] {
        assert!(names(text).is_empty(), "{text}: {:?}", names(text));
    }
}

/// Numbers as they stand in logs, code and tables: none of them is anybody's.
fn ordinary(seed: u64) -> Vec<String> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let (a, b, c) = (next(), next(), next());
    vec![
        format!("{a:016x}{b:016x}"),
        format!("{:X}{:X}", a, b),
        format!("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", a as u32, b as u16, c & 0xfff, b >> 52, c >> 16),
        format!("ts={}", 1_600_000_000_000 + a % 400_000_000_000),
        format!(
            "2026-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            a % 12 + 1,
            b % 28 + 1,
            c % 24,
            a % 60,
            b % 60,
            c % 1_000_000
        ),
        format!("order {}", a % 10_000_000_000_000_000),
        format!("order-id: {:04}-{:04}-{:04}", a % 10_000, b % 10_000, c % 10_000),
        format!("id={} user_id={}", a % 100_000_000_000, b % 1_000_000_000),
        format!("+{} {} {} {}", a % 99 + 1, b % 900 + 100, c % 9_000_000 + 1_000_000, a % 100),
        format!("{}.{}.{}.{}", a % 256, b % 256, c % 256, (a >> 8) % 256),
        format!("{}.{}", a % 1_000_000, b % 1_000_000_000_000),
        format!("{} {} {} {}", a % 10_000, b % 100_000, c % 10_000, a % 1000),
        format!("snowflake {}", a % 1_000_000_000_000_000_000),
        format!("0x{a:016X} {:#b}", b as u16),
        format!("ISBN 978-{}-{:04}-{:04}-{}", a % 10, b % 10_000, c % 10_000, a % 10),
        format!("M{}.{} {}L{} {}Z", a % 100, b % 10_000, c % 1000, a % 10_000, b % 1000),
        format!("AWB{} LOT{}B", a % 100_000_000_000, b % 1_000_000),
    ]
}

#[test]
fn thousands_of_ordinary_numbers_are_nothing() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for text in (1..1500).flat_map(ordinary) {
        count += 1;
        if !all(&text).is_empty() {
            wrong.push(text);
        }
    }
    assert!(count > 20_000 && wrong.is_empty(), "{} of {count}: {:?}", wrong.len(), &wrong[..wrong.len().min(5)]);
}

proptest! {
    #[test]
    fn no_text_breaks_it(text in "[0-9A-Zé .()/+-]{0,80}", any in any::<String>()) {
        for text in [text, any] {
            prop_assert!(all(&text).iter().all(|one| text.get(one.range.clone()).is_some()));
        }
    }

    #[test]
    fn one_changed_digit_breaks_a_card_number(at in 0usize..16, by in 1u8..10) {
        let mut digits = *b"4539148803436467";
        digits[at] = (digits[at] - b'0' + by) % 10 + b'0';
        prop_assert!(!check::luhn(&digits));
    }
}
