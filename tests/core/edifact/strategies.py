"""Interchanges as hypothesis draws them: any legal service characters, any text, any damage."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.edifact.verdict import Address, InterchangeHeader, MessageHeader

PUNCTUATION = [chr(code) for code in range(0x21, 0x7F) if not chr(code).isalnum()]


@st.composite
def separators(draw: st.DrawFn, *, version: str = "3") -> Separators:
    """Any legal UNA: different punctuation characters; a repetition separator in syntax 4 only."""
    component, element, decimal, release, repetition, terminator = draw(
        st.lists(st.sampled_from(PUNCTUATION), min_size=6, max_size=6, unique=True)
    )
    in_force = repetition if version == "4" else ""
    marks = ".," if version == "4" else decimal
    return Separators(component, element, decimal, release, in_force, terminator, marks)


# Text as ISO 8859-1 writes it; line ends are left out, which UNOC does not have.
texts = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_categories=["Cc"]), min_size=1, max_size=12
)
service_texts = st.text(st.sampled_from("?+:'*é A1"), min_size=1, max_size=12)
# A text that could be UTF-8 or the tail of another sequence would be read as such: see the character set tests.
plain_texts = st.one_of(texts, service_texts).filter(lambda text: not _looks_like_utf_8(text))


def _looks_like_utf_8(text: str) -> bool:
    return any(0xC2 <= ord(a) <= 0xF4 and 0x80 <= ord(b) < 0xC0 for a, b in pairwise(text))


tags = st.sampled_from(["BGM", "DTM", "FTX", "NAD", "LIN", "ZZZ", "A1B"])
components = st.lists(st.one_of(st.just(""), plain_texts), min_size=1, max_size=4)


@st.composite
def segments(draw: st.DrawFn, *, version: str = "3") -> Segment:
    """A data segment in canonical form: nothing empty at the end of a composite or of the segment."""
    tag = draw(tags)
    elements = [[tag], *[_trimmed(composite) for composite in draw(st.lists(components, max_size=6))]]
    while elements[-1] == [""]:
        elements.pop()
    repeats = {}
    if version == "4" and len(elements) > 1 and draw(st.booleans()):
        index = draw(st.integers(1, len(elements) - 1))
        repeats[index] = [_trimmed([*draw(components), "x"])]
    return Segment(tag, elements, repeats=repeats or None)


def _trimmed(composite: list[str]) -> list[str]:
    filled = len(composite)
    while filled > 1 and not composite[filled - 1]:
        filled -= 1
    return composite[:filled]


references = st.text(st.sampled_from("ABC0123456789"), min_size=1, max_size=14)
addresses = st.builds(Address, references, st.sampled_from(["", "14", "ZZ"]))


def headers(version: str = "3") -> st.SearchStrategy[InterchangeHeader]:
    return st.builds(
        InterchangeHeader,
        syntax_identifier=st.just("UNOC"),
        syntax_version=st.just(version),
        sender=addresses,
        recipient=addresses,
        date=st.just("20261122" if version == "4" else "261122"),
        time=st.just("0915"),
        control_reference=references,
        acknowledgement_request=st.sampled_from(["", "1"]),
        test_indicator=st.sampled_from(["", "1"]),
    )


@st.composite
def bodies(draw: st.DrawFn, *, version: str = "3") -> list[tuple[MessageHeader, list[Segment]]]:
    """The messages of an interchange, each with a reference of its own."""
    several = draw(st.lists(st.lists(segments(version=version), max_size=5), min_size=1, max_size=3))
    return [(MessageHeader(str(number), "ORDERS", "D", "96A"), body) for number, body in enumerate(several, 1)]


HEADERS = [
    b"UNB+UNOC:3+A:14+B:14+261122:0450+REF1'",
    b"UNA:+.? 'UNB+UNOA:2+A+B+261122:0450+REF1'",
    b"UNA:+.?*'UNB+UNOY:4+A+B+20261122:0450+REF1'",
    b"UNA:+.? \nUNB+UNOC:3+A+B+261122:0450+REF1\n",
    b"UNB+UNOX:3+A+B+261122:0450+REF1'",
    b"UNA:+.? 'UNH+1+ORDERS:D:96A:UN'",
    b"UNB\x1dUNOB\x1f1\x1dA\x1dB\x1d261122\x1f0450\x1dREF1\x1c",
    b"UNB+UNOC:3+A:14+B:14+261122:0450+REF1'UNH+1+ORDERS:D:96A:UN'BGM+220+PO1+9'",
]
FRAGMENTS = [
    *HEADERS,
    *(b"UNG+ORDERS+A+B+261122:0450+G1+UN+D:96A'", b"UNE+1+G1'", b"UNZ+1+REF1'", b"UNZ+", b"UNT+4+1'", b"UNT+3+2'"),
    *(b"UNH+1+ORDERS:D:96A:UN'", b"UNH+2+INVOIC:D:01B:UN'", b"BGM+220+PO1+9'", b"FTX+AAI+++", b"LIN+1'", b"lin+1'"),
    *(b"?'", b"??'", b"?", b"'", b"'", b"+", b":", b"*", b"\r\n", b"\n", b"'\r\n", b" ", b"\t", b"unb", b"UNB", b"UNA"),
    *(
        b"\x00",
        b"\x1a",
        b"\x1b$B",
        b"\x1b(B",
        b"\xc3\xa9",
        b"\xe9",
        b"\x80",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"U\x00N\x00",
    ),
]
_pieces = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=6)), max_size=25).map(b"".join)
# Any six bytes as UNA, and a UNB that follows them.
_declared = st.binary(min_size=6, max_size=6).map(lambda una: b"UNA" + una + b"UNB" + una[1:2] + b"UNOC:3" + una[5:])
_headers = st.one_of(st.sampled_from(HEADERS), _declared)
rubble = st.one_of(_pieces, st.tuples(_headers, _pieces).map(b"".join))
