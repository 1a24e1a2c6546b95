//! Tool calls: executions of a tool.

use std::future::Future;
use std::sync::Arc;

use super::answer::Failure;
use super::builder::{Draft, Parent};
use super::handle::Handle;
use super::turn::{TurnBuilder, debug_without_content};
use crate::event::{CallKind, Given, Outcome, Part, RawText, ResultContent, Returned};
use crate::intake::Desk;
use crate::semconv::{MCP_SERVER, OPERATION_NAME, TOOL_CALL_ID, TOOL_NAME, TOOL_REQUESTER, TOOL_TYPE};

/// A tool call that has not started.
#[must_use = "a tool call is recorded from `start` on"]
pub struct ToolBuilder {
    draft: Option<Draft>,
}

impl ToolBuilder {
    pub(super) fn new(desk: Option<&Arc<Desk>>, parent: Option<&Parent>, name: &str) -> Self {
        let draft = desk.map(|desk| {
            let mut draft = Draft::new(desk, parent, CallKind::Tool);
            draft.text(OPERATION_NAME, "execute_tool");
            draft.text(TOOL_NAME, name);
            draft
        });
        Self { draft }
    }

    fn with(mut self, set: impl FnOnce(&mut Draft)) -> Self {
        if let Some(draft) = &mut self.draft {
            set(draft);
        }
        self
    }

    /// The arguments as the model wrote them: JSON text as a rule.
    pub fn arguments(self, arguments: impl Into<RawText>) -> Self {
        self.arguments_with(|| arguments)
    }

    /// The same from a closure, which a disabled recorder does not run.
    pub fn arguments_with<A: Into<RawText>>(mut self, arguments: impl FnOnce() -> A) -> Self {
        if let Some(Given::Arguments(told)) = self.draft.as_mut().and_then(Draft::given) {
            *told = Some(arguments().into());
        }
        self
    }

    /// The provider's id of the call (`gen_ai.tool.call.id`). Never a key: such ids repeat.
    pub fn call_id(self, id: &str) -> Self {
        self.with(|draft| draft.text(TOOL_CALL_ID, id))
    }

    /// `gen_ai.tool.type`: `function`, `extension` or `datastore`.
    pub fn tool_type(self, kind: &str) -> Self {
        self.with(|draft| draft.text(TOOL_TYPE, kind))
    }

    /// The MCP server that has the tool (`veilspan.mcp.server`).
    pub fn mcp_server(self, name: &str) -> Self {
        self.with(|draft| draft.text(MCP_SERVER, name))
    }

    /// The model asked for it (`veilspan.tool.requester`).
    pub fn requested_by_model(self) -> Self {
        self.with(|draft| draft.text(TOOL_REQUESTER, "model"))
    }

    /// Starts it.
    pub fn start(self) -> ToolCall {
        let Some(draft) = self.draft else { return ToolCall { desk: None, place: None, handle: Handle::disabled() } };
        let desk = draft.desk();
        let (handle, place) = draft.start_as_parent();
        ToolCall { desk: Some(desk), place, handle }
    }
}

/// A tool call that runs. Finish it, or say how it failed; dropped it is `abandoned`.
#[must_use = "a tool call that is dropped at once is recorded as abandoned"]
pub struct ToolCall {
    desk: Option<Arc<Desk>>,
    /// Where the calls that are part of this one belong.
    place: Option<Parent>,
    handle: Handle,
}

impl ToolCall {
    /// A turn of another agent that this call starts: same rollout, a thread of its own.
    pub fn turn(&self, agent: &str) -> TurnBuilder {
        TurnBuilder::below(self.desk.as_ref(), self.place.as_ref(), agent)
    }

    /// What the tool returned; a later result replaces an earlier one.
    pub fn result(&mut self, result: impl IntoResult) -> &mut Self {
        if let Some(Returned::Result(told)) = self.handle.returned() {
            *told = Some(result.into_result());
        }
        self
    }

    /// Marks it as failed although it returns normally. That sticks.
    pub fn mark_failed(&mut self, kind: &str) -> &mut Self {
        self.handle.mark_failed(kind, None);
        self
    }

    /// Runs a future on behalf of the call: dropped before it is done, the call is `cancelled` and not `abandoned`.
    pub fn observe<F: Future>(&mut self, future: F) -> impl Future<Output = F::Output> {
        self.handle.observe(future)
    }

    /// It returned what has been told before.
    pub fn finish(self) {
        self.handle.close(Outcome::Completed);
    }

    /// It returned, or failed: the outcome is the result's.
    pub fn finish_with<R, E: Failure>(mut self, result: &Result<R, E>)
    where
        for<'a> &'a R: IntoResult,
    {
        match result {
            Ok(returned) => {
                self.result(returned);
                self.finish();
            }
            Err(error) => {
                self.handle.mark_failed(&error.kind(), error.retryable());
                self.handle.close(Outcome::Failed);
            }
        }
    }

    /// It failed. `kind` is the class of the error (`veilspan.error.kind`), never its text.
    pub fn fail(mut self, kind: &str) {
        self.handle.mark_failed(kind, None);
        self.handle.close(Outcome::Failed);
    }

    /// It was stopped on purpose.
    pub fn cancel(self) {
        self.handle.close(Outcome::Cancelled);
    }

    /// A person refused it.
    pub fn deny(self) {
        self.handle.close(Outcome::Denied);
    }
}

/// What a tool can return.
pub trait IntoResult {
    /// It as content.
    fn into_result(self) -> ResultContent;
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

impl IntoResult for &serde_json::Value {
    fn into_result(self) -> ResultContent {
        let text = self.as_str().map_or_else(|| self.to_string(), str::to_owned);
        ResultContent::Text(text.into())
    }
}

debug_without_content!(ToolBuilder, ToolCall);
