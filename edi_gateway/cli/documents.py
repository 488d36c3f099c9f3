"""EDIFACT files on the command line: opened, and what is wrong with them shown to people."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import click

from edi_gateway.cli.frame import UserError, load_config
from edi_gateway.edifact.findings import Finding, Language, Severity

if TYPE_CHECKING:
    from edi_gateway.partnership import Partnership

CHUNK_BYTES = 64 * 1024

ALL_VALID, ERRORS_FOUND, NOT_READ = 0, 1, 2
"""Exit codes of the commands that judge files."""

VALUE_CHARACTERS_SHOWN = 300
"""How much of a value, or of a sentence that holds one, people are shown."""

STANDARD_INPUT = "-"

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "error": "error",
        "warning": "warning",
        "info": "note",
        "segment": "segment {0}",
        "element": "element {0}",
        "component": "component {0}",
        "byte": "byte {0}",
        "found": "found: {0}",
        "expected": "expected: {0}",
        "and": "; ",
        "directory": "this is a directory; name the files in it",
    },
    "fr": {
        "error": "erreur",
        "warning": "avertissement",
        "info": "remarque",
        "segment": "segment {0}",
        "element": "élément {0}",
        "component": "composant {0}",
        "byte": "octet {0}",
        "found": "trouvé : {0}",
        "expected": "attendu : {0}",
        "and": " ; ",
        "directory": "c'est un dossier ; nommez les fichiers qu'il contient",
    },
}
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}

language_option = click.option(
    "--language",
    "--lang",
    "language",
    type=click.Choice(["en", "fr"]),
    default="en",
    show_default=True,
    help="Of the texts.",
)


def open_file(path: str) -> AbstractContextManager[IO[bytes]]:
    """A file, or the standard input. Raises OSError."""
    if "\0" in path:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return nullcontext(sys.stdin.buffer) if path == STANDARD_INPUT else Path(path).open("rb")


def reason_unread(error: OSError, language: Language) -> str:
    """Why a file could not be read, for people."""
    if isinstance(error, IsADirectoryError):
        return _WORDS[language]["directory"]
    return error.strerror or str(error)


def say(line: str, *, err: bool = False, bold: bool = False) -> None:
    """A line with text from a file: control characters in it must not reach the terminal."""
    shown = "".join(character if character.isprintable() else "?" for character in line)
    click.secho(shown, err=err, bold=bold)


def print_finding(finding: Finding, language: Language, indent: str) -> None:
    """A finding on four lines: how grave and where, what, what was found and expected, what to do."""
    words = _WORDS[language]
    severity = click.style(words[finding.severity.value], fg=_COLOURS[finding.severity])
    click.echo(f"{indent}{severity} {finding.code}  {', '.join(_places(finding, words))}")
    say(f"{indent}  {_shortened(finding.text(language))}")
    given = [
        words[label].format(_shortened(value))
        for label, value in (("found", finding.value), ("expected", finding.expected))
        if value is not None
    ]
    if given:
        say(f"{indent}  {words['and'].join(given)}")
    say(f"{indent}  -> {finding.hint(language)}")


def _shortened(text: str) -> str:
    """A value may be as long as a segment; JSON shows all of it."""
    left_out = len(text) - VALUE_CHARACTERS_SHOWN
    return text if left_out <= 0 else f"{text[:VALUE_CHARACTERS_SHOWN]}… (+{left_out})"


def _places(finding: Finding, words: dict[str, str]) -> Iterator[str]:
    if finding.path or finding.segment:
        yield finding.path or cast(str, finding.segment)
    for label, place in (
        ("segment", finding.position),
        ("element", finding.element),
        ("component", finding.component),
        ("byte", finding.offset),
    ):
        if place is not None:
            yield words[label].format(place)


def partner_of_folder(name: str) -> Partnership:
    """What the folder of a trading partner describes, in force or not. Raises UserError with everything wrong in it."""
    from edi_gateway.gateway import onboarding  # it brings the store, which the start of a command cannot wait for
    from edi_gateway.partner_file import Ours

    config = load_config()
    folders, problems = onboarding.read_folders(config.partners_dir, [name])
    ours = Ours(as2_id=config.identity.as2_id, gln=config.identity.gln)
    checked = onboarding.check(folders, ours, datetime.now(UTC))
    if problems or checked.problems:
        raise UserError("\n".join(str(problem) for problem in (*problems, *checked.problems)))
    (partnership,) = checked.partnerships
    return partnership
