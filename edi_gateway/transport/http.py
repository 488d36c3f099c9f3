"""The outbound HTTP client: one POST, bounded in time and in the size of its answer, to an address that was checked.

No redirect is followed and nothing is tried twice here: a retry is a state of the transmission (gateway.dispatch). Each
POST has a connection of its own. A kept-alive one that the partner has just closed fails in a way that leaves open
whether he has the message, and that doubt costs a whole retry interval.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import BinaryIO, Protocol

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from edi_gateway.transport.address import AddressRefused, Target, check

ANSWER_BYTES_MAX = 1024 * 1024  # an MDN is a few kilobytes
CONNECT_SECONDS_MAX = 20.0
UPLOAD_BYTES_PER_SECOND_MIN = 64 * 1024  # a slower partner is cut off; his size adds to the time allowed
INTERIM_ANSWERS_MAX = 100
_BLOCK_BYTES = 128 * 1024
_WIRE = (OSError, HTTPException, HTTPError)


class TransportError(Exception):
    """The wire failed. `sent`: the partner may have the request, so the outcome is unknown, not failed."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One POST. `body` is read to its end; `length` is its size in bytes."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: BinaryIO
    length: int
    timeout_seconds: float = 60.0  # for each step, and for the answer as a whole
    trusted: bool = False  # an operator configured this URL: it may be loopback or private
    tls: ssl.SSLContext | None = None  # this partner's; else the system's authorities


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)


class Send(Protocol):
    """How the gateway sends: `HttpClient`, or the network of a test."""

    def __call__(self, request: Outgoing) -> Answer:
        """POST and give the answer; raise `TransportError`."""
        ...


class _FinalResponse(HTTPResponse):
    """The answer after any interim ones. http.client reads past 100 Continue alone; partners with long work to do say
    102 Processing, which decides nothing (RFC 9110 §15.2, draft rfc4130bis §5.4)."""

    def begin(self) -> None:
        super().begin()
        skipped = 0
        while 100 <= self.status < 200:
            skipped += 1
            if skipped > INTERIM_ANSWERS_MAX:
                raise HTTPException(f"more than {INTERIM_ANSWERS_MAX} interim answers")
            self.headers = self.msg = None  # type: ignore[assignment]  # as it was before the first answer
            super().begin()


class HttpClient:
    """The real network. Thread-safe; keeps nothing but the system's TLS context."""

    def __init__(self) -> None:
        self._tls = ssl.create_default_context()

    def __call__(self, request: Outgoing) -> Answer:
        """POST `request` and give the answer; raise `TransportError`."""
        try:
            target = check(request.url, trusted=request.trusted)
        except (AddressRefused, OSError) as error:
            raise TransportError(f"{request.url}: {error}", sent=False) from error
        with _closing(self._connect(target, request)) as connection:
            try:
                return _exchange(connection, target, request)
            except _WIRE as error:
                raise TransportError(f"{request.url}: {_words(error)}", sent=True) from error

    def _connect(self, target: Target, request: Outgoing) -> HTTPConnection:
        """A connection to the first address that takes one."""
        failure: Exception | None = None
        for address in target.addresses:
            connection = self._connection(target, address, request)
            connection.response_class = _FinalResponse
            try:
                connection.connect()
            except _WIRE as error:
                connection.close()
                failure = error
            else:
                return connection
        raise TransportError(f"{request.url}: {_words(failure)}", sent=False) from failure

    def _connection(self, target: Target, address: str, request: Outgoing) -> HTTPConnection:
        timeout = min(request.timeout_seconds, CONNECT_SECONDS_MAX)
        if not target.secure:
            return HTTPConnection(address, target.port, timeout=timeout, blocksize=_BLOCK_BYTES)
        return HTTPSConnection(
            address,
            target.port,
            timeout=timeout,
            blocksize=_BLOCK_BYTES,
            ssl_context=request.tls or self._tls,
            server_hostname=target.host,  # the certificate has to be for the name, not for the address dialled
        )


def _exchange(connection: HTTPConnection, target: Target, request: Outgoing) -> Answer:
    if connection.sock is not None:
        connection.sock.settimeout(request.timeout_seconds)
    connection.timeout = request.timeout_seconds
    with _time_limit(connection, request.timeout_seconds + request.length / UPLOAD_BYTES_PER_SECOND_MIN):
        # A partner who refuses early (413) may close while we still send; his answer is what counts.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request(
                "POST",
                target.path,
                body=request.body,
                headers=_headers(target, request),
                preload_content=False,
                decode_content=False,
            )
        response = connection.getresponse()
        return Answer(response.status, tuple(response.headers.items()), _bounded(response))


def _headers(target: Target, request: Outgoing) -> urllib3.HTTPHeaderDict:
    """The request's headers with ours around them. Content-Length is set, or urllib3 would send chunks."""
    headers = urllib3.HTTPHeaderDict({"Host": target.host_header, "User-Agent": "edi-gateway"})
    for name, value in request.headers:
        if name.lower() not in ("host", "content-length", "connection"):
            headers.add(name, value)
    headers["Content-Length"] = str(request.length)
    headers["Connection"] = "close"
    return headers


def _bounded(response: urllib3.BaseHTTPResponse) -> bytes:
    body = b""
    while chunk := response.read(_BLOCK_BYTES, decode_content=False):
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise HTTPException(f"the answer is longer than {ANSWER_BYTES_MAX} bytes")
    return body


@contextmanager
def _time_limit(connection: HTTPConnection, seconds: float) -> Iterator[None]:
    """Cut the connection after `seconds`: the socket's own timeout starts again with each byte of a slow answer."""
    sock, over = connection.sock, threading.Event()

    def cut() -> None:
        over.set()
        with suppress(OSError):
            if sock is not None:
                sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except _WIRE as error:
        if over.is_set():
            raise HTTPException(f"no complete answer within {seconds:.0f} s") from error
        raise
    finally:
        timer.cancel()
    if over.is_set():  # an answer without a length ends where we cut it, and looks whole
        raise HTTPException(f"no complete answer within {seconds:.0f} s")


@contextmanager
def _closing(connection: HTTPConnection) -> Iterator[HTTPConnection]:
    try:
        yield connection
    finally:
        connection.close()


def _words(error: Exception | None) -> str:
    return f"{type(error).__name__}: {error}"
