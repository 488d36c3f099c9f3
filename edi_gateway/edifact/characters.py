"""Character sets: what UNB declares (S001/0001), what the bytes really are, what may be written.

The reader looks at bytes through ISO 8859-1, which maps each byte to one character: offsets stay
offsets, splitting runs in C, and only a segment that holds bytes of another set is decoded again.
What partners declare and what they write differ so often that text is never refused for it: UTF-8 and
Windows-1252 under another declaration are recognised and said so in a finding, and no character is
dropped. Writing is strict: a character outside of the declared set is a `CharacterRefused`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from edi_gateway.edifact.findings import Rule
from edi_gateway.edifact.rules import (
    OUTSIDE_CHARACTER_SET,
    UNDECODABLE,
    UTF_8_UNDECLARED,
    WINDOWS_1252_UNDECLARED,
)

_DIGITS_CAPITALS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# ISO 9735 §5.1, §5.2: the repertoires of levels A and B, service characters included.
LEVEL_A_REPERTOIRE = frozenset(_DIGITS_CAPITALS + " .,-()/=!\"%&*;<>'+:?")
LEVEL_B_REPERTOIRE = LEVEL_A_REPERTOIRE | frozenset(_DIGITS_CAPITALS.lower())

# Classes of bytes, one letter each: a table of 256 of them turns a block into something `in` can search.
PLAIN = b"."
LEAD = b"L"  # may begin a sequence of UTF-8
CONTINUATION = b"c"  # A0 to BF: may continue one, and is a letter or sign of ISO 8859-1
SUSPECT = b"x"  # not in the declared set, or a control character
LINE_END = b"n"


@dataclass(frozen=True, slots=True)
class CharacterSet:
    """One syntax identifier: its Python codec, and the ASCII characters that it allows (None: all)."""

    identifier: str
    codec: str
    repertoire: frozenset[str] | None = None
    guessed: bool = False  # whether UTF-8 and Windows-1252 are looked for under this declaration

    @property
    def is_direct(self) -> bool:
        """Whether the ISO 8859-1 view of the bytes is already the text."""
        return self.codec == "latin-1"

    @property
    def is_stateful(self) -> bool:
        """Whether escape sequences give bytes another meaning (ISO 2022)."""
        return self.codec.startswith("iso2022")


def _sets() -> dict[str, CharacterSet]:
    rows: tuple[tuple[str, str, frozenset[str] | None, bool], ...] = (
        ("UNOA", "latin-1", LEVEL_A_REPERTOIRE, True),
        ("UNOB", "latin-1", LEVEL_B_REPERTOIRE, True),
        ("UNOC", "latin-1", None, True),
        ("UNOD", "iso8859-2", None, False),
        ("UNOE", "iso8859-5", None, False),
        ("UNOF", "iso8859-7", None, False),
        ("UNOG", "iso8859-3", None, False),
        ("UNOH", "iso8859-4", None, False),
        ("UNOI", "iso8859-6", None, False),
        ("UNOJ", "iso8859-8", None, False),
        ("UNOK", "iso8859-9", None, False),
        ("UNOL", "iso8859-15", None, False),
        ("UNOW", "utf-8", None, False),
        ("UNOX", "iso2022_jp_2", None, False),
        ("UNOY", "utf-8", None, False),
        # Not of ISO 9735, but used: air transport (as levels A and B, read without their limits) and Korea.
        ("IATA", "latin-1", None, True),
        ("IATB", "latin-1", None, True),
        ("KECA", "cp949", None, False),
    )
    return {row[0]: CharacterSet(*row) for row in rows}


CHARACTER_SETS = _sets()
# What the reader takes for an identifier that it does not know (and reports, 0085 = 2).
UNKNOWN = CharacterSet("", "latin-1", None, True)
# The character set of a file whose bytes were transcoded on the way in (UTF-16).
TRANSCODED = CharacterSet("", "utf-8", None, False)

# S001/0133, syntax 4: how the characters are coded, where that differs from the identifier's own coding.
CHARACTER_ENCODINGS = {"3": "cp850", "7": "utf-8"}

_UNDEFINED_IN_1252 = b"\x81\x8d\x8f\x90\x9d"
_BETWEEN_80_AND_9F = re.compile(rb"[\x80-\x9f]")
_SURELY_UTF_8 = re.compile(rb"[\x80-\x9f]|[\xc2\xc3][\xa0-\xbf]")
_SEQUENCE = re.compile(rb"[\xc4-\xf4][\xa0-\xbf]+")
UTF_8_SEQUENCES_MIN = 3
_CONTROLS = frozenset(map(chr, (*range(32), 127))) - frozenset("\r\n")
# ISO 2022: an escape sequence, and the bytes of a set of two bytes a character up to the next escape.
_ESCAPED = re.compile(rb"\x1b\$[\x28-\x2f]?[@-~][^\x1b]*|\x1b[\x20-\x2f]+[\x30-~]")


def character_set(syntax_identifier: str, character_encoding: str = "") -> CharacterSet:
    """The character set that UNB declares; `UNKNOWN` for an identifier that is not known."""
    declared = CHARACTER_SETS.get(syntax_identifier, UNKNOWN)
    codec = CHARACTER_ENCODINGS.get(character_encoding)
    if codec is None or codec == declared.codec:
        return declared
    return CharacterSet(declared.identifier, codec, declared.repertoire, guessed=False)


@cache
def byte_classes(declared: CharacterSet, service_characters: str) -> bytes:
    """The table for `bytes.translate` that shows where a block may hold anything but plain text."""
    return b"".join(_byte_class(byte, declared, service_characters) for byte in range(256))


def _byte_class(byte: int, declared: CharacterSet, service_characters: str) -> bytes:
    character = chr(byte)
    if character in "\r\n":
        return LINE_END
    if character in service_characters:
        return PLAIN
    if byte >= 0x80:
        return _class_above_ascii(byte, declared)
    if character in _CONTROLS:
        return PLAIN if byte == 0x1B and declared.is_stateful else SUSPECT
    return PLAIN if declared.repertoire is None or character in declared.repertoire else SUSPECT


def _class_above_ascii(byte: int, declared: CharacterSet) -> bytes:
    if not declared.guessed:
        return PLAIN  # decoded and judged segment by segment
    if declared.repertoire is not None or byte < 0xA0:
        return SUSPECT
    if 0xC2 <= byte <= 0xF4:
        return LEAD
    return CONTINUATION if byte < 0xC0 else PLAIN


def examine(block: bytes, classes: bytes) -> tuple[bool, bool]:
    """Whether a block holds line ends, and whether any other byte needs a closer look.

    `classes` is a table of `byte_classes`.
    """
    shown = block.translate(classes)
    return LINE_END in shown, SUSPECT in shown or LEAD + CONTINUATION in shown


def decode(view: str, declared: CharacterSet) -> tuple[str, Rule | None]:
    """The text behind the ISO 8859-1 view of a segment's bytes, and what is odd about it.

    Never fails and never drops a character: bytes that the declared set does not have are read as
    Windows-1252, and what that lacks as ISO 8859-1.
    """
    if view.isascii() and not declared.is_stateful:
        return view, None
    raw = view.encode("latin-1")
    if declared.guessed:
        return _guess(raw, view, declared)
    try:
        return raw.decode(declared.codec), None
    except UnicodeDecodeError:
        return _western(raw, view), UNDECODABLE


def _guess(raw: bytes, view: str, declared: CharacterSet) -> tuple[str, Rule | None]:
    if (text := _as_utf_8(raw)) is not None:
        return text, UTF_8_UNDECLARED
    if _BETWEEN_80_AND_9F.search(raw):
        return _western(raw, view), WINDOWS_1252_UNDECLARED
    return view, None if declared.repertoire is None else OUTSIDE_CHARACTER_SET


def _as_utf_8(raw: bytes) -> str | None:
    """The text if it is UTF-8, None if it is more likely ISO 8859-1 that happens to be well-formed.

    ``Ç°`` is: one pair that means nothing Western as UTF-8. Bytes that ISO 8859-1 has no character for, the
    letters and signs of Western languages (C2, C3), or several sequences make it UTF-8.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    sure = _SURELY_UTF_8.search(raw) or len(_SEQUENCE.findall(raw)) >= UTF_8_SEQUENCES_MIN
    return text if sure else None


def _western(raw: bytes, view: str) -> str:
    if any(byte in raw for byte in _UNDEFINED_IN_1252):
        return view
    return raw.decode("cp1252")


def outside(text: str, declared: CharacterSet) -> bool:
    """Whether a text of ASCII characters leaves the declared repertoire, or holds control characters.

    Line ends are not counted: they have a finding of their own.
    """
    used = frozenset(text) - frozenset("\r\n")
    if declared.repertoire is not None and any(c.isascii() and c not in declared.repertoire for c in used):
        return True
    return not used.isdisjoint(_CONTROLS - {"\x1b"} if declared.is_stateful else _CONTROLS)


def mask_escaped(block: bytes) -> bytes:
    """The block with the bytes of ISO 2022's other sets blanked, so that none is taken for a separator."""
    return _ESCAPED.sub(lambda found: b"\x80" * len(found[0]), block)


_WIDER = {
    **dict.fromkeys(("UNOA", "UNOB"), "declare a wider character set, such as UNOC or UNOY, or change the text"),
    **dict.fromkeys(("UNOW", "UNOX", "UNOY"), "change the text"),
}


class CharacterRefused(ValueError):
    """A value to be written does not fit the character set that the interchange declares."""

    def __init__(self, segment: str, element: int, value: str, character: str, syntax_identifier: str) -> None:
        self.segment = segment
        self.element = element
        self.value = value
        self.character = character
        self.syntax_identifier = syntax_identifier
        wider = _WIDER.get(syntax_identifier, "declare UNOY, or change the text")
        where = f"{segment}, element {element}"
        super().__init__(f"{where}: {value!r} holds {character!r}, which {syntax_identifier} does not have; {wider}")


def first_unwritable(text: str, declared: CharacterSet) -> str | None:
    """The first character that an outbound text must not hold under this declaration, or None.

    Line ends are control characters here: no set of ISO 9735 has them, and partners' readers differ on them.
    """
    if text.isascii() and text.isprintable() and declared.repertoire is None:
        return None
    for character in text:
        if character in _CONTROLS or character in "\r\n":
            return character
        if declared.repertoire is not None and character not in declared.repertoire:
            return character
    return first_uncodable(text, declared)


def first_uncodable(text: str, declared: CharacterSet) -> str | None:
    """The first character that the codec of this declaration does not have, or None."""
    try:
        text.encode(declared.codec)
    except UnicodeEncodeError as error:
        return text[error.start]
    return None
