"""Runs read from a back end by the ids of their traces: reduced, compared, restored and told again.

The agent example runs three times on the model it brings itself, the third time with another tool result."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent_run import AGENT_SECONDS, ARRIVAL_SECONDS
from process import Workspace, wait_until
from report import Report
from rollout import Rollout
from spans import BackEnd
from stack import Addresses, Stack, built

JAEGER_NEEDS = ("otelcol", "jaeger")
TEMPO_NEEDS = ("otelcol", "tempo")
# Digests are compared between processes.
KEY = {"VEILSPAN_HASH_KEY": secrets.token_hex(32)}
# What the example does by itself: two questions, three tool calls.
OF_A_RUN = {"turns": 2, "inferences": 4, "tool_calls": 3}
SPANS = sum(OF_A_RUN.values())
CHANGED = {"AGENT_DEGREES": "99"}


@dataclass(frozen=True)
class Recorded:
    """One run in the back end."""

    rollout: Rollout
    # One of its traces: that of the last turn, which is linked to the first.
    address: str

    @property
    def id(self) -> str:
        """Its rollout id."""
        return str(self.rollout.turns[0].get("veilspan.rollout.id"))


def run_jaeger(report: Report, workspace: Workspace) -> None:
    """Runs in Jaeger."""
    run(report, workspace, Stack.jaeger, "jaeger+http")


def run_tempo(report: Report, workspace: Workspace) -> None:
    """Runs in Tempo."""
    run(report, workspace, Stack.tempo, "tempo+http")


def run(report: Report, workspace: Workspace, start: Callable[[Stack], BackEnd], scheme: str) -> None:
    """Records three runs, and asks the command line about them."""
    built("veilspan")
    stack = Stack(workspace, Addresses.free())
    back_end = start(stack)
    stack.collector()
    stack.stage()
    base = f"{scheme}://{stack.addresses.back_end_http}"
    first, second, changed = (record(report, stack, back_end, base, more) for more in ({}, {}, CHANGED))
    check_reduced(report, stack, first)
    check_compared(report, stack, first, second, changed)
    check_restored(report, stack, first)
    check_told_again(report, stack, back_end, first)


def record(report: Report, stack: Stack, back_end: BackEnd, base: str, more: dict[str, str]) -> Recorded:
    """One run of the agent, once all of it is in the back end."""
    service = f"interop-replay-{secrets.token_hex(4)}"
    agent = stack.example("agent", [], {**KEY, **more, "OTEL_SERVICE_NAME": service})
    report.equal("the agent exits with 0", agent.wait(AGENT_SECONDS), 0)

    def found() -> Rollout:
        return Rollout.of([span for span in back_end.spans() if span.resource.get("service.name") == service])

    wait_until("the run is in the back end", lambda: len(found().observed) >= SPANS, ARRIVAL_SECONDS)
    rollout = found()
    return Recorded(rollout, f"{base}/{rollout.turns[-1].trace}")


def check_reduced(report: Report, stack: Stack, recorded: Recorded) -> None:
    """All of the run is found from one of its traces."""
    state = json.loads(stack.veilspan("reduce", recorded.address, environment=KEY))
    report.equal("it is the run that was recorded", state["rollout"], recorded.id)
    report.equal("with all it has", {name: state["totals"][name] for name in OF_A_RUN}, OF_A_RUN)
    turns = {turn["id"] for thread in state["threads"] for turn in thread["turns"]}
    report.equal("and its turns", turns, {span.get("veilspan.turn.id") for span in recorded.rollout.turns})


def check_compared(report: Report, stack: Stack, first: Recorded, second: Recorded, changed: Recorded) -> None:
    """Two equal runs are the same; a changed tool result is the origin of what differs."""

    def compared(candidate: Recorded, code: int) -> dict[str, Any]:
        asked = ("diff", first.address, candidate.address, "--format", "json")
        told: dict[str, Any] = json.loads(stack.veilspan(*asked, environment=KEY, code=code))
        return told

    same = compared(second, 0)
    report.equal("two equal runs are the same", (same["verdict"], same["differences"]), ("same", []))
    drift = compared(changed, 1)
    told = [(one["step"], one["kind"], one["input"], one.get("since")) for one in drift["differences"]]
    origin = ("execute_tool", "result", "same", None)
    report.equal("a changed tool result is what a run parts by", told[: drift["first_divergence"] + 1], [origin])
    rest = {(kind, since) for _, kind, _, since in told[1:]}
    report.check("what follows from it says so", bool(rest) and {since for _, since in rest} == {0}, told)
    places = {one["candidate"]["span"] for one in drift["differences"][:1]}
    tools = {span.id for span in changed.rollout.tools if span.get("gen_ai.tool.name") == "temperature"}
    report.equal("and names the span in the back end", places, tools)


def check_restored(report: Report, stack: Stack, recorded: Recorded) -> None:
    """The state at the end of the first turn, which no content was kept of."""
    cut = f"turn:{recorded.rollout.turns[0].get('veilspan.turn.id')}"
    state = json.loads(stack.veilspan("restore", recorded.address, "--at", cut, environment=KEY))
    report.equal("the state is of the recorded run", state["rollout"], recorded.id)
    report.check("a restored run is a new one", state["new_rollout"] != recorded.id, state["new_rollout"])
    report.equal("it says that there is no content", state["content"], "nothing")
    first = recorded.rollout.turns[0].get("veilspan.turn.id")
    spent = [span for span in recorded.rollout.inferences if span.get("veilspan.turn.id") == first]
    wanted = sum(span.get("gen_ai.usage.input_tokens") for span in spent)
    report.equal("what had been used by then", state["input_tokens"], wanted)


def check_told_again(report: Report, stack: Stack, back_end: BackEnd, recorded: Recorded) -> None:
    """What came after the first turn, as a run of its own beside the first."""
    cut = f"turn:{recorded.rollout.turns[0].get('veilspan.turn.id')}"
    endpoint = f"http://{stack.addresses.otelcol_in}"
    stack.veilspan("replay", recorded.address, "--from", cut, "--endpoint", endpoint, environment=KEY)
    last = recorded.rollout.turns[-1].get("veilspan.turn.id")
    repeated = [span for span in recorded.rollout.observed if span.get("veilspan.turn.id") == last]

    def again() -> Rollout:
        spans = (span for span in back_end.spans() if span.get("veilspan.replay.of") == recorded.id)
        return Rollout.of(list(spans))

    wait_until("the replay is in the back end", lambda: len(again().observed) >= len(repeated), ARRIVAL_SECONDS)
    told = again().observed
    names = Counter(span.name for span in told)
    report.equal("what came after the cut is told again", names, Counter(span.name for span in repeated))
    report.check("in a rollout of its own", recorded.id not in {span.get("veilspan.rollout.id") for span in told})
    links = {link.span for span in told for link in span.links if link.attributes.get("veilspan.edge.kind") == "replay"}
    report.equal("each span is linked to the one it repeats", links, {span.id for span in repeated})
