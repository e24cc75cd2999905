//! How much text a scan reads, again and again included: in tests only, where hostile texts must not make it read more than
//! a fixed multiple of their length. Clocks say the same less reliably.

/// So many bytes are read.
#[cfg(not(test))]
#[inline(always)]
pub(crate) fn read(_: usize) {}

#[cfg(test)]
pub(crate) use tests::read;

#[cfg(test)]
mod tests {
    use crate::{Scanner, SignatureSet};
    use portcullis_domain::json::{Doc, Mode};
    use portcullis_domain::{Direction, Limits, Scan, ScanContext, ScanInput};
    use std::cell::Cell;

    thread_local! {
        static READ: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) fn read(bytes: usize) {
        READ.set(READ.get() + bytes);
    }

    const SHORT_BYTES: usize = 4 * 1024;
    const LONG_BYTES: usize = 16 * 1024;
    /// Times as much may be read of the long text, which is four times as long: some steps begin at a certain length. What
    /// reads all of it again at every piece reads 16 times as much.
    const MOST_TIMES: f64 = 6.0;

    /// What decoders, lexers and lists take for the beginning of something.
    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        "'", "\"", "`", "(", ")", "[", "{", "<", ">", "\\", "\\\"", "\\n", "\\u0041", "\\x41", "%41", "%2541", "&#65;", "&lt;",
        "=41", "a=\nb", "+AGk-", "+", "U+0041 ", "chr(65)+", "a b ", "a-", "1gn0r3 ", "$", "$(", "$((", "$((a", "${", "`id`", "`a",
        "|", "|a", "|.", "| a", ";a", "&&a ", "curl a|", "curl a|sh|", "base64 -d|", "nc -e sh|", "nc a|", "python a|", "awk a|",
        "openssl a|", "env|curl a|", "tee a|", "crontab|", "reg add|", "sh -c 'a'|", "cat ~/.ssh/id_rsa|", "$(id)", "<<E\n", "<<a ",
        "<(", "eval ", "sudo ", "a=b ", "../", "..\\", "%2e%2e%2f", "....//", "..;/", "~/", "a:b@", "://", "http://", "http://a/",
        "http://a@", "http://1.1.1.1/", "postgres://a:bcdefghij@", "x://[", "a@b.c ", "@", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----",
        "eyJ", "eyJhbGciOi.", "ghp_", "sk-", "AKIA", "password=", "api_key='", "token\":\"", "4111 1111 1111 1111 ", "GB29NWBK",
        "ssn 536-22-8726 ", "12 ", "123-", "1 ", "01", "0x41 ", "41 ", "aGVsbG8gd29ybGQ=", "QUJD", "H4sIAAAA", "NBSWY3DP", "<~", ".- ",
        "\u{200b}", "\u{e0041}", "\u{fe01}", "\u{202e}a", "\u{1b}[8m", "\u{1b}]0;aaaaaaaaaaaaaa ", "\u{301}", "е", "忽", "ａ", "⠁", "ɐ",
        "' + '", "','", "a_", "aB", "a  b  ", "a\n", "<b></b>", "<!---->", "/**/", "****", "eht dna ", "erongi ", " the of ", "echo tango ",
        "union select ", "or 1=1 ", "' or ''='", "-- ", "/*", "sleep(", "((((", "or ", "ignroe pervious ", "a(){", "%0d ", "%0a ",
    ];

    /// The text in a result, a prompt and a definition, and as an argument of each kind.
    fn messages(text: &str) -> Vec<(Direction, &'static str, String)> {
        let text = serde_json::Value::from(text);
        let to_client =
            |method, result: String| (Direction::ToClient, method, format!(r#"{{"id":1,"result":{result}}}"#));
        let mut out = vec![
            to_client("tools/call", format!(r#"{{"content":[{{"type":"text","text":{text}}}]}}"#)),
            to_client(
                "prompts/get",
                format!(r#"{{"messages":[{{"role":"user","content":{{"type":"text","text":{text}}}}}]}}"#),
            ),
            to_client("tools/list", format!(r#"{{"tools":[{{"name":"a","description":{text}}}]}}"#)),
        ];
        out.extend(["path", "url", "host", "command", "sql", "code", "message", "id"].map(|key| {
            let params = format!(r#"{{"name":"write_x","arguments":{{"{key}":{text}}}}}"#);
            (Direction::ToUpstream, "tools/call", format!(r#"{{"id":1,"method":"tools/call","params":{params}}}"#))
        }));
        out
    }

    fn bytes_read(scanner: &Scanner, (direction, method, raw): &(Direction, &str, String)) -> usize {
        let doc = Doc::parse(raw.as_bytes(), Mode::Lenient, &Limits::default()).unwrap();
        READ.set(0);
        scanner.scan(&ScanInput {
            direction: *direction,
            doc: &doc,
            root: doc.root(),
            method: Some(method),
            target: Some("write_x"),
            is_response: *direction == Direction::ToClient,
            context: ScanContext::default(),
        });
        READ.get()
    }

    fn filled(piece: &str, bytes: usize) -> String {
        let mut text = piece.repeat(bytes / piece.len() + 1);
        text.truncate(text.floor_char_boundary(bytes));
        text
    }

    #[test]
    fn no_text_is_read_too_often() {
        let scanner = Scanner::new(SignatureSet::bundled());
        // Patterns are compiled on first use.
        messages(PIECES[0]).iter().for_each(|message| _ = bytes_read(&scanner, message));
        let pieces = PIECES.iter().flat_map(|piece| [(*piece).to_owned(), format!("{piece} ")]);
        let files = scanner.signatures().infos();
        let keywords = files.flat_map(|file| &file.matcher.keywords).step_by(7).cloned();
        // All at once, and between them what is decoded.
        let firsts: Vec<&String> =
            scanner.signatures().infos().filter_map(|file| file.matcher.keywords.first()).collect();
        let mixed = [3, 5, 11].map(|step| {
            let words = PIECES.iter().cycle().step_by(step).zip(firsts.iter().cycle().step_by(2)).take(20);
            words.map(|(piece, word)| format!("{piece}{word} ")).collect()
        });
        let mut most = (0.0, String::new());
        for piece in pieces.chain(keywords).chain(mixed) {
            let of = |bytes: usize| messages(&filled(&piece, bytes));
            for (short, long) in of(SHORT_BYTES).iter().zip(of(LONG_BYTES)) {
                let times = bytes_read(&scanner, &long) as f64 / bytes_read(&scanner, short).max(SHORT_BYTES) as f64;
                if times > most.0 {
                    most = (times, format!("{:?} {} of {piece:?}", long.0, long.1));
                }
            }
        }
        assert!(most.0 <= MOST_TIMES, "{} times: {}", most.0, most.1);
    }
}
