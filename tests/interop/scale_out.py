"""Three stages behind an unmodified Collector's load-balancing exporter, as examples/collector/scale-out has them; one of
them is killed in the middle and comes back."""

from __future__ import annotations

import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peers
from agent_run import ARRIVAL_SECONDS
from no_stage import send
from process import Process, Workspace, accepts, answers_http, free_addresses, wait_until, whole_lines
from report import Report
from spans import Span, spans_in
from stack import EXAMPLES, Addresses, Stack, built

NEEDS = ("otelcol", "jaeger")
FILES = EXAMPLES / "scale-out"
STAGES = ("a", "b", "c")
KILLED = "b"
ROLLOUTS = 60
TURNS = 3
# Of these every two share a trace.
SHARED = 12
REQUEST_SPANS = 40
# Of every turn: input and output tokens of its two requests.
USAGE = ((100, 20), (150, 30))


@dataclass(frozen=True)
class Tier:
    """The three stages, and where each listens, logs and sends."""

    stack: Stack
    environment: dict[str, str]

    @classmethod
    def of(cls, stack: Stack) -> Tier:
        """Free addresses for all that the example's files name."""
        names = [f"{place}_{stage.upper()}" for place in ("QUEUE", "STAGE", "GATHER") for stage in STAGES]
        names += ["GATHER", "GATHER_HEALTH"]
        environment = dict(zip(names, free_addresses(len(names)), strict=True))
        environment["OTELCOL_QUEUES"] = str(stack.workspace.folder("queues"))
        return cls(stack, environment)

    def collector(self, name: str, health: str) -> Process:
        """One of the two Collectors, on the example's file and what the suite adds to it."""
        configurations = [FILES / f"{name}.yaml", peers.PEERS / f"{name}-suite.yaml"]
        flags = [flag for path in configurations for flag in ("--config", str(path))]
        process = self.stack.start(name, [str(peers.ALL["otelcol"].binary()), *flags], self.environment)
        process.wait_until(lambda: answers_http(f"http://{health}/"))
        return process

    def stage(self, stage: str, life: int = 1) -> Process:
        """One stage, in its folder of before."""
        listen = self.environment[f"STAGE_{stage.upper()}"]
        environment = {
            "STAGE_LISTEN": listen,
            "STAGE_LOG": str(self.stack.workspace.folder("input-logs") / stage),
            "GATHER": self.environment[f"GATHER_{stage.upper()}"],
        }
        command = [str(built("veilspan")), "collector", "--config", str(FILES / "veilspan.yaml")]
        process = self.stack.start(f"stage-{stage}-{life}", command, environment)
        process.wait_until(lambda: accepts(listen))
        return process


def run(report: Report, workspace: Workspace) -> None:
    """Sends rollouts through a stage's death; looks at what each stage sent on, and at what Jaeger has in the end."""
    built("veilspan")
    stack = Stack(workspace, Addresses.free())
    jaeger = stack.jaeger()
    tier = Tier.of(stack)
    tier.collector("gather", tier.environment["GATHER_HEALTH"])
    stages = {stage: tier.stage(stage) for stage in STAGES}
    tier.collector("spread", stack.addresses.otelcol_health)

    files = workspace.folder("collector-files")
    asked = list(requests())
    sent = {(span["traceId"], span["spanId"]) for request in asked for span in request}
    for place, request in enumerate(asked):
        if place == len(asked) // 3:
            wait_until("the stage has had its part", lambda: bool(lines_of_stages(files)[KILLED]), ARRIVAL_SECONDS)
            stages[KILLED].kill()
        if place == 2 * len(asked) // 3:
            given = {(span["traceId"], span["spanId"]) for request in asked[:place] for span in request}
            report.check("what is for a stage that is away waits", not given <= ids(observed(files)))
            stages[KILLED] = tier.stage(KILLED, life=2)
        send(stack.addresses.otelcol_in_http, *request)
        # So that the stages have work at all times.
        time.sleep(0.05)

    wait_until("every span has left a stage", lambda: sent <= ids(observed(files)), ARRIVAL_SECONDS)
    codes = {stage: process.stop() for stage, process in stages.items()}
    report.equal("every stage exits with 0 on SIGTERM", codes, dict.fromkeys(STAGES, 0))
    wait_until("every summary is in Jaeger", lambda: len(jaeger.spans()) >= len(sent) + ROLLOUTS, ARRIVAL_SECONDS)
    in_jaeger = {(span.trace, span.id) for span in jaeger.spans() if not is_summary(span)}
    workspace.stop_all()
    report.equal("the union in Jaeger is what was sent, and nothing else", in_jaeger == sent, True)
    check_stages(report, sent, lines_of_stages(files))
    check_shared(report, lines_of_stages(files))


def check_stages(report: Report, sent: set[tuple[str, str]], by_stage: dict[str, list[Span]]) -> None:
    """Who sent what."""
    everything = [span for spans in by_stage.values() for span in spans]
    report.equal("the union behind the stages is what was sent", ids(everything) == sent, True)
    copies = defaultdict(set)
    for span in everything:
        copies[span.trace, span.id].add(repr(span))
    report.equal("copies of a span are equal", [key for key, told in copies.items() if len(told) > 1], [])
    where = defaultdict(set)
    for stage, spans in by_stage.items():
        for span in spans:
            where[span.get("veilspan.rollout.id")].add(stage)
    whole = {rollout: stages for rollout, stages in where.items() if str(rollout).startswith("rollout-")}
    report.equal("there are all rollouts", len(whole), ROLLOUTS)
    report.equal("every rollout is whole on one stage", {r: s for r, s in whole.items() if len(s) > 1}, {})
    used = {stage for stages in whole.values() for stage in stages}
    report.equal("every stage has its part", used, set(STAGES))
    summaries: dict[str, dict[tuple[str, str], Span]] = defaultdict(dict)
    for span in everything:
        if is_summary(span) and str(span.get("veilspan.rollout.id")).startswith("rollout-"):
            summaries[str(span.get("veilspan.rollout.id"))][span.trace, span.id] = span
    report.equal("every rollout has one summary", {r: len(s) for r, s in summaries.items()}, dict.fromkeys(whole, 1))
    wanted = {"turns": TURNS, "inferences": TURNS * len(USAGE), "tool_calls": TURNS, "reason": "ended"}
    totals = (TURNS * sum(given for given, _ in USAGE), TURNS * sum(got for _, got in USAGE))
    wrong = {
        rollout: told
        for rollout, found in summaries.items()
        for span in found.values()
        if (told := {name: span.get(f"veilspan.rollout.{name}") for name in wanted}) != wanted
        or (span.get("gen_ai.usage.input_tokens"), span.get("gen_ai.usage.output_tokens")) != totals
    }
    report.equal("every summary counts the whole rollout, through the death of its stage", wrong, {})


def check_shared(report: Report, by_stage: dict[str, list[Span]]) -> None:
    """What the example warns of: where rollouts share a trace, a scope and a request, the first decides for all of them."""
    of_trace, of_rollout = defaultdict(set), defaultdict(set)
    for stage, spans in by_stage.items():
        for span in spans:
            if str(span.get("veilspan.rollout.id")).startswith("shared-") and not is_summary(span):
                of_rollout[span.get("veilspan.rollout.id")].add(stage)
                of_trace[span.trace].add(stage)
    split = {trace: stages for trace, stages in of_trace.items() if len(stages) > 1}
    report.equal("a trace's part of a request goes to one stage", split, {})
    apart = [rollout for rollout, stages in of_rollout.items() if len(stages) > 1]
    report.check("rollouts that share all three may be on two, as the example says", bool(apart), dict(of_rollout))


def requests() -> Iterator[list[dict[str, Any]]]:
    """Turn by turn, many rollouts in each, and in no order inside of a turn."""
    dice = random.Random(20260821)
    for number in range(0, SHARED, 2):
        trace = f"{dice.getrandbits(128):032x}"
        yield [span for of in (number, number + 1) for span in turn(dice, f"shared-{of}", trace, 0)]
    alone = (turn(dice, f"shared-{number}", f"{dice.getrandbits(128):032x}", 1) for number in range(SHARED))
    yield [span for spans in alone for span in spans]
    for place in range(TURNS):
        traces = [turn(dice, f"rollout-{number}", f"{dice.getrandbits(128):032x}", place) for number in range(ROLLOUTS)]
        spans = [span for trace in traces for span in trace]
        dice.shuffle(spans)
        for start in range(0, len(spans), REQUEST_SPANS):
            yield spans[start : start + REQUEST_SPANS]


def turn(dice: random.Random, rollout: str, trace: str, place: int) -> list[dict[str, Any]]:
    """One turn in a trace: asked, a tool, asked again."""
    start = 1_790_000_000_000_000_000 + place * 10_000_000_000
    identity = {"veilspan.rollout.id": rollout, "veilspan.thread.id": rollout, "veilspan.turn.id": f"{rollout}-{place}"}
    ended = {"veilspan.rollout.end": True} if place == TURNS - 1 else {}
    root = f"{dice.getrandbits(64):016x}"

    def span(number: int, operation: str, subject: str, kind: int, more: dict[str, Any]) -> dict[str, Any]:
        attributes = {
            **identity,
            "gen_ai.operation.name": operation,
            "veilspan.seq": 100 * place + 2 * number,
            "veilspan.seq.end": 100 * place + 2 * number + 1,
            "veilspan.outcome": "completed",
            **more,
        }
        return {
            "traceId": trace,
            "spanId": f"{dice.getrandbits(64):016x}" if number else root,
            "parentSpanId": root if number else "",
            "name": f"{operation} {subject}",
            "kind": kind,
            "startTimeUnixNano": str(start + number * 1_000_000_000),
            "endTimeUnixNano": str(start + (5 if number == 0 else number + 1) * 1_000_000_000),
            "attributes": [{"key": key, "value": _value(value)} for key, value in attributes.items()],
        }

    models = [{"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-x"} for _ in USAGE]
    for model, (given, got) in zip(models, USAGE, strict=True):
        model |= {"gen_ai.usage.input_tokens": given, "gen_ai.usage.output_tokens": got}
    return [
        span(0, "invoke_agent", "planner", 1, {"gen_ai.agent.name": "planner", **ended}),
        span(1, "chat", "gpt-x", 3, models[0]),
        span(2, "execute_tool", "search", 1, {"gen_ai.tool.name": "search"}),
        span(3, "chat", "gpt-x", 3, models[1]),
    ]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}


def lines_of_stages(files: Path) -> dict[str, list[Span]]:
    """What each stage has sent on, copies included, as far as it has been written."""
    found: dict[str, list[Span]] = {stage: [] for stage in STAGES}
    for stage, spans in found.items():
        for line in whole_lines(files / f"{stage}.jsonl"):
            spans += spans_in(json.loads(line)["resourceSpans"])
    return found


def observed(files: Path) -> list[Span]:
    """All that was sent on by any."""
    return [span for spans in lines_of_stages(files).values() for span in spans]


def ids(spans: list[Span]) -> set[tuple[str, str]]:
    """Which spans these are, but for what the stages add."""
    return {(span.trace, span.id) for span in spans if not is_summary(span)}


def is_summary(span: Span) -> bool:
    """Whether a stage has made it."""
    return span.name.partition(" ")[0] == "rollout"
