"""Our exporter in a stock `SdkTracerProvider`, an unmodified Collector, Jaeger: without a stage, so that the plug-in alone
keeps what was said from leaving."""

from __future__ import annotations

import secrets
from dataclasses import replace

from agent_run import AGENT_SECONDS, ARRIVAL_SECONDS, check_nothing_leaked
from jaeger import Jaeger
from leaks import secrets_in
from process import Workspace, wait_until
from report import Report
from rollout import DIGEST, DIGEST_KEY
from spans import Span
from stack import REPOSITORY, Addresses, Stack

NEEDS = ("otelcol", "jaeger")
EXAMPLE = REPOSITORY / "examples" / "sdk_plugin.rs"
# What the example says to OpenTelemetry's own API: messages, a span's name, an exception, a status.
SAID = (
    "You are careful.",
    "How warm is it in Oslo?",
    "Oslo? Let me look.",
    "Let me look.",
    "look up how warm it is",
    "nobody knows how warm it is in Oslo",
    "no answer for Oslo",
    '{"city":"Oslo"}',
)


def run(report: Report, workspace: Workspace) -> None:
    """Runs the example and looks at its spans in Jaeger, and for what was said everywhere."""
    free = Addresses.free()
    # The Collector's first pipeline sends to its second: nothing of ours is between.
    stack = Stack(workspace, replace(free, stage=free.otelcol_back))
    jaeger = stack.jaeger()
    stack.collector()
    service = f"interop-plugin-{secrets.token_hex(4)}"
    example = stack.example("sdk_plugin", [], {"OTEL_SERVICE_NAME": service})
    report.equal("the example exits with 0", example.wait(AGENT_SECONDS), 0)

    wait_until("three spans are in Jaeger", lambda: len(jaeger.spans()) >= 3, ARRIVAL_SECONDS)
    spans = jaeger.spans()
    report.equal("service.name is the producer's", {span.resource.get("service.name") for span in spans}, {service})
    check_spans(report, jaeger, spans)
    source = EXAMPLE.read_text()
    report.equal("the example still says what is looked for", [text for text in SAID if text not in source], [])
    texts = {secret for text in SAID for secret in secrets_in(text, ())}
    check_nothing_leaked(report, jaeger.raw_answers(), workspace, texts, exempt={"sdk_plugin.stdout"})


def check_spans(report: Report, jaeger: Jaeger, spans: list[Span]) -> None:
    """Names, kinds, parents, digests, types."""
    by_operation = {str(span.get("gen_ai.operation.name") or span.name.partition(" ")[0]): span for span in spans}
    if not report.equal("there is a span for each call", sorted(by_operation), ["chat", "execute_tool", "invoke_agent"]):
        return
    turn, chat, tool = (by_operation[name] for name in ("invoke_agent", "chat", "execute_tool"))
    report.equal("calls are children of their turn", {chat.parent, tool.parent}, {turn.id})
    report.equal("one trace holds them", len({span.trace for span in spans}), 1)
    report.equal("kinds are kept", (turn.kind, chat.kind, tool.kind), ("internal", "client", "internal"))
    report.equal("labels leave", (turn.name, chat.get("gen_ai.request.model")), ("invoke_agent planner", "gpt-x"))
    report.equal("a name that was said does not", tool.name, "execute_tool temperature")
    content = [key for span in spans for key in span.attributes if key.endswith((".messages", ".arguments", ".result"))]
    report.equal("no attribute holds content", content, [])
    values = [
        str(item)
        for span in spans
        for key, value in span.attributes.items()
        if DIGEST_KEY.fullmatch(key)
        for item in (value if isinstance(value, list) else [value])
    ]
    report.check("content is there as digests", len(values) >= 4, values)
    report.equal("digests are keyed ones", [value for value in values if not DIGEST.fullmatch(value)], [])
    kind = jaeger.tag_types(chat.trace).get((chat.id, "gen_ai.usage.input_tokens"))
    report.equal("token counts are int64 tags in Jaeger", kind, "int64")
