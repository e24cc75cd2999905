//! Which servers an app runs past us: its own process has a child that is a server of a config we know, and no shim stands
//! between the two. Looks at the process table alone, so it is a sign for the person and never a reason to trust anybody:
//! whatever it cannot read or match it says nothing about.

use crate::clients::Clients;
use crate::process::{ProcessInfo, program};
use crate::view::{AppView, ServerView};
use portcullis_domain::UnixMs;
use std::collections::{HashMap, HashSet};

/// A process that runs a server, and not through the shim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    pub pid: u32,
    /// The app that started it; its id.
    pub app: String,
    pub app_name: String,
}

/// The process table, with what is above each process.
pub(crate) struct Tree<'p> {
    by_pid: HashMap<u32, &'p ProcessInfo>,
}

/// The nearest app above a process, and whether a shim stands between.
struct Above<'a> {
    app: &'a str,
    shimmed: bool,
}

impl<'p> Tree<'p> {
    pub fn new(list: &'p [ProcessInfo]) -> Self {
        Self { by_pid: list.iter().map(|process| (process.pid, process)).collect() }
    }

    fn above<'a>(&self, process: &ProcessInfo, roots: &HashMap<u32, &'a str>) -> Option<Above<'a>> {
        let mut seen = HashSet::from([process.pid]);
        let mut shimmed = is_shim(process);
        let mut next = process.parent;
        while let Some(parent) = next.and_then(|pid| self.by_pid.get(&pid)) {
            if let Some(app) = roots.get(&parent.pid) {
                return Some(Above { app, shimmed });
            }
            if !seen.insert(parent.pid) {
                return None;
            }
            shimmed |= is_shim(parent);
            next = parent.parent;
        }
        None
    }
}

impl Clients {
    /// Tells each server of `views` which process runs it past us, and each app since when it runs.
    pub(crate) fn look_at_processes(&self, views: &mut [AppView], list: &[ProcessInfo]) {
        let tree = Tree::new(list);
        let mut roots: HashMap<u32, &str> = HashMap::new();
        for app in &self.apps {
            for process in list.iter().filter(|process| self.is_running(app, std::slice::from_ref(process))) {
                roots.entry(process.pid).or_insert(&app.id);
            }
        }
        for view in views.iter_mut() {
            // An extension runs inside an editor and starts with it.
            let hosts = self.hosts(view.id.as_str());
            let own = list
                .iter()
                .filter(|p| roots.get(&p.pid).is_some_and(|app| *app == view.id.as_str() || hosts.contains(app)));
            view.started = own.filter_map(|process| process.started).min();
        }
        for process in list.iter().filter(|process| !is_shim(process)) {
            let Some(Above { app, shimmed: false }) = tree.above(process, &roots) else { continue };
            let past = Past { pid: process.pid, app: app.into(), app_name: self.name_of(app) };
            let own = |view: &AppView| view.id.as_str() == app || self.hosts(view.id.as_str()).contains(&app);
            // Some apps are servers, too (`claude mcp serve`); without arguments one was only started from a terminal.
            let least = if roots.contains_key(&process.pid) { 2 } else { 1 };
            if mark(views, own, process, least, &past) == 0 {
                // Other apps read some files, too.
                mark(views, |view| !view.also_read_by.is_empty(), process, least, &past);
            }
        }
    }

    pub(crate) fn name_of(&self, app: &str) -> String {
        self.apps.iter().find(|known| known.id == app).map_or_else(|| app.to_string(), |known| known.name.clone())
    }

    /// The editors in which an app lives that is an extension.
    fn hosts(&self, app: &str) -> Vec<&str> {
        let inside = self.apps.iter().any(|known| known.id == app && !known.installed.extensions.is_empty());
        let editors = self.apps.iter().filter(|known| inside && !known.extension_folders.is_empty());
        editors.map(|known| known.id.as_str()).collect()
    }
}

/// `least`: of so many words a command line must be.
fn mark(
    views: &mut [AppView],
    whose: impl Fn(&AppView) -> bool,
    process: &ProcessInfo,
    least: usize,
    past: &Past,
) -> usize {
    let mut marked = 0;
    for view in views.iter_mut().filter(|view| whose(view)) {
        let servers = view.files.iter_mut().flat_map(|file| &mut file.servers);
        for server in servers.filter(|server| server.command.0.len() >= least && runs(process, server)) {
            server.past.get_or_insert_with(|| past.clone());
            marked += 1;
        }
    }
    marked
}

fn is_shim(process: &ProcessInfo) -> bool {
    let name = process.exe.as_deref().map_or(process.name.as_str(), program);
    name == "portcullis-shim" || name.eq_ignore_ascii_case("portcullis-shim.exe")
}

/// Whether the process is what the entry starts: the same arguments behind a program of that name. A script runs in its
/// interpreter, so the program may stand one place further on; npm writes over its arguments.
fn runs(process: &ProcessInfo, server: &ServerView) -> bool {
    let Some((command, args)) = server.command.0.split_first() else { return false };
    // The process table leaves empty ones out.
    let args: Vec<&str> = args.iter().map(|arg| arg.trim()).filter(|arg| !arg.is_empty()).collect();
    let name = stem(command);
    if let [title] = process.args.as_slice()
        && name == "npx"
        && let Some(rest) = title.trim_end().strip_prefix("npm exec ")
    {
        let wanted: Vec<&str> = args.iter().copied().filter(|arg| !arg.starts_with('-')).collect();
        return !wanted.is_empty() && rest.split(' ').filter(|word| !word.starts_with('-')).eq(wanted);
    }
    let Some(at) = process.args.len().checked_sub(args.len() + 1) else { return false };
    let (front, tail) = process.args.split_at(at + 1);
    let same =
        |(wanted, found): (&&str, &String)| *wanted == found.trim() || wanted.contains("${") || wanted.contains('~');
    let is_program = front.last().is_some_and(|word| stem(word) == name)
        || (at == 0 && process.exe.as_deref().is_some_and(|exe| stem(program(exe)) == name));
    is_program && at <= 2 && args.iter().zip(tail).all(same)
}

/// A program's name, as entries and process tables both may spell it.
fn stem(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    ["exe", "cmd", "bat"].iter().find_map(|end| name.strip_suffix(end)?.strip_suffix('.')).unwrap_or(name)
}

/// Whether the app has been running since before `at`, by a process table that counts whole seconds.
pub(crate) fn runs_since_before(view: &AppView, at: UnixMs) -> bool {
    view.started.is_some_and(|started| started / 1000 < at / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Words;
    use portcullis_domain::Transport;

    fn process(exe: &str, args: &[&str]) -> ProcessInfo {
        let args = args.iter().map(|arg| (*arg).to_string()).collect();
        ProcessInfo { pid: 1, exe: Some(exe.into()), args, ..ProcessInfo::default() }
    }
    fn server(words: &[&str]) -> ServerView {
        let command = Words(words.iter().map(|word| (*word).to_string()).collect());
        ServerView { command, ..ServerView::named("s", Transport::Stdio) }
    }

    #[test]
    fn a_process_is_known_by_its_program_and_all_its_arguments() {
        let files = server(&["npx", "-y", "server-files", "/data"]);
        for (exe, args) in [
            ("/usr/bin/node", vec!["node", "/usr/bin/npx", "-y", "server-files", "/data"]),
            ("/usr/bin/npx", vec!["npx", "-y", "server-files", "/data"]),
            ("/usr/bin/node", vec!["npm exec server-files /data"]),
        ] {
            assert!(runs(&process(exe, &args), &files), "{args:?}");
        }
        for args in [
            vec!["node", "/usr/bin/npx", "-y", "server-files", "/other"],
            vec!["node", "/usr/bin/npx", "-y", "server-files"],
            vec!["vim", "notes", "--", "-y", "server-files", "/data"],
            vec!["npm exec server-files /other"],
            vec![],
        ] {
            assert!(!runs(&process("/usr/bin/node", &args), &files), "{args:?}");
        }
        let uv = process("/usr/bin/uv", &["/usr/bin/uv", "tool", "uvx", "mcp-server-time"]);
        assert!(runs(&uv, &server(&["uvx", "mcp-server-time"])));
        let bare = process("/opt/own server", &["/opt/own server"]);
        assert!(runs(&bare, &server(&["/opt/own server"])) && !runs(&bare, &server(&["/opt/other"])));
        let windows = process(r"C:\Program Files\nodejs\node.exe", &[r"C:\Program Files\nodejs\node.exe", "a.js"]);
        assert!(runs(&windows, &server(&["node", "a.js"])));
        assert!(runs(&process("/bin/x", &["x", "/home/eve"]), &server(&["x", "${userHome}"])));
        assert!(runs(&process("/bin/x", &["x", "a"]), &server(&["x", "", "a"])), "empty ones are not in the table");
        assert!(!runs(&process("/bin/x", &["x"]), &server(&[])), "a server with a URL has no process");
    }
}
