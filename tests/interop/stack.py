"""Starts the real programs on free ports, each with its files from this repository as they are."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import peers
from jaeger import Jaeger
from phoenix import Phoenix
from process import NotReady, Process, Workspace, accepts, answers_http, clean_environment, free_addresses
from tempo import Tempo

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "examples" / "collector"
BUILD_SECONDS = 3600.0
COMMAND_SECONDS = 120.0
OURS = ("--bin", "veilspan", "--example", "agent", "--example", "axum", "--example", "sdk_plugin")


class BuildFailed(Exception):
    """Our own code does not build."""


@dataclass(frozen=True)
class Addresses:
    """Where each program listens in one scenario."""

    back_end_otlp: str
    back_end_http: str
    back_end_grpc: str
    back_end_health: str
    otelcol_in: str
    otelcol_in_http: str
    otelcol_back: str
    otelcol_health: str
    stage: str

    @classmethod
    def free(cls) -> Addresses:
        """Ports that nobody has."""
        return cls(*free_addresses(9))

    def environment(self, files: Path) -> dict[str, str]:
        """The variables that the configuration files read."""
        return {
            "JAEGER_OTLP": self.back_end_otlp,
            "JAEGER_QUERY": self.back_end_http,
            "JAEGER_QUERY_GRPC": self.back_end_grpc,
            "JAEGER_HEALTH": self.back_end_health,
            "OTELCOL_IN": self.otelcol_in,
            "OTELCOL_IN_HTTP": self.otelcol_in_http,
            "OTELCOL_BACK": self.otelcol_back,
            "OTELCOL_HEALTH": self.otelcol_health,
            "OTELCOL_METRICS": "none",
            "OTELCOL_FILES": str(files),
            "STAGE_LISTEN": self.stage,
        }


class Stack:
    """The programs of one scenario."""

    def __init__(self, workspace: Workspace, addresses: Addresses) -> None:
        self.workspace = workspace
        self.addresses = addresses
        self._environment = clean_environment(
            {
                **addresses.environment(workspace.folder("collector-files")),
                # What the programs leave behind stays in the workspace, where it is searched and then removed.
                "XDG_CONFIG_HOME": str(workspace.folder("config")),
                "XDG_STATE_HOME": str(workspace.folder("state")),
                "TMPDIR": str(workspace.folder("tmp")),
                "NO_PROXY": "127.0.0.1",
                "RUST_LOG": "info,veilspan=trace",
            }
        )

    @property
    def recorded(self) -> Path:
        """What has come out of the stage, as the Collector keeps it in lines of JSON."""
        return self.workspace.folder("collector-files") / "out.jsonl"

    def jaeger(self) -> Jaeger:
        """Starts Jaeger."""
        command = [str(peers.ALL["jaeger"].binary()), "--config", str(peers.PEERS / "jaeger.yaml")]
        process = self.start("jaeger", command)
        process.wait_until(lambda: answers_http(f"http://{self.addresses.back_end_health}/status"))
        process.wait_until(lambda: answers_http(f"http://{self.addresses.back_end_http}/api/services"))
        return Jaeger(self.addresses.back_end_http)

    def tempo(self) -> Tempo:
        """Starts Tempo in Jaeger's place."""
        folder = self.workspace.folder("tempo")
        environment = {
            "TEMPO_OTLP": self.addresses.back_end_otlp,
            "TEMPO_HTTP_PORT": self.addresses.back_end_http.rpartition(":")[2],
            "TEMPO_GRPC_PORT": self.addresses.back_end_grpc.rpartition(":")[2],
            "TEMPO_FOLDER": str(folder),
        }
        flags = [f"-config.file={peers.PEERS / 'tempo.yaml'}", "-config.expand-env=true"]
        process = self.start("tempo", [str(peers.ALL["tempo"].binary()), *flags], environment)
        # It says that it is ready fifteen seconds after its ring is.
        process.wait_until(lambda: answers_http(f"http://{self.addresses.back_end_http}/ready"))
        return Tempo(self.addresses.back_end_http)

    def phoenix(self) -> Phoenix:
        """Starts Phoenix in Jaeger's place."""
        environment = {
            "PHOENIX_WORKING_DIR": str(self.workspace.folder("phoenix")),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": self.addresses.back_end_http.rpartition(":")[2],
            "PHOENIX_GRPC_PORT": self.addresses.back_end_otlp.rpartition(":")[2],
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }
        command = [str(peers.ALL["phoenix"].binary()), "-B", "-m", "phoenix.server.main", "serve"]
        process = self.start("phoenix", command, environment)
        process.wait_until(lambda: answers_http(f"http://{self.addresses.back_end_http}/healthz"), 180.0)
        process.wait_until(lambda: accepts(self.addresses.back_end_otlp))
        return Phoenix(self.addresses.back_end_http)

    def collector(self) -> Process:
        """Starts the Collector with the example's configuration, and beside it what the suite adds."""
        configurations = [EXAMPLES / "otelcol.yaml", peers.PEERS / "otelcol-suite.yaml"]
        flags = [flag for path in configurations for flag in ("--config", str(path))]
        process = self.start("otelcol", [str(peers.ALL["otelcol"].binary()), *flags])
        process.wait_until(lambda: answers_http(f"http://{self.addresses.otelcol_health}/"))
        return process

    def stage(self, configuration: Path = EXAMPLES / "veilspan.yaml", name: str = "stage") -> Process:
        """Starts our stage with the example's configuration, or with another, which finds baselines in what is recorded."""
        command = [str(built("veilspan")), "collector", "--config", str(configuration)]
        # What stands behind a first tier of ours is the same Collector as behind any stage.
        more = {"OTELCOL_SPREAD": self.addresses.otelcol_back, "BASELINES": str(self.recorded)}
        process = self.start(name, command, more)
        process.wait_until(lambda: accepts(self.addresses.stage))
        return process

    def example(self, name: str, arguments: list[str], environment: dict[str, str]) -> Process:
        """Starts one of the examples, which exports to the Collector and ends by itself."""
        endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self.addresses.otelcol_in}"}
        return self.start(name, [str(built(f"examples/{name}")), *arguments], {**endpoint, **environment})

    def veilspan(self, *arguments: str, environment: dict[str, str] | None = None, code: int = 0) -> str:
        """Runs our command line to its end, which must have this code, and gives what it prints."""
        ran = self.start(f"veilspan-{arguments[0]}", [str(built("veilspan")), *arguments], environment)
        ended = ran.wait(COMMAND_SECONDS)
        if ended != code:
            raise NotReady(f"veilspan {arguments[0]}: ended with {ended} instead of {code}")
        return ran.stdout.read_text()

    def start(self, name: str, command: list[str], more: dict[str, str] | None = None) -> Process:
        """Starts a program beside the others, with their environment and `more`."""
        return self.workspace.start(name, command, {**self._environment, **(more or {})}, REPOSITORY)


def built(program: str) -> Path:
    """A program of ours."""
    return _build_ours() / program


@cache
def _build_ours() -> Path:
    """The folder of our programs: built for release, unless a folder is named where they have been built otherwise."""
    if given := os.environ.get("INTEROP_PROGRAMS"):
        return Path(given).resolve()
    print(f"        cargo build --release {' '.join(OURS)}", flush=True)
    try:
        metadata = _cargo("metadata", "--format-version", "1", "--no-deps")
        _cargo("build", "--release", *OURS)
    except subprocess.CalledProcessError as failed:
        raise BuildFailed("\n".join(failed.stderr.splitlines()[-30:])) from None
    except subprocess.TimeoutExpired:
        raise BuildFailed(f"not within {BUILD_SECONDS:g} s") from None
    return Path(json.loads(metadata)["target_directory"]) / "release"


def _cargo(*arguments: str) -> str:
    ran = subprocess.run(
        ["cargo", *arguments], cwd=REPOSITORY, check=True, capture_output=True, text=True, timeout=BUILD_SECONDS
    )
    return ran.stdout
