//! Sums.

use super::{Call, Inference, OtherCall, ToolCall};
use crate::event::{Attrs, Outcome};
use crate::semconv::{Attr, CACHE_CREATION_TOKENS, CACHE_READ_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, REASONING_TOKENS};

/// Sums over calls. Tokens that nobody told of are missing, not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Totals {
    /// Turns.
    pub turns: u64,
    /// Model requests, each attempt for itself.
    pub inferences: u64,
    /// Tool calls.
    pub tool_calls: u64,
    /// Model requests and tool calls that ended after their turn had; they are among those above.
    pub late: u64,
    /// Calls that ended in an error. What was cancelled or denied is none.
    pub errors: u64,
    /// Nanoseconds that people took to decide.
    pub wait_nanos: u64,
    /// Nanoseconds of calls that ended after their turn had; they are among those below.
    pub late_nanos: u64,
    /// Nanoseconds of model requests.
    pub inference_nanos: u64,
    /// Nanoseconds of tool calls.
    pub tool_nanos: u64,
    /// `gen_ai.usage.input_tokens`.
    pub input_tokens: Option<i64>,
    /// `gen_ai.usage.output_tokens`.
    pub output_tokens: Option<i64>,
    /// `gen_ai.usage.cache_read.input_tokens`.
    pub cache_read_tokens: Option<i64>,
    /// `gen_ai.usage.cache_creation.input_tokens`.
    pub cache_creation_tokens: Option<i64>,
    /// `gen_ai.usage.reasoning.output_tokens`.
    pub reasoning_tokens: Option<i64>,
}

impl Totals {
    /// The token sums under the names they leave by.
    pub fn tokens(&self) -> [(Attr<i64>, Option<i64>); 5] {
        [
            (INPUT_TOKENS, self.input_tokens),
            (OUTPUT_TOKENS, self.output_tokens),
            (CACHE_READ_TOKENS, self.cache_read_tokens),
            (CACHE_CREATION_TOKENS, self.cache_creation_tokens),
            (REASONING_TOKENS, self.reasoning_tokens),
        ]
    }

    pub(in crate::reduce) fn add_inference(&mut self, inference: &Inference) {
        self.inferences += 1;
        self.add_call(&inference.call);
        self.inference_nanos = self.inference_nanos.saturating_add(inference.call.duration_nanos().unwrap_or(0));
        self.add_tokens(|attr| tokens(&inference.call.attrs, attr));
    }

    pub(in crate::reduce) fn add_tool(&mut self, tool: &ToolCall) {
        self.tool_calls += 1;
        self.add_call(&tool.call);
        self.tool_nanos = self.tool_nanos.saturating_add(tool.call.duration_nanos().unwrap_or(0));
    }

    pub(in crate::reduce) fn add_wait(&mut self, approval: &OtherCall) {
        self.wait_nanos = self.wait_nanos.saturating_add(approval.call.duration_nanos().unwrap_or(0));
    }

    fn add_call(&mut self, call: &Call) {
        self.errors += u64::from(call.outcome.is_some_and(Outcome::is_error));
        if call.late {
            self.late += 1;
            self.late_nanos = self.late_nanos.saturating_add(call.duration_nanos().unwrap_or(0));
        }
    }

    pub(in crate::reduce) fn add(&mut self, other: &Self) {
        self.turns += other.turns;
        self.inferences += other.inferences;
        self.tool_calls += other.tool_calls;
        self.late += other.late;
        self.errors += other.errors;
        self.wait_nanos = self.wait_nanos.saturating_add(other.wait_nanos);
        self.late_nanos = self.late_nanos.saturating_add(other.late_nanos);
        self.inference_nanos = self.inference_nanos.saturating_add(other.inference_nanos);
        self.tool_nanos = self.tool_nanos.saturating_add(other.tool_nanos);
        let of_other = other.tokens();
        self.add_tokens(|attr| of_other.iter().find(|(name, _)| name.id() == attr.id()).and_then(|(_, sum)| *sum));
    }

    fn add_tokens(&mut self, more: impl Fn(Attr<i64>) -> Option<i64>) {
        for (attr, sum) in [
            (INPUT_TOKENS, &mut self.input_tokens),
            (OUTPUT_TOKENS, &mut self.output_tokens),
            (CACHE_READ_TOKENS, &mut self.cache_read_tokens),
            (CACHE_CREATION_TOKENS, &mut self.cache_creation_tokens),
            (REASONING_TOKENS, &mut self.reasoning_tokens),
        ] {
            if let Some(more) = more(attr) {
                *sum = Some(sum.unwrap_or(0).saturating_add(more));
            }
        }
    }
}

/// A negative count is no count.
fn tokens(attrs: &Attrs, attr: Attr<i64>) -> Option<i64> {
    attrs.get(attr).filter(|count| *count >= 0)
}
