"""One large file POSTed to a gateway's server process, as a partner would: what the whole path takes.

The server is the gateway as it is served (benchmarks.sides): the body through waitress into the payload store, durable,
opened, its payload durable in the store as well, the commit, the signed MDN. The client sends a file that was sealed
beforehand by sendfile(2), so that it costs next to nothing itself.
"""

from __future__ import annotations

import socket
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from benchmarks.load import request
from benchmarks.sides import Served, Side, serving, two_sides
from edi_gateway.as2.outbound import Sealed, seal

ANSWER_SECONDS_MAX = 600.0


def posted(folder: Path, payload: Path) -> dict[str, float]:
    """Seconds until the MDN, and the highest resident memory of the server in MB."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        marketplace, vendor = two_sides(Path(name))
        with payload.open("rb") as stream, tempfile.TemporaryFile(dir=name) as scratch:
            sealed = _sealed(stream, vendor, marketplace, cast(BinaryIO, scratch))
            with serving(marketplace) as (served,):
                idle = served.peak_rss_mb()
                seconds = _post(served, sealed)
                return {"seconds": seconds, "peak_rss_mb": served.peak_rss_mb(), "idle_rss_mb": idle}


def _sealed(payload: BinaryIO, sender: Side, receiver: Side, scratch: BinaryIO) -> Sealed:
    return seal(
        payload,
        sender.relationship(receiver),
        message_id="<1@vendor.example>",
        now=datetime.now(UTC),
        filename="inventory.edi",
        spool=lambda: scratch,
    )


def _post(served: Served, sealed: Sealed) -> float:
    head = request("/as2", sealed.headers, b"").replace(b"Content-Length: 0", b"Content-Length: %d" % sealed.length)
    begins = time.perf_counter()
    with socket.create_connection(("127.0.0.1", served.port), timeout=ANSWER_SECONDS_MAX) as connection:
        connection.sendall(head)
        connection.sendfile(sealed.body)
        answer = b""
        while b"automatic-action/MDN-sent-automatically" not in answer and (piece := connection.recv(65536)):
            answer += piece
        seconds = time.perf_counter() - begins
    if not answer.startswith(b"HTTP/1.1 200") or b"MDN-sent-automatically; processed\r\n" not in answer:
        raise RuntimeError(f"the gateway did not take it: {answer[:2000]!r}")
    return seconds
