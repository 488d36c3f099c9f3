"""A `Partnership` written back as its folder, so that `partner_file.read` gives the same partnership again.

What has its default is left out, except our own names: the folder stands by itself, whatever our identity is. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from typing import Any

from edi_gateway.as2.certificates import load_certificates
from edi_gateway.partner_connection import AccessSection, HttpSection, TlsSection
from edi_gateway.partner_file import (
    As2Section,
    DeadlinesSection,
    EdifactSection,
    Folder,
    GuidelineSection,
    HabitsSection,
    MessageSection,
    PartnerSection,
    TolerancesSection,
)
from edi_gateway.partnership import Credentials, DatedCertificate, Deadlines, DeadlineTerms, Partnership, TlsTrust
from edi_gateway.strict_toml import Section

_CERTIFICATE_KEYS = ("signing_certificates", "encryption_certificates", "certificates", "client_certificates")
_TABLES = ("tls", "http", "access", "guideline")  # each written as a table of its own, or several
_DEADLINES = Deadlines()
_AUTHORITIES = "authorities.pem"
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def export(partnership: Partnership) -> Folder:
    """The folder that describes this partnership."""
    files = _files(partnership)
    blocks = [
        _table("[partner]", PartnerSection, partnership.partner),
        _table("[as2]", As2Section, partnership.as2, _pins(partnership, files)),
        _table("[as2.tls]", TlsSection, partnership.as2.tls, _tls_files(partnership, files)),
        _table("[as2.http]", HttpSection, partnership.as2.http),
        _table("[as2.access]", AccessSection, partnership.as2.access, _access_files(partnership, files)),
        _table("[edifact]", EdifactSection, partnership.edifact),
        _codes("[edifact.severities]", partnership.edifact.severities),
        *(_table("[[edifact.guideline]]", GuidelineSection, row) for row in partnership.edifact.guideline),
        *(_table("[[messages]]", MessageSection, message) for message in partnership.messages),
        _table("[tolerances]", TolerancesSection, partnership.tolerances),
        _table("[habits]", HabitsSection, partnership.habits),
        _codes("[habits.units]", partnership.habits.units),
        _codes("[habits.parties]", partnership.habits.parties),
        _codes("[habits.order_types]", partnership.habits.order_types),
        _codes("[habits.line_actions]", partnership.habits.line_actions),
        _table("[deadlines]", DeadlinesSection, partnership.deadlines),
    ]
    if partnership.commission_rate is not None:
        blocks.append(f"[commission]\nrate = {_value(partnership.commission_rate)}\n")
    text = "#:schema ../partner.schema.json\n\n" + "\n".join(block for block in blocks if block)
    beside = {name: pem.encode("ascii") for pem, name in files.items()}
    if partnership.as2.tls.trust is TlsTrust.AUTHORITIES:
        beside[_AUTHORITIES] = "".join(entry.pem for entry in partnership.as2.tls.certificates).encode("ascii")
    return Folder(name=partnership.name, text=text, files=beside)


def _files(partnership: Partnership) -> dict[str, str]:
    """PEM -> file name, each certificate once."""
    as2 = partnership.as2
    pinned = as2.tls.certificates if as2.tls.trust is TlsTrust.PINNED else ()
    entries = (*as2.signing_certificates, *as2.encryption_certificates, *pinned, *as2.access.client_certificates)
    names = {entry.pem: f"{load_certificates(entry.pem)[0].fingerprint[:16]}.pem" for entry in entries}
    return dict(sorted(names.items(), key=lambda item: item[1]))


def _pins(partnership: Partnership, files: Mapping[str, str]) -> list[str]:
    as2 = partnership.as2
    lines = [_pinned("signing_certificates", as2.signing_certificates, files)]
    if as2.encryption_certificates != as2.signing_certificates:
        lines.append(_pinned("encryption_certificates", as2.encryption_certificates, files))
    return lines


def _tls_files(partnership: Partnership, files: Mapping[str, str]) -> list[str]:
    tls = partnership.as2.tls
    names = [_AUTHORITIES] if tls.trust is TlsTrust.AUTHORITIES else [files[entry.pem] for entry in tls.certificates]
    return [f"certificates = {_names(names)}"] if tls.certificates else []


def _access_files(partnership: Partnership, files: Mapping[str, str]) -> list[str]:
    names = [files[entry.pem] for entry in partnership.as2.access.client_certificates]
    return [f"client_certificates = {_names(names)}"] if names else []


def _names(names: Sequence[str]) -> str:
    return f"[{', '.join(map(_value, names))}]"


def _pinned(key: str, entries: Sequence[DatedCertificate], files: Mapping[str, str]) -> str:
    inner = (
        f'{{ file = "{files[entry.pem]}"' + (f", use_from = {entry.use_from}" if entry.use_from else "") + " }"
        for entry in entries
    )
    return f"{key} = [{', '.join(inner)}]"


def _table(head: str, section: type[Section], value: Any, more: Sequence[str] = ()) -> str:
    """One table of the file; "" where everything has its default."""
    lines = [*_lines(section, value), *more]
    return "\n".join((head, *lines, "")) if lines else ""


def _lines(section: type[Section], value: Any) -> Iterator[str]:
    for each in fields(value):
        known = section.model_fields.get(each.name)
        apart = each.name in _CERTIFICATE_KEYS or each.name in _TABLES
        if known is None or apart or isinstance(getattr(value, each.name), dict):
            continue
        said = getattr(value, each.name)
        default = getattr(_DEADLINES, each.name) if isinstance(said, DeadlineTerms) else known.get_default()
        if known.is_required() or said != default:
            yield f"{each.name} = {_value(said)}"


def _codes(head: str, table: Mapping[str, str]) -> str:
    lines = [f"{code} = {_value(value)}" for code, value in sorted(table.items())]
    return "\n".join((head, *lines, "")) if lines else ""


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return format(value, "d" if isinstance(value, int) else "f")
        case timedelta():
            seconds = int(value.total_seconds())
            size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
            return f'"{seconds // size}{unit}"'
        case Credentials():
            said = ((each.name, getattr(value, each.name)) for each in fields(value))
            return "{ " + ", ".join(f"{name} = {_value(text)}" for name, text in said if text) + " }"
        case DeadlineTerms():
            return (
                "{ " + ", ".join(f"{each.name} = {_value(getattr(value, each.name))}" for each in fields(value)) + " }"
            )
        case frozenset():
            return f"[{', '.join(_value(item) for item in sorted(value))}]"
        case tuple():
            return f"[{', '.join(map(_value, value))}]"
        case _:
            # JSON's escapes are TOML's; DEL alone must be escaped in TOML and is not in JSON.
            return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
