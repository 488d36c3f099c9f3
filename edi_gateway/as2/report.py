"""A disposition notification as a value, read from exactly the bytes it is given (RFC 3798 §3, RFC 4130 §7.4).

Who calls decides which bytes those are: for a signed MDN only ever the first part of `multipart/signed`, after
its signature was verified. Within them there must be one report and no more, so that nothing can be read from
one place and trusted because of another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edi_gateway.as2.disposition import Disposition, DispositionMalformed
from edi_gateway.as2.errors import MimeMalformed, ReportMalformed
from edi_gateway.as2.fields import has_control_character
from edi_gateway.as2.headers import Headers
from edi_gateway.as2.mic import Mic, MicMalformed
from edi_gateway.as2.mime import Entity, Multipart, collected, multipart_boundary, read_entity

REPORT_BYTES_MAX = 1024 * 1024
TEXT_LENGTH_MAX = 10_000
PARTS_MAX = 3  # text, notification, and perhaps the original headers (RFC 3462 §1)

_NOTIFICATION = "message/disposition-notification"
# Fields of which a second one would leave open which is meant.
_SINGLE = ("Disposition", "Received-content-MIC", "Original-Message-ID")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an MDN says."""

    disposition: Disposition
    original_message_id: str = ""  # byte-exact as written
    mic: Mic | None = None
    final_recipient: str = ""
    original_recipient: str = ""
    reporting_ua: str = ""
    text: str = ""  # for people, from the partner: never interpreted
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    as2_from: str = ""  # the names and the id of the MDN itself, from the headers that carried it
    as2_to: str = ""
    message_id: str = ""


def parse_report(entity: Entity, *, as2_from: str = "", as2_to: str = "", message_id: str = "") -> Report:
    """Read a `multipart/report`, or a bare `message/disposition-notification` (some products send it).

    ReportMalformed if it is none, holds more than one report, or a field twice that may occur once.
    """
    try:
        text, fields = _parts(entity)
        headers = Headers.parse(_joined(fields))
    except MimeMalformed as error:
        raise ReportMalformed(f"the MDN cannot be read: {error}") from None
    return _report(headers, text, as2_from, as2_to, message_id)


def _joined(fields: bytes) -> bytes:
    """The notification as one block of headers; some products separate its groups with blank lines."""
    return b"\r\n".join(line for line in fields.replace(b"\r\n", b"\n").split(b"\n") if line.strip())


def _parts(entity: Entity) -> tuple[str, bytes]:
    if entity.content_type.main == _NOTIFICATION:
        return "", collected(entity.decoded(), REPORT_BYTES_MAX, "the MDN")
    if entity.content_type.main != "multipart/report":
        raise ReportMalformed(f"an MDN is multipart/report (RFC 3798 §3), not {entity.content_type.main[:80]!r}")
    text, notifications = "", []
    for main, content in _leaves(entity):
        if main == _NOTIFICATION:
            notifications.append(content)
        elif main.startswith("multipart/"):
            raise ReportMalformed("a multipart inside of the report")
        elif main == "text/plain" and not text:
            text = content.decode("utf-8", "replace")[:TEXT_LENGTH_MAX].strip()
    if len(notifications) != 1:
        raise ReportMalformed(f"{len(notifications)} disposition notifications in one MDN; exactly one is allowed")
    return text, notifications[0]


def _leaves(entity: Entity) -> Iterator[tuple[str, bytes]]:
    multipart = Multipart(entity.body.chunks(), multipart_boundary(entity.content_type))
    for number, part in enumerate(multipart.parts(), start=1):
        if number > PARTS_MAX:
            raise ReportMalformed(f"an MDN of more than {PARTS_MAX} parts (RFC 3462 §1)")
        leaf = read_entity(part)
        yield leaf.content_type.main, collected(leaf.decoded(), REPORT_BYTES_MAX, "a part of the MDN")


def _report(headers: Headers, text: str, as2_from: str, as2_to: str, message_id: str) -> Report:
    for name in _SINGLE:
        if len(headers.all(name)) > 1:
            raise ReportMalformed(f"the field {name} occurs {len(headers.all(name))} times in the MDN")
    if any(has_control_character(value) for _, value in headers):
        raise ReportMalformed("control characters in a field of the MDN")
    if "Disposition" not in headers:
        raise ReportMalformed("the MDN has no Disposition field (RFC 3798 §3.2.6)")
    errors, warnings, failures = headers.all("Error"), headers.all("Warning"), headers.all("Failure")
    try:
        disposition = Disposition.parse(headers.get("Disposition")).explained_by(errors, warnings, failures)
        mic = Mic.parse(headers.get("Received-content-MIC")) if headers.get("Received-content-MIC") else None
    except (DispositionMalformed, MicMalformed) as error:
        raise ReportMalformed(str(error)) from None
    return Report(
        disposition=disposition,
        original_message_id=headers.get("Original-Message-ID"),
        mic=mic,
        final_recipient=headers.get("Final-Recipient"),
        original_recipient=headers.get("Original-Recipient"),
        reporting_ua=headers.get("Reporting-UA"),
        text=text,
        errors=errors,
        warnings=warnings,
        failures=failures,
        as2_from=as2_from,
        as2_to=as2_to,
        message_id=message_id,
    )
