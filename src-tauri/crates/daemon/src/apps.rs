//! The ClientApps' configs as the core uses them: `portcullis-clients`, with errors as the API says them and with what a
//! token stands for, so that a Change row can tell what was written.

use crate::api::Failure;
use crate::core::locked;
use crate::{Error, home::Home};
use axum::http::StatusCode;
use portcullis_clients::{
    Clients, ClientsConfig, ConfigChange, Machine, Report, Serving, SystemProcesses, Traffic, Watch,
};
use portcullis_domain::api::{App, ApplyAnswer, ConfigAction, Preview, PreviewRequest, UsedBy};
use portcullis_domain::{AppId, UnixMs, Upstream, UpstreamId};
use portcullis_gateway::Caller;
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// As many as `Clients` keeps.
const KEPT_PREVIEWS: usize = 16;

pub(crate) struct Apps {
    clients: Arc<Clients>,
    previews: Mutex<VecDeque<(String, AppId, ConfigAction)>>,
    /// When what an app had written back was written again.
    reapplied: Mutex<HashMap<AppId, VecDeque<UnixMs>>>,
}

/// An app that keeps writing its own copy back is not fought: so many attempts within so long, then it shows as not
/// protected.
const REAPPLY: (usize, UnixMs) = (3, 3_600_000);

impl Apps {
    pub fn open(home: &Home, apps_home: Option<PathBuf>, proxy_port: u16, serving: Serving) -> Result<Self, Error> {
        let machine = match apps_home {
            // Nothing of the person's environment: a variable could lead out of the given home.
            Some(home) => Machine { home, env: Default::default(), ..Machine::this().ok_or(Error::NoHome)? },
            None => Machine::this().ok_or(Error::NoHome)?,
        };
        let config = ClientsConfig {
            machine,
            state_dir: home.journal(),
            own_apps: home.own_apps(),
            shim: home.shim(),
            proxy_port,
            serving,
            processes: Arc::new(SystemProcesses),
        };
        let clients = Clients::open(config).map_err(clients_error)?;
        Ok(Self { clients: Arc::new(clients), previews: Mutex::default(), reapplied: Mutex::default() })
    }

    pub fn problems(&self) -> &[String] {
        self.clients.problems()
    }

    pub fn list(&self, mut traffic: impl FnMut(&UpstreamId) -> Traffic) -> Result<Vec<App>, Failure> {
        Ok(self.clients.apps()?.into_iter().map(|view| view.into_api(&mut traffic)).collect())
    }

    pub fn upstreams(&self) -> Result<Vec<Upstream>, Error> {
        self.clients.upstreams().map_err(clients_error)
    }

    /// After how many seconds an app gives a call up, where it is known.
    pub fn patience(&self) -> HashMap<AppId, u32> {
        self.clients.patience().collect()
    }

    pub fn name(&self, app: &AppId) -> String {
        self.clients.app(app).map_or_else(|_| app.to_string(), |view| view.name)
    }

    /// Who used a server, by what shims and clients say of themselves.
    pub fn used_by(&self, callers: Vec<Caller>) -> Vec<UsedBy> {
        let mut users: Vec<UsedBy> = Vec::new();
        for Caller { ancestry, client, .. } in callers {
            let app = self.clients.app_in(&ancestry);
            let program = || ancestry.first().map(|(_, program)| program.rsplit(['/', '\\']).next().unwrap_or(program));
            let name = match &app {
                Some(app) => self.clients.app_name(app),
                None => program().map(str::to_owned).or_else(|| client.clone()).unwrap_or_default(),
            };
            let user = UsedBy { app, name, client };
            if !user.name.is_empty() && !users.contains(&user) {
                users.push(user);
            }
        }
        users
    }

    /// The app that runs as `pid` or started it.
    pub fn above(&self, pid: u32) -> Option<AppId> {
        self.clients.app_above(pid)
    }

    pub fn preview(&self, app: &AppId, request: &PreviewRequest) -> Result<Preview, Failure> {
        let preview = self.clients.preview(app, request.action, request.servers.as_deref())?;
        let mut previews = locked(&self.previews);
        previews.retain(|(token, ..)| *token != preview.token);
        previews.push_back((preview.token.clone(), app.clone(), request.action));
        if previews.len() > KEPT_PREVIEWS {
            previews.pop_front();
        }
        Ok(preview)
    }

    /// Writes what the preview showed; says what it was.
    pub fn apply(&self, app: &AppId, token: &str) -> Result<(ConfigAction, ApplyAnswer), Failure> {
        let known = locked(&self.previews).iter().find(|(known, of, _)| known == token && of == app).cloned();
        let Some((.., action)) = known else { return Err(portcullis_clients::Error::PreviewExpired.into()) };
        Ok((action, self.clients.apply(token)?))
    }

    pub fn restore_all(&self) -> Result<Report, Failure> {
        Ok(self.clients.restore_all()?)
    }

    pub fn apply_queued(&self) -> Result<Report, Failure> {
        Ok(self.clients.apply_queued()?)
    }

    /// Whether what the app wrote back may be written once more; counts.
    pub fn may_reapply(&self, app: &AppId, now: UnixMs) -> bool {
        let mut reapplied = locked(&self.reapplied);
        let times = reapplied.entry(app.clone()).or_default();
        times.retain(|at| now - *at < REAPPLY.1);
        let may = times.len() < REAPPLY.0;
        if may {
            times.push_back(now);
        }
        may
    }

    pub fn folders(&self) -> Result<Vec<PathBuf>, Failure> {
        Ok(self.clients.folders()?)
    }

    pub fn add_folder(&self, folder: &Path) -> Result<PathBuf, Failure> {
        Ok(self.clients.add_folder(folder)?)
    }

    pub fn remove_folder(&self, folder: &Path) -> Result<(), Failure> {
        Ok(self.clients.remove_folder(folder)?)
    }

    pub fn watch(&self, callback: impl Fn(ConfigChange) + Send + 'static) -> Result<Watch, Error> {
        self.clients.watch(callback).map_err(clients_error)
    }
}

fn clients_error(error: portcullis_clients::Error) -> Error {
    Error::Clients(error.to_string())
}

impl From<portcullis_clients::Error> for Failure {
    fn from(error: portcullis_clients::Error) -> Self {
        let status = match error.code() {
            "unknown_app" | "not_found" | "not_a_folder" => StatusCode::NOT_FOUND,
            "config_io" | "journal_unusable" | "descriptor_invalid" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::CONFLICT,
        };
        let mut failure = Self::new(status, error.code(), sentence(&error.to_string()));
        failure.error.details = error.details();
        failure
    }
}

/// Error texts of a library begin small and end without a full stop; an answer is a sentence.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}
