"""What our own walker makes of requests, beside what Go's decoder makes of them."""

from __future__ import annotations

import os
import subprocess

import peers
from process import Workspace
from report import Report
from stack import REPOSITORY

NEEDS = ("decoder",)
SECONDS = 3600.0


def run(report: Report, workspace: Workspace) -> None:
    """The test that makes up the requests, with the decoder to ask."""
    del workspace
    asked = {"VEILSPAN_GO_DECODER": str(peers.ALL["decoder"].binary())}
    test = ("cargo", "test", "--quiet", "--test", "otlp_walk", "--", "--ignored", "--exact", "a_go_decoder_agrees")
    ran = subprocess.run(
        test,
        cwd=REPOSITORY,
        env={**os.environ, **asked},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
    )
    has_run = ran.returncode == 0 and "1 passed" in ran.stdout
    report.check("Go's decoder agrees on requests of every shape", has_run, ran.stdout[-2000:])
