//! Content as it was said, and content made safe, as types.

use std::fmt::Debug;

use super::{Arguments, Attrs, Input, Measure, Message, Output, RawAttrs, RawText, Request, ResultContent};

/// What the content of an [`Event`](super::Event) is made of.
///
/// Sealed: there is content as it was said, and content that the policy has passed, and nothing between.
pub trait Content: sealed::Sealed {
    /// Attributes: names, numbers, labels.
    type Attrs: Default;
    /// What a model was sent.
    type Request: Default;
    /// What a model answered.
    type Answer: Default;
    /// What a tool was called with.
    type Arguments: Default;
    /// Any other text, or parts of several kinds: what a tool returned, a decision, an error.
    type Payload: Default;
    /// Several of them: texts to embed, documents.
    type Payloads: Default;
}

/// Content as it was said. Can be neither printed, compared nor serialised, and is wiped when dropped.
#[allow(missing_debug_implementations)]
pub enum Raw {}

/// Content that the policy has passed: digests, lengths, checked labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Veiled {}

impl Content for Raw {
    type Attrs = RawAttrs;
    type Request = Option<Box<Request>>;
    type Answer = Vec<Message>;
    type Arguments = Option<RawText>;
    type Payload = Option<ResultContent>;
    type Payloads = Vec<ResultContent>;
}

impl Content for Veiled {
    type Attrs = Attrs;
    type Request = Input;
    type Answer = Output;
    type Arguments = Arguments;
    type Payload = Measure;
    type Payloads = Vec<Measure>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Raw {}
    impl Sealed for super::Veiled {}
}

const _: () = {
    const fn safe_to_print<T: Debug>() {}
    safe_to_print::<super::Event<Veiled>>();
    safe_to_print::<super::CallRecord<Veiled>>();
};
