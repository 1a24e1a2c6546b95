//! What has to be understood as soon as it is told: what a span does, where it belongs, and how it ended.

use zeroize::Zeroizing;

use super::given::Given;
use super::operation::Operation;
use super::slot::{End, Identity as IdentityPart, Slot, Words};
use crate::event::{Outcome, Scope};
use crate::intake::Identity;

/// What fields have told of a span as a whole. Small, however often they tell it.
#[derive(Default)]
pub(super) struct Heading {
    /// By `gen_ai.operation.name`.
    operation: Option<Operation>,
    /// By another vocabulary's name for it.
    hinted: Option<Operation>,
    pub(super) end: Ending,
    /// Few spans say where they belong.
    pub(super) identity: Option<Box<Identity>>,
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

impl Heading {
    /// Whether a field of this meaning is read here.
    pub(super) const fn takes(slot: Slot) -> bool {
        matches!(slot, Slot::Operation(_) | Slot::Identity(_) | Slot::End(_))
    }

    /// Reads a field. An event tells of a call, it does not open one.
    pub(super) fn put(&mut self, slot: Slot, given: Given<'_>, is_event: bool) {
        match slot {
            Slot::End(end) => self.end.put(end, given),
            Slot::Operation(_) | Slot::Identity(_) if is_event => {}
            Slot::Operation(words) => self.put_operation(words, given),
            Slot::Identity(part) => self.put_identity(part, given),
            _ => {}
        }
    }

    /// What the span itself says that it does.
    pub(super) fn stated_operation(&self) -> Option<Operation> {
        self.operation.or(self.hinted)
    }

    /// Adds what came later. Where a call belongs was settled when it opened.
    pub(super) fn merge(&mut self, newer: Self) {
        self.operation = newer.operation.or(self.operation);
        self.hinted = newer.hinted.or(self.hinted);
        self.end.has_error |= newer.end.has_error;
        self.end.has_exception |= newer.end.has_exception;
        self.end.has_logged |= newer.end.has_logged;
        self.end.error_type = newer.end.error_type.or(self.end.error_type.take());
        self.end.outcome = newer.end.outcome.or(self.end.outcome);
    }

    fn put_operation(&mut self, words: Words, given: Given<'_>) {
        let Given::Text(word) = given else { return };
        let operation = Operation::named(words, word);
        if words == Words::GenAi {
            self.operation = Some(operation);
        } else if operation != Operation::Unmapped || self.hinted.is_none() {
            // OpenLLMetry names a model request and its place in a workflow on one span: what is known counts.
            self.hinted = Some(operation);
        }
    }

    fn put_identity(&mut self, part: IdentityPart, given: Given<'_>) {
        given.with_text(|text| {
            let identity = self.identity.get_or_insert_default();
            let place = match part {
                IdentityPart::Tenant => &mut identity.tenant,
                IdentityPart::Rollout => &mut identity.rollout,
                IdentityPart::Thread => &mut identity.thread,
                IdentityPart::Turn => &mut identity.turn,
            };
            *place = Some(Scope::id(text));
        });
    }
}

impl Ending {
    fn put(&mut self, end: End, given: Given<'_>) {
        match end {
            End::ErrorType | End::ExceptionType => {
                // A number is a status: `error.type = 503`.
                given.with_text(|kind| {
                    if !kind.is_empty() {
                        self.has_error |= end == End::ErrorType;
                        self.has_exception |= end == End::ExceptionType;
                        self.error_type = Some(Zeroizing::new(label(kind).to_owned()));
                    }
                });
            }
            End::Exception => self.has_exception |= given.is_error(),
            End::Error => self.has_error |= given.is_error(),
            End::Status | End::Outcome => {
                let Given::Text(word) = given else { return };
                self.outcome = outcome(word).or(self.outcome);
            }
        }
    }

    /// Whether it tells of nothing.
    pub(super) const fn is_silent(&self) -> bool {
        let Self { has_error, has_exception, has_logged, error_type, outcome } = self;
        !(*has_error || *has_exception || *has_logged) && error_type.is_none() && outcome.is_none()
    }
}

/// As much of a text as can count of a label.
fn label(text: &str) -> &str {
    text.get(..text.floor_char_boundary(crate::event::RawAttrs::MAX_TEXT_BYTES)).unwrap_or_default()
}

/// The outcome that a word of a library stands for.
fn outcome(word: &str) -> Option<Outcome> {
    let is = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    if is(&["ok", "success", "succeeded", "completed"]) {
        Some(Outcome::Completed)
    } else if is(&["error", "failed", "failure"]) {
        Some(Outcome::Failed)
    } else if is(&["cancelled", "canceled"]) {
        Some(Outcome::Cancelled)
    } else if is(&["denied", "rejected", "skipped"]) {
        Some(Outcome::Denied)
    } else if is(&["timeout", "timed_out"]) {
        Some(Outcome::Timeout)
    } else {
        None
    }
}
