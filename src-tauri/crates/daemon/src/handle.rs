//! What the desktop shell (and anybody who embeds the daemon) may do: the dashboard's API as functions, on the daemon in
//! this process or on one that already runs.

use crate::access::Access;
use crate::net::SseReader;
use http_body_util::BodyExt as _;
use portcullis_domain::api::{
    AlertGroup, AlertPage, ApiError, App, ApplyAnswer, ApplyRequest, AskList, ConfigAction, ExchangeDetail, LiveEvent,
    PauseRequest, Preview, PreviewRequest, Settings, Status,
};
use portcullis_domain::{AppId, ExchangeId};
use serde_json::Value;
use tokio::sync::broadcast;

/// How many events may wait for a slow listener before it gets a `Gap`.
pub(crate) const MAX_WAITING_EVENTS: usize = 1024;

#[derive(Clone)]
pub struct Handle {
    access: Access,
    /// None: the daemon is another process.
    bus: Option<broadcast::Sender<LiveEvent>>,
}

impl Handle {
    pub(crate) fn new(access: Access, bus: Option<broadcast::Sender<LiveEvent>>) -> Self {
        Self { access, bus }
    }

    /// Whether the daemon runs in another process.
    pub fn is_remote(&self) -> bool {
        self.access.is_remote()
    }
    pub async fn status(&self) -> Result<Status, ApiError> {
        self.access.get("/api/status").await
    }
    pub async fn apps(&self) -> Result<Vec<App>, ApiError> {
        self.access.get("/api/apps").await
    }
    /// Protects every server of the app that can be carried, or restores the app's config.
    pub async fn set_app_protected(&self, app: &AppId, protected: bool) -> Result<ApplyAnswer, ApiError> {
        let action = if protected { ConfigAction::Protect } else { ConfigAction::Restore };
        let preview: Preview =
            self.access.post(&format!("/api/apps/{app}/preview"), &PreviewRequest { action, servers: None }).await?;
        self.access.post(&format!("/api/apps/{app}/apply"), &ApplyRequest { token: preview.token }).await
    }
    /// None: every app.
    pub async fn restore(&self, app: Option<&AppId>) -> Result<ApplyAnswer, ApiError> {
        match app {
            Some(app) => self.set_app_protected(app, false).await,
            None => self.access.post("/api/restore-all", &Value::Null).await,
        }
    }
    /// A click of the person. None: until resumed.
    pub async fn pause(&self, minutes: Option<u32>) -> Result<(), ApiError> {
        self.access.at_window().post("/api/pause", &PauseRequest { minutes }).await
    }
    pub async fn resume(&self) -> Result<(), ApiError> {
        self.access.post("/api/resume", &Value::Null).await
    }
    pub async fn newest_alert(&self) -> Result<Option<AlertGroup>, ApiError> {
        let page: AlertPage = self.access.get("/api/alerts?state=open").await?;
        Ok(page.groups.into_iter().next())
    }
    pub async fn exchange(&self, id: &ExchangeId) -> Result<ExchangeDetail, ApiError> {
        self.access.get(&format!("/api/exchanges/{id}")).await
    }
    /// Held calls that wait for the person, and the newest of those that are over.
    pub async fn asks(&self) -> Result<AskList, ApiError> {
        self.access.get("/api/asks").await
    }
    pub async fn settings(&self) -> Result<Settings, ApiError> {
        self.access.get("/api/settings").await
    }
    pub async fn set_settings(&self, settings: &Settings) -> Result<Settings, ApiError> {
        self.access.at_window().put("/api/settings", settings).await
    }
    /// A fresh one-use pairing code.
    pub async fn pairing_code(&self) -> Result<String, ApiError> {
        let answer: Value = self.access.post("/api/pairing-code", &Value::Null).await?;
        Ok(answer["code"].as_str().unwrap_or_default().to_owned())
    }
    /// The dashboard's address with a fresh one-use pairing code in its fragment, for the window or a browser.
    pub async fn dashboard_url(&self) -> Result<String, ApiError> {
        Ok(format!("{}/#pair={}", self.dashboard_address(), self.pairing_code().await?))
    }
    pub fn dashboard_address(&self) -> String {
        format!("http://127.0.0.1:{}", self.access.port())
    }
    /// What happens from now on. Over the API the stream ends when the daemon does.
    /// Whoever calls this shows questions to the person: doubtful Messages then wait for an answer.
    pub async fn events(&self) -> Result<broadcast::Receiver<LiveEvent>, ApiError> {
        self.listen(true).await
    }
    /// `asks` false: no person sees a question there.
    pub(crate) async fn listen(&self, asks: bool) -> Result<broadcast::Receiver<LiveEvent>, ApiError> {
        if let Some(bus) = &self.bus {
            return Ok(bus.subscribe());
        }
        let mut body = self.access.open_events(asks).await?;
        let (sender, receiver) = broadcast::channel(MAX_WAITING_EVENTS);
        tokio::spawn(async move {
            let mut reader = SseReader::default();
            while let Some(Ok(frame)) = body.frame().await {
                reader.push(frame.data_ref().map_or(&[][..], |data| data));
                while let Some(event) = reader.next_event() {
                    if let Ok(event) = serde_json::from_str(&event.data)
                        && sender.send(event).is_err()
                    {
                        return;
                    }
                }
            }
        });
        Ok(receiver)
    }
}
