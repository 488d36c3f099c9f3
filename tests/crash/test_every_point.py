"""SIGKILL at every named point. Afterwards the partners try again as real ones do, and everything is there once.

The process that dies is the marketplace's; it is started again with its clock a while on, so that what it left under a
lease is taken up. The vendor is a process of its own that lives on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from edi_gateway import failpoints
from tests.crash.trade import LATER, Trade, retried, trading
from tests.partner import Posted, key_of

DEATH_SECONDS_MAX = 30.0
LARGE_LINES = 2_000  # an INVRPT of so many lines is kept as a file

Finish = Callable[[], object]
"""What the partners do once the marketplace runs again."""


@pytest.fixture(scope="module")
def trades(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[bool], Trade]]:
    """One trade for synchronous receipts and one for asynchronous ones, made when they are first asked for."""
    running = []

    @cache
    def made(asynchronous: bool) -> Trade:
        context = trading(tmp_path_factory.mktemp("trade"), asynchronous=asynchronous)
        running.append(context)
        return context.__enter__()

    yield made
    for context in running:
        context.__exit__(None, None, None)


# --- what makes the marketplace reach a point -------------------------------------------------------------------


def _order(trade: Trade, point: str) -> Finish:
    """An order: it is composed, sent, answered, shipped and invoiced."""
    trade.marketplace.kill()
    trade.marketplace.start(point)
    number = trade.next_number()
    trade.try_order(number)
    return lambda: trade.until("the order taken", lambda: trade.try_order(number))


def _posted(trade: Trade, point: str, posted: Posted, *, before: bool = False) -> Finish:
    """A POST of the vendor, and the same again until he has a receipt."""
    first = retried(lambda: trade.try_post(posted)) if before else b""
    trade.marketplace.kill()
    trade.marketplace.start(point)
    trade.try_post(posted)

    def finish() -> None:
        again = retried(lambda: trade.try_post(posted))
        assert not before or again == first, "the receipt differs from the first one"

    return finish


def _repeated(trade: Trade, point: str) -> Finish:
    return _posted(trade, point, _message(trade, _inventory(trade)), before=True)


def _refused(trade: Trade, point: str) -> Finish:
    partner = trade.partner()
    signed = partner.signed(partner.entity(), key=key_of("SOMEBODY ELSE"))
    return _posted(trade, point, partner.post(partner.encrypted(signed), _message_id()))


def _parked(trade: Trade, point: str) -> Finish:
    """It dies with the message kept; meanwhile the payload's file is taken away, so that it cannot be unpacked."""
    posted = _message(trade, _inventory(trade, LARGE_LINES))
    finish = _posted(trade, "receive.accept:committed", posted)
    trade.marketplace.await_death(DEATH_SECONDS_MAX)
    (row,) = trade.rows(trade.marketplace, "transmission", "state = 'received'")
    file = trade.payload_file(trade.marketplace, row["payload_sha256"])
    elsewhere = file.rename(file.with_suffix(".away"))
    trade.marketplace.start(point, ahead=LATER)

    def find_it() -> None:
        trade.until("it put aside", lambda: _state(trade, row["id"]) == "parked")
        elsewhere.rename(file)
        finish()

    return find_it


def _state(trade: Trade, transmission_id: str) -> str:
    (row,) = trade.rows(trade.marketplace, "transmission", f"id = '{transmission_id}'")
    return str(row["state"])


def _large(trade: Trade, point: str) -> Finish:
    return _posted(trade, point, _message(trade, _inventory(trade, LARGE_LINES)))


def _cycle(trade: Trade, point: str) -> Finish:
    """The commission of a cycle of its own: the vendor's clock goes on by a week before each."""
    trade.vendor.kill()
    trade.vendor.start(ahead=timedelta(days=7))
    trade.order()
    trade.await_quiet()
    known = len(trade.commissions())
    trade.marketplace.kill()
    trade.marketplace.start(point)
    trade.close_cycle()

    def finish() -> None:
        trade.until("the cycle closed", trade.close_cycle)
        trade.until("the commission taken in", lambda: len(trade.commissions()) > known)
        assert len(trade.commissions()) == known + 1

    return finish


def _put_back(trade: Trade, point: str) -> Finish:
    """It dies while it sends; the next process finds that, and dies in turn."""
    finish = _order(trade, "dispatch.take:committed")
    trade.marketplace.await_death(DEATH_SECONDS_MAX)
    trade.marketplace.start(point, ahead=LATER)
    return finish


def _overdue(trade: Trade, point: str) -> Finish:
    """The vendor dies between the receipt and the CONTRL, and is away for a while."""
    trade.vendor.kill()
    trade.vendor.start("unpack.take:begun")
    trade.order()
    trade.vendor.await_death(DEATH_SECONDS_MAX)
    trade.until("the MDN taken in", lambda: not trade.under_way(trade.marketplace))
    trade.marketplace.kill()
    trade.marketplace.start(point, ahead=2 * LATER)
    return lambda: trade.vendor.start(ahead=3 * LATER)


@dataclass(frozen=True)
class Way:
    """How a point is reached."""

    provoke: Callable[[Trade, str], Finish]
    asynchronous: bool = False


WAYS: Mapping[str, Way] = {
    "receive.accept": Way(_order),
    "receive.repeat": Way(_repeated),
    "receive.refuse": Way(_refused),
    "receive.settle": Way(_order, asynchronous=True),
    "unpack.take": Way(_order),
    "unpack.park": Way(_parked),
    "compose.order": Way(_order),
    "compose.cycle": Way(_cycle),
    "dispatch.take": Way(_order),
    "dispatch.seal": Way(_order),
    "dispatch.conclude": Way(_order),
    "sweep.put-back": Way(_put_back),
    "sweep.overdue": Way(_overdue),
    "payload": Way(_large),
    "send": Way(_order),
    "answer": Way(_order),
}


ELSEWHERE = "retention."  # years after the trade: tests/gateway/test_retention.py


@pytest.mark.parametrize("point", [name for name in failpoints.NAMES if not name.startswith(ELSEWHERE)])
def test_killed_there_nothing_is_lost_and_nothing_twice(point: str, trades: Callable[[bool], Trade]) -> None:
    way = WAYS[point.partition(":")[0]]
    trade = trades(way.asynchronous)
    finish = way.provoke(trade, point)
    trade.marketplace.await_death(DEATH_SECONDS_MAX)
    trade.marketplace.start(ahead=LATER)
    finish()
    trade.await_quiet()
    trade.assert_whole()


# --- messages of the vendor -------------------------------------------------------------------------------------


def _message(trade: Trade, payload: bytes) -> Posted:
    partner = trade.partner()
    return partner.post(partner.encrypted(partner.signed(partner.entity(payload))), _message_id())


def _message_id() -> str:
    return f"<{datetime.now(UTC).timestamp()}@crash.example>"


def _inventory(trade: Trade, lines: int = 1) -> bytes:
    """A report that is older than the opening stock: kept, and without effect."""
    us, them = trade.vendor.side.company.gln, trade.marketplace.side.company.gln
    reference = f"C{trade.next_reference()}"
    body = [
        f"UNH+1+INVRPT:D:96A:UN:EAN004'BGM+35+{reference}+9'DTM+137:202001010600:203'",
        f"NAD+SU+{us}::9'NAD+BY+{them}::9'",
        *(f"LIN+{number}'PIA+5+SKU-{number:06}:SA'QTY+145:5'" for number in range(1, lines + 1)),
    ]
    text = "".join(body)
    head = f"UNB+UNOC:3+{us}:14+{them}:14+261122:0915+{reference}++++1'"
    return f"{head}{text}UNT+{text.count(chr(39)) + 1}+1'UNZ+1+{reference}'".encode("ascii")
