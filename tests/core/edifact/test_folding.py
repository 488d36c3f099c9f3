"""Our own texts in the characters that an interchange may hold."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.edifact.characters import CHARACTER_SETS, first_unwritable
from edi_gateway.edifact.folding import fold


@pytest.mark.parametrize(
    ("syntax_identifier", "text", "folded"),
    [
        ("UNOC", "Clé n° 3 « à l'œil »", "Clé n° 3 « à l'oeil »"),
        ("UNOC", "10 € – «x»…\x07", "10 EUR - «x»... "),
        ("UNOB", "Clé du GTIN_fausse", "Cle du GTIN-fausse"),
        ("UNOA", "Prix 12,50 attendu: é", "PRIX 12,50 ATTENDU: E"),
        ("UNOY", "œil 日本", "œil 日本"),
        ("UNOC", "日本", "  "),
        ("????", "é", "é"),
    ],
)
def test_what_is_put_in_place(syntax_identifier: str, text: str, folded: str) -> None:
    assert fold(text, syntax_identifier) == folded


@given(st.text(), st.sampled_from(sorted(CHARACTER_SETS)))
@settings(deadline=None, max_examples=200)
def test_what_is_folded_can_be_written(text: str, syntax_identifier: str) -> None:
    assert first_unwritable(fold(text, syntax_identifier), CHARACTER_SETS[syntax_identifier]) is None
