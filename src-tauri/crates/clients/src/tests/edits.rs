//! Whatever a person or an app does to a protected file before it is given back: restore(edit(protect(x))) is edit(x) to
//! the byte, for every edit that leaves our own words alone. Where somebody edits our words, too, what they wrote stays
//! and nothing of ours does. `PORTCULLIS_EDIT_CASES` makes the run as long as one likes.

use super::Home;
use super::editor::{Doc, Edit, Spot};
use crate::format::Format;
use portcullis_domain::AppId;
use portcullis_domain::api::ConfigAction;
use proptest::prelude::*;
use proptest::test_runner::Config;
use std::path::PathBuf;

fn cases() -> Config {
    let cases = std::env::var("PORTCULLIS_EDIT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64);
    Config { cases, failure_persistence: None, max_global_rejects: 1 << 20, ..Config::default() }
}

/// An app for each format.
fn app(format: Format, home: &Home) -> (AppId, PathBuf) {
    let (app, file) = match format {
        Format::Json => ("claude-code", ".claude.json"),
        Format::Jsonc => ("cursor", ".cursor/mcp.json"),
        Format::Toml => ("codex", ".codex/config.toml"),
        Format::Yaml => ("goose", ".config/goose/config.yaml"),
    };
    (AppId::new(app), home.machine.home.join(file))
}

fn text_of(path: &PathBuf) -> String {
    String::from_utf8(std::fs::read(path).unwrap()).unwrap()
}

/// What no file holds that was given back.
fn ours(text: &str) -> bool {
    text.contains("portcullis-shim") || text.contains("http://127.0.0.1:4711")
}

/// `before`, as it would be with `edits`; and what protect, the edits and restore make of it.
fn by_both_ways(format: Format, before: &str, edits: &[Edit], again: bool) -> Option<(String, String)> {
    let home = Home::new();
    let (app, path) = app(format, &home);
    home.write(&path, before);
    let clients = home.clients();
    clients.run(&app, ConfigAction::Protect);
    let (mut plain, mut protected) = (before.to_string(), text_of(&path));
    let mut done = 0;
    for (at, edit) in edits.iter().enumerate() {
        let apply = |text: &str| edit.apply(&Doc::new(format, text)?, at);
        // An edit that makes the file unreadable for its app is another test's.
        let Some(after) = apply(&plain).filter(|after| Doc::new(format, after).is_some_and(|doc| doc.is_sound()))
        else {
            continue;
        };
        let edited = apply(&protected);
        protected = edited.unwrap_or_else(|| panic!("{edit:?} fits only before:\n{plain}\n---\n{protected}"));
        plain = after;
        done += 1;
    }
    if done == 0 {
        return None;
    }
    home.write(&path, &protected);
    if again {
        clients.run(&app, ConfigAction::Protect);
        let once = text_of(&path);
        clients.run(&app, ConfigAction::Protect);
        assert_eq!(text_of(&path), once, "protect after protect");
    }
    let report = home.clients().restore_all().unwrap();
    assert!(report.failed.is_empty(), "{report:?}\n{protected}");
    let state = clients.journal.load().unwrap();
    assert!(state.files.is_empty() && state.pending.is_empty());
    assert!(state.entries.values().all(|record| record.state == crate::journal::RecordState::Restored));
    Some((plain, text_of(&path)))
}

fn check(format: Format, before: &str, edits: &[Edit], again: bool) -> Result<(), TestCaseError> {
    let Some((expected, now)) = by_both_ways(format, before, edits, again) else {
        return Err(TestCaseError::reject("no edit fits"));
    };
    prop_assert_eq!(&now, &expected, "of {}", before);
    prop_assert!(!ours(&now), "{}", now);
    Ok(())
}

fn spot() -> impl Strategy<Value = Spot> {
    use Spot::{AfterCommand, ArgsEnd, BeforeArg, BeforeCommand, Behind, Front, TailOfCommand};
    prop_oneof![
        prop::sample::select(vec![Front, BeforeCommand, AfterCommand, TailOfCommand, Behind, ArgsEnd]),
        (0..4usize).prop_map(BeforeArg)
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = || 0..6usize;
    prop_oneof![
        at().prop_map(Edit::Add),
        at().prop_map(Edit::Remove),
        at().prop_map(Edit::Rename),
        at().prop_map(Edit::Duplicate),
        (at(), at()).prop_map(|(a, b)| Edit::Swap(a, b)),
        (at(), spot()).prop_map(|(at, spot)| Edit::Comment(at, spot)),
        (at(), spot()).prop_map(|(at, spot)| Edit::Comment(at, spot)),
        (at(), spot()).prop_map(|(at, spot)| Edit::Key(at, spot)),
        at().prop_map(Edit::Change),
        at().prop_map(Edit::AddArg),
        (at(), at()).prop_map(|(at, arg)| Edit::ChangeArg(at, arg)),
        (at(), at()).prop_map(|(at, arg)| Edit::RemoveArg(at, arg)),
        Just(Edit::CarriageReturns),
        Just(Edit::ByteOrderMark),
        Just(Edit::Tail),
    ]
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec(edit(), 1..7)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn json(before in super::property::config(true), edits in edits(), again in any::<bool>()) {
        check(Format::Json, &before, &edits, again)?;
    }

    #[test]
    fn json_with_comments(before in super::property::config(false), edits in edits(), again in any::<bool>()) {
        check(Format::Jsonc, &before, &edits, again)?;
    }

    #[test]
    fn toml(before in super::other_formats::toml(), edits in edits(), again in any::<bool>()) {
        prop_assume!(Doc::new(Format::Toml, &before).is_some());
        check(Format::Toml, &before, &edits, again)?;
    }

    #[test]
    fn yaml(before in super::other_formats::yaml(), edits in edits(), again in any::<bool>()) {
        check(Format::Yaml, &before, &edits, again)?;
    }
}

/// One protected entry's own words, edited by somebody who does not know what they are for.
#[derive(Clone, Copy, Debug)]
enum Meddling {
    DropWord(usize),
    CommentBeforeWord(usize),
    AnotherId,
    AnotherCommand,
}

fn meddling() -> impl Strategy<Value = Meddling> {
    prop_oneof![
        (0..4usize).prop_map(Meddling::DropWord),
        (0..6usize).prop_map(Meddling::CommentBeforeWord),
        Just(Meddling::AnotherId),
        Just(Meddling::AnotherCommand),
    ]
}

/// The text afterwards, and what must be found in it when everything was given back.
fn meddle(format: Format, text: &str, shim: &str, how: Meddling) -> Option<(String, Option<&'static str>)> {
    let at = text.find("\"--id\"")?;
    let words: Vec<usize> = text[..at].rfind("\"run\"").into_iter().chain([at]).collect();
    // Word by word, whatever stands between them.
    let mut words = words;
    let mut next = at + 6;
    while words.len() < 5 {
        let start = next + text[next..].find(|c: char| !c.is_whitespace() && c != ',' && c != '-' || c == '"')?;
        words.push(start);
        next = start + 1 + text[start + 1..].find(['"', '\'', '\n', ',', ']'])? + 1;
    }
    match how {
        Meddling::DropWord(n) => {
            let (start, end) = (words[n], words[n + 1]);
            let between = &text[start..end];
            // In a list by lines the dash goes, too.
            Some((format!("{}{}", &text[..start], &text[start + between.len()..]), None))
        }
        Meddling::CommentBeforeWord(n) => {
            let start = *words.get(n)?;
            let block = text[..start].trim_end_matches(' ').ends_with('-');
            let (start, comment) = match format {
                Format::Json => return None,
                Format::Jsonc => (start, "/* mine */ ".to_string()),
                Format::Yaml if block => (text[..start].rfind('\n')? + 1, "      # mine\n".into()),
                Format::Toml | Format::Yaml => (start, "# mine\n        ".into()),
            };
            Some((format!("{}{comment}{}", &text[..start], &text[start..]), Some("mine")))
        }
        Meddling::AnotherId => {
            let start = words[2] + 1;
            let other = if text[start..].starts_with('a') { "b" } else { "a" };
            Some((format!("{}{other}{}", &text[..start], &text[start + 1..]), None))
        }
        Meddling::AnotherCommand => {
            Some((text.replacen(&format!("\"{shim}\""), "\"/opt/theirs\"", 1), Some("/opt/theirs")))
        }
    }
}

fn check_meddling(format: Format, before: &str, how: Meddling) -> Result<(), TestCaseError> {
    let home = Home::new();
    let (app, path) = app(format, &home);
    home.write(&path, before);
    home.clients().run(&app, ConfigAction::Protect);
    let shim = home.shim.display().to_string();
    let Some((edited, marker)) = meddle(format, &text_of(&path), &shim, how) else {
        return Err(TestCaseError::reject("nothing of ours to edit"));
    };
    prop_assume!(Doc::new(format, &edited).is_some_and(|doc| doc.is_sound()));
    home.write(&path, &edited);
    let clients = home.clients();
    let report = clients.restore_all().unwrap();
    prop_assert!(report.failed.is_empty(), "{:?}", report);
    let now = text_of(&path);
    prop_assert!(!now.contains("portcullis-shim"), "{:?}\n{}\n---\n{}", how, edited, now);
    prop_assert!(marker.is_none_or(|marker| now.contains(marker)), "{:?}\n{}\n---\n{}", how, edited, now);
    prop_assert!(Doc::new(format, &now).is_some(), "{}", now);
    Ok(())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn our_words_in_json(before in super::property::config(false), how in meddling()) {
        check_meddling(Format::Jsonc, &before, how)?;
    }

    #[test]
    fn our_words_in_toml(before in super::other_formats::toml(), how in meddling()) {
        prop_assume!(Doc::new(Format::Toml, &before).is_some());
        check_meddling(Format::Toml, &before, how)?;
    }

    #[test]
    fn our_words_in_yaml(before in super::other_formats::yaml(), how in meddling()) {
        check_meddling(Format::Yaml, &before, how)?;
    }
}
