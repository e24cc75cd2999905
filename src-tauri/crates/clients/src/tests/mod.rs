//! Whole-crate tests on real temporary directories: a home, a state directory, a shim, and a process table of our own.

mod apply;
mod apps;
#[cfg(target_os = "linux")]
mod coverage;
mod crash;
mod editor;
mod edits;
mod formats;
#[cfg(target_os = "linux")]
mod hostile;
mod other_formats;
mod property;
mod three_way;
mod watch;

use crate::{Clients, ClientsConfig, Machine, Os, ProcessInfo, Processes, ServerView};
use portcullis_domain::AppId;
use portcullis_domain::api::{ApplyAnswer, ConfigAction, Preview};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

pub(crate) const PORT: u16 = 4711;

#[derive(Clone, Default)]
struct Table(Arc<Mutex<Vec<PathBuf>>>);

impl Processes for Table {
    fn list(&self) -> Vec<ProcessInfo> {
        let exe = |(at, exe): (usize, &PathBuf)| ProcessInfo {
            pid: at as u32 + 10,
            name: "x".into(),
            exe: Some(exe.clone()),
            ..ProcessInfo::default()
        };
        self.0.lock().unwrap().iter().enumerate().map(exe).collect()
    }
}

pub(crate) struct Home {
    _dir: tempfile::TempDir,
    pub machine: Machine,
    pub state_dir: PathBuf,
    pub shim: PathBuf,
    pub port: u16,
    pub serving: crate::Serving,
    running: Table,
}

impl Home {
    pub fn new() -> Self {
        Self::on(Os::Linux)
    }

    pub fn on(os: Os) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let (home, state_dir) = (root.join("home"), root.join("state"));
        std::fs::create_dir_all(&home).unwrap();
        std::fs::create_dir_all(state_dir.join("bin")).unwrap();
        let shim = state_dir.join("bin/portcullis-shim");
        std::fs::write(&shim, "").unwrap();
        let machine = Machine { os, home, env: HashMap::new() };
        Self {
            _dir: dir,
            machine,
            state_dir,
            shim,
            port: PORT,
            serving: crate::Serving::Yes,
            running: Table::default(),
        }
    }

    pub fn clients(&self) -> Clients {
        let config = ClientsConfig {
            machine: self.machine.clone(),
            state_dir: self.state_dir.clone(),
            own_apps: self.own_apps(),
            shim: self.shim.clone(),
            proxy_port: self.port,
            serving: self.serving,
            processes: Arc::new(self.running.clone()),
        };
        Clients::open(config).unwrap()
    }

    pub fn own_apps(&self) -> PathBuf {
        self.state_dir.join("apps")
    }

    /// The place of a config file in Cursor's manner.
    pub fn place(&self) -> crate::descriptor::Place {
        let apps = crate::bundled().unwrap();
        apps.iter().find(|app| app.id == "cursor").unwrap().former_place(&self.cursor())
    }

    pub fn start(&self, exe: &str) {
        self.running.0.lock().unwrap().push(exe.into());
    }
    pub fn quit_all(&self) {
        self.running.0.lock().unwrap().clear();
    }

    pub fn cursor(&self) -> PathBuf {
        self.machine.home.join(".cursor/mcp.json")
    }
    pub fn claude(&self) -> PathBuf {
        self.machine.home.join(".config/Claude/claude_desktop_config.json")
    }
    pub fn write(&self, path: &Path, content: impl AsRef<[u8]>) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    /// A home with this as Cursor's config.
    pub fn with_cursor(content: impl AsRef<[u8]>) -> Self {
        let home = Self::new();
        home.write(&home.cursor(), content);
        home
    }
    pub fn read(&self) -> String {
        text(&self.cursor())
    }
    /// Changes Cursor's config as a person with an editor would.
    pub fn edit(&self, from: &str, to: &str) {
        let before = self.read();
        assert!(before.contains(from), "{from:?} is not in {before}");
        std::fs::write(self.cursor(), before.replacen(from, to, 1)).unwrap();
    }
}

pub(crate) fn text(path: &Path) -> String {
    String::from_utf8(std::fs::read(path).unwrap()).unwrap()
}
pub(crate) fn cursor() -> AppId {
    AppId::new("cursor")
}
pub(crate) fn claude() -> AppId {
    AppId::new("claude-desktop")
}

impl Clients {
    pub(crate) fn look(&self, app: &AppId, action: ConfigAction) -> Preview {
        self.preview(app, action, None).unwrap()
    }
    pub(crate) fn run(&self, app: &AppId, action: ConfigAction) -> ApplyAnswer {
        self.apply(&self.look(app, action).token).unwrap()
    }
    pub(crate) fn protect(&self) -> ApplyAnswer {
        self.run(&cursor(), ConfigAction::Protect)
    }
    pub(crate) fn restore(&self) -> ApplyAnswer {
        self.run(&cursor(), ConfigAction::Restore)
    }
    pub(crate) fn server(&self, name: &str) -> ServerView {
        let view = self.app(&cursor()).unwrap();
        view.servers().find(|server| server.name == name).unwrap_or_else(|| panic!("no server {name:?}")).clone()
    }
    /// The id of the entry with that name, as the file says now.
    pub(crate) fn id(&self, name: &str) -> String {
        self.server(name).id.unwrap().to_string()
    }
}
