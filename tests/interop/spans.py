"""Spans as OTLP's JSON has them, whoever answers with it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


@dataclass(frozen=True)
class Link:
    """A span link."""

    trace: str
    span: str
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Event:
    """A span event."""

    name: str
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Span:
    """A span; attribute values keep their types (an int is an OTLP int)."""

    trace: str
    id: str
    parent: str
    name: str
    kind: str
    start: int
    end: int
    attributes: dict[str, Any]
    links: tuple[Link, ...]
    events: tuple[Event, ...]
    resource: dict[str, Any]
    scope: str

    def get(self, key: str) -> Any:
        """An attribute's value, None if absent."""
        return self.attributes.get(key)


class BackEnd(Protocol):
    """Whatever stores spans and is asked for them."""

    def spans(self) -> list[Span]:
        """Every span there is, of every service, by start."""

    def raw_answers(self) -> dict[str, bytes]:
        """What every query about everything answers, as bytes."""


def spans_in(groups: Iterable[dict[str, Any]]) -> Iterator[Span]:
    """The spans of a list of `resourceSpans`."""
    for group in groups:
        resource = _attributes(group.get("resource", {}))
        for scoped in group.get("scopeSpans", []):
            for span in scoped.get("spans", []):
                yield _span(span, resource, scoped.get("scope", {}).get("name", ""))


def once_each(spans: Iterable[Span]) -> list[Span]:
    """By start, and without the copies that delivery at least once may bring."""
    unique = {(span.trace, span.id): span for span in spans}
    return sorted(unique.values(), key=lambda span: (span.start, span.id))


def _span(span: dict[str, Any], resource: dict[str, Any], scope: str) -> Span:
    return Span(
        trace=_id(span["traceId"], 16),
        id=_id(span["spanId"], 8),
        parent=_id(span.get("parentSpanId", ""), 8),
        name=span.get("name", ""),
        kind=_kind(span.get("kind", 0)),
        start=int(span["startTimeUnixNano"]),
        end=int(span["endTimeUnixNano"]),
        attributes=_attributes(span),
        links=tuple(
            Link(_id(link["traceId"], 16), _id(link["spanId"], 8), _attributes(link)) for link in span.get("links", [])
        ),
        events=tuple(Event(event.get("name", ""), _attributes(event)) for event in span.get("events", [])),
        resource=resource,
        scope=scope,
    )


def _id(text: str, size: int) -> str:
    """OTLP's JSON writes ids in hex; what Go makes of the same protobuf message has base64."""
    return text if len(text) in (0, 2 * size) else base64.b64decode(text).hex()


def _kind(kind: int | str) -> str:
    return kind.removeprefix("SPAN_KIND_").lower() if isinstance(kind, str) else KINDS[kind]


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
