"""Runs scenarios against real peers; see `run`."""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import axum
import back_ends
import clients
import decoder
import dialects
import first_tier
import imports
import no_stage
import one_collector
import peers
import readme
import replays
import scale_out
import sdk_plugin
from builds import Unavailable
from process import NotReady, Workspace
from report import Report
from stack import BuildFailed

USAGE_ERROR = 64


@dataclass(frozen=True)
class Scenario:
    """A test with real programs, and the peers it cannot do without."""

    run: Callable[[Report, Workspace], None]
    needs: tuple[str, ...]


SCENARIOS = {
    "no-stage": Scenario(no_stage.run, no_stage.NEEDS),
    "one-collector": Scenario(one_collector.run, one_collector.NEEDS),
    "python": Scenario(clients.run_python, clients.PYTHON_NEEDS),
    "node": Scenario(clients.run_node, clients.NODE_NEEDS),
    "dialects": Scenario(dialects.run, dialects.NEEDS),
    "imports": Scenario(imports.run, imports.NEEDS),
    "replay-jaeger": Scenario(replays.run_jaeger, replays.JAEGER_NEEDS),
    "replay-tempo": Scenario(replays.run_tempo, replays.TEMPO_NEEDS),
    "scale-out": Scenario(scale_out.run, scale_out.NEEDS),
    "first-tier": Scenario(first_tier.run, first_tier.NEEDS),
    "tempo": Scenario(back_ends.run_tempo, back_ends.TEMPO_NEEDS),
    "phoenix": Scenario(back_ends.run_phoenix, back_ends.PHOENIX_NEEDS),
    "sdk_plugin": Scenario(sdk_plugin.run, sdk_plugin.NEEDS),
    "axum": Scenario(axum.run, axum.NEEDS),
    "decoder": Scenario(decoder.run, decoder.NEEDS),
    "readme": Scenario(readme.run, readme.NEEDS),
}


def main(names: list[str]) -> int:
    """Builds peers, runs scenarios, gives the exit code."""
    unknown = sorted(set(names) - SCENARIOS.keys() - peers.ALL.keys())
    if unknown:
        print(f"unknown: {' '.join(unknown)}; there are {' '.join([*SCENARIOS, *peers.ALL])}", file=sys.stderr)
        return USAGE_ERROR
    # A stopped suite unwinds, so that its children stop too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report = Report()
    scenarios = {name: scenario for name, scenario in SCENARIOS.items() if not names or name in names}
    needed = {peer for scenario in scenarios.values() for peer in scenario.needs}
    available = build(report, [name for name in peers.ALL if name in needed or name in names])
    for name, scenario in scenarios.items():
        missing = sorted(set(scenario.needs) - available)
        if missing:
            report.skip(name, f"it needs {' and '.join(missing)}")
        else:
            play(report, name, scenario)
    return report.finish()


def build(report: Report, names: list[str]) -> set[str]:
    """Builds peers; those that cannot be had are skipped by name."""
    report.within("peers")
    available = set()
    for name in names:
        try:
            program = peers.ALL[name].binary()
        except Unavailable as why:
            report.skip(name, str(why))
        else:
            report.check(f"{name} is {program}", True)
            available.add(name)
    return available


def play(report: Report, name: str, scenario: Scenario) -> None:
    """Runs one scenario; its logs are shown and kept if anything in it failed."""
    report.within(name)
    failed_before = report.failed
    with Workspace(name) as workspace:
        try:
            scenario.run(report, workspace)
        except (NotReady, BuildFailed) as why:
            report.check("it ran to its end", False, str(why))
        except Exception:
            # Whatever ends one scenario, the others have something to say.
            report.check("it ran to its end", False, traceback.format_exc(limit=-2))
    if report.failed > failed_before:
        workspace.show()
    else:
        workspace.remove()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
