//! Terminal control sequences that hide or rewrite what a person sees. Colours and styles are ordinary in logs.

use super::Match;
use crate::normal::escape_len;
use serde::Deserialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Text set invisible (SGR 8), or foreground equal to background.
    Conceal,
    /// Cursor moves up, back or to a place, and erasing: what was printed is replaced.
    Rewrite,
    /// Operating system commands beyond title and links: clipboard, palette, device control.
    Command,
}

pub fn find(text: &str, kinds: &[Kind]) -> Vec<Match> {
    for (at, _) in text.match_indices('\u{1b}') {
        let end = text.ceil_char_boundary((at + escape_len(&text[at..])).min(text.len()));
        let sequence = &text[at..end];
        if kind_of(sequence).is_some_and(|kind| kinds.contains(&kind)) {
            return vec![Match { range: at..end, reading: Some(format!("ESC{}", &sequence[1..])) }];
        }
    }
    Vec::new()
}

fn kind_of(sequence: &str) -> Option<Kind> {
    let rest = &sequence[1..];
    if let Some(control) = rest.strip_prefix('[') {
        let last = control.chars().next_back()?;
        let numbers = &control[..control.len() - last.len_utf8()];
        return match last {
            'm' => {
                let codes: Vec<&str> = numbers.split([';', ':']).collect();
                // 38 and 48 start colours whose parameters may be 8.
                let conceals = codes.contains(&"8") && !codes.contains(&"38") && !codes.contains(&"48");
                conceals.then_some(Kind::Conceal)
            }
            // Progress bars redraw their own line (K, G, one A); clearing the screen or going to a place is more.
            'H' | 'f' | 'J' | 'F' | 'd' | 'S' | 'T' => Some(Kind::Rewrite),
            'A' => Some(Kind::Rewrite),
            _ => None,
        };
    }
    let command = rest.strip_prefix(']')?;
    let is_harmless =
        ["0;", "1;", "2;", "8;", "7;", "9;", "133;", "633;", "1337;"].iter().any(|start| command.starts_with(start));
    (!is_harmless).then_some(Kind::Command)
}
