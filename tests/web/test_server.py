"""The HTTP server on a real socket: chunks, Expect, the bound of a body, slow clients, and a graceful end."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import urllib3
from flask import Flask, request

from edi_gateway.gateway.receive import refuse_oversized
from edi_gateway.store.transmissions import TransmissionState
from edi_gateway.web import server as module
from edi_gateway.web.app import create_app
from edi_gateway.web.server import Server
from tests.house import NAME, House

BODY_BYTES_MAX = 100_000


class Running:
    """A server in a thread, with an application that counts the bytes of a body."""

    def __init__(self, threads: int = 2) -> None:
        self.oversized: list[tuple[dict[str, str], str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()
        self.server = Server(
            self._app(),
            host="127.0.0.1",
            port=0,
            threads=threads,
            body_bytes_max=BODY_BYTES_MAX,
            oversized=lambda headers, length: self.oversized.append((dict(headers), length)),
        )
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        self.http = urllib3.PoolManager(retries=False, timeout=10)

    def _app(self) -> Flask:
        app = Flask(__name__)

        @app.post("/as2")
        def count() -> str:
            size = 0
            while chunk := request.stream.read(1000):
                size += len(chunk)
            self.begun.set()
            self.gate.wait(10)
            return str(size)

        @app.get("/healthz")
        def healthy() -> str:
            return "alive"

        return app

    @property
    def url(self) -> str:
        return f"{self.server.url}/as2"

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=10)
        connection.settimeout(10)
        return connection

    def close(self) -> None:
        self.gate.set()
        self.server.stop()
        self.thread.join(30)
        assert not self.thread.is_alive()
        self.http.clear()


@pytest.fixture
def running() -> Iterator[Running]:
    running = Running()
    yield running
    running.close()


def answer_of(connection: socket.socket) -> bytes:
    data = b""
    while chunk := connection.recv(65536):
        data += chunk
    return data


@contextmanager
def in_background(action: threading.Thread) -> Iterator[None]:
    action.start()
    yield
    action.join(10)


@pytest.mark.parametrize("size", [0, 1, 10_000, BODY_BYTES_MAX])
def test_a_body_with_its_length(running: Running, size: int) -> None:
    assert running.http.request("POST", running.url, body=b"x" * size).data == str(size).encode()


def test_002_a_chunked_body(running: Running) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(10):
            yield b"x" * 1000

    assert running.http.request("POST", running.url, body=chunks(), chunked=True).data == b"10000"


def test_002_expect_100_continue(running: Running) -> None:
    with running.connect() as connection:
        connection.sendall(
            b"POST /as2 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 Continue\r\n")
        connection.sendall(b"hello")
        assert answer_of(connection).endswith(b"\r\n\r\n5")


def test_a_body_over_the_limit_is_refused_by_its_length_and_reported(running: Running) -> None:
    """Before it is sent, where the partner waits for 100 Continue."""
    with running.connect() as connection:
        head = f"POST /as2 HTTP/1.1\r\nHost: x\r\nAS2-From: V\r\nContent-Length: {BODY_BYTES_MAX + 1}\r\n"
        connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert answer_of(connection).startswith(b"HTTP/1.1 413 ")
    ((headers, length),) = running.oversized
    assert (headers["As2-From"], length) == ("V", str(BODY_BYTES_MAX + 1))


def test_a_chunked_body_over_the_limit_is_cut_and_reported(running: Running) -> None:
    with running.connect() as connection:
        connection.sendall(b"POST /as2 HTTP/1.1\r\nHost: x\r\nAS2-From: V\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
        try:
            for _ in range(200):
                connection.sendall(chunk)
        except OSError:
            pass  # it was cut off
    for _ in range(200):
        if running.oversized:
            break
        time.sleep(0.01)
    ((headers, _),) = running.oversized
    assert headers["As2-From"] == "V"


def test_slow_clients_hold_no_thread(running: Running) -> None:
    """A thread is taken only when a body is complete."""
    slow = [running.connect() for _ in range(20)]
    try:
        for connection in slow:
            connection.sendall(b"POST /as2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx")
        assert running.http.request("POST", running.url, body=b"quick").data == b"5"
    finally:
        for connection in slow:
            connection.close()


# --- the end --------------------------------------------------------------------------------------------------------


def test_a_request_under_way_is_finished_and_no_new_connection_is_taken(running: Running) -> None:
    answers: list[bytes] = []
    running.gate.clear()

    def ask() -> None:
        answers.append(running.http.request("POST", running.url, body=b"patient").data)

    with in_background(threading.Thread(target=ask)):
        assert running.begun.wait(10)
        running.server.stop()
        _assert_refused(running)
        assert running.thread.is_alive()
        running.gate.set()
    running.thread.join(10)
    assert answers == [b"7"]


def _assert_refused(running: Running) -> None:
    for _ in range(200):
        try:
            running.connect().close()
        except OSError:
            return
        time.sleep(0.01)
    raise AssertionError("it still listens")


def test_a_body_that_has_begun_to_arrive_is_taken(running: Running) -> None:
    with running.connect() as connection:
        connection.sendall(b"POST /as2 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhello")
        time.sleep(0.1)
        running.server.stop()
        _assert_refused(running)
        connection.sendall(b"world")
        assert answer_of(connection).endswith(b"\r\n\r\n10")


def test_idle_connections_do_not_hold_up_the_end(running: Running) -> None:
    with running.connect():
        began = time.monotonic()
        running.server.stop()
        running.thread.join(10)
        assert time.monotonic() - began < 3


def test_a_body_that_never_ends_does_not_hold_up_the_end_for_ever(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DRAIN_SECONDS_MAX", 0.3)
    with running.connect() as connection:
        connection.sendall(b"POST /as2 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello")
        time.sleep(0.1)
        running.server.stop()
        running.thread.join(10)
        assert not running.thread.is_alive()


def test_an_ipv6_address_checklist_22() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    app = Flask(__name__)
    server = Server(app, host="::1", port=0, threads=1, body_bytes_max=10, oversized=lambda headers, length: None)
    thread = threading.Thread(target=server.run)
    thread.start()
    assert urllib3.PoolManager().request("GET", server.url).status == 404
    server.stop()
    thread.join(10)


def test_a_port_that_is_taken_is_an_oserror(running: Running) -> None:
    with pytest.raises(OSError, match="in use"):
        Server(
            Flask(__name__),
            host="127.0.0.1",
            port=running.server.port,
            threads=1,
            body_bytes_max=10,
            oversized=lambda headers, length: None,
        )


def _post(running: Running) -> socket.socket:
    connection = running.connect()
    connection.sendall(b"POST /as2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc")
    return connection


def _answered(connection: socket.socket) -> bytes:
    with connection:
        return answer_of(connection)


def test_beyond_what_may_wait_a_post_is_told_to_come_again_and_the_health_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WAITING_PER_THREAD", 2)
    running = Running(threads=1)
    try:
        running.gate.clear()
        taken = [_post(running)]
        assert running.begun.wait(10)
        taken += [_post(running) for _ in range(2)]  # these may wait
        deadline = time.monotonic() + 10
        while len(running.server._server.task_dispatcher.queue) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        refused = _answered(_post(running))
        assert refused.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 5" in refused.lower()
        assert running.http.request("GET", f"{running.server.url}/healthz").status == 200
        running.gate.set()
        assert all(_answered(connection).startswith(b"HTTP/1.1 200") for connection in taken)
        assert _answered(_post(running)).startswith(b"HTTP/1.1 200")
    finally:
        running.close()


def test_an_oversized_as2_message_is_answered_413_recorded_and_its_connection_ends_rfc9110_15_5_14(
    tmp_path: Path,
) -> None:
    """Through the whole gateway: the next message, on another connection, is taken in as ever."""
    house = House(tmp_path)
    oversized = partial(refuse_oversized, house.gateway)
    app = create_app(house.gateway)
    server = Server(app, host="127.0.0.1", port=0, threads=1, body_bytes_max=BODY_BYTES_MAX, oversized=oversized)
    serving = threading.Thread(target=server.run)
    serving.start()
    try:
        message = house.message()
        named = "".join(f"{name}: {value}\r\n" for name, value in message.headers if name != "Content-Length")
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            head = f"POST /as2 HTTP/1.1\r\nHost: x\r\n{named}Content-Length: {BODY_BYTES_MAX + 1}\r\n"
            connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
            answer = answer_of(connection)  # reads until the server closes
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"Connection: close" in answer
        row = house.only()
        assert (row.state, row.partnership) == (TransmissionState.REFUSED, NAME)
        assert f"{BODY_BYTES_MAX + 1} bytes were announced" in row.reason
        fitting = house.message(message_id="<2@vendor.example>")
        taken = urllib3.request("POST", f"{server.url}/as2", body=fitting.body, headers=dict(fitting.headers))
        assert taken.status == 200
        assert [row.state for row in house.rows()] == [TransmissionState.REFUSED, TransmissionState.RECEIVED]
    finally:
        server.stop()
        serving.join(30)
        house.close()
