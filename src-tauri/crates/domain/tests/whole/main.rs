//! No text of a Message escapes the scan, whatever its bytes: generated documents, damaged documents, any bytes at all.
//! (`src-tauri/fuzz` looks for more with libFuzzer.)

mod property;

use portcullis_domain::Limits;
use portcullis_domain::json::{Doc, Mode};
use proptest::prelude::*;

/// A value as it is written, and the texts it holds in order.
fn written() -> impl Strategy<Value = (String, Vec<String>)> {
    let text = prop_oneof![any::<String>(), "[a-z]{0,6}", Just("\u{FEFF}\u{2028}\"\\\u{0}".to_owned())];
    let quoted = (text, any::<bool>()).prop_map(|(text, escape)| {
        let written = match escape {
            false => serde_json::to_string(&text).unwrap_or_default(),
            true => format!("\"{}\"", text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<String>()),
        };
        (written, text)
    });
    let leaf = prop_oneof![
        quoted.clone().prop_map(|(written, text)| (written, vec![text])),
        prop_oneof![Just("null"), Just("true"), Just("-0.5e+3"), Just("12345678901234567890123")]
            .prop_map(|word| (word.to_owned(), Vec::new())),
    ];
    let space = prop_oneof![Just(""), Just(" "), Just("\r\n\t")];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..6).prop_map(|items| {
            let (written, texts): (Vec<_>, Vec<_>) = items.into_iter().unzip();
            (format!("[{}]", written.join(",")), texts.concat())
        });
        let members = proptest::collection::vec((quoted.clone(), space.clone(), inner), 0..6);
        let object = members.prop_map(|members| {
            let mut texts = Vec::new();
            let written: Vec<String> = members
                .into_iter()
                .map(|((key, key_text), space, (value, value_texts))| {
                    texts.push(key_text);
                    texts.extend(value_texts);
                    format!("{space}{key}{space}:{space}{value}{space}")
                })
                .collect();
            (format!("{{{}}}", written.join(",")), texts)
        });
        prop_oneof![list, object]
    })
}

fn seen(bytes: &[u8]) -> Vec<String> {
    let doc = Doc::parse(bytes, Mode::Lenient, &Limits::default()).expect("a document");
    doc.leaves().map(|leaf| leaf.text.into_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_scan_is_given_every_string_and_every_key((written, mut texts) in written()) {
        property::holds(written.as_bytes());
        let mut seen = seen(written.as_bytes());
        seen.sort();
        texts.sort();
        prop_assert_eq!(seen, texts, "{}", written);
    }

    #[test]
    fn damage_hides_nothing((written, _) in written(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = written.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        property::holds(&bytes);
        bytes.remove(at);
        property::holds(&bytes);
        bytes.extend_from_within(..at);
        property::holds(&bytes);
    }

    #[test]
    fn any_bytes_are_refused_or_shown_whole(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        property::holds(&bytes);
    }

    #[test]
    fn what_almost_is_json_is_refused_or_shown_whole(text in "[\\[\\]{}:,\"\\\\u0a9etrnfls \\-.+NI\u{FEFF}é]{0,60}") {
        property::holds(text.as_bytes());
    }
}
