"""The whole way: our agent, an unmodified Collector with our stage between its pipelines, and Jaeger.

Both Collector and stage run on the files in examples/collector, so that these are tested as they are."""

from __future__ import annotations

import drift
from agent_run import AgentRun, await_spans, check_nothing_leaked
from jaeger import Jaeger
from process import Workspace
from report import Report
from rollout import Rollout, check_rollout
from stack import Addresses, Stack, built

NEEDS = ("otelcol", "jaeger")


def run(report: Report, workspace: Workspace) -> None:
    """One agent run from its question to what Jaeger shows of it."""
    built("veilspan")
    stack = Stack(workspace, Addresses.free())
    jaeger = stack.jaeger()
    stack.collector()
    stage = stack.stage()
    played = AgentRun.play(report, stack)

    wanted = played.expected_names()
    await_spans(report, jaeger, "every call has arrived in Jaeger", wanted)
    report.equal("the stage exits with 0 on SIGTERM", stage.stop(), 0)
    await_spans(report, jaeger, "the summary has arrived in Jaeger", [*wanted, "rollout"])

    spans = jaeger.spans()
    services = {span.resource.get("service.name") for span in spans}
    report.equal("service.name is the producer's", services, {played.service})
    rollout = Rollout.of(spans)
    check_rollout(report, rollout, played.exchanges)
    check_types_in_jaeger(report, jaeger, rollout)
    again = drift.check(report, stack, jaeger, played, rollout)
    texts = played.texts(rollout.agents) | again.texts(rollout.agents)
    check_nothing_leaked(report, jaeger.raw_answers(), workspace, texts, exempt={"agent.stdout"})


def check_types_in_jaeger(report: Report, jaeger: Jaeger, rollout: Rollout) -> None:
    """Token counts are numbers in the interface's own API, where a string would look the same."""
    counts = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    types: dict[tuple[str, str], str] = {}
    for trace in {span.trace for span in rollout.inferences}:
        types |= jaeger.tag_types(trace)
    found = {types.get((span.id, key)) for span in rollout.inferences for key in counts}
    report.equal("token counts are int64 tags in Jaeger", found, {"int64"})
