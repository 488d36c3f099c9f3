"""What is fuzzed: for each reader a function that takes any bytes and ends well, or names what may be raised.

Whatever else is raised is a fault of ours: so are a hang (10 s), too much memory, and a broken promise that a target
asserts.
"""

from __future__ import annotations

import io
from base64 import encodebytes
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random

from edi_gateway.as2 import cms
from edi_gateway.as2.algorithms import LEGACY_CIPHERS, LEGACY_DIGESTS, Cipher
from edi_gateway.as2.cms import CmsError, ContentType
from edi_gateway.as2.disposition import Disposition, DispositionMalformed
from edi_gateway.as2.errors import As2Refusal
from edi_gateway.as2.fields import (
    FieldMalformed,
    Parameterised,
    decoded_words,
    has_control_character,
    parse_as2_name,
    received_filename,
    render_as2_name,
    safe_filename,
)
from edi_gateway.as2.headers import Headers, read_request
from edi_gateway.as2.inbound import open_report, open_transmission
from edi_gateway.as2.mic import Mic, MicMalformed
from edi_gateway.as2.opened import Opened, OpenedReport, Refused
from edi_gateway.as2.receipt import parse_options, render_options
from edi_gateway.edifact import contrl
from edi_gateway.edifact.characters import CharacterRefused
from edi_gateway.edifact.reader import read
from edi_gateway.edifact.verdict import InterchangeVerdict, MessageVerdict
from edi_gateway.edifact.writer import write_interchange
from edi_gateway.messages.explain import explain_message
from edi_gateway.messages.judge import judge
from edi_gateway.messages.tree import Group
from edi_gateway.partnership import Compression
from edi_gateway.translators import DecodeContext, translator
from tests.core.as2_cms.material import key, pieces
from tests.core.as2_cms.test_hostile import read_compressed, read_envelope, read_signature, samples
from tests.partner import NOW, ORDERS, SimulatedPartner

ROOT = Path(__file__).parents[2]
FILENAME_BYTES_MAX = 150
EDIFACT_BYTES_MAX = 2048  # judging is the slowest reader: small inputs, many of them


@dataclass(frozen=True, slots=True)
class Target:
    """A reader. `run` takes any bytes; `seeds` are good ones to begin with; `tokens` help the fuzzer to find words.

    `mutate` knows the form of what is read, and changes an input where bytes changed at random get no further.
    """

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    tokens: tuple[bytes, ...] = ()
    length_max: int = 8192
    mutate: Callable[[bytes, Random], bytes] | None = None


# --- CMS ------------------------------------------------------------------------------------------------------------

_READERS = {
    ContentType.SIGNED: read_signature,
    ContentType.COMPRESSED: read_compressed,
}


def read_cms(data: bytes) -> None:
    """As the gateway would read it, whole and in pieces: both come to the same."""
    reader = _READERS.get(cms.content_type_of(data[: cms.PREFIX_BYTES]), read_envelope)
    assert _said(reader, data, 1 << 20) == _said(reader, data, 7)


def _said(reader: Callable[[bytes, int], bytes], data: bytes, size: int) -> bytes | None:
    try:
        return reader(data, size)
    except CmsError:
        return None


def cms_seeds() -> Iterator[bytes]:
    yield from samples().values()
    yield b"".join(cms.encrypt([ORDERS], [key().certificate], Cipher.AES_256_CBC))
    yield b"".join(cms.compress([ORDERS * 20]))


# --- MIME and packaging ---------------------------------------------------------------------------------------------

_HEAD = (
    ("AS2-Version", "1.2"),
    ("AS2-From", "VENDOR"),
    ("AS2-To", "MARKETPLACE"),
    ("Message-ID", "<1@vendor.example>"),
    ("Disposition-Notification-To", "mdn@vendor.example"),
)
_PARTNER = SimulatedPartner()
_OPEN = _PARTNER.relationship(
    require_signature=False,
    require_encryption=False,
    attachments=True,
    accept_canonicalised=True,
    payload_bytes_max=1 << 20,
    accepted_digests=frozenset(digest.value for digest in LEGACY_DIGESTS),
    accepted_ciphers=frozenset(cipher.value for cipher in LEGACY_CIPHERS),
)
_STRICT = _PARTNER.relationship()


def read_mime(data: bytes) -> None:
    """An entity as the body and the content headers of a POST; nobody is refused for his policy."""
    block, _, body = data.partition(b"\r\n\r\n")
    headers = Headers([*_HEAD, *Headers.parse(block)])
    with suppress(As2Refusal):
        request = read_request(headers)
        outcome = open_transmission(request, headers, io.BytesIO(body), _OPEN, io.BytesIO, NOW)
        assert isinstance(outcome, Opened | OpenedReport | Refused)
        if isinstance(outcome, Opened):
            outcome.payload.close()
        strict = open_transmission(request, headers, io.BytesIO(body), _STRICT, io.BytesIO, NOW)
        assert not isinstance(strict, Opened) or (strict.signed_with and strict.encrypted_with), "policy was bypassed"


def mime_seeds() -> Iterator[bytes]:
    partner = _PARTNER
    entity = partner.entity()
    signed = partner.signed(entity, preamble=b"preamble\r\n", epilogue=b"epilogue\r\n")
    yield entity
    yield partner.entity(encodebytes(ORDERS), encoding="base64")
    yield partner.entity(b"a=20b=\r\nc", encoding="quoted-printable")
    yield signed
    yield partner.signed(entity, encoding="binary", micalg=None, line_end=b"\n")
    yield partner.opaque(entity)
    yield partner.compressed(entity)
    yield partner.compressed(signed, encoding="base64")
    yield partner.signed(partner.compressed(entity))
    yield partner.encrypted(signed)
    yield partner.encrypted(partner.compressed(entity), encoding="base64", smime_type=None)
    for compression in Compression:
        sealed = partner.sealed_by_gateway(compression=compression, encrypt=False)
        lines = "".join(f"{name}: {value}\r\n" for name, value in sealed.headers if name.startswith("Content"))
        yield lines.encode() + b"\r\n" + sealed.body.read()
    related = b"--r\r\n" + entity + b"\r\n--r\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n--r--\r\n"
    yield b'Content-Type: multipart/related; type="application/edifact"; boundary=r\r\n\r\n' + related


# --- MDN ------------------------------------------------------------------------------------------------------------


def read_mdn(data: bytes) -> None:
    """A response that ought to hold an MDN."""
    block, _, body = data.partition(b"\r\n\r\n")
    headers = Headers([*_HEAD[:4], *Headers.parse(block)])
    outcome = open_report(headers, io.BytesIO(body), _OPEN, io.BytesIO, NOW)
    assert isinstance(outcome, OpenedReport | Refused)
    if isinstance(outcome, OpenedReport):
        _round_trips(outcome.report.disposition)


def _round_trips(disposition: Disposition) -> None:
    assert Disposition.parse(disposition.render()).is_positive == disposition.is_positive


def mdn_seeds() -> Iterator[bytes]:
    notification = _PARTNER.notification("<9@gateway.example>", mic="AAAA, sha-256")
    negative = _PARTNER.notification(
        "<9@gateway.example>", "automatic-action/MDN-sent-automatically; processed/error: decryption-failed",
        fields={"Error": "the key is not ours", "Original-Recipient": "rfc822; x"},
    )  # fmt: skip
    for each in (notification, negative):
        yield each
        yield _PARTNER.report(each)
        yield _PARTNER.signed(_PARTNER.report(each))
    yield _PARTNER.opaque(_PARTNER.report(notification))
    yield _PARTNER.compressed(_PARTNER.signed(_PARTNER.report(notification)))


# --- headers --------------------------------------------------------------------------------------------------------


def read_headers(data: bytes) -> None:
    """Header lines, and each value as every kind of field."""
    headers = Headers.parse(data)
    with suppress(As2Refusal, FieldMalformed):
        request = read_request(headers)
        assert not has_control_character(request.message_id + request.as2_from + request.as2_to)
        assert len(request.as2_from) <= 128
        assert request.as2_from != request.as2_to
    for _, value in headers:
        _read_value(value)


def _read_value(value: str) -> None:
    render_options(parse_options(value))
    Parameterised.parse(value)
    decoded_words(value)
    name = safe_filename(received_filename(value))
    assert len(name.encode()) <= FILENAME_BYTES_MAX
    assert not set(name) & set("/\\\0\r\n")
    assert name not in (".", "..")
    with suppress(FieldMalformed):
        assert parse_as2_name(render_as2_name(parse_as2_name(value))) == parse_as2_name(value)
    with suppress(DispositionMalformed):
        _round_trips(Disposition.parse(value))
    with suppress(MicMalformed):
        mic = Mic.parse(value)
        assert Mic.parse(mic.render()).value == mic.value


def headers_seeds() -> Iterator[bytes]:
    posted = _PARTNER.post(_PARTNER.entity())
    yield "".join(f"{name}: {value}\r\n" for name, value in posted.headers).encode()
    for lines in _HEADER_SEEDS:
        yield "".join(f"{line}\r\n" for line in lines).encode()


_HEADER_SEEDS = (
    ('AS2-From: "a \\"b\\" \\\\"', "AS2-To: B", "Message-ID: 1@x", "EDIINT-Features: CEM,x", " folded"),
    ("Content-Disposition: attachment; filename*0*=utf-8''..%2f; filename*1=\"b.edi\"", "Subject: =?utf-8?B?w6k=?="),
    ("Disposition: automatic-action/MDN-sent-automatically; processed/Warning: duplicate-document", "X: AAAA, SHA256"),
    ("Disposition-Notification-Options: signed-receipt-micalg=required,sha1, MD5 ; Signed-Receipt-Protocol = x",),
)


# --- EDIFACT --------------------------------------------------------------------------------------------------------


def read_edifact(data: bytes) -> None:
    """Read, judged, translated and answered; every other input is read in pieces too, which must come to the same."""
    for interchange in judge([data]):
        for message in interchange.messages:
            assert message.header is not None
            _in_words(message)
            _as_record(message)
        if contrl.needs_answer(interchange, agreed=True):
            _answered(interchange)
    if len(data) % 2:
        assert list(read([data])) == list(read(pieces(data, 23))), "what is read depends on where a chunk ends"


def _in_words(message: MessageVerdict) -> None:
    for finding in message.findings:
        assert (finding.text() + finding.hint("fr")).isprintable()
    for explained in explain_message(message, "fr"):
        assert all(value.value for value in explained.values)
    if message.header.type == contrl.MESSAGE_TYPE:
        with suppress(contrl.ContrlUnreadable):
            contrl.read(message.message)


def _as_record(message: MessageVerdict) -> None:
    found = translator(message.header.type)
    if found is not None and isinstance(message.tree, Group):
        decoded = found.decode(message.tree, DecodeContext(), message.findings)
        assert decoded.record is not None or any(finding.is_error for finding in (*decoded.findings, *message.findings))


def _answered(interchange: InterchangeVerdict) -> None:
    """The CONTRL can be written and read, and is about this interchange."""
    unb = contrl.envelope(interchange, date="261122", time="0915", control_reference="1")
    body = (contrl.contrl_header(interchange, "1"), contrl.answer(interchange))
    try:
        written = write_interchange(unb, [body])
    except CharacterRefused:
        written = write_interchange(replace(unb, syntax_identifier="UNOY"), [body])
    (answer,) = judge([written])
    said = contrl.read(answer.messages[0].message)
    assert said.rejected == interchange.rejected
    assert (
        interchange.valid
        or not said.positive
        or all(f.contrl is None for f in interchange.all_findings() if f.is_error)
    )


def mutate_edifact(data: bytes, random: Random) -> bytes:
    """A change that a byte would not make: segments dropped, repeated, moved or brought in, and values exchanged."""
    segments = data.split(b"'")
    place = random.randrange(len(segments))
    match random.randrange(6):
        case 0:
            del segments[place]
        case 1:
            segments.insert(place, segments[random.randrange(len(segments))])
        case 2:
            segments.insert(place, random.choice(_segments()))
        case 3:
            segments[place] = _with_value(segments[place], random)
        case 4:
            other = random.randrange(len(segments))
            segments[place], segments[other] = segments[other], segments[place]
        case _:
            segments[place] += random.choice((b"+", b":", b"*", b"?", b"+++++", b":x:x:x:x:x"))
    return b"'".join(segments)


def _with_value(segment: bytes, random: Random) -> bytes:
    elements = segment.split(b"+")
    place = random.randrange(len(elements))
    components = elements[place].split(b":")
    components[random.randrange(len(components))] = random.choice(_VALUES)
    elements[place] = b":".join(components)
    return b"+".join(elements)


_VALUES = (
    *(b"", b"0", b"-1", b"1.", b",5", b"9" * 40, b"x" * 80, b"102", b"20261322", b"20261111-20261120", b"\xc3\xa9"),
    *(b"D", b"01B", b"96A", b"CONTRL", b"INVOIC", b"4", b"BJ", b"337601234500000011", b"?+?:??", b"\n", b"*", b" "),
    *(b"\x80", b"ZZZ"),
)


@cache
def _segments() -> tuple[bytes, ...]:
    """Every segment of the samples, once."""
    return tuple(sorted({segment for seed in edifact_seeds() for segment in seed.split(b"'")}))


def edifact_seeds() -> Iterator[bytes]:
    for path in sorted((ROOT / "samples").rglob("*.edi")):
        if path.stat().st_size <= EDIFACT_BYTES_MAX:
            yield path.read_bytes()


TARGETS: Mapping[str, Target] = {
    "cms": Target(read_cms, cms_seeds, (b"\x30\x80", b"\x24\x80", b"\0\0", b"\xa0\x80", b"\x04\x82", b"\x02\x84")),
    "mime": Target(
        read_mime,
        mime_seeds,
        (b"\r\n--", b"boundary=", b"multipart/signed", b"multipart/related", b"application/pkcs7-mime", b"base64"),
    ),
    "mdn": Target(
        read_mdn,
        mdn_seeds,
        (b"multipart/report", b"message/disposition-notification", b"Disposition: ", b"Received-content-MIC: "),
    ),
    "headers": Target(
        read_headers,
        headers_seeds,
        (b"AS2-From: ", b"AS2-To: ", b"Message-ID: ", b"=?utf-8?Q?", b"filename*=", b"processed/error"),
        length_max=2048,
    ),
    "edifact": Target(
        read_edifact,
        edifact_seeds,
        (b"UNA:+.? '", b"UNB+UNOC:3+", b"UNH+1+ORDERS:D:96A:UN'", b"UNT+", b"UNZ+", b"UNG+", b"UNE+", b"?'"),
        length_max=EDIFACT_BYTES_MAX,
        mutate=mutate_edifact,
    ),
}
