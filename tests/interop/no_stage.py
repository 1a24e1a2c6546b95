"""The control: without our stage the same peers carry what was said, and the search finds it in every form."""

from __future__ import annotations

import base64
import json
import secrets
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_plus

from agent_run import ARRIVAL_SECONDS
from fake_openai import canary
from jaeger import Jaeger
from leaks import leaks
from process import Workspace, wait_until
from report import Report
from stack import Addresses, Stack

NEEDS = ("otelcol", "jaeger")
TRACE, SPAN, PARENT, LINKED = (secrets.token_hex(size) for size in (16, 8, 8, 8))


def run(report: Report, workspace: Workspace) -> None:
    """Sends one span through both pipelines and looks for it everywhere."""
    free = Addresses.free()
    # The Collector's first pipeline sends to its second: all of the example but the stage.
    stack = Stack(workspace, replace(free, stage=free.otelcol_back))
    jaeger = stack.jaeger()
    stack.collector()

    forms = encoded_canaries()
    send(stack.addresses.otelcol_in_http, span({name: text for name, (_, text) in forms.items()}))
    wait_until("the span is in Jaeger", lambda: bool(jaeger.spans()), ARRIVAL_SECONDS)
    check_reading(report, jaeger)

    answers = b"\n".join(jaeger.raw_answers().values())
    workspace.stop_all()
    files = [path.read_bytes() for path in workspace.folder("collector-files").iterdir()]
    report.equal("what passed both pipelines was kept", len(files), 3)
    for name, (secret, _) in forms.items():
        seen = [bool(list(leaks(place, {secret}))) for place in [answers, *files]]
        report.check(f"the search finds a leak as {name}", all(seen), seen)


def encoded_canaries() -> dict[str, tuple[str, str]]:
    """For each way in which a text may travel: the text, and what travels."""
    ways: dict[str, Callable[[str], str]] = {
        "plain": lambda text: text,
        "json": json.dumps,
        "json-utf8": lambda text: json.dumps(text, ensure_ascii=False),
        "json-in-json": lambda text: json.dumps(json.dumps({"content": text})),
        "hex": lambda text: text.encode().hex(),
        "url": lambda text: quote(text, safe=""),
        "form": quote_plus,
        "base64": lambda text: base64.b64encode(text.encode()).decode(),
        "base64-after-one": lambda text: base64.b64encode(b"{" + text.encode() + b"}").decode(),
        "base64url-after-two": lambda text: base64.urlsafe_b64encode(b'{"' + text.encode() + b'"}').decode(),
    }
    made = {name: canary(name) for name in ways}
    return {name: (text, ways[name](text)) for name, text in made.items()}


def span(texts: dict[str, str]) -> dict[str, Any]:
    """A client span with a child's parent, a link, and attributes of several types."""
    now = time.time_ns()
    attributes: list[dict[str, Any]] = [{"key": key, "value": {"stringValue": text}} for key, text in texts.items()]
    attributes += [
        {"key": "int", "value": {"intValue": "7"}},
        {"key": "array", "value": {"arrayValue": {"values": [{"stringValue": "a"}, {"stringValue": "b"}]}}},
    ]
    link = {"traceId": TRACE, "spanId": LINKED, "attributes": [{"key": "why", "value": {"stringValue": "turn"}}]}
    return {
        "traceId": TRACE,
        "spanId": SPAN,
        "parentSpanId": PARENT,
        "name": "chat control",
        "kind": 3,
        "startTimeUnixNano": str(now),
        "endTimeUnixNano": str(now + 1_000_000),
        "attributes": attributes,
        "links": [link],
    }


def send(address: str, *sent: dict[str, Any]) -> None:
    """Sends spans of one scope as OTLP/JSON."""
    service = {"key": "service.name", "value": {"stringValue": "control"}}
    body = {"resourceSpans": [{"resource": {"attributes": [service]}, "scopeSpans": [{"spans": list(sent)}]}]}
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://{address}/v1/traces", json.dumps(body).encode(), headers)
    urllib.request.urlopen(request, timeout=10).close()


def check_reading(report: Report, jaeger: Jaeger) -> None:
    """The reading side is right about ids, kinds, types and links, so that other scenarios can rely on it."""
    found = jaeger.spans()[0]
    report.equal("ids", (found.trace, found.id, found.parent), (TRACE, SPAN, PARENT))
    report.equal("name and kind", (found.name, found.kind), ("chat control", "client"))
    report.equal("typed values", (found.get("int"), found.get("array")), (7, ["a", "b"]))
    report.equal("links", [(link.span, link.attributes) for link in found.links], [(LINKED, {"why": "turn"})])
    report.equal("resource", found.resource.get("service.name"), "control")
    report.equal("int64 in the interface's own API", jaeger.tag_types(TRACE).get((SPAN, "int")), "int64")
