//! A command smuggled into a value that is no command: a host, a file name, an id. A separator or substitution alone
//! says nothing; a known program behind it does.

use super::lex;
use crate::predicate::Match;
use crate::role::Role;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::borrow::Cow;
use std::sync::LazyLock;

/// A text longer than this is prose about commands, not a value that smuggles one.
const MAX_PROSE_BYTES: usize = 2048;
/// So is one of more lines: a script or a document.
const MAX_PROSE_LINES: usize = 6;
/// Programs that are also everyday words need an argument that only a program takes.
#[rustfmt::skip]
const PLAIN_WORDS: &[&str] = &[
    "sort", "find", "more", "less", "head", "tail", "last", "who", "w", "net", "type", "set", "id", "echo", "print",
    "cat", "sleep", "time", "touch", "kill", "env", "host", "date", "dir", "ping", "node", "type", "move", "copy",
    "start", "exit", "test", "time", "query", "service", "tree", "file", "free", "users", "groups", "at", "make", "read",
    "wait", "source", "true", "false", "cut", "mail", "fetch", "stat", "strings", "java", "del", "vol", "sc", "wall",
    "finger", "export", "mount", "route", "reg", "ss", "rd", "od", "nl", "rev", "ln", "git", "docker", "ruby", "ip",
    "locate", "which", "shutdown", "halt", "exec", "eval", "system", "diff", "expr", "python", "go", "su", "ver",
];
#[rustfmt::skip]
const PROGRAMS: &[&str] = &[
    "ls", "cat", "id", "whoami", "uname", "pwd", "ps", "netstat", "ifconfig", "ip", "ping", "nslookup", "dig",
    "curl", "wget", "nc", "ncat", "bash", "sh", "zsh", "python", "python3", "perl", "ruby", "php", "node", "rm",
    "mv", "cp", "chmod", "chown", "echo", "printf", "sleep", "touch", "mkdir", "kill", "reboot", "shutdown", "halt",
    "env", "printenv", "set", "export", "head", "tail", "more", "less", "grep", "egrep", "find", "awk", "sed",
    "sort", "tee", "xargs", "base64", "xxd", "dir", "type", "net", "ipconfig", "systeminfo", "tasklist",
    "powershell", "cmd", "certutil", "reg", "wmic", "useradd", "adduser", "passwd", "su", "sudo", "crontab",
    "telnet", "ssh", "scp", "ftp", "tftp", "w", "who", "last", "hostname", "df", "mount", "nohup", "eval", "exec",
    "system", "date", "getent", "locate", "which", "nmap", "busybox", "openssl", "dd", "tar", "socat", "route",
    "arp", "ifconfig", "phpinfo", "ver", "netsh", "sysinfo", "nbtstat", "schtasks", "sc", "bitsadmin", "mshta", "cscript",
    "wscript", "rundll32", "regsvr32", "tree", "copy", "del", "start", "vol", "time", "move", "rmdir", "rd", "erase",
    "attrib", "icacls", "takeown", "vssadmin", "wevtutil", "query", "hostnamectl", "systemctl", "service", "lsof", "ss",
    "strings", "od", "nl", "tac", "rev", "stat", "groups", "finger", "users", "uptime", "free", "du", "file", "ln",
    "iptables", "pip", "npm", "apt", "apt-get", "yum", "gcc", "make", "git", "docker", "kubectl", "crontab", "at",
    "chattr", "mkfifo", "mknod", "lua", "irb", "java", "javac", "gdb", "strace", "tcpdump", "rsync", "lynx", "aria2c",
    "fetch", "whois", "traceroute", "tracert", "mysql", "psql", "sqlite3", "redis-cli", "mail", "sendmail", "wall",
    "ruby", "bash.exe", "pwsh", "invoke-webrequest", "iwr", "iex", "get-process", "cmd.exe", "ipconfig.exe", "read",
    "wait", "test", "expr", "source", "true", "false", "cut", "wc", "uniq", "tr", "diff", "basename", "dirname",
];

/// Programs that do enough harm, or are tried first often enough, to count in prose.
#[rustfmt::skip]
const GRAVE: &[&str] = &[
    "curl", "wget", "nc", "ncat", "bash", "sh", "rm", "whoami", "ifconfig", "powershell", "cmd", "cat", "id", "uname",
    "netstat", "ls", "sleep", "ping", "nslookup", "ipconfig", "dir", "pwd", "sysinfo", "systeminfo", "netsh", "net",
    "type", "reg", "perl", "phpinfo", "hostname", "printenv", "tasklist", "certutil", "dig",
];
/// Programs that are words, with the word behind them that makes them commands.
#[rustfmt::skip]
const OPERANDS: &[(&str, &str)] = &[
    ("net", "user"), ("net", "view"), ("net", "localgroup"), ("net", "start"), ("net", "share"), ("net", "use"),
    ("netsh", "firewall"), ("netsh", "advfirewall"), ("netsh", "wlan"), ("reg", "add"), ("reg", "query"),
    ("cat", "etc/passwd"), ("wmic", "process"), ("echo", "vulnerable"),
];

pub(crate) fn find(text: &str, role: Role) -> Vec<Match> {
    let bytes = text.as_bytes();
    // In prose a pipe or semicolon is punctuation, a backtick quotes, and a new line is just that.
    let is_prose = matches!(role, Role::ArgumentText | Role::ArgumentCode | Role::ArgumentSql);
    if is_prose && (text.len() > MAX_PROSE_BYTES || text.trim().lines().nth(MAX_PROSE_LINES).is_some()) {
        return Vec::new();
    }
    if !matches!(role, Role::ArgumentCode | Role::ArgumentSql) && option_that_runs(text) {
        return vec![Match { range: 0..text.len(), reading: None }];
    }
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let next = rest.get(1).copied();
        let opened = match rest[0] {
            b'$' if next == Some(b'(') => Some((2, true)),
            b'`' => Some((1, true)),
            b';' => Some((1, false)),
            b'|' => Some((if next == Some(b'|') { 2 } else { 1 }, false)),
            b'&' if next == Some(b'&') => Some((2, false)),
            b'&' if role != Role::ArgumentUrl => Some((1, false)),
            b'\n' | b'\r' if !is_prose => Some((1, false)),
            b'%' if rest.len() > 2 && rest[1] == b'0' && matches!(rest[2], b'a' | b'A' | b'd' | b'D') => {
                Some((3, false))
            }
            // `%3b`, `%7c`, `%26`: separators of a shell; in addresses the last two separate other things.
            b'%' if role != Role::ArgumentUrl && is_encoded_separator(rest) => Some((3, false)),
            _ => None,
        };
        if let Some((length, is_substitution)) = opened
            && let Some(tail) = text.get(at + length..)
            && runs_program(tail, is_prose, quotes(bytes, at, is_substitution))
        {
            return vec![Match { range: at..text.len(), reading: None }];
        }
        at += 1;
    }
    Vec::new()
}

fn is_encoded_separator(rest: &[u8]) -> bool {
    rest.get(..3).is_some_and(|three| {
        let three = [three[0], three[1], three[2].to_ascii_lowercase()];
        matches!(&three, b"%3b" | b"%7c" | b"%26" | b"%60")
    })
}

/// Options that make git, ssh, tar and the like run something; values of an argument never start with one.
#[rustfmt::skip]
const OPTIONS: &[&str] = &[
    "--upload-pack", "--receive-pack", "--exec=", "-oproxycommand", "-o proxycommand", "--checkpoint-action",
    "--use-compress-program", "--rsh=", "--open-files-in-pager", "--to-command", "--config-env", "--post-file",
    "-c core.sshcommand", "-c core.fsmonitor", "--use-askpass", "--gpg-program", "--config core.sshcommand",
    "--config core.fsmonitor", "--config core.hookspath", "ext::sh", "ext::bash", "-- sh -c", "-- bash -c", "-exec rm",
    "-exec sh", "-exec bash", "-execdir ",
];
/// Programs that talk to the host named behind them.
const NETWORK: &[&str] =
    &["nslookup", "dig", "ping", "host", "curl", "wget", "nc", "ncat", "telnet", "ssh", "ftp", "whois", "traceroute"];

fn option_that_runs(text: &str) -> bool {
    let head = &text[..text.floor_char_boundary(512)];
    // Every option begins with a hyphen, or with a scheme.
    if !head.contains(['-', ':']) {
        return false;
    }
    let head = head.to_ascii_lowercase();
    let head = head.trim_start();
    // Alone at the start, or glued to a value as a second word; in a sentence it is talk about options.
    let few_words = || head.split_whitespace().take(7).count() <= 6;
    static ANY: LazyLock<Option<AhoCorasick>> =
        LazyLock::new(|| AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(OPTIONS).ok());
    let begins_word = |at: usize| at == 0 || head.as_bytes()[at - 1] == b' ';
    let mut options = ANY.iter().flat_map(|any| any.find_overlapping_iter(head));
    let file_option = ["--output=/", "--output-document=/", "--directory-prefix=/", "--git-dir=/"];
    options.any(|option| begins_word(option.start())) && few_words()
        || file_option.iter().any(|option| head.starts_with(option))
}

/// Whether a substitution may be no more than `code` in Markdown: a backtick that does not touch a word.
fn quotes(bytes: &[u8], at: usize, is_substitution: bool) -> bool {
    let touches = at.checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(|byte| byte.is_ascii_alphanumeric());
    is_substitution && bytes[at] == b'`' && !touches
}

fn runs_program(tail: &str, is_prose: bool, is_substitution: bool) -> bool {
    let is_lead = [' ', ';', '|', '&', '\t', '\n', '\r', '(', '{', '`', '$', '\'', '"'];
    // A program's name and first argument are short; looking further would make long values slow.
    let head = &tail[..tail.floor_char_boundary(256)];
    let first = head.trim_start_matches(is_lead).bytes().next();
    if !first
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'%' | b'.' | b'~' | b'\\' | b'?'))
    {
        return false;
    }
    let head = match head.contains(['%', '$']) {
        true => Cow::Owned(head.replace("%20", " ").replace("${IFS}", " ").replace("$IFS", " ")),
        false => Cow::Borrowed(head),
    };
    let head = head.trim_start_matches("%26").trim_start_matches("%7c").trim_start_matches("%7C");
    let head = head.trim_start_matches(is_lead);
    let head = &head[..head.find([';', '|', '&', '\n', '`', ')']).unwrap_or(head.len())];
    // `{cat,/etc/passwd}` is `cat /etc/passwd`, `$0` the shell.
    let head = head.strip_suffix('}').map_or_else(|| head.to_owned(), |inner| inner.replacen(',', " ", 4));
    if ["0 -c", "{0} -c", "shell -c", "{shell} -c"].iter().any(|shell| head.to_ascii_lowercase().starts_with(shell)) {
        return true;
    }
    let head = head.as_str();
    let pipelines = lex::parse(head);
    let Some(command) = pipelines.first().and_then(|pipeline| pipeline.commands.first()) else { return false };
    let Some(program) = command.words.first() else { return false };
    let name =
        program.text.rsplit('/').next().unwrap_or("").trim_end_matches(['`', ')', '\'', '"']).to_ascii_lowercase();
    let name = name.split(['\\', '<', '>']).next().unwrap_or("");
    let is_exe = name.ends_with(".exe");
    let name = name.strip_suffix(".exe").unwrap_or(name);
    // `/b?n/c?t`: a pattern that the shell turns into a program's path.
    let is_pattern = program.text.starts_with('/') && program.text.contains('?') && command.words.len() > 1;
    if is_pattern && program.text.matches('/').count() > 1 {
        return true;
    }
    if !PROGRAMS.contains(&name) && (!is_exe || is_prose) {
        return false;
    }
    let has_path = program.text.starts_with('/') || program.text.contains("bin/");
    let first = command.words.get(1).map_or("", |word| word.text.as_str());
    let telling = first.starts_with(['-', '/', '~', '$', '.', '%'])
        || first.contains(['/', '\\', '=', '*'])
        || first.as_bytes().get(1) == Some(&b':')
        || first.bytes().all(|byte| byte.is_ascii_digit()) && !first.is_empty()
        || is_address(first)
        || !is_substitution && NETWORK.contains(&name) && is_domain(first)
        || OPERANDS.contains(&(name, first))
        || !is_prose && command.words.iter().skip(1).any(|word| word.text.starts_with(['-', '/']));
    let alone = command.words.len() == 1;
    if is_prose {
        // `code` in Markdown names commands; prose that runs them has an argument, or nothing but the command.
        let short = tail.len() < 24;
        let grave = GRAVE.contains(&name)
            && (telling || alone && !is_substitution && (short || matches!(name, "whoami" | "id")));
        return grave
            || !is_substitution
                && (telling && (has_path || short || !PLAIN_WORDS.contains(&name))
                    || OPERANDS.contains(&(name, first)));
    }
    has_path || !PLAIN_WORDS.contains(&name) || telling || alone
}

/// `10.0.0.5`, `x.example:80`: what a network program is pointed at.
fn is_address(word: &str) -> bool {
    let host = word.split(['/', ':']).next().unwrap_or("");
    word.starts_with("http") || host.split('.').count() == 4 && host.split('.').all(|part| part.parse::<u8>().is_ok())
}

/// `a.example.com`: letters in the last of several labels.
fn is_domain(word: &str) -> bool {
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    word.contains('.')
        && word.split('.').all(is_label)
        && word
            .rsplit('.')
            .next()
            .is_some_and(|last| last.len() > 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_in_values() {
        for text in [
            "example.com; rm -rf ~",
            "x && whoami",
            "a|id",
            "$(curl http://x)",
            "`id`",
            "x; cat /etc/passwd",
            "main;ls${IFS}-la",
            "1.2.3.4 & ping -c 1 x",
            "a%0acat%20/etc/passwd",
            "x\n/bin/ls -al",
            "example.com${IFS}&&${IFS}id",
            "web; docker run -v /:/h alpine chroot /h",
            "1.2.3 & calc.exe",
            "https://x.example/a.git --upload-pack=touch",
            "-oProxyCommand=id",
            "a.png`id`",
            "10.0.0.1;{cat,/etc/passwd}",
            "pkg;/???/c?t /etc/passwd",
            "a;$0 -c id",
            "a%26%26whoami",
            "x%3bcurl%20http://203.0.113.1",
        ] {
            assert_eq!(find(text, Role::ArgumentHost).len(), 1, "{text}");
        }
    }

    #[test]
    fn values_with_punctuation() {
        for text in [
            "Tom & Jerry.mp4",
            "a;b",
            "x|y",
            "https://x.example/?a=1&id=3&sort=asc",
            "notes; more to come",
            "salt & pepper",
            "R&D",
            "C; set of notes",
            "R%26D",
            "a%3Bb",
            "{a,b}; {c,d}",
        ] {
            assert!(find(text, Role::ArgumentName).is_empty(), "{text}");
            assert!(find(text, Role::ArgumentText).is_empty(), "{text}");
        }
        for text in [
            "a`id`b",
            "HEAD;$(curl 10.0.0.5)",
            "report $(whoami)",
            "$(nslookup a.x.example)",
            "hi`ping -c 1 x.example`",
            "ext::sh -c id% >&2",
            "web-1 -- sh -c env",
            "logs -exec rm {} +",
        ] {
            assert_eq!(find(text, Role::ArgumentText).len(), 1, "{text}");
        }
        for text in [
            "Run `npm test`; then `ls` shows the files",
            "costs $(5)",
            "Use `cat` to print a file; sleep well",
            "Fix build & test",
            "Use `ping example.com` to test the network",
            "Pass --upload-pack to git when the server has it in another place than usual",
        ] {
            assert!(find(text, Role::ArgumentText).is_empty(), "{text}");
        }
    }
}
