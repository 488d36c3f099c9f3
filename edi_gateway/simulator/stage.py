"""Several gateways in one process that talk AS2 over loopback, with one clock that only the play moves.

    with Stage(folder, begins) as stage:
        marketplace = stage.enter(MARKETPLACE, Role.MARKETPLACE, handlers)
        vendor = stage.enter(VENDOR, Role.VENDOR, {})
        stage.acquaint(marketplace, vendor, AGREED)
        ...                                   # something is queued
        stage.settle()                        # until nothing is left to do at this time
        stage.pass_time(timedelta(hours=20))  # what falls due on the way is done at its time

The HTTP requests are real, and answered by the real server; the work that a running gateway leaves to its threads is
done here in turn, so that a play goes the same way every time.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edi_gateway import partner_file
from edi_gateway.as2.certificates import PrivateKey, generate
from edi_gateway.config import Config, Identity, Role
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.dispatch import dispatch
from edi_gateway.gateway.keys import KeyStore, OwnKey
from edi_gateway.gateway.partnerships import Partnerships
from edi_gateway.gateway.receive import refuse_oversized
from edi_gateway.gateway.tasks import TASKS
from edi_gateway.partner_file import Folder, Ours
from edi_gateway.partnership import Partnership
from edi_gateway.simulator.companies import CERTIFICATE_FILE, Company, identity, partner, seen_by_the_other, toml
from edi_gateway.store import partnerships as partnership_store
from edi_gateway.store.database import Database
from edi_gateway.store.partnerships import PartnershipState
from edi_gateway.store.payloads import PayloadStore
from edi_gateway.transport.http import HttpClient
from edi_gateway.web.app import create_app
from edi_gateway.web.server import Server

KEY_KIND = "rsa-2048"
KEY_DAYS = 3650
"""The certificates of a stage are valid from the year before the play on."""

WORK_ITEMS_MAX = 100_000
"""Between two moments of the clock; a play with more does not come to rest."""

_WEB_THREADS = 2
_STOP_SECONDS_MAX = 30
_BODY_BYTES_MAX = 64 * 1024**2

Item = tuple[str, str]  # task and key, as a wake-up names them


class PartnershipRefused(Exception):
    """What a play agrees on is refused; the text has every reason."""


class NeverAtRest(Exception):
    """The gateways keep one another busy."""


def _counting(actor: int) -> Callable[[], str]:
    """Ids in the order in which they are made, none twice on a stage: rows of one moment stand in that order."""
    numbers = count(1)
    return lambda: f"{actor:04x}{next(numbers):028x}"


@cache
def key_of(name: str, year: int) -> PrivateKey:
    """The key of a company; made once in a process, since it takes longer than the rest of a play."""
    return generate(name, datetime(year, 1, 1, tzinfo=UTC), KEY_DAYS, KEY_KIND)


class HeldKeys(KeyStore):
    """Keys without files. The first one signs; each decrypts."""

    def __init__(self, *keys: PrivateKey) -> None:
        began = max(key.certificate.not_before for key in keys)
        self._held = tuple(
            OwnKey(f"held-{age}", began + timedelta(seconds=len(keys) - age), key) for age, key in enumerate(keys)
        )

    def revision(self) -> str:
        """They stay as they are."""
        return ""

    def own_keys(self) -> tuple[OwnKey, ...]:
        return self._held


@dataclass(slots=True)
class Actor:
    """One company's gateway on the stage, its server, and the work that waits."""

    company: Company
    gateway: Gateway
    server: Server
    key: PrivateKey
    reads: bool = True  # False: what arrives is acknowledged by its MDN, and nobody looks at it
    waiting: deque[Item] = field(default_factory=deque)
    later: dict[Item, datetime] = field(default_factory=dict)
    tasks: Mapping[str, Callable[[Gateway, str], object]] = field(default_factory=lambda: TASKS)

    @property
    def name(self) -> str:
        return self.company.folder

    def wake(self, task: str, key: str, at: datetime | None) -> None:
        """Note what there is to do, now or later. Any thread."""
        item = (task, key)
        if at is not None and at > self.gateway.now():
            self.later[item] = min(at, self.later.get(item, at))
        elif item not in self.waiting:
            self.waiting.append(item)

    def rouse(self) -> None:
        """What was put off until now is to be done now."""
        for item in [item for item, at in self.later.items() if at <= self.gateway.now()]:
            del self.later[item]
            self.waiting.append(item)

    def work(self) -> bool:
        """Do one thing that waits; whether there was any."""
        if not self.waiting:
            return False
        task, key = self.waiting.popleft()
        if task != "unpack" or self.reads:
            self.tasks[task](self.gateway, key)
        return True

    def as_stranger(self) -> Gateway:
        """The same gateway that signs with a key nobody was told of."""
        keys = HeldKeys(key_of(f"STRANGER-{self.company.as2_id}", self.gateway.now().year - 1), self.key)
        return replace(self.gateway, keys=keys, partnerships=Partnerships(self.gateway.database, keys))

    def send_as_stranger(self, partner_name: str) -> None:
        """Send what waits for this partner, signed with the strange key."""
        stranger = self.as_stranger()
        while dispatch(stranger, partner_name):
            pass


class Stage:
    """The gateways, the clock, and the folder that all of it lives in."""

    def __init__(self, folder: Path, begins: datetime) -> None:
        self.folder = folder
        self.now = begins
        self.actors: list[Actor] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open.close()

    def enter(self, company: Company, role: Role, handlers: Mapping[str, Any], *, reads: bool = True) -> Actor:
        """A company with its gateway, listening."""
        folder = self.folder / company.folder
        folder.mkdir(parents=True, mode=0o700)
        woken: list[Callable[[str, str, datetime | None], None]] = []
        database = Database(f"sqlite:///{folder}/gateway.sqlite", lambda *wake: woken[0](*wake))
        self._open.callback(database.close)
        database.create_all()
        key = key_of(company.as2_id, self.now.year - 1)
        keys = HeldKeys(key)
        gateway = Gateway(
            config=Config(role=role, data_dir=folder, identity=Identity(**identity(company))),
            database=database,
            payloads=PayloadStore(folder / "payloads", database),
            partnerships=Partnerships(database, keys),
            keys=keys,
            send=HttpClient(),
            now=lambda: self.now,
            new_id=_counting(len(self.actors)),
            jitter=lambda: 0.5,  # in the middle: none
            handlers=handlers,
        )
        server, gateway = self._serve(gateway)
        actor = Actor(company, gateway, server, key, reads)
        woken.append(actor.wake)
        self.actors.append(actor)
        return actor

    def _serve(self, gateway: Gateway) -> tuple[Server, Gateway]:
        """The gateway's server on a free port, and the gateway that knows its own address."""
        opened: list[Gateway] = []
        server = Server(
            create_app(gateway),
            host="127.0.0.1",
            port=0,
            threads=_WEB_THREADS,
            body_bytes_max=_BODY_BYTES_MAX,
            oversized=lambda headers, length: refuse_oversized(opened[0], headers, length),
        )
        opened.append(replace(gateway, config=gateway.config.model_copy(update={"public_url": server.url})))
        thread = threading.Thread(target=server.run, name=f"stage-{server.port}")
        thread.start()
        self._open.callback(thread.join, _STOP_SECONDS_MAX)
        self._open.callback(server.stop)
        return server, opened[0]

    def acquaint(
        self,
        one: Actor,
        other: Actor,
        messages: Sequence[tuple[str, str]],
        as_seen_by_one: Mapping[str, Any] | None = None,
        as_seen_by_other: Mapping[str, Any] | None = None,
    ) -> None:
        """Put the partnership of the two in force on both sides. `messages`: (type, direction) as `one` sees it.

        The mappings are laid over what partner.toml says. Raises PartnershipRefused.
        """
        self._agree(one, other, messages, as_seen_by_one)
        self._agree(other, one, seen_by_the_other(messages), as_seen_by_other)

    def _agree(
        self, us: Actor, them: Actor, messages: Sequence[tuple[str, str]], more: Mapping[str, Any] | None
    ) -> None:
        partnership = self._partnership(us, them, messages, more)
        with us.gateway.database.write() as uow:
            partnership_store.put_in_force(uow.session, [(partnership, PartnershipState.ACTIVE)], self.now)
            uow.commit()
        us.gateway.partnerships.refresh()

    def _partnership(
        self, us: Actor, them: Actor, messages: Sequence[tuple[str, str]], more: Mapping[str, Any] | None
    ) -> Partnership:
        described = toml(partner(them.company, f"{them.server.url}/as2", messages, more))
        files = {CERTIFICATE_FILE: them.key.certificate.pem.encode()}
        ours = Ours(us.company.as2_id, us.company.gln)
        reading = partner_file.read(Folder(name=them.name, text=described, files=files), ours, self.now)
        if reading.partnership is None:
            raise PartnershipRefused("\n".join(map(str, reading.problems)))
        return reading.partnership

    def settle(self) -> None:
        """Until nobody has anything left to do at this time. Raises NeverAtRest."""
        for _ in range(WORK_ITEMS_MAX):
            if not any(actor.work() for actor in self.actors):
                return
        raise NeverAtRest(f"after {WORK_ITEMS_MAX} steps at {self.now.isoformat()} there is still something to do")

    def pass_time(self, duration: timedelta) -> None:
        """Let time pass. What falls due on the way is done at its time; at the end everybody sweeps."""
        ends = self.now + duration
        while due := [at for actor in self.actors for at in actor.later.values() if at <= ends]:
            self.now = max(self.now, min(due))
            for actor in self.actors:
                actor.rouse()
            self.settle()
        self.now = ends
        for actor in self.actors:
            actor.tasks["sweep"](actor.gateway, "")
        self.settle()
