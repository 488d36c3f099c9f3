"""Writes `docs/as2-conformance.md` from the outcomes of a test run.

A test that holds an item of `checklist.tsv` carries the item's number in its name: `test_065_mic_covers_...`. What is
left out stands in `left_out.tsv`, with the reason and what a partner gets instead.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NUMBERED = re.compile(r"test_(\d{3})_")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--conformance", metavar="FILE", help="write the AS2 conformance table to FILE")


def pytest_configure(config: pytest.Config) -> None:
    target = config.getoption("--conformance")
    if target:
        config.pluginmanager.register(_Table(Path(target)), "as2-conformance-table")


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one of the tables beside this file."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


class _Table:
    def __init__(self, target: Path) -> None:
        self.target = target
        self.outcomes: dict[int, dict[str, bool]] = defaultdict(dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        match = NUMBERED.search(report.nodeid)
        if match is None or (report.when != "call" and report.passed):
            return
        test = report.nodeid.split("[")[0]
        known = self.outcomes[int(match[1])]
        known[test] = known.get(test, True) and report.passed

    def pytest_sessionfinish(self) -> None:
        left_out = {int(row["number"]): row for row in rows("left_out.tsv")}
        lines = [
            "# AS2 conformance",
            "",
            "Made by `make conformance` from the test run. *rfc4130bis* is draft-ietf-ediint-rfc4130bis.",
            "",
            "| number | clause | requirement | verdict | test |",
            "|---|---|---|---|---|",
        ]
        lines += [self._row(row, left_out) for row in rows("checklist.tsv")]
        self.target.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _row(self, row: dict[str, str], left_out: dict[int, dict[str, str]]) -> str:
        number = int(row["number"])
        tests = self.outcomes.get(number, {})
        if tests:
            verdict = "pass" if all(tests.values()) else "FAIL"
        elif number in left_out:
            verdict = f"left out: {left_out[number]['reason']} {left_out[number]['behaviour']}"
        else:
            verdict = "left out: not yet held by a test."
        names = "<br>".join(f"`{test}`" for test in sorted(tests))
        requirement = row["requirement"].replace("|", "\\|")
        return f"| {number} | {row['clause']} | {requirement} | {verdict} | {names} |"
