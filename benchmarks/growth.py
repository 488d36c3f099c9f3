"""`growth [SMALL] [LARGE]`: what a store of LARGE transmissions costs against one of SMALL (10,000).

The stores are filled by bulk inserts: each transmission with its receipt, an event, an interchange and a message. Then
the same questions are asked of both, in turns; a ratio is the large store's median CPU time by the small one's.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from benchmarks.result import Result, Say, WrongArguments, median_of
from edi_gateway.gateway.overdue_list import overdue_json
from edi_gateway.gateway.vital_signs import vital_signs
from edi_gateway.store.database import Database
from edi_gateway.store.documents import Interchange, Message
from edi_gateway.store.events import EventChain, Happened, append
from edi_gateway.store.payloads import Payload
from edi_gateway.store.transmissions import Receipt, Transmission, inbound
from tests.house import House
from tests.partner import NOW

SMALL, LARGE = 10_000, 1_000_000
CHUNK = 5_000
ROUNDS = 41
PAGE = 50
SHA256 = hashlib.sha256(b"").hexdigest()
Ask = Callable[[House, int], object]


def run(arguments: Sequence[str], say: Say) -> Result:
    """Fill two stores and ask both."""
    if len(arguments) > 2 or not all(each.isdecimal() and int(each) >= 100 for each in arguments):
        raise WrongArguments("two numbers of transmissions, of at least 100")
    small, large = (*map(int, arguments), *(SMALL, LARGE)[len(arguments) :])
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        houses = [_filled(Path(folder) / str(count), count, say) for count in (small, large)]
        figures = {name: _asked(ask, houses, (small, large)) for name, ask in ASKED.items()}
        start = _start_up(houses[1])
        houses[0].close()
    ratios = {f"{name}_ratio": more / less for name, (less, more) in figures.items()}
    times = {f"{name}_ms": 1000 * more for name, (_, more) in figures.items()}
    return Result(
        benchmark="growth",
        input={"small": small, "large": large, "database": "sqlite"},
        ours={**ratios, **times, "start_up_s": start},
    )


def _filled(folder: Path, count: int, say: Say) -> House:
    folder.mkdir()
    house = House(folder)
    begun = time.perf_counter()
    with house.gateway.database.write() as uow:
        uow.connection.execute(insert(Payload), [{"sha256": SHA256, "size": 0, "stored_at": NOW, "content": b""}])
        for start in range(0, count, CHUNK):
            _add(uow.connection, range(start, min(start + CHUNK, count)))
        uow.commit()
    say(f"{count} transmissions in {time.perf_counter() - begun:.0f} s")
    return house


def _add(connection: Any, numbers: range) -> None:
    rows = [_rows(number) for number in numbers]
    for index, model in enumerate((Transmission, Receipt, Interchange, Message)):
        connection.execute(insert(model), [row[index] for row in rows])
    names = (f"transmission:old-{number:09}" for number in numbers)
    append(connection, [Happened("transmission.state", name, None, "unpacked", "read", {}, NOW) for name in names])


def _rows(number: int) -> tuple[dict[str, Any], ...]:
    """One transmission that came in and was read, with all that belongs to it."""
    name, at = f"old-{number:09}", NOW - timedelta(seconds=2 * (LARGE - number % LARGE))
    partner = f"partner-{number % 100}"
    sides = {"direction": "in", "partnership": partner}
    transmission = {
        **sides, "id": name, "kind": "message", "state": "unpacked", "reason": "", "created_at": at, "changed_at": at,
        "as2_from": partner, "as2_to": "MARKETPLACE", "message_id": f"<{name}@partner.example>", "headers": [],
        "receipt_mode": "sync", "payload_sha256": SHA256, "payload_size": 0, "document_types": "ORDRSP",
    }  # fmt: skip
    receipt = {
        "id": name, "transmission_id": name, "at": at, "disposition": "processed", "outcome": "given", "headers": [],
        "body": b"x" * 500,
    }  # fmt: skip
    interchange = {
        **sides, "id": name, "state": "processed", "transmission_id": name, "payload_sha256": SHA256,
        "content_sha256": SHA256, "control_reference": f"{number}", "at": at,
    }  # fmt: skip
    message = {
        **sides, "id": name, "interchange_id": name, "ordinal": 1, "state": "applied", "reference": "1",
        "type": "ORDRSP", "directory": "D.96A", "document_number": f"D{number}", "business_key": f"O{number}",
        "record": {"number": f"D{number}"}, "at": at, "changed_at": at,
    }  # fmt: skip
    return transmission, receipt, interchange, message


def _receive(house: House, count: int) -> object:
    house.ids += 1
    answer = house.post(house.message(message_id=f"<{house.ids}@growth.example>"))
    assert answer.status == 200
    return answer


def _list(house: House, count: int) -> object:
    newest = select(Transmission).order_by(Transmission.created_at.desc(), Transmission.id.desc()).limit(PAGE)
    of_partner = newest.where(Transmission.partnership == "partner-7")
    with house.gateway.database.read() as view:
        return list(view.session.scalars(newest)), list(view.session.scalars(of_partner))


def _search(house: House, count: int) -> object:
    number = count // 2
    document = select(Message).where(
        Message.partnership == f"partner-{number % 100}", Message.type == "ORDRSP",
        Message.document_number == f"D{number}",
    )  # fmt: skip
    with house.gateway.database.read() as view:
        name = f"<old-{number:09}@partner.example>"
        assert inbound(view.session, f"partner-{number % 100}", "MARKETPLACE", name) is not None
        return view.session.scalars(document).one()


def _overdue(house: House, count: int) -> object:
    with house.gateway.database.read() as view:
        return overdue_json(view.session, house.now, limit=PAGE)


ASKED: dict[str, Ask] = {
    "receive": _receive,
    "list": _list,
    "search": _search,
    "overdue": _overdue,
    "metrics": lambda house, count: vital_signs(house.gateway),
}


def _asked(ask: Ask, houses: Sequence[House], counts: Sequence[int]) -> tuple[float, float]:
    """Median seconds of CPU, of the small store and of the large one."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for house, count, seconds in zip(houses, counts, taken, strict=True):
            begun = time.process_time()
            ask(house, count)
            seconds.append(time.process_time() - begun)
    return median_of(taken[0][1:]), median_of(taken[1][1:])


def _start_up(house: House) -> float:
    """Seconds until a new process on the folder has its first answer from the store."""
    url = house.gateway.database.url
    house.close()
    begun = time.perf_counter()
    database = Database(url)
    with database.read() as view:
        view.session.scalar(select(EventChain.number))
    database.close()
    return time.perf_counter() - begun
