//! One row of a transcript.

use std::borrow::Cow;

use crate::event::RawText;
use crate::import::session::{Usage, UsageMissing};
use crate::json::{Escapes, Node};

/// What an agent knows of a tool says once more what the tool returned, and that is not looked at.
pub(super) const ESCAPES: Escapes = Escapes::LeftIn("toolUseResult");

/// A row. Each member that has another type than it should is absent; so is a text that is empty.
#[derive(Default)]
pub(super) struct Row<'t> {
    pub(super) kind: &'t str,
    pub(super) subtype: &'t str,
    pub(super) uuid: Option<&'t str>,
    pub(super) parent: Option<&'t str>,
    /// It is said that no row comes before it.
    pub(super) is_root: bool,
    pub(super) timestamp: &'t str,
    pub(super) session: Option<&'t str>,
    /// The session that it was copied from, where it is a copy.
    pub(super) forked_from: Option<&'t str>,
    pub(super) request: Option<&'t str>,
    pub(super) prompt: Option<&'t str>,
    pub(super) agent: Option<&'t str>,
    pub(super) agent_type: Option<&'t str>,
    pub(super) is_sidechain: bool,
    pub(super) is_meta: bool,
    pub(super) is_summary: bool,
    pub(super) is_api_error: bool,
    pub(super) api_error_status: Option<u16>,
    /// What was said: an object.
    pub(super) message: Option<Node<'t>>,
    /// Its content; nothing where there is nothing.
    pub(super) content: Option<Node<'t>>,
    pub(super) returned: Outcome<'t>,
    pub(super) compacted: Option<Node<'t>>,
    /// What the agent put beside what was said: an object.
    pub(super) attachment: Option<Node<'t>>,
    pub(super) attempt: i64,
    pub(super) error: Option<Node<'t>>,
}

/// What the agent itself says of a tool that has returned.
#[derive(Clone, Copy, Default)]
pub(super) enum Outcome<'t> {
    #[default]
    None,
    /// An object: what it knows. Much else is in it, so that the escapes of its texts are left.
    Known(Node<'t>),
    /// A person would not have it run.
    Rejected,
    /// Anything else.
    Said,
}

impl<'t> Row<'t> {
    pub(super) fn of(row: Node<'t>) -> Self {
        let mut read = Self::default();
        for (name, member) in row.members() {
            let text = || member.as_str().filter(|text| !text.is_empty());
            let flag = || member.as_bool() == Some(true);
            let object = || Some(member).filter(|member| member.is_object());
            match name {
                "type" => read.kind = text().unwrap_or_default(),
                "subtype" => read.subtype = text().unwrap_or_default(),
                "uuid" => read.uuid = text(),
                "parentUuid" => (read.parent, read.is_root) = (text(), member.is_null()),
                "timestamp" => read.timestamp = text().unwrap_or_default(),
                "sessionId" => read.session = text(),
                "forkedFrom" => read.forked_from = member.word("sessionId"),
                "requestId" => read.request = text(),
                "promptId" => read.prompt = text(),
                "agentId" => read.agent = text(),
                "attributionAgent" => read.agent_type = text(),
                "isSidechain" => read.is_sidechain = flag(),
                "isMeta" => read.is_meta = flag(),
                "isCompactSummary" => read.is_summary = flag(),
                "isApiErrorMessage" => read.is_api_error = flag(),
                "apiErrorStatus" => read.api_error_status = status(member),
                "message" => read.message = object(),
                "toolUseResult" => read.returned = Outcome::of(member),
                "compactMetadata" => read.compacted = object(),
                "attachment" => read.attachment = object(),
                "retryAttempt" => read.attempt = member.as_i64().unwrap_or(0),
                "error" => read.error = object(),
                _ => {}
            }
        }
        read.content = read.message.and_then(|message| message.get("content")).filter(|content| !content.is_null());
        read
    }

    /// The id of the answer that a row of type `assistant` is of.
    pub(super) fn answer_id(&self) -> Option<&'t str> {
        self.message?.word("id").or(self.request).or(self.uuid)
    }
}

impl<'t> Outcome<'t> {
    fn of(told: Node<'t>) -> Self {
        match told.text() {
            Some(text) => {
                let is_rejected = text.starts_with("User rejected");
                if let Cow::Owned(text) = text {
                    // Wiped.
                    drop(RawText::from(text));
                }
                if is_rejected { Self::Rejected } else { Self::Said }
            }
            None if told.is_null() => Self::None,
            None if told.is_object() => Self::Known(told),
            None => Self::Said,
        }
    }
}

/// The name of a row (`uuid`) as a number; nothing where it is no UUID.
pub fn row_name(uuid: &str) -> Option<u128> {
    crate::import::ids::uuid(uuid)
}

/// The status of an answer over HTTP.
pub(super) fn status(told: Node<'_>) -> Option<u16> {
    told.as_u64()?.try_into().ok()
}

/// The tokens of what was said, as Anthropic counts them: cached ones are no part of the input.
///
/// # Errors
///
/// Why there are none.
pub(super) fn usage(said: Node<'_>) -> Result<Usage, UsageMissing> {
    let told = said.get("usage").ok_or(UsageMissing::NoTokenCount)?;
    if told.is_null() || told.is_object() && told.members().next().is_none() {
        return Err(UsageMissing::Missing);
    }
    let (mut usage, mut by_age) = (Usage::default(), None);
    for (name, member) in told.members() {
        let count = || member.as_i64().filter(|count| *count >= 0);
        match name {
            "input_tokens" => usage.input = count(),
            "output_tokens" => usage.output = count(),
            "cache_read_input_tokens" => usage.cache_read = count(),
            "cache_creation_input_tokens" => usage.cache_creation = count(),
            "cache_creation" => by_age = Some(member),
            _ => {}
        }
    }
    usage.cache_creation = usage.cache_creation.or_else(|| created(by_age?));
    if usage.is_empty() { Err(UsageMissing::Unrecognised) } else { Ok(usage) }
}

/// The tokens that were put into a cache, where it is only told for how long.
fn created(by_age: Node<'_>) -> Option<i64> {
    let ages = ["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"];
    let counts = ages.into_iter().filter_map(|age| by_age.get(age)?.as_i64()).filter(|count| *count >= 0);
    counts.map(Some).reduce(|sum, more| sum?.checked_add(more?)).flatten()
}
