"""A trading partner for the tests: with keys of its own, it packs, signs, encrypts, answers, and misbehaves on request.

It builds its messages from the CMS primitives by hand, byte by byte, so that it can be wrong in every way and does
not share the packaging code of the gateway. Used like this::

    partner = SimulatedPartner()
    posted = partner.post(partner.encrypted(partner.signed(partner.entity(ORDERS))))
    outcome = partner.delivered(posted)              # what the gateway makes of it
    answer = partner.answer(sealed, mic=WRONG)       # the MDN that the partner gives for what the gateway sent
"""

from __future__ import annotations

import io
from base64 import b64encode, encodebytes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from edi_gateway.as2.algorithms import Cipher, Digest, KeyTransport, SignatureScheme
from edi_gateway.as2.certificates import Certificate, PrivateKey, generate
from edi_gateway.as2.cms import SigningOptions, compress, encrypt, sign, sign_opaque
from edi_gateway.as2.disposition import PROCESSED, Disposition
from edi_gateway.as2.headers import Headers, read_request
from edi_gateway.as2.inbound import open_report, open_transmission
from edi_gateway.as2.opened import Opened, OpenedReport, Outcome, Refused
from edi_gateway.as2.outbound import Sealed, seal
from edi_gateway.as2.relationship import Relationship
from edi_gateway.partnership import As2Policy, DatedCertificate

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORDERS = b"UNB+UNOC:3+3012345000004:14+3098765000002:14+261122:1200+1'\r\nUNZ+0+1'\r\n"
MARKETPLACE = "MARKETPLACE"
VENDOR = "VENDOR"
GENUINE = "genuine"  # the MIC that an honest partner answers with


@cache
def key_of(
    name: str, kind: str = "rsa-2048", start: datetime = NOW - timedelta(days=30), days: int = 365
) -> PrivateKey:
    """A key with its self-signed certificate; made once in a test run."""
    return generate(name, start, days, kind)


def pinned(*certificates: Certificate) -> tuple[DatedCertificate, ...]:
    return tuple(DatedCertificate(pem=certificate.pem) for certificate in certificates)


@dataclass(frozen=True)
class Posted:
    """An HTTP POST: headers and body."""

    headers: Headers
    body: bytes

    def with_headers(self, **changes: str | None) -> Posted:
        """The same with other headers; None takes one away. Underscores stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in changes.items()}
        kept = self.headers.without(*named)
        return replace(self, headers=Headers([*kept, *((k, v) for k, v in named.items() if v is not None)]))


class SimulatedPartner:
    """The partner, and the gateway's side of the relationship as far as the partner has to know it."""

    def __init__(
        self,
        name: str = VENDOR,
        gateway_name: str = MARKETPLACE,
        key: PrivateKey | None = None,
        gateway_key: PrivateKey | None = None,
    ) -> None:
        self.name = name
        self.gateway_name = gateway_name
        self.key = key or key_of(name)
        self.gateway_key = gateway_key or key_of(gateway_name)

    # --- the agreement ------------------------------------------------------------------

    def policy(self, **changes: Any) -> As2Policy:
        """What the gateway has agreed with this partner."""
        agreed: dict[str, Any] = {
            "their_id": self.name,
            "our_id": self.gateway_name,
            "url": "http://vendor.example/as2",
            "signing_certificates": pinned(self.key.certificate),
            "encryption_certificates": pinned(self.key.certificate),
        }
        return As2Policy(**(agreed | changes))

    def relationship(self, **changes: Any) -> Relationship:
        """The gateway's side."""
        return Relationship.of(self.policy(**changes), [self.gateway_key])

    def own_relationship(self, **changes: Any) -> Relationship:
        """The partner's side, as if it ran this engine too."""
        theirs = pinned(self.gateway_key.certificate)
        policy = self.policy(
            their_id=self.gateway_name,
            our_id=self.name,
            signing_certificates=theirs,
            encryption_certificates=theirs,
            **changes,
        )
        return Relationship.of(policy, [self.key])

    # --- packing, by hand ---------------------------------------------------------------

    def entity(
        self, payload: bytes = ORDERS, content_type: str = "application/edifact", *more: str, encoding: str = "binary"
    ) -> bytes:
        """A MIME entity: headers, blank line, content."""
        lines = [f"Content-Type: {content_type}", f"Content-Transfer-Encoding: {encoding}", *more]
        return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n" + payload

    def signature(
        self,
        content: bytes,
        digest: Digest = Digest.SHA256,
        key: PrivateKey | None = None,
        scheme: SignatureScheme | None = None,
        **options: bool,
    ) -> bytes:
        """A detached SignedData over the content."""
        return sign(digest.of(content), digest, key or self.key, scheme, NOW, SigningOptions(**options))

    def signed(
        self,
        entity: bytes,
        *,
        digest: Digest = Digest.SHA256,
        micalg: str | None = "sha-256",
        key: PrivateKey | None = None,
        scheme: SignatureScheme | None = None,
        signature: bytes | None = None,
        encoding: str = "base64",
        preamble: bytes = b"",
        epilogue: bytes = b"",
        more_parts: Sequence[bytes] = (),
        line_end: bytes = b"\r\n",
        boundary: str = "=_by_hand",
        **options: bool,
    ) -> bytes:
        """A multipart/signed entity around the entity."""
        found = signature if signature is not None else self.signature(entity, digest, key, scheme, **options)
        encoded = encodebytes(found) if encoding == "base64" else found
        head = b"Content-Type: application/pkcs7-signature; name=smime.p7s" + line_end
        if encoding:
            head += b"Content-Transfer-Encoding: " + encoding.encode() + line_end
        mark = boundary.encode()
        protocol = f'multipart/signed; protocol="application/pkcs7-signature"; boundary="{boundary}"'
        content_type = protocol + (f"; micalg={micalg}" if micalg is not None else "")
        parts = [entity, head + line_end + encoded, *more_parts]
        body = b"".join(b"--" + mark + line_end + part + line_end for part in parts)
        return (
            b"Content-Type: " + content_type.encode() + line_end * 2 + preamble + body + b"--" + mark + b"--" + line_end
        ) + epilogue

    def opaque(self, entity: bytes, digest: Digest = Digest.SHA256, smime_type: str | None = "signed-data") -> bytes:
        """A signed-data entity with the entity inside."""
        content = b"".join(sign_opaque([entity], digest, self.key))
        return self._cms(content, smime_type, "binary", "application/pkcs7-mime")

    def compressed(
        self,
        entity: bytes,
        *,
        smime_type: str | None = "compressed-data",
        encoding: str = "binary",
        main: str = "application/pkcs7-mime",
    ) -> bytes:
        return self._cms(b"".join(compress([entity])), smime_type, encoding, main)

    def encrypted(
        self,
        entity: bytes,
        *,
        recipients: Sequence[Certificate] = (),
        cipher: Cipher = Cipher.AES_256_CBC,
        transport: KeyTransport = KeyTransport.PKCS1V15,
        smime_type: str | None = "enveloped-data",
        encoding: str = "binary",
        main: str = "application/pkcs7-mime",
    ) -> bytes:
        wanted = recipients or (self.gateway_key.certificate,)
        return self._cms(b"".join(encrypt([entity], wanted, cipher, transport)), smime_type, encoding, main)

    def _cms(self, content: bytes, smime_type: str | None, encoding: str, main: str) -> bytes:
        lines = [f"Content-Type: {main}" + (f"; smime-type={smime_type}" if smime_type else "")]
        if encoding:
            lines.append(f"Content-Transfer-Encoding: {encoding}")
        body = encodebytes(content) if encoding == "base64" else content
        return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body

    # --- sending ------------------------------------------------------------------------

    def post(self, entity: bytes, message_id: str = "<1@vendor.example>", **changes: str | None) -> Posted:
        """The entity as an HTTP request: its headers join those of AS2."""
        head, _, body = entity.partition(b"\r\n\r\n")
        usual = [
            ("AS2-Version", "1.2"),
            ("AS2-From", self.name),
            ("AS2-To", self.gateway_name),
            ("Message-ID", message_id),
            ("Date", "Sun, 22 Nov 2026 12:00:00 +0000"),
            ("Subject", "orders"),
            ("Disposition-Notification-To", "mdn@vendor.example"),
            (
                "Disposition-Notification-Options",
                "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, sha-256",
            ),
        ]
        return Posted(Headers([*usual, *Headers.parse(head)]), body).with_headers(**changes)

    def delivered(self, posted: Posted, now: datetime = NOW, **policy: Any) -> Outcome:
        """What the gateway makes of it."""
        request = read_request(posted.headers)
        relationship = self.relationship(**policy)
        return open_transmission(request, posted.headers, io.BytesIO(posted.body), relationship, io.BytesIO, now)

    def opened(self, posted: Posted, now: datetime = NOW, **policy: Any) -> Opened:
        outcome = self.delivered(posted, now, **policy)
        assert isinstance(outcome, Opened), outcome
        return outcome

    def refused(self, posted: Posted, now: datetime = NOW, **policy: Any) -> Refused:
        outcome = self.delivered(posted, now, **policy)
        assert isinstance(outcome, Refused), outcome
        return outcome

    # --- receiving ----------------------------------------------------------------------

    def sealed_by_gateway(
        self, payload: bytes = ORDERS, message_id: str = "<9@gateway.example>", **policy: Any
    ) -> Sealed:
        """A transmission of the gateway to this partner."""
        return seal(
            io.BytesIO(payload),
            self.relationship(**policy),
            message_id=message_id,
            now=NOW,
            filename="orders.edi",
            spool=io.BytesIO,
            async_mdn_url="http://gateway.example/as2",
        )

    def received(self, sealed: Sealed, **policy: Any) -> Opened:
        """What the partner, with this engine, makes of what the gateway sent."""
        headers = Headers(sealed.headers)
        own = self.own_relationship(**policy)
        outcome = open_transmission(read_request(headers), headers, sealed.body, own, io.BytesIO, NOW)
        assert isinstance(outcome, Opened), outcome
        return outcome

    def notification(
        self,
        message_id: str,
        disposition: Disposition | str = PROCESSED,
        mic: str | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> bytes:
        """A message/disposition-notification entity, without anything that it must not have."""
        status = disposition if isinstance(disposition, str) else disposition.render()
        lines = {
            "Reporting-UA": "simulated",
            "Final-Recipient": f"rfc822; {self.name}",
            "Original-Message-ID": message_id,
            "Disposition": status,
            **({"Received-content-MIC": mic} if mic is not None else {}),
            **(fields or {}),
        }
        body = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode()
        return b"Content-Type: message/disposition-notification\r\n\r\n" + body

    def report(self, *notifications: bytes, text: str = "Received.", more_parts: Sequence[bytes] = ()) -> bytes:
        """A multipart/report entity."""
        parts = [b"Content-Type: text/plain\r\n\r\n" + text.encode() + b"\r\n", *notifications, *more_parts]
        body = b"".join(b"--=_report\r\n" + part + b"\r\n" for part in parts)
        head = b'Content-Type: multipart/report; report-type=disposition-notification; boundary="=_report"\r\n\r\n'
        return head + body + b"--=_report--\r\n"

    def answer(
        self,
        sealed: Sealed,
        *,
        disposition: Disposition | str = PROCESSED,
        mic: str | None = GENUINE,
        key: PrivateKey | None = None,
        signed: bool = True,
        digest: Digest = Digest.SHA256,
        message_id: str | None = None,
        fields: Mapping[str, str] | None = None,
        **changes: str | None,
    ) -> Posted:
        """The MDN for a transmission of the gateway: honest unless told otherwise."""
        if mic == GENUINE:
            mic = f"{b64encode(sealed.digests[Digest.SHA256]).decode()}, sha-256"
        about = sealed.sent.message_id if message_id is None else message_id
        entity = self.report(self.notification(about, disposition, mic, fields))
        if signed:
            entity = self.signed(entity, key=key, digest=digest)
        return self.mdn(entity, **changes)

    def mdn(self, entity: bytes, **changes: str | None) -> Posted:
        """Any entity as an MDN: as a response, or as the POST of an asynchronous one."""
        posted = self.post(entity, "<mdn-1@vendor.example>")
        return posted.with_headers(Disposition_Notification_To=None, Disposition_Notification_Options=None, **changes)

    def settled_by_gateway(self, answer: Posted, **policy: Any) -> OpenedReport:
        """The MDN as the gateway reads it from the response."""
        outcome = open_report(answer.headers, io.BytesIO(answer.body), self.relationship(**policy), io.BytesIO, NOW)
        assert isinstance(outcome, OpenedReport), outcome
        return outcome
