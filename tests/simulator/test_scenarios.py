"""The scenarios of the project, each played end to end over AS2; and scripts that cannot be played."""

from __future__ import annotations

from pathlib import Path

import pytest

from edi_gateway.simulator.scenario import play
from edi_gateway.simulator.script import read

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted((ROOT / "samples" / "scenarios").iterdir())


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda folder: folder.name)
def test_it_goes_as_expected(folder: Path, tmp_path: Path) -> None:
    played = play(read(folder), tmp_path / "stage")
    assert [(failure.step, failure.of, *failure.differences) for failure in played.failures] == []
    assert played.expectations
