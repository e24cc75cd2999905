//! One way to the API for the commands and the shell: over HTTP to the running daemon, or straight into the same router
//! when this process holds the lock itself. So no command has two implementations.

use crate::net;
use crate::presence::TERMINAL;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use portcullis_domain::api::ApiError;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[derive(Clone)]
pub(crate) struct Access {
    wire: Wire,
    port: u16,
    token: String,
    presence: Presence,
}

/// How a person is known to stand behind what is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    /// Not at all: a program asks.
    Unknown,
    /// They confirmed at this process' terminal.
    Terminal,
    /// They clicked in the shell's own menu, which is as much as a page of the dashboard.
    Window,
}

#[derive(Clone)]
enum Wire {
    Remote,
    Local(Router),
}

impl Access {
    /// `port`: where the daemon that holds the lock listens.
    pub fn remote(port: u16, token: String) -> Self {
        Self { wire: Wire::Remote, port, token, presence: Presence::Unknown }
    }
    pub fn local(router: Router, port: u16, token: String) -> Self {
        Self { wire: Wire::Local(router), port, token, presence: Presence::Unknown }
    }
    /// To be used once a person confirmed at the terminal.
    pub fn at_terminal(&self) -> Self {
        Self { presence: Presence::Terminal, ..self.clone() }
    }
    /// To be used for a click of the person in the shell.
    pub fn at_window(&self) -> Self {
        Self { presence: Presence::Window, ..self.clone() }
    }
    pub fn is_remote(&self) -> bool {
        matches!(self.wire, Wire::Remote)
    }
    pub fn port(&self) -> u16 {
        self.port
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        self.call(Method::GET, path, Bytes::new()).await
    }
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ApiError> {
        self.call(Method::POST, path, to_bytes(body)?).await
    }
    pub async fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ApiError> {
        self.call(Method::PUT, path, to_bytes(body)?).await
    }
    pub async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        self.call(Method::DELETE, path, Bytes::new()).await
    }

    async fn call<T: DeserializeOwned>(&self, method: Method, path: &str, body: Bytes) -> Result<T, ApiError> {
        let request = self.request(method, path)?;
        let (status, body) = match &self.wire {
            Wire::Remote => {
                let request = request.body(Full::from(body)).map_err(unusable)?;
                let response = net::send(self.port, request).await.map_err(|e| self.unreachable(&e))?;
                let status = response.status();
                (status, net::body(response.into_body()).await.map_err(|e| self.unreachable(&e))?)
            }
            Wire::Local(router) => {
                let request = request.body(Body::from(body)).map_err(unusable)?;
                let answer = TowerToHyperService::new(router.clone()).call(request).await;
                let response = match answer {
                    Ok(response) => response,
                    Err(never) => match never {},
                };
                let status = response.status();
                (status, response.into_body().collect().await.map_err(unusable)?.to_bytes())
            }
        };
        read(status, &body)
    }

    fn request(&self, method: Method, path: &str) -> Result<http::request::Builder, ApiError> {
        let host = format!("127.0.0.1:{}", self.port);
        let mut request = Request::builder();
        match self.presence {
            Presence::Unknown => {}
            Presence::Terminal => request = request.header(TERMINAL, "confirmed"),
            Presence::Window => request = request.header(header::ORIGIN, format!("http://{host}")),
        }
        Ok(request
            .method(method)
            .uri(path)
            .header(header::HOST, host)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token)))
    }

    /// The body of `/api/events`, for a shell that attached to a daemon of another process.
    pub async fn open_events(&self, asks: bool) -> Result<hyper::body::Incoming, ApiError> {
        let path = format!("/api/events?asks={asks}");
        let request = self.request(Method::GET, &path)?.body(Full::default()).map_err(unusable)?;
        let response = net::send(self.port, request).await.map_err(|e| self.unreachable(&e))?;
        if response.status() != StatusCode::OK {
            let status = response.status();
            let body = net::body(response.into_body()).await.map_err(|e| self.unreachable(&e))?;
            return Err(read::<()>(status, &body).err().unwrap_or_else(|| unusable(status)));
        }
        Ok(response.into_body())
    }

    fn unreachable(&self, why: &std::io::Error) -> ApiError {
        let message = format!(
            "Portcullis' daemon does not answer on 127.0.0.1:{} ({why}). Run `portcullis doctor`, or start it again.",
            self.port
        );
        ApiError { code: "unreachable".into(), message, details: None }
    }
}

fn to_bytes(body: &impl Serialize) -> Result<Bytes, ApiError> {
    serde_json::to_vec(body).map(Bytes::from).map_err(unusable)
}

fn unusable(why: impl std::fmt::Display) -> ApiError {
    ApiError { code: "odd_answer".into(), message: format!("The daemon's answer is not usable: {why}."), details: None }
}

fn read<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Result<T, ApiError> {
    if !status.is_success() {
        return Err(serde_json::from_slice(body).unwrap_or_else(|_| unusable(format!("HTTP {status}"))));
    }
    // Answers without content read as null.
    let body = if body.is_empty() { b"null" } else { body };
    serde_json::from_slice(body).map_err(unusable)
}
