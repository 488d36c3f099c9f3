"""A simulated vendor that runs alone, against any gateway: its folder, what that gateway must be told, its figures.

It is the test console of a partner (each order is answered as the behaviours say), and the load generator (stock
reports at a rate, and how long each took until its MDN was there).
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from edi_gateway import config as configuration
from edi_gateway.as2.certificates import CertificateError, generate, load_certificates
from edi_gateway.config import Config
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.onboarding import apply, check, plan, read_folders
from edi_gateway.gateway.partnerships import Partnerships
from edi_gateway.partner_file import Ours
from edi_gateway.partnership import Direction, MdnMode
from edi_gateway.simulator.behaviours import Behaviour
from edi_gateway.simulator.companies import (
    CERTIFICATE_FILE,
    MARKETPLACE,
    VENDOR,
    Company,
    identity,
    partner,
    seen_by_the_other,
    toml,
)
from edi_gateway.simulator.stage import KEY_KIND, HeldKeys
from edi_gateway.simulator.vendor import Vendor
from edi_gateway.store import partnerships as partnership_store
from edi_gateway.store.documents import Message, MessageState
from edi_gateway.store.partnerships import PartnershipState
from edi_gateway.store.transmissions import Transmission, TransmissionDirection, TransmissionKind, TransmissionState

AGREED = (
    ("ORDERS", "in"),
    ("ORDCHG", "in"),
    ("INVOIC", "in"),
    ("APERAK", "in"),
    ("ORDRSP", "out"),
    ("DESADV", "out"),
    ("INVOIC", "out"),
    ("INVRPT", "out"),
)
"""What the vendor exchanges with the gateway: (type, direction), as the vendor sees it."""

WATCH_SECONDS = 0.2
QUIET_LOOKS = 5
"""So often in a row there must be nothing left to do: the other side may still answer."""
_STRANGER_DAYS = 365

Json = dict[str, Any]


class SetUpFailed(Exception):
    """The vendor cannot be described to itself; the text says why."""


@dataclass(frozen=True, slots=True)
class Counterpart:
    """The gateway that the vendor is to talk to."""

    url: str
    certificate: bytes
    as2_id: str = MARKETPLACE.as2_id
    gln: str = MARKETPLACE.gln


def set_up(folder: Path, port: int, counterpart: Counterpart, vendor: Company = VENDOR) -> Config:
    """The vendor's own folder: configuration, and the gateway as its partner. What is there already stays.

    Raises SetUpFailed, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / configuration.FILE
    if not file.exists():
        passphrase = folder / "key.passphrase"
        passphrase.touch(mode=0o600)
        passphrase.write_text(secrets.token_urlsafe(32), encoding="ascii")
        described: Json = {
            "role": "vendor",
            "data_dir": "data",
            "partners_dir": "partners",
            "key_file": passphrase.name,
        }
        address = {"port": port, "public_url": f"http://127.0.0.1:{port}"}
        file.write_text(toml({**described, **address, "identity": identity(vendor)}), encoding="utf-8")
    _describe(folder / "partners" / MARKETPLACE.folder, counterpart)
    try:
        return configuration.load(file)
    except configuration.ConfigError as refusal:
        raise SetUpFailed(str(refusal)) from None


def _describe(folder: Path, counterpart: Counterpart) -> None:
    """The gateway in a partner's folder."""
    try:
        (certificate, *_) = load_certificates(counterpart.certificate)
    except CertificateError as error:
        raise SetUpFailed(f"the gateway's certificate cannot be read: {error}") from None
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CERTIFICATE_FILE).write_text(certificate.pem, encoding="ascii")
    them = replace(
        MARKETPLACE, as2_id=counterpart.as2_id, gln=counterpart.gln, siren="", vat_number="", iban="", bic=""
    )
    (folder / "partner.toml").write_text(toml(partner(them, counterpart.url, AGREED)), encoding="utf-8")


def agree(gateway: Gateway) -> None:
    """Put the partners' folders in force. Raises SetUpFailed."""
    folders, problems = read_folders(gateway.config.partners_dir)
    own = gateway.config.identity
    checked = check(folders, Ours(own.as2_id, own.gln), gateway.now())
    if problems or checked.problems:
        raise SetUpFailed("\n".join(map(str, (*problems, *checked.problems))))
    with gateway.database.write() as uow:
        apply(uow, plan(checked.partnerships, partnership_store.in_force(uow.session)), gateway.now())
        uow.commit()
    gateway.partnerships.refresh()


def told(gateway: Gateway, vendor: Company = VENDOR) -> Json:
    """What the other gateway must be told: names, address, certificate, and a partner.toml that says all of it."""
    own = gateway.config.identity
    certificate = gateway.keys.all()[0].certificate
    company = replace(vendor, name=own.name, as2_id=own.as2_id, gln=own.gln)
    return {
        "as2_id": own.as2_id,
        "url": gateway.mdn_url,
        "gln": own.gln,
        "certificate": certificate.pem,
        "fingerprint": certificate.fingerprint,
        "partner_toml": toml(partner(company, gateway.mdn_url, seen_by_the_other(AGREED))),
    }


def adapted(gateway: Gateway, behaviours: frozenset[Behaviour]) -> Gateway:
    """The gateway with the behaviours that are of the connection."""
    if Behaviour.ASYNC_MDN in behaviours:
        _ask_for_asynchronous_receipts(gateway)
    if Behaviour.WRONG_CERTIFICATE not in behaviours:
        return gateway
    stranger = generate("STRANGER", datetime.now(UTC), _STRANGER_DAYS, KEY_KIND)
    keys = HeldKeys(stranger, *gateway.keys.all())
    return replace(gateway, keys=keys, partnerships=Partnerships(gateway.database, keys))


def _ask_for_asynchronous_receipts(gateway: Gateway) -> None:
    changed = [
        replace(each, as2=replace(each.as2, mdn_mode=MdnMode.ASYNC))
        for each in gateway.partnerships.all()
        if each.as2.mdn_mode is not MdnMode.ASYNC
    ]
    with gateway.database.write() as uow:
        revisions = [(each, PartnershipState.ACTIVE) for each in changed]
        partnership_store.put_in_force(uow.session, revisions, gateway.now())
        uow.commit()
    gateway.partnerships.refresh()


# --- while it runs --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Load:
    """What the vendor sends unasked, and when it has done enough. 0: nothing, or no end."""

    reports: int = 0
    per_second: float = 0.0  # 0: as fast as it can
    orders: int = 0  # it ends when so many orders were seen through


@contextmanager
def running(
    vendor: Vendor, load: Load, finish: Callable[[Json], object], gateway: Gateway, stop: Callable[[], None]
) -> Iterator[None]:
    """Sends the load and ends the vendor when it has done enough; `finish` gets the figures."""
    ended = threading.Event()
    began = time.monotonic()
    watch = threading.Thread(target=_watch, args=(vendor, load, gateway, stop, ended), name="load")
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()
        finish(figures(gateway, time.monotonic() - began))


def _watch(vendor: Vendor, load: Load, gateway: Gateway, stop: Callable[[], None], ended: threading.Event) -> None:
    """Send the reports at their rate, then wait until everything that is to come has come."""
    began = time.monotonic()
    for number in range(load.reports):
        if load.per_second and ended.wait(max(0.0, began + number / load.per_second - time.monotonic())):
            return
        for partnership in gateway.partnerships.all():
            vendor.announce(gateway, partnership)
    quiet = 0
    while not ended.wait(WATCH_SECONDS):
        quiet = quiet + 1 if _is_done(gateway, vendor, load) else 0
        if quiet >= QUIET_LOOKS:
            stop()
            return


def _is_done(gateway: Gateway, vendor: Vendor, load: Load) -> bool:
    if not load.orders and not load.reports:
        return False
    with gateway.database.read() as reading:
        orders = len([each for each in _orders(reading.session) if _is_through(reading.session, vendor, each)])
        return orders >= load.orders and not _on_the_way(reading.session)


def _orders(session: Session) -> list[Message]:
    received = select(Message).where(Message.direction == Direction.IN, Message.type == "ORDERS")
    return list(session.scalars(received.order_by(Message.at, Message.id)))


def _is_through(session: Session, vendor: Vendor, order: Message) -> bool:
    """Whether nothing more follows on an order: all that was sent about it has been acknowledged or refused."""
    if order.state is not MessageState.APPLIED or Behaviour.SILENT in vendor.manner.towards(order.business_key):
        return True
    sent = session.scalars(
        select(Message.state).where(Message.direction == Direction.OUT, Message.business_key == order.business_key)
    ).all()
    return bool(sent) and MessageState.SENT not in sent


_ON_THE_WAY = (TransmissionState.QUEUED, TransmissionState.SENDING, TransmissionState.AWAITING_MDN)


def _on_the_way(session: Session) -> int:
    waiting = select(func.count()).select_from(Transmission).where(Transmission.state.in_(_ON_THE_WAY))
    return session.scalar(waiting) or 0


# --- figures --------------------------------------------------------------------------------------------------------


def figures(gateway: Gateway, seconds: float) -> Json:
    """What was sent and came of it. Latencies are from when a document was queued until its MDN was there."""
    with gateway.database.read() as reading:
        sent = list(
            reading.session.scalars(
                select(Transmission).where(
                    Transmission.direction == TransmissionDirection.OUT, Transmission.kind == TransmissionKind.MESSAGE
                )
            )
        )
        orders = [_order_shown(reading.session, order) for order in _orders(reading.session)]
    latencies = sorted(
        (row.settled_at - row.created_at).total_seconds() * 1000 for row in sent if row.settled_at is not None
    )
    states = [row.state for row in sent]
    return {
        "sent": len(sent),
        "mdn_ok": states.count(TransmissionState.ACKNOWLEDGED),
        "mdn_refused": states.count(TransmissionState.REFUSED),
        "parked": states.count(TransmissionState.PARKED),
        "unsettled": sum(state in _ON_THE_WAY for state in states),
        "seconds": round(seconds, 2),
        "per_second": round(len(latencies) / seconds, 2) if seconds else 0.0,
        "latency_ms": _percentiles(latencies),
        "orders": orders,
    }


def _percentiles(sorted_values: Sequence[float]) -> Mapping[str, float | None]:
    def at(part: float) -> float | None:
        if not sorted_values:
            return None
        return round(sorted_values[min(len(sorted_values) - 1, int(part * len(sorted_values)))], 1)

    return {"median": at(0.5), "p90": at(0.9), "p99": at(0.99), "max": at(1.0)}


def _order_shown(session: Session, order: Message) -> Json:
    about = session.scalars(
        select(Message)
        .where(Message.direction == Direction.OUT, Message.business_key == order.business_key)
        .order_by(Message.at, Message.id)
    )
    documents = [
        {"type": each.type, "number": each.document_number, "state": each.state.value, "reason": each.reason}
        for each in about
    ]
    return {"number": order.document_number, "state": order.state.value, "documents": documents}
