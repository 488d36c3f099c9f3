"""A client that costs little: requests as bytes made beforehand, a few kept-alive connections, one loop.

It runs beside what it measures on the same cores, so it does nothing that it need not: no HTTP library, no thread.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

ANSWER_SECONDS_MAX = 60.0
_READ_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    head: bytes
    body: bytes


@dataclass(slots=True)
class Answered:
    """All answers of a run, in the order in which they came, and how long it took."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0  # that the client itself took
    answers: list[Answer] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.answers) / self.seconds


def request(path: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    """A POST as it goes over the wire."""
    named = [(n, v) for n, v in headers if n.lower() != "content-length"]
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Length: {len(body)}",
        *(f"{n}: {v}" for n, v in named),
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def post_all(ports: Sequence[int], requests: Iterable[bytes], connections_each: int) -> Answered:
    """Send every request once, over `connections_each` connections to each port, each with one on its way at a time."""
    waiting = iter(requests)
    answered = Answered()
    with selectors.DefaultSelector() as ready:
        begins, cpu_before = time.perf_counter(), time.process_time()
        for port in (port for _ in range(connections_each) for port in ports):
            connection = _Connection(port)
            if connection.send(waiting):
                ready.register(connection.socket, selectors.EVENT_READ, connection)
        while ready.get_map():
            for key, _ in _some(ready):
                connection = key.data
                if (answer := connection.read()) is not None:
                    answered.answers.append(answer)
                    if not connection.send(waiting):
                        ready.unregister(connection.socket)
                        connection.socket.close()
        answered.seconds, answered.cpu_seconds = time.perf_counter() - begins, time.process_time() - cpu_before
    return answered


def _some(ready: selectors.BaseSelector) -> list[tuple[selectors.SelectorKey, int]]:
    events = ready.select(ANSWER_SECONDS_MAX)
    if not events:
        raise TimeoutError(f"no answer within {ANSWER_SECONDS_MAX:.0f} s")
    return events


class _Connection:
    """A kept-alive connection with at most one request on its way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS_MAX)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._held = b""

    def send(self, waiting: Iterator[bytes]) -> bool:
        """The next request, if there is one."""
        data = next(waiting, None)
        if data is None:
            return False
        self.socket.sendall(data)
        return True

    def read(self) -> Answer | None:
        """The answer, once it is whole."""
        data = self.socket.recv(_READ_BYTES)
        if not data:
            raise ConnectionError(f"the server closed the connection after {len(self._held)} bytes of an answer")
        self._held += data
        head, blank, body = self._held.partition(b"\r\n\r\n")
        if not blank or len(body) < _length(head):
            return None
        self._held = b""
        return Answer(int(head[9:12]), head, body)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            return int(line[15:])
    return 0
