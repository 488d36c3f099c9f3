"""What a machine does to a gateway without killing it: full disks, locks, clocks, silence, half a conversation."""

from __future__ import annotations

import io
import socket
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import Pool

from edi_gateway import failpoints
from edi_gateway.gateway.sweep import sweep
from edi_gateway.store.transmissions import TransmissionState
from edi_gateway.transport.http import HttpClient, Outgoing
from tests.house import House, unreachable

LARGE = b"UNB+UNOC:3+3012345000004:14+3098765000002:14+261122:1200+1'\r\n" + b"NAD+BY'\r\n" * 7_500 + b"UNZ+0+1'"
IN_ITS_ROW = LARGE[:40_000]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()
    failpoints.arm("")


def _taken_once(house: House) -> None:
    """The partner sends again, and again: one row, one receipt."""
    first = house.post(house.message(LARGE))
    assert house.post(house.message(LARGE)).body == first.body
    assert [row.state for row in house.rows()] == [TransmissionState.RECEIVED]
    assert house.events("transmission.state")


@pytest.mark.parametrize("fault", ["disk-full", "read-only", "io-error"])
@pytest.mark.parametrize("point", ["payload:written", "payload:synced", "payload:renamed", "receive.accept:committing"])
def test_a_disk_that_fails_promises_nothing(house: House, point: str, fault: str) -> None:
    failpoints.arm(f"{point}={fault}")
    with pytest.raises(OSError):
        house.post(house.message(LARGE))
    assert house.rows() == []
    failpoints.arm("")
    _taken_once(house)


def _post_until_it_fails(house: House) -> None:
    for number in range(20):
        house.post(house.message(IN_ITS_ROW, f"<{number}@vendor.example>"))


@pytest.mark.parametrize("pragma", ["query_only = 1", "max_page_count = 1"])
def test_a_database_that_cannot_be_written_promises_nothing(house: House, pragma: str) -> None:
    """`database or disk is full` and `attempt to write a readonly database`, from SQLite itself."""

    def spoil(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA {pragma}")

    event.listen(Pool, "connect", spoil)
    house.restart()
    try:
        with pytest.raises(OperationalError):
            _post_until_it_fails(house)
    finally:
        event.remove(Pool, "connect", spoil)
    house.restart()
    answered = len(house.rows())
    assert len(house.receipts()) == answered
    assert house.post(house.message(IN_ITS_ROW, f"<{answered}@vendor.example>")).status == 200
    assert len(house.rows()) == len(house.receipts()) == answered + 1


def test_a_database_that_is_locked_for_a_while_is_waited_for(house: House) -> None:
    other = sqlite3.connect(house.folder / "gateway.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.5, lambda: other.execute("COMMIT"))
    release.start()
    house.post(house.message())
    release.join()
    other.close()
    assert house.only().state is TransmissionState.RECEIVED


def test_a_clock_set_back_loses_nothing(house: House) -> None:
    house.post(house.message())
    sent = house.send()
    house.later(hours=-3)
    house.post(house.message(message_id="<2@vendor.example>"))
    newer = house.send()
    assert house.dispatch()
    assert house.row(newer).state is TransmissionState.ACKNOWLEDGED
    house.later(hours=3, seconds=1)
    while house.dispatch():
        pass
    assert house.row(sent).state is TransmissionState.ACKNOWLEDGED
    assert house.events()  # and their chain is intact


def test_a_partner_who_is_down_for_a_day_gets_it_once_in_the_end(house: House) -> None:
    house.network.answers = [unreachable]
    sent = house.send()
    for _ in range(24 * 12):
        house.dispatch()
        sweep(house.gateway)
        house.later(minutes=5)
    assert house.row(sent).state is TransmissionState.QUEUED
    house.network.answers = []
    house.later(hours=2, minutes=30)
    sweep(house.gateway)
    assert house.dispatch()
    assert house.row(sent).state is TransmissionState.ACKNOWLEDGED
    posted = {(body, dict(request.headers)["Message-ID"]) for request, body in house.network.requests}
    assert len(posted) == 1, "other bytes or another Message-ID went out"


def _mdn_cut(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/report\r\nContent-Length: 4000\r\n\r\n--cut")
    connection.close()


def _half_open(connection: socket.socket) -> None:
    connection.recv(65536)
    threading.Event().wait(1.5)  # says nothing, and does not close
    connection.close()


@pytest.mark.parametrize("behave", [_mdn_cut, _half_open])
def test_an_answer_that_does_not_come_to_its_end_leaves_the_outcome_open(house: House, behave: Any) -> None:
    """RFC 4130 §5.3.1: the same bytes go again; the partner's stored MDN then decides."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        behave(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    client = HttpClient()

    def over_the_wire(request: Outgoing, body: bytes) -> Any:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/as2"
        return client(
            Outgoing(
                url=url,
                headers=request.headers,
                body=io.BytesIO(body),
                length=len(body),
                timeout_seconds=1.0,
                trusted=True,
            )
        )

    house.network.answers = [over_the_wire, house.network.honest]
    sent = house.send()
    house.dispatch()
    thread.join()
    listener.close()
    assert house.row(sent).state is TransmissionState.QUEUED
    house.later(minutes=10)
    house.dispatch()
    assert house.row(sent).state is TransmissionState.ACKNOWLEDGED
    (first, second) = (body for _, body in house.network.requests)
    assert first == second
