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

    /// Runs `take` with what a field stands for, if it stands for anything.
    ///
    /// That is looked at where it is kept: a copy would be written piece by piece and read in others, which takes longer than
    /// all that is done with it.
    #[inline(always)]
    fn with(&mut self, field: &Field, take: impl FnOnce(&mut Self, &Meaning)) {
        let named;
        let meaning = match self.fields.known(field) {
            Some(known) => known,
            None => {
                named = self.fields.named(field);
                &named
            }
        };
        if let Some(meaning) = meaning {
            take(self, meaning);
        }
    }

    /// The same for a value that has a type.
    #[inline(always)]
    fn with_typed(&mut self, field: &Field, take: impl FnOnce(&mut Self, &Meaning)) {
        if self.takes != Takes::Untyped {
            self.with(field, take);
        }
    }

    fn head(&mut self, slot: Slot, given: Given<'_>) {
        self.page.heading.put(slot, given, self.fields.is_event());
    }

    /// A number that 64 bits do not hold: as a text it is read again, whatever it is wanted as.
    #[cold]
    fn wide(&mut self, field: &Field, digits: &dyn ToString) {
        self.with_typed(field, |visitor, meaning| {
            let digits = Zeroizing::new(digits.to_string());
            match meaning.slot {
                Slot::Own(own) => visitor.page.own.put(own, Given::Text(&digits)),
                slot if Heading::takes(slot) => visitor.head(slot, Given::Text(&digits)),
                _ => visitor.page.text(*meaning, &digits),
            }
        });
    }
}

impl Visit for Visitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.with_typed(field, |visitor, meaning| match meaning.slot {
            Slot::Own(own) => visitor.page.own.text(own, value),
            Slot::FinishReasons => visitor.page.reason(*meaning, value),
            slot if Heading::takes(slot) => visitor.head(slot, Given::Text(value)),
            _ => visitor.page.text(*meaning, value),
        });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.with_typed(field, |visitor, meaning| match meaning.slot {
            Slot::Own(own) => visitor.page.own.int(own, value),
            slot if Heading::takes(slot) => visitor.head(slot, Given::Int(i128::from(value))),
            _ => visitor.page.int(*meaning, value),
        });
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
        self.with_typed(field, |visitor, meaning| match meaning.slot {
            Slot::Own(own) => visitor.page.own.double(own, value),
            slot if Heading::takes(slot) => visitor.head(slot, Given::Double(value)),
            _ => visitor.page.double(*meaning, value),
        });
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.with_typed(field, |visitor, meaning| match meaning.slot {
            Slot::Own(own) => visitor.page.own.flag(own, value),
            slot if Heading::takes(slot) => visitor.head(slot, Given::Bool(value)),
            _ => visitor.page.bool(*meaning, value),
        });
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.with(field, |visitor, meaning| {
            if matches!(visitor.takes, Takes::Typed | Takes::TypedOfMore) {
                visitor.takes = Takes::TypedOfMore;
                return;
            }
            match meaning.slot {
                // What an error says is not wanted, so it is not even formatted.
                Slot::End(End::Exception) => visitor.page.heading.end.has_exception = true,
                Slot::Own(own) => visitor.page.own_debug(own, value),
                slot if Heading::takes(slot) => {
                    let text = visitor.page.formatted(value);
                    if let Some(text) = undebugged(&text) {
                        visitor.head(slot, Given::Text(text));
                    }
                }
                _ => visitor.page.debug(*meaning, value),
            }
        });
    }
}
