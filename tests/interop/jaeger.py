"""Reads traces back through Jaeger's query API."""

from __future__ import annotations

import json
import urllib.parse

from http_api import get
from spans import Span, once_each, spans_in


class Jaeger:
    """One Jaeger, and nobody else's data in it."""

    def __init__(self, address: str) -> None:
        self._base = f"http://{address}"

    def spans(self) -> list[Span]:
        """Every span there is, of every service, by start."""
        answers = [json.loads(self._get(_find_v3(service))) for service in self._services()]
        groups = [group for answer in answers for group in answer.get("result", {}).get("resourceSpans", [])]
        return once_each(spans_in(groups))

    def tag_types(self, trace: str) -> dict[tuple[str, str], str]:
        """The type that the UI's own API gives each (span id, attribute)."""
        answer = json.loads(self._get(f"/api/traces/{trace}"))
        spans = [span for found in answer["data"] for span in found["spans"]]
        return {(span["spanID"], tag["key"]): tag["type"] for span in spans for tag in span["tags"]}

    def raw_answers(self) -> dict[str, bytes]:
        """What every query about everything answers, as bytes."""
        paths = ["/api/services", "/api/v3/services", "/api/dependencies?endTs=4102444800000"]
        for service in self._services():
            quoted = urllib.parse.quote(service)
            paths += [f"/api/traces?service={quoted}&limit=1000", f"/api/services/{quoted}/operations"]
            paths += [_find_v3(service), f"/api/v3/operations?service={quoted}"]
        for trace in {span.trace for span in self.spans()}:
            paths += [f"/api/traces/{trace}", f"/api/traces/{trace}?raw=true", f"/api/v3/traces/{trace}"]
        return {path: self._get(path) for path in paths}

    def _services(self) -> list[str]:
        return json.loads(self._get("/api/services"))["data"] or []

    def _get(self, path: str) -> bytes:
        return get(self._base + path)


def _find_v3(service: str) -> str:
    query = {
        "query.service_name": service,
        "query.start_time_min": "2020-01-01T00:00:00Z",
        "query.start_time_max": "2100-01-01T00:00:00Z",
        "query.num_traces": "1000",
        "query.raw_traces": "true",
    }
    return f"/api/v3/traces?{urllib.parse.urlencode(query)}"
