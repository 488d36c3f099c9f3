"""The algorithms of AS2: their names, object identifiers and strength, one table each.

Every enum's value is the name that partnerships and reports use. `parse` takes any spelling met in
the field ("SHA256", "sha-256", "rsa-sha256", "AES256_CBC"), `of_oid` what stands in a CMS structure.
Both give `None` for what we do not know: the caller decides whether that is a refusal.

The weak ones (MD5, SHA-1, Triple DES) are known here so that a refusal can name them. They are in no
default set: SHA-1 and Triple DES are for partnerships that say so, MD5 is never accepted.

Clauses: RFC 8551 §2 (S/MIME 4.0), RFC 5754 (SHA-2), RFC 4056 (PSS), RFC 3560 (OAEP), RFC 5084 (AES-GCM),
RFC 5753 (elliptic curves), draft-ietf-ediint-rfc4130bis §7.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cryptography.hazmat.primitives import hashes

_NOISE = re.compile(r"[\s_./-]+")


def _fold(spelling: str) -> str:
    """`SHA-256`, `sha_256` and `Sha256` are one name."""
    return _NOISE.sub("", spelling).lower()


class Hash(Protocol):
    """What `hashlib` gives: an incremental digest."""

    def update(self, data: bytes | memoryview, /) -> None: ...

    def digest(self) -> bytes: ...

    def copy(self) -> Hash: ...


# --- digests -------------------------------------------------------------------------------------


class Digest(StrEnum):
    """A message digest. The value is the S/MIME 4.0 `micalg` spelling (RFC 8551 §3.5.3.2)."""

    MD5 = "md5"
    SHA1 = "sha-1"
    SHA256 = "sha-256"
    SHA384 = "sha-384"
    SHA512 = "sha-512"

    @classmethod
    def parse(cls, spelling: str) -> Digest | None:
        """The digest of that name, in any spelling; `None` if unknown."""
        return _DIGEST_OF_SPELLING.get(_fold(spelling))

    @classmethod
    def of_oid(cls, oid: str) -> Digest | None:
        """The digest of that object identifier, in dotted form; `None` if unknown."""
        return _DIGEST_OF_OID.get(oid)

    @property
    def oid(self) -> str:
        return _DIGESTS[self].oid

    @property
    def size(self) -> int:
        """Bytes of a digest."""
        return _DIGESTS[self].size

    @property
    def weak(self) -> bool:
        """Whether it is broken: accepted from nobody by default, never generated towards AS2 1.3 peers."""
        return self not in DEFAULT_DIGESTS

    @property
    def old_name(self) -> str:
        """The spelling of S/MIME 3.1 and of older products: `sha256`, `sha1`."""
        return self.value.replace("-", "")

    @property
    def algorithm(self) -> hashes.HashAlgorithm:
        """For the signature primitives."""
        return _DIGESTS[self].algorithm

    def new(self) -> Hash:
        """A fresh incremental hash."""
        return hashlib.new(_DIGESTS[self].hashlib_name, usedforsecurity=False)

    def of(self, data: bytes) -> bytes:
        """The digest of bytes that are in memory."""
        running = self.new()
        running.update(data)
        return running.digest()


@dataclass(frozen=True, slots=True)
class _DigestRow:
    oid: str
    hashlib_name: str
    size: int
    algorithm: hashes.HashAlgorithm
    other_names: tuple[str, ...] = ()


_MD5, _SHA1 = hashes.MD5(), hashes.SHA1()  # noqa: S303 - known so that they can be refused, or be a partner's switch
_DIGESTS = {
    Digest.MD5: _DigestRow("1.2.840.113549.2.5", "md5", 16, _MD5, ("rsa-md5",)),
    Digest.SHA1: _DigestRow("1.3.14.3.2.26", "sha1", 20, _SHA1, ("rsa-sha1", "sha", "id-sha1")),
    Digest.SHA256: _DigestRow(
        "2.16.840.1.101.3.4.2.1", "sha256", 32, hashes.SHA256(), ("rsa-sha256", "sha2-256", "id-sha256", "sha2")
    ),
    Digest.SHA384: _DigestRow(
        "2.16.840.1.101.3.4.2.2", "sha384", 48, hashes.SHA384(), ("rsa-sha384", "sha2-384", "id-sha384")
    ),
    Digest.SHA512: _DigestRow(
        "2.16.840.1.101.3.4.2.3", "sha512", 64, hashes.SHA512(), ("rsa-sha512", "sha2-512", "id-sha512")
    ),
}
_DIGEST_OF_OID = {row.oid: digest for digest, row in _DIGESTS.items()}
_DIGEST_OF_SPELLING = {
    _fold(name): digest for digest, row in _DIGESTS.items() for name in (digest.value, *row.other_names)
}

DEFAULT_DIGESTS = frozenset({Digest.SHA256, Digest.SHA384, Digest.SHA512})
LEGACY_DIGESTS = DEFAULT_DIGESTS | {Digest.SHA1}  # for a partnership that says so; MD5 is in no set


# --- content encryption --------------------------------------------------------------------------


class CipherMode(StrEnum):
    """How a block cipher is run. GCM authenticates and stands in AuthEnvelopedData only (RFC 5084 §1)."""

    CBC = "cbc"
    GCM = "gcm"


class Cipher(StrEnum):
    """A content-encryption algorithm."""

    AES_128_CBC = "aes-128-cbc"
    AES_192_CBC = "aes-192-cbc"
    AES_256_CBC = "aes-256-cbc"
    AES_128_GCM = "aes-128-gcm"
    AES_192_GCM = "aes-192-gcm"
    AES_256_GCM = "aes-256-gcm"
    TRIPLE_DES_CBC = "3des-cbc"

    @classmethod
    def parse(cls, spelling: str) -> Cipher | None:
        """The cipher of that name, in any spelling; `None` if unknown."""
        return _CIPHER_OF_SPELLING.get(_fold(spelling))

    @classmethod
    def of_oid(cls, oid: str) -> Cipher | None:
        """The cipher of that object identifier; `None` if unknown."""
        return _CIPHER_OF_OID.get(oid)

    @property
    def oid(self) -> str:
        return _CIPHERS[self].oid

    @property
    def key_bytes(self) -> int:
        return _CIPHERS[self].key_bytes

    @property
    def block_bytes(self) -> int:
        return 8 if self is Cipher.TRIPLE_DES_CBC else 16

    @property
    def mode(self) -> CipherMode:
        return _CIPHERS[self].mode

    @property
    def authenticated(self) -> bool:
        """Whether a change of the ciphertext is noticed without a signature."""
        return self.mode is CipherMode.GCM

    @property
    def weak(self) -> bool:
        """Understood inbound by a partnership's switch, never generated (draft rfc4130bis §7.2)."""
        return self not in DEFAULT_CIPHERS


@dataclass(frozen=True, slots=True)
class _CipherRow:
    oid: str
    key_bytes: int
    mode: CipherMode
    other_names: tuple[str, ...]


_AES = "2.16.840.1.101.3.4.1."
_CIPHERS = {
    Cipher.AES_128_CBC: _CipherRow(_AES + "2", 16, CipherMode.CBC, ("aes128-cbc", "aes128")),
    Cipher.AES_192_CBC: _CipherRow(_AES + "22", 24, CipherMode.CBC, ("aes192-cbc", "aes192")),
    Cipher.AES_256_CBC: _CipherRow(_AES + "42", 32, CipherMode.CBC, ("aes256-cbc", "aes256")),
    Cipher.AES_128_GCM: _CipherRow(_AES + "6", 16, CipherMode.GCM, ("aes128-gcm", "id-aes128-gcm")),
    Cipher.AES_192_GCM: _CipherRow(_AES + "26", 24, CipherMode.GCM, ("aes192-gcm", "id-aes192-gcm")),
    Cipher.AES_256_GCM: _CipherRow(_AES + "46", 32, CipherMode.GCM, ("aes256-gcm", "id-aes256-gcm")),
    Cipher.TRIPLE_DES_CBC: _CipherRow(
        "1.2.840.113549.3.7", 24, CipherMode.CBC, ("3des", "des-ede3-cbc", "tripledes-192-cbc", "tripledes", "des3")
    ),
}
_CIPHER_OF_OID = {row.oid: cipher for cipher, row in _CIPHERS.items()}
_CIPHER_OF_SPELLING = {
    _fold(name): cipher for cipher, row in _CIPHERS.items() for name in (cipher.value, *row.other_names)
}

DEFAULT_CIPHERS = frozenset(set(Cipher) - {Cipher.TRIPLE_DES_CBC})
LEGACY_CIPHERS = DEFAULT_CIPHERS | {Cipher.TRIPLE_DES_CBC}


# --- signatures ----------------------------------------------------------------------------------


class SignatureScheme(StrEnum):
    """How a digest is signed."""

    PKCS1V15 = "pkcs1v15"
    PSS = "pss"
    ECDSA = "ecdsa"

    @classmethod
    def parse(cls, spelling: str) -> SignatureScheme | None:
        """The scheme of that name, in any spelling; `None` if unknown."""
        return _SCHEME_OF_SPELLING.get(_fold(spelling))


_SCHEMES = {
    SignatureScheme.PKCS1V15: ("rsa", "rsassa-pkcs1v15", "rsassa-pkcs1-v1_5", "pkcs1", "pkcs1-v1_5"),
    SignatureScheme.PSS: ("rsassa-pss", "rsa-pss"),
    SignatureScheme.ECDSA: ("ec", "ecdsa-with-specified"),
}
_SCHEME_OF_SPELLING = {_fold(n): scheme for scheme, names in _SCHEMES.items() for n in (scheme.value, *names)}


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """A signature object identifier: its scheme, and the digest if the identifier fixes one."""

    scheme: SignatureScheme
    digest: Digest | None = None


RSA_ENCRYPTION_OID = "1.2.840.113549.1.1.1"
PSS_OID = "1.2.840.113549.1.1.10"
MGF1_OID = "1.2.840.113549.1.1.8"
EC_PUBLIC_KEY_OID = "1.2.840.10045.2.1"

# Some signers write the key's identifier and leave the digest to the field beside it (RFC 5754 §3.2).
_SIGNATURES = {
    RSA_ENCRYPTION_OID: SignatureAlgorithm(SignatureScheme.PKCS1V15),
    "1.2.840.113549.1.1.4": SignatureAlgorithm(SignatureScheme.PKCS1V15, Digest.MD5),
    "1.2.840.113549.1.1.5": SignatureAlgorithm(SignatureScheme.PKCS1V15, Digest.SHA1),
    "1.2.840.113549.1.1.11": SignatureAlgorithm(SignatureScheme.PKCS1V15, Digest.SHA256),
    "1.2.840.113549.1.1.12": SignatureAlgorithm(SignatureScheme.PKCS1V15, Digest.SHA384),
    "1.2.840.113549.1.1.13": SignatureAlgorithm(SignatureScheme.PKCS1V15, Digest.SHA512),
    PSS_OID: SignatureAlgorithm(SignatureScheme.PSS),
    EC_PUBLIC_KEY_OID: SignatureAlgorithm(SignatureScheme.ECDSA),
    "1.2.840.10045.4.1": SignatureAlgorithm(SignatureScheme.ECDSA, Digest.SHA1),
    "1.2.840.10045.4.3.2": SignatureAlgorithm(SignatureScheme.ECDSA, Digest.SHA256),
    "1.2.840.10045.4.3.3": SignatureAlgorithm(SignatureScheme.ECDSA, Digest.SHA384),
    "1.2.840.10045.4.3.4": SignatureAlgorithm(SignatureScheme.ECDSA, Digest.SHA512),
}
_OID_OF_SIGNATURE = {(row.scheme, row.digest): oid for oid, row in _SIGNATURES.items()}


def signature_of_oid(oid: str) -> SignatureAlgorithm | None:
    """The signature algorithm of that object identifier; `None` if unknown."""
    return _SIGNATURES.get(oid)


def signature_oid(scheme: SignatureScheme, digest: Digest) -> str:
    """The identifier that we write: the one that names both, except for PSS, whose parameters name the digest."""
    return PSS_OID if scheme is SignatureScheme.PSS else _OID_OF_SIGNATURE[scheme, digest]


# --- how the content key travels -----------------------------------------------------------------


class KeyTransport(StrEnum):
    """How the content-encryption key reaches a recipient: RSA transport, or ECDH agreement (RFC 5753)."""

    PKCS1V15 = "pkcs1v15"
    OAEP_SHA1 = "oaep-sha-1"
    OAEP_SHA256 = "oaep-sha-256"
    OAEP_SHA384 = "oaep-sha-384"
    OAEP_SHA512 = "oaep-sha-512"
    ECDH = "ecdh"

    @classmethod
    def parse(cls, spelling: str) -> KeyTransport | None:
        """The key transport of that name, in any spelling; `None` if unknown."""
        return _TRANSPORT_OF_SPELLING.get(_fold(spelling))

    @classmethod
    def oaep(cls, digest: Digest) -> KeyTransport | None:
        """OAEP with that hash; `None` for a hash that nobody should use there."""
        return _OAEP_OF_DIGEST.get(digest)

    @property
    def digest(self) -> Digest | None:
        """The hash of OAEP; `None` for the others."""
        return _TRANSPORTS[self].digest


@dataclass(frozen=True, slots=True)
class _TransportRow:
    digest: Digest | None
    other_names: tuple[str, ...]


OAEP_OID = "1.2.840.113549.1.1.7"
P_SPECIFIED_OID = "1.2.840.113549.1.1.9"

_TRANSPORTS = {
    KeyTransport.PKCS1V15: _TransportRow(None, ("rsa", "rsaes-pkcs1v15", "rsaes-pkcs1-v1_5", "pkcs1", "pkcs1-v1_5")),
    KeyTransport.OAEP_SHA1: _TransportRow(Digest.SHA1, ("oaep", "rsaes-oaep", "rsa-oaep", "rsaes-oaep-sha1")),
    KeyTransport.OAEP_SHA256: _TransportRow(Digest.SHA256, ("rsaes-oaep-sha256", "rsa-oaep-256")),
    KeyTransport.OAEP_SHA384: _TransportRow(Digest.SHA384, ("rsaes-oaep-sha384", "rsa-oaep-384")),
    KeyTransport.OAEP_SHA512: _TransportRow(Digest.SHA512, ("rsaes-oaep-sha512", "rsa-oaep-512")),
    KeyTransport.ECDH: _TransportRow(None, ("ecdh-es", "ec")),
}
_OAEP_OF_DIGEST = {row.digest: transport for transport, row in _TRANSPORTS.items() if row.digest is not None}
_TRANSPORT_OF_SPELLING = {
    _fold(name): transport for transport, row in _TRANSPORTS.items() for name in (transport.value, *row.other_names)
}

# Key agreement schemes of RFC 5753 §7.1.4 with the X9.63 derivation. On the curves we know the cofactor is 1,
# so the cofactor schemes give the same secret.
KEY_AGREEMENTS = {
    "1.3.133.16.840.63.0.2": Digest.SHA1,
    "1.3.132.1.11.1": Digest.SHA256,
    "1.3.132.1.11.2": Digest.SHA384,
    "1.3.132.1.11.3": Digest.SHA512,
    "1.3.133.16.840.63.0.3": Digest.SHA1,
    "1.3.132.1.14.1": Digest.SHA256,
    "1.3.132.1.14.2": Digest.SHA384,
    "1.3.132.1.14.3": Digest.SHA512,
}
STANDARD_AGREEMENTS = {digest: oid for oid, digest in reversed(KEY_AGREEMENTS.items()) if ".14." not in oid}

# AES key wrap (RFC 3394 as used by RFC 3565): object identifier and bytes of the wrapping key.
KEY_WRAPS = {_AES + "5": 16, _AES + "25": 24, _AES + "45": 32}
KEY_WRAP_OIDS = {size: oid for oid, size in KEY_WRAPS.items()}


def weak_names(digests: Iterable[Digest], ciphers: Iterable[Cipher], transport: KeyTransport) -> tuple[str, ...]:
    """The names of those that are broken: between two AS2 1.3 peers none may be used (draft rfc4130bis §6.1)."""
    names = {*(digest.value for digest in digests if digest.weak), *(cipher.value for cipher in ciphers if cipher.weak)}
    if transport.digest is not None and transport.digest.weak:
        names.add(transport.value)
    return tuple(sorted(names))
