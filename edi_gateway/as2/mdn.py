"""Receipts: an MDN made for what arrived (RFC 4130 §7.4). `report` reads them, `settlement` judges them.

The same bytes serve a synchronous answer and an asynchronous POST. An MDN never asks for an MDN, has a
Message-ID of its own, and repeats the Message-ID of the transmission exactly as it was received.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.cms import sign
from edi_gateway.as2.disposition import Disposition, Modifier
from edi_gateway.as2.fields import render_as2_name
from edi_gateway.as2.headers import PRODUCT, Request
from edi_gateway.as2.mic import Mic
from edi_gateway.as2.mime import base64_lines
from edi_gateway.as2.relationship import Relationship

DEFAULT_VERSION: Final = "1.2"
USER_AGENT: Final = PRODUCT.replace(":", "/")
_FIELD_OF = {Modifier.ERROR: "Error", Modifier.WARNING: "Warning", Modifier.FAILURE: "Failure"}


@dataclass(frozen=True, slots=True)
class SealedMdn:
    """An MDN ready to be sent: headers without Content-Length, and the body."""

    headers: tuple[tuple[str, str], ...]
    body: bytes
    message_id: str
    signed_with: Digest | None


def compose(
    request: Request,
    relationship: Relationship | None,
    disposition: Disposition,
    mic: Mic | None,
    explanation: str,
    *,
    message_id: str,
    now: datetime,
) -> SealedMdn:
    """The receipt for `request`, signed if it asks for that and the sender is known, also when it is negative.

    `explanation` is for the partner's people. Where the request lists only algorithms that are not accepted, the
    receipt is not signed (draft §8.3: an algorithm that is not listed must not be used). RelationshipFault if we
    have no valid key.
    """
    digest = _signature_digest(request, relationship)
    content = _report_entity(request, disposition, mic, explanation, message_id)
    if digest is not None and relationship is not None:
        content_type, body = _signed(content, digest, relationship, message_id, now)
    else:
        content_type, body = _bare(content)
    return SealedMdn(_headers(request, relationship, content_type, message_id, now), body, message_id, digest)


def _signature_digest(request: Request, relationship: Relationship | None) -> Digest | None:
    receipt = request.receipt
    if receipt is None or relationship is None or not receipt.is_signed:
        return None
    return receipt.digest(relationship.accepted_digests) if receipt.micalgs else relationship.digest


def _headers(
    request: Request, relationship: Relationship | None, content_type: str, message_id: str, now: datetime
) -> tuple[tuple[str, str], ...]:
    version = relationship.policy.version if relationship else DEFAULT_VERSION
    headers = [
        ("AS2-Version", version),
        ("AS2-From", render_as2_name(request.as2_to)),
        ("AS2-To", render_as2_name(request.as2_from)),
        ("Message-ID", message_id),
        ("Date", format_datetime(now)),
        ("Subject", "Message Disposition Notification"),
        ("MIME-Version", "1.0"),
        ("Content-Type", content_type),
    ]
    if version >= "1.3":
        headers.insert(1, ("AS2-Product", PRODUCT))
    return tuple(headers)


def boundary_for(message_id: str, level: str) -> str:
    """A boundary that no payload holds by chance, and that is the same each time the message is sealed."""
    return f"=_{level}_{hashlib.sha256(f'{level}:{message_id}'.encode()).hexdigest()[:40]}"


def _report_entity(
    request: Request, disposition: Disposition, mic: Mic | None, explanation: str, message_id: str
) -> bytes:
    boundary = boundary_for(message_id, "report")
    head = f'Content-Type: multipart/report; report-type=disposition-notification; boundary="{boundary}"\r\n\r\n'
    parts = (_text_part(request, disposition, explanation), _notification_part(request, disposition, mic, explanation))
    body = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), part) for part in parts)
    return head.encode() + body + b"--%s--\r\n" % boundary.encode()


def _text_part(request: Request, disposition: Disposition, explanation: str) -> bytes:
    outcome = "was received and processed" if disposition.is_positive else "could not be processed"
    lines = [
        f"The AS2 message {request.message_id or '(without Message-ID)'}",
        f"from {request.as2_from} to {request.as2_to}",
        f"{outcome}: {disposition.status}.",
        *([explanation] if explanation else []),
    ]
    text = "".join(f"{_one_line(line)}\r\n" for line in lines).encode("utf-8")
    if text.isascii():
        return b"Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" + text
    encoded = binascii.b2a_qp(text)
    return b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + encoded


def _notification_part(request: Request, disposition: Disposition, mic: Mic | None, explanation: str) -> bytes:
    recipient = f"rfc822; {render_as2_name(request.as2_to)}"
    fields = [
        ("Reporting-UA", USER_AGENT),
        ("Original-Recipient", recipient),
        ("Final-Recipient", recipient),
        ("Original-Message-ID", request.message_id),
        ("Disposition", disposition.render()),
        ("Received-content-MIC", mic.render() if mic else ""),
        (_FIELD_OF.get(disposition.modifier or Modifier.OTHER, "Error"), explanation if disposition.modifier else ""),
    ]
    head = "Content-Type: message/disposition-notification\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
    return (head + "".join(f"{name}: {_ascii(value)}\r\n" for name, value in fields if value)).encode("ascii")


_NOT_PRINTABLE = re.compile(r"[^ -~]")


def _one_line(text: str) -> str:
    """Whatever was echoed from the partner stays on its line."""
    return " ".join(text.split())


def _ascii(text: str) -> str:
    return _NOT_PRINTABLE.sub("?", _one_line(text))


def _bare(entity: bytes) -> tuple[str, bytes]:
    """The entity's Content-Type as HTTP header, and its body."""
    head, _, body = entity.partition(b"\r\n\r\n")
    return head.decode("ascii").removeprefix("Content-Type: "), body


def _signed(
    entity: bytes, digest: Digest, relationship: Relationship, message_id: str, now: datetime
) -> tuple[str, bytes]:
    key = relationship.signing_key(now)
    signature = sign(digest.of(entity), digest, key, relationship.scheme_for(key), now)
    boundary = boundary_for(message_id, "signed")
    content_type = (
        f'multipart/signed; protocol="application/pkcs7-signature"; micalg={digest.value}; boundary="{boundary}"'
    )
    mark = boundary.encode()
    head = (
        b"Content-Type: application/pkcs7-signature; name=smime.p7s; smime-type=signed-data\r\n"
        b"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=smime.p7s\r\n\r\n"
    )
    encoded = b"".join(base64_lines([signature]))
    return content_type, b"--%s\r\n%s\r\n--%s\r\n%s%s--%s--\r\n" % (mark, entity, mark, head, encoded, mark)
