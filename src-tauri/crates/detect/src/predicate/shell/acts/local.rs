//! Acts that change this machine: wiping, planting what runs later, loosening Portcullis.

use crate::predicate::path::{Path, Set};
use crate::predicate::shell::lex::{Command, Pipeline};
use crate::predicate::shell::program::{is_in, operands};
use crate::work;
use std::cell::LazyCell;

pub(super) fn destroys(command: &Command, name: &str) -> bool {
    let flag = |letter: char| {
        command.words.iter().any(|word| {
            word.text.starts_with('-')
                && !word.text.starts_with("--")
                && word.text.to_ascii_lowercase().contains(letter)
        })
    };
    let is_everything = |text: &str| {
        let text = text.trim_end_matches(['*', '.', '/']);
        matches!(
            text,
            "" | "~" | "/home" | "/etc" | "/usr" | "/var" | "/boot" | "/root" | "/bin" | "/lib" | "C:" | "C:\\" | "c:"
        ) && !command.words.iter().any(|word| word.text == "./*" || word.text == "*")
    };
    let targets =
        || operands(command).map(|word| word.text.as_str()).filter(|text| text.starts_with(['/', '~', 'C', 'c']));
    match name {
        "rm" => {
            flag('r') && targets().any(is_everything)
                || command.words.iter().any(|word| word.text == "--no-preserve-root")
        }
        "chmod" | "chown" => flag('r') && targets().any(|text| matches!(text, "/" | "/*")),
        "find" => {
            operands(command).next().is_some_and(|word| matches!(word.text.as_str(), "/" | "~" | "~/"))
                && command.words.iter().any(|word| word.text == "-delete")
                && !narrowed(command)
        }
        _ => false,
    }
}

/// Whether `find` was told which files, beyond their kind.
fn narrowed(command: &Command) -> bool {
    const TESTS: &[&str] = &[
        "-name",
        "-iname",
        "-path",
        "-ipath",
        "-wholename",
        "-regex",
        "-iregex",
        "-mtime",
        "-atime",
        "-ctime",
        "-mmin",
        "-amin",
        "-cmin",
        "-size",
        "-user",
        "-group",
        "-perm",
        "-newer",
        "-maxdepth",
    ];
    let words = &command.words;
    let is_all =
        |at: usize| words.get(at + 1).is_none_or(|word| word.text.bytes().all(|b| matches!(b, b'*' | b'.' | b'/')));
    words
        .iter()
        .enumerate()
        .any(|(at, word)| word.text == "-empty" || TESTS.contains(&word.text.as_str()) && !is_all(at))
}

pub(super) fn writes_disk(command: &Command, name: &str) -> bool {
    let is_disk = |text: &str| {
        let disks = ["/dev/sd", "/dev/nvme", "/dev/hd", "/dev/vd", "/dev/disk", "/dev/mmcblk"];
        disks.iter().any(|disk| text.starts_with(disk))
    };
    let by_redirect = command.redirects.iter().any(|(operator, word)| operator.starts_with('>') && is_disk(&word.text));
    by_redirect
        || match name {
            "dd" => command.words.iter().any(|word| word.text.strip_prefix("of=").is_some_and(is_disk)),
            "shred" | "wipefs" => operands(command).any(|word| is_disk(&word.text)),
            name => (name == "mkfs" || name.starts_with("mkfs.")) && operands(command).any(|word| is_disk(&word.text)),
        }
}

/// What a pipeline says, in lower case, and whether that fetches or decodes something. Found once, when asked for.
pub(super) struct Content {
    text: String,
    is_live: bool,
}

impl Content {
    pub fn of(pipeline: &Pipeline) -> Self {
        work::read(pipeline.range.len());
        let words = pipeline.commands.iter().flat_map(|command| &command.words).map(|word| word.text.as_str());
        let text = words.collect::<Vec<_>>().join(" ").to_ascii_lowercase();
        let live = ["curl ", "wget ", "/dev/tcp/", "nc ", "base64 -d", "bash -i"];
        Self { is_live: live.iter().any(|part| text.contains(part)), text }
    }

    /// The lexer takes the backslashes for escapes.
    fn names_autostart(&self) -> bool {
        let key: String = self.text.chars().filter(|c| !matches!(c, '\\' | '/' | '"')).collect();
        key.contains("currentversionrun") || key.contains("currentversionwinlogon")
    }
}

pub(super) fn persists(content: &LazyCell<Content, impl FnOnce() -> Content>, command: &Command, name: &str) -> bool {
    let written =
        command.redirects.iter().filter(|(operator, _)| operator.starts_with('>')).map(|(_, word)| word.text.as_str());
    let teed = (name == "tee").then(|| operands(command).map(|word| word.text.as_str())).into_iter().flatten();
    let target: Vec<&str> = written.chain(teed).collect();
    let is_key = |text: &&str| {
        let path = Path::of(text).text;
        path.ends_with(".ssh/authorized_keys") || path == "/etc/ld.so.preload" || path.starts_with("/etc/sudoers")
    };
    target.iter().any(is_key)
        || target.iter().any(|text| is_in(text, &[Set::Startup])) && content.is_live
        || name == "crontab" && content.is_live
        || name == "reg" && command.words.get(1).is_some_and(|word| word.text == "add") && content.names_autostart()
}

pub(super) fn tampers(command: &Command, name: &str) -> bool {
    let words: Vec<&str> = command.words.iter().map(|word| word.text.as_str()).collect();
    let stops = matches!(name, "portcullis" | "portcullis-app")
        && words.iter().any(|word| {
            matches!(*word, "pause" | "allow" | "unprotect" | "disable" | "off" | "stop" | "restore" | "approve")
        });
    let kills = matches!(name, "pkill" | "killall" | "taskkill")
        && words.iter().any(|word| word.to_ascii_lowercase().contains("portcullis"));
    let changes = matches!(name, "rm" | "mv" | "cp" | "tee" | "sed" | "chmod" | "truncate" | "ln" | "dd" | "sqlite3")
        && words.iter().any(|word| is_in(word, &[Set::State]));
    let writes =
        command.redirects.iter().any(|(operator, word)| operator.starts_with('>') && is_in(&word.text, &[Set::State]));
    stops || kills || changes || writes
}
