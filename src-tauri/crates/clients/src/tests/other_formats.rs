//! TOML and YAML as people write them: only the owned values change, every byte comes back, and what is not certain is
//! refused with its place.

use super::{Home, text};
use portcullis_domain::AppId;
use portcullis_domain::api::{ConfigAction, PlannedChange};
use proptest::prelude::*;
use proptest::test_runner::Config;
use std::path::PathBuf;

/// The app and its file in a home.
fn codex(home: &Home) -> (AppId, PathBuf) {
    (AppId::new("codex"), home.machine.home.join(".codex/config.toml"))
}
fn goose(home: &Home) -> (AppId, PathBuf) {
    (AppId::new("goose"), home.machine.home.join(".config/goose/config.yaml"))
}
fn continue_dev(home: &Home) -> (AppId, PathBuf) {
    (AppId::new("continue"), home.machine.home.join(".continue/config.yaml"))
}

type At = fn(&Home) -> (AppId, PathBuf);

/// Protected, again, given back whole, and given back entry by entry after a line that the person added.
fn round_trip(at: At, before: &str, own_line: &str) -> String {
    let home = Home::new();
    let (app, path) = at(&home);
    home.write(&path, before);
    let clients = home.clients();
    clients.run(&app, ConfigAction::Protect);
    let view = clients.app(&app).unwrap();
    let file = view.files.iter().find(|file| file.exists).unwrap();
    assert_eq!(file.problem, None, "{before}");
    assert!(file.servers.iter().all(|server| server.protected || server.not_covered.is_some()), "{before}\n{file:?}");
    let protected = text(&path);
    let again = clients.look(&app, ConfigAction::Protect);
    let changes = again.files.iter().flat_map(|file| &file.servers).filter(|s| s.change != PlannedChange::Nothing);
    assert_eq!(changes.count(), 0, "{before}");
    clients.run(&app, ConfigAction::Restore);
    assert_eq!(text(&path), before);
    clients.run(&app, ConfigAction::Protect);
    let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    std::fs::write(&path, format!("{}{end}{own_line}", text(&path))).unwrap();
    clients.run(&app, ConfigAction::Restore);
    assert_eq!(text(&path), format!("{before}{end}{own_line}"));
    protected
}

const TOML: &str = r#"# Codex
model = "x"

  [mcp_servers . "files"]  # the files
  env = { K = "v" }
  args = [
    # what it gets
    "-y", # yes
    'C:\data',
  ]
  command = "npx" # from npm
  startup_timeout_sec = 20

[mcp_servers."a/b é 🔒"]
command = '''uvx'''

[mcp_servers."__proto__"]
command = "x"
args = []
[mcp_servers."__proto__".env]
A = "1"

[mcp_servers]
inline = {command="npx",args=["x"]}
empty = { command = "npx", args = [ ] }
no-args = { command = "npx" }
"quoted"."command" = "npx"
dotted.command = "uvx"
dotted.enabled = true
dotted.remote = 3

[mcp_servers.docs]
url = "https://docs.example/mcp" # here
http_headers = { "X" = "y" }

[other]
when = 1979-05-27T07:32:00Z
"#;

const YAML: &str = r#"# Goose
GOOSE_MODE: auto
extensions:
  developer: {type: builtin, enabled: true}

  # the files
  "files":
    enabled: true   # yes
    cmd: npx        # from npm
    args:
      # what it gets
      - -y
      - 'it''s'     # quoted
      - "a, b"
      - plain text: no
    envs: {}
  indentless:
    args:
    - x
    - --flag=[1]
    cmd: /opt/my tool
    type: stdio
  "a/b é 🔒": {cmd: npx, args: [x, "y"], envs: {K: v}}
  __proto__:
    cmd: 'uvx'
  empty:
    cmd: uvx
    args: []
  flow-args:
    cmd: "uvx"
    args: [ "a", b ]
  docs:
    type: streamable_http
    uri: https://docs.example/mcp?x=1#y
    headers: {X: y}
  block:
    cmd: >-
      npx
other: &anchor {a: 1}
again: *anchor
"#;

#[test]
fn toml_as_people_write_it() {
    // What the same file says with the two tables in an order that TOML allows.
    let text = TOML.replace("\n[mcp_servers]\ninline", "\n[mcp_servers.more]\ncommand = \"x\"\n\n[unrelated]\ninline");
    for (case, before) in [
        ("as it is", text.clone()),
        ("CRLF", text.replace('\n', "\r\n")),
        ("byte order mark", format!("\u{feff}{text}")),
        ("no final newline", text.trim_end().into()),
        ("tabs", text.replace("    ", "\t")),
    ] {
        let protected = round_trip(codex, &before, "# mine\n");
        assert!(protected.matches("portcullis-shim").count() >= 4, "{case}: {protected}");
        assert!(protected.contains("http://127.0.0.1"), "{case}");
    }
    let inline = "[mcp_servers]\n".to_string() + TOML.split("[mcp_servers]\n").nth(1).unwrap();
    let inline = inline.replace("dotted.remote = 3\n", "");
    for before in [inline.clone(), inline.replace('\n', "\r\n"), inline.trim_end().into()] {
        let protected = round_trip(codex, &before, "# mine\n");
        assert_eq!(protected.matches("portcullis-shim").count(), 5, "{protected}");
    }
    // A file that begins with the entry itself, and one whose last line is the command.
    round_trip(codex, "mcp_servers.a.command = \"x\"", "# mine\n");
    round_trip(codex, "\u{feff}mcp_servers.a.command = \"x\"\n", "# mine\n");
    round_trip(
        codex,
        "mcp_servers = { a = { command = \"x\" }, b = { url = \"https://h.example/sse\" } }\n",
        "# mine\n",
    );
}

#[test]
fn yaml_as_people_write_it() {
    // Values that are no texts, or spread over lines, are named and left.
    let text = YAML.replace("      - plain text: no\n", "");
    for (case, before) in [
        ("as it is", text.clone()),
        ("CRLF", text.replace('\n', "\r\n")),
        ("byte order mark", format!("\u{feff}{text}")),
        ("no final newline", text.trim_end().into()),
        ("document start", format!("---\n{text}")),
    ] {
        let protected = round_trip(goose, &before, "# mine\n");
        assert_eq!(protected.matches("portcullis-shim").count(), 6, "{case}: {protected}");
        assert!(protected.contains("http://127.0.0.1"), "{case}");
        assert!(protected.contains("cmd: >-"), "{case}: left alone");
    }
    for before in [
        "mcpServers:\n- command: npx\n  name: a\n- name: b\n  args:\n  - x\n  command: y\n",
        "mcpServers:\n  -   name: a\n      command: npx # c\n\n      env: {}\n  # b\n  - url: https://h.example/mcp\n    name: b",
        "mcpServers: [{name: a, command: npx}, {name: b, command: 'x, y', args: []}]\n",
        "{\"mcpServers\": [{\"name\": \"a\", \"command\": \"npx\", \"args\": [\"x\"]}]}\n",
        "mcpServers:\n  - name: a\n    command: npx",
    ] {
        let protected = round_trip(continue_dev, before, "# mine\n");
        assert!(protected.contains("portcullis-shim"), "{protected}");
    }
}

#[test]
fn a_command_that_lists_cannot_hold_unquoted_is_quoted_there_and_comes_back_as_it_was() {
    let before = "extensions:\n  a:\n    cmd: /opt/{x}, y\n";
    let protected = round_trip(goose, before, "# mine\n");
    assert!(protected.contains("\"--\", \"/opt/{x}, y\"]"), "{protected}");
}

#[test]
fn files_without_servers_are_left_alone() {
    let cases: [(At, &[&str]); 2] = [
        (codex, &["", "# only\n", "model = \"x\"\n", "[mcp_servers]\n"]),
        (goose, &["", "---\n", "extensions:\n", "extensions: {}\n", "a: 1\n"]),
    ];
    for (at, files) in cases {
        for before in files {
            let home = Home::new();
            let (app, path) = at(&home);
            home.write(&path, before);
            assert_eq!(home.clients().run(&app, ConfigAction::Protect).written, Vec::<String>::new(), "{before:?}");
            assert_eq!(text(&path), *before);
        }
    }
}

#[test]
fn what_is_not_certain_is_refused_with_file_line_and_reason() {
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain("a: 1".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let cases: [(At, &[u8], u32, &str); 12] = [
        (codex, b"[mcp_servers.a]\ncommand = \"x\"\n[mcp_servers.a]\ncommand = \"y\"\n", 3, "duplicate"),
        (codex, b"[mcp_servers.a]\ncommand = \"x\"\ncommand = \"y\"\n", 3, "duplicate"),
        (codex, b"x = 1\n[mcp_servers.a]\ncommand = \"x", 3, ""),
        (codex, b"x = 1\nmcp_servers = [1]\n", 2, "object"),
        (goose, b"extensions:\n  a:\n    cmd: x\n  a:\n    cmd: y\n", 4, "twice"),
        (goose, b"extensions:\n  a:\n    cmd: x\n    cmd: y\n", 4, "twice"),
        (goose, b"x: &e\n  a: {cmd: x}\nextensions: *e\n", 3, "alias"),
        (goose, b"extensions:\n  a: &a\n    cmd: x\n", 2, "anchor"),
        (goose, b"extensions:\n  <<: {}\n  a:\n    cmd: x\n", 2, "merge"),
        (goose, b"a: 1\n---\nextensions: {}\n", 2, "several documents"),
        (goose, b"extensions:\n  a:\n    cmd: [x\n", 4, ""),
        (goose, &utf16, 1, "UTF-16"),
    ];
    for (at, before, line, reason) in cases {
        let case = String::from_utf8_lossy(before);
        let home = Home::new();
        let (app, path) = at(&home);
        home.write(&path, before);
        let clients = home.clients();
        let view = clients.app(&app).unwrap();
        let problem = view.files.iter().find_map(|file| file.problem.clone()).unwrap_or_else(|| panic!("{case}"));
        assert_eq!((problem.code, problem.line), ("config_unparseable", Some(line)), "{case}: {problem:?}");
        assert!(problem.message.contains("config.") && problem.message.contains(reason), "{case}: {problem:?}");
        let preview = clients.look(&app, ConfigAction::Protect);
        assert_eq!(clients.apply(&preview.token).unwrap_err().code(), "config_unparseable", "{case}");
        assert_eq!(std::fs::read(&path).unwrap(), before, "{case}");
    }
}

#[test]
fn a_person_who_edits_the_wrapped_lines_keeps_the_edit() {
    for (at, before, from, to, after) in [
        (
            codex as At,
            "[mcp_servers.a]\ncommand = \"npx\"\nargs = [\"old\"]\n",
            "\"old\"",
            "\"new\", \"more\"",
            "[mcp_servers.a]\ncommand = \"npx\"\nargs = [\"new\", \"more\"]\n",
        ),
        (
            goose,
            "extensions:\n  a:\n    args:\n    - old\n    cmd: npx\n",
            "    - old\n",
            "    - new\n    - more # why\n",
            "extensions:\n  a:\n    args:\n    - new\n    - more # why\n    cmd: npx\n",
        ),
        (
            goose,
            "extensions:\n  a:\n    cmd: npx\n",
            "npx]",
            "bunx, added]",
            "extensions:\n  a:\n    cmd: bunx\n    args: [added]\n",
        ),
        // Everything behind the command removed: an empty list is what is left.
        (
            goose,
            "extensions:\n  a:\n    args:\n    - old\n    cmd: npx\n",
            "    - old\n",
            "",
            "extensions:\n  a:\n    args: []\n    cmd: npx\n",
        ),
    ] {
        let home = Home::new();
        let (app, path) = at(&home);
        home.write(&path, before);
        home.clients().run(&app, ConfigAction::Protect);
        let now = text(&path);
        assert!(now.contains(from), "{now}");
        std::fs::write(&path, now.replacen(from, to, 1)).unwrap();
        home.clients().run(&app, ConfigAction::Restore);
        assert_eq!(text(&path), after);
    }
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "npx", "-y", "@a/b", "C:\\x", "it's", "a b", "--", "run", "", "é🔒", "x=1,y", "#no", "\u{7f}", "3", "null",
        "a: b", "{x}",
    ])
    .prop_map(str::to_string)
}

/// Each word in one of the spellings that its format has.
fn spelt(format: &'static str) -> impl Strategy<Value = String> {
    (word(), 0..3u8).prop_map(move |(word, how)| {
        let double = || crate::format::Format::Yaml.literal(&word);
        let plain_enough = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '/');
        match (format, how) {
            ("toml", 0) if !word.contains(['\'', '\u{7f}']) => format!("'{word}'"),
            ("yaml", 0) if !word.contains('\u{7f}') => format!("'{}'", word.replace('\'', "''")),
            ("yaml", 1) if plain_enough && word != "null" && word != "3" => word,
            _ => double(),
        }
    })
}

pub(super) fn yaml() -> impl Strategy<Value = String> {
    let end = prop::sample::select(vec!["", "  ", " # c", "   # 'd' \"e"]);
    let entry = (spelt("yaml"), prop::collection::vec(spelt("yaml"), 0..4), 0..4u8, end, any::<bool>());
    let more = (any::<bool>(), any::<bool>());
    (prop::collection::vec(entry, 1..5), prop::sample::select(vec!["\n", "\r\n"]), 2..5usize, more).prop_map(
        |(entries, eol, step, (settings, remote))| {
            let (one, two) = (" ".repeat(step), " ".repeat(step * 2));
            let mut out = format!("a: 1{eol}extensions:{eol}");
            for (at, (command, args, how, end, first)) in entries.into_iter().enumerate() {
                let list = match how {
                    0 => None,
                    1 => Some(format!(" [{}]{end}", args.join(", "))),
                    _ if args.is_empty() => Some(" []".into()),
                    2 => Some(args.iter().map(|arg| format!("{eol}{two}- {arg}{end}")).collect()),
                    _ => Some(args.iter().map(|arg| format!("{eol}{two}  -   {arg}{end}")).collect::<String>()),
                };
                let list = list.map(|list| format!("{two}args:{list}{eol}"));
                let command = format!("{two}cmd: {command}{end}{eol}");
                let parts = if first { [list, Some(command)] } else { [Some(command), list] };
                out.push_str(&format!("{one}s{at}:{end}{eol}{}", parts.into_iter().flatten().collect::<String>()));
                if settings {
                    out.push_str(&format!("{two}envs:{eol}{two}  K: v{eol}{two}timeout: 300{eol}"));
                }
            }
            if remote {
                out.push_str(&format!("{one}r:{eol}{two}uri: https://h.example/mcp # there{eol}{two}type: sse{eol}"));
            }
            out
        },
    )
}

pub(super) fn toml() -> impl Strategy<Value = String> {
    let entry = (spelt("toml"), prop::option::of(prop::collection::vec(spelt("toml"), 0..4)), 0..3u8, any::<bool>());
    let end = prop::sample::select(vec!["", " ", " # c"]);
    let more = (any::<bool>(), any::<bool>());
    (prop::collection::vec(entry, 1..5), prop::sample::select(vec!["\n", "\r\n"]), end, more).prop_map(
        |(entries, eol, end, (settings, remote))| {
            let mut out = format!("x = 1{eol}");
            for (at, (command, args, how, first)) in entries.into_iter().enumerate() {
                let list = args.map(|args| match how {
                    0 => format!("[{}]", args.join(" ,")),
                    _ => format!("[{eol}{}]", args.iter().map(|arg| format!("  {arg}, # y{eol}")).collect::<String>()),
                });
                let head = match how {
                    2 => String::new(),
                    _ => format!("[mcp_servers.s{at}]{end}{eol}"),
                };
                // Dotted keys stand at the root, so before any table.
                let lead = if how == 2 { format!("mcp_servers.d{at}.") } else { "  ".into() };
                let list = list.map(|list| format!("{lead}args={list}{end}{eol}"));
                let command = format!("{lead}command = {command}{end}{eol}");
                let parts = if first { [list, Some(command)] } else { [Some(command), list] };
                let text = format!("{head}{}", parts.into_iter().flatten().collect::<String>());
                let settings = match how {
                    0 if settings => format!("enabled = true{eol}[mcp_servers.s{at}.env]{eol}K = \"v\"{eol}"),
                    1 if settings => format!("  env = {{ K = \"v\" }}{eol}"),
                    _ => String::new(),
                };
                if how == 2 { out.insert_str(0, &text) } else { out.push_str(&format!("{text}{settings}")) }
            }
            if remote {
                out.push_str(&format!("[mcp_servers.r]{eol}url = 'https://h.example/mcp'{end}{eol}"));
            }
            out
        },
    )
}

proptest! {
    #![proptest_config(Config { cases: 96, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_yaml_comes_back(before in yaml()) {
        round_trip(goose, &before, "# mine\n");
    }

    #[test]
    fn any_toml_comes_back(before in toml()) {
        prop_assume!(crate::format::Format::Toml.parse(before.as_bytes()).is_ok());
        round_trip(codex, &before, "# mine\n");
    }
}
