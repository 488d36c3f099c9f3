"""Files generated from the directories' tables by another program, with the one fault that each has."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from edi_gateway.edifact.findings import Finding
from edi_gateway.messages.judge import judge

ENVELOPE_CODES = {"28", "29"}  # their place is the trailer's, not a segment of the message


class Row(NamedTuple):
    name: str
    contrl: str
    segment: str
    position: str
    interchange: str


def rows() -> list[Row]:
    lines = Path(__file__).with_name("generated.tsv").read_text("latin-1").splitlines()
    return [Row(*line.split("\t")) for line in lines if not line.startswith("#")]


def place(finding: Finding) -> str:
    """As the table writes it: ``3``, ``3 / 2`` or ``3 / 2:1``."""
    element = f" / {finding.element}" if finding.element else ""
    return f"{finding.position}{element}" + (f":{finding.component}" if finding.component else "")


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_exactly_the_stated_fault_is_found(row: Row) -> None:
    (interchange,) = judge([row.interchange.encode("latin-1")])
    errors = [finding for finding in interchange.all_findings() if finding.is_error]
    if not row.contrl:
        assert errors == []
        return
    (error,) = errors
    assert (error.contrl, error.segment) == (row.contrl, row.segment)
    if row.contrl not in ENVELOPE_CODES:
        assert place(error) == row.position


def test_both_directories_and_all_kinds_of_fault_are_there() -> None:
    assert {row.name[:3] for row in rows()} == {"96A", "01B"}
    assert {row.contrl for row in rows()} == {"", "12", "13", "15", "16", "28", "29", "35", "39"}
