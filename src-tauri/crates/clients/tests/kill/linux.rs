//! Killed at any instant, on a real file system: `strace` ends a process of our own right before each single system call
//! that a protect or a restore makes, or lets that call fail. Afterwards the config is the old one or the new one to the
//! byte, it parses, the next start repairs what is left, and a restore gives the original back.
//!
//! The normal run takes a sample of the calls; `cargo test -p portcullis-clients --test kill -- --ignored` takes all.
use libtest_mimic::{Arguments, Trial};
use portcullis_clients::{Clients, ClientsConfig, Machine, Os, ProcessInfo, Processes, Serving};
use portcullis_domain::AppId;
use portcullis_domain::api::ConfigAction;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

struct Nobody;
impl Processes for Nobody {
    fn list(&self) -> Vec<ProcessInfo> {
        Vec::new()
    }
}

fn clients(root: &Path) -> Clients {
    let config = ClientsConfig {
        machine: Machine { os: Os::Linux, home: root.join("home"), env: HashMap::new() },
        state_dir: root.join("state"),
        own_apps: root.join("apps"),
        shim: root.join("bin/portcullis-shim"),
        proxy_port: 4711,
        serving: Serving::Yes,
        processes: Arc::new(Nobody),
    };
    Clients::open(config).unwrap()
}

/// One app's config, in each format and with what is special about writing it.
struct Scene {
    app: &'static str,
    file: &'static str,
    content: &'static str,
    symlink: bool,
}

static SCENES: [Scene; 5] = [
    Scene {
        app: "cursor",
        file: ".cursor/mcp.json",
        content: "{ /* c */ \"mcpServers\": {\"a\": {\"command\": \"x\"}, \"r\": {\"url\": \"https://h.example/mcp\"}} }\n",
        symlink: false,
    },
    Scene {
        app: "codex",
        file: ".codex/config.toml",
        content: "[mcp_servers.a]\ncommand = \"x\" # c\n\n[mcp_servers.r]\nurl = \"https://h.example/mcp\"\n",
        symlink: false,
    },
    Scene {
        app: "goose",
        file: ".config/goose/config.yaml",
        content: "extensions:\n  a:\n    cmd: x\n    args:\n    - b # c\n  r:\n    uri: https://h.example/mcp\n    type: streamable_http\n",
        symlink: false,
    },
    // It holds the app's own lock meanwhile.
    Scene {
        app: "cline",
        file: ".cline/data/settings/cline_mcp_settings.json",
        content: "{\"mcpServers\": {\"a\": {\"command\": \"x\", \"args\": []}}}",
        symlink: false,
    },
    Scene {
        app: "zed",
        file: ".config/zed/settings.json",
        content: "{\"context_servers\": {\"a\": {\"command\": \"x\"},},}\n",
        symlink: true,
    },
];

impl Scene {
    fn app(&self) -> AppId {
        AppId::new(self.app)
    }

    fn config(&self, root: &Path) -> PathBuf {
        root.join("home").join(self.file)
    }

    fn read(&self, root: &Path) -> String {
        std::fs::read_to_string(self.config(root)).unwrap()
    }

    /// The content before and after `action`. Protected once already, so that every run draws the same ids.
    fn set_up(&self, root: &Path, action: ConfigAction) -> (String, String) {
        let config = self.config(root);
        std::fs::create_dir_all(config.parent().unwrap()).unwrap();
        std::fs::create_dir_all(root.join("bin")).unwrap();
        std::fs::write(root.join("bin/portcullis-shim"), "").unwrap();
        if self.symlink {
            std::fs::write(root.join("home/real"), self.content).unwrap();
            std::os::unix::fs::symlink("../../real", &config).unwrap();
        } else {
            std::fs::write(&config, self.content).unwrap();
        }
        run(root, self, ConfigAction::Protect);
        let protected = self.read(root);
        run(root, self, ConfigAction::Restore);
        assert_eq!(self.read(root), self.content);
        match action {
            ConfigAction::Protect => (self.content.into(), protected),
            ConfigAction::Restore => {
                run(root, self, ConfigAction::Protect);
                assert_eq!(self.read(root), protected);
                (protected, self.content.into())
            }
        }
    }
}

fn run(root: &Path, scene: &Scene, action: ConfigAction) {
    let clients = clients(root);
    let preview = clients.preview(&scene.app(), action, None).unwrap();
    clients.apply(&preview.token).unwrap();
}

/// The process that is killed: this program again, with one thread and nothing but one protect or restore to do.
fn victim(root: &Path) {
    let scene = std::env::var("KILL_SCENE").unwrap();
    let scene = SCENES.iter().find(|known| known.app == scene).unwrap();
    let restore = std::env::var_os("KILL_RESTORE").is_some();
    let action = if restore { ConfigAction::Restore } else { ConfigAction::Protect };
    // From here on system calls count.
    let _ = std::fs::metadata(root.join("begin"));
    let machine = Machine { os: Os::Linux, home: root.join("home"), env: HashMap::new() };
    let opened = Clients::open(ClientsConfig {
        machine,
        state_dir: root.join("state"),
        own_apps: root.join("apps"),
        shim: root.join("bin/portcullis-shim"),
        proxy_port: 4711,
        serving: Serving::Yes,
        processes: Arc::new(Nobody),
    });
    // A failure is an answer; a panic is not.
    let done = opened.and_then(|clients| {
        let preview = clients.preview(&scene.app(), action, None)?;
        clients.apply(&preview.token)
    });
    let _ = std::fs::metadata(root.join("end"));
    drop(done);
}

/// Everything that touches files and descriptors.
const CALLS: &str = "%file,%desc";

fn strace(root: &Path, scene: &Scene, action: ConfigAction, options: &[&str]) -> std::process::Output {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq"]).args(options).arg(std::env::current_exe().unwrap());
    command.env("KILL_ROOT", root).env("KILL_SCENE", scene.app).env_remove("KILL_RESTORE");
    if action == ConfigAction::Restore {
        command.env("KILL_RESTORE", "1");
    }
    command.env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    command.output().expect("these tests need `strace` (Debian's package of that name)")
}

/// The victim's calls between the marks: the name of each, and the how-manieth of that name it is (as strace counts).
fn calls(root: &Path, scene: &Scene, action: ConfigAction) -> Vec<(String, usize)> {
    let log = root.with_extension("log");
    let shown = strace(root, scene, action, &["-o", log.to_str().unwrap(), "-e", &format!("trace={CALLS}")]);
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    let log = std::fs::read_to_string(&log).unwrap();
    let begin = log.lines().find(|line| line.contains("/begin\"")).expect("the victim did not begin");
    let thread = begin.split_whitespace().next();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut found: Option<Vec<(String, usize)>> = None;
    for line in log.lines().filter(|line| line.split_whitespace().next() == thread && !line.contains(" resumed>")) {
        let Some(name) = line.split_whitespace().nth(1).and_then(|call| call.split_once('(')).map(|(name, _)| name)
        else {
            continue;
        };
        let count = seen.entry(name).or_default();
        *count += 1;
        if let Some(found) = &mut found {
            found.push((name.into(), *count));
        }
        if line.contains("/begin\"") {
            found = Some(Vec::new());
        } else if line.contains("/end\"") {
            break;
        }
    }
    found.unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(&source).unwrap(), &target).unwrap();
        } else if kind.is_dir() {
            copy(&source, &target);
        } else {
            std::fs::copy(&source, &target).unwrap();
        }
    }
}

fn leftovers(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".lock") && std::fs::read_dir(entry.path()).unwrap().next().is_none() {
            // Made or emptied, and then killed: nobody can tell whose it is, so it waits until it is stale.
            let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
            std::fs::File::open(entry.path()).unwrap().set_modified(long_ago).unwrap();
        } else if name.starts_with(".portcullis-") || name.ends_with(".lock") {
            found.push(entry.path());
        } else if entry.file_type().unwrap().is_dir() {
            found.extend(leftovers(&entry.path()));
        }
    }
    found
}

/// What must hold whatever happened: nothing lost, nothing left, and a way back.
fn check(case: &str, root: &Path, scene: &Scene, old: &str, new: &str) {
    let now = scene.read(root);
    assert!(now == old || now == new, "{case}: neither old nor new:\n{now}");
    let clients = clients(root);
    assert!(clients.problems().is_empty(), "{case}: {:?}", clients.problems());
    assert_eq!(scene.read(root), now, "{case}: a start writes no config");
    let view = clients.app(&scene.app()).unwrap();
    let file = view.files.iter().find(|file| file.exists).unwrap();
    assert_eq!(file.problem, None, "{case}");
    let protected = now != scene.content;
    assert!(file.servers.iter().all(|server| server.protected == protected && !server.edited_outside), "{case}");
    let urls = clients.upstreams().unwrap().into_iter().filter_map(|upstream| upstream.url);
    assert!(!scene.content.contains("h.example") || urls.count() == 1, "{case}: the URL's original is known");
    assert_eq!(leftovers(&root.join("home")), Vec::<PathBuf>::new(), "{case}");
    let report = clients.restore_all().unwrap();
    assert!(report.failed.is_empty(), "{case}: {report:?}");
    assert_eq!(scene.read(root), scene.content, "{case}: restored");
    assert!(!scene.symlink || std::fs::symlink_metadata(scene.config(root)).unwrap().is_symlink(), "{case}");
}

/// `every`: each so-many-th call of the scene. Says how many cases there were.
fn kill(scene: &Scene, action: ConfigAction, every: usize, faults: &[&str]) -> usize {
    let directory = tempfile::tempdir().unwrap();
    let (root, kept) = (directory.path().join("root"), directory.path().join("kept"));
    let (old, new) = scene.set_up(&root, action);
    copy(&root, &kept);
    let calls = calls(&root, scene, action);
    assert_eq!(scene.read(&root), new);
    assert!(calls.iter().filter(|(name, _)| name.starts_with("rename")).count() >= 5, "{calls:?}");
    let mut cases = 0;
    for (at, (name, count)) in calls.iter().enumerate().step_by(every) {
        for fault in std::iter::once(&"signal=SIGKILL").chain(faults) {
            let writing =
                !["read", "statx", "fstat", "newfstatat", "close", "lseek", "readlink"].contains(&name.as_str());
            if fault.starts_with("error=") && !writing {
                continue;
            }
            let case = format!("{} {action:?}, call {at} ({name}), {fault}", scene.app);
            std::fs::remove_dir_all(&root).unwrap();
            copy(&kept, &root);
            let (trace, inject) = (format!("trace={name}"), format!("inject={name}:{fault}:when={count}"));
            let ended = strace(&root, scene, action, &["-o", "/dev/null", "-e", &trace, "-e", &inject]);
            let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
            if fault.starts_with("error=") {
                assert!(ended.status.success(), "{case}: {said}");
            } else {
                use std::os::unix::process::ExitStatusExt;
                let killed = ended.status.signal() == Some(9) || ended.status.code() == Some(137);
                assert!(killed, "{case}: {said}");
            }
            check(&case, &root, scene, &old, &new);
            cases += 1;
        }
    }
    cases
}

const FAULTS: [&str; 3] = ["error=ENOSPC", "error=EACCES", "error=EIO"];

fn a_sample_of_the_calls() {
    let mut cases = 0;
    for action in [ConfigAction::Protect, ConfigAction::Restore] {
        cases += kill(&SCENES[0], action, 13, &FAULTS[..1]);
        cases += kill(&SCENES[3], action, 29, &[]);
    }
    assert!(cases > 20, "{cases}");
}

fn all_calls(scene: &Scene) {
    for action in [ConfigAction::Protect, ConfigAction::Restore] {
        let cases = kill(scene, action, 1, &FAULTS);
        eprintln!("{} {action:?}: {cases} cases", scene.app);
    }
}

/// A harness of its own, because the victim must be a process that does nothing else.
pub fn main() {
    if let Some(root) = std::env::var_os("KILL_ROOT") {
        return victim(Path::new(&root));
    }
    let arguments = Arguments::from_args();
    let sample = Trial::test("a_sample_of_the_calls", || {
        a_sample_of_the_calls();
        Ok(())
    });
    let whole = SCENES.iter().map(|scene| {
        let all = move || {
            all_calls(scene);
            Ok(())
        };
        Trial::test(format!("every_call_{}", scene.app), all).with_ignored_flag(true)
    });
    libtest_mimic::run(&arguments, std::iter::once(sample).chain(whole).collect()).exit();
}
