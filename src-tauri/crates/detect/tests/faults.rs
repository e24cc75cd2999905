//! What is refused, with which code and at which line; and what a person's own file can and cannot do.

use portcullis_detect::{Scanner, SignatureFile, SignatureSet, bundled_files, code, lint, load, test_examples};
use portcullis_domain::{Direction, Scan};
use std::collections::HashSet;
use std::sync::Arc;

const GOOD: &str = r#"id = "my-word"
version = 1
status = "experimental"
title = "A result holds my word"
description = "For a test."
advice = "None."
category = "injection"
severity = "low"
confidence = "low"
verdict = "flag"
false_positives = "None."

[where]
roles = ["result_text"]

[match]
keywords = ["xyzzy"]
any = ['xyzzy\d']

[[hit]]
role = "result_text"
text = "say xyzzy7"

[[miss]]
role = "result_text"
text = "say xyzzy"
"#;

fn own(text: &str) -> SignatureFile {
    load("my-word.toml", text).unwrap()
}

#[test]
fn a_good_file_loads_and_behaves() {
    let file = own(GOOD);
    assert!(lint(std::slice::from_ref(&file)).is_empty());
    assert_eq!(test_examples(&file), Ok(()));
}

#[test]
fn patterns_share_parts() {
    let parts =
        "any = ['{{word}}{{digit}}']\n[match.parts]\nword = 'xy(?:z|{{never}})y'\nnever = 'q'\ndigit = '\\d|z7'";
    let file = own(&GOOD.replace("any = ['xyzzy\\d']", parts));
    assert_eq!(file.matcher.any, [r"(?:xy(?:z|(?:q))y)(?:\d|z7)"]);
    let file = own(&GOOD.replace("any = ['xyzzy\\d']", &parts.replace("xy(?:z|", "xyz(?:z|")));
    assert_eq!(test_examples(&file), Ok(()));
    // Parts that multiply end where a pattern may.
    let doubled = "any = ['{{a}}']\n[match.parts]\na = '{{b}}{{b}}'\nb = '{{c}}{{c}}'\nc = '".to_owned()
        + &"x".repeat(9000)
        + "'";
    let fault = load("my-word.toml", &GOOD.replace("any = ['xyzzy\\d']", &doubled)).unwrap_err();
    assert_eq!((fault.code, fault.line), (code::BAD_VALUE, Some(20)), "{fault}");
}

#[test]
fn bad_files_are_refused_with_code_and_line() {
    for (from, to, code, line) in [
        ("version = 1", "version = = 1", code::TOML_SYNTAX, Some(2)),
        ("version = 1", "version = \"1\"", code::BAD_VALUE, Some(2)),
        ("version = 1", "versoin = 1", code::UNKNOWN_FIELD, Some(2)),
        ("version = 1\n", "", code::MISSING_FIELD, Some(1)),
        ("\"low\"", "\"huge\"", code::BAD_VALUE, Some(8)),
        ("\"flag\"", "\"ask\"", code::BAD_VALUE, Some(10)),
        ("my-word", "My_Word", code::BAD_ID, Some(1)),
        ("my-word", "other-word", code::ID_MISMATCH, Some(1)),
        ("any = ['xyzzy\\d']", "", code::NO_MATCHER, Some(16)),
        ("xyzzy\\d", "xyzzy{{digit}}", code::BAD_VALUE, Some(18)),
        ("xyzzy\\d']", "xyzzy{{a}}']\n[match.parts]\na = 'x{{a}}'", code::BAD_VALUE, Some(18)),
        ("keywords = [\"xyzzy\"]", "", code::NO_KEYWORDS, Some(16)),
        ("[[miss]]\nrole = \"result_text\"\ntext = \"say xyzzy\"\n", "", code::NO_EXAMPLE, Some(1)),
        ("any = ['xyzzy\\d']", "predicate = { name = \"magic\" }", code::BAD_VALUE, Some(18)),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD);
        let fault = load("my-word.toml", &text).unwrap_err();
        assert_eq!((fault.code, fault.line), (code, line), "{to:?}: {fault}");
    }
    assert_eq!(load("a.toml", &" ".repeat(70_000)).unwrap_err().code, code::TOO_LARGE);
}

#[test]
fn a_pattern_that_is_none_is_refused_when_compiled() {
    let file = own(&GOOD.replace("xyzzy\\d", "xyzzy("));
    let faults = SignatureSet::compile(vec![file], &HashSet::new()).err().unwrap();
    assert_eq!((faults[0].code, faults[0].line), (code::BAD_REGEX, Some(18)));
}

#[test]
fn examples_that_lie_are_named() {
    let file = own(&GOOD.replace("say xyzzy7", "say nothing").replace("say xyzzy\"", "say xyzzy8\""));
    let faults = test_examples(&file).unwrap_err();
    assert_eq!(faults.iter().map(|fault| (fault.kind, fault.number)).collect::<Vec<_>>(), [("hit", 1), ("miss", 1)]);
}

#[test]
fn lint_complains_about_keywords_prose_and_folders() {
    let text = GOOD
        .replace("keywords = [\"xyzzy\"]", "keywords = [\"XYZZY\"]")
        .replace("A result holds my word", "Threat detected!");
    let mut file = own(&text);
    file.path = "secrets/my-word.toml".into();
    let codes: HashSet<&str> = lint(&[file]).iter().map(|fault| fault.code).collect();
    assert_eq!(codes, HashSet::from([code::BAD_KEYWORD, code::BAD_PROSE, code::BAD_CATEGORY]));
}

#[test]
fn a_file_of_the_person_joins_the_bundled_ones_but_cannot_stand_in_for_one() {
    let bundled = || bundled_files().into_iter().map(Result::unwrap).collect::<Vec<_>>();
    let mut files = bundled();
    files.push(own(GOOD));
    let scanner = Scanner::new(Arc::new(SignatureSet::compile(files, &HashSet::new()).unwrap()));
    let findings = scanner.scan_text(Direction::ToClient, "say xyzzy7");
    assert_eq!(findings.iter().map(|finding| finding.signature.as_str()).collect::<Vec<_>>(), ["my-word"]);

    let taken = bundled()[0].id.clone();
    let mut files = bundled();
    let mut file = load(&format!("{taken}.toml"), &GOOD.replace("my-word", &taken)).unwrap();
    file.bundled = false;
    files.push(file);
    let faults = SignatureSet::compile(files, &HashSet::new()).err().unwrap();
    assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), [code::RESERVED_ID]);
}

#[test]
fn a_signature_that_is_off_does_not_match_but_is_listed() {
    let off = HashSet::from(["my-word".to_owned()]);
    let set = SignatureSet::compile(vec![own(GOOD)], &off).unwrap();
    assert_eq!((set.infos().count(), set.active_count()), (1, 0));
    assert!(Scanner::new(Arc::new(set)).scan_text(Direction::ToClient, "say xyzzy7").is_empty());
}
