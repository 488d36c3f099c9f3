"""The grammar of header values: AS2 names, Message-IDs, parameters, encoded words, file names.

Rules for this file: a value that holds a control character is refused before anything else looks at it, so that
nothing a partner writes can become a header line of ours; and a file name is data, never a path.
"""

from __future__ import annotations

import binascii
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

AS2_NAME_LENGTH_MAX = 128  # RFC 4130 §6.2
MESSAGE_ID_LENGTH_MAX = 998  # RFC 4130 §6.3 and RFC 5322 §2.1.1
MESSAGE_ID_LENGTH_ADVISED = 255  # draft-ietf-ediint-rfc4130bis §5.3.3
FILENAME_BYTES_MAX = 150
PARAMETERS_MAX = 64
VALUE_LENGTH_MAX = 16 * 1024

# C1 controls are left alone in header values: they are the bytes of UTF-8 text that HTTP hands over as Latin-1.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_CONTROL_OF_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_PRINTABLE = re.compile(r"[\x20-\x7e]+")
_QUOTED_PAIR = re.compile(r'\\(["\\])')
_UNQUOTED_SPECIAL = re.compile(r'["\\]')


class FieldMalformed(ValueError):
    """A header value that does not follow its grammar; the text says what was expected."""


def unfolded(value: str) -> str:
    """The value on one line: a line break that is followed by blank space is only a fold (RFC 5322 §2.2.3)."""
    return _FOLD.sub("", value) if "\n" in value else value


def has_control_character(value: str) -> bool:
    """Whether a control character other than TAB stands in the value (CR and LF included)."""
    return _CONTROL.search(value) is not None


# --- AS2 names (RFC 4130 §6.2) ----------------------------------------------------------------------------


def parse_as2_name(value: str) -> str:
    """The name that `AS2-From` or `AS2-To` holds, unquoted. It is compared with case."""
    text = value.strip(" \t")
    if text.startswith('"'):
        name = _unquote_name(text)
    elif _UNQUOTED_SPECIAL.search(text):
        raise FieldMalformed(f"an AS2 name with a quote or backslash must be quoted: {value[:150]!r}")
    else:
        name = text
    if not 1 <= len(name) <= AS2_NAME_LENGTH_MAX:
        raise FieldMalformed(f"an AS2 name of {len(name)} characters; 1 to {AS2_NAME_LENGTH_MAX} are allowed")
    if not _PRINTABLE.fullmatch(name):
        raise FieldMalformed(f"an AS2 name may hold printable ASCII only: {value[:150]!r}")
    return name


def _unquote_name(text: str) -> str:
    inner = text[1:-1]
    if len(text) < 2 or not text.endswith('"') or _UNQUOTED_SPECIAL.search(_QUOTED_PAIR.sub("", inner)):
        raise FieldMalformed(f"a quoted AS2 name that is not closed or escaped properly: {text[:150]!r}")
    return _QUOTED_PAIR.sub(r"\1", inner)


def render_as2_name(name: str) -> str:
    """The name as a header value, quoted where its characters ask for it."""
    if not 1 <= len(name) <= AS2_NAME_LENGTH_MAX or not _PRINTABLE.fullmatch(name):
        raise FieldMalformed(f"{name!r} is no AS2 name: 1 to {AS2_NAME_LENGTH_MAX} printable ASCII characters")
    return quoted(name) if re.search(r'[ "\\]', name) else name


def quoted(text: str) -> str:
    """A quoted-string (RFC 5322 §3.2.4)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# --- Message-ID (RFC 4130 §6.3, draft §5.3.3) ---------------------------------------------------------------


def check_message_id(value: str) -> None:
    """Raise FieldMalformed unless the value may serve as a Message-ID; missing brackets are tolerated."""
    if not value:
        raise FieldMalformed("the Message-ID is missing")
    if len(value) > MESSAGE_ID_LENGTH_MAX:
        raise FieldMalformed(f"a Message-ID of {len(value)} characters; at most {MESSAGE_ID_LENGTH_MAX} are allowed")
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        raise FieldMalformed("a Message-ID may hold neither space nor control characters, and ASCII only")
    if not value.strip("<>"):
        raise FieldMalformed("the Message-ID is empty between its brackets")


# --- parameterised values (RFC 2045 §5.1, RFC 2231) ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parameterised:
    """A value with parameters, as of Content-Type: `main` and the names of parameters in lower case."""

    main: str
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def get(self, name: str, default: str = "") -> str:
        return self.parameters.get(name, default)

    @classmethod
    def parse(cls, value: str) -> Parameterised:
        """Read tolerantly: any case, any spacing, a missing space or semicolon at the end."""
        return _parsed(value[:VALUE_LENGTH_MAX])


PARSED_VALUES_MAX = 256  # remembered: one value is asked for several times on the way of its message


@lru_cache(PARSED_VALUES_MAX)
def _parsed(value: str) -> Parameterised:
    pieces = _pieces(value)
    raw: dict[str, str] = {}
    for piece in pieces[1 : PARAMETERS_MAX + 1]:
        name, separator, text = piece.partition("=")
        if separator:
            raw.setdefault(name.strip().lower(), _unquote(text.strip()))
    parameters = _decode_parameters(raw) if "*" in value else raw
    return Parameterised(pieces[0].strip().lower(), MappingProxyType(parameters))


# A semicolon, and what follows it up to the next one that stands outside of a quoted string.
_PIECE = re.compile(r';((?:[^;"]|"(?:[^"\\]|\\.)*(?:"|\Z))*)', re.DOTALL)


def _pieces(value: str) -> list[str]:
    return _PIECE.findall(f";{value}") if '"' in value else value.split(";")


def _unquote(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


_CONTINUED = re.compile(r"([^*]+)\*(\d{1,3})(\*)?")


def _decode_parameters(raw: Mapping[str, str]) -> dict[str, str]:
    """Join continuations and decode charsets (RFC 2231 §3 and §4); an extended form wins over a plain one."""
    plain = {name: text for name, text in raw.items() if "*" not in name}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, text in raw.items():
        if match := _CONTINUED.fullmatch(name):
            sections.setdefault(match[1], {})[int(match[2])] = (text, match[3] is not None)
        elif name.endswith("*") and len(name) > 1:
            sections.setdefault(name[:-1], {})[0] = (text, True)
    joined = {name: _join_sections(parts) for name, parts in sections.items()}
    return {**plain, **{name: text for name, text in joined.items() if text}}


def _join_sections(parts: Mapping[int, tuple[str, bool]]) -> str:
    charset, data = "utf-8", b""
    for number, (text, is_extended) in sorted(parts.items()):
        if is_extended and number == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        data += unquote_to_bytes(text) if is_extended else text.encode("utf-8", "replace")
    return _decoded(data, charset)


# Charsets that partners write names in. Python knows more codecs, some slow (idna) and some that are no charsets.
_CHARSETS = frozenset(
    {"utf-8", "us-ascii", "ascii", "shift_jis", "euc-jp", "iso-2022-jp", "gb2312", "gbk", "gb18030", "big5", "euc-kr"}
    | {f"iso-8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)}
    | {f"windows-125{page}" for page in range(9)}
)


def _decoded(data: bytes, charset: str) -> str:
    known = (charset or "utf-8").lower()
    try:
        return data.decode(known if known in _CHARSETS else "latin-1")
    except UnicodeDecodeError:
        return data.decode("latin-1")


# --- encoded words (RFC 2047) ---------------------------------------------------------------------------------

_ENCODED_WORD = re.compile(r"=\?([^?*\s]{1,40})(?:\*[^?\s]*)?\?([bBqQ])\?([^?\s]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(=\?)")


def decoded_words(value: str) -> str:
    """The text of a value with encoded words, for people to read. What cannot be decoded stays as it is."""
    if "=?" not in value:
        return value
    return _ENCODED_WORD.sub(_decode_word, _BETWEEN_WORDS.sub(r"\1\2", value))


def _decode_word(match: re.Match[str]) -> str:
    charset, encoding, text = match.groups()
    try:
        if encoding in "bB":
            data = binascii.a2b_base64(text + "=" * (-len(text) % 4))
        else:
            data = binascii.a2b_qp(text.encode("ascii"), header=True)
    except ValueError:  # binascii.Error, and what is no ASCII
        return match[0]
    return _decoded(data, charset)


# --- file names -------------------------------------------------------------------------------------------------

_RESERVED_NAMES = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
)
_NAME_CATEGORIES = ("L", "N", "M")
_NAME_PUNCTUATION = frozenset(" ._-+@()[]{},=#&'~")


def received_filename(disposition: str, content_type: str = "") -> str:
    """The file name that Content-Disposition announces, else the `name` of Content-Type; "" if there is none.

    As the sender wrote it, decoded (RFC 2231, RFC 2047) and without control characters: data for the record.
    """
    for value, parameter in ((disposition, "filename"), (content_type, "name")):
        if name := Parameterised.parse(value).get(parameter):
            return _CONTROL_OF_TEXT.sub("", decoded_words(_maybe_utf8(name)))[:1024]
    return ""


def _maybe_utf8(text: str) -> str:
    """HTTP hands header bytes over as Latin-1; a name that is valid UTF-8 underneath was meant so."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


def safe_filename(name: str) -> str:
    """A name for display and download that no file system reads as a path; "" if nothing is left of it.

    NFC, the last component only, letters, digits and a few signs, no leading dot, no device name of Windows, at
    most FILENAME_BYTES_MAX bytes in UTF-8 with the extension kept.
    """
    text = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    text = "".join(c if c in _NAME_PUNCTUATION or unicodedata.category(c)[0] in _NAME_CATEGORIES else "_" for c in text)
    text = text.strip(" .")
    if not text.strip("_"):
        return ""
    if text.partition(".")[0].strip().lower() in _RESERVED_NAMES:
        text = "_" + text
    return _shortened(text)


def _shortened(name: str) -> str:
    if len(name.encode()) <= FILENAME_BYTES_MAX:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode()) > 20:
        stem, dot, extension = name, "", ""
    room = FILENAME_BYTES_MAX - len((dot + extension).encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(" .") + dot + extension


def render_filename(name: str) -> str:
    """The `filename` parameter of a Content-Disposition; RFC 2231 where the name is not plain ASCII."""
    if _PRINTABLE.fullmatch(name):
        return f"filename={quoted(name)}"
    encoded = "".join(chr(b) if chr(b).isalnum() and b < 128 else f"%{b:02X}" for b in name.encode())
    return f"filename*=UTF-8''{encoded}"
