"""One run of our agent example against a model that the suite plays, and what a back end must show of it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from fake_openai import Exchange, FakeOpenAi, canary
from leaks import leaks, leaks_in_files, secrets_in
from phoenix import Phoenix, PhoenixSpan
from process import NotReady, Process, Workspace, wait_until
from report import Report
from spans import BackEnd, Span
from stack import Stack

MODEL = "gpt-interop"
CONTEXT_HEADERS = ("traceparent", "tracestate", "baggage")
AGENT_SECONDS = 120.0
# No promise: how long a loaded machine may take.
ARRIVAL_SECONDS = 120.0


@dataclass(frozen=True)
class AgentRun:
    """What the agent was asked, and what its model's server saw."""

    question: str
    model: FakeOpenAi
    agent: Process
    service: str
    key: str
    hash_key: str

    @classmethod
    def play(cls, report: Report, stack: Stack) -> AgentRun:
        """Asks the agent, whose spans go into the stack's Collector, and checks the model's side of it."""
        return cls._play(report, stack, canary("question"), secrets.token_hex(32), (), {})

    def play_again(self, report: Report, stack: Stack, degrees: int) -> AgentRun:
        """The same question, the same answers of the model, and a tool for temperatures that tells another one."""
        more = {"AGENT_DEGREES": str(degrees)}
        return self._play(report, stack, self.question, self.hash_key, self.exchanges, more)

    @classmethod
    def _play(
        cls,
        report: Report,
        stack: Stack,
        question: str,
        hash_key: str,
        script: Sequence[Exchange],
        more: dict[str, str],
    ) -> AgentRun:
        service, key = f"interop-agent-{secrets.token_hex(4)}", f"sk-{secrets.token_hex(16)}"
        with FakeOpenAi(script) as model:
            environment = {
                "OTEL_SERVICE_NAME": service,
                "OPENAI_BASE_URL": model.base_url,
                "OPENAI_API_KEY": key,
                "OPENAI_MODEL": MODEL,
                # Digests of two processes compare under one key alone.
                "VEILSPAN_HASH_KEY": hash_key,
                **more,
            }
            agent = stack.example("agent", [question], environment)
            report.equal("the agent exits with 0", agent.wait(AGENT_SECONDS), 0)
        run = cls(question, model, agent, service, key, hash_key)
        run._check_model_side(report)
        return run

    @property
    def exchanges(self) -> list[Exchange]:
        """Requests to the model and its answers."""
        return self.model.exchanges

    def expected_names(self) -> list[str]:
        """The names of the spans that the run must leave, without those of its turns."""
        calls = [call for exchange in self.exchanges for call in exchange.tool_calls]
        return [f"chat {MODEL}"] * len(self.exchanges) + [f"execute_tool {call['function']['name']}" for call in calls]

    def texts(self, agents: set[str]) -> set[str]:
        """What must be found nowhere; names of agents are labels, as those of models and tools are."""
        labels = self.model.labels() | agents
        planted = {self.question, self.key} | self.model.said()
        return {secret for text in planted for secret in secrets_in(text, labels)}

    def _check_model_side(self, report: Report) -> None:
        """The run was a real one, and our context stayed away from the model."""
        report.check("the agent called tools and came back", len(self.exchanges) >= 2, len(self.exchanges))
        report.check("the model was sent the question", any(self.question in text for text in self.model.said()))
        bearers = {exchange.headers.get("authorization") for exchange in self.exchanges}
        report.equal("the model was sent the key", bearers, {f"Bearer {self.key}"})
        context = [name for exchange in self.exchanges for name in CONTEXT_HEADERS if name in exchange.headers]
        report.equal("no trace context goes to a model", context, [])


def await_spans(report: Report, back_end: BackEnd | Phoenix, promise: str, wanted: list[str]) -> None:
    """Waits for at least these spans, and for a turn that holds them."""

    def missing() -> list[str]:
        there = back_end.spans()
        names = _names(there) + [span.name.partition(" ")[0] for span in there]
        needed = [*wanted, "invoke_agent"]
        return [name for name in set(needed) if names.count(name) < needed.count(name)]

    try:
        wait_until(promise, lambda: not missing(), ARRIVAL_SECONDS)
    except NotReady:
        report.check(promise, False, f"{_names(back_end.spans())}, missing {missing()}")
    else:
        report.check(promise, True)


def check_nothing_leaked(
    report: Report, answers: dict[str, bytes], workspace: Workspace, texts: set[str], exempt: set[str]
) -> None:
    """Nothing that was said is in any answer, log or file, but in those that hold what was said by right."""
    report.check("the search has something to look for", len(texts) >= 8, len(texts))
    found = [f"{path}: {leak}" for path, answer in answers.items() for leak in leaks(answer, texts)]
    report.check(f"nothing said is in {len(answers)} answers of the back end", not found, found)

    workspace.stop_all()
    kept = sorted(path.name for path in workspace.folder("collector-files").iterdir() if path.stat().st_size)
    report.equal("the Collector kept what passed both pipelines", kept, ["in.otlp", "out.jsonl", "out.otlp"])
    paths = {path for path in workspace.path.rglob("*") if path.name in exempt}
    found = leaks_in_files(workspace.path, texts, paths)
    report.check("nothing said is in any log or file", not found, found)


def _names(spans: list[Span] | list[PhoenixSpan]) -> list[str]:
    return [span.name for span in spans]
