//! What an argument is for: a path, a URL, a command … Read from its name, its schema and, where both say nothing,
//! from the look of its value. The same `;` is normal in a command and an attack in a host name.

use crate::role::Role;
use portcullis_domain::json::{Kind, NodeRef};

#[rustfmt::skip]
const PATH: &[&str] = &[
    "path", "paths", "file", "files", "filename", "filenames", "filepath", "filepaths", "dir", "directory", "dirs",
    "directories", "folder", "folders", "cwd", "workdir", "basedir", "dirname", "pathname",
];
#[rustfmt::skip]
const URL: &[&str] = &[
    "url", "urls", "uri", "uris", "link", "links", "href", "endpoint", "webhook", "website", "callback", "feed",
    "proxy",
];
const HOST: &[&str] = &["host", "hosts", "hostname", "hostnames", "domain", "domains", "ip", "server", "fqdn"];
const COMMAND: &[&str] = &["command", "commands", "cmd", "cmds", "shell", "bash", "exec", "cmdline", "commandline"];
const SQL: &[&str] = &["sql", "statement", "statements"];
#[rustfmt::skip]
const CODE: &[&str] = &[
    "code", "content", "contents", "source", "script", "patch", "diff", "snippet", "html", "markdown", "body",
    "data", "template", "program", "expression", "edits", "replacement", "text", "payload", "css", "json", "xml",
    "yaml",
];
#[rustfmt::skip]
const NAME: &[&str] = &[
    "id", "ids", "name", "user", "username", "branch", "ref", "tag", "label", "key", "owner", "repo", "project",
    "login", "account", "email", "table", "column", "sort", "order", "version", "package", "format", "lang",
    "language", "locale", "city", "country", "region", "status", "type", "category", "port", "commit", "sha", "revision",
    "database", "db", "schema", "container", "image", "pod", "namespace", "bucket", "topic", "queue", "job", "release",
    "device", "interface", "module", "dependency", "plugin", "theme", "zone", "encoding", "method", "role", "group",
    "remote", "cluster", "service", "session", "size", "mode",
];
/// Whole names that mean code although their last word does not.
const CODE_NAMES: &[&str] = &["new_string", "old_string", "new_str", "old_str", "file_text", "new_text", "old_text"];

/// The role of the argument `key` with the given schema node. `outer` is the role of the argument it sits in.
pub(crate) fn role(
    key: &str,
    schema: Option<NodeRef<'_>>,
    tool: Option<&str>,
    outer: Option<Role>,
    value: &str,
) -> Role {
    if let Some(role) = by_name(key, tool) {
        return match role {
            // A template or an id that climbs is a path whatever it is called.
            Role::ArgumentName if climbs(value) => Role::ArgumentPath,
            Role::ArgumentCode if climbs(value) && key.to_ascii_lowercase().ends_with("template") => Role::ArgumentPath,
            Role::ArgumentPath if is_address(value) => Role::ArgumentUrl,
            role => role,
        };
    }
    if let Some(role) = schema.and_then(by_schema) {
        return role;
    }
    match outer {
        Some(outer) if outer != Role::ArgumentText => outer,
        _ => by_value(value),
    }
}

fn by_name(key: &str, tool: Option<&str>) -> Option<Role> {
    let words = words(key);
    if CODE_NAMES.contains(&words.join("_").as_str()) {
        return Some(Role::ArgumentCode);
    }
    let last = words.last()?.as_str();
    let has = |list: &[&str]| list.contains(&last);
    if has(PATH) {
        return Some(Role::ArgumentPath);
    }
    if has(URL) {
        return Some(Role::ArgumentUrl);
    }
    if has(COMMAND) {
        return Some(Role::ArgumentCommand);
    }
    if has(SQL) {
        return Some(Role::ArgumentSql);
    }
    if last == "query" && tool.is_some_and(speaks_sql) {
        return Some(Role::ArgumentSql);
    }
    if has(HOST) {
        return Some(Role::ArgumentHost);
    }
    if has(CODE) {
        return Some(Role::ArgumentCode);
    }
    has(NAME).then_some(Role::ArgumentName)
}

/// Whether a tool of that name changes files rather than reads them.
pub(crate) fn is_writer(tool: &str) -> bool {
    const VERBS: &[&str] = &[
        "write",
        "edit",
        "create",
        "append",
        "replace",
        "save",
        "put",
        "move",
        "delete",
        "remove",
        "update",
        "insert",
        "patch",
        "apply",
        "set",
        "rename",
        "overwrite",
        "str",
    ];
    words(tool).iter().any(|word| VERBS.contains(&word.as_str()))
}

fn speaks_sql(tool: &str) -> bool {
    let words = words(tool);
    [
        "sql",
        "db",
        "database",
        "postgres",
        "postgresql",
        "sqlite",
        "mysql",
        "snowflake",
        "bigquery",
        "duckdb",
        "mssql",
        "clickhouse",
        "redshift",
        "athena",
        "trino",
        "supabase",
    ]
    .iter()
    .any(|name| words.iter().any(|word| word == name))
}

fn by_schema(schema: NodeRef<'_>) -> Option<Role> {
    let text = |key| schema.get(key).and_then(|node| node.as_str()).map(|text| text.to_ascii_lowercase());
    match text("format").as_deref() {
        Some("uri" | "uri-reference" | "url" | "iri") => return Some(Role::ArgumentUrl),
        Some("hostname" | "ipv4" | "ipv6") => return Some(Role::ArgumentHost),
        Some("path" | "file-path" | "directory-path") => return Some(Role::ArgumentPath),
        _ => {}
    }
    if schema.get("enum").is_some_and(|node| node.kind() == Kind::Array) {
        return Some(Role::ArgumentName);
    }
    let description = text("description")?;
    let says = |needles: &[&str]| needles.iter().any(|needle| description.contains(needle));
    if says(&["shell command", "command to run", "command to execute", "command line"]) {
        Some(Role::ArgumentCommand)
    } else if says(&["sql query", "sql statement", "select query"]) {
        Some(Role::ArgumentSql)
    } else if says(&["path to ", "file path", "filepath", "directory", "path of "]) {
        Some(Role::ArgumentPath)
    } else if says(&["url of", "url to", "a url", "the url"]) {
        Some(Role::ArgumentUrl)
    } else if says(&["hostname", "host name", "ip address"]) {
        Some(Role::ArgumentHost)
    } else {
        None
    }
}

/// One word that starts with `../`.
fn climbs(value: &str) -> bool {
    let value = value.trim();
    value.len() < 1024 && ["../", "..\\"].iter().any(|start| value.starts_with(start)) && !value.contains(' ')
}

/// One word with a scheme that is no file's.
fn is_address(value: &str) -> bool {
    let value = value.trim();
    !value.contains(char::is_whitespace)
        && value.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme) && !scheme.eq_ignore_ascii_case("file"))
}

fn by_value(value: &str) -> Role {
    let value = value.trim();
    let one_word = !value.contains(char::is_whitespace);
    if one_word && value.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme)) {
        return Role::ArgumentUrl;
    }
    let rooted = ["/", "./", "../", "~/", "\\\\", "..\\"].iter().any(|start| value.starts_with(start));
    let drive = matches!(value.as_bytes(), [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    if value.len() < 1024 && !value.contains('\n') && (one_word && rooted || drive) {
        return Role::ArgumentPath;
    }
    let first = value.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("").to_ascii_uppercase();
    let upper = || value.chars().take(400).collect::<String>().to_ascii_uppercase();
    let is_sql = match first.as_str() {
        "SELECT" => upper().contains(" FROM "),
        "INSERT" => upper().contains(" INTO "),
        "UPDATE" => upper().contains(" SET "),
        "DELETE" => upper().contains(" FROM "),
        "CREATE" | "ALTER" | "DROP" | "TRUNCATE" => upper().contains(" TABLE ") || upper().contains(" INDEX "),
        "WITH" => upper().contains(" AS (") && upper().contains("SELECT"),
        "PRAGMA" | "EXPLAIN" => true,
        _ => false,
    };
    if is_sql { Role::ArgumentSql } else { Role::ArgumentText }
}

fn is_scheme(scheme: &str) -> bool {
    (2..=20).contains(&scheme.len())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.' | b':'))
}

/// `imageUrl`, `image_url`, `IMAGE-URL` → `image`, `url`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars().take(200) {
        let starts = c.is_uppercase() && (before.is_lowercase() || before.is_numeric());
        if !c.is_alphanumeric() || starts {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_decide() {
        for (key, value, role) in [
            ("path", "x", Role::ArgumentPath),
            ("filePath", "x", Role::ArgumentPath),
            ("imageUrl", "x", Role::ArgumentUrl),
            ("target_host", "x", Role::ArgumentHost),
            ("command", "x", Role::ArgumentCommand),
            ("sql", "x", Role::ArgumentSql),
            ("new_string", "x", Role::ArgumentCode),
            ("message", "hello", Role::ArgumentText),
            ("input", "https://example.com/x", Role::ArgumentUrl),
            ("input", "../../etc/passwd", Role::ArgumentPath),
            ("input", "C:\\Windows", Role::ArgumentPath),
            ("query", "SELECT a FROM b", Role::ArgumentSql),
            ("query", "select a good film from 1999", Role::ArgumentSql),
            ("query", "weather in Oslo", Role::ArgumentText),
            ("branch", "main", Role::ArgumentName),
            ("template", "../../../../root/x", Role::ArgumentPath),
            ("template", "Hello {{name}}", Role::ArgumentCode),
            ("path", "php://filter/resource=index.php", Role::ArgumentUrl),
            ("path", "file:///etc/hosts", Role::ArgumentPath),
        ] {
            assert_eq!(super::role(key, None, None, None, value), role, "{key}={value}");
        }
        assert_eq!(super::role("query", None, Some("run_sql"), None, "x"), Role::ArgumentSql);
    }
}
