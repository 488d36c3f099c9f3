"""What `edi-gateway doctor` looks at in an installation: each look gives remarks, and changes nothing that stays.

A look that cannot be taken because an earlier thing is missing (no database, no keys) is left out: what is missing has
its own remark. What can be said stands in `installation_texts`.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import func, make_url, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from edi_gateway.as2.certificates import KeyUse
from edi_gateway.config import Config
from edi_gateway.gateway import onboarding
from edi_gateway.gateway.app import payload_store
from edi_gateway.gateway.expiry import ALERT_DAYS, Watched, of_keys, of_partnership
from edi_gateway.gateway.installation_texts import Remark
from edi_gateway.gateway.keys import DEFAULT_KEY_FILE, KeyStore, KeyStoreError, open_keys
from edi_gateway.gateway.onboarding import ChangeKind
from edi_gateway.gateway.secure_start import is_loopback
from edi_gateway.gateway.tasks import RECURRING, last_turn
from edi_gateway.gateway.vital_signs import STAGES, waiting_at
from edi_gateway.partner_file import Ours
from edi_gateway.store import migrate, partnerships
from edi_gateway.store.api import any_token
from edi_gateway.store.database import Database, Reading
from edi_gateway.store.events import Event
from edi_gateway.store.partnerships import PartnershipState

GIB = 1024**3
FREE_BYTES_FEW = 5 * GIB
FREE_BYTES_MIN = GIB // 2
CLOCK_APART_MAX = timedelta(seconds=30)
"""An event may be a little younger than our clock says: another node wrote it."""
MISSED_SWEEPS_MAX = 4
STILL_MIN = timedelta(minutes=2)
WAITING_MAX = timedelta(minutes=15)
PROBLEMS_SHOWN_MAX = 20
PORT_SECONDS_MAX = 3.0

Remarks = Iterator[Remark]


@dataclass(frozen=True, slots=True)
class Place:
    """What the looks are taken at."""

    config: Config
    now: datetime
    keys: KeyStore | None
    database: Database | None


def look(config: Config, now: datetime) -> list[Remark]:
    """Everything that can be said of the installation of this configuration, in the order of `LOOKS`."""
    remarks = [Remark("configuration.read"), *_data_folder(config), *_port(config), *_addresses(config)]
    keys, said = _keys(config)
    remarks += said
    database, said = _database(config)
    remarks += said
    place = Place(config, now, keys, database)
    try:
        for each in LOOKS:
            remarks += each(place)
    finally:
        if database is not None:
            database.close()
    return remarks


# --- the machine ---------------------------------------------------------------------------------


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _data_folder(config: Config) -> Remarks:
    folder = config.data_dir
    if not folder.is_dir():
        yield Remark("data.absent", {"path": folder})
        return
    mode = _mode(folder)
    values = {"path": folder, "found": f"{mode:04o}", "mode": "700"}
    if mode & stat.S_IWOTH:
        yield Remark("data.everybody", values)
    else:
        yield Remark("data.open" if mode & stat.S_IRWXO else "data.private", values)
    yield from _disk(folder)


def _disk(folder: Path) -> Remarks:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"doctor")
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield Remark("disk.refused", {"path": folder, "reason": error.strerror})
        return
    yield room(free, folder)


def room(free: int, folder: Path) -> Remark:
    """What is to be said of so many free bytes."""
    code = "disk.full" if free < FREE_BYTES_MIN else "disk.little" if free < FREE_BYTES_FEW else "disk.room"
    return Remark(code, {"free": f"{free / GIB:.1f}", "path": folder})


def _port(config: Config) -> Remarks:
    values = {"host": config.host, "port": config.port}
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        with socket.create_server((config.host, config.port), family=family):
            yield Remark("port.free", values)
    except OSError as error:
        ours = _is_gateway(config)
        yield Remark("port.ours" if ours else "port.taken", values | {"reason": error.strerror or str(error)})


def _is_gateway(config: Config) -> bool:
    """Whether what listens there answers as a gateway does."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)  # noqa: S104 - compared, not bound
    try:
        with closing(http.client.HTTPConnection(host, config.port, timeout=PORT_SECONDS_MAX)) as connection:
            connection.request("GET", "/healthz")
            return connection.getresponse().read(100).strip() == b'{"status":"ok"}'
    except (OSError, http.client.HTTPException):
        return False


def _addresses(config: Config) -> Remarks:
    url = urlsplit(config.public_url)
    values = {"url": config.public_url, "host": config.host}
    if is_loopback(url.hostname or "") and not is_loopback(config.host):
        yield Remark("url.local", values)
    elif url.scheme != "https" and not is_loopback(url.hostname or ""):
        yield Remark("url.plain", values)
    else:
        yield Remark("url.plausible", values)
    for network in filter(None, map(str.strip, config.reverse_proxy.addresses.split(","))):
        if ip_network(network).prefixlen == 0:
            yield Remark("proxy.everybody", {"network": network})


# --- secrets and keys ----------------------------------------------------------------------------


def _keys(config: Config) -> tuple[KeyStore | None, list[Remark]]:
    """The keys, opened, unless that would make a passphrase; and what is to be said of it."""
    beside = config.data_dir / DEFAULT_KEY_FILE
    named = config.key_passphrase is not None or config.key_file is not None
    if not named and not beside.exists() and not any((config.data_dir / "keys").glob("*.pem")):
        return None, [Remark("secret.none"), Remark("keys.none")]
    try:
        keys = open_keys(config)
    except KeyStoreError as error:
        return None, [Remark("secret.refused", {"problem": error})]
    try:
        count = len(keys.own_keys())
    except KeyStoreError as error:
        return None, [_source(config, beside), Remark("keys.refused", {"problem": error})]
    return keys, [_source(config, beside), Remark("keys.open", {"count": count}) if count else Remark("keys.none")]


def _source(config: Config, beside: Path) -> Remark:
    if config.key_passphrase is not None:
        return Remark("secret.passphrase", {"source": "key_passphrase"})
    file = config.key_file or beside
    inside = file.resolve().is_relative_to(config.data_dir.resolve())
    return Remark("secret.beside" if inside else "secret.passphrase", {"source": file})


def _uses(place: Place) -> Remarks:
    """Whether a key does each thing that needs one."""
    if place.keys is None or not place.keys.own_keys():
        return
    for use in (KeyUse.SIGNING, KeyUse.ENCRYPTION):
        if place.keys.chosen(use, place.now) is None:
            yield Remark("keys.none-serves", {"use": use.value})


# --- the database, and what stands in it ---------------------------------------------------------


def _database(config: Config) -> tuple[Database | None, list[Remark]]:
    """The database, if it can be used; and what is to be said of it. None is made."""
    file = None if config.is_on_server else Path(make_url(config.database_url).database or "")
    if file is not None and not file.is_file():
        return None, [Remark("database.absent")]
    said = _database_file(file) if file is not None else []
    try:
        present, needed = migrate.state(config.database_url)
        if present != needed:
            return None, [*said, Remark("database.behind", {"present": present or "-", "needed": needed})]
        database = Database(config.database_url)
        database.answers()
    except (SQLAlchemyError, OSError) as error:
        reason = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        return None, [*said, Remark("database.silent", {"reason": reason})]
    return database, [*said, Remark("database.current", {"present": present})]


def _database_file(file: Path) -> list[Remark]:
    mode = _mode(file)
    if not mode & (stat.S_IROTH | stat.S_IWOTH):
        return []
    return [Remark("database.open", {"path": file, "found": f"{mode:04o}", "mode": "600"})]


def _token(place: Place) -> Remarks:
    if place.config.api_token is not None:
        yield Remark("secret.token")
    elif place.database is not None:
        with place.database.read() as view:
            yield Remark("secret.token" if any_token(view.session) else "secret.no-token")


def _payloads(place: Place) -> Remarks:
    if place.database is None:
        return
    try:
        with closing(payload_store(place.config, place.database)) as payloads:
            payloads.answers()
    except OSError as error:
        yield Remark("payloads.refused", {"reason": error})
    else:
        yield Remark("payloads.kept")


def _clock(place: Place) -> Remarks:
    if place.database is None:
        return
    with place.database.read() as view:
        newest = view.session.scalar(select(Event.at).order_by(Event.number.desc()).limit(1))
        turn = last_turn(view.session, "sweep")
        theirs = view.session.scalar(select(func.clock_timestamp())) if place.config.is_on_server else None
    newest = max((moment for moment in (newest, turn) if moment is not None), default=None)
    values = {"now": _shown(place.now), "newest": _shown(newest) if newest else ""}
    apart = abs(theirs - datetime.now(UTC)) if theirs is not None else timedelta()
    if newest is not None and newest > place.now + CLOCK_APART_MAX:
        yield Remark("clock.behind", values)
    elif apart > CLOCK_APART_MAX:
        yield Remark("clock.apart", {"seconds": round(apart.total_seconds())})
    else:
        yield Remark("clock.right", values)


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _work(place: Place) -> Remarks:
    if place.database is None:
        return
    with place.database.read() as view:
        yield _turning(place, view)
        yield from _waiting(place, view)


def _turning(place: Place, view: Reading) -> Remark:
    turn = last_turn(view.session, "sweep")
    if turn is None:
        return Remark("work.never")
    ago = max(place.now - turn, timedelta())
    late = ago > max(MISSED_SWEEPS_MAX * RECURRING["sweep"](place.config), STILL_MIN)
    return Remark("work.still" if late else "work.turning", {"seconds": int(ago.total_seconds())})


def _waiting(place: Place, view: Reading) -> Remarks:
    for stage in ("unpack", "dispatch"):
        queue = waiting_at(view, STAGES[stage])
        if queue.oldest is not None and place.now - queue.oldest > WAITING_MAX:
            minutes = int((place.now - queue.oldest).total_seconds() // 60)
            yield Remark("work.waiting", {"count": queue.count, "stage": stage, "minutes": minutes})
    parked = waiting_at(view, STAGES["parked"]).count
    if parked:
        yield Remark("work.parked", {"count": parked})


def _partners(place: Place) -> Remarks:
    """The folders of the partners, held against what is in force."""
    if place.database is None:
        return
    with place.database.read() as view:
        rows = partnerships.in_force(view.session)
    directory = place.config.partners_dir
    folders, problems = onboarding.read_folders(directory) if directory.is_dir() else ([], [])
    identity = place.config.identity
    checked = onboarding.check(folders, Ours(identity.as2_id, identity.gln), place.now)
    said = [Remark("partners.refused", {"problem": each}) for each in (*problems, *checked.problems)]
    if not said:
        changes = onboarding.plan(checked.partnerships, rows)
        differing = [each for each in changes if each.kind is not ChangeKind.UNCHANGED]
        said = [Remark("partners.differ", {"name": each.name, "change": each.kind.value}) for each in differing]
    if not any(row.state is PartnershipState.ACTIVE for row in rows):
        said.append(Remark("partners.none"))
    yield from said[:PROBLEMS_SHOWN_MAX] or [Remark("partners.agree", {"count": len(rows)})]


def _certificates(place: Place) -> Remarks:
    watched = of_keys(place.keys.own_keys()) if place.keys is not None else []
    if place.database is not None:
        with place.database.read() as view:
            rows = partnerships.in_force(view.session)
        watched += [
            each for row in rows if row.state is PartnershipState.ACTIVE for each in of_partnership(row.partnership)
        ]
    if not watched:
        return
    ending = [each for each in watched if each.due(place.now) is not None]
    yield from [_ending(each, place.now) for each in ending]
    if not any(each.successor is None for each in ending):
        yield Remark("certificate.good", {"count": len(watched), "days": ALERT_DAYS[0]})


def _ending(watched: Watched, now: datetime) -> Remark:
    values = {
        "subject": watched.subject,
        "name": watched.certificate.subject,
        "purpose": watched.purpose,
        "days": max(watched.certificate.days_left(now), 0),
    }
    if watched.successor is not None and watched.successor.not_after > now:
        return Remark("certificate.replaced", values)
    return Remark("certificate.ended" if watched.certificate.not_after < now else "certificate.ending", values)


LOOKS: tuple[Callable[[Place], Remarks], ...] = (
    _uses,
    _token,
    _payloads,
    _clock,
    _work,
    _partners,
    _certificates,
)
