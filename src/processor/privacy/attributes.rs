//! The attributes of one message.

use std::borrow::Cow;
use std::ops::Range;

use super::contract::Found;
use super::rules::Rules;
use super::siblings::Siblings;
use super::splice::Splice;
use super::value::Pair;
use super::verdict::{self, Verdict, stays};
use super::write::{raw_attribute, relabelled};
use crate::otlp::wire::Malformed;
use crate::otlp::{AnyView, Attributes};
use crate::privacy::OTHER;
use crate::semconv::{KeyId, lookup};

/// Whose attributes they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// A span's, an event's or a link's: the table says what each is.
    Span,
    /// A resource's or a scope's: labels.
    Owner,
}

/// The attributes of one message on their way through, each to be given in order.
pub(super) struct AttributeList<'a> {
    rules: &'a Rules<'a>,
    message: &'a [u8],
    number: u8,
    of: Of,
    has_nameless: bool,
    found: Found<'a>,
    siblings: Siblings<'a>,
}

impl<'a> AttributeList<'a> {
    /// Those in the field `number` of a message.
    pub(super) fn new(rules: &'a Rules<'a>, message: &'a [u8], number: u8, of: Of) -> Self {
        let siblings = Siblings::new(message, number);
        Self { rules, message, number, of, has_nameless: false, found: Found::default(), siblings }
    }

    /// Passes one attribute, which stands in `range`.
    pub(super) fn attribute(
        &mut self,
        range: Range<usize>,
        bytes: &'a [u8],
        splice: &mut Splice<'a>,
    ) -> Result<(), Malformed> {
        let Pair { key, value, raw } = Pair::parse(bytes)?;
        let rules = self.rules;
        match self.verdict(key, &value) {
            Verdict::Stays if stays(key) => {}
            Verdict::Stays => self.put(key, raw, splice.replace(range)),
            Verdict::Label => {
                let value = relabelled(&value, &|text| rules.label(text))?;
                self.put(key, &value, splice.replace(range));
            }
            Verdict::Reason => {
                let value = relabelled(&value, &|text| reason(rules, text))?;
                self.put(key, &value, splice.replace(range));
            }
            Verdict::Content(Some(slot)) => {
                splice.replace(range);
                self.found.add(slot, value);
            }
            Verdict::Content(None) => self.siblings.put(rules, key, &value, splice.replace(range)),
        }
        Ok(())
    }

    /// Appends what may be told of the content that was found.
    pub(super) fn finish(mut self, splice: &mut Splice<'a>) {
        if self.found.is_empty() || !self.rules.tells_of_content() {
            return;
        }
        let (message, number) = (self.message, self.number);
        let told = self.found.tell(self.rules.hasher(), |names| has_valid(message, number, names));
        let out = splice.append();
        let encoder = self.rules.encoder();
        encoder.input(number, &told.input, out);
        encoder.output(number, &told.output, out);
        encoder.tool(number, &told.arguments, &told.result, out);
        for (slot, value) in &told.unread {
            self.siblings.put(self.rules, slot.key(), value, out);
        }
    }

    /// Puts an attribute in the place of one. Of those whose keys have no name at all one is enough: keys are unique.
    fn put(&mut self, key: &str, value: &[u8], out: &mut Vec<u8>) {
        let key = self.rules.label(key);
        if *key == *OTHER && std::mem::replace(&mut self.has_nameless, true) {
            return;
        }
        raw_attribute(out, self.number, &key, value);
    }

    fn verdict(&self, key: &str, value: &AnyView<'_>) -> Verdict {
        match self.of {
            Of::Span => verdict::of_span(key, value),
            Of::Owner => verdict::of_owner(value),
        }
    }
}

/// Whether one of these names stands among the attributes with a value that stays.
pub(super) fn has_valid(message: &[u8], number: u8, names: &[KeyId]) -> bool {
    let mut attributes = Attributes::new(message, u32::from(number)).flatten();
    attributes.any(|(key, value)| lookup(key).is_some_and(|id| names.contains(&id) && verdict::is_valid(id, &value)))
}

fn reason<'t>(rules: &Rules<'_>, text: &'t str) -> Cow<'t, str> {
    if stays(text) {
        return Cow::Borrowed(text);
    }
    rules.count_replaced();
    Cow::Owned(OTHER.to_string())
}
