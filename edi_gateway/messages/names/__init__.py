"""What segments, data elements and codes are called, in our own words, in English and French.

`segments.json`: tag -> names; `elements.json`: data element -> names; `codes.json`: data element -> code ->
meanings, for the codes that the gateway's trade uses. They are for people only: nothing is judged by them.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from edi_gateway.edifact.findings import Language

_COLUMN: dict[Language, int] = {"en": 0, "fr": 1}


@cache
def _load(file: str) -> Any:
    return json.loads(resources.files(__name__).joinpath(file).read_text("utf-8"))


def segment_name(tag: str, language: Language) -> str:
    """What a segment is called; "" if it is not carried."""
    return _in(_load("segments.json").get(tag), language)


def element_name(identifier: str, language: Language) -> str:
    """What a data element is called; "" if it is not carried."""
    return _in(_load("elements.json").get(identifier), language)


def code_meaning(identifier: str, code: str, language: Language) -> str:
    """What a code of a data element means; "" if it is not carried."""
    return _in(_load("codes.json").get(identifier, {}).get(code), language)


def _in(names: list[str] | None, language: Language) -> str:
    return names[_COLUMN[language]] if names else ""
