"""Failpoints: named, armed by text, and on the path that they name."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from edi_gateway import failpoints

SOURCES = Path(failpoints.__file__).parent


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


def test_a_point_that_is_not_armed_does_nothing() -> None:
    failpoints.arm("payload:written=disk-full")
    failpoints.reach("payload:synced")


def test_a_point_fails_from_the_time_on_that_stands_behind_it() -> None:
    assert failpoints.arm("payload:written#2=disk-full, send:connected=io-error") == (
        "payload:written",
        "send:connected",
    )
    failpoints.reach("payload:written")
    for _ in range(2):
        with pytest.raises(OSError) as caught:
            failpoints.reach("payload:written")
        assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nowhere", "no point 'nowhere'"),
        ("receive.accept", "no point 'receive.accept'"),
        ("payload:written#0", "from 1"),
        ("payload:written#x", "from 1"),
        ("payload:written=explode", "kill, disk-full"),
        ("payload:written=wait-61", "wait-SECONDS"),
        ("payload:written=wait-", "wait-SECONDS"),
    ],
)
def test_what_cannot_be_armed_is_refused_with_what_can(text: str, says: str) -> None:
    with pytest.raises(failpoints.FailpointUnknown, match=re.escape(says)):
        failpoints.arm(text)


def test_every_step_and_place_stands_somewhere_in_the_code() -> None:
    code = "\n".join(path.read_text("utf-8") for path in SOURCES.rglob("*.py") if path.name != "failpoints.py")
    steps = set(re.findall(r'\.write(?:_together)?\("([a-z.-]+)"', code))
    places = set(re.findall(r'reach\("([a-z.:-]+)"\)', code))
    assert steps == set(failpoints.STEPS)
    assert places == set(failpoints.PLACES)
