"""The two sides of a demonstration: each a process of its own, with its own port, keys, database and data folder.

A side is set up as an operator would do it, with the commands of `edi-gateway`: keys made, certificate exported, the
partner described in a folder and put in force.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import urllib3

from edi_gateway.simulator.companies import (
    CERTIFICATE_FILE,
    MARKETPLACE,
    VENDOR,
    Company,
    identity,
    partner,
    seen_by_the_other,
    toml,
)

START_SECONDS_MAX = 20
STOP_SECONDS_MAX = 15
COMMAND_SECONDS_MAX = 60


class DemonstrationFailed(Exception):
    """A step did not happen; the text says which, and what was seen."""


# What each side sends to the other, in both partner files: (type, from the marketplace's side).
_AGREED = (("ORDERS", "out"), ("ORDRSP", "in"), ("DESADV", "in"), ("INVRPT", "in"), ("INVOIC", "in"), ("INVOIC", "out"))


@dataclass(slots=True)
class Side:
    """One company's gateway: its folder, its address, and its process once it runs."""

    company: Company
    root: Path
    port: int
    arguments: tuple[str, ...]  # of `edi-gateway`, to run it
    api_token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.root / "log.txt"

    def environment(self) -> dict[str, str]:
        """This process's variables without any of ours: a side is described by its files alone."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("EDI_GATEWAY_")}
        return {**inherited, "EDI_GATEWAY_CONFIG": str(self.root / "gateway.toml")}

    def command(self, *arguments: str) -> str:
        """Run `edi-gateway ARGUMENTS` for this side; gives what it printed."""
        done = subprocess.run(  # noqa: S603 - our own program with our own arguments
            [sys.executable, "-m", "edi_gateway", *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()
            raise DemonstrationFailed(f"edi-gateway {' '.join(arguments)} for the {self.company.folder} said: {said}")
        return done.stdout

    def prepare(self) -> None:
        """Folder, configuration and keys."""
        self.root.mkdir(parents=True, mode=0o700)
        _write_secret(self.root / "key.passphrase", secrets.token_urlsafe(32))
        _write_secret(self.root / "gateway.toml", _configuration(self))
        self.command("keys", "generate", "--key", "rsa-2048")

    def certificate(self) -> str:
        """The certificate of this side's key, PEM."""
        name = json.loads(self.command("keys", "list", "--json"))[0]["name"]
        return self.command("keys", "export-certificate", name)

    def meet(self, other: Side) -> None:
        """Describe the other side in a partner folder and put the partnership in force."""
        folder = self.root / "partners" / other.company.folder
        folder.mkdir(parents=True)
        (folder / CERTIFICATE_FILE).write_text(other.certificate(), encoding="ascii")
        (folder / "partner.toml").write_text(_partner(self, other), encoding="utf-8")
        self.command("partners", "apply")

    def start(self) -> None:
        """Start the process; returns at once."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own program with our own arguments
                [sys.executable, "-m", "edi_gateway", *self.arguments],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def await_ready(self, http: urllib3.PoolManager) -> None:
        """Until `/readyz` answers 200."""
        ends = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < ends:
            self.assert_running()
            try:
                if http.request("GET", f"{self.url}/readyz", retries=False, timeout=2).status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                pass  # it does not listen yet
            time.sleep(0.1)
        raise DemonstrationFailed(f"the {self.company.folder} was not ready after {START_SECONDS_MAX} s: {self.tail()}")

    def assert_running(self) -> None:
        if self.process is not None and self.process.poll() is not None:
            raise DemonstrationFailed(f"the {self.company.folder} ended by itself: {self.tail()}")

    def stop(self) -> None:
        """SIGTERM; SIGKILL for one that does not end."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS_MAX)

    def tail(self) -> str:
        """The end of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return text[-2000:].strip() or "it said nothing"


def two_sides(root: Path, opening_stock: Path) -> tuple[Side, Side]:
    """The marketplace and the vendor under `root`, which is emptied first if it is an earlier demonstration's."""
    if root.exists():
        _assert_ours(root)
        shutil.rmtree(root)
    ports = _free_ports(2)
    serve = ("serve",)
    simulate = ("simulate", "vendor", "--inventory", str(opening_stock.resolve()))
    marketplace = Side(MARKETPLACE, (root / MARKETPLACE.folder).resolve(), ports[0], serve)
    vendor = Side(VENDOR, (root / VENDOR.folder).resolve(), ports[1], simulate)
    root.mkdir(parents=True)
    (root / _MARK).write_text("made by `edi-gateway demo`, and emptied by the next one\n", encoding="utf-8")
    for side in (marketplace, vendor):
        side.prepare()
    marketplace.meet(vendor)
    vendor.meet(marketplace)
    return marketplace, vendor


_MARK = "demonstration.txt"


def _assert_ours(root: Path) -> None:
    if not (root / _MARK).exists() and any(root.iterdir()):
        raise DemonstrationFailed(
            f"{root} is not empty and no earlier demonstration made it: choose another --data-dir"
        )


def _free_ports(count: int) -> list[int]:
    """Ports that nothing listens on now; held together, so that they differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [held.getsockname()[1] for held in sockets]
    for held in sockets:
        held.close()
    return ports


def _write_secret(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _configuration(side: Side) -> str:
    return toml(
        {
            "role": "vendor" if side.company is VENDOR else "marketplace",
            "data_dir": "data",
            "partners_dir": "partners",
            "port": side.port,
            "public_url": side.url,
            "api_token": side.api_token,
            "key_file": "key.passphrase",
            "identity": identity(side.company),
            "commission": {"rate": Decimal("0.12"), "vat_rate": 20},
            "work": {"threads": 2, "sweep_seconds": 2},
        }
    )


def _partner(us: Side, them: Side) -> str:
    agreed = _AGREED if us.company is MARKETPLACE else seen_by_the_other(_AGREED)
    return toml(partner(them.company, f"{them.url}/as2", agreed))
