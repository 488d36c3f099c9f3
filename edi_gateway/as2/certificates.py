"""Certificates and private keys as values: parsed once, then only looked at.

A `Certificate` holds what the protocol asks of it for each message (issuer and serial number as bytes, key
identifier, public key), so that no message pays for parsing. `load_certificates` reads what partners send:
PEM (one or a chain, with any text around), DER, PKCS #7 (`.p7b`), PKCS #12 (`.p12`), and bare base64.

Nothing here trusts anything: a certificate counts because an operator pinned it for a partnership, so
chains are kept in order but not validated. `weaknesses` says what an operator should know; `CertificateError` is
raised for what cannot be read or used. Clauses: RFC 5280, draft-ietf-ediint-rfc4130bis §9.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from edi_gateway.as2.algorithms import Digest, SignatureScheme

PublicKeyType = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
PrivateKeyType = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

RSA_BITS_MIN = 2048
FILE_BYTES_MAX = 1024 * 1024  # of a certificate file, chain or key store
CERTIFICATES_MAX = 64  # in one file

# What the parsers raise for bad files.
_UNREADABLE = (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
_CURVES: dict[str, str] = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)


class CertificateError(Exception):
    """A certificate or key file that cannot be read, or a key that cannot be used; the text says why."""


class WeaknessKind(StrEnum):
    """What can be wrong with a certificate that reads well."""

    SHORT_KEY = "short-key"
    UNKNOWN_CURVE = "unknown-curve"
    WEAK_SIGNATURE = "weak-signature"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    NO_SIGNING = "no-signing"
    NO_ENCRYPTION = "no-encryption"


@dataclass(frozen=True, slots=True)
class Weakness:
    """One thing an operator should know about a certificate. `fatal`: it must not be used for new messages."""

    kind: WeaknessKind
    text: str
    fatal: bool


class KeyUse(StrEnum):
    """What a certificate is pinned for, or what a key of ours does."""

    SIGNING = "signing"
    ENCRYPTION = "encryption"
    TLS = "tls"


AS2_USES = frozenset({KeyUse.SIGNING, KeyUse.ENCRYPTION})
"""Those of AS2 itself. The certificates of TLS are kept apart from them (draft rfc4130bis §9)."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """An X.509 certificate. Two are equal when their bytes are.

    `subject` and `issuer` are RFC 4514 texts for people; `issuer_der` and `ski` are what CMS compares.
    Times are aware, in UTC.
    """

    der: bytes = field(repr=False)
    fingerprint: str = field(compare=False)  # SHA-256 of the DER, lower-case hex
    subject: str = field(compare=False)
    issuer: str = field(compare=False, repr=False)
    issuer_der: bytes = field(compare=False, repr=False)
    serial: int = field(compare=False)
    ski: bytes = field(compare=False, repr=False)  # the extension's, or computed (RFC 5280 §4.2.1.2 method 1)
    not_before: datetime = field(compare=False)
    not_after: datetime = field(compare=False)
    public_key: PublicKeyType = field(compare=False, repr=False)
    signature_digest: Digest | None = field(compare=False, repr=False)
    can_sign: bool = field(compare=False, repr=False)  # what keyUsage allows; all of it where there is none
    can_encrypt: bool = field(compare=False, repr=False)

    @classmethod
    def from_der(cls, der: bytes) -> Certificate:
        """Reads one DER certificate; `CertificateError` if it is none, or holds a key other than RSA or EC."""
        if len(der) > FILE_BYTES_MAX:
            raise CertificateError(f"the certificate is larger than {FILE_BYTES_MAX} bytes")
        try:
            return _of_x509(x509.load_der_x509_certificate(der))
        except _UNREADABLE as error:
            raise CertificateError(f"not a certificate that can be read: {error}") from error

    @classmethod
    def from_pem(cls, pem: bytes | str) -> Certificate:
        """Reads the only certificate of a file in any form; `CertificateError` if there is none or more than one."""
        found = load_certificates(pem)
        if len(found) != 1:
            raise CertificateError(f"one certificate expected, found {len(found)}")
        return found[0]

    @property
    def pem(self) -> str:
        return _armour("CERTIFICATE", self.der)

    @property
    def self_signed(self) -> bool:
        """Whether subject and issuer are the same name."""
        return self.subject == self.issuer

    @property
    def key_description(self) -> str:
        """`RSA-2048`, `P-256`: the key for people and tables."""
        return _describe(self.public_key)

    @property
    def strong(self) -> bool:
        """Whether the key is of a size that may be used (RSA of 2048 bits, P-256, or better)."""
        return _strong(self.public_key)

    def valid_at(self, now: datetime) -> bool:
        return self.not_before <= now <= self.not_after

    def days_left(self, now: datetime) -> int:
        """Whole days until it expires; negative afterwards."""
        return (self.not_after - now).days


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """One of our keys with its certificate, for signing and for decryption."""

    key: PrivateKeyType = field(repr=False, compare=False)
    certificate: Certificate

    def __post_init__(self) -> None:
        if _spki(self.key.public_key()) != _spki(self.certificate.public_key):
            raise CertificateError(f"the private key does not belong to the certificate {self.certificate.subject}")

    @property
    def not_before(self) -> datetime:
        return self.certificate.not_before

    @property
    def not_after(self) -> datetime:
        return self.certificate.not_after

    @property
    def default_scheme(self) -> SignatureScheme:
        """PKCS #1 v1.5 for RSA, which every partner reads; ECDSA for elliptic curves."""
        return SignatureScheme.PKCS1V15 if isinstance(self.key, rsa.RSAPrivateKey) else SignatureScheme.ECDSA

    def to_pem(self, password: bytes) -> bytes:
        """The key as encrypted PKCS #8 and its certificate behind it, both PEM."""
        if not password:
            raise CertificateError("a private key is written with a password only")
        encryption = serialization.BestAvailableEncryption(password)
        pkcs8 = self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        return pkcs8 + self.certificate.pem.encode()

    def to_p12(self, password: bytes, name: str = "") -> bytes:
        """A PKCS #12 store of the key and its certificate."""
        if not password:
            raise CertificateError("a private key is written with a password only")
        return pkcs12.serialize_key_and_certificates(
            name.encode() or None,
            self.key,
            x509.load_der_x509_certificate(self.certificate.der),
            None,
            serialization.BestAvailableEncryption(password),
        )


# --- reading -------------------------------------------------------------------------------------


def load_certificates(data: bytes | str, password: bytes | None = None) -> tuple[Certificate, ...]:
    """Every certificate of a file: PEM, DER, PKCS #7 in PEM or DER, PKCS #12, or bare base64 of one of these.

    A chain comes leaf first. Private keys in the file are not returned. `CertificateError` where nothing can be read.
    """
    data = data.encode("ascii", "replace") if isinstance(data, str) else bytes(data)
    if len(data) > FILE_BYTES_MAX:
        raise CertificateError(f"the file is larger than {FILE_BYTES_MAX} bytes")
    blocks = list(_PEM.finditer(data))
    if blocks:
        found = [c for block in blocks for c in _from_pem_block(block[1].decode(), block[2])]
    else:
        found = list(_from_binary(data if data[:1] == b"\x30" else _unbase64(data), password))
    if not found:
        raise CertificateError("no certificate in the file")
    if len(found) > CERTIFICATES_MAX:
        raise CertificateError(f"more than {CERTIFICATES_MAX} certificates in the file")
    return leaf_first(found)


def _from_pem_block(label: str, body: bytes) -> Iterable[Certificate]:
    if label in ("CERTIFICATE", "X509 CERTIFICATE"):
        yield Certificate.from_der(_unbase64(body))
    elif label in ("PKCS7", "CMS"):
        yield from _from_binary(_unbase64(body), None)


def _from_binary(der: bytes, password: bytes | None) -> Iterable[Certificate]:
    """One certificate, else a PKCS #7, else a PKCS #12: they share no valid first bytes."""
    try:
        return (_of_x509(x509.load_der_x509_certificate(der)),)
    except _UNREADABLE as error:
        first = error
    found = _from_pkcs7(der)
    if found is not None:
        return found
    try:
        store = _p12(der, password)
    except ValueError as error:
        raise CertificateError(f"neither a certificate nor PKCS #7 nor PKCS #12: {first}") from error
    entries = ([store.cert] if store.cert else []) + list(store.additional_certs)
    return tuple(_of_x509(entry.certificate) for entry in entries)


def _p12(der: bytes, password: bytes | None) -> pkcs12.PKCS12KeyAndCertificates:
    """The store; `CertificateError` where it is one that does not open, `ValueError` where it is none."""
    try:
        return pkcs12.load_pkcs12(der, password)
    except UnsupportedAlgorithm as error:
        raise CertificateError(
            "the PKCS #12 store uses an encryption that is not known here; export it anew with AES-256"
        ) from error
    except ValueError as error:
        if "password" in str(error).lower():
            raise CertificateError("the PKCS #12 store does not open with this password") from error
        raise


def _from_pkcs7(data: bytes) -> tuple[Certificate, ...] | None:
    """The certificates of a SignedData that was made to carry them, DER or BER; `None` if it is none."""
    from edi_gateway.as2.cms import Malformed, read_signed_data  # late: cms is built upon this module

    try:
        embedded = read_signed_data(data).embedded_certificates
    except Malformed:
        return None
    return tuple(Certificate.from_der(der) for der in embedded)


def load_private_key(
    data: bytes | str, password: bytes | None = None, certificate: Certificate | None = None
) -> PrivateKey:
    """A private key with its certificate, from PEM (key and certificate in one file) or PKCS #12.

    `certificate` is taken where the file holds none. `CertificateError` where the password is wrong, the file
    cannot be read, or the two do not belong together.
    """
    data = data.encode("ascii", "replace") if isinstance(data, str) else bytes(data)
    if len(data) > FILE_BYTES_MAX:
        raise CertificateError(f"the file is larger than {FILE_BYTES_MAX} bytes")
    if data[:1] == b"\x30":
        return _key_from_p12(data, password)
    key = _key_from_pem(data, password)
    wanted = _spki(key.public_key())
    if certificate is None:
        pinned = [c for c in load_certificates(data) if _spki(c.public_key) == wanted]
        if not pinned:
            raise CertificateError("no certificate in the file belongs to the private key")
        certificate = pinned[0]
    return PrivateKey(key, certificate)


def _key_from_pem(data: bytes, password: bytes | None) -> PrivateKeyType:
    block = next((m[0] for m in _PEM.finditer(data) if m[1].endswith(b"PRIVATE KEY")), None)
    if block is None:
        raise CertificateError("no private key in the file")
    try:
        key = serialization.load_pem_private_key(block, password)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateError("the private key does not open with this password, or is damaged") from error
    return _usable(key)


def _key_from_p12(data: bytes, password: bytes | None) -> PrivateKey:
    try:
        store = _p12(data, password)
    except ValueError as error:
        raise CertificateError("not a PKCS #12 store, or a damaged one") from error
    if store.key is None or store.cert is None:
        raise CertificateError("the PKCS #12 store holds no private key with its certificate")
    return PrivateKey(_usable(store.key), _of_x509(store.cert.certificate))


def _usable(key: object) -> PrivateKeyType:
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        return key
    raise CertificateError("the private key is neither RSA nor of an elliptic curve")


def leaf_first(certificates: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """The certificates without repetition, those that issued another one of them behind it."""
    unique = list(dict.fromkeys(certificates))
    issuers = {c.issuer for c in unique if not c.self_signed}
    return tuple(sorted(unique, key=lambda c: c.subject in issuers))


def leaf_of(certificates: Sequence[Certificate]) -> Certificate:
    """The certificate that a chain is about. `CertificateError` where they are no chain: two leaves, or none."""
    issuers = {c.issuer for c in certificates if not c.self_signed}
    leaves = [c for c in dict.fromkeys(certificates) if c.subject not in issuers]
    if len(leaves) != 1:
        raise CertificateError(f"holds {len(set(certificates))} certificates that are not one chain")
    return leaves[0]


def holds_private_key(data: bytes, password: bytes | None = None) -> bool:
    """Whether a file, PEM or PKCS #12, brings a private key along. `CertificateError` where a store does not open."""
    if len(data) <= FILE_BYTES_MAX and data[:1] == b"\x30":
        try:
            return _p12(data, password).key is not None
        except ValueError:  # no PKCS #12
            return False
    return b"PRIVATE KEY-----" in data


def _unbase64(data: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error as error:
        raise CertificateError("neither DER nor PEM nor base64") from error


def _armour(label: str, der: bytes) -> str:
    text = base64.encodebytes(der).decode().replace("\n", "")
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""))


def _of_x509(parsed: x509.Certificate) -> Certificate:
    public_key = parsed.public_key()
    if not isinstance(public_key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise CertificateError("the certificate's key is neither RSA nor of an elliptic curve")
    der = parsed.public_bytes(serialization.Encoding.DER)
    can_sign, can_encrypt = _allowed(parsed, public_key)
    return Certificate(
        der=der,
        fingerprint=Digest.SHA256.of(der).hex(),
        subject=parsed.subject.rfc4514_string(),
        issuer=parsed.issuer.rfc4514_string(),
        issuer_der=_issuer_of(parsed.tbs_certificate_bytes),
        serial=parsed.serial_number,
        ski=_key_identifier(parsed, public_key),
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        public_key=public_key,
        signature_digest=_signature_digest(parsed),
        can_sign=can_sign,
        can_encrypt=can_encrypt,
    )


def _key_identifier(parsed: x509.Certificate, public_key: PublicKeyType) -> bytes:
    try:
        return parsed.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return x509.SubjectKeyIdentifier.from_public_key(public_key).digest


def _allowed(parsed: x509.Certificate, public_key: PublicKeyType) -> tuple[bool, bool]:
    """Whether keyUsage lets the key sign, and lets others encrypt for it (RFC 5280 §4.2.1.3)."""
    try:
        usage = parsed.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True, True
    encrypts = usage.key_encipherment if isinstance(public_key, rsa.RSAPublicKey) else usage.key_agreement
    return usage.digital_signature or usage.content_commitment, encrypts


def _signature_digest(parsed: x509.Certificate) -> Digest | None:
    try:
        algorithm = parsed.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    return Digest.parse(algorithm.name) if algorithm else None


def _issuer_of(tbs: bytes) -> bytes:
    """The issuer's name as it is encoded: CMS compares bytes, and re-encoding may pick other string types.

    TBSCertificate ::= SEQUENCE { [0] version OPTIONAL, serialNumber, signature, issuer, … } (RFC 5280 §4.1),
    already parsed once, so known to be DER.
    """
    at, _ = _span(tbs, 0)
    if tbs[at] == 0xA0:
        at = _span(tbs, at)[1]
    for _ in ("serialNumber", "signature"):
        at = _span(tbs, at)[1]
    return tbs[at : _span(tbs, at)[1]]


def _span(der: bytes, at: int) -> tuple[int, int]:
    """Where the content of the DER element at `at` begins and ends."""
    size, body = der[at + 1], at + 2
    if size >= 0x80:
        body += size & 0x7F
        size = int.from_bytes(der[at + 2 : body], "big")
    return body, body + size


def _spki(key: PublicKeyType) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _describe(key: PublicKeyType) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA-{key.key_size}"
    return _CURVES.get(key.curve.name, key.curve.name)


def _strong(key: PublicKeyType) -> bool:
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= RSA_BITS_MIN
    return key.curve.name in _CURVES


# --- judging and choosing ------------------------------------------------------------------------


def weaknesses(certificate: Certificate, now: datetime, use: KeyUse | None = None) -> tuple[Weakness, ...]:
    """What an operator should know before relying on the certificate at `now`, the fatal ones first."""
    found = [*_key_weaknesses(certificate), *_date_weaknesses(certificate, now), *_use_weaknesses(certificate, use)]
    return tuple(sorted(found, key=lambda weakness: not weakness.fatal))


def _key_weaknesses(certificate: Certificate) -> Iterable[Weakness]:
    if not certificate.strong:
        rsa_key = isinstance(certificate.public_key, rsa.RSAPublicKey)
        kind = WeaknessKind.SHORT_KEY if rsa_key else WeaknessKind.UNKNOWN_CURVE
        wanted = f"RSA of {RSA_BITS_MIN} bits or more" if rsa_key else "P-256, P-384 or P-521"
        yield Weakness(kind, f"its key is {certificate.key_description}; {wanted} is required", fatal=True)
    digest = certificate.signature_digest
    if digest is not None and digest.weak:
        # The certificate is pinned, so its own signature protects nothing; still a sign of an old issuer.
        yield Weakness(WeaknessKind.WEAK_SIGNATURE, f"it is signed with {digest}", fatal=False)


def _date_weaknesses(certificate: Certificate, now: datetime) -> Iterable[Weakness]:
    if now > certificate.not_after:
        yield Weakness(WeaknessKind.EXPIRED, f"it expired on {certificate.not_after:%Y-%m-%d}", fatal=True)
    elif now < certificate.not_before:
        text = f"it is valid from {certificate.not_before:%Y-%m-%d %H:%M} UTC"
        yield Weakness(WeaknessKind.NOT_YET_VALID, text, fatal=True)


def _use_weaknesses(certificate: Certificate, use: KeyUse | None) -> Iterable[Weakness]:
    # Partners do pin self-signed certificates with an odd keyUsage, so this is said, not refused.
    if use is not KeyUse.ENCRYPTION and not certificate.can_sign:
        yield Weakness(WeaknessKind.NO_SIGNING, "its keyUsage does not allow signing", fatal=False)
    if use is not KeyUse.SIGNING and not certificate.can_encrypt:
        yield Weakness(WeaknessKind.NO_ENCRYPTION, "its keyUsage does not allow encryption", fatal=False)


class Choosable(Protocol):
    """A pinned certificate or a key of ours, which both end one day."""

    @property
    def not_before(self) -> datetime: ...

    @property
    def not_after(self) -> datetime: ...


C = TypeVar("C", bound=Choosable)


def choose(candidates: Iterable[tuple[C, datetime | None]], now: datetime) -> C | None:
    """The one of a dated set to send with at `now`: of those valid and whose time has come, the latest.

    Each candidate stands with the moment from which it may be used (`None`: at once). Of two with the same
    moment the one that was issued later is taken. `None` if no candidate can be used.
    """
    best: tuple[datetime, datetime] | None = None
    chosen = None
    for candidate, use_from in candidates:
        since = (max(use_from, candidate.not_before) if use_from else candidate.not_before, candidate.not_before)
        if since[0] <= now <= candidate.not_after and (best is None or since > best):
            best, chosen = since, candidate
    return chosen


# --- making --------------------------------------------------------------------------------------

KEY_KINDS: dict[str, Callable[[], PrivateKeyType]] = {
    "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa-3072": lambda: rsa.generate_private_key(65537, 3072),
    "rsa-4096": lambda: rsa.generate_private_key(65537, 4096),
    "p-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p-384": lambda: ec.generate_private_key(ec.SECP384R1()),
}
DAYS_MAX = 3650
COMMON_NAME_MAX = 64  # RFC 5280, ub-common-name
_CLOCK_SKEW = timedelta(minutes=5)  # a partner whose clock is behind must not see a certificate of the future


def generate(common_name: str, now: datetime, days: int = 1095, key: str = "rsa-3072") -> PrivateKey:
    """A new key of one of `KEY_KINDS` with a self-signed certificate for signing and encryption."""
    if key not in KEY_KINDS:
        raise CertificateError(f"{key!r} is not a kind of key; one of {', '.join(KEY_KINDS)}")
    if not 1 <= days <= DAYS_MAX:
        raise CertificateError(f"a certificate is made for 1 to {DAYS_MAX} days, not {days}")
    if not 1 <= len(common_name) <= COMMON_NAME_MAX:
        raise CertificateError(f"a common name has 1 to {COMMON_NAME_MAX} characters")
    private = KEY_KINDS[key]()
    digest = hashes.SHA384() if key == "p-384" else hashes.SHA256()
    return PrivateKey(private, _of_x509(_self_signed(private, common_name, now, days).sign(private, digest)))


def _self_signed(private: PrivateKeyType, common_name: str, now: datetime, days: int) -> x509.CertificateBuilder:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    is_rsa = isinstance(private, rsa.RSAPrivateKey)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,  # what it signs is evidence (non-repudiation of receipt)
        key_encipherment=is_rsa,
        key_agreement=not is_rsa,
        data_encipherment=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    public = private.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
