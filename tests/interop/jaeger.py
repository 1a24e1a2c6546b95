"""Reads traces back through Jaeger's query API."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

KINDS = {0: "unspecified", 1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}


@dataclass(frozen=True)
class Link:
    """A span link."""

    trace: str
    span: str
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Span:
    """A span as OTLP has it; attribute values keep their types (an int is an OTLP int)."""

    trace: str
    id: str
    parent: str
    name: str
    kind: str
    start: int
    end: int
    attributes: dict[str, Any]
    links: tuple[Link, ...]
    resource: dict[str, Any]

    def get(self, key: str) -> Any:
        """An attribute's value, None if absent."""
        return self.attributes.get(key)


class Jaeger:
    """One Jaeger, and nobody else's data in it."""

    def __init__(self, address: str) -> None:
        self._base = f"http://{address}"

    def spans(self) -> list[Span]:
        """Every span there is, of every service, by start."""
        found = [span for service in self._services() for span in _spans(self._get(_find_v3(service)))]
        unique = {(span.trace, span.id): span for span in found}
        return sorted(unique.values(), key=lambda span: (span.start, span.id))

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
        try:
            with urllib.request.urlopen(self._base + path, timeout=10) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as answer:
            # Nothing found is an answer too.
            if answer.code == 404:
                return answer.read()
            raise


def _find_v3(service: str) -> str:
    query = {
        "query.service_name": service,
        "query.start_time_min": "2020-01-01T00:00:00Z",
        "query.start_time_max": "2100-01-01T00:00:00Z",
        "query.num_traces": "1000",
        "query.raw_traces": "true",
    }
    return f"/api/v3/traces?{urllib.parse.urlencode(query)}"


def _spans(answer: bytes) -> Iterator[Span]:
    for group in json.loads(answer).get("result", {}).get("resourceSpans", []):
        resource = _attributes(group.get("resource", {}))
        for scope in group.get("scopeSpans", []):
            for span in scope.get("spans", []):
                yield _span(span, resource)


def _span(span: dict[str, Any], resource: dict[str, Any]) -> Span:
    return Span(
        trace=span["traceId"],
        id=span["spanId"],
        parent=span.get("parentSpanId", ""),
        name=span.get("name", ""),
        kind=KINDS[span.get("kind", 0)],
        start=int(span["startTimeUnixNano"]),
        end=int(span["endTimeUnixNano"]),
        attributes=_attributes(span),
        links=tuple(Link(link["traceId"], link["spanId"], _attributes(link)) for link in span.get("links", [])),
        resource=resource,
    )


def _attributes(holder: dict[str, Any]) -> dict[str, Any]:
    return {attribute["key"]: _value(attribute.get("value", {})) for attribute in holder.get("attributes", [])}


def _value(value: dict[str, Any]) -> Any:
    match value:
        case {"intValue": number}:
            return int(number)
        case {"doubleValue": number}:
            return float(number)
        case {"arrayValue": array}:
            return [_value(item) for item in array.get("values", [])]
        case {"kvlistValue": pairs}:
            return {pair["key"]: _value(pair["value"]) for pair in pairs.get("values", [])}
        case _:
            return next(iter(value.values()), None)
