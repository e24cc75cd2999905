//! The only writer to the terminal. Text from servers and configs is hostile: what could move the cursor, hide text or
//! turn it around is printed as its code point.

use std::io::{self, Write as _};

/// `text` on one line, every control, bidirectional and invisible character spelled out.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// As `visible`, but line breaks stay.
pub fn visible_lines(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// Several lines as one, for a table.
pub fn in_one_line(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join(" | ")
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// At most `width` characters, cut in the middle.
pub fn shortened(text: &str, width: usize) -> String {
    let text = visible(text);
    let length = text.chars().count();
    if length <= width || width < 5 {
        return text;
    }
    let head = width / 2;
    let tail = width - head - 1;
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(length - tail).collect();
    format!("{start}…{end}")
}

/// Prints a line. Fails when nobody reads any more (a closed pipe), and then the command ends.
pub fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")
}

pub fn say_json(value: &impl serde::Serialize) -> io::Result<()> {
    say(&serde_json::to_string_pretty(value).map_err(io::Error::other)?)
}

/// Columns padded to their widest cell; the last one is not padded.
pub fn table(rows: &[Vec<String>]) -> io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|n| rows.iter().filter_map(|row| row.get(n)).map(|c| c.chars().count()).max().unwrap_or(0))
        .collect();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        say(cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// Asks on the terminal; None when there is no terminal to ask on.
pub fn ask(question: &str) -> io::Result<Option<bool>> {
    use std::io::IsTerminal as _;
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(None);
    }
    let mut err = io::stderr().lock();
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(Some(matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")))
}

/// A line from the terminal; None when there is no terminal to ask on.
pub fn read_line(question: &str) -> io::Result<Option<String>> {
    use std::io::IsTerminal as _;
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(None);
    }
    let mut err = io::stderr().lock();
    write!(err, "{question}")?;
    err.flush()?;
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line)?;
    Ok((read > 0).then_some(line))
}

/// Unix milliseconds as local time, for reading.
pub fn time(at: portcullis_domain::UnixMs) -> String {
    match jiff::Timestamp::from_millisecond(at) {
        Ok(time) => time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_on_a_terminal_gets_through() {
        let hostile = "a\u{1b}[8mb\u{202e}c\u{200b}d\u{e0041}e\rf\u{9b}g\nh\u{7}";
        let shown = visible(hostile);
        assert_eq!(shown, "a\\u{1b}[8mb\\u{202e}c\\u{200b}d\\u{e0041}e\\u{d}f\\u{9b}g\\u{a}h\\u{7}");
        assert_eq!(visible("Zürich → 東京 ✓ 'x'"), "Zürich → 東京 ✓ 'x'");
        assert_eq!(visible_lines("a\n\u{1b}b"), "a\n\\u{1b}b");
    }

    #[test]
    fn long_names_are_cut_in_the_middle() {
        assert_eq!(shortened("abcdefghij", 7), "abc…hij");
        assert_eq!(shortened("abc", 7), "abc");
    }
}
