"""Sessions of coding agents, imported through an unmodified Collector with our stage, and read back from Jaeger."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent_run import ARRIVAL_SECONDS, check_nothing_leaked
from leaks import secrets_in, texts_in
from process import Workspace, wait_until
from report import Report
from spans import Span, once_each, spans_in
from stack import REPOSITORY, Addresses, Stack, built

NEEDS = ("otelcol", "jaeger")
BUNDLE = REPOSITORY / "tests" / "fixtures" / "bundles" / "every_kind"
FOUR_TURNS = Path("claude", "four-turns")
# What whoever reads that session must find in it.
OF_FOUR_TURNS = Counter(invoke_agent=4, chat=7, execute_tool=13)
TOOLS_OF_FOUR_TURNS = Counter(Agent=4, Bash=5, TaskCreate=1, ToolSearch=1, WebFetch=1, WebSearch=1)
TOKENS_OF_FOUR_TURNS = {
    "gen_ai.usage.input_tokens": 187_216,
    "gen_ai.usage.output_tokens": 1_867,
    "gen_ai.usage.cache_read.input_tokens": 165_784,
    "gen_ai.usage.cache_creation.input_tokens": 21_064,
}
# Under these stand names, ids and times in all of the files.
NO_CONTENT = ("type", "name", "id", "uuid", "model", "version", "role", "status", "kind", "timestamp", "cwd")


@dataclass(frozen=True)
class Recording:
    """What one command imports."""

    source: str
    paths: tuple[Path, ...]

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.source} {self.paths[0].name}"

    def arguments(self) -> list[str]:
        """The command's own."""
        return ["import", self.source, *map(str, self.paths)]


def run(report: Report, workspace: Workspace) -> None:
    """Each recording, twice; then what is in Jaeger against what the command says without a network."""
    built("veilspan")
    stack = Stack(workspace, Addresses.free())
    jaeger = stack.jaeger()
    stack.collector()
    stage = stack.stage()
    wanted: dict[str, list[Span]] = {}
    for recording in recordings():
        told = stack.veilspan(*recording.arguments(), "--dry-run").splitlines()
        groups = [group for line in told for group in json.loads(line)["resourceSpans"]]
        wanted[recording.name] = once_each(spans_in(groups))
        for _ in range(2):
            stack.veilspan(*recording.arguments(), "--endpoint", f"http://{stack.addresses.otelcol_in}")
    everything = sum(map(len, wanted.values()))
    wait_until("every span is in Jaeger", lambda: len(jaeger.spans()) >= everything, ARRIVAL_SECONDS)
    report.equal("the stage exits with 0 on SIGTERM", stage.stop(), 0)

    found = {(span.trace, span.id): span for span in jaeger.spans() if not span.name.startswith("rollout")}
    report.equal("nothing was told under other ids the second time", len(found), everything)
    for name, spans in wanted.items():
        check_spans(report, name, spans, found)
    if four_turns := wanted.get(f"claude-code {FOUR_TURNS.name}"):
        check_four_turns(report, [found[span.trace, span.id] for span in four_turns if (span.trace, span.id) in found])
    answers = jaeger.raw_answers()
    texts = {text for recording in recordings() for path in recording.paths for text in said_in(path)}
    check_nothing_leaked(report, answers, workspace, texts, exempt=set())


def recordings() -> list[Recording]:
    """Our own bundle, and what was recorded by others where it is there."""
    bundle = Recording("codex", (BUNDLE,))
    corpus = os.environ.get("VEILSPAN_CORPUS")
    if not corpus:
        print("        VEILSPAN_CORPUS is not set: only our own bundle is imported", flush=True)
        return [bundle]
    rollouts = tuple(sorted((Path(corpus) / "codex").glob("rollout-*.jsonl")))
    return [bundle, Recording("codex", rollouts), Recording("claude-code", (Path(corpus) / FOUR_TURNS,))]


def check_spans(report: Report, name: str, wanted: list[Span], found: dict[tuple[str, str], Span]) -> None:
    """What went over two pipelines and the stage is what the command prints by itself."""
    missing = [span.name for span in wanted if (span.trace, span.id) not in found]
    report.check(f"{name}: there are spans", bool(wanted))
    report.equal(f"{name}: every span has arrived", missing, [])
    pairs = [(span, found[span.trace, span.id]) for span in wanted if (span.trace, span.id) in found]
    compared = {ours.name: _differences(ours, theirs) for ours, theirs in pairs}
    differences = {name: keys for name, keys in compared.items() if keys}
    report.equal(f"{name}: as it was told", differences, {})


def _differences(ours: Span, theirs: Span) -> list[str]:
    """What is not the same in two copies, but for what a receiver adds to resource and scope."""
    fields = ("parent", "name", "kind", "start", "end", "links", "events")
    different = [field for field in fields if getattr(ours, field) != getattr(theirs, field)]
    keys = ours.attributes.keys() | theirs.attributes.keys()
    return different + sorted(key for key in keys if ours.get(key) != theirs.get(key))


def check_four_turns(report: Report, spans: list[Span]) -> None:
    """The numbers of a real session."""
    calls = Counter(str(span.get("gen_ai.operation.name")) for span in spans)
    report.equal("four-turns: its calls", calls, OF_FOUR_TURNS)
    tools = Counter(span.get("gen_ai.tool.name") for span in spans if span.get("gen_ai.tool.name"))
    report.equal("four-turns: its tools", tools, TOOLS_OF_FOUR_TURNS)
    models = [span for span in spans if span.get("gen_ai.operation.name") == "chat"]
    sums = {key: sum(span.get(key) or 0 for span in models) for key in TOKENS_OF_FOUR_TURNS}
    report.equal("four-turns: its tokens", sums, TOKENS_OF_FOUR_TURNS)
    report.equal("four-turns: one rollout", len({span.get("veilspan.rollout.id") for span in spans}), 1)


def said_in(path: Path) -> set[str]:
    """Every text of a recording that is a sentence, and so nobody's name."""
    found = [path] if path.is_file() else sorted(path.rglob("*"))
    files = [file for file in found if file.suffix in (".json", ".jsonl", ".ndjson")]
    values = (text for file in files for row in _rows(file) for text in texts_in(row, NO_CONTENT))
    return {secret for text in values if " " in text.strip() for secret in secrets_in(text, ()) if " " in secret}


def _rows(file: Path) -> Iterator[Any]:
    text = file.read_text()
    if file.suffix == ".json":
        yield json.loads(text)
    else:
        yield from (json.loads(line) for line in text.splitlines() if line.strip())
