"""The scenarios of the project, each played end to end over AS2; and scripts that cannot be played."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edi_gateway.cli import main
from edi_gateway.simulator.scenario import play
from edi_gateway.simulator.script import read

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted((ROOT / "samples" / "scenarios").iterdir())


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda folder: folder.name)
def test_it_goes_as_expected(folder: Path, tmp_path: Path) -> None:
    played = play(read(folder), tmp_path / "stage")
    assert [(failure.step, failure.of, *failure.differences) for failure in played.failures] == []
    assert played.expectations


# Scripts of others.


GOOD = """
title = "One order"
begins = 2026-11-23T08:00:00Z
[[step]]
order = { file = "order.json" }
[[expect]]
of = "orders"
have = [{ state = "acknowledged" }]
"""


def scenario(folder: Path, text: str = GOOD) -> Path:
    """A scenario folder of somebody else."""
    folder.mkdir()
    (folder / "scenario.toml").write_text(text, encoding="utf-8")
    (folder / "order.json").write_bytes((ROOT / "samples" / "orders-plain.json").read_bytes())
    return folder


def demo(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["demo", *map(str, arguments)])


def test_a_folder_anywhere_is_played(tmp_path: Path) -> None:
    done = demo("--scenario", scenario(tmp_path / "mine"), "--json")
    assert done.exit_code == 0, done.output
    shown = json.loads(done.stdout)
    assert (shown["scenario"], shown["ok"], shown["failures"]) == ("mine", True, [])
    assert shown["orders"][0]["number"] == "MP4K7QX1"


def test_what_is_not_as_expected_is_said_place_by_place(tmp_path: Path) -> None:
    wrong = GOOD.replace(
        'state = "acknowledged"', 'state = "shipped", lines = [{}, {}, { quantities = { ordered = 5 } }]'
    )
    done = demo("--scenario", scenario(tmp_path / "mine", wrong))
    assert done.exit_code == 1
    assert "orders[1].state: expected 'shipped', found 'acknowledged'" in done.output
    assert "orders[1].lines[3].quantities.ordered: expected 5, found '4'" in done.output


@pytest.mark.parametrize(
    ("found", "replaced", "key", "said"),
    [
        ("begins", "beginns", "beginns", "did you mean begins?"),
        ("2026-11-23T08:00:00Z", "2026-11-23T08:00:00", "begins", "without its zone"),
        ('of = "orders"', 'of = "order"', "expect[1].of", "cannot be looked at"),
        ('of = "orders"', 'of = "orders"\nat = "nobody"', "expect[1].at", "one of marketplace, vendor"),
        ("order = {", "ordre = {", "step[1].ordre", "did you mean order?"),
        ('"order.json"', '"other.json"', "step[1].order.file", "no file 'other.json'"),
        ('"order.json"', '"../order.json"', "step[1].order.file", "no file of the scenario"),
        ("order = {", 'after = "soon"\norder = {', "step[1].after", "not a duration"),
        ("order = {", 'payment = { order = "X", state = "accepted" }\norder = {', "step[1]", "a step does one thing"),
        ('"order.json" }', '"order.json", vendor = "nobody" }', "step[1]", "there is no vendor 'nobody'"),
        ("[[expect]]", '[vendors.vendor]\nbehaviours = ["nice"]\n[[expect]]', "vendors.vendor.behaviours[1]", "'nice'"),
        ("have = [", "count = 0\nhave = [", "expect[1]", "count or a list"),
    ],
)
def test_a_fault_of_a_script_is_named(tmp_path: Path, found: str, replaced: str, key: str, said: str) -> None:
    done = demo("--scenario", scenario(tmp_path / "mine", GOOD.replace(found, replaced)))
    assert done.exit_code == 2
    assert f"scenario.toml: {key}: " in done.output
    assert said in done.output


def test_a_step_that_is_refused_unasked_ends_the_play(tmp_path: Path) -> None:
    pay = '[[step]]\npayment = { order = "NONE", state = "accepted" }\n[[expect]]'
    done = demo("--scenario", scenario(tmp_path / "mine", GOOD.replace("[[expect]]", pay)))
    assert done.exit_code == 2
    assert "step 2, payment NONE accepted: refused: there is no order NONE" in done.output


def test_a_partnership_that_cannot_be_is_said(tmp_path: Path) -> None:
    vendors = '[vendors.vendor.agreement.tolerances]\nabsent_lines = "accepted"\n[[expect]]'
    done = demo("--scenario", scenario(tmp_path / "mine", GOOD.replace("[[expect]]", vendors)))
    assert done.exit_code == 2
    assert "tolerances.absent_lines: unknown key" in done.output


def test_an_unknown_scenario_is_said() -> None:
    done = demo("--scenario", "g99")
    assert done.exit_code == 2
    assert "there is no scenario 'g99'" in done.output


def test_the_list_names_every_golden_scenario() -> None:
    listed = json.loads(demo("--list", "--json").stdout)["scenarios"]
    assert {f"G{number}" for number in range(1, 19) if number != 17} <= set(
        ", ".join(each["shows"] for each in listed).split(", ")
    )
