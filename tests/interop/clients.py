"""Clients that know nothing of us: OpenTelemetry's SDKs of Python and Node, each with published instrumentations of
OpenAI's client whose content is switched on, into an unmodified Collector with our stage, and Jaeger."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peers
from agent_run import ARRIVAL_SECONDS, MODEL, check_nothing_leaked
from fake_openai import FakeOpenAi, canary
from jaeger import Jaeger
from leaks import leaks, secrets_in
from process import Process, Workspace, wait_until
from report import Report
from spans import Span
from stack import Addresses, Stack, built

PYTHON_NEEDS = ("otelcol", "jaeger", "python-clients")
NODE_NEEDS = ("otelcol", "jaeger", "node-clients")
CLIENTS = Path(__file__).resolve().parent / "clients"
AGENT = "forecaster"
TOOLS = ["temperature", "forecast"]
CLIENT_SECONDS = 120.0


@dataclass(frozen=True)
class Client:
    """One instrumentation in one language, over one protocol."""

    language: str
    dialect: str
    protocol: str
    # Where the dialect keeps input tokens, and whether it learns them of an answer that is streamed.
    tokens: str
    counts_streams: bool = True
    # Whether the dialect's session is known to be one; otherwise a trace is a rollout.
    has_sessions: bool = True

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.language} {self.dialect} over {self.protocol}"

    def command(self) -> tuple[list[str], dict[str, str]]:
        """The program, without its last arguments, and what it needs in its environment."""
        if self.language == "python":
            return [str(peers.ALL["python-clients"].binary()), "-B", str(CLIENTS / "python_agent.py")], {}
        modules = str(peers.ALL["node-clients"].binary())
        return ["node", str(CLIENTS / "node_agent.cjs")], {"NODE_PATH": modules}


PYTHON = (
    Client("python", "genai", "grpc", "gen_ai.usage.input_tokens"),
    Client("python", "openinference", "http", "llm.token_count.prompt"),
    Client("python", "openllmetry", "grpc", "gen_ai.usage.input_tokens", has_sessions=False),
)
NODE = (
    Client("node", "genai", "http", "gen_ai.usage.input_tokens"),
    Client("node", "openinference", "grpc", "llm.token_count.prompt", counts_streams=False),
)


@dataclass(frozen=True)
class Played:
    """What one client did."""

    client: Client
    service: str
    session: str
    question: str
    model: FakeOpenAi

    @property
    def usage(self) -> list[tuple[int, int]]:
        """Input and output tokens of each request, as far as the client was told them."""
        told = [exchange.usage for exchange in self.model.exchanges]
        return told if self.client.counts_streams else told[:1]


def run_python(report: Report, workspace: Workspace) -> None:
    """The clients of Python."""
    run(report, workspace, PYTHON)


def run_node(report: Report, workspace: Workspace) -> None:
    """The clients of Node."""
    run(report, workspace, NODE)


def run(report: Report, workspace: Workspace, clients: tuple[Client, ...]) -> None:
    """Each client once, then what came of all."""
    built("veilspan")
    stack = Stack(workspace, Addresses.free())
    jaeger = stack.jaeger()
    stack.collector()
    stage = stack.stage()
    played = [play(report, stack, client, canary("question")) for client in clients]
    # A turn, two requests and two tools each.
    wanted = 5 * len(played)
    wait_until("every span is in Jaeger", lambda: len(jaeger.spans()) >= wanted, ARRIVAL_SECONDS)
    report.equal("the stage exits with 0 on SIGTERM", stage.stop(), 0)
    spans = [span for span in jaeger.spans() if not span.name.startswith("rollout")]
    for one in played:
        own = [span for span in spans if span.resource.get("service.name") == one.service]
        check_spans(report, jaeger, one, own)

    answers = jaeger.raw_answers()
    workspace.stop_all()
    files = workspace.folder("collector-files")
    told = list(reduced(stack.veilspan("reduce", str(files / "out.jsonl"))))
    for one in played:
        own = [span for span in spans if span.resource.get("service.name") == one.service]
        check_reduced(report, one, own, told)
    check_content(report, workspace, answers, played)


def check_content(report: Report, workspace: Workspace, answers: dict[str, bytes], played: list[Played]) -> None:
    """What was said has been sent, and has come no further than the stage."""
    came_in = (workspace.folder("collector-files") / "in.otlp").read_bytes()
    for one in played:
        report.check(f"{one.client.name} has sent what was said", bool(list(leaks(came_in, {one.question}))))
    check_nothing_leaked(report, answers, workspace, texts_of(played), exempt={"in.otlp"})


def texts_of(played: list[Played]) -> set[str]:
    """What must be found nowhere behind the stage."""
    labels = {AGENT, *TOOLS}.union(*(one.model.labels() for one in played))
    planted = {text for one in played for text in one.model.said() | {one.question}}
    return {secret for text in planted for secret in secrets_in(text, labels)}


def play(report: Report, stack: Stack, client: Client, question: str) -> Played:
    """One turn of an agent on this client."""
    unique = secrets.token_hex(4)
    service, session = f"interop-{client.language}-{client.dialect}-{unique}", f"chat-{unique}"
    address = stack.addresses.otelcol_in if client.protocol == "grpc" else stack.addresses.otelcol_in_http
    command, environment = client.command()
    with FakeOpenAi() as model:
        process = stack.start(
            f"{client.language}-{client.dialect}",
            [*command, client.dialect, client.protocol, session, question],
            {
                **environment,
                "OTEL_SERVICE_NAME": service,
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{address}",
                "OPENAI_BASE_URL": model.base_url,
                "OPENAI_API_KEY": f"sk-{secrets.token_hex(16)}",
                "OPENAI_MODEL": MODEL,
            },
        )
        check_ended(report, client, process)
    report.equal(f"{client.name} asked the model twice", len(model.exchanges), 2)
    return Played(client, service, session, question, model)


def check_ended(report: Report, client: Client, process: Process) -> None:
    """The client ran to its end; where it did not, why."""
    code = process.wait(CLIENT_SECONDS)
    report.check(f"{client.name} exits with 0", code == 0, process.stderr.read_text(errors="replace")[-500:])


def check_spans(report: Report, jaeger: Jaeger, played: Played, spans: list[Span]) -> None:
    """Its spans are the client's own, with what is no content as it was."""
    name = played.client.name
    if not report.equal(f"{name}: five spans have arrived", len(spans), 5):
        return
    ids = {span.id for span in spans}
    turns = [span for span in spans if span.parent not in ids]
    report.equal(f"{name}: all are children of its turn", {span.parent for span in spans} - {""}, {turns[0].id})
    report.equal(f"{name}: one trace holds them", len({span.trace for span in spans}), 1)
    tokens = [span.get(played.client.tokens) for span in spans if span.get(played.client.tokens) is not None]
    report.equal(f"{name}: token counts are the model's", sorted(tokens), [given for given, _ in played.usage])
    types = jaeger.tag_types(turns[0].trace)
    kinds = {types[place] for place in types if place[1] == played.client.tokens}
    report.equal(f"{name}: token counts are int64 tags in Jaeger", kinds, {"int64"})
    failed = [event for span in spans for event in span.events if event.name == "exception"]
    report.equal(f"{name}: the tool's exception is there", len(failed), 1)
    digests = [key for key in failed[0].attributes if key.startswith("exception.message")] if failed else []
    wanted = ["exception.message.digest", "exception.message.length"]
    report.equal(f"{name}: what it said is a digest", sorted(digests), wanted)


def check_reduced(report: Report, played: Played, spans: list[Span], rollouts: list[dict[str, Any]]) -> None:
    """What came out reads as one run: the turn, what the model was asked, the tools."""
    name = played.client.name
    wanted = played.session if played.client.has_sessions else spans[0].trace
    found = [rollout for rollout in rollouts if rollout["rollout"] == wanted]
    if not report.equal(f"{name}: it reduces to one rollout", len(found), 1):
        return
    turns = [turn for thread in found[0]["threads"] for turn in thread["turns"]]
    report.equal(f"{name}: of one turn, told by its agent", [turn.get("agent") for turn in turns], [AGENT])
    segments = [segment for turn in turns for segment in turn["segments"]]
    calls = [call["attributes"] for segment in segments for call in segment.get("inferences", [])]
    models = [call.get("gen_ai.request.model") for call in calls]
    report.equal(f"{name}: with both requests", models, [MODEL, MODEL])
    usage = [(call.get("gen_ai.usage.input_tokens"), call.get("gen_ai.usage.output_tokens")) for call in calls]
    report.equal(f"{name}: their tokens", [pair for pair in usage if pair[0] is not None], played.usage)
    tools = [call for segment in segments for call in segment.get("tool_calls", [])]
    ended = {call["attributes"].get("gen_ai.tool.name"): call.get("outcome") for call in tools}
    report.equal(f"{name}: and both tools, of which one failed", ended, {TOOLS[0]: None, TOOLS[1]: "failed"})


def reduced(told: str) -> Iterator[dict[str, Any]]:
    """The rollouts that `veilspan reduce` prints, one after the other."""
    decoder, rest = json.JSONDecoder(), told.lstrip()
    while rest:
        rollout, end = decoder.raw_decode(rest)
        yield rollout
        rest = rest[end:].lstrip()
