//! Reads fields with their types.

use std::error::Error;
use std::fmt::Debug;

use tracing::field::{Field, Visit};
use tracing::span::Record;
use zeroize::Zeroizing;

use super::flat;
use super::given::Given;
use super::held::{Formatted, undebugged};
use super::json_fields;
use super::operation::Operation;
use super::site::Fields;
use super::slot::{End, Identity, Slot, Words};
use super::table::Meaning;
use super::told::Told;
use crate::event::{Outcome, RawValue};
use crate::semconv::{self as names, Type};

/// Reads fields into a [`Told`].
pub(super) struct Visitor<'a> {
    told: &'a mut Told,
    fields: Fields,
    untyped: Untyped,
}

/// What is done with values that only the host's code can format. That code may log, so no lock may be held around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Untyped {
    Format,
    Skip,
    /// There was one that means something.
    Skipped,
}

impl<'a> Visitor<'a> {
    pub(super) const fn new(told: &'a mut Told, fields: Fields) -> Self {
        Self { told, fields, untyped: Untyped::Format }
    }

    /// Reads typed values alone, so that a lock may be held; tells whether there are others, which then have to be read.
    pub(super) fn read_typed(told: &'a mut Told, fields: Fields, values: &Record<'_>) -> bool {
        let mut visitor = Self { told, fields, untyped: Untyped::Skip };
        values.record(&mut visitor);
        visitor.untyped == Untyped::Skipped
    }

    /// Takes a value that already has the type which its name wants.
    fn take_as_it_is(&mut self, field: &Field, kind: Type, value: RawValue<'_>) -> bool {
        match self.fields.meaning(field) {
            Some(Meaning { slot: Slot::Attr(id), is_own }) if id.name().kind == kind => {
                self.told.set(id, value, is_own);
                true
            }
            _ => false,
        }
    }

    /// Takes a value whose text, if it has one, is the value itself.
    fn take(&mut self, field: &Field, given: Given<'_>) {
        match self.fields.meaning(field) {
            Some(meaning) => self.put(meaning, given),
            None => self.put_part(field.name(), given),
        }
    }

    fn put(&mut self, Meaning { slot, is_own }: Meaning, given: Given<'_>) {
        match slot {
            Slot::Attr(id) if id.name().kind == Type::Texts => {
                with_text(given, |text| json_fields::texts(self.told, id, is_own, text));
            }
            Slot::Attr(id) => {
                let mut digits = String::new();
                if let Some(value) = given.typed(id, &mut digits) {
                    self.told.set(id, value, is_own);
                }
            }
            Slot::CacheWrite => {
                for id in [names::CACHE_CREATION_TOKENS.id(), names::CACHE_WRITE_TOKENS.id()] {
                    if let Some(value) = given.typed(id, &mut String::new()) {
                        self.told.set(id, value, is_own);
                    }
                }
            }
            Slot::Said(said) => with_text(given, |text| self.told.content().set(said, text)),
            Slot::End(end) => self.put_end(end, given),
            // An event tells of a call, it does not open one.
            Slot::Operation(_) | Slot::Identity(_) if self.fields.is_event() => {}
            Slot::Operation(words) => self.put_operation(words, given),
            Slot::Identity(part) => self.put_identity(part, given),
            Slot::FinishReasons | Slot::Parameters | Slot::Usage => {
                let Given::Text(text) = given else { return };
                match slot {
                    Slot::FinishReasons => json_fields::finish_reasons(self.told, text),
                    Slot::Parameters => json_fields::parameters(self.told, text),
                    _ => json_fields::usage(self.told, text),
                }
            }
        }
    }

    fn put_part(&mut self, name: &str, given: Given<'_>) {
        match (flat::meaning(name), given) {
            (Some((_, _, flat::Part::FinishReason)), Given::Text(text)) => json_fields::finish_reasons(self.told, text),
            (Some((list, number, part)), Given::Text(text)) => self.told.content().set_part(list, number, part, text),
            _ => {}
        }
    }

    fn put_operation(&mut self, words: Words, given: Given<'_>) {
        let Given::Text(word) = given else { return };
        let operation = Operation::named(words, word);
        if words == Words::GenAi {
            self.told.operation = Some(operation);
        } else if operation != Operation::Unmapped || self.told.hinted.is_none() {
            // OpenLLMetry names a model request and its place in a workflow on one span: what is known counts.
            self.told.hinted = Some(operation);
        }
    }

    fn put_identity(&mut self, part: Identity, given: Given<'_>) {
        let identity = &mut self.told.identity;
        let place = match part {
            Identity::Tenant => &mut identity.tenant,
            Identity::Rollout => &mut identity.rollout,
            Identity::Thread => &mut identity.thread,
            Identity::Turn => &mut identity.turn,
        };
        with_text(given, |text| *place = Some(text.into()));
    }

    fn put_end(&mut self, end: End, given: Given<'_>) {
        let ending = &mut self.told.end;
        match end {
            End::ErrorType | End::ExceptionType => {
                // A number is a status: `error.type = 503`.
                with_text(given, |kind| {
                    if !kind.is_empty() {
                        ending.has_error |= end == End::ErrorType;
                        ending.has_exception |= end == End::ExceptionType;
                        ending.error_type = Some(Zeroizing::new(kind.to_owned()));
                    }
                });
            }
            End::Exception => ending.has_exception |= given.is_error(),
            End::Error => ending.has_error |= given.is_error(),
            End::Status | End::Outcome => {
                let Given::Text(word) = given else { return };
                ending.outcome = outcome(word).or(ending.outcome);
            }
        }
    }
}

fn with_text(given: Given<'_>, mut take: impl FnMut(&str)) {
    match given {
        Given::Text(text) => take(text),
        Given::Int(number) => take(&number.to_string()),
        Given::Double(number) => take(&number.to_string()),
        Given::Bool(flag) => take(if flag { "true" } else { "false" }),
        Given::Huge => {}
    }
}

/// The outcome that a word of a library stands for.
fn outcome(word: &str) -> Option<Outcome> {
    let outcome = match word.to_ascii_lowercase().as_str() {
        "ok" | "success" | "succeeded" | "completed" => Outcome::Completed,
        "error" | "failed" | "failure" => Outcome::Failed,
        "cancelled" | "canceled" => Outcome::Cancelled,
        "denied" | "rejected" | "skipped" => Outcome::Denied,
        "timeout" | "timed_out" => Outcome::Timeout,
        _ => return None,
    };
    Some(outcome)
}

impl Visit for Visitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if !self.take_as_it_is(field, Type::Text, RawValue::Text(value.as_bytes())) {
            self.take(field, Given::Text(value));
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        if !self.take_as_it_is(field, Type::Int, RawValue::Int(value)) {
            self.take(field, Given::Int(i128::from(value)));
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.record_i64(field, value),
            Err(_) => self.take(field, Given::Int(i128::from(value))),
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.take(field, Given::Int(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.take(field, i128::try_from(value).map_or(Given::Huge, Given::Int));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if !self.take_as_it_is(field, Type::Double, RawValue::Double(value)) {
            self.take(field, Given::Double(value));
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, Given::Bool(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if self.untyped != Untyped::Format {
            let means_something = self.fields.meaning(field).is_some() || flat::meaning(field.name()).is_some();
            if means_something {
                self.untyped = Untyped::Skipped;
            }
            return;
        }
        match self.fields.meaning(field) {
            // What an error says is not wanted, so it is not even formatted.
            Some(Meaning { slot: Slot::End(End::Exception), .. }) => self.told.end.has_exception = true,
            Some(meaning @ Meaning { slot: Slot::Said(_), .. }) => {
                self.put(meaning, Given::Text(&Formatted::debug(value)));
            }
            Some(meaning) => {
                let text = Formatted::debug(value);
                if let Some(text) = undebugged(&text) {
                    self.put(meaning, Given::Text(text));
                }
            }
            None if flat::meaning(field.name()).is_some() => {
                self.put_part(field.name(), Given::Text(&Formatted::debug(value)));
            }
            None => {}
        }
    }
}
