"""An agent, an unmodified Collector with our stage between its pipelines, and Jaeger: the examples as they are."""

from __future__ import annotations

import secrets
from pathlib import Path

from fake_openai import Exchange, FakeOpenAi, canary
from jaeger import Jaeger, Span
from leaks import leaks, leaks_in_files, secrets_in
from process import NotReady, Workspace, wait_until
from report import Report
from rollout import Rollout, check_rollout
from stack import Addresses, Stack, built

NEEDS = ("otelcol", "jaeger")
MODEL = "gpt-interop"
CONTEXT_HEADERS = ("traceparent", "tracestate", "baggage")
AGENT_SECONDS = 60.0
ARRIVAL_SECONDS = 20.0


def run(report: Report, workspace: Workspace) -> None:
    """One agent run from its question to what Jaeger shows of it."""
    built("veilspan")
    stack = Stack(workspace, Addresses.free())
    service = f"interop-agent-{secrets.token_hex(4)}"
    question, key = canary("question"), f"sk-{secrets.token_hex(16)}"

    jaeger = stack.jaeger()
    stack.collector()
    stage = stack.stage()
    with FakeOpenAi() as model:
        agent = stack.example(
            "agent",
            [question],
            {
                "OTEL_SERVICE_NAME": service,
                "OPENAI_BASE_URL": model.base_url,
                "OPENAI_API_KEY": key,
                "OPENAI_MODEL": MODEL,
            },
        )
        report.equal("the agent exits with 0", agent.wait(AGENT_SECONDS), 0)
    check_model_side(report, model, question, key)

    wanted = expected_names(model.exchanges)
    await_spans(report, jaeger, "every call has arrived in Jaeger", wanted)
    report.equal("the stage exits with 0 on SIGTERM", stage.stop(), 0)
    await_spans(report, jaeger, "the summary has arrived in Jaeger", [*wanted, "rollout"])

    spans = jaeger.spans()
    report.equal("service.name is the producer's", {span.resource.get("service.name") for span in spans}, {service})
    rollout = Rollout.of(spans)
    check_rollout(report, rollout, model.exchanges)
    check_types_in_jaeger(report, jaeger, rollout)

    planted = {question, key} | model.said()
    labels = model.labels() | {str(turn.get("gen_ai.agent.name")) for turn in rollout.turns}
    texts = {secret for text in planted for secret in secrets_in(text, labels)}
    check_nothing_leaked(report, jaeger, workspace, texts, exempt={agent.stdout})


def check_model_side(report: Report, model: FakeOpenAi, question: str, key: str) -> None:
    """What the model's server saw: the run was a real one, and our context stayed away from it."""
    exchanges = model.exchanges
    report.check("the agent called tools and came back", len(exchanges) >= 2, len(exchanges))
    report.check("the model was sent the question", any(question in text for text in model.said()))
    bearers = {exchange.headers.get("authorization") for exchange in exchanges}
    report.equal("the model was sent the key", bearers, {f"Bearer {key}"})
    context = [name for exchange in exchanges for name in CONTEXT_HEADERS if name in exchange.headers]
    report.equal("no trace context goes to a model", context, [])


def expected_names(exchanges: list[Exchange]) -> list[str]:
    """The names of the spans that the run must leave, without those of its turns."""
    tools = [f"execute_tool {call['function']['name']}" for exchange in exchanges for call in exchange.tool_calls]
    return [f"chat {MODEL}"] * len(exchanges) + tools


def await_spans(report: Report, jaeger: Jaeger, promise: str, wanted: list[str]) -> None:
    """Waits for at least these spans, and for a turn that holds them."""

    def missing() -> list[str]:
        there = jaeger.spans()
        names = _names(there) + [span.name.partition(" ")[0] for span in there]
        needed = [*wanted, "invoke_agent"]
        return [name for name in set(needed) if names.count(name) < needed.count(name)]

    try:
        wait_until(promise, lambda: not missing(), ARRIVAL_SECONDS)
    except NotReady:
        report.check(promise, False, f"{_names(jaeger.spans())}, missing {missing()}")
    else:
        report.check(promise, True)


def check_types_in_jaeger(report: Report, jaeger: Jaeger, rollout: Rollout) -> None:
    """Token counts are numbers in the interface's own API, where a string would look the same."""
    counts = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    types: dict[tuple[str, str], str] = {}
    for trace in {span.trace for span in rollout.inferences}:
        types |= jaeger.tag_types(trace)
    found = {types.get((span.id, key)) for span in rollout.inferences for key in counts}
    report.equal("token counts are int64 tags in Jaeger", found, {"int64"})


def check_nothing_leaked(
    report: Report, jaeger: Jaeger, workspace: Workspace, texts: set[str], exempt: set[Path]
) -> None:
    """Nothing that was said is in any answer, log or file; the agent's own output alone is the host's."""
    report.check("the search has something to look for", len(texts) >= 8, len(texts))
    answers = jaeger.raw_answers()
    found = [f"{path}: {leak}" for path, answer in answers.items() for leak in leaks(answer, texts)]
    report.check(f"nothing said is in {len(answers)} answers of Jaeger", not found, found)

    workspace.stop_all()
    kept = sorted(path.name for path in workspace.folder("collector-files").iterdir() if path.stat().st_size)
    report.equal("the Collector kept the bytes of both pipelines", kept, ["in.otlp", "out.otlp"])
    found = leaks_in_files(workspace.path, texts, exempt)
    report.check("nothing said is in any log or file", not found, found)


def _names(spans: list[Span]) -> list[str]:
    return [span.name for span in spans]
