"""Whether two interchanges say the same, however they were laid out."""

from __future__ import annotations

from edi_gateway.gateway.fingerprints import of_interchange
from edi_gateway.messages.judge import judge
from tests.gateway.documents.desk import invrpt

TEXT = invrpt(number="INV?+?:?'??1")


def digest(text: str) -> str:
    (verdict,) = judge([text.encode("latin-1")])
    assert verdict.messages
    return of_interchange(verdict)


def test_line_ends_and_service_characters_do_not_count() -> None:
    other = TEXT.replace("?'", "\0").replace("??", "\1").replace("?+", "\2").replace("?:", "\3")
    other = other.replace("UNA:+.? '", "").replace("'", "|").replace("+", "#").replace(":", "~")
    other = "UNA~#.! |" + other.replace("\0", "'").replace("\1", "?").replace("\2", "+").replace("\3", ":")
    assert digest(TEXT) == digest(TEXT.replace("'UNH", "'\r\nUNH")) == digest(other)


def test_each_value_and_the_header_count() -> None:
    different = [TEXT, TEXT.replace("QTY+66:10", "QTY+66:11"), TEXT.replace("261122:0915", "261122:0916")]
    different += [TEXT.replace("?+", "+"), TEXT.replace("145:148'QTY", "145:148?'QTY")]
    assert len(set(map(digest, different))) == len(different)


def test_repetitions_count() -> None:
    """Syntax 4 (ISO 9735-1 §6): a repeated element stands in one position."""
    four = TEXT.replace("UNOC:3", "UNOC:4").replace("+261122:", "+20261122:").replace("UNA:+.? '", "UNA:+.?*'")
    repeated = four.replace("LIN+1++", "FTX+AAI+++a*b'LIN+1++")
    assert digest(repeated) != digest(repeated.replace("a*b", "a"))
    assert digest(repeated) != digest(repeated.replace("a*b", "a?*b"))
