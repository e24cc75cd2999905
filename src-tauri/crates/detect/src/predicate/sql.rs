//! SQL that breaks out of a value: a closing quote followed by a condition that is always true, a second statement, a
//! UNION, a delay, or a comment that swallows the rest. Values are weighed as a whole; in a whole query the literals
//! and the end are weighed, because an injected query is one whose literal turned into SQL.

use super::Match;
use crate::role::Role;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::sync::LazyLock;

const MAX_BYTES: usize = 16 * 1024;
/// Weight from which a value counts.
const VALUE_LIMIT: u32 = 4;
const LITERAL_LIMIT: u32 = 4;
/// Literals of one query that are looked at.
const MAX_LITERALS: usize = 64;

pub fn find(text: &str, role: Role) -> Vec<Match> {
    if text.len() > MAX_BYTES || text.len() < 4 {
        return Vec::new();
    }
    let hit = match role {
        Role::ArgumentSql => query_is_injected(text),
        // An id or a name holds no second statement.
        Role::ArgumentName if holds_second_statement(text) => true,
        _ => weigh(text) >= VALUE_LIMIT,
    };
    if hit { vec![Match { range: 0..text.len(), reading: None }] } else { Vec::new() }
}

fn holds_second_statement(text: &str) -> bool {
    let lower = plain(text);
    is_stacked(&lower, &words(&lower))
}

/// How much a value looks like a piece of SQL that leaves its place.
fn weigh(text: &str) -> u32 {
    let lower = plain(text);
    let lower = lower.trim();
    let words = words(lower);
    let Some(first) = words.first() else { return 0 };
    let mut weight = 0;
    // Leaves its place: a quote or bracket near the start, or SQL from the first word on.
    let quote = lower.find(['\'', '"', ')', '`']);
    let breaks_out = quote.is_some_and(|at| at < 24 && is_bare(&lower[..at])) && !starts_as_item(lower);
    let starts_as_sql =
        matches!(*first, "or" | "and" | "union" | "order" | "having" | "group" | "waitfor" | "exec" | "procedure")
            || lower.starts_with(['|', '&', ';']);
    let unsigned = lower.strip_prefix('-').unwrap_or(lower);
    let starts_as_number = unsigned.starts_with(|c: char| c.is_ascii_digit()) && words.len() > 1;
    weight += 2 * u32::from(breaks_out || starts_as_sql) + u32::from(starts_as_number);
    weight += u32::from(starts_as_number && words.get(1).is_some_and(|word| matches!(*word, "and" | "or" | "having")));
    weight += 2 * u32::from(ends_in_comment(lower));
    weight += 2 * u32::from(has_tautology(lower));
    weight += 2 * u32::from(has_union(&words));
    weight += 3 * u32::from(delays(lower));
    weight += 2 * u32::from(names_internals(lower));
    weight += 2 * u32::from(is_stacked(lower, &words));
    weight += u32::from(starts_as_number && (is_stacked(lower, &words) || has_union(&words)));
    weight += 2 * u32::from(lower.starts_with("(case when") || lower.contains("procedure analyse"));
    weight += u32::from(lower.contains("procedure analyse"));
    weight +=
        u32::from(follows(&words, &[("order", "by"), ("group", "by")]) && lower.contains(|c: char| c.is_ascii_digit()));
    weight += 2 * u32::from(lower.contains("null,null") || lower.contains("null, null"));
    weight += 2 * u32::from(lower.contains("(select ") && (breaks_out || starts_as_number || starts_as_sql));
    weight +=
        u32::from(breaks_out && words.iter().any(|word| matches!(*word, "or" | "and" | "like" | "select" | "where")));
    weight += u32::from(first == &"select" && words.contains(&"from") && words.len() < 16);
    // `admin' --`: nothing but a name, its closing quote and a comment.
    let closes = breaks_out && ends_in_comment(lower) && words.len() <= 3;
    weight + u32::from(closes)
}

/// A literal of the query that holds SQL, or an end that a value forced on it.
fn query_is_injected(text: &str) -> bool {
    let lower = plain(text);
    let lower = lower.trim();
    if !lower.contains(['\'', '"']) {
        return false;
    }
    let (literals, rest, is_open) = split(lower);
    if literals.iter().any(|literal| literal.len() >= 4 && weigh(literal) + 1 >= LITERAL_LIMIT && is_sqlish(literal)) {
        return true;
    }
    let rest = rest.trim();
    // What follows the comment mark is a lone quote: the one that should have closed the literal.
    let tail = ["--", "#", "/*"]
        .iter()
        .filter_map(|mark| lower.rfind(mark).map(|at| &lower[at + mark.len()..]))
        .min_by_key(|tail| tail.len());
    let comment_eats_quote = tail.is_some_and(|tail| {
        let tail = tail.trim();
        !tail.is_empty() && tail.len() <= 3 && tail.chars().all(|c| matches!(c, '\'' | '"' | ')' | ';' | '+' | ' '))
    });
    let or_always = has_or_tautology(lower);
    comment_eats_quote
        || or_always
        || (delays(rest) || delays(lower))
            && (is_open || comment_eats_quote || rest.contains(" or ") || rest.contains(" and "))
        || is_open
            && (has_tautology(lower)
                || has_union(&words(lower))
                || lower.contains('$')
                || names_internals(lower)
                || ends_in_comment(lower.trim_end_matches(['\'', '"'])))
        || ["= ''", "=''", "(''", "= \"\""].iter().any(|empty| lower.contains(empty))
            && (has_tautology(lower) || has_union(&words(lower)))
        || names_internals(lower) && has_union(&words(lower))
}

/// SQL words and signs a literal does not need.
fn is_sqlish(literal: &str) -> bool {
    ["--", "#", "/*", "=", "(", "select", ";", " by "].iter().any(|sign| literal.contains(sign))
}

/// String literals, the text outside them, and whether the last literal stays open.
fn split(query: &str) -> (Vec<&str>, String, bool) {
    let mut literals = Vec::new();
    let mut outside = String::new();
    let mut rest = query;
    while let Some(at) = rest.find(['\'', '"']) {
        let quote = rest.as_bytes()[at];
        outside.push_str(&rest[..at]);
        outside.push(' ');
        let body = &rest[at + 1..];
        let Some(end) = body.bytes().position(|byte| byte == quote) else {
            outside.push_str(body);
            return (literals, outside, true);
        };
        if literals.len() < MAX_LITERALS {
            literals.push(&body[..end]);
        }
        rest = &body[end + 1..];
    }
    outside.push_str(rest);
    (literals, outside, false)
}

/// Lower case, percent-encoding and comments between words undone.
fn plain(text: &str) -> String {
    let mut text = text.to_ascii_lowercase();
    for _ in 0..2 {
        if !text.contains('%') {
            break;
        }
        text = super::path::percent_decoded(&text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("/*") {
        let Some(end) = rest[at..].find("*/").filter(|end| *end <= 12) else { break };
        out.push_str(&rest[..at]);
        out.push(' ');
        rest = &rest[at + end + 2..];
    }
    out.push_str(rest);
    let is_query_text = !out.contains(' ') && out.contains('+');
    if is_query_text { out.replace('+', " ") } else { out }
}

fn words(lower: &str) -> Vec<&str> {
    lower
        .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '@')
        .filter(|word| !word.is_empty())
        .take(400)
        .collect()
}

fn follows(words: &[&str], pairs: &[(&str, &str)]) -> bool {
    words.windows(2).any(|two| pairs.iter().any(|(a, b)| two[0] == *a && two[1] == *b))
}

/// A short value before the quote: no sentence.
fn is_bare(text: &str) -> bool {
    text.split_whitespace().count() <= 1
}

fn ends_in_comment(lower: &str) -> bool {
    if !lower.contains(['-', '#', '/']) {
        return false;
    }
    let end = lower.trim_end().trim_end_matches(['+', '\0']).trim_end();
    ["--", "#", "/*", "-- -", "--+", "--+-", "//"].iter().any(|mark| end.ends_with(mark))
        || lower.match_indices("-- ").any(|(at, _)| {
            // Behind a word it is a dash.
            lower[..at].trim_end().ends_with(|c: char| c.is_ascii_digit() || matches!(c, '\'' | '"' | ')' | ';' | '`'))
        })
        || ["'--", "'#", "\"--"].iter().any(|mark| {
            // Before a letter it is an option: `"--format"`.
            let mut after = lower.match_indices(mark).map(|(at, mark)| &lower[at + mark.len()..]);
            after.any(|after| !after.starts_with(|c: char| c.is_ascii_alphanumeric()))
        })
}

/// `3) the third of a list`, `- a point`, `* another`: an item of a list of prose, not a value that closes a bracket.
fn starts_as_item(lower: &str) -> bool {
    let after_number = lower.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = after_number.strip_prefix(") ").filter(|_| after_number.len() < lower.len());
    let rest = rest.or_else(|| lower.strip_prefix("- ")).or_else(|| lower.strip_prefix("* "));
    let first = rest.and_then(|rest| rest.split_whitespace().next());
    first.is_some_and(|word| {
        !matches!(word, "or" | "and" | "union" | "order" | "having" | "group" | "as" | "if" | "xor" | "where" | "limit")
            && word
                .trim_matches(|c: char| !c.is_alphanumeric())
                .bytes()
                .all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
            && word.len() > 1
            && !lower.contains(['='])
    })
}

fn has_union(words: &[&str]) -> bool {
    words.windows(2).any(|w| w[0] == "union" && w[1].starts_with("select"))
        || words.windows(3).any(|w| w[0] == "union" && matches!(w[1], "all" | "distinct") && w[2].starts_with("select"))
}

/// Functions and statements that make the database wait.
fn delays(lower: &str) -> bool {
    static NAMES: Names = LazyLock::new(|| {
        names(&[
            "waitfor delay",
            "waitfor time",
            "benchmark(",
            "pg_sleep",
            "dbms_pipe.receive",
            "dbms_lock.sleep",
            "randomblob(",
        ])
    });
    stand_in(&NAMES, lower)
        || lower.match_indices("sleep(").any(|(at, name)| {
            let argument = lower[at + name.len()..].trim_start_matches('(').trim_start();
            argument.starts_with(|c: char| c.is_ascii_digit()) || argument.starts_with("__time")
        })
}

/// Looked for all at once.
type Names = LazyLock<Option<AhoCorasick>>;

fn names(names: &[&str]) -> Option<AhoCorasick> {
    AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(names).ok()
}

fn stand_in(names: &Names, lower: &str) -> bool {
    names.as_ref().is_some_and(|names| names.is_match(lower))
}

/// Names that only someone feeling for the database's inside writes into a value.
fn names_internals(lower: &str) -> bool {
    static NAMES: Names = LazyLock::new(|| {
        names(&[
            "extractvalue(",
            "updatexml(",
            "xp_",
            "sp_executesql",
            "sp_oacreate",
            "load_file(",
            "into outfile",
            "into dumpfile",
            "dbms_",
            "utl_http",
            "utl_inaddr",
            "utl_file",
            "information_schema",
            "@@version",
            "@@hostname",
            "@@basedir",
            "sysobjects",
            "syscolumns",
            "sysusers",
            "sys.databases",
            "all_tables",
            "user_tables",
            "pg_catalog",
            "pg_shadow",
            "pg_user",
            "sqlite_master",
            "current_setting(",
            "convert(int",
            "cast(version",
            "char(",
            "chr(",
            "0x3a",
            "concat(0x",
            "group_concat(",
            "user_name()",
            "db_name()",
            "version()",
            "system_user",
            "ctxsys",
            "xmltype(",
            "openrowset(",
            "lo_import(",
            "copy (select",
            "pg_read_file",
            "rlike (",
            "exp(~",
            "name()=",
            "table_name",
            "column_name",
            "masterdb",
            "master..",
            "md5(",
            "ascii(substr",
            "substring(@@",
            "substr((",
            "rownum",
            "exec(",
            "exec sp",
            "exec xp",
            "bulk insert",
        ])
    });
    stand_in(&NAMES, lower)
}

fn is_stacked(lower: &str, words: &[&str]) -> bool {
    lower.contains(';')
        && (follows(
            words,
            &[
                ("drop", "table"),
                ("drop", "database"),
                ("drop", "view"),
                ("delete", "from"),
                ("insert", "into"),
                ("update", "users"),
                ("shutdown", "with"),
                ("exec", "xp_cmdshell"),
                ("exec", "master"),
                ("truncate", "table"),
                ("alter", "table"),
                ("create", "user"),
                ("create", "table"),
                ("grant", "all"),
                ("backup", "database"),
                ("declare", "@s"),
            ],
        ) || [";shutdown", "; shutdown", ";exec", "; exec", ";declare", "; declare", ";select ", "; select "]
            .iter()
            .any(|s| lower.contains(s)))
}

/// `or 1=1`, `or 'a'='a'`, `|| 1=1`, `and 1=2`, `or true`, `or x=x`.
fn has_tautology(lower: &str) -> bool {
    joints(lower, &["or", "and", "||", "&&", "xor", "having", "where", "not"])
}

fn has_or_tautology(lower: &str) -> bool {
    joints(lower, &["or", "||", "xor", "having"])
}

fn joints(lower: &str, joints: &[&str]) -> bool {
    // What `compares_constants` needs.
    if !OPERATORS.iter().chain(&["true"]).any(|word| lower.contains(word)) {
        return false;
    }
    for joint in joints {
        for (at, _) in lower.match_indices(joint).take(200) {
            let before = lower[..at].chars().next_back();
            let is_word = joint.starts_with(|c: char| c.is_alphabetic());
            if is_word && before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = &lower[at + joint.len()..];
            if is_word && rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = &rest[..rest.floor_char_boundary(64)];
            if compares_constants(rest.trim_start_matches([' ', '(', '\t', '\n', '!'])) {
                return true;
            }
        }
    }
    false
}

/// What stands between two constants. Without its bracket "in" is a word: "1 in 5 people".
const OPERATORS: [&str; 11] = ["=", "<", ">", "like", "!=", "-", "&", "^", "*", "in (", "in("];

/// A quoted or bare word and its length.
fn constant(text: &str) -> Option<(&str, usize)> {
    match text.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        Some(quote) => {
            // Doubled quotes are those of a value in a value.
            let doubled =
                usize::from(text[1..].starts_with(quote) && text[2..].starts_with(|c: char| c.is_alphanumeric()));
            let body = &text[1 + doubled..];
            let end = body.find(quote)?;
            (end <= 20).then_some((&body[..end], end + 2 + 2 * doubled))
        }
        None => {
            let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
            (end > 0 && end <= 20).then_some((&text[..end], end))
        }
    }
}

fn compares_constants(rest: &str) -> bool {
    let is_quoted = rest.starts_with(['\'', '"']);
    let Some((left, length)) = constant(rest) else { return false };
    let is_number = left.bytes().all(|byte| byte.is_ascii_digit());
    let tail = rest.get(length..).unwrap_or("").trim_start();
    if left == "true" && tail.len() < 8 || is_number && !left.is_empty() && tail.starts_with("--") {
        return true;
    }
    let Some(tail) = OPERATORS.iter().find_map(|operator| tail.strip_prefix(operator)) else { return false };
    let tail = tail.trim_start_matches(['=', '>', ' ', '(']);
    match constant(tail) {
        // Words that are no constants must be equal: `x=x`.
        Some((right, _)) if !is_quoted && !is_number => left == right && left.len() <= 6,
        Some((right, _)) => {
            is_quoted == tail.starts_with(['\'', '"']) || is_number && right.bytes().all(|byte| byte.is_ascii_digit())
        }
        // The last quote is often left open for the query to close.
        None => (is_quoted || is_number) && tail.starts_with(['\'', '"']) && tail.len() <= left.len() + 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_break_out() {
        for text in [
            "x' OR '1'='1",
            "1; DROP TABLE users --",
            "' UNION SELECT password FROM users--",
            "admin' --",
            "admin' #",
            "admin\"/*",
            " ORDER BY 21# ",
            "'; waitfor delay '0:0:5'--",
            "1 or sleep(5)#",
            "' or ''&'",
            "\" or \"\"-\"",
            ")%20or%20('x'='x",
            "1 and user_name() = 'dbo'",
            "',NULL,NULL)%20waitfor%20delay%20'0:0:20'%20--",
            "' or 1 in (select @@version)--",
            "1) or pg_sleep(5)--",
            " OR x=x",
            "x' or 'a' in ('a')",
            "1 or 1 in(1)",
        ] {
            assert_eq!(find(text, Role::ArgumentName).len(), 1, "{text}: {}", weigh(text));
        }
    }

    #[test]
    fn prose_with_quotes_and_lists() {
        for text in [
            "* \"tool sub\" learned the \"--format\" option, and others like it.",
            "under \"--prune-empty\" or with a list",
            "3) The Software, modified or unmodified, in part or in whole,",
            "- `tool` with both of them, as well as in 32-bit mode",
            "- \"fetch\" no longer allocates or registers a value when none exists (#84).",
        ] {
            assert!(find(text, Role::ArgumentText).is_empty(), "{text}: {}", weigh(text));
        }
    }

    #[test]
    fn queries_with_a_value_that_became_sql() {
        for payload in [
            "x' OR '1'='1",
            " ORDER BY 29-- ",
            "' or 1=1--",
            "admin' --",
            "1) or sleep(5)#",
            "' union select null, null --",
            "\" or \"x\"=\"x",
        ] {
            let query = format!("SELECT * FROM users WHERE name = '{payload}'");
            assert_eq!(find(&query, Role::ArgumentSql).len(), 1, "{query}");
        }
    }

    #[test]
    fn honest_values_and_queries() {
        for text in [
            "O'Brien",
            "rock 'n' roll",
            "Select a union rep and order lunch or dinner",
            "Tom and Jerry",
            "5 or 6 people",
            "C# or F#",
            "how to use order by 2 columns in SQL?",
            "What's the 'best' option -- this or that?",
            "2024-01-01 and later",
            "It's 5 o'clock (or later)",
            "vim -- an editor",
            "order by phone",
            "size 10 and up",
            "1 or 2 in 10 people",
        ] {
            for role in [Role::ArgumentName, Role::ArgumentText] {
                assert!(find(text, role).is_empty(), "{text}: {}", weigh(text));
            }
        }
        for query in [
            "SELECT 1; SELECT 2",
            "SELECT * FROM a WHERE x = 'it''s' AND 1=1",
            "SELECT name FROM users WHERE name = 'O''Brien' OR age = 3",
            "SELECT * FROM t WHERE d > '2024-01-01' ORDER BY 2 -- newest first",
            "SELECT a FROM b WHERE c LIKE '%--%'",
            "SELECT a, 'x' FROM b UNION ALL SELECT c, 'y' FROM d",
            "UPDATE t SET a = 'b # c' WHERE id = 4",
            "SELECT * FROM information_schema.tables WHERE table_schema = 'public'",
            "INSERT INTO t VALUES ('a', 'it is 1 or 2; fine')",
        ] {
            assert!(find(query, Role::ArgumentSql).is_empty(), "{query}");
        }
    }
}
