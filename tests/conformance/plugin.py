"""Writes `docs/as2-conformance.md` from the outcomes of a test run: `make conformance`.

A test that holds an item of `checklist.tsv` carries the item's number in its name, `test_065_mic_covers_...`, or
several: `test_103_104_a_retry_...`. What is left out stands in `left_out.tsv`, with the reason and what a partner gets
instead; a row with a `part` leaves out only that part of an item that is held otherwise.

With `--conformance FILE` only the tests with numbers run.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parent
NUMBERED = re.compile(r"\btest_((?:\d{3}_)+)")
HEAD = """\
# AS2 conformance

Made by `make conformance` from a test run; do not edit. *rfc4130bis* is draft-ietf-ediint-rfc4130bis; which revision
was read stands in [ADR 0008](adr/0008-as2-1-3.md).

{passed} of {total} items pass, {left_out} are left out.

| number | clause | verdict | test |
|---|---|---|---|
"""
PARTS = """
## Optional parts that are left out

The items themselves are held by the tests above.

| number | part | why | what a partner gets |
|---|---|---|---|
"""


class Ran(Enum):
    """How a test came out, over all its cases: the worst counts."""

    PASSED = 0
    SKIPPED = 1
    FAILED = 2


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--conformance", metavar="FILE", help="run the numbered tests and write the AS2 table to FILE")


def pytest_configure(config: pytest.Config) -> None:
    target = config.getoption("--conformance")
    if target:
        config.pluginmanager.register(_Run(Path(target)), "as2-conformance-table")


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one of the tables beside this file."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def numbers_in(name: str) -> tuple[int, ...]:
    """The items that the name of a test says it holds."""
    match = NUMBERED.search(name)
    return tuple(int(number) for number in match[1].strip("_").split("_")) if match else ()


def numbers_held() -> frozenset[int]:
    """The items that some test in the tree carries in its name, whether it runs here or not."""
    sources = (path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    names = (name for source in sources for name in re.findall(r"^ *def (test_\d{3}_\w*)", source, re.MULTILINE))
    return frozenset(number for name in names for number in numbers_in(name))


@dataclass
class Outcomes:
    """How each numbered test came out."""

    tests: dict[int, dict[str, Ran]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, nodeid: str, ran: Ran) -> None:
        """Count one case of a test: all parameters of a test are one."""
        test = nodeid.split("[")[0]
        for number in numbers_in(test.rpartition("::")[2]):
            known = self.tests[number]
            known[test] = max(known.get(test, Ran.PASSED), ran, key=lambda each: each.value)

    def verdict(self, number: int, left_out: dict[str, str] | None) -> str:
        """`pass`, or `left out: why`; FAIL if a test failed."""
        ran = set(self.tests.get(number, {}).values())
        if Ran.FAILED in ran:
            return "FAIL"
        if left_out is not None:
            return f"left out: {left_out['reason']} {left_out['behaviour']}"
        if Ran.PASSED in ran:
            return "pass"
        return "left out: its tests were skipped in this run." if ran else "left out: no test holds it yet."


def table(outcomes: Outcomes, checklist: Iterable[dict[str, str]], left_out: Iterable[dict[str, str]]) -> str:
    """The page."""
    left_out = list(left_out)
    whole = {int(row["number"]): row for row in left_out if not row["part"]}
    lines, verdicts = [], []
    for row in checklist:
        number = int(row["number"])
        verdict = outcomes.verdict(number, whole.get(number))
        verdicts.append(verdict)
        tests = "<br>".join(f"`{test}`" for test in sorted(outcomes.tests.get(number, {})))
        lines.append(_line(str(number), f"{row['clause']}: {row['requirement']}", verdict, tests))
    parts = [_line(row["number"], row["part"], row["reason"], row["behaviour"]) for row in left_out if row["part"]]
    passed = verdicts.count("pass")
    head = HEAD.format(
        passed=passed, total=len(verdicts), left_out=sum(each.startswith("left out") for each in verdicts)
    )
    return head + "".join(lines) + (PARTS + "".join(parts) if parts else "")


def _line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


class _Run:
    """The hooks of one run."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.outcomes = Outcomes()

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        others = [item for item in items if not numbers_in(item.name)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if numbers_in(item.name)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.outcomes.add(report.nodeid, Ran.FAILED)
        elif report.skipped:
            self.outcomes.add(report.nodeid, Ran.SKIPPED)
        elif report.when == "call":
            self.outcomes.add(report.nodeid, Ran.PASSED)

    def pytest_sessionfinish(self) -> None:
        text = table(self.outcomes, rows("checklist.tsv"), rows("left_out.tsv"))
        self.target.write_text(text, encoding="utf-8")
