"""How the peers are built, by the tools of their own languages, from what is pinned beside this file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

GO_BUILD = ("go", "build", "-mod=readonly", "-trimpath", "-ldflags=-s -w")
PIP_INSTALL = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes")
NPM_INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")


class Unavailable(Exception):
    """A peer cannot be had on this machine; the text says why."""


@cache
def go_key() -> tuple[str, ...]:
    """What the result of a Go build depends on beside its sources."""
    return _version("go", "version"), " ".join(GO_BUILD)


@cache
def python_key() -> tuple[str, ...]:
    """What an environment of packages depends on beside its lock file."""
    return sys.version, " ".join(PIP_INSTALL)


@cache
def node_key() -> tuple[str, ...]:
    """What a folder of modules depends on beside its lock file."""
    return _version("node", "--version"), " ".join(NPM_INSTALL)


def go(command: list[str], folder: Path) -> None:
    """Runs a Go command; cgo and workspaces of this machine are no part of it."""
    _run(command, folder, {"CGO_ENABLED": "0", "GOWORK": "off"})


def python_environment(lock: Path, folder: Path) -> None:
    """An environment of exactly the locked packages. It may be moved: nothing is run in it but its interpreter."""
    _run([sys.executable, "-m", "venv", str(folder)], folder.parent)
    _run([str(folder / "bin" / "python"), *PIP_INSTALL, "--requirement", str(lock)], folder)


def node_modules(pinned: Path, folder: Path) -> None:
    """A folder of exactly the locked modules, none of whose own scripts has run."""
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(pinned / name, folder)
    _run([*NPM_INSTALL], folder)


def _run(command: list[str], folder: Path, more: dict[str, str] | None = None) -> None:
    ran = subprocess.run(
        ["nice", "-n", "10", *command],
        cwd=folder,
        env={**os.environ, **(more or {})},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if ran.returncode != 0:
        tail = "\n".join(ran.stdout.splitlines()[-10:])
        raise Unavailable(f"`{' '.join(command[:2])}` in {folder} ended with {ran.returncode}\n{tail}")


def _version(program: str, argument: str) -> str:
    if shutil.which(program) is None:
        raise Unavailable(f"no {program} on PATH")
    return subprocess.run([program, argument], check=True, capture_output=True, text=True).stdout.strip()
