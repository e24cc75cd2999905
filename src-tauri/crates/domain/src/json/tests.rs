//! Strict and lenient reading, spans, edits; compared with serde_json by property tests.

use super::*;
use proptest::prelude::*;

fn strict(text: &str) -> Result<(), JsonFault> {
    Doc::parse(text.as_bytes(), Mode::Strict, &Limits::default()).map(drop).map_err(|e| e.fault)
}
fn lenient(bytes: &[u8]) -> Vec<JsonFault> {
    let doc = Doc::parse(bytes, Mode::Lenient, &Limits::default()).unwrap();
    doc.anomalies.iter().map(|a| a.fault).collect()
}

#[test]
fn strict_refuses_what_receivers_read_differently() {
    use JsonFault::*;
    for (text, fault) in [
        ("", Empty),
        ("\u{feff}{}", ByteOrderMark),
        (r#"{"a":1,"a":2}"#, DuplicateKey),
        (r#"{"method":1,"m\u0065thod":2}"#, DuplicateKey),
        (r#"[{"x":{"k":1,"k":1}}]"#, DuplicateKey),
        ("{} {}", TrailingBytes),
        ("{\"a\":NaN}", Syntax),
        ("{\"a\":-Infinity}", Syntax),
        ("\"a\nb\"", Syntax),
        ("[1,]", Syntax),
        ("{\"a\":1,}", Syntax),
        ("[01]", Syntax),
        ("[1 2]", Syntax),
        ("{\"a\" 1}", Syntax),
        ("[\"\\x\"]", Syntax),
        ("// c\n{}", Syntax),
        ("{\"a\":", Truncated),
        ("\"abc", Truncated),
    ] {
        assert_eq!(strict(text), Err(fault), "{text}");
    }
    let deep = "[".repeat(200) + &"]".repeat(200);
    assert_eq!(strict(&deep), Err(TooDeep));
    for text in ["{}", "[]", " [1, -0.5e+3, \"\\ud83d\\ude00 \\ud800\", null, {\"a\":{\"b\":[]}}] ", "1e400"] {
        assert_eq!(strict(text), Ok(()), "{text}");
    }
}

#[test]
fn lenient_lets_pass_and_says_so() {
    use JsonFault::*;
    assert_eq!(lenient(b"\xef\xbb\xbf{}"), [ByteOrderMark]);
    assert_eq!(lenient(b"{\"a\":\"\xff\"}"), [InvalidUtf8]);
    assert_eq!(lenient(b"{\"a\":1,\"a\":NaN}"), [Syntax, DuplicateKey]);
    assert_eq!(lenient(b"{} tail"), [TrailingBytes]);
    assert_eq!(lenient(b"\"a\x01\""), [Syntax]);
}

#[test]
fn a_lone_surrogate_hides_nothing_behind_it() {
    let doc = Doc::parse(br#"["\ud800\u0041","\ud83d\ude00"]"#, Mode::Strict, &Limits::default()).unwrap();
    let texts: Vec<_> = doc.leaves().map(|l| l.text.into_owned()).collect();
    assert_eq!(texts, ["\u{fffd}A", "😀"]);
}

#[test]
fn pointers_spans_and_retain_keep_the_raw_bytes() {
    let raw = br#"{ "a/b" : [ 1.0 , {"n":"x","v":1e2} ], "c~":"d" }"#;
    let doc = Doc::parse(raw, Mode::Strict, &Limits::default()).unwrap();
    let list = doc.root().get("a/b").unwrap();
    let second = list.children().nth(1).unwrap();
    assert_eq!(second.get("n").unwrap().pointer(), "/a~1b/1/n");
    assert_eq!(list.retain(|n| n.index() == 1), br#"[{"n":"x","v":1e2}]"#);
    assert_eq!(doc.root().retain(|n| n.key().as_deref() != Some("c~")), br#"{"a/b":[ 1.0 , {"n":"x","v":1e2} ]}"#);
    assert_eq!(splice(raw, vec![(second.span(), b"2".to_vec())]), br#"{ "a/b" : [ 1.0 , 2 ], "c~":"d" }"#);
}

#[test]
fn decoded_ranges_map_back_to_raw_ones() {
    let raw = br"ab\u00e9\ncd";
    let text = decode(raw);
    assert_eq!(text, "abé\ncd");
    assert_eq!(&raw[raw_range(raw, 0..2)], b"ab");
    assert_eq!(&raw[raw_range(raw, 2..4)], br"\u00e9");
    assert_eq!(&raw[raw_range(raw, 5..7)], b"cd");
    assert_eq!(&raw[raw_range(raw, 0..text.len())], raw);
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

fn collect(value: &serde_json::Value, out: &mut Vec<String>) {
    match value {
        serde_json::Value::String(s) => out.push(s.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|v| collect(v, out)),
        serde_json::Value::Object(map) => map.iter().for_each(|(k, v)| {
            out.push(k.clone());
            collect(v, out);
        }),
        _ => {}
    }
}

proptest! {
    #[test]
    fn leaves_are_every_string_and_every_key(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let doc = Doc::parse(text.as_bytes(), Mode::Strict, &Limits::default()).unwrap();
        let mut expected = Vec::new();
        collect(&value, &mut expected);
        let seen: Vec<_> = doc.leaves().map(|leaf| leaf.text.into_owned()).collect();
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn any_bytes_parse_or_fail_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for mode in [Mode::Strict, Mode::Lenient] {
            if let Ok(doc) = Doc::parse(&bytes, mode, &Limits::default()) {
                doc.leaves().for_each(drop);
            }
        }
    }

    #[test]
    fn strict_accepts_only_what_serde_json_accepts(bytes in r#"[\[\]{}",:0-9a-z\\. eE+-]{0,24}"#) {
        if Doc::parse(bytes.as_bytes(), Mode::Strict, &Limits::default()).is_ok() {
            prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&bytes).is_ok(), "{}", bytes);
        }
    }
}

#[test]
fn a_path_of_endless_keys_is_refused() {
    let limits = Limits::default();
    let long = "k".repeat(17 * 1024);
    let deep = (0..100).fold("1".to_owned(), |inner, _| format!(r#"{{"{}":{inner}}}"#, &long[..200]));
    let one = format!(r#"{{"a":[{{"{long}":1}}]}}"#);
    for text in [deep, one] {
        for mode in [Mode::Strict, Mode::Lenient] {
            assert_eq!(Doc::parse(text.as_bytes(), mode, &limits).unwrap_err().fault, JsonFault::TooLarge);
        }
    }
    // Side by side they are as many as anybody likes.
    let wide: Vec<String> = (0..200).map(|n| format!(r#""{n}{}":{{"x":1}}"#, &long[..1000])).collect();
    assert!(Doc::parse(format!("{{{}}}", wide.join(",")).as_bytes(), Mode::Strict, &limits).is_ok());
}

#[test]
fn memory_stays_in_proportion_to_the_bytes() {
    let limits = Limits::default();
    let controls = ["\"", &"\u{1}".repeat(1_000_000), "\""].concat();
    let doc = Doc::parse(controls.as_bytes(), Mode::Lenient, &limits).unwrap();
    assert!(!doc.anomalies.is_empty() && doc.anomalies.len() < 100);
    let numbers = ["[", &"1,".repeat(1_100_000), "1]"].concat();
    for mode in [Mode::Strict, Mode::Lenient] {
        let fault = Doc::parse(numbers.as_bytes(), mode, &limits).unwrap_err().fault;
        assert_eq!(fault, JsonFault::TooLarge);
    }
}
