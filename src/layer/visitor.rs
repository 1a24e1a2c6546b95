//! Reads fields with their types.

use std::error::Error;
use std::fmt::Debug;

use tracing::field::{Field, Visit};
use tracing::span::Record;
use zeroize::Zeroizing;

use super::given::Given;
use super::heading::Heading;
use super::held::undebugged;
use super::page::Page;
use super::site::Fields;
use super::slot::{End, Slot};
use super::table::Meaning;

/// Copies fields that mean something to a [`Page`].
pub(super) struct Visitor<'a> {
    page: &'a mut Page,
    fields: Fields,
    takes: Takes,
}

/// Which values are taken. Those without a type only the host's code can format. That code may log, so no lock may be held
/// around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    All,
    Typed,
    /// The same, and there was one without a type that means something.
    TypedOfMore,
    Untyped,
}

impl<'a> Visitor<'a> {
    pub(super) const fn new(page: &'a mut Page, fields: Fields) -> Self {
        Self { page, fields, takes: Takes::All }
    }

    /// Reads typed values alone, so that a lock may be held; tells whether there are others, which then have to be read.
    pub(super) fn read_typed(page: &'a mut Page, fields: Fields, values: &Record<'_>) -> bool {
        let mut visitor = Self { page, fields, takes: Takes::Typed };
        values.record(&mut visitor);
        visitor.takes == Takes::TypedOfMore
    }

    /// Reads the others.
    pub(super) fn read_untyped(page: &'a mut Page, fields: Fields, values: &Record<'_>) {
        values.record(&mut Self { page, fields, takes: Takes::Untyped });
    }

    fn meaning(&self, field: &Field) -> Option<Meaning> {
        if self.takes == Takes::Untyped { None } else { self.fields.meaning(field) }
    }

    fn head(&mut self, slot: Slot, given: Given<'_>) {
        self.page.heading.put(slot, given, self.fields.is_event());
    }

    /// A number that 64 bits do not hold: as a text it is read again, whatever it is wanted as.
    #[cold]
    fn wide(&mut self, field: &Field, digits: &dyn ToString) {
        if let Some(meaning) = self.meaning(field) {
            let digits = Zeroizing::new(digits.to_string());
            match meaning.slot {
                Slot::Own(own) => self.page.own.put(own, Given::Text(&digits)),
                slot if Heading::takes(slot) => self.head(slot, Given::Text(&digits)),
                _ => self.page.text(meaning, &digits),
            }
        }
    }
}

impl Visit for Visitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        match self.meaning(field) {
            Some(Meaning { slot: Slot::Own(own), .. }) => self.page.own.text(own, value),
            Some(meaning) if meaning.slot == Slot::FinishReasons => self.page.reason(meaning, value),
            Some(meaning) if Heading::takes(meaning.slot) => self.head(meaning.slot, Given::Text(value)),
            Some(meaning) => self.page.text(meaning, value),
            None => {}
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        match self.meaning(field) {
            Some(Meaning { slot: Slot::Own(own), .. }) => self.page.own.int(own, value),
            Some(meaning) if Heading::takes(meaning.slot) => self.head(meaning.slot, Given::Int(i128::from(value))),
            Some(meaning) => self.page.int(meaning, value),
            None => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.record_i64(field, value),
            Err(_) => self.wide(field, &value),
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        match i64::try_from(value) {
            Ok(value) => self.record_i64(field, value),
            Err(_) => self.wide(field, &value),
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match i64::try_from(value) {
            Ok(value) => self.record_i64(field, value),
            Err(_) => self.wide(field, &value),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        match self.meaning(field) {
            Some(Meaning { slot: Slot::Own(own), .. }) => self.page.own.double(own, value),
            Some(meaning) if Heading::takes(meaning.slot) => self.head(meaning.slot, Given::Double(value)),
            Some(meaning) => self.page.double(meaning, value),
            None => {}
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        match self.meaning(field) {
            Some(Meaning { slot: Slot::Own(own), .. }) => self.page.own.flag(own, value),
            Some(meaning) if Heading::takes(meaning.slot) => self.head(meaning.slot, Given::Bool(value)),
            Some(meaning) => self.page.bool(meaning, value),
            None => {}
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let Some(meaning) = self.fields.meaning(field) else { return };
        if matches!(self.takes, Takes::Typed | Takes::TypedOfMore) {
            self.takes = Takes::TypedOfMore;
            return;
        }
        match meaning.slot {
            // What an error says is not wanted, so it is not even formatted.
            Slot::End(End::Exception) => self.page.heading.end.has_exception = true,
            Slot::Own(own) => self.page.own_debug(own, value),
            slot if Heading::takes(slot) => {
                let text = self.page.formatted(value);
                if let Some(text) = undebugged(&text) {
                    self.head(slot, Given::Text(text));
                }
            }
            _ => self.page.debug(meaning, value),
        }
    }
}
