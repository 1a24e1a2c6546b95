"""Reads traces back through Tempo's query API."""

from __future__ import annotations

import json
import time
import urllib.parse
from typing import Any

from http_api import get
from spans import Span, once_each, spans_in

TRACES = 1000
# More spans of one trace Tempo does not name in an answer.
SPANS = 100


class Tempo:
    """One Tempo, and nobody else's data in it."""

    def __init__(self, address: str) -> None:
        self._base = f"http://{address}"

    def spans(self) -> list[Span]:
        """Every span of every trace that a search finds, by start."""
        return once_each(span for trace in self.traces() for span in self.trace(trace))

    def traces(self, query: str = "{}") -> set[str]:
        """The ids of the traces that hold a span which a TraceQL query names."""
        return {found["traceID"].rjust(32, "0") for found in self._found(query)}

    def found(self, query: str) -> set[str]:
        """The ids of the spans that a TraceQL query names."""
        sets = [spans for trace in self._found(query) for spans in trace["spanSets"]]
        return {span["spanID"].rjust(16, "0") for spans in sets for span in spans["spans"]}

    def trace(self, trace: str) -> list[Span]:
        """One trace's spans, by its id."""
        answer = json.loads(self._get(f"/api/v2/traces/{trace}"))
        return list(spans_in(answer["trace"].get("resourceSpans", [])))

    def raw_answers(self) -> dict[str, bytes]:
        """What every query about everything answers, as bytes."""
        paths = [_search("{}"), "/api/search/tags", "/api/v2/search/tags"]
        tags = json.loads(self._get("/api/search/tags"))["tagNames"]
        paths += [f"/api/search/tag/{urllib.parse.quote(tag)}/values" for tag in tags]
        for trace in self.traces():
            paths += [f"/api/traces/{trace}", f"/api/v2/traces/{trace}"]
        return {path: self._get(path) for path in paths}

    def _found(self, query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self._get(_search(query))).get("traces") or []
        return found

    def _get(self, path: str) -> bytes:
        return get(self._base + path)


def _search(query: str) -> str:
    """The last hour; what has no time is what has not left the ingester."""
    now = int(time.time())
    asked = {"q": query, "limit": str(TRACES), "spss": str(SPANS), "start": str(now - 3600), "end": str(now + 60)}
    return f"/api/search?{urllib.parse.urlencode(asked)}"
