"""What a benchmark gives, and its one JSON shape.

{"benchmark", "cores", "input": {...}, "ours": {"figure_unit": value}, "peers": {"name": {"figure_unit": value}},
 "ratios": {"figure/peer": value}}
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

Say = Callable[[str], None]
"""Takes one line of progress."""

LEFT_OUT = "left_out"


class WrongArguments(ValueError):
    """The command line names what the benchmark does not have; the text says what it has."""


def left_out(why: str) -> dict[str, str]:
    """The entry of a peer that cannot run here."""
    return {LEFT_OUT: why}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The figures of one run. `more_ratios` are those that do not divide our figure by a peer's of the same name."""

    benchmark: str
    input: Mapping[str, Any]
    ours: Mapping[str, float]
    peers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    more_ratios: Mapping[str, float] = field(default_factory=dict)

    @property
    def ratios(self) -> dict[str, float]:
        """Ours by theirs, for every figure that a peer has too."""
        shared = {
            f"{figure}/{name}": self.ours[figure] / value
            for name, figures in self.peers.items()
            for figure, value in figures.items()
            if figure in self.ours and value
        }
        return shared | dict(self.more_ratios)

    def as_json(self) -> dict[str, Any]:
        """The document that others rely on."""
        return {
            "benchmark": self.benchmark,
            "cores": cores(),
            "input": dict(self.input),
            "ours": {figure: rounded(value) for figure, value in self.ours.items()},
            "peers": {name: {k: rounded(v) for k, v in figures.items()} for name, figures in self.peers.items()},
            "ratios": {name: rounded(value) for name, value in self.ratios.items()},
        }


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def rounded(value: Any) -> Any:
    """Three significant places below 100, one place above: nothing here is known better."""
    if not isinstance(value, float):
        return value
    return round(value, 1) if abs(value) >= 100 else float(f"{value:.3g}")


def median_of(values: list[float]) -> float:
    return float(median(values))
