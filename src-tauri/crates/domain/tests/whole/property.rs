//! The property that fuzzing and the stable tests share: what a lenient reading accepts, it shows whole. Every byte of the
//! Message lies in a string or key that a scan is given, or after the value (scanned as text), or says nothing.

use portcullis_domain::Limits;
use portcullis_domain::json::{Doc, JsonFault, Mode};

/// Panics where the property does not hold.
pub fn holds(bytes: &[u8]) {
    let limits = Limits { max_message_bytes: 1 << 20, ..Limits::default() };
    let strict = Doc::parse(bytes, Mode::Strict, &limits);
    let lenient = match Doc::parse(bytes, Mode::Lenient, &limits) {
        Ok(doc) => doc,
        Err(error) => {
            assert!(strict.is_err(), "strict accepts what lenient refuses: {error}");
            return;
        }
    };
    if let Ok(strict) = &strict {
        assert!(lenient.anomalies.is_empty() && strict.trailing.is_empty());
        assert!(
            serde_json::from_slice::<serde_json::Value>(bytes).is_ok() || has_wide_numbers(bytes),
            "serde_json refuses"
        );
        assert_eq!(texts(strict), texts(&lenient));
    }
    let mut rest = bytes.to_vec();
    for leaf in lenient.leaves() {
        rest[leaf.span.clone()].fill(b' ');
        assert!(leaf.span.start > 0 && leaf.span.end < bytes.len(), "quotes around every text");
    }
    rest[lenient.trailing.clone()].fill(b' ');
    let rest = rest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&rest);
    let silent = |b: &u8| b.is_ascii_alphanumeric() || b"{}[]:,\"+-. \t\r\n".contains(b);
    assert!(rest.iter().all(silent), "left out: {:?}", String::from_utf8_lossy(rest));
    // Letters outside of strings are those of true, false, null and of numbers that some readers know.
    let words = rest.split(|b| !b.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    for word in words {
        assert!(word.len() <= 8, "left out: {:?}", String::from_utf8_lossy(word));
    }
    let duplicate = lenient.anomalies.iter().any(|anomaly| anomaly.fault == JsonFault::DuplicateKey);
    assert!(!duplicate || strict.is_err());
}

fn texts(doc: &Doc<'_>) -> Vec<String> {
    doc.leaves().map(|leaf| leaf.text.into_owned()).collect()
}

/// Numbers beyond a double and lone surrogates are the two things that serde_json refuses and others read.
fn has_wide_numbers(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\\u") || bytes.iter().any(|b| matches!(b, b'e' | b'E')) || bytes.len() > 300
}
