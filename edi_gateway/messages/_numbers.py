"""Numeric values as ISO 9735-1 §10 writes them: digits, one decimal mark between digits, a minus before."""

from __future__ import annotations

import re

from edi_gateway.edifact.findings import Rule
from edi_gateway.messages import rules

_ANY_MARK = ".,"
_NUMBER = re.compile(r"-?[0-9]+(?:[.,][0-9]+)?")
_NO_DIGIT_BEFORE_MARK = re.compile(r"-?[.,][0-9]+")
_NO_DIGIT_AFTER_MARK = re.compile(r"-?[0-9]+[.,]")
_LEADING_ZERO = re.compile(r"-?0[0-9]")


def length(value: str) -> int:
    """Neither the decimal mark nor the sign counts towards the length (ISO 9735-1 §10.1)."""
    return sum(character not in "+-., " for character in value)


def faults(value: str, decimal_marks: str, *, leading_zeros_wanted: bool = False) -> list[Rule]:
    """What is wrong with a number. A format of fixed length wants leading zeros."""
    bare = value.strip(" ")
    unsigned = bare.removeprefix("+")
    found = []
    if bare != value or unsigned != bare:
        found.append(rules.NUMBER_PADDED)
    if _NO_DIGIT_BEFORE_MARK.fullmatch(unsigned):
        return [*found, rules.NO_DIGIT_BEFORE_MARK]
    if _NO_DIGIT_AFTER_MARK.fullmatch(unsigned):
        return [*found, rules.NO_DIGIT_AFTER_MARK]
    if not _NUMBER.fullmatch(unsigned):
        return [rules.WRONG_CHARACTER_TYPE]
    if _LEADING_ZERO.match(unsigned) and not leading_zeros_wanted:
        found.append(rules.LEADING_ZEROS)
    if any(mark in unsigned and mark not in decimal_marks for mark in _ANY_MARK):
        found.append(rules.OTHER_DECIMAL_MARK)
    return found
