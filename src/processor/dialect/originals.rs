//! Which attributes of a span say in another dialect what stands there under the conventions' names.

use std::collections::HashSet;

use crate::event::shape::flat::{self, List};
use crate::event::{CallKind, Digest};
use crate::otlp::dialects::Translated;
use crate::otlp::{AnyView, SpanView};
use crate::semconv::{self as s, ALIASES, KeyId, Origin, Phase, Said, lookup, said};

/// What has been told of a span under the conventions' names and ours.
pub(super) struct Told {
    ids: HashSet<KeyId>,
    kind: Option<CallKind>,
    of_agent: &'static [(KeyId, KeyId)],
}

/// What tells of content, and the content itself where it is shown.
const INPUT: &[KeyId] = &[s::INPUT_DIGESTS.id(), s::INPUT_LENGTHS.id(), s::INPUT_MESSAGES.id()];
const OUTPUT: &[KeyId] = &[s::OUTPUT_DIGESTS.id(), s::OUTPUT_LENGTHS.id(), s::OUTPUT_MESSAGES.id()];
const TOOLS: &[KeyId] = &[s::TOOLS_DIGEST.id(), s::TOOL_DEFINITIONS.id()];
const ARGUMENTS: &[KeyId] =
    &[s::TOOL_ARGUMENTS_DIGEST.id(), s::TOOL_ARGUMENTS_LENGTH.id(), s::TOOL_CALL_ARGUMENTS.id()];
const RESULT: &[KeyId] = &[s::TOOL_RESULT_DIGEST.id(), s::TOOL_RESULT_LENGTH.id(), s::TOOL_CALL_RESULT.id()];

/// Words for which call it is, and names of what it is about.
const OF_OPERATION: &[KeyId] =
    &[s::OI_SPAN_KIND.id(), s::OL_SPAN_KIND.id(), s::OL_REQUEST_TYPE.id(), s::AI_OPERATION.id(), s::CC_SPAN_TYPE.id()];
const OF_TARGET: &[KeyId] = &[s::OL_ENTITY_NAME.id(), s::AI_FUNCTION.id()];

impl Told {
    /// With what is added to a span.
    pub(super) fn of(span: &SpanView<'_>, translated: &Translated) -> Self {
        let own = span.attributes().flatten().filter_map(|(key, _)| lookup(key));
        let added = translated.added.iter().map(|(id, _)| *id);
        let ids = own.filter(|id| id.name().phase != Phase::Foreign).chain(added).collect();
        Self { ids, kind: translated.kind, of_agent: translated.of_agent }
    }

    fn has(&self, any: &[KeyId]) -> bool {
        any.iter().any(|id| self.ids.contains(id))
    }

    /// Whether an attribute says nothing that is not told otherwise.
    pub(super) fn covers(&self, key: &str, value: &AnyView<'_>) -> bool {
        match lookup(key) {
            Some(id) => self.covers_name(id),
            None => self.covers_content(key) || self.covers_beside(key, value),
        }
    }

    fn covers_name(&self, id: KeyId) -> bool {
        // A name of OpenTelemetry's own conventions belongs to no dialect, whatever it is taken for.
        if !is_of_a_dialect(id) {
            return false;
        }
        if ALIASES.iter().chain(self.of_agent).any(|(name, own)| *name == id && self.ids.contains(own)) {
            return true;
        }
        let target = self.kind.and_then(CallKind::target);
        OF_OPERATION.contains(&id) && self.kind.is_some()
            || OF_TARGET.contains(&id) && target.is_some_and(|target| self.ids.contains(&target.id()))
    }

    fn covers_content(&self, key: &str) -> bool {
        if let Some((list, ..)) = flat::meaning(key) {
            return self.has(match list {
                List::Input => INPUT,
                List::Output => OUTPUT,
                List::Tools => TOOLS,
            });
        }
        let is_tool = self.kind == Some(CallKind::Tool);
        match said(key) {
            Some(Said::Input) if is_tool => self.has(ARGUMENTS),
            Some(Said::Output) if is_tool => self.has(RESULT),
            Some(Said::InputMessages | Said::Input) => self.kind.is_some() && self.has(INPUT),
            Some(Said::OutputMessages | Said::Output) => self.kind.is_some() && self.has(OUTPUT),
            Some(Said::Tools) => self.has(TOOLS),
            Some(Said::Arguments) => self.has(ARGUMENTS),
            Some(Said::Result) => self.has(RESULT),
            Some(Said::System | Said::Query | Said::Documents) | None => false,
        }
    }

    /// Digest, length and beginning that stand in the place of content.
    fn covers_beside(&self, key: &str, value: &AnyView<'_>) -> bool {
        let Some((content, measure)) = key.rsplit_once('.') else { return false };
        let is_measure = match (measure, value) {
            ("digest", AnyView::Text(text)) => text.parse::<Digest>().is_ok(),
            ("length", AnyView::Int(length)) => *length >= 0,
            ("preview", AnyView::Text(_)) => true,
            _ => false,
        };
        is_measure && self.covers_content(content)
    }
}

/// Whether a span says anything in another dialect.
pub(super) fn has_any(span: &SpanView<'_>) -> bool {
    span.attributes().flatten().any(|(key, _)| match lookup(key) {
        Some(id) => is_of_a_dialect(id) || id == s::SESSION_ID.id(),
        None => is_foreign_content(key) || key.rsplit_once('.').is_some_and(|(content, _)| is_foreign_content(content)),
    })
}

fn is_of_a_dialect(id: KeyId) -> bool {
    let name = id.name();
    name.phase == Phase::Foreign && !matches!(name.origin, Origin::Otel | Origin::GenAi)
}

fn is_foreign_content(key: &str) -> bool {
    said(key).is_some() || flat::meaning(key).is_some()
}
