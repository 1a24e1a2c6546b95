//! An OpenAI-compatible model over HTTP.

use std::error::Error;
use std::time::Duration;

use serde_json::Value;

use crate::shared::scripted;

pub(crate) struct Model {
    pub(crate) name: String,
    base_url: String,
    api_key: Option<String>,
    http: ureq::Agent,
}

impl Model {
    /// The model that `OPENAI_BASE_URL` names, or the scripted one.
    #[allow(clippy::disallowed_methods)]
    pub(crate) fn from_env_or_scripted() -> Result<Self, Box<dyn Error>> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let base_url = scripted::unless_set()?;
        let http = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(120))).build().into();
        let name = set("OPENAI_MODEL").unwrap_or_else(|| scripted::MODEL.to_owned());
        Ok(Self { name, base_url, api_key: set("OPENAI_API_KEY"), http })
    }

    /// One chat completion.
    pub(crate) fn chat(&self, body: &Value) -> Result<Value, ureq::Error> {
        let url = format!("{}/chat/completions", self.base_url);
        let mut request = self.http.post(url);
        if let Some(key) = &self.api_key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        request.send_json(body)?.body_mut().read_json()
    }
}
