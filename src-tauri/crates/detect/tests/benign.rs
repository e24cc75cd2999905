//! Ordinary developer life must be silent: text that looks dangerous only to a scanner that does not parse.

use portcullis_detect::{Scanner, SignatureSet};
use portcullis_domain::json::{Doc, Mode, quote};
use portcullis_domain::{Direction, Finding, Limits, Scan, ScanContext, ScanInput};

fn scan(method: &str, direction: Direction, message: &str) -> Vec<Finding> {
    let doc = Doc::parse(message.as_bytes(), Mode::Lenient, &Limits::default()).unwrap();
    let target = doc.root().path(&["params", "name"]).and_then(|name| name.as_str());
    Scanner::new(SignatureSet::bundled()).scan(&ScanInput {
        direction,
        doc: &doc,
        root: doc.root(),
        method: Some(method),
        target: target.as_deref(),
        is_response: direction == Direction::ToClient,
        context: ScanContext::default(),
    })
}

fn result(text: &str) -> Vec<Finding> {
    let text = quote(text);
    scan(
        "tools/call",
        Direction::ToClient,
        &format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"content":[{{"type":"text","text":{text}}}]}}}}"#),
    )
}

fn argument(tool: &str, name: &str, value: &str) -> Vec<Finding> {
    let (tool, name, value) = (quote(tool), quote(name), quote(value));
    let call = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":{tool},"arguments":{{{name}:{value}}}}}}}"#
    );
    scan("tools/call", Direction::ToUpstream, &call)
}

fn definition(text: &str) -> Vec<Finding> {
    let text = quote(text);
    let list = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{{"name":"t","description":{text}}}]}}}}"#);
    scan("tools/list", Direction::ToClient, &list)
}

fn assert_silent(findings: Vec<Finding>, text: &str) {
    let said: Vec<String> =
        findings.iter().map(|finding| format!("{} {:?}", finding.signature, finding.matched)).collect();
    assert!(said.is_empty(), "{text:?}: {said:?}");
}

#[test]
fn arguments_of_everyday_calls() {
    for (tool, name, value) in [
        ("run", "command", "npm test && npm run lint"),
        ("run", "command", "cargo build --release 2>&1 | tail -20; echo done"),
        ("run", "command", "rm -rf node_modules dist && npm ci"),
        ("run", "command", "docker compose up -d && docker compose logs -f | grep ERROR"),
        ("run", "command", "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y"),
        ("run", "command", "curl -s http://localhost:8080/health | python3 -m json.tool"),
        ("run", "command", "git commit -m \"fix: don't ignore previous errors; rm old code\""),
        ("run", "command", "find . -name '*.orig' -print0 | xargs -0 rm -f"),
        ("run", "command", "ssh -i ~/.ssh/id_ed25519 deploy@host 'sudo systemctl restart app'"),
        ("run", "command", "cp .env.example .env && source .env"),
        ("run", "command", "cat > a.sh <<'EOF'\n#!/bin/sh\nset -e\nmake && make install\nEOF\nchmod +x a.sh"),
        ("read_file", "path", "../src/index.ts"),
        ("read_file", "path", "../../packages/core/../lib/util.js"),
        ("read_file", "path", "/home/ann/work/portcullis/src-tauri/Cargo.toml"),
        ("read_file", "path", "C:\\Users\\ann\\source\\repos\\app\\Program.cs"),
        ("read_file", "path", "docs/R&D; notes (final).md"),
        ("read_file", "path", "~/.ssh/config"),
        ("write_file", "content", "<?php system($_GET['c']); ?>\n; rm -rf / -- in a lesson about shells"),
        ("write_file", "content", "../../../../etc/passwd\nSELECT * FROM users WHERE 1=1; DROP TABLE x;"),
        ("write_file", "content", "url: http://169.254.169.254/latest/meta-data/"),
        ("query_db", "sql", "SELECT 1; SELECT 2"),
        ("query_db", "sql", "SELECT * FROM a WHERE 1=1 AND x = 'b' -- all"),
        ("query_db", "query", "DELETE FROM sessions WHERE expires < now(); VACUUM;"),
        ("fetch", "url", "http://localhost:3000/api?x=1&id=2"),
        ("fetch", "url", "http://192.168.1.20:8123/"),
        (
            "fetch",
            "url",
            "https://example.com/cb?state=eyJyZWRpcmVjdCI6Ii9ob21lIn0&code=9f86d081884c7d659a2feaa0c55ad015",
        ),
        (
            "fetch",
            "url",
            "https://bucket.s3.amazonaws.com/a.png?X-Amz-Credential=x&X-Amz-Signature=9fceb02d0ae598e95dc970b74767f19372d61af8",
        ),
        ("search", "query", "how do I drop a table in postgres or mysql"),
        ("search", "query", "what is the operating system; who made it"),
        ("search", "q", "O'Reilly \"learning SQL\" and more"),
        ("create_issue", "title", "Crash when `id` is null & the list is empty"),
        (
            "create_issue",
            "body",
            "Steps:\n1. run `rm -rf build`\n2. `curl localhost`\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        ),
        ("git_diff", "branch", "feature/x;y"),
        ("ping", "host", "db-1.internal.example.com"),
        ("ping", "host", "fe80::1ff:fe23:4567:890a%eth0"),
    ] {
        assert_silent(argument(tool, name, value), value);
    }
}

#[test]
fn results_of_everyday_calls() {
    let lock = r#""node_modules/a": {"version": "1.2.3", "resolved": "https://registry.npmjs.org/a/-/a-1.2.3.tgz", "integrity": "sha512-9Qn1pXk3zOq0c7bW8dS2vT5yR4uE6iA1fGhJkLmN0pQrStUvWxYzAbCdEfGhIjKlMnOpQrStUvWxYz0123456789ab=="}"#;
    let diff = "diff --git a/x.rs b/x.rs\nindex 9fceb02d0ae5..1b2c3d4e5f60 100644\n--- a/x.rs\n+++ b/x.rs\n@@ -1,3 +1,3 @@\n-let password = prompt();\n+let password = read_line(\"Password: \")?;\n";
    for text in [
        lock,
        diff,
        "\u{1b}[32m✓\u{1b}[0m 12 passed \u{1b}[1;31m1 failed\u{1b}[0m (\u{1b}[38;5;244m3.2s\u{1b}[0m)",
        "| Name | Value |\n|------|-------|\n| a; b | `c && d` |",
        "مرحبا بالعالم، هذا نص عادي مع كلمات English في الوسط",
        "नमस्ते दुनिया, क्षत्रिय और ज्ञान",
        "你好，世界。请先阅读说明，然后再安装。",
        "می‌خواهم بدانم که نمی‌شود",
        "Семья 👨‍👩‍👧‍👦 и флаг 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️ README готов",
        "The operating system ignores previous settings. To override the default rules, edit the config file.",
        "Install:\n\n```sh\ncurl -fsSL https://get.docker.com | sh\n```\nThen you must first log in.",
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ\n-----END CERTIFICATE-----",
        "export API_KEY=your-api-key-here\nOPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\npassword: ${DB_PASSWORD}",
        "550e8400-e29b-41d4-a716-446655440000 9fceb02d0ae598e95dc970b74767f19372d61af8 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
        "<div style=\"display:none\" class=\"menu\"><a href=\"/\">Home</a></div><!-- TODO: move to footer -->",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGq0Yk3xv1z ann@laptop",
        "{\"note\":\"line one\\nline two\",\"path\":\"C:\\\\new\\\\temp\"}",
        "x\u{feff}y soft\u{ad}hyphen",
        "system: Linux 6.8\nuser: ann\nassistant: none",
        "Ignore the warning above if you use version 2.",
    ] {
        assert_silent(result(text), text);
    }
}

#[test]
fn definitions_of_honest_servers() {
    for text in [
        "Fetches a URL from the internet and optionally extracts its contents as markdown.\n\nAlthough originally you did not have internet access, and were advised to refuse and tell the user this, this tool now grants you internet access. Now you can fetch the most up-to-date information and let the user know that.",
        "Resolves a package name to a library ID. You MUST call this function before 'get-library-docs' unless the user gives an ID.",
        "IMPORTANT: Always use absolute paths. Do not use this for binary files.",
        "Run a shell command, e.g. `npm test | tail -5`. Requires approval.",
        "Path to the SSH private key, default ~/.ssh/id_rsa",
        "Detects prompt injection such as 'ignore all previous instructions' in a text.",
        "Sends an email to the given recipients with subject and body.",
        "Stores credentials in the system keychain and never shows them.",
        "Loads variables from the project's .env file.",
    ] {
        assert_silent(definition(text), text);
    }
}
