"""The real peers: what each is built from, and a cache of what was built."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PEERS = Path(__file__).resolve().parent / "peers"
OTELCOL = PEERS / "otelcol"
JAEGER = PEERS / "jaeger"
BUILD = ("go", "build", "-mod=readonly", "-trimpath", "-ldflags=-s -w")


class Unavailable(Exception):
    """A peer cannot be had on this machine; the text says why."""


@dataclass(frozen=True)
class Peer:
    """One program of others, built from pinned sources."""

    name: str
    sources: tuple[Path, ...]
    build: Callable[[Path], None]

    def binary(self) -> Path:
        """The built program; builds it if the cache has none of exactly these sources."""
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "veilspan-interop"
        root.mkdir(parents=True, exist_ok=True)
        done = root / f"{self.name}-{self._key()}"
        program = done / self.name
        with _lock(root / f"{done.name}.lock"):
            if not program.exists():
                self._build_into(done)
        return program

    def _build_into(self, done: Path) -> None:
        print(f"        building {self.name} into {done}", flush=True)
        started = time.monotonic()
        with tempfile.TemporaryDirectory(dir=done.parent, prefix="building-") as temporary:
            folder = Path(temporary)
            self.build(folder)
            finished = folder / "finished"
            finished.mkdir()
            (folder / self.name).rename(finished / self.name)
            # A folder appears under its key only when it is whole.
            finished.rename(done)
        print(f"        built {self.name} in {time.monotonic() - started:.0f} s", flush=True)

    def _key(self) -> str:
        parts = [_go_version(), " ".join(BUILD)]
        parts += [hashlib.sha256(source.read_bytes()).hexdigest() for source in self.sources]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _build_otelcol(folder: Path) -> None:
    _require_pins_of_manifest()
    builder = folder / "builder"
    _go([*BUILD, "-o", str(builder), "go.opentelemetry.io/collector/cmd/builder"], OTELCOL / "builder")
    manifest = f"--config={OTELCOL / 'builder.yaml'}"
    _go([str(builder), manifest, "--skip-compilation", "--skip-get-modules"], folder)
    sources = folder / "sources"
    shutil.copy(OTELCOL / "go.mod", sources)
    shutil.copy(OTELCOL / "go.sum", sources)
    _go([*BUILD, "-o", str(folder / "otelcol"), "."], sources)


def _build_jaeger(folder: Path) -> None:
    _go([*BUILD, "-o", str(folder / "jaeger"), "github.com/jaegertracing/jaeger/cmd/jaeger"], JAEGER)


def _require_pins_of_manifest() -> None:
    """A manifest that moved on without its go.mod would build the old versions in silence."""
    pinned = {line.strip() for line in (OTELCOL / "go.mod").read_text().splitlines()}
    for line in (OTELCOL / "builder.yaml").read_text().splitlines():
        marker, found, module = line.strip().partition("- gomod: ")
        if found and not marker and module not in pinned:
            raise Unavailable(f"peers/otelcol/go.mod does not have {module}, which builder.yaml names")


def _go(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    ran = subprocess.run(
        ["nice", "-n", "10", *command],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if ran.returncode != 0:
        tail = "\n".join(ran.stdout.splitlines()[-10:])
        raise Unavailable(f"`{' '.join(command[:2])}` in {folder} ended with {ran.returncode}\n{tail}")


@cache
def _go_version() -> str:
    if shutil.which("go") is None:
        raise Unavailable("no Go toolchain on PATH")
    return subprocess.run(["go", "version"], check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


ALL: dict[str, Peer] = {
    "otelcol": Peer(
        "otelcol",
        (
            OTELCOL / "builder.yaml",
            OTELCOL / "go.mod",
            OTELCOL / "go.sum",
            OTELCOL / "builder" / "go.mod",
            OTELCOL / "builder" / "go.sum",
        ),
        _build_otelcol,
    ),
    "jaeger": Peer("jaeger", (JAEGER / "go.mod", JAEGER / "go.sum"), _build_jaeger),
}
