"""pyas2lib 1.4.4 in the same roles: it builds a message, and parses one with the MDN for it, all in memory.

It has no HTTP, no store and no process of its own, so its figures are those of the protocol work alone.
"""

from __future__ import annotations

import logging

from cryptography.hazmat.primitives import serialization

from benchmarks.sides import Side
from edi_gateway.as2.certificates import PrivateKey
from tests.interop.oscrypto_shim import pyas2lib

logging.getLogger("pyas2lib").setLevel(logging.CRITICAL)


class Pair:
    """A sender and a receiver, both run by pyas2lib, with the keys of the two sides."""

    def __init__(self, sender: Side, receiver: Side) -> None:
        self._from, self._to = _organization(sender), _organization(receiver)
        self._seen_by_sender, self._seen_by_receiver = _partner(receiver), _partner(sender)

    def build(self, payload: bytes) -> bytes:
        """A signed and encrypted message as it goes over the wire."""
        message = pyas2lib.Message(self._from, self._seen_by_sender)
        message.build(payload, filename="orders.edi", subject="EDI message", content_type="application/edifact")
        return bytes(message.headers_str + b"\r\n" + message.content)

    def parse(self, raw: bytes) -> bytes:
        """Decrypt, verify, and make the signed MDN."""
        message = pyas2lib.Message()
        status, problem, mdn = message.parse(raw, self._find_receiver, self._find_sender)
        if status != "processed":
            raise RuntimeError(f"pyas2lib did not accept the message: {status} {problem}")
        return bytes(mdn.content)

    def _find_receiver(self, as2_name: str) -> pyas2lib.Organization:
        return self._to

    def _find_sender(self, as2_name: str) -> pyas2lib.Partner:
        return self._seen_by_receiver


def _organization(side: Side) -> pyas2lib.Organization:
    pem = _pem(side.key())
    return pyas2lib.Organization(
        as2_name=side.as2_id,
        sign_key=pem,
        sign_key_pass=None,
        decrypt_key=pem,
        decrypt_key_pass=None,
        domain="example.com",  # else it asks the DNS for each Message-ID
    )


def _partner(side: Side) -> pyas2lib.Partner:
    certificate = side.key().certificate.pem.encode()
    return pyas2lib.Partner(
        as2_name=side.as2_id,
        verify_cert=certificate,
        encrypt_cert=certificate,
        validate_certs=False,
        sign=True,
        digest_alg="sha256",
        encrypt=True,
        enc_alg="aes_256_cbc",
        mdn_mode="SYNC",
        mdn_digest_alg="sha256",
    )


def _pem(key: PrivateKey) -> bytes:
    plain = key.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return plain + key.certificate.pem.encode()
