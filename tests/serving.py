"""A gateway behind its real HTTP server, on loopback, for as long as a test wants it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from edi_gateway.gateway.app import Gateway
from edi_gateway.web.app import create_app
from edi_gateway.web.server import Server
from tests.house import BODY_BYTES_MAX


@contextmanager
def serving(gateway: Gateway) -> Iterator[Server]:
    """The server, listening; stopped at the end, and its thread with it."""
    server = Server(
        create_app(gateway),
        host="127.0.0.1",
        port=0,
        threads=2,
        body_bytes_max=BODY_BYTES_MAX,
        oversized=lambda headers, length: None,
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(30)
    assert not thread.is_alive()
