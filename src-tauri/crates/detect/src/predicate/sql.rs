//! SQL that breaks out of a value: a closing quote followed by a condition that is always true, a second statement, a
//! UNION, or a comment that swallows the rest. For fields that are not SQL themselves.

use super::Match;

const MAX_BYTES: usize = 32 * 1024;

pub fn find(text: &str) -> Vec<Match> {
    if text.len() > MAX_BYTES {
        return Vec::new();
    }
    let lower = text.to_ascii_lowercase().replace("/**/", " ").replace('+', " ");
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '@').filter(|word| !word.is_empty()).collect();
    let follows =
        |pairs: &[(&str, &str)]| words.windows(2).any(|two| pairs.iter().any(|(a, b)| two[0] == *a && two[1] == *b));
    let quote = lower.find(['\'', '"', ')']);
    let ends_in_comment =
        ["--", "#", "/*", ";%00", "-- -"].iter().any(|mark| lower.trim_end().ends_with(mark)) || lower.contains("-- ");
    let functions = [
        "sleep(",
        "benchmark(",
        "pg_sleep(",
        "waitfor delay",
        "extractvalue(",
        "updatexml(",
        "xp_cmdshell",
        "load_file(",
        "into outfile",
        "dbms_pipe",
        "utl_http",
        "randomblob(",
        "information_schema",
        "@@version",
        "sysobjects",
    ];
    let calls_function = functions.iter().any(|name| lower.contains(name));
    let tautology = is_tautology(&lower);
    let union = words
        .windows(3)
        .any(|w| w[0] == "union" && (w[1] == "select" || w[1] == "all" && w[2] == "select" || w[1] == "distinct"));
    let stacked = lower.contains(';')
        && follows(&[
            ("drop", "table"),
            ("drop", "database"),
            ("delete", "from"),
            ("insert", "into"),
            ("update", "users"),
            ("shutdown", "with"),
            ("exec", "xp_cmdshell"),
            ("truncate", "table"),
            ("alter", "table"),
        ]);
    let logic = words
        .iter()
        .any(|word| matches!(*word, "or" | "and" | "having" | "order" | "group" | "where" | "select" | "if"));
    let breaks_out = quote.is_some_and(|at| at < 40) || lower.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let hit = tautology && (breaks_out || ends_in_comment)
        || union && (breaks_out || ends_in_comment || lower.len() < 200 && words[0] == "union")
        || stacked && (breaks_out || ends_in_comment)
        || calls_function && (breaks_out || logic || ends_in_comment)
        || quote.is_some_and(|at| at < 40) && ends_in_comment && logic && words.len() <= 12;
    if hit { vec![Match { range: 0..text.len(), reading: None }] } else { Vec::new() }
}

/// `or 1=1`, `or 'a'='a'`, `|| 1=1`, `and 1=2`, `or true`.
fn is_tautology(lower: &str) -> bool {
    for joint in ["or", "and", "||", "&&", "xor", "having"] {
        for (at, _) in lower.match_indices(joint) {
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
            if compares_constants(rest.trim_start_matches([' ', '(', '\t', '\n'])) {
                return true;
            }
        }
    }
    false
}

fn compares_constants(rest: &str) -> bool {
    let constant = |text: &str| -> Option<(String, usize)> {
        let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'));
        match quote {
            Some(quote) => {
                let end = text[1..].find(quote)?;
                (end <= 20).then(|| (text[1..=end].to_owned(), end + 2))
            }
            None => {
                let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
                let word = &text[..end];
                let is_constant = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) || word == "true";
                is_constant.then(|| (word.to_owned(), end))
            }
        }
    };
    let Some((left, length)) = constant(rest) else { return false };
    let tail = rest[length..].trim_start();
    if left == "true" && tail.len() < 8 {
        return true;
    }
    let Some(tail) = ["=", "<", ">", "like", "!="].iter().find_map(|op| tail.strip_prefix(op)) else { return false };
    let tail = tail.trim_start_matches(['=', '>', ' ']);
    // The last quote is often left open for the query to close.
    constant(tail).is_some() || tail.starts_with(['\'', '"']) && tail.len() <= left.len() + 4
}
