"""`openssl cms` as the oracle for whole AS2 messages: it verifies and decrypts ours, we open what it makes.

It knows no CompressedData; pyas2lib covers that.
"""

import io
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from edi_gateway.as2.algorithms import Cipher, Digest, KeyTransport, SignatureScheme
from edi_gateway.as2.certificates import PrivateKey
from edi_gateway.as2.disposition import DECRYPTION_FAILED, PROCESSED
from edi_gateway.as2.fields import Parameterised
from edi_gateway.as2.headers import Headers, read_request
from edi_gateway.as2.mdn import compose
from edi_gateway.as2.mic import Mic
from edi_gateway.as2.mime import Multipart, multipart_boundary, read_entity
from edi_gateway.as2.outbound import seal
from tests.interop.peers import needs
from tests.partner import NOW, ORDERS, SimulatedPartner, key_of

pytestmark = [pytest.mark.interop, needs("openssl")]


@dataclass(frozen=True)
class OpenSsl:
    """The program, in a folder of its own, with the partner's and the gateway's keys as files."""

    folder: Path

    def path(self, name: str, content: bytes | None = None) -> str:
        file = self.folder / name
        if content is not None:
            file.write_bytes(content)
        return str(file)

    def key(self, name: str, key: PrivateKey) -> tuple[str, str]:
        plain = key.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return self.path(f"{name}.crt", key.certificate.pem.encode()), self.path(f"{name}.key", plain)

    def cms(self, *arguments: str) -> None:
        found = subprocess.run(["openssl", "cms", *arguments], capture_output=True, timeout=30, check=False)
        assert found.returncode == 0, found.stderr.decode()

    def verified(self, signature: bytes, content: bytes, certificate: str) -> bytes:
        """The content, after the detached signature was verified by exactly that certificate."""
        signed, data, out = self.path("sig.p7s", signature), self.path("content", content), self.path("out")
        self.cms(
            "-verify", "-binary", "-inform", "DER", "-in", signed, "-content", data, "-certfile", certificate,
            "-nointern", "-noverify", "-out", out,
        )  # fmt: skip
        return Path(out).read_bytes()

    def decrypted(self, envelope: bytes, key: tuple[str, str]) -> bytes:
        sealed, out = self.path("env.p7m", envelope), self.path("plain")
        self.cms("-decrypt", "-inform", "DER", "-in", sealed, "-recip", key[0], "-inkey", key[1], "-out", out)
        return Path(out).read_bytes()

    def signature(self, content: bytes, key: tuple[str, str], *options: str) -> bytes:
        data, out = self.path("part.bin", content), self.path("made.p7s")
        self.cms(
            "-sign", "-binary", "-in", data, "-signer", key[0], "-inkey", key[1], "-outform", "DER", "-out", out,
            *options,
        )  # fmt: skip
        return Path(out).read_bytes()

    def envelope(self, content: bytes, cipher: str, *recipients: str, options: tuple[str, ...] = ()) -> bytes:
        data, out = self.path("part.bin", content), self.path("made.p7m")
        named = [argument for recipient in recipients for argument in ("-recip", recipient, *options)]
        self.cms("-encrypt", "-binary", f"-{cipher}", "-outform", "DER", "-in", data, "-out", out, *named)
        return Path(out).read_bytes()


@pytest.fixture
def openssl(tmp_path):
    return OpenSsl(tmp_path)


@pytest.fixture(scope="module")
def partner():
    return SimulatedPartner()


# --- ours, opened by openssl ------------------------------------------------------------------------


def opened_by_openssl(openssl: OpenSsl, partner: SimulatedPartner, **policy) -> bytes:
    """The signed entity that openssl found and verified in a message of ours."""
    sealed = seal(
        io.BytesIO(ORDERS),
        partner.relationship(**policy),
        message_id="<9@gateway.example>",
        now=NOW,
        filename="orders.edi",
        spool=io.BytesIO,
    )
    theirs, ours = openssl.key("them", partner.key), openssl.key("us", partner.gateway_key)
    entity = read_entity([openssl.decrypted(sealed.body.read(), theirs)])
    first, second = (
        b"".join(part) for part in Multipart(entity.body.chunks(), multipart_boundary(entity.content_type)).parts()
    )
    signature = b"".join(read_entity([second]).decoded())
    found = openssl.verified(signature, first, ours[0])
    assert sealed.mic.value == sealed.mic.digest.of(found)
    return found


@pytest.mark.parametrize("cipher", ["aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "aes-128-gcm", "aes-256-gcm"])
def test_056_openssl_opens_every_cipher_of_ours(openssl, partner, cipher):
    assert opened_by_openssl(openssl, partner, cipher=cipher).endswith(b"\r\n\r\n" + ORDERS)


@pytest.mark.parametrize("transport", ["oaep-sha-1", "oaep-sha-256", "oaep-sha-384", "oaep-sha-512"])
def test_059_openssl_opens_every_oaep_of_ours(openssl, partner, transport):
    assert opened_by_openssl(openssl, partner, key_transport=transport)


@pytest.mark.parametrize("digest", ["sha-1", "sha-256", "sha-384", "sha-512"])
@pytest.mark.parametrize("scheme", ["pkcs1v15", "pss"])
def test_053_openssl_verifies_every_signature_of_ours(openssl, partner, digest, scheme):
    assert opened_by_openssl(openssl, partner, digest=digest, signature_scheme=scheme)


@pytest.mark.parametrize("kind", ["p-256", "p-384"])
def test_060_openssl_verifies_ecdsa_and_opens_ecdh_of_ours(openssl, kind):
    partner = SimulatedPartner(key=key_of("EC theirs", kind), gateway_key=key_of("EC ours", kind))
    assert opened_by_openssl(openssl, partner, key_transport="ecdh")


def test_062_openssl_opens_the_originators_copy(openssl, partner):
    assert opened_by_openssl(openssl, partner, copy_to_ourselves=True)


def test_079_openssl_verifies_our_receipt(openssl, partner):
    request = read_request(partner.post(partner.entity()).headers)
    mic = Mic(Digest.SHA256.of(ORDERS), Digest.SHA256)
    for disposition in (PROCESSED, DECRYPTION_FAILED):
        mdn = compose(request, partner.relationship(), disposition, mic, "x", message_id="<m@gateway.example>", now=NOW)
        boundary = multipart_boundary(Parameterised.parse(Headers(mdn.headers).get("Content-Type")))
        first, second = (b"".join(part) for part in Multipart([mdn.body], boundary).parts())
        signature = b"".join(read_entity([second]).decoded())
        assert openssl.verified(signature, first, openssl.key("us", partner.gateway_key)[0]) == first


# --- openssl's, opened by us --------------------------------------------------------------------------


def entity_of(content: bytes, smime_type: str) -> bytes:
    return f"Content-Type: application/pkcs7-mime; smime-type={smime_type}\r\n\r\n".encode() + content


@pytest.mark.parametrize(
    ("options", "scheme"),
    [
        ((), SignatureScheme.PKCS1V15),
        (("-keyopt", "rsa_padding_mode:pss"), SignatureScheme.PSS),
        (("-noattr",), SignatureScheme.PKCS1V15),
        (("-keyid", "-nocerts"), SignatureScheme.PKCS1V15),
        (("-nocerts",), SignatureScheme.PKCS1V15),
        (("-stream",), SignatureScheme.PKCS1V15),
    ],
    ids=["usual", "045 pss", "045 no attributes", "044 by key identifier", "047 no certificates", "043 BER"],
)
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_043_we_verify_every_signature_of_openssl(openssl, partner, digest, options, scheme):
    entity = partner.entity()
    signature = openssl.signature(entity, openssl.key("them", partner.key), "-md", digest, *options)
    posted = partner.post(partner.encrypted(partner.signed(entity, signature=signature, micalg=digest)))
    opened = partner.opened(posted)
    assert opened.signed_with.digest is Digest.parse(digest)
    assert opened.signed_with.scheme is scheme
    assert opened.payload.read() == ORDERS


def test_054_we_verify_ecdsa_of_openssl(openssl):
    partner = SimulatedPartner(key=key_of("EC theirs", "p-384"))
    entity = partner.entity()
    signature = openssl.signature(entity, openssl.key("them", partner.key), "-md", "sha384")
    opened = partner.opened(partner.post(partner.encrypted(partner.signed(entity, signature=signature))))
    assert opened.signed_with.scheme is SignatureScheme.ECDSA


@pytest.mark.parametrize("options", [("-nodetach",), ("-nodetach", "-stream")])
def test_049_we_open_opaque_signatures_of_openssl(openssl, partner, options):
    entity = partner.entity()
    signed = openssl.signature(entity, openssl.key("them", partner.key), "-md", "sha256", *options)
    opened = partner.opened(partner.post(partner.encrypted(entity_of(signed, "signed-data"))))
    assert opened.payload.read() == ORDERS
    assert opened.mic.value == Digest.SHA256.of(entity)


@pytest.mark.parametrize("cipher", ["aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "aes-128-gcm", "aes-256-gcm"])
def test_056_we_open_every_cipher_of_openssl(openssl, partner, cipher):
    content = openssl.envelope(partner.signed(partner.entity()), cipher, openssl.key("us", partner.gateway_key)[0])
    opened = partner.opened(partner.post(entity_of(content, "enveloped-data")))
    assert opened.encrypted_with.cipher is Cipher(cipher)
    assert opened.payload.read() == ORDERS


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384", "sha512"])
def test_059_we_open_every_oaep_of_openssl(openssl, partner, digest):
    options = ("-keyopt", "rsa_padding_mode:oaep", "-keyopt", f"rsa_oaep_md:{digest}")
    recipient = openssl.key("us", partner.gateway_key)[0]
    content = openssl.envelope(partner.signed(partner.entity()), "aes-256-cbc", recipient, options=options)
    opened = partner.opened(partner.post(entity_of(content, "enveloped-data")))
    assert opened.encrypted_with.key_transport is KeyTransport.oaep(Digest.parse(digest))


def test_060_we_open_ecdh_of_openssl(openssl):
    partner = SimulatedPartner(gateway_key=key_of("EC ours", "p-256"))
    recipient = openssl.key("us", partner.gateway_key)[0]
    content = openssl.envelope(partner.signed(partner.entity()), "aes-128-cbc", recipient)
    opened = partner.opened(partner.post(entity_of(content, "enveloped-data")))
    assert opened.encrypted_with.key_transport is KeyTransport.ECDH


def test_061_we_are_not_the_first_recipient_of_openssl(openssl, partner):
    others = [openssl.key(name, key_of(name))[0] for name in ("OTHER 1", "OTHER 2")]
    recipients = [*others, openssl.key("us", partner.gateway_key)[0]]
    content = openssl.envelope(partner.signed(partner.entity()), "aes-256-cbc", *recipients)
    assert partner.opened(partner.post(entity_of(content, "enveloped-data"))).payload.read() == ORDERS


def test_048_a_whole_message_as_openssl_writes_it(openssl, partner):
    """Its own MIME: bare LF around parts, base64, `x-pkcs7` names, a preamble."""
    theirs, ours = openssl.key("them", partner.key), openssl.key("us", partner.gateway_key)
    data, signed, sealed = (openssl.path(name) for name in ("part.bin", "signed.eml", "sealed.eml"))
    openssl.path("part.bin", partner.entity())
    openssl.cms("-sign", "-binary", "-in", data, "-signer", theirs[0], "-inkey", theirs[1], "-md", "sha256",
                "-outform", "SMIME", "-out", signed)  # fmt: skip
    openssl.cms("-encrypt", "-binary", "-aes-256-cbc", "-in", signed, "-outform", "SMIME", "-out", sealed, ours[0])
    written = Path(sealed).read_bytes().replace(b"\n\n", b"\r\n\r\n", 1)
    opened = partner.opened(partner.post(written))
    assert opened.payload.read() == ORDERS
    assert opened.mic.value == Digest.SHA256.of(partner.entity())
