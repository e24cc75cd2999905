//! New parameters. One that is plainly benign (a switch, a number, a choice, paging, sorting, formats, ids) is quiet; one
//! that asks for what the model knows, or opens a new way out, counts.

use super::{Found, GRAVE_WEIGHT, quoted};
use portcullis_domain::DriftCause;
use portcullis_domain::json::{Kind, NodeRef};
use std::collections::{BTreeMap, HashSet};

const MAX_PARAMETERS: usize = 2000;
/// Schemas looked into for one parameter, those it refers to among them.
const MAX_LOOKED_INTO: usize = 200;
/// Longer references lead to whatever they lead to.
const MAX_STEPS: usize = 16;
/// Where a definition keeps the schema of its parameters.
const SCHEMAS: &[&str] = &["inputSchema", "input_schema", "parameters"];

/// Ask for what is in the model's context, for credentials, or for a way to run something or to send it away.
#[rustfmt::skip]
const TELLING: &[&str] = &[
    "context", "conversation", "history", "chat", "dialogue", "transcript", "model", "llm", "memory", "memories",
    "sidenote", "sidenotes", "note", "notes", "reasoning", "thought", "thoughts", "scratchpad", "telemetry",
    "credential", "credentials", "password", "passwords", "passwd", "passphrase", "secret", "secrets", "apikey", "auth",
    "authorization", "bearer", "cookie", "cookies", "ssh", "token", "tokens", "wallet", "mnemonic", "otp", "ssn",
    "cvv", "iban", "env", "clipboard", "webhook", "callback", "bcc", "recipient", "recipients", "forward", "exfil",
    "command", "cmd", "shell", "exec", "eval", "sudo", "verification", "proof", "mirror", "relay", "notify", "hook",
    "hooks", "behalf", "background", "diagnostics", "snapshot",
];
/// As TELLING, where they are the whole name.
#[rustfmt::skip]
const TELLING_ALONE: &[&str] = &[
    "reason", "reasons", "goal", "explanation", "purpose", "hint", "caller", "profile", "trace", "state", "previous",
    "attachments", "sample", "upstream", "intent",
];
/// As TELLING, one after the other.
#[rustfmt::skip]
const TELLING_TOGETHER: &[&[&str]] = &[
    &["system", "prompt"], &["user", "prompt"], &["original", "prompt"], &["full", "prompt"], &["user", "message"],
    &["user", "query"], &["user", "request"], &["original", "request"], &["api", "key"], &["private", "key"],
    &["access", "key"], &["session", "id"], &["file", "content"], &["file", "contents"], &["open", "file"],
    &["whole", "text"], &["upload", "url"], &["system", "info"], &["user", "info"], &["extra", "data"],
    &["additional", "data"], &["additional", "info"], &["debug", "info"], &["audit", "log"], &["report", "to"],
    &["post", "to"], &["send", "to"], &["copy", "to"], &["sync", "url"], &["run", "after"], &["run", "before"],
    &["previous", "answers"], &["previous", "messages"], &["task", "description"], &["machine", "id"],
    &["user", "intent"], &["user", "goal"], &["additional", "information"], &["message", "log"],
];
/// Open a way that the tool did not have, as honest releases do, too.
#[rustfmt::skip]
const REACHING: &[&str] = &[
    "url", "uri", "endpoint", "host", "hostname", "server", "proxy", "redirect", "upload", "cc", "destination",
    "target", "script", "code", "expression", "sql", "path", "file", "filename", "filepath", "dir", "directory",
    "folder", "output", "save", "prompt", "email", "phone", "address", "location", "ip", "user", "username", "config",
    "environment", "metadata", "payload", "comment", "message", "body", "content", "contents", "headers", "extra",
    "additional", "instruction", "instructions", "rationale", "feedback", "workspace", "attachment", "attachments",
    "screenshot", "key", "keys",
];
/// Switches that take a protection away.
#[rustfmt::skip]
const LOOSENING: &[&str] = &[
    "bypass", "sudo", "admin", "unsafe", "insecure", "dangerous", "dangerously", "elevated", "privileged",
    "unrestricted", "noauth", "exfiltrate",
];
/// As LOOSENING, one after the other.
#[rustfmt::skip]
const LOOSENING_TOGETHER: &[&[&str]] = &[
    &["skip", "confirmation"], &["skip", "approval"], &["skip", "checks"], &["skip", "validation"],
    &["auto", "approve"], &["no", "confirm"], &["no", "confirmation"], &["disable", "sandbox"],
    &["disable", "security"], &["disable", "logging"], &["skip", "review"],
];
/// In the description of a parameter, they ask for what the model knows of the person or of what went before.
#[rustfmt::skip]
const ASKING: &[&str] = &[
    "person", "wanted", "conversation", "everything", "settings", "memory", "env", "prior", "machine", "computer",
    "caller", "achieve", "achieving", "trying",
];
/// Telling words that are ordinary ones beside a word of `PAGING` (`page_token`, `sort_key`).
const AMBIGUOUS: &[&str] = &["token", "tokens", "key", "keys"];
const PAGING: &[&str] =
    &["page", "next", "continuation", "cursor", "sort", "order", "group", "max", "min", "limit", "count", "filter"];
#[rustfmt::skip]
const PLAIN: &[&str] = &[
    "query", "q", "search", "filter", "filters", "sort", "order", "orderby", "page", "cursor", "limit", "offset",
    "format", "language", "lang", "locale", "country", "region", "timezone", "tz", "date", "time", "datetime",
    "start", "end", "since", "until", "from", "to", "before", "after", "id", "ids", "name", "title", "label",
    "labels", "tag", "tags", "type", "types", "kind", "status", "state", "category", "color", "colour", "size",
    "width", "height", "unit", "units", "currency", "mode", "version", "branch", "ref", "sha", "repo", "repository",
    "owner", "org", "organization", "project", "team", "topic", "keyword", "keywords", "pattern", "regex", "glob",
    "field", "fields", "column", "columns", "direction", "theme", "zone", "view", "group", "level", "priority",
    "milestone", "assignee", "assignees", "domain", "domains", "include", "exclude", "encoding", "description",
    "summary", "number", "index", "per", "symbol", "ticker", "city", "interval", "range", "year", "month", "day",
    "hour", "selector", "element", "value", "values", "depth", "scope", "style", "quality", "resolution", "sections",
    "section", "parent", "library", "package", "node", "uid", "slug", "timeout", "duration", "browser", "device",
    "viewport",
];

pub(super) fn compare(old: NodeRef<'_>, new: NodeRef<'_>, found: &mut Found) {
    let before = parameters(old);
    let known: HashSet<String> = before.values().flat_map(|(name, _)| words(name)).collect();
    for (path, (name, schema)) in &parameters(new) {
        let was = before.get(path).map(|(_, schema)| *schema);
        if was.is_some_and(|was| is_free_text(was) || !is_free_text(*schema)) {
            continue;
        }
        let verb = if was.is_some() { "takes any text in" } else { "has a new parameter" };
        let text = format!("It now {verb} {}.", quoted(name));
        match nature(name, *schema, &known) {
            Nature::Telling => found.add(GRAVE_WEIGHT, DriftCause::Parameter, path, text),
            Nature::Unclear => found.note(DriftCause::Parameter, path, text),
            Nature::Plain => {}
        }
    }
}

enum Nature {
    Plain,
    Unclear,
    Telling,
}

fn nature(name: &str, schema: NodeRef<'_>, known: &HashSet<String>) -> Nature {
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let in_a_row = |all: &&[&str]| words.windows(all.len()).any(|some| some == *all);
    if has(LOOSENING) || LOOSENING_TOGETHER.iter().any(in_a_row) {
        return Nature::Telling;
    }
    if !is_free_text(schema) {
        return Nature::Plain;
    }
    let pages = has(PAGING);
    let is_new = |word: &String| !(known.contains(word) || pages && AMBIGUOUS.contains(&word.as_str()));
    let counts = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()) && is_new(word));
    let together = |all: &&[&str]| in_a_row(all) && all.iter().any(|one| !known.contains(*one));
    let alone = words.len() == 1 && counts(TELLING_ALONE);
    let description = schema.get("description").and_then(|text| text.as_str()).unwrap_or_default().to_lowercase();
    let asks = description.split(|c: char| !c.is_alphabetic()).any(|word| ASKING.contains(&word));
    if alone || asks || counts(TELLING) || TELLING_TOGETHER.iter().any(together) {
        return Nature::Telling;
    }
    let is_plain = |word: &String| {
        word.len() < 2
            || known.contains(word)
            || PLAIN.contains(&word.as_str())
            || pages && AMBIGUOUS.contains(&word.as_str())
    };
    let plain = words.iter().all(is_plain) || words.last().is_some_and(is_plain);
    if counts(REACHING) || !plain { Nature::Unclear } else { Nature::Plain }
}

/// Whether a value may be any text: no switch, number, or choice. Objects and arrays are judged by their members.
fn is_free_text(schema: NodeRef<'_>) -> bool {
    is_free(schema, &mut MAX_LOOKED_INTO.clone())
}

/// `left`: schemas that may yet be looked into; what is not looked into may be anything.
fn is_free(schema: NodeRef<'_>, left: &mut usize) -> bool {
    if *left == 0 {
        return true;
    }
    *left -= 1;
    if schema.get("enum").is_some() || schema.get("const").is_some() {
        return false;
    }
    let type_name = |node: NodeRef<'_>| {
        let text = node.as_str().unwrap_or_default();
        !matches!(&*text, "boolean" | "integer" | "number" | "null" | "bool" | "int" | "float")
    };
    if let Some(reference) = schema.get("$ref") {
        return referred(reference).is_none_or(|target| is_free(target, left));
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(options) = schema.get(key) {
            return options.children().any(|option| is_free(option, left));
        }
    }
    match schema.get("type") {
        None => has_no_members(schema),
        Some(one) if one.kind() == Kind::Array => one.children().any(type_name),
        Some(one) => match &*one.as_str().unwrap_or_default() {
            "object" => has_no_members(schema),
            "array" => {
                schema.get("items").is_none_or(|items| is_free(items, left))
                    || schema
                        .get("prefixItems")
                        .into_iter()
                        .flat_map(|all| all.children())
                        .any(|one| is_free(one, left))
            }
            _ => type_name(one),
        },
    }
}

/// Whether an object is described by no properties, and may have whatever it likes.
fn has_no_members(schema: NodeRef<'_>) -> bool {
    let is_closed = schema.get("additionalProperties").is_some_and(|more| more.raw() == b"false");
    schema.get("properties").is_none_or(|all| all.children().next().is_none() && !is_closed)
}

/// What `#/…` refers to inside the same schema.
fn referred<'d>(reference: NodeRef<'d>) -> Option<NodeRef<'d>> {
    let text = reference.as_str()?;
    let is_schema = |node: &NodeRef<'_>| node.key().is_some_and(|key| SCHEMAS.contains(&&*key));
    let mut up = std::iter::successors(Some(reference), |node| node.parent());
    let schema = up.find(|node| is_schema(node) && node.parent().is_some_and(|parent| parent.parent().is_none()))?;
    let steps = text.strip_prefix('#')?.split('/').skip(1);
    steps.take(MAX_STEPS).try_fold(schema, |node, step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        match node.kind() {
            Kind::Array => step.parse().ok().and_then(|at| node.children().nth(at)),
            _ => node.get(&step),
        }
    })
}

/// Path inside the definition to name and schema of every parameter, nested ones too.
fn parameters(root: NodeRef<'_>) -> BTreeMap<String, (String, NodeRef<'_>)> {
    let mut out = BTreeMap::new();
    // Of prompts: a list of named texts.
    for argument in root.get("arguments").into_iter().flat_map(|list| list.children()) {
        if let Some(name) = argument.get("name").and_then(|name| name.as_str()) {
            out.insert(format!("/arguments/{name}"), (name.into_owned(), argument));
        }
    }
    let schemas = SCHEMAS.iter().filter_map(|key| root.get(key));
    let mut open: Vec<NodeRef<'_>> = schemas.collect();
    let mut seen = HashSet::new();
    while let Some(schema) = open.pop() {
        if !seen.insert(schema.span().start) {
            continue;
        }
        for child in schema.children() {
            match child.key().as_deref() {
                Some("properties" | "$defs" | "definitions" | "patternProperties") => {
                    let is_properties = matches!(child.key().as_deref(), Some("properties" | "patternProperties"));
                    for member in child.children() {
                        if is_properties && out.len() < MAX_PARAMETERS {
                            let name = member.key().unwrap_or_default().into_owned();
                            out.insert(member.pointer(), (name, member));
                        }
                        open.push(member);
                    }
                }
                Some("items" | "additionalProperties" | "not" | "if" | "then" | "else") => open.push(child),
                Some("anyOf" | "oneOf" | "allOf" | "prefixItems") => open.extend(child.children()),
                // Wherever it leads, the members there are parameters as well.
                Some("$ref") => open.extend(referred(child)),
                _ => {}
            }
        }
    }
    out
}

/// `userEmail`, `user_email`, `user-email` -> user, email.
fn words(name: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            out.push(String::new());
        }
        was_lower = c.is_lowercase() || c.is_numeric();
        if let Some(last) = out.last_mut().filter(|_| c.is_alphanumeric()) {
            last.extend(c.to_lowercase());
        }
    }
    out.retain(|word| !word.is_empty());
    out
}
