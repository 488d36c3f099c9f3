"""Character sets: every identifier decodes, nothing is lost, and what cannot be sent is named."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.edifact import characters, rules
from edi_gateway.edifact.characters import CHARACTER_SETS, CharacterSet, character_set

UNOC = character_set("UNOC")


@pytest.mark.parametrize("identifier", [f"UNO{letter}" for letter in "ABCDEFGHIJKLWXY"])
def test_every_identifier_of_the_standard_is_known(identifier: str) -> None:
    assert codecs.lookup(CHARACTER_SETS[identifier].codec)


@pytest.mark.parametrize("declared", CHARACTER_SETS.values(), ids=CHARACTER_SETS.keys())
@settings(deadline=None, max_examples=40)
@given(raw=st.binary(max_size=40))
def test_any_bytes_decode_and_none_is_dropped(declared: CharacterSet, raw: bytes) -> None:
    text, odd = characters.decode(raw.decode("latin-1"), declared)
    if odd is rules.UTF_8_UNDECLARED or (odd is None and declared.codec == "utf-8"):
        assert text.encode("utf-8") == raw
    elif odd is not None or declared.is_direct:
        assert len(text) == len(raw)
    else:
        assert bool(text) or not raw or declared.is_stateful  # an escape sequence alone is no text


@pytest.mark.parametrize(
    ("raw", "text", "odd"),
    [
        (b"plain", "plain", None),
        ("Müller n° 1".encode("latin-1"), "Müller n° 1", None),
        ("Müller".encode(), "Müller", rules.UTF_8_UNDECLARED),
        ("5 €".encode("cp1252"), "5 €", rules.WINDOWS_1252_UNDECLARED),
        (b"\x81", "\x81", rules.WINDOWS_1252_UNDECLARED),
        ("Żółć".encode(), "Żółć", rules.UTF_8_UNDECLARED),
        ("п п п".encode(), "п п п", rules.UTF_8_UNDECLARED),
        ("5 € 😀".encode(), "5 € 😀", rules.UTF_8_UNDECLARED),
        ("Ç°".encode("latin-1"), "Ç°", None),
        ("« café\xa0»".encode("latin-1"), "« café\xa0»", None),  # E9 A0 BB would be a character of UTF-8
        ("REF°: É» n°".encode("latin-1"), "REF°: É» n°", None),
        ("12°".encode(), "12°", rules.UTF_8_UNDECLARED),
    ],
)
def test_what_the_bytes_under_unoc_really_are(raw: bytes, text: str, odd: object) -> None:
    assert characters.decode(raw.decode("latin-1"), UNOC) == (text, odd)


def test_syntax_4_may_name_the_encoding_apart_from_the_repertoire() -> None:
    assert character_set("UNOC", "7").codec == "utf-8"
    assert character_set("UNOC", "3").codec == "cp850"
    assert character_set("UNOC", "ZZZ").codec == "latin-1"


def test_an_unknown_identifier_is_read_as_western_european() -> None:
    assert character_set("UNOZ") is characters.UNKNOWN
    assert characters.UNKNOWN.is_direct


@pytest.mark.parametrize("byte", range(256))
def test_a_block_with_an_odd_byte_is_looked_at_closely(byte: int) -> None:
    """No byte that `decode` or `outside` would speak of may pass as plain."""
    classes = characters.byte_classes(UNOC, "+:?'")
    block = b"a" + bytes([byte]) + b"b"
    text, odd = characters.decode(block.decode("latin-1"), UNOC)
    service = {"+", ":", "?", "'", "\r", "\n"}
    if odd is not None or (characters.outside(text, UNOC) and not set(text) & service):
        assert characters.examine(block, classes)[1]


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=12), st.sampled_from(["UNOA", "UNOB", "UNOC"]))
def test_a_block_without_trouble_is_text_as_declared(block: bytes, identifier: str) -> None:
    declared = character_set(identifier)
    line_ends, trouble = characters.examine(block, characters.byte_classes(declared, "+:?'"))
    assert line_ends == (b"\r" in block or b"\n" in block)
    if not trouble:
        text, odd = characters.decode(block.decode("latin-1"), declared)
        assert odd is None or rules.UTF_8_UNDECLARED is not odd
        assert text == block.decode("latin-1")
        assert not characters.outside(text, declared)


def test_the_bytes_of_two_byte_sets_are_masked_and_others_are_not() -> None:
    raw = "A漢字'B".encode("iso2022_jp_2")
    masked = characters.mask_escaped(raw)
    assert len(masked) == len(raw)
    assert masked.startswith(b"A\x80")
    assert masked.endswith(b"'B")
    assert masked.count(b"'") == 1


@pytest.mark.parametrize(
    ("identifier", "text", "first"),
    [
        ("UNOA", "ABC 123", None),
        ("UNOA", "ABc", "c"),
        ("UNOB", "abc_", "_"),
        ("UNOC", "é", None),
        ("UNOC", "é€", "€"),
        ("UNOC", "a\tb", "\t"),
        ("UNOC", "a\nb", "\n"),
        ("UNOY", "漢", None),
        ("UNOY", "\ud800", "\ud800"),
        ("UNOD", "Ł", None),
        ("UNOE", "é", "é"),
    ],
)
def test_the_first_character_that_cannot_be_sent(identifier: str, text: str, first: str | None) -> None:
    assert characters.first_unwritable(text, character_set(identifier)) == first
