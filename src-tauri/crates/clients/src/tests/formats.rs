//! Every way people write a config: protected by exactly the owned values, given back to the byte.

use super::{Home, claude, cursor, text};
use portcullis_domain::api::{ConfigAction, PlannedChange};

/// name of the case, the file's bytes
fn readable() -> Vec<(&'static str, Vec<u8>)> {
    let plain = r#"{"mcpServers":{"files":{"command":"npx","args":["-y","pkg"],"env":{"K":"v"}}}}"#;
    let crlf = "{\r\n\t\"mcpServers\": {\r\n\t\t\"files\": {\r\n\t\t\t\"command\": \"npx\",\r\n\t\t\t\"args\": [\r\n\t\t\t\t\"-y\",\r\n\t\t\t\t\"pkg\"\r\n\t\t\t]\r\n\t\t}\r\n\t}\r\n}\r\n";
    let commented = r#"// top
{
  /* servers */ "mcpServers": {
    "files": { // the files
      "args": [ // what it gets
        "-y", /* yes */
        "pkg", // trailing
      ],
      "env": { "A": "1", },
      "command" : "npx", // the command
    },
    "bare": { "command": "uvx" /* no args */ , "disabled": true },
    "empty": { "command": "uvx", "args": [ /* none */ ] },
    "remote": { "url": /* here */ "https://docs.example/mcp", "headers": { "X": "${env:X}" } },
  },
}
"#;
    let names = format!(
        r#"{{"mcpServers":{{"a/b":{{"command":"x"}},"~":{{"command":"x"}},"my server":{{"url":"http://h.example/x"}},"🔒é":{{"command":"x"}},"{}":{{"command":"x"}},"__proto__":{{"command":"x","args":[]}},"":{{"url":"https://h.example/sse"}},"A":{{"command":"x"}},"a":{{"command":"x"}},"\u0041\"q":{{"command":"C:\\x\\\u0079.exe"}}}}}}"#,
        "n".repeat(300)
    );
    vec![
        ("plain", plain.into()),
        ("byte order mark", [b"\xef\xbb\xbf", plain.as_bytes()].concat()),
        ("CRLF and tabs", crlf.into()),
        ("no final newline", crlf.trim_end().into()),
        ("comments and trailing commas", commented.into()),
        ("commented CRLF", commented.replace('\n', "\r\n").into()),
        ("odd names", names.into()),
        (
            "other settings",
            br#"{"z":1e400,"mcpServers":{"f":{"command":"x"}},"a":[1,{"b":null}],"dup":1,"dup":2}"#.to_vec(),
        ),
    ]
}

#[test]
fn protect_then_restore_gives_back_every_byte() {
    for (case, before) in readable() {
        let home = Home::with_cursor(&before);
        let clients = home.clients();
        assert_eq!(clients.protect().written.len(), 1, "{case}");
        let protected = home.read();
        assert_ne!(protected.as_bytes(), before, "{case}");
        let view = clients.app(&cursor()).unwrap();
        assert_eq!(view.protected, Some(true), "{case}");
        assert!(view.files[0].problem.is_none(), "{case}: {:?}", view.files[0].problem);
        clients.restore();
        assert_eq!(home.read().as_bytes(), before, "{case}");
        assert_eq!(clients.app(&cursor()).unwrap().protected, Some(false), "{case}");
    }
}

#[test]
fn the_entries_alone_give_back_every_byte_too() {
    for (case, before) in readable() {
        let home = Home::with_cursor(&before);
        home.clients().protect();
        // Somebody adds one line end: the file is not what we wrote any more.
        home.write(&home.cursor(), home.read() + "\n");
        home.clients().restore();
        assert_eq!(home.read().into_bytes(), [before, b"\n".to_vec()].concat(), "{case}");
    }
}

#[test]
fn protecting_twice_is_protecting_once() {
    for (case, before) in readable() {
        let home = Home::with_cursor(&before);
        let clients = home.clients();
        clients.protect();
        let once = home.read();
        let preview = clients.look(&cursor(), ConfigAction::Protect);
        assert!(preview.files[0].diff.is_empty(), "{case}");
        assert!(preview.files[0].servers.iter().all(|server| server.change == PlannedChange::Nothing), "{case}");
        assert_eq!(clients.apply(&preview.token).unwrap().written, Vec::<String>::new(), "{case}");
        assert_eq!(home.read(), once, "{case}");
        clients.restore();
        assert_eq!(home.read().as_bytes(), before, "{case}");
    }
}

#[test]
fn only_the_owned_values_change() {
    let home = Home::with_cursor(
        "{\n  // mine\n  \"mcpServers\": {\n    \"files\": {\n      \"command\": \"npx\",\n      \"args\": [\n        \"-y\"\n      ],\n      \"env\": {\"K\": \"v\"}\n    }\n  }\n}\n",
    );
    let clients = home.clients();
    clients.protect();
    let id = clients.id("files");
    let shim = home.shim.display();
    let expected = format!(
        "{{\n  // mine\n  \"mcpServers\": {{\n    \"files\": {{\n      \"command\": \"{shim}\",\n      \"args\": [\n        \"run\", \"--id\", \"{id}\", \"--\", \"npx\", \"-y\"\n      ],\n      \"env\": {{\"K\": \"v\"}}\n    }}\n  }}\n}}\n"
    );
    assert_eq!(home.read(), expected);
}

#[test]
fn files_without_servers_are_left_alone() {
    for before in ["", " \n", "// nothing yet\n", "{}", "{\"mcpServers\":null}", "{\"mcpServers\":{}}"] {
        let home = Home::with_cursor(before);
        let clients = home.clients();
        assert_eq!(clients.app(&cursor()).unwrap().files[0].problem, None, "{before:?}");
        assert_eq!(clients.protect().written, Vec::<String>::new(), "{before:?}");
        assert_eq!(home.read(), before);
    }
}

#[test]
fn files_that_are_not_certain_are_refused_with_file_line_and_reason() {
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain("{}".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let cases: [(&str, Vec<u8>, u32, &str); 13] = [
        ("half-written", b"{\n\"mcpServers\": {\n\"a\": {\"comm".to_vec(), 3, ""),
        (
            "a server twice",
            b"{\"mcpServers\":{\n\"a\":{\"command\":\"x\"},\n\"\\u0061\":{\"command\":\"y\"}}}".to_vec(),
            3,
            "twice",
        ),
        ("a command twice", b"{\"mcpServers\":{\"a\":{\"command\":\"x\",\n\"command\":\"y\"}}}".to_vec(), 2, "twice"),
        ("the map twice", b"{\"mcpServers\":{},\n\"mcpServers\":{}}".to_vec(), 2, "twice"),
        ("UTF-16", utf16, 1, "UTF-16"),
        ("not UTF-8", b"{\n\"a\":\"\xff\"}".to_vec(), 2, "UTF-8"),
        ("a list of servers", b"{\"mcpServers\":\n[]}".to_vec(), 2, "object"),
        ("a list", b"[]".to_vec(), 1, "mcpServers"),
        ("two values", b"{}\n{}".to_vec(), 2, ""),
        ("single quotes", b"{\n'mcpServers':{}}".to_vec(), 2, ""),
        ("an open object", b"\n{\"mcpServers\": {}\n".to_vec(), 2, "`{` here is never closed"),
        ("an open list", b"{\n\"mcpServers\": {\"a\": {\"args\": [\"x\"".to_vec(), 2, "`[` here is never closed"),
        ("an open comment", b"{}\n/* mine".to_vec(), 2, "comment"),
    ];
    for (case, before, line, reason) in cases {
        let home = Home::with_cursor(&before);
        let clients = home.clients();
        let problem = clients.app(&cursor()).unwrap().files[0].problem.clone().expect(case);
        assert_eq!((problem.code, problem.line), ("config_unparseable", Some(line)), "{case}: {problem:?}");
        assert!(problem.message.contains("mcp.json") && problem.message.contains(reason), "{case}: {problem:?}");
        let preview = clients.look(&cursor(), ConfigAction::Protect);
        assert!(preview.files[0].refused.is_some(), "{case}");
        assert_eq!(clients.apply(&preview.token).unwrap_err().code(), "config_unparseable", "{case}");
        assert_eq!(std::fs::read(home.cursor()).unwrap(), before, "{case}");
    }
}

#[test]
fn strict_json_apps_are_not_given_what_they_cannot_read() {
    let home = Home::new();
    home.write(&home.claude(), "{ // comment\n \"mcpServers\": {} }");
    let view = home.clients().app(&claude()).unwrap();
    assert_eq!(view.files[0].problem.as_ref().map(|problem| problem.line), Some(Some(1)));
}

#[test]
fn what_cannot_be_carried_is_named_with_the_reason_and_not_touched() {
    let before = r#"{"mcpServers":{
        "var":{"url":"https://${env:HOST}/mcp"},
        "ftp":{"url":"ftp://h/x"},
        "both":{"command":"x","url":"https://h/x"},
        "neither":{"type":"http"},
        "list":{"command":["npx","x"]},
        "empty":{"command":""},
        "badargs":{"command":"x","args":["a",1]},
        "nullargs":{"command":"x","args":null},
        "text":"npx"
    }}"#;
    let home = Home::with_cursor(before);
    let clients = home.clients();
    for server in clients.app(&cursor()).unwrap().servers() {
        assert!(server.not_covered.is_some() && !server.protected, "{server:?}");
    }
    clients.protect();
    assert_eq!(home.read(), before);
}

#[test]
fn claude_desktop_urls_are_never_written() {
    let home = Home::new();
    let before = r#"{"mcpServers":{"web":{"url":"https://h.example/mcp"},"t":{"command":"uvx"}},"globalShortcut":""}"#;
    home.write(&home.claude(), before);
    let clients = home.clients();
    clients.run(&claude(), ConfigAction::Protect);
    let after = text(&home.claude());
    assert!(after.contains(r#""web":{"url":"https://h.example/mcp"}"#), "{after}");
    assert!(after.contains("portcullis-shim"), "{after}");
    let view = clients.app(&claude()).unwrap();
    let web = view.servers().find(|server| server.name == "web").unwrap();
    assert!(web.not_covered.as_ref().is_some_and(|reason| reason.contains("connector")), "{web:?}");
    // Everything that can be covered is.
    assert_eq!(view.protected, Some(true));
}
