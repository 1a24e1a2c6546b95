"""Reads spans and sessions back through Phoenix' REST API."""

from __future__ import annotations

import json
import urllib.parse
from dataclasses import dataclass
from typing import Any

from http_api import get

PROJECT = "/v1/projects/default"
PAGE = "limit=1000"


@dataclass(frozen=True)
class PhoenixSpan:
    """A span as Phoenix shows it: in OpenInference's words, whatever it came in."""

    trace: str
    id: str
    name: str
    kind: str
    attributes: dict[str, Any]

    def get(self, key: str) -> Any:
        """An attribute's value, None if absent."""
        return self.attributes.get(key)


class Phoenix:
    """One Phoenix, and nobody else's data in it."""

    def __init__(self, address: str) -> None:
        self._base = f"http://{address}"

    def spans(self) -> list[PhoenixSpan]:
        """Every span there is."""
        return [
            PhoenixSpan(
                span["context"]["trace_id"],
                span["context"]["span_id"],
                span["name"],
                span["span_kind"],
                span["attributes"],
            )
            for span in self._data(f"{PROJECT}/spans?{PAGE}")
        ]

    def sessions(self) -> list[dict[str, Any]]:
        """Every session there is, with its traces."""
        return self._data(f"{PROJECT}/sessions?{PAGE}")

    def raw_answers(self) -> dict[str, bytes]:
        """What every query about everything answers, as bytes."""
        paths = ["/v1/projects"]
        paths += [f"{PROJECT}/{what}?{PAGE}" for what in ("spans", "spans/otlpv1", "traces", "sessions")]
        paths += [f"/v1/sessions/{urllib.parse.quote(session['session_id'])}" for session in self.sessions()]
        return {path: get(self._base + path) for path in paths}

    def _data(self, path: str) -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = json.loads(get(self._base + path)).get("data", [])
        return data
