"""`edi-gateway serve` as a process: it comes up by itself in an empty folder, takes a message, and ends when told."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from edi_gateway.as2.headers import Headers
from edi_gateway.cli.serve import serve
from edi_gateway.store.database import Database
from edi_gateway.store.events import verify_chain
from edi_gateway.store.transmissions import Transmission
from tests.partner import SimulatedPartner

SECONDS_MAX = 30


@contextmanager
def served(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its URL, once it says that it listens."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EDI_GATEWAY_")}
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "edi_gateway", "serve", "--port", "0", *arguments],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(Path.cwd())},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        listening = re.search(r"listens on (http://\S+)", line)
        assert listening, line + (process.stderr.read() if process.stderr else "")
        yield process, listening[1]
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    manager = urllib3.PoolManager(retries=False, timeout=SECONDS_MAX)
    yield manager
    manager.clear()


def test_an_empty_folder_gives_a_gateway(tmp_path: Path, http: urllib3.PoolManager) -> None:
    with served(tmp_path) as (process, url):
        assert http.request("GET", f"{url}/healthz").status == 200
        ready = http.request("GET", f"{url}/readyz")
        assert (ready.status, ready.json()["checks"]["workers"]) == (200, True)
        assert http.request("GET", f"{url}/as2").status == 405

        stranger = SimulatedPartner(name="STRANGER")
        posted = stranger.post(stranger.encrypted(stranger.signed(stranger.entity())))
        answer = http.request("POST", f"{url}/as2", body=posted.body, headers=dict(posted.headers))
        assert answer.status == 200
        assert b"unknown-trading-relationship" in answer.data
        assert "AS2-From" in Headers(answer.headers.items())

        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS_MAX) == 0
        assert process.stderr is not None
        lines = [json.loads(line) for line in process.stderr.read().splitlines()]  # nothing but JSON
    assert ("transmission.state", None, "refused") in [(e["event"], e.get("before"), e.get("after")) for e in lines]
    database = Database(f"sqlite:///{tmp_path}/data/gateway.sqlite")
    with database.read() as view:
        assert [row.as2_from for row in view.session.query(Transmission)] == ["STRANGER"]
        assert verify_chain(view.session).intact
    database.close()
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def test_a_request_under_way_is_answered_before_the_end(tmp_path: Path, http: urllib3.PoolManager) -> None:
    """SIGTERM comes while a body is still arriving."""
    arriving, go_on, statuses = threading.Event(), threading.Event(), []

    def body() -> Iterator[bytes]:
        yield b"x" * 100
        arriving.set()
        go_on.wait(SECONDS_MAX)
        yield b"y" * 100

    with served(tmp_path) as (process, url):
        headers = {"AS2-From": "A", "AS2-To": "B", "Message-ID": "<1@a>", "Content-Type": "text/plain"}

        def post() -> None:
            answer = http.request("POST", f"{url}/as2", body=body(), headers=headers, chunked=True)
            statuses.append(answer.status)

        asking = threading.Thread(target=post)
        asking.start()
        assert arriving.wait(SECONDS_MAX)
        time.sleep(0.2)  # until the server has it
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        go_on.set()
        asking.join(SECONDS_MAX)
        assert process.wait(SECONDS_MAX) == 0
    assert statuses == [403]  # a stranger who asks for no receipt


def test_a_port_that_is_taken_is_said_in_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        second = subprocess.run(
            [sys.executable, "-m", "edi_gateway", "serve", "--port", port],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(Path.cwd())},
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
    assert second.returncode == 2
    assert "cannot listen on" in second.stderr
    assert "Traceback" not in second.stderr


def test_the_command_says_what_it_does() -> None:
    assert "SIGTERM" in (serve.help or "")
