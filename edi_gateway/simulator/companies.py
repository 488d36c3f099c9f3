"""Who the simulated companies are, and how one of them is described to the other in a partner's folder."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

CERTIFICATE_FILE = "certificate.pem"


@dataclass(frozen=True, slots=True)
class Company:
    """Who a side is, in documents and on the wire."""

    folder: str
    name: str
    as2_id: str
    gln: str
    siren: str
    vat_number: str
    street: str
    postcode: str
    city: str
    iban: str
    bic: str
    country: str = "FR"


MARKETPLACE = Company(
    folder="marketplace",
    name="PLACE DE MARCHÉ SAS",
    as2_id="MARKETPLACE",
    gln="3760000000017",
    siren="123456782",
    vat_number="FR11123456782",
    street="1 place d'Armes",
    postcode="75001",
    city="Paris",
    iban="FR7630006000011234567890189",
    bic="AGRIFRPP",
)
VENDOR = Company(
    folder="vendor",
    name="VENDEUR SARL",
    as2_id="VENDEUR",
    gln="3760000001014",
    siren="987654324",
    vat_number="FR14987654324",
    street="3 bis quai Nord",
    postcode="45000",
    city="Orléans",
    iban="FR1420041010050500013M02606",
    bic="PSSTFRPP",
)

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_OPPOSITE = {"in": "out", "out": "in"}

Values = Mapping[str, Any]


def identity(company: Company) -> dict[str, str]:
    """The section `[identity]` of the company's own configuration."""
    names = ("name", "as2_id", "gln", "siren", "vat_number", "street", "postcode", "city", "country", "iban", "bic")
    return {name: getattr(company, name) for name in names}


def partner(them: Company, url: str, messages: Sequence[tuple[str, str]], more: Values | None = None) -> dict[str, Any]:
    """What `partner.toml` says of a company whose AS2 address is `url`; the certificate is CERTIFICATE_FILE beside it.

    `messages` holds (type, direction), as seen by who reads the file. `more` is laid over it, table by table.
    """
    names = ("gln", "siren", "vat_number", "street", "postcode", "city", "country", "iban", "bic")
    described: dict[str, Any] = {
        "partner": {"legal_name": them.name, **{name: getattr(them, name) for name in names}},
        "as2": {
            "their_id": them.as2_id,
            "url": url,
            "retry_first": "1s",
            "retry_longest": "5s",
            "signing_certificates": [{"file": CERTIFICATE_FILE}],
        },
        "messages": [{"type": kind, "direction": direction} for kind, direction in messages],
    }
    return overlaid(described, more or {})


def seen_by_the_other(messages: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same agreement from the other side: what one sends the other receives."""
    return [(kind, _OPPOSITE[direction]) for kind, direction in messages]


def overlaid(below: Values, above: Values) -> dict[str, Any]:
    """`below` with the values of `above`; tables are laid over tables, anything else is replaced."""
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        merged[name] = overlaid(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return merged


def toml(values: Values) -> str:
    """Values as TOML: what is no table first, then each table under its head."""
    plain = {name: value for name, value in values.items() if not isinstance(value, Mapping)}
    tables = {name: value for name, value in values.items() if isinstance(value, Mapping)}
    lines = "".join(f"{_key(name)} = {_value(value)}\n" for name, value in plain.items())
    return lines + "".join(f"\n[{_key(name)}]\n{_lines(table)}" for name, table in tables.items())


def _lines(table: Values) -> str:
    return "".join(f"{_key(name)} = {_value(value)}\n" for name, value in table.items())


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _value(value: Any) -> str:
    match value:
        case Mapping():
            return "{ " + ", ".join(f"{_key(name)} = {_value(inner)}" for name, inner in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(map(_value, value)) + "]"
        case bool() | int() | str():
            # JSON's strings, integers and truth values are TOML's; DEL alone has to be escaped there.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case Decimal():
            return format(value, "f")
        case date():  # and a datetime, which is one
            return value.isoformat()
    raise TypeError(f"{type(value).__name__} is written in no TOML of ours")
