"""The seeds of the fuzzer as ordinary tests: made ones and kept ones, and a little of each cut short."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

SEEDS = Path(__file__).parent / "seeds"


def kept(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((SEEDS / name).iterdir())]


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_read(name: str) -> None:
    seeds = [*TARGETS[name].seeds(), *kept(name)]
    assert len(seeds) >= 5
    for seed in seeds:
        TARGETS[name].run(seed)


@pytest.mark.parametrize("name", TARGETS)
def test_every_made_seed_is_read_when_it_is_cut_short(name: str) -> None:
    for seed in TARGETS[name].seeds():
        for end in range(0, len(seed), max(1, len(seed) // 7)):
            TARGETS[name].run(seed[:end])


def test_kept_seeds_belong_to_a_target_and_are_small() -> None:
    assert {path.name for path in SEEDS.iterdir()} == set(TARGETS)
    assert sum(path.stat().st_size for path in SEEDS.rglob("*") if path.is_file()) < 512 * 1024
