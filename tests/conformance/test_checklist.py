"""The conformance table covers the whole checklist, and says what it knows and nothing more."""

from __future__ import annotations

import pytest

from tests.conformance.plugin import Outcomes, Ran, numbers_held, numbers_in, rows, table

ITEMS = 126
ROW = {"number": "65", "clause": "RFC 4130 §7.3.1", "requirement": "signed | exactly the signed bytes"}
WHOLE = {"number": "65", "part": "", "reason": "Nobody does.", "behaviour": "501."}


def left_out() -> set[int]:
    return {int(row["number"]) for row in rows("left_out.tsv") if not row["part"]}


def test_the_checklist_is_whole() -> None:
    assert [int(row["number"]) for row in rows("checklist.tsv")] == list(range(1, ITEMS + 1))
    assert all(row["clause"] and row["requirement"] for row in rows("checklist.tsv"))


def test_every_item_is_held_by_a_test_or_left_out_with_the_reason() -> None:
    assert set(range(1, ITEMS + 1)) - numbers_held() - left_out() == set()
    assert all(row["reason"] and row["behaviour"] for row in rows("left_out.tsv"))


def test_what_is_left_out_as_a_whole_is_not_claimed_by_a_test() -> None:
    assert left_out() & numbers_held() == set()


def test_no_test_claims_an_item_that_does_not_exist() -> None:
    assert max(numbers_held()) <= ITEMS


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("test_065_mic", (65,)),
        ("test_103_104_a_retry", (103, 104)),
        ("test_two", ()),
        ("test_2048_bits", ()),
        ("test_a_key_of_128_bits", ()),
    ],
)
def test_the_name_of_a_test_says_what_it_holds(name: str, numbers: tuple[int, ...]) -> None:
    assert numbers_in(name) == numbers


@pytest.mark.parametrize(
    ("cases", "left", "verdict"),
    [
        ([Ran.PASSED, Ran.PASSED], [], "pass"),
        ([Ran.PASSED, Ran.FAILED], [], "FAIL"),
        ([Ran.SKIPPED], [], "left out: its tests were skipped in this run."),
        ([], [], "left out: no test holds it yet."),
        ([], [WHOLE], "left out: Nobody does. 501."),
        ([Ran.PASSED], [WHOLE | {"part": "the half"}], "pass"),
    ],
)
def test_the_verdict_follows_from_the_run(cases: list[Ran], left: list[dict[str, str]], verdict: str) -> None:
    outcomes = Outcomes()
    for number, ran in enumerate(cases):
        outcomes.add(f"tests/test_mic.py::test_065_mic[{number}]", ran)
    lines = table(outcomes, [ROW], left).splitlines()
    assert "| number | clause | verdict | test |" in lines
    test = "`tests/test_mic.py::test_065_mic`" if cases else ""
    assert f"| 65 | RFC 4130 §7.3.1: signed \\| exactly the signed bytes | {verdict} | {test} |" in lines
    assert any("the half" in line for line in lines) is bool(left and left[0]["part"])
