"""The HTTP server: waitress, bounded, and graceful when it is told to stop.

Waitress gives a request to a thread only when its body is complete and spools large bodies to disk, so neither slow
headers nor slow bodies hold a thread. On SIGTERM or SIGINT the server takes no new connection, finishes the requests
that it has begun to receive, and returns.

What it has in hand is bounded: beyond a request for each thread and WAITING_PER_THREAD more, a request is answered at
once with 503 and Retry-After, and nothing of it is kept. Who asks for the health is not made to wait behind the others.

TLS is the proxy's: nginx, Caddy or HAProxy in front.
"""

from __future__ import annotations

import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from flask import Flask
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask
from waitress.utilities import Error, RequestEntityTooLarge

CONNECTIONS_MAX = 2000  # at waitress's own 100, a hundred slow clients lock everybody out
IDLE_SECONDS_MAX = 120
DRAIN_SECONDS_MAX = 50  # below systemd's TimeoutStopSec=60
BACKLOG = 1024
SENT_BYTES_MIN = 32 * 1024  # of an answer that is still being made; a smaller one leaves whole, in one packet
RECEIVED_BYTES_MAX = 64 * 1024  # by one call: a usual message arrives at once, not in waitress's 8 KiB pieces
WAITING_PER_THREAD = 16  # about a second of work; who has waited longer has given up, or soon will
RETRY_SECONDS = 5
HEALTH_PATHS = frozenset({"/healthz", "/readyz"})
_LOOP_SECONDS = 1.0

# It says how long its queue is, as a warning, whenever a request does not find an idle thread: under load a line for
# each POST, written by the one thread that reads all connections.
logging.getLogger("waitress.queue").setLevel(logging.ERROR)

Oversized = Callable[[list[tuple[str, str]], str], None]  # headers, remote address


class _Task(WSGITask):
    """Sends the end of an answer from its own thread, so that nobody waits until the loop comes round to it."""

    def finish(self) -> None:
        super().finish()
        with self.channel.outbuf_lock:
            self.channel._flush_exception(self.channel._flush_some, do_close=False)


class Server:
    """A waitress server on one socket. `port` is the real one, also where 0 was asked for."""

    def __init__(
        self, app: Flask, *, host: str, port: int, threads: int, body_bytes_max: int, oversized: Oversized
    ) -> None:
        self._socket = _listen(host, port)
        self.host, self.port = host, self._socket.getsockname()[1]
        self._stopping = False
        adjustments = Adjustments(
            sockets=[self._socket],
            threads=threads,
            connection_limit=CONNECTIONS_MAX,
            channel_timeout=IDLE_SECONDS_MAX,
            max_request_body_size=body_bytes_max + 1,  # waitress refuses what is as long as its limit
            backlog=BACKLOG,
            recv_bytes=RECEIVED_BYTES_MAX,
            ident=None,
            # Only `config.ReverseProxy` reads them, and it knows whom to believe.
            clear_untrusted_proxy_headers=False,
        )
        adjustments.send_bytes = SENT_BYTES_MIN  # to the constructor it would be a deprecated option
        self._server = TcpWSGIServer(
            app,
            _sock=self._socket,
            dispatcher=_Dispatcher(threads, threads * WAITING_PER_THREAD),
            bind_socket=False,
            adj=adjustments,
            sockinfo=(self._socket.family, self._socket.type, self._socket.proto, self._socket.getsockname()),
        )
        self._server.channel_class = _channel_class(oversized)

    @property
    def url(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{name}:{self.port}"

    def stop(self) -> None:
        """Ask `run` to come to its end. Any thread, or a signal handler."""
        if not self._stopping:
            self._stopping = True
            self._server.pull_trigger()

    def run(self) -> None:
        """Serve until `stop`, then finish what was begun."""
        while not self._stopping:
            self._loop(_LOOP_SECONDS)
        self._loop(0)  # takes the connections that were made before
        self._server.accepting = False
        self._server.del_channel()
        self._socket.close()
        self._loop(0)  # reads what they have sent
        ends = time.monotonic() + DRAIN_SECONDS_MAX
        while self._busy() and time.monotonic() < ends:
            self._loop(_LOOP_SECONDS)
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=5)
        for channel in list(self._server.active_channels.values()):
            channel.handle_close()
        self._server.trigger.close()

    def _loop(self, seconds: float) -> None:
        self._server.asyncore.loop(timeout=seconds, map=self._server._map, use_poll=True, count=1)

    def _busy(self) -> bool:
        """Whether any connection has a request begun, running, or not yet answered in full."""
        return any(
            channel.requests or channel.request is not None or channel.total_outbufs_len
            for channel in list(self._server.active_channels.values())
        )


class _Overloaded(Error):
    """What is answered where too much waits."""

    code, reason = 503, "Service Unavailable"

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        status, headers, body = super().to_response(ident)
        return status, [*headers, ("Retry-After", str(RETRY_SECONDS))], body


class _Dispatcher(ThreadedTaskDispatcher):
    """Threads for what is served, with a bounded queue, and one more for what takes no time."""

    def __init__(self, threads: int, waiting_max: int) -> None:
        super().__init__()
        self._waiting_max = waiting_max
        self._at_once = ThreadedTaskDispatcher()
        self.set_thread_count(threads)
        self._at_once.set_thread_count(1)

    def add_task(self, channel: HTTPChannel) -> None:
        request = channel.requests[0]
        if request.error is None and request.path in HEALTH_PATHS:
            self._at_once.add_task(channel)
        elif request.error is None and len(self.queue) >= self._waiting_max:
            request.error = _Overloaded("too much waits here; nothing of this request was kept, send it again later")
            self._at_once.add_task(channel)
        else:
            super().add_task(channel)

    def shutdown(self, cancel_pending: bool = True, timeout: int = 5) -> bool:
        self._at_once.shutdown(cancel_pending, timeout)
        return bool(super().shutdown(cancel_pending, timeout))


def _channel_class(oversized: Oversized) -> type[HTTPChannel]:
    """Channels that report a body over the limit: waitress answers it with 413 before any application sees it."""

    class Task(ErrorTask):
        def execute(self) -> None:
            if isinstance(self.request.error, RequestEntityTooLarge) and self.request.path == "/as2":
                oversized(_header_pairs(self.request.headers), self.request.headers.get("CONTENT_LENGTH", ""))
            super().execute()

    class Channel(HTTPChannel):
        task_class = _Task
        error_task_class = Task

        def send_continue(self) -> None:
            """Not for a request that is refused already: waitress would ask for its body all the same."""
            if self.request.error is None:
                super().send_continue()
            self.request.expect_continue = False

    return Channel


def _header_pairs(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Waitress's spelling (AS2_FROM) back into that of HTTP (As2-From)."""
    return [(name.replace("_", "-").title(), value) for name, value in headers.items()]


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listening.setblocking(False)
    return listening


@contextmanager
def stopping_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGINT call `stop` while the context lasts. Only for the main thread."""

    def handle(number: int, frame: FrameType | None) -> None:
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
