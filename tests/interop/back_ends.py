"""The whole way into other back ends than Jaeger: each shows the run by its own API, and nothing that was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from agent_run import AgentRun, await_spans, check_nothing_leaked
from phoenix import Phoenix, PhoenixSpan
from process import Workspace
from report import Report
from rollout import Rollout, check_rollout
from stack import Addresses, Stack, built
from tempo import Tempo

TEMPO_NEEDS = ("otelcol", "tempo")
PHOENIX_NEEDS = ("otelcol", "phoenix")
Stored = TypeVar("Stored", Tempo, Phoenix)


def passed(report: Report, workspace: Workspace, start: Callable[[Stack], Stored]) -> tuple[Stored, AgentRun]:
    """An agent's run, all of it in a back end, its summary too."""
    built("veilspan")
    stack = Stack(workspace, Addresses.free())
    back_end = start(stack)
    stack.collector()
    stage = stack.stage()
    played = AgentRun.play(report, stack)
    wanted = played.expected_names()
    await_spans(report, back_end, "every call has arrived", wanted)
    report.equal("the stage exits with 0 on SIGTERM", stage.stop(), 0)
    await_spans(report, back_end, "the summary has arrived", [*wanted, "rollout"])
    return back_end, played


def run_tempo(report: Report, workspace: Workspace) -> None:
    """One agent run in Tempo."""
    tempo, played = passed(report, workspace, Stack.tempo)
    rollout = Rollout.of(tempo.spans())
    check_rollout(report, rollout, played.exchanges)
    check_searches(report, tempo, rollout)
    texts = played.texts(rollout.agents)
    check_nothing_leaked(report, tempo.raw_answers(), workspace, texts, exempt={"agent.stdout"})


def check_searches(report: Report, tempo: Tempo, rollout: Rollout) -> None:
    """TraceQL finds spans by what they are, and by numbers as numbers."""
    inferences = {span.id for span in rollout.inferences}
    report.equal("inferences are found", tempo.found('{span.gen_ai.operation.name="chat"}'), inferences)
    largest = max(span.get("gen_ai.usage.input_tokens") for span in rollout.inferences)
    biggest = {span.id for span in rollout.inferences if span.get("gen_ai.usage.input_tokens") == largest}
    asked = '{span.gen_ai.operation.name="chat" && span.gen_ai.usage.input_tokens >= %d}' % largest
    report.equal("token counts compare as numbers", tempo.found(asked), biggest)
    name = rollout.turns[0].get("veilspan.rollout.id")
    traces = {span.trace for span in rollout.observed + rollout.summaries}
    report.equal("a rollout is found by its id", tempo.traces('{span.veilspan.rollout.id="%s"}' % name), traces)


def run_phoenix(report: Report, workspace: Workspace) -> None:
    """One agent run in Phoenix, which has words of its own for what it shows."""
    phoenix, played = passed(report, workspace, Stack.phoenix)
    spans = phoenix.spans()
    agents = check_kinds(report, played, spans)
    check_session(report, phoenix, spans)
    texts = played.texts(agents)
    check_nothing_leaked(report, phoenix.raw_answers(), workspace, texts, exempt={"agent.stdout"})


def check_kinds(report: Report, played: AgentRun, spans: list[PhoenixSpan]) -> set[str]:
    """Every span is what it is in Phoenix, with its tokens; gives the names of the agents."""
    calls = sum(len(exchange.tool_calls) for exchange in played.exchanges)
    found = Counter(span.kind for span in spans if not span.name.startswith("rollout "))
    report.equal("LLM, tool and agent spans", found, Counter(LLM=len(played.exchanges), TOOL=calls, AGENT=1))
    models = [span for span in spans if span.kind == "LLM"]
    usage = Counter((span.get("llm.token_count.prompt"), span.get("llm.token_count.completion")) for span in models)
    report.equal("token counts are the model's", usage, Counter(exchange.usage for exchange in played.exchanges))
    names = {span.get("tool.name") for span in spans if span.kind == "TOOL"}
    wanted = {call["function"]["name"] for exchange in played.exchanges for call in exchange.tool_calls}
    report.equal("tools have their names", names, wanted)
    return {str(span.get("agent.name")) for span in spans if span.kind == "AGENT"}


def check_session(report: Report, phoenix: Phoenix, spans: list[PhoenixSpan]) -> None:
    """What was one conversation is one session."""
    sessions = phoenix.sessions()
    if not report.equal("there is one session", len(sessions), 1):
        return
    held = {trace["trace_id"] for trace in sessions[0]["traces"]}
    observed = {span.trace for span in spans if not span.name.startswith("rollout ")}
    report.check("it holds every trace of the run", held >= observed, (held, observed))
