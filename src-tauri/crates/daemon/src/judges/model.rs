//! A language model behind an OpenAI-compatible endpoint or Ollama. No redirect is followed, the answer is bounded, the
//! key is read for each request and stands in no log.

use super::case::Case;
use super::{Answer, ExtraJudge, Fault, Opinion, prompt};
use http::{Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use portcullis_domain::api::{KeySource, ModelStyle};
use portcullis_gateway::Client;
use std::path::Path;
use std::sync::Arc;

const MAX_ANSWER_BYTES: usize = 256 * 1024;
const MAX_KEY_BYTES: u64 = 4096;

pub(crate) struct ModelJudge {
    pub client: Arc<Client>,
    pub style: ModelStyle,
    pub url: String,
    pub model: String,
    pub key: Option<KeySource>,
}

impl ExtraJudge for ModelJudge {
    fn opine<'a>(&'a self, case: &'a Case) -> Answer<'a> {
        Box::pin(self.ask(case))
    }
    fn problem(&self) -> Option<String> {
        self.key.as_ref().and_then(|source| key(source).err())
    }
}

impl ModelJudge {
    async fn ask(&self, case: &Case) -> Result<Opinion, Fault> {
        let path = match self.style {
            ModelStyle::Openai => "chat/completions",
            ModelStyle::Ollama => "api/chat",
        };
        let mut request = Request::post(format!("{}/{path}", self.url.trim_end_matches('/')))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json");
        if let Some(source) = &self.key {
            let bearer = format!("Bearer {}", key(source).map_err(Fault::Failed)?);
            let mut value =
                http::HeaderValue::from_str(&bearer).map_err(|_| Fault::Failed("its key is no key".into()))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let body = prompt::request(self.style, &self.model, case).to_string();
        let request = request.body(Full::from(body)).map_err(|error| Fault::Failed(error.to_string()))?;
        let response = self
            .client
            .send(request)
            .await
            .map_err(|error| Fault::Failed(format!("it could not be reached: {error}")))?;
        let status = response.status();
        if status != http::StatusCode::OK {
            return Err(Fault::Failed(format!("it answered with status {}", status.as_u16())));
        }
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
        let body = body.map_err(|error| Fault::Failed(format!("its answer broke off or was too long: {error}")))?;
        prompt::read(self.style, &body.to_bytes())
    }
}

/// The key itself, never to be shown; or what is wrong.
fn key(source: &KeySource) -> Result<String, String> {
    let key = match source {
        KeySource::Env(name) => {
            std::env::var(name).map_err(|_| format!("the environment variable {name} is not set for the daemon"))?
        }
        KeySource::File(path) => {
            read_key(Path::new(path)).map_err(|why| format!("the key in {path} cannot be used: {why}"))?
        }
    };
    let key = key.trim();
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    if is_key { Ok(key.to_owned()) } else { Err("the key is empty, or holds what no key does".into()) }
}

fn read_key(path: &Path) -> Result<String, String> {
    use std::io::Read as _;
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is no file".into());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err("others can read it; `chmod 600` it".into());
        }
    }
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_KEY_BYTES).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}
