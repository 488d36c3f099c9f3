"""The sweep finds what no wake-up will come for."""

from __future__ import annotations

from edi_gateway.gateway.sweep import sweep
from tests.house import NAME, House, timeout


def test_what_waits_is_woken_after_a_restart(house: House) -> None:
    house.post(house.message())
    house.send()
    received = house.rows()[0].id
    house.restart()
    house.woken.clear()
    sweep(house.gateway)
    assert sorted(house.woken) == [("dispatch", NAME, None), ("unpack", received, None)]


def test_what_is_not_due_is_left_alone(house: House) -> None:
    house.send()
    house.network.answers = [timeout]
    house.dispatch()
    house.woken.clear()
    sweep(house.gateway)
    assert house.woken == []


def test_an_empty_house_is_swept(house: House) -> None:
    sweep(house.gateway)
    assert house.woken == []
