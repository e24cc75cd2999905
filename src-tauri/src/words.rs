//! Turns names that servers and apps chose into text that is safe in a menu or a notification.
//! Menus read `&` as an access key; notification servers may read markup; both would obey bidirectional controls.

/// A name chosen by others: no control, invisible or markup characters, at most `limit` characters, cut in the middle.
pub fn plain(name: &str, limit: usize) -> String {
    let kept = name.chars().filter_map(|c| match c {
        '<' => Some('‹'),
        '>' => Some('›'),
        '&' => Some('+'),
        c if c.is_whitespace() => Some(' '),
        c if c.is_control() || is_invisible(c) => None,
        c => Some(c),
    });
    let kept: Vec<char> = kept.collect();
    if kept.len() <= limit {
        return kept.into_iter().collect();
    }
    let (head, tail) = (limit / 2, limit - limit / 2 - 1);
    kept[..head].iter().chain(['…'].iter()).chain(&kept[kept.len() - tail..]).collect()
}

/// Format characters that draw nothing or turn the reading direction, and the tag and variation blocks.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// `1 server`, `2 servers`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// `15:02`, in the machine's time zone.
pub fn time_of_day(at: portcullis_domain::UnixMs) -> String {
    jiff::Timestamp::from_millisecond(at)
        .map(|time| time.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_controls_and_invisible_text_do_not_survive() {
        assert_eq!(plain("<b>do\u{202e}cs</b>&\n\u{200b}\u{e0041}x\u{7}", 40), "‹b›docs‹/b›+ x");
    }

    #[test]
    fn long_names_are_cut_in_the_middle() {
        assert_eq!(plain("abcdefghij", 10), "abcdefghij");
        assert_eq!(plain("abcdefghijk", 6), "abc…jk");
        assert_eq!(plain(&"é".repeat(5000), 40).chars().count(), 40);
    }
}
