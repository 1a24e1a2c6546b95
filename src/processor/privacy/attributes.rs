//! The attributes of one message.

use std::borrow::Cow;
use std::ops::Range;

use super::contract::Found;
use super::foreign::{self, Place};
use super::named::{Entry, Named};
use super::parameters;
use super::rules::Rules;
use super::siblings::{self, PREVIEW, Siblings, Whole};
use super::span;
use super::splice::Splice;
use super::value::Pair;
use super::verdict::{self, Verdict};
use super::write::{raw_attribute, relabelled, text_attribute};
use crate::event::Value;
use crate::otlp::wire::{Fields, Malformed, Wire};
use crate::otlp::{AnyView, dialects};
use crate::privacy::{Level, OTHER};
use crate::semconv::{Class, Field, KeyId, Said, ShownNames, lookup};

/// What is told of the content of most spans takes no more.
const TOLD_BYTES: usize = 1 << 10;

/// Whose attributes they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// A span's, an event's or a link's: the table says what each is.
    Span,
    /// A resource's or a scope's: labels.
    Owner,
}

/// The attributes of one message on their way through, each to be given in order.
pub(super) struct AttributeList<'a, 'r> {
    rules: &'a Rules<'r>,
    named: &'a Named<'r>,
    of: Of,
    has_nameless: bool,
    /// Told by a text of JSON that has them all.
    parameters: Vec<(KeyId, Value)>,
    found: Found<'r>,
    siblings: Siblings<'a, 'r>,
}

impl<'a, 'r> AttributeList<'a, 'r> {
    pub(super) fn new(rules: &'a Rules<'r>, named: &'a Named<'r>, of: Of) -> Self {
        Self {
            rules,
            named,
            of,
            has_nameless: false,
            parameters: Vec::new(),
            found: Found::default(),
            siblings: Siblings::new(named),
        }
    }

    /// Passes one attribute, which stands in `range`.
    pub(super) fn attribute(
        &mut self,
        range: Range<usize>,
        bytes: &'r [u8],
        splice: &mut Splice<'r>,
    ) -> Result<(), Malformed> {
        let rules = self.rules;
        if self.of == Of::Span && rules.has_seen(bytes) {
            return Ok(());
        }
        let Pair { key, value, raw } = Pair::parse(bytes)?;
        // A look-up costs as much as all else that is done with most of them.
        let id = lookup(key);
        match judged(rules, self.of, id, (key, &value)) {
            Verdict::Stays if id.is_some() || rules.stays(key) => {
                if self.of == Of::Span {
                    rules.see(bytes, Entry { id, key, raw });
                }
            }
            Verdict::Stays => self.put(key, raw, splice.replace(range)),
            Verdict::Label => {
                let value = relabelled(&value, &|text| rules.label(text))?;
                self.put(key, &value, splice.replace(range));
            }
            Verdict::Reason => {
                let value = relabelled(&value, &|text| or_other(rules, text, rules.stays(text)))?;
                self.put(key, &value, splice.replace(range));
            }
            Verdict::Constant(id) => {
                let value = relabelled(&value, &|text| or_other(rules, text, verdict::is_word(id, text)))?;
                self.put(key, &value, splice.replace(range));
            }
            Verdict::Content(Some(slot)) => self.found.add(slot, value, splice.leave_out(range)),
            Verdict::Content(None) => match self.foreign(key, &value) {
                Some(place) => self.found.add_foreign(place, key, value, splice.leave_out(range)),
                None => {
                    if self.is_of_a_span() && parameters::is_named(key) {
                        self.parameters = parameters::told(rules, &value);
                    }
                    self.content(range, key, &value, splice);
                }
            },
            Verdict::Preview(class) => self.preview(range, class, key, &value, splice),
        }
        Ok(())
    }

    /// Appends what may be told of the content that was found.
    pub(super) fn finish(mut self, splice: &mut Splice<'r>) {
        if !self.parameters.is_empty() {
            self.rules.encoder().attributes(self.named.number(), &self.parameters, splice.append());
        }
        if self.found.is_empty() || !self.rules.tells_of_content() {
            return;
        }
        let (named, rules) = (self.named, self.rules);
        let (message, number) = (named.message(), named.number());
        let about = || (dialects::kind(message), has_lost_attributes(message));
        let mut told = self.found.tell(rules.telling(), about, |names| named.has_valid(names));
        told.kept.iter().for_each(|edit| splice.keep(*edit));
        // A preview that stands there already was looked at where it stands, and a reference is its writer's.
        for (names, shown) in [
            (ShownNames::INPUT, &mut told.input.shown),
            (ShownNames::SYSTEM, &mut told.input.system.shown),
            (ShownNames::TOOLS, &mut told.input.tools_shown),
            (ShownNames::OUTPUT, &mut told.output.shown),
            (ShownNames::TOOL_ARGUMENTS, &mut told.arguments.shown),
            (ShownNames::TOOL_RESULT, &mut told.result.shown),
        ]
        .into_iter()
        .chain(told.given.first_mut().map(|first| (ShownNames::INPUT, &mut first.shown)))
        .chain(told.returned.first_mut().map(|first| (ShownNames::OUTPUT, &mut first.shown)))
        {
            if names.preview.is_some_and(|name| named.text(name.id()).is_some()) {
                shown.clear_preview();
            }
            if names.reference.is_some_and(|name| named.text(name.id()).is_some()) {
                shown.clear_reference();
            }
        }
        let out = splice.append();
        out.reserve(TOLD_BYTES);
        let encoder = rules.encoder();
        encoder.input(number, &told.input, out);
        encoder.output(number, &told.output, out);
        encoder.tool(number, &told.arguments, &told.result, out);
        encoder.texts(number, &told.given, &told.returned, out);
        let untold = told.unread.iter().filter(|value| !value.is_told);
        let untold = untold.map(|value| (rules.level(value.class), value.key, &value.view));
        self.siblings.put_all(rules, untold, out);
        for value in &told.unread {
            let (level, key) = (rules.level(value.class), value.key);
            match siblings::whole(rules, level, &value.view) {
                Some(Whole::Same) => splice.keep(value.edit),
                Some(Whole::Text(text)) => {
                    if !value.becomes_readable(&text)
                        && let Some(out) = splice.fill(value.edit)
                    {
                        text_attribute(out, number, key, &text);
                    }
                }
                None => {}
            }
        }
    }

    fn is_of_a_span(&self) -> bool {
        self.of == Of::Span && self.named.number() == span::ATTRIBUTES
    }

    /// Where content in another dialect belongs, on a span itself.
    fn foreign(&self, key: &str, value: &AnyView<'_>) -> Option<Place> {
        if !self.is_of_a_span() {
            return None;
        }
        let place = foreign::place(key, value)?;
        // Names of the conventions have slots, but for what was looked for and what was found.
        let is_text = matches!(place, Place::Said(Said::Query | Said::Documents));
        let may_be_told = if lookup(key).is_some() { is_text } else { self.rules.stays(key) };
        may_be_told.then_some(place)
    }

    /// Content that has no form of its own: all of it where its level says so, and what is told of it beside it.
    fn content(&mut self, range: Range<usize>, key: &str, value: &AnyView<'r>, splice: &mut Splice<'r>) {
        let rules = self.rules;
        let (class, is_text) = match lookup(key).map(|id| id.name().class) {
            Some(Class::Content(class)) => (Some(class), true),
            Some(Class::AnyContent) => (None, true),
            // A structure in the place of a name or a number is not made a text there.
            Some(_) => (None, false),
            None => (None, true),
        };
        // What is no text and calls itself a preview is none, and is not made one.
        let most = if is_text && !key.ends_with(PREVIEW) { Level::Full } else { Level::Digest };
        let level = rules.level(class).min(most);
        let mut beside = Vec::new();
        self.siblings.put(rules, level, key, value, &mut beside);
        match siblings::whole(rules, level, value) {
            Some(Whole::Same) if rules.key_stays(key) => {
                if !beside.is_empty() {
                    splice.replace(range.end..range.end).append(&mut beside);
                }
            }
            // What is no text under a name that speaks of one is not made one: somebody behind us would read it as said.
            Some(Whole::Text(text)) if self.foreign(key, &AnyView::Text(&text)).is_none() => {
                let out = splice.replace(range);
                text_attribute(out, self.named.number(), &rules.label(key), &text);
                out.append(&mut beside);
            }
            // What has no name has no place: keys are unique.
            _ => splice.replace(range).append(&mut beside),
        }
    }

    /// A preview that somebody before us has made, by whatever policy.
    fn preview(
        &mut self,
        range: Range<usize>,
        class: Option<Field>,
        key: &str,
        value: &AnyView<'r>,
        splice: &mut Splice<'r>,
    ) {
        let AnyView::Text(text) = value else { return self.content(range, key, value, splice) };
        let rules = self.rules;
        match rules.telling().preview_again(class, rules.level(class), text) {
            Some(again) if again == *text && rules.key_stays(key) => {}
            Some(again) => text_attribute(splice.replace(range), self.named.number(), &rules.label(key), &again),
            None => drop(splice.replace(range)),
        }
    }

    /// Puts an attribute in the place of one. Of those whose keys have no name at all one is enough: keys are unique.
    fn put(&mut self, key: &str, value: &[u8], out: &mut Vec<u8>) {
        let key = self.rules.label(key);
        if *key == *OTHER && std::mem::replace(&mut self.has_nameless, true) {
            return;
        }
        raw_attribute(out, self.named.number(), &key, value);
    }
}

/// What becomes of an attribute.
fn judged(rules: &Rules<'_>, of: Of, id: Option<KeyId>, (key, value): (&str, &AnyView<'_>)) -> Verdict {
    let (verdict, of_hit) = match of {
        Of::Span => (verdict::of_named(id, key, value), verdict::of_hit(id)),
        Of::Owner => (verdict::of_owner(value), Some(Verdict::Label)),
    };
    // What looks like a label may be a key or an address all the same.
    of_hit.filter(|_| verdict == Verdict::Stays && rules.hits(value)).unwrap_or(verdict)
}

/// Whether an attribute of a span stays as it is. It is seen, then. Of one that is too long for an id that is not said.
#[cfg(feature = "collector")]
pub(super) fn stays<'r>(rules: &Rules<'r>, bytes: &'r [u8]) -> bool {
    const LONGEST: usize = 512;
    if bytes.len() > LONGEST {
        return false;
    }
    let Ok(Pair { key, value, raw }) = Pair::parse(bytes) else { return false };
    let id = lookup(key);
    let stays = judged(rules, Of::Span, id, (key, &value)) == Verdict::Stays && (id.is_some() || rules.stays(key));
    if stays {
        rules.see(bytes, Entry { id, key, raw });
    }
    stays
}

/// Whether a span says that it had more attributes.
fn has_lost_attributes(span: &[u8]) -> bool {
    let mut fields = Fields::new(span).flatten();
    fields.any(|field| matches!((field.number, field.value), (10, Wire::Varint(count)) if count > 0))
}

fn or_other<'t>(rules: &Rules<'_>, text: &'t str, stays: bool) -> Cow<'t, str> {
    if stays {
        return Cow::Borrowed(text);
    }
    rules.count_replaced();
    Cow::Owned(OTHER.to_string())
}
