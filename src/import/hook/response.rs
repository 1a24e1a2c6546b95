//! What a tool returned, as far as a hook tells more of it than its digest.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::import::session::{Loose, Text};

/// What is read of it. A field may have two spellings, and both at once.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Response<'a> {
    #[serde(borrow, rename = "agentId")]
    agent_in_camel: Text<'a>,
    #[serde(borrow, rename = "agent_id")]
    agent: Text<'a>,
    interrupted: Loose<bool>,
    is_error: Loose<bool>,
    #[serde(rename = "isError")]
    is_error_in_camel: Loose<bool>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

impl<'a> Response<'a> {
    /// What this holds, where it is an object. One that stood in a text may be what a tool printed: a word such as `status`
    /// is the tool's own there.
    pub(super) fn of(text: &'a str, stood_in_text: bool) -> Self {
        let is_object = text.trim_ascii_start().starts_with('{');
        let read: Option<Self> = is_object.then(|| serde_json::from_str(text).ok()).flatten();
        let mut read = read.unwrap_or_default();
        if stood_in_text {
            read.status = Text::default();
        }
        read
    }

    /// The sub-agent that the tool started.
    pub(super) fn started(&self) -> Option<&str> {
        self.agent_in_camel.some().or(self.agent.some())
    }

    /// Whether the tool was stopped.
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.0 == Some(true)
    }

    /// Whether it says that it went wrong.
    pub(super) fn is_error(&self) -> bool {
        let is_failure = |status: &str| status.eq_ignore_ascii_case("failed") || status.eq_ignore_ascii_case("error");
        let says_so = [self.is_error, self.is_error_in_camel].iter().any(|flag| flag.0 == Some(true));
        says_so || self.status.some().is_some_and(is_failure)
    }

    /// What it says of that.
    pub(super) fn error(&self) -> Option<&'a RawValue> {
        self.error.filter(|_| self.is_error())
    }
}
