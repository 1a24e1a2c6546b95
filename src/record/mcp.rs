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
    origin: Option<Origin>,
    around: Context,
    server: String,
    tool: String,
    call_id: Option<String>,
    arguments: Option<RawText>,
}

impl Recorder {
    /// A call of an MCP server's tool, by the names that the server has. Inside of a tool call that the host records by
    /// itself it is that call.
    pub fn dispatch(&self, server: &str, tool: &str) -> Dispatch {
        Dispatch::new(self.origin(), Context::current(), server, tool)
    }
}

impl<K: CallType> Call<K> {
    /// A call of an MCP server's tool, by the names that the server has. Inside of a tool call that the host records by
    /// itself it is that call.
    pub fn dispatch(&self, server: &str, tool: &str) -> Dispatch {
        let around = if K::KIND == CallKind::Tool { self.context() } else { Context::current() };
        Dispatch::new(self.origin(), around, server, tool)
    }
}

impl Dispatch {
    fn new(origin: Option<Origin>, around: Context, server: &str, tool: &str) -> Self {
        Self { origin, around, server: server.to_owned(), tool: tool.to_owned(), call_id: None, arguments: None }
    }

    /// The provider's id of the call (`gen_ai.tool.call.id`).
    pub fn call_id(mut self, id: &str) -> Self {
        self.call_id = Some(id.to_owned());
        self
    }

    /// The arguments: JSON text.
    pub fn arguments(mut self, arguments: impl Into<RawText>) -> Self {
        if self.origin.is_some() {
            self.arguments = Some(arguments.into());
        }
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
        if self.is_recorded() {
            self.complete();
            return send(meta(&self.around)).await;
        }
        let mut builder =
            ToolBuilder::begin(self.origin, &self.tool).mcp_server(&self.server).text(MCP_METHOD_NAME, METHOD);
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

    /// Whether the tool call around this one is this one.
    fn is_recorded(&self) -> bool {
        let same_recorder = match (&self.origin, self.around.origin()) {
            (Some(ours), Some(around)) => std::sync::Arc::ptr_eq(&ours.desk, &around.desk),
            _ => false,
        };
        same_recorder && self.around.tool.as_ref().is_some_and(|around| self.is_same(around))
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
    fn complete(&self) {
        let (Some(origin), Some(key)) = (self.around.origin(), self.around.call) else { return };
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
