"""GETs against a back end's query API."""

from __future__ import annotations

import urllib.error
import urllib.request


def get(url: str, accept: str = "application/json") -> bytes:
    """The answer's bytes; nothing found is an answer too."""
    try:
        request = urllib.request.Request(url, headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=20) as response:
            return bytes(response.read())
    except urllib.error.HTTPError as answer:
        if answer.code == 404:
            return answer.read()
        raise
