//! Whatever a config looks like: restore undoes protect to the byte, and protecting twice is protecting once.

use super::Home;
use proptest::prelude::*;
use proptest::test_runner::Config;

/// Anything that may stand between two tokens.
fn gap(strict: bool) -> impl Strategy<Value = &'static str> {
    let mut gaps = vec!["", " ", "\n  ", "\r\n\t", "\t"];
    if !strict {
        gaps.extend([" /* \"command\" */ ", " // {\n"]);
    }
    prop::sample::select(gaps)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z@/.-]{0,12}", "\\PC{0,8}", Just("run".into()), Just("--".into()), Just("a\"\\\n\u{1}".into())]
}

/// A JSON string, sometimes with needless escapes.
fn literal() -> impl Strategy<Value = String> {
    (text(), any::<bool>()).prop_map(|(text, odd)| {
        let plain = serde_json::Value::from(text.clone()).to_string();
        match text.chars().next() {
            Some(first) if odd && first.is_ascii_alphanumeric() => {
                format!("\"\\u{:04x}{}", first as u32, &plain[1 + first.len_utf8()..])
            }
            _ => plain,
        }
    })
}

fn entry(strict: bool) -> impl Strategy<Value = String> {
    let gap = move || gap(strict);
    let args = (prop::collection::vec((gap(), literal(), gap()), 0..4), gap(), any::<bool>()).prop_map(
        move |(items, inside, trailing)| {
            let comma = if trailing && !strict && !items.is_empty() { "," } else { "" };
            let items: Vec<String> = items.iter().map(|(a, item, b)| format!("{a}{item}{b}")).collect();
            format!("[{}{comma}{inside}]", items.join(","))
        },
    );
    let stdio = (literal(), prop::option::of(args), gap(), gap(), any::<bool>(), any::<bool>()).prop_map(
        |(command, args, a, b, args_first, env)| {
            let mut fields = vec![format!("\"command\"{a}:{b}{command}{a}")];
            if let Some(args) = args {
                fields.insert(usize::from(!args_first), format!("{b}\"args\":{a}{args}{b}"));
            }
            if env {
                fields.insert(0, "\"env\": {\"A\": \"b\", \"A\": \"c\"}".into());
            }
            format!("{{{a}{}{b}}}", fields.join(","))
        },
    );
    let remote = ("[a-z]{1,8}(/[a-z]{0,4}){0,2}", gap(), prop::sample::select(vec!["http", "https", "HTTPS"]))
        .prop_map(|(rest, gap, scheme)| format!("{{{gap}\"url\":{gap}\"{scheme}://{rest}\"{gap},\"headers\":{{}} }}"));
    prop_oneof![3 => stdio, 1 => remote]
}

prop_compose! {
    /// `strict`: nothing that only JSON with comments has.
    pub(super) fn config(strict: bool)(
        entries in prop::collection::vec((literal(), entry(strict), gap(strict), gap(strict)), 0..5),
        around in (gap(strict), gap(strict), gap(strict)), bom in any::<bool>(), trailing in any::<bool>(), end in prop::sample::select(vec!["", "\n", "\r\n"]),
    ) -> String {
        let mut names = std::collections::HashSet::new();
        let entries: Vec<String> = entries
            .iter()
            .filter(|(name, ..)| names.insert(serde_json::from_str::<String>(name).unwrap()))
            .map(|(name, entry, a, b)| format!("{a}{name}{b}:{a}{entry}{b}"))
            .collect();
        let comma = if trailing && !strict && !entries.is_empty() { "," } else { "" };
        let (a, b, c) = around;
        let bom = if bom { "\u{feff}" } else { "" };
        format!("{bom}{a}{{{b}\"x\":1,\"mcpServers\"{c}:{a}{{{b}{}{comma}{c}}}{a}}}{b}{end}", entries.join(","))
    }
}

proptest! {
    #![proptest_config(Config { cases: 96, failure_persistence: None, ..Config::default() })]

    #[test]
    fn restore_undoes_protect(before in config(false)) {
        let home = Home::with_cursor(&before);
        let clients = home.clients();
        clients.protect();
        let protected = home.read();
        clients.protect();
        prop_assert_eq!(&home.read(), &protected);
        let view = clients.app(&super::cursor()).unwrap();
        prop_assert_eq!(&view.files[0].problem, &None);
        prop_assert!(view.servers().all(|server| server.protected || server.not_covered.is_some()));
        clients.restore();
        prop_assert_eq!(&home.read(), &before);
        // Again, with an edit of the person's in between, so that each entry is undone by itself.
        clients.protect();
        home.edit("\"x\":1", "\"x\":2");
        clients.restore();
        prop_assert_eq!(home.read(), before.replacen("\"x\":1", "\"x\":2", 1));
    }
}
