//! Normalised text: what a pattern is matched against. Compatibility forms, accents, case, homoglyphs, invisible and
//! terminal control characters are taken away; every byte knows where it came from.

use crate::needs::Grams;
use crate::work;
use memchr::{memchr, memchr2};
use std::cell::OnceCell;
use std::ops::Range;
use unicode_normalization::char::decompose_compatible;

/// Lower-case, folded text with a map back to the text it was made of.
pub struct Normal {
    pub text: String,
    /// Where the parts of the text came from; None: offsets are equal.
    map: Option<Vec<Stretch>>,
    source_bytes: usize,
    grams: OnceCell<Box<Grams>>,
}

/// From `normal` on, the text came from `source` on: byte by byte, or all of it from the one character there.
struct Stretch {
    normal: u32,
    source: u32,
    is_plain: bool,
}

impl Normal {
    pub fn of(source: &str) -> Self {
        work::read(source.len());
        let bytes = source.as_bytes();
        let source_bytes = bytes.len();
        let plain = plain_bytes(bytes);
        if plain == bytes.len() {
            return Self::new(source.to_ascii_lowercase(), None, source_bytes);
        }
        let mut text = String::with_capacity(source.len());
        let mut map: Vec<Stretch> = Vec::new();
        let mut at = 0;
        let mut end = plain;
        loop {
            if end > at {
                map.push(Stretch { normal: text.len() as u32, source: at as u32, is_plain: true });
                text.push_str(&source[at..end]);
                at = end;
            }
            let Some(c) = source[at..].chars().next() else { break };
            if c == '\u{1b}' {
                at = source.ceil_char_boundary((at + escape_len(&source[at..])).min(source.len()));
            } else {
                if !c.is_ascii() && !is_invisible(c) {
                    let stretch = Stretch { normal: text.len() as u32, source: at as u32, is_plain: false };
                    push_folded(&mut text, c);
                    if text.len() > stretch.normal as usize {
                        map.push(stretch);
                    }
                }
                at += c.len_utf8();
            }
            end = at + plain_bytes(&bytes[at..]);
        }
        text.make_ascii_lowercase();
        Self::new(text, Some(map), source_bytes)
    }

    fn new(text: String, map: Option<Vec<Stretch>>, source_bytes: usize) -> Self {
        Self { text: unescape(text), map, source_bytes, grams: OnceCell::new() }
    }

    /// Which bytes follow one another in the text.
    pub(crate) fn grams(&self) -> &Grams {
        self.grams.get_or_init(|| Box::new(Grams::of(self.text.as_bytes())))
    }

    /// The range of the source that `range` of the normalised text came from.
    pub fn source_range(&self, range: Range<usize>) -> Range<usize> {
        let Some(map) = &self.map else { return range };
        let start = self.source_of(map, range.start);
        start..self.source_of(map, range.end).max(start)
    }

    fn source_of(&self, map: &[Stretch], index: usize) -> usize {
        if index >= self.text.len() {
            return self.source_bytes;
        }
        let after = map.partition_point(|stretch| stretch.normal as usize <= index);
        let Some(stretch) = after.checked_sub(1).and_then(|at| map.get(at)) else { return 0 };
        let inside = if stretch.is_plain { index - stretch.normal as usize } else { 0 };
        stretch.source as usize + inside
    }
}

/// How many bytes at the start print as themselves.
fn plain_bytes(bytes: &[u8]) -> usize {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t' | b'\r');
    let mut at = 0;
    // Blocks without a branch inside, which compilers turn into vector code.
    for block in bytes.chunks_exact(32) {
        if !block.iter().fold(true, |plain, byte| plain & is_plain(*byte)) {
            break;
        }
        at += block.len();
    }
    at + bytes[at..].iter().take_while(|byte| is_plain(**byte)).count()
}

/// Compatibility form without accents, lower case, look-alikes as Latin letters.
fn push_folded(text: &mut String, c: char) {
    // Most ideographs stand for themselves.
    if matches!(c, '\u{4e00}'..='\u{9fff}') {
        return text.push(c);
    }
    if let Some(letter) = drawn_letter(c) {
        text.push(letter);
        return;
    }
    decompose_compatible(c, |c| {
        if !is_mark(c) {
            text.extend(c.to_lowercase().map(fold));
        }
    });
}

/// Marks drawn over, under, through or around the letter before them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}')
}

/// Latin letters in brackets, on dark discs and squares, and those that flags are made of.
fn drawn_letter(c: char) -> Option<char> {
    let first = match c {
        '\u{249c}'..='\u{24b5}' => 0x249c,
        '\u{1f110}'..='\u{1f129}' => 0x1f110,
        '\u{1f150}'..='\u{1f169}' => 0x1f150,
        '\u{1f170}'..='\u{1f189}' => 0x1f170,
        '\u{1f1e6}'..='\u{1f1ff}' => 0x1f1e6,
        _ => return None,
    };
    Some(char::from(b'a' + (u32::from(c) - first) as u8))
}

/// Text inside quoted text (JSON or YAML in a string) carries `\\n` and `\\"` spelled out; they would glue words together.
/// They become white space of the same length, so offsets stay.
/// Tabs become spaces, too: patterns know one kind of gap.
fn unescape(text: String) -> String {
    let first = memchr2(b'\\', b'\t', text.as_bytes());
    let Some(first) = first else { return text };
    let mut bytes = text.into_bytes();
    bytes[first..].iter_mut().for_each(|byte| *byte = if *byte == b'\t' { b' ' } else { *byte });
    let mut next = memchr(b'\\', &bytes[first..]).map(|n| first + n);
    while let Some(at) = next.filter(|at| at + 1 < bytes.len()) {
        match bytes[at + 1] {
            b'n' | b'r' => bytes[at..at + 2].copy_from_slice(b" \n"),
            b't' => bytes[at..at + 2].fill(b' '),
            b'"' | b'\'' | b'\\' | b'/' | b' ' | b'\n' => bytes[at] = b' ',
            _ => {}
        }
        next = memchr(b'\\', &bytes[at + 1..]).map(|n| at + 1 + n);
    }
    // Only ASCII bytes were replaced by ASCII bytes.
    String::from_utf8(bytes).unwrap_or_default()
}

/// Length in bytes of the terminal escape sequence at the start of `text` (which starts with ESC).
pub fn escape_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes.get(1) {
        Some(b'[') => {
            bytes[2..].iter().take(64).position(|byte| (0x40..=0x7e).contains(byte)).map_or(2, |n| n + 3).min(64)
        }
        Some(b']' | b'P' | b'_' | b'^' | b'X') => {
            let end = bytes[2..].iter().position(|&byte| byte == 0x07 || byte == 0x1b);
            end.map_or(2, |n| n + 3 + usize::from(bytes.get(n + 2) == Some(&0x1b))).min(bytes.len())
        }
        Some(byte) if byte.is_ascii() => 2,
        _ => 1,
    }
}

/// `char::is_alphanumeric`, without its tables for the letters of which most texts are made.
pub fn is_letter(c: char) -> bool {
    match c {
        '\0'..='\u{7f}' => c.is_ascii_alphanumeric(),
        '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2c1}' | '\u{400}'..='\u{481}' => true,
        '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '一'..='\u{9fff}' | '가'..='힣' => true,
        '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{3004}' | '\u{ff01}'..='\u{ff0f}' => false,
        c => c.is_alphanumeric(),
    }
}

/// Characters that print nothing, bidirectional controls and variation selectors among them.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Letters of other scripts that look like Latin ones, and typographic punctuation.
fn fold(c: char) -> char {
    match c {
        'а' | 'α' | 'ɑ' | 'ᴀ' | 'ɐ' | 'ꭺ' => 'a',
        'в' | 'β' | 'ʙ' | 'ᏼ' => 'b',
        'с' | 'ϲ' | 'ⅽ' | 'ᴄ' | 'ɔ' | 'ꮯ' => 'c',
        'ԁ' | 'ɗ' | 'ᴅ' | 'ꭰ' => 'd',
        'е' | 'ҽ' | 'ε' | 'ᴇ' | 'ǝ' | 'ə' | 'ꭼ' => 'e',
        'ꜰ' | 'ɟ' | 'ƒ' => 'f',
        'ɡ' | 'ց' | 'ɢ' | 'ƃ' | 'ꮐ' => 'g',
        'һ' | 'н' | 'η' | 'ʜ' | 'ɥ' | 'հ' | 'ꮋ' => 'h',
        'і' | 'ı' | 'ι' | 'ɩ' | 'ɪ' | 'ᴉ' | 'ꭵ' => 'i',
        'ј' | 'ᴊ' | 'ꭻ' => 'j',
        'к' | 'κ' | 'ᴋ' | 'ʞ' | 'ꮶ' => 'k',
        'ӏ' | 'ⅼ' | 'ʟ' | 'ꮮ' => 'l',
        'м' | 'μ' | 'ᴍ' | 'ɯ' | 'ꮇ' => 'm',
        'ո' | 'п' | 'ɴ' => 'n',
        'о' | 'ο' | 'օ' | 'σ' | 'ᴏ' => 'o',
        'р' | 'ρ' | 'ᴘ' | 'ꮲ' => 'p',
        'ԛ' => 'q',
        'г' | 'ɾ' | 'ʀ' | 'ɹ' | 'ꭱ' => 'r',
        'ѕ' | 'ꜱ' | 'ꮪ' => 's',
        'т' | 'τ' | 'ᴛ' | 'ʇ' | 'ꭲ' => 't',
        'υ' | 'ս' | 'ᴜ' => 'u',
        'ν' | 'ѵ' | 'ᴠ' | 'ʌ' | 'ꮩ' => 'v',
        'ԝ' | 'ω' | 'ѡ' | 'ᴡ' | 'ʍ' | 'ꮃ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' | 'ʏ' | 'ʎ' => 'y',
        'ʐ' | 'ᴢ' | 'ꮓ' => 'z',
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{201f}' | '\u{2033}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{2028}' | '\u{2029}' | '\u{85}' => '\n',
        '\u{2044}' | '\u{2215}' => '/',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn disguises_fall_away() {
        for (disguised, plain) in [
            ("IGNORE", "ignore"),
            ("ｉｇｎｏｒｅ", "ignore"),
            ("𝐢𝐠𝐧𝐨𝐫𝐞", "ignore"),
            ("іgnоrе", "ignore"),
            ("i\u{200b}g\u{200d}n\u{2060}ore", "ignore"),
            ("ig\u{e0041}\u{e0042}nore", "ignore"),
            ("i\u{301}gno\u{308}re", "ignore"),
            ("ígnöre", "ignore"),
            ("ig\u{1b}[8mno\u{1b}[0mre", "ignore"),
            ("ig\u{1b}]8;;http://x\u{7}nore", "ignore"),
            ("ig\u{8}nore", "ignore"),
            ("a\u{a0}b\u{2003}c", "a b c"),
            ("don\u{2019}t", "don't"),
            ("🅸🅶🅽🅾🆁🅴", "ignore"),
            ("🅘🅖🅝🅞🅡🅔", "ignore"),
            ("⒤⒢⒩⒪⒭⒠", "ignore"),
            ("🇮🇬🇳🇴🇷🇪", "ignore"),
            ("ɪɢɴᴏʀᴇ", "ignore"),
            ("i⃝g⃝n⃝o⃝r⃝e⃝", "ignore"),
            ("a\\nIgnore\\\n  \\ all", "a \nignore \n    all"),
        ] {
            assert_eq!(Normal::of(disguised).text, plain, "{disguised:?}");
        }
    }

    /// The definition of normalised text, one character after the other: (text, source offset of each byte, end).
    fn reference(source: &str) -> (String, Vec<usize>) {
        use unicode_normalization::UnicodeNormalization as _;
        let (mut text, mut map) = (String::new(), Vec::new());
        let mut skip_to = 0;
        for (at, c) in source.char_indices() {
            if at < skip_to {
                continue;
            }
            if c == '\u{1b}' {
                skip_to = at + escape_len(&source[at..]);
            } else if c.is_ascii() {
                if !c.is_ascii_control() || matches!(c, '\n' | '\t' | '\r') {
                    text.push(c.to_ascii_lowercase());
                }
            } else if !is_invisible(c) {
                match drawn_letter(c) {
                    Some(letter) => text.push(letter),
                    None => {
                        let bare = std::iter::once(c).nfkd().filter(|c| !is_mark(*c));
                        text.extend(bare.flat_map(char::to_lowercase).map(fold));
                    }
                }
            }
            map.resize(text.len(), at);
        }
        map.push(source.len());
        let mut bytes = text.replace('\t', " ").into_bytes();
        for at in 0..bytes.len().saturating_sub(1) {
            match (bytes[at], bytes[at + 1]) {
                (b'\\', b'n' | b'r') => bytes[at..at + 2].copy_from_slice(b" \n"),
                (b'\\', b't') => bytes[at..at + 2].fill(b' '),
                (b'\\', b'"' | b'\'' | b'\\' | b'/' | b' ' | b'\n') => bytes[at] = b' ',
                _ => {}
            }
        }
        (String::from_utf8(bytes).unwrap(), map)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        #[test]
        fn normalised_text_is_what_its_definition_says(
            plain in "[ -~\n\\\\]{0,90}",
            odd in "[a-zA-Z\\\\nrt\"éïİＩ\u{1d41a}가-힣一-三がｶﾞ\u{301}\u{200b}\u{e0041}\u{202e}\u{1b}\\[\\];0-9m\u{7}\u{0}а-яα-ω—“ﬁ½]{0,40}",
            any in any::<String>(),
        ) {
            for source in [format!("{plain}{odd}{plain}"), odd, any] {
                let normal = Normal::of(&source);
                let (text, map) = reference(&source);
                prop_assert_eq!(&normal.text, &text);
                for at in 0..text.len() {
                    prop_assert_eq!(normal.source_range(at..at + 1), map[at]..map[at + 1].max(map[at]));
                }
                prop_assert_eq!(normal.source_range(0..text.len()), map[0].min(source.len())..source.len());
            }
        }
    }

    #[test]
    fn ideographs_are_what_they_are() {
        use unicode_normalization::UnicodeNormalization as _;
        let folds = |c: &char| {
            std::iter::once(*c).nfkd().filter(|c| !is_mark(*c)).flat_map(char::to_lowercase).map(fold).ne([*c])
        };
        assert_eq!(('\u{4e00}'..='\u{9fff}').find(folds), None);
    }

    #[test]
    fn letters_are_what_unicode_calls_so() {
        assert_eq!(('\0'..=char::MAX).find(|c| is_letter(*c) != c.is_alphanumeric()), None);
    }

    #[test]
    fn ranges_lead_back() {
        let source = "xx ｉ\u{200b}gnore yy";
        let normal = Normal::of(source);
        let at = normal.text.find("ignore").unwrap();
        assert_eq!(&source[normal.source_range(at..at + 6)], "ｉ\u{200b}gnore");
    }
}
