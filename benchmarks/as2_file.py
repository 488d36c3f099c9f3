"""One large file through the AS2 engine, in a process of its own: `python -m benchmarks.as2_file send|receive FOLDER`.

    send FOLDER COMPRESSION     payload -> sealed, headers.json
    receive FOLDER              sealed, headers.json -> opened

The folder holds `sender.pem` and `receiver.pem`, each a private key with its certificate, and takes the scratch files.
Prints, as JSON, the seconds that the engine took and the highest resident memory of the process in MB.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from edi_gateway.as2.certificates import PrivateKey, load_private_key
from edi_gateway.as2.headers import Headers, read_request
from edi_gateway.as2.inbound import open_transmission
from edi_gateway.as2.opened import Opened
from edi_gateway.as2.outbound import seal
from edi_gateway.as2.relationship import Relationship
from edi_gateway.partnership import As2Policy, Compression, DatedCertificate

SENDER, RECEIVER = "sender", "receiver"
PAYLOAD, SEALED, HEADERS, OPENED = "payload", "sealed", "headers.json", "opened"


def send(folder: Path, compression: str) -> float:
    """Seal the payload; gives the seconds."""
    relationship = _relationship(folder, SENDER, RECEIVER, Compression(compression))
    scratch = _Scratch(folder)
    with (folder / PAYLOAD).open("rb") as payload:
        begins = time.perf_counter()
        sealed = seal(
            payload,
            relationship,
            message_id="<1@sender.example>",
            now=datetime.now(UTC),
            filename="inventory.edi",
            spool=scratch,
        )
        sealed.body.flush()
        seconds = time.perf_counter() - begins
    (folder / HEADERS).write_text(json.dumps(sealed.headers), encoding="ascii")
    scratch.keep(sealed.body, folder / SEALED)
    return seconds


def receive(folder: Path) -> float:
    """Open what was sealed; gives the seconds."""
    relationship = _relationship(folder, RECEIVER, SENDER)
    headers = Headers([(name, value) for name, value in json.loads((folder / HEADERS).read_text(encoding="ascii"))])
    request, scratch = read_request(headers), _Scratch(folder)
    with (folder / SEALED).open("rb") as body:
        begins = time.perf_counter()
        opened = open_transmission(request, headers, body, relationship, scratch, datetime.now(UTC))
        if not isinstance(opened, Opened):
            raise SystemExit(f"not opened: {opened}")
        opened.payload.flush()
        seconds = time.perf_counter() - begins
    if opened.signed_with is None or opened.size != (folder / PAYLOAD).stat().st_size:
        raise SystemExit(f"opened something else: {opened}")
    scratch.keep(opened.payload, folder / OPENED)
    return seconds


class _Scratch:
    """Scratch files of the folder, each on the disk from its first byte."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: list[str] = []

    def __call__(self) -> BinaryIO:
        file = tempfile.NamedTemporaryFile(dir=self._folder, delete=False)  # noqa: SIM115 - the engine closes it
        self._names.append(file.name)
        return cast(BinaryIO, file)

    def keep(self, file: BinaryIO, path: Path) -> None:
        """Give this one a name, and take the others away."""
        file.close()
        os.replace(file.name, path)
        for name in self._names:
            if name != file.name:
                os.unlink(name)


def _relationship(folder: Path, ours: str, theirs: str, compression: Compression = Compression.NONE) -> Relationship:
    pinned = (DatedCertificate(pem=_key(folder, theirs).certificate.pem),)
    policy = As2Policy(
        their_id=theirs,
        our_id=ours,
        url="http://127.0.0.1/as2",
        signing_certificates=pinned,
        encryption_certificates=pinned,
        compression=compression,
    )
    return Relationship.of(policy, [_key(folder, ours)])


def _key(folder: Path, name: str) -> PrivateKey:
    return load_private_key((folder / f"{name}.pem").read_bytes())


def peak_rss_mb() -> float:
    """Of this process since its start; `ru_maxrss` would count what the parent had when it forked."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1000


if __name__ == "__main__":
    _, what, folder, *more = sys.argv
    seconds = {"send": send, "receive": receive}[what](Path(folder), *more)
    print(json.dumps({"seconds": seconds, "peak_rss_mb": peak_rss_mb()}))
