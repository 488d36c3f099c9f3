"""AS2 through the real HTTP server, byte by byte, as partners' programs speak it."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edi_gateway.as2.headers import Headers
from edi_gateway.as2.inbound import open_report
from edi_gateway.as2.opened import OpenedReport, Trust
from edi_gateway.store.transmissions import TransmissionState
from edi_gateway.web.server import Server
from tests.house import House
from tests.partner import NOW, ORDERS, Posted
from tests.serving import serving

CHUNK_BYTES = 700


class Wire:
    """A connection to the gateway's server."""

    def __init__(self, house: House, server: Server) -> None:
        self.house = house
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        self.socket.settimeout(10)

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def head(self, posted: Posted, *more: str, method: str = "POST", join: str = ": ") -> None:
        """The request line and the headers of a message, and those that the case needs."""
        lines = [f"{name}{join}{value}" for name, value in posted.headers]
        self.say("\r\n".join([f"{method} /as2 HTTP/1.1", "Host: gateway.example", *lines, *more, "", ""]).encode())

    def answer(self, *, to_head: bool = False) -> tuple[int, Headers, bytes]:
        """The next answer on this connection: status, headers, body (none to HEAD)."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.socket.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        line, _, block = head.partition(b"\r\n")
        headers = Headers.parse(block)
        while not to_head and len(body) < int(headers.get("Content-Length") or 0):
            body += self.socket.recv(65536)
        return int(line.split()[1]), headers, body

    def receipt(self) -> tuple[int, OpenedReport]:
        status, headers, body = self.answer()
        own = self.house.partner.own_relationship()
        opened = open_report(headers, io.BytesIO(body), own, io.BytesIO, NOW)
        assert isinstance(opened, OpenedReport), opened
        return status, opened


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


@pytest.fixture
def wire(house: House) -> Iterator[Wire]:
    with serving(house.gateway) as server:
        wire = Wire(house, server)
        yield wire
        wire.socket.close()


def accepted(wire: Wire) -> None:
    """What was sent arrived as it was, and a signed receipt says so."""
    status, receipt = wire.receipt()
    assert (status, receipt.trust, receipt.report.disposition.status) == (200, Trust.SIGNED, "processed")
    assert wire.house.only().state is TransmissionState.RECEIVED
    assert wire.house.kept(wire.house.only().payload_sha256) == ORDERS


def length(posted: Posted) -> str:
    return f"Content-Length: {len(posted.body)}"


def chunked(body: bytes) -> bytes:
    pieces = [body[start : start + CHUNK_BYTES] for start in range(0, len(body), CHUNK_BYTES)]
    return b"".join(b"%x;name=value\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def test_001_a_message_with_its_length(wire: Wire) -> None:
    posted = wire.house.message()
    wire.head(posted, length(posted))
    wire.say(posted.body)
    accepted(wire)


def test_002_a_message_in_chunks_rfc9112_7_1(wire: Wire) -> None:
    posted = wire.house.message()
    wire.head(posted, "Transfer-Encoding: chunked")
    wire.say(chunked(posted.body))
    accepted(wire)


@pytest.mark.parametrize("in_chunks", [False, True], ids=["length", "chunks"])
def test_002_a_sender_that_waits_for_100_continue_rfc9110_10_1_1(wire: Wire, in_chunks: bool) -> None:
    """BizTalk sends chunks, and not before it was told to go on."""
    posted = wire.house.message()
    wire.head(posted, "Expect: 100-continue", "Transfer-Encoding: chunked" if in_chunks else length(posted))
    assert wire.answer()[0] == 100
    wire.say(chunked(posted.body) if in_chunks else posted.body)
    accepted(wire)


def test_013_folded_http_headers_are_taken_rfc9112_5_2(wire: Wire) -> None:
    """Nobody should fold them; npm libas2 does."""
    posted = wire.house.message()
    kept = posted.with_headers(Disposition_Notification_Options=None)
    folded = "Disposition-Notification-Options: signed-receipt-protocol=optional, pkcs7-signature;\r\n"
    wire.head(kept, length(posted), folded + "\tsigned-receipt-micalg=optional, sha-256")
    wire.say(posted.body)
    accepted(wire)


@pytest.mark.parametrize("join", [":", ":\t", ":   "])
def test_header_values_stand_apart_in_any_way_rfc9110_5_5(wire: Wire, join: str) -> None:
    posted = wire.house.message()
    wire.head(posted, length(posted), join=join)
    wire.say(posted.body)
    accepted(wire)


def test_006_a_negative_receipt_is_an_http_success_rfc4130_5_4(wire: Wire) -> None:
    """The status says how the transfer went; what became of the content stands in the MDN."""
    partner = wire.house.partner
    posted = partner.post(partner.encrypted(partner.entity()))
    wire.head(posted, length(posted))
    wire.say(posted.body)
    status, receipt = wire.receipt()
    assert (status, receipt.trust) == (200, Trust.SIGNED)
    assert receipt.report.disposition.status == "processed/error: insufficient-message-security"


def test_several_messages_on_one_connection(wire: Wire) -> None:
    for number in range(3):
        posted = wire.house.message(message_id=f"<{number}@vendor.example>")
        wire.head(posted, length(posted))
        wire.say(posted.body)
        status, receipt = wire.receipt()
        assert (status, receipt.report.original_message_id) == (200, f"<{number}@vendor.example>")
    assert len(wire.house.rows()) == 3


def test_no_restart_is_offered(wire: Wire) -> None:
    """AS2 Restart asks with HEAD how much of an ETag is here. The whole message is taken instead."""
    posted = wire.house.message()
    wire.head(posted, 'ETag: "1"', method="HEAD")
    status, headers, _ = wire.answer(to_head=True)
    assert (status, headers.get("Allow")) == (405, "POST")
    wire.head(posted, length(posted), 'ETag: "1"')
    wire.say(posted.body)
    accepted(wire)
