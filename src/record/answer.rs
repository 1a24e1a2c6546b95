//! What a result tells of a call: the answer of a model, or the class of an error.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use super::inference::Inference;
use crate::event::shape;
use crate::semconv::{RESPONSE_ID, RESPONSE_MODEL};

/// An answer of a model.
pub trait Answer {
    /// Tells what it holds: messages, names, finish reasons, usage. What it does not hold is left untold, never zero.
    fn record(&self, inference: &mut Inference);
}

/// One text of the model.
impl Answer for str {
    fn record(&self, inference: &mut Inference) {
        inference.output(crate::event::Message::text(crate::event::Role::Assistant, self));
    }
}

/// One text of the model.
impl Answer for String {
    fn record(&self, inference: &mut Inference) {
        self.as_str().record(inference);
    }
}

/// The body of an answer of OpenAI's or Anthropic's API.
impl Answer for Value {
    fn record(&self, inference: &mut Inference) {
        for message in shape::answer(self) {
            inference.output(message);
        }
        tell_facts(self, inference);
        match self.get("usage") {
            None | Some(Value::Null) => inference.usage_missing("missing"),
            Some(usage @ Value::Object(_)) if shape::Usage::read(usage) == shape::Usage::default() => {
                inference.usage_missing("no_token_count");
            }
            Some(Value::Object(_)) => {}
            Some(_) => inference.usage_missing("unrecognised"),
        }
    }
}

/// Tells the names and numbers of a response. A name that was told before is not told again: each chunk of a stream has it.
pub(super) fn tell_facts(body: &Value, inference: &mut Inference) {
    let facts = shape::response_facts(body);
    if let Some(id) = facts.id.filter(|_| !inference.handle.tells(RESPONSE_ID)) {
        inference.response_id(id);
    }
    if let Some(model) = facts.model.filter(|_| !inference.handle.tells(RESPONSE_MODEL)) {
        inference.response_model(model);
    }
    for reason in facts.finish_reasons {
        inference.finish_reason(reason);
    }
    let usage = facts.usage;
    type Setter = fn(&mut Inference, u64) -> &mut Inference;
    let counts: [(Option<i64>, Setter); 5] = [
        (usage.input, Inference::input_tokens),
        (usage.output, Inference::output_tokens),
        (usage.cache_read, Inference::cache_read_tokens),
        (usage.cache_creation, Inference::cache_write_tokens),
        (usage.reasoning, Inference::reasoning_tokens),
    ];
    for (count, tell) in counts {
        if let Some(count) = count.and_then(|count| u64::try_from(count).ok()) {
            tell(inference, count);
        }
    }
}

impl<A: Answer + ?Sized> Answer for &A {
    fn record(&self, inference: &mut Inference) {
        (**self).record(inference);
    }
}

/// An error of a call. Every `std::error::Error` is one, known by the name of its type; whoever knows better says so by a
/// [`Fault`] (`result.map_err(…)`), or by a type of one's own that is no `std::error::Error`.
pub trait Failure {
    /// Its class (`veilspan.error.kind`): a short word that looks like a label, never its text.
    fn kind(&self) -> Cow<'_, str>;

    /// Whether trying again could help, where it is known (`veilspan.error.retryable`).
    fn retryable(&self) -> Option<bool> {
        None
    }
}

/// The class of an error is the name of its type, without parameters.
impl<E: std::error::Error> Failure for E {
    fn kind(&self) -> Cow<'_, str> {
        let name = std::any::type_name::<E>();
        Cow::Borrowed(name.split('<').next().unwrap_or(name))
    }
}

/// The class of an error.
#[derive(Clone)]
pub struct Fault {
    kind: Cow<'static, str>,
    retryable: Option<bool>,
}

impl Fault {
    /// A short word that looks like a label: `rate_limited`, `timeout`, `400`.
    pub fn new(kind: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: kind.into(), retryable: None }
    }

    /// Whether trying again could help.
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.retryable = Some(retryable);
        self
    }
}

/// Without its kind, which is a label only if it looks like one.
impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault").field("retryable", &self.retryable).finish_non_exhaustive()
    }
}

impl Failure for Fault {
    fn kind(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.kind)
    }

    fn retryable(&self) -> Option<bool> {
        self.retryable
    }
}
