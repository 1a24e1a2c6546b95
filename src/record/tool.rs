//! Tool calls: executions of a tool.

use std::sync::Arc;

use super::ambient::ToolId;
use super::answer::Failure;
use super::builder::{Builder, Draft};
use super::call::Call;
use super::kind;
use super::place::LentOrigin;
use crate::event::{Given, Part, RawText, ResultContent, Returned, shape};
use crate::semconv::{
    MCP_SERVER, TOOL_CALL_ID, TOOL_NAME, TOOL_REQUESTER, TOOL_REQUESTER_ID, TOOL_TYPE, WAIT_FOR, WAIT_YIELDED,
};

/// A tool call that has not started.
pub type ToolBuilder = Builder<kind::Tool>;

/// A tool call that runs: one execution of one tool.
pub type ToolCall = Call<kind::Tool>;

impl ToolBuilder {
    pub(super) fn begin(origin: Option<LentOrigin<'_>>, name: &str) -> Self {
        let builder = Self::new(origin).text(TOOL_NAME, name);
        builder.with(|draft| *draft.tool() = Some(Arc::new(ToolId { name: name.to_owned(), call_id: None })))
    }

    /// The arguments as the model wrote them: JSON text as a rule.
    pub fn arguments(self, arguments: impl Into<RawText>) -> Self {
        self.arguments_with(|| arguments)
    }

    /// The same from a closure, which a disabled recorder does not run.
    pub fn arguments_with<A: Into<RawText>>(mut self, arguments: impl FnOnce() -> A) -> Self {
        if let Some(Given::Arguments(told)) = self.draft().and_then(Draft::given) {
            *told = Some(arguments().into());
        }
        self
    }

    /// The provider's id of the call (`gen_ai.tool.call.id`). Never a key: such ids repeat.
    pub fn call_id(self, id: &str) -> Self {
        let told = self.with(|draft| {
            if let Some(tool) = draft.tool().as_mut().and_then(Arc::get_mut) {
                tool.call_id = Some(id.to_owned());
            }
        });
        told.text(TOOL_CALL_ID, id)
    }

    /// `gen_ai.tool.type`: `function`, `extension` or `datastore`.
    pub fn tool_type(self, kind: &str) -> Self {
        self.text(TOOL_TYPE, kind)
    }

    /// The MCP server that has the tool (`veilspan.mcp.server`).
    pub fn mcp_server(self, name: &str) -> Self {
        self.text(MCP_SERVER, name)
    }

    /// The model asked for it (`veilspan.tool.requester`).
    pub fn requested_by_model(self) -> Self {
        self.text(TOOL_REQUESTER, "model")
    }

    /// The user asked for it.
    pub fn requested_by_user(self) -> Self {
        self.text(TOOL_REQUESTER, "user")
    }

    /// A code cell asked for it, known by its runtime's id (`veilspan.tool.requester.id`).
    pub fn requested_by_code_cell(self, runtime_id: &str) -> Self {
        self.text(TOOL_REQUESTER, "code_cell").text(TOOL_REQUESTER_ID, runtime_id)
    }

    /// It waits for a code cell, known by its runtime's id (`veilspan.wait.for`).
    pub fn waits_for(self, runtime_id: &str) -> Self {
        self.text(WAIT_FOR, runtime_id)
    }
}

impl ToolCall {
    /// What the tool returned; a later result replaces an earlier one.
    pub fn result(&mut self, result: impl IntoResult) -> &mut Self {
        if let Some(Returned::Result(told)) = self.handle.returned() {
            *told = Some(result.into_result());
        }
        self
    }

    /// What the tool returned as an error of its own: it has failed as `tool_error`, unless something said how before.
    pub fn error_result(&mut self, result: impl IntoResult) -> &mut Self {
        if !self.handle.has_failed() {
            self.mark_failed("tool_error");
        }
        self.result(result)
    }

    /// What it waited for went on (`veilspan.wait.yielded`).
    pub fn wait_yielded(&mut self, yielded: bool) -> &mut Self {
        self.handle.attrs(|attrs| attrs.bool(WAIT_YIELDED, yielded));
        self
    }

    /// It was not made yet: a person has to approve it first. It has no outcome; made after the wait it is a call with the
    /// same provider's id.
    pub fn wait(self) {
        self.handle.close_open_ended();
    }

    /// It returned, or failed: the outcome is the result's. What says that it is an error has failed as `tool_error`.
    pub fn finish_with<R, E: Failure>(mut self, result: &Result<R, E>)
    where
        for<'a> &'a R: IntoResult,
    {
        if let Ok(returned) = result {
            if IntoResult::is_error(&returned) {
                self.error_result(returned)
            } else {
                self.result(returned)
            };
        }
        self.settle_with(result);
    }
}

/// What a tool can return.
pub trait IntoResult: Sized {
    /// It as content.
    fn into_result(self) -> ResultContent;

    /// Whether the tool itself says that it failed, as MCP's `isError` does.
    fn is_error(&self) -> bool {
        false
    }
}

macro_rules! text_result {
    ($($text:ty),*) => {$(
        impl IntoResult for $text {
            fn into_result(self) -> ResultContent {
                ResultContent::Text(self.into())
            }
        }
    )*};
}

text_result!(&str, String, Arc<str>);

impl IntoResult for &String {
    fn into_result(self) -> ResultContent {
        ResultContent::Text(self.as_str().into())
    }
}

impl IntoResult for Vec<Part> {
    fn into_result(self) -> ResultContent {
        ResultContent::Parts(self)
    }
}

impl IntoResult for ResultContent {
    fn into_result(self) -> ResultContent {
        self
    }
}

impl IntoResult for RawText {
    fn into_result(self) -> ResultContent {
        ResultContent::Text(self)
    }
}

impl IntoResult for serde_json::Value {
    fn into_result(self) -> ResultContent {
        ResultContent::Text(shape::json::into_text(self))
    }
}

impl IntoResult for &serde_json::Value {
    fn into_result(self) -> ResultContent {
        ResultContent::Text(shape::json::text(self))
    }
}
