//! Error answers: a status and an `ApiError` with a stable code. The UI switches on the code, so codes never change.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use portcullis_domain::api::ApiError;

#[derive(Debug)]
pub(crate) struct Failure {
    pub status: StatusCode,
    pub error: ApiError,
}

pub(crate) type Answer<T> = Result<Json<T>, Failure>;

impl Failure {
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, error: ApiError { code: code.into(), message: message.into(), details: None } }
    }
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }
    pub fn internal(message: impl std::fmt::Display) -> Self {
        let message =
            format!("Portcullis failed inside: {message}. Checking goes on; `portcullis doctor` may say more.");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(self.error)).into_response()
    }
}

impl From<crate::Error> for Failure {
    fn from(error: crate::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "state_not_written", error.to_string())
    }
}

impl From<portcullis_audit::Error> for Failure {
    fn from(error: portcullis_audit::Error) -> Self {
        let status = match error.code() {
            "bad_cursor" => StatusCode::BAD_REQUEST,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

/// A known path asked for in a way it has not: said in the same shape as every other error.
pub(super) async fn wrong_method(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    let asked = format!("{} {}", request.method(), request.uri().path());
    let response = next.run(request).await;
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        return Failure::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", format!("There is no {asked}."))
            .into_response();
    }
    response
}
