"""Several workers on one database: limits and order by partnership, acknowledgements first, one turn a sweep."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from edi_gateway.gateway import tasks
from edi_gateway.gateway.dispatch import dispatch
from edi_gateway.gateway.sweep import sweep
from edi_gateway.gateway.unpack import unpack
from edi_gateway.store.transmissions import TransmissionState, locked
from edi_gateway.transport.http import Answer, Outgoing
from tests.house import NAME, House, status

_S = TransmissionState


def during_the_first(house: House, act) -> None:  # type: ignore[no-untyped-def]
    """Let `act` happen while the first POST is on its way, as another worker would do it."""

    def answer(request: Outgoing, body: bytes) -> Answer:
        act()
        return house.network.honest(request, body)

    house.network.answers = [answer, house.network.honest]


def test_a_partner_gets_no_more_at_once_than_was_agreed(house: House) -> None:
    house.agree(connections_max=2)
    sent = [house.send() for _ in range(4)]
    seen = []

    def second() -> None:
        during_the_first(house, lambda: seen.append(house.dispatch()))
        assert house.dispatch()

    during_the_first(house, second)
    assert house.dispatch()
    assert seen == [False]
    assert sorted(house.row(each).state for each in sent).count(_S.ACKNOWLEDGED) == 2


def test_more_that_is_due_is_sent_beside_it_by_other_workers(house: House) -> None:
    house.agree(connections_max=3)
    for _ in range(3):
        house.send()
    house.dispatch()
    assert ("dispatch", f"{NAME}/2", None) in house.woken
    dispatch(house.gateway, f"{NAME}/2")
    assert ("dispatch", f"{NAME}/3", None) in house.woken
    house.woken.clear()
    dispatch(house.gateway, f"{NAME}/3")
    assert not any(key == f"{NAME}/4" for _, key, _ in house.woken)


def test_an_attempt_whose_lease_is_over_no_longer_counts(house: House) -> None:
    house.agree(connections_max=1)
    lost, other = house.send(), house.send()
    with house.gateway.database.write() as uow:
        row = locked(uow.session, lost)
        assert row is not None
        row.state, row.lease_until, row.due_at = _S.SENDING, house.now + timedelta(minutes=1), None
        uow.commit()
    assert not house.dispatch()
    house.later(minutes=2)
    assert house.dispatch()
    assert house.row(other).state is _S.ACKNOWLEDGED


def test_acknowledgements_go_before_bulk(house: House) -> None:
    bulk, contrl = house.send(), house.send()
    with house.gateway.database.write() as uow:
        row = locked(uow.session, contrl)
        assert row is not None
        row.document_types = "CONTRL"
        uow.commit()
    house.dispatch()
    assert (house.row(bulk).state, house.row(contrl).state) == (_S.QUEUED, _S.ACKNOWLEDGED)


def test_in_an_ordered_partnership_those_behind_wait(house: House) -> None:
    house.agree(ordered=True, retry_first=timedelta(minutes=5))
    first, second = house.send(), house.send()
    house.network.answers = [status(503), house.network.honest]
    assert house.dispatch()
    assert not house.dispatch()
    assert house.row(second).attempts == 0
    house.later(minutes=10)
    assert house.dispatch()
    assert house.dispatch()
    assert [house.row(each).state for each in (first, second)] == [_S.ACKNOWLEDGED] * 2
    ids = [dict(request.headers)["Message-ID"] for request, _ in house.network.requests]
    assert ids == [house.row(each).message_id for each in (first, first, second)]


def test_in_an_ordered_partnership_a_lost_attempt_holds_the_others_until_it_is_put_back(house: House) -> None:
    house.agree(ordered=True, retry_first=timedelta(seconds=1))
    lost, other = house.send(), house.send()
    with house.gateway.database.write() as uow:
        row = locked(uow.session, lost)
        assert row is not None
        row.state, row.lease_until, row.due_at, row.attempts = _S.SENDING, house.now, None, 1
        uow.commit()
    house.later(minutes=1)
    assert not house.dispatch()
    sweep(house.gateway)
    house.later(minutes=1)
    assert house.dispatch()
    assert (house.row(lost).state, house.row(other).state) == (_S.ACKNOWLEDGED, _S.QUEUED)


def test_what_came_first_is_unpacked_first_where_that_is_agreed(house: House) -> None:
    house.agree(ordered=True)
    for number in (1, 2, 3):
        house.post(house.message(b"nothing", f"<{number}@vendor.example>"))
        house.later(seconds=1)
    first, second, third = (row.id for row in house.rows())
    unpack(house.gateway, second)
    assert [house.row(each).state for each in (first, second, third)] == [_S.PARKED, _S.PARKED, _S.RECEIVED]
    parked = [event.subject for event in house.events("transmission.state") if event.to_state == "parked"]
    assert parked == [f"transmission:{first}", f"transmission:{second}"]


@pytest.fixture
def clocks(house: House) -> Iterator[list[House]]:
    """Two processes on one database."""
    other = House.__new__(House)
    other.__dict__.update(house.__dict__)
    other.gateway = other._open()
    yield [house, other]
    other.gateway.close()


def test_two_clocks_ring_for_one_sweep(clocks: list[House], monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = clocks[0].gateway.config.work.sweep_seconds
    taken = []
    for turn in range(4):
        for house in clocks:
            house.now = clocks[0].now + timedelta(seconds=0.1)
            if tasks._take_turn(house.gateway, "sweep"):
                taken.append(turn)
        clocks[0].now += timedelta(seconds=seconds)
    assert taken == [0, 1, 2, 3]


def test_a_process_that_begins_sweeps_whoever_had_the_turn(house: House) -> None:
    sent = house.send()
    with house.gateway.database.write() as uow:
        row = locked(uow.session, sent)
        assert row is not None
        row.state, row.lease_until, row.due_at = _S.SENDING, house.now - timedelta(seconds=1), None
        uow.commit()
    tasks._take_turn(house.gateway, "sweep")
    tasks.TASKS["sweep"](house.gateway, "")
    assert house.row(sent).state is _S.SENDING
    tasks.TASKS["sweep"](house.gateway, "first")
    assert house.row(sent).state is _S.QUEUED
