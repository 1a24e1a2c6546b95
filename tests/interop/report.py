"""Counts and prints checks; the last line is for machines."""

from __future__ import annotations

import os
from typing import Any


class Report:
    """One line for each check, and a verdict over all of them."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0
        self.skipped = 0
        self._scope = ""

    def within(self, scope: str) -> None:
        """Names the scenario that the next checks belong to."""
        self._scope = scope
        print(f"== {scope}", flush=True)

    def check(self, promise: str, holds: bool, found: Any = None) -> bool:
        """Counts one check; `found` is shown where it does not hold."""
        if holds:
            self.passed += 1
            print(f"ok      {self._scope}: {promise}", flush=True)
            return True
        self.failed += 1
        shown = "" if found is None else f" (found: {_short(found)})"
        print(f"FAILED  {self._scope}: {promise}{shown}", flush=True)
        return False

    def equal(self, promise: str, found: Any, wanted: Any) -> bool:
        """Counts one check that two values are equal."""
        return self.check(promise, found == wanted, f"{_short(found)}, wanted {_short(wanted)}")

    def skip(self, what: str, why: str) -> None:
        """Counts one thing that could not be tried."""
        self.skipped += 1
        print(f"skipped {what}: {why}", flush=True)

    def finish(self) -> int:
        """Prints the summary and gives the exit code."""
        skips_count = os.environ.get("CI") == "true"
        if self.skipped and skips_count:
            print(f"CI=true: {self.skipped} skipped, and a skip is a failure here")
        print(f"interop: passed={self.passed} failed={self.failed} skipped={self.skipped}", flush=True)
        return 1 if self.failed or (self.skipped and skips_count) else 0


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 600 else f"{text[:600]}…"
