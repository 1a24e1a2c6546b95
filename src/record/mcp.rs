//! Tool calls to MCP servers, told once: by the host's own tool call where there is one, else by one made here.

use std::future::Future;

use serde_json::{Map, Value};

use super::ambient::{Context, ToolId};
use super::answer::Failure;
use super::call::{Call, CallType};
use super::place::Origin;
use super::recorder::Recorder;
use super::tool::{IntoResult, ToolBuilder};
use crate::event::{CallKind, RawAttrs, RawText};
use crate::semconv::{MCP_METHOD_NAME, MCP_SERVER, TOOL_NAME};

/// A tool call to an MCP server that has not been sent. Told by [`run`](Self::run).
#[must_use = "a tool call to an MCP server is made by `run`"]
pub struct Dispatch {
    from: From,
    server: String,
    tool: String,
    call_id: Option<String>,
    arguments: Option<RawText>,
}

/// Who makes the call. What runs around it is looked at when it is made.
enum From {
    Recorder(Recorder),
    Call(Option<Origin>),
    /// A tool call, which it may be part of or the same as.
    Tool(Context),
}

impl Recorder {
    /// A call of an MCP server's tool, by the names that the server has. Inside of a tool call that the host records by
    /// itself it is that call.
    pub fn dispatch(&self, server: &str, tool: &str) -> Dispatch {
        Dispatch::new(From::Recorder(self.clone()), server, tool)
    }
}

impl<K: CallType> Call<K> {
    /// A call of an MCP server's tool, by the names that the server has. Inside of a tool call that the host records by
    /// itself it is that call.
    pub fn dispatch(&self, server: &str, tool: &str) -> Dispatch {
        let is_tool = K::KIND == CallKind::Tool;
        let from = if is_tool { From::Tool(self.context()) } else { From::Call(self.origin()) };
        Dispatch::new(from, server, tool)
    }
}

impl Dispatch {
    fn new(from: From, server: &str, tool: &str) -> Self {
        Self { from, server: server.to_owned(), tool: tool.to_owned(), call_id: None, arguments: None }
    }

    /// The provider's id of the call (`gen_ai.tool.call.id`).
    pub fn call_id(mut self, id: &str) -> Self {
        self.call_id = Some(id.to_owned());
        self
    }

    /// The arguments: JSON text.
    pub fn arguments(mut self, arguments: impl Into<RawText>) -> Self {
        self.arguments = Some(arguments.into());
        self
    }

    /// Makes the call. `send` is given what the request's `params._meta` is to have: trace context and identity, or nothing
    /// where MCP servers are told nothing.
    pub async fn run<S, F, R, E>(self, send: S) -> Result<R, E>
    where
        S: FnOnce(Map<String, Value>) -> F,
        F: Future<Output = Result<R, E>>,
        for<'a> &'a R: IntoResult,
        E: Failure,
    {
        let (origin, around) = match &self.from {
            From::Recorder(recorder) => (recorder.origin(), Context::current()),
            From::Call(origin) => (origin.clone(), Context::current()),
            From::Tool(context) => (context.origin().cloned(), context.clone()),
        };
        if self.is_recorded(origin.as_ref(), &around) {
            self.complete(&around);
            return send(meta(&around)).await;
        }
        let builder = ToolBuilder::begin(origin.as_ref().map(Origin::lend), &self.tool);
        let mut builder = builder.mcp_server(&self.server).text(MCP_METHOD_NAME, METHOD);
        if let Some(id) = &self.call_id {
            builder = builder.call_id(id);
        }
        if let Some(arguments) = self.arguments {
            builder = builder.arguments(arguments);
        }
        let mut call = builder.start();
        let request = send(meta(&call.context()));
        let result = call.observe(request).await;
        call.finish_with(&result);
        result
    }

    /// Whether the tool call around this one is this one. One that has ended is not.
    fn is_recorded(&self, origin: Option<&Origin>, around: &Context) -> bool {
        let same_recorder = match (origin, around.origin()) {
            (Some(ours), Some(around)) => std::sync::Arc::ptr_eq(&ours.desk, &around.desk),
            _ => false,
        };
        same_recorder && around.tool.upgrade().is_some_and(|around| self.is_same(&around))
    }

    /// By the provider's id; where one of the two has none, by the tool's name, before which hosts put the server's.
    fn is_same(&self, around: &ToolId) -> bool {
        match (&around.call_id, &self.call_id) {
            (Some(around), Some(id)) => around == id,
            _ => around
                .name
                .strip_suffix(&*self.tool)
                .is_some_and(|before| before.chars().next_back().is_none_or(|last| !last.is_alphanumeric())),
        }
    }

    /// Tells of the call around what only its sender knows.
    fn complete(&self, around: &Context) {
        let (Some(origin), Some(key)) = (around.origin(), around.call) else { return };
        let Some(place) = &origin.parent else { return };
        let mut attrs = RawAttrs::default();
        attrs.text(TOOL_NAME, &self.tool);
        attrs.text(MCP_SERVER, &self.server);
        attrs.text(MCP_METHOD_NAME, METHOD);
        origin.desk.learn(&place.scope, key, attrs);
    }
}

const METHOD: &str = "tools/call";

fn meta(context: &Context) -> Map<String, Value> {
    let mut meta = Map::new();
    context.inject_meta(&mut meta);
    meta
}

impl std::fmt::Debug for Dispatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dispatch").finish_non_exhaustive()
    }
}
