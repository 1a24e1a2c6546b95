"""Child processes that never outlive the suite, and the folder that holds what they wrote."""

from __future__ import annotations

import atexit
import contextlib
import http.client
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

STOP_SECONDS = 60.0
READY_SECONDS = 120.0
LOWEST_PORT = 10_000
TAIL_LINES = 15
TAIL_CHARS = 300
# What a developer's shell sets for these must not change what is tested.
FOREIGN_PREFIXES = (
    "OTEL_",
    "OTELCOL_",
    "STAGE_",
    "JAEGER_",
    "TEMPO_",
    "PHOENIX_",
    "VEILSPAN_",
    "OPENAI_",
    "TRACELOOP_",
    "OPENINFERENCE_",
)


class NotReady(Exception):
    """A process did not do in time what it was started for."""


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without anything that configures telemetry, and `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_PREFIXES)}
    return {**kept, **extra}


def free_addresses(count: int) -> list[str]:
    """Loopback addresses that nobody listens on, and, but where its range begins low, that the kernel gives to no outgoing
    connection meanwhile."""
    found: list[str] = []
    ports = list(range(LOWEST_PORT, _lowest_ephemeral_port()))
    random.shuffle(ports)
    for port in ports:
        if len(found) == count:
            break
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.append(f"127.0.0.1:{port}")
    if len(found) < count:
        raise NotReady(f"{count} free ports: there are {len(found)}")
    return found


def _lowest_ephemeral_port() -> int:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    return lowest if lowest > 2 * LOWEST_PORT else 1 << 16


def wait_until(what: str, ready: Callable[[], bool], seconds: float) -> None:
    """Polls `ready`, for which a server that cannot answer yet is not ready; raises NotReady after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        why = ""
        try:
            if ready():
                return
        except (OSError, http.client.HTTPException) as error:
            why = f" ({error})"
        if time.monotonic() > deadline:
            raise NotReady(f"{what}: not within {seconds:g} s{why}")
        time.sleep(0.1)


def whole_lines(path: Path) -> list[str]:
    """The lines of a file that somebody else is writing, without the one that is not whole yet."""
    if not path.exists():
        return []
    written = path.read_bytes()
    return written[: written.rfind(b"\n") + 1].decode().splitlines()


def answers_http(url: str) -> bool:
    """Whether a GET is answered with success."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(200 <= response.status < 300)
    except (urllib.error.URLError, OSError):
        return False


def accepts(address: str) -> bool:
    """Whether something listens."""
    host, port = address.rsplit(":", 1)
    try:
        with socket.create_connection((host, int(port)), timeout=2):
            return True
    except OSError:
        return False


class Process:
    """One child, leader of its own group, its output in two files."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], cwd: Path, logs: Path
    ) -> None:
        self.name = name
        self.stdout = logs / f"{name}.stdout"
        self.stderr = logs / f"{name}.stderr"
        with self.stdout.open("wb") as out, self.stderr.open("wb") as err:
            self._child = subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def wait(self, seconds: float) -> int:
        """The exit code of a child that ends by itself."""
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise NotReady(f"{self.name}: did not end within {seconds:g} s") from None

    def wait_until(self, ready: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
        """Waits for a child to be ready, and no longer than it lives."""

        def ready_or_dead() -> bool:
            if self._child.poll() is not None:
                raise NotReady(f"{self.name}: ended with {self._child.returncode} before it was ready")
            return ready()

        wait_until(self.name, ready_or_dead, seconds)

    def stop(self) -> int | None:
        """SIGTERM, then the exit code; None if only SIGKILL helped."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
        try:
            return self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.kill()

    def kill(self) -> None:
        """Ends the child and whatever it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()


class Workspace:
    """A folder for one scenario; on leaving it everything that was started is stopped, in reverse order."""

    def __init__(self, name: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=f"veilspan-interop-{name}-"))
        self.logs = self.folder("logs")
        self._processes: list[Process] = []
        atexit.register(self._kill_all)

    def folder(self, name: str) -> Path:
        """A folder inside this one."""
        path = self.path / name
        path.mkdir(exist_ok=True)
        return path

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> Process:
        """Starts a child that ends with this workspace at the latest."""
        process = Process(name, command, environment, cwd, self.logs)
        self._processes.append(process)
        return process

    def stop_all(self) -> None:
        """Stops all children, so that their files are complete."""
        while self._processes:
            self._processes.pop().stop()

    def show(self) -> None:
        """Says where the logs are, and how each ends."""
        print(f"        logs and files: {self.path}")
        for log in sorted(self.logs.iterdir()):
            lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
            if lines:
                print(f"        -- tail of {log.name}")
                print("\n".join(f"        | {line[:TAIL_CHARS]}" for line in lines), flush=True)

    def remove(self) -> None:
        """Forgets what nobody needs to look at."""
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_all()
        atexit.unregister(self._kill_all)

    def _kill_all(self) -> None:
        while self._processes:
            self._processes.pop().kill()
