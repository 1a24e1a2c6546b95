//! Spans that Claude Code and Codex make themselves: told by their names, with plain words for what they say.

use super::Said;
use crate::event::{Attrs, Value};
use crate::otlp::{AnyView, SpanView};
use crate::semconv::{self as s, KeyId};

/// An agent with spans of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agent {
    ClaudeCode,
    Codex,
}

/// Codex' span of a turn, and of an event of a model's answer.
const CODEX_TURN: &str = "session_task.turn";
const CODEX_ANSWER: &str = "handle_responses";

impl Agent {
    pub(super) fn of(span: &SpanView<'_>, said: &Said<'_>) -> Option<Self> {
        // Codex names the span of a tool call after the tool.
        let is_tool_call = || said.text(s::CC_TOOL_NAME.id()).is_some() && said.text(s::CX_CALL_ID.id()).is_some();
        match span.name() {
            name if name.starts_with("claude_code.") => Some(Self::ClaudeCode),
            CODEX_TURN | CODEX_ANSWER => Some(Self::Codex),
            _ if is_tool_call() => Some(Self::Codex),
            _ => None,
        }
    }

    /// What its words mean.
    pub(super) const fn aliases(self) -> &'static [(KeyId, KeyId)] {
        match self {
            Self::ClaudeCode => s::OF_CLAUDE_CODE,
            Self::Codex => s::OF_CODEX,
        }
    }

    /// The operation of a span of its own; nothing for one that is a part of another.
    pub(super) fn operation(self, span: &SpanView<'_>, opened: &Attrs, closed: &Attrs) -> Option<&'static str> {
        match (self, span.name()) {
            (Self::ClaudeCode, "claude_code.interaction") | (Self::Codex, CODEX_TURN) => Some("invoke_agent"),
            (Self::ClaudeCode, "claude_code.llm_request") => Some("chat"),
            (Self::ClaudeCode, "claude_code.tool") => Some("execute_tool"),
            (Self::ClaudeCode, _) => None,
            // Each event of an answer has a span; the last one says what it took.
            (Self::Codex, CODEX_ANSWER) => closed.value(s::INPUT_TOKENS.id()).map(|_| "chat"),
            (Self::Codex, _) => opened.text(s::TOOL_NAME).map(|_| "execute_tool"),
        }
    }

    /// What the agent is called, which it does not say itself.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::Codex => "codex",
        }
    }

    /// What its numbers count otherwise than the conventions do: Claude Code's input tokens are those that no cache had, and
    /// its times milliseconds.
    /// `is_told` says that the conventions' own names tell of the input.
    pub(super) fn adjust(self, said: &Said<'_>, closed: &mut Attrs, is_told: bool) {
        if self != Self::ClaudeCode {
            return;
        }
        if let Some(AnyView::Int(millis)) = said.get(s::CC_FIRST_TOKEN.id())
            && closed.value(s::TIME_TO_FIRST_CHUNK.id()).is_none()
        {
            closed.set(s::TIME_TO_FIRST_CHUNK, *millis as f64 / 1000.0);
        }
        let Some(input) = closed.get(s::INPUT_TOKENS).filter(|_| !is_told) else { return };
        let cached = [s::CACHE_READ_TOKENS, s::CACHE_CREATION_TOKENS].map(|name| closed.get(name).unwrap_or(0).max(0));
        let all = cached.iter().fold(input, |sum, tokens| sum.saturating_add(*tokens));
        closed.insert(s::INPUT_TOKENS.id(), Value::Int(all));
    }
}
