"""The same question asked by clients of five instrumentations, through a first tier that tells their dialects under the
names of the conventions and gives every span a rollout."""

from __future__ import annotations

from agent_run import ARRIVAL_SECONDS, MODEL
from clients import NODE, PYTHON, Played, check_content, play
from fake_openai import canary
from process import Workspace, wait_until
from report import Report
from spans import Span
from stack import EXAMPLES, Addresses, Stack, built

NEEDS = ("otelcol", "jaeger", "python-clients", "node-clients")
# Names of dialects for what the conventions have a name for too.
TOLD_OTHERWISE = (
    "gen_ai.system",
    "input.value",
    "llm.finish_reason",
    "llm.input_messages.",
    "llm.model_name",
    "llm.output_messages.",
    "llm.system",
    "llm.token_count.completion",
    "llm.token_count.prompt",
    "openinference.span.kind",
    "output.value",
    "tool.id",
    "tool.name",
    "tool.parameters",
    "traceloop.entity.",
    "traceloop.span.kind",
)
OPERATIONS = {"invoke_agent": 1, "chat": 2, "execute_tool": 2}


def run(report: Report, workspace: Workspace) -> None:
    """Each client once, then what their spans have in common."""
    built("veilspan")
    stack = Stack(workspace, Addresses.free())
    jaeger = stack.jaeger()
    stack.collector()
    stage = stack.stage(EXAMPLES / "first-tier.yaml")
    question = canary("question")
    played = [play(report, stack, client, question) for client in PYTHON + NODE]
    wanted = sum(OPERATIONS.values()) * len(played)
    wait_until("every span is in Jaeger", lambda: len(jaeger.spans()) >= wanted, ARRIVAL_SECONDS)
    report.equal("the stage exits with 0 on SIGTERM", stage.stop(), 0)
    spans = jaeger.spans()
    told = {}
    for one in played:
        own = [span for span in spans if span.resource.get("service.name") == one.service]
        check_names(report, one, own)
        told[one.client.name] = first_input(own)
    report.check("there are messages to compare", sum(1 for digests in told.values() if digests) >= 4, told)
    same = {str(digests) for digests in told.values() if digests}
    report.equal("the same messages have the same digests in every dialect", len(same), 1)
    answers = jaeger.raw_answers()
    workspace.stop_all()
    check_content(report, workspace, answers, played)


def check_names(report: Report, played: Played, spans: list[Span]) -> None:
    """Every span is the conventions', whatever it came as."""
    name = played.client.name
    operations = {kind: sum(span.get("gen_ai.operation.name") == kind for span in spans) for kind in OPERATIONS}
    report.equal(f"{name}: every span names its operation", operations, OPERATIONS)
    models = [span for span in spans if span.get("gen_ai.operation.name") == "chat"]
    asked = [span.get("gen_ai.request.model") for span in models]
    report.equal(f"{name}: requests name their model", asked, [MODEL] * 2)
    report.equal(f"{name}: and provider", {span.get("gen_ai.provider.name") for span in models}, {"openai"})
    usage = [(span.get("gen_ai.usage.input_tokens"), span.get("gen_ai.usage.output_tokens")) for span in models]
    report.equal(f"{name}: tokens have one name", [pair for pair in usage if pair[0] is not None], played.usage)
    left = sorted({key for span in spans for key in span.attributes if key.startswith(TOLD_OTHERWISE)})
    report.equal(f"{name}: no name of the dialect is left", left, [])
    wanted = played.session if played.client.has_sessions else spans[0].trace
    rollouts = {span.get("veilspan.rollout.id") for span in spans}
    report.equal(f"{name}: every span has the rollout", rollouts, {wanted})


def first_input(spans: list[Span]) -> list[str] | None:
    """The digests of what the model was first sent."""
    models = [span for span in spans if span.get("gen_ai.operation.name") == "chat"]
    return models[0].get("veilspan.input.digests") if models else None
