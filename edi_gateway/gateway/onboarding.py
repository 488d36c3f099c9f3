"""Bring partnerships into force: read the folders, check them together, say what changes, apply it as a whole.

`read_folders` and `check` touch no database; `plan` compares with what is in force; `apply` writes the plan.
Nothing is ever deleted: a partnership whose folder is gone is reported, and suspended only when asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from edi_gateway import partner_file
from edi_gateway.as2.certificates import load_certificates
from edi_gateway.partner_file import Folder, Ours
from edi_gateway.partnership import Partnership
from edi_gateway.store import partnerships as store
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.partnerships import PartnershipRevision, PartnershipState
from edi_gateway.strict_toml import Problem

PARTNERS_MAX = 10_000
FILES_MAX = 50
FILE_BYTES_MAX = 64 * 1024
"""The largest certificate file; partner.toml has its own bound (`strict_toml.TEXT_CHARACTERS_MAX`)."""

_CERTIFICATE_SUFFIXES = frozenset({".pem", ".crt", ".cer", ".der", ".p7b", ".p7c", ".p12", ".pfx"})


@dataclass(frozen=True, slots=True)
class Checked:
    """The folders read and checked together: all partnerships, or the problems. Warnings come with both."""

    partnerships: tuple[Partnership, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()


class ChangeKind(StrEnum):
    """What applying does to one partnership."""

    ADDED = "added"
    CHANGED = "changed"
    RESUMED = "resumed"
    UNCHANGED = "unchanged"
    MISSING = "missing"  # in force without a folder, and left so
    SUSPENDED = "suspended"

    @property
    def writes(self) -> bool:
        return self not in (ChangeKind.UNCHANGED, ChangeKind.MISSING)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field, before and after; "" for what is not there."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """What applying does to one partnership, field by field."""

    name: str
    kind: ChangeKind
    partnership: Partnership
    fields: tuple[FieldChange, ...] = ()

    @property
    def state(self) -> PartnershipState:
        """The state that the new revision has."""
        return PartnershipState.SUSPENDED if self.kind is ChangeKind.SUSPENDED else PartnershipState.ACTIVE

    def as_json(self) -> dict[str, Any]:
        fields = [{"field": f.field, "old": f.old, "new": f.new} for f in self.fields]
        return {"name": self.name, "change": self.kind.value, "fields": fields}


# --- folders -------------------------------------------------------------------------------------


def read_folders(directory: Path, names: Sequence[str] = ()) -> tuple[list[Folder], list[Problem]]:
    """The folders below `directory` that hold a partner.toml, by name; those in `names` alone, if any are given."""
    if not directory.is_dir():
        return [], [Problem(str(directory), "", "no such folder", "one folder a trading partner in it")]
    there = sorted(path.name for path in directory.iterdir() if path.is_dir() and not path.name.startswith("."))
    listed = ", ".join(there) or "none: the folder is empty"
    problems = [
        Problem(f"{directory}/{name}", "", "no such partner", f"one of {listed}") for name in names if name not in there
    ]
    if len(there) > PARTNERS_MAX:
        return [], [Problem(str(directory), "", f"{len(there)} folders", f"at most {PARTNERS_MAX}")]
    folders: list[Folder] = []
    for name in there:
        if not names or name in names:
            read = _read_folder(directory / name)
            problems.extend([read] if isinstance(read, Problem) else [])
            folders.extend([read] if isinstance(read, Folder) else [])
    return folders, problems


def _read_folder(path: Path) -> Folder | Problem:
    file = path / partner_file.FILE
    try:
        text = file.read_text(encoding="utf-8")
        names = [entry for entry in sorted(path.iterdir()) if entry.suffix.lower() in _CERTIFICATE_SUFFIXES]
        if len(names) > FILES_MAX:
            return Problem(str(path), "", f"{len(names)} certificate files", f"at most {FILES_MAX}")
        files = {entry.name: _read_bounded(entry) for entry in names}
        return Folder(name=path.name, text=text, files=files, above=f"{path.parent}/")
    except FileNotFoundError:
        return Problem(str(file), "", "no such file", "every folder describes one partner; see partners/demo-vendor")
    except (OSError, UnicodeDecodeError) as error:
        return Problem(str(file), "", f"cannot be read: {error}", "a UTF-8 text file")


def _read_bounded(path: Path) -> bytes:
    with path.open("rb") as file:
        # One byte more than allowed is enough to see, further on, that this is no certificate.
        return file.read(FILE_BYTES_MAX + 1)


def check(folders: Sequence[Folder], ours: Ours, now: datetime, others: Sequence[Partnership] = ()) -> Checked:
    """Every folder read, and all partnerships held against each other and against `others`, which stay in force."""
    readings = [partner_file.read(folder, ours, now) for folder in folders]
    partnerships = tuple(reading.partnership for reading in readings if reading.partnership)
    problems = [problem for reading in readings for problem in reading.problems]
    above = folders[0].above if folders else ""
    problems += partner_file.conflicts((*others, *partnerships), above)
    return Checked(partnerships, tuple(problems), tuple(w for reading in readings for w in reading.warnings))


# --- plan and apply ------------------------------------------------------------------------------


def plan(
    partnerships: Iterable[Partnership],
    rows: Iterable[PartnershipRevision],
    *,
    only: Sequence[str] = (),
    suspend_missing: bool = False,
) -> list[Change]:
    """What applying `partnerships` changes in `rows`, the revisions in force; by name.

    With `only`, other partnerships are left out of account, missing ones too.
    """
    before = {row.name: row for row in rows}
    changes = [_change(partnership, before.pop(partnership.name, None)) for partnership in partnerships]
    missing = [row for row in before.values() if not only and row.state is PartnershipState.ACTIVE]
    gone = ChangeKind.SUSPENDED if suspend_missing else ChangeKind.MISSING
    changes += [Change(row.name, gone, row.partnership) for row in missing]
    return sorted(changes, key=lambda change: change.name)


def apply(
    uow: UnitOfWork, changes: Iterable[Change], now: datetime, *, reason: str = "applied from the partner's folder"
) -> None:
    """Put the changes in force, with one event each; `reason` is that of what is active then. The caller commits."""
    writing = [change for change in changes if change.kind.writes]
    rows = store.put_in_force(uow.session, [(change.partnership, change.state) for change in writing], now)
    for change, row in zip(writing, rows, strict=True):
        uow.record_event(
            f"partnership.{change.kind}",
            f"partnership:{change.name}",
            _state_before(change.kind),
            row.state.value,
            reason if row.state is PartnershipState.ACTIVE else "its folder is gone",
            {"revision": row.revision, **change.as_json()},
            now,
        )


def _state_before(kind: ChangeKind) -> str | None:
    if kind is ChangeKind.ADDED:
        return None
    return (PartnershipState.SUSPENDED if kind is ChangeKind.RESUMED else PartnershipState.ACTIVE).value


def _change(partnership: Partnership, row: PartnershipRevision | None) -> Change:
    new = store.to_document(partnership)
    fields = tuple(differences(row.document if row else {}, new))
    if row is None:
        kind = ChangeKind.ADDED
    elif row.state is PartnershipState.SUSPENDED:
        kind = ChangeKind.RESUMED
    else:
        kind = ChangeKind.CHANGED if fields else ChangeKind.UNCHANGED
    return Change(partnership.name, kind, partnership, fields)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FieldChange]:
    """The fields that differ between two documents of a partnership, in the order of the document."""
    before, after = flat_fields(old), flat_fields(new)
    for field in dict.fromkeys((*before, *after)):
        if before.get(field, "") != after.get(field, ""):
            yield FieldChange(field, before.get(field, ""), after.get(field, ""))


def flat_fields(document: Mapping[str, Any]) -> dict[str, str]:
    """A document as `as2.url` -> text: certificates by fingerprint, agreements by type and direction."""
    return dict(_flat("", document))


def _flat(key: str, value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case {"pem": str(pem), **rest}:
            yield key, _certificate_text(pem, str(rest.get("use_from", "")))
        case {"type": str(message_type), "direction": str(direction), **rest}:
            yield f"messages.{message_type}.{direction}", " ".join(str(part) for part in rest.values() if part)
        case Mapping():
            for name, inner in value.items():
                yield from _flat(f"{key}.{name}" if key else str(name), inner)
        case [Mapping(), *_]:
            for number, inner in enumerate(value, start=1):
                yield from _flat(f"{key}[{number}]", inner)
        case list():
            yield key, ", ".join(str(part) for part in value)
        case _:
            yield key, "" if value is None else str(value)


def _certificate_text(pem: str, use_from: str) -> str:
    certificate = load_certificates(pem)[0]
    text = f"{certificate.subject}, until {certificate.not_after:%Y-%m-%d}, {certificate.fingerprint[:16]}"
    return f"{text}, used from {use_from}" if use_from else text
