"""`openssl cms` as the oracle: it reads what we write, and we read what it writes, for every algorithm it can do.

It cannot do CompressedData in Debian's build. Needs the openssl command; without it the tests are skipped and say so.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from edi_gateway.as2 import cms
from edi_gateway.as2.algorithms import (
    DEFAULT_CIPHERS,
    DEFAULT_DIGESTS,
    LEGACY_CIPHERS,
    LEGACY_DIGESTS,
    Cipher,
    Digest,
    KeyTransport,
    SignatureScheme,
)
from edi_gateway.as2.certificates import PrivateKey, load_certificates, load_private_key
from edi_gateway.as2.cms import ContentType, SignatureRefused, SigningOptions
from tests.core.as2_cms.material import NOW, ORDER, key, opened, pieces, verified
from tests.interop.peers import needs

pytestmark = [pytest.mark.interop, needs("openssl")]

DIGESTS = sorted(DEFAULT_DIGESTS)
CIPHERS = sorted(DEFAULT_CIPHERS)
OAEP = [t for t in KeyTransport if t.digest]
KINDS = ["rsa-2048", "p-256", "p-384"]
PASSWORD = b"test"
CONTENT = ORDER * 40


class OpenSsl:
    """The command, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("content", CONTENT)

    def write(self, name: str, data: bytes) -> str:
        (self.folder / name).write_bytes(data)
        return name

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def run(self, *arguments: str) -> None:
        command = ["openssl", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"

    def certificate(self, of: PrivateKey) -> str:
        return self.write(f"{of.certificate.fingerprint[:8]}.crt", of.certificate.pem.encode())

    def key(self, of: PrivateKey) -> str:
        name = f"{of.certificate.fingerprint[:8]}.key"
        return name if (self.folder / name).exists() else self.write(name, of.to_pem(PASSWORD))

    def sign(self, signer: PrivateKey, digest: Digest, *options: str) -> bytes:
        """What `openssl cms -sign` makes of the content."""
        whose = ["-signer", self.certificate(signer), "-inkey", self.key(signer), "-passin", "pass:test"]
        how = ["-in", "content", "-md", digest.old_name, "-outform", "DER", "-out", "signed"]
        self.run("cms", "-sign", "-binary", *whose, *how, *options)
        return self.read("signed")

    def verify(self, message: bytes, *pinned: PrivateKey, detached: bool = True) -> bytes:
        """The content, if `openssl cms -verify` accepts the signature by the pinned certificates alone."""
        self.write("message", message)
        self.write("pinned", "".join(p.certificate.pem for p in pinned).encode())
        content = ["-content", "content"] if detached else []
        trust = ["-certfile", "pinned", "-nointern", "-noverify"]
        self.run("cms", "-verify", "-binary", "-inform", "DER", "-in", "message", *content, *trust, "-out", "out")
        return self.read("out")

    def encrypt(
        self, cipher: Cipher, recipients: Sequence[PrivateKey], *options: str, each: Sequence[str] = ()
    ) -> bytes:
        """What `openssl cms -encrypt` makes of the content."""
        named = [part for r in recipients for part in ("-recip", self.certificate(r), *each)]
        name = _OPENSSL_CIPHERS.get(cipher, cipher.value)
        self.run(
            "cms",
            "-encrypt",
            "-binary",
            f"-{name}",
            "-in",
            "content",
            "-outform",
            "DER",
            "-out",
            "sealed",
            *options,
            *named,
        )
        return self.read("sealed")

    def decrypt(self, message: bytes, recipient: PrivateKey) -> bytes:
        """The content, if `openssl cms -decrypt` opens the envelope with that key."""
        self.write("message", message)
        whose = ["-recip", self.certificate(recipient), "-inkey", self.key(recipient), "-passin", "pass:test"]
        self.run("cms", "-decrypt", "-binary", "-inform", "DER", "-in", "message", *whose, "-out", "out")
        return self.read("out")


_OPENSSL_CIPHERS = {Cipher.TRIPLE_DES_CBC: "des3"}


@pytest.fixture
def openssl(tmp_path: Path) -> OpenSsl:
    return OpenSsl(tmp_path)


def pss(digest: Digest, salt: str = "digest") -> list[str]:
    return ["-keyopt", "rsa_padding_mode:pss", "-keyopt", f"rsa_pss_saltlen:{salt}"]


# --- it verifies what we sign --------------------------------------------------------------------


@pytest.mark.parametrize("digest", DIGESTS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("attributes", [True, False])
def test_openssl_verifies_our_detached_signatures(
    openssl: OpenSsl, digest: Digest, kind: str, attributes: bool
) -> None:
    signer, options = key("us", kind), SigningOptions(attributes=attributes)
    openssl.verify(cms.sign(digest.of(CONTENT), digest, signer, None, NOW, options), signer)


@pytest.mark.parametrize("digest", DIGESTS)
@pytest.mark.parametrize("attributes", [True, False])
def test_053_openssl_verifies_our_pss(openssl: OpenSsl, digest: Digest, attributes: bool) -> None:
    options = SigningOptions(attributes=attributes)
    openssl.verify(cms.sign(digest.of(CONTENT), digest, key(), SignatureScheme.PSS, NOW, options), key())


def ours(**options: bool) -> bytes:
    """A detached signature of holder over the content."""
    return cms.sign(Digest.SHA256.of(CONTENT), Digest.SHA256, key(), None, NOW, SigningOptions(**options))


def test_044_openssl_verifies_a_signer_that_we_name_by_key_identifier(openssl: OpenSsl) -> None:
    openssl.verify(ours(by_key_identifier=True), key())


def test_046_openssl_verifies_our_algorithm_protection(openssl: OpenSsl) -> None:
    openssl.verify(ours(algorithm_protection=True), key())


def test_047_openssl_verifies_our_signature_without_certificates(openssl: OpenSsl) -> None:
    openssl.verify(ours(certificate=False), key())


@pytest.mark.parametrize("size", [0, 10_000, 2_000_000])
@pytest.mark.parametrize("kind", ["rsa-2048", "p-256"])
def test_049_openssl_verifies_our_opaque_signatures(openssl: OpenSsl, size: int, kind: str) -> None:
    content, signer = bytes(size), key("us", kind)
    message = b"".join(cms.sign_opaque(pieces(content, 100_000), Digest.SHA256, signer, None, NOW))
    assert openssl.verify(message, signer, detached=False) == content


# --- we verify what it signs ---------------------------------------------------------------------


@pytest.mark.parametrize("digest", DIGESTS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "options", [[], ["-noattr"], ["-keyid"], ["-nocerts"], ["-keyid", "-nocerts", "-noattr"], ["-stream"]]
)
def test_we_verify_openssl_signatures(openssl: OpenSsl, digest: Digest, kind: str, options: list[str]) -> None:
    signer = key("us", kind)
    (found,) = verified(openssl.sign(signer, digest, *options), CONTENT, signer.certificate)
    assert found.digest is digest
    assert (found.signing_time is None) is ("-noattr" in options)


@pytest.mark.parametrize("digest", DIGESTS)
@pytest.mark.parametrize("salt", ["digest", "max", "0", "20"])
@pytest.mark.parametrize("options", [[], ["-noattr"]])
def test_053_we_verify_openssl_pss(openssl: OpenSsl, digest: Digest, salt: str, options: list[str]) -> None:
    message = openssl.sign(key(), digest, *options, *pss(digest, salt))
    assert verified(message, CONTENT)[0].scheme is SignatureScheme.PSS


def test_053_we_verify_openssl_pss_with_another_mask_digest(openssl: OpenSsl) -> None:
    message = openssl.sign(key(), Digest.SHA256, *pss(Digest.SHA256), "-keyopt", "rsa_mgf1_md:sha1")
    assert verified(message, CONTENT)


@pytest.mark.parametrize("kind", ["rsa-2048", "p-256"])
@pytest.mark.parametrize("options", [[], ["-stream"], ["-noattr"], ["-keyid", "-nocerts", "-stream"]])
def test_049_we_verify_openssl_opaque_signatures(openssl: OpenSsl, kind: str, options: list[str]) -> None:
    signer = key("us", kind)
    message = openssl.sign(signer, Digest.SHA512, "-nodetach", *options)
    found = cms.open_signed(pieces(message, 1000))
    assert b"".join(found.chunks) == CONTENT
    assert cms.verify(found.signed, found.digest_of, [signer.certificate])
    assert cms.read_signed_data(message).content == CONTENT


def test_every_signer_of_openssl_must_be_pinned(openssl: OpenSsl) -> None:
    other = key("us", "p-256")
    message = openssl.sign(key(), Digest.SHA256, "-signer", openssl.certificate(other), "-inkey", openssl.key(other))
    assert len(verified(message, CONTENT, key().certificate, other.certificate)) == 2
    for alone in (key(), other):
        with pytest.raises(SignatureRefused):
            verified(message, CONTENT, alone.certificate)


def test_051_sha_1_by_openssl_needs_the_partnerships_switch(openssl: OpenSsl) -> None:
    message = openssl.sign(key(), Digest.SHA1)
    assert verified(message, CONTENT, accepted=LEGACY_DIGESTS)[0].digest is Digest.SHA1
    with pytest.raises(SignatureRefused):
        verified(message, CONTENT)


@pytest.mark.parametrize("options", [[], ["-noattr"], ["-nodetach"]])
def test_051_md5_by_openssl_is_refused_whatever_is_accepted(openssl: OpenSsl, options: list[str]) -> None:
    message = openssl.sign(key(), Digest.MD5, *options)
    with pytest.raises(SignatureRefused) as caught:
        verified(message, CONTENT, accepted=frozenset(Digest))
    assert caught.value.reason is cms.SignatureRefusal.WEAK_DIGEST


# --- it opens what we seal -----------------------------------------------------------------------


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("transport", [t for t in KeyTransport if t is not KeyTransport.ECDH])
def test_openssl_opens_our_envelopes(openssl: OpenSsl, cipher: Cipher, transport: KeyTransport) -> None:
    message = b"".join(cms.encrypt([CONTENT], [key().certificate], cipher, transport))
    assert openssl.decrypt(message, key()) == CONTENT


@pytest.mark.parametrize("cipher", [c for c in CIPHERS if c is not Cipher.AES_192_GCM])
@pytest.mark.parametrize("kind", ["p-256", "p-384"])
@pytest.mark.parametrize("by_key_identifier", [True, False])
def test_060_openssl_opens_our_ecdh(openssl: OpenSsl, cipher: Cipher, kind: str, by_key_identifier: bool) -> None:
    holder = key("us", kind)
    sealing = cms.encrypt(
        [CONTENT], [holder.certificate], cipher, KeyTransport.ECDH, by_key_identifier=by_key_identifier
    )
    assert openssl.decrypt(b"".join(sealing), holder) == CONTENT


@pytest.mark.parametrize("cipher", [Cipher.AES_256_CBC, Cipher.AES_256_GCM])
def test_043_openssl_opens_our_large_envelopes_in_der_and_ber(openssl: OpenSsl, cipher: Cipher) -> None:
    content = bytes(3_000_000)
    for length in (len(content), None):
        message = b"".join(cms.encrypt(pieces(content, 65536), [key().certificate], cipher, length=length))
        assert openssl.decrypt(message, key()) == content


@pytest.mark.parametrize("cipher", [Cipher.AES_256_CBC, Cipher.AES_256_GCM])
def test_061_openssl_opens_as_any_of_our_recipients(openssl: OpenSsl, cipher: Cipher) -> None:
    recipients = [key("other"), key("us", "p-256"), key()]
    message = b"".join(cms.encrypt([CONTENT], [r.certificate for r in recipients], cipher, by_key_identifier=True))
    for recipient in recipients:
        assert openssl.decrypt(message, recipient) == CONTENT


# --- we open what it seals -----------------------------------------------------------------------


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("options", [[], ["-stream"], ["-keyid"]])
def test_we_open_openssl_envelopes(openssl: OpenSsl, cipher: Cipher, options: list[str]) -> None:
    message = openssl.encrypt(cipher, [key()], *options)
    kind = ContentType.AUTH_ENVELOPED if cipher.authenticated else ContentType.ENVELOPED
    assert cms.content_type_of(message) is kind
    assert opened(pieces(message, 1000)) == CONTENT


@pytest.mark.parametrize("transport", OAEP)
@pytest.mark.parametrize("mask", ["", "sha1", "sha512"])
def test_059_we_open_openssl_oaep(openssl: OpenSsl, transport: KeyTransport, mask: str) -> None:
    assert transport.digest is not None
    each = ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", f"rsa_oaep_md:{transport.digest.old_name}"]
    each += ["-keyopt", f"rsa_mgf1_md:{mask}"] if mask else []
    message = openssl.encrypt(Cipher.AES_256_GCM, [key()], each=each)
    envelope = cms.open_enveloped([message], [key()])
    assert envelope.key_transport is transport
    assert b"".join(envelope.chunks) == CONTENT


@pytest.mark.parametrize("digest", [Digest.SHA1, *DIGESTS])
@pytest.mark.parametrize("kind", ["p-256", "p-384"])
@pytest.mark.parametrize("wrap", ["-aes128-wrap", "-aes256-wrap"])
def test_060_we_open_openssl_ecdh(openssl: OpenSsl, digest: Digest, kind: str, wrap: str) -> None:
    holder = key("us", kind)
    each = ["-keyopt", f"ecdh_kdf_md:{digest.old_name}"]
    message = openssl.encrypt(Cipher.AES_128_CBC, [holder], wrap, each=each)
    assert opened(message, holder) == CONTENT


def test_060_we_open_openssl_ecdh_by_key_identifier_and_with_the_cofactor(openssl: OpenSsl) -> None:
    holder = key("us", "p-256")
    each = ["-keyopt", "ecdh_kdf_md:sha256", "-keyopt", "ecdh_cofactor_mode:1"]
    assert opened(openssl.encrypt(Cipher.AES_256_CBC, [holder], "-keyid", each=each), holder) == CONTENT


@pytest.mark.parametrize("cipher", [Cipher.AES_256_CBC, Cipher.AES_256_GCM])
@pytest.mark.parametrize("options", [[], ["-stream"]])
def test_061_we_open_openssl_with_ours_last(openssl: OpenSsl, cipher: Cipher, options: list[str]) -> None:
    message = openssl.encrypt(cipher, [key("other"), key("us", "p-384"), key()], *options)
    assert opened(message) == CONTENT
    assert opened(message, key("us", "p-384")) == CONTENT


def test_057_we_open_openssl_triple_des_by_the_partnerships_switch(openssl: OpenSsl) -> None:
    message = openssl.encrypt(Cipher.TRIPLE_DES_CBC, [key()])
    with pytest.raises(cms.AlgorithmRefused):
        opened(message)
    assert opened(message, accepted=LEGACY_CIPHERS) == CONTENT


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 100_000])
def test_every_length_by_openssl(openssl: OpenSsl, size: int) -> None:
    openssl.write("content", bytes(size))
    # openssl 3.0 cannot stream an empty content with GCM.
    for cipher in (Cipher.AES_128_CBC, Cipher.AES_128_GCM) if size else (Cipher.AES_128_CBC,):
        assert opened(openssl.encrypt(cipher, [key()], "-stream")) == bytes(size)


# --- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_120_openssl_reads_our_keys_and_certificates(openssl: OpenSsl, kind: str) -> None:
    holder = key("us", kind)
    openssl.run("pkey", "-in", openssl.key(holder), "-passin", "pass:test", "-noout", "-check")
    openssl.run("x509", "-in", openssl.certificate(holder), "-noout", "-text")


@pytest.mark.parametrize("kind", ["rsa-2048", "p-256"])
def test_120_we_read_what_openssl_exports(openssl: OpenSsl, kind: str) -> None:
    holder = key("us", kind)
    whose = ["-inkey", openssl.key(holder), "-in", openssl.certificate(holder), "-passin", "pass:test"]
    openssl.run("pkcs12", "-export", *whose, "-passout", "pass:test", "-out", "us.p12")
    assert load_private_key(openssl.read("us.p12"), PASSWORD) == holder
    assert load_certificates(openssl.read("us.p12"), PASSWORD) == (holder.certificate,)
    both = openssl.write("both.pem", holder.certificate.pem.encode() + key("other").certificate.pem.encode())
    for form in ("DER", "PEM"):
        openssl.run("crl2pkcs7", "-nocrl", "-certfile", both, "-outform", form, "-out", "bundle.p7b")
        assert set(load_certificates(openssl.read("bundle.p7b"))) == {holder.certificate, key("other").certificate}
    openssl.run(
        "pkey",
        "-in",
        openssl.key(holder),
        "-passin",
        "pass:test",
        "-traditional",
        "-aes256",
        "-passout",
        "pass:test",
        "-out",
        "old.key",
    )
    assert load_private_key(openssl.read("old.key"), PASSWORD, holder.certificate) == holder


def test_120_we_read_a_p12_of_older_software(openssl: OpenSsl) -> None:
    whose = ["-inkey", openssl.key(key()), "-in", openssl.certificate(key()), "-passin", "pass:test"]
    how = ["-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"]
    openssl.run("pkcs12", "-export", *whose, *how, "-passout", "pass:test", "-out", "old.p12")
    assert load_private_key(openssl.read("old.p12"), PASSWORD) == key()
