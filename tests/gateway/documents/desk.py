"""The marketplace's desk: a gateway on a folder, one vendor, and interchanges that arrive as text.

desk.place()                                   an order from the shop
desk.arrive(ordrsp("29"))                      what the vendor sends, unpacked at once
desk.sent()                                    the interchanges that wait to leave, newest last
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import select

from edi_gateway.config import Config, Identity
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.handling import RecordHandler
from edi_gateway.gateway.keys import KeyStore
from edi_gateway.gateway.marketplace_side import HANDLERS
from edi_gateway.gateway.orders import place_order
from edi_gateway.gateway.partnerships import Partnerships
from edi_gateway.gateway.unpack import unpack
from edi_gateway.marketplace.fulfilment import PaymentState
from edi_gateway.partnership import (
    As2Policy,
    Direction,
    EdifactPolicy,
    MessageAgreement,
    Partnership,
    TradingPartner,
)
from edi_gateway.store import partnerships as partnership_store
from edi_gateway.store.business import BusinessEvent, OrderRow, find_order
from edi_gateway.store.database import Database
from edi_gateway.store.documents import Interchange, Message, StoredFinding
from edi_gateway.store.events import Event
from edi_gateway.store.partnerships import PartnershipState
from edi_gateway.store.payloads import PayloadStore, keep
from edi_gateway.store.transmissions import (
    ReceiptMode,
    Transmission,
    TransmissionDirection,
    TransmissionKind,
    TransmissionState,
)
from tests.core.marketplace.documents import BUYER, NOW, SUPPLIER, an_order
from tests.databases import database_url

VENDOR = "vendor"
TOKEN = "a-token-that-only-the-tests-know"


def a_partnership(name: str = VENDOR, gln: str = SUPPLIER, **edifact: Any) -> Partnership:
    agreed = [
        ("ORDERS", "out"),
        ("INVOIC", "out"),
        ("ORDRSP", "in"),
        ("DESADV", "in"),
        ("INVOIC", "in"),
        ("INVRPT", "in"),
        ("RECADV", "in"),
        ("SLSRPT", "in"),
        ("PRICAT", "in"),
    ]
    return Partnership(
        partner=TradingPartner(name=name, legal_name="VENDEUR SARL", gln=gln, vat_number="FR14987654324"),
        as2=As2Policy(
            their_id=name.upper(),
            our_id="MARKETPLACE",
            url="http://127.0.0.1:9/as2",
            signing_certificates=(),
            encryption_certificates=(),
        ),
        edifact=EdifactPolicy(their_id=gln, our_id=BUYER, **edifact),
        messages=tuple(MessageAgreement(type=kind, direction=Direction(way)) for kind, way in agreed),
    )


class Desk:
    """A gateway without a network: what leaves stays queued, what arrives is put where `receive` would put it."""

    def __init__(
        self, folder: Path, handlers: Mapping[str, RecordHandler] = HANDLERS, token: str | None = TOKEN
    ) -> None:
        self.now = NOW
        self.ids = 0
        self.woken: list[tuple[str, str, datetime | None]] = []
        config = Config(
            data_dir=folder,
            api_token=None if token is None else SecretStr(token),
            identity=Identity(
                name="PLACE DE MARCHE SAS", as2_id="MARKETPLACE", gln=BUYER, vat_number="FR11123456782", city="Paris"
            ),
        )
        database = Database(database_url(folder), lambda *wake: self.woken.append(wake))
        database.create_all()
        keys = KeyStore(folder, b"correct horse battery staple")
        self.gateway = Gateway(
            config=config,
            database=database,
            payloads=PayloadStore(folder / "payloads", database),
            partnerships=Partnerships(database, keys),
            keys=keys,
            send=_nobody_sends,
            now=lambda: self.now,
            new_id=self._new_id,
            handlers=handlers,
        )
        self.agree(a_partnership())

    def _new_id(self) -> str:
        self.ids += 1
        return f"{self.ids:032x}"

    def agree(self, *partnerships: Partnership) -> None:
        with self.gateway.database.write() as uow:
            rows = [(each, PartnershipState.ACTIVE) for each in partnerships]
            partnership_store.put_in_force(uow.session, rows, self.now)
            uow.commit()
        self.gateway.partnerships.refresh()

    def place(self, order=None, payment: PaymentState = PaymentState.ACCEPTED, partner: str = VENDOR) -> None:
        place_order(self.gateway, partner, order or an_order(), payment=payment)

    def arrive(self, text: str | bytes, partner: str = VENDOR) -> str:
        """A transmission with this payload is received and unpacked; gives its id."""
        identifier = self.receive(text, partner)
        unpack(self.gateway, identifier)
        return identifier

    def receive(self, text: str | bytes, partner: str = VENDOR) -> str:
        data = text if isinstance(text, bytes) else text.replace("\n", "").encode("latin-1")
        payload = self.gateway.payloads.put(io.BytesIO(data))
        identifier = self._new_id()
        with self.gateway.database.write() as uow:
            keep(uow, payload, self.now)
            uow.session.add(
                Transmission(
                    id=identifier,
                    direction=TransmissionDirection.IN,
                    kind=TransmissionKind.MESSAGE,
                    state=TransmissionState.RECEIVED,
                    created_at=self.now,
                    changed_at=self.now,
                    partnership=partner,
                    as2_from=partner.upper(),
                    as2_to="MARKETPLACE",
                    message_id=f"<{identifier}@{partner}>",
                    headers=[],
                    receipt_mode=ReceiptMode.SYNC,
                    payload_sha256=payload.sha256,
                    payload_size=payload.size,
                )
            )
            uow.commit()
        return identifier

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    # What stands in the store.

    def rows(self, model, *conditions):
        with self.gateway.database.read() as reading:
            key = next(iter(model.__table__.primary_key.columns))
            return list(reading.session.scalars(select(model).where(*conditions).order_by(key)))

    def order(self, number: str = "MP4K7QX1", partner: str = VENDOR) -> OrderRow:
        with self.gateway.database.read() as reading:
            row = find_order(reading.session, partner, number)
        assert row is not None
        return row

    def transmission(self, identifier: str) -> Transmission:
        return self.rows(Transmission, Transmission.id == identifier)[0]

    def messages(self, *conditions) -> list[Message]:
        return self.rows(Message, *conditions)

    def received(self, kind: str) -> list[Message]:
        return self.messages(Message.type == kind, Message.direction == Direction.IN)

    def interchanges(self, direction: Direction = Direction.IN) -> list[Interchange]:
        return self.rows(Interchange, Interchange.direction == direction)

    def findings(self, message: Message | None = None) -> list[str]:
        conditions = [] if message is None else [StoredFinding.message_id == message.id]
        return [row.code for row in self.rows(StoredFinding, *conditions)]

    def shop_events(self, prefix: str = "") -> list[BusinessEvent]:
        """What the shop heard; the states of orders only where they are asked for."""
        events = self.rows(BusinessEvent)
        return [each for each in events if each.kind.startswith(prefix or ("payment.", "stock."))]

    def alerts(self) -> list[Event]:
        return self.rows(Event, Event.kind.startswith("alert."))

    def sent(self, kind: str | None = None) -> list[str]:
        """The interchanges that wait to leave (of one message type), as text."""
        rows = self.rows(Transmission, Transmission.direction == TransmissionDirection.OUT)
        return [self.payload(row.payload_sha256) for row in rows if kind in (None, row.document_types)]

    def payload(self, sha256: str | None) -> str:
        assert sha256 is not None
        with self.gateway.payloads.open(sha256) as stream:
            return stream.read().decode("latin-1")

    def close(self) -> None:
        self.gateway.close()


def _nobody_sends(request: Any) -> Any:
    raise AssertionError("nothing is sent at the desk")


# What the vendor writes.


def interchange(reference: str, *messages: str, sender: str = SUPPLIER, recipient: str = BUYER, ack: str = "") -> str:
    """Bodies with their UNH, without UNT: `ORDRSP:D:96A:UN:EAN005'BGM+…'`."""
    wrapped = []
    for number, body in enumerate(messages, 1):
        segments = f"UNH+{number}+{body}"
        wrapped.append(f"{segments}UNT+{_segments(segments) + 1}+{number}'")
    head = f"UNA:+.? 'UNB+UNOC:3+{sender}:14+{recipient}:14+261122:0915+{reference}++++{ack}+EANCOM'"
    return head + "".join(wrapped) + f"UNZ+{len(messages)}+{reference}'"


def _segments(text: str) -> int:
    return text.replace("?'", "").count("'")


def ordrsp_body(code: str, *lines: str, order: str = "MP4K7QX1", number: str = "OR-1001") -> str:
    return (
        f"ORDRSP:D:96A:UN:EAN005'BGM+231+{number}+{code}'DTM+137:20261122:102'RFF+ON:{order}'"
        f"NAD+BY+{BUYER}::9'NAD+SU+{SUPPLIER}::9'CUX+2:EUR:9'" + "".join(lines) + f"UNS+S'CNT+2:{len(lines)}'"
    )


ACCEPTED_1 = "LIN+1+5+3760123450010:EN'PIA+5+SKU-1:SA'QTY+21:10'DTM+69:20261126:102'PRI+AAA:12.50'"
SHORT_2 = "LIN+2+3+3760123450027:EN'PIA+5+SKU-2:SA'QTY+21:6'DTM+69:20261127:102'QVR+-2:21+BP'PRI+AAA:20.00'"
REFUSED_3 = "LIN+3+7+3760123450034:EN'PIA+5+SKU-3:SA'"


def ordrsp(code: str, *lines: str, reference: str = "VEN0001", **more: str) -> str:
    return interchange(reference, ordrsp_body(code, *lines, **more))


def partial(reference: str = "VEN0001", **more: str) -> str:
    """Line 1 accepted, line 2 short with a back order, line 3 refused."""
    return ordrsp("4", ACCEPTED_1, SHORT_2, REFUSED_3, reference=reference, **more)


def desadv(
    reference: str = "VEN0002",
    *,
    order: str = "MP4K7QX1",
    header: bool = True,
    orders: tuple[str, str] | None = None,
    one: int = 10,
    two: int = 6,
    number: str = "DA-1001",
) -> str:
    """Two cartons: line 1, and line 2 short with a back order. `orders` names another order for each of them."""
    first, second = orders or (order, order)
    cartons = [
        f"CPS+2+1'PAC+1+:52+PK'PCI+33E'GIN+BJ+337601234500000011'LIN+1++3760123450010:EN'QTY+12:{one}'RFF+ON:{first}:1'",
        f"CPS+3+1'PAC+1+:52+PK'PCI+33E'GIN+BJ+337601234500000028'"
        f"LIN+2++3760123450027:EN'QTY+12:{two}'RFF+ON:{second}:2'QVR+{two - 8}:21+BP'",
    ]
    body = (
        f"DESADV:D:96A:UN:EAN005'BGM+351+{number}+9'DTM+137:20261125:102'DTM+11:20261125:102'DTM+132:20261126:102'"
        + (f"RFF+ON:{order}'" if header else "")
        + f"NAD+BY+{BUYER}::9'NAD+SU+{SUPPLIER}::9'NAD+DP+3760000000024::9'TDT+20++30+31'CPS+1'PAC+2++PK'"
        + "".join(carton for carton, quantity in zip(cartons, (one, two), strict=True) if quantity)
        + f"CNT+1:{one + two}'"
    )
    return interchange(reference, body)


def invoic(
    reference: str = "VEN0003",
    *,
    number: str = "FA-2026-0917",
    order: str = "MP4K7QX1",
    one: str = "10",
    price: str = "12.50",
    net: str = "245.00",
    vat: str = "49.00",
    total: str = "294.00",
    line_net: str = "125.00",
) -> str:
    """Goods: 10 x 12.50 and 6 x 20.00."""
    body = (
        f"INVOIC:D:96A:UN:EAN008'BGM+380+{number}+9'DTM+137:20261126:102'DTM+35:20261126:102'"
        "FTX+PMT+++INDEMNITE FORFAITAIRE 40 EUR'FTX+PMD+++PENALITES 3X TAUX LEGAL'FTX+AAB+++PAS D?'ESCOMPTE'"
        f"RFF+ON:{order}'RFF+AAK:DA-1001'NAD+SU+{SUPPLIER}::9++VENDEUR SARL'RFF+VA:FR14987654324'NAD+BY+{BUYER}::9'"
        f"NAD+IV+{BUYER}::9++PLACE DE MARCHE SAS'RFF+VA:FR11123456782'NAD+DP+3760000000024::9'CUX+2:EUR:4'"
        "PAT+1'DTM+13:20270125:102'"
        f"LIN+1++3760123450010:EN'QTY+47:{one}'MOA+203:{line_net}'PRI+AAA:{price}'RFF+ON:{order}:1'TAX+7+VAT+++:::20+S'"
        f"LIN+2++3760123450027:EN'QTY+47:6'MOA+203:120.00'PRI+AAA:20.00'RFF+ON:{order}:2'TAX+7+VAT+++:::20+S'"
        f"UNS+S'CNT+2:2'MOA+79:{net}'MOA+125:{net}'MOA+176:{vat}'MOA+86:{total}'MOA+9:{total}'"
        f"TAX+7+VAT+++:::20+S'MOA+125:{net}'MOA+124:{vat}'"
    )
    return interchange(reference, body)


def invrpt(
    reference: str = "VEN0004", *, at: str = "202611220600", one: str = "148", number: str = "INV-1122-01"
) -> str:
    body = (
        f"INVRPT:D:96A:UN:EAN004'BGM+35+{number}+9'DTM+137:{at}:203'NAD+SU+{SUPPLIER}::9'NAD+BY+{BUYER}::9'"
        f"LIN+1++3760123450010:EN'PIA+5+SKU-1:SA'QTY+145:{one}'QTY+66:10'"
        "LIN+2++3760123450027:EN'PIA+5+SKU-2:SA'QTY+145:6'QTY+198:40'"
    )
    return interchange(reference, body)


def contrl(reference: str, subject: str, action: str = "7", messages: str = "") -> str:
    """The vendor's CONTRL for our interchange `subject`."""
    return interchange(reference, f"CONTRL:2:2:UN:EAN002'UCI+{subject}+{BUYER}:14+{SUPPLIER}:14+{action}'{messages}")


def at(hour: int) -> datetime:
    return datetime(2026, 11, 22, hour, tzinfo=UTC)


def other_vendor() -> Partnership:
    return replace(a_partnership("other", "3760000001021"))
