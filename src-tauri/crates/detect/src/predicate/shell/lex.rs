//! A POSIX shell lexer: quotes, escapes, substitutions, pipes, lists, redirections, here-documents. Answers with the
//! pipelines that would run, nested ones included. Recursion has a limit; what is deeper is plain text.

use crate::work;
use std::ops::Range;

const MAX_DEPTH: usize = 8;

/// Commands joined by `|`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pipeline {
    pub commands: Vec<Command>,
    /// Where it stands in the top-level text.
    pub range: Range<usize>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Command {
    pub words: Vec<Word>,
    /// Operator and target.
    pub redirects: Vec<(String, Word)>,
    pub heredoc: String,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Word {
    /// Quotes and escapes undone; `$HOME` as `~`, other expansions as they are written.
    pub text: String,
    /// What runs inside: `$(…)`, backticks, `<(…)`.
    pub inner: Vec<Pipeline>,
}

/// The pipelines of a script, outermost first, with those inside words after their own.
pub(crate) fn parse(text: &str) -> Vec<Pipeline> {
    work::read(text.len());
    let mut lexer = Lexer { bytes: text.as_bytes(), at: 0, depth: 0, frame: None };
    lexer.script(None)
}

struct Lexer<'t> {
    bytes: &'t [u8],
    at: usize,
    depth: usize,
    /// For text taken out of its place (backticks, `-c` strings): the range it stands for.
    frame: Option<Range<usize>>,
}

impl Lexer<'_> {
    fn script(&mut self, close: Option<u8>) -> Vec<Pipeline> {
        let mut out = Vec::new();
        let mut pipeline = Pipeline::default();
        let mut command = Command::default();
        let mut start = self.at;
        let mut heredocs: Vec<String> = Vec::new();
        while let Some(&byte) = self.bytes.get(self.at) {
            let next = self.bytes.get(self.at + 1).copied();
            let mut ends_pipeline = false;
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if next == Some(b'\n') => self.at += 2,
                _ if Some(byte) == close => {
                    self.at += 1;
                    break;
                }
                b'#' => self.at = self.line_end(),
                b'\n' => {
                    self.at += 1;
                    for mark in heredocs.drain(..) {
                        command.heredoc.push_str(&self.heredoc(&mark));
                    }
                    ends_pipeline = true;
                }
                b';' => {
                    self.at += 1;
                    ends_pipeline = true;
                }
                b'&' if next == Some(b'&') => {
                    self.at += 2;
                    ends_pipeline = true;
                }
                b'&' if next != Some(b'>') => {
                    self.at += 1;
                    ends_pipeline = true;
                }
                b'|' if next == Some(b'|') => {
                    self.at += 2;
                    ends_pipeline = true;
                }
                b'|' => {
                    self.at += if next == Some(b'&') { 2 } else { 1 };
                    pipeline.commands.push(std::mem::take(&mut command));
                }
                b'(' | b')' | b'{' | b'}'
                    if byte == b'(' || byte == b')' || next.is_none_or(|b| b.is_ascii_whitespace() || b == b';') =>
                {
                    self.at += 1;
                }
                b'<' | b'>' | b'&' => self.redirect(&mut command, &mut heredocs),
                _ => {
                    let word = self.word(close);
                    command.words.push(word);
                }
            }
            if ends_pipeline {
                self.close(&mut out, &mut pipeline, &mut command, &mut start);
            }
        }
        self.close(&mut out, &mut pipeline, &mut command, &mut start);
        out
    }

    fn close(&mut self, out: &mut Vec<Pipeline>, pipeline: &mut Pipeline, command: &mut Command, start: &mut usize) {
        pipeline.commands.push(std::mem::take(command));
        pipeline.commands.retain(|command| !command.words.is_empty() || !command.redirects.is_empty());
        let mut done = std::mem::take(pipeline);
        done.range = self.frame.clone().unwrap_or(*start..self.at.min(self.bytes.len()));
        *start = self.at;
        if !done.commands.is_empty() {
            out.push(done);
        }
    }

    fn line_end(&self) -> usize {
        self.bytes[self.at..].iter().position(|byte| *byte == b'\n').map_or(self.bytes.len(), |n| self.at + n)
    }

    fn redirect(&mut self, command: &mut Command, heredocs: &mut Vec<String>) {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(b"<(") || rest.starts_with(b">(") {
            self.at += 2;
            let inner = self.nested(b')');
            command.words.push(Word { text: "<()".into(), inner });
            return;
        }
        let length = rest.iter().take(3).take_while(|byte| matches!(byte, b'<' | b'>' | b'&' | b'|')).count().max(1);
        let operator = String::from_utf8_lossy(&rest[..length]).into_owned();
        self.at += length;
        if operator == "<<" && self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        let target = self.word(None);
        if operator == "<<" {
            heredocs.push(target.text);
        } else {
            command.redirects.push((operator, target));
        }
    }

    fn heredoc(&mut self, mark: &str) -> String {
        let start = self.at;
        while self.at < self.bytes.len() {
            let line = self.at..self.line_end();
            self.at = (line.end + 1).min(self.bytes.len());
            if String::from_utf8_lossy(&self.bytes[line.clone()]).trim() == mark {
                return String::from_utf8_lossy(&self.bytes[start..line.start]).into_owned();
            }
        }
        String::from_utf8_lossy(&self.bytes[start..]).into_owned()
    }

    /// A script inside this text, up to `close`.
    fn nested(&mut self, close: u8) -> Vec<Pipeline> {
        if self.depth >= MAX_DEPTH {
            return Vec::new();
        }
        self.depth += 1;
        let inner = self.script(Some(close));
        self.depth -= 1;
        inner
    }

    fn word(&mut self, close: Option<u8>) -> Word {
        let mut text: Vec<u8> = Vec::new();
        let mut inner = Vec::new();
        let start = self.at;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'|' | b'<' | b'>' | b'(' | b')' => break,
                b'&' => break,
                _ if Some(byte) == close => break,
                b'\\' => {
                    text.extend(self.bytes.get(self.at + 1).filter(|byte| **byte != b'\n'));
                    self.at += 2;
                }
                b'\'' => self.single(&mut text),
                b'"' => self.double(&mut text, &mut inner),
                b'`' => inner.extend(self.backticks(&mut text)),
                b'$' => {
                    if self.bytes[self.at..].starts_with(b"${IFS}") || self.bytes[self.at..].starts_with(b"$IFS") {
                        self.at += if self.bytes.get(self.at + 1) == Some(&b'{') { 6 } else { 4 };
                        if self.bytes[self.at..].starts_with(b"$9") {
                            self.at += 2;
                        }
                        break;
                    }
                    self.dollar(&mut text, &mut inner);
                }
                _ => {
                    text.push(byte);
                    self.at += 1;
                }
            }
        }
        if self.at == start {
            self.at += 1;
        }
        self.at = self.at.min(self.bytes.len());
        Word { text: String::from_utf8_lossy(&text).into_owned(), inner }
    }

    fn single(&mut self, text: &mut Vec<u8>) {
        let body = self.at + 1;
        let end = self.bytes[body..].iter().position(|byte| *byte == b'\'').map_or(self.bytes.len(), |n| body + n);
        text.extend_from_slice(&self.bytes[body..end]);
        self.at = (end + 1).min(self.bytes.len());
    }

    fn double(&mut self, text: &mut Vec<u8>, inner: &mut Vec<Pipeline>) {
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'"' => {
                    self.at += 1;
                    return;
                }
                b'\\' => {
                    let next = self.bytes.get(self.at + 1).copied();
                    if !matches!(next, Some(b'"' | b'\\' | b'$' | b'`' | b'\n')) {
                        text.push(byte);
                    }
                    text.extend(next);
                    self.at += 2;
                }
                b'`' => inner.extend(self.backticks(text)),
                b'$' => self.dollar(text, inner),
                _ => {
                    text.push(byte);
                    self.at += 1;
                }
            }
        }
    }

    fn dollar(&mut self, text: &mut Vec<u8>, inner: &mut Vec<Pipeline>) {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(b"$(") {
            self.at += 2;
            inner.extend(self.nested(b')'));
            text.extend_from_slice(b"$()");
        } else if rest.starts_with(b"$'") {
            self.at += 1;
            let from = text.len();
            self.single(text);
            let decoded = ansi_c(&text[from..]);
            text.truncate(from);
            text.extend(decoded);
        } else if rest.starts_with(b"${HOME}") {
            self.at += 7;
            text.push(b'~');
        } else if rest.starts_with(b"$HOME") {
            self.at += 5;
            text.push(b'~');
        } else {
            text.push(b'$');
            self.at += 1;
        }
    }

    fn backticks(&mut self, text: &mut Vec<u8>) -> Vec<Pipeline> {
        let body = self.at + 1;
        let Some(length) = self.bytes[body.min(self.bytes.len())..].iter().position(|byte| *byte == b'`') else {
            text.push(b'`');
            self.at += 1;
            return Vec::new();
        };
        self.at = body + length + 1;
        text.extend_from_slice(b"$()");
        let frame = self.frame.clone().unwrap_or(body..body + length);
        inner_script(&self.bytes[body..body + length], frame, self.depth + 1)
    }
}

/// The pipelines of a script that stands in a string.
pub(crate) fn inner_script(bytes: &[u8], frame: Range<usize>, depth: usize) -> Vec<Pipeline> {
    if depth > MAX_DEPTH {
        return Vec::new();
    }
    Lexer { bytes, at: 0, depth, frame: Some(frame) }.script(None)
}

/// `\x41`, `\101`, `\n` inside `$'…'`.
fn ansi_c(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = |from: usize, max: usize, radix: u32| {
            let run = bytes[from.min(bytes.len())..].iter().take(max).map_while(|byte| (*byte as char).to_digit(radix));
            run.fold((0u32, 0), |(value, count), digit| (value * radix + digit, count + 1))
        };
        if bytes[at] != b'\\' {
            out.push(bytes[at]);
            at += 1;
            continue;
        }
        let (value, length) = match bytes.get(at + 1) {
            Some(b'x') => {
                let (value, count) = digits(at + 2, 2, 16);
                (value, count + 2)
            }
            Some(b'0'..=b'7') => {
                let (value, count) = digits(at + 1, 3, 8);
                (value, count + 1)
            }
            Some(b'n') => (u32::from(b'\n'), 2),
            Some(b't') => (u32::from(b'\t'), 2),
            Some(byte) => (u32::from(*byte), 2),
            None => (u32::from(b'\\'), 1),
        };
        out.push((value & 0xff) as u8);
        at += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Vec<Vec<String>>> {
        let command = |command: Command| command.words.into_iter().map(|word| word.text).collect();
        parse(text).into_iter().map(|pipeline| pipeline.commands.into_iter().map(command).collect()).collect()
    }

    #[test]
    fn what_would_run() {
        assert_eq!(
            words("npm test && npm run lint"),
            [[["npm", "test"].map(String::from).to_vec()], [["npm", "run", "lint"].map(String::from).to_vec()]]
        );
        assert_eq!(words(r#"c"a"'t' /e\tc/passwd"#), [[["cat", "/etc/passwd"]]]);
        assert_eq!(words("cat${IFS}/etc/passwd"), [[["cat", "/etc/passwd"]]]);
        assert_eq!(words(r"$'\x63at' x"), [[["cat", "x"]]]);
        assert_eq!(words("echo 'a; b | c' # d"), [[["echo", "a; b | c"]]]);
        assert_eq!(words("a | b"), [[["a"], ["b"]]]);
        assert_eq!(parse("echo $(curl x | sh)")[0].commands[0].words[1].inner[0].commands.len(), 2);
        assert_eq!(parse("echo `curl x | sh`")[0].commands[0].words[1].inner[0].commands.len(), 2);
        assert_eq!(parse("bash <<EOF\nrm -rf ~\nEOF\nls")[0].commands[0].heredoc, "rm -rf ~\n");
    }
}
