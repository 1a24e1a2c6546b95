"""What must hold of one rollout's spans, whoever stored them."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass

from fake_openai import Exchange
from report import Report
from spans import Span

DIGEST = re.compile(r"hmac-sha256:[0-9a-f]{64}")
DIGEST_KEY = re.compile(r"veilspan\..*\.(digests?|exact|prefix|chain|blob_digests)")
POLICY = re.compile(r"content=digest;hash=hmac-sha256;form=c1;key=[A-Za-z0-9._:/@+-]+(;[a-z_]+=[a-z]+)*")
IDENTITY = ("veilspan.rollout.id", "veilspan.thread.id", "veilspan.turn.id")
USAGE = "gen_ai.usage."


@dataclass(frozen=True)
class Rollout:
    """The spans of one rollout by what they are."""

    turns: list[Span]
    inferences: list[Span]
    tools: list[Span]
    summaries: list[Span]
    others: list[Span]

    @classmethod
    def of(cls, spans: list[Span]) -> Rollout:
        """Sorts spans by their operation; a summary has none."""
        kinds: dict[str, list[Span]] = {"invoke_agent": [], "chat": [], "execute_tool": [], "rollout": []}
        others: list[Span] = []
        for span in spans:
            operation = span.get("gen_ai.operation.name") or span.name.partition(" ")[0]
            kinds.get(operation, others).append(span)
        return cls(kinds["invoke_agent"], kinds["chat"], kinds["execute_tool"], kinds["rollout"], others)

    @property
    def observed(self) -> list[Span]:
        """What the producer reported: everything but summaries."""
        return self.turns + self.inferences + self.tools

    @property
    def agents(self) -> set[str]:
        """The names of its agents."""
        return {str(turn.get("gen_ai.agent.name")) for turn in self.turns}


def check_rollout(report: Report, rollout: Rollout, exchanges: list[Exchange]) -> None:
    """Checks one finished rollout against what its model saw."""
    check_shape(report, rollout, exchanges)
    check_attributes(report, rollout, exchanges)
    check_digests(report, rollout)
    if report.equal("there is one summary", len(rollout.summaries), 1):
        check_summary(report, rollout, rollout.summaries[0])


def check_shape(report: Report, rollout: Rollout, exchanges: list[Exchange]) -> None:
    """Names, kinds, parents."""
    report.equal("there is no other span", [span.name for span in rollout.others], [])
    report.equal("there is an inference for each request", len(rollout.inferences), len(exchanges))
    calls = Counter(call["function"]["name"] for exchange in exchanges for call in exchange.tool_calls)
    executed = Counter(span.get("gen_ai.tool.name") for span in rollout.tools)
    report.equal("there is a tool span for each call", executed, calls)
    named = [(span.name, f"invoke_agent {span.get('gen_ai.agent.name')}") for span in rollout.turns]
    named += [(span.name, f"chat {span.get('gen_ai.request.model')}") for span in rollout.inferences]
    named += [(span.name, f"execute_tool {span.get('gen_ai.tool.name')}") for span in rollout.tools]
    report.equal("names are an operation and its object", [pair for pair in named if pair[0] != pair[1]], [])
    report.equal("inferences are client spans", {span.kind for span in rollout.inferences}, {"client"})
    internal = rollout.turns + rollout.tools + rollout.summaries
    report.equal("all others are internal", {span.kind for span in internal}, {"internal"})
    places = {(turn.trace, turn.id): turn.get("veilspan.turn.id") for turn in rollout.turns}
    strays = [
        span.name
        for span in rollout.inferences + rollout.tools
        if places.get((span.trace, span.parent)) != span.get("veilspan.turn.id")
    ]
    report.equal("every call is a child of its turn", strays, [])


def check_attributes(report: Report, rollout: Rollout, exchanges: list[Exchange]) -> None:
    """Identity, outcome, policy, provider, usage."""
    observed = rollout.observed
    unnamed = [span.name for span in observed if not all(isinstance(span.get(key), str) for key in IDENTITY)]
    report.equal("rollout, thread and turn are on every span", unnamed, [])
    rollouts = {span.get("veilspan.rollout.id") for span in observed + rollout.summaries}
    report.equal("all spans are of one rollout", len(rollouts), 1)
    report.equal("one agent is one thread", len({span.get("veilspan.thread.id") for span in observed}), 1)
    operations = Counter(span.get("gen_ai.operation.name") for span in observed)
    wanted = {"invoke_agent": len(rollout.turns), "chat": len(rollout.inferences), "execute_tool": len(rollout.tools)}
    report.equal("every span names its operation", dict(operations), wanted)
    providers = {span.get("gen_ai.provider.name") for span in rollout.inferences}
    report.equal("the provider is openai", providers, {"openai"})
    outcomes = {span.get("veilspan.outcome") for span in observed + rollout.summaries}
    report.equal("every outcome is completed", outcomes, {"completed"})
    policies = {span.get("veilspan.policy") for span in rollout.inferences + rollout.tools}
    sound = bool(policies) and all(POLICY.fullmatch(str(policy)) for policy in policies)
    report.check("the policy is on every call", sound, policies)
    usage = [(span.get(f"{USAGE}input_tokens"), span.get(f"{USAGE}output_tokens")) for span in rollout.inferences]
    report.equal("usage is what the model said", Counter(usage), Counter(exchange.usage for exchange in exchanges))
    ids = Counter(span.get("gen_ai.response.id") for span in rollout.inferences)
    report.equal("response ids are the model's", ids, Counter(exchange.answer["id"] for exchange in exchanges))
    ends = [span.id for span in rollout.turns if span.get("veilspan.rollout.end") is True]
    last = [span.id for span in sorted(rollout.turns, key=lambda turn: turn.end)[-1:]]
    report.equal("the last turn, and no other, ends the rollout", ends, last)


def check_digests(report: Report, rollout: Rollout) -> None:
    """Content is there as digests, and as nothing else."""
    values = {
        str(item)
        for span in rollout.observed + rollout.summaries
        for key, value in span.attributes.items()
        if DIGEST_KEY.fullmatch(key)
        for item in (value if isinstance(value, list) else [value])
    }
    report.equal("digests are keyed ones", sorted(value for value in values if not DIGEST.fullmatch(value)), [])
    arrays = ("digests", "roles", "lengths", "part_kinds")
    uneven = [
        span.name
        for span in rollout.inferences
        if len({len(span.get(f"veilspan.input.{array}") or []) for array in arrays}) != 1
        or not span.get("veilspan.input.digests")
        or not span.get("veilspan.output.digests")
    ]
    report.equal("inputs and outputs of inferences are digested, entry by entry", uneven, [])
    bare = [
        span.name
        for span in rollout.tools
        if not span.get("veilspan.tool.arguments.digest") or not span.get("veilspan.tool.result.digest")
    ]
    report.equal("arguments and results of tools are digested", bare, [])


def check_summary(report: Report, rollout: Rollout, summary: Span) -> None:
    """The summary says what the spans add up to."""
    first = rollout.turns[0] if rollout.turns else summary
    report.equal("the summary is named by its agent", summary.name, f"rollout {first.get('gen_ai.agent.name')}")
    report.check("the summary has a trace of its own", all(span.trace != summary.trace for span in rollout.observed))
    report.equal("the summary is a root", summary.parent, "")
    report.equal("the rollout ended, it was not cut off", summary.get("veilspan.rollout.reason"), "ended")
    ids = _summary_ids(str(summary.get("veilspan.rollout.id")))
    report.equal("the summary's ids follow from the rollout's", (summary.trace, summary.id), ids)
    counted = {
        "threads": len({span.get("veilspan.thread.id") for span in rollout.observed}),
        "turns": len({span.get("veilspan.turn.id") for span in rollout.turns}),
        "inferences": len(rollout.inferences),
        "tool_calls": len(rollout.tools),
    }
    told = {name: summary.get(f"veilspan.rollout.{name}") for name in counted}
    report.equal("the summary's counts are those of the spans", told, counted)
    usage: Counter[str] = Counter()
    for span in rollout.inferences:
        usage.update({key: value for key, value in span.attributes.items() if key.startswith(USAGE)})
    sums = {key: value for key, value in summary.attributes.items() if key.startswith(USAGE)}
    report.equal("the summary's usage is the sum of the spans'", sums, dict(usage))
    numbers = [*told.values(), *sums.values()]
    report.equal("the summary's numbers are integers", [value for value in numbers if type(value) is not int], [])
    linked = {(link.trace, link.span) for link in summary.links}
    report.equal("the summary links to every turn", linked, {(turn.trace, turn.id) for turn in rollout.turns})


def _summary_ids(rollout: str) -> tuple[str, str]:
    """Trace and span id of the first revision of the first generation, without a tenant (DESIGN 4)."""
    absent = (2**32 - 1).to_bytes(4)
    name = rollout.encode()
    generation = b"veilspan/rollout/1\0" + absent + len(name).to_bytes(4) + name + (0).to_bytes(8)
    revision = generation + (0).to_bytes(8)
    return hashlib.sha256(generation).hexdigest()[:32], hashlib.sha256(revision).hexdigest()[:16]
