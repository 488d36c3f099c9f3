"""The programs and packages that some tests talk with: found, installed where that is possible, or named as left out.

A test whose peer is missing is skipped with `left_out(peer, why)`; the run then says at its end, in one line, which
peers were left out and why. This module is a pytest plugin for that line.
"""

from __future__ import annotations

import shutil

import pytest

PREFIX = "peer left out: "


def left_out(peer: str, why: str) -> str:
    """The reason of a skip."""
    return f"{PREFIX}{peer} ({why})"


def needs(program: str) -> pytest.MarkDecorator:
    """Skip where the program is not installed."""
    return pytest.mark.skipif(shutil.which(program) is None, reason=left_out(program, "not installed"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = {_reason(report) for report in terminalreporter.stats.get("skipped", ())}
    peers = sorted(reason.partition(PREFIX)[2] for reason in reasons if PREFIX in reason)
    if peers:
        terminalreporter.write_line(f"interoperability: left out {', '.join(peers)}", yellow=True)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
