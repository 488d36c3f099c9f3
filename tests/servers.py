"""Small servers on loopback for the tests of the wire: a partner's http(s) server, and a proxy that knows CONNECT.

with server(answering(200), tls=identity("edi.vendor.example").server_context()) as there:
    client(Outgoing(url=there.url("/as2"), ...))
there.requests[0].headers["authorization"]
"""

from __future__ import annotations

import select
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edi_gateway.as2.certificates import Certificate, PrivateKey

SECONDS_MAX = 10.0


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    target: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    peer_certificate: bytes = b""  # DER, where TLS asked for one
    tls_version: str = ""


Behave = Callable[[Request], bytes]


def answering(status: int, body: bytes = b"", **headers: str) -> Behave:
    """A server that always says the same; underscores in names stand for hyphens."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    answer = "\r\n".join((*lines, "", "")).encode() + body
    return lambda request: answer


@dataclass
class Server:
    """A listening server and what came to it."""

    host: str
    port: int
    secure: bool
    requests: list[Request] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)  # of TLS handshakes

    def url(self, path: str = "/as2", host: str = "") -> str:
        name = host or (f"[{self.host}]" if ":" in self.host else self.host)
        return f"{'https' if self.secure else 'http'}://{name}:{self.port}{path}"


@contextmanager
def server(behave: Behave, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Server]:
    """A server that answers one request a connection, one connection after the other."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listening:
        there = Server(host, listening.getsockname()[1], tls is not None)

        def serve(connection: socket.socket) -> None:
            try:
                wrapped = tls.wrap_socket(connection, server_side=True) if tls else connection
            except (ssl.SSLError, OSError) as error:
                there.failures.append(str(error))
                return
            with wrapped:
                request = _read(wrapped)
                if request is not None:
                    there.requests.append(request)
                    wrapped.sendall(behave(request))

        with _accepting(listening, serve):
            yield there


@contextmanager
def _accepting(listening: socket.socket, serve: Callable[[socket.socket], None]) -> Iterator[None]:
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            with suppress(OSError):
                connection, _ = listening.accept()
                connection.settimeout(SECONDS_MAX)
                with connection, suppress(OSError):
                    serve(connection)

    listening.settimeout(0.05)
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _read(connection: socket.socket) -> Request | None:
    """One request as its Content-Length says; None if the client went away."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (more := connection.recv(65536)):
            return None
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    method, target, _ = first.split(" ")
    if not isinstance(connection, ssl.SSLSocket):
        return Request(method, target, headers, body)
    shown = connection.getpeercert(binary_form=True) or b""
    return Request(method, target, headers, body, shown, connection.version() or "")


# --- a proxy --------------------------------------------------------------------------------------------------------


@dataclass
class Proxy(Server):
    """A proxy, and the servers that it was asked to connect to."""

    asked: list[str] = field(default_factory=list)


@contextmanager
def proxy(
    destination: tuple[str, int], *, authorization: str = "", refuses: int = 0, host: str = "127.0.0.1"
) -> Iterator[Proxy]:
    """A proxy to one destination, whatever it is asked for. `authorization` is the header that it wants."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listening:
        there = Proxy(host, listening.getsockname()[1], secure=False)

        def serve(client: socket.socket) -> None:
            request = _read(client)
            if request is None:
                return
            there.requests.append(request)
            there.asked.append(request.target)
            if refuses or request.headers.get("proxy-authorization", "") != authorization:
                status = refuses or 407
                client.sendall(b"HTTP/1.1 %d No\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n" % status)
                return
            with socket.create_connection(destination, timeout=SECONDS_MAX) as onward:
                if request.method == "CONNECT":
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    onward.sendall(_forwarded(request))
                _relay(client, onward)

        with _accepting(listening, serve):
            yield there


def _forwarded(request: Request) -> bytes:
    path = "/" + request.target.split("/", 3)[3]
    kept = [f"{name}: {value}" for name, value in request.headers.items() if not name.startswith("proxy-")]
    return "\r\n".join((f"{request.method} {path} HTTP/1.1", *kept, "", "")).encode("latin-1") + request.body


def _relay(one: socket.socket, other: socket.socket) -> None:
    while ready := select.select([one, other], [], [], SECONDS_MAX)[0]:
        for source in ready:
            data = source.recv(65536)
            if not data:
                return
            (other if source is one else one).sendall(data)


# --- certificates ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Identity:
    """A key with its certificate and the chain above it."""

    key: ec.EllipticCurvePrivateKey
    certificate: Certificate
    chain: tuple[Certificate, ...] = ()

    @property
    def private_key(self) -> PrivateKey:
        return PrivateKey(self.key, self.certificate)

    def server_context(self, *, clients: Certificate | None = None, version: str = "") -> ssl.SSLContext:
        """For a server; `clients` is the authority of the certificates that it asks for."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if version:
            context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
        plain = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "server.pem"
            file.write_bytes(plain + "".join(c.pem for c in (self.certificate, *self.chain)).encode())
            context.load_cert_chain(file)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=clients.pem)
        return context


@cache
def identity(name: str, issuer: str = "", days: int = 365, *, started: int = 1, as_name: bool = True) -> Identity:
    """A certificate for a host name or address; self-signed, or by the authority `issuer`.

    `as_name`: the name stands in subjectAltName; else in the subject alone, as in older certificates.
    """
    above = authority(issuer) if issuer else None
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, issuer or name, key, days, started)
    if as_name:
        try:
            other: x509.GeneralName = x509.IPAddress(ip_address(name))
        except ValueError:
            other = x509.DNSName(name)
        builder = builder.add_extension(x509.SubjectAlternativeName([other]), critical=False)
    made = builder.sign(above.key if above else key, hashes.SHA256())
    return Identity(key, _certificate(made), (above.certificate,) if above else ())


@cache
def authority(name: str) -> Identity:
    """An authority of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, name, key, 3650, 10).add_extension(x509.BasicConstraints(True, None), critical=True)
    return Identity(key, _certificate(builder.sign(key, hashes.SHA256())))


def _builder(
    name: str, issuer: str, key: ec.EllipticCurvePrivateKey, days: int, started: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)  # the TLS library looks at the real clock
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, issuer)]
    return (
        x509.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=started))
        .not_valid_after(now - timedelta(days=started) + timedelta(days=days))
    )


def _certificate(made: x509.Certificate) -> Certificate:
    return Certificate.from_der(made.public_bytes(serialization.Encoding.DER))
