"""A trading relationship as the AS2 engine needs it: what was agreed, and whose key serves at which date.

Both sides roll their certificates over without a gap because six look-ups stand apart. Coming in: decrypt the
payload (any of our keys), verify its signature (any pinned certificate of theirs), sign the MDN (our key of that
date). Going out: sign (our key of that date), encrypt (their certificate of that date), verify the MDN (any pinned
certificate). A receiver can try the other key; a sender has to know by the date, and by the date takes the one whose
time came last: of two that serve at once, the one that was issued later (`certificates.choose`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

from edi_gateway.as2.algorithms import Cipher, Digest, KeyTransport, SignatureScheme, weak_names
from edi_gateway.as2.certificates import AS2_USES, Certificate, KeyUse, PrivateKey, choose, load_certificates
from edi_gateway.as2.errors import RelationshipFault
from edi_gateway.partnership import As2Policy, DatedCertificate

_T = TypeVar("_T")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class DatedKey:
    """A private key of ours. It decrypts as long as it is here; it signs from `use_from` on."""

    key: PrivateKey
    use_from: datetime | None = None
    uses: frozenset[KeyUse] = AS2_USES


@dataclass(frozen=True, slots=True)
class Pinned:
    """A certificate of theirs. It verifies as long as it is here; we encrypt for it from `use_from` on."""

    certificate: Certificate
    use_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Relationship:
    """What was agreed with one partner, with parsed certificates. Build it once a revision, not once a message."""

    policy: As2Policy
    our_keys: tuple[DatedKey, ...]
    signing_certificates: tuple[Pinned, ...]
    encryption_certificates: tuple[Pinned, ...]
    accepted_digests: frozenset[Digest]
    accepted_ciphers: frozenset[Cipher]
    digest: Digest
    cipher: Cipher
    scheme: SignatureScheme
    key_transport: KeyTransport

    @classmethod
    def of(cls, policy: As2Policy, our_keys: Iterable[PrivateKey | DatedKey]) -> Relationship:
        """Parse the policy's certificates and algorithms; RelationshipFault for a name that is not known,
        RefusedKey for a certificate that cannot be read."""
        relationship = cls(
            policy=policy,
            our_keys=tuple(key if isinstance(key, DatedKey) else DatedKey(key) for key in our_keys),
            signing_certificates=tuple(map(_pinned, policy.signing_certificates)),
            encryption_certificates=tuple(map(_pinned, policy.encryption_certificates)),
            accepted_digests=frozenset(_known(Digest.parse(name), name) for name in policy.accepted_digests),
            accepted_ciphers=frozenset(_known(Cipher.parse(name), name) for name in policy.accepted_ciphers),
            digest=_known(Digest.parse(policy.digest), policy.digest),
            cipher=_known(Cipher.parse(policy.cipher), policy.cipher),
            scheme=_known(SignatureScheme.parse(policy.signature_scheme), policy.signature_scheme),
            key_transport=_known(KeyTransport.parse(policy.key_transport), policy.key_transport),
        )
        relationship._check_strength()
        return relationship

    def _check_strength(self) -> None:
        """Broken algorithms are never generated towards a 1.3 peer (draft rfc4130bis §6.1), MD5 for nobody."""
        if self.digest is Digest.MD5 or Digest.MD5 in self.accepted_digests:
            raise RelationshipFault("MD5 is accepted for no partnership; remove it from digest and accepted_digests")
        if self.cipher is Cipher.TRIPLE_DES_CBC:
            raise RelationshipFault("Triple DES is only understood, never sent; choose aes-128-cbc or better as cipher")
        weak = weak_names({self.digest, *self.accepted_digests}, self.accepted_ciphers, self.key_transport)
        if self.policy.version >= "1.3" and weak:
            raise RelationshipFault(f"AS2 1.3 forbids {', '.join(weak)}: choose others, or version 1.2")

    # --- our side ---------------------------------------------------------------------------------------

    def signing_key(self, now: datetime) -> PrivateKey:
        """The key to sign with: of those whose time has come and that are valid, the latest."""
        return self._ours(KeyUse.SIGNING, now)

    def _ours(self, use: KeyUse, now: datetime) -> PrivateKey:
        keys = [dated for dated in self.our_keys if use in dated.uses]
        chosen = choose([(dated.key, dated.use_from) for dated in keys], now)
        if chosen is None:
            raise RelationshipFault(_none_ready(f"{use} key of ours", [dated.key.certificate for dated in keys]))
        return chosen

    def scheme_for(self, key: PrivateKey) -> SignatureScheme:
        """The agreed signature scheme, or the natural one of a key that it does not fit."""
        is_fitting = (self.scheme is SignatureScheme.ECDSA) is (key.default_scheme is SignatureScheme.ECDSA)
        return self.scheme if is_fitting else key.default_scheme

    def decryption_keys(self) -> tuple[PrivateKey, ...]:
        """Every key of ours for encryption: what was encrypted for the previous certificate still opens."""
        return tuple(dated.key for dated in self.our_keys if KeyUse.ENCRYPTION in dated.uses)

    # --- their side -------------------------------------------------------------------------------------

    def verifying_certificates(self) -> tuple[Certificate, ...]:
        """Every certificate that is pinned for their signatures, also those whose time has not come."""
        return tuple(pinned.certificate for pinned in self.signing_certificates)

    def encryption_certificates_at(self, now: datetime) -> tuple[Certificate, ...]:
        """The certificate to encrypt for, and ours behind it where the policy asks for a copy (draft §7.2)."""
        pins = self.encryption_certificates
        theirs = choose([(pinned.certificate, pinned.use_from) for pinned in pins], now)
        if theirs is None:
            raise RelationshipFault(_none_ready("encryption certificate of theirs", [p.certificate for p in pins]))
        if not self.policy.copy_to_ourselves:
            return (theirs,)
        return theirs, self._ours(KeyUse.ENCRYPTION, now).certificate

    def allows_delivery_to(self, url: str) -> bool:
        """Whether an asynchronous receipt may be POSTed to the address that a message names.

        Where an MDN address was agreed it has to be that one (the query may differ); else the host and port of
        the agreed message address. A message never opens a connection to anywhere else.
        """
        if self.policy.mdn_url:
            return _place(url) is not None and _place(url) == _place(self.policy.mdn_url)
        asked, agreed = _place(url), _place(self.policy.url)
        return asked is not None and agreed is not None and asked[:3] == agreed[:3]


def _place(url: str) -> tuple[str, str, int, str] | None:
    """Scheme, host, port and path of an http(s) address without user information; None for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname.lower(), port or _DEFAULT_PORTS[parts.scheme], parts.path or "/"


def _pinned(dated: DatedCertificate) -> Pinned:
    # A chain comes leaf first; only the leaf is pinned, nobody else that its issuer certified.
    return Pinned(load_certificates(dated.pem)[0], _date(dated.use_from))


def _date(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RelationshipFault(f"use_from is an ISO date such as 2027-01-31, not {text[:40]!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _known(value: _T | None, name: str) -> _T:
    if value is None:
        raise RelationshipFault(f"unknown algorithm {name!r} in the AS2 policy")
    return value


def _none_ready(what: str, certificates: list[Certificate]) -> str:
    if not certificates:
        return f"there is no {what}"
    listed = "; ".join(f"{c.subject} ({c.not_before:%Y-%m-%d} to {c.not_after:%Y-%m-%d})" for c in certificates)
    return f"no {what} is valid and in use at this date: {listed}"
