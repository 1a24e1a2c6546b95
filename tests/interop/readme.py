"""Runs what README.md tells its readers to run with real peers: its `sh peers` blocks, in one shell, in order."""

from __future__ import annotations

import peers
from process import Workspace, clean_environment
from report import Report
from stack import REPOSITORY

NEEDS = ("otelcol", "jaeger")
README = REPOSITORY / "README.md"
FENCE = "```sh peers"
SECONDS = 1800.0


def run(report: Report, workspace: Workspace) -> None:
    """Runs the blocks; without any, nothing is counted."""
    script = _script(README.read_text()) if README.exists() else ""
    if not script:
        return
    programs = workspace.folder("bin")
    for name in NEEDS:
        (programs / name).symlink_to(peers.ALL[name].binary())
    environment = clean_environment({"XDG_CONFIG_HOME": str(workspace.folder("config"))})
    environment["PATH"] = f"{programs}:{environment['PATH']}"
    shell = workspace.start("readme", ["bash", "-e", "-c", script], environment, REPOSITORY)
    report.equal("its blocks run as they stand", shell.wait(SECONDS), 0)


def _script(text: str) -> str:
    """All marked blocks; each says its line first, so that a failure has a place."""
    script: list[str] = []
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        if not inside and line.rstrip() == FENCE:
            inside = True
            script.append(f"echo '-- README.md:{number}' >&2")
        elif inside and line.rstrip() == "```":
            inside = False
        elif inside:
            script.append(line)
    return "\n".join(script)
