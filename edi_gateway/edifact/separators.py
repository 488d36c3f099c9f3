"""The service characters: what UNA declares, what holds without one, what the syntax version changes.

ISO 9735 §5 and annex B; from syntax 4 on ISO 9735-1 §5 and annex B. A UNA is six characters: component separator,
element separator, decimal mark, release character, repetition separator (reserved before syntax 4),
segment terminator.
"""

from __future__ import annotations

from dataclasses import replace

from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.rules import (
    SEPARATOR_ALPHANUMERIC,
    SEPARATOR_NOT_USABLE,
    SEPARATORS_EQUAL,
)
from edi_gateway.edifact.segment import Separators

LEVEL_A = Separators()
# Syntax level B separates with information separators, which never occur in text: nothing to release.
LEVEL_B = Separators(component="\x1f", element="\x1d", decimal=".", release="", terminator="\x1c")

UNA_LENGTH = 9
REPETITION_DEFAULT = "*"
REPETITION_SINCE = "4"
_NONE = " "
_LINE_ENDS = "\r\n"


def read_una(characters: str) -> tuple[Separators, list[Finding]]:
    """The separators that the six characters after ``UNA`` declare, and what forbids their use.

    UNA5 is kept as declared; `in_force` decides whether it separates. Two roles played by one
    character are 0085 = 22, letters, digits and characters outside ASCII 20.
    """
    component, element, decimal, release, repetition, terminator = tuple(characters)
    declared = Separators(component, element, decimal, _unless_none(release), _unless_none(repetition), terminator)
    return replace(declared, decimal_marks=decimal), _faults(declared, characters)


def _unless_none(character: str) -> str:
    return "" if character == _NONE else character


def _faults(declared: Separators, characters: str) -> list[Finding]:
    roles = (declared.component, declared.element, declared.decimal, declared.release, declared.terminator)
    used = [character for character in roles if character]
    for character in used:
        if character.isalnum():
            return [Finding(SEPARATOR_ALPHANUMERIC, segment="UNA", value=characters, expected=character)]
        if not _usable(character, terminator=character == declared.terminator):
            return [Finding(SEPARATOR_NOT_USABLE, segment="UNA", value=characters, expected=f"<{ord(character):02X}>")]
    if len(set(used)) < len(used):
        twice = next(character for character in used if used.count(character) > 1)
        return [Finding(SEPARATORS_EQUAL, segment="UNA", value=characters, expected=twice)]
    return []


def _usable(character: str, *, terminator: bool) -> bool:
    """A blank or a line end is no separator, but a line end may terminate (seen in the wild)."""
    if character in _LINE_ENDS:
        return terminator
    return character.isascii() and character != _NONE and character != "\x00"


def can_split(declared: Separators) -> bool:
    """Whether separators that are refused still split a header, so that it tells who is to be told.

    So do letters and digits; blanks, control characters and one character in two roles do not.
    """
    used = [declared.component, declared.element, declared.terminator, *declared.release]
    return len(set(used)) == len(used) and all(c.isprintable() and c.isascii() and c != _NONE for c in used)


def default_separators(after_unb: str) -> Separators:
    """Without UNA the byte after ``UNB`` decides: level B's information separators, or level A's."""
    return LEVEL_B if after_unb == LEVEL_B.element else LEVEL_A


def in_force(declared: Separators, syntax_version: str, *, una: bool) -> Separators:
    """The separators of an interchange of this syntax version.

    Repetition exists from version 4 on, and there only if UNA5 is no space; before that UNA5 is
    reserved and partners write ``*`` into it while they use it as data. From version 4 on UNA3 is
    ignored: both decimal marks are legal, as they are in any version without UNA.
    """
    if syntax_version < REPETITION_SINCE or len(syntax_version) != 1:
        return replace(declared, repetition="")
    repetition = declared.repetition if una or declared == LEVEL_B else REPETITION_DEFAULT
    return replace(declared, repetition=repetition, decimal_marks=".,")


def una(separators: Separators) -> str:
    """The service string advice that declares these separators."""
    return (
        f"UNA{separators.component}{separators.element}{separators.decimal}"
        f"{separators.release or _NONE}{separators.repetition or _NONE}{separators.terminator}"
    )
