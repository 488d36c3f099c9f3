"""The outbound client against a real socket: what it sends, and how it ends whatever the partner does."""

from __future__ import annotations

import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edi_gateway.transport import http
from edi_gateway.transport.http import (
    ANSWER_BYTES_MAX,
    INTERIM_ANSWERS_MAX,
    Answer,
    HttpClient,
    Outgoing,
    Route,
    TransportError,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: 1\r\n\r\nok"


@dataclass
class Connection:
    """A connection of the client, and the request that was read from it."""

    socket: socket.socket
    received: bytes = b""

    def read_request(self) -> None:
        """Read one request as its Content-Length says."""
        while b"\r\n\r\n" not in self.received:
            self.received += self.socket.recv(65536)
        head, _, body = self.received.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l"))
        whole = bytearray(body)
        while len(whole) < length:
            whole += self.socket.recv(65536)
        self.received = head + b"\r\n\r\n" + whole

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)


Behave = Callable[[Connection], None]


@contextmanager
def partner(behave: Behave) -> Iterator[tuple[str, list[Connection]]]:
    """A server for one connection: gives its URL, and the connection once it came."""
    connections: list[Connection] = []

    def serve() -> None:
        with suppress(OSError), listening.accept()[0] as accepted:  # the client may go away, or never come
            accepted.settimeout(10)
            connections.append(Connection(accepted))
            behave(connections[0])

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/as2?a=1", connections
        thread.join()


def says(answer: bytes) -> Behave:
    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.say(answer)

    return behave


def post(url: str, body: bytes | io.BytesIO = b"body", *, seconds: float = 5, **changes: object) -> Answer:
    stream = io.BytesIO(body) if isinstance(body, bytes) else body
    headers = (("AS2-From", "MARKETPLACE"), ("Message-ID", "<1@x>"), ("Content-Length", "999"), ("Host", "evil"))
    request: dict[str, object] = {
        "url": url,
        "headers": headers,
        "body": stream,
        "length": len(stream.getbuffer()),
        "timeout_seconds": seconds,
        "trusted": True,
    }
    return HttpClient()(Outgoing(**(request | changes)))  # type: ignore[arg-type]  # named above


def test_001_what_goes_over_the_wire() -> None:
    """Content-Length of the body and no chunks: some AS2 servers refuse chunks."""
    with partner(says(OK)) as (url, received):
        answer = post(url, b"\0\r\nbody")
    assert (answer.status, answer.body, dict(answer.headers)["X-One"]) == (200, b"ok", "1")
    head, _, body = received[0].received.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /as2?a=1 HTTP/1.1"
    assert b"AS2-From: MARKETPLACE" in lines
    assert [line for line in lines if line.lower().startswith(b"content-length")] == [b"Content-Length: 7"]
    assert [line for line in lines if line.lower().startswith(b"host")] == [b"Host: " + url.split("/")[2].encode()]
    assert b"chunked" not in head
    assert body == b"\0\r\nbody"


def test_a_large_body_is_streamed_from_its_file(tmp_path: Path) -> None:
    class Bounded(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert 0 < size <= 256 * 1024
            return super().read(size)

    data = bytes(range(256)) * 8192
    with partner(says(OK)) as (url, received):
        post(url, Bounded(data))
    assert received[0].received.endswith(data)


@pytest.mark.parametrize("status", [204, 301, 401, 404, 500, 503])
def test_008_every_status_is_an_answer_and_no_redirect_is_followed(status: int) -> None:
    answer = b"HTTP/1.1 %d X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n" % status
    with partner(says(answer)) as (url, _):
        assert post(url).status == status


INTERIM = b"HTTP/1.1 102 Processing\r\nX-Working: yes\r\n\r\n"


@pytest.mark.parametrize("interim", [INTERIM, INTERIM * 7, b"HTTP/1.1 100 Continue\r\n\r\n" + INTERIM])
def test_112_an_interim_answer_decides_nothing(interim: bytes) -> None:
    """102 Processing: neither a success nor a reason to send again; the answer is what follows it."""
    with partner(says(interim + OK)) as (url, _):
        answer = post(url)
    assert (answer.status, answer.body) == (200, b"ok")
    assert "x-working" not in {name.lower() for name, _ in answer.headers}


def test_112_an_interim_answer_with_nothing_after_it_leaves_the_outcome_unknown() -> None:
    with partner(says(INTERIM)) as (url, _), pytest.raises(TransportError) as caught:
        post(url)
    assert caught.value.sent


@pytest.mark.parametrize(("count", "fits"), [(INTERIM_ANSWERS_MAX, True), (INTERIM_ANSWERS_MAX + 1, False)])
def test_the_number_of_interim_answers_is_bounded(count: int, fits: bool) -> None:
    with partner(says(INTERIM * count + OK)) as (url, _):
        if fits:
            assert post(url).status == 200
        else:
            with pytest.raises(TransportError, match="interim"):
                post(url)


def test_an_answer_before_the_body_was_read_is_heard() -> None:
    """A partner that refuses a large body early, with 413."""

    def early(connection: Connection) -> None:
        connection.socket.recv(1000)
        connection.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.socket.shutdown(socket.SHUT_WR)
        while connection.socket.recv(65536):
            pass

    with partner(early) as (url, _):
        assert post(url, b"x" * 5_000_000).status == 413


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"rubbish\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Header: 1\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["nothing", "half a body", "rubbish", "too many headers", "broken chunks"],
)
def test_an_answer_that_is_none_leaves_the_outcome_unknown(answer: bytes) -> None:
    with partner(says(answer)) as (url, _), pytest.raises(TransportError) as caught:
        post(url)
    assert caught.value.sent


@pytest.mark.parametrize(("size", "fits"), [(ANSWER_BYTES_MAX, True), (ANSWER_BYTES_MAX + 1, False)])
def test_the_size_of_an_answer_is_bounded(size: int, fits: bool) -> None:
    with partner(says(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * size)) as (url, _):
        if fits:
            assert len(post(url).body) == size
        else:
            with pytest.raises(TransportError, match="longer than"):
                post(url)


def test_silence_ends_in_time() -> None:
    def silent(connection: Connection) -> None:
        time.sleep(1)

    with partner(silent) as (url, _), pytest.raises(TransportError) as caught:
        post(url, seconds=0.2)
    assert caught.value.sent


@pytest.mark.parametrize("where", ["head", "body", "body without length"])
def test_a_trickle_ends_in_time(where: str) -> None:
    """A byte now and then keeps a socket's timeout from ever striking."""
    head = {
        "head": b"HTTP/1.1 200 OK\r\nX-Slow: ",
        "body": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        "body without length": b"HTTP/1.1 200 OK\r\n\r\n",
    }[where]

    def trickle(connection: Connection) -> None:
        connection.read_request()
        connection.say(head)
        for _ in range(100):
            connection.say(b"x")
            time.sleep(0.05)

    began = time.monotonic()
    with partner(trickle) as (url, _), pytest.raises(TransportError, match="within"):
        post(url, seconds=0.4)
    assert time.monotonic() - began < 3


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    with pytest.raises(TransportError) as caught:
        post(url)
    assert not caught.value.sent


def test_what_came_from_outside_opens_no_connection_inside() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        with pytest.raises(TransportError, match="not a public address") as caught:
            post(f"http://127.0.0.1:{listening.getsockname()[1]}/", trusted=False)
        with pytest.raises(TimeoutError):
            listening.accept()
    assert not caught.value.sent


def test_an_unknown_name_was_not_sent_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: object, **named: object) -> list[object]:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(TransportError, match="not known") as caught:
        post("http://vendor.invalid/")
    assert not caught.value.sent


def test_the_checked_address_is_the_one_that_is_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers differently the second time gets no second time."""
    resolve, asked = socket.getaddrinfo, []

    def once(host: str, *arguments: object, **named: object) -> object:
        asked.append(host)
        assert host == "127.0.0.1" or asked.count(host) == 1
        return resolve("127.0.0.1" if host == "vendor.example" else host, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", once)
    with partner(says(OK)) as (url, received):
        assert post(url.replace("127.0.0.1", "vendor.example")).status == 200
    assert b"Host: vendor.example:" in received[0].received


# --- TLS ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for vendor.example, with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vendor.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2060, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("vendor.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "vendor.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def tls_partner(certificate: Path) -> Behave:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def behave(connection: Connection) -> None:
        with context.wrap_socket(connection.socket, server_side=True) as secure:
            secure.recv(65536)
            secure.sendall(OK)

    return behave


@pytest.mark.parametrize(
    ("host", "pinned", "accepted"),
    [("vendor.example", True, True), ("vendor.example", False, False), ("another.example", True, False)],
    ids=["pinned", "unknown authority", "another name"],
)
def test_tls_is_verified_against_the_name_and_not_the_address(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, host: str, pinned: bool, accepted: bool
) -> None:
    resolve = socket.getaddrinfo

    def to_loopback(name: str, *arguments: object, **named: object) -> object:
        return resolve("127.0.0.1" if name == host else name, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", to_loopback)
    trust = Route(tls=ssl.create_default_context(cafile=str(certificate))) if pinned else Route()
    with partner(tls_partner(certificate)) as (url, _):
        url = url.replace("http://127.0.0.1", f"https://{host}")
        if accepted:
            assert post(url, route=trust).status == 200
        else:
            with pytest.raises(TransportError, match="certificate verify failed") as caught:
                post(url, route=trust)
            assert not caught.value.sent


def test_the_time_for_an_upload_grows_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow but steady partner is not cut off in the middle of a large body."""
    monkeypatch.setattr(http, "UPLOAD_BYTES_PER_SECOND_MIN", 4_000_000)
    data = b"x" * 12_000_000

    def slow(connection: Connection) -> None:
        for _ in range(8):
            connection.received += connection.socket.recv(500_000)
            time.sleep(0.1)
        connection.read_request()
        connection.say(OK)

    with partner(slow) as (url, received):
        assert post(url, data, seconds=0.5).status == 200
    assert received[0].received.endswith(data)
