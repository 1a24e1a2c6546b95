"""Sends the same spans through an unmodified Collector and through our stage, and prints what each took: `speed`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import peers
from process import Process, Workspace, accepts, clean_environment, free_addresses
from stack import built

SPANS = 1_000_000
LOAD = Path(__file__).resolve().parent / "clients" / "load.py"
LOAD_SECONDS = 1800.0
# The answer waits for the one behind, in both.
COLLECTOR = """
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "{listen}"}}}}}}}}
exporters:
  otlp: {{endpoint: "{next}", tls: {{insecure: true}}, compression: none, sending_queue: {{enabled: false}}}}
service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp]}}}}, telemetry: {{metrics: {{level: none}}}}}}
"""
SINK = """
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "{listen}"}}}}}}}}
exporters: {{debug: {{verbosity: basic, sampling_initial: 1, sampling_thereafter: 1000000}}}}
service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [debug]}}}}, telemetry: {{metrics: {{level: none}}}}}}
"""
STAGE = """
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "{listen}"}}}}}}}}
processors: {{privacy: {{}}, reduce: {{}}}}
exporters: {{otlp: {{endpoint: "http://{next}"}}}}
service: {{pipelines: {{traces: {{receivers: [otlp], processors: [{processors}], exporters: [otlp]{more}}}}}}}
"""
STAGES = {
    "stage, nothing but pass on": {"processors": "", "more": ", privacy: off"},
    "stage, privacy": {"processors": "privacy", "more": ""},
    "stage, privacy and reduce": {"processors": "privacy, reduce", "more": ""},
}


@dataclass(frozen=True)
class Taken:
    """What one program took for one load."""

    cpu_seconds: float
    peak_mib: float


def main(spans: int) -> None:
    """Every candidate on the same load; the Collector is the measure."""
    print(f"{spans:,} spans of 14 attributes, 512 in a request: CPU seconds and peak resident memory of the program alone")
    collector = measure("collector", spans, lambda listen, after: _collector(COLLECTOR.format(listen=listen, next=after)))
    show("Collector", collector, collector)
    for name, filled in STAGES.items():
        taken = measure("stage", spans, lambda listen, after, filled=filled: _stage(listen, after, filled))
        show(name, taken, collector)


def show(name: str, taken: Taken, beside: Taken) -> None:
    """One row."""
    cpu, memory = taken.cpu_seconds / beside.cpu_seconds, taken.peak_mib / beside.peak_mib
    print(f"{name:28} {taken.cpu_seconds:8.2f} s {cpu:6.2f} {taken.peak_mib:9.1f} MiB {memory:6.2f}", flush=True)


def measure(name: str, spans: int, program: Callable[[str, str], tuple[str, list[str]]]) -> Taken:
    """Starts a sink, the program before it, and the load before that."""
    with Workspace(f"speed-{name}") as workspace:
        listen, after = free_addresses(2)
        start(workspace, "sink", *_collector(SINK.format(listen=after)), after)
        text, command = program(listen, after)
        process = start(workspace, name, text, command, listen)
        warm(workspace, listen)
        before = cpu_seconds(process)
        load(workspace, listen, spans)
        taken = Taken(cpu_seconds(process) - before, peak_mib(process))
    workspace.remove()
    return taken


def start(workspace: Workspace, name: str, configuration: str, command: list[str], listen: str) -> Process:
    """Starts a program on a configuration of ours."""
    path = workspace.path / f"{name}.yaml"
    path.write_text(configuration)
    environment = clean_environment({"XDG_CONFIG_HOME": str(workspace.folder("config"))})
    process = workspace.start(name, [*command, str(path)], environment, workspace.path)
    process.wait_until(lambda: accepts(listen))
    return process


def warm(workspace: Workspace, listen: str) -> None:
    """What is done once, such as connecting, is not what is measured."""
    load(workspace, listen, 10_000)


def load(workspace: Workspace, listen: str, spans: int) -> None:
    """Sends this many spans, and waits for every answer."""
    command = [str(peers.ALL["python-clients"].binary()), "-B", str(LOAD), listen, str(spans)]
    process = workspace.start("load", command, clean_environment({}), workspace.path)
    if process.wait(LOAD_SECONDS) != 0:
        raise SystemExit(process.stderr.read_text())


def cpu_seconds(process: Process) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(process: Process) -> float:
    """The most memory a process has had resident."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    kib = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(kib) / 1024


def _collector(configuration: str) -> tuple[str, list[str]]:
    return configuration, [str(peers.ALL["otelcol"].binary()), "--config"]


def _stage(listen: str, after: str, filled: dict[str, str]) -> tuple[str, list[str]]:
    return STAGE.format(listen=listen, next=after, **filled), [str(built("veilspan")), "collector", "--config"]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SPANS)
