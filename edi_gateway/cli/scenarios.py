"""`edi-gateway demo --scenario`: scenarios listed, played, and what was not as expected."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    documents: list[dict[str, Any]] = []
    for script in _read(chosen):
        result = _play(script)
        if not as_json:
            _show(script.name, result)
        documents.append(
            {"scenario": script.name, "title": script.file.title, "ok": False, "error": result}
            if isinstance(result, str)
            else result.as_json()
        )
    failed = [document["scenario"] for document in documents if not document["ok"]]
    if as_json:
        print_json({"scenarios": documents, "ok": not failed} if every or len(documents) != 1 else documents[0])
    elif len(documents) > 1:
        good = len(documents) - len(failed)
        click.echo(f"{good} of {len(documents)} scenarios went as expected" + _named(failed))
    if any("error" in document for document in documents):
        return 2
    return 1 if failed else 0


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


def _play(script: Script) -> Played | str:
    """What came of it, or why it could not be played to its end."""
    from edi_gateway.simulator.scenario import ScenarioFailed, play

    with tempfile.TemporaryDirectory(prefix="scenario-") as folder:
        try:
            return play(script, Path(folder))
        except ScenarioFailed as failure:
            return str(failure)


def _named(names: Sequence[str]) -> str:
    return f"; not {', '.join(names)}" if names else ""


def _show(name: str, played: Played | str) -> None:
    if isinstance(played, str):
        click.echo(f"✗ {name}: {played}")
        return
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
