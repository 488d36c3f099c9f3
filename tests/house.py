"""A gateway in a folder, with a clock that only the test moves and a network that only the test answers.

    house = House(tmp_path)                              # one partnership, with `house.partner`
    answer = house.post(house.partner.post(...))         # what the web shell would answer
    house.network.answers = [honest, timeout, ...]       # what the partner does with what we send, in turn
    house.restart()                                      # the process is gone, another one starts on the same folder

`Crash` is a BaseException: no code of ours can catch it, as none can catch SIGKILL.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from edi_gateway.as2.certificates import PrivateKey
from edi_gateway.as2.disposition import PROCESSED, Disposition
from edi_gateway.as2.headers import Headers, read_request
from edi_gateway.as2.inbound import open_transmission
from edi_gateway.as2.mdn import compose
from edi_gateway.as2.opened import Opened
from edi_gateway.as2.relationship import DatedKey
from edi_gateway.config import Config, Identity, Limits
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.dispatch import dispatch, enqueue
from edi_gateway.gateway.keys import KeyStore, OwnKey
from edi_gateway.gateway.partnerships import Partnerships
from edi_gateway.gateway.receive import HttpAnswer, receive
from edi_gateway.partnership import As2Policy, EdifactPolicy, Partnership, TradingPartner
from edi_gateway.store import migrate
from edi_gateway.store import partnerships as partnership_store
from edi_gateway.store.database import Database
from edi_gateway.store.events import Event, verify_chain
from edi_gateway.store.partnerships import PartnershipState
from edi_gateway.store.payloads import SMALL_BYTES_MAX, PayloadStore
from edi_gateway.store.transmissions import Receipt, Transmission, TransmissionState
from edi_gateway.transport.http import Answer, Outgoing, TransportError
from tests.databases import database_url
from tests.partner import NOW, ORDERS, Posted, SimulatedPartner

NAME = "vendor"
BODY_BYTES_MAX = 2 * SMALL_BYTES_MAX


class Crash(BaseException):
    """The process is gone."""


class OneKey(KeyStore):
    """The gateway's key, without files."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key

    def revision(self) -> str:
        return "1"

    def dated(self) -> tuple[DatedKey, ...]:
        return (DatedKey(self._key),)

    def own_keys(self) -> tuple[OwnKey, ...]:
        return (OwnKey("own", self._key.certificate.not_before, self._key),)


@dataclass
class Network:
    """What the partner does with each POST, in turn; the last one is repeated."""

    partner: SimulatedPartner
    answers: list[Callable[[Outgoing, bytes], Answer]] = field(default_factory=list)
    requests: list[tuple[Outgoing, bytes]] = field(default_factory=list)

    def __call__(self, request: Outgoing) -> Answer:
        body = request.body.read()
        assert len(body) == request.length
        self.requests.append((request, body))
        act = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0] if self.answers else self.honest
        return act(request, body)

    def honest(self, request: Outgoing, body: bytes) -> Answer:
        return self.mdn(request, body)

    def mdn(self, request: Outgoing, body: bytes, disposition: Disposition = PROCESSED, **policy: Any) -> Answer:
        """The partner opens what came with its own engine and answers with the MDN."""
        headers = Headers(request.headers)
        read = read_request(headers)
        own = self.partner.own_relationship(mdn_url="http://gateway.example/as2", **policy)
        opened = open_transmission(read, headers, io.BytesIO(body), own, io.BytesIO, NOW)
        assert isinstance(opened, Opened), opened
        sealed = compose(read, own, disposition, opened.mic, "", message_id=f"<mdn-{read.message_id[1:]}", now=NOW)
        return Answer(200, sealed.headers, sealed.body)


def status(number: int, **headers: str) -> Callable[[Outgoing, bytes], Answer]:
    """A partner that answers with a bare status."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return lambda request, body: Answer(number, named, b"")


def timeout(request: Outgoing, body: bytes) -> Answer:
    raise TransportError("no complete answer within 60 s", sent=True)


def unreachable(request: Outgoing, body: bytes) -> Answer:
    raise TransportError("connection refused", sent=False)


def crash(request: Outgoing, body: bytes) -> Answer:
    raise Crash


class House:
    """The gateway and its surroundings."""

    def __init__(self, folder: Path, *, migrated: bool = False, **policy: Any) -> None:
        """`migrated`: the tables as an installation has them, for other programs; slower than those of a test."""
        self.folder = folder
        self.now = NOW
        self.ids = 0
        self.chance = 0.5  # in the middle: no jitter
        self.partner = SimulatedPartner()
        self.network = Network(self.partner)
        self.woken: list[tuple[str, str, datetime | None]] = []
        self.gateway = self._open()
        if migrated:
            migrate.upgrade(self.gateway.database.url)
        else:
            self.gateway.database.create_all()
        self.agree(**policy)

    def _open(self) -> Gateway:
        config = Config(
            data_dir=self.folder,
            public_url="http://gateway.example",
            identity=Identity(as2_id="MARKETPLACE"),
            limits=Limits(body_bytes_max=BODY_BYTES_MAX),
        )
        database = Database(database_url(self.folder), lambda *wake: self.woken.append(wake))
        keys = OneKey(self.partner.gateway_key)
        return Gateway(
            config=config,
            database=database,
            payloads=PayloadStore(self.folder / "payloads", database),
            partnerships=Partnerships(database, keys, self._seconds),
            keys=keys,
            send=self.network,
            now=lambda: self.now,
            new_id=self._new_id,
            jitter=lambda: self.chance,
        )

    def _seconds(self) -> float:
        self.ids += 1
        return float(self.ids)  # each look-up looks at the store

    def _new_id(self) -> str:
        self.ids += 1
        return f"id-{self.ids:06}"

    def close(self) -> None:
        self.gateway.close()

    def restart(self) -> None:
        """Another process on the same folder."""
        self.gateway.close()
        self.gateway = self._open()

    # --- the agreement ------------------------------------------------------------------------------------------

    @property
    def partnership(self) -> Partnership:
        found = self.gateway.partnerships.by_name(NAME)
        assert found is not None
        return found

    def agree(self, state: PartnershipState = PartnershipState.ACTIVE, **policy: Any) -> None:
        """Put the partnership in force, with these changes to its AS2 policy."""
        agreed = Partnership(
            partner=TradingPartner(name=NAME, legal_name="Vendor SAS", gln="3012345000004"),
            as2=self.partner.policy(**policy),
            edifact=EdifactPolicy(their_id="3012345000004", our_id="3098765000002"),
            messages=(),
        )
        with self.gateway.database.write() as uow:
            partnership_store.put_in_force(uow.session, [(agreed, state)], self.now)
            uow.commit()

    def policy(self) -> As2Policy:
        return self.partnership.as2

    # --- in -----------------------------------------------------------------------------------------------------

    def message(self, payload: bytes = ORDERS, message_id: str = "<1@vendor.example>", **changes: str | None) -> Posted:
        """A POST of the partner as it ought to be: signed and encrypted."""
        entity = self.partner.entity(payload)
        return self.partner.post(self.partner.encrypted(self.partner.signed(entity)), message_id, **changes)

    def post(self, posted: Posted) -> HttpAnswer:
        return receive(self.gateway, list(posted.headers), io.BytesIO(posted.body))

    # --- out ----------------------------------------------------------------------------------------------------

    def send(self, payload: bytes = ORDERS) -> str:
        """Queue a document; gives the transmission's id."""
        stored = self.gateway.payloads.put(io.BytesIO(payload))
        with self.gateway.database.write() as uow:
            row = enqueue(uow, self.gateway, self.partnership, stored, "application/edifact", "orders.edi")
            uow.commit()
        return row.id

    def dispatch(self) -> bool:
        return dispatch(self.gateway, NAME)

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    # --- what stands in the store -------------------------------------------------------------------------------

    def row(self, transmission_id: str) -> Transmission:
        with self.gateway.database.read() as view:
            return view.session.get_one(Transmission, transmission_id)

    def rows(self) -> list[Transmission]:
        with self.gateway.database.read() as view:
            return view.session.query(Transmission).order_by(Transmission.id).all()

    def only(self) -> Transmission:
        (row,) = self.rows()
        return row

    def receipts(self) -> list[Receipt]:
        with self.gateway.database.read() as view:
            return view.session.query(Receipt).order_by(Receipt.id).all()

    def events(self, kind: str = "") -> list[Event]:
        """The events whose kind begins with `kind`; the chain is verified each time."""
        with self.gateway.database.read() as view:
            assert verify_chain(view.session).intact
            return [e for e in view.session.query(Event).order_by(Event.number) if e.kind.startswith(kind)]

    def alerts(self) -> list[str]:
        return [event.kind for event in self.events("alert.")]

    def steps(self, transmission_id: str) -> list[str]:
        """The states that it went through."""
        moves = [e for e in self.events("transmission.state") if e.subject == f"transmission:{transmission_id}"]
        return [str(event.to_state) for event in moves]

    def kept(self, sha256: str | None) -> bytes:
        assert sha256 is not None
        with self.gateway.payloads.open(sha256) as stream:
            return stream.read()

    def states(self) -> Mapping[str, TransmissionState]:
        return {row.id: row.state for row in self.rows()}


def text(answer: HttpAnswer) -> str:
    return answer.body.decode()


def headers_of(answer: HttpAnswer | Answer) -> Headers:
    return Headers(answer.headers)


def posted(answer: HttpAnswer, more: Iterable[tuple[str, str]] = ()) -> Posted:
    """An answer as the partner reads it."""
    return Posted(Headers([*answer.headers, *more]), answer.body)
