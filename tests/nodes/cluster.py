"""Several nodes on one PostgreSQL, each a process of its own (web and worker), and partners who take their time.

with cluster(folder, nodes=3, partners=6) as here:
    here.send(60)                        # documents, to all partners in turn
    here.post(30)                        # interchanges of the partners, to all nodes in turn
    here.nodes[0].kill()
    here.rest()                          # until nothing waits any more
    here.partners.documents              # what arrived: document -> the Message-IDs that brought it
"""

from __future__ import annotations

import http.client
import io
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from edi_gateway.as2.certificates import PrivateKey
from edi_gateway.as2.disposition import PROCESSED
from edi_gateway.as2.headers import Headers, read_request
from edi_gateway.as2.inbound import open_transmission
from edi_gateway.as2.mdn import compose
from edi_gateway.as2.opened import Opened
from edi_gateway.config import Config, Identity, Work
from edi_gateway.gateway.app import Gateway, open_gateway
from edi_gateway.gateway.dispatch import enqueue
from edi_gateway.gateway.keys import open_keys
from edi_gateway.partnership import EdifactPolicy, Partnership, TradingPartner
from edi_gateway.store import partnerships as partnership_store
from edi_gateway.store.partnerships import PartnershipState
from edi_gateway.store.transmissions import Transmission, TransmissionState
from edi_gateway.work.distributed import DistributedWork
from tests.databases import Postgresql
from tests.partner import Posted, SimulatedPartner, key_of

PASSPHRASE = "correct horse battery staple"
START_SECONDS_MAX = 60.0
REST_SECONDS_MAX = 60.0
_CONTRL = re.compile(rb"UCI\+(\w+)")
_INTERCHANGE = (
    "UNB+UNOA:3+{sender}:14+3098765000002:14+261122:1200+{reference}++++1'"
    "UNH+1+INVRPT:D:96A:UN:EAN004'BGM+35+{reference}+9'UNT+3+1'UNZ+1+{reference}'"
)
_OPEN = (TransmissionState.RECEIVED, TransmissionState.QUEUED, TransmissionState.SENDING)


class Partners(ThreadingHTTPServer):
    """Partners of a marketplace behind one server: each POST is opened, and answered with its MDN after a while."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, count: int, gateway_key: PrivateKey, latency: float) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        start = datetime.now(UTC) - timedelta(days=1)
        key = key_of("cluster-vendor", start=start)
        self.all = {
            f"VENDOR-{number}": SimulatedPartner(f"VENDOR-{number}", key=key, gateway_key=gateway_key)
            for number in range(count)
        }
        self.latency = latency
        self.arrived: list[float] = []
        self.documents: dict[str, set[str]] = defaultdict(set)
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/as2"

    def take(self, headers: Headers, body: bytes) -> Any:
        """The sealed MDN for a POST."""
        request = read_request(headers)
        own = self.all[request.as2_to].own_relationship()
        now = datetime.now(UTC)
        opened = open_transmission(request, headers, io.BytesIO(body), own, io.BytesIO, now)
        assert isinstance(opened, Opened), opened
        payload = opened.payload.read()
        acknowledged = _CONTRL.search(payload)
        name = f"CONTRL {acknowledged[1].decode()}" if acknowledged else payload.decode()
        with self._lock:
            self.arrived.append(time.monotonic())
            self.documents[name].add(request.message_id)
        return compose(request, own, PROCESSED, opened.mic, "", message_id=f"<{secrets.token_hex(8)}@v>", now=now)


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Partners

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        sealed = self.server.take(Headers(list(self.headers.items())), body)
        time.sleep(self.server.latency)
        with suppress(OSError):  # who asked may be gone
            self.send_response(200)
            for name, value in sealed.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sealed.body)))
            self.end_headers()
            self.wfile.write(sealed.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@dataclass
class Node:
    """One process of `edi-gateway serve` with a data folder of its own."""

    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[str] | None = None
    port: int = 0

    def start(self) -> None:
        log = (self.folder / "log.txt").open("a")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edi_gateway", "serve"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=self.folder,
        )
        log.close()

    def ready(self) -> None:
        """Wait for the line that says where it listens."""
        assert self.process is not None
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(r"listens on http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                return
        raise AssertionError((self.folder / "log.txt").read_text()[-2000:])

    def end(self, signal_number: signal.Signals) -> int:
        """Send the signal and wait; gives the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        code = self.process.wait(60)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def stop(self) -> int:
        return self.end(signal.SIGTERM)


@dataclass
class Cluster:
    """The nodes, the partners, and a look at the database of them all."""

    gateway: Gateway
    partners: Partners
    nodes: list[Node]
    posted: list[str] = field(default_factory=list)  # control references that a node has acknowledged
    sent: list[str] = field(default_factory=list)  # documents queued

    def send(self, count: int) -> None:
        """Queue so many documents, to the partners in turn, in one transaction."""
        names = sorted(name.lower() for name in self.partners.all)
        with self.gateway.database.write() as uow:
            for number in range(count):
                document = f"DOCUMENT {len(self.sent)}"
                partnership = self.gateway.partnerships.by_name(names[number % len(names)])
                assert partnership is not None
                stored = self.gateway.payloads.put(io.BytesIO(document.encode()))
                enqueue(uow, self.gateway, partnership, stored, "application/edifact", "document.edi")
                self.sent.append(document)
            uow.commit()

    def post(self, count: int) -> None:
        """So many interchanges of the partners, to the nodes in turn; again, elsewhere, until one has answered."""
        for _ in range(count):
            reference = f"R{len(self.posted):05}"
            partner = list(self.partners.all.values())[len(self.posted) % len(self.partners.all)]
            payload = _INTERCHANGE.format(sender="3012345000004", reference=reference).encode()
            entity = partner.encrypted(partner.signed(partner.entity(payload)))
            posted = partner.post(entity, f"<{reference}-{partner.name}@vendor.example>")
            self._deliver(posted, len(self.posted))
            self.posted.append(reference)

    def _deliver(self, posted: Posted, first: int) -> None:
        for attempt in range(100):
            node = self.nodes[(first + attempt) % len(self.nodes)]
            with suppress(OSError, http.client.HTTPException):
                if _status(node.port, posted) == 200:
                    return
            time.sleep(0.02)
        raise AssertionError("no node takes it")

    def rest(self, seconds: float = REST_SECONDS_MAX) -> None:
        """Until nothing waits any more, in the database or at the partners."""
        ends = time.monotonic() + seconds
        while self.waiting():
            assert time.monotonic() < ends, f"{self.waiting()} still wait"
            time.sleep(0.1)

    def waiting(self) -> int:
        statement = select(func.count()).select_from(Transmission).where(Transmission.state.in_(_OPEN))
        with self.gateway.database.read() as view:
            return view.session.scalar(statement) or 0


def _status(port: int, posted: Posted) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("POST", "/as2", posted.body, dict(posted.headers))
        return connection.getresponse().status


@contextmanager
def cluster(
    folder: Path, server: Postgresql, *, nodes: int, partners: int, threads: int = 2, latency: float = 0.2
) -> Iterator[Cluster]:
    """So many nodes, ready; ended afterwards, whatever has become of them."""
    url = server.database(str(folder))
    config = Config(
        data_dir=folder / "keys-and-client",
        database_url=url,
        identity=Identity(as2_id="MARKETPLACE"),
        key_passphrase=PASSPHRASE,
        work=Work(lease_seconds=1, sweep_seconds=1, stalled_seconds=2),
    )
    own = open_keys(config).generate("MARKETPLACE", now=datetime.now(UTC), key="rsa-2048")
    vendors = Partners(partners, own.private_key, latency)
    waker = DistributedWork(url, 1, {"dispatch": 1})
    gateway = open_gateway(config, wake=waker.wake)
    started = [_node(folder / f"node-{number}", config, threads) for number in range(nodes)]
    try:
        _agree(gateway, vendors)
        for node in started:
            node.start()
        for node in started:
            node.ready()
        yield Cluster(gateway, vendors, started)
    finally:
        for node in started:
            if node.process is not None:
                node.stop()
        waker.close()
        gateway.close()
        vendors.shutdown()
        vendors.server_close()


def _node(folder: Path, config: Config, threads: int) -> Node:
    folder.mkdir(parents=True)
    shutil.copytree(config.data_dir / "keys", folder / "data" / "keys")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EDI_GATEWAY_")}
    ours = {
        "DATA_DIR": str(folder / "data"),
        "DATABASE_URL": config.database_url,
        "PORT": "0",
        "IDENTITY_AS2_ID": "MARKETPLACE",
        "KEY_PASSPHRASE": PASSPHRASE,
        "LOG_LEVEL": "warning",
        "WORK_THREADS": str(threads),
        "WORK_LEASE_SECONDS": "1",
        "WORK_SWEEP_SECONDS": "1",
        "WORK_STALLED_SECONDS": "2",
    }
    return Node(folder, inherited | {f"EDI_GATEWAY_{name}": value for name, value in ours.items()})


def _agree(gateway: Gateway, vendors: Partners) -> None:
    """Put a partnership with each of the partners in force."""
    agreed = [
        Partnership(
            partner=TradingPartner(name=name.lower(), legal_name=name, gln="3012345000004"),
            as2=partner.policy(
                url=vendors.url,
                timeout=timedelta(seconds=2),
                retry_first=timedelta(seconds=1),
                retry_longest=timedelta(seconds=1),
                attempts_max=20,
            ),
            edifact=EdifactPolicy(their_id="3012345000004", our_id="3098765000002"),
            messages=(),
        )
        for name, partner in vendors.all.items()
    ]
    with gateway.database.write() as uow:
        active = [(each, PartnershipState.ACTIVE) for each in agreed]
        partnership_store.put_in_force(uow.session, active, gateway.now())
        uow.commit()
    gateway.partnerships.refresh()
