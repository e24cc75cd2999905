//! The dashboard's files, embedded when the binary is built. Unknown paths answer the page itself: it has its own routes.

use super::failure::Failure;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

#[derive(rust_embed::Embed)]
#[folder = "../../../ui/dist"]
#[allow_missing = true]
struct Dist;

const MISSING: &str = "<!doctype html><meta charset=utf-8><title>Portcullis</title><h1>Portcullis is running</h1>\
<p>This build does not hold the dashboard. Build it and the binary again: <code>npm run build &amp;&amp; npm start</code>.</p>\
<p>The command line works: <code>portcullis status</code>.</p>";

pub(super) async fn serve(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") {
        return Failure::not_found(format!("There is no /{path} in this version.")).into_response();
    }
    if let Some(file) = Dist::get(path).filter(|_| !path.is_empty()) {
        // Vite names files by their content.
        let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        let headers = [(header::CONTENT_TYPE, content_type(path)), (header::CACHE_CONTROL, cache)];
        return (headers, file.data.into_owned()).into_response();
    }
    if path.starts_with("assets/") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    match Dist::get("index.html") {
        Some(page) => (headers, page.data.into_owned()).into_response(),
        None => (headers, MISSING).into_response(),
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
