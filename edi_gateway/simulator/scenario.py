"""Playing a scenario: the marketplace and its vendors on one stage, step by step, and what was expected of each.

    script = read(Path("samples/scenarios/partial-confirmation"))
    played = play(script, folder)          # played.ok, played.failures

Everything travels over AS2. The marketplace is the product as it is; a vendor is the same engine in the other role,
which sends the documents of the script, or answers orders with the behaviours that it was given.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from edi_gateway.config import Role
from edi_gateway.gateway.compose import ComposeRefused, compose
from edi_gateway.gateway.cycles import CycleRefused, NothingToInvoice, invoice_commission
from edi_gateway.gateway.dispatch import enqueue
from edi_gateway.gateway.marketplace_side import HANDLERS
from edi_gateway.gateway.order_changes import ChangeConflict, ChangeRefused, request_change
from edi_gateway.gateway.orders import (
    OrderConflict,
    OrderRefused,
    PaymentConflict,
    UnknownPartner,
    decide_payment,
    place_order,
)
from edi_gateway.gateway.take_in import NotReplayable, replay
from edi_gateway.marketplace.changing import ChangeRequest
from edi_gateway.marketplace.fulfilment import PaymentState
from edi_gateway.marketplace.identifiers import with_check_digit
from edi_gateway.marketplace.inventory import InventoryReport
from edi_gateway.marketplace.order import Order
from edi_gateway.partnership import Direction
from edi_gateway.simulator import sight
from edi_gateway.simulator.behaviours import Manner
from edi_gateway.simulator.companies import MARKETPLACE, VENDOR, Company
from edi_gateway.simulator.expectations import differences, fits, shown, unknown_keys
from edi_gateway.simulator.script import (
    MARKETPLACE_NAME,
    RECEIPTS,
    Announce,
    Behave,
    Cancel,
    ChangeOrder,
    CommissionOf,
    DecidePayment,
    ExpectSection,
    PlaceOrder,
    Replay,
    Resend,
    Script,
    Send,
    StepSection,
    VendorSection,
    Write,
)
from edi_gateway.simulator.stage import Actor, NeverAtRest, PartnershipRefused, Stage
from edi_gateway.simulator.vendor import Vendor
from edi_gateway.store.documents import Message
from edi_gateway.store.transmissions import Receipt, Transmission, TransmissionDirection
from edi_gateway.strict_toml import Section
from edi_gateway.translators import translator
from edi_gateway.translators.json_form import RecordInvalid, validate_record
from edi_gateway.transport.http import Outgoing

EACH, END = "{{each}}", "{{end}}"
ROWS_SHOWN_MAX = 5

AGREED = (
    ("ORDERS", "out"),
    ("ORDRSP", "in"),
    ("DESADV", "in"),
    ("INVRPT", "in"),
    ("INVOIC", "in"),
    ("INVOIC", "out"),
    ("APERAK", "out"),
    ("ORDCHG", "out"),
    ("RECADV", "out"),
    ("RECADV", "in"),
    ("REMADV", "out"),
    ("SLSRPT", "in"),
    ("PRICAT", "in"),
)
"""What the marketplace exchanges with each vendor: (type, direction)."""

Json = dict[str, Any]


class ScenarioFailed(Exception):
    """The scenario cannot be played to its end; the text says at which step, and why."""


class Refused(Exception):
    """What a step does was refused, with the reason that a caller of the product gets."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One expectation that was not met."""

    step: int  # 0: at the end
    of: str
    why: str
    differences: tuple[str, ...]

    def as_json(self) -> Json:
        return {"step": self.step, "of": self.of, "why": self.why, "differences": list(self.differences)}


@dataclass(slots=True)
class Played:
    """What happened, and what did not that should have."""

    name: str
    title: str
    shows: tuple[str, ...]
    steps: list[Json] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    expectations: int = 0
    seconds: float = 0.0
    seen: dict[str, list[Json]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.failures

    def as_json(self) -> Json:
        """The document of `edi-gateway demo --scenario NAME --json`."""
        return {
            "scenario": self.name,
            "title": self.title,
            "shows": list(self.shows),
            "ok": self.ok,
            "expectations": self.expectations,
            "failures": [failure.as_json() for failure in self.failures],
            "steps": self.steps,
            **self.seen,
            "seconds": round(self.seconds, 2),
        }


def play(script: Script, folder: Path) -> Played:
    """Play a scenario in an empty folder. Raises ScenarioFailed where it cannot go on."""
    began = time.monotonic()
    played = Played(script.name, script.file.title, script.file.shows)
    with Stage(folder, script.file.begins) as stage:
        try:
            scene = _Scene.set(script, stage)
            for number, step in enumerate(script.file.step, 1):
                scene.perform(number, step, played)
            played.failures += scene.look(script.file.expect, 0)
            played.expectations += len(script.file.expect)
        except (PartnershipRefused, NeverAtRest) as failure:
            raise ScenarioFailed(str(failure)) from None
        played.seen = {kind: sight.rows(scene.marketplace.gateway, kind) for kind in _SHOWN}
    played.seconds = time.monotonic() - began
    return played


_SHOWN = ("orders", "stock", "shipments", "invoices", "events", "findings", "acknowledgements")
"""What is told of the marketplace at the end."""


@dataclass(slots=True)
class _Scene:
    """The actors of one script."""

    script: Script
    stage: Stage
    marketplace: Actor
    vendors: dict[str, Actor] = field(default_factory=dict)
    simulated: dict[str, Vendor] = field(default_factory=dict)
    sent: dict[tuple[str, str], str] = field(default_factory=dict)  # (vendor, file) -> transmission
    receipts: list[Json] = field(default_factory=list)

    @classmethod
    def set(cls, script: Script, stage: Stage) -> _Scene:
        scene = cls(script, stage, stage.enter(MARKETPLACE, Role.MARKETPLACE, HANDLERS))
        for name, section in script.file.vendors.items():
            scene._enter(name, section)
        return scene

    def _enter(self, name: str, section: VendorSection) -> None:
        opening = self._record(InventoryReport, section.stock) if section.stock else _no_stock(self.stage.now)
        vendor = Vendor(opening, Manner(frozenset(section.behaviours or ())))
        handlers = vendor.handlers() if section.behaviours is not None else _KEEPING
        actor = self.stage.enter(_company(name, section), Role.VENDOR, handlers, reads=section.reads)
        actor.tasks = {**actor.tasks, **vendor.tasks()}
        self.stage.acquaint(self.marketplace, actor, AGREED, section.agreement, section.own_agreement)
        self.vendors[name], self.simulated[name] = actor, vendor

    # --- steps --------------------------------------------------------------------------------------------------

    def perform(self, number: int, step: StepSection, played: Played) -> None:
        """Let time pass, do what the step says, and look."""
        if step.after:
            self.stage.pass_time(step.after)
        refusal = self._act(number, step)
        failures = [*_unrefused(number, step, refusal), *self.look(step.expect, number)]
        played.steps.append(
            {
                "number": number,
                "at": self.stage.now.isoformat(),
                "said": step.said,
                "note": step.note,
                "refused": refusal,
                "ok": not failures,
            }
        )
        played.failures += failures
        played.expectations += len(step.expect) + (step.refused is not None)

    def _act(self, number: int, step: StepSection) -> str | None:
        """The reason of the refusal, None where what was done was done."""
        action = step.action
        if action is None:
            return None
        try:
            _ACTIONS[type(action)](self, action)
            self.stage.settle()
        except Refused as refusal:
            if step.refused is None:
                raise ScenarioFailed(f"step {number}, {step.said}: refused: {refusal}") from None
            return str(refusal)
        except (RecordInvalid, ValueError) as error:
            raise ScenarioFailed(f"step {number}, {step.said}: {error}") from None
        return None

    def _place(self, action: PlaceOrder) -> None:
        order = self._record(Order, action.file)
        try:
            place_order(self.marketplace.gateway, action.vendor, order, payment=PaymentState(action.payment))
        except (OrderRefused, OrderConflict, UnknownPartner, ComposeRefused) as refusal:
            raise Refused(str(refusal)) from None

    def _pay(self, action: DecidePayment) -> None:
        try:
            decide_payment(self.marketplace.gateway, action.vendor, action.order, PaymentState(action.state))
        except KeyError:
            raise Refused(f"there is no order {action.order}") from None
        except (PaymentConflict, UnknownPartner, ComposeRefused) as refusal:
            raise Refused(str(refusal)) from None

    def _change(self, action: ChangeOrder) -> None:
        self._request(action.vendor, action.order, self._record(ChangeRequest, action.file))

    def _cancel(self, action: Cancel) -> None:
        self._request(action.vendor, action.order, ChangeRequest(cancel=True, reason=action.reason))

    def _request(self, vendor: str, order: str, request: ChangeRequest) -> None:
        try:
            request_change(self.marketplace.gateway, vendor, order, request)
        except KeyError:
            raise Refused(f"there is no order {order}") from None
        except (ChangeRefused, ChangeConflict, UnknownPartner, ComposeRefused) as refusal:
            raise Refused(str(refusal)) from None

    def _send(self, action: Send) -> None:
        actor = self.vendors[action.vendor]
        data = self.script.documents[action.file] if action.file else _as_bytes(action.text)
        gateway = actor.gateway
        stored = gateway.payloads.put(io.BytesIO(_repeated(data, action.repeated)))
        partnership = gateway.partnerships.by_name(MARKETPLACE_NAME)
        assert partnership is not None  # noqa: S101 - put in force when the vendor entered
        with gateway.database.write() as uow:
            row = enqueue(uow, gateway, partnership, stored, partnership.as2.content_type, action.file or "text.edi")
            uow.commit()
        self.sent[action.vendor, action.file] = row.id
        if action.signed_by == "stranger":
            actor.send_as_stranger(MARKETPLACE_NAME)

    def _resend(self, action: Resend) -> None:
        """The same POST again, as an AS2 program does that has not seen the MDN."""
        gateway = self.vendors[action.vendor].gateway
        with gateway.database.read() as reading:
            row = reading.session.get_one(Transmission, self.sent[action.vendor, action.file])
        with gateway.payloads.open(row.raw_sha256 or "") as body:
            headers = tuple((name, value) for name, value in row.headers)
            first = self._answered(row.message_id or "")
            answer = gateway.send(
                Outgoing(url=row.url or "", headers=headers, body=body, length=row.raw_size or 0, trusted=True)
            )
        self.receipts.append(
            {
                "vendor": action.vendor,
                "file": action.file,
                "http_status": answer.status,
                "same_mdn": first is not None and answer.body == first,
            }
        )

    def _answered(self, message_id: str) -> bytes | None:
        """The MDN that the marketplace gave for a transmission, byte for byte."""
        with self.marketplace.gateway.database.read() as reading:
            given = (
                select(Receipt.body)
                .join(Transmission, Transmission.id == Receipt.transmission_id)
                .where(
                    Transmission.direction == TransmissionDirection.IN,
                    Transmission.message_id == message_id,
                )
                .order_by(Receipt.at)
            )
            return reading.session.scalars(given).first()

    def _write(self, action: Write) -> None:
        writer, name = (
            (self.vendors[action.vendor], MARKETPLACE_NAME)
            if action.by == "vendor"
            else (self.marketplace, action.vendor)
        )
        translate = translator(action.type)
        if translate is None:
            raise ValueError(f"there is no record for {action.type}")
        record = self._record(translate.record_type, action.file)
        partnership = writer.gateway.partnerships.by_name(name)
        assert partnership is not None  # noqa: S101 - put in force when the vendor entered
        try:
            with writer.gateway.database.write() as uow:
                compose(uow, writer.gateway, partnership, action.type, record, business_key=record.number)
                uow.commit()
        except ComposeRefused as refusal:
            raise Refused(str(refusal)) from None

    def _announce(self, action: Announce) -> None:
        gateway = self.vendors[action.vendor].gateway
        for partnership in gateway.partnerships.all():
            self.simulated[action.vendor].announce(gateway, partnership)

    def _behave(self, action: Behave) -> None:
        vendor, section = self.simulated[action.vendor], self.script.file.vendors[action.vendor]
        if section.behaviours is None:
            raise ValueError(f"vendor {action.vendor} does nothing by itself: give it behaviours in [vendors]")
        vendor.manner = vendor.manner.with_rule(action.orders, action.behaviours)

    def _commission(self, action: CommissionOf) -> None:
        try:
            invoice_commission(self.marketplace.gateway, action.vendor, action.start, action.end)
        except (NothingToInvoice, CycleRefused, UnknownPartner, ComposeRefused) as refusal:
            raise Refused(str(refusal)) from None

    def _replay(self, action: Replay) -> None:
        gateway = self.marketplace.gateway
        with gateway.database.read() as reading:
            found = select(Message.id).where(
                Message.direction == Direction.IN,
                Message.type == action.type,
                Message.document_number == action.document,
            )
            message_id = reading.session.scalars(found.order_by(Message.at.desc(), Message.id.desc())).first()
        if message_id is None:
            raise Refused(f"there is no {action.type} {action.document}")
        try:
            replay(gateway, message_id)
        except NotReplayable as refusal:
            raise Refused(str(refusal)) from None

    def _record(self, record_type: type[Any], file: str) -> Any:
        """The record in a file of the scenario. Raises ScenarioFailed."""
        try:
            return validate_record(record_type, json.loads(self.script.documents[file]))
        except (ValueError, RecordInvalid) as error:
            raise ScenarioFailed(f"{self.script.folder / file}: no {record_type.__name__}: {error}") from None

    # --- looking ------------------------------------------------------------------------------------------------

    def look(self, expected: tuple[ExpectSection, ...], step: int) -> list[Failure]:
        """The expectations that are not met now."""
        return [
            Failure(step, section.of, section.why, found)
            for section in expected
            if (found := tuple(self._see(section)))
        ]

    def _see(self, section: ExpectSection) -> Iterator[str]:
        rows = self._rows(section)
        for key in unknown_keys(section.where, rows[0]) if rows else ():
            yield f"{section.of} have no {key}"
            return
        picked = [row for row in rows if fits(section.where, row)]
        which = f"{section.of} where {shown(section.where)}" if section.where else section.of
        if isinstance(section.have, tuple):
            yield from _each(section.have, picked, which, rows)
        elif section.count is not None and len(picked) != section.count:
            yield f"expected {section.count} {which}, found {len(picked)}{_listed(picked or rows)}"
        elif not picked and section.count is None:
            yield f"expected {which}, found none{_listed(rows)}"
        else:
            for number, row in enumerate(picked, 1):
                yield from differences(section.have, row, f"{section.of}[{number}]")

    def _rows(self, section: ExpectSection) -> list[Json]:
        if section.of == RECEIPTS:
            return self.receipts
        actor = self.marketplace if section.at == MARKETPLACE_NAME else self.vendors[section.at]
        return sight.rows(actor.gateway, section.of)


_ACTIONS: Mapping[type[Section], Callable[[_Scene, Any], None]] = {
    PlaceOrder: _Scene._place,
    DecidePayment: _Scene._pay,
    ChangeOrder: _Scene._change,
    Cancel: _Scene._cancel,
    Send: _Scene._send,
    Resend: _Scene._resend,
    Write: _Scene._write,
    Announce: _Scene._announce,
    Behave: _Scene._behave,
    CommissionOf: _Scene._commission,
    Replay: _Scene._replay,
}
"""What a step can do."""


def _each(expected: tuple[Json, ...], picked: list[Json], which: str, rows: list[Json]) -> Iterator[str]:
    if len(expected) != len(picked):
        yield f"expected {len(expected)} {which}, found {len(picked)}{_listed(picked or rows)}"
        return
    for number, (wanted, row) in enumerate(zip(expected, picked, strict=True), 1):
        yield from differences(wanted, row, f"{which}[{number}]")


def _listed(rows: list[Json]) -> str:
    """What there is instead, short."""
    if not rows:
        return ""
    few = [shown({name: row[name] for name in _TELLING if name in row} or row) for row in rows[:ROWS_SHOWN_MAX]]
    more = f" and {len(rows) - ROWS_SHOWN_MAX} more" if len(rows) > ROWS_SHOWN_MAX else ""
    return f"; there are: {'; '.join(few)}{more}"


_TELLING = (
    *("number", "type", "kind", "direction", "state", "code"),
    *("order_number", "document_number", "article", "reason"),
)
"""By these a row is known at a glance."""


def _unrefused(number: int, step: StepSection, refusal: str | None) -> Iterator[Failure]:
    if step.refused is None:
        return
    if refusal is None:
        yield Failure(number, "refusal", "", (f"expected to be refused: {step.said}; it was done",))
    elif step.refused not in refusal:
        said = f"expected to be refused with {step.refused!r}, the reason is {refusal!r}"
        yield Failure(number, "refusal", "", (said,))


def _company(name: str, section: VendorSection) -> Company:
    """Who the vendor is: the demo's, with what the script says otherwise."""
    if name == VENDOR.folder and section.gln == VENDOR.gln:
        said = {"siren": section.siren, "vat_number": section.vat_number, "name": section.name}
        kept = {key: value for key, value in said.items() if value}
        return replace(VENDOR, country=section.country, **(kept if section.country == "FR" else _abroad(section)))
    return replace(
        VENDOR,
        folder=name,
        as2_id=name.upper(),
        gln=section.gln,
        name=section.name or name.upper(),
        siren=section.siren,
        vat_number=section.vat_number,
        country=section.country,
        iban="",
        bic="",
    )


def _abroad(section: VendorSection) -> dict[str, str]:
    """No French numbers for a company that is not French."""
    return {"siren": section.siren, "vat_number": section.vat_number, "name": section.name or VENDOR.name}


def _no_stock(now: datetime) -> InventoryReport:
    return InventoryReport(number="NONE", issued=now.replace(second=0, microsecond=0))


def _kept(context: Any, record: Any) -> list[Any]:
    """A vendor that does nothing by itself keeps what comes."""
    return []


_KEEPING = dict.fromkeys(("ORDERS", "ORDCHG", "INVOIC", "RECADV", "REMADV"), _kept)


def _as_bytes(text: str) -> bytes:
    """Latin-1, as UNOC has it; UTF-8 where the text has more (UNOY)."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def _repeated(data: bytes, times: int) -> bytes:
    """The document with what stands between {{each}} and {{end}} so many times.

    There {{number}} is 1, 2, 3 …, {{gtin}} a GTIN of that number; {{segments}} is the count for UNT, {{times}} how
    often.
    """
    text = data.decode("latin-1")
    if EACH not in text:
        if times != 1:
            raise ValueError(f"nothing is marked with {EACH} and {END} to come {times} times")
        return data
    head, _, rest = text.partition(EACH)
    block, mark, tail = rest.partition(END)
    if not mark:
        raise ValueError(f"{EACH} without {END}")
    middle = "".join(
        block.replace("{{number}}", str(number)).replace("{{gtin}}", with_check_digit(f"376{number:09d}"))
        for number in range(1, times + 1)
    )
    whole = (head + middle + tail).replace("{{times}}", str(times))
    segments = whole[whole.index("UNH+") : whole.index("UNT+")].count("'") + 1
    return whole.replace("{{segments}}", str(segments)).encode("latin-1")
