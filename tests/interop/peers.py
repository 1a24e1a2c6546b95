"""The real peers: what each is built from, and a cache of what was built."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builds import GO_BUILD, Unavailable, go, go_key, node_key, node_modules, python_environment, python_key

PEERS = Path(__file__).resolve().parent / "peers"
OTELCOL = PEERS / "otelcol"
JAEGER = PEERS / "jaeger"
TEMPO = PEERS / "tempo"
DECODER = PEERS / "decoder"
PYTHON = PEERS / "python"
NODE = PEERS / "node"


@dataclass(frozen=True)
class Peer:
    """Programs of others, built from pinned sources into one file or folder of the peer's name."""

    name: str
    sources: tuple[Path, ...]
    toolchain: Callable[[], tuple[str, ...]]
    build: Callable[[Path], None]
    # What is used of a folder.
    program: str = ""

    def binary(self) -> Path:
        """The built program; builds it if the cache has none of exactly these sources."""
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "veilspan-interop"
        root.mkdir(parents=True, exist_ok=True)
        done = root / f"{self.name}-{self._key()}"
        with _lock(root / f"{done.name}.lock"):
            if not done.exists():
                self._build_into(done)
        return done / self.name / self.program

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
        parts = [*self.toolchain()]
        parts += [hashlib.sha256(source.read_bytes()).hexdigest() for source in self.sources]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _build_otelcol(folder: Path) -> None:
    _require_pins_of_manifest()
    builder = folder / "builder"
    go([*GO_BUILD, "-o", str(builder), "go.opentelemetry.io/collector/cmd/builder"], OTELCOL / "builder")
    manifest = f"--config={OTELCOL / 'builder.yaml'}"
    go([str(builder), manifest, "--skip-compilation", "--skip-get-modules"], folder)
    sources = folder / "sources"
    shutil.copy(OTELCOL / "go.mod", sources)
    shutil.copy(OTELCOL / "go.sum", sources)
    go([*GO_BUILD, "-o", str(folder / "otelcol"), "."], sources)


def _require_pins_of_manifest() -> None:
    """A manifest that moved on without its go.mod would build the old versions in silence."""
    pinned = {line.strip() for line in (OTELCOL / "go.mod").read_text().splitlines()}
    for line in (OTELCOL / "builder.yaml").read_text().splitlines():
        marker, found, module = line.strip().partition("- gomod: ")
        if found and not marker and module not in pinned:
            raise Unavailable(f"peers/otelcol/go.mod does not have {module}, which builder.yaml names")


def _go_tool(name: str, module: Path, package: str) -> Peer:
    """A program that a small module of ours names as its tool."""

    def build(folder: Path) -> None:
        go([*GO_BUILD, "-o", str(folder / name), package], module)

    return Peer(name, (module / "go.mod", module / "go.sum"), go_key, build)


def _python(name: str) -> Peer:
    """An environment of Python packages, used by its interpreter."""
    lock = PYTHON / f"{name}.txt"
    return Peer(name, (lock,), python_key, lambda folder: python_environment(lock, folder / name), "bin/python")


def _node(name: str) -> Peer:
    """A folder of Node modules."""
    pinned = (NODE / "package.json", NODE / "package-lock.json")
    return Peer(name, pinned, node_key, lambda folder: node_modules(NODE, folder / name), "node_modules")


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


ALL: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        Peer(
            "otelcol",
            (
                OTELCOL / "builder.yaml",
                OTELCOL / "go.mod",
                OTELCOL / "go.sum",
                OTELCOL / "builder" / "go.mod",
                OTELCOL / "builder" / "go.sum",
            ),
            go_key,
            _build_otelcol,
        ),
        _go_tool("jaeger", JAEGER, "github.com/jaegertracing/jaeger/cmd/jaeger"),
        _go_tool("tempo", TEMPO, "github.com/grafana/tempo/cmd/tempo"),
        Peer(
            "decoder",
            (DECODER / "go.mod", DECODER / "go.sum", DECODER / "main.go"),
            go_key,
            lambda folder: go([*GO_BUILD, "-o", str(folder / "decoder"), "."], DECODER),
        ),
        _python("phoenix"),
        _python("python-clients"),
        _node("node-clients"),
    )
}
