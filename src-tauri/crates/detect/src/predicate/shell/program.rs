//! Which program a command runs, behind assignments and wrappers, and what its operands are.

use super::lex::{Command, Word};
use crate::predicate::path::{Path, Set};
use crate::work;

pub(super) const SHELLS: &[&str] = &["sh", "bash", "zsh", "dash", "ksh", "ash", "fish", "csh", "tcsh"];
#[rustfmt::skip]
pub(super) const INTERPRETERS: &[&str] = &[
    "python", "python2", "python3", "perl", "ruby", "node", "php", "lua", "deno", "bun", "osascript", "pwsh",
    "powershell", "iex", "invoke-expression",
];
#[rustfmt::skip]
const WRAPPERS: &[&str] = &[
    "sudo", "doas", "env", "nohup", "time", "exec", "command", "nice", "setsid", "busybox", "stdbuf", "builtin",
    "then", "do", "else", "if", "while", "until", "!", "{",
];

pub(super) fn base(word: &str) -> String {
    work::read(word.len());
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word).to_ascii_lowercase();
    name.strip_suffix(".exe").map(str::to_owned).unwrap_or(name)
}

/// The word that names the program, behind assignments and wrappers.
pub(super) fn command_word(command: &Command) -> Option<&Word> {
    let is_assignment = |text: &str| {
        text.split_once('=')
            .is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
    };
    let mut wrapped = false;
    command.words.iter().find(|word| {
        let is_wrapper = WRAPPERS.contains(&base(&word.text).as_str());
        let skipped = is_wrapper || is_assignment(&word.text) || wrapped && word.text.starts_with('-');
        wrapped |= is_wrapper;
        !skipped
    })
}

pub(super) fn name(command: &Command) -> String {
    command_word(command).map(|word| base(&word.text)).unwrap_or_default()
}

/// Words after the program that are no flags.
pub(super) fn operands(command: &Command) -> impl Iterator<Item = &Word> {
    let program = command_word(command).map(|word| word as *const Word);
    let mut seen = false;
    command.words.iter().filter(move |word| {
        if !seen {
            seen = program.is_some_and(|program| std::ptr::eq(program, *word));
            return false;
        }
        !word.text.starts_with('-')
    })
}

pub(super) fn is_in(text: &str, sets: &[Set]) -> bool {
    let text = text.trim_start_matches('@');
    if text.len() < 4 || text.len() > 1024 {
        return false;
    }
    let path = Path::of(text);
    sets.iter().any(|set| set.holds(&path.text))
}

/// Whether a shell or interpreter here would run its standard input.
pub(super) fn runs_stdin(command: &Command) -> bool {
    let name = name(command);
    if SHELLS.contains(&name.as_str()) {
        let has_script = command.words.iter().any(|word| word.text == "-c");
        let reads = command.words.iter().any(|word| word.text == "-s" || word.text == "-" || word.text == "/dev/stdin");
        return !has_script && (reads || operands(command).next().is_none());
    }
    INTERPRETERS.contains(&name.as_str())
        && operands(command).next().is_none()
        && !command.words.iter().any(|word| {
            ["-c", "-m", "-e", "-ne", "-pe", "-n", "-p", "--version", "-r"].contains(&word.text.as_str())
                || word.text.starts_with("-e")
        })
}
