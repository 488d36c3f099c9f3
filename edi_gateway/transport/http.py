"""The outbound HTTP client: one POST, bounded in time and in the size of its answer, to an address that was checked.

No redirect is followed and nothing is tried twice here: a retry is a state of the transmission (gateway.dispatch). The
one exception is a 401 that asks for basic authentication (RFC 9110 §11.6.1, RFC 7617), where the partnership has
credentials: the same bytes go again with them, and from then on with the first request to that server. Each POST has a
connection of its own. A kept-alive one that the partner has just closed fails in a way that leaves open whether he has
the message, and that doubt costs a whole retry interval.

A `Route` says how a partner's server is reached: whom TLS trusts, what we show, through which proxy. An https server is
reached through a proxy by CONNECT (RFC 9110 §9.3.6), so that the proxy sees nothing of it; an http one is asked for by
its whole URL (RFC 9112 §3.2.2).
"""

from __future__ import annotations

import base64
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import BinaryIO, Protocol

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from edi_gateway.failpoints import reach
from edi_gateway.transport.address import AddressRefused, Target, check, unresolved
from edi_gateway.transport.tls import fingerprint, system_context

ANSWER_BYTES_MAX = 1024 * 1024  # an MDN is a few kilobytes
CONNECT_SECONDS_MAX = 20.0
UPLOAD_BYTES_PER_SECOND_MIN = 64 * 1024  # a slower partner is cut off; his size adds to the time allowed
INTERIM_ANSWERS_MAX = 100
_BLOCK_BYTES = 128 * 1024
_WIRE = (OSError, HTTPException, HTTPError)
_BASIC = re.compile(r"(?:^|,)\s*basic(?:\s|,|$)", re.IGNORECASE)


class TransportError(Exception):
    """The wire failed. `sent`: the partner may have the request, so the outcome is unknown, not failed."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Login:
    """A user name with its password."""

    username: str
    password: str = field(repr=False)

    @property
    def header(self) -> str:
        """The value of an Authorization header (RFC 7617 §2), in UTF-8."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How a server is reached."""

    tls: ssl.SSLContext | None = None  # None: the authorities of this machine
    pinned: frozenset[str] = (
        frozenset()
    )  # SHA-256 of the certificates of which it has to show one; empty: its name counts
    server_name: str = ""  # in its certificate; "": the URL's host
    login: Login | None = None  # for its 401
    proxy: str = ""  # http://host:port
    proxy_login: Login | None = None


DIRECT = Route()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One POST. `body` is read to its end; `length` is its size in bytes."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: BinaryIO
    length: int
    timeout_seconds: float = 60.0  # for each step, and for the answer as a whole
    trusted: bool = False  # an operator configured this URL: it may be loopback or private
    route: Route = DIRECT


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
    """The real network. Thread-safe; keeps nothing but which servers have asked for credentials."""

    def __init__(self) -> None:
        self._asking: set[tuple[bool, str, int, str]] = set()

    def __call__(self, request: Outgoing) -> Answer:
        """POST `request` and give the answer; raise `TransportError`."""
        try:
            target, hop = _way(request)
        except (AddressRefused, OSError) as error:
            raise TransportError(f"{request.url}: {error}", sent=False) from error
        login = request.route.login
        if login is None:
            return self._post(target, hop, request)
        asking = (target.secure, target.host, target.port, login.username)
        is_known, start = asking in self._asking, request.body.tell()
        answer = self._post(target, hop, request, login if is_known else None)
        if is_known or not _asks_for_login(answer):
            return answer
        request.body.seek(start)
        self._asking.add(asking)
        return self._post(target, hop, request, login)

    def _post(self, target: Target, hop: Target, request: Outgoing, login: Login | None = None) -> Answer:
        with _closing(self._connect(target, hop, request)) as connection:
            reach("send:connected")
            try:
                answer = _exchange(connection, target, request, login)
            except _WIRE as error:
                raise TransportError(f"{request.url}: {_words(error)}", sent=True) from error
            reach("send:answered")
            return answer

    def _connect(self, target: Target, hop: Target, request: Outgoing) -> HTTPConnection:
        """A connection to the first address that takes one: of the server, or of the proxy on the way to it."""
        failure: Exception | None = None
        for address in hop.addresses:
            connection = _connection(target, hop, address, request)
            connection.response_class = _FinalResponse
            try:
                # Without TLS it is a single step, which the socket's own timeout bounds: no thread has to watch it.
                with _time_limit(connection, 2 * CONNECT_SECONDS_MAX) if target.secure else nullcontext():
                    connection.connect()
                _check_pin(connection, request.route)
            except _WIRE as error:
                connection.close()
                failure = error
            else:
                return connection
        raise TransportError(f"{request.url}: {_words(failure)}", sent=False) from failure


def _way(request: Outgoing) -> tuple[Target, Target]:
    """The server, and where to connect: to it, or to the proxy, which then resolves its name.

    A proxy gets no URL that came from outside unless the addresses that we see for it are fit to be sent to.
    """
    if not request.route.proxy:
        target = check(request.url, trusted=request.trusted)
        return target, target
    hop = check(request.route.proxy, trusted=True)
    return unresolved(request.url) if request.trusted else check(request.url, trusted=False), hop


def _connection(target: Target, hop: Target, address: str, request: Outgoing) -> HTTPConnection:
    timeout = min(request.timeout_seconds, CONNECT_SECONDS_MAX)
    if not target.secure:
        return HTTPConnection(address, hop.port, timeout=timeout, blocksize=_BLOCK_BYTES)
    route = request.route
    connection = HTTPSConnection(
        address,
        hop.port,
        timeout=timeout,
        blocksize=_BLOCK_BYTES,
        ssl_context=route.tls or system_context(),
        # The certificate has to be for the name, not for the address dialled; a pinned one is known by itself.
        server_hostname=route.server_name or target.host,
        assert_hostname=False if route.pinned else None,
    )
    if route.proxy:
        headers = {"Host": f"{target.bracketed}:{target.port}"}
        if route.proxy_login:
            headers["Proxy-Authorization"] = route.proxy_login.header
        connection.set_tunnel(target.host, target.port, headers)
    return connection


def _check_pin(connection: HTTPConnection, route: Route) -> None:
    """The chain alone does not do: it also holds for what a pinned certificate may have issued."""
    if not route.pinned or not isinstance(connection.sock, ssl.SSLSocket):
        return
    shown = connection.sock.getpeercert(binary_form=True) or b""
    if fingerprint(shown) not in route.pinned:
        raise ssl.SSLError(f"the server's certificate is none of those pinned; its SHA-256 is {fingerprint(shown)}")


def _asks_for_login(answer: Answer) -> bool:
    challenges = [value for name, value in answer.headers if name.lower() == "www-authenticate"]
    return answer.status == 401 and any(_BASIC.search(challenge) for challenge in challenges)


def _exchange(connection: HTTPConnection, target: Target, request: Outgoing, login: Login | None) -> Answer:
    if connection.sock is not None:
        connection.sock.settimeout(request.timeout_seconds)
    connection.timeout = request.timeout_seconds
    with _time_limit(connection, request.timeout_seconds + request.length / UPLOAD_BYTES_PER_SECOND_MIN):
        # A partner who refuses early (413) may close while we still send; his answer is what counts.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request(
                "POST",
                _asked_for(target, request.route),
                body=request.body,
                headers=_headers(target, request, login),
                preload_content=False,
                decode_content=False,
            )
        response = connection.getresponse()
        return Answer(response.status, tuple(response.headers.items()), _bounded(response))


def _asked_for(target: Target, route: Route) -> str:
    """What stands in the request line: a proxy needs the whole URL of a server that is not reached by CONNECT."""
    return f"http://{target.host_header}{target.path}" if route.proxy and not target.secure else target.path


_OURS = ("host", "content-length", "connection", "authorization", "proxy-authorization")


def _headers(target: Target, request: Outgoing, login: Login | None) -> urllib3.HTTPHeaderDict:
    """The request's headers with ours around them. Content-Length is set, or urllib3 would send chunks."""
    headers = urllib3.HTTPHeaderDict({"Host": target.host_header, "User-Agent": "edi-gateway"})
    for name, value in request.headers:
        if name.lower() not in _OURS:
            headers.add(name, value)
    if login:
        headers["Authorization"] = login.header
    if request.route.proxy_login and not target.secure:
        headers["Proxy-Authorization"] = request.route.proxy_login.header
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
    before, over = connection.sock, threading.Event()

    def cut() -> None:
        over.set()
        sock = before or connection.sock  # while it connects there is none at first, while it reads none any more
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
