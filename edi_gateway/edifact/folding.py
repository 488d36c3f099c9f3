"""Texts of our own put into the characters that an interchange may hold; what partners wrote is never changed."""

from __future__ import annotations

import unicodedata

from edi_gateway.edifact.characters import CHARACTER_SETS, UNKNOWN, CharacterSet, first_unwritable

_NEAR = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-", "…": "...", "€": "EUR"}
    | {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "\N{NO-BREAK SPACE}": " ", "_": "-", "@": "(a)"}
)


def fold(text: str, syntax_identifier: str) -> str:
    """The text with each character that S001/0001 does not have replaced by the nearest one that it has.

    An accent is dropped, a letter made a capital (UNOA), a sign written otherwise; what has nothing near it, and
    control characters, become blanks.
    """
    declared = CHARACTER_SETS.get(syntax_identifier, UNKNOWN)
    if first_unwritable(text, declared) is None:
        return text
    return "".join(_folded(character, declared) for character in text)


def _folded(character: str, declared: CharacterSet) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    near = character.translate(_NEAR)
    for candidate in (character, near, near.upper(), plain, plain.upper()):
        if candidate and first_unwritable(candidate, declared) is None:
            return candidate
    return " "
