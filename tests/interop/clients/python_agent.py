"""An agent on OpenAI's own client, told by one of three published instrumentations with all their content switched on.

usage: python_agent.py genai|openinference|openllmetry grpc|http SESSION QUESTION

The model is asked with tools, each call it wants is run, and its second answer is streamed. The instrumentation tells of
the model's calls; the turn and the tools around them are told by the OpenTelemetry API, in the words of the same dialect.
The last tool fails, and what it says when it does is content too."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openai import OpenAI
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Status, StatusCode

AGENT = "forecaster"
TOOLS = ("temperature", "forecast")


@dataclass(frozen=True)
class Dialect:
    """How one instrumentation is switched on, and what its turns and tools are called."""

    instrument: Callable[[], None]
    session: str
    turn: Callable[[str], dict[str, Any]]
    tool: Callable[[str, str, str], dict[str, Any]]
    result: str
    answer: str


def genai() -> Dialect:
    """The conventions' own, with messages on spans."""
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

    return Dialect(
        OpenAIInstrumentor().instrument,
        "gen_ai.conversation.id",
        lambda question: {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": AGENT,
            "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": question}]}]),
        },
        lambda name, call, arguments: {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.call.id": call,
            "gen_ai.tool.call.arguments": arguments,
        },
        "gen_ai.tool.call.result",
        "gen_ai.completion",
    )


def openinference() -> Dialect:
    """Arize's, with content as it is by default."""
    from openinference.instrumentation.openai import OpenAIInstrumentor

    return Dialect(
        OpenAIInstrumentor().instrument,
        "session.id",
        lambda question: {
            "openinference.span.kind": "AGENT",
            "agent.name": AGENT,
            "input.value": question,
            "input.mime_type": "text/plain",
        },
        lambda name, call, arguments: {
            "openinference.span.kind": "TOOL",
            "tool.name": name,
            "tool.id": call,
            "tool.parameters": arguments,
            "input.value": arguments,
            "input.mime_type": "application/json",
        },
        "output.value",
        "output.value",
    )


def openllmetry() -> Dialect:
    """Traceloop's, with content as it is by default."""
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    return Dialect(
        OpenAIInstrumentor().instrument,
        "traceloop.association.properties.session_id",
        lambda question: {
            "traceloop.span.kind": "agent",
            "traceloop.entity.name": AGENT,
            "traceloop.entity.input": json.dumps({"question": question}),
        },
        lambda name, call, arguments: {
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": name,
            "traceloop.entity.input": arguments,
        },
        "traceloop.entity.output",
        "traceloop.entity.output",
    )


DIALECTS = {"genai": genai, "openinference": openinference, "openllmetry": openllmetry}


class SessionOnEverySpan(SpanProcessor):
    """What a service does that wants its sessions: no instrumentation knows of them by itself."""

    def __init__(self, key: str, session: str) -> None:
        self._attribute = (key, session)

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        """The instrumentation's spans too."""
        span.set_attribute(*self._attribute)


def exporter(protocol: str) -> Any:
    """OTLP's exporter for a protocol; where it sends is in the environment."""
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc

        return Grpc()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http

    return Http()


def main(name: str, protocol: str, session: str, question: str) -> None:
    """One turn, from its question to its answer."""
    dialect = DIALECTS[name]()
    provider = TracerProvider()
    provider.add_span_processor(SessionOnEverySpan(dialect.session, session))
    provider.add_span_processor(BatchSpanProcessor(exporter(protocol)))
    trace.set_tracer_provider(provider)
    dialect.instrument()
    tracer = trace.get_tracer("interop-agent")
    with tracer.start_as_current_span(f"invoke_agent {AGENT}", attributes=dialect.turn(question)) as turn:
        answer = converse(OpenAI(), tracer, dialect, question)
        turn.set_attribute(dialect.answer, answer)
    provider.shutdown()


def converse(client: OpenAI, tracer: trace.Tracer, dialect: Dialect, question: str) -> str:
    """Asks, runs the tools, and reads the answer as it is streamed."""
    model = os.environ["OPENAI_MODEL"]
    messages: list[Any] = [
        {"role": "system", "content": f"You are careful with {question}."},
        {"role": "user", "content": question},
    ]
    asked = client.chat.completions.create(model=model, messages=messages, tools=definitions(question), temperature=0.5)
    message = asked.choices[0].message
    messages.append(message.model_dump(exclude_none=True))
    for place, call in enumerate(message.tool_calls or []):
        arguments = call.function.arguments
        attributes = dialect.tool(call.function.name, call.id, arguments)
        with tracer.start_as_current_span(f"execute_tool {call.function.name}", attributes=attributes) as span:
            result = run_tool(span, arguments, fails=place == 1)
            span.set_attribute(dialect.result, result)
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    stream = client.chat.completions.create(
        model=model, messages=messages, stream=True, stream_options={"include_usage": True}
    )
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def run_tool(span: Span, arguments: str, fails: bool) -> str:
    """What a tool says; one that fails says it in its exception."""
    said = f"7 degrees, as was asked for with {arguments}"
    if fails:
        span.record_exception(LookupError(said))
        span.set_status(Status(StatusCode.ERROR, said))
    return said


def definitions(question: str) -> list[Any]:
    """The tools, whose descriptions are content too."""
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    return [
        {
            "type": "function",
            "function": {"name": name, "description": f"Knows the {name} for {question}", "parameters": parameters},
        }
        for name in TOOLS
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
