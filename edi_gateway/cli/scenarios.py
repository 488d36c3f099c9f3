"""`edi-gateway demo --scenario`: scenarios listed, played, and what was not as expected."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edi_gateway.cli.frame import UserError, print_json, print_table

if TYPE_CHECKING:
    from edi_gateway.simulator.scenario import Played
    from edi_gateway.simulator.script import Script

FOLDER = "samples/scenarios"


def show_list(as_json: bool) -> None:
    """Print the scenarios of the project."""
    from edi_gateway.simulator.script import ScriptRefused, read

    rows = []
    for folder in folders():
        try:
            script = read(folder)
        except ScriptRefused as refusal:
            raise UserError(str(refusal)) from None
        rows.append((script.name, ", ".join(script.file.shows), script.file.title))
    if as_json:
        names = ("scenario", "shows", "title")
        print_json({"scenarios": [dict(zip(names, row, strict=True)) for row in rows]})
    else:
        print_table(("Scenario", "Shows", "Title"), rows, empty=f"There are none in {FOLDER}.")


def play_all(names: Sequence[str], every: bool, as_json: bool) -> int:
    """Play these scenarios, or all of the project, and print what came of them. Gives the exit code."""
    chosen = folders() if every else [folder_of(name) for name in names]
    played = []
    for script in _read(chosen):
        result = _play(script)
        played.append(result)
        if not as_json:
            _show(result)
    if as_json:
        documents = [result.as_json() for result in played]
        several = every or len(played) != 1
        print_json({"scenarios": documents, "ok": all(result.ok for result in played)} if several else documents[0])
    elif len(played) > 1:
        failed = [result.name for result in played if not result.ok]
        click.echo(f"{len(played) - len(failed)} of {len(played)} scenarios went as expected" + _named(failed))
    return 0 if all(result.ok for result in played) else 1


def folders() -> list[Path]:
    """The folders of the project's scenarios, by name."""
    for root in (Path(), Path(__file__).parents[2]):
        if (root / FOLDER).is_dir():
            return sorted(path for path in (root / FOLDER).iterdir() if path.is_dir())
    raise UserError(f"{FOLDER} is not here: run this in a checkout of the project, or name a folder with --scenario")


def folder_of(name: str) -> Path:
    """The scenario of this name, or in this folder."""
    if Path(name).is_dir() and (Path(name).is_absolute() or (Path(name) / "scenario.toml").exists()):
        return Path(name)
    known = {path.name: path for path in folders()}
    if name not in known:
        raise UserError(f"there is no scenario {name!r} and no folder of that name; there are: {', '.join(known)}")
    return known[name]


def _read(chosen: Sequence[Path]) -> list[Script]:
    """All of them, read before any is played."""
    from edi_gateway.simulator.script import ScriptRefused, read

    scripts, faults = [], []
    for folder in chosen:
        try:
            scripts.append(read(folder.resolve()))
        except ScriptRefused as refusal:
            faults.append(str(refusal))
    if faults:
        raise UserError("\n".join(faults))
    return scripts


def _play(script: Script) -> Played:
    from edi_gateway.simulator.scenario import ScenarioFailed, play

    with tempfile.TemporaryDirectory(prefix="scenario-") as folder:
        try:
            return play(script, Path(folder))
        except ScenarioFailed as failure:
            raise UserError(f"{script.name}: {failure}") from None


def _named(names: Sequence[str]) -> str:
    return f"; not {', '.join(names)}" if names else ""


def _show(played: Played) -> None:
    verdict = "as expected" if played.ok else "NOT as expected"
    shows = f" ({', '.join(played.shows)})" if played.shows else ""
    click.echo(f"{'✓' if played.ok else '✗'} {played.name}{shows}: {played.title}")
    for step in played.steps:
        refused = f"  [refused: {step['refused']}]" if step["refused"] else ""
        click.echo(f"    {step['at'][:16]}  {step['said']}{refused}{'' if step['ok'] else '  ✗'}")
    for line in _failures(played):
        click.echo(f"  {line}")
    click.echo(f"    {played.expectations} expectations, {verdict}, {played.seconds:.1f} s")


def _failures(played: Played) -> Iterator[str]:
    for failure in played.failures:
        where = f"step {failure.step}" if failure.step else "at the end"
        yield f"✗ {where}{': ' + failure.why if failure.why else ''}"
        yield from (f"    {difference}" for difference in failure.differences)
