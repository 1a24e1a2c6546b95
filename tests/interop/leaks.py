"""Finds texts that must not have left, also where they were encoded on the way."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

WHOLE_TEXT_CHARS = 8
WORD_CHARS = 13
# A payload in JSON, told in a JSON string, shown in a JSON answer or log line.
JSON_DEPTH = 3


def secrets_in(text: str, labels: Iterable[str]) -> set[str]:
    """A text and its long words, but for what is a label by right (the name of a model, a tool, an agent)."""
    words = {word.strip(".,:;!?") for word in re.findall(rf"[\w.@:/+-]{{{WORD_CHARS},}}", text)}
    whole = {text} if len(text) >= WHOLE_TEXT_CHARS and re.search(r"\D", text) else set()
    return {secret for secret in whole | words if secret} - set(labels)


def texts_in(value: Any, labels: Collection[str] = ()) -> Iterator[str]:
    """Every text in a value that came as JSON, but for texts under keys that say that they are labels."""
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from texts_in(item, labels)
        case dict():
            for key, item in value.items():
                if not (isinstance(item, str) and key in labels):
                    yield from texts_in(item, labels)


def leaks(haystack: bytes, secrets: Iterable[str]) -> Iterator[str]:
    """Each secret that is found, with the form it has there."""
    layers = [haystack]
    for _ in range(JSON_DEPTH):
        layers.append(_without_escapes(layers[-1]))
    for secret in sorted(secrets):
        found = (form for form, needle in _forms(secret) if any(needle in layer for layer in layers))
        if form := next(found, None):
            yield f"{secret!r} as {form}"


def leaks_in_files(folder: Path, secrets: set[str], exempt: set[Path]) -> list[str]:
    """What is found in the files under a folder, `exempt` left out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path not in exempt)
    return [f"{path.relative_to(folder)}: {leak}" for path in files for leak in leaks(path.read_bytes(), secrets)]


def _forms(secret: str) -> Iterator[tuple[str, bytes]]:
    raw = secret.encode()
    yield "text", raw
    yield "hex", raw.hex().encode()
    yield "upper-case hex", raw.hex().upper().encode()
    yield "URL-quoted text", quote(secret, safe="").encode()
    yield "form-quoted text", quote_plus(secret).encode()
    for shift in range(3):
        core = _base64_core(raw, shift)
        yield "base64", core
        yield "base64url", core.translate(bytes.maketrans(b"+/", b"-_"))


def _without_escapes(text: bytes) -> bytes:
    """One layer of JSON's escapes taken off, wherever in a text a JSON string may stand."""
    return re.sub(rb'\\u([0-9a-fA-F]{4})|\\(["\\/])|\\([bfnrt])', _unescaped, text)


def _unescaped(escape: re.Match[bytes]) -> bytes:
    code, itself, control = escape.groups()
    if code:
        return chr(int(code, 16)).encode(errors="surrogatepass")
    return itself or {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}[control]


def _base64_core(raw: bytes, shift: int) -> bytes:
    """The letters that depend on these bytes alone, when `shift` (mod 3) other bytes stand before them."""
    encoded = base64.b64encode(bytes(shift) + raw)
    first = (shift * 8 + 5) // 6
    last = (shift + len(raw)) * 8 // 6
    return encoded[first:last]
