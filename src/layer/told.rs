//! All that fields have told of one span so far.

use smallvec::SmallVec;
use zeroize::Zeroizing;

use super::content::Content;
use super::operation::Operation;
use crate::event::{CallKind, Outcome, RawAttrs, RawValue};
use crate::intake::Identity;
use crate::semconv::{self as names, KeyId, Phase};

/// What one reading of fields told, or all of them together. Later values replace earlier ones.
#[derive(Default)]
pub(super) struct Told {
    /// Under the conventions' own names.
    own: Halves,
    /// Under other names for the same.
    aliased: Option<Box<Halves>>,
    pub(super) reasons: SmallVec<[Zeroizing<String>; 1]>,
    pub(super) content: Option<Box<Content>>,
    /// By `gen_ai.operation.name`.
    pub(super) operation: Option<Operation>,
    /// By another vocabulary's name for it.
    pub(super) hinted: Option<Operation>,
    pub(super) end: Ending,
    pub(super) identity: Identity,
}

/// Attributes, by the half of the call that carries them.
#[derive(Default)]
struct Halves {
    opened: RawAttrs,
    closed: RawAttrs,
}

impl Halves {
    fn iter(&self) -> impl Iterator<Item = (KeyId, RawValue<'_>)> {
        self.opened.iter().chain(self.closed.iter())
    }

    fn set(&mut self, id: KeyId, value: RawValue<'_>) {
        let attrs = match id.name().phase {
            Phase::Opened => &mut self.opened,
            Phase::Closed => &mut self.closed,
            // No field stands for these.
            Phase::Marked | Phase::Core | Phase::Foreign => return,
        };
        // A streamed answer may record its usage with each chunk.
        if attrs.len() >= COMPACT_AT {
            attrs.compact();
        }
        attrs.push(id, value);
    }
}

/// What was said of how it ended.
#[derive(Default)]
pub(super) struct Ending {
    /// A field that tells of an error does.
    pub(super) has_error: bool,
    /// An exception's own fields do.
    pub(super) has_exception: bool,
    /// An event inside told of an error. What the span itself says of its end is nearer to the truth.
    pub(super) has_logged: bool,
    pub(super) error_type: Option<Zeroizing<String>>,
    pub(super) outcome: Option<Outcome>,
}

/// So many values may wait before those that were replaced are forgotten.
const COMPACT_AT: usize = 64;

impl Told {
    pub(super) fn set(&mut self, id: KeyId, value: RawValue<'_>, is_own: bool) {
        let halves = if is_own { &mut self.own } else { &mut **self.aliased.get_or_insert_default() };
        halves.set(id, value);
    }

    pub(super) fn content(&mut self) -> &mut Content {
        self.content.get_or_insert_default()
    }

    /// Adds what came later.
    pub(super) fn merge(&mut self, newer: Self) {
        newer.own.iter().for_each(|(id, value)| self.set(id, value, true));
        newer.aliased.iter().flat_map(|halves| halves.iter()).for_each(|(id, value)| self.set(id, value, false));
        if !newer.reasons.is_empty() {
            self.reasons = newer.reasons;
        }
        if let Some(content) = newer.content {
            self.content().merge(*content);
        }
        self.operation = newer.operation.or(self.operation);
        self.hinted = newer.hinted.or(self.hinted);
        self.end.has_error |= newer.end.has_error;
        self.end.has_exception |= newer.end.has_exception;
        self.end.has_logged |= newer.end.has_logged;
        self.end.error_type = newer.end.error_type.or(self.end.error_type.take());
        self.end.outcome = newer.end.outcome.or(self.end.outcome);
    }

    /// Whether there is neither anything that came back nor that it failed.
    pub(super) fn says_nothing_of_its_end(&self) -> bool {
        let Ending { has_error, has_exception, has_logged, error_type, outcome } = &self.end;
        !(*has_error || *has_exception || *has_logged)
            && error_type.is_none()
            && outcome.is_none()
            && self.reasons.is_empty()
            && !self.content.as_deref().is_some_and(Content::has_answer)
            && self.own.closed.is_empty()
            && self.aliased.as_ref().is_none_or(|aliased| aliased.closed.is_empty())
    }

    /// What the span itself says that it does.
    pub(super) fn stated_operation(&self) -> Option<Operation> {
        self.operation.or(self.hinted)
    }

    /// What it does, as far as can be told from all of it.
    pub(super) fn settled_operation(&self) -> Option<Operation> {
        self.stated_operation().or_else(|| self.likely_kind().map(Operation::of_kind))
    }

    /// A span without an operation is what only a call of that kind has.
    fn likely_kind(&self) -> Option<CallKind> {
        let aliased = || self.aliased.iter().flat_map(|halves| halves.iter());
        let has = |ids: &[KeyId]| self.own.iter().chain(aliased()).any(|(id, _)| ids.contains(&id));
        let content = self.content.as_deref();
        if has(&[names::TOOL_NAME.id(), names::TOOL_CALL_ID.id()]) || content.is_some_and(Content::is_of_tool) {
            return Some(CallKind::Tool);
        }
        let of_inference = [
            names::REQUEST_MODEL.id(),
            names::RESPONSE_MODEL.id(),
            names::RESPONSE_ID.id(),
            names::INPUT_TOKENS.id(),
            names::OUTPUT_TOKENS.id(),
        ];
        let is_inference = has(&of_inference) || content.is_some_and(Content::is_of_inference);
        is_inference.then_some(CallKind::Inference)
    }

    /// The attributes of both halves of the call. What the conventions' own names say comes last, and so counts.
    pub(super) fn take_attrs(&mut self) -> (RawAttrs, RawAttrs) {
        let own = std::mem::take(&mut self.own);
        let Some(aliased) = self.aliased.take() else { return (own.opened, own.closed) };
        let mut all = *aliased;
        own.iter().for_each(|(id, value)| all.set(id, value));
        (all.opened, all.closed)
    }
}
