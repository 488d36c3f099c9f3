"""The value of a diagnosis, and what is known of certificates when one is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from edi_gateway.as2.certificates import Certificate
from edi_gateway.as2.cms import KeyReference
from edi_gateway.as2.diagnosis.catalogue import Code, Language, Text, texts
from edi_gateway.as2.relationship import Relationship
from edi_gateway.partnership import As2Policy, DatedCertificate

VALUE_CHARACTERS_MAX = 500

SwitchValue = bool | int | str | frozenset[str] | tuple[DatedCertificate, ...]


@dataclass(frozen=True, slots=True)
class Switch:
    """One line of the section [as2] of a partner file, and what it would say."""

    name: str
    value: SwitchValue

    def __str__(self) -> str:
        return f"{self.name} = {_toml(self.value)}"

    def applied(self, policy: As2Policy) -> As2Policy:
        """The policy with this line changed."""
        changes: dict[str, Any] = {self.name: self.value}
        return replace(policy, **changes)


def _toml(value: SwitchValue) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str():
            return f'"{value}"'
        case frozenset():
            return "[" + ", ".join(f'"{name}"' for name in sorted(value)) + "]"
        case tuple():  # the file of the certificate is for the operator to name
            return '[…, { file = "…" }]'


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One reason in words, and the switch of the partnership that would accept it, if there is one."""

    code: Code
    values: Mapping[str, str] = field(default_factory=dict)
    switch: Switch | None = None

    @property
    def is_note(self) -> bool:
        """Nothing failed for this reason."""
        return self._text.is_note

    def found(self, language: Language) -> str:
        return self._text.words(language).found.format_map(self.values).strip()

    def expected(self, language: Language) -> str:
        """What should have been there; "" where there is nothing to say."""
        return self._text.words(language).expected.format_map(self.values).strip()

    def advice(self, language: Language) -> str:
        """What to do."""
        return self._text.words(language).advice.format_map(self.values).strip()

    @property
    def _text(self) -> Text:
        return texts()[self.code]


def diagnosed(code: Code, switch: Switch | None = None, **values: object) -> Diagnosis:
    """A diagnosis; the values are shown on one line, and bounded, whatever the partner put into them."""
    return Diagnosis(code, {name: _shown(value) for name, value in values.items()}, switch)


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}"
    text = " ".join(str(value).split())[:VALUE_CHARACTERS_MAX]
    return "".join(c if c.isprintable() else "?" for c in text)


class Standing(StrEnum):
    """Whose certificate one is, as far as this gateway knows."""

    PINNED = "pinned"  # for this partnership, at the time
    FORMER = "former"  # it was pinned for this partnership before
    OTHER = "other"  # pinned for another partnership
    OURS = "ours"  # its key is here
    OURS_FORMER = "ours-former"  # we signed with it once; its key is gone


@dataclass(frozen=True, slots=True)
class Known:
    """A certificate that this gateway has met."""

    certificate: Certificate
    standing: Standing
    owner: str = ""  # the partnership, where it is another one's
    until: datetime | None = None  # when it was removed


def known_as(reference: KeyReference, known: Iterable[Known]) -> tuple[Known, ...]:
    """Those that the reference can mean."""
    return tuple(entry for entry in known if reference.means(entry.certificate))


def certificate_values(certificate: Certificate) -> dict[str, object]:
    """What the texts say of a certificate."""
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "fingerprint": certificate.fingerprint,
        "serial": f"{certificate.serial:x}",
        "valid_from": certificate.not_before,
        "valid_to": certificate.not_after,
    }


def named(certificates: Iterable[Certificate]) -> str:
    """Certificates as a list for people."""
    return "; ".join(f"{c.subject} (SHA-256 {c.fingerprint})" for c in certificates) or "–"


def pinned_names(relationship: Relationship) -> str:
    """The partner's certificates for signatures."""
    return named(relationship.verifying_certificates())


def our_names(relationship: Relationship) -> str:
    """Our certificates for encryption."""
    return named(key.certificate for key in relationship.decryption_keys())
