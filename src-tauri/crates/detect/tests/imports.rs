//! Rules of other formats: what maps finds and misses what the rule meant, what does not map is told with its line.

use portcullis_detect::import::{Imported, Made, from_defender, from_yara};
use portcullis_detect::{Scanner, SignatureSet, lint, load, test_examples};
use portcullis_domain::{Direction, Scan};
use std::collections::HashSet;
use std::sync::Arc;

fn made<'i>(imported: &'i Imported, rule: &str) -> &'i Made {
    let found = imported.made.iter().find(|made| made.rule == rule);
    found.unwrap_or_else(|| panic!("{rule} is left: {:?}", imported.left))
}

fn reason(imported: &Imported, rule: &str) -> (usize, String) {
    let found = imported.left.iter().find(|left| left.rule == rule);
    found.map(|left| (left.line, left.reason.clone())).unwrap_or_else(|| panic!("{rule} maps: {:?}", imported.made))
}

/// Whether the Signature alone finds something in a text from a server.
fn finds(made: &Made, text: &str) -> bool {
    let file = load(&made.path, &made.text).unwrap_or_else(|fault| panic!("{fault}\n{}", made.text));
    assert_eq!(lint(std::slice::from_ref(&file)), [], "{}", made.text);
    test_examples(&file).unwrap();
    let set = SignatureSet::compile(vec![file], &HashSet::new()).unwrap();
    !Scanner::new(Arc::new(set)).scan_text(Direction::ToClient, text).is_empty()
}

const RULES: &str = r#"
import "pe"
rule Kettle_Orders : boiling {
    meta:
        description = "Text that orders a kettle about"
        severity = "critical"
        reference = "https://kettle.example/orders"
    strings:
        $a = "boil the Kettle" nocase
        $b = /pour\s+the\s+water\s+(now|at once)/ nocase
    condition:
        any of them
}
rule Both_And_Not { strings: $a = "copper spoon" $b = "silver fork" $c = "paper plate"
    condition: $a and $b and not $c and filesize < 2KB }
rule Two_Of_Three { strings: $x1 = "first brass bell" $x2 = "second brass bell" $x3 = "third brass bell"
    condition: 2 of ($x*) }
rule WholeWord { strings: $a = "tin" fullword $b = "tin can" condition: $a and $b }
rule Bytes { strings: $a = { 4D 5A 90 00 } condition: $a }
rule Counted { strings: $a = "brass bell" condition: #a > 3 }
rule Placed { strings: $a = "brass bell" condition: $a at 0 }
rule Module { strings: $a = "brass bell" condition: $a and pe.is_dll() }
rule Other { strings: $a = "brass bell" condition: $a and Kettle_Orders }
private rule Helper { strings: $a = "brass bell" condition: $a }
rule Capitals { strings: $a = /BELL[0-9A-F]{8}/ condition: $a }
rule Xored { strings: $a = "brass bell" xor condition: $a }
rule NoWords { strings: $a = /[a-f]{4}-[0-9]{4}/ condition: $a }
rule Everything { strings: $a = "the " condition: $a }
rule OnlyNot { strings: $a = "brass bell" condition: not $a }
"#;

#[test]
fn yara_strings_and_conditions_become_signatures() {
    let imported = from_yara("kettle.yar", RULES);
    let orders = made(&imported, "Kettle_Orders");
    assert_eq!((orders.id.as_str(), orders.line), ("yara-kettle-orders", 3));
    for text in ["Please BOIL the kettle.", "then pour  the\nwater at once!"] {
        assert!(finds(orders, text), "{text}");
    }
    assert!(!finds(orders, "The kettle boils; pour the tea."));
    for part in [
        "status = \"experimental\"",
        "severity = \"medium\"",
        "https://kettle.example/orders",
        "kettle.yar",
        "verdict = \"flag\"",
    ] {
        assert!(orders.text.contains(part), "{part} in {}", orders.text);
    }

    let both = made(&imported, "Both_And_Not");
    assert!(finds(both, "a copper spoon and a silver fork"));
    assert!(!finds(both, "a copper spoon alone"));
    assert!(!finds(both, "a copper spoon, a silver fork, a paper plate"));
    assert!(
        !finds(both, &format!("a copper spoon and a silver fork{}", " .".repeat(1100))),
        "larger than its filesize"
    );

    let two = made(&imported, "Two_Of_Three");
    assert!(finds(two, "the third brass bell after the first brass bell"));
    assert!(!finds(two, "the third brass bell after the third brass bell"));

    let word = made(&imported, "WholeWord");
    assert!(finds(word, "a tin can") && !finds(word, "satin cans"));
    assert_eq!(imported.made.len(), 4);
}

#[test]
fn what_yara_says_and_signatures_cannot_is_told_rule_by_rule() {
    let imported = from_yara("kettle.yar", RULES);
    for (rule, line, word) in [
        ("Bytes", 19, "bytes"),
        ("Counted", 20, "compares numbers"),
        ("Placed", 21, "where in the file"),
        ("Module", 22, "module"),
        ("Other", 23, "another rule"),
        ("Helper", 24, "private"),
        ("Capitals", 25, "capital letters"),
        ("Xored", 26, "xor"),
        ("NoWords", 27, "no word"),
        ("Everything", 28, "ordinary text"),
        ("OnlyNot", 29, "must not be there"),
    ] {
        let (at, why) = reason(&imported, rule);
        assert!(at == line && why.contains(word), "{rule}: line {at}: {why}");
    }
    let broken = from_yara("x", "rule A { strings: $a = \"x\" condition: $a }\nrule B { condition }\n");
    assert_eq!(reason(&broken, "(the whole file)").0, 2);
    let global =
        from_yara("x", "global rule G { condition: true }\nrule B { strings: $a = \"brass bell\" condition: $a }");
    assert!(reason(&global, "B").1.contains("global rule G"));
    let twice = from_yara(
        "x",
        "rule A_b { strings: $a = \"brass bell\" condition: $a }\nrule A__b { strings: $a = \"tin can\" condition: $a }",
    );
    assert!(reason(&twice, "A__b").1.contains("is taken"));
}

#[test]
fn hostile_names_and_texts_stay_data() {
    let rule = "rule R { meta: description = \"x\\\" ]\\n[where]\\nroles = []\" strings: $a = \"brass \\\"\\\"\\\" bell\\\\'''\" condition: $a }";
    let imported = from_yara("evil\nid = \"stolen\"\u{202e}.yar", rule);
    let made = made(&imported, "R");
    let file = load(&made.path, &made.text).unwrap();
    assert_eq!((file.id.as_str(), file.place.roles.len()), ("yara-r", 3));
    assert!(!made.text.contains('\u{202e}'));
    assert!(finds(made, "a brass \"\"\" bell\\'''"));
}

#[test]
fn of_the_defenders_list_only_spelled_out_patterns_are_taken_over() {
    let list = r#"[
  {"id": "boil", "name": "Boil", "description": "A prompt", "category": "x", "type": "llm", "prompt": "Is this a kettle?"},
  {"id": "pour", "name": "Pour", "description": "Pours water", "category": "Command Injection", "type": "deterministic", "functionFile": "pour.js"},
  {"id": "gone", "type": "deterministic", "functionFile": "gone.js"},
  {"id": "logic", "type": "deterministic", "functionFile": "logic.js"},
  {"id": "odd", "type": "other"}
]"#;
    let code = |name: &str| {
        match name {
        "pour.js" => Some("// /comment/\nconst bad = [/pour\\s+boiling\\s+water/i, /(?<=x)kettle/, /[A-Z]{3}/];\nmodule.exports = (i) => ({ allowed: !bad.some(p => p.test(JSON.stringify(i))) });".to_owned()),
        "logic.js" => Some("module.exports = i => i.length / 2 > 3;".to_owned()),
        _ => None,
    }
    };
    let imported = from_defender("signatures.json", list, &code);
    let pour = made(&imported, "pour");
    assert_eq!((pour.id.as_str(), pour.line, pour.path.as_str()), ("defender-pour", 3, "commands/defender-pour.toml"));
    assert!(finds(pour, "Pour boiling  water over it") && !finds(pour, "pour cold water"));
    assert_eq!(pour.notes.len(), 3, "{:?}", pour.notes);
    for (rule, line, word) in
        [("boil", 2, "prompt"), ("gone", 4, "does not lie"), ("logic", 5, "not run"), ("odd", 6, "neither")]
    {
        let (at, why) = reason(&imported, rule);
        assert!(at == line && why.contains(word), "{rule}: line {at}: {why}");
    }
    assert!(reason(&from_defender("x", "[{]", &|_| None), "(the whole file)").1.contains("JSON"));
}
