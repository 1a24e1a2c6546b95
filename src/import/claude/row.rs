//! One row of a transcript.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::import::session::{Loose, Text, Usage};

/// A row. Each member that has another type than it should is absent.
#[derive(Deserialize)]
pub(super) struct Row<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(super) subtype: Text<'a>,
    #[serde(borrow, default)]
    pub(super) uuid: Text<'a>,
    #[serde(borrow, default, rename = "parentUuid")]
    pub(super) parent: Text<'a>,
    #[serde(borrow, default)]
    pub(super) timestamp: Text<'a>,
    #[serde(borrow, default, rename = "sessionId")]
    pub(super) session: Text<'a>,
    #[serde(borrow, default, rename = "requestId")]
    pub(super) request: Text<'a>,
    #[serde(borrow, default, rename = "promptId")]
    pub(super) prompt: Text<'a>,
    #[serde(borrow, default, rename = "agentId")]
    pub(super) agent: Text<'a>,
    #[serde(borrow, default, rename = "attributionAgent")]
    pub(super) agent_type: Text<'a>,
    #[serde(default, rename = "isSidechain")]
    pub(super) is_sidechain: Loose<bool>,
    #[serde(default, rename = "isMeta")]
    pub(super) is_meta: Loose<bool>,
    #[serde(default, rename = "isCompactSummary")]
    pub(super) is_summary: Loose<bool>,
    #[serde(default, rename = "isApiErrorMessage")]
    pub(super) is_api_error: Loose<bool>,
    #[serde(default, rename = "apiErrorStatus")]
    pub(super) api_error_status: Loose<u16>,
    #[serde(borrow, default)]
    pub(super) message: Loose<Said<'a>>,
    #[serde(borrow, default, rename = "toolUseResult")]
    pub(super) returned: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "compactMetadata")]
    pub(super) compacted: Loose<Compacted<'a>>,
    #[serde(default, rename = "retryAttempt")]
    pub(super) attempt: Loose<i64>,
    #[serde(default)]
    pub(super) error: Loose<ApiError>,
}

/// What was said.
#[derive(Deserialize)]
pub(super) struct Said<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) model: Text<'a>,
    #[serde(borrow, default)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) stop_reason: Text<'a>,
    #[serde(borrow, default)]
    pub(super) usage: Option<&'a RawValue>,
}

/// What the agent itself knows of what a tool returned. Much else is in it, and is passed over.
#[derive(Deserialize, Default)]
pub(super) struct Returned<'a> {
    #[serde(borrow, default, rename = "agentId")]
    pub(super) agent: Text<'a>,
    #[serde(borrow, default, rename = "agentType")]
    pub(super) agent_type: Text<'a>,
    #[serde(default)]
    pub(super) interrupted: Loose<bool>,
    #[serde(default, rename = "exitCode")]
    pub(super) exit_code: Loose<i64>,
}

#[derive(Deserialize)]
pub(super) struct Compacted<'a> {
    #[serde(borrow, default)]
    pub(super) trigger: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct ApiError {
    #[serde(default)]
    pub(super) status: Loose<u16>,
}

impl Said<'_> {
    /// The content as JSON; nothing where there is none.
    pub(super) fn content(&self) -> Option<Value> {
        serde_json::from_str(self.content?.get()).ok()
    }

    /// The tokens. Anthropic counts cached ones beside the input.
    pub(super) fn usage(&self) -> Usage {
        let told: Option<Value> = self.usage.and_then(|usage| serde_json::from_str(usage.get()).ok());
        let count = |name: &str| told.as_ref()?.get(name)?.as_i64().filter(|count| *count >= 0);
        let (read, written) = (count("cache_read_input_tokens"), count("cache_creation_input_tokens"));
        let cached = [read, written].into_iter().flatten().try_fold(0i64, |sum, more| sum.checked_add(more));
        Usage {
            input: count("input_tokens").and_then(|input| input.checked_add(cached?)),
            output: count("output_tokens"),
            cache_read: read,
            cache_creation: written,
            ..Usage::default()
        }
    }
}

impl<'a> Row<'a> {
    pub(super) fn returned(&self) -> Returned<'a> {
        self.returned.and_then(|returned| serde_json::from_str(returned.get()).ok()).unwrap_or_default()
    }

    /// Whether a person would not have the tool run.
    pub(super) fn was_rejected(&self) -> bool {
        self.returned.is_some_and(|returned| returned.get().starts_with("\"User rejected"))
    }
}
