"""Names and object identifiers of the algorithms."""

from __future__ import annotations

import pytest

from edi_gateway.as2.algorithms import (
    DEFAULT_CIPHERS,
    DEFAULT_DIGESTS,
    LEGACY_CIPHERS,
    LEGACY_DIGESTS,
    Cipher,
    Digest,
    KeyTransport,
    SignatureScheme,
    signature_of_oid,
    signature_oid,
)


@pytest.mark.parametrize("digest", Digest)
def test_a_digest_is_found_by_every_way_of_writing_it(digest: Digest) -> None:
    spellings = [digest.value, digest.value.upper(), digest.old_name, f"rsa-{digest.old_name}", f" {digest.value} "]
    assert [Digest.parse(spelling) for spelling in spellings] == [digest] * len(spellings)
    assert Digest.of_oid(digest.oid) is digest


@pytest.mark.parametrize(
    ("spelling", "digest"),
    [
        ("SHA256", Digest.SHA256),
        ("sha_512", Digest.SHA512),
        ("Sha1", Digest.SHA1),
        ("rsa-sha256", Digest.SHA256),
        ("sha2-384", Digest.SHA384),
        ("MD5", Digest.MD5),
        ("sha3-256", None),
        ("", None),
        ("unknown", None),
    ],
)
def test_spellings_of_digests_in_the_field(spelling: str, digest: Digest | None) -> None:
    assert Digest.parse(spelling) is digest


@pytest.mark.parametrize("digest", Digest)
def test_a_digest_has_its_size(digest: Digest) -> None:
    assert len(digest.of(b"")) == digest.size == digest.algorithm.digest_size


def test_051_sha_1_and_md5_are_in_no_default_set() -> None:
    assert {d for d in Digest if d.weak} == {Digest.MD5, Digest.SHA1}
    assert frozenset({Digest.SHA256, Digest.SHA384, Digest.SHA512}) == DEFAULT_DIGESTS
    assert Digest.SHA1 in LEGACY_DIGESTS
    assert Digest.MD5 not in LEGACY_DIGESTS


@pytest.mark.parametrize(
    ("spelling", "cipher"),
    [
        ("aes-256-cbc", Cipher.AES_256_CBC),
        ("AES256_CBC", Cipher.AES_256_CBC),
        ("aes256-CBC", Cipher.AES_256_CBC),
        ("aes128", Cipher.AES_128_CBC),
        ("aes_192_cbc", Cipher.AES_192_CBC),
        ("AES-128-GCM", Cipher.AES_128_GCM),
        ("id-aes256-GCM", Cipher.AES_256_GCM),
        ("tripledes_192_cbc", Cipher.TRIPLE_DES_CBC),
        ("DES-EDE3-CBC", Cipher.TRIPLE_DES_CBC),
        ("3des", Cipher.TRIPLE_DES_CBC),
        ("rc2", None),
    ],
)
def test_spellings_of_ciphers_in_the_field(spelling: str, cipher: Cipher | None) -> None:
    assert Cipher.parse(spelling) is cipher


@pytest.mark.parametrize("cipher", Cipher)
def test_a_cipher_is_found_by_its_identifier(cipher: Cipher) -> None:
    assert Cipher.of_oid(cipher.oid) is cipher
    assert Cipher.parse(cipher.value) is cipher
    assert cipher.authenticated is ("gcm" in cipher)
    assert cipher.weak is (cipher is Cipher.TRIPLE_DES_CBC)


def test_triple_des_is_for_partnerships_that_say_so() -> None:
    assert {Cipher.TRIPLE_DES_CBC} == LEGACY_CIPHERS - DEFAULT_CIPHERS


@pytest.mark.parametrize(
    ("spelling", "scheme"),
    [
        ("RSASSA-PSS", "pss"),
        ("rsassa_pkcs1v15", "pkcs1v15"),
        ("PKCS1v15", "pkcs1v15"),
        ("ecdsa", "ecdsa"),
        ("dsa", None),
    ],
)
def test_spellings_of_signature_schemes(spelling: str, scheme: str | None) -> None:
    assert SignatureScheme.parse(spelling) == scheme


@pytest.mark.parametrize(
    ("spelling", "transport"),
    [
        ("rsaes_pkcs1v15", KeyTransport.PKCS1V15),
        ("rsaes_oaep", KeyTransport.OAEP_SHA1),
        ("RSA-OAEP-256", KeyTransport.OAEP_SHA256),
        ("oaep-sha-512", KeyTransport.OAEP_SHA512),
        ("ECDH-ES", KeyTransport.ECDH),
        ("kem", None),
    ],
)
def test_spellings_of_key_transports(spelling: str, transport: KeyTransport | None) -> None:
    assert KeyTransport.parse(spelling) is transport


@pytest.mark.parametrize("scheme", SignatureScheme)
@pytest.mark.parametrize("digest", sorted(DEFAULT_DIGESTS))
def test_a_signature_identifier_names_what_it_was_made_from(scheme: SignatureScheme, digest: Digest) -> None:
    found = signature_of_oid(signature_oid(scheme, digest))
    assert found is not None
    assert found.scheme is scheme
    assert found.digest is (None if scheme is SignatureScheme.PSS else digest)
