"""Two gateways that have agreed on AS2, each in a folder of its own, and a process that serves one of them.

    marketplace, vendor = two_sides(folder)
    with serving(marketplace, processes=2) as served:
        ...

A served process is the gateway as `edi-gateway serve` puts it together (waitress, Flask, SQLite with synchronous=FULL),
without the workers: what is measured ends with the MDN, and unpacking comes after it in its own time.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from edi_gateway.as2.certificates import PrivateKey
from edi_gateway.as2.relationship import Relationship
from edi_gateway.config import Config, Identity
from edi_gateway.gateway.app import Gateway, open_gateway
from edi_gateway.gateway.keys import open_keys
from edi_gateway.gateway.receive import refuse_oversized
from edi_gateway.partnership import As2Policy, DatedCertificate, EdifactPolicy, Partnership, TradingPartner
from edi_gateway.store import migrate, partnerships
from edi_gateway.store.partnerships import PartnershipState
from edi_gateway.web.app import create_app
from edi_gateway.web.server import Server, stopping_on_signals

KEY = "rsa-2048"
GLNS = {"MARKETPLACE": "3012345000004", "VENDOR": "3098765000002"}
_READY = "listening on port "


@dataclass(frozen=True, slots=True)
class Side:
    """One gateway: its AS2 name and its folder."""

    as2_id: str
    folder: Path

    @property
    def config(self) -> Config:
        return Config(data_dir=self.folder, port=0, identity=Identity(as2_id=self.as2_id))

    def key(self) -> PrivateKey:
        return open_keys(self.config).all()[0]

    def prepare(self) -> None:
        """Database and key."""
        self.folder.mkdir(parents=True)
        migrate.upgrade(self.config.database_url)
        open_keys(self.config).generate(self.as2_id, now=datetime.now(UTC), key=KEY)

    def policy(self, other: Side, url: str = "http://127.0.0.1:9/as2") -> As2Policy:
        """What this side has agreed with the other one: sign with SHA-256, encrypt with AES-256-CBC, signed MDN."""
        pinned = (DatedCertificate(pem=other.key().certificate.pem),)
        return As2Policy(
            their_id=other.as2_id,
            our_id=self.as2_id,
            url=url,
            signing_certificates=pinned,
            encryption_certificates=pinned,
        )

    def relationship(self, other: Side) -> Relationship:
        return Relationship.of(self.policy(other), [self.key()])

    def agree(self, other: Side, url: str = "http://127.0.0.1:9/as2") -> Partnership:
        """Put the partnership with the other side in force."""
        name = other.as2_id.lower()
        agreed = Partnership(
            partner=TradingPartner(name=name, legal_name=name, gln=GLNS[other.as2_id]),
            as2=self.policy(other, url),
            edifact=EdifactPolicy(their_id=GLNS[other.as2_id], our_id=GLNS[self.as2_id]),
            messages=(),
        )
        gateway = open_gateway(self.config)
        with gateway.database.write() as uow:
            partnerships.put_in_force(uow.session, [(agreed, PartnershipState.ACTIVE)], gateway.now())
            uow.commit()
        gateway.close()
        return agreed


@dataclass(frozen=True, slots=True)
class Served:
    """A process that serves a side."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """What it has used so far, of its own and of the system on its behalf (proc(5), `stat`)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_rss_mb(self) -> float:
        """The highest resident memory since it began."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) / 1000


def two_sides(folder: Path) -> tuple[Side, Side]:
    """The marketplace and a vendor; the marketplace has agreed to what the vendor sends, and the reverse."""
    sides = Side("MARKETPLACE", folder / "marketplace"), Side("VENDOR", folder / "vendor")
    for side in sides:
        side.prepare()
    for side, other in (sides, sides[::-1]):
        side.agree(other)
    return sides


@contextmanager
def serving(side: Side, processes: int = 1) -> Iterator[list[Served]]:
    """That many processes on the side's one database; ended with SIGTERM."""
    with ExitStack() as running:
        yield [running.enter_context(_process(side)) for _ in range(processes)]


@contextmanager
def _process(side: Side) -> Iterator[Served]:
    command = [sys.executable, "-m", "benchmarks.sides", side.as2_id, str(side.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line.startswith(_READY):
                raise RuntimeError(f"the gateway did not start: {line!r}")
            yield Served(int(line.removeprefix(_READY)), process.pid)
        finally:
            process.terminate()
            process.wait(30)


def serve(side: Side) -> None:
    """Serve until SIGTERM."""
    gateway = open_gateway(side.config)
    server = _server(gateway)
    with stopping_on_signals(server.stop):
        print(f"{_READY}{server.port}", flush=True)
        server.run()
    gateway.close()


def _server(gateway: Gateway) -> Server:
    config = gateway.config
    return Server(
        create_app(gateway),
        host=config.host,
        port=0,
        threads=config.limits.web_threads,
        body_bytes_max=config.limits.body_bytes_max,
        oversized=partial(refuse_oversized, gateway),
    )


if __name__ == "__main__":
    os.umask(0o077)
    serve(Side(sys.argv[1], Path(sys.argv[2])))
