"""An HTTP service with both layers, an unmodified Collector with our stage, and Jaeger: one trace, each call in it once."""

from __future__ import annotations

import secrets
from collections import Counter

from agent_run import AGENT_SECONDS, ARRIVAL_SECONDS, CONTEXT_HEADERS, check_nothing_leaked
from fake_openai import FakeOpenAi, canary
from jaeger import Jaeger
from leaks import secrets_in
from process import Workspace, wait_until
from report import Report
from rollout import DIGEST
from spans import Span
from stack import Addresses, Stack, built

NEEDS = ("otelcol", "jaeger")
MODEL = "gpt-scripted"
# From the client to the second service: the name of each span, and that of its parent.
TREE = {
    ("POST /ask", "POST"): 1,
    ("invoke_agent weather", "POST /ask"): 1,
    (f"chat {MODEL}", "invoke_agent weather"): 2,
    ("execute_tool temperature", "invoke_agent weather"): 1,
    ("POST", "execute_tool temperature"): 1,
    ("POST /temperature", "POST"): 1,
    ("POST", ""): 1,
}


def run(report: Report, workspace: Workspace) -> None:
    """One request to the service, from its client to what Jaeger shows of it."""
    built("veilspan")
    stack = Stack(workspace, Addresses.free())
    service = f"interop-axum-{secrets.token_hex(4)}"
    question = canary("question")
    jaeger = stack.jaeger()
    stack.collector()
    stage = stack.stage()
    with FakeOpenAi() as model:
        example = stack.example(
            "axum",
            [question],
            {
                "OTEL_SERVICE_NAME": service,
                "OPENAI_BASE_URL": model.base_url,
                "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true",
            },
        )
        report.equal("the example exits with 0", example.wait(AGENT_SECONDS), 0)
    report.equal("the model was asked twice", len(model.exchanges), 2)
    report.check("the model was sent the question", any(question in text for text in model.said()))
    context = [name for exchange in model.exchanges for name in CONTEXT_HEADERS if name in exchange.headers]
    report.equal("no trace context goes to a model", context, [])

    wait_until("every span is in Jaeger", lambda: len(jaeger.spans()) >= sum(TREE.values()), ARRIVAL_SECONDS)
    report.equal("the stage exits with 0 on SIGTERM", stage.stop(), 0)
    spans = [span for span in jaeger.spans() if not span.name.startswith("rollout")]
    report.equal("service.name is the producer's", {span.resource.get("service.name") for span in spans}, {service})
    check_trace(report, spans)
    check_sides(report, jaeger, spans, model)

    labels = model.labels() | {"weather", "temperature"}
    planted = {question} | model.said()
    texts = {secret for text in planted for secret in secrets_in(text, labels)}
    check_nothing_leaked(report, jaeger.raw_answers(), workspace, texts, exempt={"axum.stdout"})


def check_trace(report: Report, spans: list[Span]) -> None:
    """The two layers make one tree, and the context went through both services."""
    names = {span.id: span.name for span in spans}
    report.equal("one trace holds all of it", len({span.trace for span in spans}), 1)
    found = Counter((span.name, names.get(span.parent, "")) for span in spans)
    report.equal("each span is there once, under its parent", found, Counter(TREE))
    kinds = {(span.name.partition(" ")[0], bool(span.name.partition(" ")[2])): span.kind for span in spans}
    report.equal("servers are servers", kinds.get(("POST", True)), "server")
    report.equal("clients are clients", (kinds.get(("POST", False)), kinds.get(("chat", True))), ("client", "client"))


def check_sides(report: Report, jaeger: Jaeger, spans: list[Span], model: FakeOpenAi) -> None:
    """GenAI spans are ours and veiled, all others are the other layer's and untouched."""
    ours = [span for span in spans if span.get("gen_ai.operation.name")]
    theirs = [span for span in spans if not span.get("gen_ai.operation.name")]
    both = [span.name for span in ours if span.get("code.module.name")]
    both += [span.name for span in theirs if any(key.startswith(("gen_ai.", "veilspan.")) for key in span.attributes)]
    report.equal("no span is told by both layers", both, [])
    chats = [span for span in ours if span.kind == "client"]
    usage = Counter((span.get("gen_ai.usage.input_tokens"), span.get("gen_ai.usage.output_tokens")) for span in chats)
    report.equal("usage is what the model said", usage, Counter(exchange.usage for exchange in model.exchanges))
    digests = [digest for span in chats for digest in span.get("veilspan.input.digests") or []]
    sound = len(digests) >= 3 and all(DIGEST.fullmatch(digest) for digest in digests)
    report.check("what was said is there as keyed digests", sound, digests)
    types = jaeger.tag_types(spans[0].trace)
    found = {types.get((span.id, "gen_ai.usage.input_tokens")) for span in chats}
    report.equal("token counts are int64 tags in Jaeger", found, {"int64"})
