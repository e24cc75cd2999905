//! Which programs run: needed because some apps overwrite their config while they run. Reads the process table, nothing
//! else, and starts or ends nothing. Matching is exact: an app called `cursor` must not be mistaken for `xcursorgen`.

use crate::descriptor::Script;
use crate::machine::Os;
use portcullis_domain::UnixMs;
use std::path::{Path, PathBuf};
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProcessInfo {
    pub pid: u32,
    pub parent: Option<u32>,
    /// The name in the process table: may be cut, used only when the executable cannot be read.
    pub name: String,
    pub exe: Option<PathBuf>,
    /// With the program. May hold secrets: never shown, never logged.
    pub args: Vec<String>,
    /// In whole seconds.
    pub started: Option<UnixMs>,
}

/// Where the process table comes from; tests bring their own.
pub trait Processes: Send + Sync {
    /// The processes of this user.
    fn list(&self) -> Vec<ProcessInfo>;
    fn one(&self, pid: u32) -> Option<ProcessInfo> {
        self.list().into_iter().find(|process| process.pid == pid)
    }
}

/// The real process table.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemProcesses;

impl Processes for SystemProcesses {
    fn list(&self) -> Vec<ProcessInfo> {
        read(ProcessesToUpdate::All)
    }

    fn one(&self, pid: u32) -> Option<ProcessInfo> {
        let mut wanted = vec![sysinfo::Pid::from_u32(pid)];
        // One that is named twice is not found.
        wanted.extend(sysinfo::get_current_pid().ok().filter(|me| me.as_u32() != pid));
        read(ProcessesToUpdate::Some(&wanted)).into_iter().find(|process| process.pid == pid)
    }
}

/// Of this user's processes; this one must be among the wanted.
fn read(wanted: ProcessesToUpdate<'_>) -> Vec<ProcessInfo> {
    let Ok(mut system) = System::new() else {
        tracing::warn!("the process table cannot be read: running apps are not noticed");
        return Vec::new();
    };
    let always = UpdateKind::Always;
    let kind = ProcessRefreshKind::nothing().without_tasks().with_exe(always).with_user(always).with_cmd(always);
    system.refresh_processes_specifics(wanted, true, kind);
    let me = sysinfo::get_current_pid().ok().and_then(|pid| system.process(pid)).and_then(|p| p.user_id().cloned());
    system
        .processes()
        .values()
        // Another user's app writes another user's files.
        .filter(|process| me.is_none() || process.user_id().is_none() || process.user_id() == me.as_ref())
        .map(|process| ProcessInfo {
            pid: process.pid().as_u32(),
            parent: process.parent().map(sysinfo::Pid::as_u32),
            name: process.name().to_string_lossy().into_owned(),
            exe: process.exe().filter(|exe| !exe.as_os_str().is_empty()).map(Path::to_path_buf),
            args: process.cmd().iter().map(|arg| arg.to_string_lossy().into_owned()).collect(),
            started: UnixMs::try_from(process.start_time().saturating_mul(1000)).ok().filter(|at| *at > 0),
        })
        .collect()
}

/// A program's name, whichever way its path is written.
pub(crate) fn program(exe: &Path) -> &str {
    let text = exe.to_str().unwrap_or_default();
    // Linux adds this to the path of a program that was updated while it runs.
    let text = text.strip_suffix(" (deleted)").unwrap_or(text);
    text.rsplit(['/', '\\']).next().unwrap_or(text)
}

/// Whether `process` is the program that `pattern` names: the last components of its executable's path, `*` standing for
/// any part of one component (`Claude.app/Contents/MacOS/Claude`, `AnthropicClaude/*/claude.exe`, `cursor`).
pub(crate) fn matches(process: &ProcessInfo, pattern: &str, os: Os) -> bool {
    let Some(exe) = &process.exe else {
        return !pattern.contains('/') && same(pattern, &process.name, os);
    };
    let text = exe.to_string_lossy();
    // Linux adds this to the path of a program that was updated while it runs.
    ends_in(text.strip_suffix(" (deleted)").unwrap_or(&text), pattern, os)
}

fn separators(os: Os) -> &'static [char] {
    if os == Os::Windows { &['/', '\\'] } else { &['/'] }
}

fn ends_in(path: &str, pattern: &str, os: Os) -> bool {
    let mut actual = path.rsplit(separators(os));
    pattern.rsplit('/').all(|wanted| actual.next().is_some_and(|part| same(wanted, part, os)))
}

/// Whether `process` is an interpreter that runs what `script` names.
pub(crate) fn runs_script(process: &ProcessInfo, script: &Script, os: Os) -> bool {
    let Script { paths, packages, titles } = script;
    if (paths.is_empty() && packages.is_empty() && titles.is_empty()) || !is_interpreter(process) {
        return false;
    }
    if let [title] = process.args.as_slice() {
        return titles.iter().any(|known| known == title.trim());
    }
    let Some(path) = script_of(&process.args) else { return false };
    paths.iter().any(|pattern| ends_in(path, pattern, os))
        || package_of(path, os).is_some_and(|inside| {
            let starts = |package: &String| inside.strip_prefix(package.as_str()).is_some_and(|t| t.starts_with('/'));
            packages.iter().any(starts)
        })
}

pub(crate) fn is_interpreter(process: &ProcessInfo) -> bool {
    let name = process.exe.as_deref().map_or(process.name.as_str(), program).to_ascii_lowercase();
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    let python = |version: &str| version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    matches!(name, "node" | "nodejs" | "bun" | "deno") || name.strip_prefix("python").is_some_and(python)
}

/// Options of Node and Python whose value is a word of its own.
const WITH_VALUE: [&str; 11] = [
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "--env-file",
    "-C",
    "--conditions",
    "--title",
    "-X",
    "-W",
];
/// After these there is code or a module's name, and no script.
const WITHOUT_SCRIPT: [&str; 6] = ["-e", "--eval", "-p", "--print", "-c", "-m"];

fn script_of(args: &[String]) -> Option<&str> {
    let mut words = args.iter().map(String::as_str).skip(1);
    while let Some(word) = words.next() {
        if WITHOUT_SCRIPT.contains(&word) {
            return None;
        }
        if WITH_VALUE.contains(&word) {
            words.next();
        } else if !word.starts_with('-') && word != "run" {
            return Some(word);
        }
    }
    None
}

/// The part of the path below the innermost `node_modules`, with `/` between its components.
fn package_of(path: &str, os: Os) -> Option<String> {
    let parts: Vec<&str> = path.split(separators(os)).collect();
    let at = parts.iter().rposition(|part| *part == "node_modules")?;
    Some(parts[at + 1..].join("/"))
}

fn same(pattern: &str, text: &str, os: Os) -> bool {
    let fold = |t: &str| if os == Os::Windows { t.to_lowercase() } else { t.to_string() };
    let (pattern, text) = (fold(pattern), fold(text));
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end),
    }
}

/// The parents of `pid`, nearest first, as `(pid, executable or name)`. Ends at a process it cannot see, and at loops.
pub fn ancestry(processes: &dyn Processes, pid: u32) -> Vec<(u32, String)> {
    let list = processes.list();
    let find = |pid: u32| list.iter().find(|process| process.pid == pid);
    let mut out: Vec<(u32, String)> = Vec::new();
    let mut next = find(pid).and_then(|process| process.parent);
    while let Some(process) = next.and_then(find) {
        if process.pid == pid || out.iter().any(|(seen, _)| *seen == process.pid) {
            break;
        }
        let program = process.exe.as_ref().map_or_else(|| process.name.clone(), |exe| exe.display().to_string());
        out.push((process.pid, program));
        next = process.parent;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(exe: &str) -> ProcessInfo {
        ProcessInfo { pid: 1, name: "n".into(), exe: Some(exe.into()), ..ProcessInfo::default() }
    }

    #[test]
    fn programs_match_by_whole_path_components() {
        assert!(matches(&at("/usr/share/cursor/cursor"), "cursor", Os::Linux));
        assert!(matches(&at("/usr/share/cursor/cursor (deleted)"), "cursor", Os::Linux));
        for other in ["/usr/bin/xcursorgen", "/usr/bin/cursor-agent", "/opt/cursor/node"] {
            assert!(!matches(&at(other), "cursor", Os::Linux), "{other}");
        }
        let mac = "Claude.app/Contents/MacOS/Claude";
        assert!(matches(&at("/Applications/Claude.app/Contents/MacOS/Claude"), mac, Os::MacOs));
        assert!(!matches(&at("/Applications/Claude.app/Contents/Helpers/chrome-native-host"), mac, Os::MacOs));
        let classic = r"C:\Users\eve\AppData\Local\AnthropicClaude\app-1.2\Claude.exe";
        assert!(matches(&at(classic), "AnthropicClaude/*/claude.exe", Os::Windows));
        assert!(!matches(&at(r"C:\Users\eve\.local\bin\claude.exe"), "AnthropicClaude/*/claude.exe", Os::Windows));
        let msix = r"C:\Program Files\WindowsApps\Claude_1.1_x64__pzs8sxrjxfjjc\app\claude.exe";
        assert!(matches(&at(msix), "Claude_*/app/claude.exe", Os::Windows));
    }

    #[test]
    fn a_script_is_what_an_interpreter_was_given_to_run() {
        let gemini = Script {
            paths: vec!["*bin/gemini".into()],
            packages: vec!["@google/gemini-cli".into()],
            titles: vec!["gemini".into()],
        };
        let runs = |exe: &str, words: &[&str], os| {
            let args = words.iter().map(|word| (*word).to_string()).collect();
            runs_script(&ProcessInfo { args, ..at(exe) }, &gemini, os)
        };
        for words in [
            vec!["node", "/home/eve/.nvm/versions/node/v22.1.0/bin/gemini", "-p", "hello"],
            vec!["node", "--no-warnings", "--import", "tsx", "/x/node_modules/.bin/gemini"],
            vec!["node", "/x/node_modules/.pnpm/@google+gemini-cli@1/node_modules/@google/gemini-cli/bundle/gemini.js"],
            vec!["bun", "run", "/usr/bin/gemini"],
            vec!["gemini"],
        ] {
            let exe = if words[0] == "bun" { "/opt/bun" } else { "/usr/bin/node" };
            assert!(runs(exe, &words, Os::Linux), "{words:?}");
            assert!(!runs("/usr/bin/vim", &words, Os::Linux), "{words:?} in an editor");
        }
        for words in [
            vec!["node"],
            vec!["node", "-e", "1", "/usr/bin/gemini"],
            vec!["node", "-r", "/usr/bin/gemini", "server.js"],
            vec!["node", "server.js", "/usr/bin/gemini"],
            vec!["node", "/home/eve/gemini"],
            vec!["node", "/home/eve/bin/not-gemini"],
            // What it depends on, and what is only called alike.
            vec!["node", "/x/node_modules/@google/gemini-cli/node_modules/server/index.js"],
            vec!["node", "/x/node_modules/@google/gemini-cli-extra/index.js"],
            vec!["gemini", "--help"],
            vec![],
        ] {
            assert!(!runs("/usr/bin/node", &words, Os::Linux), "{words:?}");
        }
        // As npm's gemini.cmd starts it.
        let windows = r"C:\Users\eve\AppData\Roaming\npm\node_modules\@google\gemini-cli\bundle\gemini.js";
        assert!(runs(r"C:\Program Files\nodejs\node.exe", &["node", windows], Os::Windows));
        assert!(runs("/opt/venv/bin/python3.12", &["python3", "-X", "dev", "/opt/venv/bin/gemini"], Os::Linux));
        assert!(!runs("/opt/venv/bin/python3.12", &["python3", "-m", "gemini", "/usr/bin/gemini"], Os::Linux));
        assert!(!runs("/usr/bin/pythonista", &["x", "/usr/bin/gemini"], Os::Linux));
    }

    #[test]
    fn ancestry_climbs_and_survives_loops() {
        struct Table;
        impl Processes for Table {
            fn list(&self) -> Vec<ProcessInfo> {
                let p = |pid, parent, name: &str| ProcessInfo {
                    pid,
                    parent: Some(parent),
                    name: name.into(),
                    ..ProcessInfo::default()
                };
                vec![p(9, 5, "shim"), p(5, 2, "node"), p(2, 5, "app")]
            }
        }
        assert_eq!(ancestry(&Table, 9), [(5, "node".to_string()), (2, "app".to_string())]);
        assert_eq!(ancestry(&Table, 77), []);
    }

    #[test]
    fn this_process_is_in_the_real_table_with_its_executable() {
        let own = SystemProcesses.list().into_iter().find(|p| p.pid == std::process::id()).unwrap();
        assert_eq!(own.exe, std::env::current_exe().ok());
        assert_eq!(own.args, std::env::args().collect::<Vec<_>>());
        assert!(SystemProcesses.one(std::process::id()).unwrap() == own);
        assert!(SystemProcesses.one(u32::MAX).is_none());
        assert!(own.started.is_some());
    }
}
