//! All that fields have told of one span, read.

use smallvec::SmallVec;
use zeroize::Zeroizing;

use super::content::Content;
use super::given::Given;
use super::halves::Halves;
use super::held::Held;
use super::json_fields;
use super::slot::Slot;
use super::table::Meaning;
use crate::event::{CallKind, RawAttrs, RawValue};
use crate::semconv::{self as names, KeyId, Type};

/// What the values of one span mean. Later values replace earlier ones.
#[derive(Default)]
pub(super) struct Told {
    /// Under the conventions' own names.
    own: Halves,
    /// Under other names for the same.
    aliased: Option<Box<Halves>>,
    pub(super) reasons: SmallVec<[Zeroizing<String>; 1]>,
    content: Option<Box<Content>>,
    /// What was said is gone; only what kinds of it there were is known.
    pub(super) is_bare: bool,
}

impl Told {
    /// Reads a value that is no content.
    pub(super) fn put(&mut self, Meaning { slot, is_own }: Meaning, given: Given<'_>) {
        match slot {
            Slot::Attr(id) if id.name().kind == Type::Texts => {
                given.with_text(|text| json_fields::texts(self, id, is_own, text));
            }
            Slot::Attr(id) => self.set_typed(id, given, is_own),
            Slot::CacheWrite => {
                for id in [names::CACHE_CREATION_TOKENS.id(), names::CACHE_WRITE_TOKENS.id()] {
                    self.set_typed(id, given, is_own);
                }
            }
            Slot::FinishReasons | Slot::Parameters | Slot::Usage => {
                let Given::Text(text) = given else { return };
                match slot {
                    Slot::FinishReasons => json_fields::finish_reasons(self, text),
                    Slot::Parameters => json_fields::parameters(self, text),
                    _ => json_fields::usage(self, text),
                }
            }
            // Read as soon as it was told.
            Slot::Own(_) | Slot::Operation(_) | Slot::Identity(_) | Slot::End(_) => {}
            // Content.
            Slot::Said(_) | Slot::Part(..) => {}
        }
    }

    /// Takes what was read as soon as it was told.
    pub(super) fn take_own(&mut self, own: &mut Halves) {
        if self.own.is_empty() {
            std::mem::swap(&mut self.own, own);
        } else {
            self.own.merge(own);
        }
    }

    /// Reads content.
    pub(super) fn put_content(&mut self, slot: Slot, held: Held) {
        match slot {
            Slot::Said(said) => self.content.get_or_insert_default().set(said, held),
            Slot::Part(list, number, part) => {
                self.content.get_or_insert_default().set_part(list, number, part, held);
            }
            _ => {}
        }
    }

    fn set_typed(&mut self, id: KeyId, given: Given<'_>, is_own: bool) {
        if let Some(value) = given.typed(id, &mut String::new()) {
            self.set(id, value, is_own);
        }
    }

    pub(super) fn set(&mut self, id: KeyId, value: RawValue<'_>, is_own: bool) {
        let halves = if is_own { &mut self.own } else { &mut **self.aliased.get_or_insert_default() };
        halves.set(id, value);
    }

    /// Adds what came later.
    pub(super) fn merge(&mut self, newer: Self) {
        self.own.merge(&newer.own);
        newer.aliased.iter().flat_map(|halves| halves.iter()).for_each(|(id, value)| self.set(id, value, false));
        if !newer.reasons.is_empty() {
            self.reasons = newer.reasons;
        }
        if let Some(content) = newer.content {
            self.content.get_or_insert_default().merge(*content);
        }
    }

    /// Whether nothing came back.
    pub(super) fn has_no_answer(&self) -> bool {
        self.reasons.is_empty()
            && !self.content.as_deref().is_some_and(Content::has_answer)
            && self.own.closed.is_empty()
            && self.aliased.as_ref().is_none_or(|aliased| aliased.closed.is_empty())
    }

    /// A span without an operation is what only a call of that kind has.
    pub(super) fn likely_kind(&self) -> Option<CallKind> {
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

    /// Puts the attributes of both halves of the call there, where none are yet. What the conventions' own names say comes
    /// last, and so counts.
    pub(super) fn take_attrs(&mut self, opened: &mut RawAttrs, closed: &mut RawAttrs) {
        if let Some(mut all) = self.aliased.take() {
            all.merge(&self.own);
            self.own = *all;
        }
        std::mem::swap(opened, &mut self.own.opened);
        std::mem::swap(closed, &mut self.own.closed);
    }

    /// What was said, unless it is gone.
    pub(super) fn take_content(&mut self) -> Option<Content> {
        self.content.take().filter(|_| !self.is_bare).map(|content| *content)
    }

    /// The bytes of what was said.
    pub(super) fn content_bytes(&mut self) -> usize {
        self.content.as_mut().map_or(0, |content| content.texts_mut().map(|text| text.bytes()).sum())
    }

    /// Wipes what was said, and leaves of each label no more than it takes to be none.
    pub(super) fn shrink(&mut self) {
        let halves = [Some(&mut self.own), self.aliased.as_deref_mut()];
        halves.into_iter().flatten().for_each(Halves::shorten);
        if let Some(content) = &mut self.content {
            content.texts_mut().for_each(|text| *text = Held::Static(""));
        }
    }
}
